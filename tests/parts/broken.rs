//! Parts that are dropped, doubled, damaged, out of order or not the run's: found by name, and read by nobody.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use super::{in_parts, run_name, run_of};
use crate::support::parts::{edit_outputs, output_entry};

/// What verify says of a run in three parts that has been spoiled, and then of the gathering of it.
fn told_after(spoil: impl Fn(&Path)) -> String {
    let book = in_parts(3);
    spoil(&run_of(&book));
    let (code, _, stderr) = book.outcome(&["verify", &run_name()]);
    assert_eq!(code, 3, "{stderr}");
    stderr
}

/// Whether the run cannot be gathered either, and leaves nothing behind.
fn is_not_gathered(spoil: impl Fn(&Path)) -> String {
    let book = in_parts(3);
    spoil(&run_of(&book));
    let (code, _, stderr) = book.outcome(&["gather", &run_name(), "--out", "gathered"]);
    assert_eq!(code, 3, "{stderr}");
    let left: Vec<_> = fs::read_dir(book.path().join("gathered")).into_iter().flatten().flatten().collect();
    let left: Vec<_> = left.iter().map(fs::DirEntry::file_name).filter(|name| name != ".lock").collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!stderr.contains(".staging-"), "{stderr}");
    stderr
}

fn is(output: &Value, file: &str) -> bool {
    output["file"] == file
}

fn drop_part(run: &Path) {
    fs::remove_file(run.join("decisions/part-00001.parquet")).unwrap();
}

fn damage_part(run: &Path) {
    let path = run.join("decisions/part-00001.parquet");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// One part twice, also in the manifest.
fn double_part(run: &Path) {
    fs::copy(run.join("scores/part-00001.parquet"), run.join("scores/part-00003.parquet")).unwrap();
    edit_outputs(run, |outputs| outputs.push(output_entry(run, "scores/part-00003.parquet", Some(1))));
}

/// A part that the manifest does not list either.
fn forget_part(run: &Path) {
    drop_part(run);
    edit_outputs(run, |outputs| outputs.retain(|output| !is(output, "decisions/part-00001.parquet")));
}

#[test]
fn a_part_that_is_dropped_or_damaged_is_named() {
    for told in [told_after(drop_part), is_not_gathered(drop_part)] {
        assert!(told.contains("decisions/part-00001.parquet"), "{told}");
    }
    for told in [told_after(damage_part), is_not_gathered(damage_part)] {
        assert!(told.contains("decisions/part-00001.parquet"), "{told}");
    }
}

#[test]
fn parts_that_do_not_add_up_are_told_by_their_table() {
    for told in [told_after(double_part), is_not_gathered(double_part)] {
        assert!(told.contains("scores.parquet: control totals say 3 rows, the file list Some(4)"), "{told}");
    }
    for told in [told_after(forget_part), is_not_gathered(forget_part)] {
        assert!(
            told.contains("decisions is listed neither as one file nor as parts numbered from 0"),
            "{told}"
        );
    }
}

#[test]
fn parts_that_are_out_of_order_are_told() {
    let told = told_after(|run| {
        let (first, second) = (run.join("scores/part-00000.parquet"), run.join("scores/part-00001.parquet"));
        fs::rename(&first, run.join("aside")).unwrap();
        fs::rename(&second, &first).unwrap();
        fs::rename(run.join("aside"), &second).unwrap();
        edit_outputs(run, |outputs| {
            outputs.retain(|output| {
                !is(output, "scores/part-00000.parquet") && !is(output, "scores/part-00001.parquet")
            });
            for name in ["scores/part-00000.parquet", "scores/part-00001.parquet"] {
                outputs.push(output_entry(run, name, Some(1)));
            }
        });
    });
    assert!(
        told.contains("scores/part-00001.parquet: account 1 comes after account 2: accounts must ascend, each in one part"),
        "{told}"
    );
}

#[test]
fn what_should_not_be_there_is_listed_below_tables_too() {
    let told = told_after(|run| {
        fs::write(run.join("scores/notes.txt"), "mine").unwrap();
        fs::create_dir(run.join("features/more")).unwrap();
        fs::create_dir(run.join("rejects")).unwrap();
        symlink("/etc", run.join("decisions/elsewhere")).unwrap();
    });
    for name in ["decisions/elsewhere", "features/more", "rejects", "scores/notes.txt"] {
        assert!(told.contains(&format!("{name} should not be there")), "{told}");
    }
}

#[test]
fn a_link_in_the_place_of_a_table_is_followed_by_nobody() {
    let link = |run: &Path| {
        fs::rename(run.join("scores"), run.with_file_name("elsewhere")).unwrap();
        symlink(run.with_file_name("elsewhere"), run.join("scores")).unwrap();
    };
    let told = told_after(link);
    assert!(told.contains("scores/part-00000.parquet: scores is no directory"), "{told}");
    let told = is_not_gathered(link);
    assert!(told.contains("scores/part-00000.parquet: Not a directory"), "{told}");
}

/// An account's statistics are those of a footer, which may be damaged: every part is looked at before it is said
/// that the run does not have the account.
#[test]
fn an_account_is_not_said_to_be_missing_while_a_part_is_damaged() {
    let book = in_parts(3);
    let path = run_of(&book).join("decisions/part-00001.parquet");
    fs::copy(run_of(&book).join("decisions/part-00002.parquet"), &path).unwrap();
    let (code, _, stderr) = book.outcome(&["explain", &run_name(), "--account", "2"]);
    assert_eq!(code, 3);
    assert!(stderr.contains("decisions/part-00001.parquet: it"), "{stderr}");
    assert!(stderr.contains("it is not what its manifest says"), "{stderr}");
}

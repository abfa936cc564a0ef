//! Verify finds what no longer is as the run wrote it.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::Value;

use crate::support::book::{Book, TODAY};
use crate::support::files::reseal;

/// Publishes a plain book, spoils its run, and tells what verify says.
fn told_after(spoil: impl Fn(&std::path::Path)) -> String {
    let book = Book::new();
    book.publish();
    spoil(&book.path().join(format!("out/date={TODAY}")));
    let (code, stdout, stderr) = book.outcome(&["verify", &format!("out/date={TODAY}")]);
    assert_eq!((code, stdout.as_str()), (3, ""), "{stderr}");
    stderr
}

fn edit(run: &std::path::Path, from: &str, to: &str) {
    let path = run.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "`{from}` in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
    reseal(run);
}

#[test]
fn a_whole_run_is_verified() {
    let book = Book::new();
    book.publish();
    let (code, stdout, stderr) = book.outcome(&["verify", &format!("out/date={TODAY}")]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, "out/date=2026-11-20: 9 files, whole and as the manifest says\n");
}

#[test]
fn a_flipped_byte() {
    let told = told_after(|run| {
        let path = run.join("scores.parquet");
        let mut bytes = fs::read(&path).unwrap();
        bytes[100] ^= 1;
        fs::write(path, bytes).unwrap();
    });
    insta::assert_snapshot!(told, @"error: verify out/date=2026-11-20: scores.parquet: its bytes are not those the manifest names");
}

#[test]
fn missing_and_cut_files_are_all_named() {
    let told = told_after(|run| {
        fs::remove_file(run.join("decisions.parquet")).unwrap();
        fs::write(run.join("policy.toml"), "").unwrap();
    });
    assert!(told.contains("decisions.parquet: No such file or directory"), "{told}");
    assert!(told.contains("policy.toml: it has 0 bytes, the manifest says "), "{told}");
}

#[test]
fn a_changed_row_count() {
    let told = told_after(|run| edit(run, "\"rows\": 4,\n      \"bytes\"", "\"rows\": 5,\n      \"bytes\""));
    assert!(told.contains("decisions.parquet: it has 4 rows, the manifest says "), "{told}");
    let told = told_after(|run| edit(run, "\"accepted\": 4", "\"accepted\": 3"));
    insta::assert_snapshot!(told, @"error: verify out/date=2026-11-20: lines: read is not accepted + rejected");
    let told = told_after(|run| edit(run, "\"accounts\": 3", "\"accounts\": 2"));
    assert!(told.contains("scores.parquet: control totals say 2 rows"), "{told}");
}

#[test]
fn an_edited_manifest() {
    let fingerprint = "the fingerprint is not that of the inputs and job files named";
    for (from, to) in [
        ("\"as_of\": \"2026-11-20\"", "\"as_of\": \"2026-11-21\""),
        ("\"known_on\": \"2026-11-20\"", "\"known_on\": \"2026-11-21\""),
        ("\"input\": \"transactions\"", "\"input\": \"repayments\""),
        ("\"delivery\": \"2026-11-19\"", "\"delivery\": \"2026-11-18\""),
    ] {
        let told = told_after(|run| edit(run, from, to));
        assert!(told.contains(fingerprint), "{from}: {told}");
    }
    let told =
        told_after(|run| edit(run, "\"file\": \"decisions.parquet\"", "\"file\": \"features.parquet\""));
    assert!(told.contains("decisions.parquet"), "{told}");
}

#[test]
fn a_manifest_that_is_cut_or_gone() {
    let told = told_after(|run| {
        let text = fs::read_to_string(run.join("manifest.json")).unwrap();
        fs::write(run.join("manifest.json"), &text[..text.len() / 2]).unwrap();
    });
    assert!(told.contains("manifest.json: EOF while parsing") && told.contains("it is damaged"), "{told}");
    let told = told_after(|run| fs::remove_file(run.join("manifest.json")).unwrap());
    insta::assert_snapshot!(told, @"error: verify out/date=2026-11-20: it has no manifest.json, so it is no whole run");
}

#[test]
fn a_directory_that_is_not_there() {
    let book = Book::empty();
    let (code, _, stderr) = book.outcome(&["verify", "out/date=2026-11-20"]);
    assert_eq!(code, 3);
    insta::assert_snapshot!(stderr, @"error: verify out/date=2026-11-20: it has no manifest.json, so it is no whole run");
}

/// The totals are what downstream checks its own against, so they are counted again.
#[test]
fn edited_control_totals() {
    for total in ["\"old_limit_total\": ", "\"new_limit\": ", "\"account_id_hash_total\": \""] {
        let told = told_after(|run| edit(run, total, &format!("{total}1")));
        assert!(told.contains("the control totals are not those of the run's tables"), "{total}: {told}");
    }
}

/// Every leaf of a JSON value, by its path.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, &format!("{path}/{name}"), found));
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(number, value)| leaves(value, &format!("{path}/{number}"), found)),
        _ => found.push(path.to_string()),
    }
}

fn other(leaf: &Value) -> Value {
    match leaf {
        Value::Bool(truth) => (!truth).into(),
        Value::Number(number) => number.as_i64().map_or(0.5.into(), |number| (number + 1).into()),
        Value::String(text) => format!("{text}x").into(),
        _ => "2026-11-01".into(),
    }
}

#[test]
fn every_edited_leaf_of_a_manifest_shows() {
    let book = Book::new();
    book.append("job.toml", "[[gate]]\nname = \"lines\"\nrows = \"lines\"\nmin = 1\n");
    fs::create_dir_all(book.path().join("in/transactions/date=2026-11-15")).unwrap();
    fs::copy(
        book.path().join("in/transactions/date=2026-11-19/part-0.parquet"),
        book.path().join("in/transactions/date=2026-11-15/part-0.parquet"),
    )
    .unwrap();
    book.publish();
    let run = book.path().join(format!("out/date={TODAY}"));
    let text = fs::read_to_string(run.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let mut paths = Vec::new();
    leaves(&manifest, "", &mut paths);
    assert!(paths.len() >= 79, "{}", paths.len());
    for path in &paths {
        let mut edited = manifest.clone();
        let leaf = edited.pointer_mut(path).unwrap();
        *leaf = other(leaf);
        fs::write(run.join("manifest.json"), serde_json::to_string_pretty(&edited).unwrap() + "\n").unwrap();
        let (code, _, stderr) = book.outcome(&["verify", run.to_str().unwrap()]);
        assert_eq!(code, 3, "{path}: {stderr}");
        assert!(!stderr.contains("panicked"), "{path}: {stderr}");
    }
    // The same text in another layout is not what was written either.
    fs::write(run.join("manifest.json"), manifest.to_string()).unwrap();
    assert_eq!(book.outcome(&["verify", run.to_str().unwrap()]).0, 3);
    fs::write(run.join("manifest.json"), text).unwrap();
    assert_eq!(book.outcome(&["verify", run.to_str().unwrap()]).0, 0);
}

#[test]
fn a_manifest_that_is_sealed_again_must_still_agree_with_itself() {
    let cases = [
        ("\"held\": false", "\"held\": true", "it says held: true, its gates say otherwise"),
        ("\"accepted\": 4", "\"accepted\": 18446744073709551615", "lines: read is not accepted + rejected"),
        (
            "\"file\": \"scores.parquet\"",
            "\"file\": \"../../../etc/passwd\"",
            "this names no file of the run",
        ),
        ("\"file\": \"scores.parquet\"", "\"file\": \"/etc/passwd\"", "this names no file of the run"),
        ("\"file\": \"scores.parquet\"", "\"file\": \"..\"", "this names no file of the run"),
        ("\"lines\": 1,", "\"lines\": 18446744073709551615,", "the control totals are not those"),
        (
            "\"old_limit\": ",
            "\"old_limit\": 9999999999999999999999999999999",
            "the control totals are not those",
        ),
    ];
    for (from, to, told) in cases {
        let found = told_after(|run| edit(run, from, to));
        assert!(found.contains(told) && !found.contains("panicked"), "{to}: {found}");
    }
}

#[test]
fn a_manifest_of_another_version() {
    let later = told_after(|run| edit(run, "\"schema_version\": 2", "\"schema_version\": 3"));
    insta::assert_snapshot!(later, @"error: read out/date=2026-11-20/manifest.json: a later version of this program wrote it (schema version 3; this one reads 2)");
    let earlier = told_after(|run| edit(run, "\"schema_version\": 2", "\"schema_version\": 1"));
    assert!(earlier.contains("an earlier version of this program wrote it"), "{earlier}");
}

#[test]
fn what_should_not_be_there_is_listed() {
    let told = told_after(|run| {
        fs::write(run.join("notes.txt"), "mine").unwrap();
        fs::create_dir(run.join("more")).unwrap();
        symlink("/etc", run.join("elsewhere")).unwrap();
    });
    insta::assert_snapshot!(told, @"error: verify out/date=2026-11-20: elsewhere should not be there; more should not be there; notes.txt should not be there");
    let told = told_after(|run| fs::write(run.join("released.json"), "{}").unwrap());
    assert!(told.contains("released.json: missing field"), "{told}");
    let told = told_after(|run| fs::write(run.join("_SUCCESS"), "not empty").unwrap());
    assert!(told.contains("_SUCCESS is not the empty file"), "{told}");
    let told = told_after(|run| fs::remove_file(run.join("_SUCCESS")).unwrap());
    assert!(told.contains("_SUCCESS is missing"), "{told}");
}

/// Puts something else in the place of a file, which keeps its bytes elsewhere.
fn link_away(run: &std::path::Path, name: &str) {
    let elsewhere = run.with_file_name("elsewhere");
    fs::rename(run.join(name), &elsewhere).unwrap();
    symlink(&elsewhere, run.join(name)).unwrap();
}

#[test]
fn links_pipes_and_directories_are_no_files_of_a_run() {
    for name in ["scores.parquet", "job.toml", "manifest.json", "_SUCCESS"] {
        let told = told_after(|run| link_away(run, name));
        assert!(told.contains(name), "{name}: {told}");
        let told = told_after(|run| {
            fs::remove_file(run.join(name)).unwrap();
            assert!(Command::new("mkfifo").arg(run.join(name)).status().unwrap().success());
        });
        assert!(told.contains(name), "{name}: {told}");
        let told = told_after(|run| {
            fs::remove_file(run.join(name)).unwrap();
            fs::create_dir(run.join(name)).unwrap();
        });
        assert!(told.contains(name), "{name}: {told}");
    }
}

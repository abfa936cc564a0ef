//! Verify finds what no longer is as the run wrote it.

use std::fs;

use crate::support::book::{Book, TODAY};

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

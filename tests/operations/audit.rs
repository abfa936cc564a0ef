//! A night run again from scratch: the same bytes, or the first row that differs; nothing is left behind.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::NEVER;
use crate::support::book::{Book, TODAY, TRANSACTIONS, YESTERDAY, table};
use crate::support::files::{files_in, reseal};
use crate::support::{rescore_in, shipped_in, succeed_in};

const STATE: &str = "\n[state]\ndir = \"states\"\n";

/// Audits today's night, with a temporary directory in the book that must be empty afterwards.
fn audited(book: &Book, more: &[&str]) -> (i32, String, String) {
    let temporary = book.path().join("temporary");
    fs::create_dir_all(&temporary).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(book.path()).env("TMPDIR", &temporary).env_remove("RESCORE_LOG");
    let output = command.args(["audit", "job.toml", "--date", TODAY]).args(more).output().unwrap();
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0, "what was made to compare with is removed");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn run(book: &Book) -> std::path::PathBuf {
    book.path().join(format!("out/date={TODAY}"))
}

#[test]
fn a_night_that_comes_to_the_same_bytes() {
    let book = Book::new();
    book.append("job.toml", STATE);
    book.edit("job.toml", "csv = true", "csv = true\nreport = true");
    book.publish();
    let before = files_in(book.path());
    let (code, stdout, stderr) = audited(&book, &[]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, "out/date=2026-11-20: run again from scratch, 11 files come to the same bytes\n");
    assert_eq!(files_in(book.path()), before, "neither the run nor the state is touched");
    let (code, stdout, _) = audited(&book, &["--json"]);
    let said: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &said["same"], &said["differences"]), (0, &true.into(), &serde_json::json!([])));
}

#[test]
fn shipped_nights_of_several_kinds() {
    let home = tempfile::tempdir().unwrap();
    shipped_in(home.path());
    succeed_in(home.path(), &["run", "jobs/first-night.toml", "--date", "2026-11-19"]);
    succeed_in(home.path(), &["run", "jobs/nightly.toml", "--date", "2026-11-20"]);
    let known = ["jobs/first-night.toml", "--date", "2026-11-17", "--known-on", "2026-11-20"];
    succeed_in(home.path(), &[&["run"], &known[..]].concat());
    succeed_in(home.path(), &["audit", "jobs/first-night.toml", "--date", "2026-11-19"]);
    succeed_in(home.path(), &["audit", "jobs/nightly.toml", "--date", "2026-11-20"]);
    succeed_in(home.path(), &[&["audit"], &known[..]].concat());
    // It was made by another job.
    let output = rescore_in(home.path(), &["audit", "jobs/nightly.toml", "--date", "2026-11-19"]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && stdout.contains("\n  job.toml: row 0: "), "{stdout}");
}

#[test]
fn a_held_night() {
    let book = Book::new();
    book.append("job.toml", NEVER);
    assert_eq!(book.run().0, 4);
    let (code, stdout, stderr) = audited(&book, &[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("out/held/date=2026-11-20: "), "{stdout}");
}

/// Changes a file of the run, and its manifest so that it is whole all the same.
fn spoil(run: &Path, name: &str, change: impl Fn(&Path)) {
    change(&run.join(name));
    let bytes = fs::read(run.join(name)).unwrap();
    let path = run.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let outputs = manifest["outputs"].as_array_mut().unwrap();
    let output = outputs.iter_mut().find(|output| output["file"] == name).unwrap();
    output["bytes"] = bytes.len().into();
    output["sha256"] = rescore::hash::bytes_hash(&bytes).into();
    fs::write(&path, serde_json::to_string_pretty(&manifest).unwrap() + "\n").unwrap();
    reseal(run);
}

#[test]
fn the_first_row_that_differs_is_named() {
    let book = Book::new();
    book.publish();
    spoil(&run(&book), "scores.parquet", |path| {
        let mut scores = crate::support::Table::read(path);
        let score = scores.position("score").unwrap();
        scores.rows[1][score] = crate::support::Cell::Int(777);
        scores.write(path);
    });
    spoil(&run(&book), "adjustments.csv", |path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replacen("\n3,", "\n4,", 1)).unwrap();
    });
    let (code, stdout, stderr) = audited(&book, &[]);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines[0], "out/date=2026-11-20: run again from scratch, 2 of 10 files differ");
    assert!(lines[1].starts_with("  adjustments.csv: row 1: `4,"), "{stdout}");
    assert!(
        lines[2].starts_with("  scores.parquet: row 1: account 2, score: 777 is there, it comes to "),
        "{stdout}"
    );
}

#[test]
fn what_was_delivered_since_and_what_is_missing_shows() {
    let book = Book::new();
    book.publish();
    book.deliver(
        "transactions",
        YESTERDAY,
        &table(&TRANSACTIONS, "9 1 2026-11-19 5000 purchase grocery true"),
    );
    let (code, stdout, _) = audited(&book, &["--json"]);
    let said: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &said["same"]), (1, &false.into()));
    let differences = said["differences"].as_array().unwrap();
    assert_eq!(differences.last().unwrap()["file"], "manifest.json");
    assert!(differences.iter().any(|difference| difference["file"] == "features.parquet"), "{stdout}");

    let (code, _, stderr) = book.outcome(&["audit", "job.toml", "--date", YESTERDAY]);
    assert_eq!((code, stderr.as_str()), (3, "error: audit 2026-11-19: no run of that night lies in out\n"));
}

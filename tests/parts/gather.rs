//! A run in parts that is gathered is, byte for byte, the run that one process publishes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{in_parts, manifest_of, published, run_name, run_of};
use crate::support::book::{Book, TODAY};
use crate::support::files::{assert_same, files_in, runs_in, tree};
use crate::support::parts::split;
use crate::support::{SHIPPED_NIGHTS, shipped_in, succeed_in};

/// Gathers today's run of a book, and gives all files of all runs in the output directory.
fn gathered(book: &Book) -> BTreeMap<String, Vec<u8>> {
    let said = succeed_in(book.path(), &["gather", &run_name(), "--out", "gathered"]);
    assert!(said.ends_with(&format!(" into gathered/date={TODAY}\n")), "{said}");
    runs_in(&book.path().join("gathered"))
}

/// What one process publishes, with a page besides.
fn with_page() -> Book {
    let book = Book::new();
    book.edit("job.toml", "csv = true", "csv = \"spreadsheet\"\nreport = true");
    book.publish();
    book
}

#[test]
fn a_run_in_parts_is_gathered_to_the_byte() {
    for one_process in [published, with_page] {
        let expected = runs_in(&one_process().path().join("out"));
        for parts in [1, 4, 7] {
            let book = one_process();
            split(&run_of(&book), parts);
            assert_same(&gathered(&book), &expected);
            succeed_in(book.path(), &["verify", &format!("gathered/date={TODAY}")]);
        }
        // One that is in one piece is copied.
        assert_same(&gathered(&one_process()), &expected);
    }
}

#[test]
fn nights_of_the_sample_book_are_gathered_to_the_byte() {
    let home = tempfile::tempdir().unwrap();
    shipped_in(home.path());
    for (job, date) in SHIPPED_NIGHTS {
        succeed_in(home.path(), &["run", job, "--date", date]);
    }
    let expected = runs_in(&home.path().join("out"));
    for (_, date) in SHIPPED_NIGHTS {
        let run = format!("out/date={date}");
        split(&home.path().join(&run), 7);
        succeed_in(home.path(), &["gather", &run, "--out", "gathered"]);
    }
    assert_same(&runs_in(&home.path().join("gathered")), &expected);
}

#[test]
fn the_manifest_keeps_when_and_how_the_run_was_made() {
    let book = in_parts(4);
    gathered(&book);
    let [run, gathered] = [run_of(&book), book.path().join(format!("gathered/date={TODAY}"))];
    let [parts, one] = [manifest_of(&run), manifest_of(&gathered)];
    assert_eq!(parts.timing.started_at, one.timing.started_at);
    assert_eq!(parts.fingerprint, one.fingerprint);
    assert_ne!(parts.sha256(), one.sha256());
}

#[test]
fn what_is_gathered_already_is_left_alone_and_another_run_is_in_the_way() {
    let book = in_parts(4);
    let before = gathered(&book);
    let said = succeed_in(book.path(), &["gather", &run_name(), "--out", "gathered"]);
    assert_eq!(said, format!("left alone, gathered already: gathered/date={TODAY}\n"));
    assert_same(&runs_in(&book.path().join("gathered")), &before);
    book.edit("scorecard.toml", "base = 400", "base = 401");
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--out", "gathered", "--replace"]);
    let there = tree(&book.path().join(format!("gathered/date={TODAY}")));
    let (code, stdout, stderr) = book.outcome(&["gather", &run_name(), "--out", "gathered"]);
    assert_eq!((code, stdout.as_str()), (6, ""));
    insta::assert_snapshot!(stderr, @"error: gather 2026-11-20: gathered/date=2026-11-20 is another run, from other inputs or job files: gather into another directory");
    assert_eq!(tree(&book.path().join(format!("gathered/date={TODAY}"))), there);
}

#[test]
fn a_run_is_gathered_in_its_place_and_its_parts_are_kept_for_a_while() {
    let expected = runs_in(&published().path().join("out"));
    let book = in_parts(4);
    let parts = files_in(&run_of(&book));
    succeed_in(book.path(), &["gather", &run_name(), "--out", "out"]);
    assert_same(&runs_in(&book.path().join("out")), &expected);
    let kept = fs::read_dir(book.path().join("out/superseded")).unwrap().next().unwrap().unwrap();
    assert_eq!(files_in(&kept.path()), parts);
    // For a run of the same inputs there is nothing to do.
    assert_eq!(book.run().0, 0);
    assert_same(&runs_in(&book.path().join("out")), &expected);
}

#[test]
fn held_and_released_runs_stay_what_they_are() {
    let held = || {
        let book = Book::new();
        book.append("job.toml", "[[gate]]\nname = \"never\"\nrows = \"lines\"\nmin = 99\n");
        assert_eq!(book.run().0, 4);
        book
    };
    let expected = runs_in(&held().path().join("out"));
    let book = held();
    let run = format!("out/held/date={TODAY}");
    split(&book.path().join(&run), 4);
    let said = succeed_in(book.path(), &["gather", &run, "--out", "gathered"]);
    assert!(said.ends_with(&format!(" into gathered/held/date={TODAY}\n")), "{said}");
    assert_same(&runs_in(&book.path().join("gathered")), &expected);
    succeed_in(book.path(), &["release", "out", "--date", TODAY]);
    succeed_in(book.path(), &["gather", &run_name(), "--out", "released"]);
    let gathered = book.path().join(format!("released/date={TODAY}"));
    succeed_in(book.path(), &["verify", gathered.to_str().unwrap()]);
    assert!(gathered.join("_SUCCESS").exists());
    let note = |run: &Path| {
        let text = fs::read_to_string(run.join("released.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let [before, after] = [note(&run_of(&book)), note(&gathered)];
    assert_eq!(after["released_at"], before["released_at"]);
    assert_eq!(after["manifest_sha256"], manifest_of(&gathered).sha256());
}

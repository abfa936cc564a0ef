//! What stands is left alone, refused or replaced; one writer at a time.

use std::fs::{self, File};
use std::io::Write;

use super::{but_for_the_manifest, entries, published};
use crate::support::book::{Book, LINES, TODAY, TRANSACTIONS, YESTERDAY, table};
use crate::support::{Cell, Table, day};

#[test]
fn a_run_of_the_same_inputs_is_left_alone() {
    let book = Book::new();
    book.publish();
    let before = published(&book);
    let (code, stdout, stderr) = book.run();
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("left alone"), "{stdout}");
    assert_eq!(published(&book), before);
    assert_eq!(entries(&book), [format!("date={TODAY}")]);
}

#[test]
fn files_that_do_not_bear_on_a_run_leave_it_alone() {
    let book = Book::new();
    book.publish();
    let before = published(&book);
    let later = table(&TRANSACTIONS, "31 1 2026-11-20 999 purchase a true");
    book.deliver("transactions", "2026-11-21", &later);
    book.deliver("lines", "2026-11-21", &table(&LINES, "1 card 1 0 active 2026-01-01 - - -"));
    book.put("in/transactions/notes.txt", "not a delivery");
    book.put("in/lines/date=2026-11-20/_SUCCESS", "");
    let (code, ..) = book.run();
    assert_eq!(code, 0);
    assert_eq!(published(&book), before);
}

#[test]
fn other_inputs_are_refused_by_name_unless_the_run_is_to_be_replaced() {
    let book = Book::new();
    book.publish();
    let before = published(&book);
    let late = table(&TRANSACTIONS, "13 1 2026-11-19 99000 purchase a true");
    book.deliver("transactions", YESTERDAY, &late);
    let (code, stdout, stderr) = book.run();
    assert_eq!((code, stdout.as_str()), (6, ""));
    insta::assert_snapshot!(stderr, @"error: out/date=2026-11-20 is published already, from other inputs or job files (transactions date=2026-11-19/part-0.parquet); --replace replaces it");
    assert_eq!(published(&book), before);

    let (code, ..) = book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]);
    assert_eq!(code, 0);
    let (code, ..) = book.outcome(&["run", "job.toml", "--date", TODAY, "--out", "fresh"]);
    assert_eq!(code, 0);
    let fresh = super::files_in(&book.path().join(format!("fresh/date={TODAY}")));
    assert_eq!(but_for_the_manifest(published(&book)), but_for_the_manifest(fresh));
    assert_ne!(but_for_the_manifest(published(&book)), but_for_the_manifest(before));
    assert_eq!(entries(&book), [format!("date={TODAY}")]);
}

#[test]
fn other_job_files_and_more_files_are_refused_by_name() {
    let book = Book::new();
    book.publish();
    book.append("policy.toml", "# a remark\n");
    book.edit("job.toml", "csv = true", "csv = false");
    let more = book.path().join("in/transactions/date=2026-11-20/part-1.parquet");
    Table::new(&TRANSACTIONS).write(&more);
    fs::remove_file(book.path().join("in/repayments/date=2026-11-19/part-0.parquet")).unwrap();
    let (code, _, stderr) = book.run();
    assert_eq!(code, 6);
    insta::assert_snapshot!(stderr, @"error: out/date=2026-11-20 is published already, from other inputs or job files (job.toml, policy.toml, repayments date=2026-11-19/part-0.parquet, transactions date=2026-11-20/part-1.parquet); --replace replaces it");
}

#[test]
fn replacing_a_run_with_the_same_inputs_makes_the_same_bytes() {
    let book = Book::new();
    book.publish();
    let before = published(&book);
    let (code, ..) = book.outcome(&["run", "job.toml", "--date", TODAY, "--replace", "--threads", "1"]);
    assert_eq!(code, 0);
    assert_eq!(but_for_the_manifest(published(&book)), but_for_the_manifest(before));
}

#[test]
fn a_directory_that_is_no_run_is_not_overwritten() {
    let book = Book::new();
    fs::create_dir_all(book.path().join(format!("out/date={TODAY}"))).unwrap();
    book.put(&format!("out/date={TODAY}/notes.txt"), "mine");
    let (code, _, stderr) = book.run();
    assert_eq!(code, 6);
    insta::assert_snapshot!(stderr, @"error: out/date=2026-11-20 is there, but is no run (it has no manifest.json); move it away");
    assert_eq!(published(&book).keys().collect::<Vec<_>>(), ["notes.txt"]);
}

#[test]
fn a_locked_output_directory_is_refused_and_the_holder_named() {
    let book = Book::new();
    fs::create_dir(book.path().join("out")).unwrap();
    let mut lock = File::create(book.path().join("out/.lock")).unwrap();
    lock.write_all(b"process 4711 (run nightly of 2026-11-19)\n").unwrap();
    lock.lock().unwrap();
    for args in [vec!["run", "job.toml", "--date", TODAY], vec!["release", "out", "--date", TODAY]] {
        let (code, stdout, stderr) = book.outcome(&args);
        assert_eq!((code, stdout.as_str()), (5, ""));
        assert_eq!(stderr, "error: out is in use by process 4711 (run nightly of 2026-11-19); wait for it\n");
    }
    assert!(entries(&book).is_empty());
    drop(lock);
    book.publish();
}

#[test]
fn a_run_known_later_lies_in_a_directory_of_its_own() {
    let book = Book::new();
    book.publish();
    let before = published(&book);
    let late = table(&TRANSACTIONS, "31 1 2026-11-20 70000 purchase a true");
    book.deliver("transactions", "2026-11-22", &late);
    let (code, ..) = book.outcome(&["run", "job.toml", "--date", TODAY, "--known-on", "2026-11-22"]);
    assert_eq!(code, 0);
    assert_eq!(published(&book), before);
    assert_eq!(entries(&book), [format!("date={TODAY}"), "known=2026-11-22".to_string()]);
    let features = Table::read(&book.path().join("out/known=2026-11-22/date=2026-11-20/features.parquet"));
    let spend = |table: &Table| table.column("spend_30d")[0].clone();
    assert_eq!(spend(&book.output("features")), Cell::Int(40_000));
    assert_eq!(spend(&features), Cell::Int(110_000));
}

#[test]
fn a_broken_snapshot_of_a_later_day_changes_nothing_for_an_earlier_one() {
    let book = Book::new();
    book.publish();
    let rest = &LINES[..8];
    book.deliver("lines", "2026-11-21", &table(rest, "1 card 1 0 active 2026-01-01 - -"));
    fs::create_dir(book.path().join("in/lines/date=2026-11-22")).unwrap();
    book.put("in/lines/date=2026-11-22/part-0.parquet", "broken");
    for known_on in ["2026-11-21", "2026-11-22"] {
        let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--known-on", known_on]);
        assert_eq!(code, 0, "{stderr}");
        let run = book.path().join(format!("out/known={known_on}/date={TODAY}"));
        assert_eq!(Table::read(&run.join("decisions.parquet")), book.output("decisions"));
    }
}

#[test]
fn nothing_is_known_before_it_is_dated() {
    let book = Book::new();
    let args = ["run", "job.toml", "--date", TODAY, "--known-on", YESTERDAY];
    let (code, stdout, stderr) = book.outcome(&args);
    assert_eq!((code, stdout.as_str()), (2, ""));
    insta::assert_snapshot!(stderr, @"error: --known-on 2026-11-19 is before --date 2026-11-20: nothing can be known earlier");
    assert!(!book.path().join("out").exists());
    let (code, ..) = book.outcome(&["run", "job.toml", "--date", TODAY, "--known-on", TODAY]);
    assert_eq!(code, 0);
    assert_eq!(entries(&book), [format!("date={TODAY}")]);
}

#[test]
fn arguments_that_make_no_sense_are_usage() {
    let book = Book::new();
    let wrong: [&[&str]; 6] = [
        &["run", "job.toml"],
        &["run", "job.toml", "--date", "20261120"],
        &["run", "job.toml", "--date", "2026-02-29"],
        &["run", "job.toml", "--date", TODAY, "--threads", "0"],
        &["publish", "job.toml"],
        &["release", "out"],
    ];
    for args in wrong {
        let (code, stdout, stderr) = book.outcome(args);
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}\n{stderr}");
    }
}

#[test]
fn the_csv_says_what_the_parquet_says() {
    let book = Book::new();
    book.edit("policy.toml", "action = \"hold\"", "action = \"lower\"\npercent = 10\nnotice_days = 3");
    book.edit("policy.toml", "name = \"the others\"", "name = \"the \\\"others\\\", and more\"");
    book.publish();
    let parquet = book.output("adjustments");
    let csv = String::from_utf8(published(&book).remove("adjustments.csv").unwrap()).unwrap();
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let names: Vec<&str> = parquet.columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(rows.headers().unwrap().iter().collect::<Vec<_>>(), names);
    let text = |cell: &Cell| match cell {
        Cell::Null => String::new(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Date(day) => day.to_string(),
        other => panic!("{other:?} in adjustments"),
    };
    let expected: Vec<Vec<String>> = parquet.rows.iter().map(|row| row.iter().map(text).collect()).collect();
    let rows = rows.records().map(|row| row.unwrap().iter().map(str::to_string).collect::<Vec<_>>());
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    assert!(expected.len() > 1 && csv.contains("2026-11-23"), "{csv}");
    assert_eq!(parquet.column("effective_on")[0], Cell::Date(day("2026-11-23")));
}

#[test]
fn without_csv_there_is_none() {
    let book = Book::new();
    book.edit("job.toml", "csv = true\n", "");
    book.publish();
    assert!(!published(&book).contains_key("adjustments.csv"));
}

#[test]
fn figures_beyond_64_bits_are_told_to_machines() {
    let book = Book::new();
    let limit = i64::MAX;
    let text = format!(
        "1 card {limit} 0 active 2026-01-01 - - -
         2 card {limit} 0 active 2026-01-01 - - -
         3 card {limit} 0 active 2026-01-01 - - -"
    );
    book.deliver("lines", TODAY, &table(&LINES, &text));
    let (code, stdout, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--json"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("\"old_limit_total\":27670116110564327421"), "{stdout}");
    let (code, ..) = book.outcome(&["verify", &format!("out/date={TODAY}")]);
    assert_eq!(code, 0);
}

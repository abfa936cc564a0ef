//! A range is its nights: the same bytes, each published as it is done, left alone where it was done before.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use arrow_schema::DataType::Int64;
use serde_json::Value;

use super::{FIRST, GATE, RANGE, book_of_days, real_book};
use crate::support::book::{Book, LINES, TODAY, TRANSACTIONS, YESTERDAY, delivered, table};
use crate::support::files::{assert_same, runs_in};
use crate::support::{as_text, day, outcome_in, succeed_in};
use rescore::console::Progress;
use rescore::run::{Nights, RunRequest, run};

const REAL_DAYS: [&str; 2] = ["2026-11-19", "2026-11-20"];

const REAL_RANGE: [&str; 6] = ["run", "jobs/first-night.toml", "--from", "2026-11-19", "--to", "2026-11-20"];

fn runs(book: &Book) -> std::collections::BTreeMap<String, Vec<u8>> {
    runs_in(&book.path().join("out"))
}

#[test]
fn a_range_is_its_nights_byte_for_byte() {
    let (range, nights) = (real_book(), real_book());
    succeed_in(range.path(), &REAL_RANGE);
    for day in REAL_DAYS {
        succeed_in(nights.path(), &["run", "jobs/first-night.toml", "--date", day, "--threads", "1"]);
    }
    assert_same(&runs(&range), &runs(&nights));
    for day in REAL_DAYS {
        succeed_in(range.path(), &["verify", &format!("out/date={day}")]);
        let stdout = succeed_in(range.path(), &["run", "jobs/first-night.toml", "--date", day]);
        assert!(stdout.contains("left alone"), "{stdout}");
    }
}

#[test]
fn a_line_a_night_and_a_total_are_told() {
    let book = book_of_days();
    let (code, stdout, stderr) = book.outcome(&RANGE);
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout, @r"
    2026-11-18  published               3 accounts          3 adjustments  limits change by           800.00  raise 3
    2026-11-19  published               3 accounts          1 adjustment   limits change by             0.00  suspend 1
    2026-11-20  published               3 accounts          1 adjustment   limits change by             0.00  suspend 1

    plain 2026-11-18 to 2026-11-20: 3 nights: 3 published; 5 adjustments, limits change by 800.00
    ");
    insta::assert_snapshot!(book.outcome(&RANGE).1, @r"
    2026-11-18  left alone              3 accounts          3 adjustments  limits change by           800.00  raise 3
    2026-11-19  left alone              3 accounts          1 adjustment   limits change by             0.00  suspend 1
    2026-11-20  left alone              3 accounts          1 adjustment   limits change by             0.00  suspend 1

    plain 2026-11-18 to 2026-11-20: 3 nights: 3 left alone; 5 adjustments, limits change by 800.00
    ");
}

#[test]
fn machines_get_an_object_a_line() {
    let book = book_of_days();
    book.append("job.toml", GATE);
    let (code, stdout, _) = book.outcome(&[&RANGE[..], &["--json"]].concat());
    assert_eq!(code, 4);
    let nights: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<String> = nights
        .iter()
        .map(|night| format!("{} {} {}", night["as_of"], night["ending"], night["control_totals"]["lines"]))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "2026-11-18" "published" 4
    "2026-11-19" "held" 4
    "2026-11-20" "held" 4
    "#);
}

#[test]
fn a_range_goes_on_where_it_was_once_what_was_missing_is_delivered() {
    let (book, whole) = (book_of_days(), book_of_days());
    let missing = book.path().join(delivered("transactions", YESTERDAY));
    let kept = fs::read(&missing).unwrap();
    fs::remove_file(&missing).unwrap();
    let (code, stdout, stderr) = book.outcome(&RANGE);
    assert_eq!(code, 3);
    insta::assert_snapshot!(format!("{stdout}\n{}", as_text(&stderr)), @r"
    2026-11-18  published               3 accounts          3 adjustments  limits change by           800.00  raise 3

    plain 2026-11-18 to 2026-11-20: 1 of 3 nights: 1 published; 3 adjustments, limits change by 800.00

    warning: the range will come no further than 2026-11-19, for which not all is delivered
    error: night of 2026-11-19: find transactions of 2026-11-19: no file matches in/transactions/date=2026-11-19/*.parquet, the latest delivery is that of 2026-11-20; deliver it (a file without rows will do) and run again
    ");
    let before = runs(&book);
    assert!(before.keys().all(|name| name.starts_with("date=2026-11-18/")), "{:?}", before.keys());

    fs::write(&missing, kept).unwrap();
    let stdout = succeed_in(book.path(), &RANGE);
    assert!(stdout.contains("2026-11-18  left alone") && stdout.contains("2 published"), "{stdout}");
    succeed_in(whole.path(), &RANGE);
    assert_same(&runs(&book), &runs(&whole));
}

#[test]
fn a_range_whose_first_night_cannot_run_ends_there() {
    let book = book_of_days();
    fs::remove_file(book.path().join(delivered("repayments", FIRST))).unwrap();
    let (code, stdout, stderr) = book.outcome(&RANGE);
    assert_eq!((code, stdout.as_str()), (3, ""));
    insta::assert_snapshot!(stderr, @"error: night of 2026-11-18: find repayments of 2026-11-18: no file matches in/repayments/date=2026-11-18/*.parquet, the latest delivery is that of 2026-11-20; deliver it (a file without rows will do) and run again");
    assert!(runs(&book).is_empty());
}

#[test]
fn a_held_night_stops_nothing_and_the_range_ends_with_4() {
    let (book, nights) = (book_of_days(), book_of_days());
    for book in [&book, &nights] {
        book.append("job.toml", GATE);
    }
    let (code, stdout, stderr) = book.outcome(&RANGE);
    assert_eq!(code, 4);
    insta::assert_snapshot!(format!("{stdout}\n{stderr}"), @r"
    2026-11-18  published               3 accounts          3 adjustments  limits change by           800.00  raise 3
    2026-11-19  held                    3 accounts          1 adjustment   limits change by             0.00  suspend 1
      gate `nobody is suspended` fails: 25.00 % (at most 0.00 %), 1 of 4
    2026-11-20  held                    3 accounts          1 adjustment   limits change by             0.00  suspend 1
      gate `nobody is suspended` fails: 25.00 % (at most 0.00 %), 1 of 4

    plain 2026-11-18 to 2026-11-20: 3 nights: 1 published, 2 held; 3 adjustments, limits change by 800.00

    error: 2 of 3 nights are held by gates: 2026-11-19, 2026-11-20
    ");
    let codes = [FIRST, YESTERDAY, TODAY].map(|day| nights.outcome(&["run", "job.toml", "--date", day]).0);
    assert_eq!(codes, [0, 4, 4]);
    assert_same(&runs(&book), &runs(&nights));

    let before = runs(&book);
    let (code, stdout, _) = book.outcome(&RANGE);
    assert_eq!(code, 4);
    assert!(stdout.contains("2026-11-19  held already"), "{stdout}");
    assert_same(&runs(&book), &before);
}

#[test]
fn a_released_night_bears_on_the_nights_after_it() {
    let book = book_of_days();
    book.append("job.toml", GATE);
    assert_eq!(book.outcome(&RANGE).0, 4);
    let read = |book: &Book| {
        let manifest = fs::read(book.path().join(format!("out/held/date={TODAY}/manifest.json"))).unwrap();
        serde_json::from_slice::<Value>(&manifest).unwrap()["inputs"].to_string()
    };
    assert!(!read(&book).contains("date=2026-11-19/adjustments.parquet"));
    succeed_in(book.path(), &["release", "out", "--date", YESTERDAY]);
    let (code, stdout, _) = book.outcome(&RANGE);
    assert_eq!(code, 4);
    assert!(stdout.contains("2026-11-19  left alone") && stdout.contains("2026-11-20  held "), "{stdout}");
    assert!(read(&book).contains("date=2026-11-19/adjustments.parquet"));
}

#[test]
fn other_inputs_are_refused_and_replaced_night_by_night() {
    let (book, fresh) = (book_of_days(), book_of_days());
    succeed_in(book.path(), &RANGE);
    let before = runs(&book);
    for book in [&book, &fresh] {
        let late = "13 1 2026-11-18 99000 purchase a true";
        book.deliver("transactions", YESTERDAY, &table(&TRANSACTIONS, late));
    }
    let (code, stdout, stderr) = book.outcome(&RANGE);
    assert_eq!(code, 6);
    assert!(stdout.contains("1 of 3 nights: 1 left alone"), "{stdout}");
    insta::assert_snapshot!(stderr, @"error: night of 2026-11-19: out/date=2026-11-19 is published already, from other inputs or job files (transactions date=2026-11-19/part-0.parquet); --replace replaces it");
    assert_same(&runs(&book), &before);
    let stdout = succeed_in(book.path(), &[&RANGE[..], &["--replace"]].concat());
    assert!(stdout.contains("3 nights: 3 published"), "{stdout}");
    succeed_in(fresh.path(), &RANGE);
    assert_same(&runs(&book), &runs(&fresh));
}

#[test]
fn a_mistake_that_only_a_later_night_shows_is_told_before_the_first() {
    let book = book_of_days();
    let mut columns = LINES;
    columns[8].1 = Int64;
    let numbered = table(&columns, "1 card 100000 20000 active 2025-01-01 - - 7");
    book.deliver("lines", TODAY, &numbered);
    let (code, stdout, stderr) = book.outcome(&RANGE);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("segment"), "{stderr}");
    assert!(!book.path().join("out").exists());
}

#[test]
fn a_column_that_only_a_later_delivery_lacks_ends_the_range_there() {
    let book = book_of_days();
    let without_segment = table(&LINES[..8], "1 card 100000 20000 active 2025-01-01 - -");
    book.deliver("lines", TODAY, &without_segment);
    let (code, _, stderr) = book.outcome(&RANGE);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("read lines of 2026-11-20") && stderr.contains("no column segment"), "{stderr}");
    let published = runs(&book).into_keys().filter(|name| name.ends_with("manifest.json")).count();
    assert_eq!(published, 2, "the nights before stay");
}

#[test]
fn one_lock_is_held_over_the_range() {
    let book = book_of_days();
    fs::create_dir(book.path().join("out")).unwrap();
    let mut lock = fs::File::create(book.path().join("out/.lock")).unwrap();
    lock.lock().unwrap();
    writeln!(lock, "process 1 (run plain of {FIRST} to {TODAY})").unwrap();
    let (code, stdout, stderr) = book.outcome(&RANGE);
    assert_eq!((code, stdout.as_str()), (5, ""));
    insta::assert_snapshot!(stderr, @"error: out is in use by process 1 (run plain of 2026-11-18 to 2026-11-20); wait for it");
    assert!(runs(&book).is_empty());
}

#[test]
fn ranges_that_make_no_sense_are_usage() {
    let book = book_of_days();
    let wrong: [&[&str]; 9] = [
        &["--from", TODAY, "--to", FIRST],
        &["--from", FIRST],
        &["--to", TODAY],
        &["--from", FIRST, "--to", TODAY, "--date", TODAY],
        &["--from", FIRST, "--to", TODAY, "--known-on", TODAY],
        &["--known-on", TODAY],
        &["--date", TODAY, "--memory", "0"],
        &["--date", TODAY, "--memory", "lots"],
        &["--from", FIRST, "--to", TODAY, "--chain"],
    ];
    for args in wrong {
        let (code, stdout, stderr) = book.outcome(&[&["run", "job.toml"], args].concat());
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}\n{stderr}");
    }
    assert!(!book.path().join("out").exists());
    let (_, _, stderr) = book.outcome(&["run", "job.toml", "--from", TODAY, "--to", FIRST]);
    insta::assert_snapshot!(stderr, @"error: --to 2026-11-18 is before --from 2026-11-20: a range ends on its first day or later");
}

#[test]
fn a_range_of_one_day_is_that_night() {
    let (range, night) = (book_of_days(), book_of_days());
    succeed_in(range.path(), &["run", "job.toml", "--from", TODAY, "--to", TODAY, "--memory", "1GiB"]);
    succeed_in(night.path(), &["run", "job.toml", "--date", TODAY, "--from-scratch"]);
    assert_same(&runs(&range), &runs(&night));
}

/// The library's own face lets a test act between two nights.
#[test]
fn a_delivery_that_is_replaced_between_nights_is_read_anew() {
    let (book, night) = (book_of_days(), book_of_days());
    let other = table(&TRANSACTIONS, "1 1 2026-11-17 5000 purchase grocery true");
    let request = RunRequest {
        job: book.path().join("job.toml"),
        nights: Nights::Range { from: day(FIRST), to: day(YESTERDAY) },
        out: None,
        replace: false,
        chain: false,
        from_scratch: false,
        memory_bytes: None,
    };
    let mut nights = 0;
    run(&request, &Progress::hidden(), &mut |_| {
        nights += 1;
        book.deliver("transactions", FIRST, &other);
        Ok(())
    })
    .unwrap();
    assert_eq!(nights, 2);
    succeed_in(night.path(), &["run", "job.toml", "--date", FIRST]);
    night.deliver("transactions", FIRST, &other);
    succeed_in(night.path(), &["run", "job.toml", "--date", YESTERDAY]);
    assert_same(&runs(&book), &runs(&night));
}

fn start(book: &Book) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(book.path()).args(REAL_RANGE).args(["--threads", "1"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_range_that_is_stopped_leaves_whole_nights_and_goes_on() {
    let whole = real_book();
    succeed_in(whole.path(), &REAL_RANGE);
    for (signal, ends) in [("-INT", Some(130)), ("-KILL", None)] {
        let book = real_book();
        let mut child = start(&book);
        let first = book.path().join("out/date=2026-11-19");
        let started = Instant::now();
        while !first.exists() {
            assert!(started.elapsed() < Duration::from_secs(60), "no {}", first.display());
            sleep(Duration::from_micros(200));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), ends);
        for day in REAL_DAYS {
            let run = format!("out/date={day}");
            if book.path().join(&run).exists() {
                succeed_in(book.path(), &["verify", &run]);
            }
        }
        let (code, stdout, stderr) = outcome_in(book.path(), &REAL_RANGE);
        assert_eq!(code, 0, "{stderr}");
        assert!(stdout.contains("2026-11-19  left alone"), "{stdout}");
        assert_same(&runs(&book), &runs(&whole));
    }
}

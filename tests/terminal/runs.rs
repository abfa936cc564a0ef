//! `rescore runs`, and a directory of runs where one run is asked for.

use serde_json::Value;

use super::{on_screen, published_then_gated, stable};
use crate::support::book::{TODAY, YESTERDAY};
use crate::support::{outcome_in, succeed_in};

/// A night three days before, one held, days missing between.
fn nights() -> crate::support::book::Book {
    let book = published_then_gated();
    assert_eq!(book.outcome(&["run", "gated.toml", "--date", TODAY]).0, 4);
    let from = format!("out/date={YESTERDAY}");
    let early = ["run", "job.toml", "--date", YESTERDAY, "--known-on", TODAY];
    succeed_in(book.path(), &early);
    assert!(book.path().join(&from).exists());
    book
}

#[test]
fn every_night_has_a_line() {
    let book = nights();
    let (code, stdout, _) = on_screen(&book, 80, "never", &["runs", "out"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(stable(&stdout), @r"
            date  it is      accounts  adjustments  change  seconds  version
      2026-11-19  published         3            1    0.00      N.N    0.2.0
      2026-11-19  published         3            1    0.00      N.N    0.2.0
        known on 2026-11-20
      2026-11-20  held              3            1    0.00      N.N    0.2.0
        gate `suspensions` fails: 25.00 % (at most 10.00 %), 1 of 4
        gate `limits of the book` fails: 4,300.00 (at most 3,000.00)
        gate `rows of the day` warns: 4 (at least 1,000)

    3 nights: 2 published, 1 held
    ");
    assert!(stdout.lines().all(|line| line.chars().count() <= 80), "{stdout}");
}

#[test]
fn machines_are_told_the_same_a_line_a_night() {
    let book = nights();
    let said = succeed_in(book.path(), &["runs", "out", "--json"]);
    let nights: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let states: Vec<&str> = nights.iter().map(|night| night["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["published", "published", "held"]);
    assert_eq!(nights[1]["known_on"], TODAY);
    assert_eq!(nights[2]["failing"], serde_json::json!(["suspensions", "limits of the book"]));
    assert_eq!(nights[2]["warning"], serde_json::json!(["rows of the day"]));
    assert_eq!(nights[2]["change"], 0);
    assert!(nights.iter().all(|night| night["seconds"].is_number() && night["program_version"].is_string()));
}

#[test]
fn days_without_a_run_are_missing() {
    let book = nights();
    let moved = book.path().join("out/date=2026-11-16");
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY]);
    // A run is named by its manifest: one of an earlier day is one that was made then.
    std::fs::create_dir_all(book.path().join("other")).unwrap();
    let lines =
        crate::support::Table::read(&book.path().join(format!("in/lines/date={TODAY}/part-0.parquet")));
    for input in ["transactions", "repayments"] {
        let rows =
            crate::support::Table::read(&book.path().join(crate::support::book::delivered(input, YESTERDAY)));
        book.deliver(input, "2026-11-16", &rows);
    }
    book.deliver("lines", "2026-11-16", &lines);
    succeed_in(book.path(), &["run", "job.toml", "--date", "2026-11-16"]);
    assert!(moved.exists());
    let said = succeed_in(book.path(), &["runs", "out"]);
    assert_eq!(said.matches("missing\n").count(), 2 + 1, "{said}");
    assert!(said.ends_with("7 nights: 4 published, 1 held, 2 missing\n"), "{said}");
}

#[test]
fn a_directory_of_runs_is_told_from_a_run_wherever_one_is_asked_for() {
    let book = nights();
    let verbs: [&[&str]; 6] = [
        &["show", "out"],
        &["explain", "out", "--account", "1"],
        &["gather", "out", "--out", "gathered"],
        &["scorecard", "job.toml", "out"],
        &["report", "out/held", "--against", "out"],
        &["explain", &format!("out/date={YESTERDAY}"), "--account", "1", "--against", "out"],
    ];
    for args in verbs.into_iter().filter(|args| args[0] != "report") {
        let (code, _, stderr) = outcome_in(book.path(), args);
        assert_eq!(code, 3, "{args:?}");
        assert!(stderr.contains("`out` holds 2 runs, the latest 2026-11-20: name one"), "{args:?}: {stderr}");
    }
    let (_, _, stderr) = outcome_in(book.path(), &["show", "in"]);
    assert!(stderr.contains("it has no manifest.json, so it is no whole run"), "{stderr}");
}

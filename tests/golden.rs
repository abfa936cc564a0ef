//! The golden cases: every run of every case through the real binary, equal to what an independent
//! implementation of the contract computed.

use std::path::Path;

use serde_json::{Value, json};

use crate::audit::night::night;
use crate::audit::read_case::read_case;
use crate::diff::case_home;
use crate::support::files::{assert_same, runs_in};
use crate::support::{Table, day, outcome_in, project};

/// (D, K where it differs)
const RUNS: [(&str, Option<&str>); 4] =
    [("2026-11-15", None), ("2026-11-19", None), ("2026-11-20", None), ("2026-11-17", Some("2026-11-20"))];

const TWO_NIGHTS: [&str; 2] = ["2026-11-19", "2026-11-20"];

const TABLES: [&str; 5] = ["scores", "features", "decisions", "adjustments", "rejects"];

#[test]
fn integer_ids_and_money() {
    check_case("ints");
}

#[test]
fn text_ids_decimal_money_and_an_undated_input() {
    check_case("strings");
}

#[test]
fn decimal_money_and_a_renamed_column() {
    check_case("renamed");
}

/// The audit's naive model is a second implementation; here is what a third one computed.
#[test]
fn the_naive_model_computes_the_same() {
    for case in ["ints", "strings", "renamed"] {
        check_model(case, &RUNS);
    }
    check_model("additions", &TWO_NIGHTS.map(|night| (night, None)));
}

/// Runs in order, each the previous one of the next.
fn check_model(case: &str, runs: &[(&str, Option<&str>)]) {
    let directory = project().join("tests/golden").join(case);
    let mut case = read_case(&directory);
    for (as_of, known_on) in runs {
        (case.as_of, case.known_on) = (day(as_of).0, day(known_on.unwrap_or(as_of)).0);
        let night = night(&case).unwrap();
        let expected = directory.join("expected").join(run_name(as_of, *known_on));
        for (name, table) in &night.tables {
            check_table(table, &expected.join(format!("{name}.parquet")));
        }
        let counts = read_json(&expected.join("counts.json"));
        for (input, found) in &night.counts {
            let expected = &counts["counts"][input];
            assert_eq!(*expected, json!({ "read": found.read, "accepted": found.accepted }), "{input}");
        }
        assert_eq!(counts["bill_conflicts"], night.bill_conflicts);
        assert_eq!(counts["issued_unknown"], night.issued_unknown);
        case.previous = case.earlier_nights.is_some().then_some(night.previous);
    }
}

/// Under `small-pieces`, with RESCORE_SHIPPED naming the binary without that feature.
#[test]
fn pieces_of_any_size_come_to_the_same_bytes() {
    let Some(shipped) = std::env::var_os("RESCORE_SHIPPED") else { return };
    for case in ["ints", "strings", "renamed"] {
        let case = project().join("tests/golden").join(case);
        let runs = [Path::new(&shipped), Path::new(env!("CARGO_BIN_EXE_rescore"))].map(|binary| {
            let out = tempfile::tempdir().unwrap();
            let mut command = std::process::Command::new(binary);
            command.current_dir(&case).args(["run", "jobs/nightly.toml", "--from", "2026-11-19"]);
            let output = command.args(["--to", "2026-11-20", "--out"]).arg(out.path()).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            runs_in(out.path())
        });
        assert!(runs[0].len() > 2 * TABLES.len());
        assert_same(&runs[1], &runs[0]);
    }
}

fn check_case(case: &str) {
    let case = project().join("tests/golden").join(case);
    let out = tempfile::tempdir().unwrap();
    for (as_of, known_on) in RUNS {
        let mut args =
            vec!["run", "jobs/nightly.toml", "--date", as_of, "--out", out.path().to_str().unwrap()];
        args.extend(known_on.iter().flat_map(|known_on| ["--known-on", known_on]));
        let (code, _, stderr) = outcome_in(&case, &args);
        assert_eq!(code, 0, "{stderr}");
        let run = run_name(as_of, known_on);
        check_run(&out.path().join(&run), &case.join("expected").join(&run));
    }
    check_range(&case);
}

/// Withdrawals, statuses' dates and reasons, budgets of rules and of shares, and a night that reads the
/// one before, which must lie where the job says.
#[test]
fn two_nights_of_which_the_second_reads_the_first() {
    let case = project().join("tests/golden/additions");
    let home = case_home("additions");
    for night in TWO_NIGHTS {
        let (code, _, stderr) = outcome_in(home.path(), &["run", "jobs/nightly.toml", "--date", night]);
        assert_eq!(code, 0, "{stderr}");
    }
    for night in TWO_NIGHTS {
        let run = run_name(night, None);
        check_run(&home.path().join("out").join(&run), &case.join("expected").join(&run));
    }
}

fn run_name(as_of: &str, known_on: Option<&str>) -> String {
    let known = known_on.map(|known_on| format!("known={known_on}/"));
    format!("{}date={as_of}", known.unwrap_or_default())
}

/// Nights that follow each other, run as a range.
fn check_range(case: &Path) {
    let out = tempfile::tempdir().unwrap();
    let place = out.path().to_str().unwrap();
    let [from, to] = TWO_NIGHTS;
    let args = ["run", "jobs/nightly.toml", "--from", from, "--to", to, "--out", place];
    let (code, _, stderr) = outcome_in(case, &args);
    assert_eq!(code, 0, "{stderr}");
    for night in TWO_NIGHTS {
        let run = run_name(night, None);
        check_run(&out.path().join(&run), &case.join("expected").join(&run));
    }
}

/// Compares a run with what is expected of it.
pub fn check_run(found: &Path, expected: &Path) {
    for name in TABLES {
        let file = format!("{name}.parquet");
        check_table(&Table::read(&found.join(&file)), &expected.join(&file));
    }
    let [manifest, counts] = [found.join("manifest.json"), expected.join("counts.json")];
    let [manifest, counts] = [manifest, counts].map(|path| read_json(&path));
    for input in ["transactions", "repayments", "lines"] {
        for figure in ["read", "accepted"] {
            assert_eq!(
                manifest["counts"][input][figure], counts["counts"][input][figure],
                "{input} {figure}"
            );
        }
    }
    assert_eq!(manifest["bill_conflicts"], counts["bill_conflicts"]);
    assert_eq!(manifest["issued_unknown"], counts["issued_unknown"]);
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Compares a table with the expected one.
fn check_table(ours: &Table, expected: &Path) {
    let (theirs, place) = (Table::read(expected), expected.display());
    assert_eq!(ours.columns, theirs.columns, "{place}");
    assert_eq!(ours.rows.len(), theirs.rows.len(), "{place}");
    for (row, (ours, theirs)) in ours.rows.iter().zip(&theirs.rows).enumerate() {
        assert_eq!(ours, theirs, "{place} row {row}");
    }
}

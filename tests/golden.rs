//! The golden cases: every run of every case through the real binary, equal to what an independent
//! implementation of the contract computed.

use std::path::Path;

use serde_json::Value;

use crate::support::files::{assert_same, runs_in};
use crate::support::{Table, outcome_in, project};

/// (D, K where it differs)
const RUNS: [(&str, Option<&str>); 4] =
    [("2026-11-15", None), ("2026-11-19", None), ("2026-11-20", None), ("2026-11-17", Some("2026-11-20"))];

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
        let run = match known_on {
            Some(known_on) => format!("known={known_on}/date={as_of}"),
            None => format!("date={as_of}"),
        };
        check_run(&out.path().join(&run), &case.join("expected").join(&run));
    }
    check_range(&case);
}

/// Nights that follow each other, run as a range.
fn check_range(case: &Path) {
    let out = tempfile::tempdir().unwrap();
    let days = ["2026-11-19", "2026-11-20"];
    let place = out.path().to_str().unwrap();
    let args = ["run", "jobs/nightly.toml", "--from", days[0], "--to", days[1], "--out", place];
    let (code, _, stderr) = outcome_in(case, &args);
    assert_eq!(code, 0, "{stderr}");
    for day in days {
        let run = format!("date={day}");
        check_run(&out.path().join(&run), &case.join("expected").join(&run));
    }
}

/// Compares a run with what is expected of it.
pub fn check_run(found: &Path, expected: &Path) {
    for name in TABLES {
        let file = format!("{name}.parquet");
        let (ours, theirs) = (Table::read(&found.join(&file)), Table::read(&expected.join(&file)));
        let place = expected.join(&file);
        assert_eq!(ours.columns, theirs.columns, "{}", place.display());
        assert_eq!(ours.rows.len(), theirs.rows.len(), "{}", place.display());
        for (row, (ours, theirs)) in ours.rows.iter().zip(&theirs.rows).enumerate() {
            assert_eq!(ours, theirs, "{} row {row}", place.display());
        }
    }
    let json = |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let (manifest, counts) = (json(&found.join("manifest.json")), json(&expected.join("counts.json")));
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

//! Scorecards as SQL: DuckDB gives every account what the run gave it, to the last reason.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::explain::nights;
use crate::support::{Cell, Table, outcome_in, project, shipped_in, succeed_in};

/// The rows that DuckDB answers a statement with, and the names of their columns before them.
pub fn duckdb(directory: &Path, statement: &str) -> Vec<Vec<Value>> {
    let mut command = Command::new(project().join("target/python-tests/bin/python"));
    command.arg(project().join("tests/exchange/duck.py")).current_dir(directory);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("target/python-tests is made by tests/run");
    child.stdin.take().unwrap().write_all(statement.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{statement}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A table as DuckDB would give it.
pub fn as_rows(table: &Table) -> Vec<Vec<Value>> {
    let value = |cell: &Cell| match cell {
        Cell::Null => Value::Null,
        Cell::Int(value) => (*value).into(),
        Cell::Text(text) => text.as_str().into(),
        other => panic!("{other:?}"),
    };
    let names = table.columns.iter().map(|(name, _)| name.as_str().into()).collect();
    let rows = table.rows.iter().map(|row| row.iter().map(value).collect());
    std::iter::once(names).chain(rows).collect()
}

fn assert_same_scores(run: &Path, card: &Path) {
    let scores = as_rows(&Table::read(&run.join("scores.parquet")));
    for dialect in ["duckdb", "ansi"] {
        let features = ["--features", "\"features.parquet\""];
        let mut args = vec!["export", card.to_str().unwrap(), "--to", "sql", "--dialect", dialect];
        args.extend(features.iter().filter(|_| dialect == "ansi"));
        let statement = succeed_in(run, &args);
        let found = duckdb(run, &statement);
        assert_eq!(found.len(), scores.len());
        for (found, expected) in found.iter().zip(&scores) {
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn duckdb_scores_a_night_as_the_run_did() {
    let run = nights().run("2026-11-20");
    assert_same_scores(&run, &run.join("scorecard.toml"));
}

#[test]
fn duckdb_scores_real_accounts_as_the_run_did() {
    let directory = tempfile::tempdir().unwrap();
    shipped_in(directory.path());
    let args = ["run", "jobs/taiwan/nightly.toml", "--date", "2005-09-30", "--out", "out", "-q"];
    succeed_in(directory.path(), &args);
    let run = directory.path().join("out/date=2005-09-30");
    assert!(Table::read(&run.join("scores.parquet")).rows.len() > 10_000);
    assert_same_scores(&run, &directory.path().join("jobs/taiwan/nightly.toml"));
    // Our own SQL can do it, too, where the statement is not too long for it.
    let ansi = ["export", "jobs/taiwan/nightly.toml", "--to", "sql", "--dialect", "ansi"];
    let statement = succeed_in(directory.path(), &ansi);
    let (code, stdout, stderr) =
        outcome_in(directory.path(), &["query", run.to_str().unwrap(), &statement, "--csv"]);
    if code != 0 {
        assert!(stderr.contains("at most"), "{stderr}");
        return;
    }
    let all = "select * from scores order by account_id";
    assert_eq!(stdout, succeed_in(directory.path(), &["query", run.to_str().unwrap(), all, "--csv"]));
}

/// A scorecard with names and texts that SQL takes for its own, a clamp, ties, a baseline, and reasons of its own for nulls.
const AWKWARD: &str = r#"
[[feature]]
name = "select \"all\""
from = "lines"
agg = "max"
of = "balance"

[[feature]]
name = "Größe"
from = "lines"
agg = "min"
of = "balance"

[score]
base = -5
min = -20
max = 30
reasons = 3

[[band]]
name = "it's low"
from = -20

[[band]]
name = "high; drop table x --"
from = 10

[[dimension]]
name = "order"
title = "Order"

[[dimension]]
name = "empty"
title = "Empty"

[[characteristic]]
feature = "select \"all\""
dimension = "order"
reason = "R'1"
text = "one"
missing = 3
missing_reason = "M'1"
missing_text = "none"
baseline = 12
bins = [ { below = -9223372036854775808, points = 99 }, { below = 0, points = -30 }, { below = 10, points = 7 }, { points = 40 } ]

[[characteristic]]
feature = "Größe"
dimension = "order"
reason = "R2"
text = "two"
missing = 0
bins = [ { below = 5, points = 2 }, { points = 7 } ]
"#;

#[test]
fn awkward_names_and_texts_are_quoted() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("card.toml"), AWKWARD).unwrap();
    let features = "(values (1, cast(null as bigint), cast(null as bigint)), (2, -1, 4), (3, 5, 5), (4, 10, 0), (5, 9, null)) \
                    as t(account_id, \"select \"\"all\"\"\", \"Größe\")";
    let statement =
        succeed_in(directory.path(), &["export", "card.toml", "--to", "sql", "--features", features]);
    let rows = duckdb(directory.path(), &statement);
    let names = [
        "account_id",
        "score",
        "band",
        "order",
        "empty",
        "points_select \"all\"",
        "points_Größe",
        "reason_1",
    ];
    assert_eq!(rows[0][..8], names.map(Value::from));
    let expected = [
        // account, score, band, order, empty, points, points, reasons
        r#"[1, -2, "it's low", 3, 0, 3, 0, "M'1", "R2", null]"#,
        r#"[2, -20, "it's low", -28, 0, -30, 2, "R'1", "R2", null]"#,
        r#"[3, 9, "it's low", 14, 0, 7, 7, "R'1", null, null]"#,
        r#"[4, 30, "high; drop table x --", 42, 0, 40, 2, "R2", null, null]"#,
        r#"[5, 2, "it's low", 7, 0, 7, 0, "R2", "R'1", null]"#,
    ];
    for (found, expected) in rows[1..].iter().zip(expected) {
        let expected: Vec<Value> = serde_json::from_str(expected).unwrap();
        assert_eq!(*found, expected);
    }
}

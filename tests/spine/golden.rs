//! The golden cases' runs asked for as spines: what an independent implementation computed.

use std::path::Path;

use arrow_schema::DataType;

use super::{features_in, of_run};
use crate::audit::asked::{AskedRow, answered};
use crate::audit::random::Random;
use crate::audit::read_case::read_case;
use crate::audit::value::Value;
use crate::diff::case_home;
use crate::support::{Cell, Table, day, project};

/// (D, K where it differs)
const RUNS: [(&str, Option<&str>); 4] =
    [("2026-11-15", None), ("2026-11-19", None), ("2026-11-20", None), ("2026-11-17", Some("2026-11-20"))];

/// A case's spine and what is expected of it: all accounts of all runs, in no order.
struct Golden {
    rows: Vec<(Cell, Cell, Cell)>,
    expected: Table,
}

fn golden(case: &str, runs: &[(&str, Option<&str>)]) -> Golden {
    let home = project().join("tests/golden").join(case).join("expected");
    let mut all: Vec<((Cell, Cell, Cell), Vec<Cell>)> = Vec::new();
    let mut columns = Vec::new();
    for (as_of, known_on) in runs {
        let known = known_on.map(|known_on| format!("known={known_on}/")).unwrap_or_default();
        let run = home.join(format!("{known}date={as_of}"));
        let [features, scores] = ["features", "scores"].map(|name| run.join(format!("{name}.parquet")));
        let table = of_run(&features, &scores);
        columns = table.columns;
        let accounts = Table::read(&features).column("account_id");
        let days = (Cell::from(day(as_of)), Cell::from(known_on.map(day)));
        let rows = accounts.into_iter().zip(table.rows);
        all.extend(rows.map(|(account, row)| ((account, days.0.clone(), days.1.clone()), row)));
    }
    assert!(all.len() > 20);
    Random::new(1).shuffle(&mut all);
    let (rows, cells) = all.into_iter().unzip();
    Golden { rows, expected: Table { columns, rows: cells } }
}

fn write_spine(rows: &[(Cell, Cell, Cell)], path: &Path) {
    let is_text = rows.iter().any(|row| row.0.text().is_some());
    let kind = if is_text { DataType::Utf8 } else { DataType::Int64 };
    let table =
        Table::new(&[("account_id", kind), ("as_of", DataType::Date32), ("known_on", DataType::Date32)]);
    let rows =
        rows.iter().map(|(account, as_of, known_on)| [account.clone(), as_of.clone(), known_on.clone()]);
    rows.fold(table, |table, row| table.row(row)).write(path);
}

fn check(case: &str, runs: &[(&str, Option<&str>)]) {
    let home = case_home(case);
    let Golden { rows, expected } = golden(case, runs);
    write_spine(&rows, &home.path().join("spine.parquet"));
    let found = features_in(home.path(), "jobs/nightly.toml", &[]);
    assert_same(case, &found, &expected);
}

fn assert_same(case: &str, found: &Table, expected: &Table) {
    assert_eq!(found.columns, expected.columns, "{case}");
    assert_eq!(found.rows.len(), expected.rows.len(), "{case}");
    for (row, (found, expected)) in found.rows.iter().zip(&expected.rows).enumerate() {
        assert_eq!(found, expected, "{case} row {row}");
    }
}

#[test]
fn integer_ids_and_money() {
    check("ints", &RUNS);
}

#[test]
fn text_ids_decimal_money_and_an_undated_input() {
    check("strings", &RUNS);
}

#[test]
fn decimal_money_and_a_renamed_column() {
    check("renamed", &RUNS);
}

#[test]
fn withdrawals_and_statuses_dates() {
    check("additions", &RUNS[1..3]);
}

/// The naive model of spines is a second implementation; here is what a third one computed.
#[test]
fn the_naive_model_computes_the_same() {
    for name in ["ints", "strings", "renamed"] {
        let Golden { rows, expected } = golden(name, &RUNS);
        let case = read_case(&project().join("tests/golden").join(name));
        let account = |cell: &Cell| match cell {
            Cell::Int(id) => Value::from(*id),
            cell => Value::from(cell.text().unwrap()),
        };
        let day = |cell: &Cell| cell.date().map(|day| day.0);
        let rows = rows.iter().map(|row| AskedRow {
            account: account(&row.0),
            as_of: day(&row.1),
            known_on: day(&row.2),
        });
        let found = answered(&case, &rows.collect::<Vec<_>>()).unwrap();
        assert_same(name, &found, &expected);
    }
}

//! A spine of all accounts of a night is the night: its features and scores, cell by cell.

use std::path::Path;

use arrow_schema::DataType::{Date32, Int64, Utf8};

use super::{added, features_in, of_run};
use crate::support::book::{Book, LINES, TODAY, TRANSACTIONS, YESTERDAY, table};
use crate::support::{Cell, SHIPPED_NIGHTS, Table, day, shipped_in, succeed_in};

/// Writes a spine of all accounts of a run.
fn spine_of(run: &Path, as_of: &str, known_on: Option<&str>, path: &Path) {
    let accounts = Table::read_columns(&run.join("features.parquet"), &["account_id"]);
    let columns = [("known_on", Date32), ("as_of", Date32), ("account_id", accounts.columns[0].1.clone())];
    let mut spine = Table::new(&columns);
    for mut row in accounts.rows {
        spine = spine.row([Cell::from(known_on.map(day)), Cell::from(day(as_of)), row.remove(0)]);
    }
    spine.write(path);
}

fn check(home: &Path, job: &str, run: &str, as_of: &str, known_on: Option<&str>) {
    let run = home.join(run);
    spine_of(&run, as_of, known_on, &home.join("spine.parquet"));
    let found = features_in(home, job, &[]);
    let [features, scores] = ["features", "scores"].map(|name| run.join(format!("{name}.parquet")));
    let expected = of_run(&features, &scores);
    assert_eq!(found.columns, expected.columns);
    assert!(found.rows.len() > 100 && found.rows == expected.rows, "{as_of} {known_on:?}");
}

#[test]
fn a_spine_of_all_accounts_of_a_night_is_the_night() {
    let home = tempfile::tempdir().unwrap();
    shipped_in(home.path());
    for (job, as_of) in SHIPPED_NIGHTS {
        succeed_in(home.path(), &["run", job, "--date", as_of]);
        check(home.path(), job, &format!("out/date={as_of}"), as_of, None);
    }
    let (job, _) = SHIPPED_NIGHTS[0];
    succeed_in(home.path(), &["run", job, "--date", "2026-11-17", "--known-on", "2026-11-20"]);
    let run = "out/known=2026-11-20/date=2026-11-17";
    check(home.path(), job, run, "2026-11-17", Some("2026-11-20"));
}

/// What a night issued is laid over the snapshot of a later one, and of no earlier day.
#[test]
fn what_was_issued_counts_from_the_day_after() {
    let book = Book::new();
    book.edit("job.toml", "\n[output]", "issued = \"in/issued/date={date}/*.parquet\"\n\n[output]");
    book.edit("job.toml", "lines_max_age_days = 1", "lines_max_age_days = 3");
    let columns = [
        ("account_id", Int64),
        ("product", Utf8),
        ("new_limit", Int64),
        ("new_status", Utf8),
        ("effective_on", Date32),
    ];
    book.deliver("issued", TODAY, &table(&columns, "1 card 700000 active 2026-11-20"));
    for input in ["transactions", "repayments"] {
        let empty = Table {
            rows: Vec::new(),
            ..Table::read(&book.path().join(format!("in/{input}/date={TODAY}/part-0.parquet")))
        };
        book.deliver(input, "2026-11-21", &empty);
    }
    let spine = table(
        &[("account_id", Int64), ("as_of", Date32)],
        "1 2026-11-21
         1 2026-11-20
         2 2026-11-21",
    );
    spine.write(&book.path().join("spine.parquet"));
    let limits = features_in(book.path(), "job.toml", &[]).column("limits");
    assert_eq!(limits, [700_000, 100_000, 250_000].map(Cell::Int));
}

/// Each day has the latest snapshot that is not too old: the book of the day, not of the last one.
#[test]
fn each_day_stands_on_its_own_snapshot() {
    let book = Book::new();
    book.deliver("lines", YESTERDAY, &table(&LINES, "1 card 5 1 active 2025-01-01 - - a"));
    let late = "41  1  2026-11-19  7000  purchase  a  true";
    book.deliver("transactions", TODAY, &table(&TRANSACTIONS, late));
    let columns = [("account_id", Int64), ("as_of", Date32), ("known_on", Date32)];
    let rows = "
        1  2026-11-20  -
        1  2026-11-19  -
        1  2026-11-19  2026-11-20
        2  2026-11-19  -
        1  2026-11-18  -
        -  2026-11-18  -
        9  -           2026-11-18
        1  2026-11-19  2026-11-19";
    table(&columns, rows).write(&book.path().join("spine.parquet"));
    let found = features_in(book.path(), "job.toml", &[]);
    let limits = [Some(100_000), Some(5), Some(5), None, None, None, None, Some(5)].map(Cell::from);
    assert_eq!(found.column("limits"), limits);
    let left_out = [
        None,
        None,
        None,
        Some("no_line"),
        Some("not_delivered"),
        Some("missing_account"),
        Some("missing_date"),
        None,
    ];
    assert_eq!(found.column("left_out"), left_out.map(Cell::from));
    // What was bought yesterday, and arrived today.
    assert_eq!(found.column("spend_30d")[..3], [37_000, 30_000, 37_000].map(Cell::Int));
}

/// An account that the day's night would not look at fails nothing.
#[test]
fn accounts_that_nobody_asks_for_overflow_in_peace() {
    let book = Book::new();
    let rows = format!(
        "31  2  2026-11-20  {max}  purchase  a  true
         32  2  2026-11-20      1  purchase  a  true
         33  9  2026-11-20  {max}  purchase  a  true
         34  9  2026-11-20      1  purchase  a  true",
        max = i64::MAX
    );
    book.deliver("transactions", TODAY, &table(&TRANSACTIONS, &rows));
    let columns = [("account_id", Int64), ("as_of", Date32)];
    table(&columns, "1 2026-11-20\n9 2026-11-20").write(&book.path().join("spine.parquet"));
    let found = features_in(book.path(), "job.toml", &[]);
    assert_eq!(found.column("left_out"), [None, Some("no_line")].map(Cell::from));
    table(&columns, "1 2026-11-20\n2 2026-11-20").write(&book.path().join("spine.parquet"));
    let args = ["features", "job.toml", "--spine", "spine.parquet", "--out", "again.parquet"];
    let (code, _, stderr) = book.outcome(&args);
    assert_eq!(code, 3);
    assert!(stderr.contains("compute feature spend_30d of account 2"), "{stderr}");
    assert!(!book.path().join("again.parquet").exists());
}

#[test]
fn without_scores_there_are_none() {
    let book = Book::new();
    let columns = [("account_id", Int64), ("as_of", Date32)];
    let [spine, out] = ["spine.parquet", "out.parquet"].map(|name| book.path().join(name));
    table(&columns, "1 2026-11-20").write(&spine);
    let whole = features_in(book.path(), "job.toml", &[]);
    succeed_in(book.path(), &["features", "job.toml", "--spine", "spine.parquet", "--out", "out.parquet"]);
    let found = added(&spine, &out);
    assert_eq!(found.columns.last().unwrap().0, "is_stretched");
    assert_eq!(found.rows[0][..], whole.rows[0][..found.columns.len()]);
}

//! `rescore init`: a job for files that somebody has; `check` passes on it, and a night runs.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Float64Array};
use arrow_schema::DataType::Decimal128;
use serde_json::Value;

use crate::support::book::{Book, TODAY, instants, write_arrays};
use crate::support::files::copy;
use crate::support::{Cell, Table, outcome_in, project, succeed_in};

/// The three inputs of a directory, as arguments.
fn inputs(data: &str) -> Vec<String> {
    let input = |name: &str| [format!("--{name}"), format!("{data}/{name}/date=*/*.parquet")];
    ["transactions", "repayments", "lines"].iter().flat_map(|name| input(name)).collect()
}

fn init(home: &Path, inputs: &[String], more: &[&str]) -> (i32, String, String) {
    let mut args = vec!["init", "mine"];
    args.extend(inputs.iter().map(String::as_str));
    args.extend(more);
    outcome_in(home, &args)
}

/// Writes a job, which checks without a warning, and runs the night of the trial.
fn runs(home: &Path, inputs: &[String], more: &[&str]) -> Value {
    let mut all = more.to_vec();
    all.push("--json");
    let (code, stdout, stderr) = init(home, inputs, &all);
    assert_eq!(code, 0, "{stderr}");
    let told: Value = serde_json::from_str(&stdout).unwrap();
    let date = told["date"].as_str().unwrap();
    let checked = succeed_in(home, &["check", "mine/nightly.toml", "--date", date]);
    assert!(checked.contains("no mistakes, 0 warnings"), "{checked}");
    succeed_in(home, &["run", "mine/nightly.toml", "--date", date]);
    let scores = Table::read(&home.join(format!("mine/out/date={date}/scores.parquet")));
    assert_eq!(told["accounts"], scores.rows.len());
    assert!(!scores.rows.is_empty());
    told
}

fn yours<'t>(told: &'t Value, input: &str, column: &str) -> &'t Value {
    let columns = told["columns"].as_array().unwrap();
    columns.iter().find(|one| one["input"] == input && one["column"] == column).unwrap()
}

#[test]
fn the_sample_has_a_job_in_one_command() {
    let home = tempfile::tempdir().unwrap();
    copy(&project().join("sample_data"), &home.path().join("sample_data"));
    let told = runs(home.path(), &inputs("sample_data"), &[]);
    assert_eq!(told["date"], "2026-11-20");
    assert_eq!(told["products"], serde_json::json!(["fenfu", "huabei", "jiebei", "legacy"]));
    let job = fs::read_to_string(home.path().join("mine/nightly.toml")).unwrap();
    assert!(job.contains("transactions = \"../sample_data/transactions/date={date}/*.parquet\""), "{job}");
    assert!(job.contains("TO LOOK AT: money is integers"), "{job}");
    let card = fs::read_to_string(home.path().join("mine/scorecard.toml")).unwrap();
    assert!(card.contains("kind Utf8") && card.contains("# Seen on the trial night: quarters at "), "{card}");
    // Nothing is lowered, suspended or closed by a policy that nobody has thought about.
    let decisions = Table::read(&home.path().join("mine/out/date=2026-11-20/decisions.parquet"));
    let actions = decisions.column("action");
    assert!(actions.iter().all(|action| ["hold", "raise"].contains(&action.text().unwrap())));
    assert!(actions.iter().any(|action| action.text() == Some("raise")));
    // What is there stays.
    let (code, _, stderr) = init(home.path(), &inputs("sample_data"), &[]);
    assert_eq!(code, 6);
    assert!(stderr.contains("mine/nightly.toml is there already"), "{stderr}");
}

#[test]
fn the_golden_books_have_jobs() {
    for (golden, repayments) in
        [("renamed", "date=*/*.parquet"), ("strings", "*.parquet"), ("ints", "date=*/*.parquet")]
    {
        let home = tempfile::tempdir().unwrap();
        copy(&project().join(format!("tests/golden/{golden}/data")), &home.path().join("data"));
        let mut all = inputs("data");
        all[3] = format!("data/repayments/{repayments}");
        let told = runs(home.path(), &all, &[]);
        if golden == "renamed" {
            assert_eq!(yours(&told, "transactions", "amount")["yours"], "amt_posted");
        }
    }
}

/// The plain book under the names of another system.
fn foreign_book() -> Book {
    let book = Book::new();
    for (input, names) in [
        ("transactions", vec![("account_id", "CustNo"), ("posted_on", "PostingDate"), ("amount", "TxnAmt")]),
        (
            "repayments",
            vec![
                ("account_id", "CustNo"),
                ("product", "ProdCd"),
                ("bill_id", "InvoiceNo"),
                ("due_on", "DueDate"),
                ("due_amount", "AmtDue"),
                ("paid_on", "PaymentDate"),
                ("paid_amount", "PaidAmt"),
            ],
        ),
        (
            "lines",
            vec![
                ("account_id", "CustNo"),
                ("product", "ProdCd"),
                ("credit_limit", "CREDIT_LMT"),
                ("balance", "CurrBal"),
                ("status", "AcctStatus"),
                ("opened_on", "OpenDate"),
            ],
        ),
    ] {
        rename(&book.path().join("in").join(input), &names);
    }
    book
}

/// Gives columns of all files of an input other names.
fn rename(input: &Path, names: &[(&str, &str)]) {
    for entry in fs::read_dir(input).unwrap() {
        let path = entry.unwrap().path().join("part-0.parquet");
        let mut rows = Table::read(&path);
        for (name, _) in &mut rows.columns {
            if let Some((_, other)) = names.iter().find(|(known, _)| known == name) {
                *name = (*other).to_string();
            }
        }
        rows.write(&path);
    }
}

#[test]
fn columns_of_other_systems_are_known_and_renamed() {
    let book = foreign_book();
    let told = runs(book.path(), &inputs("in"), &[]);
    let job = fs::read_to_string(book.path().join("mine/nightly.toml")).unwrap();
    for (input, column, name) in [
        ("transactions", "posted_on", "PostingDate"),
        ("repayments", "due_amount", "AmtDue"),
        ("lines", "account_id", "CustNo"),
        ("lines", "credit_limit", "CREDIT_LMT"),
    ] {
        let found = yours(&told, input, column);
        assert_eq!((found["yours"].as_str(), found["how"].as_str()), (Some(name), Some("guessed by name")));
        assert!(job.contains(&format!("{column} = \"{name}\"")), "{job}");
    }
    assert!(job.contains("[rename.lines]") && job.contains("TO LOOK AT: guessed by its name"), "{job}");
}

#[test]
fn what_cannot_be_told_is_asked_for_by_name() {
    let book = foreign_book();
    rename(&book.path().join("in/lines"), &[("CREDIT_LMT", "x1"), ("segment", "AcctNo")]);
    let (code, _, stderr) = init(book.path(), &inputs("in"), &[]);
    assert_eq!(code, 2, "{stderr}");
    for words in [
        "lines: which column is account_id (whose it is), one of CustNo Int64, AcctNo Utf8: say --map lines.account_id=COLUMN",
        "lines: which column is credit_limit (the line's limit); it has CustNo Int64",
        "say --map lines.credit_limit=COLUMN",
    ] {
        assert!(stderr.contains(words), "{words}\n{stderr}");
    }
    assert!(!book.path().join("mine").exists());
    let said = ["--map", "lines.credit_limit=x1", "--map", "account_id=CustNo"];
    let told = runs(book.path(), &inputs("in"), &said);
    assert_eq!(yours(&told, "lines", "credit_limit")["how"], "said");
}

#[test]
fn a_map_that_names_nothing_is_a_mistake() {
    let book = Book::new();
    for (map, words) in [
        ("lines.balance=balnce", "lines has no column `balnce`: did you mean `balance`?"),
        ("lines.balanse=balance", "there is no column `balanse` here: did you mean `balance`?"),
        ("line.balance=balance", "there is no input `line`"),
        ("balance", "it is written account_id=CustNo"),
    ] {
        let (code, _, stderr) = init(book.path(), &inputs("in"), &["--map", map]);
        assert_eq!(code, 2);
        assert!(stderr.contains(words), "{map}: {stderr}");
    }
}

#[test]
fn a_float_is_no_money_and_an_instant_needs_its_zone() {
    let book = Book::new();
    let path = book.path().join(format!("in/lines/date={TODAY}/part-0.parquet"));
    let rows = Table::read(&path);
    let names: Vec<String> = rows.columns.iter().map(|(name, _)| name.clone()).collect();
    let arrays = names.iter().enumerate().map(|(place, name)| {
        let array = rows.array(place);
        let array = if name == "balance" { as_floats(&array) } else { array };
        (name.as_str(), array)
    });
    write_arrays(&path, arrays.collect());
    let (code, _, stderr) = init(book.path(), &inputs("in"), &[]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains(
            "`balance`, which would be balance, is Float64; money is integer minor units or Decimal"
        ),
        "{stderr}"
    );
    let days = rows.rows.len();
    let arrays = names.iter().enumerate().map(|(place, name)| {
        let opened = instants(&vec![1_600_000_000_000_000; days], Some("UTC"));
        (name.as_str(), if name == "opened_on" { opened } else { rows.array(place) })
    });
    write_arrays(&path, arrays.collect());
    let (code, _, stderr) = init(book.path(), &inputs("in"), &[]);
    assert_eq!(code, 2);
    assert!(stderr.contains("lines.opened_on: say it, as in --timezone Asia/Shanghai"), "{stderr}");
    runs(book.path(), &inputs("in"), &["--timezone", "Asia/Shanghai"]);
}

/// A column of integers as floats.
fn as_floats(array: &ArrayRef) -> ArrayRef {
    let ints = array.as_primitive::<Int64Type>();
    Arc::new(ints.iter().map(|value| value.map(|value| value as f64)).collect::<Float64Array>())
}

#[test]
fn decimal_places_are_those_of_the_columns() {
    let book = Book::new();
    for (input, names) in [
        ("transactions", vec!["amount"]),
        ("repayments", vec!["due_amount", "paid_amount"]),
        ("lines", vec!["credit_limit", "balance"]),
    ] {
        for entry in fs::read_dir(book.path().join("in").join(input)).unwrap() {
            let path = entry.unwrap().path().join("part-0.parquet");
            let mut rows = Table::read(&path);
            for (place, (name, kind)) in rows.columns.iter_mut().enumerate() {
                if names.contains(&name.as_str()) {
                    *kind = Decimal128(18, 3);
                    for row in &mut rows.rows {
                        if let Cell::Int(value) = row[place] {
                            row[place] = Cell::Decimal(i128::from(value));
                        }
                    }
                }
            }
            rows.write(&path);
        }
    }
    runs(book.path(), &inputs("in"), &[]);
    let job = fs::read_to_string(book.path().join("mine/nightly.toml")).unwrap();
    assert!(job.contains("minor_units = 3"), "{job}");
}

#[test]
fn one_snapshot_and_no_repayments_will_do() {
    let book = Book::new();
    fs::rename(
        book.path().join(format!("in/lines/date={TODAY}/part-0.parquet")),
        book.path().join("in/lines/book.parquet"),
    )
    .unwrap();
    let given =
        ["--transactions", "in/transactions", "--repayments", "none", "--lines", "in/lines/book.parquet"]
            .map(str::to_string);
    runs(book.path(), &given, &[]);
    let job = fs::read_to_string(book.path().join("mine/nightly.toml")).unwrap();
    assert!(
        job.contains("repayments = \"none\"") && job.contains("lines = \"../in/lines/book.parquet\""),
        "{job}"
    );
}

#[test]
fn files_that_are_not_there_are_named() {
    let book = Book::new();
    let mut given = inputs("in");
    given[5] = "in/line/*.parquet".to_string();
    let (code, _, stderr) = init(book.path(), &given, &[]);
    assert_eq!(code, 3);
    assert!(stderr.contains("find lines: no file matches"), "{stderr}");
    given = inputs("in");
    let (code, _, stderr) = init(book.path(), &given, &["--date", "2026-12-24"]);
    assert_eq!(code, 3);
    assert!(
        stderr.contains("a night of 2026-12-24 on trial") && !book.path().join("mine").exists(),
        "{stderr}"
    );
    let (code, _, stderr) = outcome_in(
        book.path(),
        &["init", "in/lines", given[0].as_str(), &given[1], &given[2], &given[3], &given[4], &given[5]],
    );
    assert_eq!(code, 2);
    assert!(stderr.contains("which is, holds or lies in the directory of lines"), "{stderr}");
}

#[test]
fn names_that_lines_have_are_not_those_of_features() {
    let book = Book::new();
    let path = book.path().join(format!("in/lines/date={TODAY}/part-0.parquet"));
    let mut rows = Table::read(&path);
    for (name, _) in &mut rows.columns {
        if name == "segment" {
            *name = "limit_total".to_string();
        }
    }
    rows.write(&path);
    runs(book.path(), &inputs("in"), &[]);
    let card = fs::read_to_string(book.path().join("mine/scorecard.toml")).unwrap();
    assert!(card.contains("name = \"limit_total_here\""), "{card}");
}

#[test]
fn statuses_of_other_words_are_told() {
    let book = Book::new();
    let path = book.path().join(format!("in/lines/date={TODAY}/part-0.parquet"));
    let mut rows = Table::read(&path);
    let place = rows.position("status").unwrap();
    rows.rows.iter_mut().for_each(|row| row[place] = Cell::Text("NORMAL".to_string()));
    rows.write(&path);
    let (code, _, stderr) = init(book.path(), &inputs("in"), &[]);
    assert_eq!(code, 3);
    assert!(stderr.contains("a status is active, suspended or closed; map other words upstream"), "{stderr}");
}

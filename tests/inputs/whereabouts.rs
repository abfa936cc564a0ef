//! Where deliveries lie, under which names, and on which days there are none.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use serde_json::Value;

use super::{DELIVERIES, assert_same, deliver_as, outcome, plain_properties};
use crate::support::Table;
use crate::support::book::{
    Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, YESTERDAY, delivered, write_arrays,
};

fn manifest(book: &Book) -> Value {
    let path = book.path().join(format!("out/date={TODAY}/manifest.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn files_of_a_delivery_may_be_split_anyhow() {
    let book = Book::new();
    for (input, date) in DELIVERIES {
        let path = book.path().join(delivered(input, date));
        let mut rest = Table::read(&path);
        let mut first = rest.clone();
        first.rows = rest.rows.split_off(1);
        first.rows.reverse();
        first.write(&path);
        rest.write(&path.with_file_name("part-1.parquet"));
        Table { columns: rest.columns, rows: Vec::new() }.write(&path.with_file_name("part-2.parquet"));
    }
    assert_same("split", &book);
}

#[test]
fn a_path_may_take_a_variable_of_the_environment() {
    let book = Book::new();
    for input in ["transactions", "repayments", "lines"] {
        book.edit("job.toml", &format!("\"in/{input}/"), &format!("\"${{RESCORE_TEST_IN}}/{input}/"));
    }
    book.edit("job.toml", "dir = \"out\"", "dir = \"${RESCORE_TEST_OUT}\"");
    let absolute = book.path().join("in");
    for place in ["in", "./in", ".//in/.", absolute.to_str().unwrap()] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
        command.current_dir(book.path()).args(["run", "job.toml", "--date", TODAY, "--replace"]);
        command.env("RESCORE_TEST_IN", place).env("RESCORE_TEST_OUT", "out");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{place}: {}", String::from_utf8_lossy(&output.stderr));
        let decisions = book.output("decisions");
        let plain = Book::new();
        plain.publish();
        assert_eq!(decisions, plain.output("decisions"), "{place}");
        let inputs = manifest(&book)["inputs"].clone();
        assert_eq!(inputs, manifest(&plain)["inputs"], "files are named from the first wildcard on: {place}");
    }
}

#[test]
fn the_directory_of_the_job_is_taken_as_it_is_called() {
    let book = Book::new();
    let odd = "a [b] *?";
    fs::create_dir(book.path().join(odd)).unwrap();
    for name in ["job.toml", "scorecard.toml", "policy.toml", "in"] {
        fs::rename(book.path().join(name), book.path().join(odd).join(name)).unwrap();
    }
    let plain = Book::new();
    plain.publish();
    for job in [format!("{odd}/job.toml"), format!("./{odd}//job.toml"), format!("{odd}/../{odd}/job.toml")] {
        let (code, _, stderr) = book.outcome(&["run", &job, "--date", TODAY, "--out", "out", "--replace"]);
        assert_eq!(code, 0, "{job}: {stderr}");
        assert_eq!(book.output("decisions"), plain.output("decisions"));
        assert_eq!(manifest(&book)["fingerprint"], manifest(&plain)["fingerprint"]);
    }
}

#[test]
fn a_column_may_have_another_name_even_beside_one_of_its_own() {
    let book = Book::new();
    for input in ["transactions", "repayments", "lines"] {
        book.append("job.toml", &format!("[rename.{input}]\naccount_id = \"acct_no\"\n"));
    }
    for (input, date) in DELIVERIES {
        let path = book.path().join(delivered(input, date));
        let table = Table::read(&path);
        let old: ArrayRef = Arc::new(StringArray::from(vec!["an old number"; table.rows.len()]));
        let arrays = table.columns.iter().enumerate().map(|(place, (name, _))| {
            (if name == "account_id" { "acct_no" } else { name.as_str() }, table.array(place))
        });
        write_arrays(&path, [("account_id", old)].into_iter().chain(arrays).collect());
    }
    assert_same("renamed", &book);
}

#[test]
fn extra_columns_that_nobody_names_may_be_of_any_type() {
    let book = Book::new();
    deliver_as(&book, &plain_properties(), |_, _| None);
    for (input, date) in DELIVERIES {
        let path = book.path().join(delivered(input, date));
        let table = Table::read(&path);
        let floats: ArrayRef = Arc::new(arrow_array::Float64Array::from(vec![0.5; table.rows.len()]));
        let names = table.columns.iter().enumerate();
        let arrays = names.map(|(place, (name, _))| (name.as_str(), table.array(place)));
        write_arrays(&path, arrays.chain([("share", floats)]).collect());
    }
    assert_same("with floats", &book);
}

#[test]
fn days_without_a_delivery_are_named_and_warned_of() {
    let book = Book::new();
    book.deliver("transactions", "2026-11-15", &Table::new(&TRANSACTIONS));
    book.deliver("repayments", "2026-11-17", &Table::new(&REPAYMENTS));
    let (code, _, stderr) = book.run();
    assert_eq!(code, 0);
    assert!(
        stderr.contains("transactions: 3 days without a delivery, from 2026-11-16 to 2026-11-18"),
        "{stderr}"
    );
    assert!(stderr.contains("repayments: no delivery of 2026-11-18"), "{stderr}");
    let missing = &manifest(&book)["missing_days"];
    assert_eq!(missing["transactions"], serde_json::json!(["2026-11-16", "2026-11-17", "2026-11-18"]));
    assert_eq!(missing["repayments"], serde_json::json!(["2026-11-18"]));
}

#[test]
fn days_before_the_longest_window_are_not_missed() {
    let book = Book::new();
    book.deliver("transactions", "2026-10-01", &Table::new(&TRANSACTIONS));
    book.publish();
    let missing = &manifest(&book)["missing_days"]["transactions"];
    assert_eq!((missing.as_array().unwrap().len(), &missing[0]), (29, &Value::from("2026-10-21")));
}

#[test]
fn a_file_without_rows_is_a_delivery() {
    let book = Book::new();
    book.deliver("transactions", TODAY, &Table::new(&TRANSACTIONS));
    book.deliver("repayments", TODAY, &Table::new(&REPAYMENTS));
    book.publish();
    let counts = &manifest(&book)["counts"];
    for input in ["transactions", "repayments"] {
        assert_eq!(counts[input]["read"], 0);
        assert_eq!(manifest(&book)["missing_days"][input], serde_json::json!([]));
    }
}

#[test]
fn the_latest_snapshot_that_is_young_enough_is_used() {
    let book = Book::new();
    let expected = outcome(&Book::new());
    let lines = Table::read(&book.path().join(delivered("lines", TODAY)));
    fs::remove_dir_all(book.path().join("in/lines")).unwrap();
    book.deliver("lines", YESTERDAY, &lines);
    book.deliver("lines", "2026-11-18", &Table::new(&LINES));
    assert_eq!(outcome(&book), expected);
    assert_eq!(manifest(&book)["snapshot"], YESTERDAY);
    book.deliver("lines", TODAY, &Table::new(&LINES));
    fs::remove_dir_all(book.path().join("out")).unwrap();
    assert_eq!(book.run().0, 3, "an empty snapshot is no snapshot, and no older one stands in for it");
}

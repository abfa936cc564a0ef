//! Samples as tables a person can check: whose rows, what happened to them, which part they play.

use std::fs;

use arrow_schema::DataType::{Boolean, Date32, Int64, Utf8};

use super::{draw, plain, quarter, shown, spine, taiwan};
use crate::support::book::{REPAYMENTS, TRANSACTIONS, table};
use crate::support::{Cell, Table, outcome_in, succeed_in};

const FILE: &str = "[sample]\nspine = \"spine.parquet\"\n[outcome]\nfile = \"outcomes.parquet\"\n";

#[test]
fn an_outcome_is_that_of_the_account_and_the_day() {
    let book = quarter(&[]);
    spine(&book, "1 2026-02-10\n2 2026-02-10\n3 2026-02-10\n1 2026-03-20\n2 2026-01-05\n9 2026-02-10\n1 -");
    let outcomes =
        "1 2026-02-10 0\n2 2026-02-10 1\n3 2026-02-10 -\n3 2026-02-11 1\n1 2026-03-10 1\n2 2026-02-10 1";
    let columns = [("account_id", Int64), ("as_of", Date32), ("bad", Int64)];
    table(&columns, outcomes).write(&book.path().join("outcomes.parquet"));
    let sample = draw(&book, FILE);
    let expected = "
        1 2026-02-10 1 good      train
        2 2026-02-10 1 bad       train
        3 2026-02-10 1 indeterminate train
        1 2026-03-20 1 immature  train
        2 2026-01-05 1 unmatched train
        9 2026-02-10 1 left_out  train
        1 -          1 left_out  train";
    let columns = ["account_id", "as_of", "weight", "outcome", "part"];
    assert_eq!(shown(&sample, &columns), plain(expected));
    assert_eq!(
        sample.columns[..2].iter().map(|column| column.1.clone()).collect::<Vec<_>>(),
        [Int64, Date32]
    );
}

#[test]
fn the_next_outcome_within_some_days_is_the_first_of_them() {
    let book = quarter(&[]);
    spine(&book, "1 2026-02-10\n2 2026-02-10\n3 2026-02-10\n1 2026-02-11\n1 2026-03-10\n3 2026-03-01");
    let outcomes = "
        1 2026-02-09 true
        1 2026-02-10 false
        1 2026-03-10 true
        2 2026-03-12 true
        3 2026-03-13 true";
    let columns = [("account_id", Int64), ("as_of", Date32), ("defaulted", Boolean)];
    table(&columns, outcomes).write(&book.path().join("outcomes.parquet"));
    let model = format!("{FILE}column = \"defaulted\"\nmatch = \"next\"\nwithin = 30\n");
    let expected = "
        1 2026-02-10 good
        2 2026-02-10 bad
        3 2026-02-10 unmatched
        1 2026-02-11 bad
        1 2026-03-10 bad
        3 2026-03-01 bad";
    assert_eq!(shown(&draw(&book, &model), &["account_id", "as_of", "outcome"]), plain(expected));
}

/// Both have a product: the outcome is the line's. One has none: it is the account's.
#[test]
fn an_outcome_is_the_lines_where_both_name_a_product() {
    let book = quarter(&[]);
    let columns = [("account_id", Int64), ("as_of", Date32), ("product", Utf8)];
    let rows = "2 2026-02-10 card\n2 2026-02-10 loan\n2 2026-02-10 shop\n1 2026-02-10 card";
    table(&columns, rows).write(&book.path().join("spine.parquet"));
    let columns = [("account_id", Int64), ("as_of", Date32), ("product", Utf8), ("bad", Int64)];
    let outcomes = "2 2026-02-10 card 0\n2 2026-02-10 loan 1\n1 2026-02-10 card 1";
    table(&columns, outcomes).write(&book.path().join("outcomes.parquet"));
    let of_lines = draw(&book, FILE);
    let expected = "2 card good\n2 loan bad\n2 shop unmatched\n1 card bad";
    assert_eq!(shown(&of_lines, &["account_id", "product", "outcome"]), expected);
    let columns = [("account_id", Int64), ("as_of", Date32), ("bad", Int64)];
    table(&columns, "2 2026-02-10 0\n1 2026-02-10 1").write(&book.path().join("outcomes.parquet"));
    let of_accounts = draw(&book, FILE);
    let expected = "2 card good\n2 loan good\n2 shop good\n1 card bad";
    assert_eq!(shown(&of_accounts, &["account_id", "product", "outcome"]), expected);
}

/// Bills due in (as_of, as_of + 30], seen at the end of as_of + 45.
const COMPUTED: &str = "[sample]\nspine = \"spine.parquet\"\n[outcome]\ndue_within_days = 30\nseen_after_days = 45\n\
                        bad = \"max_days_late >= 10\"\nindeterminate = \"max_days_late between 5 and 9\"\n";

#[test]
fn outcomes_are_computed_from_the_bills_that_fall_due() {
    let book = quarter(&[
        (
            "2026-02-01",
            "1 card 11 2026-02-10 5000 - -\n2 card 21 2026-02-10 5000 - -\n3 loan 31 2026-02-15 5000 - -",
        ),
        ("2026-02-10", "1 card 11 2026-02-10 5000 2026-02-10 5000"),
        ("2026-02-17", "2 card 21 2026-02-10 5000 2026-02-17 5000"),
        // Not seen any more by whoever looks on 2026-03-17.
        ("2026-03-18", "3 loan 31 2026-02-15 5000 2026-02-16 5000"),
    ]);
    spine(
        &book,
        "1 2026-01-31\n2 2026-01-31\n3 2026-01-31\n1 2026-02-10\n3 2026-02-14\n3 2026-02-15\n1 2026-03-17\n1 2026-01-11",
    );
    let expected = "
        1 2026-01-31 good
        2 2026-01-31 indeterminate
        3 2026-01-31 bad
        1 2026-02-10 unmatched
        3 2026-02-14 good
        3 2026-02-15 unmatched
        1 2026-03-17 immature
        1 2026-01-11 good";
    assert_eq!(shown(&draw(&book, COMPUTED), &["account_id", "as_of", "outcome"]), plain(expected));
}

#[test]
fn an_account_that_has_left_the_book_has_an_outcome_all_the_same() {
    let book = quarter(&[("2026-02-01", "1 card 11 2026-02-10 5000 - -")]);
    book.deliver(
        "lines",
        "2026-02-28",
        &table(&crate::support::book::LINES, "2 card 1 0 active 2025-06-01 - - mass"),
    );
    spine(&book, "1 2026-01-31");
    assert_eq!(shown(&draw(&book, COMPUTED), &["account_id", "outcome"]), "1 bad");
}

#[test]
fn a_day_without_a_delivery_is_counted_and_not_guessed() {
    let book = quarter(&[("2026-02-01", "1 card 11 2026-02-10 5000 - -")]);
    fs::remove_dir_all(book.path().join("in/repayments/date=2026-03-17")).unwrap();
    spine(&book, "1 2026-01-31\n1 2026-01-30");
    book.put("model.toml", &format!("job = \"job.toml\"\n{COMPUTED}"));
    let (code, stdout, stderr) = book.outcome(&["sample", "model.toml", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let figures: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&figures["outcome_not_delivered"], &figures["outcomes"]["bad"]), (&1.into(), &1.into()));
    assert!(stderr.contains("no delivery of the day on which its outcome would be seen"), "{stderr}");
}

/// Nothing that arrives after a row's day touches what the row has, but its outcome.
#[test]
fn what_comes_later_changes_no_feature() {
    let rows = "1 2026-01-31\n2 2026-01-31\n1 2026-02-28";
    let book = quarter(&[]);
    spine(&book, rows);
    let before = draw(&book, COMPUTED);
    book.deliver(
        "transactions",
        "2026-02-01",
        &table(&TRANSACTIONS, "91 1 2026-01-30 77777 purchase grocery true"),
    );
    book.deliver("repayments", "2026-02-01", &table(&REPAYMENTS, "1 card 11 2026-01-10 5000 - -"));
    let after = draw(&book, COMPUTED);
    let names =
        ["account_id", "as_of", "balances", "limits", "spend_30d", "online_30d", "days_past_due", "used_bp"];
    let [first_before, first_after] = [&before, &after].map(|table| {
        let text = shown(table, &names);
        text.lines().take(2).map(String::from).collect::<Vec<_>>()
    });
    assert_eq!(first_before, first_after);
    assert_ne!(before, after, "the third row is of a later day");
}

/// A spine's own columns go along, those that no sample takes are named, and weights count.
#[test]
fn the_spines_own_columns_go_along() {
    let book = quarter(&[]);
    let columns =
        [("segment", Utf8), ("account_id", Int64), ("as_of", Date32), ("weight", Int64), ("is_new", Boolean)];
    let rows = "shop 1 2026-02-10 3 true\nweb 2 2026-02-10 0 -\n- 2 2026-02-10 1 false";
    table(&columns, rows).write(&book.path().join("spine.parquet"));
    let columns = [("account_id", Int64), ("as_of", Date32), ("bad", Int64)];
    table(&columns, "1 2026-02-10 0\n2 2026-02-10 1").write(&book.path().join("outcomes.parquet"));
    let sample = draw(&book, &format!("{FILE}exclude = \"segment = 'web'\"\n"));
    let expected = "1 3 good shop true\n2 0 excluded web -\n2 1 bad - false";
    assert_eq!(shown(&sample, &["account_id", "weight", "outcome", "segment", "is_new"]), expected);
    assert_eq!(sample.columns.last().unwrap().0, "is_new");
}

#[test]
fn rows_are_excluded_by_feature_score_and_band() {
    let book = quarter(&[("2026-01-05", "1 card 11 2026-01-10 5000 - -")]);
    spine(&book, "1 2026-02-10\n2 2026-02-10\n3 2026-02-10");
    let columns = [("account_id", Int64), ("as_of", Date32), ("bad", Int64)];
    table(&columns, "1 2026-02-10 0\n2 2026-02-10 1\n3 2026-02-10 1")
        .write(&book.path().join("outcomes.parquet"));
    let cases = [
        ("days_past_due >= 31", "excluded bad bad"),
        ("score < 460", "excluded bad bad"),
        ("band = 'poor' and limits > 90000", "excluded excluded bad"),
        ("account_id = 3 or as_of > date '2026-02-10'", "good bad excluded"),
    ];
    for (exclude, outcomes) in cases {
        let sample = draw(&book, &format!("{FILE}exclude = \"{exclude}\"\n"));
        assert_eq!(shown(&sample, &["outcome"]).replace('\n', " "), outcomes, "{exclude}");
    }
}

#[test]
fn parts_follow_from_day_and_account() {
    let book = quarter(&[]);
    spine(
        &book,
        "1 2026-01-31\n2 2026-01-31\n1 2026-02-13\n1 2026-02-14\n2 2026-02-28\n1 2026-03-01\n2 2026-03-15",
    );
    let split = "[split]\nout_of_time = 2026-03-01\nembargo_days = 15\nholdout = \"account_id % 2 = 0\"\n";
    let expected = "
        1 2026-01-31 train
        2 2026-01-31 holdout
        1 2026-02-13 train
        1 2026-02-14 embargo
        2 2026-02-28 embargo
        1 2026-03-01 out_of_time
        2 2026-03-15 out_of_time";
    let sample = draw(&book, &format!("{COMPUTED}{split}"));
    assert_eq!(shown(&sample, &["account_id", "as_of", "part"]), plain(expected));
}

/// The embargo of a computed outcome is the time that it takes to be seen.
#[test]
fn an_embargo_is_as_long_as_an_outcome_takes() {
    let book = quarter(&[]);
    spine(&book, "1 2026-01-14\n1 2026-01-15");
    let sample = draw(&book, &format!("{COMPUTED}[split]\nout_of_time = 2026-03-01\n"));
    assert_eq!(shown(&sample, &["part"]), "train\nembargo");
}

#[test]
fn the_book_is_taken_on_month_ends_weeks_or_snapshots() {
    let book = quarter(&[]);
    let cases = [
        ("month-end", "2026-01-31 2026-02-28 2026-03-31"),
        ("week", "2026-01-15 2026-01-22 2026-01-29 2026-02-05"),
        ("snapshot", "2026-01-31 2026-02-28"),
    ];
    let ends = ["2026-04-10", "2026-02-11", "2026-03-30"];
    for ((every, days), to) in cases.into_iter().zip(ends) {
        let rows = format!("[sample]\nfrom = 2026-01-15\nto = {to}\nevery = \"{every}\"\n");
        let sample = draw(&book, &COMPUTED.replace("[sample]\nspine = \"spine.parquet\"\n", &rows));
        let expected =
            days.split(' ').flat_map(|day| ["1", "2", "3"].map(|account| format!("{day} {account}")));
        assert_eq!(
            shown(&sample, &["as_of", "account_id"]),
            expected.collect::<Vec<_>>().join("\n"),
            "{every}"
        );
    }
}

/// Its features are those that `rescore features` gives the same rows.
#[test]
fn features_are_those_of_the_spine() {
    let book = quarter(&[("2026-01-05", "1 card 11 2026-01-10 5000 - -")]);
    book.deliver(
        "transactions",
        "2026-02-01",
        &table(&TRANSACTIONS, "91 2 2026-01-30 700 purchase grocery true"),
    );
    spine(&book, "2 2026-02-10\n9 2026-02-10\n1 2026-01-31\n2 2026-02-10\n1 2026-04-30");
    let sample = draw(&book, COMPUTED);
    succeed_in(
        book.path(),
        &["features", "job.toml", "--spine", "spine.parquet", "--out", "features.parquet"],
    );
    let features = Table::read(&book.path().join("features.parquet"));
    for name in ["balances", "limits", "spend_30d", "online_30d", "days_past_due", "used_bp", "is_stretched"]
    {
        assert_eq!(sample.column(name), features.column(name), "{name}");
    }
    assert_eq!(sample.column("spend_30d")[1], Cell::Null);
}

/// Rows keep their order, and what a row has does not depend on the others.
#[test]
fn the_order_of_the_spine_is_that_of_the_sample() {
    let book = quarter(&[(
        "2026-02-01",
        "1 card 11 2026-02-10 5000 - -\n2 card 21 2026-02-20 5000 2026-02-01 5000",
    )]);
    let rows =
        ["1 2026-01-31", "2 2026-02-01", "1 2026-01-31", "9 2026-02-02", "3 2026-03-31", "2 2026-01-31"];
    spine(&book, &rows.join("\n"));
    let forward = draw(&book, COMPUTED);
    spine(&book, &rows.iter().rev().copied().collect::<Vec<_>>().join("\n"));
    let mut backward = draw(&book, COMPUTED);
    backward.rows.reverse();
    assert_eq!(forward, backward);
    for row in &forward.rows {
        let [account, as_of] = [&row[0], &row[1]].map(super::text);
        spine(&book, &format!("{account} {as_of}"));
        assert_eq!(draw(&book, COMPUTED).rows, std::slice::from_ref(row));
    }
}

#[test]
fn threads_and_what_is_kept_change_no_byte() {
    let directory = tempfile::tempdir().unwrap();
    crate::support::files::copy(&taiwan(), directory.path());
    let mut samples = Vec::new();
    for more in [&["--threads", "1"][..], &["--threads", "8"], &["--from-scratch", "--memory", "1MB"]] {
        succeed_in(directory.path(), &[&["sample", "jobs/model.toml"], more].concat());
        samples.push(
            ["sample.parquet", "sample.html"]
                .map(|name| fs::read(directory.path().join("jobs").join(name)).unwrap()),
        );
    }
    assert!(samples.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn the_taiwan_sample_is_what_its_files_say() {
    let directory = tempfile::tempdir().unwrap();
    crate::support::files::copy(&taiwan(), directory.path());
    let (code, stdout, stderr) = outcome_in(directory.path(), &["sample", "jobs/model.toml", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let figures: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(figures["rows"], 3_000);
    assert_eq!((&figures["outcomes"]["good"], &figures["outcomes"]["bad"]), (&2_332.into(), &668.into()));
    assert_eq!(figures["parts"][1]["part"], "holdout");
    assert_eq!(figures["parts"][1]["rows"], 900);
    assert!(stderr.contains("transactions and repayments are not delivered by date"), "{stderr}");
}

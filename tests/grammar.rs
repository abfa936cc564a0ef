//! Windows that end before the as-of date, `of` as an expression, the first day, bills that are not due, and arithmetic
//! of dates: one account, whose rows anybody can count.

use arrow_schema::DataType::{Date32, Int64};

use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, YESTERDAY, table};
use crate::support::{Cell, Table};

/// Today is 2026-11-20. Amounts with their fees, and when they were booked.
const ROWS: &str = "
    1  1  2026-11-20   100  purchase  -  -   3  2026-11-20
    2  1  2026-11-10   200  purchase  -  -   5  2026-11-12
    3  1  2026-11-10   300  purchase  -  -   -  2026-11-11
    4  1  2026-10-22   400  purchase  -  -   7  2026-10-25
    5  1  2026-10-21   500  cash      -  -  11  2026-10-21
    6  1  2026-09-21   600  purchase  -  -  13  -
";

/// Bill 103 is paid ahead in full, 104 in part, 105 not at all; 102 was paid five days late.
const BILLS: &str = "
    1  card  101  2026-09-20  1000  2026-09-20  1000
    1  card  102  2026-10-20  1000  2026-10-25  1000
    1  card  103  2026-11-25   700  2026-11-18   700
    1  card  104  2026-12-20   800  2026-11-19   300
    1  card  105  2027-01-20   900  -           -
";

const CARD: &str = "
[score]
base = 400
min = 350
max = 950
reasons = 1
[[band]]
name = \"all\"
from = 350
[[dimension]]
name = \"whole\"
title = \"The whole\"
[[characteristic]]
feature = \"f0\"
dimension = \"whole\"
reason = \"R1\"
text = \"So it is\"
missing = 0
bins = [ { points = 10 } ]
";

const POLICY: &str = "
[[product]]
name = \"card\"
min_limit = 0
max_limit = 1000000
step = 1
[[rule]]
name = \"wait\"
when = \"true\"
action = \"hold\"
reason = \"P1\"
";

fn book(features: &[&str]) -> Book {
    let book = Book::new();
    let columns = [&TRANSACTIONS[..], &[("fee", Int64), ("booked_on", Date32)]].concat();
    book.deliver("transactions", YESTERDAY, &Table::new(&columns));
    book.deliver("transactions", TODAY, &table(&columns, ROWS));
    book.deliver("repayments", YESTERDAY, &Table::new(&REPAYMENTS));
    book.deliver("repayments", TODAY, &table(&REPAYMENTS, BILLS));
    book.deliver("lines", TODAY, &table(&LINES, "1  card  100000  20000  active  2025-01-01  -  -  mass"));
    let features = features.iter().enumerate();
    let features = features.map(|(number, text)| format!("[[feature]]\nname = \"f{number}\"\n{text}\n"));
    book.put("scorecard.toml", &format!("{}{CARD}", features.collect::<String>()));
    book.put("policy.toml", POLICY);
    book
}

/// Each feature, as a job file says it in one line, comes to its value.
fn assert_values(expected: &[(&str, Option<i64>)]) {
    let written = expected.iter().map(|(feature, _)| feature.replace("; ", "\n"));
    let written: Vec<String> = written.collect();
    let book = book(&written.iter().map(String::as_str).collect::<Vec<_>>());
    book.publish();
    let features = book.output("features");
    for (number, (feature, value)) in expected.iter().enumerate() {
        let cell = &features.rows[0][number + 1];
        assert_eq!(*cell, value.map_or(Cell::Null, Cell::Int), "{feature}");
    }
}

#[test]
fn a_window_may_end_before_the_as_of_date() {
    assert_values(&[
        ("from = 'transactions'; agg = 'count'; days = 30", Some(4)),
        // (D − 30, D − 10]: 2026-10-22 to 2026-11-10.
        ("from = 'transactions'; agg = 'count'; days = 20; skip_days = 10", Some(3)),
        ("from = 'transactions'; agg = 'sum'; of = 'amount'; days = 20; skip_days = 10", Some(900)),
        ("from = 'transactions'; agg = 'sum'; of = 'amount'; days = 20; skip_days = 11", Some(400 + 500)),
        ("from = 'transactions'; agg = 'sum'; of = 'amount'; days = 30; skip_days = 30", Some(500)),
        ("from = 'transactions'; agg = 'sum'; of = 'amount'; days = 31; skip_days = 30", Some(1100)),
        ("from = 'transactions'; agg = 'sum'; of = 'amount'; days = 30; skip_days = 0", Some(1000)),
        ("from = 'transactions'; agg = 'min'; of = 'amount'; days = 60; skip_days = 1", Some(200)),
        ("from = 'transactions'; agg = 'max'; of = 'amount'; days = 60; skip_days = 1", Some(600)),
        ("from = 'transactions'; agg = 'last'; of = 'amount'; days = 60; skip_days = 1", Some(300)),
        ("from = 'transactions'; agg = 'active_days'; days = 60; skip_days = 1", Some(4)),
        ("from = 'transactions'; agg = 'distinct'; of = 'kind'; days = 60; skip_days = 11", Some(2)),
        // Days count to D all the same.
        ("from = 'transactions'; agg = 'days_since'; days = 60; skip_days = 1", Some(10)),
        ("from = 'transactions'; agg = 'days_since'; days = 9; skip_days = 1", None),
        ("from = 'transactions'; agg = 'count'; days = 9; skip_days = 1", Some(0)),
    ]);
}

#[test]
fn bills_of_a_window_that_has_ended_are_seen_as_they_stand() {
    assert_values(&[
        // Due in (D − 60, D − 30]: bill 102, paid five days late.
        ("from = 'bills'; agg = 'max'; of = 'days_late'; days = 30; skip_days = 30", Some(5)),
        ("from = 'bills'; agg = 'count'; days = 30; skip_days = 31", Some(1)),
        ("from = 'bills'; agg = 'count'; days = 30; skip_days = 32", Some(1)),
        ("from = 'bills'; agg = 'count'; days = 1; skip_days = 61", Some(1)),
        ("from = 'bills'; agg = 'count'; skip_days = 32", Some(1)),
        ("from = 'bills'; agg = 'count'", Some(2)),
        ("from = 'bills'; agg = 'days_since'; skip_days = 32", Some(61)),
        ("from = 'bills'; agg = 'days_since_first'", Some(61)),
    ]);
}

#[test]
fn values_may_be_computed_from_the_row() {
    assert_values(&[
        // The fee of row 3 is null, so it takes no part.
        ("from = 'transactions'; agg = 'sum'; of = 'amount - fee'; days = 30", Some(97 + 195 + 393)),
        ("from = 'transactions'; agg = 'sum'; of = 'amount - coalesce(fee, 0)'; days = 30", Some(985)),
        ("from = 'transactions'; agg = 'min'; of = '-amount'; days = 30", Some(-400)),
        ("from = 'transactions'; agg = 'max'; of = 'booked_on - posted_on'; days = 60", Some(3)),
        (
            "from = 'transactions'; agg = 'last'; of = 'booked_on - posted_on'; days = 60; skip_days = 1",
            Some(2),
        ),
        ("from = 'transactions'; agg = 'distinct'; of = 'booked_on - posted_on'; days = 60", Some(4)),
        (
            "from = 'transactions'; agg = 'sum'; of = \"case when kind = 'cash' then 0 else amount end\"; days = 60",
            Some(1000),
        ),
        ("from = 'bills'; agg = 'sum'; of = 'due_amount - paid'", Some(0)),
        ("from = 'bills'; agg = 'max'; of = 'settled_on - due_on'", Some(5)),
        ("from = 'lines'; agg = 'sum'; of = 'credit_limit - balance'", Some(80_000)),
    ]);
}

#[test]
fn the_first_day_is_that_of_the_window() {
    assert_values(&[
        ("from = 'transactions'; agg = 'days_since_first'; days = 90", Some(60)),
        ("from = 'transactions'; agg = 'days_since_first'; days = 60", Some(30)),
        (
            "from = 'transactions'; agg = 'days_since_first'; days = 30; where = \"kind = 'purchase'\"",
            Some(29),
        ),
        ("from = 'transactions'; agg = 'days_since_first'; days = 5; skip_days = 1", None),
        ("from = 'transactions'; agg = 'days_since_first'; days = 40; skip_days = 11", Some(30)),
    ]);
}

#[test]
fn features_that_ask_for_it_see_bills_that_are_not_due() {
    assert_values(&[
        ("from = 'bills'; agg = 'count'; where = 'not is_due'", Some(3)),
        ("from = 'bills'; agg = 'count'; where = 'is_due'", Some(2)),
        ("from = 'bills'; agg = 'count'; where = 'is_due is not null'", Some(5)),
        ("from = 'bills'; agg = 'count'", Some(2)),
        ("from = 'bills'; agg = 'count'; where = 'not is_due and not is_open'", Some(1)),
        ("from = 'bills'; agg = 'sum'; of = 'outstanding'; where = 'not is_due'", Some(500 + 900)),
        ("from = 'bills'; agg = 'sum'; of = 'paid'; where = 'not is_due'", Some(1000)),
        ("from = 'bills'; agg = 'max'; of = 'days_late'; where = 'not is_due'", Some(0)),
        ("from = 'bills'; agg = 'max'; of = 'due_on - settled_on'; where = 'not is_due'", Some(7)),
        ("from = 'bills'; agg = 'last'; of = 'due_amount'; where = 'not is_due'", Some(900)),
        ("from = 'bills'; agg = 'active_days'; where = 'not is_due'", Some(3)),
        ("from = 'bills'; agg = 'days_since'; where = 'not is_due'", Some(-61)),
        ("from = 'bills'; agg = 'days_since_first'; where = 'not is_due'", Some(-5)),
        ("from = 'bills'; agg = 'days_since_first'; where = 'is_due or true'", Some(61)),
        ("from = 'bills'; agg = 'distinct'; of = 'is_due'; where = 'is_due is not null'", Some(2)),
    ]);
}

/// Bill 103 was paid a week ahead: from day to day nothing changes of it but that it becomes due.
#[test]
fn a_settled_bill_becomes_due_between_the_days_of_a_spine() {
    let ahead = "from = 'bills'\nagg = 'count'\nwhere = 'not is_due and not is_open'";
    let due = "from = 'bills'\nagg = 'count'";
    let until_due = "from = 'bills'\nagg = 'days_since'\nwhere = \"is_due is not null and due_amount = 700\"";
    let book = book(&[ahead, due, until_due]);
    book.edit("job.toml", "lines_max_age_days = 1", "lines_max_age_days = 30");
    let days = ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"];
    let columns = [&TRANSACTIONS[..], &[("fee", Int64), ("booked_on", Date32)]].concat();
    for date in days {
        book.deliver("transactions", date, &Table::new(&columns));
        book.deliver("repayments", date, &Table::new(&REPAYMENTS));
    }
    let spine =
        table(&[("account_id", Int64), ("as_of", Date32)], &days.map(|day| format!("1 {day}\n")).concat());
    spine.write(&book.path().join("spine.parquet"));
    let args = ["features", "job.toml", "--spine", "spine.parquet", "--out", "out.parquet"];
    let (code, stdout, stderr) = book.outcome(&args);
    assert_eq!(code, 0, "{stdout}\n{stderr}");
    let found = Table::read(&book.path().join("out.parquet"));
    let of = |name: &str| found.column(name).iter().map(Cell::int).collect::<Vec<_>>();
    assert_eq!(of("f0"), [1, 1, 0, 0].map(Some));
    assert_eq!(of("f1"), [2, 2, 3, 3].map(Some));
    assert_eq!(of("f2"), [-2, -1, 0, 1].map(Some));
}

#[test]
fn dates_subtract_to_days_and_take_integers() {
    assert_values(&[
        ("from = 'transactions'; agg = 'count'; days = 90; where = 'booked_on - posted_on >= 2'", Some(2)),
        ("from = 'transactions'; agg = 'count'; days = 90; where = 'posted_on + 1 >= booked_on'", Some(3)),
        ("from = 'bills'; agg = 'count'; where = \"settled_on > due_on + 4\"", Some(1)),
        ("from = 'bills'; agg = 'count'; where = \"due_on - 7 < date '2026-10-13'\"", Some(1)),
        (
            "from = 'bills'; agg = 'count'; where = \"due_on + 9000000000000000000 > date '9999-12-31'\"",
            Some(2),
        ),
        ("from = 'lines'; agg = 'count'; where = \"opened_on + 600 < date '2026-11-20'\"", Some(1)),
    ]);
}

#[test]
fn a_value_that_does_not_fit_is_an_error_where_it_counts() {
    let squares = |more: &str| {
        let feature = format!(
            "from = 'transactions'\nagg = 'max'\nof = 'amount * 9000000000000000000 * fee'\ndays = 30\n{more}"
        );
        book(&[&feature]).run()
    };
    let (code, _, stderr) = squares("");
    assert_eq!(code, 3);
    assert!(stderr.contains("compute feature f0 of account 1: ") && stderr.contains("Int64"), "{stderr}");
    // No row with a fee is of the window, or of the condition.
    assert_eq!(squares("where = 'fee > 100'").0, 0);
    assert_eq!(squares("skip_days = 61").0, 0);
}

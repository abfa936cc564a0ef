//! Of several troubles the same one is told every time: whichever thread was faster, in one pass or in
//! several, from scratch or from a state.

use std::fs;

use arrow_schema::DataType;

use rescore::day::Day;

use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, YESTERDAY, table};
use crate::support::{Cell, Table, day};

/// A name, what is done to the crowd, and what must be said.
type Trouble<'a> = (&'a str, &'a dyn Fn(&Book), &'a str);

/// More accounts than two partitions hold.
const ACCOUNTS: i64 = 6000;

const ROUNDS: usize = 20;

/// Threads of one round after the other.
const THREADS: [&str; 3] = ["8", "2", "1"];

/// Features beside those of the plain book.
const FEATURES: &str = r#"
[[feature]]
name = "cash_7d"
from = "transactions"
agg = "sum"
of = "amount"
where = "kind = 'cash'"
days = 7

[[feature]]
name = "paid"
from = "bills"
agg = "sum"
of = "paid"

[[feature]]
name = "due"
from = "bills"
agg = "sum"
of = "due_amount"
"#;

/// A book of many accounts whose night of yesterday is published and has left a state.
fn crowd() -> Book {
    let book = Book::new();
    book.append("job.toml", "[state]\ndir = \"states\"\n");
    book.append("scorecard.toml", FEATURES);
    let opened_on = day("2026-01-01");
    let lines = (1..=ACCOUNTS).fold(Table::new(&LINES), |lines, account| {
        let [limit, balance] = [1000_i64.into(), 500_i64.into()];
        let dates = [opened_on.into(), Cell::Null, Cell::Null, Cell::Null];
        let line = [account.into(), "loan".into(), limit, balance, "active".into()];
        lines.row(line.into_iter().chain(dates))
    });
    for date in [YESTERDAY, TODAY] {
        book.deliver("lines", date, &lines);
        book.deliver("transactions", date, &Table::new(&TRANSACTIONS));
        book.deliver("repayments", date, &Table::new(&REPAYMENTS));
    }
    let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", YESTERDAY]);
    assert_eq!(code, 0, "{stderr}");
    book
}

/// Delivers each row in a file of its own, so that threads race for them.
fn deliver_apart(book: &Book, input: &str, columns: &[(&str, DataType)], rows: &str) {
    for (number, row) in rows.lines().filter(|row| !row.trim().is_empty()).enumerate() {
        let file = format!("in/{input}/date={TODAY}/part-{:02}.parquet", number + 1);
        table(columns, row).write(&book.path().join(file));
    }
}

/// Bills of one account, each paid twice with all that 64 bits hold, of products that many threads meet at
/// once.
fn overpaid_bills(account: i64, due_on: &str) -> String {
    let most = i64::MAX;
    let bill = |number: i64| {
        let row = format!("{account} p{number:02} {number} {due_on} 10 2026-11-20 {most}\n");
        row.repeat(2)
    };
    (10..30).rev().map(bill).collect()
}

fn sums(book: &Book) {
    let most = i64::MAX;
    let rows = format!(
        "1 4100 {TODAY} {most} purchase a true
         2 4100 {TODAY} {most} purchase a true
         3 2100 {TODAY} {most} cash a true
         4 2100 {TODAY} {most} cash a true
         5 2101 {TODAY} {most} purchase a true
         6 2101 {TODAY} {most} purchase a true"
    );
    deliver_apart(book, "transactions", &TRANSACTIONS, &rows);
    // Those are looked at once the transactions are done with.
    deliver_apart(book, "repayments", &REPAYMENTS, &overpaid_bills(1, TODAY));
}

fn bills(book: &Book) {
    let most = i64::MAX;
    let early = format!("7 p01 1 {TODAY} {most} - -\n7 p01 2 {TODAY} {most} - -\n");
    let rows = early + &overpaid_bills(4500, TODAY) + &overpaid_bills(4400, "2026-10-01");
    deliver_apart(book, "repayments", &REPAYMENTS, &rows);
}

fn extreme_dates(book: &Book) {
    let due_on = day("2026-10-01");
    for (number, extreme) in [i32::MIN, -7_304_485, i32::MIN + 1].into_iter().enumerate() {
        let mut rows = table(&REPAYMENTS, &overpaid_bills(3000 + number as i64, "2026-10-01"));
        rows.rows.iter_mut().flatten().filter(|cell| **cell == Cell::Date(due_on)).for_each(|cell| {
            *cell = Cell::Date(Day(extreme));
        });
        rows.write(&book.path().join(format!("in/repayments/date={TODAY}/extreme-{number}.parquet")));
    }
}

fn derived(book: &Book) {
    book.edit("scorecard.toml", "scale = 10000", "scale = 9223372036854775807");
    book.edit(
        "scorecard.toml",
        "expr = \"case when coalesce(used_bp, 0) > 9000 then 1 else 0 end\"",
        "expr = \"balances * 9223372036854775807\"",
    );
    let path = book.path().join(format!("in/lines/date={TODAY}/part-0.parquet"));
    let mut lines = Table::read(&path);
    for row in &mut lines.rows {
        let account = row[0].clone();
        row[3] = Cell::Int(match account {
            Cell::Int(2500) => 2,
            Cell::Int(3000) => 5000,
            Cell::Int(5000) => 7000,
            _ => 0,
        });
    }
    lines.write(&path);
}

fn amounts(book: &Book) {
    let columns = [
        ("transaction_id", DataType::Int64),
        ("account_id", DataType::Int64),
        ("posted_on", DataType::Date32),
        ("amount", DataType::Decimal128(38, 2)),
        ("kind", DataType::Utf8),
        ("category", DataType::Utf8),
        ("is_online", DataType::Boolean),
    ];
    fs::remove_file(book.path().join(format!("in/transactions/date={YESTERDAY}/part-0.parquet"))).unwrap();
    fs::remove_file(book.path().join(format!("in/transactions/date={TODAY}/part-0.parquet"))).unwrap();
    for file in 0..12_i64 {
        let amount = if file % 3 == 2 { i128::MAX / 10_i128.pow(file as u32) } else { 100 };
        let cells = [file.into(), 1_i64.into(), day(TODAY).into(), Cell::Decimal(amount)];
        let rest = ["purchase".into(), "a".into(), true.into()];
        let rows = Table::new(&columns).row(cells.into_iter().chain(rest));
        rows.write(&book.path().join(format!("in/transactions/date={TODAY}/part-{file:02}.parquet")));
    }
}

#[test]
fn the_first_in_order_is_told_whichever_thread_was_faster() {
    let troubles: [Trouble; 5] = [
        (
            "sums of transactions: an account before a feature, before anything of bills",
            &sums,
            "compute feature cash_7d of account 2100: 18446744073709551614 does not fit in Int64",
        ),
        (
            "bills: an account before another, whatever of it does not fit",
            &bills,
            "compute feature due of account 7: 18446744073709551614 does not fit in Int64",
        ),
        (
            "bills due on days beyond the calendar",
            &extreme_dates,
            "settle bills: paid of a p10 bill of account 3000 due on day -2147483648 since 1970-01-01 is \
             18446744073709551614, which does not fit in Int64",
        ),
        (
            "ratios and expressions: an account before a feature",
            &derived,
            "compute feature is_stretched of account 2500: 18446744073709551614 does not fit in Int64",
        ),
        (
            "amounts in several files",
            &amounts,
            "read transactions of 2026-11-20 (in/transactions/date=2026-11-20/part-02.parquet): amount:",
        ),
    ];
    for (name, make, expected) in troubles {
        let book = crowd();
        make(&book);
        let run = |args: &[&str]| {
            let (code, _, stderr) = book.outcome(&[&["run", "job.toml", "--date", TODAY], args].concat());
            assert_eq!(code, 3, "{name} {args:?}\n{stderr}");
            let told = stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
            assert!(told.contains(expected), "{name} {args:?}\n{stderr}\nwant: {expected}");
        };
        for round in 0..ROUNDS {
            run(&["--threads", THREADS[round % THREADS.len()], "--from-scratch"]);
        }
        run(&[]);
        run(&["--threads", "8"]);
        run(&["--memory", "1MB"]);
        run(&["--memory", "1MB", "--threads", "1"]);
    }
}

//! The shipped scorecard ranks people by what becomes of them: on a book of its own, the score of a day
//! against the bills of the 75 days after it, and whether the book's money hangs together at all.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use rescore::day::Day;
use tempfile::TempDir;

use super::super::support::{Cell, Table, day, project, succeed_in};

const FROM: &str = "2025-12-01";
const SCORED_ON: &str = "2026-09-06";
const TO: &str = "2026-11-20";

/// A bill that is so many days late by the last day is what the score is to tell.
const BAD_DAYS: i32 = 30;

/// How well real scorecards tell it.
const REAL_BOOKS: RangeInclusive<f64> = 0.75..=0.85;

const DIMENSIONS: [&str; 4] = ["credit_history", "capacity", "behaviour", "stability"];

/// A book that goes on after the day that is scored, with that day's run by the shipped jobs but for their
/// gates: those are about other things.
fn scored_book(accounts: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    fs::create_dir(home.path().join("jobs")).unwrap();
    for file in ["nightly.toml", "scorecard.toml", "policy.toml"] {
        let text = fs::read_to_string(project().join("jobs").join(file)).unwrap();
        let without_gates = text.split("[[gate]]").next().unwrap();
        fs::write(home.path().join("jobs").join(file), without_gates).unwrap();
    }
    let sample = ["sample", "sample_data", "--accounts", accounts, "--from", FROM, "--to", TO];
    succeed_in(home.path(), &[&sample[..], &["--seed", "12", "--line-days", "76"]].concat());
    succeed_in(home.path(), &["run", "jobs/nightly.toml", "--date", SCORED_ON]);
    home
}

fn deliveries(home: &Path, input: &str) -> Vec<(Day, PathBuf)> {
    let days = fs::read_dir(home.join("sample_data").join(input)).unwrap().map(|entry| entry.unwrap().path());
    let of =
        |path: PathBuf| (day(path.to_str().unwrap().split('=').nth(1).unwrap()), path.join("part-0.parquet"));
    let mut found: Vec<(Day, PathBuf)> = days.map(of).collect();
    found.sort();
    found
}

fn integers(table: &Table, name: &str) -> Vec<Option<i64>> {
    let cells = table.column(name).into_iter();
    cells
        .map(|cell| match cell {
            Cell::Int(value) => Some(value),
            Cell::Date(on) => Some(on.0.into()),
            _ => None,
        })
        .collect()
}

/// A bill as all its good rows tell it.
#[derive(Default)]
struct Bill {
    account: i64,
    due_on: i32,
    due: i64,
    /// Days and amounts.
    payments: Vec<(i32, i64)>,
}

impl Bill {
    /// True where a part was unpaid at the end of `on`.
    fn is_open(&self, on: i32) -> bool {
        let paid = self.payments.iter().filter(|(paid_on, _)| *paid_on <= on);
        self.due - paid.map(|(_, amount)| amount).sum::<i64>() > 100
    }
}

fn bills(home: &Path) -> HashMap<i64, Bill> {
    let mut bills: HashMap<i64, Bill> = HashMap::new();
    for (delivered_on, path) in deliveries(home, "repayments") {
        let table = Table::read(&path);
        let (accounts, ids) = (integers(&table, "account_id"), integers(&table, "bill_id"));
        let (due_on, due) = (integers(&table, "due_on"), integers(&table, "due_amount"));
        let (paid_on, paid) = (integers(&table, "paid_on"), integers(&table, "paid_amount"));
        let products = table.column("product");
        for row in 0..table.rows.len() {
            let (Some(account), Some(id), Some(due_on), Some(due)) =
                (accounts[row], ids[row], due_on[row], due[row])
            else {
                continue;
            };
            let is_future = paid_on[row].is_some_and(|on| on > i64::from(delivered_on.0));
            if products[row] == Cell::Null || due <= 0 || is_future {
                continue;
            }
            let bill = bills.entry(id).or_default();
            (bill.account, bill.due_on, bill.due) = (account, due_on as i32, bill.due.max(due));
            if let (Some(on), Some(amount)) = (paid_on[row], paid[row]) {
                bill.payments.push((on as i32, amount));
            }
        }
    }
    bills
}

/// How likely one of `bad` has more points taken than one of the others: the area under the curve.
fn area_under_curve(points: &[(i64, bool)]) -> f64 {
    let mut sorted = points.to_vec();
    sorted.sort_unstable();
    let bad = sorted.iter().filter(|(_, is_bad)| *is_bad).count() as f64;
    let good = sorted.len() as f64 - bad;
    let (mut below, mut won) = (0.0, 0.0);
    for tied in sorted.chunk_by(|left, right| left.0 == right.0) {
        let tied_bad = tied.iter().filter(|(_, is_bad)| *is_bad).count() as f64;
        let tied_good = tied.len() as f64 - tied_bad;
        won += tied_good * (below + tied_bad / 2.0);
        below += tied_bad;
    }
    won / (bad * good)
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let count = pairs.len() as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |(x, y), pair| (x + pair.0 / count, y + pair.1 / count));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for pair in pairs {
        xy += (pair.0 - x) * (pair.1 - y);
        xx += (pair.0 - x) * (pair.0 - x);
        yy += (pair.1 - y) * (pair.1 - y);
    }
    xy / (xx * yy).sqrt()
}

/// Of the accounts without a bill 30 days past due: does the score tell who has one within the 75 days after?
#[test]
fn the_score_ranks_by_the_lateness_to_come() {
    let home = scored_book("16000");
    let bills = bills(home.path());
    let scores = Table::read(&home.path().join(format!("out/date={SCORED_ON}/scores.parquet")));
    let (scored_on, last) = (day(SCORED_ON).0, day(TO).0);
    let is_bad_by = |bill: &Bill, on: i32| {
        // Late enough on any day up to `on`, and not only now.
        bill.due_on + BAD_DAYS <= on && bill.is_open(bill.due_on + BAD_DAYS - 1)
    };
    let bad_now: HashSet<i64> = bills
        .values()
        .filter(|bill| bill.due_on + BAD_DAYS <= scored_on && bill.is_open(scored_on))
        .map(|bill| bill.account)
        .collect();
    let bad_then: HashSet<i64> = bills
        .values()
        .filter(|bill| bill.due_on + BAD_DAYS > scored_on && is_bad_by(bill, last))
        .map(|bill| bill.account)
        .collect();
    let accounts = integers(&scores, "account_id");
    let area = |name: &str| {
        let points = accounts.iter().zip(integers(&scores, name));
        let points = points.filter_map(|(account, points)| Some(((*account)?, points?)));
        let counted = points.filter(|(account, _)| !bad_now.contains(account));
        area_under_curve(
            &counted.map(|(account, points)| (points, bad_then.contains(&account))).collect::<Vec<_>>(),
        )
    };
    println!(
        "{} accounts, {} bad on {SCORED_ON}, {} until {TO}",
        accounts.len(),
        bad_now.len(),
        bad_then.len()
    );
    println!("AUC of the score {:.3}", area("score"));
    for dimension in DIMENSIONS {
        println!("AUC of {dimension} {:.3}", area(dimension));
    }
    assert!(bad_then.len() > 100, "{}", bad_then.len());
    assert!(REAL_BOOKS.contains(&area("score")), "{}", area("score"));
    assert!(area("credit_history") > 0.65 && area("capacity") > 0.6, "{}", area("capacity"));
    bills_are_in_proportion(home.path(), &bills);
    balances_move(home.path(), &bills);
}

/// Who earns more is billed more: income and bills of the 90 days before the score.
fn bills_are_in_proportion(home: &Path, bills: &HashMap<i64, Bill>) {
    let days = day(SCORED_ON).0 - 89..=day(SCORED_ON).0;
    let mut billed: HashMap<i64, f64> = HashMap::new();
    for bill in bills.values().filter(|bill| days.contains(&bill.due_on)) {
        *billed.entry(bill.account).or_default() += bill.due as f64;
    }
    let mut income: HashMap<i64, f64> = HashMap::new();
    for (_, path) in deliveries(home, "transactions").iter().filter(|(on, _)| days.contains(&on.0)) {
        let table = Table::read(path);
        let rows = integers(&table, "account_id").into_iter().zip(integers(&table, "amount"));
        for (kind, (account, amount)) in table.column("kind").into_iter().zip(rows) {
            if let (Some(account), Some(amount)) = (account, amount)
                && (kind == Cell::from("salary") || kind == Cell::from("transfer_in"))
            {
                *income.entry(account).or_default() += amount as f64;
            }
        }
    }
    let pairs = income.iter().filter_map(|(account, income)| Some((*income, *billed.get(account)?)));
    let pairs: Vec<(f64, f64)> = pairs.collect();
    let found = correlation(&pairs);
    println!("correlation of bills and income {found:.3}, of {} accounts", pairs.len());
    assert!(found > 0.4, "{found}");
}

/// What is bought on credit raises the balances of accounts, and payments bring them down.
fn balances_move(home: &Path, bills: &HashMap<i64, Bill>) {
    let (first, last) = (day(SCORED_ON).0, day(SCORED_ON).0 + 60);
    let mut expected: HashMap<i64, f64> = HashMap::new();
    for (_, path) in
        deliveries(home, "transactions").iter().filter(|(on, _)| (first..last + 4).contains(&on.0))
    {
        let table = Table::read(path);
        let (accounts, posted_on) = (integers(&table, "account_id"), integers(&table, "posted_on"));
        let amounts = integers(&table, "amount");
        for (row, product) in table.column("product").into_iter().enumerate() {
            if let (Some(account), Some(on), Some(amount)) = (accounts[row], posted_on[row], amounts[row])
                && product != Cell::Null
                && (i64::from(first) + 1..=i64::from(last)).contains(&on)
            {
                *expected.entry(account).or_default() += amount as f64;
            }
        }
    }
    for bill in bills.values() {
        let paid = bill.payments.iter().filter(|(on, _)| (first + 1..=last).contains(on));
        *expected.entry(bill.account).or_default() -= paid.map(|(_, amount)| *amount as f64).sum::<f64>();
    }
    let balances = |on: i32| {
        let mut owed: HashMap<i64, f64> = HashMap::new();
        let (_, path) = deliveries(home, "lines").into_iter().find(|(found, _)| found.0 == on).unwrap();
        let table = Table::read(&path);
        let rows = integers(&table, "account_id").into_iter().zip(integers(&table, "balance"));
        for (account, balance) in rows.filter_map(|(account, balance)| Some((account?, balance?))) {
            *owed.entry(account).or_default() += balance as f64;
        }
        owed
    };
    let (before, after) = (balances(first), balances(last));
    let moved = before.iter().filter_map(|(account, before)| {
        Some((after.get(account)? - before, expected.get(account).copied().unwrap_or(0.0)))
    });
    let found = correlation(&moved.collect::<Vec<_>>());
    println!("correlation of balances' moves and what was bought less what was paid {found:.3}");
    // Broken copies and rows that come twice, which this does not look for, keep it from 1.
    assert!(found > 0.95, "{found}");
}

//! Samples as wholes: their bytes, their rows, and what a reader may rely on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use jiff::civil::{Date, date};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use super::book::Book;
use super::calendar::{Calendar, day_number};
use super::nature::Nature;
use super::spending::Spender;
use super::{INPUTS, LINE_DAYS, Sample, Totals, write};

const FROM: Date = date(2026, 8, 20);
const TO: Date = date(2026, 11, 20);

fn sample(dir: &Path, accounts: u32, seed: u64) -> Sample {
    Sample { dir: dir.to_owned(), accounts, from: FROM, to: TO, line_days: LINE_DAYS, seed }
}

fn written(accounts: u32, seed: u64) -> (TempDir, Totals) {
    let dir = TempDir::new().unwrap();
    let totals = write(&sample(dir.path(), accounts, seed), &|_| {}).unwrap();
    (dir, totals)
}

/// Every file by its path, with its bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for input in INPUTS {
        for day in fs::read_dir(dir.join(input)).unwrap() {
            for file in fs::read_dir(day.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                files.insert(path.strip_prefix(dir).unwrap().display().to_string(), {
                    fs::read(&path).unwrap()
                });
            }
        }
    }
    files
}

/// The batches of an input with the day of their delivery, in order.
fn batches(dir: &Path, input: &str) -> Vec<(i32, RecordBatch)> {
    let mut found = Vec::new();
    for path in files(dir).into_keys().filter(|path| path.starts_with(input)) {
        let day: Date = path.split(['=', '/']).nth(2).unwrap().parse().unwrap();
        let file = File::open(dir.join(&path)).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        found.extend(reader.map(|batch| (day_number(day), batch.unwrap())));
    }
    found
}

fn integers(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    batch[name].as_primitive::<Int64Type>().iter().collect()
}

fn dates(batch: &RecordBatch, name: &str) -> Vec<Option<i32>> {
    batch[name].as_primitive::<Date32Type>().iter().collect()
}

fn texts(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = batch[name].as_string::<i32>();
    column.iter().map(|text| text.map(str::to_owned)).collect()
}

#[test]
fn one_seed_gives_the_same_bytes_on_one_thread_and_on_two() {
    let on_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (dir, totals) = pool.install(|| written(120, 5));
        (files(dir.path()), totals)
    };
    assert!(on_threads(1) == on_threads(2));
}

#[test]
fn another_seed_gives_another_book() {
    let (left, right) = (written(50, 1).0, written(50, 2).0);
    assert!(files(left.path()) != files(right.path()));
}

#[test]
fn every_day_is_delivered_even_if_nothing_happens_on_it() {
    let (dir, totals) = written(1, 3);
    let days = (day_number(TO) - day_number(FROM) + 1) as usize;
    let names = files(dir.path());
    for (input, expected) in [("transactions", days), ("repayments", days), ("lines", LINE_DAYS as usize)] {
        let count = names.keys().filter(|path| path.starts_with(input)).count();
        assert_eq!(count, expected, "{input}");
    }
    assert!(names.keys().all(|path| path.ends_with("/part-0.parquet")));
    assert_eq!(names.values().map(|bytes| bytes.len() as u64).sum::<u64>(), totals.bytes);
}

#[test]
fn a_sample_is_not_written_over_another() {
    let (dir, _) = written(1, 3);
    let error = write(&sample(dir.path(), 1, 3), &|_| {}).unwrap_err();
    assert!(error.to_string().contains("is there already"), "{error}");
}

#[test]
fn a_sample_without_accounts_or_days_is_refused() {
    let dir = TempDir::new().unwrap();
    assert!(write(&sample(dir.path(), 0, 1), &|_| {}).is_err());
    let backwards = Sample { from: TO, to: FROM, ..sample(dir.path(), 1, 1) };
    assert!(write(&backwards, &|_| {}).is_err());
    assert!(write(&Sample { line_days: 0, ..sample(dir.path(), 1, 1) }, &|_| {}).is_err());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn progress_counts_every_day() {
    let dir = TempDir::new().unwrap();
    let most = std::sync::atomic::AtomicU64::new(0);
    write(&sample(dir.path(), 1, 1), &|days| {
        most.fetch_max(days, std::sync::atomic::Ordering::Relaxed);
    })
    .unwrap();
    assert_eq!(most.into_inner(), (day_number(TO) - day_number(FROM) + 1) as u64);
}

#[test]
fn transactions_have_every_kind_and_the_sign_of_their_kind() {
    let (dir, totals) = written(400, 4);
    let (mut kinds, mut rows, mut late) = (BTreeSet::new(), 0, 0);
    let mut sent: HashMap<i64, i32> = HashMap::new();
    let mut again = 0;
    for (delivery, batch) in batches(dir.path(), "transactions") {
        let ids = integers(&batch, "transaction_id");
        let accounts = integers(&batch, "account_id");
        let (posted, amounts) = (dates(&batch, "posted_on"), integers(&batch, "amount"));
        for (row, kind) in texts(&batch, "kind").into_iter().enumerate() {
            rows += 1;
            let (Some(_), Some(posted_on), Some(amount), Some(kind)) =
                (accounts[row], posted[row], amounts[row], kind)
            else {
                continue;
            };
            if posted_on > delivery {
                continue;
            }
            assert_eq!(amount < 0, kind == "refund", "{kind} of {amount}");
            assert_ne!(amount, 0);
            kinds.insert(kind);
            late += u64::from(posted_on < delivery);
            if let Some(first) = sent.insert(ids[row].unwrap(), delivery) {
                again += 1;
                assert!(delivery - first <= 3);
            }
        }
    }
    assert_eq!(rows, totals.transactions);
    assert!(late > 0 && again > 0, "{late} late, {again} again");
    let expected =
        ["cash_advance", "fee", "purchase", "refund", "salary", "transfer_in", "transfer_out", "withdrawal"];
    assert!(kinds.iter().eq(expected.iter()), "{kinds:?}");
}

#[test]
fn good_repayments_owe_something_and_are_never_delivered_before_they_are_made() {
    let (dir, totals) = written(400, 4);
    let (mut billed, mut bounced, mut bad) = (BTreeSet::new(), 0, 0);
    for (delivery, batch) in batches(dir.path(), "repayments") {
        let (ids, due) = (integers(&batch, "bill_id"), integers(&batch, "due_amount"));
        let (accounts, due_on) = (integers(&batch, "account_id"), dates(&batch, "due_on"));
        let (paid_on, paid) = (dates(&batch, "paid_on"), integers(&batch, "paid_amount"));
        for (row, product) in texts(&batch, "product").into_iter().enumerate() {
            let has_terms = product.is_some() && accounts[row].is_some() && due_on[row].is_some();
            let is_good = has_terms
                && ids[row].is_some()
                && due[row].is_some_and(|amount| amount > 0)
                && paid_on[row].is_some() == paid[row].is_some()
                && paid_on[row].is_none_or(|on| on <= delivery);
            if !is_good {
                bad += 1;
                continue;
            }
            match paid[row] {
                None => _ = billed.insert(ids[row]),
                Some(amount) => {
                    assert!(billed.contains(&ids[row]), "paid before it was billed");
                    bounced += u64::from(amount < 0);
                }
            }
        }
    }
    assert_eq!(billed.len() as u64, totals.bills);
    assert!(bad > 5 && bounced > 0, "{bad} bad, {bounced} bounced");
}

#[test]
fn snapshots_have_every_status_and_grow_with_the_lines_that_open() {
    let (dir, totals) = written(2000, 4);
    let (mut statuses, mut rows) = (BTreeSet::new(), BTreeMap::new());
    for (delivery, batch) in batches(dir.path(), "lines") {
        *rows.entry(delivery).or_insert(0) += batch.num_rows() as u64;
        statuses.extend(texts(&batch, "status"));
    }
    let statuses: Vec<String> = statuses.into_iter().flatten().collect();
    assert_eq!(statuses, ["active", "closed", "frozen", "suspended"]);
    let rows: Vec<u64> = rows.into_values().collect();
    assert_eq!(rows.iter().sum::<u64>(), totals.lines);
    assert!(rows.is_sorted() && rows.first() < rows.last(), "{rows:?}");
}

/// A line: account and product.
type LineKey = (i64, String);

/// Every day's lines but the bad rows, with a sample of so many `line_days`.
fn snapshots(dir: &Path) -> BTreeMap<i32, BTreeMap<LineKey, ShownLine>> {
    let mut found: BTreeMap<i32, BTreeMap<LineKey, ShownLine>> = BTreeMap::new();
    for (day, batch) in batches(dir, "lines") {
        let (accounts, products) = (integers(&batch, "account_id"), texts(&batch, "product"));
        let (limits, balances) = (integers(&batch, "credit_limit"), integers(&batch, "balance"));
        let (statuses, reasons) = (texts(&batch, "status"), texts(&batch, "status_reason"));
        let (opened, since) = (dates(&batch, "opened_on"), dates(&batch, "status_since"));
        let (increased, decreased) = (dates(&batch, "increased_on"), dates(&batch, "decreased_on"));
        for row in 0..batch.num_rows() {
            let (Some(account), Some(product), Some(limit), Some(balance), Some(status), Some(opened_on)) =
                (accounts[row], &products[row], limits[row], balances[row], &statuses[row], opened[row])
            else {
                continue;
            };
            let is_bad = limit < 0 || status == "frozen" || increased[row].is_some_and(|on| on > day);
            if !is_bad {
                let shown = ShownLine {
                    limit,
                    balance,
                    status: status.clone(),
                    reason: reasons[row].clone(),
                    opened_on,
                    since: since[row].unwrap(),
                    increased_on: increased[row],
                    decreased_on: decreased[row],
                };
                found.entry(day).or_default().insert((account, product.clone()), shown);
            }
        }
    }
    found
}

/// A line as a snapshot shows it.
struct ShownLine {
    limit: i64,
    balance: i64,
    status: String,
    reason: Option<String>,
    opened_on: i32,
    since: i32,
    increased_on: Option<i32>,
    decreased_on: Option<i32>,
}

#[test]
fn lines_are_told_for_as_many_days_as_asked_and_change_with_time() {
    let dir = TempDir::new().unwrap();
    write(&Sample { line_days: 1000, ..sample(dir.path(), 3000, 8) }, &|_| {}).unwrap();
    let days = snapshots(dir.path());
    assert_eq!(days.len() as i32, day_number(TO) - day_number(FROM) + 1);
    let mut changes: BTreeMap<(String, Option<String>), u32> = BTreeMap::new();
    let (mut raised, mut lowered) = (0, 0);
    for ((_, before), (day, lines)) in days.iter().zip(days.iter().skip(1)) {
        for (key, line) in lines {
            assert!(line.opened_on <= line.since && line.since <= *day);
            for on in [line.increased_on, line.decreased_on].into_iter().flatten() {
                assert!(line.opened_on < on && on <= *day);
            }
            let Some(before) = before.get(key) else {
                assert!(line.opened_on == *day || line.status != "active" || line.since < *day);
                continue;
            };
            if line.limit > before.limit {
                raised += 1;
                assert_eq!((line.increased_on, line.status.as_str()), (Some(*day), "active"));
            }
            if line.limit < before.limit {
                lowered += 1;
                assert_eq!(line.decreased_on, Some(*day));
            }
            if line.status == before.status {
                assert_eq!((&line.reason, line.since), (&before.reason, before.since));
            } else {
                assert_eq!(line.since, *day);
                *changes.entry((line.status.clone(), line.reason.clone())).or_default() += 1;
            }
        }
    }
    for (status, reason) in [
        ("suspended", "P02"),
        ("suspended", "P03"),
        ("suspended", "P11"),
        ("active", "P22"),
        ("active", "P23"),
    ] {
        assert!(changes.contains_key(&(status.to_owned(), Some(reason.to_owned()))), "{changes:?}");
    }
    assert!(changes.contains_key(&("closed".to_owned(), Some("P01".to_owned()))), "{changes:?}");
    assert!(changes.contains_key(&("active".to_owned(), Some("P28".to_owned()))), "{changes:?}");
    assert!(raised > 30 && lowered > 10, "{raised} raised, {lowered} lowered");
}

/// What an input's good rows move on each line in the days after `first` up to `last`.
fn moved(
    dir: &Path,
    (input, id, on, amount): (&str, Option<&str>, &str, &str),
    (first, last): (i32, i32),
) -> HashMap<LineKey, i64> {
    let (mut moved, mut seen) = (HashMap::new(), BTreeSet::new());
    for (delivery, batch) in batches(dir, input) {
        let (accounts, products) = (integers(&batch, "account_id"), texts(&batch, "product"));
        let (days, amounts) = (dates(&batch, on), integers(&batch, amount));
        let ids = id.map(|id| integers(&batch, id));
        let terms: Vec<&ArrayRef> = ["bill_id", "due_on", "due_amount"]
            .iter()
            .filter_map(|name| batch.column_by_name(name))
            .collect();
        let due = batch.column_by_name("due_amount").map(|_| integers(&batch, "due_amount"));
        for (row, product) in products.into_iter().enumerate() {
            let (Some(account), Some(product), Some(day), Some(amount)) =
                (accounts[row], product, days[row], amounts[row])
            else {
                continue;
            };
            // A row from the future is a broken one, and so is one without a term of its bill.
            let is_whole = terms.iter().all(|column| column.is_valid(row))
                && due.as_ref().is_none_or(|due| due[row] > Some(0));
            let is_good = day <= delivery && is_whole;
            let is_new = is_good && ids.as_ref().is_none_or(|ids| seen.insert(ids[row]));
            if is_new && (first + 1..=last).contains(&day) {
                *moved.entry((account, product)).or_default() += amount;
            }
        }
    }
    moved
}

#[test]
fn a_balance_moves_by_what_is_bought_on_credit_and_what_is_paid() {
    let dir = TempDir::new().unwrap();
    // Long enough that no bill of before the first delivery is paid among the days looked at.
    let from = date(2026, 5, 20);
    write(&Sample { line_days: 40, from, ..sample(dir.path(), 1500, 9) }, &|_| {}).unwrap();
    let days = snapshots(dir.path());
    // What is posted on the last days may be delivered only after them.
    let last = day_number(TO) - 4;
    let first = *days.keys().next().unwrap();
    let bought = ("transactions", Some("transaction_id"), "posted_on", "amount");
    let bought = moved(dir.path(), bought, (first, last));
    let paid = moved(dir.path(), ("repayments", None, "paid_on", "paid_amount"), (first, last));
    let (mut moving, mut wrong) = (0, Vec::new());
    for (key, line) in &days[&last] {
        let before = days[&first].get(key).map_or(0, |line| line.balance);
        let bought = bought.get(key).copied().unwrap_or(0);
        let paid = paid.get(key).copied().unwrap_or(0);
        moving += usize::from(bought > 0 && paid > 0);
        if line.balance != before + bought - paid {
            wrong.push((key, before, bought, paid, line.balance));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(moving > 500, "{moving}");
}

/// Calls `check` with every account of a book.
fn each_account(mut check: impl FnMut(&Spender)) {
    let calendar = Calendar::new(FROM, TO);
    let book = Book::new(6, 2000, TO);
    for account in &book.accounts {
        check(&Spender { account, book: &book, calendar: &calendar });
    }
}

#[test]
fn the_quiet_buy_nothing_and_cash_out_comes_in_round_bursts_that_gifts_are_not() {
    let (mut bursts, mut gifts, mut largest_gift) = (0, 0, 0);
    each_account(|spender| {
        let account = spender.account;
        let mut sums = BTreeMap::new();
        for day in spender.calendar.deliveries() {
            spender.transactions(day, &mut |row| {
                let is_quiet = account.nature == Nature::Dormant && day.number >= account.turn_on;
                assert!(!(is_quiet && row.kind == "purchase"));
                let is_cash_like = matches!(row.category, Some("jewellery" | "gift_cards"));
                if is_cash_like && row.amount.unwrap() % 10_000 == 0 && row.product == Some("huabei") {
                    *sums.entry(day.month).or_insert(0) += row.amount.unwrap();
                }
            });
        }
        let largest = sums.into_values().max().unwrap_or(0);
        match account.nature {
            Nature::CashOut => bursts += usize::from(largest >= 100_000),
            _ if account.buys_cash_like => {
                gifts += usize::from(largest > 0);
                largest_gift = largest_gift.max(largest);
            }
            _ => {}
        }
    });
    assert!(bursts > 8, "{bursts}");
    assert!(gifts > 20 && largest_gift < 2_000_000, "{gifts}, {largest_gift}");
}

#[test]
fn those_who_are_paid_elsewhere_have_no_salary_here() {
    let (mut elsewhere, mut salaries) = (0, 0);
    each_account(|spender| {
        let mut has_salary = false;
        for day in spender.calendar.deliveries() {
            spender.transactions(day, &mut |row| has_salary |= row.kind == "salary");
        }
        let is_elsewhere = spender.account.nature == Nature::Elsewhere;
        assert!(!(is_elsewhere && has_salary));
        elsewhere += usize::from(is_elsewhere);
        salaries += usize::from(has_salary);
    });
    assert!(elsewhere > 80 && salaries > 1200, "{elsewhere}, {salaries}");
}

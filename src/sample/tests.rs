//! Samples as wholes: their bytes, their rows, and what a reader may rely on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type};
use jiff::civil::{Date, date};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use super::bills::plan;
use super::book::{Account, Book};
use super::calendar::{Calendar, cycles, day_number};
use super::nature::Nature;
use super::snapshot::line_on;
use super::spending::Spender;
use super::{INPUTS, LINE_DAYS, Sample, Totals, write};
use crate::input::lines::Status;

const FROM: Date = date(2026, 8, 20);
const TO: Date = date(2026, 11, 20);

fn sample(dir: &Path, accounts: u32, seed: u64) -> Sample {
    Sample { dir: dir.to_owned(), accounts, from: FROM, to: TO, seed }
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

/// Calls `check` with every account of a book and what its lines owe on the last day.
fn each_account(mut check: impl FnMut(&Spender, i64)) {
    let calendar = Calendar::new(FROM, TO);
    let day = calendar.deliveries().last().unwrap();
    let book = Book::new(6, 2000, day.number);
    for account in &book.accounts {
        let lines = book.lines(account);
        let overdue = lines.iter().flat_map(|line| {
            let bills = cycles(day, 0).map(|cycle| plan(account, line, &cycle)?.bill());
            bills.into_iter().flatten().map(|bill| bill.overdue(day.number))
        });
        let overdue = overdue.sum();
        check(&Spender { account, lines, calendar: &calendar }, overdue);
    }
}

#[test]
fn natures_hang_together() {
    let last = day_number(TO);
    let stopped = |account: &Account| account.turn_on < last - 45;
    let (mut late, mut owing) = (0, 0);
    each_account(|spender, overdue| {
        let (account, lines) = (spender.account, spender.lines);
        let is_suspended = lines.iter().any(|line| line.status == Status::Suspended);
        match account.nature {
            Nature::Recovering => assert!(overdue == 0 && (is_suspended || lines.is_empty())),
            Nature::Dormant => assert!(last - account.turn_on >= 95 && overdue == 0),
            Nature::New => assert!(lines.iter().all(|line| line.opened_on >= last - 60)),
            Nature::Late if stopped(account) && !lines.is_empty() => {
                late += 1;
                owing += usize::from(overdue > 0);
            }
            _ => {}
        }
    });
    assert!(late > 50 && owing * 10 > late * 9, "{owing} of {late}");
}

#[test]
fn the_quiet_buy_nothing_and_cash_out_comes_in_round_bursts() {
    let mut bursts = 0;
    each_account(|spender, _| {
        let days = spender.calendar.deliveries();
        let mut bought = 0;
        for day in days.iter().filter(|day| day.number > day_number(TO) - 90) {
            let mut in_burst = 0;
            spender.transactions(day, &mut |row| {
                bought += usize::from(row.kind == "purchase");
                let is_cash_like = matches!(row.category, Some("jewellery" | "gift_cards"));
                let is_round = row.amount.unwrap() % 10_000 == 0;
                let on_line = row.product == Some("huabei");
                in_burst += usize::from(is_cash_like && is_round && on_line);
            });
            bursts += usize::from(in_burst >= 2 && spender.account.nature == Nature::CashOut);
        }
        if spender.account.nature == Nature::Dormant {
            assert_eq!(bought, 0);
        }
    });
    assert!(bursts > 100, "{bursts}");
}

#[test]
fn a_balance_covers_what_is_overdue_and_the_stretched_are_near_their_limits() {
    each_account(|spender, overdue| {
        let day = spender.calendar.deliveries().last().unwrap();
        let cycles = cycles(day, 0);
        let rows = spender.lines.iter();
        let rows = rows.filter_map(|line| line_on(spender.account, line, (day, day), &cycles));
        let balance: i64 = rows.filter_map(|row| row.balance).filter(|&owed| owed > 0).sum();
        assert!(balance >= overdue);
        let limits = spender.lines.iter().filter(|line| line.status != Status::Closed);
        let limit: i64 = limits.map(|line| line.limit).sum();
        if spender.account.nature == Nature::Stretched {
            assert!(balance * 10 >= limit * 9, "{balance} of {limit}");
        }
    });
}

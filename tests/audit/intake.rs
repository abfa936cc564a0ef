//! The model's intake: which rows of a case are visible, rejected and why, counted, missing.

use std::collections::BTreeMap;

use rescore::day::Day;

use super::case::{Case, DataFile, Input};
use super::draw_book::OPTIONAL_COLUMNS;
use super::value::{Row, Value};
use crate::support::Cell;

/// A row of an input with its verdict.
#[derive(Debug, Clone)]
pub struct Judged {
    /// None: undated.
    pub delivery: Option<i32>,
    pub file: String,
    pub row: usize,
    pub values: Row,
    /// None: accepted.
    pub reason: Option<&'static str>,
}

impl Judged {
    pub fn value(&self, column: &str) -> &Value {
        &self.values[column]
    }
}

/// Rows of an input as the manifest counts them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    pub read: u64,
    pub accepted: u64,
    pub rejected: BTreeMap<String, u64>,
}

/// What the deliveries of a case hold for its run.
pub struct Intake {
    pub transactions: Vec<Judged>,
    pub repayments: Vec<Judged>,
    /// The snapshot's rows.
    pub lines: Vec<Judged>,
    /// None: undated.
    pub snapshot: Option<i32>,
}

/// Reads what is visible; an error is why there can be no run.
pub fn take_in(case: &Case) -> Result<Intake, String> {
    for (name, input) in [("transactions", &case.transactions), ("repayments", &case.repayments)] {
        let delivered = |file: &DataFile| !input.is_dated() || file.delivery == case.as_of;
        if !input.files.iter().any(delivered) {
            return Err(format!("no {name} of the day"));
        }
    }
    let visible = |input: &Input| judged(case, input, |file| file.delivery <= case.known_on);
    let (snapshot, lines) = snapshot(case)?;
    Ok(Intake {
        transactions: visible(&case.transactions),
        repayments: visible(&case.repayments),
        lines,
        snapshot,
    })
}

fn snapshot(case: &Case) -> Result<(Option<i32>, Vec<Judged>), String> {
    let input = &case.lines;
    let (date, lines) = match input.is_dated() {
        false => (None, judged(case, input, |_| true)),
        true => {
            let by = case.chain_from.unwrap_or(case.as_of);
            let latest = snapshot_date(case).ok_or("no lines")?;
            if by - latest > case.job.lines_max_age_days {
                return Err("lines are too old".into());
            }
            let earlier = || dates_of(input).filter(|date| (latest - 31..latest).contains(date));
            for column in OPTIONAL_COLUMNS {
                let had = earlier().any(|date| is_delivered(input, date, column));
                let is_done_without = case.job.without.contains(&column);
                if had && !is_done_without && !is_delivered(input, latest, column) {
                    return Err(format!("the snapshot lacks {column}"));
                }
            }
            // Rows of earlier snapshots matter to `unique` alone.
            let mut lines = judged(case, input, |file| file.delivery <= latest);
            lines.retain(|line| line.delivery == Some(latest));
            (Some(latest), lines)
        }
    };
    match lines.iter().any(|line| line.reason.is_none()) {
        true => Ok((date, lines)),
        false => Err("no accepted line".into()),
    }
}

/// The delivery whose lines a run uses; None: undated, or there is none.
pub fn snapshot_date(case: &Case) -> Option<i32> {
    let by = case.chain_from.unwrap_or(case.as_of);
    dates_of(&case.lines).filter(|date| case.lines.is_dated() && *date <= by).max()
}

fn dates_of(input: &Input) -> impl Iterator<Item = i32> {
    input.files.iter().map(|file| file.delivery)
}

fn is_delivered(input: &Input, delivery: i32, column: &str) -> bool {
    let is_known = input.columns.iter().any(|(name, _)| *name == column);
    is_known && !input.lacking.iter().any(|(date, name)| *date == delivery && *name == column)
}

/// The rows of some files in order of delivery, file, row, each with its verdict.
fn judged(case: &Case, input: &Input, is_visible: impl Fn(&DataFile) -> bool) -> Vec<Judged> {
    let is_visible = |file: &&DataFile| !input.is_dated() || is_visible(file);
    let mut files: Vec<&DataFile> = input.files.iter().filter(is_visible).collect();
    files.sort_by_key(|file| (input.is_dated().then_some(file.delivery), input.file_name(file)));
    let mut rows: Vec<Judged> = Vec::new();
    for file in files {
        let is_read =
            |name: &str| is_delivered(input, file.delivery, name) && !case.job.without.contains(&name);
        for (row, values) in file.rows.iter().enumerate() {
            let columns = input.columns.iter().zip(values).filter(|((name, _), _)| is_read(name));
            let values: Row = columns.map(|((name, _), value)| (name.to_string(), value.clone())).collect();
            let delivery = input.is_dated().then_some(file.delivery);
            let reason = own_reason(&values, delivery);
            rows.push(Judged { delivery, file: input.file_name(file), row, values, reason });
        }
    }
    reject_duplicate_lines(&mut rows);
    if let Some((column, within_days)) = &input.unique {
        reject_duplicate_rows(&mut rows, column, *within_days);
    }
    rows
}

/// The first reason that a row gives on its own.
fn own_reason(row: &Row, delivery: Option<i32>) -> Option<&'static str> {
    let has = |column: &&str| row.contains_key(*column);
    let any_null = |columns: &[&str]| columns.iter().filter(|c| has(c)).any(|c| row[*c].is_null());
    let blank = |column: &str| row.get(column).is_some_and(Value::is_blank);
    let is_late = |column: &&str| {
        let date = row.get(*column).and_then(Value::date);
        date.zip(delivery).is_some_and(|(date, delivery)| date > delivery)
    };
    let amount = |column: &str| row.get(column).and_then(Value::small);
    let status = row.get("status").map(|status| status.text().unwrap_or("none"));
    let paid = row.get("paid_on").map(|paid_on| (!paid_on.is_null(), amount("paid_amount")));
    let reasons = [
        (blank("account_id"), "missing_account"),
        (blank("product") && !has(&"posted_on"), "missing_product"),
        (blank("bill_id"), "missing_bill"),
        (any_null(&["posted_on", "due_on", "opened_on"]), "missing_date"),
        (any_null(&["amount", "due_amount", "credit_limit", "balance"]), "missing_amount"),
        (
            amount("due_amount").is_some_and(|due| due <= 0) || amount("credit_limit").is_some_and(|l| l < 0),
            "bad_amount",
        ),
        (matches!(paid, Some((false, Some(paid))) if paid != 0) || paid == Some((true, None)), "bad_payment"),
        (status.is_some_and(|status| !["active", "suspended", "closed"].contains(&status)), "bad_status"),
        (
            ["posted_on", "paid_on", "opened_on", "increased_on", "decreased_on", "status_since"]
                .iter()
                .any(is_late),
            "after_delivery",
        ),
    ];
    reasons.into_iter().find(|(holds, _)| *holds).map(|(_, reason)| reason)
}

fn reject_duplicate_lines(rows: &mut [Judged]) {
    let key = |row: &Judged| (row.delivery, row.value("account_id").clone(), row.value("product").clone());
    let lines = |row: &&Judged| row.reason.is_none() && row.values.contains_key("credit_limit");
    let mut seen: BTreeMap<(Option<i32>, Value, Value), usize> = BTreeMap::new();
    for row in rows.iter().filter(lines) {
        *seen.entry(key(row)).or_default() += 1;
    }
    for row in rows.iter_mut() {
        if lines(&&*row) && seen[&key(row)] > 1 {
            row.reason = Some("duplicate_line");
        }
    }
}

fn reject_duplicate_rows(rows: &mut [Judged], column: &str, within_days: u32) {
    let good: Vec<bool> = rows.iter().map(|row| row.reason.is_none()).collect();
    for later in 0..rows.len() {
        let own = rows[later].value(column).clone();
        let repeats = |earlier: usize| {
            let apart = match (rows[later].delivery, rows[earlier].delivery) {
                (Some(later), Some(earlier)) => i64::from(later) - i64::from(earlier),
                _ => 0,
            };
            good[earlier] && *rows[earlier].value(column) == own && apart <= i64::from(within_days)
        };
        if good[later] && !own.is_null() && (0..later).any(repeats) {
            rows[later].reason = Some("duplicate_row");
        }
    }
}

impl Intake {
    fn inputs(&self) -> [(&'static str, &Vec<Judged>); 3] {
        [("lines", &self.lines), ("repayments", &self.repayments), ("transactions", &self.transactions)]
    }

    /// The rows that a run counts and lists the rejects of.
    fn counted(&self, case: &Case) -> Vec<(&'static str, &Judged)> {
        let of_run = |input: &str, row: &Judged| {
            input == "lines" || row.delivery.is_none_or(|date| case.as_of <= date && date <= case.known_on)
        };
        let all = self.inputs().into_iter().flat_map(|(name, rows)| rows.iter().map(move |row| (name, row)));
        all.filter(|(name, row)| of_run(name, row)).collect()
    }

    pub fn counts(&self, case: &Case) -> BTreeMap<String, Counts> {
        let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
        for (name, _) in self.inputs() {
            counts.insert(name.to_string(), Counts::default());
        }
        for (name, row) in self.counted(case) {
            let counts = counts.get_mut(name).unwrap();
            counts.read += 1;
            match row.reason {
                None => counts.accepted += 1,
                Some(reason) => *counts.rejected.entry(reason.to_string()).or_default() += 1,
            }
        }
        counts
    }

    /// The rows of rejects.parquet.
    pub fn rejects(&self, case: &Case) -> Vec<Vec<Cell>> {
        let mut counted = self.counted(case);
        counted.retain(|(_, row)| row.reason.is_some());
        counted.sort_by_key(|(name, row)| (*name, row.delivery, row.file.clone(), row.row));
        let cells = |(name, row): &(&str, &Judged)| {
            let account = match row.value("account_id") {
                Value::Int(id) => Cell::Text(id.to_string()),
                other => other.cell(),
            };
            vec![
                Cell::from(*name),
                Cell::from(row.delivery.map(Day)),
                Cell::from(row.file.as_str()),
                Cell::Int(row.row as i64),
                Cell::from(row.reason.unwrap()),
                account,
            ]
        };
        counted.iter().map(cells).collect()
    }
}

/// Days from the first delivery, or the start of the longest window, to D without a delivery.
pub fn missing_days(case: &Case, input: &Input, longest_days: Option<i32>) -> Vec<i32> {
    if !input.is_dated() {
        return Vec::new();
    }
    let delivered: Vec<i32> = input.files.iter().map(|file| file.delivery).collect();
    let first = delivered.iter().copied().min().unwrap_or(case.as_of);
    let from = longest_days.map_or(first, |days| first.max(case.as_of - days));
    (from..=case.as_of).filter(|day| !delivered.contains(day)).collect()
}

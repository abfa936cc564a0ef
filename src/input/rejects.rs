//! Why a row is left out, and which rows are.

use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::expr::Column;

/// The reasons, in the order in which the first that holds is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// `account_id` null or empty.
    MissingAccount,
    /// `product` null or empty.
    MissingProduct,
    /// `bill_id` null or empty.
    MissingBill,
    /// A date that must be there is null.
    MissingDate,
    /// An amount that must be there is null.
    MissingAmount,
    /// `due_amount` ≤ 0, `credit_limit` < 0.
    BadAmount,
    /// Paid without a date, or dated without an amount.
    BadPayment,
    /// `status` null or unknown.
    BadStatus,
    /// A date after the delivery's.
    AfterDelivery,
    /// The snapshot names the line more than once.
    DuplicateLine,
    /// An earlier row has the same `unique` value.
    DuplicateRow,
}

impl Reason {
    /// As rejects.parquet writes it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::MissingAccount => "missing_account",
            Reason::MissingProduct => "missing_product",
            Reason::MissingBill => "missing_bill",
            Reason::MissingDate => "missing_date",
            Reason::MissingAmount => "missing_amount",
            Reason::BadAmount => "bad_amount",
            Reason::BadPayment => "bad_payment",
            Reason::BadStatus => "bad_status",
            Reason::AfterDelivery => "after_delivery",
            Reason::DuplicateLine => "duplicate_line",
            Reason::DuplicateRow => "duplicate_row",
        }
    }
}

/// A rejected row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reject {
    /// Its input.
    pub input: &'static str,
    /// Its delivery.
    pub delivery: Option<Day>,
    /// Its file, relative to the input's root.
    pub file: String,
    /// 0-based in the file.
    pub row: u64,
    /// The first that holds.
    pub reason: Reason,
    /// As text, whatever the input's type.
    pub account: Option<String>,
}

/// The reason of each row of a batch; `None` is accepted so far.
#[derive(Debug, Clone)]
pub struct Verdicts(pub Vec<Option<Reason>>);

impl Verdicts {
    /// Rejects the rows that have no reason yet and for which `holds`.
    fn mark(&mut self, reason: Reason, holds: impl Fn(usize) -> bool) {
        for (row, verdict) in self.0.iter_mut().enumerate() {
            if verdict.is_none() && holds(row) {
                *verdict = Some(reason);
            }
        }
    }

    /// Rejects the rows where a column holds nothing; most have no such row.
    fn mark_null(&mut self, reason: Reason, column: &Column) {
        if column.has_nulls() {
            self.mark(reason, |row| is_null(column, row));
        }
    }

    /// Likewise, or empty text.
    fn mark_missing(&mut self, reason: Reason, column: &Column) {
        match column {
            Column::Text(texts) => {
                let empty: Vec<bool> = texts.dictionary.iter().map(|text| text.is_empty()).collect();
                self.mark(reason, |row| empty.get(texts.codes[row] as usize) != Some(&false));
            }
            other => self.mark_null(reason, other),
        }
    }

    fn new(column: &Column) -> Verdicts {
        Verdicts(vec![None; column.len()])
    }
}

fn is_null(column: &Column, row: usize) -> bool {
    !column.is_valid(row)
}

fn int(column: &Column, row: usize) -> Option<i64> {
    match column {
        Column::Int(ints) => ints.get(row).copied(),
        _ => None,
    }
}

fn is_after(column: &Column, row: usize, delivery: Option<Day>) -> bool {
    match (int(column, row), delivery) {
        (Some(date), Some(delivery)) => date > i64::from(delivery.0),
        _ => false,
    }
}

/// Judges transactions; columns as in [`crate::job::TRANSACTION_COLUMNS`].
pub fn judge_transactions(columns: &[Column], delivery: Option<Day>) -> Verdicts {
    let [account, posted_on, amount, ..] = columns else { unreachable!("the contract's columns are read") };
    let mut verdicts = Verdicts::new(account);
    verdicts.mark_missing(Reason::MissingAccount, account);
    verdicts.mark_null(Reason::MissingDate, posted_on);
    verdicts.mark_null(Reason::MissingAmount, amount);
    verdicts.mark(Reason::AfterDelivery, |row| is_after(posted_on, row, delivery));
    verdicts
}

/// Judges repayments; columns as in [`crate::job::REPAYMENT_COLUMNS`].
pub fn judge_repayments(columns: &[Column], delivery: Option<Day>) -> Verdicts {
    let [account, product, bill, due_on, due_amount, paid_on, paid_amount, ..] = columns else {
        unreachable!("the contract's columns are read")
    };
    let mut verdicts = Verdicts::new(account);
    verdicts.mark_missing(Reason::MissingAccount, account);
    verdicts.mark_missing(Reason::MissingProduct, product);
    verdicts.mark_missing(Reason::MissingBill, bill);
    verdicts.mark_null(Reason::MissingDate, due_on);
    verdicts.mark_null(Reason::MissingAmount, due_amount);
    verdicts.mark(Reason::BadAmount, |row| int(due_amount, row).is_some_and(|amount| amount <= 0));
    verdicts.mark(Reason::BadPayment, |row| match int(paid_on, row) {
        None => int(paid_amount, row).is_some_and(|amount| amount != 0),
        Some(_) => is_null(paid_amount, row),
    });
    verdicts.mark(Reason::AfterDelivery, |row| is_after(paid_on, row, delivery));
    verdicts
}

/// Judges lines, but for duplicates; columns as in [`crate::job::LINE_COLUMNS`].
pub fn judge_lines(columns: &[Column], delivery: Option<Day>) -> Verdicts {
    let [account, product, limit, balance, status, opened_on, increased_on, decreased_on, ..] = columns
    else {
        unreachable!("the contract's columns are read")
    };
    let mut verdicts = Verdicts::new(account);
    verdicts.mark_missing(Reason::MissingAccount, account);
    verdicts.mark_missing(Reason::MissingProduct, product);
    verdicts.mark_null(Reason::MissingDate, opened_on);
    verdicts.mark(Reason::MissingAmount, |row| is_null(limit, row) || is_null(balance, row));
    verdicts.mark(Reason::BadAmount, |row| int(limit, row).is_some_and(|amount| amount < 0));
    verdicts.mark(Reason::BadStatus, |row| match status {
        Column::Text(status) => !matches!(status.get(row), Some("active" | "suspended" | "closed")),
        _ => true,
    });
    verdicts.mark(Reason::AfterDelivery, |row| {
        [opened_on, increased_on, decreased_on].into_iter().any(|date| is_after(date, row, delivery))
    });
    verdicts
}

//! Judges the rows of a batch: which are left out, and for which reason.

use super::accounts::id_text;
use super::binding::Decoded;
use super::reason::RejectReason;
use super::reject_log::RejectedRows;
use crate::day::Day;
use crate::expr::Column;

/// The reason of each row of a batch; `None` is accepted so far.
#[derive(Debug, Clone)]
pub struct Verdicts(pub Vec<Option<RejectReason>>);

impl Verdicts {
    /// Rejects the rows that have no reason yet and for which `holds`.
    fn mark(&mut self, reason: RejectReason, holds: impl Fn(usize) -> bool) {
        for (row, verdict) in self.0.iter_mut().enumerate() {
            if verdict.is_none() && holds(row) {
                *verdict = Some(reason);
            }
        }
    }

    /// Rejects the rows where a column holds nothing; most have no such row.
    fn mark_null(&mut self, reason: RejectReason, column: &Column) {
        if column.has_nulls() {
            self.mark(reason, |row| is_null(column, row));
        }
    }

    /// Likewise, or empty text.
    fn mark_missing(&mut self, reason: RejectReason, column: &Column) {
        match column {
            Column::Text(texts) => {
                let empty: Vec<bool> = texts.dictionary.iter().map(|text| text.is_empty()).collect();
                if column.has_nulls() || empty.contains(&true) {
                    self.mark(reason, |row| empty.get(texts.codes[row] as usize) != Some(&false));
                }
            }
            other => self.mark_null(reason, other),
        }
    }

    /// Rejects the rows dated after the delivery.
    fn mark_after(&mut self, date: &Column, delivery: Option<Day>) {
        if let (Column::Int(days), Some(delivery)) = (date, delivery)
            && days.values.iter().max().is_some_and(|latest| *latest > i64::from(delivery.0))
        {
            self.mark(RejectReason::AfterDelivery, |row| {
                int(date, row).is_some_and(|day| day > delivery.0.into())
            });
        }
    }

    /// Rejects the rows with an amount that is no whole number of minor units.
    fn mark_fractional(&mut self, rows: &[u32]) {
        for row in rows {
            self.0[*row as usize].get_or_insert(RejectReason::BadAmount);
        }
    }

    /// Rejects the rows that hold an amount below `least`.
    fn mark_below(&mut self, amount: &Column, least: i64) {
        if let Column::Int(amounts) = amount
            && amounts.values.iter().min().is_some_and(|smallest| *smallest < least)
        {
            self.mark(RejectReason::BadAmount, |row| int(amount, row).is_some_and(|amount| amount < least));
        }
    }

    /// Lists the rejected rows of a batch, whose first row has a number within the file.
    pub(super) fn list(&self, file: u32, first_row: u64, accounts: &Column, into: &mut RejectedRows) {
        for (row, reason) in self.0.iter().enumerate().filter_map(|(row, verdict)| Some((row, (*verdict)?))) {
            into.push(file, first_row + row as u64, reason, id_text(accounts, row).as_deref());
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

/// Whether two columns of integers hold values in the same rows.
fn are_valid_alike(a: &Column, b: &Column) -> bool {
    matches!((a, b), (Column::Int(a), Column::Int(b)) if a.valid == b.valid)
}

/// Judges transactions; columns as in [`crate::job::TRANSACTION_COLUMNS`].
pub fn judge_transactions(rows: &Decoded, delivery: Option<Day>) -> Verdicts {
    let [account, posted_on, amount, ..] = &rows.columns[..] else {
        unreachable!("the contract's columns are read")
    };
    let mut verdicts = Verdicts::new(account);
    verdicts.mark_missing(RejectReason::MissingAccount, account);
    verdicts.mark_null(RejectReason::MissingDate, posted_on);
    verdicts.mark_null(RejectReason::MissingAmount, amount);
    verdicts.mark_fractional(&rows.fractional);
    verdicts.mark_after(posted_on, delivery);
    verdicts
}

/// Judges repayments; columns as in [`crate::job::REPAYMENT_COLUMNS`].
pub fn judge_repayments(rows: &Decoded, delivery: Option<Day>) -> Verdicts {
    let [account, product, bill, due_on, due_amount, paid_on, paid_amount, ..] = &rows.columns[..] else {
        unreachable!("the contract's columns are read")
    };
    let mut verdicts = Verdicts::new(account);
    verdicts.mark_missing(RejectReason::MissingAccount, account);
    verdicts.mark_missing(RejectReason::MissingProduct, product);
    verdicts.mark_missing(RejectReason::MissingBill, bill);
    verdicts.mark_null(RejectReason::MissingDate, due_on);
    verdicts.mark_null(RejectReason::MissingAmount, due_amount);
    verdicts.mark_fractional(&rows.fractional);
    verdicts.mark_below(due_amount, 1);
    if !are_valid_alike(paid_on, paid_amount) {
        verdicts.mark(RejectReason::BadPayment, |row| match int(paid_on, row) {
            None => int(paid_amount, row).is_some_and(|amount| amount != 0),
            Some(_) => is_null(paid_amount, row),
        });
    }
    verdicts.mark_after(paid_on, delivery);
    verdicts
}

/// Judges lines, but for duplicates; columns as in [`crate::job::LINE_COLUMNS`].
pub fn judge_lines(rows: &Decoded, delivery: Option<Day>) -> Verdicts {
    let [account, product, limit, balance, status, opened_on, increased_on, decreased_on, status_since, ..] =
        &rows.columns[..]
    else {
        unreachable!("the contract's columns are read")
    };
    let mut verdicts = Verdicts::new(account);
    verdicts.mark_missing(RejectReason::MissingAccount, account);
    verdicts.mark_missing(RejectReason::MissingProduct, product);
    verdicts.mark_null(RejectReason::MissingDate, opened_on);
    verdicts.mark_null(RejectReason::MissingAmount, limit);
    verdicts.mark_null(RejectReason::MissingAmount, balance);
    verdicts.mark_fractional(&rows.fractional);
    verdicts.mark_below(limit, 0);
    match status {
        Column::Text(texts) => {
            let known: Vec<bool> = texts.dictionary.iter().map(|text| is_status(text)).collect();
            // Null has no entry, and is no status either.
            verdicts.mark(RejectReason::BadStatus, |row| known.get(texts.codes[row] as usize) != Some(&true));
        }
        _ => verdicts.mark(RejectReason::BadStatus, |_| true),
    }
    for date in [opened_on, increased_on, decreased_on, status_since] {
        verdicts.mark_after(date, delivery);
    }
    verdicts
}

fn is_status(text: &str) -> bool {
    matches!(text, "active" | "suspended" | "closed")
}

//! The deliveries of one day: which rows of the book arrive in each of the three inputs.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::account::Customer;
use super::bills::{in_motion, plan_on};
use super::book::Book;
use super::calendar::{Calendar, CalendarDay, Cycle, cycles};
use super::columns::{LineColumns, RepaymentColumns, RepaymentRow, TransactionColumns};
use super::faults::{Faults, Input, LINE_FAULTS, REPAYMENT_FAULTS, Sending, TRANSACTION_FAULTS, broken};
use super::nature::Nature;
use super::part::FileWriter;
use super::snapshot::line_on;
use super::spending::{MAX_LAG, Spender};
use super::totals::Totals;
use crate::input::lines::Status;

/// Bills are caught up with at most so many months after they were due.
const TROUBLED_CYCLES: usize = 8;

/// What all days of a sample are told from.
pub struct DeliveryWriter<'a> {
    pub dir: &'a Path,
    pub seed: u64,
    pub book: &'a Book,
    pub calendar: &'a Calendar,
    /// Snapshots of the lines are written for so many days up to the last.
    pub line_days: u32,
}

impl DeliveryWriter<'_> {
    /// Writes the deliveries of `day`.
    pub fn deliver(&self, day: &CalendarDay) -> Result<Totals> {
        let mut totals = self.transactions(day)?;
        totals.add(&self.repayments(day)?);
        if i64::from(day.number) > i64::from(self.last().number) - i64::from(self.line_days) {
            totals.add(&self.lines(day)?);
        }
        Ok(totals)
    }

    fn first(&self) -> &CalendarDay {
        &self.calendar.deliveries()[0]
    }

    fn last(&self) -> &CalendarDay {
        let deliveries = self.calendar.deliveries();
        &deliveries[deliveries.len() - 1]
    }

    fn directory(&self, input: &str, day: &CalendarDay) -> PathBuf {
        self.dir.join(input).join(format!("date={}", day.date))
    }

    fn faults(&self, input: Input, day: &CalendarDay) -> Faults {
        Faults::new(self.seed, input, day, day.number == self.last().number)
    }

    fn transactions(&self, day: &CalendarDay) -> Result<Totals> {
        let mut part = FileWriter::<TransactionColumns>::begin(self.directory("transactions", day))?;
        let mut faults = self.faults(Input::Transactions, day);
        let mut totals = Totals::default();
        let mut rows = Vec::new();
        for account in &self.book.accounts {
            let spender = Spender { account, book: self.book, calendar: self.calendar };
            for lag in 0..=MAX_LAG {
                let posted_on = self.calendar.earlier(day, lag);
                let sending = Sending::of(account.key, posted_on);
                let comes_again = sending.again == Some(lag);
                if sending.lag != lag && !comes_again {
                    continue;
                }
                spender.transactions(posted_on, &mut |row| rows.push(row));
                let repeated = if comes_again { rows.first().copied() } else { None };
                if sending.lag != lag {
                    rows.clear();
                }
                rows.extend(repeated);
                for row in rows.drain(..) {
                    if let Some(turn) = faults.next(true) {
                        part.push(&broken(&TRANSACTION_FAULTS, turn, &row, day))?;
                        totals.bad_rows += 1;
                    }
                    part.push(&row)?;
                    totals.late_rows += u64::from(lag > 0);
                }
            }
        }
        let written = part.end()?;
        totals.transactions = written.rows;
        totals.bytes = written.bytes;
        Ok(totals)
    }

    fn repayments(&self, day: &CalendarDay) -> Result<Totals> {
        let mut part = FileWriter::<RepaymentColumns>::begin(self.directory("repayments", day))?;
        let mut faults = self.faults(Input::Repayments, day);
        let mut totals = Totals::default();
        let cycles = cycles(day.date);
        let mut rows = Vec::new();
        for account in &self.book.accounts {
            self.bill_rows((account, day), &cycles, &mut totals.bills, &mut rows);
            for row in rows.drain(..) {
                if let Some(turn) = faults.next(true) {
                    part.push(&broken(&REPAYMENT_FAULTS, turn, &row, day))?;
                    totals.bad_rows += 1;
                }
                part.push(&row)?;
                totals.late_rows += u64::from(row.paid_on.is_some_and(|on| on < day.number));
            }
        }
        let written = part.end()?;
        totals.repayments = written.rows;
        totals.bytes = written.bytes;
        Ok(totals)
    }

    /// The rows of an account's bills that are delivered on a day, and how many bills are new.
    fn bill_rows(
        &self,
        (account, day): (&Customer, &CalendarDay),
        cycles: &[Cycle],
        new_bills: &mut u64,
        rows: &mut Vec<RepaymentRow>,
    ) {
        for held in self.book.lines(account) {
            // No bill of the first month is made out yet.
            for (place, cycle) in cycles.iter().enumerate().skip(1) {
                let days = in_motion(&held, held.line.due_on(cycle));
                if day.number > *days.end() {
                    // Earlier bills are in motion only where a trouble keeps them unpaid.
                    if held.troubles.is_empty() || place >= TROUBLED_CYCLES {
                        break;
                    }
                    continue;
                }
                // A bill made out before the first delivery is none of this sample's: only some of
                // its rows would be here, and it would look unpaid.
                if day.number < *days.start() || *days.start() < self.first().number {
                    continue;
                }
                let Some(plan) = plan_on(held, cycle, day.number) else {
                    continue;
                };
                let due_amount = held.billed(&cycles[place..]);
                if due_amount > 0 {
                    let is_new = plan.delivered(due_amount, day.number, &mut |row| rows.push(row));
                    *new_bills += u64::from(is_new);
                }
            }
        }
    }

    fn lines(&self, day: &CalendarDay) -> Result<Totals> {
        let mut part = FileWriter::<LineColumns>::begin(self.directory("lines", day))?;
        let mut faults = self.faults(Input::Lines, day);
        let mut totals = Totals::default();
        let cycles = cycles(day.date);
        for account in &self.book.accounts {
            let lines = self.book.lines(account);
            for held in lines.clone() {
                let Some(row) = line_on(held, day, &cycles) else {
                    continue;
                };
                // Those who might well be given more: a bad row is one reason to wait.
                let may_break = account.nature == Nature::Growing
                    && row.status == Some(Status::Active.name())
                    && lines.clone().count() > 1;
                if let Some(turn) = faults.next(may_break) {
                    part.push(&broken(&LINE_FAULTS, turn, &row, day))?;
                    totals.bad_rows += 1;
                }
                part.push(&row)?;
            }
        }
        let written = part.end()?;
        totals.lines = written.rows;
        totals.bytes = written.bytes;
        Ok(totals)
    }
}

//! The deliveries of one day: which rows of the book arrive in each of the three inputs.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::bills::{BILLED_BEFORE, Plan, in_motion, plan};
use super::book::{Account, Book};
use super::calendar::{Calendar, Cycle, Day, cycles};
use super::columns::{LineColumns, RepaymentColumns, RepaymentRow, TransactionColumns};
use super::faults::{Faults, Input, LINE_FAULTS, REPAYMENT_FAULTS, Sending, TRANSACTION_FAULTS, broken};
use super::nature::Nature;
use super::part::Part;
use super::snapshot::line_on;
use super::spending::{MAX_LAG, Spender};
use super::{LINE_DAYS, Totals};
use crate::input::lines::Status;

/// What all days of a sample are told from.
pub struct Telling<'a> {
    pub dir: &'a Path,
    pub seed: u64,
    pub book: &'a Book,
    pub calendar: &'a Calendar,
}

impl Telling<'_> {
    /// Writes the deliveries of `day`.
    pub fn deliver(&self, day: &Day) -> Result<Totals> {
        let mut totals = self.transactions(day)?;
        totals.add(&self.repayments(day)?);
        if day.number > self.last().number - LINE_DAYS {
            totals.add(&self.lines(day)?);
        }
        Ok(totals)
    }

    fn first(&self) -> &Day {
        &self.calendar.deliveries()[0]
    }

    fn last(&self) -> &Day {
        let deliveries = self.calendar.deliveries();
        &deliveries[deliveries.len() - 1]
    }

    fn directory(&self, input: &str, day: &Day) -> PathBuf {
        self.dir.join(input).join(format!("date={}", day.date))
    }

    fn faults(&self, input: Input, day: &Day) -> Faults {
        Faults::new(self.seed, input, day, day.number == self.last().number)
    }

    fn transactions(&self, day: &Day) -> Result<Totals> {
        let mut part = Part::<TransactionColumns>::begin(self.directory("transactions", day))?;
        let mut faults = self.faults(Input::Transactions, day);
        let mut totals = Totals::default();
        let mut rows = Vec::new();
        for account in &self.book.accounts {
            let spender = Spender { account, lines: self.book.lines(account), calendar: self.calendar };
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

    fn repayments(&self, day: &Day) -> Result<Totals> {
        let mut part = Part::<RepaymentColumns>::begin(self.directory("repayments", day))?;
        let mut faults = self.faults(Input::Repayments, day);
        let mut totals = Totals::default();
        let cycles = cycles(day, BILLED_BEFORE);
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
        (account, day): (&Account, &Day),
        cycles: &[Cycle],
        new_bills: &mut u64,
        rows: &mut Vec<RepaymentRow>,
    ) {
        for line in self.book.lines(account) {
            for cycle in cycles {
                let due_on = line.due_on(cycle);
                let days = in_motion(account, due_on);
                if day.number > *days.end() {
                    break;
                }
                // A bill made out before the first delivery is none of this sample's: only some of
                // its rows would be here, and it would look unpaid.
                if day.number < *days.start() || *days.start() < self.first().number {
                    continue;
                }
                let plan = plan(account, line, cycle).filter(|plan| plan.is_in_motion(day.number));
                let Some(bill) = plan.and_then(Plan::bill) else {
                    continue;
                };
                *new_bills += u64::from(bill.billed_on() == day.number);
                bill.delivered(account, line, day.number, &mut |row| rows.push(row));
            }
        }
    }

    fn lines(&self, day: &Day) -> Result<Totals> {
        let mut part = Part::<LineColumns>::begin(self.directory("lines", day))?;
        let mut faults = self.faults(Input::Lines, day);
        let mut totals = Totals::default();
        let cycles = cycles(day, 0);
        for account in &self.book.accounts {
            let lines = self.book.lines(account);
            for line in lines {
                let Some(row) = line_on(account, line, (day, self.last()), &cycles) else {
                    continue;
                };
                // Those who might well be given more: a bad row is one reason to wait.
                let may_break =
                    account.nature == Nature::Growing && line.status == Status::Active && lines.len() > 1;
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

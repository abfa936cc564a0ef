//! A sample: a believable book of accounts and its daily deliveries, told from a seed.
//!
//! Every row is a function of the seed, the account and the day, so days are told in any order, on
//! any number of threads, and each in the memory of one row group. No float and no clock takes part:
//! the same sample has the same bytes everywhere.
//!
//! | file | its job |
//! |---|---|
//! | `random` | numbers by seed, purpose and place |
//! | `calendar` | weekdays, paydays, seasons, months of bills |
//! | `nature` | the natures of accounts, and products |
//! | `account` | accounts: income, how busy they are, when their nature shows |
//! | `trouble` | weeks in which bills slip or are left unpaid |
//! | `opening` | the lines that an account opens, and how it uses them |
//! | `history` | when a line's limit and status changed, and why |
//! | `book` | all of these |
//! | `category` | merchant categories, prices, shops |
//! | `credit` | what is bought with a line: sums of months, bills, days |
//! | `spending` | the transactions of an account on a day |
//! | `bills` | bills, payments, and the rows that tell of them |
//! | `snapshot` | a line as a day's snapshot shows it |
//! | `faults` | late, repeated and broken rows |
//! | `columns`, `part` | rows to Arrow, Arrow to a Parquet file |
//! | `delivery` | all of one day |

mod account;
mod bills;
mod book;
mod calendar;
mod category;
mod columns;
mod credit;
mod delivery;
mod faults;
mod history;
mod nature;
mod opening;
mod part;
mod random;
mod snapshot;
mod spending;
#[cfg(test)]
mod tests;
mod trouble;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use jiff::civil::Date;
use rayon::prelude::*;

use book::Book;
use calendar::Calendar;
use delivery::Telling;

/// Snapshots of the lines are written for so many days up to the last, unless asked otherwise: a run
/// needs only the latest, and a year of them would outweigh everything else.
pub const LINE_DAYS: u32 = 7;

/// The folders of a sample, one an input.
const INPUTS: [&str; 3] = ["transactions", "repayments", "lines"];

/// The years of which days and months fit the ids of transactions and bills.
const YEARS: RangeInclusive<i16> = 1971..=4999;

/// A sample to be written.
pub struct Sample {
    /// Gets the folders `transactions`, `repayments` and `lines`.
    pub dir: PathBuf,
    /// Accounts in the book; some have no line, and some are opened only within the sample.
    pub accounts: u32,
    /// The first day with deliveries.
    pub from: Date,
    /// The last day with deliveries, and the day as of which the book is made.
    pub to: Date,
    /// Snapshots of the lines are written for so many days up to the last; at most for all.
    pub line_days: u32,
    /// What everything is drawn from. Fewer accounts of one seed are the first of more.
    pub seed: u64,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows of `transactions`, broken copies and rows that come twice among them.
    pub transactions: u64,
    /// Rows of `repayments`, broken copies among them.
    pub repayments: u64,
    /// Bills that are made out within the sample.
    pub bills: u64,
    /// Rows of `lines`, of all snapshots, broken copies among them.
    pub lines: u64,
    /// Size of all files.
    pub bytes: u64,
    /// Broken copies of good rows: each is to be rejected, the two of a `duplicate_line` both.
    pub bad_rows: u64,
    /// Rows delivered after the day on which they were posted or paid.
    pub late_rows: u64,
}

impl Totals {
    fn add(&mut self, other: &Totals) {
        self.transactions += other.transactions;
        self.repayments += other.repayments;
        self.bills += other.bills;
        self.lines += other.lines;
        self.bytes += other.bytes;
        self.bad_rows += other.bad_rows;
        self.late_rows += other.late_rows;
    }
}

/// Writes the sample; `done` is called with the number of finished days after each one, from any
/// thread.
pub fn write(sample: &Sample, done: &(dyn Fn(u64) + Sync)) -> Result<Totals> {
    ensure!(sample.accounts > 0, "a sample needs at least 1 account");
    ensure!(sample.line_days > 0, "a sample needs at least 1 day of lines");
    ensure!(
        sample.from <= sample.to,
        "a sample from {} to {} has no day: the first must not be after the last",
        sample.from,
        sample.to
    );
    ensure!(
        YEARS.contains(&sample.from.year()) && YEARS.contains(&sample.to.year()),
        "a sample from {} to {} is out of range: years {} to {} can be told",
        sample.from,
        sample.to,
        YEARS.start(),
        YEARS.end()
    );
    for input in INPUTS {
        let folder = sample.dir.join(input);
        ensure!(
            !folder.exists(),
            "write sample to {}: {} is there already; a sample is written only where there is none: \
             name another directory or remove it",
            sample.dir.display(),
            folder.display()
        );
    }
    let calendar = Calendar::new(sample.from, sample.to);
    let book = Book::new(sample.seed, sample.accounts, sample.to);
    let telling = Telling {
        dir: &sample.dir,
        seed: sample.seed,
        book: &book,
        calendar: &calendar,
        line_days: sample.line_days,
    };
    let finished = AtomicU64::new(0);
    let days = calendar.deliveries().par_iter().with_max_len(1);
    days.map(|day| {
        crate::signal::check()?;
        let totals = telling.deliver(day)?;
        done(finished.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(totals)
    })
    .try_reduce(Totals::default, |mut left, right| {
        left.add(&right);
        Ok(left)
    })
}

//! A sample: a believable book of accounts and its daily deliveries, made from a seed.
//!
//! Every row is a function of the seed, the account and the day, so days are made in any order, on
//! any number of threads, and each in the memory of one row group. No float and no clock takes part:
//! the same sample has the same bytes everywhere.
//!
//! | file | its job |
//! |---|---|
//! | `random` | numbers by seed, purpose and index |
//! | `calendar` | weekdays, paydays, seasons, months of bills |
//! | `nature` | the natures of accounts, and products |
//! | `account` | accounts: income, how busy they are, when their nature shows |
//! | `trouble` | weeks in which bills slip or are left unpaid |
//! | `line`, `opening` | the lines that an account opens, and how it uses them |
//! | `history` | when a line's limit and status changed, and why |
//! | `book` | all of these |
//! | `category` | merchant categories, prices, shops |
//! | `credit` | what is bought with a line: sums of months, bills, days |
//! | `spending` | the transactions of an account on a day |
//! | `bills` | bills, payments, and their rows |
//! | `snapshot` | a line as a day's snapshot shows it |
//! | `faults` | late, repeated and broken rows |
//! | `columns`, `part` | rows to Arrow, Arrow to a Parquet file |
//! | `delivery`, `totals` | all of one day, and how much that is |

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
mod line;
mod nature;
mod opening;
mod part;
mod random;
mod snapshot;
mod spending;
#[cfg(test)]
mod tests;
mod totals;
mod trouble;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use jiff::civil::Date;
use rayon::prelude::*;

pub use totals::Totals;

use book::Book;
use calendar::Calendar;
use delivery::DeliveryWriter;

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
    let writer = DeliveryWriter {
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
        let totals = writer.deliver(day)?;
        done(finished.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(totals)
    })
    .try_reduce(Totals::default, |mut left, right| {
        left.add(&right);
        Ok(left)
    })
}

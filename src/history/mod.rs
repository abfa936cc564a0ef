//! What transactions and repayments tell of the accounts up to a day: read from scratch, or carried on
//! from an earlier night by what has come and gone since.

mod footing;
mod parts;
mod shelf;
mod tables;

use anyhow::Result;

use crate::console::Progress;
use crate::day::Day;
use crate::expr::{Column, Ints, Texts};
use crate::features::bills::{self, Bills};
use crate::features::plan::Plan;
use crate::features::transactions::{self, Transactions};
use crate::features::{Partitions, Places};
use crate::input::accounts::{Accounts, Id, Ids, STRANGER, Strangers};
use crate::input::stream::{Source, Tally};

pub use footing::{Footing, Grounds, Plans};
pub use shelf::{Candidate, Shelf};

/// Everything a later night can go on from.
pub struct History {
    /// The day up to which it tells, and by which its deliveries had arrived.
    pub as_of: Day,
    /// The accounts of the book, by number.
    book: Ids,
    /// The others, by number among the strangers.
    strangers: Vec<Id>,
    /// From transactions.
    pub transactions: Transactions,
    /// From repayments.
    pub bills: Bills,
    /// What it stands on.
    pub grounds: Grounds,
}

/// What is read for a history, and how.
pub struct Reading<'a> {
    /// The transactions that bear on the day.
    pub transactions: Source<'a>,
    /// Each wanted column's position in the transactions scope.
    pub slots: Vec<usize>,
    /// How many columns that scope has.
    pub scope_len: usize,
    /// All repayments.
    pub repayments: Source<'a>,
    /// What to accumulate of transactions.
    pub of_transactions: &'a Plan,
    /// What to accumulate of bills.
    pub of_bills: &'a Plan,
    /// Minor units short that still settle a bill.
    pub tolerance: i64,
    /// D.
    pub as_of: Day,
    /// The book.
    pub accounts: &'a Accounts,
    /// How accounts are split.
    pub partitions: Partitions,
}

/// A history, and what was counted on the way.
pub struct Told {
    /// Its accumulators are those of the day.
    pub history: History,
    /// Rows of transactions read and left out.
    pub transactions: Tally,
    /// Of repayments.
    pub repayments: Tally,
    /// Bills for which one delivery holds more than one pair of terms.
    pub conflicts: u64,
    /// Whether it holds all that a later night needs.
    pub lasts: bool,
}

impl Reading<'_> {
    /// Reads from scratch, or carries on what is known. `keeps`: for a later night, with `grounds`.
    pub fn tell(
        self,
        known: Option<History>,
        keeps: bool,
        grounds: Grounds,
        progress: &Progress,
        mut lap: impl FnMut(&str),
    ) -> Result<Told> {
        let strangers = Strangers::default();
        let Reading { of_transactions, of_bills, as_of, accounts, partitions, .. } = self;
        let known = known.map(|known| {
            let places = known.places(accounts, &strangers, partitions);
            (known.as_of, places, known.transactions, known.bills)
        });
        lap("carry over");
        let reading = transactions::Reading {
            source: self.transactions,
            slots: self.slots,
            scope_len: self.scope_len,
            plan: of_transactions,
            as_of,
            accounts,
            strangers: keeps.then_some(&strangers),
            partitions,
        };
        let (since, (transactions, tally, lasts), bills) = match known {
            None => (None, reading.from_scratch(progress)?, None),
            Some((since, places, transactions, bills)) => {
                let transactions = reading.go_on(transactions, &places, since, progress)?;
                (Some(since), transactions, Some((places, bills)))
            }
        };
        lap("transactions");
        let reading = bills::Reading {
            source: self.repayments,
            plan: of_bills,
            as_of,
            accounts,
            strangers: &strangers,
            partitions,
            tolerance: self.tolerance,
            keeps,
        };
        let (bills, (conflicts, repayments)) = match (since, bills) {
            (Some(since), Some((places, bills))) => reading.go_on(bills, &places, since, progress)?,
            _ => reading.from_scratch(progress)?,
        };
        lap("repayments");
        let strangers = strangers.into_ids();
        let has_room = partitions.has_room(partitions.stranger(strangers.len() as u32));
        let book = if keeps { accounts.ids.clone() } else { Ids::Int(Vec::new()) };
        let history = History { as_of, book, strangers, transactions, bills, grounds };
        Ok(Told { history, transactions: tally, repayments, conflicts, lasts: keeps && lasts && has_room })
    }
}

impl History {
    /// How its accounts are split.
    fn partitions(&self) -> Partitions {
        Partitions::new(self.book.len())
    }

    /// Where its accounts are to be found now.
    fn places(&self, accounts: &Accounts, strangers: &Strangers, partitions: Partitions) -> Places {
        let column = match &self.book {
            Ids::Int(ids) => Column::Int(Ints::all(ids.clone())),
            Ids::Text(ids) => {
                let codes = (0..ids.len() as u32).collect();
                Column::Text(Texts { codes, dictionary: ids.clone().into() })
            }
        };
        let stranger = |id: Id| {
            let account = partitions.stranger(strangers.number_of(id));
            partitions.has_room(account).then_some(account)
        };
        let book = accounts.positions(&column).into_iter().enumerate();
        let mut book = book.map(|(old, new)| match new {
            STRANGER => stranger(self.book.get(old)),
            position => Some(position),
        });
        let own = self.partitions();
        let mut by_partition: Vec<Vec<Option<u32>>> = (0..own.of_book())
            .map(|partition| book.by_ref().take(own.accounts(partition).len()).collect())
            .collect();
        let found = |id: &Id| accounts.find(id).or_else(|| stranger(id.clone()));
        let first = own.of_book();
        for partition in first..own.count() {
            let start = (own.accounts(partition).start - own.accounts(first).start) as usize;
            let end = (start + own.accounts(partition).len()).min(self.strangers.len());
            by_partition.push(self.strangers.get(start..end).unwrap_or_default().iter().map(found).collect());
        }
        Places { by_partition }
    }
}

//! What transactions and repayments tell of the accounts up to a day: read from scratch, or carried on
//! from an earlier night by what has come and gone since.

mod footing;
mod parts;
mod shelf;
mod tables;

use std::ops::Range;

use anyhow::Result;

use crate::console::Progress;
use crate::day::Day;
use crate::expr::{Column, Ints, Texts};
use crate::features::bills::{self, Bills};
use crate::features::pass::{Pass, Scan};
use crate::features::plan::Plan;
use crate::features::transactions::{self, Transactions};
use crate::features::{Answers, Partitions, Places};
use crate::input::accounts::{Accounts, Id, Ids, STRANGER, Strangers};
use crate::input::file::OpenFile;
use crate::input::stream::{Source, Tally};
use crate::job::Feature;

pub use footing::{Footing, Grounds, Plans};
pub use shelf::{Candidate, Shelf, Staging};

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
    /// Transactions that are too old for it, of which an earlier night's sums may hold rows.
    pub past: &'a [OpenFile],
    /// Each wanted column's position in the transactions scope.
    pub slots: Vec<usize>,
    /// How many columns that scope has.
    pub scope_len: usize,
    /// All repayments.
    pub repayments: Source<'a>,
    /// All features, whatever they are over.
    pub features: &'a [Feature],
    /// What to accumulate of transactions.
    pub transactions_plan: &'a Plan,
    /// What to accumulate of bills.
    pub bills_plan: &'a Plan,
    /// Minor units short that still settle a bill.
    pub tolerance: i64,
    /// D.
    pub as_of: Day,
    /// The book.
    pub accounts: &'a Accounts,
    /// How accounts are split.
    pub partitions: Partitions,
}

/// What becomes of a history once the features have been answered from it.
pub struct Keeping<'a> {
    /// Where to put it for another run.
    pub staging: Option<&'a Staging>,
    /// Whether the next night of this run goes on from it.
    pub retains: bool,
}

/// What was counted on the way.
pub struct Told {
    /// The history, where it is retained and holds all that a later night needs.
    pub history: Option<History>,
    /// Rows of transactions read and left out.
    pub transactions: Tally,
    /// Of repayments.
    pub repayments: Tally,
    /// Bills for which one delivery holds more than one pair of terms.
    pub conflicts: u64,
    /// Whether a later night can go on from what was kept.
    pub lasts: bool,
}

impl Reading<'_> {
    /// Reads from scratch, or carries on what is known, and answers the features.
    pub fn tell(
        &self,
        known: Option<History>,
        keeping: &Keeping,
        grounds: Grounds,
        answers: &mut Answers,
        progress: &Progress,
        mut lap: impl FnMut(&str),
    ) -> Result<Told> {
        let keeps = keeping.retains || keeping.staging.is_some();
        let strangers = Strangers::default();
        let Reading { as_of, accounts, partitions, .. } = *self;
        let since = known.as_ref().map(|known| known.as_of);
        let known = known.map(|known| {
            let places = known.places(accounts, &strangers, partitions);
            (places, known.transactions, known.bills)
        });
        let (places, transactions, bills) = match known {
            None => (None, None, None),
            Some((places, transactions, bills)) => (Some(places), Some(transactions), Some(bills)),
        };
        lap("carry over");
        let book = partitions.of_book();
        let reading = self.of_transactions(keeps.then_some(&strangers), Pass::Only);
        let (transactions, tally, mut lasts) = match (since, &places, transactions) {
            (Some(since), Some(places), Some(known)) => reading.go_on(known, places, since, progress)?,
            _ => reading.from_scratch(progress)?,
        };
        lap("transactions");
        answers.add(
            self.features,
            self.transactions_plan,
            &transactions.cells[..book],
            0,
            accounts,
            partitions,
        )?;
        let room = |strangers: &Strangers| partitions.has_room(partitions.stranger(strangers.len() as u32));
        lasts &= keeps && room(&strangers);
        if let Some(staging) = keeping.staging.filter(|_| lasts) {
            let met = strangers.len();
            let plan = self.transactions_plan;
            staging.note(parts::put_transactions(&transactions, plan, partitions, met, staging));
        }
        let transactions = keeping.retains.then_some(transactions);
        lap("features of transactions");

        let reading = self.of_bills(&strangers, Pass::Only, keeps);
        let (mut bills, (conflicts, repayments)) = match (since, &places, bills) {
            (Some(since), Some(places), Some(known)) => reading.go_on(known, places, since, progress)?,
            _ => reading.from_scratch(progress)?,
        };
        lap("repayments");
        if let Some(misfit) = bills.misfit.take() {
            return Err(misfit);
        }
        answers.add(self.features, self.bills_plan, &bills.cells, 0, accounts, partitions)?;
        lasts &= room(&strangers);
        if let Some(staging) = keeping.staging.filter(|_| lasts) {
            staging.note(parts::put_bills(&bills, self.bills_plan, partitions, staging));
        }
        let strangers = strangers.into_ids();
        if let Some(staging) = keeping.staging.filter(|_| lasts) {
            staging.note(parts::put_ids(&accounts.ids, &strangers, staging));
        }
        let history = transactions.filter(|_| lasts).map(|transactions| {
            let book = accounts.ids.clone();
            History { as_of, book, strangers, transactions, bills, grounds }
        });
        lap("features of repayments");
        Ok(Told { history, transactions: tally, repayments, conflicts, lasts })
    }

    /// Reads from scratch in several passes over the inputs: each holds a part of the accounts in memory,
    /// and nothing can be kept for a later night. What does not fit is told when all passes have been made:
    /// parts come from the last accounts to the first, and the first account is told.
    pub fn tell_in_passes(
        &self,
        passes: usize,
        answers: &mut Answers,
        progress: &Progress,
        mut lap: impl FnMut(&str),
    ) -> Result<Told> {
        let Reading { accounts, partitions, .. } = *self;
        let book = partitions.of_book();
        let each = book.div_ceil(passes.max(1));
        let part = |start: usize| start..if start + each < book { start + each } else { partitions.count() };
        // The last part goes first: with it go the strangers, who may be in any row group.
        let parts: Vec<Range<usize>> = (0..book).step_by(each).rev().map(part).collect();
        let (mut transactions, mut repayments, mut conflicts) = (None, None, 0);
        let (mut overflow, mut misfit) = (None, None);
        let scan = Scan::default();
        for part in &parts {
            let pass = Pass::of(part, &parts[0], &scan);
            let (read, tally, _) = self.of_transactions(None, pass).from_scratch(progress)?;
            let cells = &read.cells[part.start..part.end.min(book)];
            let plan = self.transactions_plan;
            let added = answers.add(self.features, plan, cells, part.start, accounts, partitions);
            overflow = added.err().or(overflow);
            transactions.get_or_insert(tally);
        }
        if let Some(overflow) = overflow {
            return Err(overflow);
        }
        lap("transactions");
        let strangers = Strangers::default();
        let scan = Scan::default();
        for part in &parts {
            let pass = Pass::of(part, &parts[0], &scan);
            let (read, (counted, tally)) = self.of_bills(&strangers, pass, false).from_scratch(progress)?;
            repayments.get_or_insert(tally);
            conflicts += counted;
            if read.misfit.is_some() {
                misfit = read.misfit;
                continue;
            }
            let plan = self.bills_plan;
            let added = answers.add(self.features, plan, &read.cells, part.start, accounts, partitions);
            overflow = added.err().or(overflow);
        }
        if let Some(error) = misfit.or(overflow) {
            return Err(error);
        }
        lap("repayments");
        let (transactions, repayments) = (transactions.unwrap_or_default(), repayments.unwrap_or_default());
        Ok(Told { history: None, transactions, repayments, conflicts, lasts: false })
    }

    fn of_transactions<'b>(
        &'b self,
        strangers: Option<&'b Strangers>,
        pass: Pass<'b>,
    ) -> transactions::Reading<'b> {
        transactions::Reading {
            source: self.transactions.clone(),
            past: self.past,
            slots: self.slots.clone(),
            scope_len: self.scope_len,
            plan: self.transactions_plan,
            as_of: self.as_of,
            accounts: self.accounts,
            strangers,
            partitions: self.partitions,
            pass,
        }
    }

    fn of_bills<'b>(&'b self, strangers: &'b Strangers, pass: Pass<'b>, keeps: bool) -> bills::Reading<'b> {
        bills::Reading {
            source: self.repayments.clone(),
            plan: self.bills_plan,
            as_of: self.as_of,
            accounts: self.accounts,
            strangers,
            partitions: self.partitions,
            tolerance: self.tolerance,
            pass,
            keeps,
        }
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
        let stranger = |id: Id| partitions.stranger(strangers.number_of(id));
        let book = accounts.positions(&column).into_iter().enumerate();
        let mut book = book.map(|(old, new)| match new {
            STRANGER => stranger(self.book.get(old)),
            position => position,
        });
        let own = self.partitions();
        let mut by_partition: Vec<Vec<u32>> = (0..own.of_book())
            .map(|partition| book.by_ref().take(own.accounts(partition).len()).collect())
            .collect();
        let found = |id: &Id| accounts.find(id).unwrap_or_else(|| stranger(id.clone()));
        let first = own.of_book();
        for partition in first..own.count() {
            let start = (own.accounts(partition).start - own.accounts(first).start) as usize;
            let end = (start + own.accounts(partition).len()).min(self.strangers.len());
            by_partition.push(self.strangers.get(start..end).unwrap_or_default().iter().map(found).collect());
        }
        Places { by_partition }
    }
}

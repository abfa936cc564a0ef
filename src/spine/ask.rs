//! What is asked: the distinct accounts and days of a spine's rows, and of which rows nothing can be asked.

use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::*;

use super::asked_rows::AskedRows;
use crate::day::{Dates, Day};
use crate::expr::Column;
use crate::failure::input;
use crate::features::{Asked, AskedDay, MOST_SLOTS};
use crate::input::accounts::{Accounts, compare_ids, distinct_ids};
use crate::input::snapshot::snapshot_of;
use crate::job::Job;
use crate::run::Deliveries;

/// Why a row has no features: the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// Its account is null or empty.
    MissingAccount,
    /// Its as-of date is null.
    MissingDate,
    /// Transactions or repayments have no delivery of its as-of date.
    NotDelivered,
    /// There is no snapshot of lines for its as-of date.
    NoSnapshot,
    /// The snapshot has no accepted line of its account.
    NoLine,
}

impl LeftOut {
    /// All of them, in the order in which they are looked for.
    pub const ALL: [LeftOut; 5] = [
        LeftOut::MissingAccount,
        LeftOut::MissingDate,
        LeftOut::NotDelivered,
        LeftOut::NoSnapshot,
        LeftOut::NoLine,
    ];

    /// As the output names it.
    pub fn name(self) -> &'static str {
        match self {
            LeftOut::MissingAccount => "missing_account",
            LeftOut::MissingDate => "missing_date",
            LeftOut::NotDelivered => "not_delivered",
            LeftOut::NoSnapshot => "no_snapshot",
            LeftOut::NoLine => "no_line",
        }
    }
}

/// One account on one day, asked for by one row or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    /// Position of the account.
    pub account: u32,
    /// When.
    pub dates: AskedDay,
}

/// The questions of a spine.
pub(super) struct Questions {
    /// The accounts that are asked for.
    pub accounts: Accounts,
    /// Ascending, each once.
    pub distinct: Vec<Question>,
    /// By row: the number of its question.
    pub rows: Vec<Result<u32, LeftOut>>,
    /// By as-of date that is asked for: the snapshot that its run stands on (`None`: the undated one).
    pub snapshots: BTreeMap<Day, Option<Day>>,
}

impl Questions {
    /// Looks every row over; `snapshot` says what the run of a day stands on, if there could be one.
    pub fn of(rows: &AskedRows, snapshot: impl Fn(Day) -> Result<Option<Day>, LeftOut>) -> Questions {
        let mut days: BTreeMap<Day, Result<Option<Day>, LeftOut>> = BTreeMap::new();
        let mut dates = Vec::with_capacity(rows.len());
        for (row, day) in rows.days.iter().enumerate() {
            dates.push(match day {
                _ if is_blank(&rows.account, row) => Err(LeftOut::MissingAccount),
                None => Err(LeftOut::MissingDate),
                Some(day) => {
                    let found = days.entry(day.as_of).or_insert_with(|| snapshot(day.as_of));
                    found.map(|_| *day)
                }
            });
        }
        let accounts = accounts_of(&rows.account, &dates);
        let positions = accounts.positions(&rows.account);
        let questions = positions.iter().zip(dates);
        let questions: Vec<Result<Question, LeftOut>> =
            questions.map(|(account, dates)| Ok(Question { account: *account, dates: dates? })).collect();
        let mut distinct: Vec<Question> = questions.iter().flatten().copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let mut rows = Vec::with_capacity(questions.len());
        for question in questions {
            rows.push(question.map(|question| {
                distinct.binary_search(&question).expect("every question is among the distinct ones") as u32
            }));
        }
        let snapshots = days.into_iter().filter_map(|(day, snapshot)| Some((day, snapshot.ok()?))).collect();
        Questions { accounts, distinct, rows, snapshots }
    }

    /// The first as-of date that is asked for, and the last as-of date and known-on date; `None` where
    /// nothing is asked.
    pub fn span(&self) -> Option<(Day, Dates)> {
        let first = *self.snapshots.keys().next()?;
        let as_of = *self.snapshots.keys().next_back()?;
        let known_on = self.distinct.iter().map(|question| question.dates.known_on).max()?;
        Some((first, Dates { as_of, known_on, chain_from: None }))
    }

    /// The snapshots that runs stand on, with the as-of dates that stand on each.
    pub fn days_by_snapshot(&self) -> BTreeMap<Option<Day>, Vec<Day>> {
        let mut by_snapshot: BTreeMap<Option<Day>, Vec<Day>> = BTreeMap::new();
        for (day, snapshot) in &self.snapshots {
            by_snapshot.entry(*snapshot).or_default().push(*day);
        }
        by_snapshot
    }

    /// Leaves the questions that can be answered, by number, and asks them of the engine; the slot of each
    /// row.
    pub fn ask(&self, has_line: &[bool]) -> (AskedSlots, Vec<Result<u32, LeftOut>>) {
        let mut slots = Vec::with_capacity(has_line.len());
        let (mut starts, mut days, mut positions) = (Vec::new(), Vec::new(), Vec::new());
        for (question, has_line) in self.distinct.iter().zip(has_line) {
            if !has_line {
                slots.push(Err(LeftOut::NoLine));
                continue;
            }
            if positions.last() != Some(&question.account) {
                positions.push(question.account);
                starts.push(days.len() as u32);
            }
            slots.push(Ok(days.len() as u32));
            days.push(question.dates);
        }
        starts.push(days.len() as u32);
        let accounts = Accounts::new(self.accounts.ids.gather(&positions));
        let rows = self.rows.iter().map(|number| slots[(*number)? as usize]).collect();
        (AskedSlots { accounts, starts, days }, rows)
    }
}

/// What is asked of the engine.
pub struct AskedSlots {
    /// The accounts.
    pub accounts: Accounts,
    /// As in [`Asked`].
    pub starts: Vec<u32>,
    /// By slot.
    pub days: Vec<AskedDay>,
}

impl AskedSlots {
    /// Fails where an account is asked for more days than an answer can hold; `subject` is what names the rows.
    pub fn check(&self, subject: &str) -> Result<()> {
        let days = self.starts.windows(2).map(|ends| (ends[1] - ends[0]) as usize);
        match days.enumerate().find(|(_, days)| *days > MOST_SLOTS) {
            None => Ok(()),
            Some((account, days)) => Err(input(format!(
                "{subject}: account {} is asked for on {days} days, and at most {MOST_SLOTS} can be told: \
                 ask for the others in a file of their own",
                self.accounts.ids.text(account)
            ))),
        }
    }

    /// The same, as the engine takes it.
    pub fn asked(&self) -> Asked<'_> {
        Asked { accounts: &self.accounts, starts: self.starts.clone(), days: self.days.clone() }
    }
}

/// The snapshot that the run of a day stands on, if there could be one.
pub(super) fn snapshot(job: &Job, deliveries: &Deliveries, as_of: Day) -> Result<Option<Day>, LeftOut> {
    let is_delivered = [&deliveries.transactions, &deliveries.repayments]
        .into_iter()
        .all(|input| input.require(as_of).is_ok());
    if !is_delivered {
        return Err(LeftOut::NotDelivered);
    }
    let found = snapshot_of(&deliveries.lines, as_of, job.lines_max_age_days);
    found.map(|(snapshot, _)| snapshot).map_err(|_| LeftOut::NoSnapshot)
}

fn is_blank(account: &Column, row: usize) -> bool {
    match account {
        Column::Text(texts) => texts.get(row).is_none_or(str::is_empty),
        column => !column.is_valid(row),
    }
}

/// The distinct accounts of the rows of which something can be asked.
fn accounts_of(account: &Column, dates: &[Result<AskedDay, LeftOut>]) -> Accounts {
    let mut rows: Vec<u32> = (0..dates.len() as u32).filter(|row| dates[*row as usize].is_ok()).collect();
    rows.par_sort_unstable_by(|a, b| compare_ids(account, *a as usize, *b as usize));
    Accounts::new(distinct_ids(account, &rows))
}

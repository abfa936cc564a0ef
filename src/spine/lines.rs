//! The lines that the questions' runs would see: each snapshot read once, of it the lines of the accounts
//! asked for, with what had been issued by each day laid over.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;

use super::ask::Questions;
use crate::console::Progress;
use crate::day::Day;
use crate::expr::Column;
use crate::expr::column::concat;
use crate::features::plan::FeaturePlan;
use crate::input::account_range::AccountRange;
use crate::input::accounts::{Accounts, OFF_BOOK};
use crate::input::catalog::Delivery;
use crate::input::file::OpenFile;
use crate::input::footer_cache::FooterCache;
use crate::input::issued::IssuedHistory;
use crate::input::line_columns::line_columns;
use crate::input::lines::Lines;
use crate::input::schemas::{self, Inspected};
use crate::input::snapshot::{self, snapshot_of};
use crate::input::wanted::{Units, Wanted};
use crate::job::{From, Job};
use crate::run::{Deliveries, Files, earlier_snapshots, wanted_lines};
use crate::signal;

/// Lines by who asks for them.
pub(super) struct AskedLines {
    /// By line: the number of the question, or its slot; ascending.
    pub slot: Vec<u32>,
    /// The columns of the lines scope that features read.
    pub columns: Vec<Option<Column>>,
}

/// The deliveries of lines that are read for some snapshots.
pub(super) fn deliveries_of(
    job: &Job,
    deliveries: &Deliveries,
    by_snapshot: &BTreeMap<Option<Day>, Vec<Day>>,
) -> Result<Vec<Delivery>> {
    let mut all = BTreeMap::new();
    for days in by_snapshot.values() {
        let (_, read) = snapshot_of(&deliveries.lines, days[0], job.lines_max_age_days)?;
        all.extend(read.into_iter().map(|delivery| (delivery.date, delivery)));
    }
    Ok(all.into_values().collect())
}

/// What gathering lines takes.
pub(super) struct Gathering<'a> {
    pub job: &'a Job,
    pub deliveries: &'a Deliveries,
    pub files: &'a Files,
    pub units: &'a Units,
    pub questions: &'a Questions,
    pub scratch: &'a Path,
    pub progress: &'a Progress,
}

impl Gathering<'_> {
    /// Fails where a snapshot lacks an optional column that an earlier one had, as the run of its day would.
    pub fn check_columns(
        &self,
        by_snapshot: &BTreeMap<Option<Day>, Vec<Day>>,
        footers: &mut FooterCache,
    ) -> Result<()> {
        let wanted: Vec<Wanted> = wanted_lines(self.job).into_iter().map(|(_, wanted)| wanted).collect();
        for snapshot in by_snapshot.keys() {
            let files = self.files_of(*snapshot);
            let earlier = earlier_snapshots(&self.deliveries.lines, *snapshot, &files, &wanted, footers);
            let spec = &self.job.inputs.lines;
            let inspected = Inspected { earlier, ..Inspected::new(spec, &files, wanted.clone()) };
            schemas::check(&[inspected], self.units, self.job.mixed_money)?;
        }
        Ok(())
    }

    /// Gathers the lines of all questions; a question without any has no line.
    pub fn gather(&self, by_snapshot: &BTreeMap<Option<Day>, Vec<Day>>) -> Result<AskedLines> {
        let accounts = &self.questions.accounts;
        let issued = IssuedHistory::read(&self.files.issued, self.units, accounts, self.progress)?;
        let by_day = self.questions_by_day();
        let mut parts: Vec<AskedLines> = Vec::new();
        for (snapshot, days) in by_snapshot {
            signal::check()?;
            let of_days: Vec<&[u32]> = days.iter().map(|day| &*by_day[day]).collect();
            let Some(lines) = self.load(*snapshot, &of_days.concat())? else { continue };
            let asked = days.par_iter().zip(of_days);
            parts.par_extend(asked.map(|(day, questions)| self.of_day(&lines, &issued, *day, questions)));
        }
        Ok(AskedLines::join(parts, self.job.scopes.lines.columns.len()))
    }

    fn files_of(&self, snapshot: Option<Day>) -> Vec<OpenFile> {
        let within = self.job.inputs.lines.unique.as_ref().map_or(0, |unique| unique.within_days);
        let first = snapshot.map(|day| day.plus(-i32::try_from(within).unwrap_or(i32::MAX)));
        let files = self.files.lines.iter();
        files.filter(|file| first <= file.delivery && file.delivery <= snapshot).cloned().collect()
    }

    /// By as-of date: the questions, ascending.
    fn questions_by_day(&self) -> BTreeMap<Day, Vec<u32>> {
        let mut by_day: BTreeMap<Day, Vec<u32>> = BTreeMap::new();
        for (number, question) in (0..).zip(&self.questions.distinct) {
            by_day.entry(question.dates.as_of).or_default().push(number);
        }
        by_day
    }

    /// The lines that a snapshot has of the accounts of some questions; `None` where it has not one.
    fn load(&self, snapshot: Option<Day>, questions: &[u32]) -> Result<Option<Lines>> {
        let mut accounts: Vec<u32> = questions.iter().map(|number| self.account(*number)).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let only = Accounts::new(self.questions.accounts.ids.gather(&accounts));
        let Gathering { job, units, scratch, progress, .. } = *self;
        let (spec, range) = (&job.inputs.lines, &AccountRange::default());
        let reading = snapshot::LinesReading { spec, units, scratch, progress, only: Some(&only), range };
        let scope_len = job.scopes.lines.columns.len();
        Ok(snapshot::load_any(reading, &self.files_of(snapshot), snapshot, wanted_lines(job), scope_len)?
            .ok())
    }

    fn account(&self, question: u32) -> u32 {
        self.questions.distinct[question as usize].account
    }

    /// The lines of a day's questions, as its run sees them.
    fn of_day(&self, lines: &Lines, issued: &IssuedHistory, as_of: Day, questions: &[u32]) -> AskedLines {
        let mut accounts: Vec<u32> = questions.iter().map(|number| self.account(*number)).collect();
        accounts.dedup();
        let ids = self.questions.accounts.ids.gather(&accounts);
        let positions = lines.accounts.positions(&ids.to_column());
        let in_snapshot = accounts.into_iter().zip(positions).filter(|(_, position)| *position != OFF_BOOK);
        let (accounts, positions): (Vec<u32>, Vec<u32>) = in_snapshot.unzip();
        let known = Accounts::new(self.questions.accounts.ids.gather(&accounts));
        let mut lines = lines.of_accounts(&positions, known);
        issued.lay_over(as_of, &mut lines, &accounts);
        // A line is asked for as often as its account is: by several known-on dates, perhaps.
        let (mut slot, mut rows) = (Vec::new(), Vec::new());
        for number in questions {
            let Ok(account) = accounts.binary_search(&self.account(*number)) else { continue };
            let first = lines.account.partition_point(|other| (*other as usize) < account);
            let own = lines.account[first..].iter().take_while(|other| **other as usize == account).count();
            rows.extend(first as u32..(first + own) as u32);
            slot.extend(std::iter::repeat_n(*number, own));
        }
        let job = self.job;
        let needed = FeaturePlan::new(&job.features, From::Lines).columns;
        let all = 0..lines.account.len();
        let columns = line_columns(&lines, as_of, all, &needed, job.scopes.lines.columns.len());
        let columns = columns.into_iter().map(|column| column.map(|column| column.gather(&rows)));
        AskedLines { slot, columns: columns.collect() }
    }
}

impl AskedLines {
    /// Puts the lines of several days together, in order of question.
    fn join(parts: Vec<AskedLines>, scope_len: usize) -> AskedLines {
        let mut slot: Vec<u32> = Vec::new();
        let mut columns: Vec<Vec<Column>> = vec![Vec::new(); scope_len];
        for part in parts {
            slot.extend(part.slot);
            let own = part.columns.into_iter().zip(&mut columns);
            own.for_each(|(column, parts)| parts.extend(column));
        }
        let mut order: Vec<u32> = (0..slot.len() as u32).collect();
        order.par_sort_by_key(|row| slot[*row as usize]);
        let slot = order.iter().map(|row| slot[*row as usize]).collect();
        let columns = columns.into_par_iter();
        let columns =
            columns.map(|parts| (!parts.is_empty()).then(|| concat(parts).gather(&order))).collect();
        AskedLines { slot, columns }
    }

    /// By question, of so many: whether it has a line.
    pub fn answered(&self, questions: usize) -> Vec<bool> {
        let mut has_line = vec![false; questions];
        self.slot.iter().for_each(|number| has_line[*number as usize] = true);
        has_line
    }

    /// The same lines by slot, where slots are the questions that have lines, in order.
    pub fn by_slot(mut self) -> AskedLines {
        let mut slot = 0;
        let mut before = self.slot.first().copied();
        for number in &mut self.slot {
            slot += u32::from(before != Some(*number));
            before = Some(*number);
            *number = slot;
        }
        self
    }

    /// The columns of a run of lines.
    pub fn columns(&self, lines: Range<usize>) -> Vec<Option<Column>> {
        self.columns.iter().map(|column| column.as_ref().map(|column| column.slice(lines.clone()))).collect()
    }
}

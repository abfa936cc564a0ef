//! Whose lines the snapshots of some days have: the rows of a spine that asks for the whole book.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::Result;

use super::ask::{LeftOut, snapshot};
use super::sweep::FeatureSweep;
use crate::console::Progress;
use crate::day::Day;
use crate::input::account_range::AccountRange;
use crate::input::accounts::Ids;
use crate::input::snapshot::{self, snapshot_of};
use crate::input::wanted::Units;
use crate::run::wanted_lines;
use crate::signal;

/// The book of a day.
#[derive(Debug)]
pub struct BookDay {
    /// When.
    pub as_of: Day,
    /// The accounts with an accepted line, ascending; why there is no run of that day.
    pub accounts: Result<Ids, LeftOut>,
}

impl FeatureSweep {
    /// The accounts that the runs of some days would score.
    pub fn books(
        &mut self,
        days: impl IntoIterator<Item = Day>,
        progress: &Progress,
    ) -> Result<Vec<BookDay>> {
        let mut known: BTreeMap<Option<Day>, Option<Ids>> = BTreeMap::new();
        let mut books = Vec::new();
        for as_of in days {
            signal::check()?;
            let accounts = match snapshot(&self.job, &self.deliveries, as_of) {
                Err(why) => Err(why),
                Ok(snapshot) => {
                    let ids = match known.entry(snapshot) {
                        Entry::Occupied(known) => known.into_mut(),
                        Entry::Vacant(free) => free.insert(self.accounts_of(as_of, progress)?),
                    };
                    ids.clone().ok_or(LeftOut::NoLine)
                }
            };
            books.push(BookDay { as_of, accounts });
        }
        Ok(books)
    }

    /// The accounts of the snapshot that the run of a day stands on; `None` where it has no accepted line.
    fn accounts_of(&mut self, as_of: Day, progress: &Progress) -> Result<Option<Ids>> {
        let FeatureSweep { job, deliveries, footers, scratch, .. } = self;
        let (snapshot, read) = snapshot_of(&deliveries.lines, as_of, job.lines_max_age_days)?;
        let (spec, units, range) = (&job.inputs.lines, &Units::of(job), &AccountRange::default());
        let files = footers.open(spec, &read)?;
        let reading = snapshot::LinesReading { spec, units, scratch, progress, only: None, range };
        let scope_len = job.scopes.lines.columns.len();
        let lines = snapshot::load_any(reading, &files, snapshot, wanted_lines(job), scope_len)?;
        Ok(lines.ok().map(|lines| lines.accounts.ids))
    }
}

//! The file that names accounts and days: its columns, checked against the job, and what each row asks.

use std::path::Path;

use anyhow::Result;
use jiff::tz::TimeZone;

use super::asked_rows::{AskedRows, days_of};
use crate::console::Progress;
use crate::expr::{Column, Ints, Type};
use crate::failure::input;
use crate::features::AskedDay;
use crate::input::file::OpenFile;
use crate::input::wanted::{Presence, Role, Units, Wanted};
use crate::input::whole::{open_whole, read_whole};
use crate::job::{InputSpec, Job, input_names};

/// A spine as read: which account and days each row names. Its other columns stay in the file.
pub(super) struct Spine {
    /// The file.
    pub file: OpenFile,
    /// What each row asks.
    pub asked: AskedRows,
    spec: InputSpec,
    units: Units,
}

/// The columns that a spine must have, and one that it may have.
fn wanted(account_kind: Type) -> Vec<Wanted> {
    let known_on = Wanted { presence: Presence::Optional, ..Wanted::new("known_on", Role::Date) };
    vec![Wanted::new("account_id", Role::Id).of(account_kind), Wanted::new("as_of", Role::Date), known_on]
}

impl Spine {
    /// Reads its accounts and days. A row that would know less than the run of its day is an error.
    pub fn read(path: &Path, timezone: Option<&TimeZone>, progress: &Progress) -> Result<Spine> {
        let spec = InputSpec::of_file(input_names::SPINE, path);
        let file = open_whole(&spec, path)?;
        let units = Units { minor_units: 0, timezone: timezone.cloned() };
        let mut columns = read_whole(&file, &spec, &wanted(Type::Any), &units, progress)?.into_iter();
        let mut next = || columns.next().expect("as many as wanted");
        let (account, as_of, known_on) = (next(), days(next()), days(next()));
        let rows = days_of(&as_of).zip(days_of(&known_on));
        let days = rows.map(|(as_of, known_on)| {
            as_of.map(|as_of| AskedDay { as_of, known_on: known_on.unwrap_or(as_of) })
        });
        let asked = AskedRows { account, days: days.collect() };
        let spine = Spine { file, asked, spec, units };
        spine.check_days()?;
        Ok(spine)
    }

    fn check_days(&self) -> Result<()> {
        let early = self.asked.days.iter().enumerate().find_map(|(row, day)| {
            let day = (*day)?;
            (day.known_on < day.as_of).then_some((row, day))
        });
        let Some((row, AskedDay { as_of, known_on })) = early else { return Ok(()) };
        Err(input(format!(
            "{}: row {row} has known_on {known_on}, before its as_of {as_of}: nothing can be known earlier: \
             leave known_on null, or name a later day",
            self.file.subject
        )))
    }

    /// Checks that the ids are of the job's type, and that none of the columns has the name of one of
    /// those to be added.
    pub fn check_against<'a>(&self, job: &Job, mut added: impl Iterator<Item = &'a str>) -> Result<()> {
        self.file.bind(&self.spec, &wanted(job.scopes.account_kind()), &self.units)?;
        let schema = self.file.footer().file_metadata().schema();
        match added.find(|name| schema.get_fields().iter().any(|field| field.name() == *name)) {
            None => Ok(()),
            Some(name) => Err(input(format!(
                "{}: it has a column {name}, and the output has one of that name: rename it in the spine",
                self.file.subject
            ))),
        }
    }
}

fn days(column: Column) -> Ints {
    match column {
        Column::Int(ints) => ints,
        _ => unreachable!("dates are days"),
    }
}

//! The file that names accounts and days: its columns, checked against the job, and what each row asks.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use jiff::tz::TimeZone;
use rayon::prelude::*;

use crate::console::Progress;
use crate::day::{Dates, Day};
use crate::expr::column::concat;
use crate::expr::{Column, Ints, Type};
use crate::failure::{in_order, input};
use crate::input::catalog::InputFile;
use crate::input::file::{self, OpenFile};
use crate::input::wanted::{Presence, Role, Units, Wanted};
use crate::job::{InputSpec, Job, input_names};
use crate::signal;

/// A spine as read: which account and days each row names. Its other columns stay in the file.
pub(super) struct Spine {
    /// The file.
    pub file: OpenFile,
    /// The account of each row; null or empty where it has none.
    pub account: Column,
    as_of: Ints,
    known_on: Ints,
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
        let spec = InputSpec {
            name: input_names::SPINE,
            pattern: path.display().to_string(),
            root: path.parent().unwrap_or(Path::new("")).to_path_buf(),
            rename: BTreeMap::new(),
            unique: None,
            without: Vec::new(),
        };
        let file = InputFile::at(path.display().to_string(), path.to_path_buf());
        let file = file::open(&spec, None, &file)?;
        let units = Units { minor_units: 0, timezone: timezone.cloned() };
        let wanted = wanted(Type::Any);
        let binding = file.bind(&spec, &wanted, &units)?;
        progress.read(spec.name, 1, file.rows());
        let groups = (0..file.row_groups.len()).into_par_iter().map(|group| {
            signal::check()?;
            let mut parts: Vec<Vec<Column>> = vec![Vec::new(); wanted.len()];
            file.read(&binding, group, |decoded| {
                decoded.columns.into_iter().zip(&mut parts).for_each(|(column, part)| part.push(column));
                Ok(())
            })?;
            progress.advance(file.row_groups[group]);
            Ok(parts)
        });
        let mut columns: Vec<Vec<Column>> = vec![Vec::new(); wanted.len()];
        for parts in in_order(groups)? {
            parts.into_iter().zip(&mut columns).for_each(|(part, column)| column.extend(part));
        }
        let mut columns = columns.into_iter().map(concat);
        let mut next = || columns.next().expect("as many as wanted");
        let (account, as_of, known_on) = (next(), days(next()), days(next()));
        let spine = Spine { file, account, as_of, known_on, spec, units };
        spine.check_days()?;
        Ok(spine)
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.account.len()
    }

    /// The as-of date and known-on date of a row; `None` where it has no as-of date.
    pub fn dates(&self, row: usize) -> Option<Dates> {
        let [as_of, known_on] =
            [&self.as_of, &self.known_on].map(|days| days.get(row).map(|day| Day(*day as i32)));
        let as_of = as_of?;
        Some(Dates { as_of, known_on: known_on.unwrap_or(as_of), chain_from: None })
    }

    /// The last as-of date and the last known-on date of all rows; `None` where no row has any.
    pub fn last_dates(&self) -> Option<Dates> {
        (0..self.rows()).filter_map(|row| self.dates(row)).reduce(|a, b| Dates {
            as_of: a.as_of.max(b.as_of),
            known_on: a.known_on.max(b.known_on),
            chain_from: None,
        })
    }

    fn check_days(&self) -> Result<()> {
        let early = (0..self.rows()).find_map(|row| {
            let dates = self.dates(row)?;
            (dates.known_on < dates.as_of).then_some((row, dates))
        });
        let Some((row, Dates { as_of, known_on, .. })) = early else { return Ok(()) };
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

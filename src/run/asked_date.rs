//! An as-of date as it is asked for: a day, or one that the job or its deliveries tell.

use std::path::Path;
use std::str::FromStr;

use anyhow::Result;
use jiff::Timestamp;

use crate::console::plain_path;
use crate::day::Day;
use crate::failure::{Kind, failure, input};
use crate::input::catalog;
use crate::job::RawJob;

/// An as-of date as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedDate {
    /// That day.
    Day(Day),
    /// The latest day of which transactions are delivered.
    Latest,
    /// The day before today in the job's time zone.
    Yesterday,
}

impl FromStr for AskedDate {
    type Err = String;

    /// Takes `YYYY-MM-DD`, `latest` and `yesterday`.
    fn from_str(text: &str) -> Result<AskedDate, String> {
        match text {
            "latest" => Ok(AskedDate::Latest),
            "yesterday" => Ok(AskedDate::Yesterday),
            _ => {
                let day = text.parse().map_err(|error| format!("{error}, or latest, or yesterday"));
                day.map(AskedDate::Day)
            }
        }
    }
}

impl AskedDate {
    /// The day that is meant, of a job. Fails where the job file is wrong or does not say what is needed.
    pub fn day(self, job: &Path) -> Result<Day> {
        match self {
            AskedDate::Day(day) => Ok(day),
            AskedDate::Latest => latest(job),
            AskedDate::Yesterday => yesterday(job),
        }
    }
}

fn latest(job: &Path) -> Result<Day> {
    let raw = RawJob::read(job)?;
    let Some(inputs) = raw.inputs() else {
        raw.diagnostics.check()?;
        return Err(usage(job, "latest", "the job has no inputs"));
    };
    let catalog = catalog::list(&inputs.transactions)?;
    if !catalog.spec.is_dated() {
        return Err(usage(job, "latest", "its transactions are not delivered by date (`{date}`)"));
    }
    let pattern = plain_path(Path::new(&catalog.spec.pattern));
    catalog.latest().ok_or_else(|| input(format!("find the latest transactions: no file matches {pattern}")))
}

fn yesterday(job: &Path) -> Result<Day> {
    let raw = RawJob::read(job)?;
    let Some(zone) = raw.timezone() else {
        raw.diagnostics.check()?;
        return Err(usage(job, "yesterday", "it has no `timezone` in which to tell what day it is"));
    };
    let today = Day::of_instant(Timestamp::now().as_second(), zone);
    Ok(today.expect("the clock is within the calendar").plus(-1))
}

fn usage(job: &Path, asked: &str, why: &str) -> anyhow::Error {
    let message = format!("--date {asked} of {}: {why}: name a date", plain_path(job));
    failure(Kind::Usage, message)
}

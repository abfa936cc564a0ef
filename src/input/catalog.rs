//! Which files an input has, by delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::day::Day;
use crate::failure::input;
use crate::job::InputSpec;

/// A file of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputFile {
    /// Relative to the directory before the first wildcard or `{date}`; orders files by its bytes.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// The rows that arrived together.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// `None` for an input whose path has no `{date}`: older than any dated one.
    pub date: Option<Day>,
    /// By name.
    pub files: Vec<InputFile>,
}

/// All deliveries of an input, oldest first.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Where the input lies.
    pub spec: InputSpec,
    /// Oldest first.
    pub deliveries: Vec<Delivery>,
}

/// How patterns are taken: a wildcard stays within its directory and finds no hidden files.
const MATCHING: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

const ANY_DATE: &str = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]";

/// Lists an input's files. A directory that cannot be listed is an error; no files at all is not.
pub fn list(spec: &InputSpec) -> Result<Catalog> {
    let pattern = spec.pattern.replace("{date}", ANY_DATE);
    let unreadable = |error: &dyn std::fmt::Display| input(format!("list {}: {error}", spec.name));
    let paths = glob::glob_with(&pattern, MATCHING).map_err(|error| unreadable(&error))?;
    let mut deliveries: BTreeMap<Option<Day>, Vec<InputFile>> = BTreeMap::new();
    for path in paths {
        let path = path.map_err(|error| unreadable(&error))?;
        if path.is_dir() {
            continue;
        }
        let name = path.strip_prefix(&spec.root).unwrap_or(&path).to_string_lossy().into_owned();
        let date = match spec.is_dated() {
            false => None,
            true => match date_of(&spec.pattern, &path) {
                None => continue,
                found => found,
            },
        };
        deliveries.entry(date).or_default().push(InputFile { name, path });
    }
    let deliveries = deliveries.into_iter().map(|(date, mut files)| {
        files.sort();
        Delivery { date, files }
    });
    Ok(Catalog { spec: spec.clone(), deliveries: deliveries.collect() })
}

/// The date that, put in for `{date}`, makes the pattern match the path.
fn date_of(pattern: &str, path: &Path) -> Option<Day> {
    let text = path.to_str()?;
    let candidates: BTreeSet<Day> = (0..text.len().saturating_sub(9))
        .filter_map(|start| text.get(start..start + 10)?.parse().ok())
        .collect();
    candidates.into_iter().rev().find(|date| is_found(pattern, *date, path))
}

/// Whether a pattern finds a path as a file of a delivery.
pub fn is_found(pattern: &str, date: Day, path: &Path) -> bool {
    let dated = glob::Pattern::new(&pattern.replace("{date}", &date.to_string()));
    dated.is_ok_and(|dated| dated.matches_path_with(path, MATCHING))
}

impl Catalog {
    /// Deliveries dated within a range, both ends included; undated ones always are.
    pub fn within(&self, from: Day, to: Day) -> Vec<Delivery> {
        let chosen = |delivery: &&Delivery| delivery.date.is_none_or(|date| from <= date && date <= to);
        self.deliveries.iter().filter(chosen).cloned().collect()
    }

    /// The day's delivery must be there where deliveries are dated; a file without rows will do.
    pub fn require(&self, day: Day) -> Result<()> {
        if !self.spec.is_dated() {
            return match self.deliveries.is_empty() {
                false => Ok(()),
                true => Err(self.not_delivered(None)),
            };
        }
        match self.deliveries.iter().any(|delivery| delivery.date == Some(day)) {
            true => Ok(()),
            false => Err(self.not_delivered(Some(day))),
        }
    }

    fn not_delivered(&self, day: Option<Day>) -> anyhow::Error {
        let name = self.spec.name;
        let path = match day {
            Some(day) => self.spec.pattern.replace("{date}", &day.to_string()),
            None => self.spec.pattern.clone(),
        };
        let of = day.map_or(String::new(), |day| format!(" of {day}"));
        input(format!(
            "find {name}{of}: no file matches {path}; deliver it (a file without rows will do) and run again"
        ))
    }

    /// Days from `from` (or the first delivery, if that is later) to `to`, both included, without a
    /// delivery. Undated inputs miss none.
    pub fn missing_days(&self, from: Option<Day>, to: Day) -> Vec<Day> {
        let dates: BTreeSet<Day> = self.deliveries.iter().filter_map(|delivery| delivery.date).collect();
        let Some(first) = dates.first() else { return Vec::new() };
        let start = from.map_or(*first, |from| from.max(*first));
        start.to(to).filter(|day| !dates.contains(day)).collect()
    }
}

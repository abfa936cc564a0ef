//! Which files an input has, by delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::day::Day;
use crate::failure::input;
use crate::job::{InputSpec, before_wildcard};

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

/// Lists an input's files. A directory that cannot be listed is an error; no files at all is not.
pub fn list(spec: &InputSpec) -> Result<Catalog> {
    let steps: Vec<&str> = spec.pattern.split('/').collect();
    let mut deliveries: BTreeMap<Option<Day>, Vec<InputFile>> = BTreeMap::new();
    let mut found = Vec::new();
    let walked = match steps.split_first() {
        Some((&"", rest)) => walk(PathBuf::from("/"), rest, None, &mut found),
        _ => walk(PathBuf::new(), &steps, None, &mut found),
    };
    walked.map_err(|(path, error)| input(format!("list {}: {}: {error}", spec.name, shown(&path))))?;
    for Found { path, date } in found {
        let name = path.strip_prefix(&spec.root).unwrap_or(&path).to_string_lossy().into_owned();
        deliveries.entry(date).or_default().push(InputFile { name, path });
    }
    let deliveries = deliveries.into_iter().map(|(date, mut files)| {
        files.sort();
        Delivery { date, files }
    });
    Ok(Catalog { spec: spec.clone(), deliveries: deliveries.collect() })
}

/// A directory that cannot be listed, and why.
type Unlisted = (PathBuf, std::io::Error);

/// What a pattern has found.
struct Found {
    path: PathBuf,
    date: Option<Day>,
}

/// Follows the steps of a pattern below a directory. What lies at its end need be no file: that shows when it is
/// opened.
fn walk(
    directory: PathBuf,
    steps: &[&str],
    date: Option<Day>,
    found: &mut Vec<Found>,
) -> Result<(), Unlisted> {
    let Some((step, rest)) = steps.split_first() else {
        found.push(Found { path: directory, date });
        return Ok(());
    };
    let dated = date.map(|date| step.replace("{date}", &date.to_string()));
    let step = dated.as_deref().unwrap_or(step);
    if let Some(name) = literal(step) {
        let path = directory.join(name);
        return match path.symlink_metadata() {
            Ok(_) => walk(path, rest, date, found),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err((path, error)),
        };
    }
    let is_any_depth = step == "**";
    if is_any_depth {
        walk(directory.clone(), rest, date, found)?;
    }
    for name in names_in(&directory)? {
        let path = directory.join(&name);
        let text = name.to_string_lossy();
        if is_any_depth {
            if path.is_dir() {
                walk(path, steps, date, found)?;
            }
        } else if step.contains("{date}") {
            if let Some(date) = date_of(step, &text) {
                walk(path, rest, Some(date), found)?;
            }
        } else if matches(step, &text) {
            walk(path, rest, date, found)?;
        }
    }
    Ok(())
}

/// What a step without a wildcard stands for.
fn literal(step: &str) -> Option<String> {
    let (name, wildcard) = before_wildcard(step);
    wildcard.is_empty().then_some(name)
}

/// The names in a directory that may be data, or lead to them; none of one that is not there.
fn names_in(directory: &Path) -> Result<Vec<OsString>, Unlisted> {
    let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    match here.read_dir().and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect()) {
        Ok(names) => Ok(Vec::into_iter(names).filter(may_be_data).collect()),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err((directory.to_path_buf(), error)),
    }
}

/// Whether a name is none of those that writers give to what is no data, as in `_SUCCESS`.
fn may_be_data(name: &OsString) -> bool {
    !matches!(name.as_encoded_bytes().first(), Some(b'_' | b'.'))
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn matches(step: &str, name: &str) -> bool {
    glob::Pattern::new(step).is_ok_and(|step| step.matches_with(name, MATCHING))
}

/// The latest date that, put in for `{date}`, makes a step match a name.
fn date_of(step: &str, name: &str) -> Option<Day> {
    let candidates: BTreeSet<Day> = (0..name.len().saturating_sub(9))
        .filter_map(|start| name.get(start..start + 10)?.parse().ok())
        .collect();
    candidates.into_iter().rev().find(|date| matches(&step.replace("{date}", &date.to_string()), name))
}

/// A path for people to read: bytes that are no text, and characters that would move a terminal, are
/// escaped.
pub fn shown(path: &Path) -> String {
    match path.to_str() {
        Some(text) if text.chars().any(char::is_control) => text.escape_debug().to_string(),
        Some(text) => text.to_string(),
        None => path.as_os_str().as_encoded_bytes().escape_ascii().to_string(),
    }
}

/// Whether a pattern finds a path as a file of a delivery.
pub fn is_found(pattern: &str, date: Day, path: &Path) -> bool {
    let dated = glob::Pattern::new(&pattern.replace("{date}", &date.to_string()));
    dated.is_ok_and(|dated| dated.matches_path_with(path, MATCHING))
}

impl Catalog {
    /// Deliveries dated within a range, both ends included; undated ones always are.
    pub fn within(&self, from: Day, to: Day) -> Vec<Delivery> {
        let within = self.deliveries.iter();
        within
            .filter(|delivery| delivery.date.is_none_or(|date| from <= date && date <= to))
            .cloned()
            .collect()
    }

    /// The day's delivery must be there where deliveries are dated; a file without rows will do.
    pub fn require(&self, day: Day) -> Result<()> {
        let day = Some(day).filter(|_| self.spec.is_dated());
        if self.deliveries.iter().any(|delivery| delivery.date == day) {
            return Ok(());
        }
        Err(self.not_delivered(day))
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

//! Which files an input has, by delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;

use super::tree::Tree;
use crate::console::plain_path;
use crate::day::Day;
use crate::failure::{in_order, input};
use crate::job::{InputSpec, before_wildcard};
use crate::store::{StoredObject, is_url};

/// A file of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputFile {
    /// Relative to the directory before the first wildcard or `{date}`; orders files by its bytes.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What a listing said of it, where it is in an object store.
    pub object: Option<StoredObject>,
}

impl InputFile {
    /// A file that has not been listed.
    pub fn at(name: String, path: PathBuf) -> InputFile {
        InputFile { name, path, object: None }
    }
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
    let mut deliveries = FilesByDate::new();
    if spec.is_none() {
        return Ok(catalog(spec, deliveries));
    }
    let found = tree_of(spec).map_err(|error| (spec.root.clone(), error));
    let found = found.and_then(|tree| find(&tree, &spec.pattern));
    for Found { path, date, object } in found.map_err(|unlisted| not_listed(spec, unlisted))? {
        let name = path.strip_prefix(&spec.root).unwrap_or(&path).to_string_lossy().into_owned();
        deliveries.entry(date).or_default().push(InputFile { name, path, object });
    }
    Ok(catalog(spec, deliveries))
}

/// A file of a table of a run.
#[derive(Debug, Clone)]
pub struct RunFile {
    /// Relative to the run, the same wherever it lies.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Lists an input that reads a table of runs: its last step is the name of a file. `files_of` finds the files of
/// that name in the directory of a run; there may be none, or several.
pub fn list_runs(
    spec: &InputSpec,
    files_of: &(dyn Fn(&Path, &str) -> Result<Vec<RunFile>> + Sync),
) -> Result<Catalog> {
    let split = spec.pattern.rsplit_once('/').and_then(|(runs, file)| Some((runs, literal(file)?)));
    let Some((runs, file)) = split.filter(|(runs, _)| !runs.is_empty()) else { return list(spec) };
    let tree = if is_url(&spec.root) { Tree::Asked } else { Tree::Disk };
    let found = find(&tree, runs).map_err(|unlisted| not_listed(spec, unlisted))?;
    let files = in_order(found.into_par_iter().map(|Found { path, date, .. }| {
        let within = path.strip_prefix(&spec.root).unwrap_or(&path);
        let files = files_of(&path, &file)?.into_iter().map(|RunFile { name, path }| {
            InputFile::at(within.join(name).to_string_lossy().into_owned(), path)
        });
        Ok((date, files.collect::<Vec<InputFile>>()))
    }))?;
    let mut deliveries = FilesByDate::new();
    for (date, files) in files.into_iter().filter(|(_, files)| !files.is_empty()) {
        deliveries.entry(date).or_default().extend(files);
    }
    Ok(catalog(spec, deliveries))
}

type FilesByDate = BTreeMap<Option<Day>, Vec<InputFile>>;

fn not_listed(spec: &InputSpec, (path, error): Unlisted) -> anyhow::Error {
    input(format!("list {}: {}: {error}", spec.name, shown(&path)))
}

fn catalog(spec: &InputSpec, deliveries: FilesByDate) -> Catalog {
    let deliveries = deliveries.into_iter().map(|(date, mut files)| {
        files.sort();
        Delivery { date, files }
    });
    Catalog { spec: spec.clone(), deliveries: deliveries.collect() }
}

/// A directory that cannot be listed, and why.
type Unlisted = (PathBuf, std::io::Error);

/// What a pattern has found.
struct Found {
    path: PathBuf,
    date: Option<Day>,
    object: Option<StoredObject>,
}

/// What a pattern finds.
fn find(tree: &Tree, pattern: &str) -> Result<Vec<Found>, Unlisted> {
    let steps: Vec<&str> = pattern.split('/').collect();
    let (directory, steps) = match &steps[..] {
        // A URL's bucket is no step: `s3:`, nothing, the bucket.
        [scheme, "", bucket, rest @ ..] if is_url(Path::new(pattern)) => {
            (PathBuf::from(format!("{scheme}//{bucket}")), rest)
        }
        ["", rest @ ..] => (PathBuf::from("/"), rest),
        all => (PathBuf::new(), all),
    };
    let mut found = Vec::new();
    walk(tree, directory, steps, None, &mut found)?;
    Ok(found)
}

/// The directories that a pattern goes through. Of a bucket all that may match is listed at once: a request
/// gives a thousand keys, and to ask for a directory takes one too.
fn tree_of(spec: &InputSpec) -> std::io::Result<Tree> {
    if !is_url(&spec.root) {
        return Ok(Tree::Disk);
    }
    match literal(&spec.pattern) {
        Some(path) => Tree::of_one(&spec.root, path.rsplit('/').next().unwrap_or_default()),
        None => Tree::below(&spec.root),
    }
}

/// Follows the steps of a pattern below a directory. What lies at its end need be no file: that shows when it is
/// opened.
fn walk(
    tree: &Tree,
    directory: PathBuf,
    steps: &[&str],
    date: Option<Day>,
    found: &mut Vec<Found>,
) -> Result<(), Unlisted> {
    let Some((step, rest)) = steps.split_first() else {
        found.push(Found { object: tree.object(&directory), path: directory, date });
        return Ok(());
    };
    let dated = date.map(|date| step.replace("{date}", &date.to_string()));
    let step = dated.as_deref().unwrap_or(step);
    if let Some(name) = literal(step) {
        let path = directory.join(name);
        return match tree.check_is_there(&path) {
            Ok(()) => walk(tree, path, rest, date, found),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err((path, error)),
        };
    }
    let is_any_depth = step == "**";
    if is_any_depth {
        walk(tree, directory.clone(), rest, date, found)?;
    }
    for name in names_in(tree, &directory)? {
        let path = directory.join(&name);
        let text = name.to_string_lossy();
        if is_any_depth {
            if tree.is_directory(&path) {
                walk(tree, path, steps, date, found)?;
            }
        } else if step.contains("{date}") {
            if let Some(date) = date_of(step, &text) {
                walk(tree, path, rest, Some(date), found)?;
            }
        } else if matches(step, &text) {
            walk(tree, path, rest, date, found)?;
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
fn names_in(tree: &Tree, directory: &Path) -> Result<Vec<OsString>, Unlisted> {
    match tree.names_in(directory) {
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

    /// The day's delivery must be there where deliveries are dated; a file without rows will do. Of an input that the
    /// job does without nothing must be there.
    pub fn require(&self, day: Day) -> Result<()> {
        let day = Some(day).filter(|_| self.spec.is_dated());
        if self.spec.is_none() || self.deliveries.iter().any(|delivery| delivery.date == day) {
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
        let path = plain_path(Path::new(&path));
        let of = day.map_or(String::new(), |day| format!(" of {day}"));
        let latest = match self.latest().filter(|_| day.is_some()) {
            Some(latest) => format!(", the latest delivery is that of {latest}"),
            None => String::new(),
        };
        input(format!(
            "find {name}{of}: no file matches {path}{latest}; deliver it (a file without rows will do) and run again"
        ))
    }

    /// The day of the latest dated delivery.
    pub fn latest(&self) -> Option<Day> {
        self.deliveries.iter().filter_map(|delivery| delivery.date).max()
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

//! What two runs were made from: whether they can be compared, and in what they differ before any table is read.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;
use std::path::Path;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::day::Day;
use crate::input::reason::RejectReason;
use crate::job::{JobSources, RUN_FILES};
use crate::run_dir::manifest::{InputEntry, Manifest};

/// A run as its manifest describes it.
#[derive(Debug, Clone, Serialize)]
pub struct RunLabel {
    /// Its directory.
    pub run: String,
    /// The job's name.
    pub job: String,
    /// The as-of date.
    pub as_of: Day,
    /// The known-on date.
    pub known_on: Day,
    /// The date of the lines snapshot.
    pub snapshot: Option<Day>,
    /// Of the program that ran.
    pub program_version: String,
    /// Whether some gate did not hold.
    pub held: bool,
    /// The first day of the simulation (`run --chain`) that it is a day of; null for a night.
    pub chain_from: Option<Day>,
}

/// How the inputs and the job files of two runs differ.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    /// One sentence: on what the runs agree and in what they differ.
    pub verdict: String,
    /// What differs, in the words of that sentence.
    pub differs: Vec<&'static str>,
    /// Input files that only one run read, or that are not the same in both.
    pub inputs: Vec<InputChange>,
    /// Of the job files, what changed in each, line by line.
    pub job_files: Vec<JobFileChange>,
    /// Rejected rows by input and reason, where the counts differ.
    pub rejects: Vec<RejectChange>,
}

/// How an input file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputDiff {
    /// Only the right run read it.
    Added,
    /// Only the left run read it.
    Removed,
    /// Both read a file of that name, but not the same one.
    Restated,
}

impl InputDiff {
    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            InputDiff::Added => "added",
            InputDiff::Removed => "removed",
            InputDiff::Restated => "restated",
        }
    }
}

/// An input file that differs.
#[derive(Debug, Clone, Serialize)]
pub struct InputChange {
    /// Which input.
    pub input: String,
    /// Its delivery.
    pub delivery: Option<Day>,
    /// Its name.
    pub file: String,
    /// How it differs.
    #[serde(rename = "fate")]
    pub diff: InputDiff,
    /// Rows on the left and on the right.
    pub rows: [Option<u64>; 2],
}

/// A job file that differs.
#[derive(Debug, Clone, Serialize)]
pub struct JobFileChange {
    /// Its name in the run's directory.
    pub file: String,
    /// Its changed lines.
    pub lines: Vec<LineChange>,
}

/// A line that only one side has.
#[derive(Debug, Clone, Serialize)]
pub struct LineChange {
    /// Its number on the left, from 1; null for a line of the right.
    pub left: Option<usize>,
    /// Its number on the right.
    pub right: Option<usize>,
    /// As it is written.
    pub text: String,
}

/// Rejected rows that differ in number.
#[derive(Debug, Clone, Serialize)]
pub struct RejectChange {
    /// Which input.
    pub input: String,
    /// Why the rows were rejected.
    pub reason: String,
    /// How many on the left.
    pub left: u64,
    /// How many on the right.
    pub right: u64,
}

impl RunLabel {
    /// Of a run at `path`.
    pub fn new(path: &Path, manifest: &Manifest) -> RunLabel {
        RunLabel {
            run: crate::console::plain_path(path),
            job: manifest.job.clone(),
            as_of: manifest.as_of,
            known_on: manifest.known_on,
            snapshot: manifest.snapshot,
            program_version: manifest.program_version.clone(),
            held: manifest.held,
            chain_from: manifest.chain_from,
        }
    }

    fn kind(&self) -> String {
        self.chain_from.map_or("a night".to_string(), |day| format!("simulated from {day}"))
    }
}

/// How the verdict begins where the figures of two runs mean different things.
pub const NOT_COMPARABLE: &str = "not comparable";

impl Provenance {
    /// Compares what two runs were made from.
    pub fn new(labels: &[RunLabel; 2], manifests: [&Manifest; 2], copies: [&JobSources; 2]) -> Provenance {
        let inputs = input_changes(&manifests[0].inputs, &manifests[1].inputs);
        let job_files = job_file_changes(copies);
        let has_others = copies.iter().any(|copies| !copies.others.is_empty());
        let Agreement { mut verdict, differs } = Agreement::new(labels, &inputs, &job_files, has_others);
        if let [Some(left), Some(right)] = copies.map(JobSources::minor_units)
            && left != right
        {
            verdict = format!(
                "{NOT_COMPARABLE}: money has {left} decimal places on the left and {right} on the right ({verdict})"
            );
        }
        Provenance { verdict, differs, inputs, job_files, rejects: reject_changes(manifests) }
    }
}

/// The job files that differ; one that only one run has is empty on the other side.
fn job_file_changes([left, right]: [&JobSources; 2]) -> Vec<JobFileChange> {
    let mut names: Vec<&str> = left.named().chain(right.named()).map(|(name, _)| name).collect();
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(*name));
    let changes = names.into_iter().filter_map(|name| {
        let [left, right] = [left, right].map(|copies| {
            let found = copies.named().find(|(known, _)| *known == name);
            found.map_or("", |(_, source)| source.text.as_str())
        });
        (left != right).then(|| JobFileChange { file: name.to_string(), lines: changed_lines(left, right) })
    });
    changes.collect()
}

/// Whether two runs can be compared, in a sentence, and in what they differ.
struct Agreement {
    verdict: String,
    differs: Vec<&'static str>,
}

impl Agreement {
    fn new(
        [left, right]: &[RunLabel; 2],
        inputs: &[InputChange],
        job_files: &[JobFileChange],
        has_others: bool,
    ) -> Agreement {
        let others = has_others.then(|| ("challenger and segments", different_others(job_files)));
        let differences = [
            ("job", different(&left.job, &right.job)),
            ("as-of date", different(&left.as_of, &right.as_of)),
            ("known-on date", different(&left.known_on, &right.known_on)),
            ("inputs", different_inputs(inputs)),
            ("job file", different_file(job_files, "job.toml")),
            ("scorecard", different_file(job_files, "scorecard.toml")),
            ("policy", different_file(job_files, "policy.toml")),
            ("program version", different(&left.program_version, &right.program_version)),
            ("kind of run", different(&left.kind(), &right.kind())),
        ];
        let (mut same, mut differs) = (Vec::new(), Vec::new());
        let mut other: Vec<String> = Vec::new();
        for (what, difference) in differences.into_iter().chain(others) {
            match difference {
                None => same.push(what),
                Some(how) => {
                    differs.push(what);
                    other.push(format!("{what} ({how})"));
                }
            }
        }
        let verdict = match (same.is_empty(), other.is_empty()) {
            (_, true) => "comparable: nothing differs in what they stand on".to_string(),
            (true, _) => format!("hardly comparable: everything differs: {}", other.join(", ")),
            _ => format!("comparable: same {}; other {}", same.join(", "), other.join(", ")),
        };
        Agreement { verdict, differs }
    }
}

/// Both values, where they are not the same.
fn different<T: PartialEq + Display>(left: &T, right: &T) -> Option<String> {
    (left != right).then(|| format!("{left}, {right}"))
}

/// How many input files were added, removed and restated, if any.
fn different_inputs(inputs: &[InputChange]) -> Option<String> {
    let counts = [InputDiff::Added, InputDiff::Removed, InputDiff::Restated]
        .map(|diff| (inputs.iter().filter(|change| change.diff == diff).count(), diff));
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, diff)| format!("{count} {}", diff.name())).collect();
    (!counts.is_empty()).then(|| counts.join(", "))
}

/// How many lines of a job file differ, if any.
fn different_file(job_files: &[JobFileChange], file: &str) -> Option<String> {
    let change = job_files.iter().find(|change| change.file == file)?;
    Some(format!("{} lines", change.lines.len()))
}

/// How many lines of the files of challengers and segments differ, if any.
fn different_others(job_files: &[JobFileChange]) -> Option<String> {
    let changed = job_files.iter().filter(|change| !RUN_FILES.contains(&change.file.as_str()));
    let lines: usize = changed.map(|change| change.lines.len()).sum();
    (lines > 0).then(|| format!("{lines} lines"))
}

fn input_changes(left: &[InputEntry], right: &[InputEntry]) -> Vec<InputChange> {
    type FileKey<'a> = (&'a str, Option<Day>, &'a str);
    let mut files: BTreeMap<FileKey, [Option<&InputEntry>; 2]> = BTreeMap::new();
    for (side, entries) in [left, right].into_iter().enumerate() {
        for entry in entries {
            files.entry((&entry.input, entry.delivery, &entry.file)).or_default()[side] = Some(entry);
        }
    }
    let changes = files.into_iter().filter_map(|((input, delivery, file), sides)| {
        let diff = match sides {
            [None, _] => InputDiff::Added,
            [_, None] => InputDiff::Removed,
            [Some(left), Some(right)] if is_same(left, right) => return None,
            _ => InputDiff::Restated,
        };
        let rows = sides.map(|entry| entry.map(|entry| entry.rows));
        Some(InputChange { input: input.to_string(), delivery, file: file.to_string(), diff, rows })
    });
    changes.collect()
}

fn is_same(left: &InputEntry, right: &InputEntry) -> bool {
    left.size == right.size && left.rows == right.rows && left.sha256 == right.sha256
}

fn changed_lines(left: &str, right: &str) -> Vec<LineChange> {
    let diff = TextDiff::from_lines(left, right);
    let changes = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal);
    let lines = changes.map(|change| LineChange {
        left: change.old_index().map(|index| index + 1),
        right: change.new_index().map(|index| index + 1),
        text: change.value().trim_end_matches(['\n', '\r']).to_string(),
    });
    lines.collect()
}

fn reject_changes(manifests: [&Manifest; 2]) -> Vec<RejectChange> {
    let mut counts: BTreeMap<(String, RejectReason), [u64; 2]> = BTreeMap::new();
    for (side, manifest) in manifests.into_iter().enumerate() {
        for (name, count) in &manifest.counts {
            for (reason, rows) in &count.rejected {
                counts.entry((name.clone(), *reason)).or_default()[side] = *rows;
            }
        }
    }
    let differs = counts.into_iter().filter(|(_, [left, right])| left != right);
    differs
        .map(|((name, reason), [left, right])| RejectChange {
            input: name,
            reason: reason.name().into(),
            left,
            right,
        })
        .collect()
}

//! What went into two runs: whether they can be compared, and what differs before anything is read.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use crate::day::Day;
use crate::input::reason::Reason;
use crate::run_dir::Copies;
use crate::run_dir::manifest::{InputEntry, Manifest};

/// A run as its manifest describes it.
#[derive(Debug, Clone, Serialize)]
pub struct RunLabel {
    /// Where it lies.
    pub run: String,
    /// The job's name.
    pub job: String,
    /// D.
    pub as_of: Day,
    /// K.
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

/// What differs between what two runs stand on.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    /// One sentence: on what the runs agree and in what they differ.
    pub verdict: String,
    /// In what they differ, of what the sentence says.
    pub differs: Vec<&'static str>,
    /// Input files that only one run read, or that are not the same in both.
    pub inputs: Vec<InputChange>,
    /// Of the job files, what changed in each, line by line.
    pub job_files: Vec<FileChange>,
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
    /// How.
    pub fate: InputDiff,
    /// Rows on the left and on the right.
    pub rows: [Option<u64>; 2],
}

/// A job file that differs.
#[derive(Debug, Clone, Serialize)]
pub struct FileChange {
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
    /// Why.
    pub reason: String,
    /// Left.
    pub left: u64,
    /// Right.
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
}

impl Provenance {
    /// Compares what two runs stand on.
    pub fn new(stamps: &[RunLabel; 2], manifests: [&Manifest; 2], copies: [&Copies; 2]) -> Provenance {
        let inputs = input_changes(&manifests[0].inputs, &manifests[1].inputs);
        let files = |copies: &Copies| {
            [
                ("job.toml", copies.job.text.clone()),
                ("scorecard.toml", copies.scorecard.text.clone()),
                ("policy.toml", copies.policy.text.clone()),
            ]
        };
        let job_files: Vec<FileChange> = files(copies[0])
            .into_iter()
            .zip(files(copies[1]))
            .filter(|((_, left), (_, right))| left != right)
            .map(|((file, left), (_, right))| FileChange {
                file: file.to_string(),
                lines: changed_lines(&left, &right),
            })
            .collect();
        let (mut verdict, differs) = verdict(stamps, &inputs, &job_files);
        if let [Some(left), Some(right)] = copies.map(Copies::minor_units)
            && left != right
        {
            verdict = format!(
                "not comparable: money has {left} decimal places on the left and {right} on the right ({verdict})"
            );
        }
        Provenance { verdict, differs, inputs, job_files, rejects: reject_changes(manifests) }
    }
}

/// The sentence, and in what the runs differ.
fn verdict(
    [left, right]: &[RunLabel; 2],
    inputs: &[InputChange],
    job_files: &[FileChange],
) -> (String, Vec<&'static str>) {
    let (mut same, mut differs) = (Vec::new(), Vec::new());
    let mut other: Vec<String> = Vec::new();
    let mut say = |what: &'static str, how: Option<String>| match how {
        None => same.push(what),
        Some(how) => {
            differs.push(what);
            other.push(format!("{what} ({how})"));
        }
    };
    let pair = |left: &dyn std::fmt::Display, right: &dyn std::fmt::Display| {
        let (left, right) = (left.to_string(), right.to_string());
        (left != right).then(|| format!("{left}, {right}"))
    };
    say("job", pair(&left.job, &right.job));
    say("as-of date", pair(&left.as_of, &right.as_of));
    say("known-on date", pair(&left.known_on, &right.known_on));
    let count = |fate: InputDiff| inputs.iter().filter(|change| change.fate == fate).count();
    let fates = [InputDiff::Added, InputDiff::Removed, InputDiff::Restated]
        .into_iter()
        .filter(|fate| count(*fate) > 0);
    let fates: Vec<String> = fates.map(|fate| format!("{} {}", count(fate), fate.name())).collect();
    say("inputs", (!inputs.is_empty()).then(|| fates.join(", ")));
    for (what, file) in [("job file", "job.toml"), ("scorecard", "scorecard.toml"), ("policy", "policy.toml")]
    {
        let change = job_files.iter().find(|change| change.file == file);
        say(what, change.map(|change| format!("{} lines", change.lines.len())));
    }
    say("program version", pair(&left.program_version, &right.program_version));
    let kind = |stamp: &RunLabel| {
        stamp.chain_from.map_or("a night".to_string(), |day| format!("simulated from {day}"))
    };
    say("kind of run", pair(&kind(left), &kind(right)));
    let sentence = match (same.is_empty(), other.is_empty()) {
        (_, true) => "comparable: nothing differs in what they stand on".to_string(),
        (true, _) => format!("hardly comparable: everything differs: {}", other.join(", ")),
        _ => format!("comparable: same {}; other {}", same.join(", "), other.join(", ")),
    };
    (sentence, differs)
}

fn input_changes(left: &[InputEntry], right: &[InputEntry]) -> Vec<InputChange> {
    type Key<'a> = (&'a str, Option<Day>, &'a str);
    let mut files: BTreeMap<Key, [Option<&InputEntry>; 2]> = BTreeMap::new();
    for (side, entries) in [left, right].into_iter().enumerate() {
        for entry in entries {
            files.entry((&entry.input, entry.delivery, &entry.file)).or_default()[side] = Some(entry);
        }
    }
    let change = |((name, delivery, file), sides): (Key, [Option<&InputEntry>; 2])| {
        let fate = match sides {
            [None, _] => InputDiff::Added,
            [_, None] => InputDiff::Removed,
            [Some(left), Some(right)] if is_same(left, right) => return None,
            _ => InputDiff::Restated,
        };
        let rows = sides.map(|entry| entry.map(|entry| entry.rows));
        Some(InputChange { input: name.to_string(), delivery, file: file.to_string(), fate, rows })
    };
    files.into_iter().filter_map(change).collect()
}

fn is_same(left: &InputEntry, right: &InputEntry) -> bool {
    left.size == right.size && left.rows == right.rows && left.sha256 == right.sha256
}

fn changed_lines(left: &str, right: &str) -> Vec<LineChange> {
    let diff = TextDiff::from_lines(left, right);
    let changes = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Equal);
    let line = |change: similar::Change<&str>| LineChange {
        left: change.old_index().map(|index| index + 1),
        right: change.new_index().map(|index| index + 1),
        text: change.value().trim_end_matches(['\n', '\r']).to_string(),
    };
    changes.map(line).collect()
}

fn reject_changes(manifests: [&Manifest; 2]) -> Vec<RejectChange> {
    let mut counts: BTreeMap<(String, Reason), [u64; 2]> = BTreeMap::new();
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

//! The manifest: what a run stood on, what it made, and the figures that prove both.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::feature_profile::FeatureProfile;
use super::gates::GateOutcome;
use crate::day::{Dates, Day};
use crate::failure::input;
use crate::hash::{bytes_hash, xxh3_64};
use crate::input::reason::RejectReason;
use crate::input::stream::ReadTally;
use crate::job::Action;
use crate::store::{self, is_url};

/// The file's name; a directory with it is whole.
pub const MANIFEST: &str = "manifest.json";

/// Changes when the manifest's meaning does.
pub(crate) const SCHEMA_VERSION: u32 = 2;

/// See CONTRACT 4; everything but `timing` is a function of inputs, job files and dates.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this structure.
    pub schema_version: u32,
    /// The job's name.
    pub job: String,
    /// D.
    pub as_of: Day,
    /// K.
    pub known_on: Day,
    /// The first day of the simulation (`--chain`) that this is a day of; absent for a night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_from: Option<Day>,
    /// Of the program that ran.
    pub program_version: String,
    /// Which edition of the time zones' rules it carries.
    #[serde(default)]
    pub timezone_data: String,
    /// SHA-256 over job files, inputs and dates: two runs with the same one are the same run.
    pub fingerprint: String,
    /// The job files, hashed.
    pub job_files: Vec<JobFile>,
    /// The date of the lines snapshot; null if undated.
    pub snapshot: Option<Day>,
    /// Every input file that bears on the run.
    pub inputs: Vec<InputEntry>,
    /// By input: days without a delivery.
    pub missing_days: BTreeMap<String, Vec<Day>>,
    /// By input.
    pub counts: BTreeMap<String, Counts>,
    /// The run before, where the job looks back on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousRun>,
    /// What is well defined, but hardly meant: features that are the same for everybody.
    #[serde(default)]
    pub notices: Vec<String>,
    /// Bills for which one delivery holds more than one pair of terms.
    pub bill_conflicts: u64,
    /// Issued adjustments whose line is not in the snapshot.
    pub issued_unknown: u64,
    /// Figures to check downstream totals against.
    pub control_totals: ControlTotals,
    /// The values of each feature, in file order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<FeatureProfile>,
    /// How the run did.
    pub gates: Vec<GateOutcome>,
    /// Whether some gate did not hold.
    pub held: bool,
    /// Every file of the run but this one and the markers.
    pub outputs: Vec<OutputEntry>,
    /// Not a function of the inputs.
    pub timing: Timing,
}

/// The run whose scores and gates a run looks back on.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct PreviousRun {
    /// Its as-of date.
    pub as_of: Day,
    /// Its fingerprint, of which its scores and the figures of its gates are a function.
    pub fingerprint: String,
}

/// A job file as used.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct JobFile {
    /// As copied into the run.
    pub file: String,
    /// Of its bytes.
    pub sha256: String,
}

/// An input file.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct InputEntry {
    /// Which input.
    pub input: String,
    /// Null if undated.
    pub delivery: Option<Day>,
    /// Relative to the directory before the first wildcard or `{date}`.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// Of its bytes.
    #[serde(default)]
    pub sha256: String,
}

/// Rows of an input, over the deliveries from D to K, undated files and the snapshot.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Counts {
    /// In the files.
    pub read: u64,
    /// With no reason against them.
    pub accepted: u64,
    /// By reason.
    pub rejected: BTreeMap<RejectReason, u64>,
}

impl From<&ReadTally> for Counts {
    fn from(tally: &ReadTally) -> Counts {
        Counts { read: tally.read, accepted: tally.accepted(), rejected: tally.rejects.counts.clone() }
    }
}

/// Figures over the run's tables; money in minor units.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct ControlTotals {
    /// Rows of scores and features.
    pub accounts: u64,
    /// Rows of decisions.
    pub lines: u64,
    /// Rows of adjustments.
    pub adjustments: u64,
    /// The sum modulo 2^64 of XXH3-64 (seed 0) of every account id as text, in hex.
    pub account_id_hash_total: String,
    /// Over all decisions.
    pub old_limit_total: i128,
    /// Over all decisions.
    pub new_limit_total: i128,
    /// By product and action.
    pub actions: BTreeMap<String, BTreeMap<String, ActionTotals>>,
    /// By arm; none where the job has no challenger.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arms: BTreeMap<String, ArmTotals>,
    /// By segment, [`NO_SEGMENT`] among them; none where the job has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub segments: BTreeMap<String, ScoreTotals>,
}

/// What totals call the accounts of no segment.
pub const NO_SEGMENT: &str = "none";

/// The accounts of an arm, and the decisions about their lines.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct ArmTotals {
    /// Its accounts, and the scores that decided.
    #[serde(flatten)]
    pub scores: ScoreTotals,
    /// By product and action.
    pub actions: BTreeMap<String, BTreeMap<String, ActionTotals>>,
}

/// Some accounts of a run.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct ScoreTotals {
    /// How many.
    pub accounts: u64,
    /// Σ scores.
    pub score_total: i64,
}

impl ScoreTotals {
    /// Adds other accounts.
    pub fn add(&mut self, others: ScoreTotals) {
        self.accounts += others.accounts;
        self.score_total += others.score_total;
    }
}

/// The decisions of one product and action.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct ActionTotals {
    /// How many.
    pub lines: u64,
    /// Σ old limits.
    pub old_limit: i128,
    /// Σ new limits.
    pub new_limit: i128,
}

/// A file of the run.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct OutputEntry {
    /// Its name.
    pub file: String,
    /// Rows, for tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Bytes.
    pub bytes: u64,
    /// Of its bytes.
    pub sha256: String,
}

/// When and how fast; differs from run to run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Timing {
    /// UTC.
    pub started_at: String,
    /// Wall time until the manifest was written.
    pub seconds: f64,
    /// By stage, in order.
    pub stages: Vec<(String, f64)>,
    /// Threads used.
    pub threads: usize,
    /// What the features were computed from.
    #[serde(default)]
    pub basis: String,
    /// SHA-256 of the manifest's own text with this field empty, so that any edit shows. It stands here
    /// because it covers the timing too.
    pub manifest_sha256: String,
}

/// The hash that two runs share if they are the same run.
pub fn fingerprint(
    schema_version: u32,
    dates: Dates,
    job_files: &[JobFile],
    inputs: &[InputEntry],
    previous: Option<&PreviousRun>,
) -> Result<String> {
    let Dates { as_of, known_on, chain_from } = dates;
    let night = (schema_version, as_of, known_on, job_files, inputs);
    let canonical = match (chain_from, previous) {
        (None, None) => serde_json::to_vec(&night),
        (Some(from), None) => serde_json::to_vec(&(night, from)),
        (from, previous) => serde_json::to_vec(&(night, from, previous)),
    };
    Ok(bytes_hash(&canonical?))
}

/// The hash of an account's id, as text, that the hash total adds up: XXH3-64 with seed 0.
pub fn account_hash(id: &str) -> u64 {
    xxh3_64(id.as_bytes())
}

impl ControlTotals {
    /// The totals of an action, product by product.
    pub fn of_action(&self, action: Action) -> impl Iterator<Item = &ActionTotals> {
        self.actions.values().filter_map(move |actions| actions.get(action.name()))
    }

    /// The lines of an action, over all products.
    pub fn lines_of(&self, action: Action) -> u64 {
        self.of_action(action).map(|totals| totals.lines).sum()
    }

    /// Adds the totals of other accounts.
    pub fn add(&mut self, others: &ControlTotals) {
        let hash = |total: &str| u64::from_str_radix(total, 16).unwrap_or(0);
        let hash_total = hash(&self.account_id_hash_total).wrapping_add(hash(&others.account_id_hash_total));
        let mut actions = std::mem::take(&mut self.actions);
        add_actions(&mut actions, &others.actions);
        let (mut arms, mut segments) = (std::mem::take(&mut self.arms), std::mem::take(&mut self.segments));
        for (arm, more) in &others.arms {
            let of_arm = arms.entry(arm.clone()).or_default();
            of_arm.scores.add(more.scores);
            add_actions(&mut of_arm.actions, &more.actions);
        }
        for (segment, more) in &others.segments {
            segments.entry(segment.clone()).or_default().add(*more);
        }
        let all = ControlTotals::of(self.accounts + others.accounts, hash_total, actions);
        *self = ControlTotals { arms, segments, ..all };
    }

    /// Adds up the actions; `hash_total` is that of the account ids.
    pub fn of(
        accounts: u64,
        hash_total: u64,
        actions: BTreeMap<String, BTreeMap<String, ActionTotals>>,
    ) -> ControlTotals {
        let all = || actions.values().flatten();
        let adjusted = all().filter(|(action, _)| *action != Action::Hold.name());
        ControlTotals {
            accounts,
            lines: all().map(|(_, totals)| totals.lines).sum(),
            adjustments: adjusted.map(|(_, totals)| totals.lines).sum(),
            account_id_hash_total: format!("{hash_total:016x}"),
            old_limit_total: all().map(|(_, totals)| totals.old_limit).sum(),
            new_limit_total: all().map(|(_, totals)| totals.new_limit).sum(),
            actions,
            arms: BTreeMap::new(),
            segments: BTreeMap::new(),
        }
    }
}

fn add_actions(
    actions: &mut BTreeMap<String, BTreeMap<String, ActionTotals>>,
    others: &BTreeMap<String, BTreeMap<String, ActionTotals>>,
) {
    for (product, by_action) in others {
        for (action, more) in by_action {
            let totals = actions.entry(product.clone()).or_default().entry(action.clone()).or_default();
            totals.lines += more.lines;
            totals.old_limit += more.old_limit;
            totals.new_limit += more.new_limit;
        }
    }
}

impl Manifest {
    /// What the run is for.
    pub fn dates(&self) -> Dates {
        Dates { as_of: self.as_of, known_on: self.known_on, chain_from: self.chain_from }
    }

    /// Reads a run's manifest; `None` where the directory has none and so is no whole run.
    pub fn read(run: &Path) -> Result<Option<Manifest>> {
        let path = run.join(MANIFEST);
        let text = read_regular(&path).map_err(|error| input(format!("read {}: {error}", path.display())))?;
        let parsed = text.map(|text| Manifest::parse(&text)).transpose();
        parsed.map_err(|why| input(format!("read {}: {why}", path.display())))
    }

    /// A manifest from its text, if this version of the program wrote it so; else what is wrong with it.
    pub fn parse(text: &str) -> Result<Manifest, String> {
        let damaged = |error: serde_json::Error| format!("{error}; it is damaged");
        let version = serde_json::from_str::<Versioned>(text).map_err(damaged)?.schema_version;
        if version != SCHEMA_VERSION {
            let program = if version > SCHEMA_VERSION { "a later" } else { "an earlier" };
            return Err(format!(
                "{program} version of this program wrote it (schema version {version}; this one reads {SCHEMA_VERSION})"
            ));
        }
        let manifest: Manifest = serde_json::from_str(text).map_err(damaged)?;
        let sha256 = manifest.sha256();
        if bytes_hash(text.replacen(&seal(sha256), &seal(""), 1).as_bytes()) != sha256 {
            let why = "it is not as it was written (its manifest_sha256 is not that of its text): edited or damaged";
            return Err(why.to_string());
        }
        Ok(manifest)
    }

    /// The hash of the manifest itself.
    pub fn sha256(&self) -> &str {
        &self.timing.manifest_sha256
    }

    /// Gives the manifest the hash of itself, and returns it as it is written.
    pub fn seal(&mut self) -> Result<String> {
        self.timing.manifest_sha256.clear();
        let unsealed = serde_json::to_string_pretty(self).context("write the manifest")? + "\n";
        self.timing.manifest_sha256 = bytes_hash(unsealed.as_bytes());
        Ok(unsealed.replacen(&seal(""), &seal(self.sha256()), 1))
    }
}

/// The text of a file of a run, or of an object; `None` where there is none. A link, a pipe or a device is no file of
/// a run.
pub fn read_regular(path: &Path) -> std::io::Result<Option<String>> {
    if is_url(path) {
        let read = store::read(path)?;
        let text = read.map(|(bytes, _)| String::from_utf8(bytes)).transpose();
        return text.map_err(std::io::Error::other);
    }
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !found.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    std::fs::read_to_string(path).map(Some)
}

/// As much of a manifest as every version has.
#[derive(Deserialize)]
struct Versioned {
    schema_version: u32,
}

/// The field with the manifest's own hash, as written. No text in a manifest looks like it: its quotes
/// would be escaped.
fn seal(sha256: &str) -> String {
    format!("\"manifest_sha256\": \"{sha256}\"")
}

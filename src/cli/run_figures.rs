//! What `--json` prints of a run, a line each.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::console::plain_path;
use crate::day::Day;
use crate::run::{Ending, NightOutcome};
use crate::run_dir::feature_profile::FeatureProfile;
use crate::run_dir::gates::GateOutcome;
use crate::run_dir::manifest::{ControlTotals, Counts, Manifest};
use crate::run_dir::release_note::ReleaseNote;
use crate::summary::{BandRow, DecisionRow};

/// The figures of a run. Sums may need more than 64 bits, so they are written as they are and never pass through a
/// `serde_json::Value`.
#[derive(Serialize)]
pub(super) struct RunFigures<'a> {
    /// What became of it.
    pub ending: &'static str,
    directory: String,
    job: &'a str,
    as_of: Day,
    known_on: Day,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_from: Option<Day>,
    /// Decimal places of money.
    minor_units: u32,
    /// Figures that the manifest does not hold.
    pub summary: Option<SummaryFigures<'a>>,
    control_totals: &'a ControlTotals,
    counts: &'a BTreeMap<String, Counts>,
    missing_days: &'a BTreeMap<String, Vec<Day>>,
    notices: &'a [String],
    gates: &'a [GateOutcome],
    /// Who released it, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<&'a ReleaseNote>,
    /// How features are distributed, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<&'a [FeatureProfile]>,
    /// The same of the night before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub night_before: Option<NightBefore<'a>>,
    seconds: f64,
    program_version: &'a str,
}

/// How features were distributed in the night before a run.
#[derive(Serialize)]
pub(super) struct NightBefore<'a> {
    as_of: Day,
    accounts: u64,
    features: &'a [FeatureProfile],
}

impl<'a> NightBefore<'a> {
    /// As its manifest says.
    pub fn of(manifest: &'a Manifest) -> NightBefore<'a> {
        let accounts = manifest.control_totals.accounts;
        NightBefore { as_of: manifest.as_of, accounts, features: &manifest.features }
    }
}

/// Figures over a run's tables.
#[derive(Serialize)]
pub(super) struct SummaryFigures<'a> {
    /// Lowest first.
    pub bands: &'a [BandRow],
    /// Where they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decisions: Option<&'a [DecisionRow]>,
}

impl<'a> RunFigures<'a> {
    /// Of a night that has just run, or was left alone.
    pub fn of(outcome: &'a NightOutcome) -> RunFigures<'a> {
        let ending = match outcome.ending {
            Ending::Published => "published",
            Ending::Held => "held",
            Ending::Unchanged => "unchanged",
        };
        let summary = outcome.summary.as_ref();
        let summary = summary.map(|of| SummaryFigures { bands: &of.bands, decisions: Some(&of.decisions) });
        let of = RunFigures::of_manifest(&outcome.manifest, &outcome.directory, outcome.minor_units);
        RunFigures { ending, summary, ..of }
    }

    /// What a manifest says.
    pub fn of_manifest(manifest: &'a Manifest, directory: &Path, minor_units: u32) -> RunFigures<'a> {
        RunFigures {
            ending: "published",
            directory: plain_path(directory),
            job: &manifest.job,
            as_of: manifest.as_of,
            known_on: manifest.known_on,
            chain_from: manifest.chain_from,
            minor_units,
            summary: None,
            control_totals: &manifest.control_totals,
            counts: &manifest.counts,
            missing_days: &manifest.missing_days,
            notices: &manifest.notices,
            gates: &manifest.gates,
            released: None,
            features: None,
            night_before: None,
            seconds: manifest.timing.seconds,
            program_version: &manifest.program_version,
        }
    }
}

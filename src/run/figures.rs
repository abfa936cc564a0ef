//! The figures over a book that a night's manifest stands on; those over parts of it add up.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::answers::Intake;
use super::compute::NightInputs;
use super::inputs::missing_days;
use super::notices::BookNotices;
use crate::features::ValueCounts;
use crate::publish::Results;
use crate::publish::gates::{TableFigure, measure, table_figures};
use crate::publish::totals::control_totals;
use crate::run_dir::feature_profile::FeatureProfile;
use crate::run_dir::gates::failed;
use crate::run_dir::manifest::{ControlTotals, Counts, Manifest};

/// The figures over a book, or a part of one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BookFigures {
    /// Figures to check downstream totals against.
    pub totals: ControlTotals,
    /// What the tables come to, by gate.
    pub gates: Vec<TableFigure>,
    /// What may be warned of.
    pub notices: BookNotices,
    /// The values of each feature, in file order.
    pub features: Vec<ValueCounts>,
}

impl BookFigures {
    /// Those over results.
    pub fn of(results: &Results) -> BookFigures {
        BookFigures {
            totals: control_totals(results),
            gates: table_figures(results),
            notices: BookNotices::of(results.job, results.lines),
            features: value_counts(results),
        }
    }

    /// Adds those over another part of the book.
    pub fn add(&mut self, other: BookFigures) {
        self.totals.add(&other.totals);
        self.gates.iter_mut().zip(other.gates).for_each(|(figure, more)| figure.add(more));
        self.notices.add(&other.notices);
        self.features.iter_mut().zip(&other.features).for_each(|(counts, more)| counts.add(more));
    }
}

/// Counts the values of each feature.
fn value_counts(results: &Results) -> Vec<ValueCounts> {
    let Results { job, features, lines, .. } = *results;
    let counts = |feature| ValueCounts::of(|to| features.each(feature, 0..lines.accounts.len(), to));
    (0..job.features.len()).into_par_iter().map(counts).collect()
}

impl NightInputs<'_> {
    /// Puts into a manifest what was read and left out of each input.
    pub fn count(&self, intake: &Intake, lines: &Counts, manifest: &mut Manifest) {
        let inputs = &self.job.inputs;
        let counts = [
            (inputs.transactions.name, Counts::from(&intake.transactions.tally)),
            (inputs.repayments.name, Counts::from(&intake.repayments.tally)),
            (inputs.lines.name, lines.clone()),
        ];
        manifest.counts = counts.map(|(name, counts)| (name.to_string(), counts)).into();
        manifest.notices = intake.notices().cloned().collect();
        manifest.snapshot = self.files.snapshot;
    }

    /// Puts into a manifest, in which the counts stand already, the figures over the book, and measures the gates.
    pub fn measure(&self, figures: BookFigures, manifest: &mut Manifest) {
        let NightInputs { job, files, deliveries, dates } = *self;
        for (name, days) in missing_days(job, deliveries, dates.as_of) {
            manifest.missing_days.insert(name.to_string(), days);
        }
        manifest.notices.extend(figures.notices.texts(job, &figures.features));
        let profiles = job.features.iter().zip(&figures.features);
        manifest.features = profiles.map(|(feature, of)| FeatureProfile::of(&feature.name, of)).collect();
        manifest.control_totals = figures.totals;
        let counts = |input: &str| manifest.counts.get(input).cloned().unwrap_or_default();
        let missing = |input: &str| manifest.missing_days.get(input).map_or(0, |days| days.len() as u64);
        let earlier = files.previous.as_ref().map_or(&[][..], |previous| &previous.gates);
        manifest.gates = measure(job, &figures.gates, &counts, &missing, earlier);
        // A simulation's gates are there to be looked at.
        manifest.held = dates.chain_from.is_none() && !failed(&manifest.gates).is_empty();
    }
}

//! A job, ready to run: what the three files say, resolved against each other and the inputs' columns.

use std::path::PathBuf;

use jiff::tz::TimeZone;

use super::feature_file::Feature;
use super::gate::{Gate, GateTable, Measure};
use super::inputs::Inputs;
use super::policy_file::Policy;
use super::scopes::Scopes;
use super::scorecard_file::Scorecard;
use super::source::JobSources;
use super::variants::Variants;
use crate::own::Access;

/// A job, ready to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The job's name.
    pub name: String,
    /// The job files as read.
    pub sources: JobSources,
    /// Decimal places of money: 2 makes 1.00 = 100.
    pub minor_units: u32,
    /// The zone in which an instant becomes a date.
    pub timezone: Option<TimeZone>,
    /// How old the lines snapshot may be.
    pub lines_max_age_days: u32,
    /// Whether a money column may be integer minor units in one file and Decimal in another.
    pub mixed_money: bool,
    /// Where the inputs are.
    pub inputs: Inputs,
    /// Where runs are published.
    pub output_dir: PathBuf,
    /// Whether to write adjustments.csv too, and for whom.
    pub csv: Option<Csv>,
    /// Whether to write report.html too.
    pub report: bool,
    /// What money is counted in, three capital letters, if the job says so; shown, and nothing else.
    pub currency: Option<String>,
    /// Where the cache between nights may lie.
    pub state_dir: Option<PathBuf>,
    /// Who may read what is written.
    pub access: Access,
    /// What must hold for a run to be published.
    pub gates: Vec<Gate>,
    /// Features in file order: those of the job's own scorecard, then those that others add.
    pub features: Vec<Feature>,
    /// Minor units short that still settle a bill.
    pub bill_tolerance: i64,
    /// Points, bands, dimensions.
    pub scorecard: Scorecard,
    /// Products, caps, rules.
    pub policy: Policy,
    /// The scorecards and policies besides those.
    pub variants: Variants,
    /// The columns that line expressions see: input columns first, extra ones after the contract's.
    pub scopes: Scopes,
}

/// Who reads adjustments.csv.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Csv {
    /// A program: every cell as it is.
    Plain,
    /// A spreadsheet: text that it would take for a formula begins with an apostrophe.
    Spreadsheet,
}

impl Job {
    /// Positions of the features that gates read; one may come more than once.
    pub fn features_in_gates(&self) -> impl Iterator<Item = usize> {
        self.gates.iter().flat_map(|gate| {
            let (table, exprs) = match &gate.measure {
                Measure::Share { table, of, among } | Measure::Sum { table, of, among } => {
                    (*table, among.iter().chain([of]).collect())
                }
                _ => (GateTable::Scores, Vec::new()),
            };
            let scope = match table {
                GateTable::Scores => &self.scopes.scores,
                GateTable::Decisions => &self.scopes.decisions,
            };
            // Features come last.
            let first = scope.columns.len() - self.features.len();
            let read = exprs.into_iter().flat_map(|expr| &expr.columns);
            read.filter_map(move |slot| slot.checked_sub(first))
        })
    }
}

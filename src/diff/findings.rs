//! What a diff has found, as one tree: what `--json` prints, and what text and page are made of.

use std::collections::BTreeMap;

use serde::Serialize;

use super::causes::decisions::DecisionCauses;
use super::causes::scores::ScoreCauses;
use super::provenance::{Provenance, RunLabel};
use super::tally::arms::ArmChange;
use super::tally::columns::{ColumnChange, SchemaChange};
use super::tally::decisions::DecisionChanges;
use super::tally::movers::Mover;
use super::tally::scores::{Drift, ScoreChanges};

/// Everything that one diff has found.
#[derive(Debug, Clone, Serialize)]
pub struct Findings {
    /// As given.
    pub left: String,
    /// As given.
    pub right: String,
    /// Whether nothing differs in what was compared.
    pub same: bool,
    /// The runs; null for files.
    pub runs: Option<[RunLabel; 2]>,
    /// What they were made from; null for files.
    #[serde(rename = "basis")]
    pub provenance: Option<Provenance>,
    /// Which rows count, if not all.
    #[serde(rename = "where")]
    pub selection: Option<String>,
    /// How far values may lie apart.
    pub tolerances: BTreeMap<String, u64>,
    /// The columns that are left out.
    #[serde(rename = "exclude")]
    pub excluded: Vec<String>,
    /// In what the schemas differ.
    pub schema: Vec<SchemaChange>,
    /// The accounts of a run or the rows of a file on each side.
    pub rows: SideCounts,
    /// The lines of a run on each side.
    pub lines: Option<SideCounts>,
    /// How many rows changed, by table.
    pub tables: Vec<TableChange>,
    /// How many cells changed, by table and column.
    pub columns: Vec<ColumnChange>,
    /// How the scores of a run changed.
    pub scores: Option<ScoreChanges>,
    /// How far the distributions of its features moved, the farthest first.
    pub features: Vec<Drift>,
    /// What moved the scores.
    pub score_causes: Option<ScoreCauses>,
    /// How the decisions of a run changed.
    pub decisions: Option<DecisionChanges>,
    /// What moved the decisions.
    pub decision_causes: Option<DecisionCauses>,
    /// Accounts and lines by arm; none where neither run has a challenger.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arms: Vec<ArmChange>,
    /// Accounts whose score moved most.
    pub largest_scores: Vec<Mover>,
    /// Lines whose new limit moved most, minor units.
    pub largest_limits: Vec<Mover>,
    /// Of files, the first cells that changed.
    pub examples: Vec<Example>,
    /// Decimal places of money.
    pub minor_units: u32,
    /// What money is counted in, where the right run's job says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// How many rows, accounts or lines each side has, and which of them the other side lacks.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SideCounts {
    /// How many on the left.
    pub left: u64,
    /// On the right.
    pub right: u64,
    /// On both.
    pub both: u64,
    /// Only on the left.
    pub only_left: u64,
    /// Only on the right.
    pub only_right: u64,
    /// The first of those only on the left.
    pub first_only_left: Vec<Vec<String>>,
    /// The first of those only on the right.
    pub first_only_right: Vec<Vec<String>>,
}

impl SideCounts {
    /// Counts one; `key` is made only where it is kept, up to `limit`.
    pub fn add(&mut self, is_left: bool, is_right: bool, limit: usize, key: impl FnOnce() -> Vec<String>) {
        self.left += u64::from(is_left);
        self.right += u64::from(is_right);
        let (count, first) = match (is_left, is_right) {
            (true, false) => (&mut self.only_left, &mut self.first_only_left),
            (false, true) => (&mut self.only_right, &mut self.first_only_right),
            _ => {
                self.both += 1;
                return;
            }
        };
        *count += 1;
        if first.len() < limit {
            first.push(key());
        }
    }

    /// How many are on one side only.
    pub fn on_one_side(&self) -> u64 {
        self.only_left + self.only_right
    }

    /// Whether all are on both sides.
    pub fn is_same(&self) -> bool {
        self.on_one_side() == 0
    }
}

/// Rows that both sides have and that differ in some column.
#[derive(Debug, Clone, Serialize)]
pub struct TableChange {
    /// Its name.
    pub table: &'static str,
    /// How many.
    pub rows_changed: u64,
}

/// A cell that changed.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// The key of its row.
    pub key: Vec<String>,
    /// Its column.
    pub column: String,
    /// Its text on the left; null where it is null.
    pub left: Option<String>,
    /// Its text on the right.
    pub right: Option<String>,
}

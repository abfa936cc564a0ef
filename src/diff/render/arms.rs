//! Accounts, scores and money by arm.

use super::section::{FindingsSection, count, signed_money};
use crate::diff::tally::arms::ArmChange;
use crate::run_dir::manifest::ScoreTotals;
use crate::summary::mean_score;

/// A row for each pair of arms; none where no run has a challenger.
pub(super) fn section(changes: &[ArmChange], minor_units: u32) -> FindingsSection {
    let rows = changes.iter().map(|change| {
        let mean = |scores: i128| {
            let score_total = i64::try_from(scores).unwrap_or(i64::MAX);
            mean_score(ScoreTotals { accounts: change.accounts, score_total })
        };
        vec![
            arms(change),
            count(change.accounts),
            mean(change.left_scores),
            mean(change.right_scores),
            count(change.lines),
            count(change.limits_moved),
            signed_money(change.change, minor_units),
        ]
    });
    let header = ["arm", "accounts", "mean score left", "right", "lines", "other limit", "change"];
    FindingsSection::new("by arm").table(&header, rows.collect())
}

/// The arm, or from which to which.
fn arms(change: &ArmChange) -> String {
    let [left, right] = [&change.left, &change.right].map(|arm| arm.as_deref().unwrap_or("no arm"));
    if left == right { left.to_string() } else { format!("{left} to {right}") }
}

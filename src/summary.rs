//! A run's figures for people (a table) and machines (JSON).

use std::cmp::Reverse;

use anyhow::Result;
use serde::Serialize;

use crate::console::{money, table, thousands};
use crate::expr::Ints;
use crate::frame::{FrameTotals, GROUP_ROWS, IntFrame, NameNumbers, col, wide};
use crate::job::{Action, Policy};
use crate::policy::{Decision, Refusal};
use crate::publish::Results;
use crate::run_dir::manifest::Manifest;

/// Counts and money by what an operator looks at first.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Accounts by band, lowest first.
    pub bands: Vec<BandRow>,
    /// Lines by product, action and reason, most frequent first within an action.
    pub decisions: Vec<DecisionRow>,
}

/// The accounts of one band.
#[derive(Debug, Clone, Serialize)]
pub struct BandRow {
    /// Its name.
    pub band: String,
    /// How many accounts.
    pub accounts: u64,
    /// The least score among them.
    pub lowest: i32,
    /// The highest.
    pub highest: i32,
}

/// The decisions of one product, action and reason.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionRow {
    /// The line's product.
    pub product: String,
    /// What is done.
    pub action: String,
    /// The code.
    pub reason: String,
    /// How many lines.
    pub lines: u64,
    /// Σ new limits − old limits, minor units.
    pub change: i128,
}

impl Summary {
    /// Groups a run's results.
    pub fn of(results: &Results) -> Result<Summary> {
        Ok(Summary { bands: bands(results)?, decisions: decisions(results)? })
    }
}

fn bands(results: &Results) -> Result<Vec<BandRow>> {
    let scores = &results.scores.score;
    let mut by_score = FrameTotals::new([col(SCORE)], &[]);
    for scores in scores.chunks(GROUP_ROWS) {
        let column = Ints::all(scores.iter().map(|score| i64::from(*score)).collect());
        by_score.add(&IntFrame::new(scores.len()).with(SCORE, column))?;
    }
    let scorecard = &results.job.scorecard;
    let mut rows: Vec<BandRow> = Vec::new();
    // Scores ascend, and so do their bands.
    for ([score], group) in by_score.groups() {
        let score = score.map_or(scorecard.min, |score| score as i32);
        let band = &scorecard.bands[scorecard.band_of(score)].name;
        match rows.last_mut().filter(|row| row.band == *band) {
            Some(row) => {
                row.accounts += group.rows;
                row.highest = score;
            }
            None => {
                let accounts = group.rows;
                rows.push(BandRow { band: band.clone(), accounts, lowest: score, highest: score });
            }
        }
    }
    Ok(rows)
}

fn decisions(results: &Results) -> Result<Vec<DecisionRow>> {
    let lines = results.lines;
    let reasons = ReasonNumbers::of(&results.job.policy);
    let mut products = NameNumbers::default();
    let change = wide(col(NEW_LIMIT)) - wide(col(OLD_LIMIT));
    let mut by_reason = FrameTotals::new([col(PRODUCT), col(ACTION), col(REASON)], &[change]);
    for start in (0..results.decisions.len()).step_by(GROUP_ROWS) {
        let run = start..(start + GROUP_ROWS).min(results.decisions.len());
        let decisions = &results.decisions[run.clone()];
        let frame = IntFrame::new(run.len())
            .with(PRODUCT, products.numbers(&lines.product.slice(run.clone())))
            .with(ACTION, Ints::all(decisions.iter().map(|decision| decision.action as i64).collect()))
            .with(REASON, Ints::all(decisions.iter().map(|decision| reasons.number(decision)).collect()))
            .with(OLD_LIMIT, Ints::all(lines.limit[run].to_vec()))
            .with(NEW_LIMIT, Ints::all(decisions.iter().map(|decision| decision.new_limit).collect()));
        by_reason.add(&frame)?;
    }
    let mut rows: Vec<(i64, DecisionRow)> = Vec::new();
    for ([product, action, reason], group) in by_reason.groups() {
        let action = action.unwrap_or_default();
        let row = DecisionRow {
            product: products.name(*product).to_string(),
            action: Action::ALL[action as usize].name().to_string(),
            reason: reasons.names.name(*reason).to_string(),
            lines: group.rows,
            change: group.sums[0],
        };
        rows.push((action, row));
    }
    rows.sort_by(|(a, x), (b, y)| {
        (&x.product, a, Reverse(x.lines), &x.reason).cmp(&(&y.product, b, Reverse(y.lines), &y.reason))
    });
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

const SCORE: &str = "score";
const PRODUCT: &str = "product";
const ACTION: &str = "action";
const REASON: &str = "reason";
const OLD_LIMIT: &str = "old_limit";
const NEW_LIMIT: &str = "new_limit";

/// The reasons of decisions as numbers: a rule's may be that of another rule.
struct ReasonNumbers {
    names: NameNumbers,
    by_refusal: Vec<i64>,
    by_rule: Vec<i64>,
}

impl ReasonNumbers {
    fn of(policy: &Policy) -> ReasonNumbers {
        let mut names = NameNumbers::default();
        let by_refusal = Refusal::ALL.iter().map(|refusal| names.number(refusal.name())).collect();
        let by_rule = policy.rules.iter().map(|rule| names.number(&rule.reason)).collect();
        ReasonNumbers { names, by_refusal, by_rule }
    }

    /// The number of [`Decision::reason`].
    fn number(&self, decision: &Decision) -> i64 {
        match decision.refusal {
            Some(refusal) => self.by_refusal[refusal as usize],
            None => self.by_rule[usize::from(decision.rule.expect("an action has a rule"))],
        }
    }
}

/// What the operator reads at the end of a run.
pub fn for_people(manifest: &Manifest, summary: Option<&Summary>, minor_units: u32) -> String {
    let mut parts = Vec::new();
    if let Some(summary) = summary {
        let rows: Vec<Vec<String>> = summary
            .bands
            .iter()
            .map(|row| {
                vec![
                    row.band.clone(),
                    thousands(row.accounts.into()),
                    format!("{}..{}", row.lowest, row.highest),
                ]
            })
            .collect();
        parts.push(table(&["band", "accounts", "scores"], &rows));
    }
    parts.push(actions(manifest, minor_units));
    let counts = manifest.counts.iter().map(|(name, counts)| {
        let reasons = counts.rejected.iter().map(|(reason, rows)| format!("{} {rows}", reason.name()));
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        vec![name.clone(), thousands(counts.read.into()), thousands(counts.accepted.into()), reasons]
    });
    parts.push(table(&["input", "read", "accepted", "rejected"], &counts.collect::<Vec<_>>()));
    if !manifest.gates.is_empty() {
        parts.push(
            manifest.gates.iter().map(|gate| format!("  {}", gate.line())).collect::<Vec<_>>().join("\n"),
        );
    }
    parts.join("\n\n")
}

fn actions(manifest: &Manifest, minor_units: u32) -> String {
    let mut rows = Vec::new();
    for (product, actions) in &manifest.control_totals.actions {
        for action in Action::ALL {
            let Some(totals) = actions.get(action.name()) else { continue };
            rows.push(vec![
                format!("{product} {}", action.name()),
                thousands(totals.lines.into()),
                money(totals.old_limit, minor_units),
                money(totals.new_limit, minor_units),
                money(totals.new_limit - totals.old_limit, minor_units),
            ]);
        }
    }
    table(&["action", "lines", "limits before", "after", "change"], &rows)
}

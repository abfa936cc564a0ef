//! A run's figures for people (a table) and machines (JSON).

mod features;

use std::cmp::Reverse;

use anyhow::Result;
use serde::Serialize;

use crate::console::{money, paint, plural, table, thousands, visible};
use crate::expr::Ints;
use crate::frame::{FrameTotals, GROUP_ROWS, IntFrame, NameNumbers, col, mean, wide};
use crate::job::{Action, Arm, Job};
use crate::policy::{Decision, Refusal};
use crate::publish::Results;
use crate::run_dir::gates::{GateOutcome, GateVerdict, not_holding};
use crate::run_dir::manifest::{Manifest, ScoreTotals};

pub use features::features;

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
        let bands = if results.job.cards().len() == 1 { bands(results)? } else { bands_of_cards(results) };
        Ok(Summary { bands, decisions: decisions(results)? })
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

/// Likewise where several scorecards begin their bands at other scores.
fn bands_of_cards(results: &Results) -> Vec<BandRow> {
    let bands = &results.job.scorecard.bands;
    let mut rows: Vec<Option<BandRow>> = vec![None; bands.len()];
    for (band, score) in results.scores.band.iter().zip(&results.scores.score) {
        let none = || BandRow {
            band: bands[usize::from(*band)].name.clone(),
            accounts: 0,
            lowest: *score,
            highest: *score,
        };
        let row = rows[usize::from(*band)].get_or_insert_with(none);
        row.accounts += 1;
        row.lowest = row.lowest.min(*score);
        row.highest = row.highest.max(*score);
    }
    rows.into_iter().flatten().collect()
}

fn decisions(results: &Results) -> Result<Vec<DecisionRow>> {
    let lines = results.lines;
    let reasons = ReasonNumbers::of(results.job);
    let arm = |line: usize| results.scores.assignment.arm(lines.account[line] as usize);
    let mut products = NameNumbers::default();
    let change = wide(col(NEW_LIMIT)) - wide(col(OLD_LIMIT));
    let mut by_reason = FrameTotals::new([col(PRODUCT), col(ACTION), col(REASON)], &[change]);
    for start in (0..results.decisions.len()).step_by(GROUP_ROWS) {
        let run = start..(start + GROUP_ROWS).min(results.decisions.len());
        let decisions = &results.decisions[run.clone()];
        let frame = IntFrame::new(run.len())
            .with(PRODUCT, products.numbers(&lines.product.slice(run.clone())))
            .with(ACTION, Ints::all(decisions.iter().map(|decision| decision.action as i64).collect()))
            .with(
                REASON,
                Ints::all(
                    run.clone().map(|line| reasons.number(&results.decisions[line], arm(line))).collect(),
                ),
            )
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
    /// By arm, by rule of its policy.
    by_rule: [Vec<i64>; 2],
}

impl ReasonNumbers {
    fn of(job: &Job) -> ReasonNumbers {
        let mut names = NameNumbers::default();
        let by_refusal = Refusal::ALL.iter().map(|refusal| names.number(refusal.name())).collect();
        let by_rule = Arm::ALL
            .map(|arm| job.policy_of(arm).rules.iter().map(|rule| names.number(&rule.reason)).collect());
        ReasonNumbers { names, by_refusal, by_rule }
    }

    /// The number of [`Decision::reason`].
    fn number(&self, decision: &Decision, arm: Arm) -> i64 {
        match decision.refusal {
            Some(refusal) => self.by_refusal[refusal as usize],
            None => self.by_rule[arm as usize][usize::from(decision.rule.expect("an action has a rule"))],
        }
    }
}

/// One line of a run: how many accounts and adjustments, how limits change, how many gates do not hold.
pub fn headline(manifest: &Manifest, minor_units: u32, currency: Option<&str>) -> String {
    let totals = &manifest.control_totals;
    let change = money(totals.new_limit_total - totals.old_limit_total, minor_units);
    let currency = currency.map_or(String::new(), |currency| format!(" {currency}"));
    let mut parts = vec![
        plural(totals.accounts as usize, "account"),
        plural(totals.adjustments as usize, "adjustment"),
        format!("limits change by {change}{currency}"),
    ];
    parts.extend(gates_in_a_word(&manifest.gates));
    let known = match manifest.known_on {
        known if known == manifest.as_of => String::new(),
        known => format!(", known on {known}"),
    };
    format!("{} of {}{known}: {}", visible(&manifest.job), manifest.as_of, parts.join(", "))
}

/// How many gates fail, or warn, or that all hold; nothing where there are none.
fn gates_in_a_word(gates: &[GateOutcome]) -> Option<String> {
    let of = |verdict| gates.iter().filter(|gate| gate.verdict() == verdict).count();
    let all = plural(gates.len(), "gate");
    let said = |count: usize, word: &str, words: &str| {
        (count > 0).then(|| format!("{count} of {all} {}", if count == 1 { word } else { words }))
    };
    let (failed, warned) = (of(GateVerdict::Fails), of(GateVerdict::Warns));
    let said = [said(failed, "fails", "fail"), said(warned, "warns", "warn")];
    let said: Vec<String> = said.into_iter().flatten().collect();
    match (gates.len(), said.is_empty()) {
        (0, _) => None,
        (1, true) => Some("1 gate holds".to_string()),
        (_, true) => Some(format!("{all} hold")),
        _ => Some(said.join(", ")),
    }
}

/// The figures of a run in tables, a section each.
pub fn sections(manifest: &Manifest, bands: &[BandRow], minor_units: u32) -> Vec<String> {
    let mut parts = Vec::new();
    if !bands.is_empty() {
        let row = |row: &BandRow| {
            let scores = format!("{}..{}", row.lowest, row.highest);
            vec![row.band.clone(), thousands(row.accounts.into()), scores]
        };
        parts.push(table(&["band", "accounts", "scores"], &bands.iter().map(row).collect::<Vec<_>>()));
    }
    parts.push(actions(manifest, minor_units));
    parts.extend(arms(manifest, minor_units));
    let counts = manifest.counts.iter().map(|(name, counts)| {
        let reasons = counts.rejected.iter().map(|(reason, rows)| format!("{} {rows}", reason.name()));
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        vec![name.clone(), thousands(counts.read.into()), thousands(counts.accepted.into()), reasons]
    });
    parts.push(table(&["input", "read", "accepted", "rejected"], &counts.collect::<Vec<_>>()));
    if !manifest.gates.is_empty() {
        parts.push(gates(&manifest.gates, minor_units));
    }
    parts
}

/// A table of gates, those that do not hold first.
fn gates(gates: &[GateOutcome], minor_units: u32) -> String {
    let held = gates.iter().filter(|gate| gate.verdict() == GateVerdict::Holds);
    let rows = not_holding(gates).into_iter().chain(held).map(|gate| {
        let words = gate.in_words(minor_units);
        let verdict = gate.verdict();
        vec![
            gate.name.clone(),
            paint(verdict.tone(), verdict.word()),
            words.value,
            words.rows.unwrap_or_default(),
            words.bounds,
        ]
    });
    table(&["gate", "it", "figure", "rows", "may be"], &rows.collect::<Vec<_>>())
}

/// A table of arms, and one of segments, where the job has any.
fn arms(manifest: &Manifest, minor_units: u32) -> Vec<String> {
    let totals = &manifest.control_totals;
    let arms = totals.arms.iter().map(|(arm, of_arm)| {
        let all = || of_arm.actions.values().flatten();
        let adjusted = all().filter(|(action, _)| *action != Action::Hold.name());
        let change = all().map(|(_, totals)| totals.new_limit - totals.old_limit).sum();
        vec![
            arm.clone(),
            thousands(of_arm.scores.accounts.into()),
            mean_score(of_arm.scores),
            thousands(adjusted.map(|(_, totals)| i128::from(totals.lines)).sum()),
            money(change, minor_units),
        ]
    });
    let arms: Vec<Vec<String>> = arms.collect();
    let segments = totals.segments.iter().map(|(segment, scores)| {
        vec![segment.clone(), thousands(scores.accounts.into()), mean_score(*scores)]
    });
    let segments: Vec<Vec<String>> = segments.collect();
    let arms = (!arms.is_empty())
        .then(|| table(&["arm", "accounts", "mean score", "adjustments", "limits change by"], &arms));
    let segments = (!segments.is_empty()).then(|| table(&["segment", "accounts", "mean score"], &segments));
    arms.into_iter().chain(segments).collect()
}

/// A mean score with one decimal; a dash where there is no account.
pub fn mean_score(scores: ScoreTotals) -> String {
    const TENTHS: i128 = 10;
    let mean = mean(scores.score_total.into(), scores.accounts, TENTHS);
    mean.map_or("–".to_string(), |mean| {
        let sign = if mean < 0 { "-" } else { "" };
        format!("{sign}{}.{}", mean.unsigned_abs() / 10, mean.unsigned_abs() % 10)
    })
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

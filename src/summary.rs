//! A run's figures for people (a table) and machines (JSON). The room where polars is spoken.

use std::ops::Range;

use anyhow::Result;
use polars::prelude::*;
use serde::Serialize;

use crate::console::{money, table, thousands};
use crate::job::Action;
use crate::pieces::piece;
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
    let scores = results.scores;
    let band: Vec<u32> = scores.band.iter().map(|band| u32::from(*band)).collect();
    let frame = DataFrame::new(
        scores.score.len(),
        vec![Column::new("band".into(), band), Column::new("score".into(), &scores.score)],
    )?;
    let grouped = frame
        .lazy()
        .group_by([col("band")])
        .agg([
            len().alias("accounts"),
            col("score").min().alias("lowest"),
            col("score").max().alias("highest"),
        ])
        .sort(["band"], SortMultipleOptions::default())
        .collect()?;
    let columns = (grouped.column("band")?.u32()?, grouped.column("accounts")?.u32()?);
    let range = (grouped.column("lowest")?.i32()?, grouped.column("highest")?.i32()?);
    let row = |row: usize| {
        let band = columns.0.get(row)? as usize;
        Some(BandRow {
            band: results.job.scorecard.bands[band].name.clone(),
            accounts: u64::from(columns.1.get(row)?),
            lowest: range.0.get(row)?,
            highest: range.1.get(row)?,
        })
    };
    Ok((0..grouped.height()).filter_map(row).collect())
}

/// Changes are summed in halves of 32 bits, so that no sum can run over.
const HALF: i128 = 1 << 32;

/// Lines grouped at a time, so that memory does not grow with the book.
const RUN: usize = piece(1 << 20, 3);

fn decisions(results: &Results) -> Result<Vec<DecisionRow>> {
    let (lines, policy) = (results.lines, &results.job.policy);
    let mut reasons: Vec<&str> = Refusal::ALL.iter().map(|refusal| refusal.name()).collect();
    reasons.extend(policy.rules.iter().map(|rule| rule.reason.as_str()));
    let reason = |decision: &Decision| {
        let reason = decision.reason(policy);
        reasons.iter().position(|known| *known == reason).expect("all reasons are listed") as u32
    };
    let runs = (0..results.decisions.len()).step_by(RUN);
    let grouped: Vec<LazyFrame> = runs
        .map(|start| group_run(results, start..(start + RUN).min(results.decisions.len()), &reason))
        .collect::<Result<_>>()?;
    let sums = [col("lines").sum(), col("high").sum(), col("low").sum()];
    let grouped = concat(grouped, UnionArgs::default())?.group_by(KEYS.map(col)).agg(sums).collect()?;
    let key =
        |name: &str| -> Result<Vec<u32>> { Ok(grouped.column(name)?.u32()?.into_no_null_iter().collect()) };
    let sum =
        |name: &str| -> Result<Vec<i64>> { Ok(grouped.column(name)?.i64()?.into_no_null_iter().collect()) };
    let (product, action, reason, count) = (key("product")?, key("action")?, key("reason")?, key("lines")?);
    let (high, low) = (sum("high")?, sum("low")?);
    let row = |row: usize| DecisionRow {
        product: lines.product.dictionary[product[row] as usize].to_string(),
        action: Action::ALL[action[row] as usize].name().to_string(),
        reason: reasons[reason[row] as usize].to_string(),
        lines: u64::from(count[row]),
        change: i128::from(high[row]) * HALF + i128::from(low[row]),
    };
    let mut rows: Vec<(u32, DecisionRow)> = (0..grouped.height()).map(|i| (action[i], row(i))).collect();
    rows.sort_by(|(a, x), (b, y)| {
        (&x.product, a, std::cmp::Reverse(x.lines), &x.reason).cmp(&(
            &y.product,
            b,
            std::cmp::Reverse(y.lines),
            &y.reason,
        ))
    });
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// What lines are grouped by.
const KEYS: [&str; 3] = ["product", "action", "reason"];

fn group_run(results: &Results, run: Range<usize>, reason: &impl Fn(&Decision) -> u32) -> Result<LazyFrame> {
    let (limits, products) = (&results.lines.limit[run.clone()], &results.lines.product.codes[run.clone()]);
    let decisions = &results.decisions[run];
    let changes = || {
        let lines = decisions.iter().zip(limits);
        lines.map(|(decision, limit)| i128::from(decision.new_limit) - i128::from(*limit))
    };
    let frame = DataFrame::new(
        decisions.len(),
        vec![
            Column::new("product".into(), products),
            Column::new("action".into(), decisions.iter().map(|d| d.action as u32).collect::<Vec<_>>()),
            Column::new("reason".into(), decisions.iter().map(reason).collect::<Vec<_>>()),
            Column::new(
                "high".into(),
                changes().map(|change| change.div_euclid(HALF) as i64).collect::<Vec<_>>(),
            ),
            Column::new(
                "low".into(),
                changes().map(|change| change.rem_euclid(HALF) as i64).collect::<Vec<_>>(),
            ),
        ],
    )?;
    let sums = [len().alias("lines"), col("high").sum(), col("low").sum()];
    Ok(frame.lazy().group_by(KEYS.map(col)).agg(sums).collect()?.lazy())
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
            let shown = |minor: i128| money(minor, minor_units);
            rows.push(vec![
                format!("{product} {}", action.name()),
                thousands(totals.lines.into()),
                shown(totals.old_limit),
                shown(totals.new_limit),
                shown(totals.new_limit - totals.old_limit),
            ]);
        }
    }
    table(&["action", "lines", "limits before", "after", "change"], &rows)
}

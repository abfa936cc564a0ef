//! An account of a run, explained.

use anyhow::Result;
use serde::Serialize;

use super::arm::DecidedBy;
use super::counterfactual::counterfactuals;
use super::line::{LineExplanation, explain_line};
use super::scorecard::{PrintedScorecard, printed_scorecard};
use super::units::FeatureUnits;
use super::what_if::WhatIf;
use crate::console::plain_path;
use crate::day::Day;
use crate::failure::input;
use crate::policy::trace::trace;
use crate::run_dir::{Facts, PublishedRun};

/// An account of a run, explained. Money in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The run's directory.
    pub run: String,
    /// The job's name.
    pub job: String,
    /// The as-of date.
    pub as_of: Day,
    /// The known-on date.
    pub known_on: Day,
    /// The version of the program that made the run.
    pub program_version: String,
    /// Decimal places of money.
    pub minor_units: u32,
    /// What the features count; plain numbers are left out.
    pub units: FeatureUnits,
    /// The account.
    pub account_id: String,
    /// Which scorecard and policy decided, where the job has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<DecidedBy>,
    /// Its score.
    pub score: PrintedScorecard,
    /// Its lines.
    pub lines: Vec<LineExplanation>,
}

/// An account's facts. Fails where the run has no such account.
pub fn find(run: &PublishedRun, account: &str) -> Result<Facts> {
    run.account(account)?.ok_or_else(|| {
        let totals = &run.manifest.control_totals;
        input(format!(
            "explain account {account}: {} has no such account among its {}; only accounts with an accepted line in \
             the book are scored",
            run.directory.path().display(),
            crate::console::thousands(totals.accounts.into()),
        ))
    })
}

/// Explains an account.
pub fn explain(run: &PublishedRun, account: &str) -> Result<Explanation> {
    let facts = find(run, account)?;
    let what_if = WhatIf::new(run, &facts)?;
    let now = what_if.as_it_is()?;
    let scores = facts.score(&what_if.job.scorecard, &facts.features, 1);
    let traces = trace(&what_if.job, run.manifest.as_of, &facts.lines, &facts.features, &scores);
    let counterfactuals = counterfactuals(&what_if, &now);
    let budgets_left = what_if.budgets_left(&scores);
    let lines = traces.iter().zip(counterfactuals).zip(budgets_left).enumerate();
    let lines = lines.map(|(number, ((trace, counterfactuals), budget_left))| {
        explain_line(&what_if, &now, trace, number, counterfactuals, budget_left)
    });
    let manifest = &run.manifest;
    Ok(Explanation {
        run: plain_path(run.directory.path()),
        job: manifest.job.clone(),
        as_of: manifest.as_of,
        known_on: manifest.known_on,
        program_version: manifest.program_version.clone(),
        minor_units: run.job.minor_units,
        units: FeatureUnits::of(&run.job),
        account_id: facts.lines.accounts.ids.text(0),
        decided_by: DecidedBy::of(&what_if),
        score: printed_scorecard(&what_if, &now),
        lines: lines.collect(),
    })
}

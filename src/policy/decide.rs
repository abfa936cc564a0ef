//! Decides about every line: rules first, then each account's actions, then the raise budgets.

use std::ops::Range;

use rayon::prelude::*;

use super::budget::apply_budgets;
use super::decision::Decision;
use super::rules::{Ruling, rule};
use super::settle::{AccountLines, settle_account};
use crate::day::Day;
use crate::features::FeatureTable;
use crate::input::lines::Lines;
use crate::job::{DecisionTerms, Job, Policy};
use crate::score::Scores;

/// One decision a line, in the order of the lines.
pub fn decide(
    job: &Job,
    as_of: Day,
    lines: &Lines,
    features: &FeatureTable,
    scores: &Scores,
) -> Vec<Decision> {
    let mut decisions = decide_unbudgeted(job, as_of, lines, features, scores);
    for remit in job.remits() {
        apply_budgets(&remit, lines, scores, &mut decisions);
    }
    decisions
}

/// The decisions as they are before raise budgets, which look at all accounts, are applied.
pub fn decide_unbudgeted(
    job: &Job,
    as_of: Day,
    lines: &Lines,
    features: &FeatureTable,
    scores: &Scores,
) -> Vec<Decision> {
    let remits = job.remits();
    let terms = |policy| DecisionTerms { policy, ..job.decision_terms() };
    let rulings = remits.iter().map(|remit| rule(&terms(remit.policy), as_of, lines, features, scores));
    let rulings: Vec<Vec<Ruling>> = rulings.collect();
    let decided = accounts(lines).into_par_iter().flat_map_iter(|range| {
        let arm = scores.assignment.arm(lines.account[range.start] as usize);
        let own = remits.iter().position(|remit| remit.covers(arm)).expect("every arm has a policy");
        let account = account(remits[own].policy, as_of, lines, features, scores, range.clone());
        settle_account(&account, &rulings[own][range], |_, _| {})
    });
    decided.collect()
}

/// Settles each account's lines under one policy; budgets, which look at all accounts, come after.
pub fn settle(
    policy: &Policy,
    as_of: Day,
    lines: &Lines,
    features: &FeatureTable,
    scores: &Scores,
    rulings: &[Ruling],
) -> Vec<Decision> {
    accounts(lines)
        .into_par_iter()
        .flat_map_iter(|range| {
            let account = account(policy, as_of, lines, features, scores, range.clone());
            settle_account(&account, &rulings[range], |_, _| {})
        })
        .collect()
}

/// The account whose lines are at `range`.
pub(super) fn account<'a>(
    policy: &'a Policy,
    as_of: Day,
    lines: &'a Lines,
    features: &FeatureTable,
    scores: &Scores,
    range: Range<usize>,
) -> AccountLines<'a> {
    let account = lines.account[range.start] as usize;
    let affordability = policy.affordability.map(|affordability| {
        let value = features.get(affordability.feature, account).unwrap_or(0);
        i128::from(value.max(0)) * i128::from(affordability.bp) / 10_000
    });
    AccountLines { policy, as_of, lines, range, band: scores.band[account], affordability }
}

/// The runs of lines of one account.
fn accounts(lines: &Lines) -> Vec<Range<usize>> {
    let mut start = 0;
    lines
        .account
        .chunk_by(|a, b| a == b)
        .map(|own| {
            let range = start..start + own.len();
            start = range.end;
            range
        })
        .collect()
}

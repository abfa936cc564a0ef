//! Decides about every line: rules first, then each account's actions, then the raise budgets.

use std::cmp::Reverse;
use std::ops::Range;

use rayon::prelude::*;

use super::facts::{line_columns, own_columns, score_columns};
use super::settle::{Account, settle_account};
use super::{Decision, Refusal};
use crate::day::Day;
use crate::expr::{Column, Frame};
use crate::features::FeatureTable;
use crate::input::lines::Lines;
use crate::job::published::Basis;
use crate::job::{Action, Job, Policy};
use crate::score::Scores;

/// What a rule said about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling {
    /// Position of the line's product; `None` if the policy does not declare it.
    pub product: Option<u8>,
    /// Position of the first rule that is true.
    pub rule: Option<u16>,
}

/// Lines whose facts are evaluated together.
const CHUNK_LINES: usize = 32_768;

/// One decision a line, in the order of the lines.
pub fn decide(
    job: &Job,
    as_of: Day,
    lines: &Lines,
    features: &FeatureTable,
    scores: &Scores,
) -> Vec<Decision> {
    let rulings = rule(&job.basis(), as_of, lines, features, scores);
    let mut decisions = settle(&job.policy, as_of, lines, features, scores, &rulings);
    apply_budgets(job, lines, scores, &rulings, &mut decisions);
    decisions
}

/// The first rule that is true of each line.
pub fn rule(
    basis: &Basis,
    as_of: Day,
    lines: &Lines,
    features: &FeatureTable,
    scores: &Scores,
) -> Vec<Ruling> {
    let chunks: Vec<Range<usize>> = (0..lines.account.len())
        .step_by(CHUNK_LINES)
        .map(|start| start..(start + CHUNK_LINES).min(lines.account.len()))
        .collect();
    chunks
        .into_par_iter()
        .flat_map_iter(|range| rulings(basis, as_of, lines, features, scores, range))
        .collect()
}

/// Settles each account's lines; budgets, which look at all accounts, come after.
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
            let account = lines.account[range.start] as usize;
            let affordability = policy.affordability.map(|affordability| {
                let value = features.ints(affordability.feature).get(account).copied().unwrap_or(0);
                i128::from(value.max(0)) * i128::from(affordability.bp) / 10_000
            });
            let band = scores.band[account];
            settle_account(
                &Account { policy, as_of, lines, range: range.clone(), band, affordability },
                &rulings[range],
            )
        })
        .collect()
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

fn rulings(
    basis: &Basis,
    as_of: Day,
    lines: &Lines,
    features: &FeatureTable,
    scores: &Scores,
    range: Range<usize>,
) -> Vec<Ruling> {
    let policy = basis.policy;
    let mut needed: Vec<usize> =
        policy.rules.iter().flat_map(|rule| rule.when.columns.iter().copied()).collect();
    needed.sort_unstable();
    needed.dedup();
    let own = own_columns(lines);
    let first_of_score = needed.partition_point(|slot| *slot < own);
    let (of_line, of_score) = needed.split_at(first_of_score);
    let mut columns = line_columns(lines, as_of, range.clone(), of_line, basis.facts);
    let from_score = of_score.iter().map(|slot| slot - own);
    for (slot, column) in
        score_columns(basis.scorecard, scores, features, &lines.account[range.clone()], from_score)
    {
        columns[slot + own] = Some(column);
    }
    let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
    let frame = Frame { rows: range.len(), columns };
    let by_code: Vec<Option<u8>> = lines
        .product
        .dictionary
        .iter()
        .map(|name| policy.products.iter().position(|product| *product.name == **name).map(|p| p as u8))
        .collect();
    let mut rulings: Vec<Ruling> = lines.product.codes[range]
        .iter()
        .map(|code| Ruling { product: by_code[*code as usize], rule: None })
        .collect();
    for (number, rule) in policy.rules.iter().enumerate() {
        let truths = rule.when.truths(&frame);
        let applies =
            |product: u8| rule.products.as_ref().is_none_or(|own| own.contains(&usize::from(product)));
        for (row, ruling) in rulings.iter_mut().enumerate() {
            if ruling.rule.is_none() && truths.is_true(row) && ruling.product.is_some_and(applies) {
                ruling.rule = Some(number as u16);
            }
        }
    }
    rulings
}

/// Per product: raises in order of score (highest first), then account, are granted until the first
/// that does not fit; that one and all after it are refused.
fn apply_budgets(job: &Job, lines: &Lines, scores: &Scores, rulings: &[Ruling], decisions: &mut [Decision]) {
    for (number, product) in job.policy.products.iter().enumerate() {
        let Some(budget) = product.raise_budget else { continue };
        let is_raise = |line: &usize| {
            decisions[*line].action == Action::Raise && rulings[*line].product == Some(number as u8)
        };
        let mut raises: Vec<usize> = (0..decisions.len()).filter(is_raise).collect();
        raises.sort_by_key(|line| {
            let account = lines.account[*line];
            (Reverse(scores.score[account as usize]), account)
        });
        let mut spent = 0_i128;
        let mut is_used_up = false;
        for line in raises {
            let decision = &mut decisions[line];
            spent += i128::from(decision.new_limit) - i128::from(lines.limit[line]);
            is_used_up |= spent > i128::from(budget);
            if is_used_up {
                *decision = Decision {
                    bound_by: decision.bound_by,
                    ..hold(lines, line, decision.rule, Some(Refusal::Budget))
                };
            }
        }
    }
}

/// A decision that changes nothing.
pub(super) fn hold(lines: &Lines, line: usize, rule: Option<u16>, refusal: Option<Refusal>) -> Decision {
    Decision {
        action: Action::Hold,
        refusal,
        rule,
        new_limit: lines.limit[line],
        new_status: lines.status[line],
        bound_by: None,
        effective_on: None,
    }
}

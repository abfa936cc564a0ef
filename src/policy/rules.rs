//! The rules of a policy: of each line the first that is true, and what it reads.

use std::ops::Range;

use rayon::prelude::*;

use crate::day::Day;
use crate::expr::{Column, Frame};
use crate::features::FeatureTable;
use crate::input::line_columns::{line_columns, own_columns};
use crate::input::lines::Lines;
use crate::job::{DecisionTerms, Policy};
use crate::pieces::piece;
use crate::score::{Scores, score_columns};

/// What a rule said about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling {
    /// Position of the line's product; `None` if the policy does not declare it.
    pub product: Option<u8>,
    /// Position of the first rule that is true.
    pub rule: Option<u16>,
}

/// Lines whose facts are evaluated together.
const CHUNK_LINES: usize = piece(32_768, 3);

/// The first rule that is true of each line.
pub fn rule(
    basis: &DecisionTerms,
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

/// The columns of the facts scope that rules read, for the lines in `range`.
pub(super) fn facts(
    basis: &DecisionTerms,
    as_of: Day,
    lines: &Lines,
    features: &FeatureTable,
    scores: &Scores,
    range: Range<usize>,
) -> Vec<Option<Column>> {
    let rules = &basis.policy.rules;
    let mut needed: Vec<usize> = rules.iter().flat_map(|rule| rule.when.columns.iter().copied()).collect();
    needed.sort_unstable();
    needed.dedup();
    let own = own_columns(lines);
    let first_of_score = needed.partition_point(|slot| *slot < own);
    let (of_line, of_score) = needed.split_at(first_of_score);
    let mut columns = line_columns(lines, as_of, range.clone(), of_line, basis.facts);
    let from_score = of_score.iter().map(|slot| slot - own);
    for (slot, column) in score_columns(basis.scorecard, scores, features, &lines.account[range], from_score)
    {
        columns[slot + own] = Some(column);
    }
    columns
}

/// The position of each line's product among those declared.
pub(super) fn products<'a>(
    policy: &Policy,
    lines: &'a Lines,
    range: Range<usize>,
) -> impl Iterator<Item = Option<u8>> + 'a {
    let by_code: Vec<Option<u8>> = lines.product.dictionary.iter().map(|name| policy.product(name)).collect();
    lines.product.codes[range].iter().map(move |code| by_code[*code as usize])
}

pub(super) fn rulings(
    basis: &DecisionTerms,
    as_of: Day,
    lines: &Lines,
    features: &FeatureTable,
    scores: &Scores,
    range: Range<usize>,
) -> Vec<Ruling> {
    let columns = facts(basis, as_of, lines, features, scores, range.clone());
    let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
    let frame = Frame { rows: range.len(), columns };
    let mut rulings: Vec<Ruling> =
        products(basis.policy, lines, range).map(|product| Ruling { product, rule: None }).collect();
    for (number, rule) in basis.policy.rules.iter().enumerate() {
        let truths = rule.when.truths(&frame);
        for (row, ruling) in rulings.iter_mut().enumerate() {
            if ruling.rule.is_none()
                && truths.is_true(row)
                && ruling.product.is_some_and(|product| rule.is_for(product))
            {
                ruling.rule = Some(number as u16);
            }
        }
    }
    rulings
}

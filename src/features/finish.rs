//! Accumulators to features: windows added up, then ratios and expressions in file order.

use anyhow::Result;
use num_bigint::BigInt;
use rayon::prelude::*;

use super::accumulate::Accumulators;
use super::asked::{Asked, AskedDay, Part};
use super::plan::{FeaturePlan, LAST_DAY};
use super::table::{FeatureTable, Narrow};
use crate::expr::{Column, Frame, Ints};
use crate::failure::{in_order, input};
use crate::job::{Feature, FeatureKind};

/// A feature whose exact value does not fit: which slot of the part, which feature, what.
struct Overflow {
    slot: usize,
    feature: usize,
    value: BigInt,
}

impl Overflow {
    fn into_error(self, features: &[Feature], asked: &Asked, part: &Part) -> anyhow::Error {
        let account = asked.accounts.ids.text(asked.account(part.slots().start + self.slot));
        let name = &features[self.feature].name;
        let value = self.value;
        input(format!("compute feature {name} of account {account}: {value} does not fit in Int64"))
    }
}

/// Features of one part that are answered from one source, by number.
#[derive(Default)]
pub struct PartAnswers(Vec<(usize, Narrow)>);

impl PartAnswers {
    /// Those of some slots of the part.
    pub fn gather(&self, slots: &[u32]) -> PartAnswers {
        PartAnswers(self.0.iter().map(|(feature, answer)| (*feature, answer.gather(slots))).collect())
    }
}

/// Answers found so far: by part, the features that are finished.
pub struct Answers {
    parts: Vec<Vec<Option<Narrow>>>,
}

impl Answers {
    /// No answers yet.
    pub fn new(features: &[Feature], parts: &[Part]) -> Answers {
        Answers { parts: vec![vec![None; features.len()]; parts.len()] }
    }

    /// Adds the answers from a source, part by part.
    pub fn add(&mut self, answers: Vec<PartAnswers>) {
        for (part, PartAnswers(answers)) in self.parts.iter_mut().zip(answers) {
            answers.into_iter().for_each(|(feature, answer)| part[feature] = Some(answer));
        }
    }

    /// Computes ratios and expressions, in file order. An error names the first account of which a feature does
    /// not fit, and the first such feature of it.
    pub fn finish(self, features: &[Feature], asked: &Asked, parts: &[Part]) -> Result<FeatureTable> {
        let derived = in_order(self.parts.into_par_iter().zip(parts).map(|(answers, part)| {
            let derived = derive(features, answers, part.len());
            derived.map_err(|overflow| overflow.into_error(features, asked, part))
        }))?;
        Ok(FeatureTable::of_parts(derived, parts))
    }
}

/// Adds up the windows of a part, by plan of a source and what was accumulated for it. Errors as in
/// [`Answers::finish`].
pub fn answer(
    features: &[Feature],
    sources: &[(&FeaturePlan, &Accumulators)],
    asked: &Asked,
    part: &Part,
) -> Result<PartAnswers> {
    let slots = part.len();
    let mut first: Option<Overflow> = None;
    let wanted =
        sources.iter().flat_map(|(plan, cells)| plan.answers.iter().map(move |one| (one, plan, cells)));
    let mut wanted: Vec<_> = wanted.collect();
    wanted.sort_unstable_by_key(|(answer, ..)| answer.feature);
    let mut answers = Vec::with_capacity(wanted.len());
    for (answer, plan, cells) in wanted {
        // An earlier account is reported before an earlier feature: only those accounts are looked at yet.
        let slots = first.as_ref().map_or(slots, |first| first.slot);
        match cells.window(plan, slots, answer.group, answer.edge) {
            Ok(column) => {
                let column = days_to_as_of(plan, answer.group, column, &asked.days[part.slots()]);
                answers.push((answer.feature, Narrow::of(column)));
            }
            Err((slot, value)) => first = Some(Overflow { slot, feature: answer.feature, value }),
        }
    }
    match first {
        Some(overflow) => Err(overflow.into_error(features, asked, part)),
        None => Ok(PartAnswers(answers)),
    }
}

/// Ages in days of rows, where they were counted from the end of all days, from D; other answers as they are.
fn days_to_as_of(plan: &FeaturePlan, group: usize, mut column: Ints, days: &[AskedDay]) -> Ints {
    if plan.counts_from_the_end && plan.groups[group].statistic.is_an_age() {
        let ages = column.values.iter_mut().zip(days);
        ages.for_each(|(age, day)| *age -= LAST_DAY.since(day.as_of));
    }
    column
}

fn derive(features: &[Feature], part: Vec<Option<Narrow>>, slots: usize) -> Result<Vec<Narrow>, Overflow> {
    let mut columns: Vec<Option<Column>> =
        part.iter().map(|narrow| narrow.as_ref().map(Narrow::widen)).collect();
    let mut finished = Vec::with_capacity(part.len());
    let mut first: Option<Overflow> = None;
    for ((feature, Feature { kind, .. }), known) in features.iter().enumerate().zip(part) {
        let column = loop {
            let slots = first.as_ref().map_or(slots, |first| first.slot);
            match derived(kind, columns.iter().map(Option::as_ref).collect(), slots).transpose() {
                Ok(column) => break column,
                Err((slot, value)) => {
                    // As above: the rest is computed for the slots before it.
                    columns.iter_mut().flatten().for_each(|column| *column = column.slice(0..slot));
                    first = Some(Overflow { slot, feature, value });
                }
            }
        };
        match column {
            None => finished.push(known.expect("every plan has been answered")),
            Some(column) => {
                finished.push(Narrow::of(column.clone()));
                columns[feature] = Some(Column::Int(column));
            }
        }
    }
    first.map_or(Ok(finished), Err)
}

/// A ratio or an expression over the features above it; `None` for an aggregate. `Err` names the first
/// row whose value does not fit in 64 bits, and the value.
pub fn derived(
    kind: &FeatureKind,
    above: Vec<Option<&Column>>,
    rows: usize,
) -> Option<Result<Ints, (usize, BigInt)>> {
    match kind {
        FeatureKind::Aggregate(_) => None,
        FeatureKind::Ratio { a, b, scale } => {
            let (Some(Column::Int(a)), Some(Column::Int(b))) = (above[*a], above[*b]) else {
                unreachable!("features above are finished")
            };
            Some(ratio(a, b, *scale))
        }
        FeatureKind::Expression(expr) => Some(expr.ints(&Frame { rows, columns: above })),
    }
}

/// scale × a ÷ b, truncated toward zero; null where b is 0 or either is null.
fn ratio(a: &Ints, b: &Ints, scale: i64) -> Result<Ints, (usize, BigInt)> {
    let ratios = (0..a.values.len()).map(|row| {
        let (Some(a), Some(b)) = (a.get(row), b.get(row)) else { return Ok(None) };
        if *b == 0 {
            return Ok(None);
        }
        let exact = i128::from(scale) * i128::from(*a) / i128::from(*b);
        i64::try_from(exact).map(Some).map_err(|_| (row, BigInt::from(exact)))
    });
    ratios.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_truncates_toward_zero_and_is_null_without_a_divisor() {
        let a: Ints = [Some(7), Some(-7), Some(1), None, Some(i64::MAX)].into_iter().collect();
        let b: Ints = [Some(3), Some(3), Some(0), Some(1), Some(i64::MAX)].into_iter().collect();
        let found = ratio(&a, &b, 10).unwrap();
        let values: Vec<Option<i64>> = (0..5).map(|row| found.get(row).copied()).collect();
        assert_eq!(values, [Some(23), Some(-23), None, None, Some(10)]);
        let one: Ints = [Some(1)].into_iter().collect();
        assert!(ratio(&Ints::all(vec![i64::MAX]), &one, 2).is_err());
    }
}

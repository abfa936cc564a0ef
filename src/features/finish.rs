//! Accumulators to features: windows added up, then ratios and expressions in file order.

use std::ops::Range;

use anyhow::Result;
use num_bigint::BigInt;
use rayon::prelude::*;

use super::Partitions;
use super::accumulate::{Cells, Total};
use super::plan::Plan;
use super::table::{FeatureTable, Narrow};
use crate::expr::{Column, Frame, Ints};
use crate::failure::{in_order, input};
use crate::input::accounts::Accounts;
use crate::job::{Feature, FeatureKind};

/// A feature whose exact value does not fit: which account of the partition, which feature, what.
struct Overflow {
    account: usize,
    feature: usize,
    value: BigInt,
}

/// Answers found so far: by partition, the features that are finished.
pub struct Answers {
    parts: Vec<Vec<Option<Narrow>>>,
}

impl Answers {
    /// No answers yet.
    pub fn new(features: &[Feature], partitions: Partitions) -> Answers {
        Answers { parts: vec![vec![None; features.len()]; partitions.of_book()] }
    }

    /// Adds up the windows of a plan; `cells` are those of the book's partitions from `first`. An error names
    /// the first account of which a feature does not fit, and the first such feature of it.
    pub fn add(
        &mut self,
        features: &[Feature],
        plan: &Plan,
        cells: &[Cells],
        first: usize,
        accounts: &Accounts,
        partitions: Partitions,
    ) -> Result<()> {
        let parts = self.parts.par_iter_mut().skip(first).zip(cells).enumerate();
        in_order(parts.map(|(number, (part, cells))| {
            let range = partitions.accounts(first + number);
            let answered = answer(plan, cells, range.len(), part);
            answered.map_err(|overflow| overflow.told(features, accounts, range))
        }))
        .map(|_| ())
    }

    /// Computes ratios and expressions, in file order; errors as in [`Answers::add`].
    pub fn finish(
        self,
        features: &[Feature],
        accounts: &Accounts,
        partitions: Partitions,
    ) -> Result<FeatureTable> {
        let derived = in_order(self.parts.into_par_iter().enumerate().map(|(number, part)| {
            let range = partitions.accounts(number);
            let derived = derive(features, part, range.len());
            derived.map_err(|overflow| overflow.told(features, accounts, range))
        }))?;
        Ok(FeatureTable::of_parts(derived))
    }
}

impl Overflow {
    fn told(self, features: &[Feature], accounts: &Accounts, range: Range<u32>) -> anyhow::Error {
        let account = accounts.ids.text(range.start as usize + self.account);
        let name = &features[self.feature].name;
        let value = self.value;
        input(format!("compute feature {name} of account {account}: {value} does not fit in Int64"))
    }
}

fn answer(plan: &Plan, cells: &Cells, accounts: usize, part: &mut [Option<Narrow>]) -> Result<(), Overflow> {
    let mut first: Option<Overflow> = None;
    for answer in &plan.answers {
        let column = if plan.groups[answer.group].log.is_some() {
            Ok(cells.logged(plan, accounts, answer.group, answer.days))
        } else {
            // An earlier account is told before an earlier feature: only those accounts are looked at yet.
            let accounts = first.as_ref().map_or(accounts, |first| first.account);
            totals(plan, cells, accounts, answer.group, answer.days)
        };
        match column {
            Ok(column) => part[answer.feature] = Some(Narrow::of(column)),
            Err((account, value)) => first = Some(Overflow { account, feature: answer.feature, value }),
        }
    }
    first.map_or(Ok(()), Err)
}

fn derive(features: &[Feature], part: Vec<Option<Narrow>>, accounts: usize) -> Result<Vec<Narrow>, Overflow> {
    let mut columns: Vec<Option<Column>> =
        part.iter().map(|narrow| narrow.as_ref().map(Narrow::widen)).collect();
    let mut finished = Vec::with_capacity(part.len());
    let mut first: Option<Overflow> = None;
    for ((feature, Feature { kind, .. }), known) in features.iter().enumerate().zip(part) {
        let column = loop {
            let accounts = first.as_ref().map_or(accounts, |first| first.account);
            match derived(kind, columns.iter().map(Option::as_ref).collect(), accounts).transpose() {
                Ok(column) => break column,
                Err((account, value)) => {
                    // As above: the rest is computed for the accounts before it.
                    columns.iter_mut().flatten().for_each(|column| *column = column.slice(0..account));
                    first = Some(Overflow { account, feature, value });
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
            let operand = |feature: usize| match above[feature] {
                Some(Column::Int(ints)) => ints,
                _ => unreachable!("features above are finished"),
            };
            Some(ratio(operand(*a), operand(*b), *scale))
        }
        FeatureKind::Expression(expr) => Some(expr.ints(&Frame { rows, columns: above })),
    }
}

fn totals(
    plan: &Plan,
    cells: &Cells,
    accounts: usize,
    group: usize,
    days: u32,
) -> Result<Ints, (usize, BigInt)> {
    if let Some(sums) = cells.sums(plan, accounts, group, days) {
        return Ok(Ints::all(sums));
    }
    let total = |account: usize| match cells.total(plan, account as u32, group, days) {
        Total::Value(value) => Ok(Some(value)),
        Total::Null => Ok(None),
        Total::Overflow(exact) => Err((account, BigInt::from(exact))),
    };
    (0..accounts).map(total).collect()
}

/// scale × a ÷ b, truncated toward zero; null where b is 0 or either is null.
fn ratio(a: &Ints, b: &Ints, scale: i64) -> Result<Ints, (usize, BigInt)> {
    let one = |row: usize| {
        let (Some(a), Some(b)) = (a.get(row), b.get(row)) else { return Ok(None) };
        if *b == 0 {
            return Ok(None);
        }
        let exact = i128::from(scale) * i128::from(*a) / i128::from(*b);
        i64::try_from(exact).map(Some).map_err(|_| (row, BigInt::from(exact)))
    };
    (0..a.values.len()).map(one).collect()
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

//! Accumulators to features: windows added up, then ratios and expressions in file order.

use anyhow::Result;
use num_bigint::BigInt;

use super::Partitions;
use super::accumulate::{Cells, Total};
use super::plan::Plan;
use super::rows::by_partition;
use crate::expr::{Column, Frame, Ints};
use crate::failure::input;
use crate::input::accounts::Accounts;
use crate::job::{Feature, FeatureKind};

/// Every feature of every account, in file order.
pub struct FeatureTable {
    /// One column a feature, one row an account.
    pub columns: Vec<Column>,
}

impl FeatureTable {
    /// A feature's integers.
    pub fn ints(&self, feature: usize) -> &Ints {
        match &self.columns[feature] {
            Column::Int(ints) => ints,
            _ => unreachable!("features are integers"),
        }
    }
}

/// A feature whose exact value does not fit: which account of the partition, which feature, what.
struct Overflow {
    account: usize,
    feature: usize,
    value: BigInt,
}

/// Finishes all partitions. `sources` pairs each plan with its accumulators, one a partition.
pub fn finish(
    features: &[Feature],
    sources: &[(&Plan, Vec<Cells>)],
    accounts: &Accounts,
    partitions: Partitions,
) -> Result<FeatureTable> {
    let parts = by_partition(partitions, |number| {
        let range = partitions.accounts(number);
        let cells: Vec<(&Plan, &Cells)> =
            sources.iter().map(|(plan, cells)| (*plan, &cells[number])).collect();
        finish_partition(features, &cells, range.len()).map_err(|overflow| {
            let account = accounts.ids.text(range.start as usize + overflow.account);
            let name = &features[overflow.feature].name;
            let value = overflow.value;
            input(format!("compute feature {name} of account {account}: {value} does not fit in Int64"))
        })
    });
    let mut columns: Vec<Ints> = vec![Ints::all(Vec::with_capacity(accounts.len())); features.len()];
    for part in parts {
        for (column, part) in columns.iter_mut().zip(part?) {
            append(column, part);
        }
    }
    Ok(FeatureTable { columns: columns.into_iter().map(Column::Int).collect() })
}

fn append(all: &mut Ints, part: Ints) {
    let before = all.values.len();
    all.values.extend(part.values);
    let after = all.values.len();
    match (&mut all.valid, part.valid) {
        (None, None) => {}
        (Some(valid), None) => valid.resize(after, true),
        (None, Some(part)) => {
            let mut valid = vec![true; before];
            valid.extend(part);
            all.valid = Some(valid);
        }
        (Some(valid), Some(part)) => valid.extend(part),
    }
}

fn finish_partition(
    features: &[Feature],
    sources: &[(&Plan, &Cells)],
    accounts: usize,
) -> Result<Vec<Ints>, Overflow> {
    let mut columns: Vec<Option<Column>> = vec![None; features.len()];
    for (plan, cells) in sources {
        for answer in &plan.answers {
            let column = match plan.groups[answer.group].is_tabled() {
                true => Ints::all(cells.tabled(accounts, answer.group, answer.days)),
                false => totals(plan, cells, accounts, answer.group, answer.days)
                    .map_err(|(account, value)| Overflow { account, feature: answer.feature, value })?,
            };
            columns[answer.feature] = Some(Column::Int(column));
        }
    }
    for (number, feature) in features.iter().enumerate() {
        let overflow = |(account, value)| Overflow { account, feature: number, value };
        let above: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
        if let Some(derived) = derived(&feature.kind, above, accounts) {
            columns[number] = Some(Column::Int(derived.map_err(overflow)?));
        }
    }
    let finished = columns.into_iter().map(|column| match column {
        Some(Column::Int(ints)) => ints,
        _ => unreachable!("every feature is finished"),
    });
    Ok(finished.collect())
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

//! Who would be above a threshold under one card and not under another, with their outcomes and their money.

use serde::Serialize;

use super::approval::Approval;
use super::fraction::Fraction;
use super::scored::ScoredSample;
use super::tally::GoodsAndBads;
use crate::expr::Ints;
use crate::job::CardTerms;
use crate::model::{ModelSample, SamplePart};

/// Rows that both cards judge, against each other.
#[derive(Debug, Clone, Serialize)]
pub struct SwapSet {
    /// Which rows: `unseen` (held out and out of time) where there are any, else `all`.
    pub rows_of: &'static str,
    /// The feature whose sum is money: the limits of an account's lines; null where no feature is that.
    pub money: Option<String>,
    /// Decimal places of money.
    pub minor_units: u32,
    /// One for each threshold that both cards have.
    pub thresholds: Vec<SwapTable>,
}

/// What a threshold parts.
#[derive(Debug, Clone, Serialize)]
pub struct SwapTable {
    /// The band from which on rows are above it, or the expression.
    pub above: String,
    /// Above it under both cards.
    pub both: SwapCell,
    /// Above it under the new card alone: swapped in.
    pub swapped_in: SwapCell,
    /// Above it under the current card alone: swapped out.
    pub swapped_out: SwapCell,
    /// Below it under both.
    pub neither: SwapCell,
}

/// Some of the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SwapCell {
    /// Weight, whatever the outcome.
    pub rows: u64,
    /// Goods and bads among them.
    #[serde(flatten)]
    pub outcomes: GoodsAndBads,
    /// Bads of both.
    pub bad_rate: Option<Fraction>,
    /// Minor units; null where nothing tells.
    pub money: Option<i128>,
    /// Those of bad rows.
    pub money_of_bads: Option<i128>,
}

/// Money of a row: where it is from and how much, minor units.
pub struct RowMoney<'a> {
    /// The feature.
    pub name: String,
    /// Decimal places.
    pub minor_units: u32,
    values: &'a Ints,
}

impl<'a> RowMoney<'a> {
    /// The first feature of a card that sums the limits of an account's lines, where the sample has it.
    pub fn find(sample: &'a ModelSample, card: &CardTerms, minor_units: u32) -> Option<RowMoney<'a>> {
        let feature = (0..card.features.len()).find(|feature| card.is_sum_of_limits(*feature))?;
        let name = &card.features[feature].name;
        Some(RowMoney { name: name.clone(), minor_units, values: sample.feature(name)? })
    }

    fn of(&self, row: usize, weight: u64) -> i128 {
        self.values.get(row).map_or(0, |value| i128::from(*value) * i128::from(weight))
    }
}

/// Holds a card against the current one, band by band where both have the same, and by an expression that says who is
/// approved where there is one. `None` where they have no threshold in common.
pub fn swap_set(
    new: &ScoredSample,
    current: &ScoredSample,
    approval: Option<&Approval>,
    money: Option<&RowMoney>,
) -> Option<SwapSet> {
    let is_unseen =
        |row: &usize| matches!(new.sample.part[*row], SamplePart::HoldOut | SamplePart::OutOfTime);
    let unseen: Vec<usize> = new.population().filter(is_unseen).collect();
    let (rows_of, rows) =
        if unseen.is_empty() { ("all", new.population().collect()) } else { ("unseen", unseen) };
    let mut thresholds = Vec::new();
    if let Some(approval) = approval {
        let above = [approval.of(new), approval.of(current)];
        thresholds.push(table(&approval.text, &above, new, &rows, money));
    }
    let names = |scored: &ScoredSample| -> Vec<String> {
        scored.card.scorecard.bands.iter().map(|band| band.name.clone()).collect()
    };
    let own = names(new);
    if own == names(current) {
        for (number, band) in own.iter().enumerate().skip(1) {
            let is_above = |scored: &ScoredSample| -> Vec<bool> {
                scored.band.iter().map(|band| usize::from(*band) >= number).collect()
            };
            let above = [is_above(new), is_above(current)];
            thresholds.push(table(&format!("band {band} or better"), &above, new, &rows, money));
        }
    }
    (!thresholds.is_empty()).then_some(SwapSet {
        rows_of,
        money: money.map(|money| money.name.clone()),
        minor_units: money.map_or(0, |money| money.minor_units),
        thresholds,
    })
}

fn table(
    above: &str,
    [of_new, of_current]: &[Vec<bool>; 2],
    scored: &ScoredSample,
    rows: &[usize],
    money: Option<&RowMoney>,
) -> SwapTable {
    let cell = |wanted: [bool; 2]| {
        let mut cell = SwapCell::default();
        let is_in = |row: &&usize| [of_new[**row], of_current[**row]] == wanted;
        for row in rows.iter().filter(is_in) {
            let (weight, is_bad) = (scored.weight(*row), scored.is_bad(*row));
            cell.rows += weight;
            if let Some(is_bad) = is_bad {
                cell.outcomes.add(is_bad, weight);
            }
            if let Some(money) = money {
                let own = money.of(*row, weight);
                *cell.money.get_or_insert(0) += own;
                *cell.money_of_bads.get_or_insert(0) += if is_bad == Some(true) { own } else { 0 };
            }
        }
        SwapCell { bad_rate: cell.outcomes.bad_rate(), ..cell }
    };
    SwapTable {
        above: above.to_string(),
        both: cell([true, true]),
        swapped_in: cell([true, false]),
        swapped_out: cell([false, true]),
        neither: cell([false, false]),
    }
}

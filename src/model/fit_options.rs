//! `[fit]` and `[[fit.characteristic]]`: how a scorecard is fitted.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::written::WrittenText;
use crate::job::Reader;

/// How a scorecard is fitted.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FitOptions {
    /// Points that double the odds of good to bad.
    pub pdo: u32,
    /// The score at which the odds are `good_bad_odds`.
    pub base_score: i32,
    /// Goods to one bad at `base_score`.
    pub good_bad_odds: u32,
    /// No more characteristics are selected.
    pub max_characteristics: usize,
    /// No characteristic has more bins, those of nulls and special values aside.
    pub max_bins: usize,
    /// The least share of the fitted rows' weight in a bin, in basis points.
    pub min_bin_bp: u32,
    /// The least weight of bad rows in a bin.
    pub min_bin_bads: u32,
    /// The least information value of a characteristic, in thousandths.
    pub min_iv_milli: u32,
    /// The largest correlation of the weights of evidence of two selected characteristics, in basis points.
    pub max_correlation_bp: u32,
    /// How the bad rate goes over the bins of a characteristic of which nothing else is said.
    pub monotone: Monotone,
    /// What is said of single features.
    #[serde(skip)]
    pub characteristics: Vec<CharacteristicOptions>,
}

impl Default for FitOptions {
    /// What `[fit]` stands for where it leaves a key out.
    fn default() -> FitOptions {
        FitOptions {
            pdo: 40,
            base_score: 600,
            good_bad_odds: 20,
            max_characteristics: 10,
            max_bins: 6,
            min_bin_bp: 500,
            min_bin_bads: 10,
            min_iv_milli: 20,
            max_correlation_bp: 8_000,
            monotone: Monotone::Auto,
            characteristics: Vec::new(),
        }
    }
}

/// How points go with the value of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Monotone {
    /// The larger the value, the more points: the bad rate falls.
    Up,
    /// The larger the value, the fewer points: the bad rate rises.
    Down,
    /// Whichever of the two tells more.
    Auto,
    /// In any way.
    None,
}

/// What is said of one feature.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharacteristicOptions {
    /// The feature's name.
    pub feature: WrittenText,
    /// How points go with it.
    pub monotone: Option<Monotone>,
    /// Values that have bins of their own, whatever their bad rate.
    #[serde(default)]
    pub special: Vec<i64>,
    /// The lower ends of all bins but the first, ascending; binning is not searched for.
    pub cuts: Option<Spanned<Vec<i64>>>,
    /// Points by bin (special values and cuts in order of value), then of null: taken as they are.
    pub points: Option<Spanned<Vec<i32>>>,
    /// Whether it is selected whatever it tells.
    #[serde(default)]
    pub force: bool,
    /// Whether it is never selected.
    #[serde(default)]
    pub exclude: bool,
}

/// More than any job has features.
const MOST_CHARACTERISTICS: usize = 10_000;

/// Takes `[fit]` with its characteristics out of the top table; as by default where it is not there.
pub(super) fn read<'a>(reader: &mut Reader<'a>, top: &mut Spanned<DeTable<'a>>) -> Option<FitOptions> {
    let Some(fit) = top.get_mut().remove("fit") else { return Some(FitOptions::default()) };
    let span = fit.span();
    let DeValue::Table(table) = fit.into_inner() else {
        reader.error(span, "[fit] is a table", None);
        return None;
    };
    let mut table = Spanned::new(span.clone(), table);
    let characteristics = reader.tables(&mut table, "characteristic", MOST_CHARACTERISTICS);
    let characteristics =
        characteristics.into_iter().filter_map(|one| reader.take(one)).map(Spanned::into_inner).collect();
    let fit = reader.take::<FitOptions>(Spanned::new(span.clone(), DeValue::Table(table.into_inner())))?;
    let fit = FitOptions { characteristics, ..fit.into_inner() };
    let must = [
        (fit.pdo > 0, "pdo is at least 1"),
        (fit.good_bad_odds > 0, "good_bad_odds is at least 1"),
        (fit.max_characteristics > 0, "max_characteristics is at least 1"),
        (fit.max_bins >= 2, "max_bins is at least 2"),
        (fit.min_bin_bp <= 5_000, "min_bin_bp is at most 5000: two bins have half of the rows each"),
        (fit.max_correlation_bp <= 10_000, "max_correlation_bp is at most 10000"),
    ];
    for (_, message) in must.iter().filter(|(holds, _)| !holds) {
        reader.error(span.clone(), *message, None);
    }
    Some(fit)
}

//! The numbers of a fitted card: bins of every feature, the selection, points.

use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::*;

use super::binning::{BinningRule, FeatureBins};
use super::cells::Cells;
use super::evidence::Evidence;
use super::fate::Fate;
use super::optimal::{BinLimits, Trend};
use super::scale::{BinPoints, RoundedBase, ScoreScale, least};
use super::select::{FeatureCandidate, ForwardSelection, SelectionLimits, SelectionStep, select};
use super::train::TrainingRows;
use super::values::ValueOutcomes;
use crate::failure::{Kind, failure};
use crate::model::{CharacteristicOptions, FitOptions, Monotone};

/// A fitted card, in numbers.
#[derive(Debug)]
pub struct FittedModel {
    /// What points are scaled to.
    pub scale: ScoreScale,
    /// All rows that were fitted on.
    pub evidence: Evidence,
    /// By feature of the sample.
    pub features: Vec<FittedFeature>,
    /// In the order in which they were selected.
    pub characteristics: Vec<FittedCharacteristic>,
    /// The intercept of the logarithm of the odds of good to bad.
    pub intercept: f64,
    /// The logarithm of the likelihood.
    pub log_likelihood: f64,
    /// The base, and how far rounding leads away.
    pub base: RoundedBase,
}

/// What became of a feature.
#[derive(Debug)]
pub struct FittedFeature {
    /// Its bins.
    pub bins: FeatureBins,
    /// By row that was fitted on: its bin.
    pub bin_of_row: Vec<u8>,
    /// Whether and why it is a characteristic.
    pub fate: Fate,
}

/// A characteristic of the card.
#[derive(Debug)]
pub struct FittedCharacteristic {
    /// Position of its feature.
    pub feature: usize,
    /// Its coefficient; `None` where its points are given.
    pub coefficient: Option<FittedCoefficient>,
    /// Its step of the selection.
    pub step: SelectionStep,
    /// By bin.
    pub points: BinPoints,
}

/// A coefficient.
#[derive(Debug, Clone, Copy)]
pub struct FittedCoefficient {
    /// Of the weight of evidence; above 0.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

/// The least that a characteristic adds to twice the logarithm of the likelihood, by Rao's score test and by Wald's:
/// Akaike's criterion.
pub const LEAST_CHI_SQUARE: f64 = 2.0;

/// No more characteristics are selected than one for each so many bads: more would be fitted to those bads alone.
pub const BADS_A_CHARACTERISTIC: u64 = 10;

/// How many characteristics so many bads can tell apart; at least one.
fn most_for(bads: u64) -> usize {
    usize::try_from(bads / BADS_A_CHARACTERISTIC).unwrap_or(usize::MAX).max(1)
}

/// Fits a card. `wishes` are what the model file says of features, by their positions.
pub fn fit_card(
    options: &FitOptions,
    wishes: &BTreeMap<usize, &CharacteristicOptions>,
    train: &TrainingRows,
) -> Result<FittedModel> {
    let scale = ScoreScale::of(options);
    let evidence = Evidence { all: train.all };
    let made: Vec<FittedFeature> = train
        .features
        .par_iter()
        .enumerate()
        .map(|(number, column)| {
            let wish = wishes.get(&number).copied();
            let values = ValueOutcomes::of(column, &train.rows);
            let bins = bins(options, wish, values, &evidence);
            let bin_of_row = bins.bins_of(column);
            let fate = Fate::before_selection(options, wish, &bins);
            FittedFeature { bins, bin_of_row, fate }
        })
        .collect();
    let mut features = made;
    for (number, wish) in wishes {
        check_points(wish, &features[*number].bins)?;
    }
    let waiting: Vec<usize> =
        (0..features.len()).filter(|number| features[*number].fate == Fate::Waits).collect();
    let candidates: Vec<FeatureCandidate> = waiting
        .iter()
        .map(|number| candidate(&scale, wishes.get(number).copied(), &features[*number].bins))
        .collect();
    let bins: Vec<&[u8]> = waiting.iter().map(|number| features[*number].bin_of_row.as_slice()).collect();
    let cells = Cells::of(&bins, &train.rows);
    let limits = SelectionLimits {
        most: options.max_characteristics.min(most_for(train.all.bad)),
        correlation: f64::from(options.max_correlation_bp) / 10_000.0,
        chi_square: LEAST_CHI_SQUARE,
    };
    let selection = select(&candidates, &cells, limits).map_err(|_| given_points_fail())?;
    for (candidate, why) in &selection.rest {
        features[waiting[*candidate]].fate = Fate::NotSelected(why.of_features(&waiting));
    }
    for (number, step) in selection.steps.iter().enumerate() {
        features[waiting[step.candidate]].fate = Fate::Selected { place: number };
    }
    let characteristics = characteristics(&scale, &selection, &candidates, &waiting, wishes)?;
    finish(scale, evidence, features, characteristics, &selection)
}

fn finish(
    scale: ScoreScale,
    evidence: Evidence,
    features: Vec<FittedFeature>,
    characteristics: Vec<FittedCharacteristic>,
    selection: &ForwardSelection,
) -> Result<FittedModel> {
    let intercept = selection.regression.coefficients[0];
    // The worst bins give 0 points; what they would give is in the base.
    let moved = characteristics.iter().fold(0.0, |sum, one| {
        let own = one.coefficient.map(|own| least(&scale, own.value, &features[one.feature].bins.woe));
        sum + own.unwrap_or(0.0)
    });
    let points: Vec<BinPoints> = characteristics.iter().map(|one| one.points.clone()).collect();
    let base = RoundedBase::of(scale.score(intercept) + moved, &points)?;
    let log_likelihood = selection.regression.log_likelihood;
    Ok(FittedModel { scale, evidence, features, characteristics, intercept, log_likelihood, base })
}

fn characteristics(
    scale: &ScoreScale,
    selection: &ForwardSelection,
    candidates: &[FeatureCandidate],
    waiting: &[usize],
    wishes: &BTreeMap<usize, &CharacteristicOptions>,
) -> Result<Vec<FittedCharacteristic>> {
    let regression = &selection.regression;
    let mut coefficients = regression.coefficients.iter().zip(&regression.errors).skip(1);
    let mut found = Vec::with_capacity(selection.steps.len());
    for step in &selection.steps {
        let feature = waiting[step.candidate];
        let own = &candidates[step.candidate];
        let given = wishes.get(&feature).and_then(|wish| wish.points.as_ref()).filter(|_| own.is_given);
        let (coefficient, points) = match given {
            Some(_) => {
                let points: Vec<i32> =
                    own.woe.iter().map(|log_odds| libm::round(log_odds * scale.factor) as i32).collect();
                (None, BinPoints::given(&points))
            }
            None => {
                let Some((value, error)) = coefficients.next() else { continue };
                let own = BinPoints::of(scale, *value, &own.woe)?;
                (Some(FittedCoefficient { value: *value, error: *error }), own)
            }
        };
        found.push(FittedCharacteristic { feature, coefficient, step: *step, points });
    }
    Ok(found)
}

/// The bins of a feature as the options have it.
fn bins(
    options: &FitOptions,
    wish: Option<&CharacteristicOptions>,
    values: ValueOutcomes,
    evidence: &Evidence,
) -> FeatureBins {
    const BASIS_POINTS: u64 = 10_000;
    let monotone = wish.and_then(|wish| wish.monotone).unwrap_or(options.monotone);
    let trends: &[Trend] = match monotone {
        Monotone::Up => &[Trend::Falling],
        Monotone::Down => &[Trend::Rising],
        Monotone::Auto => &[Trend::Falling, Trend::Rising],
        Monotone::None => &[Trend::Free],
    };
    let limits = BinLimits {
        min_rows: (evidence.all.rows() * u64::from(options.min_bin_bp)).div_ceil(BASIS_POINTS),
        min_bads: options.min_bin_bads.into(),
        max_bins: options.max_bins,
    };
    let rule = BinningRule {
        special: wish.map_or(&[], |wish| &wish.special),
        cuts: wish.and_then(|wish| wish.cuts.as_ref()).map(|cuts| cuts.get_ref().as_slice()),
        limits,
        trends,
    };
    FeatureBins::of(values, evidence, &rule)
}

/// A feature as the selection sees it.
fn candidate(
    scale: &ScoreScale,
    wish: Option<&CharacteristicOptions>,
    bins: &FeatureBins,
) -> FeatureCandidate {
    let given = wish.and_then(|wish| wish.points.as_ref());
    let woe = match given {
        None => bins.woe.clone(),
        Some(points) => {
            // Points by range, then of null; an ordinary bin that a special value parts takes those of its last range.
            let mut log_odds = vec![0.0; bins.counts.len()];
            let of_bins = bins.ranges.iter().map(|range| range.bin).chain([bins.null()]);
            for (bin, points) in of_bins.zip(points.get_ref()) {
                log_odds[bin] = f64::from(*points) / scale.factor;
            }
            log_odds
        }
    };
    FeatureCandidate { woe, is_given: given.is_some(), is_forced: wish.is_some_and(|wish| wish.force) }
}

/// Fails where given points are not one a bin, or differ where a special value parts a bin.
fn check_points(wish: &CharacteristicOptions, bins: &FeatureBins) -> Result<()> {
    let Some(points) = &wish.points else { return Ok(()) };
    let name = wish.feature.get_ref();
    let (points, ranges) = (points.get_ref(), bins.ranges.len());
    if points.len() != ranges + 1 {
        let message = format!(
            "[[fit.characteristic]] `{name}` has {} points for {} bins: {} and null",
            points.len(),
            ranges + 1,
            bins.range_names().join(", ")
        );
        return Err(failure(Kind::Usage, message));
    }
    let mut of_bin: BTreeMap<usize, i32> = BTreeMap::new();
    for (range, points) in bins.ranges.iter().zip(points) {
        if *of_bin.entry(range.bin).or_insert(*points) != *points {
            let message = format!(
                "[[fit.characteristic]] `{name}`: the bin that a special value parts has two different points; cut it there"
            );
            return Err(failure(Kind::Usage, message));
        }
    }
    Ok(())
}

fn given_points_fail() -> anyhow::Error {
    let message = "fit: beside the points that are given, no intercept makes the likelihood largest; look at `points` of \
                   [[fit.characteristic]]";
    failure(Kind::Usage, message.to_string())
}

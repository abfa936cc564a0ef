//! The scorecard file: features, and the points their values give.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeValue;

use super::actionable::{Actionable, RawActionable};
use super::columns::SCORE_COLUMNS;
use super::diagnostics::{Diagnostics, Severity};
use super::feature_file::{self, Feature, RawFeature};
use super::reader::Reader;
use super::scopes::Scopes;
use super::source::Source;
use crate::expr::Type;

/// Points, bands, dimensions, characteristics.
#[derive(Debug, Clone, Default)]
pub struct Scorecard {
    /// What every account starts with.
    pub base: i32,
    /// The least a score can be.
    pub min: i32,
    /// The most a score can be.
    pub max: i32,
    /// How many reasons are given.
    pub reasons: usize,
    /// Ascending; the first starts at `min`.
    pub bands: Vec<Band>,
    /// What characteristics' points add up to.
    pub dimensions: Vec<Dimension>,
    /// In file order, which breaks ties among reasons.
    pub characteristics: Vec<Characteristic>,
}

impl Scorecard {
    /// The position of the band a score lies in.
    pub fn band_of(&self, score: i32) -> usize {
        self.bands.iter().rposition(|band| band.from <= score).unwrap_or(0)
    }
}

/// A named range of scores.
#[derive(Debug, Clone)]
pub struct Band {
    /// As policies call it.
    pub name: String,
    /// The least score in it.
    pub from: i32,
}

/// A group of characteristics.
#[derive(Debug, Clone)]
pub struct Dimension {
    /// As columns and expressions call it.
    pub name: String,
    /// As people read it.
    pub title: String,
}

/// A feature's points.
#[derive(Debug, Clone)]
pub struct Characteristic {
    /// Position among the features.
    pub feature: usize,
    /// Position among the dimensions.
    pub dimension: usize,
    /// Reason code.
    pub reason: String,
    /// The reason as the person it concerns may read it.
    pub text: String,
    /// Points where the feature is null.
    pub missing: i32,
    /// Code and sentence where the feature is null, if they differ.
    pub missing_reason: Option<(String, String)>,
    /// What points are held against for reasons; `None`: the most that it gives.
    pub baseline: Option<i32>,
    /// Ascending; only the last has no upper bound.
    pub bins: Vec<Bin>,
    /// Whether the person can move the feature, and where to.
    pub actionable: Actionable,
}

/// The points of a range of values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bin {
    /// Values less than this, and not in an earlier bin; `None` takes all the rest.
    pub below: Option<i64>,
    /// What they give.
    pub points: i32,
}

impl Characteristic {
    /// The points of a value.
    pub fn points(&self, value: Option<i64>) -> i32 {
        match value {
            None => self.missing,
            Some(value) => {
                let bin = self.bins.iter().find(|bin| bin.below.is_none_or(|below| value < below));
                bin.expect("the last bin takes all the rest").points
            }
        }
    }

    /// What points are held against for reasons: those that are missing from it.
    pub fn baseline(&self) -> i32 {
        self.baseline.unwrap_or(self.range().1)
    }

    /// The most and the least it can give.
    pub fn range(&self) -> (i32, i32) {
        let all = self.bins.iter().map(|bin| bin.points).chain([self.missing]);
        (all.clone().min().unwrap_or(0), all.max().unwrap_or(0))
    }
}

/// The scorecard file, resolved.
pub(super) struct Model {
    pub features: Vec<Feature>,
    pub bill_tolerance: i64,
    pub scorecard: Scorecard,
    /// Some feature or dimension could not be made out, so names may be missing.
    pub incomplete: bool,
}

impl Model {
    /// Adds what the model makes (score, band, dimensions, features) and made before to the scopes that see it.
    pub fn add_names_to(&self, scopes: &mut Scopes) {
        let scores = &mut scopes.scores;
        SCORE_COLUMNS.iter().for_each(|(name, kind)| scores.push(*name, *kind));
        for dimension in &self.scorecard.dimensions {
            scores.push(&dimension.name, Type::Int);
        }
        for feature in &self.features {
            scores.push(&feature.name, Type::Int);
        }
        scores.open = self.incomplete;
        scopes.facts.columns.extend(scores.columns.iter().cloned());
        scopes.facts.open |= self.incomplete;
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScore {
    base: Spanned<i32>,
    min: Spanned<i32>,
    max: Spanned<i32>,
    reasons: Spanned<usize>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawBills {
    tolerance: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBand {
    name: Spanned<String>,
    from: Spanned<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDimension {
    name: Spanned<String>,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCharacteristic {
    feature: Spanned<String>,
    dimension: Spanned<String>,
    reason: Spanned<String>,
    text: String,
    missing: i32,
    missing_reason: Option<Spanned<String>>,
    missing_text: Option<Spanned<String>>,
    baseline: Option<i32>,
    bins: Spanned<Vec<Spanned<Bin>>>,
    actionable: Option<Spanned<RawActionable>>,
}

/// What is left of the file once its tables are taken out: nothing, so that all else is unknown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "the names are there to be told")]
struct ScorecardRest {
    bills: Option<IgnoredAny>,
    feature: Option<IgnoredAny>,
    score: Option<IgnoredAny>,
    band: Option<IgnoredAny>,
    dimension: Option<IgnoredAny>,
    characteristic: Option<IgnoredAny>,
}

/// Positions of bands are kept in a byte.
const MOST_BANDS: usize = 255;

/// Each is a column of the scores, and each feature one of `features.parquet`.
const MOST_DIMENSIONS: usize = 255;

/// Features, and so characteristics.
pub(super) const MOST_FEATURES: usize = 2_000;

/// Bins of one characteristic.
const MOST_BINS: usize = 1_000;

/// More reasons than any notice can carry.
const MOST_REASONS: usize = 20;

pub(super) fn read(source: &Source, scopes: &Scopes, diagnostics: &mut Diagnostics) -> Model {
    let wrong_elsewhere = diagnostics.count(Severity::Error);
    let mut reader = Reader { source, diagnostics };
    let mut top = reader.top();
    let bands = reader.tables(&mut top, "band", MOST_BANDS);
    let dimensions = reader.tables(&mut top, "dimension", MOST_DIMENSIONS);
    let features = reader.tables(&mut top, "feature", MOST_FEATURES);
    let characteristics = reader.tables(&mut top, "characteristic", MOST_FEATURES);
    let bills = reader.take_key::<RawBills>(&mut top, "bills");
    let score = top.get_mut().remove("score");
    if score.is_none() {
        reader.error(0..0, "the scorecard has no [score]", None);
    }
    let score = score.and_then(|value| reader.take::<RawScore>(value));
    let span = top.span();
    reader.take::<ScorecardRest>(Spanned::new(span, DeValue::Table(top.into_inner())));

    let wrong_before = reader.diagnostics.count(Severity::Error);
    let dimensions = self::dimensions(&mut reader, dimensions, scopes);
    let names: HashSet<String> = dimensions.iter().map(|dimension| dimension.name.clone()).collect();
    let raws: Vec<_> = features.into_iter().map(|raw| reader.take::<RawFeature>(raw)).collect();
    let all_read = raws.iter().all(Option::is_some);
    let raws = raws.into_iter().flatten().collect();
    let (features, complete) = feature_file::resolve(&mut reader, raws, scopes, &names);
    let incomplete = !(all_read && complete) || wrong_before > wrong_elsewhere;
    let tolerance = bills.and_then(|bills| bills.into_inner().tolerance);
    if let Some(tolerance) = tolerance.as_ref().filter(|tolerance| *tolerance.get_ref() < 0) {
        reader.error(tolerance.span(), "the tolerance is an amount: 0 or more", None);
    }
    let mut scorecard = Scorecard { dimensions, ..Scorecard::default() };
    if let Some(score) = &score {
        read_score(&mut reader, score.get_ref(), &mut scorecard);
    }
    scorecard.bands = self::bands(&mut reader, bands, score.is_some().then_some(scorecard.min));
    let mut used = HashSet::new();
    for raw in characteristics {
        let raw = reader.take::<RawCharacteristic>(raw);
        let raw = raw.map(Spanned::into_inner);
        let resolved = raw
            .and_then(|raw| characteristic(&mut reader, raw, &features, &scorecard, &mut used, incomplete));
        scorecard.characteristics.extend(resolved);
    }
    check_sums(&mut reader, &scorecard);
    let bill_tolerance = tolerance.map_or(0, |tolerance| *tolerance.get_ref());
    Model { features, bill_tolerance, scorecard, incomplete }
}

fn read_score(reader: &mut Reader, score: &RawScore, scorecard: &mut Scorecard) {
    let (min, max) = (*score.min.get_ref(), *score.max.get_ref());
    if min > max {
        reader.error(score.max.span(), format!("max {max} is less than min {min}"), None);
    }
    if *score.reasons.get_ref() > MOST_REASONS {
        reader.error(score.reasons.span(), format!("at most {MOST_REASONS} reasons are given"), None);
    }
    scorecard.base = *score.base.get_ref();
    scorecard.min = min;
    scorecard.max = max;
    scorecard.reasons = *score.reasons.get_ref();
}

fn bands(reader: &mut Reader, raws: Vec<Spanned<DeValue>>, least: Option<i32>) -> Vec<Band> {
    if raws.is_empty() {
        reader.error(0..0, "the scorecard has no [[band]]", None);
    }
    let mut bands: Vec<Band> = Vec::new();
    for raw in raws {
        let Some(raw) = reader.take::<RawBand>(raw) else { continue };
        let raw = raw.into_inner();
        let (name, from) = (raw.name.get_ref().clone(), *raw.from.get_ref());
        match bands.last() {
            None => {
                if let Some(least) = least.filter(|least| *least != from) {
                    let message = format!("the first band starts at the least score, {least}");
                    reader.error(raw.from.span(), message, None);
                }
            }
            Some(before) if from <= before.from => {
                let message = format!("bands ascend: {from} comes after {}", before.from);
                reader.error(raw.from.span(), message, None);
            }
            _ => {}
        }
        if bands.iter().any(|band| band.name == name) {
            reader.error(raw.name.span(), format!("there are two bands `{name}`"), None);
        }
        bands.push(Band { name, from });
    }
    bands
}

fn dimensions(reader: &mut Reader, raws: Vec<Spanned<DeValue>>, scopes: &Scopes) -> Vec<Dimension> {
    let mut dimensions: Vec<Dimension> = Vec::new();
    for raw in raws {
        let Some(raw) = reader.take::<RawDimension>(raw) else { continue };
        let raw = raw.into_inner();
        let name = raw.name.get_ref().clone();
        let clashes = SCORE_COLUMNS.iter().any(|(taken, _)| *taken == name)
            || scopes.facts.find(&name).is_some()
            || name.starts_with("points_")
            || name.starts_with("reason_");
        if clashes || dimensions.iter().any(|dimension| dimension.name == name) {
            let message = format!("there are two things named `{name}`");
            let help = "dimensions differ from each other, from the lines' columns and from those of scores";
            reader.error(raw.name.span(), message, Some(help.into()));
        }
        dimensions.push(Dimension { name, title: raw.title });
    }
    dimensions
}

fn characteristic(
    reader: &mut Reader,
    raw: RawCharacteristic,
    features: &[Feature],
    scorecard: &Scorecard,
    used: &mut HashSet<String>,
    incomplete: bool,
) -> Option<Characteristic> {
    let feature = features.iter().position(|feature| feature.name == *raw.feature.get_ref());
    if feature.is_none() && !incomplete {
        reader.unknown_name("feature", &raw.feature, features.iter().map(|f| f.name.as_str()));
    }
    if !used.insert(raw.feature.get_ref().clone()) {
        let message = format!("there are two characteristics on `{}`", raw.feature.get_ref());
        reader.error(raw.feature.span(), message, None);
    }
    let names = scorecard.dimensions.iter().map(|dimension| dimension.name.as_str());
    let dimension = names.clone().position(|name| name == raw.dimension.get_ref());
    if dimension.is_none() {
        reader.unknown_name("dimension", &raw.dimension, names);
    }
    let missing_reason = match (raw.missing_reason, raw.missing_text) {
        (Some(reason), Some(text)) => Some((reason.into_inner(), text.into_inner())),
        (Some(alone), None) => {
            reader.error(alone.span(), "missing_reason goes with missing_text", None);
            None
        }
        (None, Some(alone)) => {
            reader.error(alone.span(), "missing_text goes with missing_reason", None);
            None
        }
        (None, None) => None,
    };
    check_bins(reader, &raw.bins);
    let actionable = Actionable::resolve(reader, raw.actionable.as_ref());
    Some(Characteristic {
        feature: feature?,
        dimension: dimension?,
        reason: raw.reason.into_inner(),
        text: raw.text,
        missing: raw.missing,
        missing_reason,
        baseline: raw.baseline,
        bins: raw.bins.into_inner().into_iter().map(Spanned::into_inner).collect(),
        actionable,
    })
}

fn check_bins(reader: &mut Reader, bins: &Spanned<Vec<Spanned<Bin>>>) {
    let Some((last, head)) = bins.get_ref().split_last() else {
        reader.error(bins.span(), "a characteristic needs at least one bin", None);
        return;
    };
    if last.get_ref().below.is_some() {
        let help = "give it points only: it takes every value that is left";
        reader.error(last.span(), "the last bin has no `below`", Some(help.into()));
    }
    if head.len() >= MOST_BINS {
        let message = format!("there are {} bins; at most {MOST_BINS} are taken", head.len() + 1);
        reader.error(bins.span(), message, None);
    }
    let mut before = None;
    for bin in head {
        match (bin.get_ref().below, before) {
            (None, _) => reader.error(bin.span(), "only the last bin has no `below`", None),
            (Some(below), Some(before)) if below <= before => {
                let message = format!("bins ascend: below = {below} comes after below = {before}");
                reader.error(bin.span(), message, None);
            }
            _ => {}
        }
        before = bin.get_ref().below.or(before);
    }
}

/// Scores and dimensions are Int32: no sum of points may leave that range.
fn check_sums(reader: &mut Reader, scorecard: &Scorecard) {
    let ranges = scorecard.characteristics.iter().map(Characteristic::range);
    let base = i64::from(scorecard.base);
    let (low, high) = ranges.fold((base.min(0), base.max(0)), |(low, high), (least, most)| {
        (low + i64::from(least.min(0)), high + i64::from(most.max(0)))
    });
    if i32::try_from(low).is_err() || i32::try_from(high).is_err() {
        reader.error(0..0, "the points add up to more than a score can hold (Int32)", None);
    }
}

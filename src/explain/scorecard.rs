//! The printed scorecard of one account: every characteristic's points, and what its next better bin brings.

use serde::Serialize;

use super::counterfactual::{LinkedFeature, linked_features};
use super::what_if::{Assessment, WhatIf};
use crate::job::{Characteristic, Unit};
use crate::scorecard::bin_label;

/// A score, put together from its points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrintedScorecard {
    /// What everyone starts with.
    pub base: i32,
    /// The sum of the characteristics' points.
    pub points: i32,
    /// The least a score can be.
    pub min: i32,
    /// The most a score can be.
    pub max: i32,
    /// min(max, max(min, base + points)).
    pub score: i32,
    /// The band it lies in.
    pub band: String,
    /// What the run before gave; null where it gave none, or no rule of the policy asks.
    pub previous: Option<PreviousScore>,
    /// In file order.
    pub dimensions: Vec<DimensionPoints>,
    /// In file order.
    pub characteristics: Vec<CharacteristicPoints>,
    /// The reasons given, the weightiest first.
    pub reasons: Vec<GivenReason>,
}

/// The score of the run before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviousScore {
    /// Null where no rule asks for it.
    pub score: Option<i64>,
    /// Likewise.
    pub band: Option<String>,
}

/// What a group of characteristics adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DimensionPoints {
    /// As columns call it.
    pub name: String,
    /// As people read it.
    pub title: String,
    /// The sum of its characteristics' points.
    pub points: i32,
    /// The sum of the most they could give.
    pub most: i64,
}

/// The points of one characteristic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CharacteristicPoints {
    /// The feature's name.
    pub feature: String,
    /// The dimension's name.
    pub dimension: String,
    /// The feature's value.
    pub value: Option<i64>,
    /// The bin it lies in, in words.
    pub bin: String,
    /// The least value of that bin; null where it has none, and where the feature has no value.
    pub from: Option<i64>,
    /// The least value above that bin; likewise.
    pub below: Option<i64>,
    /// What it gives.
    pub points: i32,
    /// The most any bin, or `missing`, gives.
    pub most: i32,
    /// The reason's code, if it were given.
    pub reason: String,
    /// Its sentence.
    pub text: String,
    /// The nearest bin that gives more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub better: Option<Better>,
}

/// A reason that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenReason {
    /// Its code.
    pub code: String,
    /// Its sentence.
    pub text: String,
}

/// What the nearest better bin of a characteristic would bring, rescored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Better {
    /// The nearest value that lies in it.
    pub to: i64,
    /// `to` − the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<i128>,
    /// What moves with it, being over the same rows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub together: Vec<LinkedFeature>,
    /// How much the score would change.
    pub score_change: i32,
    /// The score then.
    pub score: i32,
    /// And its band.
    pub band: String,
}

/// Prints the scorecard of an account.
pub fn printed_scorecard(what_if: &WhatIf, now: &Assessment) -> PrintedScorecard {
    let job = &what_if.job;
    let card = &job.scorecard;
    let characteristics: Vec<CharacteristicPoints> =
        (0..card.characteristics.len()).map(|number| points(what_if, now, number)).collect();
    let dimensions = card.dimensions.iter().enumerate().map(|(number, dimension)| {
        let own = card.characteristics.iter().zip(&now.points).filter(|(one, _)| one.dimension == number);
        DimensionPoints {
            name: dimension.name.clone(),
            title: dimension.title.clone(),
            points: own.clone().map(|(_, points)| points).sum(),
            most: own.map(|(one, _)| i64::from(one.range().1)).sum(),
        }
    });
    let baselines = card.characteristics.iter().map(|one| i64::from(one.baseline()));
    let shortfalls =
        baselines.zip(&characteristics).map(|(baseline, one)| (baseline - i64::from(one.points), one));
    let mut shortfalls: Vec<(i64, &CharacteristicPoints)> =
        shortfalls.filter(|(shortfall, _)| *shortfall > 0).collect();
    shortfalls.sort_by_key(|(shortfall, _)| std::cmp::Reverse(*shortfall));
    let reasons = shortfalls.into_iter().take(card.reasons);
    PrintedScorecard {
        base: card.base,
        points: now.points.iter().sum(),
        min: card.min,
        max: card.max,
        score: now.score,
        band: card.bands[usize::from(now.band)].name.clone(),
        previous: previous(what_if),
        dimensions: dimensions.collect(),
        reasons: reasons
            .map(|(_, one)| GivenReason { code: one.reason.clone(), text: one.text.clone() })
            .collect(),
        characteristics,
    }
}

fn previous(what_if: &WhatIf) -> Option<PreviousScore> {
    let known = &what_if.facts.previous;
    let (score, band) = (known.score(0), known.band(0).map(str::to_string));
    (score.is_some() || band.is_some()).then_some(PreviousScore { score, band })
}

fn points(what_if: &WhatIf, now: &Assessment, number: usize) -> CharacteristicPoints {
    let job = &what_if.job;
    let characteristic = &job.scorecard.characteristics[number];
    let value = what_if.facts.features.get(characteristic.feature, 0);
    let (reason, text) = match (&characteristic.missing_reason, value) {
        (Some((reason, text)), None) => (reason, text),
        _ => (&characteristic.reason, &characteristic.text),
    };
    let (from, below) = value.map_or((None, None), |value| bin_of(characteristic, value));
    let bin = match value {
        Some(_) => bin_label(from, below, Unit::Number, 0),
        None => "missing".to_string(),
    };
    CharacteristicPoints {
        feature: job.features[characteristic.feature].name.clone(),
        dimension: job.scorecard.dimensions[characteristic.dimension].name.clone(),
        value,
        bin,
        from,
        below,
        points: now.points[number],
        most: characteristic.range().1,
        reason: reason.clone(),
        text: text.clone(),
        better: better(what_if, now, number, value),
    }
}

/// The values of a bin, both ends included, and what it gives.
struct BinValues {
    first: i64,
    last: i64,
    points: i32,
}

impl BinValues {
    fn nearest_to(&self, value: i64) -> i64 {
        value.clamp(self.first, self.last)
    }
}

/// The bins of a characteristic; one without values is left out.
fn bins(characteristic: &Characteristic) -> Vec<BinValues> {
    let mut first = Some(i64::MIN);
    let mut bins = Vec::new();
    for bin in &characteristic.bins {
        let last = bin.below.map_or(Some(i64::MAX), |below| below.checked_sub(1));
        bins.extend(first.zip(last).map(|(first, last)| BinValues { first, last, points: bin.points }));
        first = bin.below;
    }
    bins
}

/// The least value of the bin that a value lies in, and the least above it.
fn bin_of(characteristic: &Characteristic, value: i64) -> (Option<i64>, Option<i64>) {
    let bins = bins(characteristic);
    let own = bins.iter().find(|bin| (bin.first..=bin.last).contains(&value));
    let (first, last) = own.map_or((i64::MIN, i64::MAX), |bin| (bin.first, bin.last));
    (Some(first).filter(|first| *first > i64::MIN), last.checked_add(1))
}

/// The nearest bin with more points than now (of two as near, the one with more) that the feature can reach, tried.
fn better(what_if: &WhatIf, now: &Assessment, number: usize, value: Option<i64>) -> Option<Better> {
    let characteristic = &what_if.job.scorecard.characteristics[number];
    let start = value.unwrap_or(0);
    let mut better: Vec<BinValues> =
        bins(characteristic).into_iter().filter(|bin| bin.points > now.points[number]).collect();
    better.sort_by_key(|bin| (start.abs_diff(bin.nearest_to(start)), -bin.points));
    let (to, assessment) = better.into_iter().find_map(|bin| {
        let to = bin.nearest_to(start);
        Some((to, what_if.rescored(characteristic.feature, to)?))
    })?;
    Some(Better {
        to,
        by: value.map(|value| i128::from(to) - i128::from(value)),
        together: linked_features(what_if, characteristic.feature, to),
        score_change: assessment.score - now.score,
        score: assessment.score,
        band: what_if.job.scorecard.bands[usize::from(assessment.band)].name.clone(),
    })
}

//! `fit.json`: how a card was fitted, so that whoever reads it later needs nothing else.

use std::collections::BTreeMap;

use serde::Serialize;

use super::card_copy::{CardFrame, NewCharacteristic};
use super::fitted::FittedModel;
use super::quality::PartQuality;
use super::thresholds::{OtherReading, Threshold, Thresholds};
use crate::job::Job;
use crate::model::{FitOptions, ModelFile, ModelSample};
use crate::own::FIT_MAKER;

/// How a card was fitted.
#[derive(Debug, Serialize)]
pub struct FitRecord {
    /// Who made it.
    pub made_by: &'static str,
    /// Of this record.
    pub schema_version: u32,
    /// The job that it was fitted for.
    pub job: String,
    /// SHA-256 of the sample's file.
    pub sample_sha256: String,
    /// SHA-256 of the model file.
    pub model_sha256: String,
    /// What was fitted on, by weight.
    pub train: TrainRecord,
    /// What a score means: the share of bads at it is 1 / (1 + good_bad_odds × 2^((score − base_score) / pdo)).
    pub scale: ScaleRecord,
    /// What every account starts with.
    pub base: i32,
    /// The least score.
    pub min: i32,
    /// The highest.
    pub max: i32,
    /// The least score that the points add up to.
    pub lowest: i32,
    /// The highest.
    pub highest: i32,
    /// How far a score is from the exact one at the most, in points.
    pub largest_deviation: f64,
    /// The intercept of the logarithm of the odds of good to bad.
    pub intercept: f64,
    /// The logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Akaike's criterion: the least chi-square of a characteristic.
    pub least_chi_square: f64,
    /// What it is worth.
    pub parts: Vec<PartQuality>,
    /// Ascending.
    pub bands: Vec<BandRecord>,
    /// In the order in which they were selected.
    pub characteristics: Vec<CharacteristicRecord>,
    /// The other features.
    pub left_out: Vec<LeftOutRecord>,
    /// Every threshold of rules and gates on the score or a dimension.
    pub thresholds: Vec<Threshold>,
    /// Whether they are moved in the copies of job and policy.
    pub thresholds_moved: bool,
    /// What else reads the score, and must be looked at by a person.
    pub to_look_at: Vec<OtherReading>,
    /// What job and copy share, and the like.
    pub remarks: Vec<String>,
    /// By name the SHA-256 of every other file beside this one.
    pub files: BTreeMap<String, String>,
}

/// What was fitted on.
#[derive(Debug, Serialize)]
pub struct TrainRecord {
    /// The weight of all rows.
    pub rows: u64,
    /// Of the good ones.
    pub good: u64,
    /// Of the bad ones.
    pub bad: u64,
}

/// What a score means.
#[derive(Debug, Serialize)]
pub struct ScaleRecord {
    /// Points that double the odds.
    pub pdo: u32,
    /// The score of `good_bad_odds`.
    pub base_score: i32,
    /// Goods to one bad.
    pub good_bad_odds: u32,
}

/// A band.
#[derive(Debug, Serialize)]
pub struct BandRecord {
    /// Its name.
    pub band: String,
    /// Where it begins on the current card.
    pub old_from: i32,
    /// The share of the sample below that, in basis points.
    pub old_share_below_bp: u64,
    /// Where it begins now.
    pub from: i32,
    /// The share below that.
    pub share_below_bp: u64,
}

/// A characteristic.
#[derive(Debug, Serialize)]
pub struct CharacteristicRecord {
    /// The feature's name.
    pub feature: String,
    /// The dimension's.
    pub dimension: String,
    /// Whether the current card has it.
    pub is_new: bool,
    /// Why a new one is in that dimension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimension_why: Option<String>,
    /// Of the weight of evidence; null where points are given.
    pub coefficient: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Rao's chi-square when it was taken.
    pub chi_square: f64,
    /// The logarithm of the likelihood with it.
    pub log_likelihood: f64,
    /// The information value.
    pub iv: f64,
    /// Ordinary bins by value, special values, null.
    pub bins: Vec<BinRecord>,
}

/// A bin.
#[derive(Debug, Serialize)]
pub struct BinRecord {
    /// Its values in words.
    pub bin: String,
    /// The weight of its goods.
    pub good: u64,
    /// The weight of its bads.
    pub bad: u64,
    /// The weight of evidence.
    pub woe: f64,
    /// What the card gives.
    pub points: i32,
    /// What it would give without rounding.
    pub exact_points: f64,
}

/// A feature that is no characteristic.
#[derive(Debug, Serialize)]
pub struct LeftOutRecord {
    /// Its name.
    pub feature: String,
    /// In a word.
    pub reason: &'static str,
    /// In a sentence.
    pub why: String,
    /// The information value of its bins.
    pub iv: f64,
    /// Whether the current card has it.
    pub was_characteristic: bool,
}

/// What a record is made of.
pub struct RecordParts<'a> {
    /// The model file.
    pub model: &'a ModelFile,
    /// The sample.
    pub sample: &'a ModelSample,
    /// The job with the current card.
    pub job: &'a Job,
    /// The card in numbers.
    pub fitted: &'a FittedModel,
    /// Its range and bands.
    pub frame: &'a CardFrame,
    /// The bands with their shares.
    pub bands: Vec<BandRecord>,
    /// What the current card does not have.
    pub new: &'a [NewCharacteristic],
    /// What it is worth.
    pub parts: Vec<PartQuality>,
    /// What reads the score.
    pub thresholds: Thresholds,
    /// Whether thresholds are moved.
    pub thresholds_moved: bool,
    /// What else is to be known.
    pub remarks: Vec<String>,
}

impl FitRecord {
    /// Puts a record together; the files' hashes are still to come.
    pub fn of(parts: RecordParts) -> FitRecord {
        let RecordParts { model, sample, job, fitted, frame, .. } = parts;
        let FitOptions { pdo, base_score, good_bad_odds, .. } = model.fit;
        let all = fitted.evidence.all;
        FitRecord {
            made_by: FIT_MAKER,
            schema_version: 1,
            job: job.name.clone(),
            sample_sha256: sample.hash.clone(),
            model_sha256: crate::hash::bytes_hash(model.source.text.as_bytes()),
            train: TrainRecord { rows: all.rows(), good: all.good, bad: all.bad },
            scale: ScaleRecord { pdo, base_score, good_bad_odds },
            base: fitted.base.base,
            min: frame.min,
            max: frame.max,
            lowest: fitted.base.lowest,
            highest: fitted.base.highest,
            largest_deviation: fitted.base.largest_deviation,
            intercept: fitted.intercept,
            log_likelihood: fitted.log_likelihood,
            least_chi_square: super::fitted::LEAST_CHI_SQUARE,
            characteristics: characteristics(job, fitted, parts.new),
            left_out: left_out(job, fitted, &model.fit),
            parts: parts.parts,
            bands: parts.bands,
            thresholds: parts.thresholds.bounds,
            thresholds_moved: parts.thresholds_moved,
            to_look_at: parts.thresholds.others,
            remarks: parts.remarks,
            files: BTreeMap::new(),
        }
    }

    /// New characteristics whose text is still to be written.
    pub fn unwritten(&self) -> impl Iterator<Item = &CharacteristicRecord> {
        self.characteristics.iter().filter(|one| one.is_new)
    }
}

fn characteristics(job: &Job, fitted: &FittedModel, new: &[NewCharacteristic]) -> Vec<CharacteristicRecord> {
    let records = fitted.characteristics.iter().map(|one| {
        let own = &fitted.features[one.feature].bins;
        let added = new.iter().find(|new| new.feature == one.feature);
        let old = job.scorecard.characteristics.iter().find(|old| old.feature == one.feature);
        let dimension = old.map(|old| job.scorecard.dimensions[old.dimension].name.clone());
        let bins = own.bin_names().into_iter().enumerate().map(|(bin, name)| BinRecord {
            bin: name,
            good: own.counts[bin].good,
            bad: own.counts[bin].bad,
            woe: own.woe[bin],
            points: one.points.points[bin],
            exact_points: one.points.exact[bin],
        });
        CharacteristicRecord {
            feature: job.features[one.feature].name.clone(),
            dimension: dimension.or(added.map(|new| new.dimension.clone())).unwrap_or_default(),
            is_new: added.is_some(),
            dimension_why: added.map(|new| new.why.clone()),
            coefficient: one.coefficient.map(|own| own.value),
            standard_error: one.coefficient.map(|own| own.error),
            chi_square: one.step.chi_square,
            log_likelihood: one.step.log_likelihood,
            iv: own.iv,
            bins: bins.collect(),
        }
    });
    records.collect()
}

fn left_out(job: &Job, fitted: &FittedModel, options: &FitOptions) -> Vec<LeftOutRecord> {
    let names: Vec<String> = job.features.iter().map(|feature| feature.name.clone()).collect();
    let selected: Vec<usize> = fitted.characteristics.iter().map(|one| one.feature).collect();
    let others = fitted.features.iter().enumerate().filter(|(number, _)| !selected.contains(number));
    let records = others.map(|(number, feature)| LeftOutRecord {
        feature: names[number].clone(),
        reason: feature.fate.name(),
        why: feature.fate.reason(options, feature.bins.iv, &names),
        iv: feature.bins.iv,
        was_characteristic: job.scorecard.characteristics.iter().any(|old| old.feature == number),
    });
    records.collect()
}

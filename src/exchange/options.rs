//! What the user decides about an import, where the file leaves it open or our grammar has no place for it.

use std::collections::BTreeMap;

use super::decimal::Decimal;

/// Which points an imported scorecard has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PointScale {
    /// Those of the file, which have to be whole.
    #[default]
    AsTheyAre,
    /// The least power of ten times as many that makes all of them whole.
    Exact,
    /// So many times as many, rounded half away from zero.
    Times(i64),
}

impl PointScale {
    /// Reads `exact` or a factor.
    pub fn parse(text: &str) -> Result<PointScale, String> {
        if text == "exact" {
            return Ok(PointScale::Exact);
        }
        let factor = text.parse::<i64>().ok().filter(|factor| (1..=MOST_SCALE).contains(factor));
        factor.map(PointScale::Times).ok_or(format!("it is `exact` or a whole number from 1 to {MOST_SCALE}"))
    }
}

/// The largest factor of points and of features.
pub const MOST_SCALE: i64 = 1_000_000_000;

/// What a value gets for which the file has no points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Otherwise {
    /// No score: a run stops at it and names the account, as the file has no score for it.
    #[default]
    Stop,
    /// The fewest that its characteristic gives.
    Least,
    /// So many of the file's.
    Points(Decimal),
}

impl Otherwise {
    /// Reads `stop`, `least` or points.
    pub fn parse(text: &str) -> Result<Otherwise, String> {
        match text {
            "stop" => Ok(Otherwise::Stop),
            "least" => Ok(Otherwise::Least),
            _ => Decimal::parse(text)
                .map(Otherwise::Points)
                .ok_or("it is `stop`, `least` or a number of points".to_string()),
        }
    }
}

/// What reasons an imported scorecard gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReasonChoice {
    /// Those of the file; where ours cannot be the same, it is refused.
    #[default]
    Same,
    /// Ours: what cost the most points against the best bin of its characteristic.
    Ours,
    /// None.
    None,
}

impl ReasonChoice {
    /// Reads `same`, `ours` or `none`.
    pub fn parse(text: &str) -> Result<ReasonChoice, String> {
        match text {
            "same" => Ok(ReasonChoice::Same),
            "ours" => Ok(ReasonChoice::Ours),
            "none" => Ok(ReasonChoice::None),
            _ => Err("it is `same`, `ours` or `none`".to_string()),
        }
    }
}

/// How many units of a feature are one of the file's field.
#[derive(Debug, Clone)]
pub struct FeatureScale {
    /// The field.
    pub field: String,
    /// 100 where the feature counts hundredths.
    pub scale: i64,
}

impl FeatureScale {
    /// Reads `income=100`.
    pub fn parse(text: &str) -> Result<FeatureScale, String> {
        let parsed = text.rsplit_once('=').and_then(|(field, scale)| {
            let scale = scale.parse::<i64>().ok().filter(|scale| (1..=MOST_SCALE).contains(scale))?;
            (!field.is_empty()).then(|| FeatureScale { field: field.to_string(), scale })
        });
        parsed.ok_or(format!("it is written FIELD=N, with N from 1 to {MOST_SCALE}, as in income=100"))
    }
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Of points.
    pub scale: PointScale,
    /// Of features, by the file's field.
    pub feature_scales: BTreeMap<String, i64>,
    /// For values without points.
    pub otherwise: Otherwise,
    /// Of reasons.
    pub reasons: ReasonChoice,
    /// Added to what every account starts with, in the file's points.
    pub base: Option<Decimal>,
    /// Values that stand for something else than a quantity, where the file does not say them.
    pub special: Vec<i64>,
}

impl ImportOptions {
    /// The units of a field; `None` where nothing was said.
    pub fn scale_of(&self, field: &str) -> Option<i64> {
        self.feature_scales.get(field).copied()
    }
}

/// Reads a number of points.
pub fn points(text: &str) -> Result<Decimal, String> {
    Decimal::parse(text).ok_or("it is a number of points".to_string())
}

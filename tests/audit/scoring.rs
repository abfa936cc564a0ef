//! The model's scores: points, dimensions, band and reasons of one account.

use std::collections::BTreeMap;

use super::case::{Case, Characteristic};
use super::features::Features;
use super::value::{Row, Value};

/// The score of an account.
#[derive(Debug, Clone)]
pub struct Scored {
    pub score: i64,
    pub band: String,
    /// By name.
    pub dimensions: BTreeMap<String, i64>,
    /// In file order.
    pub points: Vec<i64>,
    /// As many as there are, at most those asked for.
    pub reasons: Vec<String>,
    pub features: Features,
    /// Of the run before, if it had the account.
    pub previous: Option<(i64, String)>,
}

pub fn scored(case: &Case, account: &Value, features: &Features) -> Scored {
    let job = &case.job;
    let points: Vec<i64> = job.characteristics.iter().map(|one| points(one, features)).collect();
    let mut dimensions: BTreeMap<String, i64> = job.dimensions.iter().map(|d| (d.clone(), 0)).collect();
    for (characteristic, points) in job.characteristics.iter().zip(&points) {
        *dimensions.get_mut(&characteristic.dimension).unwrap() += points;
    }
    let total = i64::from(job.score.base) + points.iter().sum::<i64>();
    let score = total.max(job.score.min.into()).min(job.score.max.into());
    let band = job.bands.iter().filter(|(_, from)| i64::from(*from) <= score).max_by_key(|(_, from)| *from);
    Scored {
        score,
        band: band.expect("the first band starts at the least score").0.clone(),
        dimensions,
        reasons: reasons(case, &points, features),
        points,
        features: features.clone(),
        previous: case.previous.as_ref().and_then(|previous| previous.scores.get(account).cloned()),
    }
}

fn points(characteristic: &Characteristic, features: &Features) -> i64 {
    let Some(value) = features[&characteristic.feature].small() else {
        return characteristic.missing.into();
    };
    for (below, points) in &characteristic.bins {
        if below.is_none_or(|below| value < i128::from(below)) {
            return i64::from(*points);
        }
    }
    panic!("the last bin has no `below`");
}

fn reasons(case: &Case, points: &[i64], features: &Features) -> Vec<String> {
    let mut shortfalls: Vec<(i64, String)> = Vec::new();
    for (characteristic, given) in case.job.characteristics.iter().zip(points) {
        let bins = characteristic.bins.iter().map(|(_, points)| *points);
        let most = bins.chain([characteristic.missing]).max().expect("`missing` at least");
        let own = match (&characteristic.missing_reason, features[&characteristic.feature].is_null()) {
            (Some(reason), true) => reason,
            _ => &characteristic.reason,
        };
        let baseline = characteristic.baseline.unwrap_or(most);
        shortfalls.push((i64::from(baseline) - given, own.clone()));
    }
    shortfalls.retain(|(shortfall, _)| *shortfall > 0);
    shortfalls.sort_by_key(|(shortfall, _)| -shortfall);
    shortfalls.truncate(case.job.score.reasons);
    shortfalls.into_iter().map(|(_, reason)| reason).collect()
}

impl Scored {
    /// What a gate on `scores` sees.
    pub fn columns(&self) -> Row {
        let mut columns = self.features.clone();
        columns.insert("score".into(), self.score.into());
        columns.insert("band".into(), self.band.clone().into());
        let (score, band) = self.previous.clone().unzip();
        columns.insert("previous_score".into(), score.into());
        columns.insert("previous_band".into(), band.into());
        columns.extend(self.dimensions.iter().map(|(name, points)| (name.clone(), Value::from(*points))));
        columns
    }
}

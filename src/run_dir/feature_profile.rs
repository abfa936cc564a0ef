//! What a manifest says of a feature: how often it is null or 0, and how its values are distributed.

use serde::{Deserialize, Serialize};

use crate::features::ValueCounts;

/// The values of a feature over the accounts of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureProfile {
    /// Its name.
    pub feature: String,
    /// Accounts for which it is null.
    pub nulls: u64,
    /// Accounts for which it is 0.
    pub zeros: u64,
    /// The least value; null where all are null, as all below.
    pub min: Option<i64>,
    /// The value that a twentieth of the values do not exceed. Below 256 quantiles are exact; above, at most 1/128 too
    /// near to zero.
    pub p05: Option<i64>,
    /// The value that a quarter do not exceed.
    pub p25: Option<i64>,
    /// The value that half do not exceed.
    pub p50: Option<i64>,
    /// The value that three quarters do not exceed.
    pub p75: Option<i64>,
    /// The value that nineteen of twenty do not exceed.
    pub p95: Option<i64>,
    /// The largest value.
    pub max: Option<i64>,
    /// Accounts by step of values, in order: the value of the step nearest zero, and how many. Below 16 each value
    /// is a step; above, there are eight a doubling.
    pub histogram: Vec<(i64, u64)>,
}

impl FeatureProfile {
    /// The profile of a feature whose values have been counted.
    pub fn of(feature: &str, counts: &ValueCounts) -> FeatureProfile {
        FeatureProfile {
            feature: feature.to_string(),
            nulls: counts.nulls,
            zeros: counts.zeros(),
            min: counts.min,
            p05: counts.quantile(5),
            p25: counts.quantile(25),
            p50: counts.quantile(50),
            p75: counts.quantile(75),
            p95: counts.quantile(95),
            max: counts.max,
            histogram: counts.histogram(),
        }
    }
}

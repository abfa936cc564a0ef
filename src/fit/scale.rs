//! From logarithms of odds to points: scaled, rounded, and how far that leads away.

use anyhow::{Result, ensure};

use super::regression::share_of_goods;
use crate::failure::{Kind, failure};
use crate::model::FitOptions;

/// What a score means: so many goods to a bad at a base score, and the points that double them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreScale {
    /// The score at which the odds are `good_bad_odds`.
    pub base_score: f64,
    /// The logarithm of the odds of good to bad there.
    pub base_log_odds: f64,
    /// Points for each unit of the logarithm of odds: pdo / ln 2.
    pub factor: f64,
}

impl ScoreScale {
    /// As a model file has it.
    pub fn of(options: &FitOptions) -> ScoreScale {
        ScoreScale {
            base_score: f64::from(options.base_score),
            base_log_odds: libm::log(f64::from(options.good_bad_odds)),
            factor: f64::from(options.pdo) / libm::log(2.0),
        }
    }

    /// The exact score of odds.
    pub fn score(&self, log_odds: f64) -> f64 {
        self.base_score + self.factor * (log_odds - self.base_log_odds)
    }

    /// The share of bads that a score predicts: 1 / (1 + odds of good to bad).
    pub fn bad_rate(&self, score: f64) -> f64 {
        share_of_goods(-(self.base_log_odds + (score - self.base_score) / self.factor))
    }
}

/// The points of a characteristic's bins.
#[derive(Debug, Clone, PartialEq)]
pub struct BinPoints {
    /// By bin, rounded: what the card gives.
    pub points: Vec<i32>,
    /// By bin, exact.
    pub exact: Vec<f64>,
}

/// No sum of points is larger, so that nobody's score overflows.
const MOST_POINTS: f64 = 1e8;

impl BinPoints {
    /// Points that are given are exact.
    pub fn given(points: &[i32]) -> BinPoints {
        BinPoints { points: points.to_vec(), exact: points.iter().map(|points| f64::from(*points)).collect() }
    }

    /// The points of weights of evidence: 0 for the worst bin, more for better ones.
    pub fn of(scale: &ScoreScale, coefficient: f64, woe: &[f64]) -> Result<BinPoints> {
        let least = least(scale, coefficient, woe);
        let exact: Vec<f64> = woe.iter().map(|woe| scale.factor * coefficient * woe - least).collect();
        ensure!(exact.iter().all(|points| points.abs() <= MOST_POINTS), too_wide());
        Ok(BinPoints { points: exact.iter().map(|points| libm::round(*points) as i32).collect(), exact })
    }

    /// How far the rounded points of a bin are from the exact ones, at the least and at the most.
    pub fn deviation(&self) -> (f64, f64) {
        let differences =
            self.points.iter().zip(&self.exact).map(|(points, exact)| f64::from(*points) - exact);
        differences
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), one| (least.min(one), most.max(one)))
    }

    /// The least and the most points.
    pub fn range(&self) -> (i64, i64) {
        let points = self.points.iter().map(|points| i64::from(*points));
        (points.clone().min().unwrap_or(0), points.max().unwrap_or(0))
    }
}

/// What the worst bin would get if it did not get 0.
pub fn least(scale: &ScoreScale, coefficient: f64, woe: &[f64]) -> f64 {
    woe.iter().map(|woe| scale.factor * coefficient * woe).fold(f64::INFINITY, f64::min)
}

fn too_wide() -> anyhow::Error {
    let message = "fit: points would go beyond a hundred million; a smaller pdo in [fit] makes them smaller";
    failure(Kind::Usage, message.to_string())
}

/// What every account starts with, and how far rounded scores are from exact ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoundedBase {
    /// Rounded.
    pub base: i32,
    /// Exact.
    pub exact: f64,
    /// The largest deviation of a rounded score from the exact one, up or down, in points.
    pub largest_deviation: f64,
    /// The least score that the points add up to.
    pub lowest: i32,
    /// The highest.
    pub highest: i32,
}

impl RoundedBase {
    /// The base of a card. The deviation is at most half a point for each characteristic and half for the base.
    pub fn of(exact: f64, characteristics: &[BinPoints]) -> Result<RoundedBase> {
        ensure!(exact.abs() <= MOST_POINTS, too_wide());
        let base = libm::round(exact) as i32;
        let own = f64::from(base) - exact;
        let (mut down, mut up) = (own, own);
        let (mut lowest, mut highest) = (i64::from(base), i64::from(base));
        for characteristic in characteristics {
            let (least, most) = characteristic.deviation();
            (down, up) = (down + least, up + most);
            let (fewest, largest) = characteristic.range();
            (lowest, highest) = (lowest + fewest, highest + largest);
        }
        ensure!(lowest.abs().max(highest.abs()) as f64 <= 10.0 * MOST_POINTS, too_wide());
        let largest_deviation = (-down).max(up);
        Ok(RoundedBase { base, exact, largest_deviation, lowest: lowest as i32, highest: highest as i32 })
    }
}

//! Features x scorecard = points, score, band and reasons.

use rayon::prelude::*;

use crate::expr::Texts;
use crate::features::FeatureTable;
use crate::job::{Characteristic, Scorecard};
use crate::pieces::piece;

/// What every account's features come to; one entry an account in every vector.
pub struct Scores {
    /// Within the scorecard's range.
    pub score: Vec<i32>,
    /// Position of the band.
    pub band: Vec<u8>,
    /// By dimension: the sum of its characteristics' points.
    pub dimensions: Vec<Vec<i32>>,
    /// By characteristic.
    pub points: Vec<Vec<i32>>,
    /// By place among the reasons: the characteristic and whether its feature was null.
    pub reasons: Vec<Vec<Option<Reason>>>,
    /// What an earlier run gave them.
    pub previous: PreviousScores,
}

/// What an earlier run gave accounts; one entry an account in both vectors, or none where there is no such
/// run.
#[derive(Debug, Clone, Default)]
pub struct PreviousScores {
    /// `None` where it had no score.
    pub score: Vec<Option<i64>>,
    /// As its scorecard called it.
    pub band: Texts,
}

impl PreviousScores {
    /// The score of the account at a position.
    pub fn score(&self, account: usize) -> Option<i64> {
        self.score.get(account).copied().flatten()
    }

    /// Its band.
    pub fn band(&self, account: usize) -> Option<&str> {
        (account < self.score.len()).then(|| self.band.get(account)).flatten()
    }
}

/// A characteristic that cost points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// Position among the characteristics.
    pub characteristic: u16,
    /// Whether the feature was null, so that `missing_reason` speaks, if there is one.
    pub is_missing: bool,
}

impl Reason {
    /// The code to give.
    pub fn code(self, scorecard: &Scorecard) -> &str {
        let characteristic = &scorecard.characteristics[self.characteristic as usize];
        match (&characteristic.missing_reason, self.is_missing) {
            (Some((code, _)), true) => code,
            _ => &characteristic.reason,
        }
    }
}

/// Scores every account, with reasons.
pub fn score(scorecard: &Scorecard, features: &FeatureTable, accounts: usize) -> Scores {
    let scores = add_up(scorecard, features, accounts);
    Scores { reasons: reasons(scorecard, features, &scores.points, accounts), ..scores }
}

/// Scores every account, without reasons.
pub fn add_up(scorecard: &Scorecard, features: &FeatureTable, accounts: usize) -> Scores {
    let points: Vec<Vec<i32>> = scorecard
        .characteristics
        .par_iter()
        .map(|characteristic| {
            let mut points = Vec::with_capacity(accounts);
            let feature = characteristic.feature;
            features.each(feature, 0..accounts, |value| points.push(characteristic.points(value)));
            points
        })
        .collect();
    let dimensions: Vec<Vec<i32>> = (0..scorecard.dimensions.len())
        .into_par_iter()
        .map(|dimension| {
            let own = scorecard.characteristics.iter().zip(&points);
            let own: Vec<&Vec<i32>> =
                own.filter(|(c, _)| c.dimension == dimension).map(|(_, points)| points).collect();
            (0..accounts).map(|account| own.iter().map(|points| points[account]).sum()).collect()
        })
        .collect();
    let score: Vec<i32> = (0..accounts)
        .into_par_iter()
        .map(|account| {
            let sum: i32 = dimensions.iter().map(|points| points[account]).sum();
            (scorecard.base + sum).max(scorecard.min).min(scorecard.max)
        })
        .collect();
    let band = score.par_iter().map(|score| scorecard.band_of(*score) as u8).collect();
    Scores { score, band, dimensions, points, reasons: Vec::new(), previous: PreviousScores::default() }
}

/// The largest positive shortfalls of each account, ties in file order.
fn reasons(
    scorecard: &Scorecard,
    features: &FeatureTable,
    points: &[Vec<i32>],
    accounts: usize,
) -> Vec<Vec<Option<Reason>>> {
    let most: Vec<i32> = scorecard.characteristics.iter().map(|c: &Characteristic| c.range().1).collect();
    let places = |accounts: usize| -> Vec<Vec<Option<Reason>>> {
        (0..scorecard.reasons).map(|_| Vec::with_capacity(accounts)).collect()
    };
    // By run of accounts, by place.
    let of_run = |first: usize| {
        let run = first..(first + RUN).min(accounts);
        let mut by_place = places(run.len());
        // The largest shortfalls, negative so that ties follow in file order.
        let mut largest: Vec<(i64, u16)> = Vec::with_capacity(scorecard.reasons + 1);
        for account in run {
            largest.clear();
            for (number, (most, points)) in most.iter().zip(points).enumerate() {
                let found = (i64::from(points[account]) - i64::from(*most), number as u16);
                let is_among =
                    largest.len() < scorecard.reasons || largest.last().is_some_and(|last| found < *last);
                if found.0 < 0 && is_among {
                    largest.insert(largest.partition_point(|known| *known < found), found);
                    largest.truncate(scorecard.reasons);
                }
            }
            for (place, reasons) in by_place.iter_mut().enumerate() {
                reasons.push(largest.get(place).map(|(_, number)| {
                    let feature = scorecard.characteristics[usize::from(*number)].feature;
                    Reason { characteristic: *number, is_missing: features.get(feature, account).is_none() }
                }));
            }
        }
        by_place
    };
    let starts: Vec<usize> = (0..accounts).step_by(RUN).collect();
    let mut by_place = places(accounts);
    for run in starts.into_par_iter().map(of_run).collect::<Vec<_>>() {
        by_place.iter_mut().zip(run).for_each(|(all, own)| all.extend(own));
    }
    by_place
}

/// Accounts whose reasons are found together.
const RUN: usize = piece(4_096, 3);

//! What expressions see of scores.

use std::sync::Arc;

use crate::expr::{Column, Ints, Texts};
use crate::features::FeatureTable;
use crate::job::{SCORE_COLUMNS, Scorecard};
use crate::score::Scores;

/// The columns of the scores scope at positions `needed`: score, band, dimensions, features, for the
/// accounts at `rows`.
pub fn score_columns(
    scorecard: &Scorecard,
    scores: &Scores,
    features: &FeatureTable,
    rows: &[u32],
    needed: impl Iterator<Item = usize>,
) -> Vec<(usize, Column)> {
    let small = |values: &[i32]| {
        Column::Int(Ints::all(rows.iter().map(|row| i64::from(values[*row as usize])).collect()))
    };
    let first_feature = SCORE_COLUMNS.len() + scorecard.dimensions.len();
    needed
        .map(|slot| {
            let column = match slot {
                0 => small(&scores.score),
                1 => band_column(scorecard, scores, rows),
                2 => Column::Int(rows.iter().map(|row| scores.previous.score(*row as usize)).collect()),
                3 => Column::Text(rows.iter().map(|row| scores.previous.band(*row as usize)).collect()),
                slot if slot < first_feature => small(&scores.dimensions[slot - SCORE_COLUMNS.len()]),
                slot => features.gather(slot - first_feature, rows),
            };
            (slot, column)
        })
        .collect()
}

fn band_column(scorecard: &Scorecard, scores: &Scores, rows: &[u32]) -> Column {
    let names = scorecard.bands.iter().map(|band| Arc::from(band.name.as_str())).collect();
    let codes = rows.iter().map(|row| u32::from(scores.band[*row as usize])).collect();
    Column::Text(Texts { codes, dictionary: Arc::new(names) })
}

//! Bounds that a validation or a monitor is held against.

use serde::Serialize;

use super::gains::ScoreShift;
use super::slices::{ALL, SliceFigures};
use crate::model::{SamplePart, ValidationBounds};

/// A bound and what it is held against.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoundOutcome {
    /// The key of `[validate]`.
    pub bound: &'static str,
    /// Its value.
    pub limit: u32,
    /// Which rows: a part, or a month or night.
    pub of: String,
    /// The figure, in words; why there is none, where there is none.
    pub found: String,
    /// Whether it holds. What has no figure does not.
    pub holds: bool,
}

impl BoundOutcome {
    /// In a sentence's half.
    pub fn in_words(&self) -> String {
        let BoundOutcome { bound, limit, of, found, .. } = self;
        format!("{bound} = {limit}: {found} ({of})")
    }

    /// An AUC against the least there may be.
    pub fn of_auc(limit: u32, of: &str, figures: &SliceFigures) -> BoundOutcome {
        let ranking = figures.ranking.as_ref();
        BoundOutcome {
            bound: "min_auc_bp",
            limit,
            of: of.to_string(),
            found: ranking.map_or_else(
                || figures.lacks().to_string(),
                |ranking| format!("AUC {}", ranking.auc.text(4)),
            ),
            holds: ranking.is_some_and(|ranking| ranking.auc.compared_with_bp(limit).is_ge()),
        }
    }

    /// A stability index against the most there may be.
    pub fn of_psi(limit: u32, of: &str, psi: Option<f64>) -> BoundOutcome {
        const THOUSANDTHS: f64 = 1_000.0;
        BoundOutcome {
            bound: "max_psi_milli",
            limit,
            of: of.to_string(),
            found: psi.map_or_else(|| "no rows to compare".to_string(), |psi| format!("PSI {psi:.4}")),
            holds: psi.is_some_and(|psi| psi * THOUSANDTHS <= f64::from(limit)),
        }
    }
}

/// The bounds of a model file: of the AUC, for the parts that nobody fitted on, or all rows together where there are none
/// of them; of the stability index, for those parts against train.
pub fn bound_outcomes(
    bounds: &ValidationBounds,
    parts: &[SliceFigures],
    shifts: &[ScoreShift],
) -> Vec<BoundOutcome> {
    let unseen = [SamplePart::HoldOut.name(), SamplePart::OutOfTime.name()];
    let mut outcomes = Vec::new();
    if let Some(limit) = bounds.min_auc_bp {
        let of_unseen = parts.iter().filter(|figures| unseen.contains(&figures.part));
        outcomes.extend(of_unseen.map(|figures| BoundOutcome::of_auc(limit, figures.part, figures)));
        if outcomes.is_empty() {
            let all = parts.iter().filter(|figures| figures.part == ALL);
            outcomes.extend(all.map(|figures| BoundOutcome::of_auc(limit, ALL, figures)));
        }
    }
    if let Some(limit) = bounds.max_psi_milli {
        let of_unseen = shifts.iter().filter(|shift| unseen.contains(&shift.of.as_str()));
        outcomes.extend(of_unseen.map(|shift| BoundOutcome::of_psi(limit, &shift.of, shift.psi)));
    }
    outcomes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::tally::OutcomesByScore;

    fn slice(part: &'static str, rows: &[(i64, bool)]) -> SliceFigures {
        let mut tally = OutcomesByScore::default();
        rows.iter().for_each(|(score, is_bad)| tally.add(*score, *is_bad, 1));
        SliceFigures::of(&tally, part, None)
    }

    #[test]
    fn bounds_are_of_what_nobody_fitted_on() {
        let bounds = ValidationBounds { min_auc_bp: Some(7_500), max_psi_milli: Some(100), by: Vec::new() };
        let ranked = [(1, true), (2, false), (1, true), (2, true), (3, false)];
        let parts = [slice("all", &ranked), slice("train", &ranked), slice("holdout", &[(1, true)])];
        let shift = |of: &str, psi| ScoreShift { of: of.to_string(), rows: 1, psi };
        let shifts =
            [shift("holdout", Some(0.1)), shift("out_of_time", Some(0.100_001)), shift("2026-11", None)];
        let outcomes = bound_outcomes(&bounds, &parts, &shifts);
        let found: Vec<(&str, bool)> =
            outcomes.iter().map(|outcome| (outcome.found.as_str(), outcome.holds)).collect();
        assert_eq!(found, [("no good", false), ("PSI 0.1000", true), ("PSI 0.1000", false)]);
        let alone = bound_outcomes(&bounds, &parts[..2], &[]);
        assert_eq!(alone.len(), 1);
        assert_eq!((alone[0].of.as_str(), alone[0].holds), ("all", true));
    }
}

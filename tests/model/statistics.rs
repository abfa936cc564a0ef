//! The statistics of a validation agree with their definitions, whatever the rows.

use proptest::collection::vec;
use proptest::prelude::*;
use rescore::validate::gains::{ScoreWeights, score_psi};
use rescore::validate::information::{equal_groups, information_value, stability_index};
use rescore::validate::tally::{GoodsAndBads, OutcomesByScore};

use super::ranked::{self, Judged};

fn rows() -> impl Strategy<Value = Vec<Judged>> {
    // Few scores, so that many are tied; some weights are 0.
    let row = (-8_i64..8, any::<bool>(), 0_u64..4);
    vec(row.prop_map(|(score, is_bad, weight)| Judged { score, is_bad, weight }), 0..60)
}

fn tally(rows: &[Judged]) -> OutcomesByScore {
    let mut tally = OutcomesByScore::default();
    rows.iter().for_each(|row| tally.add(row.score, row.is_bad, row.weight));
    tally
}

fn near(one: f64, other: f64) -> bool {
    // Figures have six decimal places.
    (one - other).abs() <= 1e-6
}

proptest! {
    #[test]
    fn a_ranking_is_that_of_all_pairs(rows in rows()) {
        let (concordant, tied, total) = ranked::pairs(&rows);
        let Some(ranking) = tally(&rows).ranking() else {
            prop_assert_eq!(total, 0);
            return Ok(());
        };
        prop_assert_eq!(ranking.pairs.concordant, u128::from(concordant));
        prop_assert_eq!(ranking.pairs.tied, u128::from(tied));
        prop_assert_eq!(ranking.pairs.total, u128::from(total));
        let auc = (concordant as f64 + tied as f64 / 2.0) / total as f64;
        prop_assert!(near(ranking.auc.value(), auc));
        prop_assert!(near(ranking.gini.value(), 2.0 * auc - 1.0));
        prop_assert!(near(ranking.ks.value(), ranked::ks(&rows)));
        if let Some(bounds) = ranking.auc_bounds {
            let error = ranked::standard_error(&rows);
            prop_assert!(near(bounds.standard_error, error), "{} is not {}", bounds.standard_error, error);
            prop_assert!(near(bounds.lower, (auc - 1.959_964 * error).max(0.0)));
            prop_assert!(near(bounds.upper, (auc + 1.959_964 * error).min(1.0)));
        }
    }

    #[test]
    fn the_order_of_rows_and_a_weight_instead_of_rows_change_nothing(rows in rows().prop_shuffle(), turn in 0_usize..60) {
        let all = tally(&rows);
        let mut turned = rows.clone();
        turned.rotate_left(turn.min(rows.len()));
        prop_assert_eq!(&tally(&turned), &all);
        let single: Vec<Judged> = rows
            .iter()
            .flat_map(|row| std::iter::repeat_n(Judged { weight: 1, ..*row }, row.weight as usize))
            .collect();
        prop_assert_eq!(tally(&single).ranking(), all.ranking());
        // Every score one higher: nothing else.
        let higher: Vec<Judged> = rows.iter().map(|row| Judged { score: row.score + 1, ..*row }).collect();
        prop_assert_eq!(tally(&higher).ranking().map(|r| (r.pairs, r.ks)), all.ranking().map(|r| (r.pairs, r.ks)));
    }

    #[test]
    fn indices_are_those_of_their_sums(bins in vec([0_u64..50, 0_u64..50], 0..8)) {
        let found = stability_index(&bins);
        let naive = ranked::psi(&bins);
        prop_assert_eq!(found.is_some(), naive.is_some());
        prop_assert!(found.zip(naive).is_none_or(|(found, naive)| (found - naive).abs() < 1e-9));
        let outcomes: Vec<GoodsAndBads> = bins.iter().map(|[good, bad]| GoodsAndBads { good: *good, bad: *bad }).collect();
        let (found, naive) = (information_value(&outcomes), ranked::information_value(&bins));
        prop_assert!(found.zip(naive).is_none_or(|(found, naive)| (found - naive).abs() < 1e-9));
        prop_assert_eq!(found.is_some(), naive.is_some());
    }

    #[test]
    fn groups_are_runs_of_all_values(weights in vec(0_u64..20, 0..60), groups in 1_u64..12) {
        let ends = equal_groups(&weights, groups);
        prop_assert!(ends.len() as u64 <= groups);
        prop_assert!(ends.is_sorted_by(|one, other| one < other));
        prop_assert_eq!(ends.last().copied().unwrap_or(0), weights.len());
        // No group but the last begins before those before it have come to their share.
        let total: u64 = weights.iter().sum();
        for (number, end) in ends.iter().enumerate().take(ends.len().saturating_sub(1)) {
            let seen: u64 = weights[..*end].iter().sum();
            prop_assert!(seen * groups >= total * (number as u64 + 1));
        }
    }

    #[test]
    fn a_score_has_not_moved_from_itself(scores in vec((-50_i64..50, 1_u64..9), 1..40)) {
        let scores: ScoreWeights = scores.into_iter().collect();
        let twice: ScoreWeights = scores.iter().map(|(score, weight)| (*score, 2 * weight)).collect();
        prop_assert_eq!(score_psi(&scores, &twice), Some(0.0));
    }
}

//! The arms of a challenge, held against what happened to their accounts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::slices::{ALL, SliceFigures};
use super::tally::OutcomesByScore;
use crate::expr::{Ints, Texts};
use crate::model::RowOutcome;

/// The columns of `scores.parquet` that a night with a challenger has besides.
pub const ARM_COLUMNS: [&str; 3] = ["arm", "champion_score", "challenger_score"];

/// Accounts of nights with a challenger, by arm, and under both cards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArmTallies {
    /// Nights that have arms.
    nights: u64,
    arms: BTreeMap<String, ArmCounts>,
    /// All accounts by the scores of the champion's and of the challenger's card.
    cards: [OutcomesByScore; 2],
}

/// The accounts of an arm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ArmCounts {
    outcomes: BTreeMap<&'static str, u64>,
    known: OutcomesByScore,
}

/// What the arms came to.
#[derive(Debug, Clone, Serialize)]
pub struct ArmFigures {
    /// Nights that have arms; an account counts once a night.
    pub nights: u64,
    /// By name.
    pub arms: Vec<ArmOutcomes>,
    /// Both cards on the accounts of all arms, the champion's first.
    pub cards: Vec<CardOutcomes>,
}

/// What an arm came to.
#[derive(Debug, Clone, Serialize)]
pub struct ArmOutcomes {
    /// Its name.
    pub arm: String,
    /// Accounts by outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Of those with a good or bad outcome: how the score that decided ranks.
    pub known: SliceFigures,
}

/// How a card ranks the accounts of all arms.
#[derive(Debug, Clone, Serialize)]
pub struct CardOutcomes {
    /// `champion` or `challenger`.
    pub card: &'static str,
    /// Of those with a good or bad outcome.
    pub known: SliceFigures,
}

impl ArmTallies {
    /// Those of a night that nothing is counted of yet.
    pub fn of_night(has_arms: bool) -> ArmTallies {
        ArmTallies { nights: u64::from(has_arms), ..ArmTallies::default() }
    }

    /// Adds rows: the arm, the score that decided, and the scores of both cards where they are known.
    pub fn add_rows(&mut self, arm: &Texts, score: &Ints, cards: [&Ints; 2], known: &[RowOutcome]) {
        for (row, outcome) in known.iter().enumerate() {
            let own = self.arms.entry(arm.get(row).unwrap_or_default().to_string()).or_default();
            *own.outcomes.entry(outcome.name()).or_default() += 1;
            let Some(is_bad) = outcome.is_bad() else { continue };
            if let Some(score) = score.get(row) {
                own.known.add(*score, is_bad, 1);
            }
            for (tally, scores) in self.cards.iter_mut().zip(cards) {
                if let Some(score) = scores.get(row) {
                    tally.add(*score, is_bad, 1);
                }
            }
        }
    }

    /// Adds another night's.
    pub fn add_night(&mut self, other: &ArmTallies) {
        self.nights += other.nights;
        for (name, arm) in &other.arms {
            let own = self.arms.entry(name.clone()).or_default();
            own.known.add_all(&arm.known);
            for (outcome, accounts) in &arm.outcomes {
                *own.outcomes.entry(outcome).or_default() += accounts;
            }
        }
        self.cards.iter_mut().zip(&other.cards).for_each(|(own, other)| own.add_all(other));
    }

    /// What they come to; `None` where no night has arms.
    pub fn figures(&self) -> Option<ArmFigures> {
        let figures = |tally: &OutcomesByScore| {
            let mut figures = SliceFigures::of(tally, ALL, None);
            if self.nights > 1 {
                figures.drop_bounds();
            }
            figures
        };
        let arms = self.arms.iter().map(|(name, arm)| ArmOutcomes {
            arm: name.clone(),
            outcomes: arm.outcomes.clone(),
            known: figures(&arm.known),
        });
        let cards = ["champion", "challenger"].into_iter().zip(&self.cards);
        (self.nights > 0).then(|| ArmFigures {
            nights: self.nights,
            arms: arms.collect(),
            cards: cards.map(|(card, tally)| CardOutcomes { card, known: figures(tally) }).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arms_are_told_apart_and_cards_see_all_accounts() {
        let arm: Texts = ["champion", "challenger", "champion", "challenger"].into_iter().map(Some).collect();
        let (champion, challenger) = (Ints::all(vec![1, 4, 3, 2]), Ints::all(vec![9, 1, 9, 2]));
        let score = Ints::all(vec![1, 1, 3, 2]);
        let known = [RowOutcome::Bad, RowOutcome::Bad, RowOutcome::Good, RowOutcome::Immature];
        let mut night = ArmTallies::of_night(true);
        night.add_rows(&arm, &score, [&champion, &challenger], &known);
        let figures = night.figures().expect("there are arms");
        let arms: Vec<(&str, u64, u64)> =
            figures.arms.iter().map(|one| (one.arm.as_str(), one.known.good, one.known.bad)).collect();
        assert_eq!(arms, [("challenger", 0, 1), ("champion", 1, 1)]);
        assert_eq!(figures.arms[0].outcomes, [("bad", 1), ("immature", 1)].into());
        // The good has 3 under the champion's card, above one bad of two; 9 under the challenger's, above one, tied with one.
        let auc: Vec<f64> =
            figures.cards.iter().filter_map(|card| Some(card.known.ranking.as_ref()?.auc.value())).collect();
        assert_eq!(auc, [0.5, 0.75]);
        let mut two = ArmTallies::default();
        two.add_night(&night);
        two.add_night(&night);
        assert_eq!(two.nights, 2);
        assert_eq!(two.figures().map(|figures| figures.arms[1].known.rows), Some(4));
        assert!(ArmTallies::default().figures().is_none());
    }
}

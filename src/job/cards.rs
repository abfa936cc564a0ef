//! The scorecards and policies of a job, and which of them are whose.

use super::policy_file::Policy;
use super::resolved_job::Job;
use super::scorecard_file::{Characteristic, Scorecard};
use super::variants::{Arm, Challenger, Variants};

/// A policy and the accounts that it decides about, over which its budgets are.
#[derive(Debug, Clone, Copy)]
pub struct Remit<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The arm whose accounts these are; `None` where they are all.
    pub arm: Option<Arm>,
}

impl Remit<'_> {
    /// Whether the policy decides about the accounts of an arm.
    pub fn covers(&self, arm: Arm) -> bool {
        self.arm.is_none_or(|own| own == arm)
    }
}

/// A column of points in the scores of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsColumn {
    /// Position of the feature.
    pub feature: usize,
    /// By scorecard of the job: the position of its characteristic on the feature, if it has one.
    pub characteristic: Vec<Option<usize>>,
}

impl Job {
    /// The scorecards of the job: its own, those of its segments, then the challenger's.
    pub fn cards(&self) -> Vec<&Scorecard> {
        let of_segments = self.variants.segments.iter().map(|segment| &segment.scorecard);
        let challenger = self.variants.challenger.as_ref();
        let of_challenger = challenger.and_then(|challenger| challenger.scorecard.as_ref());
        std::iter::once(&self.scorecard).chain(of_segments).chain(of_challenger).collect()
    }

    /// The scorecard at a position among all.
    pub fn card(&self, number: usize) -> &Scorecard {
        let segments = &self.variants.segments;
        match number.checked_sub(1) {
            None => &self.scorecard,
            Some(segment) if segment < segments.len() => &segments[segment].scorecard,
            Some(_) => {
                let challenger = self.variants.challenger.as_ref();
                let own = challenger.and_then(|challenger| challenger.scorecard.as_ref());
                own.expect("the scorecard behind those of segments is the challenger's")
            }
        }
    }

    /// What a scorecard is called: `own`, the name of its segment, or `challenger`.
    pub fn card_name(&self, number: usize) -> &str {
        match number.checked_sub(1) {
            None => "own",
            Some(segment) => {
                self.variants.segments.get(segment).map_or(Arm::Challenger.name(), |segment| &segment.name)
            }
        }
    }

    /// The position of the scorecard that decides about the accounts of an arm and a segment.
    pub fn card_of(&self, arm: Arm, segment: Option<usize>) -> usize {
        let challenger = self.variants.challenger.as_ref().filter(|_| arm == Arm::Challenger);
        match challenger {
            Some(Challenger { scorecard: Some(_), .. }) => 1 + self.variants.segments.len(),
            _ => segment.map_or(0, |segment| 1 + segment),
        }
    }

    /// The policy that decides about the accounts of an arm.
    pub fn policy_of(&self, arm: Arm) -> &Policy {
        let challenger = self.variants.challenger.as_ref().filter(|_| arm == Arm::Challenger);
        challenger.and_then(|challenger| challenger.policy.as_ref()).unwrap_or(&self.policy)
    }

    /// The policies of the job, each with the accounts that it decides about.
    pub fn remits(&self) -> Vec<Remit<'_>> {
        match self.variants.challenger.as_ref().and_then(|challenger| challenger.policy.as_ref()) {
            None => vec![Remit { policy: &self.policy, arm: None }],
            Some(policy) => vec![
                Remit { policy: &self.policy, arm: Some(Arm::Champion) },
                Remit { policy, arm: Some(Arm::Challenger) },
            ],
        }
    }

    /// The policy of an arm with the accounts that it decides about.
    pub fn remit_of(&self, arm: Arm) -> Remit<'_> {
        let mut remits = self.remits().into_iter();
        remits.find(|remit| remit.covers(arm)).expect("every arm has a policy")
    }

    /// The columns of points, in the order of the scorecards.
    pub fn points_columns(&self) -> Vec<PointsColumn> {
        let cards = self.cards();
        let mut columns: Vec<PointsColumn> = Vec::new();
        for (number, card) in cards.iter().enumerate() {
            for (position, Characteristic { feature, .. }) in card.characteristics.iter().enumerate() {
                let known = columns.iter().position(|column| column.feature == *feature);
                let known = known.unwrap_or_else(|| {
                    columns.push(PointsColumn { feature: *feature, characteristic: vec![None; cards.len()] });
                    columns.len() - 1
                });
                columns[known].characteristic[number] = Some(position);
            }
        }
        columns
    }

    /// The job as it is for the accounts of an arm and a segment: with one scorecard and one policy.
    pub fn decided_by(&self, arm: Arm, segment: Option<usize>) -> Job {
        Job {
            scorecard: self.card(self.card_of(arm, segment)).clone(),
            policy: self.policy_of(arm).clone(),
            variants: Variants::default(),
            ..self.clone()
        }
    }
}

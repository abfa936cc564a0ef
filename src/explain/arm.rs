//! Which scorecard and which policy decided about an account, and what the other arm's scorecard gives it.

use serde::Serialize;

use super::what_if::WhatIf;
use crate::console::visible;
use crate::job::{Arm, RUN_FILES, segment_file};

/// Which of a job's scorecards and policies decided about an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecidedBy {
    /// The account's arm; null where the job has no challenger.
    pub arm: Option<&'static str>,
    /// Its segment; null where it is of none.
    pub segment: Option<String>,
    /// The file of the scorecard that decided, as the run keeps it.
    pub scorecard: String,
    /// That of the policy.
    pub policy: String,
    /// What the other arm's scorecard gives; null where the job has no challenger.
    pub other_score: Option<i32>,
}

impl DecidedBy {
    /// Of the account; `None` where the job has one scorecard and one policy.
    pub fn of(what_if: &WhatIf) -> Option<DecidedBy> {
        let (job, assignment) = (&what_if.run.job, &what_if.assignment);
        if job.variants.is_none() {
            return None;
        }
        let (arm, segment) = (assignment.arm(0), assignment.segment(0));
        let challenger = job.variants.challenger.as_ref();
        let is_own = |arm: Arm, has_own: bool| arm == Arm::Challenger && has_own;
        let has_card = challenger.is_some_and(|challenger| challenger.scorecard.is_some());
        let has_policy = challenger.is_some_and(|challenger| challenger.policy.is_some());
        let segment = segment.map(|segment| job.variants.segments[segment].name.clone());
        let scorecard = match &segment {
            _ if is_own(arm, has_card) => "challenger_scorecard.toml".to_string(),
            Some(segment) => segment_file(segment),
            None => RUN_FILES[1].to_string(),
        };
        let policy = if is_own(arm, has_policy) { "challenger_policy.toml" } else { RUN_FILES[2] };
        Some(DecidedBy {
            arm: challenger.map(|_| arm.name()),
            segment,
            scorecard,
            policy: policy.to_string(),
            other_score: challenger.map(|_| what_if.other_score()),
        })
    }

    /// In a sentence.
    pub fn line(&self) -> String {
        let DecidedBy { arm, segment, scorecard, policy, other_score } = self;
        let segment = segment.as_ref().map(|segment| format!("segment {}", visible(segment)));
        let arm = arm.map(|arm| format!("the {arm}'s arm"));
        let of: Vec<String> = arm.into_iter().chain(segment).collect();
        let of = if of.is_empty() { "no segment".to_string() } else { of.join(", ") };
        let other = other_score.map_or(String::new(), |score| format!("; the other arm's score is {score}"));
        format!("{of}: decided by {scorecard} and {policy}{other}")
    }
}

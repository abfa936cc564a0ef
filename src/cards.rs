//! Scores of a job of several scorecards: each account by the one that decides about it, and by the other arm's.

use crate::arms::Assignment;
use crate::features::FeatureTable;
use crate::input::accounts::Ids;
use crate::job::{Arm, Job, PointsColumn};
use crate::score::{ArmScores, Scores, add_up_rows, score, score_rows};

/// Scores every account of a job; `ids` are theirs.
pub fn score_job(job: &Job, features: &FeatureTable, ids: &Ids) -> Scores {
    if job.variants.is_none() {
        return score(&job.scorecard, features, ids.len());
    }
    score_assigned(job, features, ids.len(), Assignment::of(job, features, ids))
}

/// Scores so many accounts, of which it is known which scorecard decides about each.
pub fn score_assigned(job: &Job, features: &FeatureTable, accounts: usize, assignment: Assignment) -> Scores {
    let columns = job.points_columns();
    let mut scores = Scores::zeroed(&job.scorecard, columns.len(), job.scorecard.reasons, accounts);
    scores.assignment = assignment;
    for number in 0..job.cards().len() {
        let deciding = |account: &u32| scores.assignment.card(job, *account as usize) == number;
        let rows: Vec<u32> = (0..accounts as u32).filter(deciding).collect();
        let own = score_rows(job.card(number), features, &rows);
        put(&mut scores, own, &rows, &columns, number);
    }
    if job.variants.challenger.is_some() {
        scores.arms = arm_scores(job, features, &scores);
    }
    scores
}

/// Puts what one scorecard gives to the accounts that it decides about in its place.
fn put(scores: &mut Scores, own: Scores, rows: &[u32], columns: &[PointsColumn], card: usize) {
    fn spread<T: Copy>(to: &mut [T], from: &[T], rows: &[u32]) {
        rows.iter().zip(from).for_each(|(row, value)| to[*row as usize] = *value);
    }
    spread(&mut scores.score, &own.score, rows);
    spread(&mut scores.band, &own.band, rows);
    for (to, from) in scores.dimensions.iter_mut().zip(&own.dimensions) {
        spread(to, from, rows);
    }
    for (to, from) in scores.reasons.iter_mut().zip(&own.reasons) {
        spread(to, from, rows);
    }
    for (column, to) in columns.iter().zip(&mut scores.points) {
        if let Some(characteristic) = column.characteristic[card] {
            spread(to, &own.points[characteristic], rows);
        }
    }
}

/// What both arms' scorecards give to every account, of which the one that decides has given it already.
fn arm_scores(job: &Job, features: &FeatureTable, scores: &Scores) -> ArmScores {
    let accounts = scores.score.len();
    let [champion, challenger] = Arm::ALL.map(|arm| {
        let mut of_arm = scores.score.clone();
        let card = |account: usize| job.card_of(arm, scores.assignment.segment(account));
        for number in 0..job.cards().len() {
            let is_other = |account: &u32| {
                let account = *account as usize;
                card(account) == number && scores.assignment.card(job, account) != number
            };
            let rows: Vec<u32> = (0..accounts as u32).filter(is_other).collect();
            if !rows.is_empty() {
                let own = add_up_rows(job.card(number), features, &rows);
                rows.iter().zip(own.score).for_each(|(row, score)| of_arm[*row as usize] = score);
            }
        }
        of_arm
    });
    ArmScores { champion, challenger }
}

//! Which arm and which segment an account is of, and so which scorecard and which policy decide about it.

use rayon::prelude::*;

use crate::expr::{Column, Frame};
use crate::features::FeatureTable;
use crate::hash::xxh3_64;
use crate::input::accounts::Ids;
use crate::job::{Arm, Challenger, Job, Segment};
use crate::pieces::piece;

/// By account, its arm and its segment; empty vectors where the job has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assignment {
    arms: Vec<Arm>,
    /// 0 where it is of none, else its position among the job's segments and 1.
    segments: Vec<u8>,
}

impl Assignment {
    /// Of accounts with these ids and features, a row each.
    pub fn of(job: &Job, features: &FeatureTable, ids: &Ids) -> Assignment {
        let challenger = job.variants.challenger.as_ref();
        let arms = challenger.map_or(Vec::new(), |challenger| {
            (0..ids.len()).into_par_iter().map(|account| arm_of(challenger, &ids.text(account))).collect()
        });
        Assignment { arms, segments: segments_of(&job.variants.segments, features, ids.len()) }
    }

    /// Of one account, so many times over, with features of their own.
    pub fn repeated(&self, job: &Job, features: &FeatureTable, rows: usize) -> Assignment {
        let arms = if self.arms.is_empty() { Vec::new() } else { vec![self.arm(0); rows] };
        Assignment { arms, segments: segments_of(&job.variants.segments, features, rows) }
    }

    /// The arm of an account; of a job without a challenger the champion's.
    pub fn arm(&self, account: usize) -> Arm {
        self.arms.get(account).copied().unwrap_or_default()
    }

    /// The position of an account's segment among the job's.
    pub fn segment(&self, account: usize) -> Option<usize> {
        usize::from(self.segments.get(account).copied().unwrap_or(0)).checked_sub(1)
    }

    /// The position of the scorecard that decides about an account.
    pub fn card(&self, job: &Job, account: usize) -> usize {
        job.card_of(self.arm(account), self.segment(account))
    }
}

/// The arm of an account by its id as text. XXH3-64 (seed 0) of the salt, a zero byte and the id, modulo 10,000, lies
/// below the share for the challenger's: so a larger share takes in all that a smaller one had.
pub fn arm_of(challenger: &Challenger, id: &str) -> Arm {
    const ALL_BP: u64 = 10_000;
    let drawn = [challenger.salt.as_bytes(), &[0], id.as_bytes()].concat();
    if xxh3_64(&drawn) % ALL_BP < challenger.share_bp { Arm::Challenger } else { Arm::Champion }
}

/// Accounts whose conditions are evaluated together.
const CHUNK_ROWS: usize = piece(32_768, 3);

/// By account, the first segment whose condition is true, counted from 1; 0 where none is.
fn segments_of(segments: &[Segment], features: &FeatureTable, rows: usize) -> Vec<u8> {
    if segments.is_empty() {
        return Vec::new();
    }
    let mut needed: Vec<usize> = segments.iter().flat_map(|segment| segment.when.columns.clone()).collect();
    needed.sort_unstable();
    needed.dedup();
    let width = needed.last().map_or(0, |last| last + 1);
    let starts: Vec<usize> = (0..rows).step_by(CHUNK_ROWS).collect();
    let chunks = starts.into_par_iter().flat_map_iter(|start| {
        let accounts = start..(start + CHUNK_ROWS).min(rows);
        let mut columns: Vec<Option<Column>> = vec![None; width];
        for feature in &needed {
            columns[*feature] = Some(Column::Int(features.column(*feature, accounts.clone())));
        }
        let columns = columns.iter().map(Option::as_ref).collect();
        let frame = Frame { rows: accounts.len(), columns };
        let mut found = vec![0; accounts.len()];
        for (segment, number) in segments.iter().zip(1_u8..) {
            let truths = segment.when.truths(&frame);
            for (row, found) in found.iter_mut().enumerate().filter(|(_, found)| **found == 0) {
                if truths.is_true(row) {
                    *found = number;
                }
            }
        }
        found
    });
    chunks.collect()
}

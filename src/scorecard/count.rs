//! A run's accounts in each bin of a scorecard, and their mean score.

use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde::Serialize;

use crate::console::plain_path;
use crate::expr::Ints;
use crate::failure::input;
use crate::frame::{FrameTotals, IntFrame, KeyTotals, col, mean};
use crate::job::{Characteristic, Declarations, Job, Scorecard};
use crate::run_dir::PublishedRun;
use crate::run_dir::rows::for_paired_batches;

/// The accounts of a run in a bin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InBin {
    /// How many.
    pub accounts: u64,
    /// Of all accounts, in basis points, rounded half up; null where the run has none.
    pub share_bp: Option<u64>,
    /// Their mean score in thousandths, rounded half away from zero; null where the bin is empty.
    pub mean_score_thousandths: Option<i64>,
}

/// What a run has in the bins of a scorecard.
pub struct Counted {
    /// Every account.
    pub all: InBin,
    /// By characteristic, by bin.
    pub bins: Vec<Vec<InBin>>,
}

/// Fails where a run lacks a feature that the job's scorecard gives points for, or computes it otherwise.
pub fn find_features(job: &Job, run: &PublishedRun) -> Result<()> {
    let place = plain_path(run.directory.path());
    let (own, of_run) = (Declarations::of(job), Declarations::of(&run.job));
    let mut wrong = Vec::new();
    for characteristic in &job.scorecard.characteristics {
        let name = &job.features[characteristic.feature].name;
        match run.job.features.iter().position(|feature| feature.name == *name) {
            None => wrong.push(format!("it has no feature `{name}`")),
            Some(_) if !own.are_alike(characteristic.feature, &of_run) => {
                wrong.push(format!("its feature `{name}` is declared otherwise in its scorecard.toml"));
            }
            Some(_) => {}
        }
    }
    if job.minor_units != run.job.minor_units {
        let (own, of_run) = (job.minor_units, run.job.minor_units);
        wrong.push(format!("its money has {of_run} decimal places, the job's has {own}"));
    }
    ensure!(
        wrong.is_empty(),
        input(format!(
            "count the accounts of {place} in the bins of job `{}`: {}; score the night with this job first (`rescore run`)",
            job.name,
            wrong.join("; ")
        ))
    );
    Ok(())
}

/// Counts a run's accounts, batch after batch; `names` are those of the characteristics' features.
pub fn count(scorecard: &Scorecard, names: &[&str], run: &PublishedRun) -> Result<Counted> {
    let mut all = FrameTotals::new([], &[col(SCORE)]);
    let mut by_bin: Vec<BinCounts> = scorecard.characteristics.iter().map(BinCounts::of).collect();
    for_paired_batches(&run.directory, [("features", names), ("scores", &[SCORE])], |[features, scores]| {
        let score = scores.ints(SCORE)?;
        all.add(&IntFrame::new(scores.len).with(SCORE, score.clone()))?;
        by_bin
            .par_iter_mut()
            .zip(names)
            .try_for_each(|(counts, name)| counts.add(features.ints(name)?, score))
    })?;
    let all = all.groups().get(&[]).cloned().unwrap_or_default();
    let bins = by_bin.iter().map(|counts| counts.bins.iter().map(|bin| in_bin(bin, all.rows)).collect());
    Ok(Counted { bins: bins.collect(), all: in_bin(&all, all.rows) })
}

const SCORE: &str = "score";

/// The accounts in each bin of a characteristic. Counted in a loop: a frame that is grouped takes eight times as long.
struct BinCounts {
    below: Vec<i64>,
    /// Nulls first, then ascending.
    bins: Vec<KeyTotals>,
}

impl BinCounts {
    fn of(characteristic: &Characteristic) -> BinCounts {
        let below = characteristic.bins.iter().filter_map(|bin| bin.below).collect();
        let bins = vec![KeyTotals { rows: 0, sums: vec![0] }; characteristic.bins.len() + 1];
        BinCounts { below, bins }
    }

    fn add(&mut self, values: &Ints, scores: &Ints) -> Result<()> {
        ensure!(values.values.len() == scores.values.len(), "features and scores have not the same rows");
        for (row, score) in scores.values.iter().enumerate() {
            let bin =
                values.get(row).map_or(0, |value| 1 + self.below.partition_point(|below| below <= value));
            let bin = &mut self.bins[bin];
            bin.rows += 1;
            // So many scores of 64 bits as there can be rows do not add up to more than 128 bits.
            bin.sums[0] += i128::from(*score);
        }
        Ok(())
    }
}

fn in_bin(group: &KeyTotals, all: u64) -> InBin {
    const BASIS_POINTS: i128 = 10_000;
    const THOUSANDTHS: i128 = 1_000;
    let sum = group.sums.first().copied().unwrap_or_default();
    InBin {
        accounts: group.rows,
        share_bp: mean(group.rows.into(), all, BASIS_POINTS).map(|share| share as u64),
        mean_score_thousandths: mean(sum, group.rows, THOUSANDTHS).map(|mean| mean as i64),
    }
}

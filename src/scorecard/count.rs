//! A run's accounts in each bin of a scorecard, and their mean score.

use std::borrow::Cow;

use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde::Serialize;

use crate::console::plain_path;
use crate::expr::Ints;
use crate::failure::input;
use crate::frame::{FrameTotals, IntFrame, KeyTotals, col, mean};
use crate::job::{Arm, Characteristic, Declarations, Job, Scorecard};
use crate::run_dir::PublishedRun;
use crate::run_dir::rows::{Rows, for_paired_batches};

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
pub fn find_features(job: &Job, number: usize, run: &PublishedRun) -> Result<()> {
    let place = plain_path(run.directory.path());
    let (own, of_run) = (Declarations::of(job), Declarations::of(&run.job));
    let mut wrong = Vec::new();
    for characteristic in &job.card(number).characteristics {
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

/// Counts a run's accounts, batch after batch; `names` are those of the characteristics' features. Of a run of several
/// scorecards those count that its scorecard called `card` decided about.
pub fn count(scorecard: &Scorecard, card: &str, names: &[&str], run: &PublishedRun) -> Result<Counted> {
    let (job, is_one) = (&run.job, run.job.cards().len() == 1);
    let of_cards = [
        ("segment", !is_one && !job.variants.segments.is_empty()),
        ("arm", !is_one && job.variants.challenger.is_some()),
    ];
    let of_cards = of_cards.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name);
    let of_scores: Vec<&str> = [SCORE].into_iter().chain(of_cards).collect();
    let mut all = FrameTotals::new([], &[col(SCORE)]);
    let mut by_bin: Vec<BinCounts> = scorecard.characteristics.iter().map(BinCounts::of).collect();
    for_paired_batches(
        &run.directory,
        [("features", names), ("scores", &of_scores)],
        |[features, scores]| {
            let own = if is_one { None } else { Some(decided_rows(job, card, &scores)) };
            let score = &*chosen(own.as_deref(), scores.ints(SCORE)?);
            all.add(&IntFrame::new(score.values.len()).with(SCORE, score.clone()))?;
            by_bin.par_iter_mut().zip(names).try_for_each(|(counts, name)| {
                counts.add(&chosen(own.as_deref(), features.ints(name)?), score)
            })
        },
    )?;
    let all = all.groups().get(&[]).cloned().unwrap_or_default();
    let bins = by_bin.iter().map(|counts| counts.bins.iter().map(|bin| in_bin(bin, all.rows)).collect());
    Ok(Counted { bins: bins.collect(), all: in_bin(&all, all.rows) })
}

/// Some rows of a column, or all.
fn chosen<'i>(rows: Option<&[usize]>, ints: &'i Ints) -> Cow<'i, Ints> {
    match rows {
        Some(rows) => Cow::Owned(rows.iter().map(|row| ints.get(*row).copied()).collect()),
        None => Cow::Borrowed(ints),
    }
}

/// The rows of the accounts that a scorecard of a run decided about.
fn decided_rows(job: &Job, card: &str, scores: &Rows) -> Vec<usize> {
    let segment = scores.texts("segment").ok();
    let arm = scores.texts("arm").ok();
    let decides = |row: usize| {
        let segment = segment.and_then(|segment| segment.get(row));
        let segment =
            segment.and_then(|name| job.variants.segments.iter().position(|segment| segment.name == name));
        let arm = arm.and_then(|arm| arm.get(row));
        let arm = Arm::ALL.into_iter().find(|own| Some(own.name()) == arm).unwrap_or_default();
        job.card_name(job.card_of(arm, segment)) == card
    };
    (0..scores.len).filter(|row| decides(*row)).collect()
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

//! A published night, counted: scores, bins, and what is known of its accounts by now.

use std::collections::BTreeMap;

use anyhow::Result;

use super::outcomes::Exclusion;
use crate::day::Day;
use crate::expr::{Column, Ints};
use crate::hash::bytes_hash;
use crate::job::{Characteristic, Declarations, Job};
use crate::model::{LaterOutcomes, RowOutcome};
use crate::run_dir::PublishedRun;
use crate::run_dir::rows::{Rows, columns, for_batches, for_paired_batches};
use crate::validate::arms::{ARM_COLUMNS, ArmTallies};
use crate::validate::characteristics::BinCount;
use crate::validate::gains::ScoreWeights;
use crate::validate::tally::{GoodsAndBads, OutcomesByScore};

/// What a night comes to.
pub struct NightTally {
    /// D.
    pub as_of: Day,
    /// SHA-256 of its scorecard.
    pub scorecard_sha256: String,
    /// Accounts by score, whatever is known of them.
    pub scores: ScoreWeights,
    /// Goods and bads by score.
    pub known: OutcomesByScore,
    /// Accounts by outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// By characteristic of the card that bins are of; `None` where the night lacks the feature, or has another.
    pub bins: Vec<Option<Vec<BinCount>>>,
    /// By arm, where the night has a challenger.
    pub arms: ArmTallies,
}

/// A characteristic that nights are counted in.
pub struct CountedCharacteristic {
    /// The feature's name.
    pub feature: String,
    /// Upper bounds of its bins but the last.
    below: Vec<i64>,
}

impl CountedCharacteristic {
    /// Those of a job's card.
    pub fn of(job: &Job) -> Vec<CountedCharacteristic> {
        let of = |characteristic: &Characteristic| CountedCharacteristic {
            feature: job.features[characteristic.feature].name.clone(),
            below: characteristic.bins.iter().filter_map(|bin| bin.below).collect(),
        };
        job.scorecard.characteristics.iter().map(of).collect()
    }

    /// How many bins it has, that of nulls among them.
    fn bins(&self) -> usize {
        self.below.len() + 2
    }

    fn bin(&self, value: Option<i64>) -> usize {
        value.map_or(0, |value| 1 + self.below.partition_point(|below| *below <= value))
    }
}

/// What nights are counted by.
pub struct NightCounter<'a> {
    /// The run whose scorecard's bins are counted in.
    pub bins_of: &'a PublishedRun,
    /// Its characteristics.
    pub characteristics: &'a [CountedCharacteristic],
    /// Accounts that do not count.
    pub exclusion: Option<&'a Exclusion<'a>>,
}

impl NightCounter<'_> {
    /// Counts a night.
    pub fn count(&self, run: &PublishedRun, outcomes: &mut LaterOutcomes) -> Result<NightTally> {
        let as_of = run.manifest.as_of;
        let mut known = outcomes.of_night(accounts_of(run)?, as_of)?;
        let has_arms = columns(&run.directory, "scores")?.iter().any(|(name, _)| name == ARM_COLUMNS[0]);
        let mut tally = NightTally {
            as_of,
            scorecard_sha256: bytes_hash(run.job.sources.scorecard.text.as_bytes()),
            scores: ScoreWeights::new(),
            known: OutcomesByScore::default(),
            outcomes: RowOutcome::ALL.map(|outcome| (outcome.name(), 0)).into(),
            bins: Vec::new(),
            arms: ArmTallies::of_night(has_arms),
        };
        let counted: Vec<Option<&CountedCharacteristic>> =
            self.characteristics.iter().map(|one| self.has(run, one).then_some(one)).collect();
        tally.bins = counted.iter().map(|one| one.map(|one| vec![BinCount::default(); one.bins()])).collect();
        let excluded_by =
            self.exclusion.map(|exclusion| exclusion.features(run)).transpose()?.unwrap_or_default();
        let mut names: Vec<&str> = counted.iter().flatten().map(|one| one.feature.as_str()).collect();
        names.extend(excluded_by.iter().map(String::as_str));
        names.sort_unstable();
        names.dedup();
        // A table has to be read by some column.
        names.push("account_id");
        let mut of_scores = vec!["score", "band"];
        if has_arms {
            of_scores.extend(ARM_COLUMNS);
        }
        let mut first = 0;
        let tables = [("features", &names[..]), ("scores", &of_scores[..])];
        for_paired_batches(&run.directory, tables, |[features, scores]| {
            let rows = first..first + features.len;
            first = rows.end;
            let known = &mut known[rows];
            if let Some(exclusion) = self.exclusion {
                exclusion.mark(run, &features, &scores, known)?;
            }
            if has_arms {
                let [arm, champion, challenger] = ARM_COLUMNS;
                let cards = [scores.ints(champion)?, scores.ints(challenger)?];
                tally.arms.add_rows(scores.texts(arm)?, scores.ints("score")?, cards, known);
            }
            // Of a night with arms everybody has the champion's score: scores of two scales are not ranked together.
            let score = if has_arms { ARM_COLUMNS[1] } else { "score" };
            tally.add(&counted, &features, scores.ints(score)?, known)
        })?;
        Ok(tally)
    }

    /// Whether a night has a feature, computed as that of the card.
    fn has(&self, run: &PublishedRun, one: &CountedCharacteristic) -> bool {
        let (card, night) = (Declarations::of(&self.bins_of.job), Declarations::of(&run.job));
        let of_card = self.bins_of.job.features.iter().position(|feature| feature.name == one.feature);
        let same_money = self.bins_of.job.minor_units == run.job.minor_units;
        same_money && of_card.is_some_and(|feature| card.are_alike(feature, &night))
    }
}

impl NightTally {
    fn add(
        &mut self,
        counted: &[Option<&CountedCharacteristic>],
        features: &Rows,
        scores: &Ints,
        known: &[RowOutcome],
    ) -> Result<()> {
        let is_in = |row: &usize| known[*row] != RowOutcome::Excluded;
        for (score, outcome) in scores.values.iter().zip(known) {
            *self.outcomes.entry(outcome.name()).or_default() += 1;
            if *outcome == RowOutcome::Excluded {
                continue;
            }
            *self.scores.entry(*score).or_default() += 1;
            if let Some(is_bad) = outcome.is_bad() {
                self.known.add(*score, is_bad, 1);
            }
        }
        for (one, bins) in counted.iter().zip(&mut self.bins) {
            let (Some(one), Some(bins)) = (one, bins) else { continue };
            let values = features.ints(&one.feature)?;
            for row in (0..features.len).filter(is_in) {
                bins[one.bin(values.get(row).copied())].add(known[row].is_bad(), 1);
            }
        }
        Ok(())
    }

    /// One of the same characteristics that nothing is counted in yet.
    pub fn emptied(&self) -> NightTally {
        NightTally {
            as_of: self.as_of,
            scorecard_sha256: self.scorecard_sha256.clone(),
            scores: ScoreWeights::new(),
            known: OutcomesByScore::default(),
            outcomes: BTreeMap::new(),
            bins: vec![None; self.bins.len()],
            arms: ArmTallies::default(),
        }
    }

    /// Adds another night's.
    pub fn add_night(&mut self, other: &NightTally) {
        for (score, accounts) in &other.scores {
            *self.scores.entry(*score).or_default() += accounts;
        }
        self.known.add_all(&other.known);
        self.arms.add_night(&other.arms);
        for (outcome, accounts) in &other.outcomes {
            *self.outcomes.entry(outcome).or_default() += accounts;
        }
        for (own, others) in self.bins.iter_mut().zip(&other.bins) {
            match (own, others) {
                (Some(own), Some(others)) => own.iter_mut().zip(others).for_each(|(own, other)| {
                    own.rows += other.rows;
                    own.outcomes = GoodsAndBads::plus(own.outcomes, other.outcomes);
                }),
                (own, others) => *own = own.take().or_else(|| others.clone()),
            }
        }
    }
}

/// The ids of a night's accounts, in order.
fn accounts_of(run: &PublishedRun) -> Result<Column> {
    let mut parts = Vec::new();
    for_batches(&run.directory, "scores", &["account_id"], |rows| {
        parts.push(rows.column("account_id")?.clone());
        Ok(())
    })?;
    Ok(crate::expr::column::concat(parts))
}

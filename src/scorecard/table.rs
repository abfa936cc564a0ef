//! Every bin with its label and its points.

use anyhow::Result;
use serde::Serialize;

use super::count::{InBin, count, find_features};
use crate::day::Day;
use crate::job::{Bin, Characteristic, Job, Unit, lint};
use crate::run_dir::PublishedRun;

/// A scorecard, and what a run has in its bins, where there is one.
#[derive(Debug, Clone, Serialize)]
pub struct ScorecardTable {
    /// The job's name.
    pub job: String,
    /// Which of the job's scorecards it is, where it has several: `own`, a segment's name or `challenger`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// What every account starts with.
    pub base: i32,
    /// The least a score can be.
    pub min: i32,
    /// The most a score can be.
    pub max: i32,
    /// The least score that the points can add up to, within `min` and `max`.
    pub lowest: i32,
    /// The highest.
    pub highest: i32,
    /// Ascending.
    pub bands: Vec<BandRange>,
    /// The run whose accounts are in the bins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<CountedRun>,
    /// In file order.
    pub characteristics: Vec<CharacteristicTable>,
}

/// The scores of a band, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BandRange {
    /// Its name.
    pub band: String,
    /// The least.
    pub from: i32,
    /// The highest.
    pub to: i32,
}

/// The run whose accounts are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CountedRun {
    /// The name of its job.
    pub job: String,
    /// D.
    pub as_of: Day,
    /// K.
    pub known_on: Day,
    /// How many accounts have a score.
    pub accounts: u64,
    /// Their mean score in thousandths, rounded half away from zero; null where there are none.
    pub mean_score_thousandths: Option<i64>,
}

/// The bins of one characteristic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CharacteristicTable {
    /// The feature's name.
    pub feature: String,
    /// The dimension's name.
    pub dimension: String,
    /// The reason's code.
    pub reason: String,
    /// Nulls first, then ascending.
    pub bins: Vec<BinRow>,
}

/// One bin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BinRow {
    /// Its values in words; `missing` where the feature is null.
    pub bin: String,
    /// The least value in it; null where nothing bounds it, and for `missing`.
    pub from: Option<i64>,
    /// Its values are less than this; null likewise.
    pub below: Option<i64>,
    /// What it gives.
    pub points: i32,
    /// What the run has in it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub accounts: Option<InBin>,
}

impl ScorecardTable {
    /// One of the scorecards of a job, the `number`th.
    pub fn of_job(job: &Job, number: usize) -> ScorecardTable {
        let card = job.card(number);
        let (lowest, highest) = lint::score_range(card);
        let ends = card.bands.iter().skip(1).map(|band| band.from - 1).chain([card.max]);
        let bands = card.bands.iter().zip(ends);
        let characteristics = card.characteristics.iter().map(|one| CharacteristicTable {
            feature: job.features[one.feature].name.clone(),
            dimension: card.dimensions[one.dimension].name.clone(),
            reason: one.reason.clone(),
            bins: bins(one),
        });
        ScorecardTable {
            job: job.name.clone(),
            card: (job.cards().len() > 1).then(|| job.card_name(number).to_string()),
            base: card.base,
            min: card.min,
            max: card.max,
            lowest,
            highest,
            bands: bands
                .map(|(band, to)| BandRange { band: band.name.clone(), from: band.from, to })
                .collect(),
            run: None,
            characteristics: characteristics.collect(),
        }
    }

    /// The same with the accounts of a run, whose features are put in the scorecard's bins and whose scores are as it
    /// gave them; of a run of several scorecards those that its own of that name decided about. Fails where the run lacks a feature, or has another of that name.
    pub fn of_run(job: &Job, number: usize, run: &PublishedRun) -> Result<ScorecardTable> {
        find_features(job, number, run)?;
        let mut table = ScorecardTable::of_job(job, number);
        let names: Vec<&str> = table.characteristics.iter().map(|one| one.feature.as_str()).collect();
        let counted = count(job.card(number), job.card_name(number), &names, run)?;
        table.run = Some(CountedRun {
            job: run.manifest.job.clone(),
            as_of: run.manifest.as_of,
            known_on: run.manifest.known_on,
            accounts: counted.all.accounts,
            mean_score_thousandths: counted.all.mean_score_thousandths,
        });
        for (characteristic, in_bins) in table.characteristics.iter_mut().zip(counted.bins) {
            for (bin, in_bin) in characteristic.bins.iter_mut().zip(in_bins) {
                bin.accounts = Some(in_bin);
            }
        }
        Ok(table)
    }
}

/// The bins of a characteristic in the order in which frames number them: nulls, then ascending.
fn bins(characteristic: &Characteristic) -> Vec<BinRow> {
    let missing = BinRow {
        bin: "missing".to_string(),
        from: None,
        below: None,
        points: characteristic.missing,
        accounts: None,
    };
    let mut from = None;
    let bins = characteristic.bins.iter().map(|Bin { below, points }| {
        let from = std::mem::replace(&mut from, *below);
        BinRow {
            bin: bin_label(from, *below, Unit::Number, 0),
            from,
            below: *below,
            points: *points,
            accounts: None,
        }
    });
    [missing].into_iter().chain(bins).collect()
}

/// The values of a bin in words, from its least value and its upper bound, which is in it no more.
pub fn bin_label(from: Option<i64>, below: Option<i64>, unit: Unit, minor_units: u32) -> String {
    let shown = |value: i64| unit.show(value.into(), minor_units);
    let from = from.filter(|from| *from > i64::MIN);
    let Some(last) = below.map(|below| below.checked_sub(1)) else {
        return from.map_or("any".to_string(), |from| format!("{} or more", shown(from)));
    };
    match (from, last) {
        // Nothing is below the least integer.
        (_, None) => "none".to_string(),
        (None, Some(last)) => format!("{} or less", shown(last)),
        (Some(from), Some(last)) if from == last => shown(from),
        (Some(from), Some(last)) => format!("{} to {}", unit.figure(from.into(), minor_units), shown(last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_name_the_values_of_a_bin() {
        let cases = [
            (None, None, "any"),
            (None, Some(1), "0 or less"),
            (Some(1), Some(4), "1 to 3"),
            (Some(4), Some(5), "4"),
            (Some(-2_000), None, "-2,000 or more"),
            (None, Some(i64::MIN), "none"),
            (Some(i64::MIN), Some(0), "-1 or less"),
        ];
        for (from, below, label) in cases {
            assert_eq!(bin_label(from, below, Unit::Number, 0), label);
        }
    }
}

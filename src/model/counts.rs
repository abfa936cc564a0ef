//! What a sample counts: outcomes, parts, months, and rows that are left out by reason.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::outcome::Outcomes;
use super::sample::{ModelSample, RowOutcome, SamplePart};
use crate::day::Day;
use crate::spine::LeftOut;

/// What a sample counts. Rows are counted as such, whatever their weight, but where weights are named.
#[derive(Debug, Serialize)]
pub struct SampleCounts {
    /// Rows of the spine.
    pub rows: u64,
    /// Distinct days of all rows.
    pub days: usize,
    /// The first of them.
    pub first: Option<Day>,
    /// The last of them.
    pub last: Option<Day>,
    /// By outcome, all of them.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// By part, in which figures are given.
    pub parts: Vec<PartCounts>,
    /// By month of the as-of date.
    pub months: Vec<MonthCounts>,
    /// Rows without features, by reason.
    pub left_out: BTreeMap<&'static str, u64>,
    /// The last day of which it is known what happened.
    pub known_until: Option<Day>,
    /// Rows of the outcomes' file that say what another row says, too.
    pub outcome_repeats: u64,
    /// Rows of the outcomes' file without an account or a date.
    pub outcome_without_key: u64,
    /// Unmatched rows whose outcome would be seen on a day without a delivery of repayments.
    pub outcome_not_delivered: u64,
}

/// The good and the bad rows of some.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GoodBad {
    /// All rows, whatever their outcome.
    pub rows: u64,
    /// Good ones.
    pub good: u64,
    /// Bad ones.
    pub bad: u64,
    /// The weight of the good ones.
    pub good_weight: i128,
    /// The weight of the bad ones.
    pub bad_weight: i128,
}

impl GoodBad {
    fn add(&mut self, outcome: RowOutcome, weight: i64) {
        self.rows += 1;
        match outcome.is_bad() {
            Some(true) => {
                self.bad += 1;
                self.bad_weight += i128::from(weight);
            }
            Some(false) => {
                self.good += 1;
                self.good_weight += i128::from(weight);
            }
            None => {}
        }
    }

    /// Bad rows to bad and good ones by weight, in basis points, rounded to the nearest; `None` where there are none.
    pub fn bad_rate_bp(&self) -> Option<i128> {
        let all = self.good_weight + self.bad_weight;
        (all > 0).then(|| (self.bad_weight * 20_000 + all) / (2 * all))
    }
}

/// The rows of a part.
#[derive(Debug, Serialize)]
pub struct PartCounts {
    /// Its name.
    pub part: &'static str,
    /// Its rows.
    #[serde(flatten)]
    pub rows: GoodBad,
}

/// The rows of a month.
#[derive(Debug, Serialize)]
pub struct MonthCounts {
    /// YYYY-MM.
    pub month: String,
    /// Its rows.
    #[serde(flatten)]
    pub rows: GoodBad,
}

impl SampleCounts {
    pub(super) fn of(
        sample: &ModelSample,
        slots: &[Result<u32, LeftOut>],
        happened: &Outcomes,
    ) -> SampleCounts {
        let mut outcomes: BTreeMap<&'static str, u64> =
            RowOutcome::ALL.map(|outcome| (outcome.name(), 0)).into();
        let mut parts: BTreeMap<SamplePart, GoodBad> =
            SamplePart::ALL.map(|part| (part, GoodBad::default())).into();
        let mut by_day: BTreeMap<Day, GoodBad> = BTreeMap::new();
        for row in 0..sample.len() {
            let (outcome, weight) = (sample.outcome[row], sample.weight[row]);
            *outcomes.entry(outcome.name()).or_default() += 1;
            parts.entry(sample.part[row]).or_default().add(outcome, weight);
            if let Some(day) = sample.as_of[row] {
                by_day.entry(day).or_default().add(outcome, weight);
            }
        }
        let mut left_out: BTreeMap<&'static str, u64> = LeftOut::ALL.map(|reason| (reason.name(), 0)).into();
        for reason in slots.iter().filter_map(|slot| slot.err()) {
            *left_out.entry(reason.name()).or_default() += 1;
        }
        let days: BTreeSet<Day> = by_day.keys().copied().collect();
        SampleCounts {
            rows: sample.len() as u64,
            days: days.len(),
            first: days.first().copied(),
            last: days.last().copied(),
            outcomes,
            parts: parts.into_iter().map(|(part, rows)| PartCounts { part: part.name(), rows }).collect(),
            months: months(by_day),
            left_out,
            known_until: happened.known_until,
            outcome_repeats: happened.repeats,
            outcome_without_key: happened.without_key,
            outcome_not_delivered: happened.not_delivered,
        }
    }

    /// Rows of an outcome.
    pub fn of_outcome(&self, outcome: RowOutcome) -> u64 {
        self.outcomes[outcome.name()]
    }
}

/// Days added up to months, in order.
fn months(by_day: BTreeMap<Day, GoodBad>) -> Vec<MonthCounts> {
    let mut months: Vec<MonthCounts> = Vec::new();
    for (day, found) in by_day {
        let month = day.month();
        if months.last().is_none_or(|last| last.month != month) {
            months.push(MonthCounts { month, rows: GoodBad::default() });
        }
        let rows = &mut months.last_mut().expect("just pushed").rows;
        rows.rows += found.rows;
        rows.good += found.good;
        rows.bad += found.bad;
        rows.good_weight += found.good_weight;
        rows.bad_weight += found.bad_weight;
    }
    months
}

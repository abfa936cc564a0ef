//! How well a score ranks in parts of a sample: by part, by month, by the values of a column.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::fraction::{Fraction, six_places};
use super::odds::OddsLine;
use super::scored::ScoredSample;
use super::tally::{OutcomesByScore, Ranking};
use crate::expr::Column;
use crate::failure::{Kind, failure};
use crate::model::{ModelSample, SamplePart};
use crate::suggest::listing;

/// What a score comes to among some rows with a known outcome.
#[derive(Debug, Clone, Serialize)]
pub struct SliceFigures {
    /// `train`, `holdout`, `out_of_time`, `embargo`, or `all` of them.
    pub part: &'static str,
    /// By what the rows were told apart: `month`, or a column; null where it is the part alone.
    pub by: Option<String>,
    /// Their value there; null for rows without one.
    pub value: Option<String>,
    /// Weight of goods and bads.
    pub rows: u64,
    /// Weight of the goods.
    pub good: u64,
    /// Weight of the bads.
    pub bad: u64,
    /// Bads of all; null where there is no row.
    pub bad_rate: Option<Fraction>,
    /// Bads that the score predicts, of all.
    pub predicted_bad_rate: Option<f64>,
    /// The mean score.
    pub mean_score: Option<Fraction>,
    /// How well it ranks; null where there is no good or no bad.
    pub ranking: Option<Ranking>,
}

impl SliceFigures {
    /// Those of a tally.
    pub fn of(tally: &OutcomesByScore, part: &'static str, odds: Option<&OddsLine>) -> SliceFigures {
        let counts = tally.counts();
        SliceFigures {
            part,
            by: None,
            value: None,
            rows: counts.total(),
            good: counts.good,
            bad: counts.bad,
            bad_rate: counts.bad_rate(),
            predicted_bad_rate: predicted_rate(tally, odds),
            mean_score: tally.mean_score(),
            ranking: tally.ranking(),
        }
    }

    /// Leaves out the bounds of the AUC: rows are not accounts of their own.
    pub fn drop_bounds(&mut self) {
        if let Some(ranking) = &mut self.ranking {
            ranking.auc_bounds = None;
        }
    }

    /// What is missing for a ranking, in words; empty where nothing is.
    pub fn lacks(&self) -> &'static str {
        match (self.good, self.bad) {
            (0, 0) => "no row with an outcome",
            (0, _) => "no good",
            (_, 0) => "no bad",
            _ => "",
        }
    }
}

/// The share of bads that a line predicts; `None` without a line or rows.
pub fn predicted_rate(tally: &OutcomesByScore, odds: Option<&OddsLine>) -> Option<f64> {
    let rows = tally.counts().total();
    let odds = odds.filter(|_| rows > 0)?;
    Some(six_places(odds.predicted_bads(tally) / rows as f64))
}

/// A part as people read it.
pub fn part_words(part: &str) -> &str {
    match part {
        "all" => "all rows",
        "train" => "the training rows",
        "holdout" => "the rows held out",
        "out_of_time" => "the rows out of time",
        "embargo" => "the rows under embargo",
        other => other,
    }
}

/// All rows together, under this name among the parts.
pub const ALL: &str = "all";

/// By all parts together, then by part as far as there are rows with an outcome.
pub fn by_part(scored: &ScoredSample, odds: Option<&OddsLine>) -> Vec<SliceFigures> {
    let all = SliceFigures::of(&scored.tally(|_| true), ALL, odds);
    let parts = SamplePart::ALL.map(|part| SliceFigures::of(&scored.tally_of(part), part.name(), odds));
    std::iter::once(all).chain(parts.into_iter().filter(|figures| figures.rows > 0)).collect()
}

/// By the months of the as-of dates, all parts together.
pub fn by_month(scored: &ScoredSample, odds: Option<&OddsLine>) -> Vec<SliceFigures> {
    let mut months: BTreeMap<String, OutcomesByScore> = BTreeMap::new();
    for row in scored.population() {
        let tally = months.entry(scored.month(row)).or_default();
        if let Some(is_bad) = scored.is_bad(row) {
            tally.add(scored.score[row].into(), is_bad, scored.weight(row));
        }
    }
    let figures = months.iter().map(|(month, tally)| SliceFigures {
        by: Some("month".to_string()),
        value: (!month.is_empty()).then(|| month.clone()),
        ..SliceFigures::of(tally, ALL, odds)
    });
    figures.collect()
}

/// Values of a column that a sample has rows apart by.
pub struct SliceColumn {
    /// Its name.
    pub name: String,
    /// By row: a number of `values`.
    pub codes: Vec<u32>,
    /// Ascending, a missing value first.
    pub values: Vec<Option<String>>,
}

/// A column of more values is no segment: it names accounts, amounts or days.
const MOST_VALUES: usize = 50;

impl SliceColumn {
    /// A column of a sample: the product, one of the spine's own, or a feature.
    pub fn find(sample: &ModelSample, name: &str) -> Result<SliceColumn> {
        let texts = match column(sample, name) {
            Some(found) => found,
            None => {
                let product = sample.product.as_ref().map(|_| "product");
                let extra = sample.extra.iter().map(|extra| extra.name.as_str());
                let known = product.into_iter().chain(extra).chain(sample.names.iter().map(String::as_str));
                let message = format!(
                    "the sample has no column `{name}`; it has {}; a column of the spine is taken along by `rescore \
                     sample`",
                    listing(known.collect::<Vec<_>>().into_iter())
                );
                return Err(failure(Kind::Usage, message));
            }
        };
        let mut known: BTreeMap<Option<&str>, u32> = BTreeMap::new();
        known.extend(texts.iter().map(|text| (text.as_deref(), 0)));
        if known.len() > MOST_VALUES {
            let message = format!(
                "`{name}` has {} values in the sample, and figures are given by {MOST_VALUES} at most; give the spine a \
                 column of groups",
                known.len()
            );
            return Err(failure(Kind::Usage, message));
        }
        known.values_mut().zip(0..).for_each(|(code, number)| *code = number);
        let codes = texts.iter().map(|text| known[&text.as_deref()]).collect();
        let values = known.keys().map(|value| value.map(str::to_string)).collect();
        Ok(SliceColumn { name: name.to_string(), codes, values })
    }

    /// Figures by value, all parts together and then by part as far as there are rows.
    pub fn figures(&self, scored: &ScoredSample, odds: Option<&OddsLine>) -> Vec<SliceFigures> {
        let mut all = Vec::new();
        for (code, value) in self.values.iter().enumerate() {
            let is_in = |row: usize| self.codes[row] as usize == code;
            let named = |figures: SliceFigures| SliceFigures {
                by: Some(self.name.clone()),
                value: value.clone(),
                ..figures
            };
            all.push(named(SliceFigures::of(&scored.tally(is_in), ALL, odds)));
            for part in SamplePart::ALL {
                let tally = scored.tally(|row| is_in(row) && scored.sample.part[row] == part);
                let figures = SliceFigures::of(&tally, part.name(), odds);
                if figures.rows > 0 {
                    all.push(named(figures));
                }
            }
        }
        all
    }
}

/// A column as texts, row by row.
fn column(sample: &ModelSample, name: &str) -> Option<Vec<Option<String>>> {
    let rows = 0..sample.weight.len();
    if let Some(product) = sample.product.as_ref().filter(|_| name == "product") {
        return Some(rows.map(|row| product.get(row).map(str::to_string)).collect());
    }
    if let Some(extra) = sample.extra.iter().find(|extra| extra.name == name) {
        return Some(rows.map(|row| text(&extra.values, row)).collect());
    }
    let feature = sample.names.iter().position(|known| known == name)?;
    Some(rows.map(|row| sample.features[feature].get(row).map(i64::to_string)).collect())
}

/// A value as it is read.
fn text(column: &Column, row: usize) -> Option<String> {
    match column {
        Column::Int(ints) => ints.get(row).map(i64::to_string),
        Column::Wide(ints) => ints.get(row).map(ToString::to_string),
        Column::Text(texts) => texts.get(row).map(str::to_string),
        Column::Bool(_) if !column.is_valid(row) => None,
        Column::Bool(truths) => Some((truths[row] == crate::expr::column::TRUE).to_string()),
    }
}

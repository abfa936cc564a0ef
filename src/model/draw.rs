//! Draws a sample: one sweep over its rows, what happened to them, and what part each plays.

use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;
use serde_json::Value;

use super::bind::{BoundModel, truths};
use super::counts::SampleCounts;
use super::definitions::{FeatureDefinitions, canonical};
use super::file::{ModelFile, Outcome, SampleRows};
use super::outcome::Outcomes;
use super::rows::SpineRows;
use super::sample::{ModelSample, RowOutcome, SampleOrigin};
use super::{outcome_bills, outcome_file, split};
use crate::cards::score_job;
use crate::console::{Progress, plain_path};
use crate::day::Dates;
use crate::expr::{Column, Ints, Texts};
use crate::failure::{Kind, failure, input};
use crate::features::FeatureTable;
use crate::hash::bytes_hash;
use crate::input::footer_cache::FooterCache;
use crate::job::{InputSpec, Job, RawJob};
use crate::run::prepare;
use crate::score::add_up;
use crate::spine::{FeatureSweep, SweepOptions, SweptSlots};

/// A sample as drawn.
pub struct DrawnSample {
    /// The sample.
    pub sample: ModelSample,
    /// What it counts.
    pub counts: SampleCounts,
    /// What to warn of.
    pub warnings: Vec<String>,
    /// The job whose features it has.
    pub job: Job,
}

/// Draws the sample of a model file with the features of its job. Mistakes in the job files are reported first, then
/// troubles with the spine, then mistakes in the model file's expressions.
pub fn draw(model: &ModelFile, options: SweepOptions, progress: &Progress) -> Result<DrawnSample> {
    let mut draft = RawJob::read(&model.job)?;
    let (mut sweep, rows) = rows_of(model, &mut draft, options, progress)?;
    rows.check_against(&sweep.job)?;
    let bound = BoundModel::bind(model, &sweep.job, &rows)?;
    let origin = SampleOrigin { features: FeatureDefinitions::of(&sweep.job)?, model: meaning(model)? };
    let mut warnings = rows.warnings.clone();
    warnings.extend(undated(&sweep.job));
    let swept = sweep.answer(&rows.asked, &rows.subject, progress)?;
    let features = features_by_row(&sweep.job, &swept);
    let excluded = excluded(&bound, &sweep.job, &rows, &swept, &features);
    let happened = outcomes(model, &bound, &rows, &mut sweep, progress)?;
    warnings.extend(happened.warnings.iter().cloned());
    let outcome = swept.slots.iter().enumerate().map(|(row, slot)| match slot {
        Err(_) => RowOutcome::LeftOut,
        Ok(_) if excluded.as_ref().is_some_and(|excluded| excluded[row]) => RowOutcome::Excluded,
        Ok(_) => happened.by_row[row],
    });
    let outcome = outcome.collect();
    let part = split::parts(&model.split, &bound, &rows);
    rows.check_unchanged()?;
    let sample = ModelSample {
        as_of: rows.asked.days.iter().map(|day| day.map(|day| day.as_of)).collect(),
        account: rows.asked.account,
        product: rows.product,
        weight: rows.weight,
        outcome,
        part,
        names: sweep.job.features.iter().map(|feature| feature.name.clone()).collect(),
        features: features.into_iter().map(ints).collect(),
        extra: rows.extra,
        hash: String::new(),
        origin,
    };
    let counts = SampleCounts::of(&sample, &swept.slots, &happened);
    Ok(DrawnSample { sample, counts, warnings, job: sweep.job })
}

/// Finds what happened to each row.
pub(super) fn outcomes(
    model: &ModelFile,
    bound: &BoundModel,
    rows: &SpineRows,
    sweep: &mut FeatureSweep,
    progress: &Progress,
) -> Result<Outcomes> {
    match &model.outcome {
        Outcome::File { path, column, by } => {
            outcome_file::look_up(path, column, *by, rows, &sweep.job, progress)
        }
        Outcome::Computed { due_within_days, seen_after_days, known_until, .. } => {
            let window = outcome_bills::OutcomeWindow {
                due_within_days: *due_within_days,
                seen_after_days: *seen_after_days,
                known_until: *known_until,
            };
            outcome_bills::compute(window, bound, rows, sweep, progress)
        }
    }
}

/// The rows of a model file's sample, and its job, ready to answer them.
pub(super) fn rows_of(
    model: &ModelFile,
    draft: &mut RawJob,
    options: SweepOptions,
    progress: &Progress,
) -> Result<(FeatureSweep, SpineRows)> {
    let mut footers = FooterCache::default();
    match &model.rows {
        SampleRows::Spine(path) => {
            let rows = SpineRows::read(path, draft.timezone(), progress);
            let last = rows.as_ref().ok().and_then(|rows| rows.asked.last_dates());
            let (job, deliveries) = prepare(draft, last, &mut footers)?;
            Ok((FeatureSweep::new(job, deliveries, footers, options), rows?))
        }
        SampleRows::Book { from, to, every } => {
            let last = Dates { as_of: *to, known_on: *to, chain_from: None };
            let (job, deliveries) = prepare(draft, Some(last), &mut footers)?;
            let mut sweep = FeatureSweep::new(job, deliveries, footers, options);
            let rows = SpineRows::of_book((*from, *to), *every, &mut sweep, progress)?;
            Ok((sweep, rows))
        }
    }
}

/// The features of all rows, null where a row is left out.
pub(super) fn features_by_row(job: &Job, swept: &SweptSlots) -> Vec<Column> {
    let slots = swept.slots.iter().zip(0_u32..);
    let mut answered: Vec<(u32, u32)> = slots.filter_map(|(slot, row)| Some((slot.ok()?, row))).collect();
    // Slot by slot, each part of the table is looked at once.
    answered.par_sort_unstable();
    let (slots, rows): (Vec<u32>, Vec<u32>) = answered.into_iter().unzip();
    let len = swept.slots.len();
    let features = (0..job.features.len()).into_par_iter();
    features.map(|feature| spread(&swept.features, feature, &slots, &rows, len)).collect()
}

/// A feature of some slots at the rows that asked for them, of so many.
fn spread(features: &FeatureTable, feature: usize, slots: &[u32], rows: &[u32], len: usize) -> Column {
    let found = ints(features.gather(feature, slots));
    let (mut values, mut valid) = (vec![0; len], vec![false; len]);
    for (place, row) in rows.iter().enumerate() {
        if let Some(value) = found.get(place) {
            values[*row as usize] = *value;
            valid[*row as usize] = true;
        }
    }
    Column::Int(Ints { values, valid: valid.contains(&false).then_some(valid) })
}

/// By row, whether the model file leaves it out; `None` where it leaves none out.
fn excluded(
    bound: &BoundModel,
    job: &Job,
    rows: &SpineRows,
    swept: &SweptSlots,
    features: &[Column],
) -> Option<Vec<bool>> {
    let exclude = bound.exclude.as_ref()?;
    let slots = swept.asked.days.len();
    let scores = if job.variants.is_none() {
        add_up(&job.scorecard, &swept.features, slots)
    } else {
        let asked = swept.asked.asked();
        let accounts: Vec<u32> = (0..slots).map(|slot| asked.account(slot) as u32).collect();
        score_job(job, &swept.features, &asked.accounts.ids.gather(&accounts))
    };
    let score = swept.slots.iter().map(|slot| Some(i64::from(scores.score[slot.ok()? as usize])));
    let bands = &job.scorecard.bands;
    let band = swept.slots.iter().map(|slot| {
        let band = scores.band[slot.ok()? as usize];
        Some(bands[usize::from(band)].name.as_str())
    });
    let mut columns = rows.columns();
    columns.push(Column::Int(score.collect()));
    columns.push(Column::Text(band.collect::<Texts>()));
    columns.extend(features.iter().cloned());
    Some(truths(exclude, &columns, rows.len()).iter().collect())
}

/// What to warn of where inputs are not delivered by date.
fn undated(job: &Job) -> Vec<String> {
    let is_undated = |spec: &&InputSpec| !spec.is_none() && !spec.is_dated();
    let moves: Vec<&str> = [&job.inputs.transactions, &job.inputs.repayments]
        .into_iter()
        .filter(is_undated)
        .map(|spec| spec.name)
        .collect();
    let mut warnings = Vec::new();
    if !moves.is_empty() {
        warnings.push(format!(
            "{} are not delivered by date: when a row arrived is not known, so that a feature sees all rows dated up \
             to as_of, those that came later or were corrected since included",
            moves.join(" and ")
        ));
    }
    if is_undated(&&job.inputs.lines) {
        warnings.push(
            "lines are one snapshot without a date: features of lines see the book as it is there, whatever as_of is"
                .to_string(),
        );
    }
    warnings
}

/// SHA-256, in hex, of what a model file says of sample (but not where it lies), outcome and split, as JSON.
pub fn meaning(model: &ModelFile) -> Result<String> {
    let path = model.source.path.display();
    let file: Value = toml::from_str(&model.source.text)
        .map_err(|error| failure(Kind::Usage, format!("{path}: {error}")))?;
    let mut tables: Vec<Value> = ["sample", "outcome", "split"]
        .iter()
        .map(|name| file.get(*name).cloned().unwrap_or_default())
        .collect();
    if let Some(sample) = tables[0].as_object_mut() {
        sample.remove("file");
    }
    Ok(bytes_hash(canonical(&Value::Array(tables)).as_bytes()))
}

impl ModelSample {
    /// Fails where it was drawn with another sample, outcome or split than a model file has now, or with features
    /// that mean something else than those of the same names do now; `path` is where it lies.
    pub fn check_belongs(&self, path: &Path, model: &ModelFile, features: &FeatureDefinitions) -> Result<()> {
        let path = plain_path(path);
        let again = format!("draw it again: rescore sample {}", plain_path(&model.source.path));
        if self.origin.model != meaning(model)? {
            return Err(input(format!(
                "{path}: it was drawn with another [sample], [outcome] or [split] than the model file has: {again}"
            )));
        }
        let own = self.origin.features.features.iter();
        let mut changed =
            own.filter(|own| features.of_feature(&own.name).is_some_and(|hash| hash != own.hash));
        match changed.next() {
            None => Ok(()),
            Some(feature) => Err(input(format!(
                "{path}: its feature {} is not defined as in the scorecard file: {again}",
                feature.name
            ))),
        }
    }
}

fn ints(column: Column) -> Ints {
    match column {
        Column::Int(ints) => ints,
        _ => unreachable!("features are integers"),
    }
}

//! The features of another scorecard for the rows of a sample: a card that is validated may read what the sample lacks.

use std::path::Path;

use anyhow::Result;

use super::definitions::FeatureDefinitions;
use super::draw::{features_by_row, rows_of};
use super::file::ModelFile;
use super::sample::ModelSample;
use crate::console::Progress;
use crate::expr::{Column, Ints};
use crate::failure::input;
use crate::input::accounts::id_text;
use crate::job::{Job, RawJob};
use crate::spine::SweepOptions;

/// Features of the rows of a model file's sample.
pub struct OtherFeatures {
    /// What they mean, with their names.
    pub definitions: FeatureDefinitions,
    /// By feature, a value a row; null where the row is left out.
    pub features: Vec<Ints>,
    /// The job under the other scorecard, without policy and gates.
    pub job: Job,
    account: Column,
}

/// Computes the features of a scorecard file for the rows of a model file's sample, as [`super::draw`] does with those of
/// the job's own.
pub fn features_of_scorecard(
    model: &ModelFile,
    scorecard: &Path,
    options: SweepOptions,
    progress: &Progress,
) -> Result<OtherFeatures> {
    let mut draft = RawJob::with_scorecard(&model.job, scorecard)?;
    let (mut sweep, rows) = rows_of(model, &mut draft, options, progress)?;
    rows.check_against(&sweep.job)?;
    let swept = sweep.answer(&rows.asked, &rows.subject, progress)?;
    let features = features_by_row(&sweep.job, &swept).into_iter().map(|column| match column {
        Column::Int(ints) => ints,
        _ => unreachable!("features are integers"),
    });
    let features = features.collect();
    rows.check_unchanged()?;
    let definitions = FeatureDefinitions::of(&sweep.job)?;
    Ok(OtherFeatures { definitions, features, account: rows.asked.account, job: sweep.job })
}

impl ModelSample {
    /// The features that some definitions have and this sample has not, or has by another definition, by name.
    pub fn lacks<'d>(&self, definitions: &'d FeatureDefinitions) -> Vec<&'d str> {
        let own = &self.origin.features;
        let wanted = definitions.features.iter();
        let lacking = wanted.filter(|wanted| own.of_feature(&wanted.name) != Some(wanted.hash.as_str()));
        lacking.map(|wanted| wanted.name.as_str()).collect()
    }

    /// Puts other features in the place of its own. Fails where they are of other rows: the inputs have changed since
    /// the sample was drawn.
    pub fn replace_features(&mut self, other: OtherFeatures) -> Result<()> {
        let OtherFeatures { definitions, features, account, .. } = other;
        let is_same = account.len() == self.len()
            && (0..self.len()).all(|row| id_text(&account, row) == id_text(&self.account, row));
        if !is_same {
            return Err(input(
                "the rows of the sample are not those that its spine and the inputs give now: draw it again with \
                 `rescore sample`",
            ));
        }
        self.names = definitions.features.iter().map(|feature| feature.name.clone()).collect();
        (self.features, self.origin.features) = (features, definitions);
        Ok(())
    }
}

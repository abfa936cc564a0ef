//! The features of a job that an imported scorecard builds on.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use toml::{Table, Value};

use super::card::{FeatureSource, ImportedCard};
use super::scorecard_file::{coding, wanted};
use crate::failure::{Kind, failure};
use crate::job::{InputColumns, RawJob};

/// All features of a job's scorecard, and what bills they are over.
pub struct JobFeatures {
    table: Table,
    path: String,
}

impl JobFeatures {
    /// Reads the scorecard of a job. No input is looked at.
    pub fn read(path: &Path) -> Result<JobFeatures> {
        let mut raw = RawJob::read(path)?;
        let job = raw.bind(&InputColumns::default());
        raw.diagnostics.check()?;
        let job = job.expect("a job without mistakes is bound");
        let mut table: Table =
            job.sources.scorecard.text.parse().context("a scorecard that was read is TOML")?;
        table.retain(|key, _| key == "bills" || key == "feature");
        Ok(JobFeatures { table, path: path.display().to_string() })
    }

    /// As TOML.
    pub fn text(&self) -> Result<String> {
        toml::to_string(&self.table).context("features that were read are TOML")
    }

    fn find(&self, name: &str) -> Option<&Table> {
        let features = self.table.get("feature").and_then(Value::as_array);
        let tables = features.into_iter().flatten().filter_map(Value::as_table);
        tables.into_iter().find(|feature| feature.get("name").and_then(Value::as_str) == Some(name))
    }

    /// The features of a card that the job has. One of a name that is something else there is refused.
    pub fn taken(&self, card: &ImportedCard) -> Result<Vec<String>> {
        let mut taken = Vec::new();
        for feature in &card.features {
            let Some(own) = self.find(&feature.name) else { continue };
            let expected = match &feature.source {
                FeatureSource::Number(_) | FeatureSource::Truth => None,
                FeatureSource::Codes(texts) => Some(coding(&feature.field, texts)),
                FeatureSource::Expression(expression) => Some(expression.clone()),
            };
            let written = ["of", "expr"].iter().find_map(|key| own.get(*key).and_then(Value::as_str));
            let is_same = expected.is_none_or(|expected| {
                written.is_some_and(|written| written.split_whitespace().eq(expected.split_whitespace()))
            });
            ensure!(
                is_same,
                failure(
                    Kind::Usage,
                    format!(
                        "the feature `{}` of {} is something else than is wanted here, {}: rename one of them",
                        feature.name,
                        self.path,
                        wanted(&feature.field, &feature.source)
                    )
                )
            );
            taken.push(feature.name.clone());
        }
        Ok(taken)
    }
}

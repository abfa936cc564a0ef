//! A scorecard file by itself, without the job that names it.

use std::path::Path;

use anyhow::Result;
use toml::Table;

use super::diagnostics::Diagnostics;
use super::feature_file::Feature;
use super::raw_job::RawJob;
use super::scopes::{InputColumns, input_scopes};
use super::scorecard_file::{self, Scorecard};
use super::source::Source;

/// A scorecard and its features, as far as they can be told without inputs.
#[derive(Debug)]
pub struct LoneScorecard {
    /// The job's name, or that of the file.
    pub name: String,
    /// Points, bands, dimensions.
    pub scorecard: Scorecard,
    /// What the characteristics are about.
    pub features: Vec<Feature>,
}

impl LoneScorecard {
    /// Reads a scorecard file, or that of a job.
    pub fn read(path: &Path) -> Result<LoneScorecard> {
        let source = Source::read(path)?;
        if is_scorecard(&source.text) {
            return LoneScorecard::of(&source);
        }
        let mut raw = RawJob::read(path)?;
        let job = raw.bind(&InputColumns::default());
        raw.diagnostics.check()?;
        let job = job.expect("a job without mistakes is bound");
        Ok(LoneScorecard { name: job.name, scorecard: job.scorecard, features: job.features })
    }

    fn of(source: &Source) -> Result<LoneScorecard> {
        let mut diagnostics = Diagnostics::default();
        let model = scorecard_file::read(source, &input_scopes(&InputColumns::default()), &mut diagnostics);
        diagnostics.check()?;
        let name =
            source.path.file_stem().map_or("scorecard".into(), |stem| stem.to_string_lossy().into_owned());
        Ok(LoneScorecard { name, scorecard: model.scorecard, features: model.features })
    }
}

/// Whether a text has a scorecard's tables and none of a job's.
fn is_scorecard(text: &str) -> bool {
    let Ok(table) = text.parse::<Table>() else { return text.contains("[[characteristic]]") };
    (table.contains_key("score") || table.contains_key("characteristic")) && !table.contains_key("input")
}

//! A scorecard of another program becomes a scorecard file of ours.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

use super::card::{FeatureSource, Fractions, ImportedCard, ImportedFeature};
use super::job_features::JobFeatures;
use super::options::ImportOptions;
use super::refusals::Refusals;
use super::scorecard_file::{CardFile, wanted};
use super::whole::{WholeCard, whole};
use super::{optbinning, pmml, scorecardpy, source};
use crate::failure::{Kind, failure};
use crate::job::{Diagnostics, Source};
use crate::own::{Access, UserFile, create_directory};

/// Whose file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CardFormat {
    /// A table of optbinning's Scorecard as CSV
    Optbinning,
    /// A card of scorecardpy as CSV
    Scorecardpy,
    /// A PMML Scorecard, 4.0 to 4.4
    Pmml,
}

impl CardFormat {
    /// As the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            CardFormat::Optbinning => "optbinning",
            CardFormat::Scorecardpy => "scorecardpy",
            CardFormat::Pmml => "pmml",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// The file.
    pub file: PathBuf,
    /// Whose it is.
    pub from: CardFormat,
    /// A file to write, or the directory for a scorecard.toml.
    pub out: PathBuf,
    /// A job whose features are taken.
    pub job: Option<PathBuf>,
    /// What the user decides.
    pub options: ImportOptions,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct ImportOutcome {
    /// The file that was written.
    pub scorecard: PathBuf,
    /// What the other program calls the scorecard.
    pub name: String,
    /// Our points for one of theirs.
    pub scale: i64,
    /// The most by which a score may differ from `scale` times theirs, in our points.
    pub largest_deviation: String,
    /// What every account starts with.
    pub base: i32,
    /// The least score.
    pub min: i32,
    /// The most.
    pub max: i32,
    /// How many reasons are given.
    pub reasons: usize,
    /// How many characteristics there are.
    pub characteristics: usize,
    /// The features that they are about, in the order of the file.
    pub features: Vec<serde_json::Value>,
    /// What whoever takes it over has to know.
    pub notes: Vec<String>,
    /// Whether it went to standard output, so that nothing else should.
    #[serde(skip)]
    pub is_stdout: bool,
}

/// Reads, converts, writes.
pub fn import(request: &ImportRequest) -> Result<ImportOutcome> {
    let of_job = request.job.as_deref().map(JobFeatures::read).transpose()?;
    let source = source::read(&request.file)?;
    let card = read(&source, request)?;
    let mut refusals = Refusals { source: &source, diagnostics: Diagnostics::default() };
    let points = whole(&card, request.options.scale, &mut refusals);
    refusals.diagnostics.check()?;
    let points = points.expect("points without refusals are whole");
    check_size(&card, request)?;
    let taken = of_job.as_ref().map(|of_job| of_job.taken(&card)).transpose()?.unwrap_or_default();
    let file = CardFile {
        origin: format!("From `{}`, a scorecard of {}.", card.name, request.from.name()),
        card: &card,
        points: &points,
        of_job: of_job.as_ref().map(JobFeatures::text).transpose()?,
        taken: &taken,
    };
    let text = file.text();
    let path = place(&request.out)?;
    let out = UserFile::create(&path)?;
    let is_stdout = out.is_stdout();
    out.write(text.as_bytes())?;
    Ok(outcome(path, card, &points, &taken, is_stdout))
}

fn read(source: &Source, request: &ImportRequest) -> Result<ImportedCard> {
    match request.from {
        CardFormat::Optbinning => optbinning::read(source, &request.options),
        CardFormat::Scorecardpy => scorecardpy::read(source, &request.options),
        CardFormat::Pmml => pmml::read(source, &request.options),
    }
}

/// The file to write: `scorecard.toml` in a directory, which is made where it is not there.
fn place(out: &Path) -> Result<PathBuf> {
    let is_file = out.extension().is_some() || (out.exists() && !out.is_dir());
    if is_file && !out.is_dir() {
        return Ok(out.to_path_buf());
    }
    let path = out.join("scorecard.toml");
    if path.exists() {
        let message = format!(
            "{} is there already: remove it, or name the file itself to write over it",
            path.display()
        );
        return Err(failure(Kind::Refused, message));
    }
    if !out.is_dir() {
        create_directory(out, Access::default())?;
    }
    Ok(path)
}

/// Our files take so many.
fn check_size(card: &ImportedCard, request: &ImportRequest) -> Result<()> {
    const MOST_FEATURES: usize = 2_000;
    const MOST_BINS: usize = 1_000;
    let file = request.file.display();
    if card.features.len() > MOST_FEATURES || card.characteristics.len() > MOST_FEATURES {
        let message = format!("{file}: it has more than {MOST_FEATURES} characteristics or features");
        return Err(failure(Kind::Usage, message));
    }
    match card.characteristics.iter().find(|one| one.bins.len() > MOST_BINS) {
        Some(one) => {
            let message = format!("{file}: `{}` has more than {MOST_BINS} bins", one.feature);
            Err(failure(Kind::Usage, message))
        }
        None => Ok(()),
    }
}

fn outcome(
    scorecard: PathBuf,
    card: ImportedCard,
    points: &WholeCard,
    taken: &[String],
    is_stdout: bool,
) -> ImportOutcome {
    ImportOutcome {
        scorecard,
        scale: points.scale,
        largest_deviation: points.deviation.to_string(),
        base: points.base,
        min: points.min,
        max: points.max,
        reasons: card.reasons,
        characteristics: card.characteristics.len(),
        features: card.features.iter().map(|feature| figures(feature, taken)).collect(),
        notes: card.notes,
        name: card.name,
        is_stdout,
    }
}

/// What is said of a feature.
fn figures(feature: &ImportedFeature, taken: &[String]) -> serde_json::Value {
    let status = match &feature.source {
        _ if taken.contains(&feature.name) => "taken",
        FeatureSource::Expression(_) => "made",
        _ => "to fill",
    };
    let mut figures = json!({
        "feature": feature.name,
        "field": feature.field,
        "status": status,
        "is": wanted(&feature.field, &feature.source),
    });
    match &feature.source {
        FeatureSource::Number(units) => {
            figures["scale"] = json!(units.scale);
            figures["fractions"] = json!(match units.fractions {
                Fractions::None => "none",
                Fractions::Down => "down",
                Fractions::Up => "up",
                Fractions::Never => "never",
            });
        }
        FeatureSource::Truth => figures["codes"] = json!({ "false": 0, "true": 1 }),
        FeatureSource::Codes(texts) => {
            let codes = texts.iter().enumerate().map(|(number, text)| (text.clone(), json!(number + 1)));
            figures["codes"] = serde_json::Value::Object(codes.collect());
            figures["other"] = json!(0);
        }
        FeatureSource::Expression(expression) => figures["expr"] = json!(expression),
    }
    figures
}

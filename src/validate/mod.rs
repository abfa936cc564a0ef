//! What a scorecard proves on what happened: a model's sample scored anew, and held against its outcomes.
//!
//! - `fraction`, `tally`: whole numbers and their quotients; pairs of a good and a bad, AUC, KS;
//! - `information`: weight of evidence, information value, stability index, groups of equal weight;
//! - `odds`: from a score to a probability;
//! - `scored`: the sample as a scorecard sees it;
//! - `slices`, `gains`, `characteristics`: figures by part, month, segment, group of scores and bin;
//! - `approval`, `swap`, `fairness`: who is above a threshold, under two cards, in groups of people;
//! - `arms`: the arms of a challenge;
//! - `bounds`: what must be reached;
//! - `figures`, `bins_file`, `page`, `figure_tables`, `plots`, `text`: how it is written.

mod approval;
pub mod arms;
mod bins_file;
pub mod bounds;
pub mod characteristics;
mod fairness;
pub mod figure_tables;
pub mod figures;
pub mod fraction;
pub mod gains;
pub mod information;
pub mod odds;
pub mod page;
pub mod plots;
pub mod scored;
pub mod slices;
mod swap;
pub mod tally;
pub mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use crate::console::{Progress, plain_path};
use crate::failure::{Kind, failure, input};
use crate::hash::bytes_hash;
use crate::job::{CardTerms, RawJob, Source};
use crate::model::{FeatureDefinitions, ModelFile, ModelSample, SamplePart, features_of_scorecard};
use crate::monitor::arms_of;
use crate::own::{ReportFile, place_report};
use crate::run_dir::is_there;
use crate::spine::{SweepOptions, scratch};
use approval::Approval;
use bounds::bound_outcomes;
use figures::{CurrentCard, PartTally, VALIDATION_VERSION, ValidatedFiles, ValidationFigures, part_counts};
use gains::GainsTable;
use odds::OddsLine;
use scored::{ScoredSample, check_weights};
use slices::{ALL, SliceColumn, SliceFigures, part_words};
use swap::{RowMoney, swap_set};

/// What is to be validated, on what.
#[derive(Debug, Clone)]
pub struct ValidationRequest {
    /// The model file.
    pub model: PathBuf,
    /// The scorecard; `None`: the job's own.
    pub scorecard: Option<PathBuf>,
    /// Where figures and page go; `None`: `validation` beside the model file.
    pub out: Option<PathBuf>,
    /// An output directory with published nights whose arms are compared, too.
    pub runs: Option<PathBuf>,
}

/// What came of it.
pub struct ValidationOutcome {
    /// All figures.
    pub figures: ValidationFigures,
    /// validation.json as it was written.
    pub json: String,
    /// Where it went.
    pub out: PathBuf,
}

/// The cards of a validation.
struct Cards {
    /// The one that is validated.
    card: CardTerms,
    /// The job's own.
    current: CardTerms,
    /// The job's name, as far as its file tells one.
    job: String,
    /// Decimal places of its money.
    minor_units: u32,
}

/// Scores a model's sample, holds it against what happened and writes what came of it.
pub fn validate(request: &ValidationRequest, progress: &Progress) -> Result<ValidationOutcome> {
    let model = ModelFile::read(&request.model)?;
    let cards = cards(&model, request.scorecard.as_deref())?;
    let approval = Approval::read(&model)?;
    let sample = sample(&model, &cards, progress)?;
    check_weights(&sample.drawn, &format!("read {}", plain_path(&model.sample)))?;
    progress.stage("validate", 0);
    let mut figures = figures_of(&model, &cards, &sample, approval.as_ref())?;
    let out =
        request.out.clone().unwrap_or_else(|| crate::model::sibling_path(&model.source.path, "validation"));
    if let Some(runs) = &request.runs {
        figures.arms = Some(arms_of(&model, runs, &out, progress)?);
    }
    progress.stage("write", 0);
    let json = format!("{}\n", serde_json::to_string_pretty(&figures)?);
    let bins = bins_file::bins_parquet(&figures.characteristics)?;
    let page = page::page(&figures).render()?;
    let files = [
        ReportFile { name: "validation.json", bytes: json.as_bytes() },
        ReportFile { name: "bins.parquet", bytes: &bins },
        ReportFile { name: "validation.html", bytes: page.as_bytes() },
    ];
    place_report(&out, &files, is_validation)?;
    Ok(ValidationOutcome { figures, json, out })
}

/// Whether a file is a validation.json of the program's.
fn is_validation(bytes: &[u8]) -> bool {
    let found: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    found.is_some_and(|found| found["validation_version"].is_u64())
}

/// Reads the job's card and the one that is named. Their mistakes, and columns of groups that they or the job read, are
/// told before any row is read.
fn cards(model: &ModelFile, scorecard: Option<&Path>) -> Result<Cards> {
    let raw = RawJob::read(&model.job)?;
    raw.diagnostics.check()?;
    let Some(own) = raw.scorecard() else {
        let message = format!("read {}: it names no scorecard", plain_path(&model.job));
        return Err(failure(Kind::Usage, message));
    };
    let current = CardTerms::bind(own)?;
    let card = match scorecard {
        Some(path) => CardTerms::bind(&Source::read(path)?)?,
        None => current.clone(),
    };
    let sources: Vec<&Source> = raw.sources().chain([&card.source]).collect();
    fairness::check_unread(model, &sources)?;
    let file: toml::Table = toml::from_str(&raw.job.text).unwrap_or_default();
    let job = file.get("name").and_then(toml::Value::as_str).unwrap_or_default().to_string();
    let minor_units = file.get("minor_units").and_then(toml::Value::as_integer).unwrap_or_default();
    Ok(Cards { card, current, job, minor_units: u32::try_from(minor_units).unwrap_or_default() })
}

/// A sample with the features of the card that is validated, and of the job's own.
struct JudgedSample {
    /// As the file has it.
    drawn: ModelSample,
    /// With the features of the card, where the file lacks some of them.
    computed: Option<ModelSample>,
}

impl JudgedSample {
    fn of_card(&self) -> &ModelSample {
        self.computed.as_ref().unwrap_or(&self.drawn)
    }
}

/// The sample as it was drawn; where the card reads features that it lacks, these are computed for the same rows.
fn sample(model: &ModelFile, cards: &Cards, progress: &Progress) -> Result<JudgedSample> {
    if !is_there(&model.sample)? {
        let (sample, model) = (plain_path(&model.sample), plain_path(&model.source.path));
        return Err(input(format!(
            "read {sample}: there is no sample; draw it first: rescore sample {model}"
        )));
    }
    let drawn = ModelSample::read(&model.sample)?;
    let own = FeatureDefinitions::of_card(&cards.current, cards.minor_units)?;
    drawn.check_belongs(&model.sample, model, &own)?;
    let mut read = FeatureDefinitions::of_card(&cards.card, cards.minor_units)?;
    let is_read = |name: &str| {
        let mut characteristics = cards.card.scorecard.characteristics.iter();
        characteristics.any(|one| cards.card.name_of(one) == name)
    };
    read.features.retain(|feature| is_read(&feature.name));
    if drawn.lacks(&read).is_empty() {
        return Ok(JudgedSample { drawn, computed: None });
    }
    let options = SweepOptions { memory_bytes: None, from_scratch: false, scratch: scratch(&model.sample) };
    let other = features_of_scorecard(model, &cards.card.source.path, options, progress)?;
    let mut computed = drawn.clone();
    computed.replace_features(other)?;
    Ok(JudgedSample { drawn, computed: Some(computed) })
}

/// Whether the sample has all features that a card reads.
fn can_score(sample: &ModelSample, card: &CardTerms) -> bool {
    let read = card.scorecard.characteristics.iter();
    read.into_iter().all(|characteristic| sample.feature(card.name_of(characteristic)).is_some())
}

fn figures_of(
    model: &ModelFile,
    cards: &Cards,
    judged: &JudgedSample,
    approval: Option<&Approval>,
) -> Result<ValidationFigures> {
    let Cards { card, job, .. } = cards;
    let sample = judged.of_card();
    let scored = ScoredSample::of(sample, card);
    let train = scored.tally_of(SamplePart::Train);
    let odds = scale_of(card).or_else(|| OddsLine::of_outcomes(&train));
    let odds_line = odds.as_ref();
    let parts = slices::by_part(&scored, odds_line);
    let score_psi = gains::score_shifts(&scored);
    let bounds = bound_outcomes(&model.validate, &parts, &score_psi);
    let mut remarks = remarks(&parts, odds_line);
    let mut segments = Vec::new();
    let by = model.validate.by.iter().map(|name| name.get_ref().as_str());
    let product = sample.product.as_ref().map(|_| "product");
    for name in by.clone().chain(product.filter(|name| by.clone().all(|known| known != *name))) {
        segments.extend(SliceColumn::find(sample, name)?.figures(&scored, odds_line));
    }
    let tallies = parts.iter().map(|figures| PartTally {
        part: figures.part,
        tally: scored.tally(|row| figures.part == ALL || sample.part[row].name() == figures.part),
    });
    let tallies: Vec<PartTally> = tallies.collect();
    let gains = tallies.iter().map(|of| GainsTable::of(of.part, &of.tally, odds_line)).collect();
    Ok(ValidationFigures {
        validation_version: VALIDATION_VERSION,
        holds: bounds.iter().all(|bound| bound.holds),
        bounds,
        of: validated_files(model, card, job, judged),
        counts: part_counts(&scored),
        months: slices::by_month(&scored, odds_line),
        segments,
        gains,
        odds: odds_line.map(|line| line.scale(model.fit.base_score)),
        score_psi,
        characteristics: characteristics::characteristics(&scored, odds_line),
        current: current_card(&scored, cards, &judged.drawn, approval, &mut remarks),
        fairness: fairness::fairness(model, &scored, approval, odds_line)?,
        arms: None,
        parts,
        remarks,
        tallies,
    })
}

fn validated_files(model: &ModelFile, card: &CardTerms, job: &str, judged: &JudgedSample) -> ValidatedFiles {
    let name =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    ValidatedFiles {
        job: job.to_string(),
        model: name(&model.source.path),
        model_sha256: bytes_hash(model.source.text.as_bytes()),
        scorecard: name(&card.source.path),
        scorecard_sha256: bytes_hash(card.source.text.as_bytes()),
        sample_sha256: judged.drawn.hash.clone(),
    }
}

/// The current card beside a new one, on the same rows as they were drawn.
fn current_card(
    scored: &ScoredSample,
    Cards { current, minor_units, .. }: &Cards,
    drawn: &ModelSample,
    approval: Option<&Approval>,
    remarks: &mut Vec<String>,
) -> Option<CurrentCard> {
    if current.source.text == scored.card.source.text {
        return None;
    }
    if !can_score(drawn, current) {
        remarks.push(
            "The job's own card reads features that the sample lacks, so that the two are not compared: draw the sample again."
                .into(),
        );
        return None;
    }
    let of_current = ScoredSample::of(drawn, current);
    let money = RowMoney::find(drawn, current, *minor_units);
    let swap_set = swap_set(scored, &of_current, approval, money.as_ref());
    if swap_set.is_none() {
        remarks.push(
            "The bands of the two cards have not the same names and [fairness] approved says nothing: there is no threshold \
             by which accounts could be swapped."
                .into(),
        );
    }
    Some(CurrentCard {
        scorecard_sha256: bytes_hash(current.source.text.as_bytes()),
        parts: slices::by_part(&of_current, scale_of(current).as_ref()),
        swap_set,
    })
}

/// As much of the record of a fit as is needed.
#[derive(Deserialize)]
struct FitScale {
    scale: OddsScaleRecord,
    /// By name the SHA-256 of the files that it was written with.
    files: BTreeMap<String, String>,
}

/// The scale of a fitted card.
#[derive(Deserialize)]
struct OddsScaleRecord {
    pdo: u32,
    base_score: i32,
    good_bad_odds: u32,
}

/// The scale that a card was fitted to, as the record beside it has it; `None` where there is none, or where it is of another
/// card, as of one that somebody has worked on since.
fn scale_of(card: &CardTerms) -> Option<OddsLine> {
    const RECORD: &str = "fit.json";
    let record = std::fs::read(card.source.path.with_file_name(RECORD)).ok()?;
    let FitScale { scale, files } = serde_json::from_slice(&record).ok()?;
    let name = card.source.path.file_name()?.to_str()?;
    let is_same = files.get(name).is_some_and(|hash| *hash == bytes_hash(card.source.text.as_bytes()));
    is_same.then(|| OddsLine::of_scale(scale.pdo, scale.base_score, scale.good_bad_odds))
}

/// What the figures lack, and why.
fn remarks(parts: &[SliceFigures], odds: Option<&OddsLine>) -> Vec<String> {
    let mut remarks = Vec::new();
    for figures in parts.iter().filter(|figures| figures.ranking.is_none()) {
        remarks.push(format!(
            "There is {} in {}, so that nothing is said of how well the score ranks there.",
            figures.lacks(),
            part_words(figures.part)
        ));
    }
    let has = |part: SamplePart| parts.iter().any(|figures| figures.part == part.name());
    if !has(SamplePart::HoldOut) && !has(SamplePart::OutOfTime) {
        remarks.push("No row is held out or out of time: bounds are held against all rows, and a card that was fitted on them looks better than it is.".into());
    }
    remarks.push(match odds.map(|line| line.source) {
        Some(odds::OddsSource::Scale) => "Bads are predicted by the scale that the card was fitted to.".into(),
        Some(odds::OddsSource::TrainingRows) => "The card was not fitted to a scale: bads are predicted by the line that fits the outcomes of the training rows best, so that they are right there in the mean by construction.".into(),
        None => "The card has no scale and the training rows tell none: no bads are predicted.".into(),
    });
    remarks
}

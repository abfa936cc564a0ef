//! What a scorecard proves on what happened: a model's sample scored anew, and held against its outcomes.
//!
//! - `fraction`, `tally`: whole numbers and their quotients; pairs of a good and a bad, AUC, KS;
//! - `information`: weight of evidence, information value, stability index, groups of equal weight;
//! - `odds`: from a score to a probability;
//! - `scored`: the sample as a scorecard sees it;
//! - `slices`, `gains`, `characteristics`: figures by part, month, segment, group of scores and bin;
//! - `approval`, `swap`, `fairness`: who is above a threshold, under two cards, in groups of people;
//! - `bounds`: what must be reached;
//! - `figures`, `bins_file`, `page`, `figure_tables`, `plots`, `text`: how it is written.

mod approval;
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
mod page;
pub mod plots;
pub mod scored;
pub mod slices;
mod swap;
pub mod tally;
pub mod text;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::console::{Progress, plain_path};
use crate::failure::{Kind, failure};
use crate::hash::bytes_hash;
use crate::job::{CardTerms, RawJob, Source};
use crate::model::{ModelFile, ModelSample, SamplePart};
use crate::own::{ReportFile, place_report};
use approval::Approval;
use bounds::bound_outcomes;
use figures::{CurrentCard, PartTally, VALIDATION_VERSION, ValidatedFiles, ValidationFigures, part_counts};
use gains::GainsTable;
use odds::OddsLine;
use scored::{ScoredSample, check_weights};
use slices::{ALL, SliceColumn, SliceFigures};
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
}

/// Scores a model's sample, holds it against what happened and writes what came of it.
pub fn validate(request: &ValidationRequest, progress: &Progress) -> Result<ValidationOutcome> {
    let model = ModelFile::read(&request.model)?;
    let cards = cards(&model, request.scorecard.as_deref())?;
    let approval = Approval::read(&model)?;
    let sample = sample(&model, &cards, progress)?;
    check_weights(&sample, &format!("read the sample of {}", plain_path(&request.model)))?;
    progress.stage("validate", 0);
    let figures = figures_of(&model, &cards, &sample, approval.as_ref())?;
    progress.stage("write", 0);
    let out =
        request.out.clone().unwrap_or_else(|| crate::model::sibling_path(&model.source.path, "validation"));
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
    let [_, own, _] = raw.sources();
    let Some(own) = own else {
        let message = format!("read {}: it names no scorecard", plain_path(&model.job));
        return Err(failure(Kind::Usage, message));
    };
    let current = CardTerms::bind(own)?;
    let card = match scorecard {
        Some(path) => CardTerms::bind(&Source::read(path)?)?,
        None => current.clone(),
    };
    let sources: Vec<&Source> = raw.sources().into_iter().flatten().chain([&card.source]).collect();
    fairness::check_unread(model, &sources)?;
    let file: toml::Table = toml::from_str(&raw.job.text).unwrap_or_default();
    let job = file.get("name").and_then(toml::Value::as_str).unwrap_or_default().to_string();
    Ok(Cards { card, current, job })
}

/// The features of a card that another lacks or declares otherwise.
fn unlike_features(card: &CardTerms, other: &CardTerms) -> Vec<String> {
    let (own, others) = (card.declarations(), other.declarations());
    let read = card.scorecard.characteristics.iter();
    let unlike = read.filter(|characteristic| !own.are_alike(characteristic.feature, &others));
    unlike.map(|characteristic| card.name_of(characteristic).to_string()).collect()
}

/// The sample as it was drawn; drawn anew, in memory, where the card reads features that it does not have.
fn sample(model: &ModelFile, cards: &Cards, _progress: &Progress) -> Result<ModelSample> {
    let unlike = unlike_features(&cards.card, &cards.current);
    if unlike.is_empty() {
        return ModelSample::read(model);
    }
    todo!("drawn anew")
}

/// Whether the sample has all features that a card reads, as it declares them.
fn can_score(sample: &ModelSample, card: &CardTerms, drawn_with: &CardTerms) -> bool {
    let has = |name: &str| sample.names.iter().any(|known| known == name);
    let mut read = card.scorecard.characteristics.iter().map(|characteristic| card.name_of(characteristic));
    read.all(has) && unlike_features(card, drawn_with).is_empty()
}

fn figures_of(
    model: &ModelFile,
    cards: &Cards,
    sample: &ModelSample,
    approval: Option<&Approval>,
) -> Result<ValidationFigures> {
    let Cards { card, current, job } = cards;
    let scored = ScoredSample::of(sample, card);
    let train = scored.tally_of(SamplePart::Train);
    let odds =
        if is_fitted(card) { Some(OddsLine::of_scale(&model.fit)) } else { OddsLine::of_outcomes(&train) };
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
        of: validated_files(model, card, job, sample),
        counts: part_counts(&scored),
        months: slices::by_month(&scored, odds_line),
        segments,
        gains,
        odds: odds_line.map(|line| line.scale(model.fit.base_score)),
        score_psi,
        characteristics: characteristics::characteristics(&scored, odds_line),
        current: current_card(&scored, current, approval, &mut remarks),
        fairness: fairness::fairness(model, &scored, approval, odds_line)?,
        parts,
        remarks,
        tallies,
    })
}

fn validated_files(model: &ModelFile, card: &CardTerms, job: &str, sample: &ModelSample) -> ValidatedFiles {
    let name =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    ValidatedFiles {
        job: job.to_string(),
        model: name(&model.source.path),
        model_sha256: bytes_hash(model.source.text.as_bytes()),
        scorecard: name(&card.source.path),
        scorecard_sha256: bytes_hash(card.source.text.as_bytes()),
        sample_sha256: Some(sample.hash.clone()).filter(|hash| !hash.is_empty()),
    }
}

/// The current card beside a new one, on the same rows.
fn current_card(
    scored: &ScoredSample,
    current: &CardTerms,
    approval: Option<&Approval>,
    remarks: &mut Vec<String>,
) -> Option<CurrentCard> {
    if current.source.text == scored.card.source.text {
        return None;
    }
    if !can_score(scored.sample, current, scored.card) && !can_score(scored.sample, current, current) {
        remarks.push(
            "The current card reads features that this sample has not, so that the two are not compared."
                .into(),
        );
        return None;
    }
    let of_current = ScoredSample::of(scored.sample, current);
    let money = RowMoney::find(scored.sample, scored.card, None);
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
        parts: slices::by_part(&of_current, None),
        swap_set,
    })
}

/// Whether a card says of itself that it was fitted, so that the model file's scale is its own.
fn is_fitted(_card: &CardTerms) -> bool {
    false
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
        Some(odds::OddsSource::Scale) => "Bads are predicted by pdo, base_score and good_bad_odds of the model file, the scale that the card was fitted to.".into(),
        Some(odds::OddsSource::TrainingRows) => "The card was not fitted to a scale: bads are predicted by the line that fits the outcomes of the training rows best, so that they are right there in the mean by construction.".into(),
        None => "The card has no scale and the training rows tell none: no bads are predicted.".into(),
    });
    remarks
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

//! A scorecard fitted on a model's sample, and the files that it needs: a job that works with it.
//!
//! - `train`: the rows that are fitted on;
//! - `evidence`, `values`, `optimal`, `binning`: the bins of a feature, and what they tell;
//! - `cells`, `correlation`, `regression`, `select`: which features become characteristics, with which coefficients;
//! - `scale`: points;
//! - `fitted`, `fate`, `wishes`: the card in numbers, and what the model file says of single features;
//! - `scored`, `shares`, `quality`: the sample on both cards;
//! - `text_edits`, `card_copy`, `job_copy`, `thresholds`, `thresholds_file`: the files, with everything else as it was
//!   written;
//! - `record`, `page`, `text`: how it was fitted, for machines and for people.
//!
//! Statistics are of floats: exponentials and logarithms are `libm`'s, sums go over bins and over rows sorted by their bins,
//! so that threads, machines and the order of a sample's rows change no byte. What a run computes is of integers alone.

mod binning;
mod card_copy;
mod cells;
mod correlation;
mod evidence;
mod fate;
mod fitted;
mod job_copy;
mod optimal;
mod page;
mod quality;
mod record;
mod regression;
mod scale;
mod scored;
mod select;
mod shares;
pub mod text;
mod text_edits;
mod thresholds;
mod thresholds_file;
mod train;
mod values;
mod wishes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

pub use record::FitRecord;

use crate::console::plain_path;
use crate::failure::{Kind, failure, input};
use crate::hash::bytes_hash;
use crate::job::{InputColumns, Job, JobSources, RawJob, Source, variables};
use crate::model::{FeatureDefinitions, ModelFile, ModelSample, meaning};
use crate::own::{FIT_RECORD, FittedCardPlace};
use crate::score::Scores;
use card_copy::{CardFrame, NewCharacteristic, card_text, new_characteristics, score_range};
use fitted::{FittedModel, fit_card};
use job_copy::{CopyPlaces, JobCopy, SCORECARD, copy_job};
use quality::by_part;
use record::{BandRecord, RecordParts};
use scored::CardRows;
use thresholds::{RescaledColumn, Thresholds, thresholds};
use train::TrainingRows;

/// What is to be fitted.
#[derive(Debug, Clone)]
pub struct FitRequest {
    /// The model file.
    pub model: PathBuf,
    /// Where the job with the fitted card goes.
    pub out: PathBuf,
    /// Fit on few bads, too.
    pub force: bool,
    /// Replace a fitted card.
    pub replace: bool,
    /// Leave thresholds as they are.
    pub keep_thresholds: bool,
}

/// What was fitted.
#[derive(Debug)]
pub struct FitOutcome {
    /// All there is to say.
    pub record: FitRecord,
    /// The name of the job's file in the directory.
    pub job_file: String,
    /// Where the copy publishes, as it is written.
    pub output: String,
}

/// The name of the page.
const PAGE: &str = "fit.html";

/// The name of the file of thresholds.
const THRESHOLDS: &str = "thresholds.toml";

/// Fits a card on a model's sample and writes a directory with a job that works with it, all or nothing.
pub fn fit(request: &FitRequest) -> Result<FitOutcome> {
    let model = ModelFile::read(&request.model)?;
    let place = FittedCardPlace::look_at(&request.out, request.replace)?;
    let job = bound_job(RawJob::read(&model.job)?)?;
    check_has_one_card(&job)?;
    let sample = ModelSample::read(&model.sample)?;
    check_sample(&model, &job, &sample)?;
    let wishes = wishes::wishes(&model, &sample.names)?;
    let train = TrainingRows::of(&model, &sample, request.force)?;
    let fitted = fit_card(&model.fit, &wishes, &train)?;
    check_says_something(&fitted, &model, &job)?;
    let new = new_characteristics(&job, &fitted, &train);
    let rows = CardRows::of(&sample);
    let trial =
        Trial { request, model: &model, job: &job, sample: &sample, fitted: &fitted, new: &new, rows: &rows };
    let mut copied = trial.copy()?;
    let files = copied.files()?;
    place.fill(&files)?;
    let Copied { record, job_file, output, .. } = copied;
    Ok(FitOutcome { record, job_file, output })
}

/// A job bound to whatever its files say; its inputs are not looked at.
fn bound_job(mut raw: RawJob) -> Result<Job> {
    let job = raw.bind(&InputColumns::default());
    raw.diagnostics.check()?;
    job.context("a job without mistakes is bound")
}

/// Fails where a job has more scorecards than one: thresholds are of all of them, and one alone would be on a new scale.
fn check_has_one_card(job: &Job) -> Result<()> {
    ensure!(
        job.sources.others.is_empty(),
        failure(
            Kind::Usage,
            format!(
                "fit for {}: it has a [challenger] or a [[segment]], and so several scorecards on one scale, of which a \
                 fitted one would replace one; let the model file name a job with one scorecard",
                plain_path(&job.sources.job.path)
            )
        )
    );
    Ok(())
}

/// Fails where the sample is not the one that the model file and the scorecard say now.
fn check_sample(model: &ModelFile, job: &Job, sample: &ModelSample) -> Result<()> {
    let file = plain_path(&model.sample);
    let again = format!("draw it again: rescore sample {}", plain_path(&model.source.path));
    let own = FeatureDefinitions::of(job)?;
    if own != sample.origin.features {
        let changed =
            own.features.iter().find(|one| sample.origin.features.of_feature(&one.name) != Some(&one.hash));
        let gone = || sample.origin.features.features.iter().find(|one| own.of_feature(&one.name).is_none());
        let name = changed.or_else(gone).map_or(String::new(), |one| format!(" (`{}`, for one)", one.name));
        let message =
            format!("{file} was drawn with other features than the scorecard has now{name}; {again}");
        return Err(input(message));
    }
    if meaning(model)? != sample.origin.model {
        let message = format!(
            "{file} was drawn when [sample], [outcome] or [split] of the model file said something else; {again}"
        );
        return Err(input(message));
    }
    Ok(())
}

/// Fails where nothing was selected.
fn check_says_something(fitted: &FittedModel, model: &ModelFile, job: &Job) -> Result<()> {
    let names: Vec<String> = job.features.iter().map(|feature| feature.name.clone()).collect();
    let why = fitted.features.iter().zip(&names).take(5).map(|(feature, name)| {
        format!("`{name}`: {}", feature.fate.reason(&model.fit, feature.bins.iv, &names))
    });
    ensure!(
        !fitted.characteristics.is_empty(),
        failure(
            Kind::Refused,
            format!(
                "fit on {}: no feature tells goods from bads, so there is no card; {}",
                plain_path(&model.sample),
                why.collect::<Vec<_>>().join("; ")
            )
        )
    );
    Ok(())
}

/// What files are made from.
struct Trial<'a> {
    request: &'a FitRequest,
    model: &'a ModelFile,
    job: &'a Job,
    sample: &'a ModelSample,
    fitted: &'a FittedModel,
    new: &'a [NewCharacteristic],
    rows: &'a CardRows,
}

/// The files of a directory, but for those that tell of the others.
struct Copied {
    record: FitRecord,
    job_file: String,
    output: String,
    texts: BTreeMap<String, String>,
    page: String,
}

/// The files that have names of their own.
const OWN_NAMES: [&str; 4] = [SCORECARD, FIT_RECORD, PAGE, THRESHOLDS];

impl Trial<'_> {
    /// Makes the texts, binds them as a run would, and checks that they give the scores that were fitted.
    fn copy(&self) -> Result<Copied> {
        let job_file = self.job.sources.job.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let job_file =
            job_file.filter(|name| !OWN_NAMES.contains(&name.as_str())).unwrap_or("job.toml".to_string());
        let places = CopyPlaces::of(&self.job.sources.job.path, &self.request.out);
        let (min, max) = score_range(self.fitted, self.job);
        // With bands as they are, to see how the scores lie.
        let bands = vec![min; self.job.scorecard.bands.len()];
        let frame = CardFrame { min, max, bands: (min..).take(bands.len()).collect() };
        let old_scores = self.rows.score(self.job, self.sample)?;
        let first = self.bind(&frame, &places, &job_file, &Thresholds::default())?;
        let new_scores = self.rows.score(&first.job, self.sample)?;
        let columns = self.rescaled(&old_scores, &new_scores);
        let (frame, bands) = self.bands(&columns[0], min, max);
        let JobSources { job, policy, .. } = &self.job.sources;
        let found = thresholds(policy, job, &columns);
        let moved = if self.request.keep_thresholds { Thresholds::default() } else { found.clone() };
        let last = self.bind(&frame, &places, &job_file, &moved)?;
        let scores = self.rows.score(&last.job, self.sample)?;
        self.check_scores(&scores)?;
        let parts = by_part(self.sample, self.rows, &scores.score, &self.fitted.scale);
        let record = FitRecord::of(RecordParts {
            model: self.model,
            sample: self.sample,
            job: self.job,
            fitted: self.fitted,
            frame: &frame,
            bands,
            new: self.new,
            parts,
            thresholds: found,
            thresholds_moved: !self.request.keep_thresholds,
            remarks: last.copy.remarks,
        });
        let page = page::page(&record).render()?;
        Ok(Copied { record, job_file, output: last.copy.output, texts: last.texts, page })
    }

    /// The three files, bound as a run from their directory would bind them.
    fn bind(
        &self,
        frame: &CardFrame,
        places: &CopyPlaces,
        job_file: &str,
        moved: &Thresholds,
    ) -> Result<BoundCopy> {
        let JobSources { job, policy, .. } = &self.job.sources;
        let copy = copy_job(job, places, &moved.moved("job"));
        let card = card_text(self.job, self.fitted, frame, self.new, &self.header())?;
        let mut policy_edits = text_edits::TextEdits::of(&policy.text);
        moved.moved("policy").into_iter().for_each(|(place, text)| policy_edits.replace(place, text));
        let policy_text = policy_edits.finish();
        let at =
            |name: &str, text: &str| Source { path: self.request.out.join(name), text: text.to_string() };
        let sources = JobSources {
            job: at(job_file, &copy.text),
            scorecard: at(SCORECARD, &card),
            policy: at(&copy.policy, &policy_text),
            others: Vec::new(),
        };
        let bound = bound_job(RawJob::frozen(sources, &variables(job)))
            .context("the fitted job does not bind: that is a fault of the program")?;
        let texts = [
            (job_file.to_string(), copy.text.clone()),
            (SCORECARD.to_string(), card),
            (copy.policy.clone(), policy_text),
        ];
        Ok(BoundCopy { job: bound, texts: texts.into_iter().collect(), copy })
    }

    /// What the card's file says of itself above all else.
    fn header(&self) -> Vec<String> {
        let fit = &self.model.fit;
        let all = self.fitted.evidence.all;
        vec![
            format!(
                "points and bands are fitted on {} goods and {} bads; fit.json says how.",
                all.good, all.bad
            ),
            format!("sample sha256 {}", self.sample.hash),
            format!(
                "share of bads at a score: 1 / (1 + {} x 2^((score - {}) / {})); rounding moves a score by {:.2} at most.",
                fit.good_bad_odds, fit.base_score, fit.pdo, self.fitted.base.largest_deviation
            ),
        ]
    }

    /// The score and every dimension on both cards, the score first.
    fn rescaled(&self, old: &Scores, new: &Scores) -> Vec<RescaledColumn> {
        let column = |name: &str, old: &[i32], new: &[i32]| RescaledColumn {
            name: name.to_string(),
            old: self.rows.distribution(old),
            new: self.rows.distribution(new),
        };
        let dimensions = self.job.scorecard.dimensions.iter().zip(old.dimensions.iter().zip(&new.dimensions));
        let dimensions = dimensions.map(|(own, (old, new))| column(&own.name, old, new));
        [column("score", &old.score, &new.score)].into_iter().chain(dimensions).collect()
    }

    /// Bands of the same names at the same shares of the sample.
    fn bands(&self, score: &RescaledColumn, min: i32, max: i32) -> (CardFrame, Vec<BandRecord>) {
        let mut records: Vec<BandRecord> = Vec::new();
        for band in &self.job.scorecard.bands {
            let old_from = i64::from(band.from);
            // The first begins with the least score, and each above the one before.
            let from = match records.last() {
                None => i64::from(min),
                Some(before) => score.new.bound_as_in(&score.old, old_from).max(i64::from(before.from) + 1),
            };
            records.push(BandRecord {
                band: band.name.clone(),
                old_from: band.from,
                old_share_below_bp: score.old.below_bp(old_from),
                from: from as i32,
                share_below_bp: score.new.below_bp(from),
            });
        }
        let bands: Vec<i32> = records.iter().map(|band| band.from).collect();
        (CardFrame { min, max: max.max(bands.last().copied().unwrap_or(max)), bands }, records)
    }

    /// Fails where the card's points do not add up to what was fitted.
    fn check_scores(&self, scores: &Scores) -> Result<()> {
        let mut fitted = vec![self.fitted.base.base; self.rows.positions.len()];
        for one in &self.fitted.characteristics {
            let bins = &self.fitted.features[one.feature].bins;
            let column = &self.sample.features[one.feature];
            for (sum, row) in fitted.iter_mut().zip(&self.rows.positions) {
                *sum += one.points.points[bins.bin_of(column.get(*row).copied())];
            }
        }
        ensure!(fitted == scores.score, "the fitted card's points do not add up to its scores");
        Ok(())
    }
}

/// The files of a directory, bound.
struct BoundCopy {
    job: Job,
    texts: BTreeMap<String, String>,
    copy: JobCopy,
}

impl Copied {
    /// All files, `fit.json` last, which tells the others' hashes.
    fn files(&mut self) -> Result<Vec<(String, Vec<u8>)>> {
        let thresholds = thresholds_file::thresholds_text(&self.record);
        let texts = self.texts.iter().map(|(name, text)| (name.clone(), text.clone()));
        let made = [(PAGE.to_string(), self.page.clone()), (THRESHOLDS.to_string(), thresholds)];
        let mut files: Vec<(String, Vec<u8>)> =
            texts.chain(made).map(|(name, text)| (name, text.into_bytes())).collect();
        self.record.files = files.iter().map(|(name, bytes)| (name.clone(), bytes_hash(bytes))).collect();
        let record = serde_json::to_string_pretty(&self.record)? + "\n";
        files.push((FIT_RECORD.to_string(), record.into_bytes()));
        Ok(files)
    }
}

/// The path of a file in a directory, for people.
fn in_directory(directory: &Path, name: &str) -> String {
    plain_path(&directory.join(name))
}

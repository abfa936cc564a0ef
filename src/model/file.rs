//! model.toml as it is read: its tables, and paths relative to it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::DeValue;

use super::fit_options::{self, FitOptions};
use super::written::WrittenText;
use crate::day::Day;
use crate::job::{Diagnostics, Reader, Source};
use crate::places;

/// A model file.
#[derive(Debug)]
pub struct ModelFile {
    /// As read.
    pub source: Source,
    /// The job whose features a sample has, and beside which a fitted card's job is made.
    pub job: PathBuf,
    /// Which accounts and days the sample has.
    pub rows: SampleRows,
    /// Where the sample lies.
    pub sample: PathBuf,
    /// What happened to them.
    pub outcome: Outcome,
    /// Rows for which this holds are left out, and counted: features, score and the spine's own columns.
    pub exclude: Option<WrittenText>,
    /// Which rows are fitted on.
    pub split: Split,
    /// How a scorecard is fitted.
    pub fit: FitOptions,
    /// What a validation must reach.
    pub validate: ValidationBounds,
    /// Groups of people whose shares of approval are compared.
    pub fairness: Option<Fairness>,
}

/// Which accounts and days a sample has.
#[derive(Debug, Clone)]
pub enum SampleRows {
    /// Those of a file: `account_id`, `as_of`, and perhaps `product`, `weight` and columns of its own.
    Spine(PathBuf),
    /// All accounts of the book on some days.
    Book {
        /// No day is before it.
        from: Day,
        /// No day is after it.
        to: Day,
        /// Which days.
        every: Every,
    },
}

/// On which days the whole book is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Every {
    /// The last day of each month.
    MonthEnd,
    /// Every seventh day, from the first.
    Week,
    /// Every day that has a snapshot of the lines.
    Snapshot,
}

/// Where the outcome of a row comes from.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A file that knows it: `account_id`, `as_of` and a column of 0 and 1, or of false and true.
    File {
        /// The file.
        path: PathBuf,
        /// The column: 1 or true is bad; null is indeterminate.
        column: String,
        /// Which of its rows belongs to a row of the sample.
        by: Match,
    },
    /// From the bills that fall due after the as-of date.
    Computed {
        /// Bills due in (as_of, as_of + so many days].
        due_within_days: u32,
        /// As they are at the end of as_of + so many days.
        seen_after_days: u32,
        /// Bad where it holds.
        bad: WrittenText,
        /// Neither good nor bad where it holds and `bad` does not.
        indeterminate: Option<WrittenText>,
        /// The last day of which repayments tell what was paid; `None`: their last delivery, or where they are not
        /// delivered by date, the last payment's.
        known_until: Option<Day>,
    },
}

/// How a row of the outcomes is found for a row of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Of the same account (and product, where both have one) and the same as-of date.
    Exact,
    /// The account's first in [as_of, as_of + within_days].
    Next {
        /// No row later than that.
        within_days: u32,
    },
}

impl Outcome {
    /// How many days after the as-of date an outcome is known; 0 where nothing tells.
    pub fn horizon_days(&self) -> u32 {
        match self {
            Outcome::File { by: Match::Exact, .. } => 0,
            Outcome::File { by: Match::Next { within_days }, .. } => *within_days,
            Outcome::Computed { seen_after_days, .. } => *seen_after_days,
        }
    }
}

/// Which rows are fitted on, held out, or out of time.
#[derive(Debug, Clone)]
pub struct Split {
    /// Rows with this as-of date or a later one are out of time.
    pub out_of_time: Option<Day>,
    /// Of the others: the share of accounts held out, by a salted hash of the id, in basis points.
    pub holdout_bp: u32,
    /// What the hash begins with.
    pub salt: String,
    /// Of the others: rows held out where this holds of the spine's columns, instead of a share.
    pub holdout: Option<WrittenText>,
    /// Rows whose outcome is not known so many days after their as-of date at `out_of_time` are not fitted on.
    pub embargo_days: u32,
}

/// Bounds that end a validation or a monitor with exit code 4 where they are missed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationBounds {
    /// The least area under the ROC curve, in basis points, of every part but train.
    pub min_auc_bp: Option<u32>,
    /// The largest population stability index of the score, in thousandths, train against every other part.
    pub max_psi_milli: Option<u32>,
    /// Columns of the sample by which all figures are given, too.
    #[serde(default)]
    pub by: Vec<WrittenText>,
}

/// A comparison of groups of people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fairness {
    /// Columns of the spine that no rule and no feature may read.
    pub columns: Vec<WrittenText>,
    /// Who is approved, over score and band; without it figures are given by score alone.
    pub approved: Option<WrittenText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "the names of tables are there to be told")]
struct RawModelHead {
    job: WrittenText,
    sample: Option<IgnoredAny>,
    outcome: Option<IgnoredAny>,
    split: Option<IgnoredAny>,
    fit: Option<IgnoredAny>,
    validate: Option<IgnoredAny>,
    fairness: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSample {
    spine: Option<WrittenText>,
    from: Option<RawDay>,
    to: Option<RawDay>,
    every: Option<Every>,
    file: Option<WrittenText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutcome {
    file: Option<WrittenText>,
    column: Option<String>,
    #[serde(rename = "match")]
    by: Option<RawMatch>,
    within: Option<u32>,
    due_within_days: Option<u32>,
    seen_after_days: Option<u32>,
    bad: Option<WrittenText>,
    indeterminate: Option<WrittenText>,
    known_until: Option<RawDay>,
    exclude: Option<WrittenText>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawMatch {
    Exact,
    Next,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSplit {
    out_of_time: Option<RawDay>,
    holdout_bp: Option<Spanned<u32>>,
    #[serde(default)]
    salt: String,
    holdout: Option<WrittenText>,
    embargo_days: Option<u32>,
}

/// A date as TOML writes it, or in quotes.
#[derive(Clone, Copy)]
struct RawDay(Day);

impl<'de> Deserialize<'de> for RawDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawDay, D::Error> {
        let written = match toml::Value::deserialize(deserializer)? {
            toml::Value::Datetime(date) => date.to_string(),
            toml::Value::String(text) => text,
            other => return Err(D::Error::custom(format!("expected a date, found {}", other.type_str()))),
        };
        written.parse().map(RawDay).map_err(D::Error::custom)
    }
}

/// What a horizon, an embargo or a window has at most, in days, as a feature's window has.
const MOST_DAYS: u32 = 1_096;

/// A whole, in basis points.
const WHOLE_BP: u32 = 10_000;

impl ModelFile {
    /// Reads a model file. Its mistakes are told all at once; expressions are only read when they are bound.
    pub fn read(path: &Path) -> Result<ModelFile> {
        let source = Source::read(path)?;
        let mut diagnostics = Diagnostics::default();
        let model = read(&source, &mut diagnostics);
        diagnostics.check()?;
        Ok(model.expect("a model file without mistakes is read"))
    }
}

/// A path that the model file names, from its directory.
pub fn sibling_path(model: &Path, name: &str) -> PathBuf {
    places::resolve(model.parent().unwrap_or(Path::new("")), Path::new(name))
}

fn read(source: &Source, diagnostics: &mut Diagnostics) -> Option<ModelFile> {
    let mut reader = Reader { source, diagnostics };
    let mut top = reader.top();
    let sample = reader.take_key::<RawSample>(&mut top, "sample");
    let outcome = reader.take_key::<RawOutcome>(&mut top, "outcome");
    let split = reader.take_key::<RawSplit>(&mut top, "split");
    let fit = fit_options::read(&mut reader, &mut top);
    let validate = reader.take_key::<ValidationBounds>(&mut top, "validate");
    let fairness = reader.take_key::<Fairness>(&mut top, "fairness");
    let span = top.span();
    let head = reader
        .take::<RawModelHead>(Spanned::new(span.clone(), DeValue::Table(top.into_inner())))?
        .into_inner();
    let beside = |name: &str| sibling_path(&source.path, name);
    let sample =
        required(&mut reader, sample, "sample", "spine = \"applications.parquet\", or from, to and every");
    let outcome =
        required(&mut reader, outcome, "outcome", "file and column, or due_within_days and the like");
    let (sample, mut outcome) = (sample?, outcome?);
    let file = sample.get_ref().file.as_ref().map_or("sample.parquet", |file| file.get_ref());
    let file = beside(file);
    let rows = rows(&mut reader, &sample, &beside);
    let exclude = outcome.get_mut().exclude.take();
    let outcome = outcome_of(&mut reader, outcome, &beside)?;
    let split = split_of(&mut reader, split, &outcome);
    Some(ModelFile {
        source: source.clone(),
        job: beside(head.job.get_ref()),
        rows: rows?,
        sample: file,
        outcome,
        exclude,
        split,
        fit: fit?,
        validate: validate.map(Spanned::into_inner).unwrap_or_default(),
        fairness: fairness.map(Spanned::into_inner),
    })
}

/// A table that must be there.
fn required<T>(
    reader: &mut Reader,
    table: Option<Spanned<T>>,
    name: &str,
    holds: &str,
) -> Option<Spanned<T>> {
    if table.is_none() && !reader.source.text.contains(&format!("[{name}]")) {
        reader.error(0..0, format!("there is no [{name}]"), Some(format!("it holds {holds}")));
    }
    table
}

fn rows(
    reader: &mut Reader,
    sample: &Spanned<RawSample>,
    beside: &dyn Fn(&str) -> PathBuf,
) -> Option<SampleRows> {
    let RawSample { spine, from, to, every, .. } = sample.get_ref();
    match (spine, from, to, every) {
        (Some(spine), None, None, None) => Some(SampleRows::Spine(beside(spine.get_ref()))),
        (None, Some(from), Some(to), Some(every)) if from.0 <= to.0 => {
            Some(SampleRows::Book { from: from.0, to: to.0, every: *every })
        }
        (None, Some(from), Some(to), Some(_)) => {
            let message = format!("from {} is after to {}", from.0, to.0);
            reader.error(sample.span(), message, None);
            None
        }
        _ => {
            let help = "either spine, or all of from, to and every = \"month-end\", \"week\" or \"snapshot\"";
            reader.error(sample.span(), "[sample] does not say which rows", Some(help.into()));
            None
        }
    }
}

fn outcome_of(
    reader: &mut Reader,
    outcome: Spanned<RawOutcome>,
    beside: &dyn Fn(&str) -> PathBuf,
) -> Option<Outcome> {
    let span = outcome.span();
    let outcome = outcome.into_inner();
    let days = [outcome.within, outcome.due_within_days, outcome.seen_after_days];
    if days.into_iter().flatten().any(|days| days > MOST_DAYS) {
        reader.error(span.clone(), format!("an outcome is known within {MOST_DAYS} days"), None);
    }
    let help = "either file and column (match = \"exact\", or \"next\" with within), or due_within_days, \
                seen_after_days and bad";
    match outcome {
        RawOutcome {
            file: Some(file),
            column,
            by,
            within,
            due_within_days: None,
            seen_after_days: None,
            bad: None,
            indeterminate: None,
            known_until: None,
            ..
        } => {
            let by = match (by.unwrap_or(RawMatch::Exact), within) {
                (RawMatch::Exact, None) => Match::Exact,
                (RawMatch::Next, Some(within_days)) => Match::Next { within_days },
                (RawMatch::Exact, Some(_)) => {
                    reader.error(span, "within is for match = \"next\"", None);
                    return None;
                }
                (RawMatch::Next, None) => {
                    let help = "within = 60 takes the first outcome of the account within 60 days";
                    reader.error(span, "match = \"next\" needs within", Some(help.into()));
                    return None;
                }
            };
            let column = column.unwrap_or_else(|| "bad".to_string());
            Some(Outcome::File { path: beside(file.get_ref()), column, by })
        }
        RawOutcome {
            file: None,
            column: None,
            by: None,
            within: None,
            due_within_days: Some(due_within_days),
            seen_after_days: Some(seen_after_days),
            bad: Some(bad),
            indeterminate,
            known_until,
            ..
        } => {
            if due_within_days == 0 || seen_after_days < due_within_days {
                let message = "seen_after_days is at least due_within_days, and that at least 1";
                reader.error(span, message, Some("a bill is not late before it is due".into()));
                return None;
            }
            let known_until = known_until.map(|day| day.0);
            Some(Outcome::Computed { due_within_days, seen_after_days, bad, indeterminate, known_until })
        }
        _ => {
            reader.error(span, "[outcome] does not say what happened", Some(help.into()));
            None
        }
    }
}

fn split_of(reader: &mut Reader, split: Option<Spanned<RawSplit>>, outcome: &Outcome) -> Split {
    let Some(split) = split.map(Spanned::into_inner) else {
        return Split {
            out_of_time: None,
            holdout_bp: 0,
            salt: String::new(),
            holdout: None,
            embargo_days: outcome.horizon_days(),
        };
    };
    let RawSplit { out_of_time, holdout_bp, salt, holdout, embargo_days } = split;
    if let Some(share) = holdout_bp.as_ref().filter(|share| *share.get_ref() >= WHOLE_BP) {
        reader.error(share.span(), "holdout_bp is below 10000: something must be fitted on", None);
    }
    if let Some(holdout) = holdout.as_ref().filter(|_| holdout_bp.is_some()) {
        reader.error(holdout.span(), "holdout and holdout_bp both say what is held out: leave one", None);
    }
    Split {
        out_of_time: out_of_time.map(|day| day.0),
        holdout_bp: holdout_bp.map_or(0, Spanned::into_inner),
        salt,
        holdout,
        embargo_days: embargo_days.unwrap_or_else(|| outcome.horizon_days()),
    }
}

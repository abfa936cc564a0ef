//! Published nights as their outcomes mature: whether the score still ranks, and whether those it scores are the same.
//!
//! - `outcomes`: what is known of a night's accounts, and which a model leaves out;
//! - `nights`: a night, counted;
//! - `figures`, `page`, `text`: what comes of it.

mod figures;
mod nights;
mod outcomes;
mod page;
pub mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

pub use figures::MonitorFigures;
pub use outcomes::OutcomeArgument;

use crate::console::{Progress, plain_path};
use crate::day::Day;
use crate::failure::input;
use crate::model::{LaterOutcomes, ModelFile, ValidationBounds};
use crate::own::{ReportFile, place_report};
use crate::places;
use crate::run_dir::PublishedRun;
use crate::run_dir::nights::recorded_nights;
use crate::spine::SweepOptions;
use crate::validate::arms::{ArmFigures, ArmTallies};
use crate::validate::bounds::BoundOutcome;
use crate::validate::characteristics::{BinCount, CharacteristicMonth, bin_order, bin_ranges};
use crate::validate::fraction::six_places;
use crate::validate::gains::score_psi;
use crate::validate::information::{information_value, stability_index};
use crate::validate::slices::{ALL, SliceFigures};
use figures::{MONITOR_VERSION, MonitoredCharacteristic, MonitoredMonth, MonitoredNight, NightShift};
use nights::{CountedCharacteristic, NightCounter, NightTally};
use outcomes::Exclusion;

/// What is to be monitored.
#[derive(Debug, Clone)]
pub struct MonitorRequest {
    /// The output directory.
    pub runs: PathBuf,
    /// What happened.
    pub outcome: OutcomeArgument,
    /// No night before it.
    pub from: Option<Day>,
    /// No night after it.
    pub to: Option<Day>,
    /// Bounds that are said on the command line; those of a model file hold where none is.
    pub bounds: ValidationBounds,
    /// Where figures and page go.
    pub out: PathBuf,
}

/// What came of it.
pub struct MonitorOutcome {
    /// All figures.
    pub figures: MonitorFigures,
    /// monitor.json as it was written.
    pub json: String,
}

/// Counts the published nights of a directory against what is known by now, and writes what came of it.
pub fn monitor(request: &MonitorRequest, progress: &Progress) -> Result<MonitorOutcome> {
    let model = match &request.outcome {
        OutcomeArgument::Model(path) => Some(ModelFile::read(path)?),
        OutcomeArgument::File { .. } => None,
    };
    let bounds = bounds(request, model.as_ref());
    let mut counted = count(request, model.as_ref(), progress)?;
    let mut figures = figures_of(&counted.bins_of, &counted.nights, &bounds);
    figures.remarks.append(&mut counted.warnings);
    let json = format!("{}\n", serde_json::to_string_pretty(&figures)?);
    let page = page::page(&figures).render()?;
    let files = [
        ReportFile { name: "monitor.json", bytes: json.as_bytes() },
        ReportFile { name: "monitor.html", bytes: page.as_bytes() },
    ];
    place_report(&request.out, &files, is_monitor)?;
    Ok(MonitorOutcome { figures, json })
}

/// The arms of the published nights of a directory, by what a model file says of outcomes; `out` is where other figures go.
/// Fails where no night has a challenger.
pub fn arms_of(model: &ModelFile, runs: &Path, out: &Path, progress: &Progress) -> Result<ArmFigures> {
    let request = MonitorRequest {
        runs: runs.to_path_buf(),
        outcome: OutcomeArgument::Model(model.source.path.clone()),
        from: None,
        to: None,
        bounds: ValidationBounds::default(),
        out: out.to_path_buf(),
    };
    let counted = count(&request, Some(model), progress)?;
    arms(&counted.nights).ok_or_else(|| {
        let message = "none of its published nights has arms: they are of a job without [challenger]";
        input(format!("compare the arms of {}: {message}", plain_path(runs)))
    })
}

fn arms(nights: &[NightTally]) -> Option<ArmFigures> {
    let mut arms = ArmTallies::default();
    nights.iter().for_each(|night| arms.add_night(&night.arms));
    arms.figures()
}

/// Nights, counted.
struct CountedNights {
    /// The last of them.
    bins_of: PublishedRun,
    /// In order; at least one.
    nights: Vec<NightTally>,
    /// What to know of outcomes.
    warnings: Vec<String>,
}

fn count(request: &MonitorRequest, model: Option<&ModelFile>, progress: &Progress) -> Result<CountedNights> {
    let exclusion = model.and_then(Exclusion::of);
    let directories = published(request)?;
    let Some(last) = directories.last() else {
        return Err(input(format!(
            "monitor {}: no published night lies in it{}",
            plain_path(&request.runs),
            within(request)
        )));
    };
    let bins_of = PublishedRun::open(last)?;
    let characteristics = CountedCharacteristic::of(&bins_of.job);
    let mut outcomes = outcomes(request, model, &bins_of, progress)?;
    let counter =
        NightCounter { bins_of: &bins_of, characteristics: &characteristics, exclusion: exclusion.as_ref() };
    progress.stage("monitor", directories.len() as u64);
    let mut nights = Vec::with_capacity(directories.len());
    for directory in &directories {
        nights.push(counter.count(&PublishedRun::open(directory)?, &mut outcomes)?);
    }
    Ok(CountedNights { warnings: outcomes.warnings, bins_of, nights })
}

/// Whether a file is a monitor.json of the program's.
fn is_monitor(bytes: &[u8]) -> bool {
    let found: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    found.is_some_and(|found| found["monitor_version"].is_u64())
}

/// Bounds of the command line, else of the model file.
fn bounds(request: &MonitorRequest, model: Option<&ModelFile>) -> ValidationBounds {
    let own = &request.bounds;
    ValidationBounds {
        min_auc_bp: own.min_auc_bp.or(model.and_then(|model| model.validate.min_auc_bp)),
        max_psi_milli: own.max_psi_milli.or(model.and_then(|model| model.validate.max_psi_milli)),
        by: Vec::new(),
    }
}

/// Where it is known from what happened.
fn outcomes<'a>(
    request: &MonitorRequest,
    model: Option<&'a ModelFile>,
    last: &PublishedRun,
    progress: &'a Progress,
) -> Result<LaterOutcomes<'a>> {
    match (&request.outcome, model) {
        (OutcomeArgument::File { path, column, by }, _) => {
            LaterOutcomes::of_file(path, column, *by, &last.job, progress)
        }
        (OutcomeArgument::Model(_), Some(model)) => {
            let scratch = places::scratch(request.out.parent().unwrap_or(Path::new("")));
            let options = SweepOptions { memory_bytes: None, from_scratch: false, scratch };
            LaterOutcomes::of_model(model, &last.job, last.manifest.as_of, options, progress)
        }
        (OutcomeArgument::Model(_), None) => unreachable!("it has been read"),
    }
}

fn within(request: &MonitorRequest) -> String {
    let from = request.from.map(|day| format!(" from {day}")).unwrap_or_default();
    let to = request.to.map(|day| format!(" to {day}")).unwrap_or_default();
    format!("{from}{to}")
}

/// The published nights, each as known on its day, in order; those that were released in spite of a gate among them.
fn published(request: &MonitorRequest) -> Result<Vec<PathBuf>> {
    let is_in =
        |day: Day| request.from.is_none_or(|from| from <= day) && request.to.is_none_or(|to| day <= to);
    let mut found = Vec::new();
    for night in recorded_nights(&request.runs)? {
        let Some(run) = night.run.filter(|_| is_in(night.as_of)) else { continue };
        let is_published = !run.manifest.held || run.released.is_some();
        if is_published && run.manifest.known_on == run.manifest.as_of {
            found.push(run.directory);
        }
    }
    Ok(found)
}

fn figures_of(bins_of: &PublishedRun, nights: &[NightTally], bounds: &ValidationBounds) -> MonitorFigures {
    let reference = &nights[0];
    let of_nights: Vec<MonitoredNight> = nights.iter().map(|night| night_figures(night, reference)).collect();
    let months = months_of(nights);
    let of_months: Vec<MonitoredMonth> =
        months.iter().map(|(month, of)| month_figures(month, of, reference)).collect();
    let bounds = bound_outcomes(bounds, &of_nights, &of_months);
    MonitorFigures {
        monitor_version: MONITOR_VERSION,
        holds: bounds.iter().all(|bound| bound.holds),
        remarks: remarks(&of_nights, &of_months, nights),
        bounds,
        job: bins_of.manifest.job.clone(),
        reference: reference.as_of,
        bins_of: bins_of.manifest.as_of,
        characteristics: characteristics_of(bins_of, nights, &months),
        arms: arms(nights),
        nights: of_nights,
        months: of_months,
    }
}

/// The nights of a month, added up.
struct MonthTally {
    nights: u64,
    sum: NightTally,
}

fn months_of(nights: &[NightTally]) -> BTreeMap<String, MonthTally> {
    const MONTH: usize = "2026-11".len();
    let mut months: BTreeMap<String, MonthTally> = BTreeMap::new();
    for night in nights {
        let day = night.as_of.to_string();
        let month = day.get(..MONTH).unwrap_or(&day).to_string();
        let empty = || MonthTally { nights: 0, sum: night.emptied() };
        let tally = months.entry(month).or_insert_with(empty);
        tally.nights += 1;
        tally.sum.add_night(night);
    }
    months
}

fn night_figures(night: &NightTally, reference: &NightTally) -> MonitoredNight {
    let accounts: u64 = night.scores.values().sum();
    let sum = night.scores.iter().map(|(score, accounts)| i128::from(*score) * i128::from(*accounts)).sum();
    MonitoredNight {
        as_of: night.as_of,
        scorecard_sha256: night.scorecard_sha256.clone(),
        accounts,
        mean_score: crate::validate::fraction::Fraction::new(sum, accounts.into()),
        score_psi: score_psi(&reference.scores, &night.scores).map(six_places),
        outcomes: night.outcomes.clone(),
    }
}

fn month_figures(month: &str, of: &MonthTally, reference: &NightTally) -> MonitoredMonth {
    let mut known = SliceFigures {
        by: Some("month".to_string()),
        value: Some(month.to_string()),
        ..SliceFigures::of(&of.sum.known, ALL, None)
    };
    if of.nights > 1 {
        known.drop_bounds();
    }
    MonitoredMonth {
        month: month.to_string(),
        nights: of.nights,
        score_psi: score_psi(&reference.scores, &of.sum.scores).map(six_places),
        outcomes: of.sum.outcomes.clone(),
        known,
    }
}

fn characteristics_of(
    bins_of: &PublishedRun,
    nights: &[NightTally],
    months: &BTreeMap<String, MonthTally>,
) -> Vec<MonitoredCharacteristic> {
    let job = &bins_of.job;
    let characteristics = job.scorecard.characteristics.iter().enumerate();
    let figures = characteristics.map(|(number, characteristic)| {
        let bins = bin_ranges(characteristic);
        let points: Vec<i32> = bins.iter().map(|bin| bin.points).collect();
        let reference = nights.iter().find_map(|night| night.bins[number].as_ref());
        let moved = |own: &Option<Vec<BinCount>>| moved(reference?, own.as_ref()?);
        let of_months = months.iter().filter_map(|(month, of)| {
            let own = of.sum.bins[number].as_ref()?;
            let outcomes: Vec<_> = own.iter().map(|bin| bin.outcomes).collect();
            Some(CharacteristicMonth {
                month: month.clone(),
                psi: moved(&of.sum.bins[number]),
                information_value: information_value(&outcomes).map(six_places),
                order: bin_order(&points, &outcomes),
                bins: own.clone(),
            })
        });
        MonitoredCharacteristic {
            feature: job.features[characteristic.feature].name.clone(),
            nights: nights
                .iter()
                .map(|night| NightShift { as_of: night.as_of, psi: moved(&night.bins[number]) })
                .collect(),
            months: of_months.collect(),
            bins,
        }
    });
    figures.collect()
}

fn moved(reference: &[BinCount], own: &[BinCount]) -> Option<f64> {
    let bins: Vec<[u64; 2]> =
        reference.iter().zip(own).map(|(reference, own)| [reference.rows, own.rows]).collect();
    stability_index(&bins).map(six_places)
}

/// The AUC of every month in which goods and bads are known, the stability of every night's score.
fn bound_outcomes(
    bounds: &ValidationBounds,
    nights: &[MonitoredNight],
    months: &[MonitoredMonth],
) -> Vec<BoundOutcome> {
    let mut outcomes = Vec::new();
    if let Some(limit) = bounds.min_auc_bp {
        let mature = months.iter().filter(|month| month.known.ranking.is_some());
        outcomes.extend(mature.map(|month| BoundOutcome::of_auc(limit, &month.month, &month.known)));
    }
    if let Some(limit) = bounds.max_psi_milli {
        let of_night =
            |night: &MonitoredNight| BoundOutcome::of_psi(limit, &night.as_of.to_string(), night.score_psi);
        outcomes.extend(nights.iter().skip(1).map(of_night));
    }
    outcomes
}

fn remarks(nights: &[MonitoredNight], months: &[MonitoredMonth], tallies: &[NightTally]) -> Vec<String> {
    let mut remarks = Vec::new();
    let immature = months.iter().filter(|month| month.known.ranking.is_none());
    let names: Vec<&str> = immature.map(|month| month.month.as_str()).collect();
    if !names.is_empty() {
        remarks.push(format!("Goods and bads are not both known of {}: nothing is said there of how well the score ranks, and min_auc_bp is not held against it.", names.join(", ")));
    }
    let mut cards: Vec<&str> = nights.iter().map(|night| night.scorecard_sha256.as_str()).collect();
    cards.dedup();
    if cards.len() > 1 {
        remarks.push(format!("The scorecard changed {} in these nights: scores before and after are not on one scale, and characteristics are counted in the bins of the last.", crate::console::plural(cards.len() - 1, "time")));
    }
    let lacking = tallies.iter().filter(|night| night.bins.iter().any(Option::is_none)).count();
    if lacking > 0 {
        remarks.push(format!("{} lack or compute otherwise some feature of the last night's scorecard; it is not counted there.", crate::console::plural(lacking, "night")));
    }
    if months.iter().any(|month| month.nights > 1) {
        remarks.push("A month of several nights counts an account once a night, so that no bounds of its AUC are given.".into());
    }
    remarks
}

//! Which runs of an output directory nobody needs any more, and how they are removed.
//!
//! Removed is what is old, published, not among the newest nights, and nothing that those stand on: what a night has
//! issued bears on later ones until their snapshot shows it, and the night before is looked back on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::day::Day;
use crate::failure::input;
use crate::job::JobSources;
use crate::job::input_names::ISSUED;
use crate::own::{self, Access, OwnRun};
use crate::publish::commit::Lock;
use crate::run_dir::RunDirectory;
use crate::run_dir::layout::ADJUSTMENTS;
use crate::run_dir::manifest::{MANIFEST, Manifest};
use crate::run_dir::rows::for_batches;
use crate::run_dir::tree::{RunPath, runs_below};
use crate::store::is_url;

/// What may go.
#[derive(Debug, Clone)]
pub struct PruneRequest {
    /// The output directory.
    pub out: PathBuf,
    /// So many of the newest published nights stay.
    pub keep: usize,
    /// Nights stay whose as-of date is at most so many days before today.
    pub older_than_days: u32,
    /// Today.
    pub today: Day,
    /// Whether to remove what may go; otherwise it is only said.
    pub is_confirmed: bool,
}

/// A run of the directory, and what becomes of it.
#[derive(Debug, Clone)]
pub struct PrunedRun {
    /// Where it lies.
    pub directory: PathBuf,
    /// D.
    pub as_of: Day,
    /// K.
    pub known_on: Day,
    /// The size of its files, as its manifest has it.
    pub bytes: u64,
    /// Why it stays; `None` where it goes.
    pub stays: Option<String>,
}

/// Says which runs may go and, if that is confirmed, removes them, the oldest first.
pub fn prune(request: &PruneRequest) -> Result<Vec<PrunedRun>> {
    let out = &request.out;
    if !is_url(out) && !out.is_dir() {
        return Err(input(format!("prune {}: there is no such directory", out.display())));
    }
    if !request.is_confirmed {
        return Ok(judged(request)?.into_iter().map(|run| run.told).collect());
    }
    let access = Access::of_file(&out.join(MANIFEST));
    let lock = Lock::take(out, "pruning", access)?;
    let runs = judged(request)?;
    for run in runs.iter().filter(|run| run.told.stays.is_none()) {
        crate::signal::check()?;
        let own = run.own.as_ref().context("what goes is a run")?;
        lock.remove(own)?;
    }
    let unfinished = runs.iter().filter(|run| !run.has_manifest).map(|run| run.told.directory.clone());
    if is_url(out) {
        own::clear_attempts(&unfinished.collect::<Vec<PathBuf>>());
    }
    Ok(runs.into_iter().map(|run| run.told).collect())
}

/// A run as it is judged.
struct JudgedRun {
    told: PrunedRun,
    has_manifest: bool,
    is_published: bool,
    /// Whether it stays for its own sake: it is new.
    is_new: bool,
    /// What it is, where that can be told.
    own: Option<OwnRun>,
}

impl JudgedRun {
    fn look_at(path: RunPath) -> JudgedRun {
        let RunPath { as_of, known_on, is_held, directory, has_manifest } = path;
        let (own, stays) = match OwnRun::at(&directory) {
            Ok(Some(own)) if is_held => (Some(own), Some("it is held".to_string())),
            Ok(Some(own)) if !own.is_alone() => (Some(own), Some("it holds more than a run".to_string())),
            Ok(Some(own)) => (Some(own), None),
            Ok(None) => (None, Some("it is no whole run".to_string())),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        let outputs = own.iter().flat_map(|own| &own.manifest.outputs);
        let bytes = outputs.map(|output| output.bytes).sum();
        let is_published = own.is_some() && !is_held;
        JudgedRun {
            told: PrunedRun { directory, as_of, known_on, bytes, stays },
            has_manifest,
            is_published,
            is_new: false,
            own,
        }
    }

    fn manifest(&self) -> Option<&Manifest> {
        self.own.as_ref().map(|own| &own.manifest)
    }
}

/// All runs, oldest first, with what becomes of each.
fn judged(request: &PruneRequest) -> Result<Vec<JudgedRun>> {
    let mut runs: Vec<JudgedRun> = runs_below(&request.out)?.into_iter().map(JudgedRun::look_at).collect();
    let mut nights: Vec<Day> = runs.iter().filter(|run| run.is_published).map(|run| run.told.as_of).collect();
    nights.dedup();
    let newest: Vec<Day> = nights.iter().rev().take(request.keep.max(1)).copied().collect();
    for run in runs.iter_mut().filter(|run| run.is_published && run.told.stays.is_none()) {
        let age = request.today.since(run.told.as_of);
        run.told.stays = if newest.contains(&run.told.as_of) {
            Some(format!("it is of one of the newest {} nights", request.keep))
        } else if age <= i64::from(request.older_than_days) {
            Some(format!("its date is {age} days ago"))
        } else {
            None
        };
        run.is_new = run.told.stays.is_some();
    }
    keep_what_is_stood_on(&mut runs)?;
    Ok(runs)
}

/// What the runs stand on that stay for their own sake.
#[derive(Default)]
struct StoodOn {
    /// Runs that are looked back on, by their fingerprints, and by which night.
    previous: Vec<(String, Day)>,
    /// Of the runs that lay earlier adjustments over their snapshot, the day of the oldest snapshot; `None` within where
    /// some snapshot is of no day, so that it shows nothing for sure.
    snapshot: Option<(Option<Day>, Day)>,
}

impl StoodOn {
    fn add(&mut self, run: &JudgedRun) -> Result<()> {
        let Some(manifest) = run.manifest().filter(|_| run.is_published) else { return Ok(()) };
        if let Some(previous) = &manifest.previous {
            self.previous.push((previous.fingerprint.clone(), manifest.as_of));
        }
        if reads_issued(&run.told.directory, manifest)? {
            let is_older = self.snapshot.is_none_or(|(oldest, _)| manifest.snapshot < oldest);
            if is_older {
                self.snapshot = Some((manifest.snapshot, manifest.as_of));
            }
        }
        Ok(())
    }

    /// Why a run must stay; `None` where nothing that stays stands on it.
    fn why(&self, run: &JudgedRun, manifest: &Manifest) -> Result<Option<String>> {
        let previous = self.previous.iter().find(|(fingerprint, _)| *fingerprint == manifest.fingerprint);
        if let Some((_, night)) = previous {
            return Ok(Some(format!("the night of {night} looks back on it")));
        }
        let Some((snapshot, night)) = self.snapshot.filter(|_| has_adjustments(manifest)) else {
            return Ok(None);
        };
        let Some(snapshot) = snapshot else {
            return Ok(Some(format!("the night of {night} lays what it issued over an undated snapshot")));
        };
        let last = last_effect(&run.told.directory)?;
        let bears = manifest.as_of >= snapshot || last.is_some_and(|last| last > snapshot);
        Ok(bears.then(|| {
            let last = last.map_or_else(|| manifest.as_of.to_string(), |last| last.to_string());
            format!(
                "what it issued takes effect up to {last}, and the night of {night} stands on the snapshot of {snapshot}"
            )
        }))
    }
}

/// Notes of runs that would go why they must not.
fn keep_what_is_stood_on(runs: &mut [JudgedRun]) -> Result<()> {
    let mut stood_on = StoodOn::default();
    let mut oldest_bearing = None;
    // What stays as an input only is not run again.
    for run in runs.iter().filter(|run| run.is_new) {
        stood_on.add(run)?;
    }
    for run in runs.iter_mut().rev() {
        if let Some(manifest) = run.manifest().filter(|_| run.told.stays.is_none()) {
            let why = stood_on.why(run, manifest)?;
            if why.is_some() && has_adjustments(manifest) {
                oldest_bearing = Some(manifest.as_of);
            }
            run.told.stays = why;
        }
    }
    // A later adjustment makes an earlier one void: without it, that one would count again.
    let Some(bearing) = oldest_bearing.filter(|_| stood_on.snapshot.is_some()) else { return Ok(()) };
    for run in runs.iter_mut().filter(|run| run.told.stays.is_none() && run.told.as_of > bearing) {
        if run.own.as_ref().is_some_and(|own| has_adjustments(&own.manifest)) {
            let why = format!("what it issued may make void what the night of {bearing} did");
            run.told.stays = Some(why);
        }
    }
    Ok(())
}

/// Whether a run lays the adjustments of earlier ones over its snapshot.
fn reads_issued(directory: &Path, manifest: &Manifest) -> Result<bool> {
    if manifest.inputs.iter().any(|entry| entry.input == ISSUED) {
        return Ok(true);
    }
    let (directory, _) = RunDirectory::open(directory)?;
    let job: toml::Table = JobSources::read(&directory)?.job.text.parse().unwrap_or_default();
    Ok(job.get("input").and_then(|input| input.get(ISSUED)).is_some())
}

fn has_adjustments(manifest: &Manifest) -> bool {
    manifest.control_totals.adjustments > 0
}

/// The latest day on which something that a run has issued takes effect.
fn last_effect(directory: &Path) -> Result<Option<Day>> {
    let (directory, _) = RunDirectory::open(directory)?;
    let table = ADJUSTMENTS.trim_end_matches(".parquet");
    let mut last = None;
    for_batches(&directory, table, &["effective_on"], |rows| {
        let days = rows.ints("effective_on")?;
        last = last.max((0..rows.len).filter_map(|row| days.get(row)).max().copied());
        Ok(())
    })?;
    Ok(last.map(|day| Day(day as i32)))
}

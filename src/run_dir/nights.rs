//! The nights of an output directory: published, held, released, and the days between them without a run.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;

use super::directory::RunDirectory;
use super::manifest::Manifest;
use super::release_note::ReleaseNote;
use super::tree::runs_below;
use crate::day::Day;
use crate::failure::{in_order, input};
use crate::store::is_url;

/// A night of an output directory, or a day without one.
pub struct RecordedNight {
    /// D.
    pub as_of: Day,
    /// What lies there; `None` for a day between others that has no run.
    pub run: Option<RecordedRun>,
}

/// A run that lies in an output directory.
pub struct RecordedRun {
    /// Where.
    pub directory: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Who released it, where it was held.
    pub released: Option<ReleaseNote>,
    /// Decimal places of money; `None` where its job file is not understood.
    pub minor_units: Option<u32>,
}

/// All runs of an output directory by date, those as they were known later and held ones among them, and the days from
/// the first to the last without any.
pub fn recorded_nights(out: &Path) -> Result<Vec<RecordedNight>> {
    let runs = run_directories(out)?;
    let recorded = runs.into_par_iter().map(|directory| RecordedRun::open(&directory));
    let mut recorded = in_order(recorded)?;
    recorded.sort_by_key(RecordedRun::order);
    let mut nights: Vec<RecordedNight> = Vec::new();
    for run in recorded {
        let as_of = run.manifest.as_of;
        if let Some(before) = nights.last() {
            let missing = before.as_of.plus(1).to(as_of.plus(-1));
            let missing: Vec<RecordedNight> =
                missing.map(|as_of| RecordedNight { as_of, run: None }).collect();
            nights.extend(missing);
        }
        nights.push(RecordedNight { as_of, run: Some(run) });
    }
    Ok(nights)
}

/// Where runs lie in an output directory: published ones and held ones, each as known on its day and later.
fn run_directories(out: &Path) -> Result<Vec<PathBuf>> {
    if !is_url(out) && !out.is_dir() {
        return Err(input(format!("list {}: there is no such directory", out.display())));
    }
    let runs = runs_below(out)?.into_iter().filter(|run| run.has_manifest);
    Ok(runs.map(|run| run.directory).collect())
}

impl RecordedRun {
    fn open(directory: &Path) -> Result<RecordedRun> {
        let (run, manifest) = RunDirectory::open(directory)?;
        let released = if manifest.held { ReleaseNote::of(&run)? } else { None };
        let minor_units = run.minor_units();
        Ok(RecordedRun { directory: directory.to_path_buf(), manifest, released, minor_units })
    }

    /// By date, then by what was known, a published one before one that is held.
    fn order(&self) -> (Day, Day, bool) {
        (self.manifest.as_of, self.manifest.known_on, self.manifest.held && self.released.is_none())
    }
}

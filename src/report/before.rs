//! The night before a run: the last published one that lies beside it.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::run_dir::layout::is_held_directory;
use crate::run_dir::{PublishedRun, dated_runs};
use crate::store::is_url;

/// The run of the last date before a run's that is published in the same output directory. `None` where there is none,
/// or none that can be read and counts money alike: the page then says that there is nothing to hold its run against.
pub fn night_before(run: &PublishedRun) -> Result<Option<PublishedRun>> {
    let Some(directory) = output_directory(run.directory.path()) else { return Ok(None) };
    let Ok(runs) = dated_runs(&directory) else { return Ok(None) };
    let Some((_, path)) = runs.into_iter().rfind(|(day, _)| *day < run.manifest.as_of) else {
        return Ok(None);
    };
    let before = PublishedRun::open(&path).ok();
    Ok(before.filter(|before| before.job.minor_units == run.job.minor_units))
}

/// Where the runs lie that are published with this one, which may be held.
fn output_directory(run: &Path) -> Option<PathBuf> {
    let path = if is_url(run) { run.to_path_buf() } else { run.canonicalize().ok()? };
    let parent = path.parent()?;
    let out = if is_held_directory(parent) { parent.parent()? } else { parent };
    Some(out.to_path_buf())
}

//! Runs that nobody needs any more, removed so that no reader ever finds half of one.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::files::{Access, failed, in_the_way, rename_new, sync_directory};
use super::runs::{OwnRun, file_name};
use super::staging::Staging;
use crate::run_dir::layout::{RELEASED, SUCCESS};
use crate::run_dir::manifest::MANIFEST;
use crate::store::{self, is_url};

/// Removes a run from an output directory of which the lock is held. One that holds something else besides stays, which
/// is an error.
pub fn remove_run(run: &OwnRun, out: &Path, access: Access) -> Result<()> {
    if is_url(&run.directory) { remove_stored(run) } else { remove_on_disk(run, out, access) }
}

/// Moves it out of sight, at once, and removes it there: whatever stops that, what is left is cleared away with what
/// dead runs leave.
fn remove_on_disk(run: &OwnRun, out: &Path, access: Access) -> Result<()> {
    let directory = &run.directory;
    if !run.is_alone() {
        return Err(in_the_way(directory, "more than a run"));
    }
    let staging = Staging::create(out, access)?;
    let moved = rename_new(directory, &staging.scratch().join("removed"));
    moved.map_err(|error| failed("remove", directory, error))?;
    let parent = directory.parent().unwrap_or(out);
    sync_directory(parent)?;
    if file_name(parent).starts_with("known=") {
        // It goes with its last run; one that holds more stays.
        let _ = fs::remove_dir(parent);
    }
    drop(staging);
    Ok(())
}

/// Takes the manifest first, without which nothing is a run, then the files.
fn remove_stored(run: &OwnRun) -> Result<()> {
    let outputs = run.manifest.outputs.iter().map(|output| output.file.as_str());
    for name in [MANIFEST, SUCCESS, RELEASED].into_iter().chain(outputs) {
        let path = run.directory.join(name);
        store::remove(&path).map_err(|error| failed("remove", &path, error))?;
    }
    Ok(())
}

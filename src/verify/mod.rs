//! Checks that a run's files are whole and what its manifest says, and that nothing else is there.
//!
//! - `files`, `stored`: the files of a run on disk, and of one in an object store;
//! - `claims`: what a manifest says, held against itself;
//! - `inputs`: the inputs that the manifest names, hashed again;
//! - `recount`: the control totals and the profiles of features, counted again.

mod claims;
mod files;
mod inputs;
mod recount;
mod stored;

use std::path::Path;

use anyhow::Result;

use crate::failure::input;
use crate::run_dir::RunDirectory;
use crate::run_dir::manifest::Manifest;
use crate::store::is_url;
use claims::wrong_markers;
use recount::{recount, recount_features};

pub use claims::contradictions;
pub use inputs::{CheckedInputs, check_inputs};

/// Checks every file of a run; returns its manifest. Fails with everything that is wrong.
pub fn verify(run: &Path) -> Result<Manifest> {
    let Some(manifest) = Manifest::read(run)? else {
        return Err(input(format!(
            "verify {}: it has no manifest.json, so it is no whole run",
            run.display()
        )));
    };
    // On disk, files are not hashed again once they have been looked at.
    let (directory, mut wrong) = if is_url(run) {
        let directory = RunDirectory::of(run, &manifest.outputs)?;
        let wrong = stored::wrong_files(&directory, &manifest)?;
        (directory, wrong)
    } else {
        (RunDirectory::unchecked(run, &manifest.outputs)?, files::wrong_files(run, &manifest))
    };
    wrong.extend(wrong_markers(run, &manifest));
    wrong.extend(contradictions(&manifest));
    if wrong.is_empty() {
        wrong.extend(wrong_totals(&directory, &manifest));
    }
    if wrong.is_empty() {
        Ok(manifest)
    } else {
        Err(input(format!("verify {}: {}", run.display(), wrong.join("; "))))
    }
}

/// What is wrong with the control totals and the profiles of features, by the run's tables, whose bytes are those of the
/// manifest.
fn wrong_totals(run: &RunDirectory, manifest: &Manifest) -> Option<String> {
    let names: Vec<&str> = manifest.features.iter().map(|profile| profile.feature.as_str()).collect();
    let counted = recount(run).and_then(|totals| Ok((totals, recount_features(run, &names)?)));
    match counted {
        Err(error) => Some(format!("{error:#}")),
        Ok((totals, _)) if totals != manifest.control_totals => {
            Some("the control totals are not those of the run's tables".to_string())
        }
        Ok((_, profiles)) => {
            profiles.iter().zip(&manifest.features).find(|(found, said)| found != said).map(|(found, _)| {
                format!("the profile of the feature {} is not that of features.parquet", found.feature)
            })
        }
    }
}

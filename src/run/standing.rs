//! A run that is there already: whether it may stand, and what it differs in.

use std::path::Path;

use anyhow::Result;

use super::{Ending, Outcome, Request};
use crate::console::plain_path;
use crate::failure::{Kind, failure};
use crate::job::Job;
use crate::publish::commit::run_directory;
use crate::publish::manifest::{Identity, Manifest};

/// The run that is there already, if it may stand; an error if it may not and must not be replaced.
pub(super) fn standing_run(
    request: &Request,
    job: &Job,
    out: &Path,
    identity: &Identity,
) -> Result<Option<Outcome>> {
    if request.replace {
        return Ok(None);
    }
    for held in [false, true] {
        let directory = run_directory(out, request.as_of, request.known_on, held);
        if !directory.exists() {
            continue;
        }
        match Manifest::read(&directory)? {
            Some(manifest) if manifest.fingerprint == identity.fingerprint => {
                let ending = if held { Ending::Held } else { Ending::Unchanged };
                let minor_units = job.minor_units;
                return Ok(Some(Outcome { ending, directory, manifest, summary: None, minor_units }));
            }
            // A held run is nobody's input: a newer one takes its place.
            _ if held => {}
            Some(manifest) => {
                let what = differences(&manifest, identity);
                let message = format!(
                    "{} is published already, from other inputs or job files ({what}); --replace replaces it",
                    plain_path(&directory)
                );
                return Err(failure(Kind::Refused, message));
            }
            None => {
                let message = format!(
                    "{} is there, but is no run (it has no manifest.json); move it away",
                    plain_path(&directory)
                );
                return Err(failure(Kind::Refused, message));
            }
        }
    }
    Ok(None)
}

/// What differs between a published run and what a run would stand on now.
fn differences(manifest: &Manifest, identity: &Identity) -> String {
    let mut what: Vec<String> = Vec::new();
    for file in &identity.job_files {
        if !manifest.job_files.contains(file) {
            what.push(file.file.clone());
        }
    }
    let added = identity.inputs.iter().filter(|entry| !manifest.inputs.contains(entry));
    let gone = manifest.inputs.iter().filter(|entry| !identity.inputs.contains(entry));
    let mut inputs: Vec<String> =
        added.chain(gone).map(|entry| format!("{} {}", entry.input, entry.file)).collect();
    inputs.sort();
    inputs.dedup();
    const MOST_NAMED: usize = 3;
    let more = inputs.len().saturating_sub(MOST_NAMED);
    what.extend(inputs.into_iter().take(MOST_NAMED));
    if more > 0 {
        what.push(format!("{more} more files"));
    }
    what.join(", ")
}

//! A run that is there already: whether it may stand, and what it differs in.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::outcome::{Ending, NightOutcome};
use crate::console::plain_path;
use crate::day::Dates;
use crate::failure::{Kind, failure};
use crate::job::Job;
use crate::own::{self, OwnRun};
use crate::publish::identity::Identity;
use crate::run_dir::layout::run_directory;
use crate::run_dir::manifest::Manifest;
use crate::store::{StoredObject, is_url};

/// A run that is there already.
pub(super) struct ExistingRun {
    /// Whether it is held.
    pub held: bool,
    /// Where it lies.
    pub directory: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
}

impl ExistingRun {
    /// The outcome of leaving it alone.
    pub fn outcome(self, job: &Job) -> NightOutcome {
        let ExistingRun { held, directory, manifest } = self;
        let ending = if held { Ending::Held } else { Ending::Unchanged };
        NightOutcome::new(job, ending, directory, manifest, None)
    }
}

/// Whether there is a run of these dates, published or held.
pub(super) fn exists(out: &Path, dates: Dates) -> bool {
    [false, true].into_iter().any(|held| {
        let directory = run_directory(out, dates.as_of, dates.known_on, held);
        // What cannot be looked at is looked into, and reported then.
        if is_url(out) {
            own::seen_manifest(&directory).map_or(true, |seen| seen.is_some())
        } else {
            directory.exists()
        }
    })
}

/// What stands in an object store where a run of these dates may come to lie: what is put there later replaces this
/// and nothing else.
#[derive(Default)]
pub(super) struct SeenRuns {
    published: Option<StoredObject>,
    held: Option<StoredObject>,
}

impl SeenRuns {
    /// Looks; nothing is to be seen where a lock is held.
    pub fn look(out: &Path, dates: Dates) -> Result<SeenRuns> {
        if !is_url(out) {
            return Ok(SeenRuns::default());
        }
        let [published, held] = [false, true]
            .map(|held| own::seen_manifest(&run_directory(out, dates.as_of, dates.known_on, held)));
        Ok(SeenRuns { published: published?, held: held? })
    }

    /// What a run takes the place of: a held one of any that is held, a published one only where it `replaces`.
    pub fn at(&self, held: bool, replaces: bool) -> Option<&StoredObject> {
        if held { self.held.as_ref() } else { self.published.as_ref().filter(|_| replaces) }
    }
}

/// The outcome of leaving alone the run that is there already, unless it is to be replaced. Fails where it may neither
/// stand nor be replaced.
pub(super) fn left_alone(
    out: &Path,
    identity: &Identity,
    replace: bool,
    job: &Job,
) -> Result<Option<NightOutcome>> {
    if replace {
        check_replaceable(out, identity.dates)?;
        return Ok(None);
    }
    Ok(existing_run(out, identity)?.map(|existing| existing.outcome(job)))
}

/// Checks that whatever stands where a run of these dates may come to lie is a run, and so may be replaced.
fn check_replaceable(out: &Path, dates: Dates) -> Result<()> {
    for held in [false, true] {
        OwnRun::at(&run_directory(out, dates.as_of, dates.known_on, held))?;
    }
    Ok(())
}

/// The run that is there already, if it may stand; an error if it may not and must not be replaced.
pub(super) fn existing_run(out: &Path, identity: &Identity) -> Result<Option<ExistingRun>> {
    for held in [false, true] {
        let directory = run_directory(out, identity.dates.as_of, identity.dates.known_on, held);
        match OwnRun::at(&directory)? {
            None => {}
            Some(OwnRun { manifest, .. }) if manifest.fingerprint == identity.fingerprint => {
                if is_url(&directory) && !held {
                    own::complete_run(&directory)?;
                }
                return Ok(Some(ExistingRun { held, directory, manifest }));
            }
            // A held run is nobody's input: a newer one takes its place.
            Some(_) if held => {}
            Some(OwnRun { manifest, .. }) => {
                let what = differences(&manifest, identity);
                let message = format!(
                    "{} is published already, from other inputs or job files ({what}); --replace replaces it",
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
    if manifest.chain_from != identity.dates.chain_from {
        what.push(match manifest.chain_from {
            Some(from) => format!("as a day of a simulation from {from}"),
            None => "as a night, not as a day of a simulation".to_string(),
        });
    }
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

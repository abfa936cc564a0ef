//! How a night ended.

use std::path::PathBuf;

use crate::job::Job;
use crate::run_dir::gates::GatedRun;
use crate::run_dir::manifest::Manifest;
use crate::summary::Summary;

/// How a night ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its tables are published.
    Published,
    /// A gate did not hold; its tables lie in `held/`.
    Held,
    /// It was published, or held, already, from the same inputs and job files.
    Unchanged,
}

/// A finished night.
pub struct NightOutcome {
    /// How it ended.
    pub ending: Ending,
    /// Where it lies.
    pub directory: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Figures for the operator; a run left as it was has none of its own.
    pub summary: Option<Summary>,
    /// Decimal places of money.
    pub minor_units: u32,
    /// What money is counted in, where the job says so.
    pub currency: Option<String>,
}

impl NightOutcome {
    /// How a night of a job ended.
    pub(super) fn new(
        job: &Job,
        ending: Ending,
        directory: PathBuf,
        manifest: Manifest,
        summary: Option<Summary>,
    ) -> NightOutcome {
        let (minor_units, currency) = (job.minor_units, job.currency.clone());
        NightOutcome { ending, directory, manifest, summary, minor_units, currency }
    }

    /// The run, as a sentence about its gates names it.
    pub fn as_gated(&self) -> GatedRun<'_> {
        let Manifest { job, as_of, gates, .. } = &self.manifest;
        GatedRun { job, as_of: *as_of, gates, directory: &self.directory, minor_units: self.minor_units }
    }

    /// Whether the night had run before, from the same inputs and job files.
    pub fn is_left_alone(&self) -> bool {
        self.summary.is_none()
    }
}

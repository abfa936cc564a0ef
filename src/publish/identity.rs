//! What identifies a run before any row is read: its dates, job files, inputs and the run before.

use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::*;

use crate::day::Dates;
use crate::failure::in_order;
use crate::hash::bytes_hash;
use crate::input::file::OpenFile;
use crate::job::{InputSpec, JobSources};
use crate::run_dir::manifest::{
    ControlTotals, InputEntry, JobFile, Manifest, PreviousRun, SCHEMA_VERSION, Timing, fingerprint,
};
use crate::zone;

/// What identifies a run before any row is read.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Hash over all of it.
    pub fingerprint: String,
    /// What the run is for.
    pub dates: Dates,
    /// The job files.
    pub job_files: Vec<JobFile>,
    /// The input files, by input, delivery, name.
    pub inputs: Vec<InputEntry>,
    /// The run before.
    pub previous: Option<PreviousRun>,
}

impl Identity {
    /// Hashes job files and inputs, all their bytes.
    pub fn of(
        sources: &JobSources,
        files: &[(&InputSpec, &[OpenFile])],
        previous: Option<PreviousRun>,
        dates: Dates,
    ) -> Result<Identity> {
        let job_files = sources.named().map(|(name, source)| JobFile {
            file: name.to_string(),
            sha256: bytes_hash(source.text.as_bytes()),
        });
        let job_files: Vec<JobFile> = job_files.collect();
        let all: Vec<(&InputSpec, &OpenFile)> =
            files.iter().flat_map(|(spec, files)| files.iter().map(|file| (*spec, file))).collect();
        let inputs: Vec<InputEntry> = in_order(all.into_par_iter().map(|(spec, file)| entry(spec, file)))?;
        let fingerprint = fingerprint(SCHEMA_VERSION, dates, &job_files, &inputs, previous.as_ref())?;
        Ok(Identity { fingerprint, dates, job_files, inputs, previous })
    }

    /// The manifest of the run, without results yet.
    pub fn manifest(self, job: &str) -> Manifest {
        let Dates { as_of, known_on, chain_from } = self.dates;
        Manifest {
            schema_version: SCHEMA_VERSION,
            job: job.to_string(),
            as_of,
            known_on,
            chain_from,
            program_version: env!("CARGO_PKG_VERSION").to_string(),
            timezone_data: zone::edition().to_string(),
            fingerprint: self.fingerprint,
            job_files: self.job_files,
            snapshot: None,
            inputs: self.inputs,
            missing_days: BTreeMap::new(),
            previous: self.previous,
            counts: BTreeMap::new(),
            notices: Vec::new(),
            bill_conflicts: 0,
            issued_unknown: 0,
            control_totals: ControlTotals::default(),
            features: Vec::new(),
            gates: Vec::new(),
            held: false,
            outputs: Vec::new(),
            timing: Timing::default(),
        }
    }
}

fn entry(spec: &InputSpec, file: &OpenFile) -> Result<InputEntry> {
    Ok(InputEntry {
        input: spec.name.to_string(),
        delivery: file.delivery,
        file: file.file.name.clone(),
        size: file.size,
        rows: file.rows(),
        sha256: file.sha256()?.to_string(),
    })
}

//! A run directory read back: its manifest, its job files as used, its tables.

mod facts;
pub mod rows;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::failure::input;
use crate::job::{DECISION_COLUMNS, Draft, FileColumns, InputColumns, Job, LINE_COLUMNS};
use crate::publish::manifest::Manifest;

pub use facts::{Decided, Facts};

/// A whole run, published or held. Its tables are read when they are asked for.
pub struct PublishedRun {
    /// Where it lies.
    pub directory: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// The job files it keeps, resolved. Inputs are not looked at, so what only they tell is unknown:
    /// the features' own expressions over inputs must not be evaluated.
    pub job: Job,
}

impl PublishedRun {
    /// Opens a run's directory. Fails where it is no whole run, or its job files cannot be read.
    pub fn open(directory: &Path) -> Result<PublishedRun> {
        match Manifest::read(directory)? {
            Some(manifest) => PublishedRun::with_manifest(directory, manifest),
            None => Err(input(format!(
                "read {}: it has no manifest.json, so it is no whole run",
                directory.display()
            ))),
        }
    }

    /// Opens a run whose manifest is not written yet.
    pub fn with_manifest(directory: &Path, manifest: Manifest) -> Result<PublishedRun> {
        let mut draft = Draft::of_run(directory)?;
        let columns = InputColumns {
            lines: Some(line_columns(directory)?),
            lines_had_more: true,
            ..InputColumns::default()
        };
        let job = draft.bind(&columns);
        draft.remarks.check().map_err(|error| {
            input(format!(
                "read {}: its job files are not what this version takes\n{error}",
                directory.display()
            ))
        })?;
        let job = job.expect("a job without mistakes is bound");
        Ok(PublishedRun { directory: directory.to_path_buf(), manifest, job })
    }

    /// The path of one of its tables: `scores`, `features`, `decisions`, `adjustments`, `rejects`.
    pub fn table(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.parquet"))
    }
}

/// The columns of the lines as far as the decisions carry them: the contract's, and the extra ones that
/// rules read.
fn line_columns(run: &Path) -> Result<FileColumns> {
    let found = rows::columns(&run.join("decisions.parquet"))?;
    let made = ["account_id", "product", "score", "band"];
    let is_extra =
        |name: &str| !made.contains(&name) && !DECISION_COLUMNS.iter().any(|(taken, _)| *taken == name);
    let id = found.iter().find(|(name, _)| name == "account_id").map(|(_, kind)| *kind);
    let contract = LINE_COLUMNS.iter().map(|(name, kind)| match (*name, id) {
        ("account_id", Some(id)) => (name.to_string(), Ok(id)),
        _ => (name.to_string(), Ok(*kind)),
    });
    let extra = found.iter().filter(|(name, _)| is_extra(name)).map(|(name, kind)| (name.clone(), Ok(*kind)));
    Ok(contract.chain(extra).collect())
}

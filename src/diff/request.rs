//! What a diff is asked to do, and what kind of path it is asked about.

use std::path::{Path, PathBuf};

use crate::run_dir::dated_runs;
use crate::run_dir::manifest::MANIFEST;

/// What a diff is asked to do.
#[derive(Debug, Clone)]
pub struct DiffRequest {
    /// A run, a directory of runs, or a file.
    pub left: PathBuf,
    /// Likewise.
    pub right: PathBuf,
    /// Of files: the columns that identify a row.
    pub key: Vec<String>,
    /// Of runs: which part to compare; all by default.
    pub only: Option<Only>,
    /// Which rows count.
    pub selection: Option<String>,
    /// `column=units`.
    pub tolerances: Vec<String>,
    /// Where to write every change.
    pub out: Option<PathBuf>,
    /// Entries of lists.
    pub limit: usize,
}

impl DiffRequest {
    /// All of two runs, without lists.
    pub fn of_runs(left: &Path, right: &Path) -> DiffRequest {
        DiffRequest {
            left: left.to_path_buf(),
            right: right.to_path_buf(),
            key: Vec::new(),
            only: None,
            selection: None,
            tolerances: Vec::new(),
            out: None,
            limit: 0,
        }
    }
}

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Only {
    /// Scores and features.
    Scores,
    /// Decisions and money.
    Decisions,
    /// The table of adjustments, cell by cell.
    Adjustments,
}

/// Whether a path is a directory of runs.
pub fn is_range(path: &Path) -> bool {
    path.is_dir() && !path.join(MANIFEST).exists() && dated_runs(path).is_ok_and(|runs| !runs.is_empty())
}

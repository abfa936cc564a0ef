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

/// The files of a table in parts, in order of their names, where a path is a directory of nothing but such files;
/// those whose names begin with `_` or `.` are no data.
pub fn parts_in(path: &Path) -> Option<Vec<PathBuf>> {
    let entries = std::fs::read_dir(path).ok()?.collect::<Result<Vec<_>, _>>().ok()?;
    let mut parts: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    parts.retain(|part| !file_name(part).starts_with(['_', '.']));
    parts.sort();
    let is_table = !parts.is_empty() && parts.iter().all(|part| file_name(part).ends_with(".parquet"));
    (is_table && !path.join(MANIFEST).exists()).then_some(parts)
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

//! What a diff is asked to do, and what kind of path it is asked about.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::failure::input;
use crate::run_dir::manifest::MANIFEST;
use crate::run_dir::{dated_runs, is_there, names_in};
use crate::store::{self, is_url};

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
    /// Columns that are left out.
    pub excluded: Vec<String>,
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
            excluded: Vec::new(),
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

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// Nothing.
    Nothing,
    /// A directory with runs in it.
    Range,
    /// A run, or what should be one: any other directory.
    Run,
    /// A table: a file, or the files of one in parts, in order of their names.
    Table(Vec<PathBuf>),
}

impl Compared {
    /// Looks at what lies at a path.
    pub fn at(path: &Path) -> Result<Compared> {
        if !is_url(path) && path.exists() && !path.is_dir() {
            return Ok(Compared::Table(vec![path.to_path_buf()]));
        }
        if is_there(&path.join(MANIFEST))? {
            return Ok(Compared::Run);
        }
        // A directory that cannot be listed is no run either, which is said when it is opened.
        let names = match names_in(path) {
            Ok(names) if names.is_empty() && is_url(path) => return Compared::object_at(path),
            Ok(names) => names,
            Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
                return Ok(Compared::Nothing);
            }
            Err(error) if is_url(path) => return Err(unreadable(path, &error)),
            Err(_) => return Ok(Compared::Run),
        };
        if !dated_runs(path)?.is_empty() {
            return Ok(Compared::Range);
        }
        // Names that begin so are no data.
        let mut parts: Vec<&String> = names.iter().filter(|name| !name.starts_with(['_', '.'])).collect();
        parts.sort();
        let is_table = !parts.is_empty() && parts.iter().all(|part| part.ends_with(".parquet"));
        if is_table {
            return Ok(Compared::Table(parts.into_iter().map(|part| path.join(part)).collect()));
        }
        Ok(Compared::Run)
    }

    /// What lies at a URL below which nothing lies.
    fn object_at(path: &Path) -> Result<Compared> {
        let found = store::head(path).map_err(|why| unreadable(path, &why))?;
        Ok(found.map_or(Compared::Nothing, |_| Compared::Table(vec![path.to_path_buf()])))
    }
}

/// Whether a path is a directory of runs.
pub fn is_range(path: &Path) -> Result<bool> {
    Ok(Compared::at(path)? == Compared::Range)
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> anyhow::Error {
    input(format!("read {}: {why}", path.display()))
}

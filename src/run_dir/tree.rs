//! The runs of an output directory: published and held ones, those of later known-on dates among them.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::layout::{HELD, KNOWN};
use super::listing::{is_there, names_in};
use super::manifest::MANIFEST;
use crate::day::Day;
use crate::failure::input;

/// Where a run lies, or the remains of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunPath {
    /// D, by its name.
    pub as_of: Day,
    /// K, by the name of the directory above it, or D.
    pub known_on: Day,
    /// Whether it lies among the held ones.
    pub is_held: bool,
    /// The directory.
    pub directory: PathBuf,
    /// Whether it has a manifest: without one it is no run.
    pub has_manifest: bool,
}

/// All of an output directory, by as-of date, known-on date, published ones first.
pub fn runs_below(out: &Path) -> Result<Vec<RunPath>> {
    let mut runs = Vec::new();
    for (base, is_held) in [(out.to_path_buf(), false), (out.join(HELD), true)] {
        let names = match names(&base) {
            Err(_) if is_held => continue,
            names => names?,
        };
        add_dated(&base, &names, None, is_held, &mut runs)?;
        for name in &names {
            if let Some(known_on) = name.strip_prefix(KNOWN).and_then(|date| date.parse().ok()) {
                let below = base.join(name);
                add_dated(&below, &self::names(&below)?, Some(known_on), is_held, &mut runs)?;
            }
        }
    }
    runs.sort();
    Ok(runs)
}

fn names(directory: &Path) -> Result<Vec<String>> {
    names_in(directory).map_err(|error| input(format!("list {}: {error}", directory.display())))
}

fn add_dated(
    base: &Path,
    names: &[String],
    known_on: Option<Day>,
    is_held: bool,
    runs: &mut Vec<RunPath>,
) -> Result<()> {
    for name in names {
        let Some(as_of) = name.strip_prefix("date=").and_then(|date| date.parse().ok()) else { continue };
        let directory = base.join(name);
        let has_manifest = is_there(&directory.join(MANIFEST))?;
        runs.push(RunPath { as_of, known_on: known_on.unwrap_or(as_of), is_held, directory, has_manifest });
    }
    Ok(())
}

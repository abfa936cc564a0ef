//! What lies in a directory of runs, on disk or in an object store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::layout::{HELD, output_directory};
use super::manifest::MANIFEST;
use crate::console::{plain_path, plural};
use crate::day::Day;
use crate::failure::input;
use crate::store::{self, is_url};

/// The whole runs in a directory, by the date that they are named by.
pub fn dated_runs(directory: &Path) -> Result<BTreeMap<Day, PathBuf>> {
    let failed = |error| input(format!("list {}: {error}", directory.display()));
    let mut runs = BTreeMap::new();
    for name in names_in(directory).map_err(failed)? {
        let date = name.strip_prefix("date=").and_then(|date| date.parse().ok());
        let path = directory.join(&name);
        if let Some(date) = date
            && is_there(&path.join(MANIFEST))?
        {
            runs.insert(date, path);
        }
    }
    Ok(runs)
}

/// The run of the last date before a day that is published beside a run, which may be held. `None` where there is none, or
/// where it cannot be listed what there is.
pub fn published_before(run: &Path, as_of: Day) -> Option<PathBuf> {
    let out = output_directory(run);
    let here = Path::new(".");
    let runs = dated_runs(if out.as_os_str().is_empty() { here } else { &out }).ok()?;
    runs.into_iter().rfind(|(day, _)| *day < as_of).map(|(_, path)| path)
}

/// The names in a directory, as far as they are UTF-8.
pub fn names_in(directory: &Path) -> std::io::Result<Vec<String>> {
    if is_url(directory) {
        return Ok(store::names_in(directory)?.into_iter().map(|found| found.name).collect());
    }
    let names = std::fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
    names.filter_map(Result::transpose).collect()
}

/// Whether there is a file, links followed, or an object.
pub fn is_there(path: &Path) -> Result<bool> {
    if !is_url(path) {
        return Ok(path.exists());
    }
    let found = store::head(path).map_err(|error| input(format!("read {}: {error}", path.display())));
    Ok(found?.is_some())
}

/// The error of a directory that is no run: where runs lie in it, how many, so that one can be named; `verb` is what was
/// to be done with it.
pub fn no_run(verb: &str, directory: &Path) -> anyhow::Error {
    let held = dated_runs(&directory.join(HELD)).unwrap_or_default();
    let published = dated_runs(directory).unwrap_or_default();
    let runs: Vec<(&Day, &PathBuf)> = published.iter().chain(&held).collect();
    let shown = plain_path(directory);
    let Some((latest, path)) = runs.iter().max() else {
        return input(format!("{verb} {shown}: it has no manifest.json, so it is no whole run"));
    };
    let holds = match runs.len() {
        1 => format!("1 run, that of {latest}: name it"),
        count => format!("{}, the latest {latest}: name one", plural(count, "run")),
    };
    input(format!("{verb} {shown}: `{shown}` holds {holds}, as {}", plain_path(path)))
}

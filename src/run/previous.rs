//! The run before: which one a night looks back on, the scores it gave, and the figures of its gates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::day::Day;
use crate::failure::input;
use crate::input::catalog::{Catalog, Delivery, InputFile};
use crate::input::file::OpenFile;
use crate::input::footer_cache::FooterCache;
use crate::job::InputSpec;
use crate::run_dir::gates::GateOutcome;
use crate::run_dir::is_there;
use crate::run_dir::layout::RELEASED;
use crate::run_dir::manifest::{Manifest, PreviousRun};
use crate::run_dir::table_files::{run_of, table_files};

/// An older run says nothing about today.
const OLDEST_DAYS: i32 = 7;

/// The run before, as far as a night reads it.
pub(super) struct EarlierRun {
    /// Where scores of earlier runs lie.
    pub spec: InputSpec,
    /// Its scores; empty where there is no such run.
    pub files: Vec<OpenFile>,
    /// Which run it is.
    pub run: Option<PreviousRun>,
    /// How it did at its gates.
    pub gates: Vec<GateOutcome>,
}

impl EarlierRun {
    /// The latest published run of the days before, if there is one.
    pub fn find(catalog: &Catalog, as_of: Day, footers: &mut FooterCache) -> Result<EarlierRun> {
        let spec = catalog.spec.clone();
        for delivery in catalog.within(as_of.plus(-OLDEST_DAYS), as_of.plus(-1)).iter().rev() {
            let mut found = published_runs(delivery)?;
            let (manifest, files) = match &found[..] {
                [_, _, ..] => return Err(two_runs(delivery, &found[0].1[0], &found[1].1[0])),
                _ => match found.pop() {
                    Some(one) => one,
                    None => continue,
                },
            };
            let files = footers.open(&spec, &[Delivery { files, ..delivery.clone() }])?;
            check_is_of(&manifest, delivery, &files)?;
            let run = PreviousRun { as_of: manifest.as_of, fingerprint: manifest.fingerprint.clone() };
            return Ok(EarlierRun { spec, files, run: Some(run), gates: manifest.gates });
        }
        Ok(EarlierRun { spec, files: Vec::new(), run: None, gates: Vec::new() })
    }
}

/// The published runs that the files of a delivery lie in, each with those of its files.
fn published_runs(delivery: &Delivery) -> Result<Vec<(Manifest, Vec<InputFile>)>> {
    let mut by_run: BTreeMap<PathBuf, Vec<InputFile>> = BTreeMap::new();
    for file in &delivery.files {
        by_run.entry(run_of(&file.path)).or_default().push(file.clone());
    }
    let published = |(run, files): (PathBuf, _)| Ok(published_at(&run)?.map(|manifest| (manifest, files)));
    by_run.into_iter().filter_map(|of_run| published(of_run).transpose()).collect()
}

/// The manifest of the published run in a directory; `None` where there is none.
fn published_at(directory: &Path) -> Result<Option<Manifest>> {
    match Manifest::read(directory)? {
        Some(manifest) if manifest.held && !is_there(&directory.join(RELEASED))? => Ok(None),
        manifest => Ok(manifest),
    }
}

fn two_runs(delivery: &Delivery, a: &InputFile, b: &InputFile) -> anyhow::Error {
    let date = delivery.date.map_or(String::new(), |date| format!(" of {date}"));
    let (a, b) = (a.path.display(), b.path.display());
    input(format!("read previous{date}: there are two runs of that day, {a} and {b}: name the scores of one"))
}

/// Fails where the scores are not those that the manifest beside them lists, all of them.
fn check_is_of(manifest: &Manifest, delivery: &Delivery, files: &[OpenFile]) -> Result<()> {
    let mut listed: Vec<&str> =
        table_files(&manifest.outputs, "scores").iter().map(|output| output.sha256.as_str()).collect();
    listed.sort_unstable();
    let subject = &files[0].subject;
    if Some(manifest.as_of) != delivery.date {
        return Err(input(format!("{subject}: the manifest beside it is of a run of {}", manifest.as_of)));
    }
    for file in files {
        if listed.binary_search(&file.sha256()?).is_err() {
            let subject = &file.subject;
            return Err(input(format!(
                "{subject}: it is not what the manifest beside it tells of: run that night again, or restore it"
            )));
        }
    }
    if files.len() != listed.len() {
        let (found, listed) = (files.len(), listed.len());
        return Err(input(format!(
            "{subject}: the manifest beside it tells of {listed} parts, and {found} are there: run that night again, or restore it"
        )));
    }
    Ok(())
}

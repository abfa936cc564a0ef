//! The run before: which one a night looks back on, the scores it gave, and the figures of its gates.

use std::path::Path;

use anyhow::Result;

use crate::day::Day;
use crate::failure::input;
use crate::input::catalog::{Catalog, Delivery, InputFile};
use crate::input::file::OpenFile;
use crate::input::footer_cache::FooterCache;
use crate::job::InputSpec;
use crate::run_dir::gates::GateOutcome;
use crate::run_dir::layout::RELEASED;
use crate::run_dir::layout::SCORES;
use crate::run_dir::manifest::{Manifest, PreviousRun};

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
            let published =
                |file: &InputFile| Ok(manifest_beside(&file.path)?.map(|found| (found, file.clone())));
            let found: Result<Vec<_>> = delivery.files.iter().map(published).collect();
            let found: Vec<(Manifest, InputFile)> = found?.into_iter().flatten().collect();
            let (manifest, file) = match &found[..] {
                [] => continue,
                [one] => one,
                [(_, a), (_, b), ..] => return Err(two_runs(delivery, a, b)),
            };
            let files = footers.open(&spec, &[Delivery { files: vec![file.clone()], ..delivery.clone() }])?;
            check_is_of(manifest, delivery, &files[0])?;
            let run = PreviousRun { as_of: manifest.as_of, fingerprint: manifest.fingerprint.clone() };
            return Ok(EarlierRun { spec, files, run: Some(run), gates: manifest.gates.clone() });
        }
        Ok(EarlierRun { spec, files: Vec::new(), run: None, gates: Vec::new() })
    }
}

/// The manifest of the published run that a file lies in; `None` where it lies in none.
fn manifest_beside(scores: &Path) -> Result<Option<Manifest>> {
    let directory = scores.parent().unwrap_or(Path::new(""));
    let manifest = Manifest::read(directory)?;
    Ok(manifest.filter(|manifest| !manifest.held || directory.join(RELEASED).exists()))
}

fn two_runs(delivery: &Delivery, a: &InputFile, b: &InputFile) -> anyhow::Error {
    let date = delivery.date.map_or(String::new(), |date| format!(" of {date}"));
    let (a, b) = (a.path.display(), b.path.display());
    input(format!("read previous{date}: there are two runs of that day, {a} and {b}: name the scores of one"))
}

/// Fails where the scores are not those that the manifest beside them lists.
fn check_is_of(manifest: &Manifest, delivery: &Delivery, file: &OpenFile) -> Result<()> {
    let entry = manifest.outputs.iter().find(|output| output.file == SCORES);
    let sha256 = file.sha256()?;
    let why = if Some(manifest.as_of) != delivery.date {
        format!("the manifest beside it is of a run of {}", manifest.as_of)
    } else if entry.is_none_or(|entry| entry.sha256 != sha256) {
        "it is not what the manifest beside it tells of: run that night again, or restore it".to_string()
    } else {
        return Ok(());
    };
    Err(input(format!("{}: {why}", file.subject)))
}

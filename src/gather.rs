//! Makes one file a table of a run whose tables are in parts: byte for byte what one process writes.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::console::plain_path;
use crate::failure::{Kind, failure, input};
use crate::own::{self, Access, OwnRun};
use crate::publish::commit::{Lock, Stage};
use crate::publish::stored_table::StoredTable;
use crate::report;
use crate::run_dir::PublishedRun;
use crate::run_dir::layout::{RELEASED, run_directory};
use crate::run_dir::manifest::{MANIFEST, Manifest, OutputEntry, Timing};
use crate::run_dir::release_note::ReleaseNote;
use crate::run_dir::table_files::{OutputName, TABLES};
use crate::store::is_url;
use crate::verify::contradictions;

/// A run that was gathered.
pub struct Gathered {
    /// Where it lies now.
    pub directory: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Whether it was there already.
    pub was_there: bool,
}

/// Copies a run into an output directory, each table as one file. The same run that is there in parts is
/// replaced; one that is there gathered is left alone; any other is refused.
pub fn gather(run: &Path, out: &Path) -> Result<Gathered> {
    let run = PublishedRun::open(run)?;
    let wrong = contradictions(&run.manifest);
    if !wrong.is_empty() {
        return Err(input(format!("gather {}: {}", run.directory.path().display(), wrong.join("; "))));
    }
    let Manifest { as_of, known_on, .. } = run.manifest;
    let is_released = run.directory.has(RELEASED)?;
    let directory = run_directory(out, as_of, known_on, run.manifest.held && !is_released);
    let access = Access::of_file(&run.directory.path().join(MANIFEST));
    let lock = Lock::take(out, &format!("gathering {as_of}"), access)?;
    let seen = if is_url(&directory) { own::seen_manifest(&directory)? } else { None };
    if let Some(OwnRun { manifest, .. }) = OwnRun::at(&directory)? {
        if manifest.fingerprint != run.manifest.fingerprint {
            let message = format!(
                "gather {as_of}: {} is another run, from other inputs or job files: gather into another directory",
                plain_path(&directory)
            );
            return Err(failure(Kind::Refused, message));
        }
        if is_gathered(&manifest) {
            return Ok(Gathered { directory, manifest, was_there: true });
        }
    }
    let stage = lock.stage()?;
    let mut manifest = Manifest { outputs: write(&run, &stage)?, ..run.manifest.clone() };
    if run.job.report {
        // The page of a run is made before it is known how long the run took.
        let in_the_making = Manifest { timing: Timing::default(), ..manifest.clone() };
        let page = report::page(
            &PublishedRun::in_the_making(&stage.directory(), in_the_making)?,
            report::Beside::Nothing,
        )?;
        manifest.outputs.push(stage.add("report.html", page.as_bytes())?);
    }
    manifest.outputs.sort_by(|a, b| a.file.cmp(&b.file));
    if is_released && !is_url(&directory) {
        manifest.seal()?;
        stage.mark_released(&note_of(&run, &manifest)?)?;
    }
    stage.commit(&mut manifest, &directory, seen.as_ref())?;
    if is_released && is_url(&directory) {
        // Until then it is a held run, which nobody reads.
        own::put_release(&directory, note_of(&run, &manifest)?.as_bytes())?;
    }
    Ok(Gathered { directory, manifest, was_there: false })
}

/// Whether every table is one file.
fn is_gathered(manifest: &Manifest) -> bool {
    let is_one_file =
        |output: &OutputEntry| OutputName::parse(&output.file).is_some_and(|name| name.part.is_none());
    manifest.outputs.iter().all(is_one_file)
}

/// Writes every file but the page and the manifest, and says what they are.
fn write(run: &PublishedRun, stage: &Stage) -> Result<Vec<OutputEntry>> {
    let mut outputs = Vec::new();
    for name in TABLES {
        let table = StoredTable::open(&run.directory, name)?;
        let output = stage.join(&table)?;
        if let Some(csv) = run.job.csv.filter(|_| name == "adjustments") {
            outputs.push(stage.join_csv(&table, csv)?);
        }
        outputs.push(output);
    }
    for (name, source) in run.job.sources.named() {
        outputs.push(stage.add(name, source.text.as_bytes())?);
    }
    Ok(outputs)
}

/// The note that the run was released, of the manifest of the gathered one.
fn note_of(run: &PublishedRun, manifest: &Manifest) -> Result<String> {
    let note = ReleaseNote::of(&run.directory)?;
    let note =
        note.ok_or_else(|| input(format!("read {}: it was not released", run.directory.path().display())))?;
    let note = ReleaseNote { manifest_sha256: manifest.sha256().to_string(), ..note };
    Ok(serde_json::to_string_pretty(&note)? + "\n")
}

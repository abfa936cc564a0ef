//! A night run again from scratch, in a place of its own, and held against what is published, byte by byte.
//!
//! - here: which runs are compared, and what differs;
//! - `tables`: the first row of two tables that differs.

mod tables;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::console::{Progress, plain_path};
use crate::day::Day;
use crate::failure::{Kind, failure, input};
use crate::gather::gather;
use crate::job::RawJob;
use crate::own::unwritable;
use crate::run::{Nights, RunRequest, run};
use crate::run_dir::is_there;
use crate::run_dir::layout::run_directory;
use crate::run_dir::manifest::{MANIFEST, Manifest, OutputEntry, Timing};
use crate::run_dir::table_files::OutputName;
use crate::signal;
use crate::store::is_url;
use tables::first_row;

/// Which night is run again.
#[derive(Debug, Clone)]
pub struct AuditRequest {
    /// The job file.
    pub job: PathBuf,
    /// D.
    pub as_of: Day,
    /// K.
    pub known_on: Day,
    /// Where the run lies, instead of the job's output directory.
    pub out: Option<PathBuf>,
}

/// What has come of it.
#[derive(Debug)]
pub struct Audit {
    /// The run that was there.
    pub directory: PathBuf,
    /// How many files were compared, the manifest among them.
    pub files: usize,
    /// The files that differ, in order of their names, the manifest last.
    pub differences: Vec<FileDifference>,
}

/// A file that is not what it comes to when it is made again.
#[derive(Debug, Serialize)]
pub struct FileDifference {
    /// Its name.
    pub file: String,
    /// The first row that differs, from 0: of a text, the line. `None` where the file is missing, or its rows are the
    /// same and its bytes are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// What is there, and what it comes to.
    pub what: String,
}

/// Runs a night again from scratch and compares all that it publishes with what is there. What it makes is removed.
pub fn audit(request: &AuditRequest, progress: &Progress) -> Result<Audit> {
    let published = published_run(request)?;
    let scratch = tempfile::Builder::new().prefix("rescore-audit-").tempdir();
    let scratch = scratch.context("make a directory to run in").map_err(unwritable)?;
    let again = run_again(request, &scratch.path().join("again"), progress)?;
    let there = whole(&published, &scratch.path().join("gathered"))?;
    let mut audit = compare(&there, &again)?;
    audit.directory = published;
    let removed = scratch.close().context("remove what was made to compare with").map_err(unwritable);
    removed.map(|()| audit)
}

/// The run that is there, published or held.
fn published_run(request: &AuditRequest) -> Result<PathBuf> {
    let draft = RawJob::read(&request.job)?;
    draft.diagnostics.check()?;
    let out = request.out.as_deref().or(draft.output_dir());
    let out = out.context("a job without mistakes has an output directory")?;
    for held in [false, true] {
        let directory = run_directory(out, request.as_of, request.known_on, held);
        if is_there(&directory.join(MANIFEST))? {
            let manifest = read_manifest(&directory)?;
            if let Some(from) = manifest.chain_from {
                let message = format!(
                    "audit {}: it is a day of a simulation from {from}, and only nights can be run again by themselves",
                    plain_path(&directory)
                );
                return Err(failure(Kind::Usage, message));
            }
            return Ok(directory);
        }
    }
    let AuditRequest { as_of, known_on, .. } = request;
    let known = if known_on == as_of { String::new() } else { format!(", known on {known_on},") };
    Err(input(format!("audit {as_of}: no run of that night{known} lies in {}", plain_path(out))))
}

fn read_manifest(directory: &Path) -> Result<Manifest> {
    let missing =
        || input(format!("read {}: it has no manifest.json, so it is no whole run", directory.display()));
    Manifest::read(directory)?.ok_or_else(missing)
}

/// Runs the night in a place of its own; where it lies there.
fn run_again(request: &AuditRequest, out: &Path, progress: &Progress) -> Result<PathBuf> {
    let asked = RunRequest {
        job: request.job.clone(),
        nights: Nights::One { as_of: request.as_of, known_on: request.known_on },
        out: Some(out.to_path_buf()),
        replace: false,
        chain: false,
        from_scratch: true,
        memory_bytes: None,
    };
    let mut made = None;
    run(&asked, progress, &mut |outcome| {
        made = Some(outcome.directory);
        Ok(())
    })?;
    made.context("a run that has ended lies somewhere")
}

/// A run with one file a table on this machine: as it lies, or gathered where it is in parts or in an object store.
fn whole(run: &Path, out: &Path) -> Result<PathBuf> {
    let manifest = read_manifest(run)?;
    let is_plain = |output: &OutputEntry| {
        OutputName::parse(&output.file).is_some_and(|name| name.part.is_none() && name.attempt.is_none())
    };
    if !is_url(run) && manifest.outputs.iter().all(is_plain) {
        return Ok(run.to_path_buf());
    }
    Ok(gather(run, out)?.directory)
}

fn compare(there: &Path, again: &Path) -> Result<Audit> {
    let (old, new) = (read_manifest(there)?, read_manifest(again)?);
    let mut names: Vec<String> =
        old.outputs.iter().chain(&new.outputs).map(|output| output.file.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let mut differences = Vec::new();
    for name in &names {
        signal::check()?;
        let lists = |manifest: &Manifest| manifest.outputs.iter().any(|output| output.file == **name);
        let found = match (lists(&old), lists(&new)) {
            (true, true) => compare_files(name, &there.join(name), &again.join(name))?,
            (true, false) => Some(whole_file(name, "it would not be made now")),
            _ => Some(whole_file(name, "it is not among what is there")),
        };
        differences.extend(found);
    }
    differences.extend(compare_manifests(old, new, differences.is_empty())?);
    Ok(Audit { directory: there.to_path_buf(), files: names.len() + 1, differences })
}

fn whole_file(name: &str, what: &str) -> FileDifference {
    FileDifference { file: name.to_string(), row: None, what: what.to_string() }
}

/// The first difference between two files of a run.
fn compare_files(name: &str, there: &Path, again: &Path) -> Result<Option<FileDifference>> {
    let opened = [there, again]
        .map(|path| File::open(path).map_err(|error| input(format!("read {}: {error}", path.display()))));
    let [one, other] = opened;
    let Ok(one) = one else { return Ok(Some(whole_file(name, "it is missing from what is there"))) };
    if is_same(one, other?).with_context(|| format!("compare {name}"))? {
        return Ok(None);
    }
    if name.ends_with(".parquet") {
        let found = match first_row(there, again) {
            Ok(Some(difference)) => {
                FileDifference { file: name.to_string(), row: Some(difference.row), what: difference.what }
            }
            Ok(None) => {
                whole_file(name, "its rows are the same, its bytes are not: it was written in another way")
            }
            Err(error) => whole_file(name, &format!("it cannot be read: {error:#}")),
        };
        return Ok(Some(found));
    }
    let texts = [there, again].map(|path| std::fs::read(path).unwrap_or_default());
    let [there, again] = texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(Some(first_line(name, &there, &again)))
}

fn is_same(one: File, other: File) -> std::io::Result<bool> {
    const BUFFER_BYTES: usize = 1 << 16;
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) =
        (BufReader::with_capacity(BUFFER_BYTES, one), BufReader::with_capacity(BUFFER_BYTES, other));
    let (mut left, mut right) = (vec![0; BUFFER_BYTES], vec![0; BUFFER_BYTES]);
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..read])?;
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}

/// The first line of two texts that differs.
fn first_line(name: &str, there: &str, again: &str) -> FileDifference {
    /// A line of a page may be long.
    const MOST_SHOWN: usize = 120;
    let shown = |line: Option<&str>| match line {
        None => "no such line".to_string(),
        Some(line) => {
            let cut: String = line.trim().chars().take(MOST_SHOWN).collect();
            format!("`{cut}`")
        }
    };
    let (mut left, mut right) = (there.lines(), again.lines());
    for row in 0.. {
        let (old, new) = (left.next(), right.next());
        if old != new {
            let what = format!("{} is there, it comes to {}", shown(old), shown(new));
            return FileDifference { file: name.to_string(), row: Some(row), what };
        }
        if old.is_none() {
            break;
        }
    }
    whole_file(name, "its lines are the same, their ends are not")
}

/// The first difference of two manifests but for what differs from run to run, and for what they say of files that are
/// told of already.
fn compare_manifests(old: Manifest, new: Manifest, with_outputs: bool) -> Result<Option<FileDifference>> {
    let texts = [old, new].map(|mut manifest| {
        manifest.timing = Timing::default();
        if !with_outputs {
            manifest.outputs.clear();
        }
        serde_json::to_string_pretty(&manifest)
    });
    let [old, new] = texts;
    let (old, new) = (old?, new?);
    Ok((old != new).then(|| first_line(MANIFEST, &old, &new)))
}

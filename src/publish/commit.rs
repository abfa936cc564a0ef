//! Complete or absent: a run is staged beside its place, synced, and renamed into it; one writer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bytesize::ByteSize;
use rayon::prelude::*;

use super::encode::{write_csv, write_parquet};
use super::output_table::OutputTable;
use super::stored_table::StoredTable;
use super::written_file::{PartOfTable, WrittenFile};
use super::{Publication, Results, tables};
use crate::day::{Dates, Day};
use crate::failure::{Failure, Kind, failure, in_order};
use crate::hash::file_hash;
use crate::job::{Csv, Job};
use crate::own::{self, Access, LockFile, OwnRun, Staging};
use crate::places;
use crate::run_dir::layout::{LOCK, RELEASED, SUCCESS, VERSION_KEY, run_directory};
use crate::run_dir::manifest::{MANIFEST, Manifest, OutputEntry};
use crate::store::{StoredObject, is_url};

/// What every table's file says of its run.
fn metadata(job: &Job, dates: Dates) -> Vec<(&'static str, String)> {
    let mut metadata = vec![
        ("rescore.job", job.name.clone()),
        ("rescore.as_of", dates.as_of.to_string()),
        ("rescore.known_on", dates.known_on.to_string()),
        (VERSION_KEY, env!("CARGO_PKG_VERSION").to_string()),
    ];
    metadata.extend(dates.chain_from.map(|from| ("rescore.chain_from", from.to_string())));
    metadata
}

/// Writes a table of a run into a file that must not be there yet.
pub fn write_table(results: &Results, table: &OutputTable, path: &Path) -> Result<WrittenFile> {
    WrittenFile::write(path, results.job.access, |file| {
        write_parquet(table, file, path, &metadata(results.job, results.dates))?;
        Ok(Some(table.rows))
    })
}

/// The output directory, locked against other runs until dropped.
#[derive(Debug)]
pub struct Lock {
    /// None in an object store: there the manifest is put under a condition.
    _file: Option<LockFile>,
    out: PathBuf,
    access: Access,
}

impl Lock {
    /// Takes the lock or fails at once, naming who holds it. Clears what dead runs left staged, and runs
    /// that were replaced long ago.
    pub fn take(out: &Path, what: &str, access: Access) -> Result<Lock> {
        if is_url(out) {
            let scratch = places::scratch(out);
            Staging::clear_left_over(&scratch);
            return Ok(Lock { _file: None, out: out.to_path_buf(), access });
        }
        own::create_directory(out, access)?;
        let file = LockFile::take(&out.join(LOCK), what, access)?;
        Staging::clear_left_over(out);
        own::prune_superseded(out);
        Ok(Lock { _file: Some(file), out: out.to_path_buf(), access })
    }

    /// Moves a held run to where published ones lie, with the note that it was released.
    pub fn release(&self, held: &OwnRun, target: &Path, note: &str) -> Result<()> {
        let OwnRun { directory: held, manifest } = held;
        if is_url(held) {
            return own::release_objects(held, target, manifest, note.as_bytes());
        }
        let staging = Staging::create(&self.out, self.access)?;
        own::release_run(&staging, &self.out, held, target, note.as_bytes())
    }

    /// Removes a run of the program's, at once and whole.
    pub fn remove(&self, run: &OwnRun) -> Result<()> {
        own::remove_run(run, &self.out, self.access)
    }

    /// Clears what attempts at the last nights up to one have left in an object store, which no manifest names.
    pub fn clear_attempts(&self, as_of: Day) {
        /// Attempts at older nights are few, and take up room only.
        const LOOKED_AT_DAYS: i32 = 31;
        if is_url(&self.out) {
            let nights = as_of.plus(-LOOKED_AT_DAYS).to(as_of);
            let both = |night| [false, true].map(|held| run_directory(&self.out, night, night, held));
            own::clear_attempts(&nights.flat_map(both).collect::<Vec<PathBuf>>());
        }
    }

    /// A fresh directory in which to make a run.
    pub fn stage(&self) -> Result<Stage> {
        let staging = Staging::create(&places::scratch(&self.out), self.access)?;
        let attempt = is_url(&self.out).then(own::attempt_name);
        if let Some(attempt) = &attempt {
            own::create_directory(&staging.made().join(attempt), self.access)?;
        }
        Ok(Stage { staging, out: self.out.clone(), attempt, copied: BTreeMap::new() })
    }
}

/// A run in the making; what is not committed is removed.
#[derive(Debug)]
pub struct Stage {
    staging: Staging,
    out: PathBuf,
    /// Where the run's files lie within it, if that is in an object store.
    attempt: Option<String>,
    /// By name, where files lie in an object store that are only copied there.
    copied: BTreeMap<String, PathBuf>,
}

impl Stage {
    /// Where the run is made.
    pub fn directory(&self) -> PathBuf {
        self.staging.made()
    }

    /// Where a file of the run is made.
    fn file(&self, name: &str) -> PathBuf {
        self.directory().join(self.attempt.as_deref().unwrap_or_default()).join(name)
    }

    /// A directory for files that are needed on the way only, and are no part of the run.
    pub fn scratch(&self) -> &Path {
        self.staging.scratch()
    }

    /// Writes every file but the manifest, and says what they are.
    pub fn write(&self, results: &Results) -> Result<Vec<OutputEntry>> {
        let adjusted = tables::adjusted_rows(results);
        let all = [
            tables::adjustments(results, &adjusted),
            tables::decisions(results),
            tables::features(results),
            tables::scores(results),
        ];
        let needed = all.iter().map(OutputTable::bytes_about).sum();
        self.write_all(results, &all).map_err(|error| self.unwritable(error, needed))
    }

    fn write_all(&self, results: &Results, all: &[OutputTable]) -> Result<Vec<OutputEntry>> {
        let metadata = metadata(results.job, results.dates);
        let write_rejects = || {
            let path = self.file("rejects.parquet");
            let file = own::create_file(&path, self.staging.access())?;
            let rows = tables::write_rejects(results.rejects, file, &path, &metadata)?;
            self.entry(&path, Some(rows))
        };
        let write_tables = || {
            in_order(all.par_iter().map(|table| {
                let path = self.file(&format!("{}.parquet", table.name));
                let file = own::create_file(&path, self.staging.access())?;
                write_parquet(table, file, &path, &metadata)?;
                self.entry(&path, Some(table.rows))
            }))
        };
        let write_csv = |csv| {
            let path = self.file("adjustments.csv");
            let file = own::create_file(&path, self.staging.access())?;
            write_csv(&all[0].schema(), all[0].batches(), file, &path, csv)?;
            self.entry(&path, Some(all[0].rows))
        };
        let ((outputs, rejects), csv) = rayon::join(
            || rayon::join(write_tables, write_rejects),
            || results.job.csv.map(write_csv).transpose(),
        );
        let mut outputs = outputs?;
        outputs.push(rejects?);
        outputs.extend(csv?);
        outputs.extend(self.add_job_files(results.job)?);
        outputs.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(outputs)
    }

    fn add_job_files(&self, job: &Job) -> Result<Vec<OutputEntry>> {
        job.sources.named().map(|(name, source)| self.add(name, source.text.as_bytes())).collect()
    }

    /// Takes in tables that lie there already, in parts, and writes every other file but the manifest.
    pub fn write_parts(&mut self, publication: &Publication) -> Result<Vec<OutputEntry>> {
        let Publication { job, dates, tables, rejects } = publication;
        let taken = tables.par_iter().map(|part| {
            self.take(part)?;
            Ok(part.file.as_output(&self.name_of(&self.file(&part.name))))
        });
        let mut outputs = in_order(taken)?;
        let names = outputs.iter().map(|output| output.file.clone());
        self.copied = names.zip(tables.iter().map(|part| part.file.path.clone())).collect();
        self.copied.retain(|_, from| is_url(from));
        let path = self.file("rejects.parquet");
        let file = own::create_file(&path, self.staging.access())?;
        let rows = tables::write_rejects(*rejects, file, &path, &metadata(job, *dates))?;
        outputs.push(self.entry(&path, Some(rows))?);
        outputs.extend(self.add_job_files(job)?);
        outputs.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(outputs)
    }

    /// Takes in a part of a table. Between object stores it is only looked at: it is copied when the run is put there.
    fn take(&self, part: &PartOfTable) -> Result<()> {
        let target = self.file(&part.name);
        if is_url(&self.out) && is_url(&part.file.path) {
            return part.file.check();
        }
        own::create_directory(target.parent().unwrap_or(&target), self.staging.access())?;
        if !is_url(&part.file.path) && own::link_file(&part.file.path, &target) {
            return part.file.check();
        }
        part.file.copy_to(&mut own::create_file(&target, self.staging.access())?)
    }

    /// Writes a table of another run anew, in one file, and says what it is: what the run itself would have written
    /// in one process.
    pub fn join(&self, table: &StoredTable) -> Result<OutputEntry> {
        let path = self.file(&format!("{}.parquet", table.name()));
        let file = own::create_file(&path, self.staging.access()).map_err(own::unwritable)?;
        let rows = table.write(file, &path).map_err(unread_or_unwritable)?;
        self.entry(&path, Some(rows))
    }

    /// Writes adjustments.csv from the adjustments of another run, and says what it is.
    pub fn join_csv(&self, adjustments: &StoredTable, csv: Csv) -> Result<OutputEntry> {
        let path = self.file("adjustments.csv");
        let file = own::create_file(&path, self.staging.access()).map_err(own::unwritable)?;
        let rows = adjustments.write_csv(file, &path, csv).map_err(unread_or_unwritable)?;
        self.entry(&path, Some(rows))
    }

    /// What went wrong with writing; where space is short, with how much is needed.
    fn unwritable(&self, error: anyhow::Error, needed: u64) -> anyhow::Error {
        let Some(what) = own::what_failed(&error).filter(|_| own::is_out_of_space(&error)) else {
            return own::unwritable(error);
        };
        let free =
            own::free_bytes(&self.out).map_or(String::new(), |free| format!(", {} are free", ByteSize(free)));
        let needed = ByteSize(needed);
        failure(
            Kind::Unwritable,
            format!("{what}; the run takes about {needed}{free}: make room and run again"),
        )
    }

    /// Writes one more file, and says what it is.
    pub fn add(&self, name: &str, bytes: &[u8]) -> Result<OutputEntry> {
        let path = self.file(name);
        own::write_file(&path, bytes, self.staging.access())?;
        self.entry(&path, None)
    }

    /// Puts the note of a release beside the run's files, and the marker of a published run.
    pub fn mark_released(&self, note: &str) -> Result<()> {
        let access = self.staging.access();
        own::write_file(&self.directory().join(RELEASED), note.as_bytes(), access)?;
        own::write_file(&self.directory().join(SUCCESS), b"", access)
    }

    /// How the manifest calls a file that is made.
    fn name_of(&self, path: &Path) -> String {
        let name = path.strip_prefix(self.directory()).expect("a file of the run");
        name.to_string_lossy().into_owned()
    }

    fn entry(&self, path: &Path, rows: Option<usize>) -> Result<OutputEntry> {
        let name = self.name_of(path);
        let bytes = fs::metadata(path).with_context(|| format!("look at {}", path.display()));
        let sha256 = file_hash(path).with_context(|| format!("hash {}", path.display()));
        let (bytes, sha256) = (bytes.map_err(own::unwritable)?.len(), sha256.map_err(own::unwritable)?);
        Ok(OutputEntry { file: name, rows: rows.map(|rows| rows as u64), bytes, sha256 })
    }

    /// Writes the manifest last and moves the run to its place, at once and whole. What was there is
    /// replaced, and kept for a while. In an object store, where others may be at it, `seen` is what there was before.
    pub fn commit(self, manifest: &mut Manifest, target: &Path, seen: Option<&StoredObject>) -> Result<()> {
        if is_url(target) {
            return own::put_run(&self.directory(), &self.copied, manifest, target, seen);
        }
        let (directory, access) = (self.directory(), self.staging.access());
        if !manifest.held {
            own::write_file(&directory.join(SUCCESS), b"", access)?;
        }
        own::write_file(&directory.join(MANIFEST), manifest.seal()?.as_bytes(), access)?;
        crate::signal::check()?;
        own::place_run(&self.staging, &self.out, target)
    }
}

/// What went wrong with copying a table: that it cannot be read has nothing to do with where it is copied to.
fn unread_or_unwritable(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Failure>() {
        Ok(failure) => failure.into(),
        Err(error) => own::unwritable(error),
    }
}

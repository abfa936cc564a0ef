//! Complete or absent: a run is staged beside its place, synced, and renamed into it; one writer.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rayon::prelude::*;
use rustix::fs::{CWD, RenameFlags};

use super::manifest::{MANIFEST, Manifest, OutputEntry};
use super::{Results, tables};
use crate::day::Day;
use crate::failure::{Kind, failure, in_order};
use crate::input::file::file_hash;
use crate::job::RUN_FILES;

/// An empty file for readers that look for one.
const SUCCESS: &str = "_SUCCESS";

/// Where runs are staged; left-overs in it are of runs that died.
const STAGING: &str = ".staging";

/// Whoever holds this may write below the output directory.
const LOCK: &str = ".lock";

/// The table that downstream systems and later runs read.
pub const ADJUSTMENTS: &str = "adjustments.parquet";

/// Held runs lie below this.
const HELD: &str = "held";

/// Whether a name within an output directory is the program's own.
pub fn is_own_entry(name: &str) -> bool {
    [STAGING, LOCK, HELD].contains(&name) || name.starts_with("date=") || name.starts_with("known=")
}

/// The directory of a run within an output directory, published or held.
pub fn run_directory(out: &Path, as_of: Day, known_on: Day, held: bool) -> PathBuf {
    let base = if held { out.join(HELD) } else { out.to_path_buf() };
    let base = if known_on == as_of { base } else { base.join(format!("known={known_on}")) };
    base.join(format!("date={as_of}"))
}

/// The output directory, locked against other runs until dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    out: PathBuf,
}

impl Lock {
    /// Takes the lock or fails at once, naming who holds it. Clears what dead runs left staged.
    pub fn take(out: &Path, what: &str) -> Result<Lock> {
        fs::create_dir_all(out).map_err(|error| {
            failure(Kind::Input, format!("create the output directory {}: {error}", out.display()))
        })?;
        let path = out.join(LOCK);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| failure(Kind::Input, format!("open {}: {error}", path.display())))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let message = format!("{} is in use by {}; wait for it", out.display(), holder.trim());
                return Err(failure(Kind::Locked, message));
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("lock {}", path.display()));
            }
        }
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        writeln!(file, "process {} ({what})", std::process::id())?;
        let staging = out.join(STAGING);
        if staging.exists() {
            fs::remove_dir_all(&staging).with_context(|| format!("clear {}", staging.display()))?;
        }
        Ok(Lock { _file: file, out: out.to_path_buf() })
    }

    /// A fresh directory in which to make a run.
    pub fn stage(&self) -> Result<Stage> {
        let directory = self.out.join(STAGING);
        fs::create_dir(&directory).with_context(|| format!("create {}", directory.display()))?;
        Ok(Stage { directory })
    }
}

/// A run in the making; what is not committed is removed.
#[derive(Debug)]
pub struct Stage {
    directory: PathBuf,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Stage {
    /// Writes every file but the manifest, and says what they are.
    pub fn write(&self, results: &Results) -> Result<Vec<OutputEntry>> {
        let dates = results.dates;
        let mut metadata = vec![
            ("rescore.job", results.job.name.clone()),
            ("rescore.as_of", dates.as_of.to_string()),
            ("rescore.known_on", dates.known_on.to_string()),
            ("rescore.version", env!("CARGO_PKG_VERSION").to_string()),
        ];
        metadata.extend(dates.chain_from.map(|from| ("rescore.chain_from", from.to_string())));
        let adjusted = tables::adjusted_rows(results);
        let all = [
            tables::adjustments(results, &adjusted),
            tables::decisions(results),
            tables::features(results),
            tables::scores(results),
        ];
        let write_rejects = || {
            let path = self.directory.join("rejects.parquet");
            let rows = tables::write_rejects(results.rejects, &path, &metadata)?;
            self.entry(&path, Some(rows))
        };
        let write_tables = || {
            in_order(all.par_iter().map(|table| {
                let path = self.directory.join(format!("{}.parquet", table.name));
                tables::write_parquet(table, &path, &metadata)?;
                self.entry(&path, Some(table.rows))
            }))
        };
        let write_csv = |csv| {
            let path = self.directory.join("adjustments.csv");
            tables::write_csv(&all[0], &path, csv)?;
            self.entry(&path, Some(all[0].rows))
        };
        let ((outputs, rejects), csv) = rayon::join(
            || rayon::join(write_tables, write_rejects),
            || results.job.csv.map(write_csv).transpose(),
        );
        let mut outputs = outputs?;
        outputs.push(rejects?);
        outputs.extend(csv?);
        for (name, source) in RUN_FILES.iter().zip(&results.job.sources) {
            let path = self.directory.join(name);
            write_synced(&path, source.text.as_bytes())?;
            outputs.push(self.entry(&path, None)?);
        }
        outputs.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(outputs)
    }

    /// Where the run is made.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes one more file, and says what it is.
    pub fn add(&self, name: &str, bytes: &[u8]) -> Result<OutputEntry> {
        let path = self.directory.join(name);
        write_synced(&path, bytes)?;
        self.entry(&path, None)
    }

    fn entry(&self, path: &Path, rows: Option<usize>) -> Result<OutputEntry> {
        let name = path.file_name().expect("a file of the run").to_string_lossy().into_owned();
        let bytes = fs::metadata(path)?.len();
        let sha256 = file_hash(path).with_context(|| format!("hash {}", path.display()))?;
        Ok(OutputEntry { file: name, rows: rows.map(|rows| rows as u64), bytes, sha256 })
    }

    /// Writes the manifest last and moves the run to its place, at once and whole. What was there is
    /// replaced.
    pub fn commit(self, manifest: &mut Manifest, target: &Path) -> Result<()> {
        write_synced(&self.directory.join(SUCCESS), b"")?;
        replace_file(&self.directory, MANIFEST, manifest.seal()?.as_bytes())?;
        crate::signal::check()?;
        move_directory(&self.directory, target)
    }
}

/// Writes a new file and waits until it is on disk.
fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path).with_context(|| format!("create {}", path.display()))?;
    file.write_all(bytes).with_context(|| format!("write {}", path.display()))?;
    file.sync_all().with_context(|| format!("sync {}", path.display()))
}

/// Puts a whole file under a name in a directory, or leaves what was there.
pub fn replace_file(directory: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let temporary = directory.join(format!(".{name}.new"));
    write_synced(&temporary, bytes)?;
    fs::rename(&temporary, directory.join(name))
        .with_context(|| format!("rename {}", temporary.display()))?;
    sync_directory(directory)
}

fn sync_directory(directory: &Path) -> Result<()> {
    let sync = File::open(directory).and_then(|handle| handle.sync_all());
    sync.with_context(|| format!("sync {}", directory.display()))
}

/// Renames a directory to `target`; one that is there is swapped out and removed.
pub fn move_directory(from: &Path, target: &Path) -> Result<()> {
    let parent = target.parent().expect("a run lies in an output directory");
    fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
    let failed = || format!("move {} to {}", from.display(), target.display());
    match target.exists() {
        false => fs::rename(from, target).with_context(failed)?,
        true => {
            rustix::fs::renameat_with(CWD, from, CWD, target, RenameFlags::EXCHANGE).with_context(failed)?;
            fs::remove_dir_all(from).with_context(|| format!("remove {}", from.display()))?;
        }
    }
    sync_directory(parent)
}

//! A run's directory, held open, or a run in an object store, so that a reader gets one run; and its files, each
//! checked against the manifest.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Error, Result, bail, ensure};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::ParquetMetaData;
use rustix::fs::{AtFlags, Mode, OFlags, openat, statat};
use rustix::io::Errno;

use super::fetch::{FetchedObject, fetch};
use super::listing::no_run;
use crate::failure::{Failure, input};
use crate::hash::hash_of;
use crate::input::footer;
use crate::input::handle::{FileStamp, Handle};
use crate::job::RUN_FILES;
use crate::run_dir::manifest::{MANIFEST, Manifest, OutputEntry, read_regular};
use crate::run_dir::table_files::{OutputName, table_files};
use crate::signal;
use crate::store::{self, is_url};

/// A run's directory. What is read of it is read relative to the directory as it was when it was opened,
/// wherever that has been moved since: another run that takes its place is not seen. Of a run in an object store,
/// what the manifest names stays as it is while another run takes its place.
pub struct RunDirectory {
    path: PathBuf,
    place: RunPlace,
    /// What the manifest says of the files.
    outputs: Vec<OutputEntry>,
    /// Whether files are taken as they are.
    is_unchecked: bool,
}

/// Where the files of a run are.
enum RunPlace {
    /// In a directory, held open.
    Disk {
        handle: OwnedFd,
        /// The files that have been found to be what the manifest says.
        checked: Mutex<BTreeMap<String, FileStamp>>,
    },
    /// In an object store.
    Store {
        /// The last file that was fetched of each table, with its name: tables are often read twice.
        fetched: Mutex<BTreeMap<&'static str, (String, FetchedObject)>>,
    },
}

/// Larger files are fetched again where they are read again: many runs may be open at a time.
const MOST_KEPT_BYTES: u64 = 64 << 20;

const UNLISTED: &str = "the manifest does not list it";

const MISSING: &str = "it is not there";

impl RunDirectory {
    /// Opens a run and reads its manifest. Fails where there is none, as then it is no whole run.
    pub fn open(path: &Path) -> Result<(RunDirectory, Manifest)> {
        let failed = |why: &dyn Display| input(format!("read {}: {why}", path.display()));
        let place = match RunPlace::hold(path) {
            Ok(place) => place,
            Err(Errno::NOENT | Errno::NOTDIR) => return Err(no_run("read", path)),
            Err(error) => return Err(failed(&error)),
        };
        let directory =
            RunDirectory { path: path.to_path_buf(), place, outputs: Vec::new(), is_unchecked: false };
        let failed_manifest = |why: String| input(format!("read {}: {why}", path.join(MANIFEST).display()));
        let text = directory.marker(MANIFEST)?.ok_or_else(|| no_run("read", path))?;
        let manifest = Manifest::parse(&text).map_err(failed_manifest)?;
        Ok((RunDirectory { outputs: manifest.outputs.clone(), ..directory }, manifest))
    }

    /// Opens a run by what its manifest says of its files.
    pub fn of(path: &Path, outputs: &[OutputEntry]) -> Result<RunDirectory> {
        let place =
            RunPlace::hold(path).map_err(|error| input(format!("read {}: {error}", path.display())))?;
        let outputs = outputs.to_vec();
        Ok(RunDirectory { path: path.to_path_buf(), place, outputs, is_unchecked: false })
    }

    /// Likewise; files are taken as they are, whatever is said of their bytes: this process is filling the directory,
    /// or has checked them already.
    pub fn unchecked(path: &Path, outputs: &[OutputEntry]) -> Result<RunDirectory> {
        Ok(RunDirectory { is_unchecked: true, ..RunDirectory::of(path, outputs)? })
    }

    /// Where it lay when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file or a marker of that name lies in it.
    pub fn has(&self, name: &str) -> Result<bool> {
        match &self.place {
            RunPlace::Disk { handle, .. } => Ok(statat(handle, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()),
            RunPlace::Store { .. } => {
                let path = self.path.join(name);
                let found =
                    store::head(&path).map_err(|why| input(format!("read {}: {why}", path.display())));
                Ok(found?.is_some())
            }
        }
    }

    /// Whether it lies in an object store.
    pub fn is_stored(&self) -> bool {
        matches!(self.place, RunPlace::Store { .. })
    }

    /// The files of a table, in order: its only one, or its parts.
    pub fn table(&self, table: &str) -> Result<Vec<&OutputEntry>> {
        let files = table_files(&self.outputs, table);
        if files.is_empty() {
            return Err(self.unlike_manifest(&format!("{table}.parquet"), &UNLISTED));
        }
        Ok(files)
    }

    /// Opens one of the run's files, if it has the bytes that the manifest says it has.
    pub fn file(&self, output: &OutputEntry) -> Result<File> {
        self.checked_file(output).map_err(|error| match error.downcast_ref::<Failure>() {
            Some(_) => error,
            None => self.unlike_manifest(&output.file, &error),
        })
    }

    /// Likewise; an error says why not, in words that follow the name of the file.
    pub fn checked_file(&self, output: &OutputEntry) -> Result<File> {
        signal::check()?;
        match &self.place {
            RunPlace::Disk { handle, checked } => self.file_on_disk(handle, &mut locked(checked), output),
            RunPlace::Store { fetched } => self.file_in_store(&mut locked(fetched), output),
        }
    }

    /// The footer of a table's file, read without a look at its other bytes, which may be others than the manifest says.
    pub fn footer(&self, output: &OutputEntry) -> Result<ParquetMetaData> {
        let RunPlace::Disk { handle, .. } = &self.place else {
            let handle = Handle::open(&self.path.join(&output.file))?;
            return footer::read(&handle).map_err(Error::msg);
        };
        let file = open_regular(handle, &output.file)?.context(MISSING)?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        Ok(ArrowReaderMetadata::load(&file, options)?.metadata().as_ref().clone())
    }

    /// The names of its files that are no parts of tables.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let names = self.outputs.iter().filter_map(|output| OutputName::parse(&output.file));
        names.filter(|name| name.table().is_none()).map(|name| name.rest)
    }

    /// Reads one of the run's texts.
    pub fn text(&self, name: &str) -> Result<String> {
        let is_named =
            |output: &&OutputEntry| OutputName::parse(&output.file).is_some_and(|of| of.rest == name);
        let output = self.outputs.iter().find(is_named);
        let output = output.ok_or_else(|| self.unlike_manifest(name, &UNLISTED))?;
        let mut text = String::new();
        self.file(output)?
            .read_to_string(&mut text)
            .map_err(|error| input(format!("read {}/{name}: {error}", self.path.display())))?;
        Ok(text)
    }

    /// Decimal places of money, as the run's copy of the job file has it; `None` where that is not understood.
    pub fn minor_units(&self) -> Option<u32> {
        let job: toml::Table = self.text(RUN_FILES[0]).ok()?.parse().ok()?;
        u32::try_from(job.get("minor_units")?.as_integer()?).ok()
    }

    /// Reads a text beside the run's files, such as a marker; `None` where there is none.
    pub fn marker(&self, name: &str) -> Result<Option<String>> {
        let path = self.path.join(name);
        let read = match &self.place {
            RunPlace::Disk { handle, .. } => open_regular(handle, name).and_then(|file| {
                let mut text = String::new();
                file.map(|mut file| file.read_to_string(&mut text).map(|_| text))
                    .transpose()
                    .map_err(Error::new)
            }),
            RunPlace::Store { .. } => read_regular(&path).map_err(Error::new),
        };
        read.map_err(|error| input(format!("read {}: {error}", path.display())))
    }

    /// The error of a file that has the bytes that the manifest says it has, and yet cannot be read.
    pub fn unreadable(&self, output: &OutputEntry, why: &dyn Display) -> Error {
        let (run, file) = (self.path.display(), &output.file);
        input(format!("read {run}/{file}: {why}; check the run with `rescore verify {run}`"))
    }

    fn unlike_manifest(&self, name: &str, why: &dyn Display) -> Error {
        let run = self.path.display();
        input(format!(
            "read {run}/{name}: {why}: it is not what its manifest says; look at the run with `rescore verify {run}`"
        ))
    }

    fn file_on_disk(
        &self,
        handle: &OwnedFd,
        checked: &mut BTreeMap<String, FileStamp>,
        output: &OutputEntry,
    ) -> Result<File> {
        let mut file = open_regular(handle, &output.file)?.context(MISSING)?;
        if self.is_unchecked {
            return Ok(file);
        }
        let stamp = FileStamp::of(&file.metadata()?);
        if checked.get(&output.file) == Some(&stamp) {
            return Ok(file);
        }
        check_size(stamp.size, output)?;
        let sha256 = hash_of(|buffer| {
            signal::check()?;
            file.read(buffer).map_err(Error::new)
        })?;
        check_hash(&sha256, output)?;
        file.rewind()?;
        checked.insert(output.file.clone(), stamp);
        Ok(file)
    }

    fn file_in_store(
        &self,
        fetched: &mut BTreeMap<&'static str, (String, FetchedObject)>,
        output: &OutputEntry,
    ) -> Result<File> {
        let table = OutputName::parse(&output.file).and_then(|name| name.table()).unwrap_or_default();
        if let Some((name, known)) = fetched.get(table)
            && *name == output.file
            && let Some(file) = known.reopen()
        {
            return Ok(file);
        }
        let path = self.path.join(&output.file);
        let object = store::head(&path)?.context(MISSING)?;
        check_size(object.size, output)?;
        let found = fetch(&path, &object)?;
        check_hash(&found.sha256, output)?;
        match found.reopen() {
            Some(file) if object.size <= MOST_KEPT_BYTES => {
                fetched.insert(table, (output.file.clone(), found));
                Ok(file)
            }
            _ => Ok(found.file),
        }
    }
}

impl RunPlace {
    fn hold(path: &Path) -> Result<RunPlace, Errno> {
        if is_url(path) {
            return Ok(RunPlace::Store { fetched: Mutex::default() });
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(RunPlace::Disk { handle, checked: Mutex::default() })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check_size(bytes: u64, output: &OutputEntry) -> Result<()> {
    ensure!(bytes == output.bytes, "it has {bytes} bytes, the manifest says {}", output.bytes);
    Ok(())
}

fn check_hash(sha256: &str, output: &OutputEntry) -> Result<()> {
    ensure!(sha256 == output.sha256, "its SHA-256 is another");
    Ok(())
}

/// Opens a regular file of a run, through no link and without waiting for anybody; `None` where there is none.
fn open_regular(run: &OwnedFd, name: &str) -> Result<Option<File>> {
    let (directories, name) = name.rsplit_once('/').map_or((None, name), |(above, name)| (Some(above), name));
    let mut directory: Option<OwnedFd> = None;
    for step in directories.into_iter().flat_map(|above| above.split('/')) {
        let Some(found) = open_within(directory.as_ref().unwrap_or(run), step, OFlags::DIRECTORY)? else {
            return Ok(None);
        };
        directory = Some(found);
    }
    let found = open_within(directory.as_ref().unwrap_or(run), name, OFlags::NONBLOCK)?;
    let Some(file) = found.map(File::from) else { return Ok(None) };
    ensure!(file.metadata()?.is_file(), "it is no regular file");
    Ok(Some(file))
}

/// Opens what lies in a directory, if it is no link; `None` where there is nothing.
fn open_within(directory: &OwnedFd, name: &str, kind: OFlags) -> Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | kind;
    match openat(directory, name, flags, Mode::empty()) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP) => bail!("it is a symbolic link"),
        Err(error) => Err(error.into()),
    }
}

//! A run's directory, held open, so that a reader gets one run; and its files, each checked against the manifest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Result;
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use crate::failure::input;
use crate::hash::hash_of;
use crate::input::handle::FileStamp;
use crate::run_dir::manifest::{MANIFEST, Manifest, OutputEntry};
use crate::run_dir::table_files::{OutputName, table_files};
use crate::signal;

/// A run's directory. What is read of it is read relative to the directory as it was when it was opened,
/// wherever that has been moved since: another run that takes its place is not seen.
pub struct RunDirectory {
    path: PathBuf,
    handle: OwnedFd,
    /// What the manifest says of the files.
    outputs: Vec<OutputEntry>,
    /// Whether files are taken as they are.
    is_unchecked: bool,
    /// The files that have been found to be what the manifest says.
    checked: Mutex<BTreeMap<String, FileStamp>>,
}

impl RunDirectory {
    /// Opens a run and reads its manifest. Fails where there is none, as then it is no whole run.
    pub fn open(path: &Path) -> Result<(RunDirectory, Manifest)> {
        let failed = |why: &dyn std::fmt::Display| input(format!("read {}: {why}", path.display()));
        const NO_RUN: &str = "it has no manifest.json, so it is no whole run";
        let directory = match RunDirectory::hold(path) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR) => return Err(failed(&NO_RUN)),
            Err(error) => return Err(failed(&error)),
        };
        let mut file = match directory.open_regular(MANIFEST) {
            Ok(Some(file)) => file,
            Ok(None) => return Err(failed(&NO_RUN)),
            Err(why) => return Err(input(format!("read {}/{MANIFEST}: {why}", path.display()))),
        };
        let mut text = String::new();
        let manifest = file
            .read_to_string(&mut text)
            .map_err(|error| error.to_string())
            .and_then(|_| Manifest::parse(&text))
            .map_err(|why| input(format!("read {}/{MANIFEST}: {why}", path.display())))?;
        Ok((RunDirectory { outputs: manifest.outputs.clone(), ..directory }, manifest))
    }

    /// A directory whose files are taken as they are, whatever is said of their bytes: this process is filling it,
    /// or has checked them already.
    pub fn unchecked(path: &Path, outputs: &[OutputEntry]) -> Result<RunDirectory> {
        let directory =
            RunDirectory::hold(path).map_err(|error| input(format!("read {}: {error}", path.display())))?;
        Ok(RunDirectory { outputs: outputs.to_vec(), is_unchecked: true, ..directory })
    }

    fn hold(path: &Path) -> Result<RunDirectory, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty())?;
        let path = path.to_path_buf();
        Ok(RunDirectory { path, handle, outputs: Vec::new(), is_unchecked: false, checked: Mutex::default() })
    }

    /// Where it lay when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file or a marker of that name lies in it.
    pub fn has(&self, name: &str) -> bool {
        rustix::fs::statat(&self.handle, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// The files of a table, in order: its only one, or its parts.
    pub fn table(&self, table: &str) -> Result<Vec<&OutputEntry>> {
        let files = table_files(&self.outputs, table);
        if files.is_empty() {
            Err(self.unlike_manifest(&format!("{table}.parquet"), &UNLISTED))
        } else {
            Ok(files)
        }
    }

    /// Opens one of the run's files, if it has the bytes that the manifest says it has.
    pub fn file(&self, output: &OutputEntry) -> Result<File> {
        let name = &output.file;
        let failed = |why: &dyn std::fmt::Display| self.unlike_manifest(name, why);
        let mut file = self.peek(output)?;
        if self.is_unchecked {
            return Ok(file);
        }
        let stamp = file.metadata().map_err(|error| failed(&error))?;
        let stamp = FileStamp::of(&stamp);
        let mut checked = self.checked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if checked.get(name) == Some(&stamp) {
            return Ok(file);
        }
        if stamp.size != output.bytes {
            let why = format!("it has {} bytes, the manifest says {}", stamp.size, output.bytes);
            return Err(failed(&why));
        }
        let sha256 = hash_of(|buffer| {
            signal::check()?;
            file.read(buffer).map_err(|error| failed(&error))
        })?;
        if sha256 != output.sha256 {
            return Err(failed(&"its SHA-256 is another"));
        }
        file.rewind().map_err(|error| failed(&error))?;
        checked.insert(name.to_string(), stamp);
        Ok(file)
    }

    /// Opens one of the run's files without a look at its bytes, which may be others than the manifest says.
    pub fn peek(&self, output: &OutputEntry) -> Result<File> {
        match self.open_regular(&output.file) {
            Ok(Some(file)) => Ok(file),
            Ok(None) => Err(self.unlike_manifest(&output.file, &"it is not there")),
            Err(why) => Err(self.unlike_manifest(&output.file, &why)),
        }
    }

    /// Reads one of the run's texts.
    pub fn text(&self, name: &str) -> Result<String> {
        let is_named =
            |output: &&OutputEntry| OutputName::parse(&output.file).is_some_and(|of| of.rest == name);
        let output =
            self.outputs.iter().find(is_named).ok_or_else(|| self.unlike_manifest(name, &UNLISTED))?;
        let mut text = String::new();
        self.file(output)?
            .read_to_string(&mut text)
            .map_err(|error| input(format!("read {}/{name}: {error}", self.path.display())))?;
        Ok(text)
    }

    /// Reads a text beside the run's files, such as a marker.
    pub fn marker(&self, name: &str) -> Result<String> {
        let failed =
            |why: &dyn std::fmt::Display| input(format!("read {}/{name}: {why}", self.path.display()));
        let mut text = String::new();
        let file = self.open_regular(name).map_err(|why| failed(&why))?;
        let mut file = file.ok_or_else(|| failed(&"it is not there"))?;
        file.read_to_string(&mut text).map_err(|error| failed(&error))?;
        Ok(text)
    }

    /// The error of a file that has the bytes that the manifest says it has, and yet cannot be read.
    pub fn unreadable(&self, output: &OutputEntry, why: &dyn std::fmt::Display) -> anyhow::Error {
        let (run, file) = (self.path.display(), &output.file);
        input(format!("read {run}/{file}: {why}; check the run with `rescore verify {run}`"))
    }

    fn unlike_manifest(&self, name: &str, why: &dyn std::fmt::Display) -> anyhow::Error {
        let run = self.path.display();
        input(format!(
            "read {run}/{name}: {why}: it is not what its manifest says; look at the run with `rescore verify {run}`"
        ))
    }

    /// Opens a regular file, through no link and without waiting for anybody; `None` where there is none.
    fn open_regular(&self, name: &str) -> Result<Option<File>, String> {
        let (directories, name) =
            name.rsplit_once('/').map_or((None, name), |(above, name)| (Some(above), name));
        let mut directory: Option<OwnedFd> = None;
        for step in directories.into_iter().flat_map(|above| above.split('/')) {
            let Some(found) = self.open_within(directory.as_ref(), step, OFlags::DIRECTORY)? else {
                return Ok(None);
            };
            directory = Some(found);
        }
        let found = self.open_within(directory.as_ref(), name, OFlags::NONBLOCK)?;
        let Some(file) = found.map(File::from) else { return Ok(None) };
        let is_file = file.metadata().map_err(|error| error.to_string())?.is_file();
        if is_file { Ok(Some(file)) } else { Err("it is no regular file".to_string()) }
    }

    /// Opens what lies in a directory, or in the run's own, if it is no link; `None` where there is nothing.
    fn open_within(
        &self,
        directory: Option<&OwnedFd>,
        name: &str,
        kind: OFlags,
    ) -> Result<Option<OwnedFd>, String> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | kind;
        match openat(directory.unwrap_or(&self.handle), name, flags, Mode::empty()) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP) => Err("it is a symbolic link".to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

const UNLISTED: &str = "the manifest does not list it";

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
use crate::signal;

/// A run's directory. What is read of it is read relative to the directory as it was when it was opened,
/// wherever that has been moved since: another run that takes its place is not seen.
pub struct RunDirectory {
    path: PathBuf,
    handle: OwnedFd,
    /// What the manifest says of the files; `None` where it is still to be written, by this very process.
    outputs: Option<Vec<OutputEntry>>,
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
        let outputs = Some(manifest.outputs.clone());
        Ok((RunDirectory { outputs, ..directory }, manifest))
    }

    /// A directory whose files are taken as they are: this process is filling it, or has checked them already.
    pub fn unchecked(path: &Path) -> Result<RunDirectory> {
        RunDirectory::hold(path).map_err(|error| input(format!("read {}: {error}", path.display())))
    }

    fn hold(path: &Path) -> Result<RunDirectory, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(RunDirectory { path: path.to_path_buf(), handle, outputs: None, checked: Mutex::default() })
    }

    /// Where it lay when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a file or a marker of that name lies in it.
    pub fn has(&self, name: &str) -> bool {
        rustix::fs::statat(&self.handle, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Opens one of the run's files, if it has the bytes that the manifest says it has.
    pub fn file(&self, name: &str) -> Result<File> {
        let failed = |why: &dyn std::fmt::Display| {
            let run = self.path.display();
            input(format!(
                "read {run}/{name}: {why}: it is not what its manifest says; look at the run with `rescore verify {run}`"
            ))
        };
        let mut file = match self.open_regular(name) {
            Ok(Some(file)) => file,
            Ok(None) => return Err(failed(&"it is not there")),
            Err(why) => return Err(failed(&why)),
        };
        let Some(outputs) = &self.outputs else { return Ok(file) };
        let Some(expected) = outputs.iter().find(|output| output.file == name) else {
            return Err(failed(&"the manifest does not list it"));
        };
        let stamp = file.metadata().map_err(|error| failed(&error))?;
        let stamp = FileStamp::of(&stamp);
        let mut checked = self.checked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if checked.get(name) == Some(&stamp) {
            return Ok(file);
        }
        if stamp.size != expected.bytes {
            let why = format!("it has {} bytes, the manifest says {}", stamp.size, expected.bytes);
            return Err(failed(&why));
        }
        let sha256 = hash_of(|buffer| {
            signal::check()?;
            file.read(buffer).map_err(|error| failed(&error))
        })?;
        if sha256 != expected.sha256 {
            return Err(failed(&"its SHA-256 is another"));
        }
        file.rewind().map_err(|error| failed(&error))?;
        checked.insert(name.to_string(), stamp);
        Ok(file)
    }

    /// Reads one of the run's texts.
    pub fn text(&self, name: &str) -> Result<String> {
        let mut text = String::new();
        self.file(name)?
            .read_to_string(&mut text)
            .map_err(|error| input(format!("read {}/{name}: {error}", self.path.display())))?;
        Ok(text)
    }

    /// Opens a regular file, through no link and without waiting for anybody; `None` where there is none.
    fn open_regular(&self, name: &str) -> Result<Option<File>, String> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.handle, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err("it is a symbolic link".to_string()),
            Err(error) => return Err(error.to_string()),
        };
        let is_file = file.metadata().map_err(|error| error.to_string())?.is_file();
        if is_file { Ok(Some(file)) } else { Err("it is no regular file".to_string()) }
    }
}

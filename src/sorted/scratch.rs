//! A file without a name for sorted rows that do not fit in memory; it goes with the run.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};

/// The file, once there is need of it.
#[derive(Debug)]
pub struct Scratch {
    directory: PathBuf,
    held: Mutex<Option<ScratchFile>>,
}

#[derive(Debug)]
struct ScratchFile {
    file: Arc<File>,
    length: u64,
}

/// Bytes of the file from an offset on.
#[derive(Debug, Clone)]
pub struct Region {
    file: Arc<File>,
    start: u64,
}

impl Scratch {
    /// None yet; it will lie in a directory.
    pub fn in_directory(directory: &Path) -> Scratch {
        Scratch { directory: directory.to_path_buf(), held: Mutex::default() }
    }

    /// Adds bytes at the end.
    pub fn append(&self, bytes: &[u8]) -> Result<Region> {
        let appended = self.try_append(bytes);
        appended.with_context(|| format!("keep sorted rows below {}", self.directory.display()))
    }

    fn try_append(&self, bytes: &[u8]) -> io::Result<Region> {
        let mut held = self.held.lock().expect("no thread panicked");
        if held.is_none() {
            *held = Some(ScratchFile { file: Arc::new(tempfile::tempfile_in(&self.directory)?), length: 0 });
        }
        let Some(ScratchFile { file, length }) = held.as_mut() else { unreachable!("it has just been made") };
        file.write_all_at(bytes, *length)?;
        let region = Region { file: file.clone(), start: *length };
        *length += bytes.len() as u64;
        Ok(region)
    }
}

impl Region {
    /// Reads exactly as many bytes as a buffer takes.
    pub fn read_into(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(bytes, self.start + offset)
    }
}

//! Files that a process leaves for another: known by size and hash.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::failure::input;
use crate::hash::{Sha256, hash_of};
use crate::own::{self, Access};
use crate::run_dir::manifest::OutputEntry;
use crate::store;

/// A file that a process has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes.
    pub bytes: u64,
    /// Of its bytes.
    pub sha256: String,
    /// Rows, of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// A part of a run's table.
#[derive(Debug, Clone)]
pub struct PartOfTable {
    /// Its name within the run.
    pub name: String,
    /// Where it lies until the run is published.
    pub file: WrittenFile,
}

impl WrittenFile {
    /// Writes a file that must not be there yet, there or in an object store; `write` gets it, and says how many rows
    /// it has.
    pub fn write(
        path: &Path,
        access: Access,
        write: impl FnOnce(File) -> Result<Option<usize>>,
    ) -> Result<WrittenFile> {
        let is_url = store::is_url(path);
        let mut file = if is_url {
            tempfile::tempfile().context("make a file in the temporary directory")?
        } else {
            own::create_file(path, access)?
        };
        let of = path.display();
        let rows = write(file.try_clone().with_context(|| format!("write {of}"))?)?;
        let bytes = file.metadata().with_context(|| format!("look at {of}"))?.len();
        file.rewind().with_context(|| format!("hash {of}"))?;
        let sha256 = hash_of(|buffer| file.read(buffer)).with_context(|| format!("hash {of}"))?;
        if is_url {
            store::upload(path, &file).with_context(|| format!("write {of}"))?;
        }
        Ok(WrittenFile { path: path.to_path_buf(), bytes, sha256, rows: rows.map(|rows| rows as u64) })
    }

    /// Writes bytes likewise.
    pub fn write_bytes(path: &Path, bytes: &[u8], access: Access) -> Result<WrittenFile> {
        WrittenFile::write(path, access, |mut file| {
            file.write_all(bytes).with_context(|| format!("write {}", path.display()))?;
            Ok(None)
        })
    }

    /// As a file of a run, of that name.
    pub fn as_output(&self, name: &str) -> OutputEntry {
        let WrittenFile { bytes, rows, .. } = *self;
        OutputEntry { file: name.to_string(), rows, bytes, sha256: self.sha256.clone() }
    }

    /// Fails where the file is not as it was written.
    pub fn check(&self) -> Result<()> {
        self.each_piece(|_| Ok(()))
    }

    /// Its bytes, if they are as they were written.
    pub fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.each_piece(|piece| {
            bytes.extend(piece);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Copies it to a file, if it is as it was written.
    pub fn copy_to(&self, file: &mut File) -> Result<()> {
        self.each_piece(|piece| file.write_all(piece))
    }

    /// Calls `each` with its bytes, piece by piece; fails, at the end, where they are not as they were written.
    fn each_piece(&self, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> Result<()> {
        let not_as_written =
            |why: String| input(format!("read {}: {why}: run its step again", self.path.display()));
        let (mut hasher, mut bytes, mut passed) = (Sha256::default(), 0, Ok(()));
        let take = |piece: &[u8]| {
            hasher.update(piece);
            bytes += piece.len() as u64;
            if passed.is_ok() {
                passed = each(piece);
            }
        };
        self.stream(take).map_err(|error| not_as_written(error.to_string()))?;
        passed.with_context(|| format!("copy {}", self.path.display()))?;
        if bytes != self.bytes {
            return Err(not_as_written(format!("it has {bytes} bytes, its step wrote {}", self.bytes)));
        }
        if hasher.hex() != self.sha256 {
            return Err(not_as_written("its bytes are not those that its step wrote".to_string()));
        }
        Ok(())
    }

    fn stream(&self, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        if store::is_url(&self.path) {
            let object = store::head(&self.path)?.ok_or_else(|| io::Error::other("it is not there"))?;
            return store::stream(&self.path, &object, each);
        }
        let mut file = File::open(&self.path)?;
        let mut piece = vec![0; 1 << 18];
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(()),
                length => each(&piece[..length]),
            }
        }
    }
}

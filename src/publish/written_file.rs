//! Files that a process leaves for another: known by size and hash.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::failure::input;
use crate::hash::file_hash;
use crate::run_dir::manifest::OutputEntry;

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
    /// A file that has just been written.
    pub fn of(path: &Path, rows: Option<usize>) -> Result<WrittenFile> {
        let bytes = path.metadata().with_context(|| format!("look at {}", path.display()))?.len();
        let sha256 = file_hash(path).with_context(|| format!("hash {}", path.display()))?;
        Ok(WrittenFile { path: path.to_path_buf(), bytes, sha256, rows: rows.map(|rows| rows as u64) })
    }

    /// As a file of a run, of that name.
    pub fn as_output(&self, name: &str) -> OutputEntry {
        let WrittenFile { bytes, rows, .. } = *self;
        OutputEntry { file: name.to_string(), rows, bytes, sha256: self.sha256.clone() }
    }

    /// Fails where the file is not as it was written.
    pub fn check(&self) -> Result<()> {
        let not_as_written =
            |why: String| input(format!("read {}: {why}: run its step again", self.path.display()));
        let bytes = self.path.metadata().map_err(|error| not_as_written(error.to_string()))?.len();
        if bytes != self.bytes {
            return Err(not_as_written(format!("it has {bytes} bytes, its step wrote {}", self.bytes)));
        }
        let sha256 = file_hash(&self.path).map_err(|error| not_as_written(error.to_string()))?;
        if sha256 != self.sha256 {
            return Err(not_as_written("its bytes are not those that its step wrote".to_string()));
        }
        Ok(())
    }

    /// Its bytes, if they are as they were written.
    pub fn read(&self) -> Result<Vec<u8>> {
        self.check()?;
        std::fs::read(&self.path).with_context(|| format!("read {}", self.path.display()))
    }
}

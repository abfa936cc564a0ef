//! A job file's text, as it was read.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::failure::{self, Kind};
use crate::store::{self, is_url};

/// A job file as read.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the operator would name it.
    pub path: PathBuf,
    /// Its bytes, unchanged.
    pub text: String,
}

/// The files of a job.
#[derive(Debug, Clone)]
pub struct JobSources {
    /// The job file.
    pub job: Source,
    /// Its scorecard.
    pub scorecard: Source,
    /// Its policy.
    pub policy: Source,
    /// The scorecards of its segments, then those of its challenger.
    pub others: Vec<OtherSource>,
}

/// A file of a job besides the three that every job has.
#[derive(Debug, Clone)]
pub struct OtherSource {
    /// The name under which a run keeps it.
    pub name: String,
    /// As it was read.
    pub source: Source,
}

/// The names under which a run keeps the files that every job has.
pub const RUN_FILES: [&str; 3] = ["job.toml", "scorecard.toml", "policy.toml"];

impl JobSources {
    /// All of them, by the names under which a run keeps them.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Source)> {
        let every = RUN_FILES.into_iter().zip([&self.job, &self.scorecard, &self.policy]);
        every.chain(self.others.iter().map(|other| (other.name.as_str(), &other.source)))
    }

    /// One besides the three that every job has.
    pub fn other(&self, name: &str) -> Option<&Source> {
        self.others.iter().find(|other| other.name == name).map(|other| &other.source)
    }
}

/// Larger than any job file that a person keeps.
const MOST_BYTES: u64 = 1 << 20;

impl Source {
    /// Reads a job file: a regular one, of UTF-8, not without end.
    pub fn read(path: &Path) -> anyhow::Result<Source> {
        let bytes = if is_url(path) { read_object(path)? } else { read_file(path)? };
        if bytes.len() as u64 > MOST_BYTES {
            return Err(too_large(path));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            let why = format!("line {line}, byte {at}: 0x{:02X} is not UTF-8; save it as UTF-8", bytes[at]);
            failed(path, &why)
        })?;
        Ok(Source { path: path.to_path_buf(), text })
    }
}

/// No more than one byte more than may be.
fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    // Looked at before it is opened: opening a FIFO waits for whoever writes to it.
    let metadata = fs::metadata(path).map_err(|error| failed(path, &error.to_string()))?;
    if !metadata.is_file() {
        return Err(failed(path, "it is no regular file"));
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| failed(path, &error.to_string()))?;
    Ok(bytes)
}

fn read_object(path: &Path) -> anyhow::Result<Vec<u8>> {
    let found = store::head(path).map_err(|error| failed(path, &error.to_string()))?;
    if found.is_some_and(|object| object.size > MOST_BYTES) {
        return Err(too_large(path));
    }
    let read = store::read(path).map_err(|error| failed(path, &error.to_string()))?;
    let (bytes, _) = read.ok_or_else(|| failed(path, "there is no such object"))?;
    Ok(bytes)
}

fn too_large(path: &Path) -> anyhow::Error {
    failed(path, &format!("it has more than {MOST_BYTES} bytes; is it a job file?"))
}

fn failed(path: &Path, why: &str) -> anyhow::Error {
    failure::failure(Kind::Usage, format!("read job file {}: {why}", path.display()))
}

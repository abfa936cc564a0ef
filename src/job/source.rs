//! A job file's text, as it was read.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::failure::{self, Kind};

/// A job file as read.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the operator would name it.
    pub path: PathBuf,
    /// Its bytes, unchanged.
    pub text: String,
}

/// Larger than any job file that a person keeps.
const MOST_BYTES: u64 = 1 << 20;

impl Source {
    /// Reads a job file: a regular one, of UTF-8, not without end.
    pub fn read(path: &Path) -> anyhow::Result<Source> {
        // Looked at before it is opened: opening a FIFO waits for whoever writes to it.
        let metadata = fs::metadata(path).map_err(|error| failed(path, &error.to_string()))?;
        if !metadata.is_file() {
            return Err(failed(path, "it is no regular file"));
        }
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
        read.map_err(|error| failed(path, &error.to_string()))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(failed(path, &format!("it has more than {MOST_BYTES} bytes; is it a job file?")));
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

fn failed(path: &Path, why: &str) -> anyhow::Error {
    failure::failure(Kind::Usage, format!("read job file {}: {why}", path.display()))
}

//! An object fetched whole into a file without a name, which goes with the process.

use std::fs::File;
use std::io::{Error, Result, Seek, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

use crate::hash::Sha256;
use crate::store::{self, StoredObject};

/// An object on this machine.
#[derive(Debug)]
pub struct FetchedObject {
    /// Its bytes, to be read from the first.
    pub file: File,
    /// SHA-256 of them, in hex.
    pub sha256: String,
}

/// Fetches an object as it was when it was looked at into the temporary directory. It is an error if another one lies
/// there by now.
pub fn fetch(path: &Path, object: &StoredObject) -> Result<FetchedObject> {
    let mut file = tempfile::tempfile().map_err(|error| unwritten(&error))?;
    let mut hasher = Sha256::default();
    let mut written = Ok(());
    store::stream(path, object, |piece| {
        if written.is_ok() {
            hasher.update(piece);
            written = file.write_all(piece);
        }
    })?;
    written.and_then(|()| file.rewind()).map_err(|error| unwritten(&error))?;
    Ok(FetchedObject { file, sha256: hasher.hex() })
}

fn unwritten(error: &Error) -> Error {
    let directory = std::env::temp_dir();
    Error::new(error.kind(), format!("it cannot be fetched into {}: {error}", directory.display()))
}

impl FetchedObject {
    /// The file once more, with a position of its own; `None` where the system cannot open a file that has no name.
    pub fn reopen(&self) -> Option<File> {
        File::open(format!("/proc/self/fd/{}", self.file.as_raw_fd())).ok()
    }
}

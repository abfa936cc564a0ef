//! The files that steps leave each other: each is written under a name of its own, and found by what its step reports.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::own::{self, Access};
use crate::store;

/// Reads a small file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !store::is_url(path) {
        return std::fs::read(path);
    }
    let read = store::read(path)?.map(|(bytes, _)| bytes);
    read.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it is not there"))
}

/// Puts a small file in its place at once and whole, whatever was there.
pub fn put(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    if !store::is_url(path) {
        return own::put_file(path, bytes, access);
    }
    store::put(path, bytes.to_vec()).with_context(|| format!("write {}", path.display()))
}

/// A fresh directory below one, for what a try of a step writes.
pub fn attempt(directory: &Path, access: Access) -> Result<PathBuf> {
    let path = directory.join(own::attempt_name());
    if !store::is_url(&path) {
        own::create_directory(&path, access)?;
    }
    Ok(path)
}

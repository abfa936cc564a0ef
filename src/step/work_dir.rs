//! The files that steps leave each other: each is written under a name of its own, and found by what its step reports.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::own::{self, Access};

/// Reads a small file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
}

/// Puts a small file in its place at once and whole, whatever was there.
pub fn put(path: &Path, bytes: &[u8], access: Access) -> Result<()> {
    own::put_file(path, bytes, access)
}

/// A fresh directory below one, for what a try of a step writes.
pub fn attempt(directory: &Path, access: Access) -> Result<PathBuf> {
    let path = directory.join(own::unique_name());
    own::create_directory(&path, access)?;
    Ok(path)
}

//! A file of a table: opening it, wherever it lies, and how trouble with it is said.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use super::cells::FileColumn;
use crate::failure::input;
use crate::input::handle::open_regular;
use crate::run_dir::fetch::fetch;
use crate::store::{self, is_url};

/// Opens a regular file, or an object, which is fetched.
pub fn open_file(path: &Path) -> std::io::Result<File> {
    if !is_url(path) {
        return open_regular(path);
    }
    let object = store::head(path)?.ok_or_else(|| std::io::Error::other("it is not there"))?;
    Ok(fetch(path, &object)?.file)
}

/// That a file cannot be read; `subject` names it.
pub fn unreadable(subject: &str, error: impl std::fmt::Display) -> anyhow::Error {
    input(format!("{subject}: it cannot be read: {error}"))
}

/// A name that two columns have.
pub fn repeated_name(columns: &[FileColumn]) -> Option<&str> {
    let mut seen = HashSet::new();
    columns.iter().map(|column| column.name.as_str()).find(|name| !seen.insert(*name))
}

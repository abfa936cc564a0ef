//! A build without object stores: everything fails with one sentence.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;

use super::location::check;
use super::object::{PendingRanges, StoredName, StoredObject};

fn none<T>(path: &Path) -> Result<T> {
    check(path)?;
    Err(Error::new(ErrorKind::Unsupported, "this build has no object stores"))
}

/// How many bytes this process has had from stores.
pub fn bytes_read() -> u64 {
    0
}

/// What lies at a URL.
pub fn head(path: &Path) -> Result<Option<StoredObject>> {
    none(path)
}

/// The names in a directory.
pub fn names_in(directory: &Path) -> Result<Vec<StoredName>> {
    none(directory)
}

/// Every object below a directory.
pub fn objects_below(directory: &Path) -> Result<BTreeMap<String, StoredObject>> {
    none(directory)
}

/// A small object whole.
pub fn read(path: &Path) -> Result<Option<(Vec<u8>, StoredObject)>> {
    none(path)
}

/// Ranges of an object.
pub fn read_ranges(path: &Path, _: &StoredObject, _: &[Range<u64>]) -> Result<Vec<Bytes>> {
    none(path)
}

/// Begins to fetch ranges.
pub fn begin_ranges(path: &Path, _: &StoredObject, _: &[Range<u64>]) -> Result<PendingRanges> {
    none(path)
}

/// All of an object in order.
pub fn stream(path: &Path, _: &StoredObject, _: impl FnMut(&[u8])) -> Result<()> {
    none(path)
}

/// Puts an object.
pub fn put(path: &Path, _: Vec<u8>) -> Result<()> {
    none(path)
}

/// Puts an object where none is.
pub fn put_new(path: &Path, _: Vec<u8>) -> Result<()> {
    none(path)
}

/// Puts an object in the place of another.
pub fn put_instead(path: &Path, _: Vec<u8>, _: &StoredObject) -> Result<()> {
    none(path)
}

/// Puts a file.
pub fn upload(path: &Path, _: &File) -> Result<()> {
    none(path)
}

/// Copies an object.
pub fn copy(from: &Path, _: &Path) -> Result<()> {
    none(from)
}

/// Removes an object.
pub fn remove(path: &Path) -> Result<()> {
    none(path)
}

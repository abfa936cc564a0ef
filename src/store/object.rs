//! What a store says of an object, and what is on its way of it.

use std::fmt;
use std::io::Result;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// An object as it was when it was looked at; one that is put in its place has another tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StoredObject {
    /// Bytes.
    pub size: u64,
    /// Its ETag, in quotes.
    pub tag: String,
    /// What some stores number its versions by.
    pub version: Option<String>,
    /// When it was put, in seconds since 1970: a listing and a header agree in nothing finer.
    pub modified: i64,
}

/// A name in a directory: the steps between two slashes of the keys of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredName {
    /// The step.
    pub name: String,
    /// Whether keys go on behind it. An object of the same name is listed by itself.
    pub is_directory: bool,
    /// The object; none of a directory.
    pub object: Option<StoredObject>,
}

/// Ranges of an object that are being fetched.
pub struct PendingRanges(pub(super) Box<dyn FnOnce() -> Result<Vec<Bytes>> + Send>);

impl PendingRanges {
    /// Waits for them.
    pub fn wait(self) -> Result<Vec<Bytes>> {
        (self.0)()
    }
}

impl fmt::Debug for PendingRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingRanges")
    }
}

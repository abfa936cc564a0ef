//! Object stores: what lies at `s3://`, `gs://` and `az://`, read by ranges and put under conditions.
//!
//! A location is a path that holds a plain path or a URL as text; [`is_url`] tells them apart. Everything
//! here takes URLs only, blocks until it is done, and fails with one sentence that does not name the URL:
//! whoever asked does. Credentials come from the environment or the instance.
//!
//! - `location`: URLs taken apart;
//! - `object`: what a store says of an object;
//! - `bucket`: the connection to a bucket, its retries, and the runtime that waits for answers;
//! - `sentence`: errors in plain words;
//! - `read`: sizes, listings, ranges, whole objects;
//! - `write`: puts with and without conditions, uploads, copies, removal.

#[cfg(not(feature = "object-stores"))]
mod absent;
#[cfg(feature = "object-stores")]
mod bucket;
mod location;
mod object;
#[cfg(feature = "object-stores")]
mod read;
#[cfg(feature = "object-stores")]
mod sentence;
#[cfg(feature = "object-stores")]
mod write;

#[cfg(not(feature = "object-stores"))]
pub use absent::{
    begin_ranges, bytes_read, copy, head, names_in, objects_below, put, put_instead, put_new, read,
    read_ranges, remove, stream, upload,
};
pub use location::{check, is_url};
pub use object::{PendingRanges, StoredName, StoredObject};
#[cfg(feature = "object-stores")]
pub use read::{begin_ranges, bytes_read, head, names_in, objects_below, read, read_ranges, stream};
#[cfg(feature = "object-stores")]
pub use write::{copy, put, put_instead, put_new, remove, upload};

//! Writing to a store: puts with and without a condition, large files in parts, copies, removal.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use object_store::{MultipartUpload, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};

use super::bucket::Place;
use super::object::StoredObject;
use super::read::{head, stream};

/// A file that is larger is put in parts of so many bytes, or more where stores take no more of them.
const PART_BYTES: u64 = 16 << 20;

/// Stores take 10,000 parts at most.
const MOST_PARTS: u64 = 9_000;

/// Parts under way at a time.
const AT_ONCE: usize = 4;

/// Larger objects cannot be copied by the store itself.
const MOST_COPIED_BYTES: u64 = 5 << 30;

/// Puts an object, in the place of one that is there.
pub fn put(path: &Path, bytes: Vec<u8>) -> Result<()> {
    let place = Place::of(path)?;
    let bytes = PutPayload::from(bytes);
    place.wait_again(|| place.store.put(&place.key, bytes.clone())).map(drop)
}

/// Puts an object where none is; [`ErrorKind::AlreadyExists`] if one is. After that error, and after any other,
/// it may be this one: answers get lost.
pub fn put_new(path: &Path, bytes: Vec<u8>) -> Result<()> {
    put_if(path, bytes, PutMode::Create)
}

/// Puts an object in the place of one that was seen; [`ErrorKind::AlreadyExists`] if it is another by now.
pub fn put_instead(path: &Path, bytes: Vec<u8>, seen: &StoredObject) -> Result<()> {
    let version = UpdateVersion { e_tag: Some(seen.tag.clone()), version: seen.version.clone() };
    put_if(path, bytes, PutMode::Update(version)).map_err(|error| match error.kind() {
        ErrorKind::StaleNetworkFileHandle | ErrorKind::NotFound => {
            Error::new(ErrorKind::AlreadyExists, "it was replaced meanwhile")
        }
        _ => error,
    })
}

fn put_if(path: &Path, bytes: Vec<u8>, mode: PutMode) -> Result<()> {
    let place = Place::of(path)?;
    place.wait(place.store.put_opts(&place.key, bytes.into(), mode.into())).map(drop)
}

/// Puts a file, from its first byte to its last, in the place of what is there. Readers see all of it or nothing.
pub fn upload(path: &Path, file: &File) -> Result<()> {
    let size = file.metadata()?.len();
    if size <= PART_BYTES {
        return put(path, read_part(file, 0, size)?);
    }
    let place = Place::of(path)?;
    let mut parts = place.wait(place.store.put_multipart(&place.key))?;
    let sent = send_parts(&place, &mut *parts, file, size);
    match sent {
        Ok(()) => place.wait(parts.complete()).map(drop),
        Err(error) => {
            // What has been sent of it is not to be paid for; the error that matters is the first.
            let _ = place.wait(parts.abort());
            Err(error)
        }
    }
}

fn send_parts(place: &Place, parts: &mut dyn MultipartUpload, file: &File, size: u64) -> Result<()> {
    let part = PART_BYTES.max(size.div_ceil(MOST_PARTS));
    let mut failed = None;
    let starts = (0..size).step_by(part as usize);
    let sent = starts.map_while(|start| match read_part(file, start, part.min(size - start)) {
        Ok(bytes) => Some(parts.put_part(bytes.into())),
        Err(error) => {
            failed = Some(error);
            None
        }
    });
    place.wait(futures_util::stream::iter(sent).buffered(AT_ONCE).try_collect::<Vec<()>>())?;
    failed.map_or(Ok(()), Err)
}

fn read_part(file: &File, start: u64, length: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes)
}

/// Copies an object within a bucket, in the place of what is there.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let (source, target) = (Place::of(from)?, Place::of(to)?);
    let object = head(from)?.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such object"))?;
    if Arc::ptr_eq(&source.store, &target.store) && object.size <= MOST_COPIED_BYTES {
        return target.wait_again(|| target.store.copy(&source.key, &target.key));
    }
    let mut file = tempfile::tempfile()?;
    let mut written = Ok(());
    stream(from, &object, |bytes| {
        if written.is_ok() {
            written = std::io::Write::write_all(&mut file, bytes);
        }
    })?;
    written?;
    upload(to, &file)
}

/// Removes an object; none is as good.
pub fn remove(path: &Path) -> Result<()> {
    let place = Place::of(path)?;
    match place.wait_again(|| place.store.delete(&place.key)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

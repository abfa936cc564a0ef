//! Reading from a store: what is there, ranges of an object, all of it.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, coalesce_ranges};

use super::bucket::{Place, begin, wait};
use super::object::{PendingRanges, StoredName, StoredObject};
use super::sentence;

/// What this process has had from stores.
static BYTES_READ: AtomicU64 = AtomicU64::new(0);

/// How many bytes this process has had from stores.
pub fn bytes_read() -> u64 {
    BYTES_READ.load(Ordering::Relaxed)
}

/// Ranges that lie no further apart are fetched by one request: to ask once more takes about as long.
const GAP_BYTES: u64 = 1 << 20;

/// No request asks for more, so that it is done before a connection is given up.
const REQUEST_BYTES: u64 = 8 << 20;

/// Requests for one object that are under way at a time.
const AT_ONCE: usize = 4;

/// What lies at a URL; `None` where nothing does.
pub fn head(path: &Path) -> Result<Option<StoredObject>> {
    let place = Place::of(path)?;
    found(place.wait_again(|| place.store.head(&place.key)).map(|meta| stored(&meta)))
}

/// The names in a directory, sorted; none where nothing lies in it.
pub fn names_in(directory: &Path) -> Result<Vec<StoredName>> {
    let place = Place::of(directory)?;
    let listed = place.wait_again(|| place.store.list_with_delimiter(Some(&place.key)))?;
    let last = |key: &Key| key.filename().unwrap_or_default().to_string();
    let directories = listed.common_prefixes.iter();
    let directories = directories.map(|key| StoredName { name: last(key), is_directory: true, object: None });
    // Some writers put an empty object for the directory itself.
    let objects = listed.objects.iter().filter(|meta| meta.location != place.key).map(|meta| StoredName {
        name: last(&meta.location),
        is_directory: false,
        object: Some(stored(meta)),
    });
    let mut names: Vec<StoredName> = directories.chain(objects).collect();
    names.sort();
    Ok(names)
}

/// Every object below a directory, however deep, by the rest of its key.
pub fn objects_below(directory: &Path) -> Result<BTreeMap<String, StoredObject>> {
    let place = Place::of(directory)?;
    let listed: Vec<ObjectMeta> = place.wait_again(|| place.store.list(Some(&place.key)).try_collect())?;
    let skipped = if place.key.as_ref().is_empty() { 0 } else { place.key.as_ref().len() + 1 };
    let below = listed.iter().filter_map(|meta| {
        let rest = meta.location.as_ref().get(skipped..).filter(|rest| !rest.is_empty())?;
        Some((rest.to_string(), stored(meta)))
    });
    Ok(below.collect())
}

/// A small object whole; `None` where there is none.
pub fn read(path: &Path) -> Result<Option<(Vec<u8>, StoredObject)>> {
    let place = Place::of(path)?;
    found(place.wait(async {
        let got = place.store.get(&place.key).await?;
        let object = stored(&got.meta);
        let bytes = got.bytes().await?;
        BYTES_READ.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok((Vec::from(bytes), object))
    }))
}

/// Ranges of an object, in the order in which they are asked for; those that lie close together are fetched
/// as one. It is an error if another object lies there by now.
pub fn read_ranges(path: &Path, object: &StoredObject, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
    begin_ranges(path, object, ranges)?.wait()
}

/// Begins to fetch ranges, as [`read_ranges`] does, and goes on at once.
pub fn begin_ranges(path: &Path, object: &StoredObject, ranges: &[Range<u64>]) -> Result<PendingRanges> {
    let place = Place::of(path)?;
    let (object, bucket, ranges) = (object.clone(), place.bucket.clone(), ranges.to_vec());
    let wanted = ranges.clone();
    let fetched = begin(async move {
        coalesce_ranges(&wanted, |range| fetch_large(&place, &object, range), GAP_BYTES).await
    })?;
    Ok(PendingRanges(Box::new(move || {
        let fetched = wait(fetched)?.map_err(Error::other)?;
        let fetched = fetched.map_err(|error| sentence::of(&bucket, &error))?;
        let is_whole = |(range, bytes): (&Range<u64>, &Bytes)| bytes.len() as u64 == range.end - range.start;
        if ranges.iter().zip(&fetched).all(is_whole) {
            return Ok(fetched);
        }
        Err(Error::new(ErrorKind::UnexpectedEof, "it is cut"))
    })))
}

/// All of an object in order, a piece at a time. It is an error if another object lies there by now.
pub fn stream(path: &Path, object: &StoredObject, mut each: impl FnMut(&[u8])) -> Result<()> {
    let place = Place::of(path)?;
    place.wait(async {
        let mut fetched = pieces(0..object.size, &place, object);
        while let Some(bytes) = fetched.try_next().await? {
            each(&bytes);
        }
        Ok(())
    })
}

/// A range, in as many requests as it takes.
async fn fetch_large(place: &Place, object: &StoredObject, range: Range<u64>) -> object_store::Result<Bytes> {
    if range.end - range.start <= REQUEST_BYTES {
        return fetch(&*place.store, &place.key, object, range).await;
    }
    let mut whole = Vec::with_capacity((range.end - range.start) as usize);
    let mut fetched = pieces(range, place, object);
    while let Some(bytes) = fetched.try_next().await? {
        whole.extend_from_slice(&bytes);
    }
    Ok(whole.into())
}

/// The pieces of a range, some of them fetched ahead.
fn pieces<'p>(
    range: Range<u64>,
    place: &'p Place,
    object: &'p StoredObject,
) -> impl futures_util::Stream<Item = object_store::Result<Bytes>> + Unpin + Send + 'p {
    let starts = range.clone().step_by(REQUEST_BYTES as usize);
    let pieces = starts.map(move |start| start..range.end.min(start + REQUEST_BYTES));
    let fetched = pieces.map(|piece| fetch(&*place.store, &place.key, object, piece));
    Box::pin(futures_util::stream::iter(fetched).buffered(AT_ONCE))
}

/// A range by one request.
async fn fetch(
    store: &dyn ObjectStore,
    key: &Key,
    object: &StoredObject,
    range: Range<u64>,
) -> object_store::Result<Bytes> {
    let options =
        GetOptions::new().with_if_match(Some(object.tag.clone())).with_range(Some(GetRange::Bounded(range)));
    let bytes = store.get_opts(key, options).await?.bytes().await?;
    BYTES_READ.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    Ok(bytes)
}

fn stored(meta: &ObjectMeta) -> StoredObject {
    let tag = meta.e_tag.clone().unwrap_or_default();
    // Some listings leave the quotes out that a condition must have.
    let tag = if tag.contains('"') { tag } else { format!("\"{tag}\"") };
    let modified = meta.last_modified.timestamp();
    StoredObject { size: meta.size, tag, version: meta.version.clone(), modified }
}

/// What was found; `None` where nothing was.
fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

//! An input file's one handle: opened without waiting, read at positions, and still the same file at the end. It
//! may be an object in a store.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Result};
use std::ops::Range;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::hash::xxh3_128;
use crate::store::{self, PendingRanges, StoredObject, is_url};

/// What the file system says of a file; no write to it leaves this as it was. Of an object, its tag stands for
/// where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileStamp {
    /// The device it lies on.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// Bytes.
    pub size: u64,
    /// When its bytes were last written: seconds and nanoseconds.
    pub modified: (i64, i64),
    /// When anything about it was last changed, which nobody can set back.
    pub changed: (i64, i64),
}

impl FileStamp {
    /// That of a file of some metadata.
    pub fn of(metadata: &Metadata) -> FileStamp {
        FileStamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// That of an object.
    pub fn of_object(path: &Path, object: &StoredObject) -> FileStamp {
        let version = object.version.as_deref().unwrap_or_default();
        let identity = [path.as_os_str().as_encoded_bytes(), object.tag.as_bytes(), version.as_bytes()];
        let hash = xxh3_128(&identity.join(&b'\n'));
        let modified = (object.modified, 0);
        let (device, inode) = ((hash >> 64) as u64, hash as u64);
        FileStamp { device, inode, size: object.size, modified, changed: modified }
    }

    /// That of what lies at a location now.
    pub fn at(path: &Path) -> Result<FileStamp> {
        if !is_url(path) {
            return Ok(FileStamp::of(&path.metadata()?));
        }
        Ok(FileStamp::of_object(path, &head(path)?))
    }
}

/// What has changed about a file since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// Nothing.
    None,
    /// Its bytes are as old as before, but it was moved, linked or its mode was set.
    Touched,
    /// It was written to.
    Written,
}

/// A regular file, held open; where more files than the process may hold open are read, found again by
/// its path whenever it is read, and refused if it is another file by then.
#[derive(Debug)]
pub struct Handle {
    path: PathBuf,
    stamp: FileStamp,
    backing: Backing,
}

/// Where a handle's bytes come from.
#[derive(Debug)]
enum Backing {
    Held(HeldFile),
    /// Opened whenever it is read.
    Reopened,
    Object {
        object: StoredObject,
        /// What is being fetched before it is asked for.
        ahead: Mutex<HashMap<Vec<Range<u64>>, PendingRanges>>,
    },
}

/// A handle that counts.
#[derive(Debug)]
struct HeldFile(File);

/// Handles held now.
static HELD: AtomicU64 = AtomicU64::new(0);

/// How many may be held: the process may open as many files as the system lets it, less those that it
/// needs for everything else.
static MOST_HELD: LazyLock<u64> = LazyLock::new(|| {
    const FOR_OTHER_FILES: u64 = 256;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // A limit that cannot be raised is kept to.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let allowed = if raised.is_ok() { maximum } else { current };
    allowed.unwrap_or(u64::MAX).saturating_sub(FOR_OTHER_FILES)
});

impl Drop for HeldFile {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Handle {
    /// Opens a regular file, or an object. Anything else, a FIFO or a device say, is an error that says what it is.
    pub fn open(path: &Path) -> Result<Handle> {
        if is_url(path) {
            return Ok(Handle::of_object(path, head(path)?));
        }
        let file = open_regular(path)?;
        let stamp = FileStamp::of(&file.metadata()?);
        let may_hold = HELD.fetch_add(1, Ordering::Relaxed) < *MOST_HELD;
        let held = HeldFile(file);
        let backing = if may_hold { Backing::Held(held) } else { Backing::Reopened };
        Ok(Handle { path: path.to_path_buf(), stamp, backing })
    }

    /// The handle of an object as it was seen.
    pub fn of_object(path: &Path, object: StoredObject) -> Handle {
        let stamp = FileStamp::of_object(path, &object);
        let backing = Backing::Object { object, ahead: Mutex::default() };
        Handle { path: path.to_path_buf(), stamp, backing }
    }

    /// The object as it was seen, if it is one.
    pub fn object(&self) -> Option<&StoredObject> {
        match &self.backing {
            Backing::Object { object, .. } => Some(object),
            _ => None,
        }
    }

    /// Whether it is an object in a store, where a request takes as long as thousands of bytes.
    pub fn is_object(&self) -> bool {
        matches!(self.backing, Backing::Object { .. })
    }

    /// As it was when it was opened.
    pub fn stamp(&self) -> FileStamp {
        self.stamp
    }

    /// Reads exactly so many bytes from a position on.
    pub fn read_at(&self, start: u64, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.read_into(start, &mut bytes)?;
        Ok(bytes)
    }

    /// Likewise, as many as a buffer takes.
    pub fn read_into(&self, start: u64, bytes: &mut [u8]) -> Result<()> {
        if self.is_object() {
            let read = self.read_ranges(&[(start, bytes.len())])?;
            bytes.copy_from_slice(&read[0]);
            return Ok(());
        }
        self.with(|file| file.read_exact_at(bytes, start)).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Error::other("it has become shorter while it was read"),
            _ => error,
        })
    }

    /// Reads ranges, each from a position on and so many bytes long; of an object, with as few requests as may be.
    pub fn read_ranges(&self, ranges: &[(u64, usize)]) -> Result<Vec<Bytes>> {
        if let Backing::Object { object, ahead } = &self.backing {
            let ranges = ends(ranges);
            let pending = ahead.lock().unwrap_or_else(PoisonError::into_inner).remove(&ranges);
            return match pending {
                Some(pending) => pending.wait(),
                None => store::read_ranges(&self.path, object, &ranges),
            };
        }
        ranges.iter().map(|(start, length)| self.read_at(*start, *length).map(Bytes::from)).collect()
    }

    /// Begins to fetch ranges of an object that are read soon, all of them together. What goes wrong shows then.
    pub fn fetch_ahead(&self, ranges: &[(u64, usize)]) {
        if let Backing::Object { object, ahead } = &self.backing {
            let ranges = ends(ranges);
            let mut ahead = ahead.lock().unwrap_or_else(PoisonError::into_inner);
            if !ahead.contains_key(&ranges)
                && let Ok(pending) = store::begin_ranges(&self.path, object, &ranges)
            {
                ahead.insert(ranges, pending);
            }
        }
    }

    /// Reads all bytes in order, a piece at a time.
    pub fn read_all(&self, mut each: impl FnMut(&[u8])) -> Result<()> {
        if let Backing::Object { object, .. } = &self.backing {
            return store::stream(&self.path, object, each);
        }
        const PIECE_BYTES: u64 = 1 << 18;
        self.with(|file| {
            let mut piece = vec![0; PIECE_BYTES.min(self.stamp.size) as usize];
            let mut start = 0;
            while start < self.stamp.size {
                let length = PIECE_BYTES.min(self.stamp.size - start) as usize;
                file.read_exact_at(&mut piece[..length], start)?;
                each(&piece[..length]);
                start += length as u64;
            }
            Ok(())
        })
    }

    /// What has changed about the file since it was opened.
    pub fn change(&self) -> Result<FileChange> {
        let now = match &self.backing {
            Backing::Held(HeldFile(file)) => FileStamp::of(&file.metadata()?),
            Backing::Reopened | Backing::Object { .. } => FileStamp::at(&self.path)?,
        };
        if now == self.stamp {
            return Ok(FileChange::None);
        }
        let has_same_bytes = FileStamp { changed: now.changed, ..self.stamp } == now;
        Ok(if has_same_bytes { FileChange::Touched } else { FileChange::Written })
    }

    fn with<T>(&self, read: impl FnOnce(&File) -> Result<T>) -> Result<T> {
        if let Backing::Held(HeldFile(file)) = &self.backing {
            return read(file);
        }
        let file = open_regular(&self.path)?;
        if FileStamp::of(&file.metadata()?) != self.stamp {
            return Err(Error::other("it was changed while it was read"));
        }
        read(&file)
    }
}

/// Ranges by where they end.
fn ends(ranges: &[(u64, usize)]) -> Vec<Range<u64>> {
    ranges.iter().map(|(start, length)| *start..start + *length as u64).collect()
}

/// The object at a URL.
fn head(path: &Path) -> Result<StoredObject> {
    store::head(path)?.ok_or_else(|| Error::new(ErrorKind::NotFound, "there is no such object"))
}

/// Opens a regular file to be read, or says what else it is. Never waits, as the opening of a FIFO would.
pub fn open_regular(path: &Path) -> Result<File> {
    // Looked at first: to open some devices is to move them.
    check_regular(&path.metadata()?)?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    check_regular(&file.metadata()?)?;
    Ok(file)
}

fn check_regular(metadata: &Metadata) -> Result<()> {
    let kind = metadata.file_type();
    let name = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(Error::other(format!("it is {name}, no file")))
}

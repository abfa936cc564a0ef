//! An input file's one handle: opened without waiting, read at positions, and still the same file at the end.

use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the file system says of a file; no write to it leaves this as it was.
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
    held: Option<HeldFile>,
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
    /// Opens a regular file. Anything else, a FIFO or a device say, is an error that says what it is.
    pub fn open(path: &Path) -> Result<Handle> {
        let file = open_regular(path)?;
        let stamp = FileStamp::of(&file.metadata()?);
        let may_hold = HELD.fetch_add(1, Ordering::Relaxed) < *MOST_HELD;
        let held = HeldFile(file);
        Ok(Handle { path: path.to_path_buf(), stamp, held: may_hold.then_some(held) })
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
        self.with(|file| file.read_exact_at(bytes, start)).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Error::other("it has become shorter while it was read"),
            _ => error,
        })
    }

    /// Reads all bytes in order, a piece at a time.
    pub fn read_all(&self, mut each: impl FnMut(&[u8])) -> Result<()> {
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
        let now = match &self.held {
            Some(HeldFile(file)) => FileStamp::of(&file.metadata()?),
            None => FileStamp::of(&self.path.metadata()?),
        };
        if now == self.stamp {
            return Ok(FileChange::None);
        }
        let has_same_bytes = FileStamp { changed: now.changed, ..self.stamp } == now;
        Ok(if has_same_bytes { FileChange::Touched } else { FileChange::Written })
    }

    fn with<T>(&self, read: impl FnOnce(&File) -> Result<T>) -> Result<T> {
        if let Some(HeldFile(file)) = &self.held {
            return read(file);
        }
        let file = open_regular(&self.path)?;
        if FileStamp::of(&file.metadata()?) != self.stamp {
            return Err(Error::other("it was changed while it was read"));
        }
        read(&file)
    }
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

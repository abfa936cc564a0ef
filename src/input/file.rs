//! A Parquet file of an input: its footer, its bytes, their hash.

use std::sync::{Arc, OnceLock};

use anyhow::Result;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::ParquetMetaData;

use super::catalog::{InputFile, shown};
use super::chunks::Chunks;
use super::guard::guarded;
use super::handle::{FileChange, FileStamp, Handle};
use super::in_order::InOrder;
use super::{footer, pages, row_group};
use crate::day::Day;
use crate::failure::input;
use crate::hash::Sha256;
use crate::job::InputSpec;
use crate::store::StoredObject;

/// An input file whose footer has been read and checked.
#[derive(Debug, Clone)]
pub struct OpenFile {
    /// Its name and path.
    pub file: InputFile,
    /// Its delivery.
    pub delivery: Option<Day>,
    /// Bytes.
    pub size: u64,
    /// Rows by row group.
    pub row_groups: Vec<u64>,
    pub(super) metadata: ArrowReaderMetadata,
    pub(crate) subject: String,
    pub(super) handle: Arc<Handle>,
    /// Of its bytes, in hex, once they are hashed.
    pub(super) sha256: Arc<OnceLock<String>>,
}

/// Opens a file and reads its footer.
pub fn open(spec: &InputSpec, delivery: Option<Day>, file: &InputFile) -> Result<OpenFile> {
    let of = delivery.map_or(String::new(), |day| format!(" of {day}"));
    let subject = format!("read {}{of} ({})", spec.name, shown(&file.path));
    if file.path.to_str().is_none() {
        return Err(input(format!("{subject}: its name is not UTF-8: rename it")));
    }
    let handle = match &file.object {
        Some(object) => Handle::of_object(&file.path, object.clone()),
        None => Handle::open(&file.path).map_err(|error| unreadable(&subject, &error.to_string()))?,
    };
    let metadata = footer::read(&handle).map_err(|reason| unreadable(&subject, &reason))?;
    let row_groups = metadata.row_groups().iter().map(|group| group.num_rows() as u64).collect();
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = guarded(|| ArrowReaderMetadata::try_new(Arc::new(metadata), options))
        .map_err(|reason| unreadable(&subject, &reason))?;
    Ok(OpenFile {
        file: file.clone(),
        delivery,
        size: handle.stamp().size,
        row_groups,
        metadata,
        subject,
        handle: Arc::new(handle),
        sha256: Arc::default(),
    })
}

fn unreadable(subject: &str, reason: &str) -> anyhow::Error {
    input(format!("{subject}: it cannot be read: {reason}: have it delivered again"))
}

impl OpenFile {
    /// Rows in the file.
    pub fn rows(&self) -> u64 {
        self.row_groups.iter().sum()
    }

    /// SHA-256 of all its bytes, in hex. They are read where that has not been done; the headers of its
    /// pages are then held against what the footer says.
    pub fn sha256(&self) -> Result<&str> {
        if self.sha256.get().is_none() {
            let mut hasher = Sha256::default();
            let hash = |piece: &[u8]| hasher.update(piece);
            let checked = if self.handle.is_object() {
                self.check_in_order(hash)
            } else {
                let read = self.handle.read_all(hash).map_err(|error| error.to_string());
                read.and_then(|()| pages::check_rows(&self.handle, self.footer()))
            };
            checked.map_err(|what| self.unreadable(&what))?;
            self.sha256.get_or_init(|| hasher.hex());
        }
        Ok(self.sha256.get().expect("just hashed"))
    }

    /// The object that it is, if it lies in a store.
    pub fn object(&self) -> Option<&StoredObject> {
        self.handle.object()
    }

    /// What the file system says of it.
    pub fn stamp(&self) -> FileStamp {
        self.handle.stamp()
    }

    /// Takes a hash for that of its bytes, which another process has read.
    pub fn assume_sha256(&self, sha256: &str) {
        self.sha256.get_or_init(|| sha256.to_string());
    }

    /// Reads all bytes anew, and fails where they do not come to the hash that is known.
    pub fn check_bytes(&self) -> Result<()> {
        let again = OpenFile { sha256: Arc::default(), ..self.clone() };
        if again.sha256()? == self.sha256()? {
            return Ok(());
        }
        Err(input(format!(
            "{}: its bytes are not those that were planned with: deliver under a name that is new, and plan again",
            self.subject
        )))
    }

    /// Reads an object once, from its first byte to its last, and checks its pages as they come by.
    fn check_in_order(&self, each: impl FnMut(&[u8])) -> Result<(), String> {
        let mut reader = InOrder::new(&self.handle, each);
        pages::check_rows_in_order(self.footer(), &mut |at, length| reader.read(at, length))?;
        reader.finish()
    }

    /// Fails where the file was written to since it was opened, so that some of what was read may be old and some
    /// new.
    pub fn check_unchanged(&self) -> Result<()> {
        let is_same = match self.handle.change().map_err(|error| self.unreadable(&error.to_string()))? {
            FileChange::None => true,
            FileChange::Written => false,
            // It may have been moved, to make room for another file of its name: its bytes decide.
            FileChange::Touched => {
                let again = OpenFile { sha256: Arc::default(), ..self.clone() };
                again.sha256()? == self.sha256()?
            }
        };
        if is_same {
            return Ok(());
        }
        Err(input(format!(
            "{}: it was changed while it was read: deliver before the run begins, under a name that is new",
            self.subject
        )))
    }

    pub(super) fn unreadable(&self, reason: &str) -> anyhow::Error {
        unreadable(&self.subject, reason)
    }

    /// The footer.
    pub fn footer(&self) -> &Arc<ParquetMetaData> {
        self.metadata.metadata()
    }

    /// Reads the bytes of all columns of a row group, to be taken as they are.
    pub fn read_bytes(&self, row_group: usize) -> Result<Chunks> {
        let group = self.footer().row_group(row_group);
        row_group::read_whole(&self.handle, row_group, group).map_err(|what| self.unreadable(&what))
    }
}

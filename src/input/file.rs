//! A Parquet file of an input: its bytes, its footer, its rows as columns.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;

use anyhow::Result;
use arrow_array::ArrayRef;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use sha2::{Digest, Sha256};

use super::binding::{Binding, Bound};
use super::catalog::InputFile;
use super::chunks::Chunks;
use super::decode::Dictionaries;
use crate::day::Day;
use crate::expr::{Column, Ints};
use crate::failure::input;
use crate::job::InputSpec;

/// An input file whose footer has been read and checked.
#[derive(Debug, Clone)]
pub struct OpenFile {
    /// Its place.
    pub file: InputFile,
    /// Its delivery.
    pub delivery: Option<Day>,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the Parquet footer, in hex.
    pub footer_hash: String,
    /// When it was last written, as the file system has it: seconds and nanoseconds.
    pub written: (i64, i64),
    /// Rows by row group.
    pub row_groups: Vec<u64>,
    pub(super) metadata: ArrowReaderMetadata,
    pub(super) subject: String,
}

/// Rows decoded at a time: enough to amortise, few enough to stay in cache.
const BATCH_ROWS: usize = 16_384;

/// Opens a file and reads its footer.
pub fn open(spec: &InputSpec, delivery: Option<Day>, file: &InputFile) -> Result<OpenFile> {
    let of = delivery.map_or(String::new(), |day| format!(" of {day}"));
    let subject = format!("read {}{of} ({})", spec.name, file.path.display());
    let unreadable = |error: &dyn std::fmt::Display| {
        input(format!("{subject}: {error}; the file is truncated or no Parquet: have it delivered again"))
    };
    let mut handle = File::open(&file.path).map_err(|error| input(format!("{subject}: {error}")))?;
    let (size, footer_hash) = footer_hash(&mut handle).map_err(|error| unreadable(&error))?;
    let written = handle.metadata().map_err(|error| unreadable(&error))?;
    let written = (written.mtime(), written.mtime_nsec());
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&handle, options).map_err(|error| unreadable(&error))?;
    let row_groups = metadata.metadata().row_groups().iter().map(|group| group.num_rows() as u64).collect();
    Ok(OpenFile { file: file.clone(), delivery, size, footer_hash, written, row_groups, metadata, subject })
}

/// The file's size and the hash of its footer: the metadata, its length and the magic number.
fn footer_hash(file: &mut File) -> std::io::Result<(u64, String)> {
    const TAIL: u64 = 8;
    let size = file.metadata()?.len();
    let too_short = || std::io::Error::other(format!("its {size} bytes hold no footer"));
    file.seek(SeekFrom::Start(size.checked_sub(TAIL).ok_or_else(too_short)?))?;
    let mut tail = [0; TAIL as usize];
    file.read_exact(&mut tail)?;
    let length = u32::from_le_bytes(tail[..4].try_into().expect("4 bytes"));
    let start = (size - TAIL).checked_sub(u64::from(length)).ok_or_else(too_short)?;
    file.seek(SeekFrom::Start(start))?;
    let mut footer = Vec::new();
    file.read_to_end(&mut footer)?;
    Ok((size, hex(&Sha256::digest(&footer))))
}

/// SHA-256 of a whole file, in hex.
pub fn file_hash(path: &std::path::Path) -> std::io::Result<String> {
    const BUFFER_BYTES: usize = 1 << 18;
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// SHA-256 of bytes, in hex.
pub fn bytes_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl OpenFile {
    /// Rows in the file.
    pub fn rows(&self) -> u64 {
        self.row_groups.iter().sum()
    }

    /// Reads a row group batch by batch; `each` gets the columns in the order they were wanted.
    pub fn read(
        &self,
        binding: &Binding,
        row_group: usize,
        mut each: impl FnMut(Vec<Column>) -> Result<()>,
    ) -> Result<()> {
        let failed = |error: &dyn std::fmt::Display| input(format!("{}: {error}", self.subject));
        let mut handle = File::open(&self.file.path).map_err(|error| failed(&error))?;
        let group = self.metadata.metadata().row_group(row_group);
        let chunks =
            Chunks::read(&mut handle, self.size, group, &binding.mask).map_err(|error| failed(&error))?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(chunks, binding.metadata.clone())
            .with_projection(binding.mask.clone())
            .with_row_groups(vec![row_group])
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|error| failed(&error))?;
        let mut dictionaries = Dictionaries::default();
        for batch in reader {
            let batch = batch.map_err(|error| failed(&error))?;
            let rows = batch.num_rows();
            let (schema, arrays, _) = batch.into_parts();
            let mut arrays: Vec<Option<ArrayRef>> = arrays.into_iter().map(Some).collect();
            let mut columns = Vec::with_capacity(binding.columns.len());
            for (slot, column) in binding.columns.iter().enumerate() {
                columns.push(match column {
                    Bound::Unread => Column::Int(Ints::all(Vec::new())),
                    Bound::Missing => {
                        Column::Int(Ints { values: vec![0; rows], valid: Some(vec![false; rows]) })
                    }
                    Bound::Read(place, decoder) => {
                        let is_read_again = binding.columns[slot + 1..]
                            .iter()
                            .any(|other| matches!(other, Bound::Read(again, _) if again == place));
                        let array = match is_read_again {
                            true => arrays[*place].clone(),
                            false => arrays[*place].take(),
                        };
                        decoder
                            .decode(array.expect("an array is taken once"), slot, &mut dictionaries)
                            .map_err(|error| failed(&format!("{}: {error}", schema.field(*place).name())))?
                    }
                });
            }
            each(columns)?;
        }
        Ok(())
    }
}

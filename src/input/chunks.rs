//! The column chunks of a row group, each read at one go: the Parquet reader would ask for them a page
//! header at a time.

use bytes::{Buf, Bytes};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};

use super::handle::Handle;

/// Byte ranges of a file, in memory.
#[derive(Clone)]
pub struct Chunks {
    size: u64,
    /// By where they start.
    chunks: Vec<(u64, Bytes)>,
}

impl Chunks {
    /// Reads the chunks of some columns.
    pub(super) fn read(handle: &Handle, columns: &[&ColumnChunkMetaData]) -> Result<Chunks, String> {
        let ranges = ranges_of(columns);
        let read = handle.read_ranges(&ranges).map_err(|error| error.to_string())?;
        let mut chunks: Vec<(u64, Bytes)> =
            ranges.iter().zip(read).map(|((start, _), bytes)| (*start, bytes)).collect();
        chunks.sort_unstable_by_key(|(start, _)| *start);
        Ok(Chunks { size: handle.stamp().size, chunks })
    }

    /// What is held from a position on, to the end of its chunk.
    pub fn from(&self, start: u64) -> Result<Bytes> {
        let after = self.chunks.partition_point(|(first, _)| *first <= start);
        let held = after.checked_sub(1).map(|chunk| &self.chunks[chunk]).and_then(|(first, bytes)| {
            let skipped = usize::try_from(start - first).ok()?;
            (skipped <= bytes.len()).then(|| bytes.slice(skipped..))
        });
        held.ok_or_else(|| ParquetError::EOF(format!("byte {start} lies in no column that is read")))
    }
}

/// Where the chunks of some columns lie, each with its length.
pub(super) fn ranges_of(columns: &[&ColumnChunkMetaData]) -> Vec<(u64, usize)> {
    let ranges = columns.iter().map(|column| column.byte_range());
    ranges.map(|(start, length)| (start, length as usize)).collect()
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Chunks {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.from(start)?;
        if length > bytes.len() {
            return Err(ParquetError::EOF(format!("the file ends within {length} bytes from {start}")));
        }
        Ok(bytes.slice(..length))
    }
}

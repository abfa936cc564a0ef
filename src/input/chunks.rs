//! The column chunks of a row group, each read at one go: the Parquet reader would ask for them a page
//! header at a time.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use bytes::{Buf, Bytes};
use parquet::arrow::ProjectionMask;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, Length};

/// Byte ranges of a file, in memory.
pub struct Chunks {
    size: u64,
    /// By where they start.
    chunks: Vec<(u64, Bytes)>,
}

impl Chunks {
    /// Reads the chunks of a row group's columns that are wanted.
    pub fn read(
        file: &mut File,
        size: u64,
        row_group: &RowGroupMetaData,
        mask: &ProjectionMask,
    ) -> Result<Chunks> {
        let columns = row_group.columns().iter().enumerate();
        let wanted = columns.filter(|(leaf, _)| mask.leaf_included(*leaf));
        let chunk = |(_, column): (usize, &parquet::file::metadata::ColumnChunkMetaData)| {
            let (start, length) = column.byte_range();
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = Vec::new();
            file.take(length).read_to_end(&mut bytes)?;
            Ok((start, Bytes::from(bytes)))
        };
        let mut chunks: Vec<(u64, Bytes)> = wanted.map(chunk).collect::<Result<_>>()?;
        chunks.sort_unstable_by_key(|(start, _)| *start);
        Ok(Chunks { size, chunks })
    }

    fn from(&self, start: u64) -> Result<Bytes> {
        let after = self.chunks.partition_point(|(first, _)| *first <= start);
        let held = after.checked_sub(1).map(|chunk| &self.chunks[chunk]).and_then(|(first, bytes)| {
            let skipped = usize::try_from(start - first).ok()?;
            (skipped <= bytes.len()).then(|| bytes.slice(skipped..))
        });
        held.ok_or_else(|| ParquetError::EOF(format!("byte {start} lies in no column that is read")))
    }
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
        match length <= bytes.len() {
            true => Ok(bytes.slice(..length)),
            false => Err(ParquetError::EOF(format!("the file ends within {length} bytes from {start}"))),
        }
    }
}

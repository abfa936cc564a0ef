//! One Parquet file of a delivery: rows in, a whole file under its own name or none.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;

use super::columns::{Columns, batch};
use crate::own::{self, Access};

/// The file of a delivery.
const PART_NAME: &str = "part-0.parquet";

/// The same while it is being written: hidden, and not matched by `*.parquet`.
const TEMPORARY_NAME: &str = ".part-0.parquet.tmp";

/// Rows gathered before they are encoded: small enough for the processor's caches.
const BATCH_ROWS: usize = 8192;

/// Rows of a row group: a day of a million accounts has two or three.
const ROW_GROUP_ROWS: usize = 1 << 17;

/// Columns of numbers that hardly repeat within a day but rise: their differences are small.
const RISING_COLUMNS: [&str; 3] = ["transaction_id", "account_id", "bill_id"];

/// A file being written.
pub struct FileWriter<C: Columns> {
    directory: PathBuf,
    schema: Arc<Schema>,
    columns: C,
    gathered: usize,
    rows: u64,
    writer: ArrowWriter<BufWriter<File>>,
}

/// A file as written.
pub struct Written {
    pub rows: u64,
    pub bytes: u64,
}

impl<C: Columns> FileWriter<C> {
    /// Begins the file of the delivery `directory`, which is made.
    pub fn begin(directory: PathBuf) -> Result<FileWriter<C>> {
        own::create_directory(&directory, Access::default())?;
        let path = directory.join(TEMPORARY_NAME);
        let file = own::create_file(&path, Access::default())?;
        let schema = Arc::new(C::schema());
        let writer = ArrowWriter::try_new_with_options(BufWriter::new(file), Arc::clone(&schema), options())
            .with_context(|| format!("begin Parquet file {}", path.display()))?;
        Ok(FileWriter { directory, schema, columns: C::default(), gathered: 0, rows: 0, writer })
    }

    /// Adds a row.
    pub fn push(&mut self, row: &C::Row) -> Result<()> {
        self.columns.push(row);
        self.gathered += 1;
        if self.gathered == BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let batch = batch(&mut self.columns, &self.schema);
        self.writer.write(&batch).with_context(|| format!("write to {}", self.directory.display()))?;
        self.rows += self.gathered as u64;
        self.gathered = 0;
        Ok(())
    }

    /// Ends the file and gives it its name.
    pub fn end(mut self) -> Result<Written> {
        if self.gathered > 0 {
            self.flush()?;
        }
        let directory = self.directory;
        self.writer.close().with_context(|| format!("write to {}", directory.display()))?;
        let (temporary, path) = (directory.join(TEMPORARY_NAME), directory.join(PART_NAME));
        own::rename_new(&temporary, &path).with_context(|| format!("rename to {}", path.display()))?;
        Ok(Written { rows: self.rows, bytes: size(&path)? })
    }
}

fn size(path: &Path) -> Result<u64> {
    let metadata = fs::metadata(path).with_context(|| format!("look at {}", path.display()))?;
    Ok(metadata.len())
}

/// Everything that shapes the bytes is said here, so that no default of the library does. Neither
/// the Arrow schema nor page indexes are written: they would outweigh the rows of a small day.
fn options() -> ArrowWriterOptions {
    let level = ZstdLevel::try_new(1).expect("1 is a level of zstd");
    let properties = RISING_COLUMNS.iter().fold(
        WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by("rescore sample".to_owned())
            .set_compression(Compression::ZSTD(level))
            .set_dictionary_enabled(true)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_max_row_group_bytes(None)
            .set_write_batch_size(1024)
            .set_data_page_size_limit(1 << 20)
            .set_data_page_row_count_limit(20_000)
            .set_dictionary_page_size_limit(1 << 20),
        |builder, name| {
            let column = ColumnPath::from(*name);
            builder
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED)
        },
    );
    ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true)
}

//! A Parquet file sorted by its key, read block by block; refused where it is not, and where it is damaged.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use arrow_schema::{DataType, Schema};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;

use super::cells::{self, CellDecoder, FileColumn, Shape};
use crate::expr::Column;
use crate::failure::{Kind, failure, input};
use crate::input::decode::Dictionaries;
use crate::input::footer;
use crate::input::guard::guarded;
use crate::input::handle::{Handle, open_regular};
use crate::pieces::piece;
use crate::run_dir::RunDirectory;
use crate::suggest::{listing, near_miss};

/// Rows read at a time: few enough that some blocks of two runs fit in memory many times over.
pub const BLOCK_ROWS: usize = piece(8_192, 3);

/// Rows named in the message where a file is not sorted.
const MOST_OFFENDERS: usize = 3;

/// A file to be read, opened.
pub struct OpenedFile {
    /// As messages name it.
    subject: String,
    file: File,
}

impl OpenedFile {
    /// Opens a regular file, whatever it is called.
    pub fn new(path: &Path) -> Result<OpenedFile> {
        let subject = format!("read {}", crate::console::plain_path(path));
        // Whoever made it may have meant harm.
        let handle = Handle::open(path).map_err(|error| unreadable(&subject, error))?;
        footer::read(&handle).map_err(|error| unreadable(&subject, error))?;
        let file = open_regular(path).map_err(|error| unreadable(&subject, error))?;
        Ok(OpenedFile { subject, file })
    }

    /// A table of a run, as its manifest says it is.
    pub fn of_run(run: &RunDirectory, table: &str) -> Result<OpenedFile> {
        let name = format!("{table}.parquet");
        let subject = format!("read {}", crate::console::plain_path(&run.path().join(&name)));
        Ok(OpenedFile { subject, file: run.file(&name)? })
    }
}

fn unreadable(subject: &str, error: impl std::fmt::Display) -> anyhow::Error {
    input(format!("{subject}: it cannot be read: {error}"))
}

/// A file being read.
pub struct SortedFile {
    /// As messages name it.
    subject: String,
    /// Every column of the file.
    pub schema: Vec<FileColumn>,
    /// Positions of the key among the columns of a block.
    pub key: Vec<usize>,
    cells: Vec<CellDecoder>,
    reader: ParquetRecordBatchReader,
    dictionaries: Dictionaries,
    read: u64,
    last: Vec<Column>,
}

impl SortedFile {
    /// Reads a file that is sorted by the columns `key`, each key once; no key is no order. Bytes of the key are
    /// taken for text where `bytes_are_text`.
    pub fn open(opened: OpenedFile, key: &[&str], rows: usize, bytes_are_text: bool) -> Result<SortedFile> {
        let OpenedFile { subject, file } = opened;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, options))
            .map_err(|error| unreadable(&subject, error))?;
        let fields = metadata.schema().fields().clone();
        let mut cells = Vec::with_capacity(fields.len());
        let mut schema = Vec::with_capacity(fields.len());
        let mut hinted = Vec::with_capacity(fields.len());
        for field in &fields {
            let is_key = key.contains(&field.name().as_str());
            let mut decoder = CellDecoder::new(field.data_type(), is_key && bytes_are_text);
            if is_all_null(metadata.metadata(), field.name()) {
                decoder = decoder.all_null();
            }
            schema.push(FileColumn {
                name: field.name().clone(),
                kind: type_name(field.data_type()),
                shape: decoder.shape,
            });
            hinted.push(match decoder.hint(field.data_type()) {
                Some(hint) => Arc::new(field.as_ref().clone().with_data_type(hint)),
                None => field.clone(),
            });
            cells.push(decoder);
        }
        if let Some(name) = repeated_name(&schema) {
            return Err(unreadable(&subject, format!("the column {name} stands twice in it: leave one out")));
        }
        let key = key.iter().map(|name| key_position(&subject, name, &schema)).collect::<Result<Vec<_>>>()?;
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_schema(Arc::new(Schema::new(hinted)));
        let reader = guarded(|| {
            let metadata = ArrowReaderMetadata::try_new(metadata.metadata().clone(), options)?;
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_batch_size(rows).build()
        })
        .map_err(|error| unreadable(&subject, error))?;
        let dictionaries = Dictionaries::default();
        Ok(SortedFile { subject, schema, key, cells, reader, dictionaries, read: 0, last: Vec::new() })
    }

    /// The next rows, all columns; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Vec<Column>>> {
        let SortedFile { subject, schema, cells, reader, dictionaries, .. } = self;
        let batch = guarded(|| reader.next().transpose()).map_err(|error| unreadable(subject, error))?;
        let Some(batch) = batch else { return Ok(None) };
        let (_, arrays, rows) = batch.into_parts();
        let mut columns = Vec::with_capacity(cells.len());
        for (slot, (cells, array)) in cells.iter().zip(arrays).enumerate() {
            let column = guarded(|| cells.decode(array, slot, dictionaries))
                .map_err(|error| unreadable(subject, format!("{}: {error}", schema[slot].name)))?;
            columns.push(column);
        }
        self.check_order(&columns, rows)?;
        self.read += rows as u64;
        self.last = self.key.iter().map(|slot| columns[*slot].gather(&[rows as u32 - 1])).collect();
        Ok(Some(columns))
    }

    fn check_order(&self, columns: &[Column], rows: usize) -> Result<()> {
        if self.key.is_empty() {
            return Ok(());
        }
        let key: Vec<&Column> = self.key.iter().map(|slot| &columns[*slot]).collect();
        if let (&[Column::Int(ids)], [Column::Int(last)]) = (&key[..], &self.last[..])
            && ids.valid.is_none()
            && ids.values.is_sorted_by(|a, b| a < b)
            && last.values[0] < ids.values[0]
        {
            return Ok(());
        }
        let last: Vec<&Column> = self.last.iter().collect();
        let mut offenders = Vec::new();
        for row in 0..rows {
            // The first row of a block comes after the last one of the block before it.
            let (before, row_before) = if row == 0 { (&last, 0) } else { (&key, row - 1) };
            offenders.extend(self.out_of_order(before, row_before, &key, row));
            if offenders.len() == MOST_OFFENDERS {
                break;
            }
        }
        if offenders.is_empty() {
            return Ok(());
        }
        Err(input(format!(
            "{}: it is not sorted by {}, each once: {}; sort it and take out repeats",
            self.subject,
            self.key_names(),
            offenders.join("; ")
        )))
    }

    /// What is wrong with a row of a block after the one before it, of which the key is empty before the first.
    fn out_of_order(
        &self,
        before: &[&Column],
        row_before: usize,
        key: &[&Column],
        row: usize,
    ) -> Option<String> {
        let number = self.read + row as u64;
        if key.iter().any(|column| !column.is_valid(row)) {
            return Some(format!("row {number} has no {}", self.key_names()));
        }
        if before.is_empty() {
            return None;
        }
        match compare(before, row_before, key, row) {
            Ordering::Less => None,
            Ordering::Equal => Some(format!("row {number} is {} again", self.key_text(key, row))),
            Ordering::Greater => {
                let (this, before) = (self.key_text(key, row), self.key_text(before, row_before));
                Some(format!("row {number} is {this}, after {before}"))
            }
        }
    }

    fn key_names(&self) -> String {
        self.key.iter().map(|slot| self.schema[*slot].name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn key_text(&self, key: &[&Column], row: usize) -> String {
        let parts = key.iter().zip(&self.key).map(|(column, slot)| {
            cells::text(column, self.cells[*slot].shape, row).unwrap_or_else(|| "null".into())
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Whether the file says that a column holds nulls alone.
fn is_all_null(metadata: &ParquetMetaData, name: &str) -> bool {
    metadata.row_groups().iter().all(|group| {
        let column = group.columns().iter().find(|column| column.column_path().string() == name);
        let nulls = column.and_then(|column| column.statistics()?.null_count_opt());
        nulls == u64::try_from(group.num_rows()).ok()
    })
}

/// A name that two columns have.
fn repeated_name(columns: &[FileColumn]) -> Option<&str> {
    let mut seen = HashSet::new();
    columns.iter().map(|column| column.name.as_str()).find(|name| !seen.insert(*name))
}

fn key_position(subject: &str, name: &str, columns: &[FileColumn]) -> Result<usize> {
    let names = columns.iter().map(|column| column.name.as_str());
    let slot = columns.iter().position(|column| column.name == name);
    if let Some(column) = slot.map(|slot| &columns[slot]).filter(|column| column.shape == Shape::Printed) {
        let message = format!("{subject}: {name} is {}, which has no order: it can be no key", column.kind);
        return Err(failure(Kind::Usage, message));
    }
    slot.ok_or_else(|| {
        let help = match near_miss(name, names.clone()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("it has {}", listing(names)),
        };
        failure(Kind::Usage, format!("{subject}: there is no column {name} to be the key: {help}"))
    })
}

/// Orders two keys as outputs are sorted: numbers, text by bytes, false before true.
pub fn compare(a: &[&Column], i: usize, b: &[&Column], j: usize) -> Ordering {
    let mut parts = a.iter().zip(b).map(|(a, b)| match (a, b) {
        (Column::Int(a), Column::Int(b)) => a.get(i).cmp(&b.get(j)),
        (Column::Text(a), Column::Text(b)) => a.get(i).cmp(&b.get(j)),
        (Column::Bool(a), Column::Bool(b)) => a[i].cmp(&b[j]),
        _ => unreachable!("keys are of one type"),
    });
    parts.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The type as the file gives it.
fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 => "text".into(),
        DataType::Binary | DataType::FixedSizeBinary(_) => "bytes".into(),
        DataType::Timestamp(_, Some(_)) => "Timestamp with a zone".into(),
        DataType::Timestamp(_, None) => "Timestamp".into(),
        DataType::Decimal128(digits, places) => format!("Decimal({digits}, {places})"),
        other => other.to_string(),
    }
}

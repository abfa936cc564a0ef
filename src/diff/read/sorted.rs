//! A Parquet file sorted by its key, read block by block; refused where it is not, and where it is damaged.

use std::cmp::Ordering;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;

use super::cells::{self, CellDecoder, Shape};
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

/// Offenders named where a file is not sorted.
const MOST_OFFENDERS: usize = 3;

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileColumn {
    /// Its name.
    pub name: String,
    /// Its type, as the file gives it.
    pub kind: String,
    /// How its values are kept.
    pub shape: Shape,
}

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
        let failed = |error: &dyn std::fmt::Display| input(format!("{subject}: it cannot be read: {error}"));
        // Whoever made it may have meant harm.
        let handle = Handle::open(path).map_err(|error| failed(&error))?;
        footer::read(&handle).map_err(|error| failed(&error))?;
        let file = open_regular(path).map_err(|error| failed(&error))?;
        Ok(OpenedFile { subject, file })
    }

    /// A table of a run, as its manifest says it is.
    pub fn of_run(run: &RunDirectory, table: &str) -> Result<OpenedFile> {
        let name = format!("{table}.parquet");
        let subject = format!("read {}", crate::console::plain_path(&run.path().join(&name)));
        Ok(OpenedFile { subject, file: run.file(&name)? })
    }
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
        let failed = |error: &dyn std::fmt::Display| input(format!("{subject}: it cannot be read: {error}"));
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata =
            guarded(|| ArrowReaderMetadata::load(&file, options)).map_err(|error| failed(&error))?;
        let fields = metadata.schema().fields().clone();
        let decoder = |field: &Arc<Field>| {
            let is_key = key.contains(&field.name().as_str());
            let cells = CellDecoder::new(field.data_type(), is_key && bytes_are_text);
            if is_all_null(metadata.metadata(), field.name()) { cells.all_null() } else { cells }
        };
        let cells: Vec<CellDecoder> = fields.iter().map(decoder).collect();
        let column = |(field, cells): (&Arc<Field>, &CellDecoder)| FileColumn {
            name: field.name().clone(),
            kind: type_name(field.data_type()),
            shape: cells.shape,
        };
        let schema: Vec<FileColumn> = fields.iter().zip(&cells).map(column).collect();
        if let Some(twice) = twice(&schema) {
            return Err(failed(&format!("the column {twice} stands twice in it: leave one out")));
        }
        let key = key.iter().map(|name| key_position(&subject, name, &schema)).collect::<Result<Vec<_>>>()?;
        let hinted = fields.iter().zip(&cells).map(|(field, cells)| match cells.hint(field.data_type()) {
            Some(hint) => Arc::new(field.as_ref().clone().with_data_type(hint)),
            None => field.clone(),
        });
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_schema(Arc::new(Schema::new(hinted.collect::<Vec<_>>())));
        let reader = || {
            let metadata = ArrowReaderMetadata::try_new(metadata.metadata().clone(), options)?;
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_batch_size(rows).build()
        };
        let reader = guarded(reader).map_err(|error| failed(&error))?;
        let dictionaries = Dictionaries::default();
        Ok(SortedFile { subject, schema, key, cells, reader, dictionaries, read: 0, last: Vec::new() })
    }

    /// The columns that blocks hold.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Shape)> {
        self.schema.iter().map(|column| (column.name.as_str(), column.shape))
    }

    /// The next rows, all columns; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Vec<Column>>> {
        let SortedFile { subject, schema, cells, reader, dictionaries, .. } = self;
        let failed = |error: String| input(format!("{subject}: it cannot be read: {error}"));
        let Some(batch) = guarded(|| reader.next().transpose()).map_err(failed)? else { return Ok(None) };
        let (_, arrays, rows) = batch.into_parts();
        let mut columns = Vec::with_capacity(cells.len());
        for (slot, (cells, array)) in cells.iter().zip(arrays).enumerate() {
            let column = guarded(|| cells.decode(array, slot, dictionaries));
            columns.push(column.map_err(|error| failed(format!("{}: {error}", schema[slot].name)))?);
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
        let order = |row: usize| match row {
            0 if last.is_empty() => Ordering::Less,
            0 => compare(&last, 0, &key, 0),
            row => compare(&key, row - 1, &key, row),
        };
        let mut offenders = Vec::new();
        for row in 0..rows {
            let shown = || self.shown(&key, row);
            let number = self.read + row as u64;
            let before = || if row == 0 { self.shown(&last, 0) } else { self.shown(&key, row - 1) };
            if key.iter().any(|column| !column.is_valid(row)) {
                offenders.push(format!("row {number} has no {}", self.key_names()));
            } else {
                match order(row) {
                    Ordering::Less => continue,
                    Ordering::Equal => offenders.push(format!("row {number} is {} again", shown())),
                    Ordering::Greater => {
                        offenders.push(format!("row {number} is {}, after {}", shown(), before()));
                    }
                }
            }
            if offenders.len() == MOST_OFFENDERS {
                break;
            }
        }
        match offenders.is_empty() {
            true => Ok(()),
            false => Err(input(format!(
                "{}: it is not sorted by {}, each once: {}; sort it and take out repeats",
                self.subject,
                self.key_names(),
                offenders.join("; ")
            ))),
        }
    }

    fn key_names(&self) -> String {
        let names: Vec<&str> = self.columns().map(|(name, _)| name).collect();
        self.key.iter().map(|slot| names[*slot]).collect::<Vec<_>>().join(", ")
    }

    fn shown(&self, key: &[&Column], row: usize) -> String {
        let part = |(column, slot): (&&Column, &usize)| {
            cells::text(column, self.cells[*slot].shape, row).unwrap_or_else(|| "null".into())
        };
        key.iter().zip(&self.key).map(part).collect::<Vec<_>>().join(", ")
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
fn twice(columns: &[FileColumn]) -> Option<&str> {
    let names = || columns.iter().map(|column| column.name.as_str());
    names()
        .enumerate()
        .find(|(place, name)| names().take(*place).any(|known| known == *name))
        .map(|(_, name)| name)
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

//! A table sorted by its key, one Parquet or CSV file or Parquet files in parts, read block by block; refused where it
//! is not sorted, and where it is damaged.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use arrow_schema::{DataType, Schema};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;

use super::cells::{self, CellDecoder, FileColumn, Shape};
use super::csv_file::{CsvFile, CsvRows};
use super::file::{open_file, repeated_name, unreadable};
use crate::expr::Column;
use crate::failure::{Kind, failure, input};
use crate::input::decode::Dictionaries;
use crate::input::footer;
use crate::input::guard::guarded;
use crate::input::handle::Handle;
use crate::pieces::piece;
use crate::run_dir::RunDirectory;
use crate::run_dir::manifest::OutputEntry;
use crate::suggest::{listing, near_miss};

/// Rows read at a time: few enough that some blocks of two runs fit in memory many times over.
pub const BLOCK_ROWS: usize = piece(8_192, 3);

/// Rows named in the message where a file is not sorted.
const MOST_OFFENDERS: usize = 3;

/// A table to be read: a file, or parts one after the other.
#[derive(Clone)]
pub struct TableSource<'r> {
    files: VecDeque<FileSource<'r>>,
}

/// A file of a table.
#[derive(Clone)]
enum FileSource<'r> {
    /// Any file.
    File(PathBuf),
    /// A CSV file, and what its columns are taken for.
    Csv(CsvFile),
    /// A file of a run, as its manifest says it is.
    OfRun(&'r RunDirectory, &'r OutputEntry),
}

impl<'r> TableSource<'r> {
    /// The files of a table in order, whatever they are called; there is one at least.
    pub fn files(paths: Vec<PathBuf>) -> TableSource<'static> {
        TableSource { files: paths.into_iter().map(FileSource::File).collect() }
    }

    /// A CSV file, with the types that its columns are taken for.
    pub fn csv(file: CsvFile) -> TableSource<'static> {
        TableSource { files: VecDeque::from([FileSource::Csv(file)]) }
    }

    /// A table of a run.
    pub fn of_run(run: &'r RunDirectory, table: &str) -> Result<TableSource<'r>> {
        let files = run.table(table)?.into_iter().map(|file| FileSource::OfRun(run, file));
        Ok(TableSource { files: files.collect() })
    }

    /// Opens the next file; `None` where there is none.
    fn open_next(&mut self) -> Result<Option<OpenedFile>> {
        self.files.pop_front().map(|file| file.open()).transpose()
    }
}

impl FileSource<'_> {
    fn open(&self) -> Result<OpenedFile> {
        match self {
            FileSource::File(path) => {
                let subject = format!("read {}", crate::console::plain_path(path));
                // Whoever made it may have meant harm.
                let handle = Handle::open(path).map_err(|error| unreadable(&subject, error))?;
                footer::read(&handle).map_err(|error| unreadable(&subject, error))?;
                let file = open_file(path).map_err(|error| unreadable(&subject, error))?;
                Ok(OpenedFile { subject, file, csv: None })
            }
            FileSource::Csv(CsvFile { path, columns }) => {
                let subject = format!("read {}", crate::console::plain_path(path));
                let file = open_file(path).map_err(|error| unreadable(&subject, error))?;
                Ok(OpenedFile { subject, file, csv: Some(columns.clone()) })
            }
            FileSource::OfRun(run, output) => {
                let subject = format!("read {}", crate::console::plain_path(&run.path().join(&output.file)));
                Ok(OpenedFile { subject, file: run.file(output)?, csv: None })
            }
        }
    }
}

/// A file, opened.
struct OpenedFile {
    /// As messages name it.
    subject: String,
    file: File,
    /// The columns of a CSV file; `None` for Parquet.
    csv: Option<Vec<FileColumn>>,
}

/// A sorted table being read.
pub struct SortedTable<'r> {
    /// Every column of the table.
    pub schema: Vec<FileColumn>,
    /// Positions of the key among the columns of a block.
    pub key: Vec<usize>,
    /// The file being read.
    file: SortedFile,
    /// Those after it.
    rest: TableSource<'r>,
    reading: Reading,
    dictionaries: Dictionaries,
    /// The key of the last row of the block before; empty before the first.
    last: Vec<Column>,
}

/// How the files of a table are read.
#[derive(Clone)]
struct Reading {
    key: Vec<String>,
    /// At a time.
    rows: usize,
    /// Whether bytes of the key are taken for text.
    bytes_are_text: bool,
}

/// A file being read.
struct SortedFile {
    /// As messages name it.
    subject: String,
    /// Every column.
    schema: Vec<FileColumn>,
    rows: FileRows,
    /// Rows read.
    read: u64,
}

/// Where the rows of a file come from.
enum FileRows {
    Parquet {
        cells: Vec<CellDecoder>,
        reader: Box<ParquetRecordBatchReader>,
    },
    /// At most so many at a time.
    Csv(CsvRows, usize),
}

impl SortedFile {
    fn open(opened: OpenedFile, reading: &Reading) -> Result<SortedFile> {
        let OpenedFile { subject, file, csv } = opened;
        if let Some(schema) = csv {
            let rows = CsvRows::open(file).map_err(|why| unreadable(&subject, why))?;
            return Ok(SortedFile { subject, schema, rows: FileRows::Csv(rows, reading.rows), read: 0 });
        }
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = guarded(|| ArrowReaderMetadata::load(&file, options))
            .map_err(|error| unreadable(&subject, error))?;
        let fields = metadata.schema().fields().clone();
        let mut cells = Vec::with_capacity(fields.len());
        let mut schema = Vec::with_capacity(fields.len());
        let mut hinted = Vec::with_capacity(fields.len());
        for field in &fields {
            let is_key = reading.key.contains(field.name());
            let mut decoder = CellDecoder::new(field.data_type(), is_key && reading.bytes_are_text);
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
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_schema(Arc::new(Schema::new(hinted)));
        let reader = guarded(|| {
            let metadata = ArrowReaderMetadata::try_new(metadata.metadata().clone(), options)?;
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
                .with_batch_size(reading.rows)
                .build()
        })
        .map_err(|error| unreadable(&subject, error))?;
        let rows = FileRows::Parquet { cells, reader: Box::new(reader) };
        Ok(SortedFile { subject, schema, rows, read: 0 })
    }

    /// The next rows, all columns, and how many they are; `None` at the end.
    fn next(&mut self, dictionaries: &mut Dictionaries) -> Result<Option<(Vec<Column>, usize)>> {
        let SortedFile { subject, schema, rows, .. } = self;
        let (cells, reader) = match rows {
            FileRows::Parquet { cells, reader } => (cells, reader),
            FileRows::Csv(rows, most) => {
                return rows.next(schema, *most).map_err(|why| unreadable(subject, why));
            }
        };
        let batch = guarded(|| reader.next().transpose()).map_err(|error| unreadable(subject, error))?;
        let Some(batch) = batch else { return Ok(None) };
        let (_, arrays, rows) = batch.into_parts();
        let mut columns = Vec::with_capacity(cells.len());
        for (slot, (cells, array)) in cells.iter().zip(arrays).enumerate() {
            let column = guarded(|| cells.decode(array, slot, dictionaries))
                .map_err(|error| unreadable(subject, format!("{}: {error}", schema[slot].name)))?;
            columns.push(column);
        }
        Ok(Some((columns, rows)))
    }
}

impl<'r> SortedTable<'r> {
    /// Reads a table that is sorted by the columns `key`, each key once; no key is no order. Bytes of the key are
    /// taken for text where `bytes_are_text`.
    pub fn open(
        mut source: TableSource<'r>,
        key: &[&str],
        rows: usize,
        bytes_are_text: bool,
    ) -> Result<SortedTable<'r>> {
        let reading =
            Reading { key: key.iter().map(|name| (*name).to_string()).collect(), rows, bytes_are_text };
        let first = source.open_next()?.expect("a table has a file");
        let file = SortedFile::open(first, &reading)?;
        let schema = file.schema.clone();
        let key = key.iter().map(|name| key_position(&file.subject, name, &schema)).collect::<Result<_>>()?;
        let dictionaries = Dictionaries::default();
        Ok(SortedTable { schema, key, file, rest: source, reading, dictionaries, last: Vec::new() })
    }

    /// The next rows, all columns; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Vec<Column>>> {
        let (columns, rows) = loop {
            if let Some(block) = self.file.next(&mut self.dictionaries)? {
                break block;
            }
            let Some(next) = self.rest.open_next()? else { return Ok(None) };
            let next = SortedFile::open(next, &self.reading)?;
            if next.schema != self.schema {
                let why = "its columns are not those of the first part of the table";
                return Err(unreadable(&next.subject, why));
            }
            self.file = next;
        };
        self.check_order(&columns, rows)?;
        self.file.read += rows as u64;
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
            self.file.subject,
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
        let number = self.file.read + row as u64;
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
            cells::text(column, self.schema[*slot].shape, row).unwrap_or_else(|| "null".into())
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

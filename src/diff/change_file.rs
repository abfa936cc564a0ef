//! Every change, one a row, to a file: cells left and right, and what moved scores and limits.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_array::builder::{Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::read::cells::{FileColumn, KeyPart, Shape};
use crate::expr::Column;
use crate::failure::{Kind, failure};
use crate::own::{UserFile, unwritable};
use crate::publish::encode::cell;

/// Rows gathered before they are encoded.
const BATCH_ROWS: usize = 16_384;

/// Rows of a row group, held in memory until it is full.
const ROW_GROUP_ROWS: usize = 131_072;

enum Sink {
    Parquet(Box<ArrowWriter<File>>),
    Csv(Box<csv::Writer<File>>),
}

enum KeyBuilder {
    Int(Int64Builder),
    Text(StringBuilder),
}

/// A file of changes, one a row, being written.
pub struct ChangeFile {
    path: PathBuf,
    file: UserFile,
    /// Taken when the file is ended.
    sink: Option<Sink>,
    schema: Arc<Schema>,
    keys: Vec<KeyBuilder>,
    /// The table, then, after the keys, change, column, left, right and cause.
    texts: [StringBuilder; 6],
    amounts: Int64Builder,
    rows: usize,
}

/// One change; what does not apply is `None`.
#[derive(Debug, Default)]
pub struct ChangeRow<'a> {
    /// Its table.
    pub table: &'a str,
    /// left_only, right_only, changed; cause, or main_cause for the one that a decision is attributed to.
    pub change: &'a str,
    /// Which column; none where a whole row is on one side only, of which the cells follow.
    pub column: Option<&'a str>,
    /// The cell on the left.
    pub left: Option<String>,
    /// The cell on the right.
    pub right: Option<String>,
    /// What moved the column.
    pub cause: Option<&'a str>,
    /// By how much.
    pub amount: Option<i64>,
}

impl<'a> ChangeRow<'a> {
    /// A cell that is another one, or is there on one side only.
    pub fn cell(
        table: &'a str,
        change: &'a str,
        column: &'a str,
        left: Option<String>,
        right: Option<String>,
    ) -> ChangeRow<'a> {
        ChangeRow { table, change, column: Some(column), left, right, ..ChangeRow::default() }
    }

    /// What moved a column, and by how much.
    pub fn cause(
        table: &'a str,
        column: &'a str,
        change: &'a str,
        cause: &'a str,
        amount: i64,
    ) -> ChangeRow<'a> {
        let (column, cause, amount) = (Some(column), Some(cause), Some(amount));
        ChangeRow { table, change, column, cause, amount, ..ChangeRow::default() }
    }
}

impl ChangeFile {
    /// Begins a file, Parquet or CSV by its name, of rows with this key.
    pub fn create(path: &Path, key: &[&FileColumn]) -> Result<ChangeFile> {
        let kind = path.extension().and_then(|extension| extension.to_str());
        let is_parquet = match kind {
            Some("parquet") => true,
            Some("csv") => false,
            _ => {
                let message = format!("--out {}: name a .parquet or a .csv file", path.display());
                return Err(failure(Kind::Usage, message));
            }
        };
        let mut fields = vec![Field::new("table", DataType::Utf8, false)];
        for column in key {
            let kind = if column.shape == Shape::Int { DataType::Int64 } else { DataType::Utf8 };
            fields.push(Field::new(&column.name, kind, true));
        }
        for (name, nullable) in
            [("change", false), ("column", true), ("left", true), ("right", true), ("cause", true)]
        {
            fields.push(Field::new(name, DataType::Utf8, nullable));
        }
        fields.push(Field::new("amount", DataType::Int64, true));
        let schema = Arc::new(Schema::new(fields));
        let user_file = UserFile::create(path)?;
        let file = user_file.handle()?;
        let sink = if is_parquet {
            Sink::Parquet(Box::new(ArrowWriter::try_new(file, schema.clone(), Some(properties()?))?))
        } else {
            let mut writer = csv::Writer::from_writer(file);
            writer.write_record(schema.fields().iter().map(|field| field.name()))?;
            Sink::Csv(Box::new(writer))
        };
        let keys = key.iter().map(|column| match column.shape {
            Shape::Int => KeyBuilder::Int(Int64Builder::new()),
            _ => KeyBuilder::Text(StringBuilder::new()),
        });
        Ok(ChangeFile {
            path: path.to_path_buf(),
            file: user_file,
            sink: Some(sink),
            schema,
            keys: keys.collect(),
            texts: Default::default(),
            amounts: Int64Builder::new(),
            rows: 0,
        })
    }

    /// Adds a change of the row with this key; parts that are missing are null.
    pub fn add(&mut self, key: &[KeyPart], change: &ChangeRow) -> Result<()> {
        for (position, builder) in self.keys.iter_mut().enumerate() {
            match (builder, key.get(position)) {
                (KeyBuilder::Int(builder), Some(KeyPart { column: Column::Int(ints), row, .. })) => {
                    builder.append_option(ints.get(*row).copied());
                }
                (KeyBuilder::Int(builder), _) => builder.append_null(),
                (KeyBuilder::Text(builder), part) => builder.append_option(part.and_then(KeyPart::text)),
            }
        }
        let [table, kind, column, left, right, cause] = &mut self.texts;
        table.append_value(change.table);
        kind.append_value(change.change);
        column.append_option(change.column);
        left.append_option(change.left.as_deref());
        right.append_option(change.right.as_deref());
        cause.append_option(change.cause);
        self.amounts.append_option(change.amount);
        self.rows += 1;
        if self.rows == BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(self.texts[0].finish())];
        for key in &mut self.keys {
            arrays.push(match key {
                KeyBuilder::Int(builder) => Arc::new(builder.finish()),
                KeyBuilder::Text(builder) => Arc::new(builder.finish()),
            });
        }
        arrays.extend(self.texts[1..].iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        arrays.push(Arc::new(self.amounts.finish()));
        self.rows = 0;
        let batch = RecordBatch::try_new(self.schema.clone(), arrays)?;
        let written = self.sink.as_mut().expect("it is not ended").write(&batch);
        written.with_context(|| format!("write {}", self.path.display())).map_err(unwritable)
    }

    /// Ends the file and renames it to its final name.
    pub fn finish(mut self) -> Result<()> {
        self.flush()?;
        let ended = self.sink.take().expect("it is not ended").end();
        ended.with_context(|| format!("write {}", self.path.display())).map_err(unwritable)?;
        self.file.finish()
    }
}

impl Sink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Sink::Parquet(writer) => writer.write(batch)?,
            Sink::Csv(writer) => {
                for row in 0..batch.num_rows() {
                    writer.write_record(batch.columns().iter().map(|array| cell(array, row)))?;
                }
            }
        }
        Ok(())
    }

    fn end(self) -> Result<()> {
        match self {
            Sink::Parquet(mut writer) => drop(writer.finish()?),
            Sink::Csv(mut writer) => writer.flush()?,
        }
        Ok(())
    }
}

fn properties() -> Result<WriterProperties> {
    Ok(WriterProperties::builder()
        .set_created_by("rescore".to_string())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build())
}

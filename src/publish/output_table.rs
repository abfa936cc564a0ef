//! An output table in the making: columns by name and type, each made a run of rows at a time.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Int32Array, Int64Array, NullArray, RecordBatch, StringArray,
};
use arrow_schema::{DataType, Field, Schema};

use crate::day::Day;
use crate::expr::column::{TRUE, UNKNOWN};
use crate::expr::{Column, Type};
use crate::input::accounts::Ids;
use crate::pieces::piece;

/// A column of an output table: made a run of rows at a time.
pub(super) struct OutputColumn<'a> {
    pub name: String,
    kind: DataType,
    nullable: bool,
    pub make: Box<dyn Fn(Range<usize>) -> ArrayRef + Sync + Send + 'a>,
}

/// An output table, not yet written.
pub struct OutputTable<'a> {
    /// Its file without the extension.
    pub name: &'static str,
    /// How many rows it has.
    pub rows: usize,
    pub(super) columns: Vec<OutputColumn<'a>>,
}

impl<'a> OutputTable<'a> {
    pub(crate) fn new(name: &'static str, rows: usize) -> Self {
        OutputTable { name, rows, columns: Vec::new() }
    }

    /// The rows of a batch as a table.
    pub(super) fn of_batch(name: &'static str, batch: &RecordBatch) -> OutputTable<'static> {
        let mut table = OutputTable::new(name, batch.num_rows());
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let array = array.clone();
            table.add(field.name(), field.data_type().clone(), field.is_nullable(), move |rows| {
                array.slice(rows.start, rows.len())
            });
        }
        table
    }

    pub(crate) fn add(
        &mut self,
        name: impl Into<String>,
        kind: DataType,
        nullable: bool,
        make: impl Fn(Range<usize>) -> ArrayRef + Sync + Send + 'a,
    ) {
        self.columns.push(OutputColumn { name: name.into(), kind, nullable, make: Box::new(make) });
    }

    pub(crate) fn int64(&mut self, name: impl Into<String>, value: impl Fn(usize) -> i64 + Sync + Send + 'a) {
        self.add(name, DataType::Int64, false, move |rows| {
            Arc::new(Int64Array::from_iter_values(rows.map(&value)))
        });
    }

    pub(super) fn int64_or_null(
        &mut self,
        name: impl Into<String>,
        value: impl Fn(usize) -> Option<i64> + Sync + Send + 'a,
    ) {
        self.add(name, DataType::Int64, true, move |rows| Arc::new(rows.map(&value).collect::<Int64Array>()));
    }

    pub(super) fn int32(&mut self, name: impl Into<String>, value: impl Fn(usize) -> i32 + Sync + Send + 'a) {
        self.add(name, DataType::Int32, false, move |rows| {
            Arc::new(Int32Array::from_iter_values(rows.map(&value)))
        });
    }

    pub(super) fn int32_or_null(
        &mut self,
        name: impl Into<String>,
        value: impl Fn(usize) -> Option<i32> + Sync + Send + 'a,
    ) {
        self.add(name, DataType::Int32, true, move |rows| Arc::new(rows.map(&value).collect::<Int32Array>()));
    }

    pub(crate) fn date_or_null(
        &mut self,
        name: impl Into<String>,
        value: impl Fn(usize) -> Option<Day> + Sync + Send + 'a,
    ) {
        self.add(name, DataType::Date32, true, move |rows| {
            Arc::new(rows.map(|row| value(row).map(|day| day.0)).collect::<Date32Array>())
        });
    }

    pub(crate) fn text(
        &mut self,
        name: impl Into<String>,
        value: impl Fn(usize) -> &'a str + Sync + Send + 'a,
    ) {
        self.add(name, DataType::Utf8, false, move |rows| {
            Arc::new(StringArray::from_iter_values(rows.map(&value)))
        });
    }

    pub(crate) fn text_or_null(
        &mut self,
        name: impl Into<String>,
        value: impl Fn(usize) -> Option<&'a str> + Sync + Send + 'a,
    ) {
        self.add(name, DataType::Utf8, true, move |rows| Arc::new(rows.map(&value).collect::<StringArray>()));
    }

    pub(super) fn account(&mut self, ids: &'a Ids, position: impl Fn(usize) -> usize + Sync + Send + 'a) {
        match ids {
            Ids::Int(ids) => self.int64("account_id", move |row| ids[position(row)]),
            Ids::Text(ids) => self.text("account_id", move |row| &ids[position(row)]),
        }
    }

    pub(crate) fn column(
        &mut self,
        name: &str,
        kind: Type,
        column: &'a Column,
        line: impl Fn(usize) -> usize + Sync + Send + 'a,
    ) {
        match (column, kind) {
            // Of no type: whoever reads it takes it for nulls of the type that is wanted.
            (_, Type::Any) => {
                self.add(name, DataType::Null, true, |rows| Arc::new(NullArray::new(rows.len())))
            }
            (Column::Text(texts), _) => self.text_or_null(name, move |row| texts.get(line(row))),
            (Column::Bool(truths), _) => self.add(name, DataType::Boolean, true, move |rows| {
                let truth = |row: usize| (truths[line(row)] != UNKNOWN).then_some(truths[line(row)] == TRUE);
                Arc::new(rows.map(truth).collect::<BooleanArray>())
            }),
            (Column::Int(ints), Type::Date) => {
                self.date_or_null(name, move |row| ints.get(line(row)).map(|day| Day(*day as i32)));
            }
            (Column::Int(ints), _) => self.int64_or_null(name, move |row| ints.get(line(row)).copied()),
            (Column::Wide(_), _) => unreachable!("no input column is wide"),
        }
    }

    /// About how many bytes it takes on disk: a quarter of what its values would take written out, measured
    /// on books of the sample's kind.
    pub fn bytes_about(&self) -> u64 {
        let widths = self.columns.iter().map(|column| match column.kind {
            DataType::Boolean => 1,
            DataType::Int32 | DataType::Date32 => 4,
            _ => 8,
        });
        self.rows as u64 * widths.sum::<u64>() / 4
    }

    pub(super) fn schema(&self) -> Arc<Schema> {
        let fields =
            self.columns.iter().map(|column| Field::new(&column.name, column.kind.clone(), column.nullable));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    pub(super) fn batches(&self) -> impl Iterator<Item = Result<RecordBatch>> {
        let schema = self.schema();
        (0..self.rows).step_by(BATCH_ROWS).map(move |start| {
            let rows = start..(start + BATCH_ROWS).min(self.rows);
            let arrays = self.columns.iter().map(|column| (column.make)(rows.clone())).collect();
            RecordBatch::try_new(schema.clone(), arrays).with_context(|| format!("make table {}", self.name))
        })
    }
}

/// Rows made and encoded at a time.
pub(super) const BATCH_ROWS: usize = piece(65_536, 3);

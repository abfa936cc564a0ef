//! The first row at which two Parquet files of one table differ, and in which column.

use std::fs::File;
use std::path::Path;

use anyhow::Result;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchReader};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::day::Day;
use crate::signal;

/// Rows compared at a time.
const BATCH_ROWS: usize = 8_192;

/// Where two tables part.
pub(super) struct RowDifference {
    /// From 0.
    pub row: u64,
    /// What is there, and what it comes to.
    pub what: String,
}

/// The first row that differs; `None` where all rows are the same.
pub(super) fn first_row(there: &Path, again: &Path) -> Result<Option<RowDifference>> {
    let (mut left, mut right) = (open(there)?, open(again)?);
    let names = |reader: &ParquetRecordBatchReader| -> Vec<(String, DataType)> {
        let fields = reader.schema().fields().clone();
        fields.iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
    };
    if names(&left) != names(&right) {
        return Ok(Some(RowDifference { row: 0, what: "its columns are others".to_string() }));
    }
    let mut start = 0;
    loop {
        signal::check()?;
        let (old, new) = (left.next().transpose()?, right.next().transpose()?);
        let (old, new) = match (old, new) {
            (None, None) => return Ok(None),
            (Some(_), None) => return Ok(Some(ends(start, "it comes to no such row"))),
            (None, Some(_)) => return Ok(Some(ends(start, "there is no such row, it comes to one"))),
            (Some(old), Some(new)) => (old, new),
        };
        if let Some((row, what)) = first_of(&old, &new) {
            return Ok(Some(RowDifference { row: start + row as u64, what }));
        }
        start += old.num_rows() as u64;
    }
}

fn open(path: &Path) -> Result<ParquetRecordBatchReader> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    Ok(builder.with_batch_size(BATCH_ROWS).build()?)
}

fn ends(row: u64, what: &str) -> RowDifference {
    RowDifference { row, what: what.to_string() }
}

/// The first row of two batches that differs, and how.
fn first_of(old: &RecordBatch, new: &RecordBatch) -> Option<(usize, String)> {
    if old == new {
        return None;
    }
    let rows = old.num_rows().min(new.num_rows());
    for row in 0..rows {
        for (number, field) in old.schema().fields().iter().enumerate() {
            let (one, other) = (old.column(number), new.column(number));
            if one.slice(row, 1).to_data() != other.slice(row, 1).to_data() {
                let of = account(old, row);
                let (was, is) = (cell(one, row), cell(other, row));
                return Some((row, format!("{of}{}: {was} is there, it comes to {is}", field.name())));
            }
        }
    }
    let what = if old.num_rows() > rows {
        "it comes to no such row"
    } else {
        "there is no such row, it comes to one"
    };
    (old.num_rows() != new.num_rows()).then(|| (rows, what.to_string()))
}

/// Whose row it is, where rows are of accounts.
fn account(batch: &RecordBatch, row: usize) -> String {
    let id = batch.column_by_name("account_id");
    id.map_or(String::new(), |id| format!("account {}, ", cell(id, row)))
}

/// A value for people to read.
fn cell(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "null".to_string();
    }
    match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_string(),
        DataType::Date32 => Day(array.as_primitive::<Date32Type>().value(row)).to_string(),
        _ => "another value".to_string(),
    }
}

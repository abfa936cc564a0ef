//! How output tables are written: as Parquet, row group by row group, and as CSV.

use std::borrow::{Borrow, Cow};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::compute_leaves;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use rayon::prelude::*;

use super::output_table::{BATCH_ROWS, OutputTable};
use crate::day::Day;
use crate::failure::in_order;
use crate::job::Csv;

/// Rows of a row group: a reader that skips by statistics skips this many.
pub(super) const ROW_GROUP_ROWS: usize = 262_144;

/// Writes a table as Parquet.
pub fn write_parquet(
    table: &OutputTable,
    file: File,
    path: &Path,
    metadata: &[(&str, String)],
) -> Result<()> {
    write_all(table.schema(), std::iter::once(Ok(table)), file, path, metadata)
}

/// Writes tables of one schema into one Parquet file.
pub(super) fn write_all<'a, T: Borrow<OutputTable<'a>>>(
    schema: Arc<Schema>,
    tables: impl Iterator<Item = Result<T>>,
    file: File,
    path: &Path,
    metadata: &[(&str, String)],
) -> Result<()> {
    write_groups(schema, tables, file, properties(metadata)?)
        .with_context(|| format!("write {}", path.display()))
}

/// All options are set here, so that bytes depend on nothing else.
fn properties(metadata: &[(&str, String)]) -> Result<WriterProperties> {
    const PAGE_BYTES: usize = 1 << 20;
    const PAGE_ROWS: usize = 32_768;
    const STATISTICS_BYTES: usize = 64;
    let entries = metadata.iter().map(|(key, value)| KeyValue::new((*key).to_string(), value.clone()));
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by("rescore".to_string())
        .set_key_value_metadata(Some(entries.collect()))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_dictionary_enabled(true)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(STATISTICS_BYTES))
        .set_column_index_truncate_length(Some(STATISTICS_BYTES))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    Ok(properties)
}

/// Writes tables of one schema row group by row group, whose columns are encoded beside each other.
fn write_groups<'a, T: Borrow<OutputTable<'a>>>(
    schema: Arc<Schema>,
    tables: impl Iterator<Item = Result<T>>,
    file: File,
    properties: WriterProperties,
) -> Result<()> {
    let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
    let (mut file, groups) = writer.into_serialized_writer()?;
    let mut number = 0;
    for table in tables {
        let table = table?;
        let table = table.borrow();
        for start in (0..table.rows).step_by(ROW_GROUP_ROWS) {
            crate::signal::check()?;
            let rows = start..(start + ROW_GROUP_ROWS).min(table.rows);
            let columns = groups.create_column_writers(number)?.into_par_iter().zip(&table.columns);
            let encoded =
                in_order(columns.zip(&schema.fields()[..]).map(|((mut writer, column), field)| {
                    for start in rows.clone().step_by(BATCH_ROWS) {
                        let array = (column.make)(start..(start + BATCH_ROWS).min(rows.end));
                        for leaf in compute_leaves(field, &array)? {
                            writer.write(&leaf)?;
                        }
                    }
                    Ok(writer.close()?)
                }))?;
            let mut group = file.next_row_group()?;
            for column in encoded {
                column.append_to_row_group(&mut group)?;
            }
            group.close()?;
            number += 1;
        }
    }
    file.finish()?;
    Ok(file.inner().sync_all()?)
}

/// Writes a table as CSV: dates as YYYY-MM-DD, money in minor units, nulls empty.
pub(super) fn write_csv(
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch>>,
    file: File,
    path: &Path,
    csv: Csv,
) -> Result<()> {
    write_rows(schema, batches, file, csv).with_context(|| format!("write {}", path.display()))
}

fn write_rows(
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch>>,
    file: File,
    csv: Csv,
) -> Result<()> {
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(schema.fields().iter().map(|field| text_for(field.name(), csv).into_owned()))?;
    for batch in batches {
        let batch = batch?;
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            for array in batch.columns() {
                text.clear();
                write_cell(array, row, &mut text);
                let is_text = *array.data_type() == DataType::Utf8;
                writer.write_field(&*if is_text { text_for(&text, csv) } else { (&text).into() })?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
    }
    let file = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(file.sync_all()?)
}

/// Text as a reader of CSV takes it for text: a spreadsheet runs what begins like a formula.
fn text_for(text: &str, csv: Csv) -> Cow<'_, str> {
    match csv {
        Csv::Spreadsheet if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}").into(),
        _ => text.into(),
    }
}

/// A cell as CSV has it.
pub fn cell(array: &ArrayRef, row: usize) -> String {
    let mut text = String::new();
    write_cell(array, row, &mut text);
    text
}

fn write_cell(array: &ArrayRef, row: usize, text: &mut String) {
    use std::fmt::Write;

    use arrow_array::cast::AsArray;
    use arrow_array::types::{Date32Type, Int32Type, Int64Type};
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return;
    }
    let written = match array.data_type() {
        DataType::Int64 => write!(text, "{}", array.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => write!(text, "{}", array.as_primitive::<Int32Type>().value(row)),
        DataType::Date32 => write!(text, "{}", Day(array.as_primitive::<Date32Type>().value(row))),
        DataType::Boolean => write!(text, "{}", array.as_boolean().value(row)),
        _ => text.write_str(array.as_string::<i32>().value(row)),
    };
    written.expect("text grows as needed");
}

//! The output tables: what columns they have, and how they are written.

use std::borrow::{Borrow, Cow};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Int32Array, Int64Array, NullArray, RecordBatch, StringArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::compute_leaves;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use rayon::prelude::*;

use super::Results;
use crate::day::Day;
use crate::expr::column::{TRUE, UNKNOWN};
use crate::expr::{Column, Type};
use crate::failure::in_order;
use crate::input::accounts::Ids;
use crate::input::reject_log::{RejectLog, RejectedRow};
use crate::job::{Action, Csv, KeptFact};
use crate::pieces::piece;

/// A column of an output table: made a run of rows at a time.
struct OutputColumn<'a> {
    name: String,
    kind: DataType,
    nullable: bool,
    make: Box<dyn Fn(Range<usize>) -> ArrayRef + Sync + Send + 'a>,
}

/// An output table, not yet written.
pub struct OutputTable<'a> {
    /// Its file without the extension.
    pub name: &'static str,
    /// How many rows it has.
    pub rows: usize,
    columns: Vec<OutputColumn<'a>>,
}

impl<'a> OutputTable<'a> {
    fn new(name: &'static str, rows: usize) -> Self {
        OutputTable { name, rows, columns: Vec::new() }
    }

    fn add(
        &mut self,
        name: impl Into<String>,
        kind: DataType,
        nullable: bool,
        make: impl Fn(Range<usize>) -> ArrayRef + Sync + Send + 'a,
    ) {
        self.columns.push(OutputColumn { name: name.into(), kind, nullable, make: Box::new(make) });
    }

    fn int64(&mut self, name: impl Into<String>, value: impl Fn(usize) -> i64 + Sync + Send + 'a) {
        self.add(name, DataType::Int64, false, move |rows| {
            Arc::new(Int64Array::from_iter_values(rows.map(&value)))
        });
    }

    fn int64_or_null(
        &mut self,
        name: impl Into<String>,
        value: impl Fn(usize) -> Option<i64> + Sync + Send + 'a,
    ) {
        self.add(name, DataType::Int64, true, move |rows| Arc::new(rows.map(&value).collect::<Int64Array>()));
    }

    fn int32(&mut self, name: impl Into<String>, value: impl Fn(usize) -> i32 + Sync + Send + 'a) {
        self.add(name, DataType::Int32, false, move |rows| {
            Arc::new(Int32Array::from_iter_values(rows.map(&value)))
        });
    }

    fn int32_or_null(
        &mut self,
        name: impl Into<String>,
        value: impl Fn(usize) -> Option<i32> + Sync + Send + 'a,
    ) {
        self.add(name, DataType::Int32, true, move |rows| Arc::new(rows.map(&value).collect::<Int32Array>()));
    }

    fn date_or_null(
        &mut self,
        name: impl Into<String>,
        value: impl Fn(usize) -> Option<Day> + Sync + Send + 'a,
    ) {
        self.add(name, DataType::Date32, true, move |rows| {
            Arc::new(rows.map(|row| value(row).map(|day| day.0)).collect::<Date32Array>())
        });
    }

    fn text(&mut self, name: impl Into<String>, value: impl Fn(usize) -> &'a str + Sync + Send + 'a) {
        self.add(name, DataType::Utf8, false, move |rows| {
            Arc::new(StringArray::from_iter_values(rows.map(&value)))
        });
    }

    fn text_or_null(
        &mut self,
        name: impl Into<String>,
        value: impl Fn(usize) -> Option<&'a str> + Sync + Send + 'a,
    ) {
        self.add(name, DataType::Utf8, true, move |rows| Arc::new(rows.map(&value).collect::<StringArray>()));
    }

    fn account(&mut self, ids: &'a Ids, position: impl Fn(usize) -> usize + Sync + Send + 'a) {
        match ids {
            Ids::Int(ids) => self.int64("account_id", move |row| ids[position(row)]),
            Ids::Text(ids) => self.text("account_id", move |row| &ids[position(row)]),
        }
    }

    fn column(
        &mut self,
        name: &str,
        kind: Type,
        column: &'a Column,
        place: impl Fn(usize) -> usize + Sync + Send + 'a,
    ) {
        match (column, kind) {
            // Of no type: whoever reads it takes it for nulls of the type that is wanted.
            (_, Type::Any) => {
                self.add(name, DataType::Null, true, |rows| Arc::new(NullArray::new(rows.len())))
            }
            (Column::Text(texts), _) => self.text_or_null(name, move |row| texts.get(place(row))),
            (Column::Bool(truths), _) => self.add(name, DataType::Boolean, true, move |rows| {
                let truth =
                    |row: usize| (truths[place(row)] != UNKNOWN).then_some(truths[place(row)] == TRUE);
                Arc::new(rows.map(truth).collect::<BooleanArray>())
            }),
            (Column::Int(ints), Type::Date) => {
                self.date_or_null(name, move |row| ints.get(place(row)).map(|day| Day(*day as i32)));
            }
            (Column::Int(ints), _) => self.int64_or_null(name, move |row| ints.get(place(row)).copied()),
            (Column::Wide(_), _) => unreachable!("no input column is wide"),
        }
    }

    /// About how many bytes it takes on disk: a quarter of what its values would take written out, measured
    /// on books of the sample's kind.
    pub fn bytes_about(&self) -> u64 {
        let width = |column: &OutputColumn| match column.kind {
            DataType::Boolean => 1,
            DataType::Int32 | DataType::Date32 => 4,
            _ => 8,
        };
        self.rows as u64 * self.columns.iter().map(width).sum::<u64>() / 4
    }

    fn schema(&self) -> Arc<Schema> {
        let fields =
            self.columns.iter().map(|column| Field::new(&column.name, column.kind.clone(), column.nullable));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn batches(&self) -> impl Iterator<Item = Result<RecordBatch>> {
        let schema = self.schema();
        (0..self.rows).step_by(BATCH_ROWS).map(move |start| {
            let rows = start..(start + BATCH_ROWS).min(self.rows);
            let arrays = self.columns.iter().map(|column| (column.make)(rows.clone())).collect();
            RecordBatch::try_new(schema.clone(), arrays).with_context(|| format!("make table {}", self.name))
        })
    }
}

/// Rows made and encoded at a time.
const BATCH_ROWS: usize = piece(65_536, 3);

/// Rows of a row group: a reader that skips by statistics skips this many.
const ROW_GROUP_ROWS: usize = 262_144;

/// Writes a table as Parquet.
pub fn write_parquet(
    table: &OutputTable,
    file: File,
    path: &Path,
    metadata: &[(&str, String)],
) -> Result<()> {
    write_all(table.schema(), std::iter::once(Ok(table)), file, path, metadata)
}

/// Writes the rejected rows as Parquet, and says how many there are.
pub fn write_rejects(
    logs: [&RejectLog; 3],
    file: File,
    path: &Path,
    metadata: &[(&str, String)],
) -> Result<usize> {
    let schema = rejects_table(&[]).schema();
    let listed = logs.into_iter().flat_map(|log| log.rows().map(move |row| Ok((log, row?))));
    let mut listed = listed.fuse();
    let tables = std::iter::from_fn(|| {
        let rows: Result<Vec<_>> = listed.by_ref().take(ROW_GROUP_ROWS).collect();
        match rows {
            Ok(rows) if rows.is_empty() => None,
            rows => Some(rows.map(|rows| rejects_table(&rows))),
        }
    });
    write_all(schema, tables, file, path, metadata)?;
    Ok(logs.into_iter().flat_map(|log| log.counts.values()).sum::<u64>() as usize)
}

fn write_all<'a, T: Borrow<OutputTable<'a>>>(
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
pub fn write_csv(table: &OutputTable, file: File, path: &Path, csv: Csv) -> Result<()> {
    write_rows(table, file, csv).with_context(|| format!("write {}", path.display()))
}

fn write_rows(table: &OutputTable, file: File, csv: Csv) -> Result<()> {
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(table.columns.iter().map(|column| text_for(&column.name, csv).into_owned()))?;
    for batch in table.batches() {
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

/// One row an account: score, band, dimensions, points, reasons.
pub fn scores<'a>(results: &Results<'a>) -> OutputTable<'a> {
    let (job, scores) = (results.job, results.scores);
    let ids = &results.lines.accounts.ids;
    let mut table = OutputTable::new("scores", ids.len());
    table.account(ids, |row| row);
    table.int32("score", |row| scores.score[row]);
    table.text("band", |row| job.scorecard.bands[usize::from(scores.band[row])].name.as_str());
    for (dimension, points) in job.scorecard.dimensions.iter().zip(&scores.dimensions) {
        table.int32(&dimension.name, |row| points[row]);
    }
    for (characteristic, points) in job.scorecard.characteristics.iter().zip(&scores.points) {
        let feature = &job.features[characteristic.feature].name;
        table.int32(format!("points_{feature}"), |row| points[row]);
    }
    add_reasons(&mut table, results, |row| row);
    table
}

fn add_reasons<'a>(
    table: &mut OutputTable<'a>,
    results: &Results<'a>,
    account: impl Fn(usize) -> usize + Copy + Sync + Send + 'a,
) {
    let (job, scores) = (results.job, results.scores);
    for (place, reasons) in scores.reasons.iter().enumerate() {
        table.text_or_null(format!("reason_{}", place + 1), move |row| {
            reasons[account(row)].map(|reason| reason.code(&job.scorecard))
        });
    }
}

/// One row an account: every feature.
pub fn features<'a>(results: &Results<'a>) -> OutputTable<'a> {
    let ids = &results.lines.accounts.ids;
    let mut table = OutputTable::new("features", ids.len());
    table.account(ids, |row| row);
    for (number, feature) in results.job.features.iter().enumerate() {
        let values = results.features;
        table.add(&feature.name, DataType::Int64, true, move |rows| {
            let column = values.column(number, rows);
            Arc::new(Int64Array::new(column.values.into(), column.valid.map(NullBuffer::from)))
        });
    }
    table
}

/// One row a line: what was decided and the facts it was decided on.
pub fn decisions<'a>(results: &Results<'a>) -> OutputTable<'a> {
    let mut table = OutputTable::new("decisions", results.decisions.len());
    add_decisions(&mut table, results, |row| row);
    table
}

/// The decisions that change something, with the score's reasons. `rows` are their positions.
pub fn adjustments<'a>(results: &Results<'a>, rows: &'a [u32]) -> OutputTable<'a> {
    let mut table = OutputTable::new("adjustments", rows.len());
    let line = |row: usize| rows[row] as usize;
    add_decisions(&mut table, results, line);
    let lines = results.lines;
    add_reasons(&mut table, results, move |row| lines.account[line(row)] as usize);
    table
}

/// The positions of the decisions that are adjustments.
pub fn adjusted_rows(results: &Results) -> Vec<u32> {
    let is_adjustment = |row: &u32| results.decisions[*row as usize].action != Action::Hold;
    (0..results.decisions.len() as u32).filter(is_adjustment).collect()
}

fn add_decisions<'a>(
    table: &mut OutputTable<'a>,
    results: &Results<'a>,
    line: impl Fn(usize) -> usize + Copy + Sync + Send + 'a,
) {
    let (lines, job, scores, decisions, as_of) =
        (results.lines, results.job, results.scores, results.decisions, results.dates.as_of);
    let account = move |row: usize| lines.account[line(row)] as usize;
    let decision = move |row: usize| &decisions[line(row)];
    let rule = move |row: usize| decision(row).rule_of(&job.policy);
    let since = move |day: Option<Day>| day.map(|day| as_of.since(day));
    table.account(&lines.accounts.ids, account);
    table.text("product", move |row| lines.product.get(line(row)).expect("accepted lines have a product"));
    table.text("action", move |row| decision(row).action.name());
    table.text("reason", move |row| decision(row).reason(&job.policy));
    table.text_or_null("rule", move |row| rule(row).map(|rule| rule.name.as_str()));
    table.int64("old_limit", move |row| lines.limit[line(row)]);
    table.int64("new_limit", move |row| decision(row).new_limit);
    table.text("old_status", move |row| lines.status[line(row)].name());
    table.text("new_status", move |row| decision(row).new_status.name());
    table.text_or_null("bound_by", move |row| decision(row).bound_by.map(|cap| cap.name()));
    table.date_or_null("effective_on", move |row| decision(row).effective_on);
    table.int32("score", move |row| scores.score[account(row)]);
    table.text("band", move |row| job.scorecard.bands[usize::from(scores.band[account(row)])].name.as_str());
    table.int64("balance", move |row| lines.balance[line(row)]);
    table.int64("days_open", move |row| as_of.since(lines.opened_on[line(row)]));
    table.int64_or_null("days_since_increase", move |row| since(lines.increased_on[line(row)]));
    table.int64_or_null("days_since_decrease", move |row| since(lines.decreased_on[line(row)]));
    table.int64_or_null("pending_limit", move |row| lines.pending[line(row)].map(|pending| pending.limit));
    table.text_or_null("pending_status", move |row| lines.pending[line(row)].map(|p| p.status.name()));
    table.date_or_null("pending_on", move |row| lines.pending[line(row)].map(|pending| pending.on));
    let previous = &scores.previous;
    for fact in &job.policy.kept_facts {
        match fact {
            KeptFact::StatusSince => {
                table.date_or_null(fact.name(), move |row| lines.status_since[line(row)])
            }
            KeptFact::StatusReason => {
                table.text_or_null(fact.name(), move |row| lines.status_reason.get(line(row)));
            }
            KeptFact::PreviousScore => {
                let score = move |row| previous.score(account(row)).map(|score| score as i32);
                table.int32_or_null(fact.name(), score);
            }
            KeptFact::PreviousBand => {
                table.text_or_null(fact.name(), move |row| previous.band(account(row)));
            }
        }
    }
    let scope = &job.scopes.lines;
    for slot in &job.policy.extra_columns {
        let (name, kind) = &scope.columns[*slot];
        let column = lines.columns[*slot].as_ref().expect("read as needed");
        table.column(name, *kind, column, line);
    }
}

/// Rejected rows, each with the log that tells its input and file.
fn rejects_table(rows: &[(&RejectLog, RejectedRow)]) -> OutputTable<'static> {
    fn file<'l>((log, row): &(&'l RejectLog, RejectedRow)) -> &'l (Option<Day>, String) {
        &log.files[row.file as usize]
    }
    let arrays: [(&str, bool, ArrayRef); 6] = [
        ("input", false, Arc::new(StringArray::from_iter_values(rows.iter().map(|(log, _)| log.input)))),
        (
            "delivery",
            true,
            Arc::new(rows.iter().map(|row| file(row).0.map(|day| day.0)).collect::<Date32Array>()),
        ),
        ("file", false, Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &file(row).1)))),
        ("row", false, Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, row)| row.row as i64)))),
        (
            "reason",
            false,
            Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, row)| row.reason.name()))),
        ),
        (
            "account_id",
            true,
            Arc::new(rows.iter().map(|(_, row)| row.account.as_deref()).collect::<StringArray>()),
        ),
    ];
    let mut table = OutputTable::new("rejects", rows.len());
    for (name, nullable, array) in arrays {
        table.add(name, array.data_type().clone(), nullable, move |rows| array.slice(rows.start, rows.len()));
    }
    table
}

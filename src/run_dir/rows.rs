//! Rows of a run's tables as columns: all of them, in batches, or those of one account, found by the
//! statistics of row groups and pages.

use std::fs::File;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, BooleanArray, RecordBatch, RecordBatchReader};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowFilter, RowSelection, RowSelector,
};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;

use super::RunDirectory;
use crate::expr::column::concat;
use crate::expr::{Column, Ints, Texts, Type};
use crate::failure::input;
use crate::input::decode::{Decoder, Dictionaries};
use crate::pieces::piece;

/// Columns of a table by name, equally long.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// How many rows there are.
    pub len: usize,
    /// In the order of the file.
    pub columns: Vec<(String, Column)>,
}

impl Rows {
    /// A column; fails where the table has none of that name.
    pub fn column(&self, name: &str) -> Result<&Column> {
        let found = self.columns.iter().find(|(known, _)| known == name);
        found.map(|(_, column)| column).ok_or_else(|| anyhow!("there is no column {name}"))
    }

    /// A column of integers or dates.
    pub fn ints(&self, name: &str) -> Result<&Ints> {
        match self.column(name)? {
            Column::Int(ints) => Ok(ints),
            _ => Err(anyhow!("the column {name} holds no integers")),
        }
    }

    /// A column of text.
    pub fn texts(&self, name: &str) -> Result<&Texts> {
        match self.column(name)? {
            Column::Text(texts) => Ok(texts),
            _ => Err(anyhow!("the column {name} holds no text")),
        }
    }
}

/// An account's id, as the run's tables have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountId {
    /// Int64.
    Int(i64),
    /// Text.
    Text(String),
}

impl AccountId {
    /// The row's id.
    pub fn of(column: &Column, row: usize) -> Option<AccountId> {
        match column {
            Column::Int(ints) => ints.get(row).map(|id| AccountId::Int(*id)),
            Column::Text(texts) => texts.get(row).map(|id| AccountId::Text(id.to_string())),
            _ => None,
        }
    }

    /// The id that `text` stands for in a table whose ids are of a type; `None` if it can be none.
    pub fn parse(text: &str, kind: Type) -> Option<AccountId> {
        match kind {
            Type::Int => text.parse().ok().map(AccountId::Int),
            _ => Some(AccountId::Text(text.to_string())),
        }
    }

    /// As people write it.
    pub fn text(&self) -> String {
        match self {
            AccountId::Int(id) => id.to_string(),
            AccountId::Text(id) => id.clone(),
        }
    }

    /// Whether it may lie between two values of statistics, which may be cut short (text).
    fn within(&self, least: &[u8], most: &[u8]) -> bool {
        match self {
            AccountId::Text(id) => least <= id.as_bytes() && id.as_bytes() <= most,
            AccountId::Int(id) => {
                let int = |bytes: &[u8]| bytes.try_into().map(i64::from_le_bytes).ok();
                int(least).is_none_or(|least| least <= *id) && int(most).is_none_or(|most| *id <= most)
            }
        }
    }
}

/// The names and types of the columns of a run's table: `scores`, `features`, `decisions`, `rejects`.
pub fn columns(run: &RunDirectory, table: &str) -> Result<Vec<(String, Type)>> {
    let named = |error: anyhow::Error| unreadable(run, table, &error);
    let metadata = open(run, table)?.1;
    let fields = metadata.schema().fields().iter();
    let column = |field: &Arc<arrow_schema::Field>| match Decoder::for_extra(field.data_type()) {
        Some(decoder) => Ok((field.name().clone(), decoder.kind())),
        None => Err(named(anyhow!("{} is {}", field.name(), field.data_type()))),
    };
    fields.map(column).collect()
}

/// Reads a table: the rows of one account, or of all.
pub fn read(run: &RunDirectory, table: &str, account: Option<&AccountId>) -> Result<Rows> {
    let mut parts: Vec<(String, Vec<Column>)> = Vec::new();
    let mut len = 0;
    batches(run, table, None, account, |rows| {
        len += rows.len;
        parts.resize(rows.columns.len(), (String::new(), Vec::new()));
        for (part, (name, column)) in parts.iter_mut().zip(rows.columns) {
            part.0 = name;
            part.1.push(column);
        }
        Ok(())
    })?;
    let columns = parts.into_iter().map(|(name, parts)| (name, concat(parts)));
    Ok(Rows { len, columns: columns.collect() })
}

/// Calls `each` with batch after batch of some columns of a table; at least once, so that a table
/// without rows has its columns all the same.
pub fn for_batches(
    run: &RunDirectory,
    table: &str,
    names: &[&str],
    each: impl FnMut(Rows) -> Result<()>,
) -> Result<()> {
    batches(run, table, Some(names), None, each)
}

fn unreadable(run: &RunDirectory, table: &str, error: &anyhow::Error) -> anyhow::Error {
    let run = run.path().display();
    input(format!("read {run}/{table}.parquet: {error:#}; check the run with `rescore verify {run}`"))
}

/// Opens a table with the pages' statistics.
fn open(run: &RunDirectory, table: &str) -> Result<(File, ArrowReaderMetadata)> {
    let file = run.file(&format!("{table}.parquet"))?;
    let options = ArrowReaderOptions::new()
        .with_skip_arrow_metadata(true)
        .with_page_index_policy(PageIndexPolicy::Optional);
    let metadata =
        ArrowReaderMetadata::load(&file, options).map_err(|error| unreadable(run, table, &error.into()))?;
    Ok((file, metadata))
}

fn batches(
    run: &RunDirectory,
    table: &str,
    names: Option<&[&str]>,
    account: Option<&AccountId>,
    mut each: impl FnMut(Rows) -> Result<()>,
) -> Result<()> {
    let mut read = || -> Result<()> {
        let reader = reader(run, table, names, account)?;
        let schema = reader.schema();
        let mut dictionaries = Dictionaries::default();
        let mut called = false;
        for batch in reader {
            crate::signal::check()?;
            each(decode(&batch?, &mut dictionaries)?)?;
            called = true;
        }
        if !called {
            each(decode(&RecordBatch::new_empty(schema), &mut dictionaries)?)?;
        }
        Ok(())
    };
    read().map_err(|error| named(run, table, error))
}

/// Calls `each` with batch after batch of some columns of two tables of the same accounts, row by row alike.
pub fn for_paired_batches(
    run: &RunDirectory,
    tables: [(&str, &[&str]); 2],
    mut each: impl FnMut([Rows; 2]) -> Result<()>,
) -> Result<()> {
    let [left, right] = tables.map(|(table, _)| table);
    let mut of_left = BatchReader::open(run, tables[0])?;
    let mut of_right = BatchReader::open(run, tables[1])?;
    loop {
        crate::signal::check()?;
        match (of_left.next()?, of_right.next()?) {
            (None, None) => return Ok(()),
            // Batches are cut alike, so that only the last of the shorter table is shorter.
            (Some(left), Some(right)) if left.len == right.len => each([left, right])?,
            _ => {
                let why = anyhow!("it has not as many rows as {right}.parquet");
                return Err(unreadable(run, left, &why));
            }
        }
    }
}

/// Some columns of a table, batch after batch.
struct BatchReader<'a> {
    run: &'a RunDirectory,
    table: &'a str,
    batches: ParquetRecordBatchReader,
    dictionaries: Dictionaries,
}

impl<'a> BatchReader<'a> {
    fn open(run: &'a RunDirectory, (table, names): (&'a str, &[&str])) -> Result<BatchReader<'a>> {
        let batches = reader(run, table, Some(names), None).map_err(|error| named(run, table, error))?;
        Ok(BatchReader { run, table, batches, dictionaries: Dictionaries::default() })
    }

    fn next(&mut self) -> Result<Option<Rows>> {
        let rows = self.batches.next().map(|batch| decode(&batch?, &mut self.dictionaries)).transpose();
        rows.map_err(|error| named(self.run, self.table, error))
    }
}

/// An error about a table, unless it says already what to do.
fn named(run: &RunDirectory, table: &str, error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<crate::failure::Failure>() {
        Some(_) => error,
        None => unreadable(run, table, &error),
    }
}

fn reader(
    run: &RunDirectory,
    table: &str,
    names: Option<&[&str]>,
    account: Option<&AccountId>,
) -> Result<ParquetRecordBatchReader> {
    const BATCH_ROWS: usize = piece(65_536, 3);
    let (file, metadata) = open(run, table)?;
    let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone())
        .with_batch_size(BATCH_ROWS);
    if let Some(names) = names {
        let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
        builder = builder.with_projection(mask);
    }
    if let Some(id) = account {
        let (groups, selection) = row_groups_of(metadata.metadata(), id);
        let ids = ProjectionMask::columns(builder.parquet_schema(), ["account_id"]);
        let wanted = id.clone();
        let matches = ArrowPredicateFn::new(ids, move |batch| Ok(is_of(&batch, &wanted)));
        let filter = RowFilter::new(vec![Box::new(matches)]);
        builder = builder.with_row_groups(groups).with_row_selection(selection).with_row_filter(filter);
    }
    Ok(builder.build()?)
}

fn decode(batch: &RecordBatch, dictionaries: &mut Dictionaries) -> Result<Rows> {
    let schema = batch.schema();
    let columns = batch.columns().iter().enumerate().map(|(slot, array)| {
        let field = schema.field(slot);
        let named = || format!("column {}", field.name());
        // Written as text, so that the reader makes no dictionaries of it.
        let decoder = match field.data_type() {
            DataType::Utf8 | DataType::Binary => Some(Decoder::PlainText),
            other => Decoder::for_extra(other),
        };
        let decoder = decoder.with_context(named)?;
        let column = decoder
            .decode(array.clone(), slot, dictionaries)
            .map_err(anyhow::Error::msg)
            .with_context(named)?;
        Ok((field.name().clone(), column))
    });
    Ok(Rows { len: batch.num_rows(), columns: columns.collect::<Result<_>>()? })
}

fn is_of(batch: &RecordBatch, id: &AccountId) -> BooleanArray {
    let ids = batch.column(0);
    match (id, ids.data_type()) {
        (AccountId::Int(id), DataType::Int64) => {
            ids.as_primitive::<Int64Type>().iter().map(|found| Some(found == Some(*id))).collect()
        }
        (AccountId::Text(id), DataType::Utf8) => {
            ids.as_string::<i32>().iter().map(|found| Some(found == Some(id.as_str()))).collect()
        }
        _ => BooleanArray::from(vec![false; ids.len()]),
    }
}

/// The row groups that may hold the account, and which of their pages' rows.
fn row_groups_of(metadata: &ParquetMetaData, id: &AccountId) -> (Vec<usize>, RowSelection) {
    let slot =
        metadata.file_metadata().schema_descr().columns().iter().position(|c| c.name() == "account_id");
    let slot = slot.unwrap_or(0);
    let groups = metadata.row_groups().iter().enumerate();
    let groups: Vec<usize> = groups
        .filter(|(_, group)| may_hold(group.column(slot).statistics(), id))
        .map(|(group, _)| group)
        .collect();
    let selectors = groups.iter().flat_map(|group| pages(metadata, *group, slot, id));
    let selection = RowSelection::from(selectors.collect::<Vec<RowSelector>>());
    (groups, selection)
}

/// Whether rows with such statistics may hold the account.
fn may_hold(statistics: Option<&Statistics>, id: &AccountId) -> bool {
    let range =
        statistics.and_then(|statistics| Some((statistics.min_bytes_opt()?, statistics.max_bytes_opt()?)));
    range.is_none_or(|(least, most)| id.within(least, most))
}

/// Which rows of a row group lie in pages that may hold the account.
fn pages(metadata: &ParquetMetaData, group: usize, slot: usize, id: &AccountId) -> Vec<RowSelector> {
    let rows = metadata.row_group(group).num_rows();
    let index = metadata.page_index();
    let found =
        index.and_then(|index| Some((index.column_index(group, slot)?, index.offset_index(group, slot)?)));
    let Some((statistics, offsets)) = found else { return vec![RowSelector::select(rows as usize)] };
    let starts: Vec<i64> = offsets.page_locations().iter().map(|page| page.first_row_index).collect();
    let ends = starts.iter().skip(1).copied().chain([rows]);
    let mut selectors = Vec::with_capacity(starts.len());
    for (page, (start, end)) in starts.iter().zip(ends).enumerate() {
        let rows = usize::try_from(end - start).unwrap_or(0);
        let is_held = page_may_hold(statistics, page, id);
        selectors.push(if is_held { RowSelector::select(rows) } else { RowSelector::skip(rows) });
    }
    selectors
}

fn page_may_hold(statistics: &ColumnIndexMetaData, page: usize, id: &AccountId) -> bool {
    match (statistics, id) {
        (ColumnIndexMetaData::INT64(index), AccountId::Int(id)) => {
            index.min_value(page).is_none_or(|least| least <= id)
                && index.max_value(page).is_none_or(|most| id <= most)
        }
        (ColumnIndexMetaData::BYTE_ARRAY(index), AccountId::Text(_)) => {
            let range = index.min_value(page).zip(index.max_value(page));
            range.is_none_or(|(least, most)| id.within(least, most))
        }
        _ => true,
    }
}

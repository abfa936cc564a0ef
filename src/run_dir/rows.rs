//! Rows of a run's tables, of one file or of parts, as columns: all of them, in batches, or those of one account,
//! found by the statistics of files, row groups and pages.

use std::collections::VecDeque;
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
use super::manifest::OutputEntry;
use crate::expr::column::concat;
use crate::expr::{Column, Ints, Texts, Type};
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
    let first = run.table(table)?[0];
    let metadata = if run.is_stored() {
        // Whoever reads rows fetches and checks the file then.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let footer =
            run.footer(first).and_then(|footer| Ok(ArrowReaderMetadata::try_new(footer.into(), options)?));
        footer.map_err(|error| run.unreadable(first, &format_args!("{error:#}")))?
    } else {
        open(run, first)?.1
    };
    let fields = metadata.schema().fields().iter();
    let column = |field: &Arc<arrow_schema::Field>| match Decoder::for_extra(field.data_type()) {
        Some(decoder) => Ok((field.name().clone(), decoder.kind())),
        None => Err(run.unreadable(first, &format_args!("{} is {}", field.name(), field.data_type()))),
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

/// Likewise of one file of a table; not at all where it has no rows.
pub fn for_batches_of_file(
    run: &RunDirectory,
    file: &OutputEntry,
    names: &[&str],
    mut each: impl FnMut(Rows) -> Result<()>,
) -> Result<()> {
    let mut reader = BatchReader::open(run, vec![file], Some(names), None)?;
    while let Some(rows) = reader.next()? {
        crate::signal::check()?;
        each(rows).map_err(|error| named(run, file, error))?;
    }
    Ok(())
}

/// Opens a file of a table with the pages' statistics.
fn open(run: &RunDirectory, file: &OutputEntry) -> Result<(File, ArrowReaderMetadata)> {
    let opened = run.file(file)?;
    let options = ArrowReaderOptions::new()
        .with_skip_arrow_metadata(true)
        .with_page_index_policy(PageIndexPolicy::Optional);
    let metadata =
        ArrowReaderMetadata::load(&opened, options).map_err(|error| run.unreadable(file, &error))?;
    Ok((opened, metadata))
}

fn batches(
    run: &RunDirectory,
    table: &str,
    names: Option<&[&str]>,
    account: Option<&AccountId>,
    mut each: impl FnMut(Rows) -> Result<()>,
) -> Result<()> {
    let files = run.table(table)?;
    let first = files[0];
    // Statistics that are not those of the file would hide an account: all files are looked at before it is
    // said that there is none. No two files have rows of one account.
    let (likely, others) = match account {
        Some(id) if files.len() > 1 => files.into_iter().partition(|file| may_have_rows_of(run, file, id)),
        _ => (files, Vec::new()),
    };
    let mut has_rows = false;
    for files in [likely, others] {
        if has_rows || files.is_empty() {
            continue;
        }
        let mut reader = BatchReader::open(run, files, names, account)?;
        while let Some(rows) = reader.next()? {
            crate::signal::check()?;
            has_rows = true;
            each(rows).map_err(|error| named(run, reader.file, error))?;
        }
    }
    if !has_rows {
        let reader = BatchReader::open(run, vec![first], names, account)?;
        let none = decode(&RecordBatch::new_empty(reader.batches.schema()), &mut Dictionaries::default());
        none.and_then(each).map_err(|error| named(run, first, error))?;
    }
    Ok(())
}

/// Whether a file may have rows of an account by its statistics, which are read without a look at the bytes that
/// they are of.
fn may_have_rows_of(run: &RunDirectory, file: &OutputEntry, id: &AccountId) -> bool {
    // One that cannot be read is opened, which says why.
    run.footer(file).map_or(true, |metadata| !row_groups_of(&metadata, id).0.is_empty())
}

/// Calls `each` with batch after batch of some columns of two tables of the same accounts, row by row alike.
pub fn for_paired_batches(
    run: &RunDirectory,
    [(left, left_names), (right, right_names)]: [(&str, &[&str]); 2],
    mut each: impl FnMut([Rows; 2]) -> Result<()>,
) -> Result<()> {
    let mut of_left = BatchReader::open(run, run.table(left)?, Some(left_names), None)?;
    let mut of_right = BatchReader::open(run, run.table(right)?, Some(right_names), None)?;
    loop {
        crate::signal::check()?;
        match (of_left.next()?, of_right.next()?) {
            (None, None) => return Ok(()),
            // Batches are cut alike, so that only the last of the shorter table is shorter.
            (Some(left), Some(right)) if left.len == right.len => each([left, right])?,
            _ => {
                let why = format!("it has not as many rows as {}", of_right.file.file);
                return Err(run.unreadable(of_left.file, &why));
            }
        }
    }
}

/// Some columns of a table, or of one account's rows in it, batch after batch, file after file.
struct BatchReader<'r> {
    run: &'r RunDirectory,
    /// `None` for all columns.
    names: Option<&'r [&'r str]>,
    account: Option<&'r AccountId>,
    /// The file being read.
    file: &'r OutputEntry,
    batches: ParquetRecordBatchReader,
    /// The files after it.
    rest: VecDeque<&'r OutputEntry>,
    dictionaries: Dictionaries,
}

impl<'r> BatchReader<'r> {
    /// Opens the first of some files.
    fn open(
        run: &'r RunDirectory,
        files: Vec<&'r OutputEntry>,
        names: Option<&'r [&'r str]>,
        account: Option<&'r AccountId>,
    ) -> Result<BatchReader<'r>> {
        let mut rest = VecDeque::from(files);
        let file = rest.pop_front().expect("a table has a file");
        let batches = reader(run, file, names, account)?;
        Ok(BatchReader { run, names, account, file, batches, rest, dictionaries: Dictionaries::default() })
    }

    /// The next rows; `None` at the end of the last file.
    fn next(&mut self) -> Result<Option<Rows>> {
        loop {
            if let Some(batch) = self.batches.next() {
                let rows = batch.map_err(Into::into).and_then(|batch| decode(&batch, &mut self.dictionaries));
                return rows.map(Some).map_err(|error| named(self.run, self.file, error));
            }
            let Some(file) = self.rest.pop_front() else { return Ok(None) };
            let batches = reader(self.run, file, self.names, self.account)?;
            if batches.schema() != self.batches.schema() {
                let why = format!("its columns are not those of {}", self.file.file);
                return Err(self.run.unreadable(file, &why));
            }
            (self.file, self.batches) = (file, batches);
        }
    }
}

/// An error about a file, unless it says already what to do.
fn named(run: &RunDirectory, file: &OutputEntry, error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<crate::failure::Failure>() {
        Some(_) => error,
        None => run.unreadable(file, &format_args!("{error:#}")),
    }
}

fn reader(
    run: &RunDirectory,
    file: &OutputEntry,
    names: Option<&[&str]>,
    account: Option<&AccountId>,
) -> Result<ParquetRecordBatchReader> {
    const BATCH_ROWS: usize = piece(65_536, 3);
    let (opened, metadata) = open(run, file)?;
    let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(opened, metadata.clone())
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
    builder.build().map_err(|error| run.unreadable(file, &error))
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

//! A run's tables read together: each block holds some accounts, whole, and all their lines.

use anyhow::Result;

use super::cells::{FileColumn, Shape};
use super::sorted::{BLOCK_ROWS, SortedTable, TableSource, compare};
use crate::expr::Column;
use crate::expr::column::concat;
use crate::failure::input;
use crate::run_dir::RunDirectory;

/// Rows of a file, or accounts of a run with their lines.
pub struct Block {
    /// How many rows, or accounts.
    pub rows: usize,
    /// All columns of the file; of a run those of scores, then those of features without the id.
    pub columns: Vec<Column>,
    /// The columns of decisions, for the lines of all the block's accounts; empty for a file.
    pub lines: Vec<Column>,
    /// By account: where its lines begin; one more at the end. Empty for a file.
    pub first_line: Vec<u32>,
}

/// What blocks hold, by position.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Of `columns`.
    pub columns: Vec<FileColumn>,
    /// How many of those are of scores (or of the file).
    pub scores: usize,
    /// Of `lines`.
    pub lines: Vec<FileColumn>,
    /// Positions of the key among `columns`.
    pub key: Vec<usize>,
    /// By table: what its file holds.
    pub schemas: Vec<(&'static str, Vec<FileColumn>)>,
}

impl Layout {
    /// How the columns of the key are kept.
    pub fn key_shapes(&self) -> impl Iterator<Item = Shape> {
        self.key.iter().map(|slot| self.columns[*slot].shape)
    }

    /// The position among `columns` of a column of scores.
    pub fn of_scores(&self, name: &str) -> Option<usize> {
        position(&self.columns[..self.scores], name)
    }

    /// The position among `columns` of a feature.
    pub fn of_features(&self, name: &str) -> Option<usize> {
        position(&self.columns[self.scores..], name).map(|among_features| self.scores + among_features)
    }

    /// The position among `lines` of a column of decisions.
    pub fn of_lines(&self, name: &str) -> Option<usize> {
        position(&self.lines, name)
    }
}

fn position(columns: &[FileColumn], name: &str) -> Option<usize> {
    columns.iter().position(|column| column.name == name)
}

/// Where blocks come from.
pub enum BlockReader<'r> {
    /// A file.
    Table(Box<SortedTable<'r>>),
    /// A run's scores, features and decisions.
    Run(Box<RunReader<'r>>),
}

/// The three tables of a run, side by side.
pub struct RunReader<'r> {
    scores: SortedTable<'r>,
    features: SortedTable<'r>,
    decisions: SortedTable<'r>,
    left_over: Option<LeftOverLines>,
}

/// Lines that are read, of accounts of the blocks to come.
struct LeftOverLines {
    columns: Vec<Column>,
    /// The first line that is in no block yet.
    start: usize,
}

impl<'r> BlockReader<'r> {
    /// Reads a table; bytes are taken for text where `bytes_are_text`.
    pub fn table(
        name: &'static str,
        source: TableSource<'r>,
        key: &[&str],
        bytes_are_text: bool,
    ) -> Result<(BlockReader<'r>, Layout)> {
        let file = SortedTable::open(source, key, BLOCK_ROWS, bytes_are_text)?;
        let columns = file.schema.clone();
        let layout = Layout {
            scores: columns.len(),
            columns,
            lines: Vec::new(),
            key: file.key.clone(),
            schemas: vec![(name, file.schema.clone())],
        };
        Ok((BlockReader::Table(Box::new(file)), layout))
    }

    /// Reads a run.
    pub fn run(run: &'r RunDirectory) -> Result<(BlockReader<'r>, Layout)> {
        let scores = open_table(run, "scores", &["account_id"], BLOCK_ROWS)?;
        let features = open_table(run, "features", &["account_id"], BLOCK_ROWS)?;
        // Lines are cut at accounts: the more are read at a time, the fewer have to be put together.
        let decisions = open_table(run, "decisions", &["account_id", "product"], 2 * BLOCK_ROWS)?;
        let mut columns = scores.schema.clone();
        let of_scores = columns.len();
        let mut of_features = features.schema.clone();
        of_features.remove(features.key[0]);
        columns.append(&mut of_features);
        let schemas = [("scores", &scores), ("features", &features), ("decisions", &decisions)];
        let layout = Layout {
            columns,
            scores: of_scores,
            lines: decisions.schema.clone(),
            key: scores.key.clone(),
            schemas: schemas.map(|(table, file)| (table, file.schema.clone())).to_vec(),
        };
        let reader = RunReader { scores, features, decisions, left_over: None };
        Ok((BlockReader::Run(Box::new(reader)), layout))
    }

    /// The next block; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Block>> {
        match self {
            BlockReader::Table(file) => Ok(file.next()?.map(|columns| Block {
                rows: columns.first().map_or(0, Column::len),
                columns,
                lines: Vec::new(),
                first_line: Vec::new(),
            })),
            BlockReader::Run(run) => run.next(),
        }
    }
}

fn open_table<'r>(run: &'r RunDirectory, table: &str, key: &[&str], rows: usize) -> Result<SortedTable<'r>> {
    SortedTable::open(TableSource::of_run(run, table)?, key, rows, false)
}

impl RunReader<'_> {
    fn next(&mut self) -> Result<Option<Block>> {
        let (mut columns, mut features) = match (self.scores.next()?, self.features.next()?) {
            (Some(scores), Some(features)) => (scores, features),
            (None, None) => {
                let has_more_lines = self.left_over.is_some() || self.decisions.next()?.is_some();
                return if has_more_lines { Err(self.torn("decisions")) } else { Ok(None) };
            }
            _ => return Err(self.torn("features")),
        };
        let ids = &columns[self.scores.key[0]];
        if *ids_of(&features, &self.features) != *ids && !same_ids(ids, ids_of(&features, &self.features)) {
            return Err(self.torn("features"));
        }
        features.remove(self.features.key[0]);
        let rows = ids.len();
        let lines = self.take_lines(&columns[self.scores.key[0]])?;
        let first_line = self.first_lines(&columns[self.scores.key[0]], &lines[self.decisions.key[0]])?;
        columns.append(&mut features);
        Ok(Some(Block { rows, columns, lines, first_line }))
    }

    fn torn(&self, table: &str) -> anyhow::Error {
        let message = "its accounts are not those of scores.parquet: the tables are not of one run";
        input(format!("read {table}.parquet: {message}"))
    }

    /// The lines of accounts up to the last of `ids`.
    fn take_lines(&mut self, ids: &Column) -> Result<Vec<Column>> {
        let mut parts: Vec<Vec<Column>> = Vec::new();
        loop {
            let LeftOverLines { columns, start } = match self.left_over.take() {
                Some(left_over) => left_over,
                None => match self.decisions.next()? {
                    Some(columns) => LeftOverLines { columns, start: 0 },
                    None => break,
                },
            };
            let account = &columns[self.decisions.key[0]];
            let end = partition_point(start, account.len(), |line| {
                compare(&[account], line, &[ids], ids.len() - 1).is_le()
            });
            parts.push(columns.iter().map(|column| column.slice(start..end)).collect());
            if end < account.len() {
                self.left_over = Some(LeftOverLines { columns, start: end });
                break;
            }
        }
        if parts.is_empty() {
            return Ok(vec![ids.slice(0..0); self.decisions.schema.len()]);
        }
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let mut columns: Vec<Vec<Column>> = Vec::new();
        for part in parts {
            columns.resize_with(part.len(), Vec::new);
            part.into_iter().zip(&mut columns).for_each(|(part, column)| column.push(part));
        }
        Ok(columns.into_iter().map(concat).collect())
    }

    /// Where each account's lines begin; every line must be of one of the accounts.
    fn first_lines(&self, ids: &Column, accounts: &Column) -> Result<Vec<u32>> {
        let first = match (accounts, ids) {
            (Column::Int(accounts), Column::Int(ids)) => {
                group_starts(ids.values.len(), accounts.values.len(), |line, row| {
                    accounts.values[line] == ids.values[row]
                })
            }
            _ => group_starts(ids.len(), accounts.len(), |line, row| {
                compare(&[accounts], line, &[ids], row).is_eq()
            }),
        };
        first.ok_or_else(|| self.torn("decisions"))
    }
}

/// Where the lines of each of `rows` accounts begin among `lines`, and one more for the end; `None` where some
/// line is of none of them.
fn group_starts(rows: usize, lines: usize, is_of: impl Fn(usize, usize) -> bool) -> Option<Vec<u32>> {
    let mut first = Vec::with_capacity(rows + 1);
    let mut line = 0;
    for row in 0..rows {
        first.push(line as u32);
        while line < lines && is_of(line, row) {
            line += 1;
        }
    }
    first.push(line as u32);
    (line == lines).then_some(first)
}

fn ids_of<'a>(columns: &'a [Column], file: &SortedTable) -> &'a Column {
    &columns[file.key[0]]
}

fn same_ids(a: &Column, b: &Column) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
        && a.len() == b.len()
        && (0..a.len()).all(|row| compare(&[a], row, &[b], row).is_eq())
}

/// The first row from `start` to `end` for which `holds` is false; it is true before and false after.
fn partition_point(start: usize, end: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (start, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    low
}

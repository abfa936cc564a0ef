//! Judged rows put in order of account and cut into blocks.

use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::*;

use super::codec::{Storage, Taken, put_column, put_compressed, put_texts};
use super::delivery::{BlockEntry, Piece, SortedRun};
use crate::expr::column::concat;
use crate::expr::{Column, Texts};
use crate::hash::xxh3_64;
use crate::input::account_id::Id;
use crate::input::judge::Verdicts;
use crate::input::reason::RejectReason;
use crate::input::reject_log::RejectedRows;
use crate::input::stream::JudgedRows;
use crate::pieces::piece;
use crate::radix::sort_rows;

/// Rows of a block: enough to be worth a look at every column, few enough that blocks of hundreds of
/// deliveries fit in memory side by side.
const BLOCK_ROWS: usize = piece(4_096, 3);

/// Texts of a column that all blocks of a run share, as long as they are no more than so many.
const MOST_SHARED_TEXTS: usize = piece(1_024, 2);

/// A run as bytes; its offsets are counted from its first byte.
pub struct PackedRun {
    /// Its blocks and texts.
    pub run: SortedRun,
    /// What it takes.
    pub bytes: Vec<u8>,
    /// Rows in the files.
    pub read: u64,
    /// Rows left out, by reason.
    pub rejected: BTreeMap<RejectReason, u64>,
}

impl PackedRun {
    /// Puts rows of one delivery in order; `first_file` is the number of its first file, `kept` are the positions
    /// of the columns to keep, the account first.
    pub fn of(rows: Vec<JudgedRows>, first_file: usize, kept: &[usize]) -> Result<PackedRun> {
        let mut rejects = RejectedRows::default();
        rows.iter().for_each(|rows| rows.list_rejects(first_file, &mut rejects));
        let read = rows.iter().map(JudgedRows::rows).sum::<usize>() as u64;
        let accepted = accepted(&rows);
        let columns = columns(rows, kept);
        let order = in_order(&columns[0], accepted);
        let mut packed = PackedRun {
            run: SortedRun::default(),
            bytes: Vec::new(),
            read,
            rejected: rejects.counts().clone(),
        };
        packed.pack(&columns, &order);
        if !rejects.is_empty() {
            let mut listed = Vec::new();
            put_compressed(&mut listed, rejects.bytes());
            packed.run.rejects = Some(packed.add(&listed));
        }
        Ok(packed)
    }

    fn pack(&mut self, columns: &[Column], order: &[u32]) {
        let mut storage: Vec<Storage> = columns.iter().map(widest_storage).collect();
        if let Some(rows) = order.chunks(BLOCK_ROWS).next() {
            // What the first block does not gain by, the others do not gain by either.
            storage = PackedBlock::of(columns, &storage, rows).storage;
        }
        let blocks: Vec<PackedBlock> =
            order.par_chunks(BLOCK_ROWS).map(|rows| PackedBlock::of(columns, &storage, rows)).collect();
        for PackedBlock { rows, first, last, bytes, .. } in blocks {
            let piece = self.add(&bytes);
            self.run.blocks.push(BlockEntry { piece, rows, first, last });
        }
        for (column, storage) in columns.iter().zip(storage) {
            let texts = match column {
                Column::Text(texts) if storage.is_shared && !order.is_empty() => Some(&texts.dictionary),
                _ => None,
            };
            let piece = texts.map(|texts| {
                let (mut raw, mut bytes) = (Vec::new(), Vec::new());
                put_texts(&mut raw, texts);
                put_compressed(&mut bytes, &raw);
                self.add(&bytes)
            });
            self.run.texts.push(piece);
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Piece {
        let offset = self.bytes.len() as u64;
        self.bytes.extend(bytes);
        Piece { offset, length: bytes.len() as u32, hash: xxh3_64(bytes) }
    }
}

/// How a column is kept where everything that may gain does gain.
fn widest_storage(column: &Column) -> Storage {
    let is_shared = match column {
        Column::Text(texts) => texts.dictionary.len() <= MOST_SHARED_TEXTS,
        _ => false,
    };
    Storage { is_shared, steps: true, compresses: true }
}

/// The columns to keep, all batches end to end.
fn columns(rows: Vec<JudgedRows>, kept: &[usize]) -> Vec<Column> {
    let mut parts: Vec<Vec<Column>> = vec![Vec::new(); kept.len()];
    for mut batch in rows.into_iter().flat_map(|rows| rows.batches) {
        for (slot, part) in kept.iter().zip(&mut parts) {
            let empty = Column::Bool(Vec::new());
            part.push(std::mem::replace(&mut batch.columns[*slot], empty));
        }
    }
    parts.into_par_iter().map(concat).collect()
}

/// The rows with no reason against them, counted over all batches.
fn accepted(rows: &[JudgedRows]) -> Vec<u32> {
    let mut accepted = Vec::with_capacity(rows.iter().map(JudgedRows::rows).sum());
    let mut first = 0;
    for Verdicts(verdicts) in rows.iter().flat_map(|rows| &rows.batches).map(|batch| &batch.verdicts) {
        let numbered = verdicts.iter().zip(first..);
        accepted.extend(numbered.filter(|(verdict, _)| verdict.is_none()).map(|(_, row): (_, u32)| row));
        first += verdicts.len() as u32;
    }
    accepted
}

/// Accepted rows, ascending, put in order of account; those of one account stay in order of arrival.
fn in_order(account: &Column, accepted: Vec<u32>) -> Vec<u32> {
    let ids = match account {
        Column::Int(ints) => &ints.values,
        Column::Text(texts) => &ranks(texts),
        _ => unreachable!("ids are integers or text"),
    };
    if accepted.is_sorted_by_key(|row| ids[*row as usize]) {
        return accepted;
    }
    let mut rows: Vec<(i64, u32)> = accepted.iter().map(|row| (ids[*row as usize], *row)).collect();
    sort_rows(&mut rows);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// By row, the rank of its text among all, by bytes; texts are each there once.
fn ranks(texts: &Texts) -> Vec<i64> {
    let mut codes: Vec<u32> = (0..texts.dictionary.len() as u32).collect();
    codes.par_sort_unstable_by(|a, b| {
        let (a, b) = (&texts.dictionary[*a as usize], &texts.dictionary[*b as usize]);
        a.cmp(b)
    });
    let mut ranks = vec![0; codes.len()];
    codes.into_iter().zip(0..).for_each(|(code, rank)| ranks[code as usize] = rank);
    texts.codes.iter().map(|code| ranks.get(*code as usize).copied().unwrap_or(-1)).collect()
}

/// The rows of one block as bytes.
struct PackedBlock {
    rows: u32,
    first: Id,
    last: Id,
    bytes: Vec<u8>,
    /// By column, how it is kept: without what did not gain.
    storage: Vec<Storage>,
}

impl PackedBlock {
    fn of(columns: &[Column], storage: &[Storage], rows: &[u32]) -> PackedBlock {
        let (first, last) = (rows[0] as usize, rows[rows.len() - 1] as usize);
        let are_neighbours = rows.is_sorted_by(|row, next| row + 1 == *next);
        let taken = if are_neighbours { Taken::Range(first..last + 1) } else { Taken::Of(rows) };
        let mut bytes = Vec::new();
        let columns_with_storage = columns.iter().zip(storage);
        let storage = columns_with_storage
            .map(|(column, storage)| put_column(&mut bytes, column, &taken, *storage))
            .collect();
        let (first, last) = (id(&columns[0], first), id(&columns[0], last));
        PackedBlock { rows: rows.len() as u32, first, last, bytes, storage }
    }
}

fn id(column: &Column, row: usize) -> Id {
    match column {
        Column::Int(ints) => Id::Int(ints.values[row]),
        Column::Text(texts) => Id::Text(texts.dictionary[texts.codes[row] as usize].clone()),
        _ => unreachable!("ids are integers or text"),
    }
}

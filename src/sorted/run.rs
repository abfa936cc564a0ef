//! Judged rows put in order of account and cut into blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::codec::{Manner, put_column, put_compressed, put_texts};
use super::delivery::{BlockEntry, Piece, SortedRun};
use crate::expr::column::concat;
use crate::expr::{Column, Texts};
use crate::input::accounts::Id;
use crate::input::reject_log::RejectedRows;
use crate::input::rejects::Reason;
use crate::input::stream::JudgedRows;
use crate::pieces::piece;

/// Rows of a block: enough to be worth a look at every column, few enough that blocks of hundreds of
/// deliveries fit in memory side by side.
const BLOCK_ROWS: usize = piece(4_096, 3);

/// Texts of a column that all blocks of a run share, as long as they are no more than so many.
const MOST_SHARED_TEXTS: usize = piece(1_024, 2);

/// A run as bytes; its places are counted from its first byte.
pub struct PackedRun {
    /// Its blocks and texts.
    pub run: SortedRun,
    /// What it takes.
    pub bytes: Vec<u8>,
    /// Rows in the files.
    pub read: u64,
    /// Rows left out, by reason.
    pub rejected: BTreeMap<Reason, u64>,
}

impl PackedRun {
    /// Puts rows of one delivery in order; `first_file` is the number of its first file, `kept` are the places
    /// of the columns to keep, the account first.
    pub fn of(rows: Vec<JudgedRows>, first_file: usize, kept: &[usize]) -> Result<PackedRun> {
        let mut rejects = RejectedRows::default();
        rows.iter().for_each(|rows| rows.list_rejects(first_file, &mut rejects));
        let read =
            rows.iter().flat_map(|rows| &rows.batches).map(|batch| batch.verdicts.0.len() as u64).sum();
        let verdicts = rows.iter().flat_map(|rows| &rows.batches).flat_map(|batch| &batch.verdicts.0);
        let accepted: Vec<u32> = verdicts
            .zip(0..)
            .filter(|(verdict, _)| verdict.is_none())
            .map(|(_, place): (_, u32)| place)
            .collect();
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

    fn pack(&mut self, columns: &[Column], order: &Order) {
        let is_shared = |column: &Column| match column {
            Column::Text(texts) => texts.dictionary.len() <= MOST_SHARED_TEXTS,
            _ => false,
        };
        let manner = |column: &Column| Manner { is_shared: is_shared(column), compresses: true };
        let mut manners: Vec<Manner> = columns.iter().map(manner).collect();
        if !order.is_empty() {
            // What the first block does not gain, the others do not gain either.
            let (_, _, gains) = block(columns, &manners, order, 0);
            manners.iter_mut().zip(gains).for_each(|(manner, gains)| manner.compresses = gains);
        }
        let blocks: Vec<(BlockEntry, Vec<u8>)> = (0..order.len())
            .step_by(BLOCK_ROWS)
            .collect::<Vec<usize>>()
            .into_par_iter()
            .map(|start| {
                let (entry, bytes, _) = block(columns, &manners, order, start);
                (entry, bytes)
            })
            .collect();
        for (mut entry, bytes) in blocks {
            entry.piece = self.add(&bytes);
            self.run.blocks.push(entry);
        }
        for (column, manner) in columns.iter().zip(manners) {
            let texts = match column {
                Column::Text(texts) if manner.is_shared && !order.is_empty() => Some(&texts.dictionary),
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

/// Rows in order: the first so many as they are, or some of them in an order of their own.
enum Order {
    AsTheyAre(usize),
    Of(Vec<u32>),
}

impl Order {
    fn len(&self) -> usize {
        match self {
            Order::AsTheyAre(rows) => *rows,
            Order::Of(rows) => rows.len(),
        }
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The columns to keep, all batches end to end.
fn columns(rows: Vec<JudgedRows>, kept: &[usize]) -> Vec<Column> {
    let mut parts: Vec<Vec<Column>> = vec![Vec::new(); kept.len()];
    for mut batch in rows.into_iter().flat_map(|rows| rows.batches) {
        for (place, part) in kept.iter().zip(&mut parts) {
            let empty = Column::Bool(Vec::new());
            part.push(std::mem::replace(&mut batch.columns[*place], empty));
        }
    }
    parts.into_par_iter().map(concat).collect()
}

/// Accepted rows, ascending, put in order of account; those of one account stay in order of arrival.
fn in_order(account: &Column, accepted: Vec<u32>) -> Order {
    let ids = match account {
        Column::Int(ints) => &ints.values,
        Column::Text(texts) => &ranks(texts),
        _ => unreachable!("ids are integers or text"),
    };
    let is_sorted = accepted.is_sorted_by_key(|row| ids[*row as usize]);
    if is_sorted && accepted.len() == ids.len() {
        return Order::AsTheyAre(ids.len());
    }
    if is_sorted {
        return Order::Of(accepted);
    }
    let least = accepted.iter().map(|row| ids[*row as usize]).min().unwrap_or(0);
    let most = accepted.iter().map(|row| ids[*row as usize]).max().unwrap_or(0);
    // Both in one word sort several times as fast as pairs.
    const ROW_BITS: u32 = 22;
    let fits = most.wrapping_sub(least) as u64 >> (u64::BITS - ROW_BITS) == 0 && ids.len() >> ROW_BITS == 0;
    if fits {
        let word = |row: &u32| (ids[*row as usize].wrapping_sub(least) as u64) << ROW_BITS | u64::from(*row);
        let mut words: Vec<u64> = accepted.iter().map(word).collect();
        words.par_sort_unstable();
        return Order::Of(words.into_iter().map(|word| word as u32 & ((1 << ROW_BITS) - 1)).collect());
    }
    let mut pairs: Vec<(i64, u32)> = accepted.iter().map(|row| (ids[*row as usize], *row)).collect();
    pairs.par_sort_unstable();
    Order::Of(pairs.into_iter().map(|(_, row)| row).collect())
}

/// By row, the place of its text among all, by bytes; texts are each there once.
fn ranks(texts: &Texts) -> Vec<i64> {
    let mut codes: Vec<u32> = (0..texts.dictionary.len() as u32).collect();
    let text = |code: &u32| -> &Arc<str> { &texts.dictionary[*code as usize] };
    codes.par_sort_unstable_by(|a, b| text(a).cmp(text(b)));
    let mut ranks = vec![0; codes.len()];
    codes.into_iter().zip(0..).for_each(|(code, rank)| ranks[code as usize] = rank);
    texts.codes.iter().map(|code| ranks.get(*code as usize).copied().unwrap_or(-1)).collect()
}

/// The rows of one block; and by column, whether compressing it is worth while.
fn block(
    columns: &[Column],
    manners: &[Manner],
    order: &Order,
    start: usize,
) -> (BlockEntry, Vec<u8>, Vec<bool>) {
    let rows = start..(start + BLOCK_ROWS).min(order.len());
    let mut bytes = Vec::new();
    let (mut ends, mut gains) = (None, Vec::new());
    for (column, manner) in columns.iter().zip(manners) {
        let own = match order {
            Order::AsTheyAre(_) => column.slice(rows.clone()),
            Order::Of(order) => column.gather(&order[rows.clone()]),
        };
        ends.get_or_insert_with(|| (id(&own, 0), id(&own, rows.len() - 1)));
        gains.push(put_column(&mut bytes, &own, *manner));
    }
    let (first, last) = ends.expect("the account is kept");
    let piece = Piece { offset: 0, length: 0, hash: 0 };
    (BlockEntry { piece, rows: rows.len() as u32, first, last }, bytes, gains)
}

fn id(column: &Column, row: usize) -> Id {
    match column {
        Column::Int(ints) => Id::Int(ints.values[row]),
        Column::Text(texts) => Id::Text(texts.dictionary[texts.codes[row] as usize].clone()),
        _ => unreachable!("ids are integers or text"),
    }
}

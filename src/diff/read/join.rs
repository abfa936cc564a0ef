//! The merge join: two streams of sorted blocks become pieces in which both sides' rows are paired.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::Result;

use super::cells::KeyPart;
use super::pairs::{NONE, Pairs};
use super::runs::{Block, BlockReader, Layout};
use super::sorted::compare;
use crate::expr::Column;

/// Rows of both sides that lie next to each other, paired by key.
pub struct JoinPiece<'a> {
    /// The left side's block; `None` past its end.
    pub left: Option<&'a Block>,
    /// The right side's block.
    pub right: Option<&'a Block>,
    /// Rows, or accounts, in order of the key.
    pub rows: Pairs,
    /// Lines, in order of account and product.
    pub lines: Pairs,
    /// By pair of lines: the position in `rows` of its account.
    pub row_of_line: Vec<u32>,
}

/// The columns that identify a line.
pub const LINE_KEY: [&str; 2] = ["account_id", "product"];

impl<'a> JoinPiece<'a> {
    /// The parts of a row's key, from the side that has the row.
    pub fn row_key(&self, layouts: [&Layout; 2], left: u32, right: u32) -> Vec<KeyPart<'a>> {
        let (layout, block, row) = self.owner(layouts, left, right);
        let part = layout.key.iter().map(|slot| KeyPart {
            column: &block.columns[*slot],
            shape: layout.columns[*slot].shape,
            row,
        });
        part.collect()
    }

    /// Account and product of a line, from the side that has the line.
    pub fn line_key(&self, layouts: [&Layout; 2], left: u32, right: u32) -> Vec<KeyPart<'a>> {
        let (layout, block, row) = self.owner(layouts, left, right);
        let slots = LINE_KEY.into_iter().filter_map(|name| layout.of_lines(name));
        let part =
            slots.map(|slot| KeyPart { column: &block.lines[slot], shape: layout.lines[slot].shape, row });
        part.collect()
    }

    /// The side that has a row or a line, and which of its own that is.
    fn owner<'l>(&self, layouts: [&'l Layout; 2], left: u32, right: u32) -> (&'l Layout, &'a Block, usize) {
        match (self.left, self.right) {
            (Some(block), _) if left != NONE => (layouts[0], block, left as usize),
            (_, Some(block)) => (layouts[1], block, right as usize),
            _ => unreachable!("one side has it"),
        }
    }

    /// The piece with only the rows and lines for which the masks are true.
    pub fn filter(&self, rows: &[bool], lines: &[bool]) -> JoinPiece<'a> {
        let mut new_position = Vec::with_capacity(rows.len());
        let mut kept = 0;
        for keep in rows {
            new_position.push(kept);
            kept += u32::from(*keep);
        }
        let row_of_line = self.row_of_line.iter().zip(lines).filter(|(_, keep)| **keep);
        JoinPiece {
            left: self.left,
            right: self.right,
            row_of_line: row_of_line.map(|(row, _)| new_position[*row as usize]).collect(),
            rows: self.rows.filter(rows),
            lines: self.lines.filter(lines),
        }
    }
}

/// Blocks that may be read ahead on each side.
const READ_AHEAD: usize = 1;

/// One side of the join: the block being paired and its first row that is in no piece yet.
struct JoinCursor {
    blocks: Receiver<Result<Option<Block>>>,
    block: Option<Block>,
    next_row: usize,
    is_over: bool,
}

impl JoinCursor {
    fn new(blocks: Receiver<Result<Option<Block>>>) -> JoinCursor {
        JoinCursor { blocks, block: None, next_row: 0, is_over: false }
    }

    /// Makes sure that there is a row to pair, unless the side has ended.
    fn fill(&mut self) -> Result<()> {
        while !self.is_over && self.block.as_ref().is_none_or(|block| self.next_row == block.rows) {
            self.block = self.blocks.recv().unwrap_or(Ok(None))?;
            self.next_row = 0;
            self.is_over = self.block.is_none();
        }
        Ok(())
    }

    /// The rows of the block that are in no piece yet.
    fn rest(&self) -> Range<u32> {
        self.next_row as u32..self.block.as_ref().map_or(0, |block| block.rows) as u32
    }
}

/// Joins two sides, each read by a thread of its own; `each` gets every piece in order of the key.
pub fn join(
    readers: [BlockReader; 2],
    layouts: [&Layout; 2],
    products: [Option<usize>; 2],
    mut each: impl FnMut(&JoinPiece) -> Result<()>,
) -> Result<()> {
    let keys = layouts.map(|layout| &layout.key[..]);
    std::thread::scope(|scope| {
        let [mut left, mut right] = readers.map(|reader| {
            let (sender, receiver) = sync_channel(READ_AHEAD);
            scope.spawn(move || send_blocks(reader, &sender));
            JoinCursor::new(receiver)
        });
        loop {
            crate::signal::check()?;
            left.fill()?;
            right.fill()?;
            if left.is_over && right.is_over {
                return Ok(());
            }
            let piece = pair(&left, &right, keys, products);
            each(&piece)?;
            let (after_left, after_right) = (row_after(&piece.rows.left), row_after(&piece.rows.right));
            left.next_row = after_left.unwrap_or(left.next_row);
            right.next_row = after_right.unwrap_or(right.next_row);
        }
    })
}

/// Reads blocks to the end of a side, to the first error, or until nobody receives them any more.
fn send_blocks(mut reader: BlockReader, sender: &SyncSender<Result<Option<Block>>>) {
    loop {
        let block = reader.next();
        let is_last = !matches!(block, Ok(Some(_)));
        if sender.send(block).is_err() || is_last {
            return;
        }
    }
}

/// The row after the last of one side's rows in a piece; `None` where it has none there.
fn row_after(rows: &[u32]) -> Option<usize> {
    rows.iter().rev().find(|row| **row != NONE).map(|row| *row as usize + 1)
}

/// Pairs rows until one side's block is used up.
fn pair<'a>(
    left: &'a JoinCursor,
    right: &'a JoinCursor,
    keys: [&[usize]; 2],
    products: [Option<usize>; 2],
) -> JoinPiece<'a> {
    let rows = match (&left.block, &right.block) {
        (Some(a), Some(b)) => {
            let keys = [key_columns(a, keys[0]), key_columns(b, keys[1])];
            pair_rows([left.next_row..a.rows, right.next_row..b.rows], &keys)
        }
        // Past the end of one side every row of the other is alone.
        _ => {
            let only_left = left.rest().map(|row| (row, NONE));
            only_left.chain(right.rest().map(|row| (NONE, row))).collect()
        }
    };
    let (left, right) = (left.block.as_ref(), right.block.as_ref());
    let mut piece = JoinPiece { left, right, rows, lines: Pairs::default(), row_of_line: Vec::new() };
    if let [Some(left), Some(right)] = products {
        pair_lines(&mut piece, left, right);
    }
    piece
}

fn key_columns<'a>(block: &'a Block, key: &[usize]) -> Vec<&'a Column> {
    key.iter().map(|slot| &block.columns[*slot]).collect()
}

/// Pairs rows of both sides by their keys until one side has no more.
fn pair_rows([left, right]: [Range<usize>; 2], [left_key, right_key]: &[Vec<&Column>; 2]) -> Pairs {
    let mut pairs = Pairs::default();
    // Keys that are one integer, as the ids of most books are, are compared without looking at their type.
    let ids = match (&left_key[..], &right_key[..]) {
        ([Column::Int(left)], [Column::Int(right)]) => Some((&left.values, &right.values)),
        _ => None,
    };
    let (mut i, mut j) = (left.start, right.start);
    while i < left.end && j < right.end {
        let order = match ids {
            Some((left, right)) => left[i].cmp(&right[j]),
            None => compare(left_key, i, right_key, j),
        };
        pairs.push(
            if order == Ordering::Greater { NONE } else { i as u32 },
            if order == Ordering::Less { NONE } else { j as u32 },
        );
        i += usize::from(order != Ordering::Greater);
        j += usize::from(order != Ordering::Less);
    }
    pairs
}

/// The lines of an account; none where the side does not have it.
fn lines_of(block: Option<&Block>, row: u32) -> Range<u32> {
    match (block, row) {
        (_, NONE) | (None, _) => 0..0,
        (Some(block), row) => block.first_line[row as usize]..block.first_line[row as usize + 1],
    }
}

/// Pairs the lines of every account of the piece by product.
fn pair_lines(piece: &mut JoinPiece, left_product: usize, right_product: usize) {
    for row in 0..piece.rows.len() {
        let mut left_lines = lines_of(piece.left, piece.rows.left[row]);
        let mut right_lines = lines_of(piece.right, piece.rows.right[row]);
        while !(left_lines.is_empty() && right_lines.is_empty()) {
            let order = match (left_lines.is_empty(), right_lines.is_empty()) {
                (false, true) => Ordering::Less,
                (true, false) => Ordering::Greater,
                _ => {
                    let (left, right) =
                        (piece.left.expect("it has lines"), piece.right.expect("it has lines"));
                    let (left, right) = (&left.lines[left_product], &right.lines[right_product]);
                    compare(&[left], left_lines.start as usize, &[right], right_lines.start as usize)
                }
            };
            let left = if order == Ordering::Greater { NONE } else { left_lines.start };
            let right = if order == Ordering::Less { NONE } else { right_lines.start };
            left_lines.start += u32::from(left != NONE);
            right_lines.start += u32::from(right != NONE);
            piece.lines.push(left, right);
            piece.row_of_line.push(row as u32);
        }
    }
}

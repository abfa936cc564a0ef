//! The merge join: two streams of sorted blocks become pieces in which both sides' rows are paired.

use std::cmp::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::Result;

use super::cells::{NONE, Pairs};
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

/// Blocks that may be read ahead on each side.
const READ_AHEAD: usize = 1;

/// A side of the join: the block at hand and the first row not yet given out.
struct JoinCursor {
    blocks: Receiver<Result<Option<Block>>>,
    block: Option<Block>,
    at: usize,
    is_over: bool,
}

impl JoinCursor {
    fn new(blocks: Receiver<Result<Option<Block>>>) -> JoinCursor {
        JoinCursor { blocks, block: None, at: 0, is_over: false }
    }

    /// Makes sure that there is a row at hand, unless the side has ended.
    fn fill(&mut self) -> Result<()> {
        while !self.is_over && self.block.as_ref().is_none_or(|block| self.at == block.rows) {
            self.block = self.blocks.recv().unwrap_or(Ok(None))?;
            self.at = 0;
            self.is_over = self.block.is_none();
        }
        Ok(())
    }
}

/// Joins two sides, each read by a thread of its own; `each` gets every piece in order of the key.
pub fn join(
    sides: [(BlockReader, &Layout); 2],
    products: [Option<usize>; 2],
    mut each: impl FnMut(&JoinPiece) -> Result<()>,
) -> Result<()> {
    let keys = [sides[0].1.key.clone(), sides[1].1.key.clone()];
    std::thread::scope(|scope| {
        let [left, right] = sides.map(|(mut reader, _)| {
            let (sender, receiver) = sync_channel(READ_AHEAD);
            scope.spawn(move || {
                loop {
                    let block = reader.next();
                    let is_last = !matches!(block, Ok(Some(_)));
                    if sender.send(block).is_err() || is_last {
                        return;
                    }
                }
            });
            JoinCursor::new(receiver)
        });
        let (mut left, mut right) = (left, right);
        loop {
            crate::signal::check()?;
            left.fill()?;
            right.fill()?;
            if left.is_over && right.is_over {
                return Ok(());
            }
            let piece = pair(&mut left, &mut right, &keys, products);
            each(&piece)?;
            let (left_at, right_at) = reach(&piece);
            left.at = left_at.unwrap_or(left.at);
            right.at = right_at.unwrap_or(right.at);
        }
    })
}

/// The rows after the last of a piece.
fn reach(piece: &JoinPiece) -> (Option<usize>, Option<usize>) {
    let after = |rows: &[u32]| rows.iter().rev().find(|row| **row != NONE).map(|row| *row as usize + 1);
    (after(&piece.rows.left), after(&piece.rows.right))
}

/// Pairs rows until one side's block is used up.
fn pair<'a>(
    left: &'a mut JoinCursor,
    right: &'a mut JoinCursor,
    keys: &[Vec<usize>; 2],
    products: [Option<usize>; 2],
) -> JoinPiece<'a> {
    let (mut i, mut j) = (left.at, right.at);
    let (left, right) = (left.block.as_ref(), right.block.as_ref());
    let mut rows = Pairs::default();
    let count = |block: Option<&Block>| block.map_or(0, |block| block.rows);
    match (left, right) {
        (Some(a), Some(b)) => {
            let key = |block: &'a Block, side: usize| -> Vec<&'a Column> {
                keys[side].iter().map(|slot| &block.columns[*slot]).collect()
            };
            let (a_key, b_key) = (key(a, 0), key(b, 1));
            let ids = match (&a_key[..], &b_key[..]) {
                ([Column::Int(a)], [Column::Int(b)]) => Some((&a.values, &b.values)),
                _ => None,
            };
            while i < a.rows && j < b.rows {
                let order = match ids {
                    Some((a, b)) => a[i].cmp(&b[j]),
                    None => compare(&a_key, i, &b_key, j),
                };
                rows.push(
                    if order == Ordering::Greater { NONE } else { i as u32 },
                    if order == Ordering::Less { NONE } else { j as u32 },
                );
                i += usize::from(order != Ordering::Greater);
                j += usize::from(order != Ordering::Less);
            }
        }
        _ => {
            (i..count(left)).for_each(|row| rows.push(row as u32, NONE));
            (j..count(right)).for_each(|row| rows.push(NONE, row as u32));
        }
    }
    let mut piece = JoinPiece { left, right, rows, lines: Pairs::default(), row_of_line: Vec::new() };
    if let [Some(a), Some(b)] = products {
        pair_lines(&mut piece, a, b);
    }
    piece
}

/// Pairs the lines of every account of the piece by product.
fn pair_lines(piece: &mut JoinPiece, left_product: usize, right_product: usize) {
    let own = |block: Option<&Block>, row: u32| match (block, row) {
        (_, NONE) | (None, _) => 0..0,
        (Some(block), row) => block.first_line[row as usize]..block.first_line[row as usize + 1],
    };
    for row in 0..piece.rows.len() {
        let mut a = own(piece.left, piece.rows.left[row]);
        let mut b = own(piece.right, piece.rows.right[row]);
        while !(a.is_empty() && b.is_empty()) {
            let order = match (a.is_empty(), b.is_empty()) {
                (false, true) => Ordering::Less,
                (true, false) => Ordering::Greater,
                _ => {
                    let (left, right) =
                        (piece.left.expect("it has lines"), piece.right.expect("it has lines"));
                    let (left, right) = (&left.lines[left_product], &right.lines[right_product]);
                    compare(&[left], a.start as usize, &[right], b.start as usize)
                }
            };
            let left = if order == Ordering::Greater { NONE } else { a.start };
            let right = if order == Ordering::Less { NONE } else { b.start };
            a.start += u32::from(left != NONE);
            b.start += u32::from(right != NONE);
            piece.lines.push(left, right);
            piece.row_of_line.push(row as u32);
        }
    }
}

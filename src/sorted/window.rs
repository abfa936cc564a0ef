//! Blocks of a delivery that lies in an object store, where they are fetched many at a time and ahead.

use std::ops::Range;

use anyhow::Result;
use bytes::Bytes;

use super::delivery::{BlockEntry, SortedDelivery};

/// What is fetched at a time of a run: enough to be worth a request, little enough that hundreds of runs go side by
/// side, twice.
const WINDOW_BYTES: u64 = 512 << 10;

/// Some blocks of a run.
#[derive(Default)]
pub struct BlockWindow {
    blocks: Range<usize>,
    /// Their bytes.
    bytes: Bytes,
}

impl BlockWindow {
    /// The bytes of a block, of those before an end, at which nobody reads on.
    pub fn read(
        &mut self,
        delivery: &SortedDelivery,
        blocks: &[BlockEntry],
        block: usize,
        end: usize,
    ) -> Result<Bytes> {
        if !self.blocks.contains(&block) {
            self.blocks = window(blocks, block, end);
            let (offset, length) = place(&blocks[self.blocks.clone()]);
            self.bytes = delivery.read_window(offset, length)?;
            if self.blocks.end < end {
                let (offset, length) = place(&blocks[window(blocks, self.blocks.end, end)]);
                delivery.fetch_ahead(offset, length);
            }
        }
        let piece = blocks[block].piece;
        let start = (piece.offset - blocks[self.blocks.start].piece.offset) as usize;
        let bytes = self.bytes.slice(start..start + piece.length as usize);
        delivery.check(piece, &bytes)?;
        Ok(bytes)
    }
}

/// The blocks to fetch with one.
fn window(blocks: &[BlockEntry], first: usize, end: usize) -> Range<usize> {
    let start = blocks[first].piece.offset;
    let fits =
        |block: &&BlockEntry| block.piece.offset + u64::from(block.piece.length) - start <= WINDOW_BYTES;
    let more = blocks[first + 1..end.max(first + 1)].iter().take_while(fits).count();
    first..first + 1 + more
}

/// Where blocks that lie one behind the other begin, and how long they are.
fn place(blocks: &[BlockEntry]) -> (u64, usize) {
    let ends = blocks.last().map_or(0, |last| last.piece.offset + u64::from(last.piece.length));
    let start = blocks.first().map_or(0, |first| first.piece.offset);
    (start, (ends - start) as usize)
}

#[cfg(test)]
mod tests {
    use super::super::delivery::Piece;
    use super::*;
    use crate::input::account_id::Id;

    #[test]
    fn a_window_holds_as_many_blocks_as_fit_and_one_at_least() {
        let lengths = [100 << 10, 200 << 10, 200 << 10, 600 << 10, 10];
        let mut offset = 26;
        let blocks: Vec<BlockEntry> = lengths
            .into_iter()
            .map(|length| {
                let piece = Piece { offset, length, hash: 0 };
                offset += u64::from(length);
                BlockEntry { piece, rows: 1, first: Id::Int(0), last: Id::Int(0) }
            })
            .collect();
        assert_eq!(window(&blocks, 0, 5), 0..3);
        assert_eq!(window(&blocks, 0, 2), 0..2);
        assert_eq!(window(&blocks, 3, 5), 3..4);
        assert_eq!(window(&blocks, 4, 5), 4..5);
        assert_eq!(place(&blocks[1..3]), (26 + (100 << 10), 400 << 10));
    }
}

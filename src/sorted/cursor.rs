//! Reads the blocks of a run, and of them only the columns that somebody asks for.

use std::cell::RefCell;

use anyhow::Result;
use bytes::Bytes;

use super::codec::{Pieces, SharedTexts, column_of, texts_of};
use super::delivery::{BlockEntry, SortedDelivery, SortedRun};
use super::window::BlockWindow;
use crate::expr::Column;

/// Room for a block as it is stored, and for a column of it.
#[derive(Default)]
pub struct Buffers {
    stored: Vec<u8>,
    raw: Vec<u8>,
}

/// A run that is read.
pub struct Cursor<'a> {
    delivery: &'a SortedDelivery,
    run: &'a SortedRun,
    /// By stored column, its position among those asked for.
    positions: Vec<Option<usize>>,
    asked: usize,
    /// By stored column, the texts that all blocks share.
    texts: Vec<Option<SharedTexts>>,
    /// The block at which nobody reads on.
    end: usize,
    /// Blocks that have been fetched together.
    window: RefCell<BlockWindow>,
}

impl<'a> Cursor<'a> {
    /// Reads columns, each one of those stored and asked for once, of a run of a delivery.
    pub fn open(delivery: &'a SortedDelivery, run: &'a SortedRun, columns: &[usize]) -> Result<Cursor<'a>> {
        let mut positions = vec![None; delivery.label.columns.len()];
        columns.iter().enumerate().for_each(|(position, stored)| positions[*stored] = Some(position));
        let mut buffers = Buffers::default();
        let mut texts = vec![None; positions.len()];
        for (stored, piece) in run.texts.iter().enumerate() {
            if let (Some(piece), Some(Some(_))) = (piece, positions.get(stored)) {
                let bytes = delivery.read(*piece, &mut buffers.stored)?;
                let raw = Pieces::new(bytes).decompress(&mut buffers.raw);
                let shared = raw.and_then(texts_of).map_err(|error| delivery.torn(error.to_string()))?;
                texts[stored] = Some(shared.0.into());
            }
        }
        let (end, window) = (run.blocks.len(), RefCell::default());
        Ok(Cursor { delivery, run, positions, asked: columns.len(), texts, end, window })
    }

    /// The run's blocks.
    pub fn blocks(&self) -> &'a [BlockEntry] {
        &self.run.blocks
    }

    /// Says that no block is read from one on.
    pub fn end_at(&mut self, block: usize) {
        self.end = block;
    }

    /// The delivery.
    pub fn delivery(&self) -> &'a SortedDelivery {
        self.delivery
    }

    /// The columns of a block, in the order in which they were asked for.
    pub fn read(&self, block: usize, buffers: &mut Buffers) -> Result<Vec<Column>> {
        let BlockEntry { piece, rows, .. } = &self.run.blocks[block];
        let fetched: Bytes;
        let bytes = if self.delivery.is_remote() {
            fetched = self.window.borrow_mut().read(self.delivery, &self.run.blocks, block, self.end)?;
            &fetched
        } else {
            self.delivery.read(*piece, &mut buffers.stored)?
        };
        let columns = self.columns(bytes, *rows as usize, &mut buffers.raw);
        columns.map_err(|error| self.delivery.torn(format!("{error:#}")))
    }

    fn columns(&self, bytes: &[u8], rows: usize, raw: &mut Vec<u8>) -> Result<Vec<Column>> {
        let mut columns: Vec<Column> = (0..self.asked).map(|_| Column::Bool(Vec::new())).collect();
        let mut pieces = Pieces::new(bytes);
        for (position, texts) in self.positions.iter().zip(&self.texts) {
            match position {
                None => pieces.pass_over()?,
                Some(position) => {
                    columns[*position] = column_of(pieces.decompress(raw)?, rows, texts.as_ref())?
                }
            }
        }
        Ok(columns)
    }
}

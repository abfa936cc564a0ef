//! A sorted delivery: what it says of itself, and its bytes, wherever they lie.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::codec::Pieces;
use super::scratch::Region;
use crate::day::Day;
use crate::hash::xxh3_64;
use crate::input::account_id::Id;
use crate::input::handle::Handle;
use crate::input::reason::RejectReason;
use crate::input::reject_log::RejectedRows;
use crate::input::wanted::Wanted;

/// Bytes within a sorted delivery.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Piece {
    /// Where they begin.
    pub offset: u64,
    /// How many there are.
    pub length: u32,
    /// XXH3 of them.
    pub hash: u64,
}

/// Rows of neighbouring accounts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BlockEntry {
    /// Where they lie.
    pub piece: Piece,
    /// How many there are.
    pub rows: u32,
    /// The first account.
    pub first: Id,
    /// The last one.
    pub last: Id,
}

/// Rows in order of account, then of arrival. A delivery has one run, or where it is very large, several that
/// come one after the other in order of arrival.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SortedRun {
    /// Its blocks, in order of account.
    pub blocks: Vec<BlockEntry>,
    /// By column, the texts that its blocks share; `None` where each has its own.
    pub texts: Vec<Option<Piece>>,
    /// The rows that were left out, in order of file and row.
    pub rejects: Option<Piece>,
}

/// A column that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredColumn {
    /// Its contract name.
    pub name: String,
    /// Its type, as messages name it.
    pub kind: String,
}

impl StoredColumn {
    /// A column as it is kept.
    pub fn of(wanted: &Wanted) -> StoredColumn {
        StoredColumn { name: wanted.name.clone(), kind: wanted.kind.name().to_string() }
    }
}

/// What a sorted delivery says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Label {
    /// When the rows arrived; `None` of an undated input.
    pub delivery: Option<Day>,
    /// Hash of what it was made of.
    pub made_of: String,
    /// The columns, the account first.
    pub columns: Vec<StoredColumn>,
    /// Rows in the files.
    pub read: u64,
    /// Those left out, by reason.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// The rows.
    pub runs: Vec<SortedRun>,
}

/// Where the bytes lie.
#[derive(Debug)]
enum Bytes {
    Memory(Vec<u8>),
    /// In a file without a name.
    Scratch(Region),
    /// A file on the shelf.
    Kept(Handle),
}

/// A delivery's accepted rows in order of account.
#[derive(Debug)]
pub struct SortedDelivery {
    /// What it says of itself.
    pub label: Label,
    bytes: Bytes,
}

/// A sorted delivery that is not as it was written. It is made again.
#[derive(Debug)]
pub struct TornCopy {
    /// Of the input of this name.
    pub delivery: Option<Day>,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for TornCopy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = self.delivery.map_or(String::new(), |day| format!(" of {day}"));
        write!(f, "the sorted copy{of} is torn: {}", self.what)
    }
}

impl std::error::Error for TornCopy {}

/// What a kept file begins and ends with.
pub const MARK: &[u8] = b"rescore sorted delivery 2\n";

/// The length of the label, its hash, the mark.
const TAIL_BYTES: usize = 16 + MARK.len();

/// Labels name blocks of thousands of rows; more than this is no label.
const MOST_LABEL_BYTES: u64 = 1 << 30;

impl SortedDelivery {
    /// One that is in memory.
    pub fn in_memory(label: Label, bytes: Vec<u8>) -> SortedDelivery {
        SortedDelivery { label, bytes: Bytes::Memory(bytes) }
    }

    /// One in a file that has no name.
    pub fn in_scratch(label: Label, region: Region) -> SortedDelivery {
        SortedDelivery { label, bytes: Bytes::Scratch(region) }
    }

    /// Opens one that is kept. Fails where it is not whole; its blocks are checked when they are read.
    pub fn open(path: &Path) -> Result<SortedDelivery> {
        SortedDelivery::of_handle(Handle::open(path)?)
    }

    /// Likewise, one that has been opened.
    pub fn of_handle(handle: Handle) -> Result<SortedDelivery> {
        let size = handle.stamp().size;
        let before_tail = size.checked_sub(TAIL_BYTES as u64).context("it is cut")?;
        let ends = handle.read_ranges(&[(0, MARK.len()), (before_tail, TAIL_BYTES)])?;
        let (head, tail) = (&ends[0], &ends[1]);
        ensure!(tail[16..] == *MARK && *head == MARK, "it is cut, or of another kind");
        let length = u64::from_le_bytes(tail[..8].try_into()?);
        let hash = u64::from_le_bytes(tail[8..16].try_into()?);
        let start = before_tail.checked_sub(length).filter(|_| length <= MOST_LABEL_BYTES);
        let label = handle.read_at(start.context("its label is cut")?, length as usize)?;
        ensure!(xxh3_64(&label) == hash, "its label is not as it was written");
        Ok(SortedDelivery { label: serde_json::from_slice(&label)?, bytes: Bytes::Kept(handle) })
    }

    /// The label and what comes behind it in a kept file.
    pub fn tail(label: &Label) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(label)?;
        let (length, hash) = (bytes.len() as u64, xxh3_64(&bytes));
        bytes.extend(length.to_le_bytes());
        bytes.extend(hash.to_le_bytes());
        bytes.extend(MARK);
        Ok(bytes)
    }

    /// Rows in all runs.
    pub fn rows(&self) -> u64 {
        let blocks = self.label.runs.iter().flat_map(|run| &run.blocks);
        blocks.map(|block| u64::from(block.rows)).sum()
    }

    /// The position of the column of a name, which is kept.
    pub fn column_of(&self, name: &str) -> Result<usize> {
        let position = self.label.columns.iter().position(|column| column.name == name);
        position.ok_or_else(|| self.torn(format!("there is no column {name}")))
    }

    /// Reads a piece, into a buffer if it is not in memory. One that is not as it was written is a [`TornCopy`].
    pub fn read<'b>(&'b self, piece: Piece, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        let (offset, length) = (piece.offset, piece.length as usize);
        let read = match &self.bytes {
            Bytes::Memory(all) => return Ok(&all[offset as usize..][..length]),
            Bytes::Scratch(region) => region.read_into(offset, room(buffer, length)),
            Bytes::Kept(handle) => handle.read_into(offset, room(buffer, length)),
        };
        read.map_err(|error| self.torn(error.to_string()))?;
        let bytes = &buffer[..length];
        self.check(piece, bytes)?;
        Ok(bytes)
    }

    /// Whether its pieces are better read many at a time.
    pub fn is_remote(&self) -> bool {
        matches!(&self.bytes, Bytes::Kept(handle) if handle.is_object())
    }

    /// Reads bytes from a position on, unchecked, of one that is kept.
    pub fn read_window(&self, offset: u64, length: usize) -> Result<bytes::Bytes> {
        let Bytes::Kept(handle) = &self.bytes else { return Err(self.torn("it is not kept".to_string())) };
        let read = handle.read_ranges(&[(offset, length)]).map_err(|error| self.torn(error.to_string()))?;
        read.into_iter().next().context("a range was asked for")
    }

    /// Begins to fetch bytes that are read soon.
    pub fn fetch_ahead(&self, offset: u64, length: usize) {
        if let Bytes::Kept(handle) = &self.bytes {
            handle.fetch_ahead(&[(offset, length)]);
        }
    }

    /// Fails where bytes are not those of a piece as it was written.
    pub fn check(&self, piece: Piece, bytes: &[u8]) -> Result<()> {
        let Piece { offset, length, hash } = piece;
        if xxh3_64(bytes) == hash {
            return Ok(());
        }
        Err(self.torn(format!("its {length} bytes from {offset} are not as they were written")))
    }

    /// The error of one that is not as it was written.
    pub fn torn(&self, what: String) -> anyhow::Error {
        TornCopy { delivery: self.label.delivery, what }.into()
    }

    /// Calls `each` with the rows that were left out, a run at a time; files are numbered within the delivery.
    pub fn rejects(&self, mut each: impl FnMut(RejectedRows) -> Result<()>) -> Result<()> {
        let (mut stored, mut raw) = (Vec::new(), Vec::new());
        for piece in self.label.runs.iter().filter_map(|run| run.rejects) {
            let mut pieces = Pieces::new(self.read(piece, &mut stored)?);
            let packed = pieces.decompress(&mut raw).map_err(|error| self.torn(error.to_string()))?;
            each(RejectedRows::of(packed.to_vec()))?;
        }
        Ok(())
    }
}

/// So many bytes of a buffer, which is made larger where it is too small.
fn room(buffer: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    &mut buffer[..length]
}

//! Makes sorted deliveries of the files of an input.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use super::delivery::{Label, MARK, Piece, SortedDelivery, SortedRun, StoredColumn};
use super::run::PackedRun;
use super::scratch::{Region, Scratch};
use crate::console::Progress;
use crate::day::Day;
use crate::failure::in_order;
use crate::input::stream::{InputSource, JudgedRows, Needs, stream};
use crate::input::wanted::Role;

/// A delivery to be made.
#[derive(Debug, Clone)]
pub struct ToMake {
    /// When its rows arrived.
    pub delivery: Option<Day>,
    /// Hash of what it is made of.
    pub made_of: String,
}

/// How deliveries are sorted.
pub struct Maker<'a> {
    /// Files of the deliveries to be made, and of those before them in which a repeat may have been seen.
    pub source: InputSource<'a>,
    /// The positions of the columns to keep among the source's, the account first.
    pub kept: Vec<usize>,
    /// The deliveries, ascending.
    pub to_make: &'a [ToMake],
    /// Where bytes are put that do not fit in memory.
    pub scratch: &'a Scratch,
}

/// Bytes in memory, as long as they are few enough, else in a file without a name.
pub struct Spool {
    memory: Vec<u8>,
    region: Option<Region>,
    most: u64,
    length: u64,
}

/// A delivery in the making.
pub struct PackedDelivery {
    /// What it says of itself so far.
    pub label: Label,
    /// What it takes.
    pub spool: Spool,
}

impl Maker<'_> {
    /// Makes them all; `done` gets each one as soon as it is made, and says how many bytes the next may keep in
    /// memory.
    pub fn make(
        &self,
        most_in_memory: u64,
        progress: &Progress,
        mut done: impl FnMut(PackedDelivery) -> Result<u64>,
    ) -> Result<()> {
        let mut queue =
            Queue { maker: self, to_make: self.to_make.iter(), draft: None, most: most_in_memory };
        stream(&self.source, &|delivery| self.needs(delivery), progress, |wave| {
            for packed in self.pack(wave)? {
                let draft = queue.draft_of(packed.delivery, &mut done)?;
                draft.add(packed.run, self.scratch)?;
            }
            Ok(())
        })?;
        while queue.advance(&mut done)? {}
        Ok(())
    }

    /// What is looked at of a delivery: what rows are judged by, and of those to be made what is kept.
    fn needs(&self, delivery: Option<Day>) -> Needs {
        let is_made = self.to_make.binary_search_by_key(&delivery, |made| made.delivery).is_ok();
        let columns = self.source.wanted.iter().enumerate().map(|(slot, wanted)| {
            let is_kept = is_made && self.kept.contains(&slot);
            wanted.role != Role::Extra || self.source.unique == Some(slot) || is_kept
        });
        Needs { columns: columns.collect(), hands_on: is_made }
    }

    fn first_file(&self, delivery: Option<Day>) -> usize {
        self.source.files.partition_point(|file| file.delivery < delivery)
    }

    /// The rows of a wave by delivery, each in order.
    fn pack(&self, wave: Vec<JudgedRows>) -> Result<Vec<DeliveryRun>> {
        let mut by_delivery: Vec<(Option<Day>, Vec<JudgedRows>)> = Vec::new();
        for rows in wave {
            let delivery = self.source.files[rows.file].delivery;
            match by_delivery.last_mut() {
                Some((known, own)) if *known == delivery => own.push(rows),
                _ => by_delivery.push((delivery, vec![rows])),
            }
        }
        in_order(by_delivery.into_par_iter().map(|(delivery, rows)| {
            let run = PackedRun::of(rows, self.first_file(delivery), &self.kept)?;
            Ok(DeliveryRun { delivery, run })
        }))
    }

    fn begin(&self, next: &ToMake, most: u64) -> PackedDelivery {
        let columns = self.kept.iter().map(|slot| StoredColumn::of(&self.source.wanted[*slot]));
        let label = Label {
            delivery: next.delivery,
            made_of: next.made_of.clone(),
            columns: columns.collect(),
            read: 0,
            rejected: BTreeMap::new(),
            runs: Vec::new(),
        };
        let spool = Spool { memory: MARK.to_vec(), region: None, most, length: MARK.len() as u64 };
        PackedDelivery { label, spool }
    }
}

/// The deliveries to be made, in order; one that has no row comes in no wave.
struct Queue<'q, 'a> {
    maker: &'q Maker<'a>,
    to_make: std::slice::Iter<'q, ToMake>,
    draft: Option<PackedDelivery>,
    /// Bytes that the next may keep in memory.
    most: u64,
}

impl Queue<'_, '_> {
    /// Finishes the draft and begins the next one, if there is one.
    fn advance(&mut self, done: &mut impl FnMut(PackedDelivery) -> Result<u64>) -> Result<bool> {
        if let Some(made) = self.draft.take() {
            self.most = done(made)?;
        }
        self.draft = self.to_make.next().map(|next| self.maker.begin(next, self.most));
        Ok(self.draft.is_some())
    }

    /// The draft of a delivery, once all before it are finished.
    fn draft_of(
        &mut self,
        delivery: Option<Day>,
        done: &mut impl FnMut(PackedDelivery) -> Result<u64>,
    ) -> Result<&mut PackedDelivery> {
        while self.draft.as_ref().is_none_or(|draft| draft.label.delivery != delivery) {
            ensure!(self.advance(done)?, "what is handed on is to be made");
        }
        self.draft.as_mut().context("there is a draft")
    }
}

/// A run of a delivery.
struct DeliveryRun {
    delivery: Option<Day>,
    run: PackedRun,
}

impl PackedDelivery {
    fn add(&mut self, packed: PackedRun, scratch: &Scratch) -> Result<()> {
        let PackedRun { run, bytes, read, rejected } = packed;
        let start = self.spool.length;
        self.spool.add(&bytes, scratch)?;
        self.label.read += read;
        for (reason, rows) in rejected {
            *self.label.rejected.entry(reason).or_default() += rows;
        }
        self.label.runs.push(moved(run, start));
        Ok(())
    }

    /// Writes all of it, its label last.
    pub fn write(&self, to: &mut impl Write) -> Result<()> {
        let Spool { memory, region, length, .. } = &self.spool;
        match region {
            None => to.write_all(memory)?,
            Some(region) => {
                const PIECE_BYTES: u64 = 1 << 20;
                let mut piece = Vec::new();
                for start in (0..*length).step_by(PIECE_BYTES as usize) {
                    piece.resize(PIECE_BYTES.min(length - start) as usize, 0);
                    region.read_into(start, &mut piece)?;
                    to.write_all(&piece)?;
                }
            }
        }
        Ok(to.write_all(&SortedDelivery::tail(&self.label)?)?)
    }

    /// As it is, without being kept for another run; and how many bytes of memory that takes.
    pub fn unkept(self) -> (SortedDelivery, u64) {
        let bytes = self.spool.memory.len() as u64;
        match self.spool.region {
            None => (SortedDelivery::in_memory(self.label, self.spool.memory), bytes),
            Some(region) => (SortedDelivery::in_scratch(self.label, region), 0),
        }
    }
}

/// A run that lies so many bytes further on.
fn moved(mut run: SortedRun, by: u64) -> SortedRun {
    let blocks = run.blocks.iter_mut().map(|block| &mut block.piece);
    let others: Vec<&mut Piece> = run.texts.iter_mut().flatten().chain(&mut run.rejects).collect();
    blocks.chain(others).for_each(|piece| piece.offset += by);
    run
}

impl Spool {
    fn add(&mut self, bytes: &[u8], scratch: &Scratch) -> Result<()> {
        self.length += bytes.len() as u64;
        if self.region.is_none() && self.length <= self.most {
            self.memory.extend(bytes);
            return Ok(());
        }
        if self.region.is_none() {
            self.region = Some(scratch.append(&std::mem::take(&mut self.memory))?);
        }
        // One delivery is made at a time: its bytes lie one after the other.
        scratch.append(bytes).map(|_| ())
    }
}

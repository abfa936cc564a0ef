//! The walk over sorted deliveries, side by side: for each part of accounts in turn, the rows that every delivery
//! has of them. A block is read once, and stays until its last account is passed.

use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::asked::{Asked, Part};
use crate::day::Day;
use crate::expr::Column;
use crate::failure::in_order;
use crate::input::accounts::Accounts;
use crate::signal;
use crate::sorted::{Buffers, Cursor, SortedDelivery};

/// What a block comes to: rows in order of account.
pub trait LaneRows: Default {
    /// How many there are.
    fn len(&self) -> usize;
    /// The account of a row; of one that is off the book, the account of the book before which it comes, or the
    /// last one.
    fn account(&self, row: usize) -> u32;
}

/// One run of a delivery on the way through the accounts.
pub struct Lane<'a, R> {
    cursor: Cursor<'a>,
    accounts: &'a Accounts,
    /// By block, the first and the last account it may have rows of; none behind the range that is computed.
    bounds: Vec<(u32, u32)>,
    /// The next block to read.
    block: usize,
    rows: R,
    next: usize,
}

/// How a source is swept.
pub struct Sweep<'a, Pack, Columns> {
    /// What is asked.
    pub asked: &'a Asked<'a>,
    /// Its parts.
    pub parts: &'a [Part],
    /// The deliveries, in order.
    pub deliveries: &'a [Arc<SortedDelivery>],
    /// The columns of a delivery to read, of those it has; empty where nothing is read of it.
    pub columns: Columns,
    /// What the columns of a block come to; it gets the rows of the block before, whose room may be used again.
    pub pack: Pack,
}

/// Parts are shared out in so many stretches a thread: where two meet, blocks are read twice.
const STRETCHES_A_THREAD: usize = 2;

impl<'a, Pack, Columns> Sweep<'a, Pack, Columns>
where
    Columns: Fn(&SortedDelivery) -> Result<Vec<usize>> + Sync,
{
    /// What `each` makes of every part, in order; it gets the part and the lanes to take the part's rows from.
    pub fn parts<R, T>(
        &self,
        each: impl Fn(&Part, &mut Lanes<'_, 'a, R, Pack>) -> Result<T> + Sync,
    ) -> Result<Vec<T>>
    where
        R: LaneRows,
        T: Send,
        Pack: Fn(Option<Day>, Vec<Column>, R) -> Result<R> + Sync,
    {
        let stretches = (rayon::current_num_threads() * STRETCHES_A_THREAD).max(1);
        let stretch = self.parts.len().div_ceil(stretches).max(1);
        let done = in_order(self.parts.par_chunks(stretch).map(|parts| {
            let mut lanes = Vec::new();
            for delivery in self.deliveries {
                let columns = (self.columns)(delivery)?;
                for run in delivery.label.runs.iter().filter(|_| !columns.is_empty()) {
                    let cursor = Cursor::open(delivery, run, &columns)?;
                    lanes.push(Lane::new(cursor, self.asked.accounts, parts));
                }
            }
            let mut lanes = Lanes { lanes, pack: &self.pack, buffers: Buffers::default() };
            let done = parts.iter().map(|part| {
                signal::check()?;
                each(part, &mut lanes)
            });
            done.collect::<Result<Vec<T>>>()
        }))?;
        Ok(done.into_iter().flatten().collect())
    }
}

/// The lanes of a stretch of parts.
pub struct Lanes<'s, 'a, R, Pack> {
    lanes: Vec<Lane<'a, R>>,
    pack: &'s Pack,
    buffers: Buffers,
}

impl<R, Pack> Lanes<'_, '_, R, Pack>
where
    R: LaneRows,
    Pack: Fn(Option<Day>, Vec<Column>, R) -> Result<R>,
{
    /// Calls `each` with the rows of a part, delivery by delivery, those of one in order of account and arrival.
    pub fn take(&mut self, part: &Part, mut each: impl FnMut(Option<Day>, &R, Range<usize>)) -> Result<()> {
        for lane in &mut self.lanes {
            lane.take(part, self.pack, &mut self.buffers, &mut each)?;
        }
        Ok(())
    }
}

impl<'a, R: LaneRows> Lane<'a, R> {
    fn new(mut cursor: Cursor<'a>, accounts: &'a Accounts, parts: &[Part]) -> Lane<'a, R> {
        let (last, range) = (accounts.len() as u32 - 1, &accounts.range);
        let blocks = cursor.blocks();
        let before = blocks.partition_point(|block| range.begins_after(&block.last));
        let bounds = blocks
            .iter()
            .take_while(|block| range.reaches(&block.first))
            .map(|block| (accounts.before(&block.first).min(last), accounts.before(&block.last).min(last)));
        let bounds: Vec<(u32, u32)> = bounds.collect();
        let first = parts.first().map_or(0, |part| part.first_account);
        let end_account = parts.last().map_or(0, |part| part.end_account);
        let block = bounds.partition_point(|(_, last)| *last < first).max(before);
        cursor.end_at(bounds.partition_point(|(first, _)| *first < end_account));
        Lane { cursor, accounts, bounds, block, rows: R::default(), next: 0 }
    }

    fn take(
        &mut self,
        part: &Part,
        pack: &impl Fn(Option<Day>, Vec<Column>, R) -> Result<R>,
        buffers: &mut Buffers,
        each: &mut impl FnMut(Option<Day>, &R, Range<usize>),
    ) -> Result<()> {
        let delivery = self.cursor.delivery().label.delivery;
        loop {
            let start = self.next;
            self.pass_below(part.end_account);
            if start < self.next {
                each(delivery, &self.rows, start..self.next);
            }
            let is_read = self.next == self.rows.len();
            let Some((first, _)) = self.bounds.get(self.block).filter(|_| is_read) else { return Ok(()) };
            if *first >= part.end_account {
                return Ok(());
            }
            let columns = self.read(buffers)?;
            self.rows = pack(delivery, columns, std::mem::take(&mut self.rows))?;
            self.block += 1;
            self.next = 0;
            // The first block of a stretch may begin before it.
            self.pass_below(part.first_account);
        }
    }

    /// The columns of the block, without rows of accounts outside the range that is computed.
    fn read(&self, buffers: &mut Buffers) -> Result<Vec<Column>> {
        let columns = self.cursor.read(self.block, buffers)?;
        if self.accounts.range.is_everything() {
            return Ok(columns);
        }
        let own = self.accounts.range.rows_of(&columns[0]);
        if own.len() == columns[0].len() {
            return Ok(columns);
        }
        Ok(columns.iter().map(|column| column.slice(own.clone())).collect())
    }

    /// Passes over the rows of accounts before one.
    fn pass_below(&mut self, end: u32) {
        let mut step = 1;
        while self.next + step <= self.rows.len() && self.rows.account(self.next + step - 1) < end {
            self.next += step;
            step *= 2;
        }
        while step > 0 {
            if self.next + step <= self.rows.len() && self.rows.account(self.next + step - 1) < end {
                self.next += step;
            }
            step /= 2;
        }
    }
}

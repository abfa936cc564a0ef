//! Reads transactions into accumulators: all of them, or those by which a night differs from an earlier
//! one, the rows that have come in since and the rows that leave a window.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use rayon::prelude::*;

use super::accumulate::{Cells, Segments};
use super::pass::{Extent, Pass};
use super::plan::{Group, Plan, Reach};
use super::rows::{Packed, Packer};
use super::scatter::Scatter;
use super::{Interner, Partitions, Places};
use crate::console::Progress;
use crate::day::Day;
use crate::expr::{Column, Frame};
use crate::input::accounts::{Accounts, STRANGER, Strangers};
use crate::input::file::OpenFile;
use crate::input::stream::{Chunk, Origin, Source, Tally, is_repeat, recent, stream};

/// Rows left out as repeats, by delivery and file, ascending.
pub type Repeats = BTreeMap<(Day, String), Vec<u64>>;

/// What transactions come to.
pub struct Transactions {
    /// One a partition.
    pub cells: Vec<Cells>,
    /// Rows delivered after the day on which they were posted that a sum will have to let go of; kept
    /// for a later night only.
    pub late: Packed,
    /// What a later night must leave out again; kept for that only.
    pub repeats: Repeats,
    /// Numbers of distinct values.
    pub interner: Interner,
}

/// How transactions are read.
pub struct Reading<'a> {
    /// The input.
    pub source: Source<'a>,
    /// Transactions that are too old to be read from scratch, but not to be taken out of sums.
    pub past: &'a [OpenFile],
    /// Each wanted column's position in the transactions scope.
    pub slots: Vec<usize>,
    /// How many columns the scope has.
    pub scope_len: usize,
    /// What to accumulate.
    pub plan: &'a Plan,
    /// D.
    pub as_of: Day,
    /// The book.
    pub accounts: &'a Accounts,
    /// Accounts that are not in it, met so far; they are kept for a later night only.
    pub strangers: Option<&'a Strangers>,
    /// How accounts are split.
    pub partitions: Partitions,
    /// Whose rows are accumulated: everyone's, or where memory is short those of some partitions.
    pub pass: Pass<'a>,
}

/// Rows of one row group on their way to the partitions; `numbers` are their row numbers, `late` the
/// places of those that came late, `accounts` those of all its rows.
#[derive(Default)]
struct Load {
    packed: Option<Packed>,
    numbers: Vec<u32>,
    late: Vec<bool>,
    accounts: Extent,
}

/// A row is kept apart as late only while late rows are fewer than one in so many.
const LATE_ONE_IN: u64 = 4;

impl Reading<'_> {
    /// Reads everything. With strangers, also what a later night needs; `None` for that where more
    /// strangers or late rows were met than it is worth keeping.
    pub fn from_scratch(&self, progress: &Progress) -> Result<(Transactions, Tally, bool)> {
        let known = Transactions {
            cells: self.no_cells(),
            late: Packed::of(self.plan),
            repeats: Repeats::new(),
            interner: Interner::default(),
        };
        self.enter(known, None, progress)
    }

    /// Goes on from what was known on the day `since`.
    pub fn go_on(
        &self,
        known: Transactions,
        places: &Places,
        since: Day,
        progress: &Progress,
    ) -> Result<(Transactions, Tally, bool)> {
        let days = self.as_of.since(since) as u32;
        let (stays, moves) = places.unmoved(known.cells, self.partitions);
        let accounts = |partition| self.partitions.accounts(partition).len();
        let cells = stays
            .into_par_iter()
            .enumerate()
            .map(|(partition, known)| Mutex::new(Cells::older(self.plan, known, accounts(partition), days)));
        let cells: Vec<Mutex<Cells>> = cells.collect();
        places.each(self.partitions, &moves, |_, known, partition, places| {
            let mut own = cells[partition].lock().expect("no thread panicked");
            own.receive(self.plan, known, places, days);
        });
        let mut cells: Vec<Cells> =
            cells.into_par_iter().map(|cells| cells.into_inner().expect("no thread panicked")).collect();
        let mut late = Packed::of(self.plan);
        for row in known.late.iter() {
            if let Some(account) = places.of(row.account()).filter(|new| self.partitions.has_room(*new)) {
                late.push_as(row, account, row.age());
            }
        }
        if days > 0 {
            self.leave(&mut cells, &late, &known.repeats, since, progress)?;
        }
        let mut kept = Packed::of(self.plan);
        let longest = self.longest_sum();
        late.iter()
            .filter(|row| row.age() + days < longest)
            .for_each(|row| kept.push_as(row, row.account(), row.age() + days));
        let mut repeats = known.repeats;
        repeats.retain(|(delivery, _), _| self.as_of.since(*delivery) < i64::from(longest));
        let known = Transactions { cells, late: kept, repeats, interner: known.interner };
        self.enter(known, Some(since), progress)
    }

    fn no_cells(&self) -> Vec<Cells> {
        let pass = self.pass.partitions(self.partitions);
        let own =
            |partition| if pass.contains(&partition) { self.partitions.accounts(partition).len() } else { 0 };
        (0..self.partitions.count()).map(|partition| Cells::new(self.plan, own(partition))).collect()
    }

    /// The longest window over which something is added up.
    fn longest_sum(&self) -> u32 {
        longest_sum(self.plan)
    }

    /// Adds the rows of deliveries after `since`; those before are looked at for repeats and rejects.
    fn enter(
        &self,
        known: Transactions,
        since: Option<Day>,
        progress: &Progress,
    ) -> Result<(Transactions, Tally, bool)> {
        let Transactions { cells, late, repeats, interner } = known;
        let segments = Segments::new(self.plan, self.as_of);
        let packer = Packer::new(self.plan, &interner);
        let eras = Eras::new(self.plan, self.as_of);
        let is_known = |delivery: Option<Day>| since.is_some() && delivery <= since;
        let keeps = self.strangers.is_some();
        let is_worth_it = AtomicBool::new(keeps);
        let longest = i64::from(self.plan.longest_days.expect("windows of transactions are bounded"));
        let cells: Vec<Mutex<Cells>> = cells.into_iter().map(Mutex::new).collect();
        let pass = self.pass.partitions(self.partitions);
        let scatter = Scatter::new(self.partitions, pass.clone());
        let add = |number: usize, rows: &[Packed]| {
            let mut cells = cells[number].lock().expect("no thread panicked");
            let first = self.partitions.accounts(number).start;
            cells.add(self.plan, &segments, first, rows.iter().flat_map(Packed::iter));
        };
        let kept = Mutex::new((late, repeats));
        let rows: u64 = self.source.files.iter().map(OpenFile::rows).sum();

        let pack = |chunk: &Chunk, load: &mut Load| {
            if let Some(watch) = self.source.watch.filter(|_| self.pass.tells_repeats()) {
                watch.look_at(chunk.columns, chunk.verdicts, chunk.delivery);
            }
            if self.plan.is_empty() || is_known(chunk.delivery) {
                return Ok(());
            }
            let positions = self.accounts.positions(&chunk.columns[0]);
            self.pass.see(&mut load.accounts, &positions);
            let Column::Int(posted_on) = &chunk.columns[1] else { unreachable!("a date") };
            let place = |row: usize| {
                let age = i64::from(self.as_of.0) - posted_on.values[row];
                if chunk.verdicts.0[row].is_some() || !(0..longest).contains(&age) {
                    return None;
                }
                let account = match (positions[row], self.strangers) {
                    (STRANGER, None) => return None,
                    (STRANGER, Some(strangers)) => {
                        self.partitions.stranger(strangers.number(&chunk.columns[0], row))
                    }
                    (position, _) => position,
                };
                if !pass.contains(&self.partitions.of(account)) {
                    return None;
                }
                if !self.partitions.has_room(account) {
                    is_worth_it.store(false, Ordering::Relaxed);
                    return None;
                }
                Some((account, age as u32))
            };
            let numbers = self.source.unique.is_some();
            let reach = eras.reach(chunk.delivery);
            let packed = load.packed.get_or_insert_with(|| Packed::within(self.plan, reach));
            packer.pack(&self.frame(chunk, reach), reach, place, packed, |row| {
                if numbers {
                    load.numbers.push(chunk.first_row + row as u32);
                }
                if keeps {
                    let is_late = chunk.delivery.is_some_and(|day| i64::from(day.0) != posted_on.values[row]);
                    load.late.push(is_late);
                }
            });
            Ok(())
        };
        let sink = |load: Load, origin: &Origin, told: &[u32]| {
            let repeats = self.pass.repeats(origin.order, load.accounts, told);
            if let Some(packed) = &load.packed {
                scatter.take(packed, |place| is_repeat(&load.numbers, place, &repeats));
            }
            if keeps {
                let mut kept = kept.lock().expect("no thread panicked");
                if !is_known(origin.delivery) {
                    self.keep(&mut kept, &load, origin, &repeats);
                }
                if kept.0.len() as u64 > rows / LATE_ONE_IN + u64::from(u16::MAX) {
                    kept.0 = Packed::of(self.plan);
                    is_worth_it.store(false, Ordering::Relaxed);
                }
            }
        };
        let needs = |delivery: Option<Day>| {
            if !is_known(delivery) {
                return self.needed(&eras.reach(delivery).columns);
            }
            let watch = self.source.watch.filter(|watch| watch.is_watched(delivery));
            let watched = watch.into_iter().flat_map(|watch| &watch.texts).map(|text| self.slots[text.place]);
            self.needed(&watched.collect::<Vec<_>>())
        };
        let files = recent(self.source.spec, self.source.files, self.as_of, since);
        let source = Source { files: &files, ..self.pass.rest(&self.source, self.partitions) };
        let tally = stream(&source, &needs, progress, pack, sink, || scatter.flush_if_full(add))?;
        scatter.flush(add);
        let mut cells: Vec<Cells> =
            cells.into_iter().map(|cells| cells.into_inner().expect("no thread panicked")).collect();
        cells.par_iter_mut().for_each(|cells| cells.settle(self.plan));
        let (late, mut repeats) = kept.into_inner().expect("no thread panicked");
        // Row groups have come in any order.
        repeats.values_mut().for_each(|rows| rows.sort_unstable());
        let worth_it = is_worth_it.load(Ordering::Relaxed);
        Ok((Transactions { cells, late, repeats, interner }, tally, worth_it))
    }

    /// Keeps what a later night needs of a row group.
    fn keep(&self, kept: &mut (Packed, Repeats), load: &Load, origin: &Origin, repeats: &[u32]) {
        let (late, known) = kept;
        let Some(delivery) = origin.delivery else { return };
        let longest = self.longest_sum();
        if self.as_of.since(delivery) < i64::from(longest) && !repeats.is_empty() {
            let rows = known.entry((delivery, origin.file.file.name.clone())).or_default();
            rows.extend(repeats.iter().map(|row| origin.first_row + u64::from(*row)));
        }
        for (place, row) in load.packed.iter().flat_map(Packed::iter).enumerate() {
            if load.late[place] && row.age() < longest && !is_repeat(&load.numbers, place, repeats) {
                late.push_as(row, row.account(), row.age());
            }
        }
    }

    /// Takes the rows that leave a segment between `since` and the as-of date out of it.
    fn leave(
        &self,
        cells: &mut [Cells],
        late: &Packed,
        repeats: &Repeats,
        since: Day,
        progress: &Progress,
    ) -> Result<()> {
        let days = self.as_of.since(since) as u32;
        let segments = Segments::new(self.plan, self.as_of);
        let cells: Vec<Mutex<&mut Cells>> = cells.iter_mut().map(Mutex::new).collect();
        let scatter = Scatter::new(self.partitions, self.pass.partitions(self.partitions));
        let cross = |number: usize, rows: &[Packed]| {
            let first = self.partitions.accounts(number).start;
            let mut cells = cells[number].lock().expect("no thread panicked");
            cells.cross(self.plan, &segments, first, rows.iter().flat_map(Packed::iter), days);
        };
        scatter.take(late, |_| false);

        let mut files = leaving(self.plan, &segments, self.past, since, self.as_of);
        files.extend(leaving(self.plan, &segments, self.source.files, since, self.as_of));
        let source =
            Source { files: &files, unique: None, report_from: Day(i32::MAX), ..self.source.clone() };
        let reach_of = |delivery: Option<Day>| {
            let age = since.since(delivery.expect("only dated deliveries leave")) as u32;
            reach_leaving(self.plan, &segments, age, days)
        };
        // No distinct values are read: only sums are.
        let interner = Interner::default();
        let packer = Packer::new(self.plan, &interner);
        let pack = |chunk: &Chunk, load: &mut Load| {
            let delivery = chunk.delivery.expect("only dated deliveries leave");
            let positions = self.accounts.positions(&chunk.columns[0]);
            let Column::Int(posted_on) = &chunk.columns[1] else { unreachable!("a date") };
            let left_out = repeats.get(&(delivery, chunk.file.file.name.clone()));
            let age = since.since(delivery) as u32;
            let place = |row: usize| {
                let number = chunk.row_group_start + u64::from(chunk.first_row) + row as u64;
                let is_out = chunk.verdicts.0[row].is_some()
                    || posted_on.values[row] != i64::from(delivery.0)
                    || left_out.is_some_and(|rows| rows.binary_search(&number).is_ok());
                let stranger = |strangers: &Strangers| {
                    self.partitions.stranger(strangers.number(&chunk.columns[0], row))
                };
                match positions[row] {
                    _ if is_out => None,
                    STRANGER => {
                        let account = stranger(self.strangers?);
                        self.partitions.has_room(account).then_some((account, age))
                    }
                    position => Some((position, age)),
                }
            };
            let reach = reach_of(chunk.delivery);
            let packed = load.packed.get_or_insert_with(|| Packed::within(self.plan, &reach));
            packer.pack(&self.frame(chunk, &reach), &reach, place, packed, |_| {});
            Ok(())
        };
        let sink = |load: Load, _: &Origin, _: &[u32]| {
            load.packed.iter().for_each(|packed| scatter.take(packed, |_| false));
        };
        let needs = |delivery| self.needed(&reach_of(delivery).columns);
        stream(&source, &needs, progress, pack, sink, || scatter.flush_if_full(cross))?;
        scatter.flush(cross);
        Ok(())
    }

    /// By wanted column, whether it is decoded: what rows are judged by, and the columns given.
    fn needed(&self, columns: &[usize]) -> Vec<bool> {
        let unique = self.source.unique.filter(|_| self.pass.tells_repeats());
        let needed = |(place, slot): (usize, &usize)| {
            place < crate::job::TRANSACTION_COLUMNS.len() || unique == Some(place) || columns.contains(slot)
        };
        self.slots.iter().enumerate().map(needed).collect()
    }

    fn frame<'c>(&self, chunk: &Chunk<'c>, reach: &Reach) -> Frame<'c> {
        let mut columns = vec![None; self.scope_len];
        for (slot, column) in self.slots.iter().zip(chunk.columns) {
            columns[*slot] = reach.columns.contains(slot).then_some(column);
        }
        Frame { rows: chunk.verdicts.0.len(), columns }
    }
}

/// The longest window over which something is added up; 0 without one.
pub fn longest_sum(plan: &Plan) -> u32 {
    plan.groups.iter().filter(|group| group.is_additive()).map(Group::longest).max().unwrap_or(0)
}

/// The groups that a row loses, or that move it on, when it grows `days` older.
fn reach_leaving(plan: &Plan, segments: &Segments, age: u32, days: u32) -> Reach {
    plan.reach(|number, group| group.is_additive() && segments.crosses(number, age, days))
}

/// The files whose on-time rows leave a segment between two days.
pub fn leaving(
    plan: &Plan,
    segments: &Segments,
    files: &[OpenFile],
    since: Day,
    as_of: Day,
) -> Vec<OpenFile> {
    let days = as_of.since(since) as u32;
    let leaves = |file: &&OpenFile| {
        let age = file.delivery.map_or(-1, |delivery| since.since(delivery));
        u32::try_from(age).is_ok_and(|age| !reach_leaving(plan, segments, age, days).is_empty())
    };
    files.iter().filter(leaves).cloned().collect()
}

/// What must be looked at of a delivery: its rows are at least as old as it is, and reach no window
/// shorter than that.
struct Eras {
    as_of: Day,
    /// By number of windows out of reach: the greatest age of a row within reach, and the reach.
    reaches: Vec<(i64, Reach)>,
}

impl Eras {
    fn new(plan: &Plan, as_of: Day) -> Eras {
        let mut edges: Vec<u32> = plan.groups.iter().map(Group::longest).collect();
        edges.sort_unstable();
        edges.dedup();
        let mut first = 0;
        let mut reaches = Vec::new();
        for edge in edges {
            reaches.push((i64::from(edge), plan.reach(|_, group| group.longest() > first)));
            first = edge;
        }
        reaches.push((i64::MAX, plan.reach(|_, _| false)));
        Eras { as_of, reaches }
    }

    fn reach(&self, delivery: Option<Day>) -> &Reach {
        let youngest = delivery.map_or(0, |delivery| self.as_of.since(delivery));
        let era = self.reaches.iter().find(|(edge, _)| youngest < *edge);
        &era.expect("the last era has no end").1
    }
}

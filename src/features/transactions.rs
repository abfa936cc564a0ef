//! Sweeps transactions: the rows of each part's accounts into accumulators, and these into answers.

use std::sync::Arc;

use anyhow::Result;

use super::accumulate::{Accumulators, Segments};
use super::asked::{Asked, AskedDay, Part};
use super::finish::{PartAnswers, answer};
use super::interner::Interner;
use super::lanes::{LaneRows, Sweep};
use super::plan::{FeaturePlan, Group, Reach};
use super::rows::{Hit, Owner, Packed, pack};
use crate::day::Day;
use crate::expr::{Column, Frame, Scope};
use crate::input::accounts::OFF_BOOK;
use crate::job::Feature;
use crate::pieces::piece;
use crate::sorted::SortedDelivery;

/// How transactions are swept.
pub struct Transactions<'a> {
    /// All features, whatever they are over.
    pub features: &'a [Feature],
    /// What to accumulate.
    pub plan: &'a FeaturePlan,
    /// The columns of transactions.
    pub scope: &'a Scope,
    /// What is asked.
    pub asked: &'a Asked<'a>,
    /// Its parts.
    pub parts: &'a [Part],
    /// The deliveries, in order.
    pub deliveries: &'a [Arc<SortedDelivery>],
}

/// The slots of the account and the date in the scope; they are read in any case.
const ALWAYS_READ: [usize; 2] = [0, 1];

/// The slots in the scope of what is kept or read for some columns, these among them.
pub fn slots_kept(columns: &[usize]) -> Vec<usize> {
    let further = columns.iter().copied().filter(|slot| !ALWAYS_READ.contains(slot));
    ALWAYS_READ.into_iter().chain(further).collect()
}

/// About so many hits are gathered before they are added: an account may be asked for thousands of days.
const MOST_HITS: usize = piece(1 << 16, 4);

impl LaneRows for Packed {
    fn len(&self) -> usize {
        self.len()
    }

    #[inline]
    fn account(&self, row: usize) -> u32 {
        self.number(row as u32)
    }
}

impl Transactions<'_> {
    /// The answers of each part. An error names the first account of which a feature does not fit, and the first
    /// such feature of it.
    pub fn sweep(&self) -> Result<Vec<PartAnswers>> {
        let Transactions { plan, asked, .. } = *self;
        if plan.is_empty() {
            return Ok(self.parts.iter().map(|_| PartAnswers::default()).collect());
        }
        let days = asked.distinct_days();
        let (eras, interner, segments) = (Eras::new(plan, &days), Interner::default(), Segments::new(plan));
        let longest = self.longest();
        let sweep = Sweep {
            asked,
            parts: self.parts,
            deliveries: self.deliveries,
            columns: |delivery: &SortedDelivery| {
                let slots = eras.slots(delivery.label.delivery).into_iter();
                slots.map(|slot| delivery.column_of(&self.scope.columns[slot].0)).collect()
            },
            pack: |delivery, columns, before| {
                let reach = eras.reach(delivery);
                Ok(self.pack_block(columns, reach, &interner, &days, before))
            },
        };
        sweep.parts(|part, lanes| {
            let mut cells = Accumulators::new(plan, part.len());
            let mut hits = Vec::new();
            lanes.take(part, |delivery, rows: &Packed, range| {
                for row in rows.counting(range) {
                    if hits.len() >= MOST_HITS {
                        cells.add(plan, &segments, rows, &hits);
                        hits.clear();
                    }
                    for slot in asked.slots(rows.number(row)) {
                        let AskedDay { as_of, known_on } = asked.days[slot as usize];
                        let age = i64::from(as_of.0) - i64::from(rows.date(row));
                        if (0..longest).contains(&age) && delivery <= Some(known_on) {
                            hits.push(Hit { slot: slot - part.first_slot, row, age: age as u32 });
                        }
                    }
                }
                cells.add(plan, &segments, rows, &hits);
                hits.clear();
                cells.thin_out();
            })?;
            cells.finish();
            answer(self.features, &[(plan, &cells)], asked, part)
        })
    }

    /// The longest window, in days.
    fn longest(&self) -> i64 {
        i64::from(self.plan.longest_days.expect("windows of transactions are bounded"))
    }

    /// Packs the rows of a block that some day asked may count.
    fn pack_block(
        &self,
        columns: Vec<Column>,
        reach: Option<&Reach>,
        interner: &Interner,
        days: &[AskedDay],
        before: Packed,
    ) -> Packed {
        let Some(reach) = reach else { return Packed::default() };
        let mut by_slot = vec![None; self.scope.columns.len()];
        slots_kept(&reach.columns)
            .into_iter()
            .zip(&columns)
            .for_each(|(slot, column)| by_slot[slot] = Some(column));
        let frame = Frame { rows: columns[0].len(), columns: by_slot };
        let positions = self.asked.accounts.positions(&columns[0]);
        let Column::Int(posted_on) = &columns[1] else { unreachable!("a date") };
        let longest = self.longest();
        let first = days.iter().map(|day| i64::from(day.as_of.0)).min().unwrap_or(0) - longest;
        let last = days.iter().map(|day| i64::from(day.as_of.0)).max().unwrap_or(0);
        pack(self.plan, interner, &frame, reach, before, |row| {
            let date = posted_on.values[row];
            let is_asked = positions[row] != OFF_BOOK && first < date && date <= last;
            is_asked.then(|| Owner { number: positions[row], date: date as i32 })
        })
    }
}

/// What must be looked at of a delivery: its rows are at least as old as it is, and reach no window
/// shorter than that.
pub struct Eras<'d> {
    days: &'d [AskedDay],
    /// By number of windows out of reach: the greatest age of a row within reach, and the reach.
    reaches: Vec<(i64, Reach)>,
}

impl<'d> Eras<'d> {
    /// Those of some days asked.
    pub fn new(plan: &FeaturePlan, days: &'d [AskedDay]) -> Eras<'d> {
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
        Eras { days, reaches }
    }

    /// The slots in the scope of the columns that are read of a delivery; none where nothing of it is in reach.
    pub fn slots(&self, delivery: Option<Day>) -> Vec<usize> {
        let reach = self.reach(delivery).filter(|reach| !reach.is_empty());
        reach.map_or(Vec::new(), |reach| slots_kept(&reach.columns))
    }

    /// What some day may count of a delivery; `None` where none sees it.
    pub fn reach(&self, delivery: Option<Day>) -> Option<&Reach> {
        let seeing =
            self.days.iter().filter(|day| delivery <= Some(day.known_on)).map(|day| day.as_of).min()?;
        let youngest = delivery.map_or(0, |delivery| seeing.since(delivery));
        let era = self.reaches.iter().find(|(edge, _)| youngest < *edge);
        Some(&era.expect("the last era has no end").1)
    }
}

//! The bills that the features of one plan see, and what is accumulated of them for a part: due bills for most, all
//! bills for those that ask which are due.

use super::accumulate::{Accumulators, Segments};
use super::asked::{Asked, Part};
use super::bill_columns::{Misfit, Names, SeenBill, columns};
use super::interner::Interner;
use super::plan::{FeaturePlan, LAST_DAY};
use super::rows::{Hit, Owner, Packed, pack};
use crate::day::Day;
use crate::expr::{Column, Frame};

/// What a part's slots come to by one plan.
pub(super) struct BillCells<'a> {
    plan: &'a FeaturePlan,
    segments: &'a Segments,
    cells: Accumulators,
    /// Those that are not accumulated yet.
    bills: Vec<SeenBill>,
    packed: Packed,
}

impl<'a> BillCells<'a> {
    /// Nothing yet.
    pub fn new(plan: &'a FeaturePlan, segments: &'a Segments, part: &Part) -> BillCells<'a> {
        let cells = Accumulators::new(plan, part.len());
        BillCells { plan, segments, cells, bills: Vec::new(), packed: Packed::default() }
    }

    /// Whether no bill waits to be accumulated.
    pub fn is_empty(&self) -> bool {
        self.bills.is_empty()
    }

    /// Adds a bill as it is on the day of a slot, if the plan's features see it.
    pub fn see(&mut self, seen: SeenBill) {
        let is_due = seen.is_due();
        if self.plan.is_empty() || !(is_due || self.plan.counts_from_the_end) {
            return;
        }
        match self.bills.last_mut() {
            // Nothing changes from day to day once a bill is settled, but that it becomes due.
            Some(last)
                if last.slots.end == seen.slots.start
                    && (last.product, last.id) == (seen.product, seen.id)
                    && last.bill == seen.bill
                    && seen.bill.settled_on.is_some()
                    && last.is_due() == is_due =>
            {
                last.slots.end = seen.slots.end;
            }
            _ => self.bills.push(seen),
        }
    }

    /// Accumulates the bills that wait.
    pub fn accumulate(
        &mut self,
        asked: &Asked,
        part: &Part,
        names: &Names,
        values: &Interner,
    ) -> Result<(), Misfit> {
        if self.bills.is_empty() {
            return Ok(());
        }
        let columns = columns(self.plan, &self.bills, names)?;
        let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
        let frame = Frame { rows: self.bills.len(), columns };
        let reach = self.plan.reach(|_, _| true);
        let before = std::mem::take(&mut self.packed);
        self.packed = pack(self.plan, values, &frame, &reach, before, |row| {
            Some(Owner { number: row as u32, date: self.bills[row].bill.due_on.0 })
        });
        self.cells.add(self.plan, self.segments, &self.packed, &self.hits(asked, part));
        self.cells.thin_out();
        self.bills.clear();
        Ok(())
    }

    /// The packed bills for every slot on whose day they are seen.
    fn hits(&self, asked: &Asked, part: &Part) -> Vec<Hit> {
        let mut hits = Vec::new();
        for row in self.packed.counting(0..self.bills.len()) {
            for slot in self.bills[row as usize].slots.clone() {
                let day = if self.plan.counts_from_the_end {
                    LAST_DAY
                } else {
                    asked.days[(part.first_slot + slot) as usize].as_of
                };
                let age = u32::try_from(day.since(Day(self.packed.date(row)))).expect("ages of days fit");
                hits.push(Hit { slot, row, age });
            }
        }
        hits
    }

    /// The plan and what was accumulated for it, once everything is.
    pub fn finish(&mut self) -> (&FeaturePlan, &Accumulators) {
        self.cells.finish();
        (self.plan, &self.cells)
    }
}

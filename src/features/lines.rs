//! Features over lines: the snapshot's rows of each part's accounts into answers.

use std::ops::Range;

use anyhow::Result;
use rayon::prelude::*;

use super::accumulate::{Accumulators, Segments};
use super::asked::{Asked, Part};
use super::finish::{PartAnswers, answer};
use super::interner::Interner;
use super::plan::FeaturePlan;
use super::rows::{Hit, Owner, Packed, pack};
use crate::expr::{Column, Frame};
use crate::failure::in_order;
use crate::job::Feature;

/// Accumulates lines, sorted by slot; `columns` makes the lines scope's columns of a run of lines. Errors as in
/// [`super::transactions::Transactions::sweep`].
pub fn from_lines(
    features: &[Feature],
    plan: &FeaturePlan,
    asked: &Asked,
    parts: &[Part],
    slots: &[u32],
    columns: impl Fn(Range<usize>) -> Vec<Option<Column>> + Sync,
) -> Result<Vec<PartAnswers>> {
    let segments = Segments::new(plan);
    in_order(parts.par_iter().map(|part| {
        let mut cells = Accumulators::new(plan, part.len());
        if !plan.is_empty() {
            let first = slots.partition_point(|slot| *slot < part.first_slot);
            let end = slots.partition_point(|slot| *slot < part.end_slot);
            let columns = columns(first..end);
            let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
            let frame = Frame { rows: end - first, columns };
            let reach = plan.reach(|_, _| true);
            let packed = pack(plan, &Interner::default(), &frame, &reach, Packed::default(), |row| {
                // Lines are a state, and have no date.
                Some(Owner { number: slots[first + row] - part.first_slot, date: 0 })
            });
            let rows = packed.counting(0..packed.len());
            let hits: Vec<Hit> = rows.map(|row| Hit { slot: packed.number(row), row, age: 0 }).collect();
            cells.add(plan, &segments, &packed, &hits);
        }
        cells.finish();
        answer(features, &[(plan, &cells)], asked, part)
    }))
}

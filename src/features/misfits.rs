//! Values of rows that count and do not fit in 64 bits: what a feature takes them for has no result.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use num_bigint::BigInt;

use super::plan::{BITS, FeaturePlan, UNBOUNDED};
use super::rows::{Hit, Packed};

/// By group and slot, the youngest such value; of one age the least.
#[derive(Debug, Default)]
pub struct Misfits(BTreeMap<(usize, u32), AgedMisfit>);

/// A value that does not fit, of a row of an age in days.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct AgedMisfit {
    age: u32,
    value: BigInt,
}

impl Misfits {
    /// Notes what does not fit of rows that are added to slots. Few rows, if any, have such values.
    pub fn note(&mut self, plan: &FeaturePlan, rows: &Packed, hits: &[Hit]) {
        let Some(patterns) = rows.patterns() else { return };
        for hit in hits {
            for wide in rows.wide(hit.row) {
                let mask = patterns.mask(rows.pattern(hit.row));
                let takes = plan.groups.iter().enumerate().filter(|(number, group)| {
                    let counts = mask[number / BITS] >> (number % BITS) & 1 == 1;
                    counts && group.value == Some(wide.number) && group.segment(hit.age).is_some()
                });
                for (number, _) in takes {
                    let found = AgedMisfit { age: hit.age, value: wide.value.clone() };
                    match self.0.entry((number, hit.slot)) {
                        Entry::Vacant(place) => drop(place.insert(found)),
                        Entry::Occupied(mut known) if found < *known.get() => drop(known.insert(found)),
                        Entry::Occupied(_) => {}
                    }
                }
            }
        }
    }

    /// The first of the first slots in which a group's window, which begins at an edge, has one, and the value.
    pub fn first(&self, group: usize, slots: usize, edge: u32) -> Option<(usize, &BigInt)> {
        let own = self.0.range((group, 0)..(group, slots as u32));
        let mut within = own.filter(|(_, misfit)| misfit.age < edge || edge == UNBOUNDED);
        within.next().map(|((_, slot), misfit)| (*slot as usize, &misfit.value))
    }
}

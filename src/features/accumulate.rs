//! The hot loop: packed rows into the accumulators of a part's slots, one an account and day asked.
//!
//! A row belongs to one segment between window edges, so it touches one cell a group; windows are
//! sums over segments. What is not a sum is kept with its age.

use num_bigint::BigInt;

use super::aggregate::distinct::{LoggedValue, ValueLog};
use super::aggregate::latest::AgedValue;
use super::aggregate::state::State;
use super::aggregate::sums::Carry;
use super::aggregate::{active_days, earliest, extremes, latest, sums};
use super::misfits::Misfits;
use super::plan::{BITS, FeaturePlan, Group, UNBOUNDED};
use super::rows::{Hit, Packed};
use crate::expr::Ints;
use crate::job::Statistic;
use crate::radix::ByKey;

/// The accumulators of a part: `stride` words a slot, all zero at first.
#[derive(Debug, Default)]
pub struct Accumulators {
    words: Vec<i64>,
    /// What sums cannot hold.
    carry: Carry,
    /// Distinct values.
    log: ValueLog,
    /// Values that sums and others cannot take.
    misfits: Misfits,
    /// Rows that are added, by pattern and era.
    alike: ByKey<Hit>,
}

/// How a plan's rows are added, by their age.
pub struct Segments {
    /// By group.
    acts: Vec<Act>,
    /// By age up to the longest bounded window; one more entry stands for all greater ages.
    eras: Vec<u32>,
    /// Within an era no row crosses an edge.
    by_era: Vec<Era>,
}

/// What a group does with a row.
struct Act {
    statistic: Statistic,
    /// Position among the plan's values, where it takes one.
    value: Option<usize>,
    /// Its number among the groups that are kept in the log, whose ages count from where its windows end.
    log: Option<u32>,
    skip_days: u32,
}

impl Act {
    fn of(group: &Group) -> Act {
        let Group { statistic, value, log, skip_days, .. } = *group;
        Act { statistic, value, log, skip_days }
    }
}

/// Where rows of some ages go.
struct Era {
    /// By group, the word within a slot's.
    cells: Vec<usize>,
    /// Bits of the groups within reach.
    reached: Vec<u64>,
}

/// The word of a group's segment, within those of each slot.
#[derive(Clone, Copy)]
struct SegmentWord {
    stride: usize,
    offset: usize,
}

impl SegmentWord {
    /// Where it is among the words of all slots, for the slot that a row counts for.
    #[inline]
    fn of(self, hit: &Hit) -> usize {
        hit.slot as usize * self.stride + self.offset
    }
}

impl Segments {
    /// Tables the segments of a plan.
    pub fn new(plan: &FeaturePlan) -> Segments {
        let edges = plan.groups.iter().flat_map(|group| group.edges.iter().chain([&group.skip_days]));
        let mut starts: Vec<u32> = edges.copied().filter(|edge| *edge != UNBOUNDED).chain([0]).collect();
        starts.sort_unstable();
        starts.dedup();
        let longest = *starts.last().expect("one era at least");
        Segments {
            acts: plan.groups.iter().map(Act::of).collect(),
            eras: (0..=longest).map(|age| starts.partition_point(|start| *start <= age) as u32 - 1).collect(),
            by_era: starts.iter().map(|start| Era::new(plan, *start)).collect(),
        }
    }

    /// The era of an age.
    #[inline]
    fn era(&self, age: u32) -> usize {
        self.eras[(age as usize).min(self.eras.len() - 1)] as usize
    }
}

impl Era {
    fn new(plan: &FeaturePlan, start: u32) -> Era {
        let mut reached = vec![0; plan.mask_words()];
        let mut cells = Vec::new();
        for (number, group) in plan.groups.iter().enumerate() {
            let segment = group.segment(start);
            let within = match group.state {
                State::Segments(words) => segment.unwrap_or(0) * words,
                State::Whole(_) | State::Logged => 0,
            };
            reached[number / BITS] |= u64::from(segment.is_some()) << (number % BITS);
            cells.push(group.offset + within);
        }
        Era { cells, reached }
    }
}

/// The positions of the bits of a word of groups, ascending.
#[inline]
fn bits(word: usize, mut left: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = left.trailing_zeros();
        left &= left.wrapping_sub(1);
        (bit < u64::BITS).then_some(word * BITS + bit as usize)
    })
}

impl Accumulators {
    /// Accumulators of so many slots.
    pub fn new(plan: &FeaturePlan, slots: usize) -> Accumulators {
        Accumulators { words: vec![0; plan.stride * slots], ..Accumulators::default() }
    }

    /// Adds rows to slots. What is alike is added together: rows of one pattern and era touch the same cells.
    pub fn add(&mut self, plan: &FeaturePlan, segments: &Segments, rows: &Packed, hits: &[Hit]) {
        let Some(patterns) = rows.patterns() else { return };
        if rows.has_wide() {
            self.misfits.note(plan, rows, hits);
        }
        let mut alike = std::mem::take(&mut self.alike);
        let eras = segments.by_era.len();
        alike.fill(hits, patterns.len() * eras, |hit| {
            rows.pattern(hit.row) as usize * eras + segments.era(hit.age)
        });
        alike.each(|key, hits| {
            let era = &segments.by_era[key % eras];
            for (number, mask) in patterns.mask((key / eras) as u32).iter().enumerate() {
                for group in bits(number, mask & era.reached[number]) {
                    let cell = SegmentWord { stride: plan.stride, offset: era.cells[group] };
                    self.add_to_group(&segments.acts[group], cell, rows, hits);
                }
            }
        });
        self.alike = alike;
    }

    /// Adds rows to one cell of each of their slots.
    fn add_to_group(&mut self, act: &Act, cell: SegmentWord, rows: &Packed, hits: &[Hit]) {
        let Accumulators { words, carry, log, .. } = self;
        let taken = act.value.map_or(&[][..], |value| rows.values(value));
        let values = hits.iter().map(|hit| (cell.of(hit), taken[hit.row as usize]));
        let ages = hits.iter().map(|hit| (cell.of(hit), hit.age));
        match act.statistic {
            Statistic::Count => sums::count(words, hits.iter().map(|hit| cell.of(hit))),
            Statistic::Sum => sums::add(words, carry, values),
            Statistic::Min => extremes::keep(words, values, i64::min),
            Statistic::Max => extremes::keep(words, values, i64::max),
            Statistic::Last => {
                let rows = values.zip(hits).map(|((at, value), hit)| AgedValue { at, age: hit.age, value });
                latest::keep_value(words, rows);
            }
            Statistic::DaysSince => latest::keep_age(words, ages),
            Statistic::DaysSinceFirst => earliest::keep(words, ages),
            Statistic::ActiveDays => match act.log {
                None => active_days::mark(words, ages),
                Some(group) => {
                    log.extend(hits.iter().map(|hit| {
                        let date = rows.date(hit.row) as u32;
                        LoggedValue::new(hit.slot, group, date, hit.age - act.skip_days)
                    }));
                }
            },
            Statistic::Distinct => {
                let group = act.log.expect("distinct values are kept in the log");
                log.extend(hits.iter().map(|hit| {
                    let value = taken[hit.row as usize] as u32;
                    LoggedValue::new(hit.slot, group, value, hit.age - act.skip_days)
                }));
            }
        }
    }

    /// Thins the log out if it has grown.
    pub fn thin_out(&mut self) {
        self.log.thin_out_if_grown();
    }

    /// Puts the log in order, before it is asked.
    pub fn finish(&mut self) {
        self.log.thin_out();
    }

    /// What a window of a group, which begins at one of its edges, holds in the first slots. `Err` names the first slot
    /// whose value does not fit in 64 bits, and the value.
    pub fn window(
        &self,
        plan: &FeaturePlan,
        slots: usize,
        group: usize,
        edge: u32,
    ) -> Result<Ints, (usize, BigInt)> {
        let misfit = self.misfits.first(group, slots, edge);
        // A result that does not fit may come before a value that does not.
        let slots = misfit.map_or(slots, |(slot, _)| slot);
        let values = self.window_of_values(plan, slots, &plan.groups[group], edge)?;
        misfit.map_or(Ok(values), |(slot, value)| Err((slot, value.clone())))
    }

    fn window_of_values(
        &self,
        plan: &FeaturePlan,
        slots: usize,
        group: &Group,
        edge: u32,
    ) -> Result<Ints, (usize, BigInt)> {
        if let Some(log) = group.log {
            return Ok(self.log.window(slots, log, edge - group.skip_days));
        }
        let words = group.words_within(edge);
        let end = if edge == UNBOUNDED { i64::MAX } else { i64::from(edge) };
        let first = (0..slots).map(|slot| slot * plan.stride + words.start);
        let own = self.words.chunks_exact(plan.stride).take(slots).map(|slot| &slot[words.clone()]);
        Ok(match group.statistic {
            Statistic::Count | Statistic::Sum => return sums::window(first.zip(own), &self.carry),
            Statistic::Min => extremes::window(own, i64::min),
            Statistic::Max => extremes::window(own, i64::max),
            Statistic::Last => latest::values(own, end),
            Statistic::DaysSince => latest::ages(own, end),
            Statistic::DaysSinceFirst => earliest::window(own),
            Statistic::ActiveDays => active_days::window(own, edge),
            Statistic::Distinct => unreachable!("distinct values are kept in the log"),
        })
    }
}

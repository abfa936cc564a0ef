//! The hot loop: packed rows into the accumulators of a part's slots, one an account and day asked.
//!
//! A row belongs to one segment between window edges, so it touches one cell a group; windows are
//! sums over segments. What is not a sum is kept with its age.

use super::logs::{Log, Sight};
use super::plan::{BITS, Group, Plan, UNBOUNDED};
use super::rows::Packed;
use crate::expr::Ints;
use crate::hash;
use crate::job::Statistic;
use crate::radix::ByKey;

/// The accumulators of a part: `stride` words a slot, all zero at first.
#[derive(Debug, Default)]
pub struct Cells {
    words: Vec<i64>,
    /// What sums have run over, by word: the exact sum is the word plus this.
    carry: hash::Map<usize, i128>,
    /// Distinct values.
    sights: Log,
    /// Rows that are added, by pattern and era.
    alike: ByKey<Hit>,
}

/// A row that counts for a slot.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hit {
    /// The slot within its part.
    pub slot: u32,
    /// The row among the packed ones.
    pub row: u32,
    /// Days from the row's date to the slot's.
    pub age: u32,
}

/// What a feature's window holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// A value that fits.
    Value(i64),
    /// No row.
    Null,
    /// The exact sum, which does not fit in 64 bits.
    Overflow(i128),
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
    /// Its place among the groups that are kept in logs.
    log: Option<u32>,
}

/// Where rows of some ages go.
struct Era {
    /// By group, the word within a slot's.
    cells: Vec<usize>,
    /// Bits of the groups within reach.
    reached: Vec<u64>,
}

impl Segments {
    /// Tables the segments of a plan.
    pub fn new(plan: &Plan) -> Segments {
        let act = |group: &Group| Act { statistic: group.statistic, value: group.value, log: group.log };
        let edges = plan.groups.iter().flat_map(|group| &group.edges);
        let mut starts: Vec<u32> = edges.copied().filter(|edge| *edge != UNBOUNDED).chain([0]).collect();
        starts.sort_unstable();
        starts.dedup();
        let longest = *starts.last().expect("one era at least");
        Segments {
            acts: plan.groups.iter().map(act).collect(),
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
    fn new(plan: &Plan, start: u32) -> Era {
        let mut reached = vec![0; plan.mask_words()];
        let mut cells = Vec::new();
        for (number, group) in plan.groups.iter().enumerate() {
            let segment = group.edges.iter().position(|edge| start < *edge);
            let within = match group.statistic {
                Statistic::Count | Statistic::Sum | Statistic::Min | Statistic::Max => segment,
                _ => segment.and(Some(0)),
            };
            reached[number / BITS] |= u64::from(segment.is_some()) << (number % BITS);
            cells.push(group.offset + within.unwrap_or(0) * group.width);
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

impl Cells {
    /// Accumulators of so many slots.
    pub fn new(plan: &Plan, slots: usize) -> Cells {
        Cells { words: vec![0; plan.stride * slots], ..Cells::default() }
    }

    /// Adds rows to slots. What is alike is added together: rows of one pattern and era touch the same cells.
    pub fn add(&mut self, plan: &Plan, segments: &Segments, rows: &Packed, hits: &[Hit]) {
        let Some(patterns) = rows.patterns() else { return };
        let mut alike = std::mem::take(&mut self.alike);
        let eras = segments.by_era.len();
        let key = |hit: &Hit| rows.pattern(hit.row) as usize * eras + segments.era(hit.age);
        alike.fill(hits, patterns.len() * eras, key);
        alike.each(|key, hits| {
            let era = &segments.by_era[key % eras];
            for (number, mask) in patterns.mask((key / eras) as u32).iter().enumerate() {
                for group in bits(number, mask & era.reached[number]) {
                    self.add_to_group(plan, &segments.acts[group], era.cells[group], rows, hits);
                }
            }
        });
        self.alike = alike;
    }

    /// Adds rows to one cell of each of their slots.
    fn add_to_group(&mut self, plan: &Plan, act: &Act, cell: usize, rows: &Packed, hits: &[Hit]) {
        let base = |hit: &Hit| hit.slot as usize * plan.stride + cell;
        let Cells { words, carry, sights, .. } = self;
        let values = act.value.map_or(&[][..], |value| rows.values(value));
        let value = |hit: &Hit| values[hit.row as usize];
        match (act.statistic, act.log) {
            (Statistic::Count, _) => hits.iter().for_each(|hit| words[base(hit)] += 1),
            (Statistic::Sum, _) => hits.iter().for_each(|hit| add_exact(words, value(hit), carry, base(hit))),
            (Statistic::ActiveDays, None) => hits.iter().for_each(|hit| {
                words[base(hit) + hit.age as usize / BITS] |= 1 << (hit.age as usize % BITS);
            }),
            (Statistic::DaysSince, _) => {
                hits.iter().for_each(|hit| keep_youngest(&mut words[base(hit)..], hit.age));
            }
            (Statistic::Last, _) => {
                hits.iter().for_each(|hit| keep_latest(&mut words[base(hit)..], hit.age, value(hit)));
            }
            (Statistic::Min, _) => {
                hits.iter().for_each(|hit| keep_best(&mut words[base(hit)..], value(hit), i64::min));
            }
            (Statistic::Max, _) => {
                hits.iter().for_each(|hit| keep_best(&mut words[base(hit)..], value(hit), i64::max));
            }
            (Statistic::ActiveDays, Some(log)) => {
                let date = |hit: &Hit| rows.date(hit.row) as u32;
                sights.extend(hits.iter().map(|hit| Sight::new(hit.slot, log, date(hit), hit.age)));
            }
            (Statistic::Distinct, log) => {
                let log = log.expect("distinct values are kept in a log");
                sights.extend(hits.iter().map(|hit| Sight::new(hit.slot, log, value(hit) as u32, hit.age)));
            }
        }
    }

    /// Thins the log out if it has grown.
    pub fn thin_out(&mut self) {
        self.sights.thin_out_if_grown();
    }

    /// Puts the log in order, before it is asked.
    pub fn finish(&mut self) {
        self.sights.thin_out();
    }

    /// By slot, what a window of a group that is added up holds; `None` for other groups, and where some
    /// sum has run over on the way.
    pub fn sums(&self, plan: &Plan, slots: usize, group: usize, days: u32) -> Option<Vec<i64>> {
        let group = &plan.groups[group];
        if !group.is_additive() || !self.carry.is_empty() {
            return None;
        }
        let segments = group.segments_within(days);
        let own = self.words.chunks_exact(plan.stride).take(slots);
        own.map(|words| {
            let segments = &words[group.offset..group.offset + segments];
            segments.iter().try_fold(0_i64, |sum, word| sum.checked_add(*word))
        })
        .collect()
    }

    /// What one slot's window of one group holds. Groups in logs are answered by [`Cells::logged`].
    pub fn total(&self, plan: &Plan, slot: u32, group: usize, days: u32) -> Total {
        let group = &plan.groups[group];
        let first = slot as usize * plan.stride + group.offset;
        match group.statistic {
            Statistic::Count | Statistic::Sum => {
                let carried = |cell: usize| self.carry.get(&cell).copied().unwrap_or(0);
                let exact = |cell: usize| i128::from(self.words[cell]) + carried(cell);
                let exact: i128 = (first..first + group.segments_within(days)).map(exact).sum();
                i64::try_from(exact).map_or(Total::Overflow(exact), Total::Value)
            }
            Statistic::Min | Statistic::Max => {
                let segments = self.words[first..].chunks_exact(group.width);
                let segments = segments.take(group.segments_within(days)).filter(|segment| segment[0] != 0);
                let values = segments.map(|segment| segment[1]);
                let best = if group.statistic == Statistic::Min { values.min() } else { values.max() };
                best.map_or(Total::Null, Total::Value)
            }
            Statistic::Last => match self.words[first] {
                age if age == 0 || age > i64::from(days) => Total::Null,
                _ => Total::Value(self.words[first + 1]),
            },
            Statistic::DaysSince => match self.words[first] {
                age if age == 0 || age > i64::from(days) => Total::Null,
                age => Total::Value(age - 1),
            },
            _ => Total::Value(active_days(&self.words[first..first + group.width], days as usize)),
        }
    }

    /// By slot, what a window of a group in a log holds.
    pub fn logged(&self, plan: &Plan, slots: usize, group: usize, days: u32) -> Ints {
        let log = plan.groups[group].log.expect("the group is kept in a log");
        let mut counts = vec![0; slots];
        for sight in self.sights.entries() {
            if sight.group() == log && sight.age() < days {
                counts[sight.slot() as usize] += 1;
            }
        }
        Ints::all(counts)
    }
}

/// Adds to a word, and what it cannot hold to the carry of its cell.
#[inline]
fn add_exact(words: &mut [i64], value: i64, carry: &mut hash::Map<usize, i128>, cell: usize) {
    let word = &mut words[cell];
    match word.checked_add(value) {
        Some(sum) => *word = sum,
        None => {
            *carry.entry(cell).or_default() += i128::from(*word);
            *word = value;
        }
    }
}

#[inline]
fn keep_latest(own: &mut [i64], age: u32, value: i64) {
    let (latest, age) = (own[0], i64::from(age) + 1);
    if latest == 0 || age < latest || (age == latest && value > own[1]) {
        (own[0], own[1]) = (age, value);
    }
}

/// Keeps the better of two values; the first word says whether there is one.
#[inline]
fn keep_best(own: &mut [i64], value: i64, better: fn(i64, i64) -> i64) {
    own[1] = if own[0] == 0 { value } else { better(own[1], value) };
    own[0] = 1;
}

#[inline]
fn keep_youngest(own: &mut [i64], age: u32) {
    let age = i64::from(age) + 1;
    if own[0] == 0 || age < own[0] {
        own[0] = age;
    }
}

fn active_days(bits: &[i64], days: usize) -> i64 {
    let within = |word: usize| {
        let left = days.saturating_sub(word * BITS);
        if left >= BITS { u64::MAX } else { (1 << left) - 1 }
    };
    let days = bits.iter().enumerate().map(|(word, bits)| (*bits as u64 & within(word)).count_ones());
    days.map(i64::from).sum()
}

//! The hot loop: packed rows into the accumulators of a partition of accounts.
//!
//! A row belongs to one segment between window edges, so it touches one cell a group; windows are
//! sums over segments.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::plan::{Group, Plan, UNBOUNDED};
use super::rows::Packed;
use crate::job::Statistic;

/// The accumulators of a partition: `stride` words an account, all zero at first.
pub struct Cells {
    words: Vec<i64>,
    /// What sums have run over, by word: the exact sum is the word plus this.
    carry: HashMap<usize, i128, FixedState>,
    /// Distinct values with the age of the latest row that has them.
    values: HashMap<(u32, u32, i64), u32, FixedState>,
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

/// One plan's segments: the window a row of some age falls in first.
pub struct Segments {
    /// By group, by age up to the longest bounded window.
    by_age: Vec<Vec<u8>>,
}

/// No segment: the row is older than every window.
const OUTSIDE: u8 = u8::MAX;

impl Segments {
    /// Tables the segments of a plan.
    pub fn new(plan: &Plan) -> Segments {
        let table = |group: &Group| {
            let longest = group.edges.iter().filter(|edge| **edge != UNBOUNDED).max().copied().unwrap_or(0);
            // One more entry stands for all greater ages.
            let segment = |age| group.edges.iter().position(|edge| age < *edge).map_or(OUTSIDE, |s| s as u8);
            (0..=longest).map(segment).collect()
        };
        Segments { by_age: plan.groups.iter().map(table).collect() }
    }

    #[inline]
    fn of(&self, group: usize, age: u32) -> u8 {
        let table = &self.by_age[group];
        table[(age as usize).min(table.len() - 1)]
    }
}

impl Cells {
    /// Accumulators of `accounts` accounts.
    pub fn new(plan: &Plan, accounts: usize) -> Cells {
        Cells {
            words: vec![0; plan.stride * accounts],
            carry: HashMap::default(),
            values: HashMap::default(),
        }
    }

    /// Adds rows; their accounts are numbered from `first_account`.
    pub fn add(&mut self, plan: &Plan, segments: &Segments, first_account: u32, rows: &Packed) {
        for row in rows.iter() {
            let account = row.account() - first_account;
            let age = row.age();
            let base = account as usize * plan.stride;
            for number in row.groups() {
                let group = &plan.groups[number];
                let segment = segments.of(number, age);
                if segment == OUTSIDE {
                    continue;
                }
                let value = group.value.map_or(0, |value| row.value(value));
                self.add_one(group, number as u32, account, base, segment, age, value);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    #[inline]
    fn add_one(
        &mut self,
        group: &Group,
        number: u32,
        account: u32,
        base: usize,
        segment: u8,
        age: u32,
        value: i64,
    ) {
        let cell = base + group.offset + usize::from(segment) * group.width;
        match group.statistic {
            Statistic::Count => self.words[cell] += 1,
            Statistic::Sum => match self.words[cell].checked_add(value) {
                Some(sum) => self.words[cell] = sum,
                None => {
                    *self.carry.entry(cell).or_default() += i128::from(self.words[cell]);
                    self.words[cell] = value;
                }
            },
            Statistic::Min => self.keep(cell, value, |new, old| new < old),
            Statistic::Max => self.keep(cell, value, |new, old| new > old),
            Statistic::Last => {
                let cell = base + group.offset;
                let (latest, age) = (self.words[cell], i64::from(age) + 1);
                if latest == 0 || age < latest || (age == latest && value > self.words[cell + 1]) {
                    self.words[cell] = age;
                    self.words[cell + 1] = value;
                }
            }
            Statistic::DaysSince => {
                let cell = base + group.offset;
                let age = i64::from(age) + 1;
                if self.words[cell] == 0 || age < self.words[cell] {
                    self.words[cell] = age;
                }
            }
            Statistic::ActiveDays if !group.is_tabled() => {
                self.words[base + group.offset + (age / u64::BITS) as usize] |= 1 << (age % u64::BITS);
            }
            Statistic::ActiveDays => self.keep_value(account, number, i64::from(age), age),
            Statistic::Distinct => self.keep_value(account, number, value, age),
        }
    }

    fn keep(&mut self, cell: usize, value: i64, better: fn(i64, i64) -> bool) {
        if self.words[cell] == 0 || better(value, self.words[cell + 1]) {
            self.words[cell] = 1;
            self.words[cell + 1] = value;
        }
    }

    fn keep_value(&mut self, account: u32, group: u32, value: i64, age: u32) {
        let youngest = self.values.entry((account, group, value)).or_insert(age);
        *youngest = age.min(*youngest);
    }

    /// What one account's window of one group holds. Tabled groups are answered by [`Cells::tabled`].
    pub fn total(&self, plan: &Plan, account: u32, group: usize, days: u32) -> Total {
        let group = &plan.groups[group];
        let first = account as usize * plan.stride + group.offset;
        let segments = || {
            let cells = group.edges.iter().enumerate().take_while(|(_, edge)| **edge <= days);
            cells.map(|(segment, _)| first + segment * group.width)
        };
        match group.statistic {
            Statistic::Count | Statistic::Sum => {
                let carried = |cell| self.carry.get(&cell).copied().unwrap_or(0);
                let exact: i128 = segments().map(|cell| i128::from(self.words[cell]) + carried(cell)).sum();
                i64::try_from(exact).map_or(Total::Overflow(exact), Total::Value)
            }
            Statistic::Min | Statistic::Max => {
                let values =
                    segments().filter(|cell| self.words[*cell] != 0).map(|cell| self.words[cell + 1]);
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
            Statistic::ActiveDays | Statistic::Distinct => {
                Total::Value(self.active_days(&self.words[first..first + group.width], days))
            }
        }
    }

    fn active_days(&self, bits: &[i64], days: u32) -> i64 {
        let within = |word: usize| {
            let left = days.saturating_sub(word as u32 * u64::BITS);
            if left >= u64::BITS { u64::MAX } else { (1 << left) - 1 }
        };
        bits.iter()
            .enumerate()
            .map(|(word, bits)| i64::from((*bits as u64 & within(word)).count_ones()))
            .sum()
    }

    /// By account, how many distinct values a tabled group's window holds.
    pub fn tabled(&self, accounts: usize, group: usize, days: u32) -> Vec<i64> {
        let mut counts = vec![0; accounts];
        for ((account, number, _), age) in &self.values {
            if *number as usize == group && *age < days {
                counts[*account as usize] += 1;
            }
        }
        counts
    }
}

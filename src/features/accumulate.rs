//! The hot loop: packed rows into the accumulators of a partition of accounts.
//!
//! A row belongs to one segment between window edges, so it touches one cell a group; windows are
//! sums over segments. What is not a sum is kept with its age, so that a night later it is still
//! exact: only sums need the rows that leave a window.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::logs::{Entry, Log, Sight, Step};
use super::plan::{BITS, Group, Plan, UNBOUNDED};
use super::rows::Row;
use crate::day::Day;
use crate::expr::Ints;
use crate::job::Statistic;

/// The accumulators of a partition: `stride` words an account, all zero at first.
#[derive(Debug, Default)]
pub struct Cells {
    pub(crate) words: Vec<i64>,
    /// What sums have run over, by word: the exact sum is the word plus this.
    pub(crate) carry: HashMap<usize, i128, FixedState>,
    /// Distinct values.
    pub(crate) sights: Log<Sight>,
    /// Smallest and largest values.
    pub(crate) steps: Log<Step>,
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
    as_of: Day,
}

/// What a group does with a row.
struct Act {
    statistic: Statistic,
    /// Position among the plan's values, where it takes one.
    value: usize,
    /// Its place among the groups that are kept in logs.
    log: Option<u32>,
}

/// Where rows of some ages go.
struct Era {
    /// By group, the segment; [`OUTSIDE`] where they are older than every window.
    segments: Vec<u16>,
    /// By group, the word within an account's.
    cells: Vec<usize>,
    /// Bits of the groups within reach that count, that add up, and all others.
    counts: Vec<u64>,
    sums: Vec<u64>,
    others: Vec<u64>,
}

/// No segment: the row is older than every window.
const OUTSIDE: u16 = u16::MAX;

impl Segments {
    /// Tables the segments of a plan.
    pub fn new(plan: &Plan, as_of: Day) -> Segments {
        let act = |group: &Group| Act {
            statistic: group.statistic,
            value: group.value.unwrap_or(usize::MAX),
            log: group.log,
        };
        let edges = plan.groups.iter().flat_map(|group| &group.edges);
        let mut starts: Vec<u32> = edges.copied().filter(|edge| *edge != UNBOUNDED).chain([0]).collect();
        starts.sort_unstable();
        starts.dedup();
        let longest = *starts.last().expect("one era at least");
        Segments {
            acts: plan.groups.iter().map(act).collect(),
            eras: (0..=longest).map(|age| starts.partition_point(|start| *start <= age) as u32 - 1).collect(),
            by_era: starts.iter().map(|start| Era::new(plan, *start)).collect(),
            as_of,
        }
    }

    /// A number for the date of a row of some age: its days since 1970-01-01, exactly, as 32 bits.
    #[inline]
    fn date(&self, age: u32) -> u32 {
        (i64::from(self.as_of.0) - i64::from(age)) as u32
    }

    #[inline]
    fn at(&self, age: u32) -> &Era {
        &self.by_era[self.eras[(age as usize).min(self.eras.len() - 1)] as usize]
    }

    /// Whether a row of some age is in another segment of a group `days` later.
    pub fn crosses(&self, group: usize, age: u32, days: u32) -> bool {
        self.at(age).segments[group] != self.at(age + days).segments[group]
    }
}

impl Era {
    fn new(plan: &Plan, start: u32) -> Era {
        let none = vec![0; plan.mask_words()];
        let (mut counts, mut sums, mut others) = (none.clone(), none.clone(), none);
        let (mut segments, mut cells) = (Vec::new(), Vec::new());
        for (number, group) in plan.groups.iter().enumerate() {
            let segment = group.edges.iter().position(|edge| start < *edge);
            let (bits, within) = match group.statistic {
                Statistic::Count => (&mut counts, segment),
                Statistic::Sum => (&mut sums, segment),
                _ => (&mut others, segment.and(Some(0))),
            };
            bits[number / BITS] |= u64::from(segment.is_some()) << (number % BITS);
            segments.push(segment.map_or(OUTSIDE, |segment| segment as u16));
            cells.push(group.offset + within.unwrap_or(0));
        }
        Era { segments, cells, counts, sums, others }
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
    /// Accumulators of `accounts` accounts.
    pub fn new(plan: &Plan, accounts: usize) -> Cells {
        Cells { words: vec![0; plan.stride * accounts], ..Cells::default() }
    }

    /// Adds rows; their accounts are numbered from `first_account`.
    pub fn add<'r>(
        &mut self,
        plan: &Plan,
        segments: &Segments,
        first_account: u32,
        rows: impl Iterator<Item = Row<'r>>,
    ) {
        for row in rows {
            let account = row.account() - first_account;
            let age = row.age();
            let era = segments.at(age);
            let base = account as usize * plan.stride;
            let words = &mut self.words[base..base + plan.stride];
            for (number, mask) in row.masks().iter().enumerate() {
                for group in bits(number, mask & era.counts[number]) {
                    words[era.cells[group]] += 1;
                }
                for group in bits(number, mask & era.sums[number]) {
                    let (cell, value) = (era.cells[group], row.value(segments.acts[group].value));
                    add_exact(&mut words[cell], value, &mut self.carry, base + cell);
                }
                for group in bits(number, mask & era.others[number]) {
                    let act = &segments.acts[group];
                    let own = &mut words[era.cells[group]..];
                    match (act.statistic, act.log) {
                        (Statistic::ActiveDays, None) => {
                            own[age as usize / BITS] |= 1 << (age as usize % BITS);
                        }
                        (Statistic::DaysSince, _) => keep_youngest(own, age),
                        (Statistic::Last, _) => keep_latest(own, age, row.value(act.value)),
                        (Statistic::ActiveDays, Some(log)) => {
                            let date = segments.date(age);
                            self.sights.push(Sight::new(account, log, date, age));
                        }
                        (Statistic::Distinct, Some(log)) => {
                            self.sights.push(Sight::new(account, log, row.value(act.value) as u32, age));
                        }
                        (Statistic::Min | Statistic::Max, Some(log)) => {
                            self.steps.push(Step::new(account, log, row.value(act.value), age));
                        }
                        _ => unreachable!("sums are added above, and all others are kept in logs"),
                    }
                }
            }
        }
        self.sights.settle_if_grown(|_| false);
        self.steps.settle_if_grown(|log| is_smallest(plan, log));
    }

    /// Moves rows that grow older by `days` to the segments where they then belong, or out of all.
    pub fn cross<'r>(
        &mut self,
        plan: &Plan,
        segments: &Segments,
        first_account: u32,
        rows: impl Iterator<Item = Row<'r>>,
        days: u32,
    ) {
        for row in rows {
            let base = (row.account() - first_account) as usize * plan.stride;
            let masks = row.masks().iter().enumerate();
            for number in masks.flat_map(|(number, mask)| bits(number, *mask)) {
                let group = &plan.groups[number];
                let segment = |age: u32| segments.at(age).segments[number];
                let (from, to) = (segment(row.age()), segment(row.age() + days));
                if from == to || !group.is_additive() {
                    continue;
                }
                let value = match group.statistic {
                    Statistic::Count => 1,
                    _ => group.value.map_or(0, |value| row.value(value)),
                };
                self.subtract_exact(base + group.offset + usize::from(from), value);
                if to != OUTSIDE {
                    let cell = base + group.offset + usize::from(to);
                    add_exact(&mut self.words[cell], value, &mut self.carry, cell);
                }
            }
        }
    }

    fn subtract_exact(&mut self, cell: usize, value: i64) {
        match self.words[cell].checked_sub(value) {
            Some(rest) => self.words[cell] = rest,
            None => {
                *self.carry.entry(cell).or_default() += i128::from(self.words[cell]) - i128::from(value);
                self.words[cell] = 0;
            }
        }
    }

    /// Puts the logs in order, before they are asked.
    pub fn settle(&mut self, plan: &Plan) {
        self.sights.settle(|_| false);
        self.steps.settle(|log| is_smallest(plan, log));
    }

    /// What was known of a partition's accounts, or nothing yet, `days` later; there may be new accounts at
    /// its end.
    pub fn older(plan: &Plan, known: Option<Cells>, accounts: usize, days: u32) -> Cells {
        let Some(mut cells) = known else { return Cells::new(plan, accounts) };
        cells.words.resize(plan.stride * accounts, 0);
        for words in cells.words.chunks_exact_mut(plan.stride.max(1)) {
            plan.groups.iter().for_each(|group| grow_older(group, &mut words[group.offset..], days));
        }
        cells.sights.grow_older(days, reaches(plan));
        cells.steps.grow_older(days, reaches(plan));
        cells
    }

    /// Takes over what `other` knows of its accounts, `days` later. `places` gives each one's new number,
    /// or `None`.
    pub fn receive(&mut self, plan: &Plan, other: &Cells, places: &[Option<u32>], days: u32) {
        let stride = plan.stride;
        for (words, place) in other.words.chunks_exact(stride.max(1)).zip(places) {
            let Some(place) = place else { continue };
            let own = &mut self.words[*place as usize * stride..][..stride];
            own.copy_from_slice(words);
            plan.groups.iter().for_each(|group| grow_older(group, &mut own[group.offset..], days));
        }
        for (cell, carried) in &other.carry {
            if let Some(place) = places[cell / stride] {
                self.carry.insert(place as usize * stride + cell % stride, *carried);
            }
        }
        let place = |account: u32| places.get(account as usize).copied().flatten();
        receive(&mut self.sights, &other.sights, place, days, reaches(plan));
        receive(&mut self.steps, &other.steps, place, days, reaches(plan));
    }

    /// Forgets what is known of some accounts.
    pub fn clear(&mut self, plan: &Plan, is_cleared: impl Fn(u32) -> bool) {
        for (account, words) in self.words.chunks_exact_mut(plan.stride.max(1)).enumerate() {
            if is_cleared(account as u32) {
                words.fill(0);
            }
        }
        self.carry.retain(|cell, _| !is_cleared((cell / plan.stride) as u32));
        self.sights.retain(|entry| !is_cleared(entry.account()));
        self.steps.retain(|entry| !is_cleared(entry.account()));
    }

    /// By account, what a window of a group that is added up holds; `None` for other groups, and where some
    /// sum has run over on the way.
    pub fn sums(&self, plan: &Plan, accounts: usize, group: usize, days: u32) -> Option<Vec<i64>> {
        let group = &plan.groups[group];
        if !group.is_additive() || !self.carry.is_empty() {
            return None;
        }
        let segments = group.segments_within(days);
        let own = self.words.chunks_exact(plan.stride).take(accounts);
        own.map(|words| {
            let segments = &words[group.offset..group.offset + segments];
            segments.iter().try_fold(0_i64, |sum, word| sum.checked_add(*word))
        })
        .collect()
    }

    /// What one account's window of one group holds. Groups in logs are answered by [`Cells::logged`].
    pub fn total(&self, plan: &Plan, account: u32, group: usize, days: u32) -> Total {
        let group = &plan.groups[group];
        let first = account as usize * plan.stride + group.offset;
        match group.statistic {
            Statistic::Count | Statistic::Sum => {
                let carried = |cell: usize| self.carry.get(&cell).copied().unwrap_or(0);
                let exact = |cell: usize| i128::from(self.words[cell]) + carried(cell);
                let exact: i128 = (first..first + group.segments_within(days)).map(exact).sum();
                i64::try_from(exact).map_or(Total::Overflow(exact), Total::Value)
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

    /// By account, what a window of a group in a log holds; the log must be settled.
    pub fn logged(&self, plan: &Plan, accounts: usize, group: usize, days: u32) -> Ints {
        let statistic = plan.groups[group].statistic;
        let log = plan.groups[group].log.expect("the group is kept in a log");
        if matches!(statistic, Statistic::Distinct | Statistic::ActiveDays) {
            let mut counts = vec![0; accounts];
            for sight in self.sights.entries() {
                if sight.group() == log && sight.age() < days {
                    counts[sight.account() as usize] += 1;
                }
            }
            return Ints::all(counts);
        }
        // The oldest within the window betters all younger ones.
        let mut best = vec![None; accounts];
        for step in self.steps.entries() {
            if step.group() == log && step.age() < days {
                best[step.account() as usize] = Some(step.value());
            }
        }
        best.into_iter().collect()
    }
}

/// Adds to a word, and what it cannot hold to the carry of its cell.
#[inline]
fn add_exact(word: &mut i64, value: i64, carry: &mut HashMap<usize, i128, FixedState>, cell: usize) {
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

#[inline]
fn keep_youngest(own: &mut [i64], age: u32) {
    let age = i64::from(age) + 1;
    if own[0] == 0 || age < own[0] {
        own[0] = age;
    }
}

/// Whether some window of a group in a log reaches back to an age.
fn reaches(plan: &Plan) -> impl Fn(u32, u32) -> bool + '_ {
    |log, age| age < plan.groups[plan.logged[log as usize]].longest()
}

fn is_smallest(plan: &Plan, log: u32) -> bool {
    plan.groups[plan.logged[log as usize]].statistic == Statistic::Min
}

fn receive<E: Entry>(
    own: &mut Log<E>,
    other: &Log<E>,
    place: impl Fn(u32) -> Option<u32>,
    days: u32,
    reaches: impl Fn(u32, u32) -> bool,
) {
    for entry in other.entries() {
        let Some(account) = place(entry.account()) else { continue };
        let moved = entry.older(account, days);
        if reaches(moved.group(), moved.age()) {
            own.push_next(moved);
        }
    }
}

/// Makes a group's words `days` older.
fn grow_older(group: &Group, words: &mut [i64], days: u32) {
    match (group.statistic, group.log) {
        (Statistic::Last | Statistic::DaysSince, _) if words[0] != 0 => {
            words[0] += i64::from(days);
            if group.longest() != UNBOUNDED && words[0] > i64::from(group.longest()) {
                words[..group.width].fill(0);
            }
        }
        (Statistic::ActiveDays, None) => shift(&mut words[..group.width], days as usize, group.longest()),
        _ => {}
    }
}

/// Moves bits up by `days` and clears those at `longest` and above.
fn shift(words: &mut [i64], days: usize, longest: u32) {
    let (whole, part) = (days / BITS, days % BITS);
    for place in (0..words.len()).rev() {
        let word = |back: usize| place.checked_sub(back).map_or(0, |place| words[place] as u64);
        let carried = if part == 0 { 0 } else { word(whole + 1) >> (BITS - part) };
        words[place] = (word(whole) << part | carried) as i64;
    }
    let used = longest as usize % BITS;
    if let Some(last) = words.last_mut().filter(|_| used != 0) {
        *last &= (1 << used) - 1;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_days_grow_older_and_leave() {
        for (days, longest, before, after) in [
            (1, 100, vec![0b1, 0], vec![0b10, 0]),
            (64, 100, vec![0b101, 0], vec![0, 0b101]),
            (3, 100, vec![i64::MIN, 0], vec![0, 0b100]),
            (36, 100, vec![0b1, 0b1], vec![1 << 36, 0]),
            (200, 100, vec![-1, -1], vec![0, 0]),
        ] {
            let mut words = before.clone();
            shift(&mut words, days, longest);
            assert_eq!(words, after, "{before:?} by {days} within {longest}");
        }
    }
}

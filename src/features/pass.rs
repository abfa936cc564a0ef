//! Passes over an input where memory is short: each takes the rows of some partitions. The first looks at
//! every row and notes which accounts a row group holds and which of its rows are repeats, so that a later
//! one decodes only the row groups with accounts of its own.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use super::Partitions;
use crate::day::Day;
use crate::input::accounts::STRANGER;
use crate::input::stream::Source;

/// Whose rows are taken in one reading of an input.
pub enum Pass<'a> {
    /// Everyone's: there is no other.
    Only,
    /// Those of some partitions, in the first pass of several.
    First(Range<usize>, &'a Scan),
    /// Those of others, after it.
    Later(Range<usize>, &'a Scan),
}

/// What the first pass has seen of each row group, by its place among all.
#[derive(Default)]
pub struct Scan {
    row_groups: Mutex<BTreeMap<u64, Sighting>>,
}

/// The accounts and the repeats of a row group.
#[derive(Default)]
struct Sighting {
    accounts: Extent,
    repeats: Vec<u32>,
}

/// The first and the last position of accounts of the book among some rows; `None` where there are none.
#[derive(Debug, Default, Clone, Copy)]
pub struct Extent(Option<(u32, u32)>);

impl Extent {
    fn extend(&mut self, positions: &[u32]) {
        for position in positions.iter().copied().filter(|position| *position != STRANGER) {
            let (first, last) = self.0.unwrap_or((position, position));
            self.0 = Some((first.min(position), last.max(position)));
        }
    }

    fn meets(self, partitions: Partitions, pass: &Range<usize>) -> bool {
        self.0
            .is_some_and(|(first, last)| partitions.of(first) < pass.end && partitions.of(last) >= pass.start)
    }
}

impl<'a> Pass<'a> {
    /// The pass of a part of the partitions, which is the first one or comes after it.
    pub fn of(part: &Range<usize>, first: &Range<usize>, scan: &'a Scan) -> Pass<'a> {
        match part == first {
            true => Pass::First(part.clone(), scan),
            false => Pass::Later(part.clone(), scan),
        }
    }

    /// Whether repeats are told: later passes know them.
    pub fn tells_repeats(&self) -> bool {
        !matches!(self, Pass::Later(..))
    }

    /// Notes whose rows are seen, where a later pass asks for it.
    pub fn see(&self, accounts: &mut Extent, positions: &[u32]) {
        if matches!(self, Pass::First(..)) {
            accounts.extend(positions);
        }
    }

    /// The partitions whose rows are taken.
    pub fn partitions(&self, partitions: Partitions) -> Range<usize> {
        match self {
            Pass::Only => 0..partitions.count(),
            Pass::First(pass, _) | Pass::Later(pass, _) => pass.clone(),
        }
    }

    /// What is left to read of an input.
    pub fn rest<'s>(&self, source: &Source<'s>, partitions: Partitions) -> Source<'s> {
        let Pass::Later(pass, scan) = self else { return source.clone() };
        let seen = scan.row_groups.lock().expect("no thread panicked");
        let row_groups = seen.iter().filter(|(_, sighting)| sighting.accounts.meets(partitions, pass));
        Source {
            unique: None,
            report_from: Day(i32::MAX),
            row_groups: Some(row_groups.map(|(number, _)| *number).collect()),
            ..source.clone()
        }
    }

    /// The repeats of a row group: those just told, which the first pass notes beside the accounts seen, or
    /// in a later pass those noted.
    pub fn repeats<'r>(&self, row_group: u64, accounts: Extent, told: &'r [u32]) -> Cow<'r, [u32]> {
        match self {
            Pass::Only => Cow::Borrowed(told),
            Pass::First(_, scan) => {
                let sighting = Sighting { accounts, repeats: told.to_vec() };
                scan.row_groups.lock().expect("no thread panicked").insert(row_group, sighting);
                Cow::Borrowed(told)
            }
            Pass::Later(_, scan) => {
                let seen = scan.row_groups.lock().expect("no thread panicked");
                Cow::Owned(seen.get(&row_group).map(|sighting| sighting.repeats.clone()).unwrap_or_default())
            }
        }
    }
}

//! The largest movers: accounts by score, lines by limit.

use std::cmp::Reverse;

use serde::Serialize;

/// One that moved.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Mover {
    /// The account, or the account and the product; the parts of a file's key.
    pub key: Vec<String>,
    /// Left.
    pub left: i64,
    /// Right.
    pub right: i64,
    /// Right − left.
    pub change: i128,
}

/// How a mover ranks: by the size of its change, then the earlier one first.
type Rank = (u128, Reverse<u64>);

/// The largest movers found so far, the largest first.
pub struct Movers {
    most: usize,
    found: Vec<(Rank, Mover)>,
    seen: u64,
}

impl Movers {
    /// Keeps `most`.
    pub fn new(most: usize) -> Movers {
        Movers { most, found: Vec::new(), seen: 0 }
    }

    /// Adds one; `key` is made only where it is kept.
    pub fn add(&mut self, left: i64, right: i64, key: impl FnOnce() -> Vec<String>) {
        let change = i128::from(right) - i128::from(left);
        self.seen += 1;
        let rank = (change.unsigned_abs(), Reverse(self.seen));
        let is_too_small =
            self.found.len() == self.most && self.found.last().is_none_or(|(least, _)| rank < *least);
        if change == 0 || is_too_small {
            return;
        }
        let position = self.found.partition_point(|(other, _)| *other > rank);
        self.found.insert(position, (rank, Mover { key: key(), left, right, change }));
        self.found.truncate(self.most);
    }

    /// The largest first.
    pub fn finish(self) -> Vec<Mover> {
        self.found.into_iter().map(|(_, mover)| mover).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_kept_and_of_equals_the_first() {
        let mut movers = Movers::new(2);
        for (name, right) in [("a", 1), ("b", -3), ("c", 3), ("d", 3), ("e", 0), ("f", -2)] {
            movers.add(0, right, || vec![name.to_string()]);
        }
        let names: Vec<String> = movers.finish().into_iter().flat_map(|mover| mover.key).collect();
        assert_eq!(names, ["b", "c"]);
    }
}

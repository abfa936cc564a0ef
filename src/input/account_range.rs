//! A range of account ids: what one of several processes computes of a book.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::account_id::Id;
use crate::expr::Column;

/// Ids from one to before another. Ranges that follow each other share out all ids, and all rows: one without an
/// id belongs to the first range.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRange {
    /// The first id; `None`: there is none before it.
    pub from: Option<Id>,
    /// Behind the last id; `None`: there is none behind it.
    pub to: Option<Id>,
}

impl AccountRange {
    /// The ranges between some ids, which ascend.
    pub fn between(bounds: &[Id]) -> Vec<AccountRange> {
        let starts = std::iter::once(None).chain(bounds.iter().cloned().map(Some));
        let ends = bounds.iter().cloned().map(Some).chain([None]);
        starts.zip(ends).map(|(from, to)| AccountRange { from, to }).collect()
    }

    /// Whether it holds every id.
    pub fn is_everything(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// Whether an id comes before the range.
    pub fn begins_after(&self, id: &Id) -> bool {
        self.from.as_ref().is_some_and(|from| id < from)
    }

    /// Whether an id comes before the range's end.
    pub fn reaches(&self, id: &Id) -> bool {
        self.to.as_ref().is_none_or(|to| id < to)
    }

    /// Whether it holds the id of a row.
    pub fn holds(&self, ids: &Column, row: usize) -> bool {
        let at_least = |from: &Id| match (ids, from) {
            (Column::Int(ints), Id::Int(from)) => ints.get(row).is_some_and(|id| id >= from),
            (Column::Text(texts), Id::Text(from)) => texts.get(row).is_some_and(|id| id >= &**from),
            _ => false,
        };
        self.from.as_ref().is_none_or(at_least) && !self.to.as_ref().is_some_and(at_least)
    }

    /// The rows whose ids it holds, of a column in which ids ascend and none is null.
    pub fn rows_of(&self, ids: &Column) -> Range<usize> {
        let before = |bound: &Id| match (ids, bound) {
            (Column::Int(ints), Id::Int(bound)) => ints.values.partition_point(|id| id < bound),
            (Column::Text(texts), Id::Text(bound)) => {
                texts.codes.partition_point(|code| texts.dictionary[*code as usize] < *bound)
            }
            _ => 0,
        };
        let start = self.from.as_ref().map_or(0, before);
        start..self.to.as_ref().map_or(ids.len(), before).max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::Ints;

    /// Every row lies in one of the ranges between some ids, a row without an id in the first.
    #[test]
    fn ranges_share_out_all_rows() {
        let ids: Ints =
            [None, Some(i64::MIN), Some(-3), Some(0), Some(4), Some(i64::MAX)].into_iter().collect();
        let ids = Column::Int(ids);
        for bounds in [vec![], vec![0], vec![-3, 4], vec![i64::MIN, i64::MAX]] {
            let bounds: Vec<Id> = bounds.into_iter().map(Id::Int).collect();
            let ranges = AccountRange::between(&bounds);
            assert_eq!(ranges.len(), bounds.len() + 1);
            for row in 0..ids.len() {
                let holding: Vec<usize> =
                    (0..ranges.len()).filter(|range| ranges[*range].holds(&ids, row)).collect();
                assert_eq!(holding.len(), 1, "{bounds:?} {row}");
                assert!(row > 0 || holding == [0], "without an id");
            }
        }
    }

    /// In a sorted column the rows of a range lie together.
    #[test]
    fn rows_of_a_range_lie_together() {
        let ids = Column::Int(Ints::all(vec![1, 1, 3, 5, 5, 9]));
        let range = AccountRange { from: Some(Id::Int(2)), to: Some(Id::Int(5)) };
        assert_eq!(range.rows_of(&ids), 2..3);
        assert_eq!(AccountRange::default().rows_of(&ids), 0..6);
        let texts: Vec<Option<&str>> = vec![Some("a"), Some("b"), Some("b"), Some("c")];
        let ids = Column::Text(texts.into_iter().collect());
        let range = AccountRange { from: Some(Id::Text("b".into())), to: None };
        assert_eq!(range.rows_of(&ids), 1..4);
    }
}

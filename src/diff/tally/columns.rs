//! Column by column: how many cells changed, by how much, and what the two schemas have apart.

use rayon::prelude::*;
use serde::Serialize;

use crate::diff::read::cells::{NONE, Pairs, Shape, differ, true_places};
use crate::diff::read::runs::Layout;
use crate::diff::selection::Tolerances;
use crate::expr::Column;

/// A column that one side lacks, or has with another type.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct SchemaChange {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub column: String,
    /// Its type on the left; null where it is not there.
    pub left: Option<String>,
    /// Its type on the right.
    pub right: Option<String>,
    /// Whether its values are compared.
    pub is_compared: bool,
}

/// The changes of one column, over the rows that both sides have.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct ColumnChange {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub column: String,
    /// Cells that differ.
    pub changed: u64,
    /// Σ right − left over cells that differ and are null on neither side; null for what is no number.
    pub sum: Option<i128>,
    /// The largest |right − left| among them.
    pub largest: Option<u64>,
}

/// What the schemas have apart, table by table, in the order of the left file, then of the right.
pub fn schema_changes(left: &Layout, right: &Layout) -> Vec<SchemaChange> {
    let mut changes = Vec::new();
    for (table, left) in &left.schemas {
        let Some((_, right)) = right.schemas.iter().find(|(name, _)| name == table) else { continue };
        let of_left = left.iter().map(|column| &column.name);
        let names =
            of_left.chain(right.iter().map(|c| &c.name).filter(|name| left.iter().all(|c| c.name != **name)));
        for name in names {
            let find = |columns: &[crate::diff::read::sorted::FileColumn]| {
                columns.iter().find(|c| c.name == *name).cloned()
            };
            let (left, right) = (find(left), find(right));
            let is_compared = left.is_some() && right.is_some();
            let kind = |column: &Option<crate::diff::read::sorted::FileColumn>| {
                column.as_ref().map(|c| c.kind.clone())
            };
            let (left, right) = (kind(&left), kind(&right));
            if left != right || !is_compared {
                changes.push(SchemaChange { table, column: name.clone(), left, right, is_compared });
            }
        }
    }
    changes
}

/// A column that both sides have.
pub struct SharedColumn {
    /// Its name.
    pub name: String,
    /// Position and shape on the left.
    pub left: (usize, Shape),
    /// Position and shape on the right.
    pub right: (usize, Shape),
    /// How far values may lie apart.
    pub tolerance: u64,
}

/// The changes of one table, as they are counted.
pub struct TableTally {
    /// Its name.
    pub table: &'static str,
    /// Its columns but for the key.
    pub shared: Vec<SharedColumn>,
    /// Rows that both sides have and of which some cell differs.
    pub rows_changed: u64,
    counts: Vec<CellCount>,
    /// All columns but the key, of the left and of the right.
    all: [Vec<(String, (usize, Shape))>; 2],
}

#[derive(Default, Clone, Copy)]
struct CellCount {
    changed: u64,
    sum: i128,
    largest: u64,
}

impl TableTally {
    /// Of the columns at `left` and `right`, with positions; `key` is left out.
    pub fn new(
        table: &'static str,
        left: &[(usize, &(String, Shape))],
        right: &[(usize, &(String, Shape))],
        key: &[&str],
        tolerances: &Tolerances,
    ) -> TableTally {
        let shared = left.iter().filter(|(_, (name, _))| !key.contains(&name.as_str())).filter_map(
            |(slot, (name, shape))| {
                let (other, (_, other_shape)) = right.iter().find(|(_, (known, _))| known == name)?;
                Some(SharedColumn {
                    name: name.clone(),
                    left: (*slot, *shape),
                    right: (*other, *other_shape),
                    tolerance: tolerances.of(name),
                })
            },
        );
        let shared: Vec<SharedColumn> = shared.collect();
        let all = [left, right].map(|side| {
            let columns = side.iter().filter(|(_, (name, _))| !key.contains(&name.as_str()));
            columns.map(|(slot, (name, shape))| (name.clone(), (*slot, *shape))).collect()
        });
        TableTally { table, counts: vec![CellCount::default(); shared.len()], shared, rows_changed: 0, all }
    }

    /// All columns of a side but the key: name, position, shape.
    pub fn all(&self, is_left: bool) -> impl Iterator<Item = (&str, (usize, Shape))> {
        self.all[usize::from(!is_left)].iter().map(|(name, place)| (name.as_str(), *place))
    }

    /// Counts the pairs; by shared column and pair, whether the cell differs.
    pub fn add(&mut self, left: &[Column], right: &[Column], pairs: &Pairs) -> Vec<Vec<bool>> {
        let found: Vec<(Vec<bool>, CellCount)> = self
            .shared
            .par_iter()
            .map(|column| {
                let (a, b) = (&left[column.left.0], &right[column.right.0]);
                let mask = differ((a, column.left.1), (b, column.right.1), pairs, column.tolerance);
                let count = count(a, b, pairs, &mask);
                (mask, count)
            })
            .collect();
        let mut masks = Vec::with_capacity(found.len());
        let mut any = vec![false; pairs.len()];
        for ((mask, count), total) in found.into_iter().zip(&mut self.counts) {
            if count.changed > 0 {
                any.iter_mut().zip(&mask).for_each(|(any, changed)| *any |= changed);
            }
            total.changed += count.changed;
            total.sum += count.sum;
            total.largest = total.largest.max(count.largest);
            masks.push(mask);
        }
        self.rows_changed += any.iter().filter(|changed| **changed).count() as u64;
        masks
    }

    /// What was counted, in the order of the left file.
    pub fn changes(&self) -> Vec<ColumnChange> {
        let change = |(column, count): (&SharedColumn, &CellCount)| {
            let is_number = column.left.1.is_number() && column.left.1 == column.right.1;
            ColumnChange {
                table: self.table,
                column: column.name.clone(),
                changed: count.changed,
                sum: is_number.then_some(count.sum),
                largest: is_number.then_some(count.largest),
            }
        };
        self.shared.iter().zip(&self.counts).map(change).collect()
    }
}

fn count(left: &Column, right: &Column, pairs: &Pairs, mask: &[bool]) -> CellCount {
    let mut count = CellCount::default();
    let ints = match (left, right) {
        (Column::Int(a), Column::Int(b)) => Some((a, b)),
        _ => None,
    };
    for pair in true_places(mask) {
        count.changed += 1;
        let Some((a, b)) = ints else { continue };
        let (i, j) = (pairs.left[pair], pairs.right[pair]);
        debug_assert!(i != NONE && j != NONE);
        if let (Some(a), Some(b)) = (a.get(i as usize), b.get(j as usize)) {
            count.sum += i128::from(*b) - i128::from(*a);
            count.largest = count.largest.max(a.abs_diff(*b));
        }
    }
    count
}

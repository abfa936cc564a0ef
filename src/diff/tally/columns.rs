//! Column by column: how many cells changed, by how much, and in what the two schemas differ.

use rayon::prelude::*;
use serde::Serialize;

use crate::diff::filters::Tolerances;
use crate::diff::read::cells::{ColumnSlot, FileColumn, Shape, differ};
use crate::diff::read::pairs::{NONE, Pairs, true_positions};
use crate::diff::read::runs::Layout;
use crate::expr::Column;
use crate::job::Unit;

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
    /// What they count; left out where that is nothing people would want beside the number.
    #[serde(skip_serializing_if = "Unit::is_number")]
    pub unit: Unit,
}

/// In what the schemas differ, table by table, in the order of the left file, then of the right.
pub fn schema_changes(left: &Layout, right: &Layout) -> Vec<SchemaChange> {
    let mut changes = Vec::new();
    for (table, left) in &left.schemas {
        let Some((_, right)) = right.schemas.iter().find(|(name, _)| name == table) else { continue };
        let of_right_alone = right.iter().filter(|column| find(left, &column.name).is_none());
        for FileColumn { name, .. } in left.iter().chain(of_right_alone) {
            let (left, right) = (find(left, name), find(right, name));
            let is_compared = left.is_some() && right.is_some();
            let [left, right] = [left, right].map(|column| Some(column?.kind.clone()));
            if left != right || !is_compared {
                changes.push(SchemaChange { table, column: name.clone(), left, right, is_compared });
            }
        }
    }
    changes
}

fn find<'a>(columns: &'a [FileColumn], name: &str) -> Option<&'a FileColumn> {
    columns.iter().find(|column| column.name == name)
}

/// A column that both sides have.
pub struct SharedColumn {
    /// Its name.
    pub name: String,
    /// Where the left side has it.
    pub left: ColumnSlot,
    /// Where the right side has it.
    pub right: ColumnSlot,
    /// How far values may lie apart.
    pub tolerance: u64,
}

/// The changed cells of a table in a piece: by shared column and pair.
pub type CellMasks = Vec<Vec<bool>>;

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
    all: [Vec<TableColumn>; 2],
}

/// A column of a table by its name.
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Where its side has it.
    pub slot: ColumnSlot,
}

impl TableColumn {
    /// Those of a table's columns that are not in `key`; the first of them is the block's column number `first`.
    pub fn all_but(key: &[&str], columns: &[FileColumn], first: usize) -> Vec<TableColumn> {
        let all = columns.iter().enumerate().map(|(position, column)| TableColumn {
            name: column.name.clone(),
            slot: ColumnSlot { index: first + position, shape: column.shape },
        });
        all.filter(|column| !key.contains(&column.name.as_str())).collect()
    }
}

#[derive(Default, Clone, Copy)]
struct CellCount {
    changed: u64,
    sum: i128,
    largest: u64,
}

impl TableTally {
    /// Of the columns of both sides, without those of the key.
    pub fn new(table: &'static str, all: [Vec<TableColumn>; 2], tolerances: &Tolerances) -> TableTally {
        let [left, right] = &all;
        let shared = left.iter().filter_map(|column| {
            let other = right.iter().find(|other| other.name == column.name)?;
            Some(SharedColumn {
                name: column.name.clone(),
                left: column.slot,
                right: other.slot,
                tolerance: tolerances.of(&column.name),
            })
        });
        let shared: Vec<SharedColumn> = shared.collect();
        TableTally { table, counts: vec![CellCount::default(); shared.len()], shared, rows_changed: 0, all }
    }

    /// All columns of a side but the key.
    pub fn all(&self, is_left: bool) -> &[TableColumn] {
        &self.all[usize::from(!is_left)]
    }

    /// Counts the pairs, and says which cells differ.
    pub fn add(&mut self, left: &[Column], right: &[Column], pairs: &Pairs) -> CellMasks {
        let found: Vec<(Vec<bool>, CellCount)> = self
            .shared
            .par_iter()
            .map(|column| {
                let (a, b) = (&left[column.left.index], &right[column.right.index]);
                let mask = differ((a, column.left.shape), (b, column.right.shape), pairs, column.tolerance);
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
        let changes = self.shared.iter().zip(&self.counts).map(|(column, count)| {
            let (left, right) = (column.left.shape, column.right.shape);
            let is_number = left.is_number() && left == right;
            ColumnChange {
                table: self.table,
                column: column.name.clone(),
                changed: count.changed,
                sum: is_number.then_some(count.sum),
                largest: is_number.then_some(count.largest),
                unit: if is_number && left == Shape::Date { Unit::Days } else { Unit::Number },
            }
        });
        changes.collect()
    }
}

fn count(left: &Column, right: &Column, pairs: &Pairs, mask: &[bool]) -> CellCount {
    let mut count = CellCount::default();
    let ints = match (left, right) {
        (Column::Int(a), Column::Int(b)) => Some((a, b)),
        _ => None,
    };
    for pair in true_positions(mask) {
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

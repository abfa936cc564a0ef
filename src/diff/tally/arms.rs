//! Accounts and lines by the arm that they are of on either side.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::diff::read::join::JoinPiece;
use crate::diff::read::pairs::NONE;
use crate::diff::read::runs::{Block, Layout};
use crate::expr::Column;

/// Accounts that are of one arm on the left and of one on the right, which may be the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ArmChange {
    /// Their arm on the left; null where that run has no challenger.
    pub left: Option<String>,
    /// On the right.
    pub right: Option<String>,
    /// How many, that both sides have.
    pub accounts: u64,
    /// Σ scores on the left.
    pub left_scores: i128,
    /// On the right.
    pub right_scores: i128,
    /// Lines that both sides have.
    pub lines: u64,
    /// Of them, those whose new limit is another one.
    pub limits_moved: u64,
    /// Σ new limits right − left, minor units.
    pub change: i128,
}

/// Counts accounts and lines by arm.
pub struct ArmTally {
    sides: [ArmColumns; 2],
    changes: BTreeMap<[Option<String>; 2], ArmChange>,
}

/// Where blocks have what is counted.
struct ArmColumns {
    arm: Option<usize>,
    score: usize,
    new_limit: usize,
}

impl ArmTally {
    /// Between two runs; `None` where neither has a challenger, or a table lacks a column.
    pub fn new(layouts: [&Layout; 2]) -> Option<ArmTally> {
        let columns = |layout: &Layout| {
            let arm = layout.of_scores("champion_score").and_then(|_| layout.of_scores("arm"));
            Some(ArmColumns {
                arm,
                score: layout.of_scores("score")?,
                new_limit: layout.of_lines("new_limit")?,
            })
        };
        let sides = [columns(layouts[0])?, columns(layouts[1])?];
        let has_arms = sides.iter().any(|side| side.arm.is_some());
        has_arms.then(|| ArmTally { sides, changes: BTreeMap::new() })
    }

    /// Counts what both sides have of a piece.
    pub fn add(&mut self, piece: &JoinPiece) {
        let (Some(left), Some(right)) = (piece.left, piece.right) else { return };
        let [on_left, on_right] = &self.sides;
        for (i, j) in piece.rows.matched() {
            let change = change_of(&mut self.changes, [on_left.arm(left, i), on_right.arm(right, j)]);
            change.accounts += 1;
            change.left_scores += int(&left.columns[on_left.score], i);
            change.right_scores += int(&right.columns[on_right.score], j);
        }
        for (pair, (i, j)) in piece.lines.iter().enumerate().filter(|(_, (i, j))| *i != NONE && *j != NONE) {
            let row = piece.row_of_line[pair] as usize;
            let (left_row, right_row) = (piece.rows.left[row] as usize, piece.rows.right[row] as usize);
            let arms = [on_left.arm(left, left_row), on_right.arm(right, right_row)];
            let moved = int(&right.lines[on_right.new_limit], j as usize)
                - int(&left.lines[on_left.new_limit], i as usize);
            let change = change_of(&mut self.changes, arms);
            change.lines += 1;
            change.limits_moved += u64::from(moved != 0);
            change.change += moved;
        }
    }

    /// What was counted.
    pub fn finish(self) -> Vec<ArmChange> {
        let named = self.changes.into_iter();
        named.map(|([left, right], change)| ArmChange { left, right, ..change }).collect()
    }
}

impl ArmColumns {
    fn arm<'b>(&self, block: &'b Block, row: usize) -> Option<&'b str> {
        match &block.columns[self.arm?] {
            Column::Text(texts) => texts.get(row),
            _ => None,
        }
    }
}

fn change_of<'c>(
    changes: &'c mut BTreeMap<[Option<String>; 2], ArmChange>,
    arms: [Option<&str>; 2],
) -> &'c mut ArmChange {
    changes.entry(arms.map(|arm| arm.map(str::to_string))).or_default()
}

fn int(column: &Column, row: usize) -> i128 {
    match column {
        Column::Int(ints) => ints.get(row).map_or(0, |value| i128::from(*value)),
        _ => 0,
    }
}

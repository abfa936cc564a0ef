//! The changes of one piece of the join, written out row by row: cells, then what moved scores and limits.

use anyhow::Result;

use super::causes::decisions::LineCause;
use super::causes::groups::{GroupedAccountCauses, ScoreCauseGroups};
use super::change_file::{ChangeFile, ChangeRow};
use super::read::cells::KeyPart;
use super::read::join::JoinPiece;
use super::read::pairs::NONE;
use super::read::runs::{Block, Layout};
use super::tally::columns::{CellMasks, TableTally};
use crate::expr::Column;
use crate::failure::input;

/// What is written of a piece.
pub struct PieceChanges<'a> {
    /// What the blocks of both sides hold.
    pub layouts: [&'a Layout; 2],
    /// The piece.
    pub piece: &'a JoinPiece<'a>,
    /// Tables whose rows are those of the join, and their changed cells.
    pub tables: Vec<(&'a TableTally, &'a CellMasks)>,
    /// The table of lines, and its changed cells.
    pub lines: Option<(&'a TableTally, &'a CellMasks)>,
    /// What moved the scores.
    pub score_causes: Option<(&'a ScoreCauseGroups, &'a GroupedAccountCauses)>,
    /// What moved the lines' limits, in order of the piece's lines.
    pub line_causes: &'a [LineCause],
}

impl PieceChanges<'_> {
    /// Writes the changes of every row, each followed by those of its lines.
    pub fn write(&self, changes: &mut ChangeFile) -> Result<()> {
        let piece = self.piece;
        let columns = [piece.left, piece.right].map(|block| block.map(|block| &block.columns[..]));
        let mut line = 0;
        let mut line_causes = self.line_causes;
        for (pair, (left, right)) in piece.rows.iter().enumerate() {
            let key = piece.row_key(self.layouts, left, right);
            for (table, masks) in &self.tables {
                let row = PairedRow { pair, left, right };
                write_row(changes, table, masks, &key, columns, row)?;
            }
            if let Some((tally, causes)) = self.score_causes {
                for (name, amount) in tally.of_account(causes, pair) {
                    changes.add(&key, &ChangeRow::cause("scores", "score", "cause", &name, amount))?;
                }
            }
            while line < piece.lines.len() && piece.row_of_line[line] as usize == pair {
                let own = line_causes.iter().take_while(|cause| cause.pair == line).count();
                let (of_line, rest) = line_causes.split_at(own);
                self.write_line(changes, line, of_line)?;
                line_causes = rest;
                line += 1;
            }
        }
        Ok(())
    }

    fn write_line(&self, changes: &mut ChangeFile, pair: usize, causes: &[LineCause]) -> Result<()> {
        let Some((table, masks)) = self.lines else { return Ok(()) };
        let piece = self.piece;
        let columns = [piece.left, piece.right].map(|block| block.map(|block: &Block| &block.lines[..]));
        let (left, right) = (piece.lines.left[pair], piece.lines.right[pair]);
        let key = piece.line_key(self.layouts, left, right);
        write_row(changes, table, masks, &key, columns, PairedRow { pair, left, right })?;
        for cause in causes {
            let amount = i64::try_from(cause.change)
                .map_err(|_| input(format!("--out: {} does not fit in Int64", cause.change)))?;
            let kind = if cause.is_main { "main_cause" } else { "cause" };
            changes.add(&key, &ChangeRow::cause("decisions", "new_limit", kind, cause.cause, amount))?;
        }
        Ok(())
    }
}

/// A pair of a piece, and its rows or lines on both sides.
#[derive(Clone, Copy)]
struct PairedRow {
    pair: usize,
    left: u32,
    right: u32,
}

/// A row's changed cells; all of them where only one side has the row.
fn write_row(
    changes: &mut ChangeFile,
    table: &TableTally,
    masks: &CellMasks,
    key: &[KeyPart],
    [left, right]: [Option<&[Column]>; 2],
    row: PairedRow,
) -> Result<()> {
    let name = table.table;
    if row.left == NONE || row.right == NONE {
        let is_left = row.right == NONE;
        let change = if is_left { "left_only" } else { "right_only" };
        changes.add(key, &ChangeRow { table: name, change, ..ChangeRow::default() })?;
        let (columns, row) = if is_left { (left, row.left) } else { (right, row.right) };
        let columns = columns.expect("it has the row");
        for column in table.all(is_left) {
            let Some(value) = column.slot.text(columns, row as usize) else { continue };
            let (left, right) = if is_left { (Some(value), None) } else { (None, Some(value)) };
            changes.add(key, &ChangeRow::cell(name, change, &column.name, left, right))?;
        }
        return Ok(());
    }
    let (Some(left), Some(right)) = (left, right) else { return Ok(()) };
    for (column, _) in table.shared.iter().zip(masks).filter(|(_, mask)| mask[row.pair]) {
        let left = column.left.text(left, row.left as usize);
        let right = column.right.text(right, row.right as usize);
        changes.add(key, &ChangeRow::cell(name, "changed", &column.name, left, right))?;
    }
    Ok(())
}

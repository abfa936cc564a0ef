//! The one pass over both sides: every piece of the join is counted, explained and written out.

use anyhow::Result;

use super::causes::decisions::{CauseTally, LineCause};
use super::causes::scores::{AccountCauses, ScoreCauseTally};
use super::change_file::{ChangeFile, ChangeRow};
use super::findings::{Example, SideCounts};
use super::read::cells::{NONE, Pairs, Shape, text};
use super::read::join::JoinPiece;
use super::read::runs::{Block, Layout};
use super::selection::{Selection, Tolerances};
use super::tally::columns::TableTally;
use super::tally::decisions::DecisionTally;
use super::tally::movers::Movers;
use super::tally::scores::ScoreTally;
use crate::expr::Column;

/// What is counted of two sides.
pub struct Tallies<'a> {
    layouts: [&'a Layout; 2],
    selection: Option<&'a Selection>,
    limit: usize,
    /// Tables whose rows are those of the join.
    pub tables: Vec<TableTally>,
    /// The table of lines.
    pub lines_table: Option<TableTally>,
    /// Who is on which side.
    pub rows: SideCounts,
    /// Lines likewise.
    pub lines: SideCounts,
    /// Scores and distributions.
    pub scores: Option<ScoreTally>,
    /// What moved scores.
    pub score_causes: Option<ScoreCauseTally>,
    /// Decisions and money.
    pub decisions: Option<DecisionTally>,
    /// What moved decisions.
    pub decision_causes: Option<CauseTally>,
    /// Accounts by score.
    pub largest_scores: Movers,
    /// Lines by new limit.
    pub largest_limits: Movers,
    /// The first cells that changed; of files only.
    pub examples: Vec<Example>,
    /// Where changes are written.
    pub changes: Option<ChangeFile>,
}

/// A table's changed cells in a piece: by shared column and pair.
type Masks = Vec<Vec<bool>>;

impl<'a> Tallies<'a> {
    /// Counts nothing yet but who is on which side.
    pub fn new(layouts: [&'a Layout; 2], selection: Option<&'a Selection>, limit: usize) -> Tallies<'a> {
        Tallies {
            layouts,
            selection,
            limit,
            tables: Vec::new(),
            lines_table: None,
            rows: SideCounts::default(),
            lines: SideCounts::default(),
            scores: None,
            score_causes: None,
            decisions: None,
            decision_causes: None,
            largest_scores: Movers::new(limit),
            largest_limits: Movers::new(limit),
            examples: Vec::new(),
            changes: None,
        }
    }

    /// Compares the tables of a run's accounts, or a file.
    pub fn compare_rows(&mut self, tables: &[&'static str], tolerances: &Tolerances) {
        let [left, right] = self.layouts;
        let key: Vec<&str> = left.key.iter().map(|slot| left.columns[*slot].0.as_str()).collect();
        for (number, table) in tables.iter().enumerate() {
            let range = |layout: &Layout| match number {
                0 => 0..layout.scores,
                _ => layout.scores..layout.columns.len(),
            };
            let columns = |layout: &'a Layout| {
                layout.columns.iter().enumerate().collect::<Vec<_>>()[range(layout)].to_vec()
            };
            self.tables.push(TableTally::new(table, &columns(left), &columns(right), &key, tolerances));
        }
    }

    /// Compares a run's decisions.
    pub fn compare_lines(&mut self, tolerances: &Tolerances) {
        let columns = |layout: &'a Layout| layout.lines.iter().enumerate().collect::<Vec<_>>();
        let (left, right) = (columns(self.layouts[0]), columns(self.layouts[1]));
        self.lines_table =
            Some(TableTally::new("decisions", &left, &right, &["account_id", "product"], tolerances));
    }

    /// Counts a piece.
    pub fn add(&mut self, piece: &JoinPiece) -> Result<()> {
        match self.selection {
            None => self.count(piece),
            Some(selection) => {
                let chosen = selection.choose(piece);
                self.count(&narrowed(piece, &chosen.rows, &chosen.lines))
            }
        }
    }

    fn count(&mut self, piece: &JoinPiece) -> Result<()> {
        let columns = [piece.left, piece.right].map(|block| block.map(|block| &block.columns[..]));
        let lines = [piece.left, piece.right].map(|block| block.map(|block| &block.lines[..]));
        let Tallies { tables, lines_table, scores, score_causes, decisions, decision_causes, .. } = self;
        let mut masks: Vec<Masks> = Vec::new();
        let mut line_masks = None;
        let mut of_scores = None;
        let mut line_causes = Vec::new();
        // Nobody's work depends on another's.
        rayon::scope(|scope| {
            if let Some(decisions) = decisions {
                scope.spawn(|_| {
                    let changed = decisions.add(piece);
                    if let Some(causes) = decision_causes {
                        line_causes = causes.add(piece, &changed);
                    }
                });
            }
            if let Some(causes) = score_causes {
                scope.spawn(|_| of_scores = Some(causes.add(piece)));
            }
            if let Some(scores) = scores {
                scope.spawn(|_| scores.add(piece));
            }
            line_masks = lines_table.as_mut().map(|table| masked(table, lines, &piece.lines));
            masks = tables.iter_mut().map(|table| masked(table, columns, &piece.rows)).collect();
        });
        self.find_present(piece);
        self.find_movers(piece);
        if self.lines_table.is_none() && self.scores.is_none() {
            self.find_examples(piece, &masks);
        }
        if self.changes.is_some() {
            self.write(piece, &masks, line_masks.as_ref(), of_scores.as_ref(), &line_causes)?;
        }
        Ok(())
    }

    /// Who is on which side.
    fn find_present(&mut self, piece: &JoinPiece) {
        let layouts = self.layouts;
        for (left, right) in piece.rows.iter() {
            let key = || key_of(layouts, piece, left, right).iter().map(shown).collect();
            self.rows.add(left != NONE, right != NONE, self.limit, key);
        }
        if self.decisions.is_some() {
            for (left, right) in piece.lines.iter() {
                let key = || line_key(layouts, piece, left, right).iter().map(shown).collect();
                self.lines.add(left != NONE, right != NONE, self.limit, key);
            }
        }
    }

    fn find_movers(&mut self, piece: &JoinPiece) {
        let (Some(left), Some(right)) = (piece.left, piece.right) else { return };
        let value = |column: &Column, row: u32| match column {
            Column::Int(ints) => ints.get(row as usize).copied(),
            _ => None,
        };
        let layouts = self.layouts;
        let [a, b] = layouts;
        if let (true, Some(l), Some(r)) = (self.scores.is_some(), a.of_scores("score"), b.of_scores("score"))
        {
            for (i, j) in piece.rows.iter().filter(|(i, j)| *i != NONE && *j != NONE) {
                if let (Some(from), Some(to)) = (value(&left.columns[l], i), value(&right.columns[r], j)) {
                    let key = || key_of(layouts, piece, i, j).iter().map(shown).collect();
                    self.largest_scores.add(from, to, key);
                }
            }
        }
        if let (true, Some(l), Some(r)) =
            (self.decisions.is_some(), a.of_lines("new_limit"), b.of_lines("new_limit"))
        {
            for (i, j) in piece.lines.iter().filter(|(i, j)| *i != NONE && *j != NONE) {
                if let (Some(from), Some(to)) = (value(&left.lines[l], i), value(&right.lines[r], j)) {
                    let key = || line_key(layouts, piece, i, j).iter().map(shown).collect();
                    self.largest_limits.add(from, to, key);
                }
            }
        }
    }

    fn find_examples(&mut self, piece: &JoinPiece, masks: &[Masks]) {
        let layouts = self.layouts;
        let (Some(left), Some(right)) = (piece.left, piece.right) else { return };
        for (pair, (i, j)) in piece.rows.iter().enumerate().filter(|(_, (i, j))| *i != NONE && *j != NONE) {
            for (table, masks) in self.tables.iter().zip(masks) {
                for (column, _) in table.shared.iter().zip(masks).filter(|(_, mask)| mask[pair]) {
                    if self.examples.len() == self.limit {
                        return;
                    }
                    self.examples.push(Example {
                        key: key_of(layouts, piece, i, j).iter().map(shown).collect(),
                        column: column.name.clone(),
                        left: text(&left.columns[column.left.0], column.left.1, i as usize),
                        right: text(&right.columns[column.right.0], column.right.1, j as usize),
                    });
                }
            }
        }
    }

    fn write(
        &mut self,
        piece: &JoinPiece,
        masks: &[Masks],
        line_masks: Option<&Masks>,
        score_causes: Option<&AccountCauses>,
        line_causes: &[LineCause],
    ) -> Result<()> {
        let layouts = self.layouts;
        let mut changes = self.changes.take().expect("there is a file to write");
        let rows = [piece.left, piece.right].map(|block| block.map(|block| &block.columns[..]));
        let lines = [piece.left, piece.right].map(|block| block.map(|block| &block.lines[..]));
        let mut line_causes = line_causes.iter().peekable();
        let mut line = 0;
        for (pair, (left, right)) in piece.rows.iter().enumerate() {
            let key = key_of(layouts, piece, left, right);
            for (table, masks) in self.tables.iter().zip(masks) {
                write_row(&mut changes, table, masks, &key, rows, (pair, left, right))?;
            }
            if let (Some(tally), Some(causes)) = (&self.score_causes, score_causes) {
                for (name, amount) in tally.of_account(causes, pair) {
                    changes.add(&key, &ChangeRow::cause("scores", "score", "cause", &name, amount))?;
                }
            }
            let (Some(table), Some(masks)) = (&self.lines_table, line_masks) else { continue };
            while line < piece.lines.len() && piece.row_of_line[line] as usize == pair {
                let (left, right) = (piece.lines.left[line], piece.lines.right[line]);
                let key = line_key(layouts, piece, left, right);
                write_row(&mut changes, table, masks, &key, lines, (line, left, right))?;
                while let Some(found) = line_causes.next_if(|found| found.pair == line) {
                    let amount = i64::try_from(found.change).map_err(|_| {
                        crate::failure::input(format!("--out: {} does not fit in Int64", found.change))
                    })?;
                    let kind = if found.is_main { "main_cause" } else { "cause" };
                    let change = ChangeRow::cause("decisions", "new_limit", kind, found.cause, amount);
                    changes.add(&key, &change)?;
                }
                line += 1;
            }
        }
        self.changes = Some(changes);
        Ok(())
    }
}

/// The side that has a row or a line, and which of its own that is.
fn side_of<'l, 'p>(
    layouts: [&'l Layout; 2],
    piece: &JoinPiece<'p>,
    left: u32,
    right: u32,
) -> (&'l Layout, &'p Block, usize) {
    match (piece.left, piece.right) {
        (Some(block), _) if left != NONE => (layouts[0], block, left as usize),
        (_, Some(block)) => (layouts[1], block, right as usize),
        _ => unreachable!("one side has it"),
    }
}

/// The parts of a row's key, from the side that has it.
fn key_of<'p>(
    layouts: [&Layout; 2],
    piece: &JoinPiece<'p>,
    left: u32,
    right: u32,
) -> Vec<(&'p Column, Shape, usize)> {
    let (layout, block, row) = side_of(layouts, piece, left, right);
    layout.key.iter().map(|slot| (&block.columns[*slot], layout.columns[*slot].1, row)).collect()
}

/// Account and product of a line, from the side that has it.
fn line_key<'p>(
    layouts: [&Layout; 2],
    piece: &JoinPiece<'p>,
    left: u32,
    right: u32,
) -> Vec<(&'p Column, Shape, usize)> {
    let (layout, block, line) = side_of(layouts, piece, left, right);
    let part = |name: &str| {
        let slot = layout.of_lines(name)?;
        Some((&block.lines[slot], layout.lines[slot].1, line))
    };
    ["account_id", "product"].into_iter().filter_map(part).collect()
}

fn shown((column, shape, row): &(&Column, Shape, usize)) -> String {
    text(column, *shape, *row).unwrap_or_default()
}

fn masked(table: &mut TableTally, columns: [Option<&[Column]>; 2], pairs: &Pairs) -> Masks {
    match columns {
        [Some(left), Some(right)] => table.add(left, right, pairs),
        _ => vec![vec![false; pairs.len()]; table.shared.len()],
    }
}

/// The chosen rows and lines of a piece.
fn narrowed<'a>(piece: &JoinPiece<'a>, rows: &[bool], lines: &[bool]) -> JoinPiece<'a> {
    let mut place = Vec::with_capacity(rows.len());
    let mut kept = 0;
    for keep in rows {
        place.push(kept);
        kept += u32::from(*keep);
    }
    let row_of_line = piece.row_of_line.iter().zip(lines).filter(|(_, keep)| **keep);
    JoinPiece {
        left: piece.left,
        right: piece.right,
        row_of_line: row_of_line.map(|(row, _)| place[*row as usize]).collect(),
        rows: piece.rows.filter(rows),
        lines: piece.lines.filter(lines),
    }
}

/// A row's changed cells; all of them where only one side has the row.
fn write_row(
    changes: &mut ChangeFile,
    table: &TableTally,
    masks: &Masks,
    key: &[(&Column, Shape, usize)],
    [left, right]: [Option<&[Column]>; 2],
    (pair, i, j): (usize, u32, u32),
) -> Result<()> {
    let name = table.table;
    if i == NONE || j == NONE {
        let is_left = j == NONE;
        let change = if is_left { "left_only" } else { "right_only" };
        changes.add(key, &ChangeRow { table: name, change, ..ChangeRow::default() })?;
        let (columns, row) = if is_left { (left, i) } else { (right, j) };
        let columns = columns.expect("it has the row");
        for (column, (slot, shape)) in table.all(is_left) {
            let Some(value) = text(&columns[slot], shape, row as usize) else { continue };
            let (left, right) = if is_left { (Some(value), None) } else { (None, Some(value)) };
            changes.add(key, &ChangeRow::cell(name, change, column, left, right))?;
        }
        return Ok(());
    }
    let (Some(left), Some(right)) = (left, right) else { return Ok(()) };
    for (column, _) in table.shared.iter().zip(masks).filter(|(_, mask)| mask[pair]) {
        let left = text(&left[column.left.0], column.left.1, i as usize);
        let right = text(&right[column.right.0], column.right.1, j as usize);
        changes.add(key, &ChangeRow::cell(name, "changed", &column.name, left, right))?;
    }
    Ok(())
}

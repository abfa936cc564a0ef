//! All tallies of a comparison: every piece of the join is counted, explained and written out.

use anyhow::Result;

use super::causes::groups::{DecisionCauseGroups, ScoreCauseGroups};
use super::change_file::ChangeFile;
use super::filters::Filters;
use super::findings::{Example, Findings, SideCounts, TableChange};
use super::piece_changes::PieceChanges;
use super::read::cells::{FileColumn, KeyPart};
use super::read::join::{JoinPiece, LINE_KEY};
use super::read::pairs::{NONE, Pairs};
use super::read::runs::Layout;
use super::request::DiffRequest;
use super::tally::arms::ArmTally;
use super::tally::columns::{CellMasks, ColumnChange, TableColumn, TableTally, schema_changes};
use super::tally::decisions::DecisionTally;
use super::tally::movers::Movers;
use super::tally::scores::ScoreTally;
use crate::console::plain_path;
use crate::expr::Column;

/// What is counted of two sides.
pub struct Tallies<'a> {
    layouts: [&'a Layout; 2],
    filters: &'a Filters,
    limit: usize,
    /// Tables whose rows are those of the join.
    tables: Vec<TableTally>,
    /// The table of lines.
    lines_table: Option<TableTally>,
    /// Who is on which side.
    rows: SideCounts,
    /// Lines likewise.
    lines: SideCounts,
    /// Scores and distributions.
    pub scores: Option<ScoreTally>,
    /// What moved scores.
    pub score_causes: Option<ScoreCauseGroups>,
    /// Decisions and money.
    pub decisions: Option<DecisionTally>,
    /// What moved decisions.
    pub decision_causes: Option<DecisionCauseGroups>,
    /// Accounts and lines by arm.
    pub arms: Option<ArmTally>,
    /// Accounts by score.
    largest_scores: Movers,
    /// Lines by new limit.
    largest_limits: Movers,
    /// The first cells that changed; of files only.
    examples: Vec<Example>,
    /// Where changes are written.
    pub changes: Option<ChangeFile>,
}

impl<'a> Tallies<'a> {
    /// Counts nothing yet but who is on which side.
    pub fn new(layouts: [&'a Layout; 2], filters: &'a Filters, limit: usize) -> Tallies<'a> {
        Tallies {
            layouts,
            filters,
            limit,
            tables: Vec::new(),
            lines_table: None,
            rows: SideCounts::default(),
            lines: SideCounts::default(),
            scores: None,
            score_causes: None,
            decisions: None,
            decision_causes: None,
            arms: None,
            largest_scores: Movers::new(limit),
            largest_limits: Movers::new(limit),
            examples: Vec::new(),
            changes: None,
        }
    }

    /// Compares a file, which messages call `table`.
    pub fn compare_file(&mut self, table: &'static str) {
        let key = key_names(self.layouts[0]);
        let columns = self.layouts.map(|layout| self.compared(&key, &layout.columns, 0));
        self.tables.push(TableTally::new(table, columns, &self.filters.tolerances));
    }

    /// Compares a run's scores and features.
    pub fn compare_accounts(&mut self) {
        let key = key_names(self.layouts[0]);
        let scores = self.layouts.map(|layout| self.compared(&key, &layout.columns[..layout.scores], 0));
        let features =
            self.layouts.map(|layout| self.compared(&key, &layout.columns[layout.scores..], layout.scores));
        self.tables.push(TableTally::new("scores", scores, &self.filters.tolerances));
        self.tables.push(TableTally::new("features", features, &self.filters.tolerances));
    }

    /// Compares a run's decisions.
    pub fn compare_lines(&mut self) {
        let columns = self.layouts.map(|layout| self.compared(&LINE_KEY, &layout.lines, 0));
        self.lines_table = Some(TableTally::new("decisions", columns, &self.filters.tolerances));
    }

    /// The columns of a table that are compared; the first of all is the block's column number `first`.
    fn compared(&self, key: &[&str], columns: &[FileColumn], first: usize) -> Vec<TableColumn> {
        let mut compared = TableColumn::all_but(key, columns, first);
        compared.retain(|column| !self.filters.excluded.has(&column.name));
        compared
    }

    /// Counts a piece.
    pub fn add(&mut self, piece: &JoinPiece) -> Result<()> {
        match &self.filters.selection {
            None => self.count(piece),
            Some(selection) => {
                let chosen = selection.choose(piece);
                self.count(&piece.filter(&chosen.rows, &chosen.lines))
            }
        }
    }

    fn count(&mut self, piece: &JoinPiece) -> Result<()> {
        let columns = [piece.left, piece.right].map(|block| block.map(|block| &block.columns[..]));
        let lines = [piece.left, piece.right].map(|block| block.map(|block| &block.lines[..]));
        let Tallies { tables, lines_table, scores, score_causes, decisions, decision_causes, .. } = self;
        let mut masks: Vec<CellMasks> = Vec::new();
        let mut line_masks = None;
        let mut of_scores = None;
        let mut line_causes = Vec::new();
        // These tallies are independent of each other; only decisions have to be counted before their causes.
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
            line_masks = lines_table.as_mut().map(|table| changed_cells(table, lines, &piece.lines));
            masks = tables.iter_mut().map(|table| changed_cells(table, columns, &piece.rows)).collect();
        });
        if let Some(arms) = &mut self.arms {
            arms.add(piece);
        }
        self.count_sides(piece);
        self.find_movers(piece);
        if self.lines_table.is_none() && self.scores.is_none() {
            self.find_examples(piece, &masks);
        }
        let Some(changes) = &mut self.changes else { return Ok(()) };
        let lines = self.lines_table.as_ref().zip(line_masks.as_ref());
        PieceChanges {
            layouts: self.layouts,
            piece,
            tables: self.tables.iter().zip(&masks).collect(),
            lines,
            score_causes: self.score_causes.as_ref().zip(of_scores.as_ref()),
            line_causes: &line_causes,
        }
        .write(changes)
    }

    /// Counts who is on which side.
    fn count_sides(&mut self, piece: &JoinPiece) {
        let layouts = self.layouts;
        for (left, right) in piece.rows.iter() {
            self.rows.add(left != NONE, right != NONE, self.limit, || {
                key_texts(&piece.row_key(layouts, left, right))
            });
        }
        if self.decisions.is_some() {
            for (left, right) in piece.lines.iter() {
                self.lines.add(left != NONE, right != NONE, self.limit, || {
                    key_texts(&piece.line_key(layouts, left, right))
                });
            }
        }
    }

    fn find_movers(&mut self, piece: &JoinPiece) {
        let (Some(left), Some(right)) = (piece.left, piece.right) else { return };
        let layouts = self.layouts;
        let [a, b] = layouts;
        if self.scores.is_some()
            && let (Some(l), Some(r)) = (a.of_scores("score"), b.of_scores("score"))
        {
            for (i, j) in piece.rows.iter().filter(|(i, j)| *i != NONE && *j != NONE) {
                if let (Some(from), Some(to)) = (integer(&left.columns[l], i), integer(&right.columns[r], j))
                {
                    self.largest_scores.add(from, to, || key_texts(&piece.row_key(layouts, i, j)));
                }
            }
        }
        if self.decisions.is_some()
            && !self.filters.excluded.has("new_limit")
            && let (Some(l), Some(r)) = (a.of_lines("new_limit"), b.of_lines("new_limit"))
        {
            for (i, j) in piece.lines.iter().filter(|(i, j)| *i != NONE && *j != NONE) {
                if let (Some(from), Some(to)) = (integer(&left.lines[l], i), integer(&right.lines[r], j)) {
                    self.largest_limits.add(from, to, || key_texts(&piece.line_key(layouts, i, j)));
                }
            }
        }
    }

    fn find_examples(&mut self, piece: &JoinPiece, masks: &[CellMasks]) {
        let layouts = self.layouts;
        let (Some(left), Some(right)) = (piece.left, piece.right) else { return };
        for (pair, (i, j)) in piece.rows.iter().enumerate().filter(|(_, (i, j))| *i != NONE && *j != NONE) {
            for (table, masks) in self.tables.iter().zip(masks) {
                for (column, _) in table.shared.iter().zip(masks).filter(|(_, mask)| mask[pair]) {
                    if self.examples.len() == self.limit {
                        return;
                    }
                    self.examples.push(Example {
                        key: key_texts(&piece.row_key(layouts, i, j)),
                        column: column.name.clone(),
                        left: column.left.text(&left.columns, i as usize),
                        right: column.right.text(&right.columns, j as usize),
                    });
                }
            }
        }
    }

    /// The findings, with the file of changes, if there is one, ended.
    pub fn finish(self, request: &DiffRequest) -> Result<Findings> {
        let tables: Vec<&TableTally> = self.tables.iter().chain(&self.lines_table).collect();
        let mut schema = schema_changes(self.layouts[0], self.layouts[1]);
        schema.retain(|change| {
            tables.iter().any(|compared| compared.table == change.table)
                && !self.filters.excluded.has(&change.column)
        });
        let columns: Vec<ColumnChange> = tables.iter().flat_map(|table| table.changes()).collect();
        let changed = tables
            .iter()
            .map(|table| TableChange { table: table.table, rows_changed: table.rows_changed })
            .collect();
        let lines = self.decisions.as_ref().map(|_| self.lines);
        // Where only decisions are compared, accounts on one side only do not count: their lines do.
        let has_rows = !self.tables.is_empty();
        let same = schema.is_empty()
            && columns.iter().all(|column| column.changed == 0)
            && (self.rows.is_same() || !has_rows)
            && lines.as_ref().is_none_or(SideCounts::is_same);
        let (scores, features) = match self.scores.map(ScoreTally::finish) {
            Some((scores, features)) => (Some(scores), features),
            None => (None, Vec::new()),
        };
        if let Some(changes) = self.changes {
            changes.finish()?;
        }
        Ok(Findings {
            left: plain_path(&request.left),
            right: plain_path(&request.right),
            same,
            runs: None,
            provenance: None,
            selection: request.selection.clone(),
            tolerances: self.filters.tolerances.given().clone(),
            excluded: self.filters.excluded.given().to_vec(),
            schema,
            rows: self.rows,
            lines,
            tables: changed,
            columns,
            scores,
            features,
            score_causes: self.score_causes.map(ScoreCauseGroups::finish),
            decisions: self.decisions.map(DecisionTally::finish),
            decision_causes: self.decision_causes.map(DecisionCauseGroups::finish),
            arms: self.arms.map(ArmTally::finish).unwrap_or_default(),
            largest_scores: self.largest_scores.finish(),
            largest_limits: self.largest_limits.finish(),
            examples: self.examples,
            minor_units: 0,
            currency: None,
        })
    }
}

fn key_names(layout: &Layout) -> Vec<&str> {
    layout.key.iter().map(|slot| layout.columns[*slot].name.as_str()).collect()
}

fn key_texts(key: &[KeyPart]) -> Vec<String> {
    key.iter().map(|part| part.text().unwrap_or_default()).collect()
}

fn integer(column: &Column, row: u32) -> Option<i64> {
    match column {
        Column::Int(ints) => ints.get(row as usize).copied(),
        _ => None,
    }
}

fn changed_cells(table: &mut TableTally, columns: [Option<&[Column]>; 2], pairs: &Pairs) -> CellMasks {
    match columns {
        [Some(left), Some(right)] => table.add(left, right, pairs),
        _ => vec![vec![false; pairs.len()]; table.shared.len()],
    }
}

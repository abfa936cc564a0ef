//! Which rows count (`--where`).

use anyhow::Result;

use super::read::cells::{ColumnSlot, FileColumn, pick, readable};
use super::read::join::JoinPiece;
use super::read::pairs::{NONE, Pairs};
use super::read::runs::{Block, Layout};
use crate::expr::{Column, Expr, ExprError, Frame, Scope, Texts, Type};
use crate::failure::{Kind, failure};

/// Which side a column is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadFrom {
    /// The right one; the left one where only that has the row.
    Either,
    Left,
    Right,
}

impl ReadFrom {
    /// What names of such columns begin with.
    fn prefix(self) -> &'static str {
        match self {
            ReadFrom::Either => "",
            ReadFrom::Left => "left_",
            ReadFrom::Right => "right_",
        }
    }
}

/// A column that `--where` may name.
#[derive(Debug, Clone)]
struct WhereColumn {
    read_from: ReadFrom,
    /// Whether it is of a line rather than of its account.
    is_of_line: bool,
    left: Option<ColumnSlot>,
    right: Option<ColumnSlot>,
}

/// A condition on rows.
pub struct Selection {
    expr: Expr,
    /// By slot of the expression's scope.
    columns: Vec<WhereColumn>,
}

/// Which rows and lines of a piece are chosen.
pub struct Chosen {
    /// By pair of rows.
    pub rows: Vec<bool>,
    /// By pair of lines.
    pub lines: Vec<bool>,
}

impl Selection {
    /// Parses a condition over the columns of both sides: a name is the right side's value (the left
    /// side's where the row is only there), `left_…` and `right_…` are those of one side.
    pub fn parse(expr: &str, left: &Layout, right: &Layout) -> Result<Selection> {
        let mut known = WhereColumns::default();
        known.push_all(false, &left.columns, &right.columns);
        known.push_all(true, &left.lines, &right.lines);
        let expr = Expr::parse(expr, Type::Bool, &known.scope).map_err(|errors| mistakes(expr, &errors))?;
        Ok(Selection { expr, columns: known.columns })
    }

    /// The rows and lines for which it is true. A row is chosen for one of its lines where the condition
    /// reads what only lines have; else a line is chosen with its row.
    pub fn choose(&self, piece: &JoinPiece) -> Chosen {
        let of_lines = self.expr.columns.iter().any(|slot| self.columns[*slot].is_of_line);
        let mut chosen =
            Chosen { rows: vec![false; piece.rows.len()], lines: vec![false; piece.lines.len()] };
        if of_lines {
            let rows = piece.row_of_line.iter().map(|row| *row as usize);
            let of_account: Pairs = rows.map(|row| (piece.rows.left[row], piece.rows.right[row])).collect();
            chosen.lines = self.truths(piece, &of_account, &piece.lines);
            for (line, row) in piece.row_of_line.iter().enumerate() {
                chosen.rows[*row as usize] |= chosen.lines[line];
            }
        } else {
            chosen.rows = self.truths(piece, &piece.rows, &Pairs::default());
            chosen.lines = piece.row_of_line.iter().map(|row| chosen.rows[*row as usize]).collect();
        }
        chosen
    }

    fn truths(&self, piece: &JoinPiece, rows: &Pairs, lines: &Pairs) -> Vec<bool> {
        let mut columns: Vec<Option<Column>> = vec![None; self.columns.len()];
        for slot in &self.expr.columns {
            let column = &self.columns[*slot];
            let pairs = if column.is_of_line { lines } else { rows };
            columns[*slot] = Some(column.values(piece, pairs));
        }
        let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
        self.expr.truths(&Frame { rows: rows.len(), columns }).iter().collect()
    }
}

/// The columns of both sides, by the names that expressions use.
#[derive(Default)]
struct WhereColumns {
    scope: Scope,
    columns: Vec<WhereColumn>,
}

impl WhereColumns {
    /// Adds every column of two sides under its three names, except where the name is taken.
    fn push_all(&mut self, is_of_line: bool, left: &[FileColumn], right: &[FileColumn]) {
        for FileColumn { name, .. } in left.iter().chain(right) {
            if self.scope.find(name).is_some() {
                continue;
            }
            let (on_left, on_right) = (ColumnSlot::find(left, name), ColumnSlot::find(right, name));
            let [left_type, right_type] = [on_left, on_right].map(|slot| Some(slot?.shape.kind()));
            let names = [
                (ReadFrom::Either, right_type.or(left_type)),
                (ReadFrom::Left, left_type),
                (ReadFrom::Right, right_type),
            ];
            for (read_from, kind) in names {
                // Where the sides' types differ, only the right one's values are meant.
                let is_right_alone =
                    read_from == ReadFrom::Either && on_right.is_some() && left_type != right_type;
                self.scope.push(format!("{}{name}", read_from.prefix()), kind.unwrap_or(Type::Any));
                self.columns.push(WhereColumn {
                    read_from,
                    is_of_line,
                    left: if is_right_alone { None } else { on_left },
                    right: on_right,
                });
            }
        }
    }
}

impl WhereColumn {
    /// Its values by pair; all null where neither side has it.
    fn values(&self, piece: &JoinPiece, pairs: &Pairs) -> Column {
        let values = match self.read_from {
            ReadFrom::Left => self.of_left(piece, pairs),
            ReadFrom::Right => self.of_right(piece, pairs),
            ReadFrom::Either if !pairs.right.contains(&NONE) => {
                self.of_right(piece, pairs).or_else(|| self.of_left(piece, pairs))
            }
            ReadFrom::Either => match (self.of_left(piece, pairs), self.of_right(piece, pairs)) {
                (Some(left), Some(right)) => Some(either(&left, &right, pairs)),
                (left, right) => right.or(left),
            },
        };
        values.unwrap_or_else(|| Column::Int(vec![None; pairs.len()].into_iter().collect()))
    }

    fn of_left(&self, piece: &JoinPiece, pairs: &Pairs) -> Option<Column> {
        self.of_side(piece.left?, self.left?, &pairs.left)
    }

    fn of_right(&self, piece: &JoinPiece, pairs: &Pairs) -> Option<Column> {
        self.of_side(piece.right?, self.right?, &pairs.right)
    }

    fn of_side(&self, block: &Block, slot: ColumnSlot, rows: &[u32]) -> Option<Column> {
        let columns = if self.is_of_line { &block.lines } else { &block.columns };
        Some(readable(pick(&columns[slot.index], rows), slot.shape))
    }
}

/// The right value of each pair that has a right row, else the left one.
fn either(left: &Column, right: &Column, pairs: &Pairs) -> Column {
    let rows = pairs.right.iter().map(|row| *row == NONE).enumerate();
    match (left, right) {
        (Column::Int(a), Column::Int(b)) => Column::Int(
            rows.map(|(row, is_left)| if is_left { a.get(row) } else { b.get(row) }.copied()).collect(),
        ),
        (Column::Text(a), Column::Text(b)) => Column::Text(
            rows.map(|(row, is_left)| if is_left { a.get(row) } else { b.get(row) }).collect::<Texts>(),
        ),
        (Column::Bool(a), Column::Bool(b)) => {
            Column::Bool(rows.map(|(row, is_left)| if is_left { a[row] } else { b[row] }).collect())
        }
        _ => unreachable!("both are of one type"),
    }
}

fn mistakes(expr: &str, errors: &[ExprError]) -> anyhow::Error {
    let mistakes = errors.iter().map(|error| {
        let part = expr.get(error.range.clone()).unwrap_or(expr);
        let help = error.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        format!("`{part}`: {}{help}", error.message)
    });
    let mistakes = mistakes.collect::<Vec<_>>().join("; ");
    failure(Kind::Usage, format!("--where \"{expr}\": {mistakes}"))
}

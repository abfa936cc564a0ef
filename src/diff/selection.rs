//! Which rows count (`--where`) and how far values may lie apart (`--tolerance`).

use std::collections::BTreeMap;

use anyhow::Result;

use super::read::cells::{NONE, Pairs, Shape, pick, readable};
use super::read::join::JoinPiece;
use super::read::runs::{Block, Layout};
use crate::expr::{Column, Expr, Frame, Scope, Texts, Type};
use crate::failure::{Kind, failure};
use crate::suggest::{listing, near_miss};

/// Which side a name is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadFrom {
    /// The right one; the left one where only that has the row.
    Either,
    Left,
    Right,
}

/// A name that `--where` may use.
#[derive(Debug, Clone)]
struct WhereColumn {
    side: ReadFrom,
    /// Whether it is of a line rather than of its account.
    is_of_line: bool,
    left: Option<(usize, Shape)>,
    right: Option<(usize, Shape)>,
}

/// A condition on rows.
pub struct Selection {
    expr: Expr,
    names: Vec<WhereColumn>,
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
        let mut scope = Scope::default();
        let mut names = Vec::new();
        let levels = [(false, &left.columns, &right.columns), (true, &left.lines, &right.lines)];
        for (is_of_line, of_left, of_right) in levels {
            let (left, right) = (of_left, of_right);
            let find =
                |columns: &[(String, Shape)], name: &str| columns.iter().position(|(known, _)| known == name);
            for (name, _) in left.iter().chain(right.iter()) {
                if scope.find(name).is_some() {
                    continue;
                }
                let (l, r) = (find(left, name), find(right, name));
                let kind =
                    |side: &[(String, Shape)], slot: Option<usize>| slot.map(|slot| side[slot].1.kind());
                let (l_kind, r_kind) = (kind(left, l), kind(right, r));
                let sides = [
                    (ReadFrom::Either, r_kind.or(l_kind)),
                    (ReadFrom::Left, l_kind),
                    (ReadFrom::Right, r_kind),
                ];
                for (side, kind) in sides {
                    let prefix = match side {
                        ReadFrom::Either => "",
                        ReadFrom::Left => "left_",
                        ReadFrom::Right => "right_",
                    };
                    // Of two types, the right one's is meant.
                    let left =
                        if side == ReadFrom::Either && r.is_some() && l_kind != r_kind { None } else { l };
                    scope.push(format!("{prefix}{name}"), kind.unwrap_or(Type::Any));
                    let at =
                        |side: &[(String, Shape)], slot: Option<usize>| slot.map(|slot| (slot, side[slot].1));
                    names.push(WhereColumn {
                        side,
                        is_of_line,
                        left: at(of_left, left),
                        right: at(of_right, r),
                    });
                }
            }
        }
        let expr = Expr::parse(expr, Type::Bool, &scope).map_err(|errors| mistakes(expr, &errors))?;
        Ok(Selection { expr, names })
    }

    /// The rows and lines for which it is true. A row is chosen for one of its lines where the condition
    /// reads what only lines have; else a line is chosen with its row.
    pub fn choose(&self, piece: &JoinPiece) -> Chosen {
        let of_lines = self.expr.columns.iter().any(|slot| self.names[*slot].is_of_line);
        let mut chosen =
            Chosen { rows: vec![false; piece.rows.len()], lines: vec![false; piece.lines.len()] };
        if of_lines {
            let rows = |row: &u32| (piece.rows.left[*row as usize], piece.rows.right[*row as usize]);
            let of_account: Pairs = piece.row_of_line.iter().map(rows).collect();
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
        let mut columns: Vec<Option<Column>> = vec![None; self.names.len()];
        for slot in &self.expr.columns {
            let name = &self.names[*slot];
            let pairs = if name.is_of_line { lines } else { rows };
            columns[*slot] = Some(name.column(piece, pairs));
        }
        let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
        self.expr.truths(&Frame { rows: rows.len(), columns }).iter().collect()
    }
}

impl WhereColumn {
    fn column(&self, piece: &JoinPiece, pairs: &Pairs) -> Column {
        let of = |block: Option<&'_ Block>, at: Option<(usize, Shape)>, rows: &[u32]| -> Option<Column> {
            let (block, (slot, shape)) = (block?, at?);
            let columns = if self.is_of_line { &block.lines } else { &block.columns };
            Some(readable(pick(&columns[slot], rows), shape))
        };
        let left = || of(piece.left, self.left, &pairs.left);
        let right = || of(piece.right, self.right, &pairs.right);
        let column = match self.side {
            ReadFrom::Left => left(),
            ReadFrom::Right => right(),
            ReadFrom::Either if !pairs.right.contains(&NONE) => right().or_else(left),
            ReadFrom::Either => match (left(), right()) {
                (Some(left), Some(right)) => Some(either(&left, &right, pairs)),
                (left, right) => right.or(left),
            },
        };
        column.unwrap_or_else(|| Column::Int(vec![None; pairs.len()].into_iter().collect()))
    }
}

/// The right value of each pair that has a right row, else the left one.
fn either(left: &Column, right: &Column, pairs: &Pairs) -> Column {
    let is_left = |row: usize| pairs.right[row] == NONE;
    let rows = 0..pairs.len();
    match (left, right) {
        (Column::Int(a), Column::Int(b)) => {
            Column::Int(rows.map(|row| if is_left(row) { a.get(row) } else { b.get(row) }.copied()).collect())
        }
        (Column::Text(a), Column::Text(b)) => Column::Text(
            rows.map(|row| if is_left(row) { a.get(row) } else { b.get(row) }).collect::<Texts>(),
        ),
        (Column::Bool(a), Column::Bool(b)) => {
            Column::Bool(rows.map(|row| if is_left(row) { a[row] } else { b[row] }).collect())
        }
        _ => unreachable!("both are of one type"),
    }
}

fn mistakes(expr: &str, errors: &[crate::expr::ExprError]) -> anyhow::Error {
    let told = errors.iter().map(|error| {
        let part = expr.get(error.range.clone()).unwrap_or(expr);
        let help = error.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        format!("`{part}`: {}{help}", error.message)
    });
    failure(Kind::Usage, format!("--where \"{expr}\": {}", told.collect::<Vec<_>>().join("; ")))
}

/// By column: how far values may lie apart and still count as the same.
#[derive(Debug, Clone, Default)]
pub struct Tolerances {
    by_column: BTreeMap<String, u64>,
}

impl Tolerances {
    /// Checks `column=units` against the columns of both sides.
    pub fn parse(given: &[String], left: &Layout, right: &Layout) -> Result<Tolerances> {
        let wrong = |message: String| Err(failure(Kind::Usage, message));
        let columns =
            || [left, right].into_iter().flat_map(|layout| layout.columns.iter().chain(&layout.lines));
        let mut by_column = BTreeMap::new();
        for given in given {
            let units = given
                .split_once('=')
                .and_then(|(name, units)| Some((name, units.replace('_', "").parse().ok()?)));
            let Some((name, units)) = units else {
                return wrong(format!(
                    "--tolerance {given}: write column=units, units an integer, 0 or more"
                ));
            };
            match columns().find(|(known, _)| known == name) {
                Some((_, shape)) if shape.is_number() => drop(by_column.insert(name.to_string(), units)),
                Some(_) => return wrong(format!("--tolerance {given}: {name} holds no numbers")),
                None => {
                    let names = columns().map(|(known, _)| known.as_str());
                    let help = match near_miss(name, names.clone()) {
                        Some(near) => format!("did you mean {near}?"),
                        None => format!("there are {}", listing(names)),
                    };
                    return wrong(format!("--tolerance {given}: there is no column {name}: {help}"));
                }
            }
        }
        Ok(Tolerances { by_column })
    }

    /// Of a column; 0 unless said otherwise.
    pub fn of(&self, column: &str) -> u64 {
        self.by_column.get(column).copied().unwrap_or(0)
    }

    /// What was said.
    pub fn given(&self) -> &BTreeMap<String, u64> {
        &self.by_column
    }
}

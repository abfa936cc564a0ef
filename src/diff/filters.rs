//! What counts in a comparison: which rows, which columns, and how far their values may lie apart.

use std::collections::BTreeMap;

use anyhow::Result;

use super::read::cells::FileColumn;
use super::read::join::LINE_KEY;
use super::read::runs::Layout;
use super::request::DiffRequest;
use super::selection::Selection;
use crate::failure::{Kind, failure};
use crate::suggest::{listing, near_miss};

/// What counts.
#[derive(Default)]
pub struct Filters {
    /// Which rows, if not all.
    pub selection: Option<Selection>,
    /// How far values may lie apart.
    pub tolerances: Tolerances,
    /// The columns that do not count.
    pub excluded: Exclusions,
}

impl Filters {
    /// Those of a request, checked against what both sides hold.
    pub fn new(request: &DiffRequest, left: &Layout, right: &Layout) -> Result<Filters> {
        let selection = request.selection.as_ref();
        Ok(Filters {
            selection: selection.map(|expr| Selection::parse(expr, left, right)).transpose()?,
            tolerances: Tolerances::parse(&request.tolerances, left, right)?,
            excluded: Exclusions::parse(&request.excluded, left, right)?,
        })
    }
}

fn all_columns<'a>(left: &'a Layout, right: &'a Layout) -> Vec<&'a FileColumn> {
    [left, right].into_iter().flat_map(|layout| layout.columns.iter().chain(&layout.lines)).collect()
}

/// By column: how far values may lie apart and still count as the same.
#[derive(Debug, Clone, Default)]
pub struct Tolerances {
    by_column: BTreeMap<String, u64>,
}

impl Tolerances {
    /// Checks `column=units` against the columns of both sides.
    fn parse(given: &[String], left: &Layout, right: &Layout) -> Result<Tolerances> {
        let columns = all_columns(left, right);
        let mut by_column = BTreeMap::new();
        for text in given {
            let (name, units) = parse_tolerance(text, &columns)
                .map_err(|what| failure(Kind::Usage, format!("--tolerance {text}: {what}")))?;
            by_column.insert(name, units);
        }
        Ok(Tolerances { by_column })
    }

    /// Of a column; 0 unless one was given.
    pub fn of(&self, column: &str) -> u64 {
        self.by_column.get(column).copied().unwrap_or(0)
    }

    /// Those that were given, by column.
    pub fn given(&self) -> &BTreeMap<String, u64> {
        &self.by_column
    }
}

/// The column and the units of `column=units`; `Err` says what is wrong with it.
fn parse_tolerance(text: &str, columns: &[&FileColumn]) -> Result<(String, u64), String> {
    let parts =
        text.split_once('=').and_then(|(name, units)| Some((name, units.replace('_', "").parse().ok()?)));
    let Some((name, units)) = parts else {
        return Err("write column=units, units an integer, 0 or more".to_string());
    };
    match columns.iter().find(|column| column.name == name) {
        Some(column) if column.shape.is_number() => Ok((name.to_string(), units)),
        Some(_) => Err(format!("{name} holds no numbers")),
        None => Err(no_column(name, columns)),
    }
}

fn no_column(name: &str, columns: &[&FileColumn]) -> String {
    let names = columns.iter().map(|column| column.name.as_str());
    let help = match near_miss(name, names.clone()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", listing(names)),
    };
    format!("there is no column {name}: {help}")
}

/// The columns that are left out of the comparison.
#[derive(Debug, Clone, Default)]
pub struct Exclusions {
    names: Vec<String>,
}

impl Exclusions {
    /// Checks the names against the columns of both sides, of which some are the key.
    fn parse(given: &[String], left: &Layout, right: &Layout) -> Result<Exclusions> {
        let columns = all_columns(left, right);
        let of_line = if left.lines.is_empty() { &[][..] } else { &LINE_KEY[..] };
        let key =
            left.key.iter().map(|slot| left.columns[*slot].name.as_str()).chain(of_line.iter().copied());
        for name in given {
            let mistake = if key.clone().any(|key| key == name) {
                Some(format!("{name} is the key, or a part of it: rows are matched by it"))
            } else if columns.iter().all(|column| column.name != *name) {
                Some(no_column(name, &columns))
            } else {
                None
            };
            if let Some(mistake) = mistake {
                return Err(failure(Kind::Usage, format!("--exclude {name}: {mistake}")));
            }
        }
        Ok(Exclusions { names: given.to_vec() })
    }

    /// Whether a column is left out.
    pub fn has(&self, column: &str) -> bool {
        self.names.iter().any(|name| name == column)
    }

    /// Those that were given.
    pub fn given(&self) -> &[String] {
        &self.names
    }
}

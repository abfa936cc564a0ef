//! The model's spine: row by row, the night of its day for its account alone.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use arrow_schema::DataType;

use super::bills::Bills;
use super::book::Book;
use super::case::Case;
use super::features::features_of;
use super::intake::{Intake, take_in};
use super::night::{features_table, scores_table};
use super::scoring::scored;
use super::value::Value;
use crate::support::{Cell, Table};

/// An account on a day; no known-on date stands for the day itself.
#[derive(Debug, Clone)]
pub struct AskedRow {
    pub account: Value,
    pub as_of: Option<i32>,
    pub known_on: Option<i32>,
}

/// What the night of a day has to say of any account, or why it says nothing.
type Known = Result<(Case, Intake, Book, Bills), &'static str>;

/// The columns that are added to a spine, with scores; an error is why the whole must end with exit 3.
pub fn answered(case: &Case, rows: &[AskedRow]) -> Result<Table, String> {
    let of_nobody = BTreeMap::new();
    let tables = [features_table(case, &of_nobody), scores_table(case, &of_nobody)];
    let mut columns = vec![("left_out".to_string(), DataType::Utf8)];
    columns.extend(tables.into_iter().flat_map(|table| table.columns.into_iter().skip(1)));
    let mut nights: BTreeMap<(i32, i32), Known> = BTreeMap::new();
    let mut table = Table { columns, rows: Vec::new() };
    for row in rows {
        let cells = match row_cells(case, row, &mut nights)? {
            Ok(cells) => std::iter::once(Cell::Null).chain(cells).collect(),
            Err(why) => {
                let nothing = std::iter::repeat_n(Cell::Null, table.columns.len() - 1);
                std::iter::once(Cell::from(why)).chain(nothing).collect()
            }
        };
        table.rows.push(cells);
    }
    Ok(table)
}

fn row_cells(
    case: &Case,
    row: &AskedRow,
    nights: &mut BTreeMap<(i32, i32), Known>,
) -> Result<Result<Vec<Cell>, &'static str>, String> {
    if row.account.is_blank() {
        return Ok(Err("missing_account"));
    }
    let Some(as_of) = row.as_of else { return Ok(Err("missing_date")) };
    let known_on = row.known_on.unwrap_or(as_of);
    if known_on < as_of {
        return Err("known before its day".into());
    }
    let night = match nights.entry((as_of, known_on)) {
        Entry::Occupied(night) => night.into_mut(),
        Entry::Vacant(place) => place.insert(known(case, as_of, known_on)?),
    };
    let (case, intake, book, bills) = match night {
        Ok(known) => known,
        Err(why) => return Ok(Err(why)),
    };
    if book.of_account(&row.account).is_empty() {
        return Ok(Err("no_line"));
    }
    let features = features_of(case, intake, bills, book, &row.account)?;
    let scores = BTreeMap::from([(row.account.clone(), scored(case, &row.account, &features))]);
    let tables = [features_table(case, &scores), scores_table(case, &scores)];
    Ok(Ok(tables.into_iter().flat_map(|mut table| table.rows.remove(0).into_iter().skip(1)).collect()))
}

fn known(case: &Case, as_of: i32, known_on: i32) -> Result<Known, String> {
    let case = Case { as_of, known_on, chain_from: None, previous: None, ..case.clone() };
    let intake = match take_in(&case) {
        Ok(intake) => intake,
        Err(why) if why.ends_with("of the day") => return Ok(Err("not_delivered")),
        Err(why) if why == "no lines" || why == "lines are too old" => return Ok(Err("no_snapshot")),
        Err(why) if why == "no accepted line" => return Ok(Err("no_line")),
        Err(why) => return Err(why),
    };
    let book = Book::of(&case, &intake);
    let bills = Bills::of(&case, &intake);
    Ok(Ok((case, intake, book, bills)))
}

//! What expressions see of lines: columns made on demand for a run of neighbouring lines.

use std::ops::Range;
use std::sync::Arc;

use super::lines::{Lines, Status};
use crate::day::Day;
use crate::expr::column::{FALSE, TRUE};
use crate::expr::{Column, Ints, Texts};
use crate::job::{LINE_COLUMNS, LINE_HISTORY, LINE_STATE, line_slots};

/// The columns at positions `needed` of the lines scope or the facts scope, for lines in `range`. The
/// two scopes begin alike; positions after the lines' own are left out.
pub fn line_columns(
    lines: &Lines,
    as_of: Day,
    range: Range<usize>,
    needed: &[usize],
    len: usize,
) -> Vec<Option<Column>> {
    let mut columns = vec![None; len];
    for slot in needed.iter().copied() {
        columns[slot] = line_column(lines, as_of, range.clone(), slot);
    }
    columns
}

/// How many columns the facts scope takes from the line itself.
pub fn own_columns(lines: &Lines) -> usize {
    extra_end(lines) + LINE_STATE.len() + LINE_HISTORY.len()
}

/// Where the input's columns end.
fn extra_end(lines: &Lines) -> usize {
    lines.columns.len() - LINE_STATE.len()
}

fn line_column(lines: &Lines, as_of: Day, range: Range<usize>, slot: usize) -> Option<Column> {
    let ints = |values: &[i64]| Column::Int(Ints::all(values[range.clone()].to_vec()));
    let dates = |dates: &[Option<Day>]| {
        let days = dates[range.clone()].iter().map(|date| date.map(|day| i64::from(day.0)));
        Column::Int(days.collect())
    };
    let since = |dates: &[Option<Day>]| {
        Column::Int(dates[range.clone()].iter().map(|date| date.map(|day| as_of.since(day))).collect())
    };
    let extra_end = extra_end(lines);
    let column = match slot {
        1 => Column::Text(lines.product.slice(range)),
        2 => ints(&lines.limit),
        3 => ints(&lines.balance),
        4 => status_column(&lines.status[range]),
        5 => Column::Int(Ints::all(lines.opened_on[range].iter().map(|day| i64::from(day.0)).collect())),
        6 => dates(&lines.increased_on),
        7 => dates(&lines.decreased_on),
        line_slots::STATUS_SINCE => dates(&lines.status_since),
        line_slots::STATUS_REASON => Column::Text(lines.status_reason.slice(range)),
        slot if slot == 0 || (LINE_COLUMNS.len()..extra_end).contains(&slot) => {
            lines.columns[slot].as_ref().expect("read as needed").slice(range)
        }
        slot => match slot - extra_end {
            0 => Column::Int(Ints::all(lines.opened_on[range].iter().map(|day| as_of.since(*day)).collect())),
            1 => {
                let pending = lines.pending[range].iter();
                Column::Bool(pending.map(|pending| if pending.is_some() { TRUE } else { FALSE }).collect())
            }
            2 => {
                let limit = lines.pending[range].iter().map(|pending| pending.map(|pending| pending.limit));
                Column::Int(limit.collect())
            }
            3 => since(&lines.increased_on),
            4 => since(&lines.decreased_on),
            5 => since(&lines.status_since),
            _ => return None,
        },
    };
    Some(column)
}

fn status_column(statuses: &[Status]) -> Column {
    let names = [Status::Active, Status::Suspended, Status::Closed].map(|status| Arc::from(status.name()));
    let codes = statuses.iter().map(|status| *status as u32).collect();
    Column::Text(Texts { codes, dictionary: Arc::new(names.to_vec()) })
}

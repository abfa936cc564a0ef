//! Adjustments of earlier runs, laid over the lines so that nothing is decided twice.

use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::accounts::{STRANGER, id_text};
use super::binding::{Decoded, Presence, Role, Units, Wanted};
use super::file::OpenFile;
use super::lines::{Lines, Pending, Status};
use crate::console::Progress;
use crate::day::Day;
use crate::expr::column::{Dictionary, NULL_CODE};
use crate::expr::{Column, Type};
use crate::failure::{in_order, input};
use crate::job::{Action, InputSpec, input_names};

/// One adjustment of one line.
#[derive(Debug)]
struct Adjustment {
    line: Line,
    issued: Day,
    limit: i64,
    status: Status,
    effective_on: Day,
    is_withdraw: bool,
    reason: Option<Arc<str>>,
}

/// The line it is for: one of the book's by position, or another by name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    Known(usize),
    Unknown(String, String),
}

/// Lays the adjustments over the lines; returns `issued_unknown`. Files must be of runs before `as_of`, no
/// run's in more than one place.
pub fn overlay(
    places: &[(InputSpec, Vec<OpenFile>)],
    as_of: Day,
    units: &Units,
    lines: &mut Lines,
    progress: &Progress,
) -> Result<u64> {
    let files: Vec<(&InputSpec, &OpenFile)> =
        places.iter().flat_map(|(spec, files)| files.iter().map(move |file| (spec, file))).collect();
    progress.read(input_names::ISSUED, files.len(), files.iter().map(|(_, file)| file.rows()).sum());
    let read = files.into_par_iter().map(|(spec, file)| {
        let adjustments = read_file(spec, file, units, lines)?;
        progress.advance(file.rows());
        Ok(adjustments)
    });
    let read: Vec<Vec<Adjustment>> = in_order(read)?;
    let mut adjustments: Vec<Adjustment> = read.into_iter().flatten().collect();
    adjustments.par_sort_by(|a, b| a.line.cmp(&b.line).then(a.issued.cmp(&b.issued)));
    let mut unknown = 0;
    let mut reasons = Dictionary::of(&lines.status_reason);
    for of_line in adjustments.chunk_by(|a, b| a.line == b.line) {
        let standing = standing(of_line, lines.snapshot);
        match &of_line[0].line {
            Line::Known(line) => {
                standing.into_iter().for_each(|a| apply(lines, *line, a, as_of, &mut reasons));
            }
            Line::Unknown(..) => unknown += standing.len() as u64,
        }
    }
    lines.status_reason.dictionary = reasons.into_names();
    Ok(unknown)
}

/// The adjustments of one line, in order of issue, that are neither void nor in the snapshot.
fn standing(adjustments: &[Adjustment], snapshot: Option<Day>) -> Vec<&Adjustment> {
    let is_void = |adjustment: &Adjustment| {
        let later = adjustments.iter().filter(|other| other.issued > adjustment.issued);
        later.into_iter().any(|other| other.effective_on <= adjustment.effective_on)
    };
    let in_snapshot = |adjustment: &Adjustment| {
        snapshot.is_some_and(|day| adjustment.issued < day && adjustment.effective_on <= day)
    };
    adjustments.iter().filter(|adjustment| !is_void(adjustment) && !in_snapshot(adjustment)).collect()
}

fn apply(lines: &mut Lines, line: usize, adjustment: &Adjustment, as_of: Day, reasons: &mut Dictionary) {
    let Adjustment { limit, status, effective_on, .. } = *adjustment;
    // It has made void what it withdrew, and that is all.
    if adjustment.is_withdraw {
        return;
    }
    if effective_on > as_of {
        lines.pending[line] = Some(Pending { limit, status, on: effective_on });
        return;
    }
    if limit > lines.limit[line] {
        lines.increased_on[line] = Some(effective_on);
    }
    if limit < lines.limit[line] {
        lines.decreased_on[line] = Some(effective_on);
    }
    if status != lines.status[line] {
        lines.status_since[line] = Some(effective_on);
        lines.status_reason.codes[line] =
            adjustment.reason.as_ref().map_or(NULL_CODE, |reason| reasons.code(reason));
    }
    lines.limit[line] = limit;
    lines.status[line] = status;
}

/// The columns to read; ids are of the book's type.
pub fn wanted(account_kind: Type) -> Vec<Wanted> {
    // Runs have always written both; where others laid them out, nothing of them is a withdraw.
    let optional = |name| Wanted { presence: Presence::Optional, ..Wanted::new(name, Role::Text) };
    vec![
        Wanted::new("account_id", Role::Id).of(account_kind),
        Wanted::new("product", Role::Text),
        optional("action"),
        optional("reason"),
        Wanted::new("new_limit", Role::Money),
        Wanted::new("new_status", Role::Text),
        Wanted::new("effective_on", Role::Date),
    ]
}

fn read_file(spec: &InputSpec, file: &OpenFile, units: &Units, lines: &Lines) -> Result<Vec<Adjustment>> {
    let issued = file.delivery.expect("`issued` is dated");
    let binding = file.bind(spec, &wanted(lines.accounts.ids.kind()), units)?;
    let mut adjustments = Vec::new();
    for group in 0..file.row_groups.len() {
        file.read(&binding, group, |Decoded { columns, fractional }| {
            let positions = lines.accounts.positions(&columns[0]);
            for (row, position) in positions.into_iter().enumerate() {
                let is_whole = !fractional.contains(&(row as u32));
                let adjustment = adjustment(&columns, row, position, issued, lines).filter(|_| is_whole);
                let adjustment = adjustment.ok_or_else(|| {
                    let (path, row) = (file.file.path.display(), adjustments.len());
                    input(format!(
                        "read issued of {issued} ({path}): row {row} has nulls, an unknown action or status or a \
                         new_limit that is no whole number of minor units"
                    ))
                })?;
                adjustments.push(adjustment);
            }
            Ok(())
        })?;
    }
    Ok(adjustments)
}

fn adjustment(
    columns: &[Column],
    row: usize,
    position: u32,
    issued: Day,
    lines: &Lines,
) -> Option<Adjustment> {
    #[rustfmt::skip]
    let [
        account, Column::Text(product), Column::Text(action), Column::Text(reason),
        Column::Int(limit), Column::Text(status), Column::Int(effective_on),
    ] = columns
    else {
        unreachable!("read as wanted")
    };
    let product = product.get(row)?;
    let line = match find_line(lines, position, product) {
        Some(line) => Line::Known(line),
        None => Line::Unknown(id_text(account, row)?, product.to_string()),
    };
    Some(Adjustment {
        line,
        issued,
        is_withdraw: match action.get(row).map(Action::parse) {
            Some(known) => known? == Action::Withdraw,
            None => false,
        },
        reason: reason.shared(row),
        limit: *limit.get(row)?,
        status: Status::parse(status.get(row)?)?,
        effective_on: Day(*effective_on.get(row)? as i32),
    })
}

fn find_line(lines: &Lines, position: u32, product: &str) -> Option<usize> {
    if position == STRANGER {
        return None;
    }
    let first = lines.account.partition_point(|account| *account < position);
    let own = lines.account[first..].iter().take_while(|account| **account == position).count();
    (first..first + own).find(|line| lines.product.get(*line) == Some(product))
}

//! Adjustments of earlier runs, laid over the lines so that nothing is decided twice.

use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::accounts::{Accounts, OFF_BOOK, id_text};
use super::binding::Decoded;
use super::file::OpenFile;
use super::issued_reach::first_that_bears;
use super::lines::{Lines, Pending, Status};
use super::wanted::{Presence, Role, Units, Wanted};
use crate::console::Progress;
use crate::day::Day;
use crate::expr::column::{Dictionary, NULL_CODE};
use crate::expr::{Column, Type};
use crate::failure::{in_order, input};
use crate::job::{Action, InputSpec, input_names};

/// One adjustment of one line; `L` says which.
#[derive(Debug)]
struct Adjustment<L> {
    line: L,
    issued: Day,
    limit: i64,
    status: Status,
    effective_on: Day,
    is_withdraw: bool,
    reason: Option<Arc<str>>,
}

/// The line it is for: one of the book's by position, or another by name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum IssuedLine {
    Known(usize),
    Unknown(String, String),
}

/// Where the files of earlier runs lie, no run's in more than one place.
pub type IssuedFiles = [(InputSpec, Vec<OpenFile>)];

/// The adjustments of some accounts, to be laid over their lines as on any day.
pub struct IssuedHistory {
    /// By account, among those that were asked for, product and run.
    adjustments: Vec<Adjustment<(u32, Arc<str>)>>,
}

impl IssuedHistory {
    /// Reads those of some accounts.
    pub fn read(
        earlier: &IssuedFiles,
        units: &Units,
        accounts: &Accounts,
        progress: &Progress,
    ) -> Result<IssuedHistory> {
        let earliest = Some(Day(i32::MIN));
        let adjustments = read_all(earlier, earliest, units, accounts, progress, &|row: &IssuedRow| {
            (row.position != OFF_BOOK).then(|| (row.position, row.product.clone()))
        })?;
        Ok(IssuedHistory { adjustments })
    }

    /// Lays those that count on a day over lines; `positions` are those of the
    /// lines' accounts among those that were asked for.
    pub fn lay_over(&self, as_of: Day, lines: &mut Lines, positions: &[u32]) {
        let mut reasons = Dictionary::of(&lines.status_reason);
        for line in 0..lines.account.len() {
            let key = (positions[lines.account[line] as usize], lines.product.get(line).unwrap_or_default());
            let first = self.adjustments.partition_point(|a| (a.line.0, &*a.line.1) < key);
            let from_first = &self.adjustments[first..];
            let before = from_first.partition_point(|a| ((a.line.0, &*a.line.1), a.issued) < (key, as_of));
            let effective = effective(&from_first[..before], lines.snapshot);
            effective.into_iter().for_each(|a| apply(lines, line, a, as_of, &mut reasons));
        }
        lines.status_reason.dictionary = reasons.into_names();
    }
}

/// Lays the adjustments over the lines; returns `issued_unknown`. Files must be of runs before `as_of`, no
/// run's in more than one place.
pub fn overlay(
    earlier: &IssuedFiles,
    as_of: Day,
    units: &Units,
    lines: &mut Lines,
    progress: &Progress,
) -> Result<u64> {
    let files = earlier.iter().flat_map(|(_, files)| files);
    let first = first_that_bears(files, lines.snapshot);
    let adjustments =
        read_all(earlier, first, units, &lines.accounts, progress, &|row: &IssuedRow| match find_line(
            lines,
            row.position,
            row.product,
        ) {
            Some(line) => Some(IssuedLine::Known(line)),
            None if !lines.accounts.range.holds(row.account, row.row) => None,
            None => Some(IssuedLine::Unknown(id_text(row.account, row.row)?, row.product.to_string())),
        })?;
    let mut unknown = 0;
    let mut reasons = Dictionary::of(&lines.status_reason);
    for of_line in adjustments.chunk_by(|a, b| a.line == b.line) {
        let effective = effective(of_line, lines.snapshot);
        match &of_line[0].line {
            IssuedLine::Known(line) => {
                effective.into_iter().for_each(|a| apply(lines, *line, a, as_of, &mut reasons));
            }
            IssuedLine::Unknown(..) => unknown += effective.len() as u64,
        }
    }
    lines.status_reason.dictionary = reasons.into_names();
    Ok(unknown)
}

/// The adjustments of one line, in order of issue, that are neither void nor in the snapshot.
fn effective<L>(adjustments: &[Adjustment<L>], snapshot: Option<Day>) -> Vec<&Adjustment<L>> {
    let in_effect = adjustments.iter().filter(|adjustment| {
        !adjustment.is_void(adjustments) && !snapshot.is_some_and(|day| adjustment.is_in_snapshot(day))
    });
    in_effect.collect()
}

impl<L> Adjustment<L> {
    /// Whether one of a later run, among all of the line, takes effect no later.
    fn is_void(&self, of_line: &[Adjustment<L>]) -> bool {
        of_line.iter().any(|other| other.issued > self.issued && other.effective_on <= self.effective_on)
    }

    /// Whether a snapshot of a day shows it already.
    fn is_in_snapshot(&self, day: Day) -> bool {
        self.issued < day && self.effective_on <= day
    }
}

fn apply<L>(
    lines: &mut Lines,
    line: usize,
    adjustment: &Adjustment<L>,
    as_of: Day,
    reasons: &mut Dictionary,
) {
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
    vec![
        Wanted::new("account_id", Role::Id).of(account_kind),
        Wanted::new("product", Role::Text),
        // Runs have always written both; where others laid them out, nothing of them is a withdraw.
        Wanted { presence: Presence::Optional, ..Wanted::new("action", Role::Text) },
        Wanted { presence: Presence::Optional, ..Wanted::new("reason", Role::Text) },
        Wanted::new("new_limit", Role::Money),
        Wanted::new("new_status", Role::Text),
        Wanted::new("effective_on", Role::Date),
    ]
}

/// A row of a file, whose line is to be found.
struct IssuedRow<'a> {
    account: &'a Column,
    row: usize,
    /// Of the account among those that are known.
    position: u32,
    product: &'a Arc<str>,
}

/// What `line` makes of a row: `None` where the row is to be left out or cannot be read.
type LineOf<'a, L> = dyn Fn(&IssuedRow) -> Option<L> + Sync + 'a;

/// The adjustments of all runs from an as-of date on (`None`: of none) by line and run. `accounts` are those that `line`
/// gets the positions of.
fn read_all<L: Ord + Send>(
    earlier: &IssuedFiles,
    first: Option<Day>,
    units: &Units,
    accounts: &Accounts,
    progress: &Progress,
    line: &LineOf<L>,
) -> Result<Vec<Adjustment<L>>> {
    let files = earlier.iter().flat_map(|(spec, files)| files.iter().map(move |file| (spec, file)));
    let files: Vec<(&InputSpec, &OpenFile)> =
        files.filter(|(_, file)| first.is_some_and(|first| file.delivery >= Some(first))).collect();
    progress.read(input_names::ISSUED, files.len(), files.iter().map(|(_, file)| file.rows()).sum());
    let read = files.into_par_iter().map(|(spec, file)| {
        let adjustments = read_file(spec, file, units, accounts, line)?;
        progress.advance(file.rows());
        Ok(adjustments)
    });
    let read: Vec<Vec<Adjustment<L>>> = in_order(read)?;
    let mut adjustments: Vec<Adjustment<L>> = read.into_iter().flatten().collect();
    adjustments.par_sort_by(|a, b| a.line.cmp(&b.line).then(a.issued.cmp(&b.issued)));
    Ok(adjustments)
}

fn read_file<L>(
    spec: &InputSpec,
    file: &OpenFile,
    units: &Units,
    accounts: &Accounts,
    line: &LineOf<L>,
) -> Result<Vec<Adjustment<L>>> {
    let issued = file.delivery.expect("`issued` is dated");
    let binding = file.bind(spec, &wanted(accounts.ids.kind()), units)?;
    let (mut adjustments, mut number) = (Vec::new(), 0);
    for group in 0..file.row_groups.len() {
        file.read(&binding, group, |Decoded { columns, fractional }| {
            let positions = accounts.positions(&columns[0]);
            for (row, position) in positions.into_iter().enumerate() {
                let is_whole = !fractional.contains(&(row as u32));
                let adjustment = adjustment(&columns, row, position, issued, line).filter(|_| is_whole);
                let adjustment = adjustment.ok_or_else(|| {
                    let path = file.file.path.display();
                    input(format!(
                        "read issued of {issued} ({path}): row {number} has nulls, an unknown action or status or \
                         a new_limit that is no whole number of minor units"
                    ))
                })?;
                adjustments.extend(adjustment);
                number += 1;
            }
            Ok(())
        })?;
    }
    Ok(adjustments)
}

/// The adjustment of a row, if its line is wanted; `None` where the row is not what it must be.
fn adjustment<L>(
    columns: &[Column],
    row: usize,
    position: u32,
    issued: Day,
    line: &LineOf<L>,
) -> Option<Option<Adjustment<L>>> {
    #[rustfmt::skip]
    let [
        account, Column::Text(product), Column::Text(action), Column::Text(reason),
        Column::Int(limit), Column::Text(status), Column::Int(effective_on),
    ] = columns
    else {
        unreachable!("read as wanted")
    };
    let product = product.shared(row)?;
    if !account.is_valid(row) {
        return None;
    }
    let is_withdraw = match action.get(row).map(Action::parse) {
        Some(known) => known? == Action::Withdraw,
        None => false,
    };
    let (limit, status) = (*limit.get(row)?, Status::parse(status.get(row)?)?);
    let effective_on = Day(*effective_on.get(row)? as i32);
    let line = line(&IssuedRow { account, row, position, product: &product });
    let reason = reason.shared(row);
    Some(line.map(|line| Adjustment { line, issued, limit, status, effective_on, is_withdraw, reason }))
}

fn find_line(lines: &Lines, position: u32, product: &str) -> Option<usize> {
    if position == OFF_BOOK {
        return None;
    }
    let first = lines.account.partition_point(|account| *account < position);
    let own = lines.account[first..].iter().take_while(|account| **account == position).count();
    (first..first + own).find(|line| lines.product.get(*line) == Some(product))
}

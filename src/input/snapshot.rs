//! Reads the snapshot of the book that a run starts from: checked, sorted, one row a line.

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Mutex;

use anyhow::Result;
use rayon::prelude::*;

use super::account_range::AccountRange;
use super::accounts::{Accounts, OFF_BOOK, compare_ids, distinct_ids, id_text};
use super::catalog::{Catalog, Delivery};
use super::file::OpenFile;
use super::group_range::may_hold;
use super::judge::{self, Verdicts};
use super::lines::{Lines, Status};
use super::reason::RejectReason;
use super::reject_log::{RejectLog, RejectedRow, RejectedRows};
use super::stream::{ReadTally, WAVE_ROWS, fetch_ahead, waves};
use super::unique::{DeliveryKeys, Keys, Seen};
use super::wanted::{Presence, Role, Units, Wanted};
use crate::console::{Progress, plain_path};
use crate::day::Day;
use crate::expr::column::concat;
use crate::expr::{Column, Ints, Scope};
use crate::failure::{in_order, input};
use crate::job::line_slots::{
    ACCOUNT, BALANCE, CREDIT_LIMIT, DECREASED_ON, INCREASED_ON, OPENED_ON, PRODUCT, STATUS, STATUS_REASON,
    STATUS_SINCE,
};
use crate::job::{InputSpec, LINE_COLUMNS, OPTIONAL_LINE_COLUMNS};
use crate::signal;

/// The deliveries to read: the latest not after `as_of`, and before it those in which a repeat may
/// have been seen.
pub fn snapshot_of(catalog: &Catalog, as_of: Day, max_age_days: u32) -> Result<(Option<Day>, Vec<Delivery>)> {
    if !catalog.spec.is_dated() {
        if catalog.deliveries.is_empty() {
            let pattern = plain_path(Path::new(&catalog.spec.pattern));
            return Err(input(format!("find lines: no file matches {pattern}")));
        }
        return Ok((None, catalog.deliveries.clone()));
    }
    let latest = catalog.deliveries.iter().filter_map(|delivery| delivery.date).rfind(|date| *date <= as_of);
    let Some(latest) = latest else {
        return Err(input(format!(
            "find lines: no snapshot of {as_of} or before matches {}; deliver one and run again",
            plain_path(Path::new(&catalog.spec.pattern))
        )));
    };
    let age = as_of.since(latest);
    if age > i64::from(max_age_days) {
        return Err(input(format!(
            "find lines: the latest snapshot is of {latest}, {age} days before {as_of}, and \
             lines_max_age_days is {max_age_days}: deliver a newer one, or allow it"
        )));
    }
    let within = catalog.spec.unique.as_ref().map_or(0, |unique| unique.within_days);
    let from = latest.plus(-i32::try_from(within).unwrap_or(i32::MAX));
    Ok((Some(latest), catalog.within(from, latest)))
}

/// The columns to read, in the order of the lines scope; extra ones only where `needed` says so.
pub fn wanted(spec: &InputSpec, scope: &Scope, needed: &[usize]) -> Vec<(usize, Wanted)> {
    use Role::{Date, Id, Money, Text};
    let contract = [Id, Text, Money, Money, Text, Date, Date, Date, Date, Text];
    let mut wanted: Vec<(usize, Wanted)> = Vec::new();
    for (slot, ((name, _), role)) in LINE_COLUMNS.iter().zip(contract).enumerate() {
        let column = Wanted::new(name, role).of(scope.columns[slot].1);
        wanted.push((slot, Wanted { presence: presence(spec, name), ..column }));
    }
    for slot in needed.iter().copied().filter(|slot| *slot >= LINE_COLUMNS.len()) {
        let (name, kind) = &scope.columns[slot];
        wanted.push((slot, Wanted::new(name, Role::Extra).of(*kind)));
    }
    wanted
}

/// Whether files must have a column of the contract.
fn presence(spec: &InputSpec, name: &str) -> Presence {
    if spec.without.iter().any(|column| column == name) {
        Presence::LeftOut
    } else if OPTIONAL_LINE_COLUMNS.contains(&name) {
        Presence::Optional
    } else {
        Presence::Required
    }
}

/// One delivery, in the order of file and row, without the rows that are rejected by themselves.
struct SnapshotRows {
    columns: Vec<Column>,
    /// Of those that are left.
    verdicts: Verdicts,
    stretches: Vec<Stretch>,
    /// How many rows there were.
    read: u64,
    /// Those left out so far.
    rejects: RejectLog,
}

/// A run of rows that lay together in a file.
struct Stretch {
    file: usize,
    /// The number, within the file, of its first row.
    first_row: u64,
    /// The position of the first that is left, among all that are.
    start: usize,
    /// Which rows are left, counted from the first; `None`: all.
    left: Option<Vec<u32>>,
}

/// A batch without its rejected rows.
struct AcceptedBatch {
    columns: Vec<Column>,
    len: usize,
    /// How many rows there were, of the range that is computed.
    read: u64,
    stretch: Stretch,
}

impl SnapshotRows {
    /// A row that was left, as rejected for a reason.
    fn rejected(&self, position: usize, reason: RejectReason) -> RejectedRow {
        let before = self.stretches.partition_point(|stretch| stretch.start <= position);
        let stretch = &self.stretches[before - 1];
        let within = position - stretch.start;
        let row = stretch.left.as_ref().map_or(within as u64, |left| u64::from(left[within]));
        let account = id_text(&self.columns[ACCOUNT], position);
        RejectedRow { file: stretch.file as u32, row: stretch.first_row + row, reason, account }
    }
}

/// What reading the lines takes besides the files.
#[derive(Clone, Copy)]
pub struct LinesReading<'a> {
    /// Where they lie.
    pub spec: &'a InputSpec,
    /// What decoding depends on.
    pub units: &'a Units,
    /// Where rejected rows are kept once they are many.
    pub scratch: &'a Path,
    /// Shows how far it is.
    pub progress: &'a Progress,
    /// The accounts whose lines are wanted; `None`: all. Where `unique` is set, others may come besides.
    pub only: Option<&'a Accounts>,
    /// The ids whose rows are counted, listed and taken.
    pub range: &'a AccountRange,
}

/// The error of a book of which not one row is accepted.
pub fn none_accepted(tally: &ReadTally, snapshot: Option<Day>) -> anyhow::Error {
    let of = snapshot.map_or(String::new(), |day| format!(" of {day}"));
    let reasons = tally.rejects.counts.iter().map(|(reason, rows)| format!(", {} {rows}", reason.name()));
    let message = format!("read lines{of}: not one of {} rows is accepted", tally.read);
    let help = if tally.rejects.counts.contains_key(&RejectReason::BadStatus) {
        ": a status is active, suspended or closed; map other words upstream"
    } else {
        ""
    };
    input(message + &reasons.collect::<String>() + help)
}

/// Reads the snapshot `latest` among `files`, which may begin with earlier deliveries. Without an accepted line,
/// the rows that were read.
pub fn load_any(
    reading: LinesReading,
    files: &[OpenFile],
    latest: Option<Day>,
    wanted: Vec<(usize, Wanted)>,
    scope_len: usize,
) -> Result<Result<Lines, ReadTally>> {
    let spec = reading.spec;
    reading.progress.read(spec.name, files.len(), files.iter().map(OpenFile::rows).sum());
    let (slots, wanted): (Vec<usize>, Vec<Wanted>) = wanted.into_iter().unzip();
    let unique = spec.unique.as_ref();
    let unique_slot = unique.and_then(|unique| wanted.iter().position(|column| column.name == unique.column));
    let mut seen = Seen::new(unique.map_or(0, |unique| unique.within_days));
    for delivery in files.chunk_by(|a, b| a.delivery == b.delivery) {
        let mut rows = read_delivery(reading, delivery, &wanted)?;
        let order = sorted_rows(&rows);
        mark_duplicate_lines(&mut rows, &order);
        if let Some(slot) = unique_slot {
            mark_repeats(&mut rows, slot, delivery[0].delivery, &mut seen);
        }
        if delivery[0].delivery == latest {
            let tally = tally(reading, delivery, &mut rows)?;
            return assemble(rows, tally, order, &slots, scope_len, latest, reading.range);
        }
    }
    unreachable!("the snapshot is among the files")
}

fn read_delivery(reading: LinesReading, files: &[OpenFile], wanted: &[Wanted]) -> Result<SnapshotRows> {
    let LinesReading { spec, units, scratch, progress, .. } = reading;
    let bindings = files.iter().map(|file| file.bind(spec, wanted, units)).collect::<Result<Vec<_>>>()?;
    let mut rows = SnapshotRows {
        columns: Vec::new(),
        verdicts: Verdicts(Vec::new()),
        stretches: Vec::new(),
        read: 0,
        rejects: RejectLog::new(spec.name, files, scratch),
    };
    let mut parts: Vec<Vec<Column>> = vec![Vec::new(); wanted.len()];
    let mut left = 0;
    let mut waves = waves(files, WAVE_ROWS);
    // Otherwise a row may repeat one of any account.
    if spec.unique.is_none() {
        let ids = spec.file_column("account_id");
        for wave in &mut waves {
            wave.retain(|of| may_hold(files[of.file].footer().row_group(of.number), ids, reading.range));
        }
    }
    for (number, wave) in waves.iter().enumerate() {
        signal::check()?;
        fetch_ahead(waves.get(number + 1), files, &bindings);
        let is_alone = wave.len() == 1;
        let log = Mutex::new(&mut rows.rejects);
        let read = in_order(wave.par_iter().map(|row_group| {
            let file = &files[row_group.file];
            let (mut batches, mut rejects) = (Vec::new(), RejectedRows::default());
            let mut first_row = row_group.first_row;
            file.read(&bindings[row_group.file], row_group.number, |decoded| {
                let read = decoded.columns[0].len() as u64;
                let verdicts = judge::judge_lines(&decoded, file.delivery);
                let place = (row_group.file, first_row);
                batches.push(accepted(reading, decoded.columns, verdicts, place, &mut rejects));
                first_row += read;
                // However many rejected rows there are, few are held.
                if is_alone && rejects.is_full() {
                    log.lock().expect("no thread panicked").append(&std::mem::take(&mut rejects))?;
                }
                Ok(())
            })?;
            progress.advance(row_group.rows);
            Ok((batches, rejects))
        }))?;
        for (batches, rejects) in read {
            rows.rejects.append(&rejects)?;
            for mut batch in batches {
                rows.read += batch.read;
                batch.stretch.start = left;
                left += batch.len;
                rows.stretches.push(batch.stretch);
                batch.columns.into_iter().zip(&mut parts).for_each(|(column, part)| part.push(column));
            }
        }
    }
    rows.columns = parts.into_par_iter().map(concat).collect();
    rows.verdicts.0.resize(left, None);
    Ok(rows)
}

/// Lists the rejected rows of a batch that lies at `place`, a file and a row in it, and takes those that are left.
fn accepted(
    reading: LinesReading,
    columns: Vec<Column>,
    mut verdicts: Verdicts,
    place: (usize, u64),
    rejects: &mut RejectedRows,
) -> AcceptedBatch {
    let LinesReading { spec, range, .. } = reading;
    mark_crowds(&columns, &mut verdicts);
    let mut left: Vec<u32> =
        (0..verdicts.0.len() as u32).filter(|row| verdicts.0[*row as usize].is_none()).collect();
    let (rows, mut read) = (verdicts.0.len(), verdicts.0.len() as u64);
    if !range.is_everything() {
        let others: Vec<usize> = (0..rows).filter(|row| !range.holds(&columns[ACCOUNT], *row)).collect();
        read -= others.len() as u64;
        // Whoever computes their range lists them.
        others.into_iter().for_each(|row| verdicts.0[row] = None);
    }
    let (file, first_row) = place;
    verdicts.list(file as u32, first_row, &columns[ACCOUNT], rejects);
    // Otherwise a row may repeat one of any account.
    if spec.unique.is_none() {
        if !range.is_everything() {
            left.retain(|row| range.holds(&columns[ACCOUNT], *row as usize));
        }
        if let Some(only) = reading.only {
            let positions = only.positions(&columns[ACCOUNT]);
            left.retain(|row| positions[*row as usize] != OFF_BOOK);
        }
    }
    let len = left.len();
    let (columns, left) = if len == rows {
        (columns, None)
    } else {
        (columns.iter().map(|column| column.gather(&left)).collect(), Some(left))
    };
    AcceptedBatch { columns, len, read, stretch: Stretch { file, first_row, start: 0, left } }
}

/// Of the rows of one line within a batch two are left, which is enough to see that it occurs more than
/// once; the others need not be held.
fn mark_crowds(columns: &[Column], verdicts: &mut Verdicts) {
    const ENOUGH: usize = 2;
    let mut order: Vec<u32> =
        (0..verdicts.0.len() as u32).filter(|row| verdicts.0[*row as usize].is_none()).collect();
    // Most files are in order of line, and name each once.
    if order.is_sorted_by(|a, b| compare_lines(columns, *a, *b).is_lt()) {
        return;
    }
    order.sort_by(|a, b| compare_lines(columns, *a, *b));
    let crowds = order.chunk_by(|a, b| compare_lines(columns, *a, *b).is_eq());
    for same in crowds.filter(|same| same.len() > ENOUGH) {
        same[ENOUGH..].iter().for_each(|row| verdicts.0[*row as usize] = Some(RejectReason::DuplicateLine));
    }
}

/// Rows not yet rejected, sorted by account and product.
fn sorted_rows(rows: &SnapshotRows) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows.verdicts.0.len() as u32).collect();
    order.par_sort_by(|a, b| compare_lines(&rows.columns, *a, *b));
    order
}

/// Orders two rows by account and product.
fn compare_lines(columns: &[Column], a: u32, b: u32) -> Ordering {
    let (a, b) = (a as usize, b as usize);
    compare_ids(&columns[ACCOUNT], a, b).then_with(|| match &columns[PRODUCT] {
        Column::Text(product) => product.get(a).cmp(&product.get(b)),
        _ => Ordering::Equal,
    })
}

/// All rows of a line that occurs more than once go.
fn mark_duplicate_lines(rows: &mut SnapshotRows, order: &[u32]) {
    for same in order.chunk_by(|a, b| compare_lines(&rows.columns, *a, *b).is_eq()) {
        if same.len() > 1 {
            same.iter().for_each(|row| rows.verdicts.0[*row as usize] = Some(RejectReason::DuplicateLine));
        }
    }
}

fn mark_repeats(rows: &mut SnapshotRows, slot: usize, delivery: Option<Day>, seen: &mut Seen) {
    let mut keys = Keys::default();
    keys.add(0, &rows.columns[slot], &rows.verdicts);
    for row in &seen.repeats(vec![DeliveryKeys { delivery, keys }])[0] {
        rows.verdicts.0[*row as usize] = Some(RejectReason::DuplicateRow);
    }
}

/// `order` holds the rows that were accepted once each line had been judged by itself, sorted.
fn assemble(
    rows: SnapshotRows,
    tally: ReadTally,
    mut order: Vec<u32>,
    slots: &[usize],
    scope_len: usize,
    snapshot: Option<Day>,
    range: &AccountRange,
) -> Result<Result<Lines, ReadTally>> {
    order.retain(|row| rows.verdicts.0[*row as usize].is_none());
    if !range.is_everything() {
        order.retain(|row| range.holds(&rows.columns[ACCOUNT], *row as usize));
    }
    if order.is_empty() {
        return Ok(Err(tally));
    }
    let (accounts, mut sorted) = rayon::join(
        || Accounts::within(distinct_ids(&rows.columns[ACCOUNT], &order), range.clone()),
        || rows.columns.par_iter().map(|column| column.gather(&order)).collect::<Vec<Column>>(),
    );
    let mut has_rejected = vec![false; accounts.len()];
    for row in tally.rejects.rows() {
        if let Some(position) = row?.account.and_then(|account| accounts.find_named(&account)) {
            has_rejected[position as usize] = true;
        }
    }
    let account = accounts.positions(&sorted[ACCOUNT]);
    let (Column::Text(product), Column::Text(status)) = (&sorted[PRODUCT], &sorted[STATUS]) else {
        unreachable!("the contract's texts are text")
    };
    let product = product.clone();
    let names: Vec<Option<Status>> = status.dictionary.iter().map(|name| Status::parse(name)).collect();
    let status = status.codes.iter().map(|code| names.get(*code as usize).copied().flatten());
    let status = status.collect::<Option<Vec<_>>>().expect("accepted rows have a status");
    let (limit, balance) =
        (ints(&sorted[CREDIT_LIMIT]).values.clone(), ints(&sorted[BALANCE]).values.clone());
    let opened_on = ints(&sorted[OPENED_ON]).values.iter().map(|day| Day(*day as i32)).collect();
    let (increased_on, decreased_on) = (dates(&sorted[INCREASED_ON]), dates(&sorted[DECREASED_ON]));
    let status_since = dates(&sorted[STATUS_SINCE]);
    let Column::Text(status_reason) = sorted[STATUS_REASON].clone() else { unreachable!("it is text") };
    let mut columns = vec![None; scope_len];
    for slot in slots.iter().rev() {
        let column = sorted.pop().expect("as many as wanted");
        if *slot == ACCOUNT || *slot >= LINE_COLUMNS.len() {
            columns[*slot] = Some(column);
        }
    }
    let pending = vec![None; order.len()];
    #[rustfmt::skip]
    let lines = Lines {
        accounts, has_rejected, account, product, limit, balance, status, opened_on, increased_on, decreased_on,
        status_since, status_reason, pending, columns, tally, snapshot,
    };
    Ok(Ok(lines))
}

fn ints(column: &Column) -> &Ints {
    match column {
        Column::Int(ints) => ints,
        _ => unreachable!("the contract's amounts and dates are integers"),
    }
}

/// By row, a date; `None` where it is null.
fn dates(column: &Column) -> Vec<Option<Day>> {
    let days = ints(column);
    (0..days.values.len()).map(|row| days.get(row).map(|day| Day(*day as i32))).collect()
}

/// Counts the rows, and lists those that were rejected in the company of others.
fn tally(reading: LinesReading, files: &[OpenFile], rows: &mut SnapshotRows) -> Result<ReadTally> {
    let listed = std::mem::take(&mut rows.rejects);
    if rows.verdicts.0.iter().all(Option::is_none) {
        return Ok(ReadTally { read: rows.read, rejects: listed });
    }
    let mut rejects = RejectLog::new(reading.spec.name, files, reading.scratch);
    let verdicts = rows.verdicts.0.iter().enumerate();
    let others = verdicts.filter_map(|(position, verdict)| {
        let reason = (*verdict)?;
        reading.range.holds(&rows.columns[ACCOUNT], position).then(|| rows.rejected(position, reason))
    });
    rejects.merge(listed.rows(), others)?;
    Ok(ReadTally { read: rows.read, rejects })
}

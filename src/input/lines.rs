//! The book of credit lines: the snapshot a run stands on, checked, sorted, one row a line.

use std::path::Path;
use std::sync::Mutex;

use anyhow::Result;
use rayon::prelude::*;

use super::accounts::{Accounts, Ids, STRANGER, compare_ids, distinct_ids, id_text};
use super::binding::Decoded;
use super::catalog::Catalog;
use super::file::OpenFile;
use super::judge::{self, Verdicts};
use super::reason::RejectReason;
use super::reject_log::{RejectLog, RejectedRow, RejectedRows};
use super::stream::{ReadTally, WaveRowGroup, waves};
use super::unique::{DeliveryKeys, Keys, Seen};
use super::wanted::{Presence, Role, Units, Wanted};
use crate::console::Progress;
use crate::day::Day;
use crate::expr::column::concat;
use crate::expr::{Column, Scope, Texts};
use crate::failure::{in_order, input};
use crate::job::{InputSpec, LINE_COLUMNS, OPTIONAL_LINE_COLUMNS, STATUS_REASON, STATUS_SINCE};
use crate::signal;

/// What can be done with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can be drawn on.
    Active,
    /// No new drawings; it can be reopened.
    Suspended,
    /// Gone, but for what is owed.
    Closed,
}

impl Status {
    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Suspended => "suspended",
            Status::Closed => "closed",
        }
    }

    /// The status of a name.
    pub fn parse(name: &str) -> Option<Status> {
        [Status::Active, Status::Suspended, Status::Closed].into_iter().find(|status| status.name() == name)
    }
}

/// An adjustment that takes effect after the as-of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// The limit to come, minor units.
    pub limit: i64,
    /// The status to come.
    pub status: Status,
    /// When.
    pub on: Day,
}

/// The accepted lines, sorted by account and product; one entry a line in every vector.
pub struct Lines {
    /// Accounts with at least one line.
    pub accounts: Accounts,
    /// By account position: whether the snapshot holds a rejected row of it.
    pub has_rejected: Vec<bool>,
    /// Position of the account.
    pub account: Vec<u32>,
    /// Product names.
    pub product: Texts,
    /// Minor units.
    pub limit: Vec<i64>,
    /// Minor units; negative where overpaid.
    pub balance: Vec<i64>,
    /// Status.
    pub status: Vec<Status>,
    /// When the line was opened.
    pub opened_on: Vec<Day>,
    /// When the limit last went up.
    pub increased_on: Vec<Option<Day>>,
    /// When it last went down.
    pub decreased_on: Vec<Option<Day>>,
    /// Since when it has its status.
    pub status_since: Vec<Option<Day>>,
    /// The reason of the adjustment that gave it.
    pub status_reason: Texts,
    /// What earlier runs decided that is not in effect yet.
    pub pending: Vec<Option<Pending>>,
    /// The id of each line's account and the extra columns, by position in the lines scope.
    pub columns: Vec<Option<Column>>,
    /// Rows read and left out.
    pub tally: ReadTally,
    /// The delivery the lines are from; `None` if undated.
    pub snapshot: Option<Day>,
}

impl Lines {
    /// The lines as many times over, each time as those of other accounts. `self` must be of one account.
    pub fn repeated(&self, times: usize) -> Lines {
        let ids = Ids::Int((0..times as i64).collect());
        self.of_accounts(&vec![0; times], Accounts::new(ids))
    }

    /// The lines of the accounts at some positions, as those of `accounts` in that order.
    pub fn of_accounts(&self, positions: &[u32], accounts: Accounts) -> Lines {
        let (mut rows, mut account) = (Vec::new(), Vec::new());
        for (number, position) in (0..).zip(positions) {
            let first = self.account.partition_point(|other| other < position);
            let own = self.account[first..].iter().take_while(|other| *other == position).count();
            rows.extend(first as u32..(first + own) as u32);
            account.extend(std::iter::repeat_n(number, own));
        }
        fn gather<T: Clone>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|row| values[*row as usize].clone()).collect()
        }
        let texts = |texts: &Texts| Texts { codes: gather(&texts.codes, &rows), ..texts.clone() };
        Lines {
            accounts,
            has_rejected: gather(&self.has_rejected, positions),
            account,
            product: texts(&self.product),
            limit: gather(&self.limit, &rows),
            balance: gather(&self.balance, &rows),
            status: gather(&self.status, &rows),
            opened_on: gather(&self.opened_on, &rows),
            increased_on: gather(&self.increased_on, &rows),
            decreased_on: gather(&self.decreased_on, &rows),
            status_since: gather(&self.status_since, &rows),
            status_reason: texts(&self.status_reason),
            pending: gather(&self.pending, &rows),
            columns: self.columns.iter().map(|column| column.as_ref().map(|c| c.gather(&rows))).collect(),
            tally: ReadTally::default(),
            snapshot: self.snapshot,
        }
    }
}

/// The deliveries to read: the latest not after `as_of`, and before it those in which a repeat may
/// have been seen.
pub fn snapshot_of(
    catalog: &Catalog,
    as_of: Day,
    max_age_days: u32,
) -> Result<(Option<Day>, Vec<super::catalog::Delivery>)> {
    if !catalog.spec.is_dated() {
        return match catalog.deliveries.is_empty() {
            false => Ok((None, catalog.deliveries.clone())),
            true => Err(input(format!("find lines: no file matches {}", catalog.spec.pattern))),
        };
    }
    let latest = catalog.deliveries.iter().filter_map(|delivery| delivery.date).rfind(|date| *date <= as_of);
    let Some(latest) = latest else {
        return Err(input(format!(
            "find lines: no snapshot of {as_of} or before matches {}; deliver one and run again",
            catalog.spec.pattern
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
    let presence = |name: &str| match OPTIONAL_LINE_COLUMNS.contains(&name) {
        _ if spec.without.iter().any(|column| column == name) => Presence::LeftOut,
        true => Presence::Optional,
        false => Presence::Required,
    };
    let mut wanted: Vec<(usize, Wanted)> = Vec::new();
    for (slot, ((name, _), role)) in LINE_COLUMNS.iter().zip(contract).enumerate() {
        let column = Wanted::new(name, role).of(scope.columns[slot].1);
        wanted.push((slot, Wanted { presence: presence(name), ..column }));
    }
    for slot in needed.iter().copied().filter(|slot| *slot >= LINE_COLUMNS.len()) {
        let (name, kind) = &scope.columns[slot];
        wanted.push((slot, Wanted::new(name, Role::Extra).of(*kind)));
    }
    wanted
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
    /// The place of the first that is left.
    start: usize,
    /// Which rows are left, counted from the first; `None`: all.
    left: Option<Vec<u32>>,
}

/// A batch without its rejected rows.
struct AcceptedBatch {
    columns: Vec<Column>,
    len: usize,
    stretch: Stretch,
}

impl SnapshotRows {
    /// A row that was left, as rejected for a reason.
    fn rejected(&self, place: usize, reason: RejectReason) -> RejectedRow {
        let stretch = &self.stretches[self.stretches.partition_point(|stretch| stretch.start <= place) - 1];
        let within = place - stretch.start;
        let row = stretch.left.as_ref().map_or(within as u64, |left| u64::from(left[within]));
        let account = id_text(&self.columns[0], place);
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
    /// Told how far it is.
    pub progress: &'a Progress,
    /// The accounts whose lines are wanted; `None`: all. Where `unique` is set, others may come besides.
    pub only: Option<&'a Accounts>,
}

/// Reads the snapshot `latest` among `files`, which may begin with earlier deliveries. It must have an
/// accepted line.
pub fn load(
    reading: LinesReading,
    files: &[OpenFile],
    latest: Option<Day>,
    wanted: Vec<(usize, Wanted)>,
    scope_len: usize,
) -> Result<Lines> {
    load_any(reading, files, latest, wanted, scope_len)?.map_err(|tally| {
        let of = latest.map_or(String::new(), |day| format!(" of {day}"));
        let reasons = tally.rejects.counts.iter().map(|(reason, rows)| format!(", {} {rows}", reason.name()));
        let message = format!("read lines{of}: not one of {} rows is accepted", tally.read);
        input(message + &reasons.collect::<String>())
    })
}

/// The same; without an accepted line, the rows that were read.
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
            return assemble(rows, tally, order, &slots, scope_len, latest);
        }
    }
    unreachable!("the snapshot is among the files")
}

fn read_delivery(reading: LinesReading, files: &[OpenFile], wanted: &[Wanted]) -> Result<SnapshotRows> {
    let LinesReading { spec, units, scratch, progress, .. } = reading;
    // A row may repeat one of any account.
    let only = reading.only.filter(|_| spec.unique.is_none());
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
    for wave in waves(files) {
        signal::check()?;
        let is_alone = wave.len() == 1;
        let log = Mutex::new(&mut rows.rejects);
        let read = |place: &WaveRowGroup| -> Result<(Vec<AcceptedBatch>, RejectedRows)> {
            let file = &files[place.file];
            let (mut batches, mut rejects) = (Vec::new(), RejectedRows::default());
            let mut first_row = place.first_row;
            file.read(&bindings[place.file], place.row_group, |decoded| {
                let read = decoded.columns[0].len() as u64;
                batches.push(accepted(decoded, file.delivery, place.file, first_row, only, &mut rejects));
                first_row += read;
                // However many rejected rows there are, few are held.
                if is_alone && rejects.is_full() {
                    log.lock().expect("no thread panicked").append(&std::mem::take(&mut rejects))?;
                }
                Ok(())
            })?;
            progress.advance(place.rows);
            Ok((batches, rejects))
        };
        for (batches, rejects) in in_order(wave.par_iter().map(read))? {
            rows.rejects.append(&rejects)?;
            for mut batch in batches {
                batch.stretch.start = left;
                left += batch.len;
                rows.stretches.push(batch.stretch);
                batch.columns.into_iter().zip(&mut parts).for_each(|(column, part)| part.push(column));
            }
        }
        rows.read += wave.iter().map(|place| place.rows).sum::<u64>();
    }
    rows.columns = parts.into_par_iter().map(concat).collect();
    rows.verdicts.0.resize(left, None);
    Ok(rows)
}

/// Judges a batch by itself and takes the rows that are left.
fn accepted(
    decoded: Decoded,
    delivery: Option<Day>,
    file: usize,
    first_row: u64,
    only: Option<&Accounts>,
    rejects: &mut RejectedRows,
) -> AcceptedBatch {
    let mut verdicts = judge::judge_lines(&decoded, delivery);
    let columns = decoded.columns;
    mark_crowds(&columns, &mut verdicts);
    verdicts.list(file as u32, first_row, &columns[0], rejects);
    let mut left: Vec<u32> =
        (0..verdicts.0.len() as u32).filter(|row| verdicts.0[*row as usize].is_none()).collect();
    if let Some(only) = only {
        let positions = only.positions(&columns[0]);
        left.retain(|row| positions[*row as usize] != STRANGER);
    }
    let len = left.len();
    let (columns, left) = if len == verdicts.0.len() {
        (columns, None)
    } else {
        (columns.iter().map(|column| column.gather(&left)).collect(), Some(left))
    };
    AcceptedBatch { columns, len, stretch: Stretch { file, first_row, start: 0, left } }
}

/// Of the rows of one line within a batch two are left, which is enough to tell that it occurs more than
/// once; the others need not be held.
fn mark_crowds(columns: &[Column], verdicts: &mut Verdicts) {
    const ENOUGH: usize = 2;
    let mut order: Vec<u32> =
        (0..verdicts.0.len() as u32).filter(|row| verdicts.0[*row as usize].is_none()).collect();
    let compare = |a: &u32, b: &u32| compare_lines(columns, *a as usize, *b as usize);
    // Most files are in order of line, and name each once.
    if order.is_sorted_by(|a, b| compare(a, b).is_lt()) {
        return;
    }
    order.sort_by(compare);
    for same in order.chunk_by(|a, b| compare(a, b).is_eq()).filter(|same| same.len() > ENOUGH) {
        same[ENOUGH..].iter().for_each(|row| verdicts.0[*row as usize] = Some(RejectReason::DuplicateLine));
    }
}

/// Rows not yet rejected, sorted by account and product.
fn sorted_rows(rows: &SnapshotRows) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows.verdicts.0.len() as u32).collect();
    order.par_sort_by(|a, b| compare_lines(&rows.columns, *a as usize, *b as usize));
    order
}

fn compare_lines(columns: &[Column], a: usize, b: usize) -> std::cmp::Ordering {
    let product = || match &columns[1] {
        Column::Text(product) => product.get(a).cmp(&product.get(b)),
        _ => std::cmp::Ordering::Equal,
    };
    compare_ids(&columns[0], a, b).then_with(product)
}

/// All rows of a line that occurs more than once go.
fn mark_duplicate_lines(rows: &mut SnapshotRows, order: &[u32]) {
    for same in order.chunk_by(|a, b| compare_lines(&rows.columns, *a as usize, *b as usize).is_eq()) {
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
) -> Result<Result<Lines, ReadTally>> {
    order.retain(|row| rows.verdicts.0[*row as usize].is_none());
    if order.is_empty() {
        return Ok(Err(tally));
    }
    let (accounts, mut sorted) = rayon::join(
        || Accounts::new(distinct_ids(&rows.columns[0], &order)),
        || rows.columns.par_iter().map(|column| column.gather(&order)).collect::<Vec<Column>>(),
    );
    let mut has_rejected = vec![false; accounts.len()];
    for row in tally.rejects.rows() {
        if let Some(position) = row?.account.and_then(|account| accounts.find_named(&account)) {
            has_rejected[position as usize] = true;
        }
    }
    let account = accounts.positions(&sorted[0]);
    let required = |column: &Column| match column {
        Column::Int(ints) => ints.values.clone(),
        _ => unreachable!("the contract's amounts and dates are integers"),
    };
    let dates = |column: &Column| match column {
        Column::Int(ints) => {
            (0..ints.values.len()).map(|row| ints.get(row).map(|day| Day(*day as i32))).collect()
        }
        _ => unreachable!("the contract's dates are integers"),
    };
    let (Column::Text(product), Column::Text(status)) = (&sorted[1], &sorted[4]) else {
        unreachable!("the contract's texts are text")
    };
    let product = product.clone();
    let names: Vec<Option<Status>> = status.dictionary.iter().map(|name| Status::parse(name)).collect();
    let status = status.codes.iter().map(|code| names.get(*code as usize).copied().flatten());
    let status = status.collect::<Option<Vec<_>>>().expect("accepted rows have a status");
    let (limit, balance) = (required(&sorted[2]), required(&sorted[3]));
    let opened_on = required(&sorted[5]).into_iter().map(|day| Day(day as i32)).collect();
    let (increased_on, decreased_on) = (dates(&sorted[6]), dates(&sorted[7]));
    let status_since = dates(&sorted[STATUS_SINCE]);
    let Column::Text(status_reason) = sorted[STATUS_REASON].clone() else { unreachable!("it is text") };
    let mut columns = vec![None; scope_len];
    for (place, slot) in slots.iter().enumerate().rev() {
        let keep = *slot == 0 || *slot >= LINE_COLUMNS.len();
        let column = sorted.pop().expect("as many as wanted");
        debug_assert_eq!(sorted.len(), place);
        if keep {
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

/// Counts the rows, and lists those that were rejected in the company of others.
fn tally(reading: LinesReading, files: &[OpenFile], rows: &mut SnapshotRows) -> Result<ReadTally> {
    let listed = std::mem::take(&mut rows.rejects);
    if rows.verdicts.0.iter().all(Option::is_none) {
        return Ok(ReadTally { read: rows.read, rejects: listed });
    }
    let mut rejects = RejectLog::new(reading.spec.name, files, reading.scratch);
    let verdicts = rows.verdicts.0.iter().enumerate();
    let others = verdicts.filter_map(|(place, verdict)| Some(rows.rejected(place, (*verdict)?)));
    rejects.merge(listed.rows(), others)?;
    Ok(ReadTally { read: rows.read, rejects })
}

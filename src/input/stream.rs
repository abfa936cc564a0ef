//! Streams an input's rows: decoded and judged in parallel, in waves of bounded size, repeats found in the order
//! of delivery, file and row.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::binding::{Binding, Decoded};
use super::file::OpenFile;
use super::judge::Verdicts;
use super::reason::RejectReason;
use super::reject_log::{RejectLog, RejectedRows};
use super::unique::{DeliveryKeys, KeyShard, Keys, Seen};
use super::wanted::{Units, Wanted};
use crate::console::Progress;
use crate::day::Day;
use crate::expr::Column;
use crate::failure::in_order;
use crate::job::InputSpec;
use crate::pieces::piece;
use crate::signal;

/// How rows of an input with a `unique` column that repeat others are found.
#[derive(Debug, Clone, Default)]
pub enum RepeatSearch {
    /// Among all rows.
    #[default]
    All,
    /// Among the rows whose keys are of a shard; others are taken for no repeats.
    Shard(KeyShard),
    /// They are known: by delivery and file, their row numbers in the file, ascending.
    Known(Arc<KnownRepeats>),
}

/// The rows of each file that repeat others.
pub type KnownRepeats = BTreeMap<(Option<Day>, String), Vec<u64>>;

/// What of an input to read.
#[derive(Clone)]
pub struct InputSource<'a> {
    /// Where it lies.
    pub spec: &'a InputSpec,
    /// Oldest delivery first, by name within one.
    pub files: &'a [OpenFile],
    /// The contract's columns first, in its order; the account is column 0.
    pub wanted: Vec<Wanted>,
    /// What decoding depends on.
    pub units: &'a Units,
    /// First reasons to reject a row.
    pub judge: fn(&Decoded, Option<Day>) -> Verdicts,
    /// The position of the `unique` column among `wanted`.
    pub unique: Option<usize>,
    /// How repeats are found.
    pub repeats: RepeatSearch,
    /// So many rows of a delivery are held at a time; see [`wave_rows`].
    pub wave_rows: u64,
}

impl InputSource<'_> {
    /// How many days before it a repeat of a row may have been delivered; `None` where repeats are no matter.
    pub fn within_days(&self) -> Option<i32> {
        let unique = self.spec.unique.as_ref();
        unique.map(|unique| i32::try_from(unique.within_days).unwrap_or(i32::MAX))
    }
}

/// A batch of rows as decoded.
pub struct JudgedBatch {
    /// As wanted.
    pub columns: Vec<Column>,
    /// Which rows are rejected.
    pub verdicts: Verdicts,
}

/// The rows of a row group, or a part of one that is very large.
pub struct JudgedRows {
    /// Which of the source's files.
    pub file: usize,
    /// The row number, within the file, of the first.
    pub first_row: u64,
    /// All rows, in order.
    pub batches: Vec<JudgedBatch>,
    /// By which repeats are found.
    keys: Keys,
}

impl JudgedRows {
    fn begin(file: usize, first_row: u64) -> JudgedRows {
        JudgedRows { file, first_row, batches: Vec::new(), keys: Keys::default() }
    }

    /// How many rows there are in all batches.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(|batch| batch.verdicts.0.len()).sum()
    }

    /// Rejects rows that turned out to be repeats, ascending.
    fn mark_repeats(&mut self, repeats: &[u32]) {
        let mut repeats = repeats.iter().map(|row| *row as usize).peekable();
        let mut start = 0;
        for batch in &mut self.batches {
            let end = start + batch.verdicts.0.len();
            while let Some(row) = repeats.next_if(|row| *row < end) {
                batch.verdicts.0[row - start] = Some(RejectReason::DuplicateRow);
            }
            start = end;
        }
    }

    /// Rejects those of a file's rows that are known to be repeats.
    fn mark_known(&mut self, file: &OpenFile, known: &KnownRepeats) {
        let Some(repeats) = known.get(&(file.delivery, file.file.name.clone())) else { return };
        let end = self.first_row + self.rows() as u64;
        let from = repeats.partition_point(|row| *row < self.first_row);
        let own = repeats[from..].iter().take_while(|row| **row < end);
        let own: Vec<u32> = own.map(|row| (row - self.first_row) as u32).collect();
        self.mark_repeats(&own);
    }

    /// The row numbers, within the file, of the rows that repeat others.
    pub fn repeats(&self) -> Vec<u64> {
        let verdicts = self.batches.iter().flat_map(|batch| &batch.verdicts.0);
        let numbered = verdicts.zip(self.first_row..);
        numbered
            .filter(|(verdict, _)| **verdict == Some(RejectReason::DuplicateRow))
            .map(|(_, row)| row)
            .collect()
    }

    /// Lists the rejected rows, in order; files are numbered from `first_file` on.
    pub fn list_rejects(&self, first_file: usize, into: &mut RejectedRows) {
        let mut first_row = self.first_row;
        for JudgedBatch { columns, verdicts } in &self.batches {
            verdicts.list((self.file - first_file) as u32, first_row, &columns[0], into);
            first_row += verdicts.0.len() as u64;
        }
    }
}

/// Rows read and left out, over the deliveries that are reported.
#[derive(Debug, Default)]
pub struct ReadTally {
    /// Rows in the files.
    pub read: u64,
    /// The rejected rows.
    pub rejects: RejectLog,
}

impl ReadTally {
    /// Rows with no reason against them, visible or not.
    pub fn accepted(&self) -> u64 {
        self.read - self.rejects.counts.values().sum::<u64>()
    }
}

/// A wave is cut off at this many rows: enough for all threads, few enough to hold.
pub const WAVE_ROWS: u64 = piece(2_000_000, 5) as u64;

/// What a row of a wave takes in memory until it is sorted, about: measured on the sample's transactions.
const BYTES_A_ROW: u64 = 154;

/// How many rows a wave may have where half of so many bytes of memory are for it: the fewer waves a delivery is read
/// in, the fewer runs its sorted copy has.
pub fn wave_rows(memory: Option<u64>) -> u64 {
    memory.map_or(WAVE_ROWS, |bytes| (bytes / 2 / BYTES_A_ROW).clamp(WAVE_ROWS, u32::MAX.into()))
}

/// A row group to read, and the row number in its file at which it starts.
#[derive(Clone, Copy)]
pub(super) struct WaveRowGroup {
    pub file: usize,
    /// Among those of its file.
    pub number: usize,
    pub first_row: u64,
    pub rows: u64,
}

/// What is looked at of a delivery.
pub struct Needs {
    /// By wanted column, whether it is decoded.
    pub columns: Vec<bool>,
    /// Whether its rows are handed on; if not, it is there for the repeats of others.
    pub hands_on: bool,
}

/// Reads everything. `each` gets the rows of a wave, judged, with repeats rejected: those of whole deliveries, or of
/// a part of one that is very large; how it is cut depends on that delivery alone. Waves come in order.
pub fn stream(
    source: &InputSource,
    needs: &(dyn Fn(Option<Day>) -> Needs + Sync),
    progress: &Progress,
    mut each: impl FnMut(Vec<JudgedRows>) -> Result<()>,
) -> Result<()> {
    let needs: Vec<Needs> = source.files.iter().map(|file| needs(file.delivery)).collect();
    let bindings = source
        .files
        .par_iter()
        .zip(&needs)
        .map(|(file, needs)| file.bind_only(source.spec, &source.wanted, source.units, &needs.columns));
    let bindings: Vec<Binding> = in_order(bindings)?;
    let mut seen = Seen::new(source.spec.unique.as_ref().map_or(0, |unique| unique.within_days));
    let waves = waves(source.files, source.wave_rows);
    progress.read(
        source.spec.name,
        source.files.len(),
        waves.iter().flatten().map(|row_group| row_group.rows).sum(),
    );
    let mut deliver = |mut wave: Vec<JudgedRows>| -> Result<()> {
        if let RepeatSearch::Known(known) = &source.repeats {
            wave.iter_mut().for_each(|rows| rows.mark_known(&source.files[rows.file], known));
        } else if source.unique.is_some() {
            let parts = wave.iter_mut().map(|rows| DeliveryKeys {
                delivery: source.files[rows.file].delivery,
                keys: std::mem::take(&mut rows.keys),
            });
            let repeats = seen.repeats(parts.collect());
            wave.iter_mut().zip(&repeats).for_each(|(rows, repeats)| rows.mark_repeats(repeats));
        }
        wave.retain(|rows| needs[rows.file].hands_on);
        each(wave)?;
        signal::check()
    };
    for (number, wave) in waves.iter().enumerate() {
        signal::check()?;
        fetch_ahead(waves.get(number + 1), source.files, &bindings);
        if let [row_group] = wave[..] {
            let (binding, needs) = (&bindings[row_group.file], &needs[row_group.file]);
            // However many rows it has, no more than a wave of them are held.
            read_parts(source, binding, row_group, needs, progress, &mut |rows| deliver(vec![rows]))?;
            continue;
        }
        let whole = in_order(wave.par_iter().map(|row_group| {
            let (binding, needs) = (&bindings[row_group.file], &needs[row_group.file]);
            let mut whole = None;
            read_parts(source, binding, *row_group, needs, progress, &mut |rows| {
                whole = Some(rows);
                Ok(())
            })?;
            Ok(whole)
        }))?;
        deliver(whole.into_iter().flatten().collect())?;
    }
    Ok(())
}

/// Begins to fetch the next wave while one is decoded, as much of it as may be held besides.
pub(super) fn fetch_ahead(next: Option<&Vec<WaveRowGroup>>, files: &[OpenFile], bindings: &[Binding]) {
    let mut rows = 0;
    for row_group in next.into_iter().flatten() {
        rows += row_group.rows;
        if rows > WAVE_ROWS {
            return;
        }
        files[row_group.file].fetch_ahead(&bindings[row_group.file], row_group.number);
    }
}

/// Row groups to read, in order, in waves of at most so many rows where a row group has no more. Deliveries
/// that are small share a wave, one that is not begins its own: where it is cut depends on nothing else.
pub(super) fn waves(files: &[OpenFile], most_rows: u64) -> Vec<Vec<WaveRowGroup>> {
    let mut waves = Waves { all: vec![Vec::new()], rows: 0, most_rows };
    let mut file = 0;
    for delivery in files.chunk_by(|a, b| a.delivery == b.delivery) {
        waves.begin_if_full(delivery.iter().map(OpenFile::rows).sum());
        for open in delivery {
            let mut first_row = 0;
            for (number, rows) in open.row_groups.iter().copied().enumerate() {
                waves.begin_if_full(rows);
                waves.add(WaveRowGroup { file, number, first_row, rows });
                first_row += rows;
            }
            file += 1;
        }
    }
    waves.all
}

/// Waves in the making.
struct Waves {
    all: Vec<Vec<WaveRowGroup>>,
    /// Those of the last one.
    rows: u64,
    most_rows: u64,
}

impl Waves {
    /// Begins a wave where so many more rows are too many for the last one.
    fn begin_if_full(&mut self, rows: u64) {
        if self.rows > 0 && self.rows + rows > self.most_rows {
            self.all.push(Vec::new());
            self.rows = 0;
        }
    }

    fn add(&mut self, row_group: WaveRowGroup) {
        self.all.last_mut().expect("there is one").push(row_group);
        self.rows += row_group.rows;
    }
}

/// Reads a row group; `each` gets its rows, in parts where they are more than a wave's.
fn read_parts(
    source: &InputSource,
    binding: &Binding,
    row_group: WaveRowGroup,
    needs: &Needs,
    progress: &Progress,
    each: &mut dyn FnMut(JudgedRows) -> Result<()>,
) -> Result<()> {
    let file = &source.files[row_group.file];
    let mut part = JudgedRows::begin(row_group.file, row_group.first_row);
    let mut rows = 0;
    file.read(binding, row_group.number, |decoded| {
        if rows >= source.wave_rows {
            let next = JudgedRows::begin(part.file, part.first_row + rows);
            each(std::mem::replace(&mut part, next))?;
            rows = 0;
        }
        let verdicts = (source.judge)(&decoded, file.delivery);
        if let Some(slot) = source.unique {
            let column = &decoded.columns[slot];
            match source.repeats {
                RepeatSearch::All => part.keys.add(rows as u32, column, &verdicts),
                RepeatSearch::Shard(shard) => {
                    part.keys.add(rows as u32, column, &shard.only(column, &verdicts));
                }
                RepeatSearch::Known(_) => {}
            }
        }
        rows += verdicts.0.len() as u64;
        if needs.hands_on {
            part.batches.push(JudgedBatch { columns: decoded.columns, verdicts });
        }
        Ok(())
    })?;
    progress.advance(row_group.rows);
    each(part)
}

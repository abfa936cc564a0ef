//! Streams an input's rows: decoded and judged in parallel, in waves of bounded size, repeats told in
//! the order of delivery, file and row.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rayon::prelude::*;

use super::accounts::id_text;
use super::binding::{Binding, Units, Wanted};
use super::file::OpenFile;
use super::rejects::{Reason, Reject, Verdicts};
use super::unique::{Keys, Part, Seen};
use crate::console::Progress;
use crate::day::Day;
use crate::expr::Column;
use crate::failure::in_order;
use crate::job::InputSpec;
use crate::pieces::piece;
use crate::signal;

/// What of an input to read.
#[derive(Clone)]
pub struct Source<'a> {
    /// Where it lies.
    pub spec: &'a InputSpec,
    /// Oldest delivery first, by name within one.
    pub files: &'a [OpenFile],
    /// The contract's columns first, in its order; the account is column 0.
    pub wanted: Vec<Wanted>,
    /// What decoding depends on.
    pub units: &'a Units,
    /// First reasons to reject a row.
    pub judge: fn(&[Column], Option<Day>) -> Verdicts,
    /// The position of the `unique` column among `wanted`.
    pub unique: Option<usize>,
    /// Deliveries dated this day or later are counted and their rejects listed; undated ones always.
    pub report_from: Day,
    /// The row groups to read, by their place among all; `None`: all.
    pub row_groups: Option<BTreeSet<u64>>,
}

/// The files a night must look at that knows all deliveries up to `since`: new ones, those whose rejects
/// are reported, and before them as far back as a repeat may refer to.
pub fn recent(spec: &InputSpec, files: &[OpenFile], report_from: Day, since: Option<Day>) -> Vec<OpenFile> {
    let within = spec.unique.as_ref().map_or(0, |unique| unique.within_days);
    let oldest = since.map(|since| {
        let first = since.plus(1).min(report_from);
        first.plus(-i32::try_from(within).unwrap_or(i32::MAX))
    });
    let is_recent = |file: &&OpenFile| file.delivery.is_none() || file.delivery >= oldest;
    files.iter().filter(is_recent).cloned().collect()
}

/// A batch of rows as decoded.
pub struct Chunk<'a> {
    /// As wanted.
    pub columns: &'a [Column],
    /// Which rows are rejected.
    pub verdicts: &'a Verdicts,
    /// When they arrived.
    pub delivery: Option<Day>,
    /// Where from.
    pub file: &'a OpenFile,
    /// The row number, within the file, of the row group's first.
    pub row_group_start: u64,
    /// The row number, within the row group, of the first.
    pub first_row: u32,
}

/// Where packed rows come from: a row group.
pub struct Origin<'a> {
    /// The file.
    pub file: &'a OpenFile,
    /// When it arrived.
    pub delivery: Option<Day>,
    /// The row number, within the file, of its first row.
    pub first_row: u64,
    /// Its place among all row groups that are read.
    pub order: u64,
}

/// Rows read and left out, over the deliveries that are reported.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Rows in the files.
    pub read: u64,
    /// Rows with no reason against them, visible or not.
    pub accepted: u64,
    /// Rows by reason.
    pub rejected: BTreeMap<Reason, u64>,
    /// The rejected rows.
    pub rejects: Vec<Reject>,
}

impl Tally {
    /// Adds rejects to the counts and the list.
    pub fn reject(&mut self, rejects: Vec<Reject>) {
        for reject in &rejects {
            *self.rejected.entry(reject.reason).or_default() += 1;
        }
        self.accepted = self.read - self.rejected.values().sum::<u64>();
        self.rejects.extend(rejects);
    }
}

/// A wave is cut off at this many rows: enough for all threads, few enough to hold.
const WAVE_ROWS: u64 = piece(2_000_000, 5) as u64;

/// A row group's rows, packed by the caller.
struct Unit<P> {
    packed: P,
    /// Where repeats are told.
    keys: Keys,
    rejects: Vec<Reject>,
    /// The account column, kept where repeats must be listed.
    accounts: Vec<Column>,
}

/// A row group to read, and the row number in its file at which it starts.
#[derive(Clone, Copy)]
struct Place {
    file: usize,
    row_group: usize,
    first_row: u64,
    rows: u64,
    order: u64,
}

/// Whether a packed row is among the repeats; `numbers` are the row numbers of those that were packed.
#[inline]
pub fn is_repeat(numbers: &[u32], place: usize, repeats: &[u32]) -> bool {
    !repeats.is_empty() && numbers.get(place).is_some_and(|number| repeats.binary_search(number).is_ok())
}

/// Reads everything. `pack` takes accepted rows out of each batch; `sink` gets what was packed from a
/// row group, with the row numbers (ascending, within the row group) that turned out to be repeats. Waves come in
/// order of delivery; `after_wave` is called between them.
pub fn stream<P: Default + Send>(
    source: &Source,
    needs: &(dyn Fn(Option<Day>) -> Vec<bool> + Sync),
    progress: &Progress,
    pack: impl Fn(&Chunk, &mut P) -> Result<()> + Sync,
    sink: impl Fn(P, &Origin, &[u32]) + Sync,
    after_wave: impl Fn(),
) -> Result<Tally> {
    let bind =
        |file: &OpenFile| file.bind_only(source.spec, &source.wanted, source.units, &needs(file.delivery));
    let bindings: Vec<Binding> = in_order(source.files.par_iter().map(bind))?;
    let within = source.spec.unique.as_ref().map_or(0, |unique| unique.within_days);
    let mut seen = Seen::new(within);
    let mut tally = Tally::default();
    let waves = waves(source);
    let rows = waves.iter().flatten().map(|place| place.rows).sum();
    progress.read(source.spec.name, source.files.len(), rows);
    for wave in waves {
        signal::check()?;
        let unit = |place: &Place| read_unit(source, &bindings[place.file], *place, progress, &pack);
        let mut units: Vec<Unit<P>> = in_order(wave.par_iter().map(unit))?;
        let repeats = match source.unique {
            Some(_) => {
                let parts = wave.iter().zip(&mut units).map(|(place, unit)| Part {
                    delivery: source.files[place.file].delivery,
                    keys: std::mem::take(&mut unit.keys),
                });
                seen.repeats(parts.collect())
            }
            None => vec![Vec::new(); units.len()],
        };
        for ((place, unit), repeats) in wave.iter().zip(&units).zip(&repeats) {
            report(source, *place, unit, repeats, &mut tally);
        }
        wave.par_iter().zip(units).zip(&repeats).for_each(|((place, unit), repeats)| {
            let file = &source.files[place.file];
            let Place { first_row, order, .. } = *place;
            let origin = Origin { file, delivery: file.delivery, first_row, order };
            sink(unit.packed, &origin, repeats);
        });
        after_wave();
    }
    Ok(tally)
}

/// Row groups to read, in order, in runs of about [`WAVE_ROWS`] rows.
fn waves(source: &Source) -> Vec<Vec<Place>> {
    let mut waves = Vec::new();
    let mut wave = Vec::new();
    let (mut wave_rows, mut order) = (0, 0);
    for (number, file) in source.files.iter().enumerate() {
        let mut first_row = 0;
        for (row_group, rows) in file.row_groups.iter().copied().enumerate() {
            let is_read = source.row_groups.as_ref().is_none_or(|wanted| wanted.contains(&order));
            if is_read {
                wave.push(Place { file: number, row_group, first_row, rows, order });
                wave_rows += rows;
            }
            order += 1;
            first_row += rows;
            if wave_rows >= WAVE_ROWS {
                waves.push(std::mem::take(&mut wave));
                wave_rows = 0;
            }
        }
    }
    waves.push(wave);
    waves
}

fn is_reported(source: &Source, file: &OpenFile) -> bool {
    file.delivery.is_none_or(|date| date >= source.report_from)
}

fn read_unit<P: Default>(
    source: &Source,
    binding: &Binding,
    place: Place,
    progress: &Progress,
    pack: &impl Fn(&Chunk, &mut P) -> Result<()>,
) -> Result<Unit<P>> {
    let file = &source.files[place.file];
    let reported = is_reported(source, file);
    let mut unit =
        Unit { packed: P::default(), keys: Keys::default(), rejects: Vec::new(), accounts: Vec::new() };
    let mut first_row = 0_u32;
    file.read(binding, place.row_group, |mut columns| {
        let verdicts = (source.judge)(&columns, file.delivery);
        let chunk = Chunk {
            columns: &columns,
            verdicts: &verdicts,
            delivery: file.delivery,
            file,
            row_group_start: place.first_row,
            first_row,
        };
        pack(&chunk, &mut unit.packed)?;
        if let Some(slot) = source.unique {
            unit.keys.add(first_row, &columns[slot], &verdicts);
        }
        if reported {
            for (row, reason) in verdicts.0.iter().enumerate().filter_map(|(row, v)| Some((row, (*v)?))) {
                let number = place.first_row + u64::from(first_row) + row as u64;
                unit.rejects.push(reject(source, file, number, reason, id_text(&columns[0], row)));
            }
            if source.unique.is_some() {
                unit.accounts.push(columns.swap_remove(0));
            }
        }
        first_row += verdicts.0.len() as u32;
        Ok(())
    })?;
    progress.advance(place.rows);
    Ok(unit)
}

fn reject(source: &Source, file: &OpenFile, row: u64, reason: Reason, account: Option<String>) -> Reject {
    Reject {
        input: source.spec.name,
        delivery: file.delivery,
        file: file.file.name.clone(),
        row,
        reason,
        account,
    }
}

fn report<P>(source: &Source, place: Place, unit: &Unit<P>, repeats: &[u32], tally: &mut Tally) {
    let file = &source.files[place.file];
    if !is_reported(source, file) {
        return;
    }
    tally.read += place.rows;
    let mut rejects = unit.rejects.clone();
    let mut chunks = unit.accounts.iter();
    let (mut chunk, mut start) = (chunks.next(), 0_usize);
    for row in repeats {
        while let Some(column) = chunk.filter(|column| *row as usize >= start + column.len()) {
            start += column.len();
            chunk = chunks.next();
        }
        let account = chunk.and_then(|column| id_text(column, *row as usize - start));
        let number = place.first_row + u64::from(*row);
        rejects.push(reject(source, file, number, Reason::DuplicateRow, account));
    }
    tally.reject(rejects);
}

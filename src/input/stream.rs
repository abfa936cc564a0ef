//! Streams an input's rows: decoded and judged in parallel, in waves of bounded size, repeats told in
//! the order of delivery, file and row.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;

use super::accounts::id_text;
use super::binding::{Binding, Decoded, Units, Wanted};
use super::file::OpenFile;
use super::reject_log::{RejectLog, RejectedRow, RejectedRows};
use super::rejects::{Reason, Verdicts};
use super::unique::{Keys, Part, Seen};
use crate::console::Progress;
use crate::day::Day;
use crate::expr::Column;
use crate::failure::in_order;
use crate::features::watch::Watch;
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
    pub judge: fn(&Decoded, Option<Day>) -> Verdicts,
    /// The position of the `unique` column among `wanted`.
    pub unique: Option<usize>,
    /// Deliveries dated this day or later are counted and their rejects listed; undated ones always.
    pub report_from: Day,
    /// The row groups to read, by their place among all; `None`: all.
    pub row_groups: Option<BTreeSet<u64>>,
    /// Where rejected rows are kept once they are many.
    pub scratch: &'a Path,
    /// What is watched for in the rows that are reported.
    pub watch: Option<&'a Watch>,
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

/// Where packed rows come from: a row group, or a part of one that is very large.
pub struct Origin<'a> {
    /// The file.
    pub file: &'a OpenFile,
    /// When it arrived.
    pub delivery: Option<Day>,
    /// The row number, within the file, of its first row.
    pub first_row: u64,
    /// Its place among all that are read.
    pub order: u64,
}

/// Rows read and left out, over the deliveries that are reported.
#[derive(Debug, Default)]
pub struct Tally {
    /// Rows in the files.
    pub read: u64,
    /// The rejected rows.
    pub rejects: RejectLog,
}

impl Tally {
    /// Rows with no reason against them, visible or not.
    pub fn accepted(&self) -> u64 {
        self.read - self.rejects.counts.values().sum::<u64>()
    }
}

/// A wave is cut off at this many rows: enough for all threads, few enough to hold.
pub(super) const WAVE_ROWS: u64 = piece(2_000_000, 5) as u64;

/// Row groups have places so far apart that each can be cut into as many parts.
const MOST_PARTS: u64 = 1 << 32;

/// A row group's rows, or a part of them, packed by the caller.
#[derive(Default)]
struct Unit<P> {
    packed: P,
    /// Where repeats are told.
    keys: Keys,
    rejects: RejectedRows,
    /// The account column, kept where repeats must be listed.
    accounts: Vec<Column>,
}

/// A row group to read, and the row number in its file at which it starts.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub file: usize,
    pub row_group: usize,
    pub first_row: u64,
    pub rows: u64,
    pub order: u64,
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
    let mut seen = Seen::new(source.spec.unique.as_ref().map_or(0, |unique| unique.within_days));
    let rejects = RejectLog::new(source.spec.name, source.files, source.scratch);
    let mut tally = Tally { rejects, ..Tally::default() };
    let waves = waves(source.files, source.row_groups.as_ref());
    progress.read(source.spec.name, source.files.len(), waves.iter().flatten().map(|place| place.rows).sum());
    let mut finish = |wave: Vec<(Place, Unit<P>)>| -> Result<()> {
        let (places, mut units): (Vec<Place>, Vec<Unit<P>>) = wave.into_iter().unzip();
        let repeats = repeats(source, &places, &mut units, &mut seen);
        for ((place, unit), repeats) in places.iter().zip(&units).zip(&repeats) {
            report(source, *place, unit, repeats, &mut tally)?;
        }
        places.par_iter().zip(units).zip(&repeats).for_each(|((place, unit), repeats)| {
            let file = &source.files[place.file];
            let Place { first_row, order, .. } = *place;
            let origin = Origin { file, delivery: file.delivery, first_row, order };
            sink(unit.packed, &origin, repeats);
        });
        after_wave();
        signal::check()
    };
    for wave in waves {
        signal::check()?;
        if let [place] = wave[..] {
            // However many rows it has, no more than a wave of them are held.
            read_parts(source, &bindings[place.file], place, progress, &pack, &mut |place, unit| {
                finish(vec![(place, unit)])
            })?;
            continue;
        }
        let unit = |place: &Place| {
            let mut whole = Unit::default();
            read_parts(source, &bindings[place.file], *place, progress, &pack, &mut |_, unit| {
                whole = unit;
                Ok(())
            })?;
            Ok((*place, whole))
        };
        finish(in_order(wave.par_iter().map(unit))?)?;
    }
    Ok(tally)
}

/// Row groups to read, in order, in runs of about [`WAVE_ROWS`] rows; one with more is a run by itself.
pub(super) fn waves(files: &[OpenFile], wanted: Option<&BTreeSet<u64>>) -> Vec<Vec<Place>> {
    let mut waves = Vec::new();
    let mut wave: Vec<Place> = Vec::new();
    let (mut wave_rows, mut order) = (0, 0);
    for (file, open) in files.iter().enumerate() {
        let mut first_row = 0;
        for (row_group, rows) in open.row_groups.iter().copied().enumerate() {
            let parts = order..order + MOST_PARTS;
            if wanted.is_none_or(|wanted| wanted.range(parts).next().is_some()) {
                if rows > WAVE_ROWS && !wave.is_empty() {
                    waves.push(std::mem::take(&mut wave));
                    wave_rows = 0;
                }
                wave.push(Place { file, row_group, first_row, rows, order });
                wave_rows += rows;
            }
            order += MOST_PARTS;
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

/// The repeats of each unit of a wave.
fn repeats<P>(source: &Source, places: &[Place], units: &mut [Unit<P>], seen: &mut Seen) -> Vec<Vec<u32>> {
    if source.unique.is_none() {
        return vec![Vec::new(); units.len()];
    }
    let parts = places.iter().zip(units).map(|(place, unit)| Part {
        delivery: source.files[place.file].delivery,
        keys: std::mem::take(&mut unit.keys),
    });
    seen.repeats(parts.collect())
}

fn is_reported(source: &Source, file: &OpenFile) -> bool {
    file.delivery.is_none_or(|date| date >= source.report_from)
}

/// Reads a row group; `each` gets its rows, in parts where they are more than a wave's.
fn read_parts<P: Default>(
    source: &Source,
    binding: &Binding,
    place: Place,
    progress: &Progress,
    pack: &impl Fn(&Chunk, &mut P) -> Result<()>,
    each: &mut dyn FnMut(Place, Unit<P>) -> Result<()>,
) -> Result<()> {
    let file = &source.files[place.file];
    let reported = is_reported(source, file);
    let mut part = Place { rows: 0, ..place };
    let mut unit = Unit::default();
    file.read(binding, place.row_group, |rows| {
        if part.rows >= WAVE_ROWS {
            let next =
                Place { first_row: part.first_row + part.rows, rows: 0, order: part.order + 1, ..part };
            each(std::mem::replace(&mut part, next), std::mem::take(&mut unit))?;
        }
        let verdicts = (source.judge)(&rows, file.delivery);
        let mut columns = rows.columns;
        let first_row = part.rows as u32;
        let chunk = Chunk {
            columns: &columns,
            verdicts: &verdicts,
            delivery: file.delivery,
            file,
            row_group_start: part.first_row,
            first_row,
        };
        pack(&chunk, &mut unit.packed)?;
        if let Some(slot) = source.unique {
            unit.keys.add(first_row, &columns[slot], &verdicts);
        }
        if reported {
            let first_row = part.first_row + part.rows;
            verdicts.list(place.file as u32, first_row, &columns[0], &mut unit.rejects);
            if source.unique.is_some() {
                unit.accounts.push(columns.swap_remove(0));
            }
        }
        part.rows += verdicts.0.len() as u64;
        Ok(())
    })?;
    progress.advance(place.rows);
    each(part, unit)
}

/// Counts and lists a unit's rejects, repeats among them, in order of row.
fn report<P>(
    source: &Source,
    place: Place,
    unit: &Unit<P>,
    repeats: &[u32],
    tally: &mut Tally,
) -> Result<()> {
    if !is_reported(source, &source.files[place.file]) {
        return Ok(());
    }
    tally.read += place.rows;
    if repeats.is_empty() {
        return tally.rejects.append(&unit.rejects);
    }
    let mut chunks = unit.accounts.iter();
    let (mut chunk, mut start) = (chunks.next(), 0_usize);
    let repeats = repeats.iter().map(|row| {
        while let Some(column) = chunk.filter(|column| *row as usize >= start + column.len()) {
            start += column.len();
            chunk = chunks.next();
        }
        RejectedRow {
            file: place.file as u32,
            row: place.first_row + u64::from(*row),
            reason: Reason::DuplicateRow,
            account: chunk.and_then(|column| id_text(column, *row as usize - start)),
        }
    });
    tally.rejects.merge(unit.rejects.rows(), repeats)
}

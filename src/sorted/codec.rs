//! Columns of a block of rows as bytes: every column as narrow as its values allow, compressed where that
//! gains much, and by itself, so that one which nobody asks for is passed over.
//!
//! A column is its length, its length before compression (the same: it is not compressed), and its bytes.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use lz4_flex::block::{compress, decompress_into};

use crate::expr::column::{NULL_CODE, TRUE};
use crate::expr::{Column, Ints, Texts};

/// Bytes of the two lengths that a piece begins with.
const LENGTHS: usize = 8;

/// Texts by their codes.
pub type SharedTexts = Arc<Vec<Arc<str>>>;

/// What the bytes of a column begin with.
const INTS: u8 = 0;
const NULLABLE_INTS: u8 = 1;
const TRUTHS: u8 = 2;
/// Codes into texts that the column holds itself.
const OWN_TEXTS: u8 = 3;
/// Codes into texts that the blocks of a run share.
const SHARED_TEXTS: u8 = 4;
/// Integers by the step from each to the next.
const STEPS: u8 = 5;

/// How a column of a run is kept.
#[derive(Debug, Clone, Copy)]
pub struct Storage {
    /// Whether the run keeps the texts of its codes.
    pub is_shared: bool,
    /// Whether integers are kept by steps where these take less.
    pub steps: bool,
    /// Whether it is compressed where that gains much.
    pub compresses: bool,
}

/// Some rows of columns.
pub enum Taken<'a> {
    /// Those that lie there one after the other.
    Range(Range<usize>),
    /// Some in an order of their own.
    Of(&'a [u32]),
}

impl Taken<'_> {
    /// The values of the rows; `room` is for those that do not lie in order.
    fn of<'v, T: Copy>(&self, values: &'v [T], room: &'v mut Vec<T>) -> &'v [T] {
        match self {
            Taken::Range(rows) => &values[rows.clone()],
            Taken::Of(rows) => {
                room.clear();
                room.extend(rows.iter().map(|row| values[*row as usize]));
                room
            }
        }
    }
}

/// Adds some rows of a column at the end of a block. Returns how it is kept, without what did not gain.
pub fn put_column(block: &mut Vec<u8>, column: &Column, rows: &Taken, storage: Storage) -> Storage {
    let start = begin(block);
    let mut steps = false;
    match column {
        Column::Int(ints) => steps = put_ints(block, ints, rows, storage.steps),
        Column::Bool(truths) => {
            block.push(TRUTHS);
            put_narrow(block, rows.of(truths, &mut Vec::new()), |truth| u64::from(*truth));
        }
        Column::Text(texts) if storage.is_shared => {
            block.push(SHARED_TEXTS);
            put_codes(block, rows.of(&texts.codes, &mut Vec::new()));
        }
        Column::Text(texts) => {
            let mut room = Vec::new();
            let codes = rows.of(&texts.codes, &mut room).iter();
            let own: Texts =
                codes.map(|code| texts.dictionary.get(*code as usize).map(|text| &**text)).collect();
            block.push(OWN_TEXTS);
            put_texts(block, &own.dictionary);
            put_codes(block, &own.codes);
        }
        Column::Wide(_) => unreachable!("no input column is wide"),
    }
    Storage { steps, compresses: end(block, start, storage.compresses), ..storage }
}

/// Adds bytes, compressed where that makes them far fewer.
pub fn put_compressed(block: &mut Vec<u8>, raw: &[u8]) {
    let start = begin(block);
    block.extend(raw);
    end(block, start, true);
}

/// Leaves room for the lengths of a piece. Returns where its bytes begin.
fn begin(block: &mut Vec<u8>) -> usize {
    block.extend([0; LENGTHS]);
    block.len()
}

/// Compresses the bytes of a piece, if that makes them far fewer, and fills in its lengths; whether it did.
fn end(block: &mut Vec<u8>, start: usize, compresses: bool) -> bool {
    let raw = block.len() - start;
    let compressed = compresses.then(|| compress(&block[start..]));
    // What saves little is not worth decompressing every night.
    let compressed = compressed.filter(|compressed| compressed.len() < raw - raw / 3);
    if let Some(compressed) = &compressed {
        block.truncate(start);
        block.extend(compressed);
    }
    let length = block.len() - start;
    block[start - LENGTHS..][..4].copy_from_slice(&(length as u32).to_le_bytes());
    block[start - 4..][..4].copy_from_slice(&(raw as u32).to_le_bytes());
    compressed.is_some()
}

/// Adds integers: by their distance from the least of them, or by steps where these are tried and take less;
/// whether by steps.
fn put_ints(block: &mut Vec<u8>, ints: &Ints, rows: &Taken, try_steps: bool) -> bool {
    let (mut room, mut valid_room) = (Vec::new(), Vec::new());
    let values = rows.of(&ints.values, &mut room);
    let valid = ints.valid.as_ref().map(|valid| rows.of(valid, &mut valid_room));
    match valid.filter(|valid| valid.contains(&false)) {
        Some(valid) => {
            let known = values.iter().zip(valid).map(|(value, valid)| if *valid { *value } else { i64::MAX });
            let least = known.min().unwrap_or(0);
            let values: Vec<i64> =
                values.iter().zip(valid).map(|(value, valid)| if *valid { *value } else { least }).collect();
            block.push(NULLABLE_INTS);
            put_distances(block, &values);
            put_bits(block, valid);
            false
        }
        None => {
            let start = block.len();
            block.push(INTS);
            put_distances(block, values);
            try_steps && put_steps(block, start, values)
        }
    }
}

/// Puts integers by steps in the place of what was put from `start` on, if that is shorter; whether it is.
fn put_steps(block: &mut Vec<u8>, start: usize, values: &[i64]) -> bool {
    let mut steps: Vec<i64> = values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    // The first comes at a step from where it is no other than the least.
    let least = steps.iter().copied().min().unwrap_or(0);
    steps.insert(0, least);
    let mut raw = vec![STEPS];
    raw.extend(values[0].wrapping_sub(least).to_le_bytes());
    put_distances(&mut raw, &steps);
    let is_shorter = raw.len() < block.len() - start;
    if is_shorter {
        block.truncate(start);
        block.extend(raw);
    }
    is_shorter
}

/// Integers as their distance from the least of them.
fn put_distances(block: &mut Vec<u8>, values: &[i64]) {
    let least = values.iter().copied().min().unwrap_or(0);
    block.extend(least.to_le_bytes());
    put_narrow(block, values, |value| value.wrapping_sub(least) as u64);
}

/// Codes one higher than they are, so that null is 0.
fn put_codes(block: &mut Vec<u8>, codes: &[u32]) {
    put_narrow(block, codes, |code| u64::from(code.wrapping_add(1)));
}

/// Adds a bit for each, the first the lowest of its byte.
fn put_bits(block: &mut Vec<u8>, set: &[bool]) {
    let (eights, rest) = set.as_chunks::<8>();
    block.extend(eights.iter().map(|eight| byte_of(eight)));
    if !rest.is_empty() {
        block.push(byte_of(rest));
    }
}

#[inline]
fn byte_of(set: &[bool]) -> u8 {
    set.iter().rev().fold(0, |bits, set| bits << 1 | u8::from(*set))
}

/// Adds how many bits the greatest value takes, and all in as many.
fn put_narrow<T>(block: &mut Vec<u8>, values: &[T], narrow: impl Fn(&T) -> u64) {
    // As many bits as the greatest of them.
    let all = values.iter().fold(0, |all, value| all | narrow(value));
    let width = width_of(all);
    block.push(width);
    match width {
        0 => {}
        4 => {
            let (pairs, odd) = values.as_chunks::<2>();
            block.extend(pairs.iter().map(|[low, high]| narrow(low) as u8 | (narrow(high) as u8) << 4));
            block.extend(odd.iter().map(|value| narrow(value) as u8));
        }
        8 => put_each::<1, T>(block, values, narrow),
        16 => put_each::<2, T>(block, values, narrow),
        24 => put_each::<3, T>(block, values, narrow),
        32 => put_each::<4, T>(block, values, narrow),
        48 => put_each::<6, T>(block, values, narrow),
        _ => put_each::<8, T>(block, values, narrow),
    }
}

fn put_each<const N: usize, T>(block: &mut Vec<u8>, values: &[T], narrow: impl Fn(&T) -> u64) {
    let start = block.len();
    block.resize(start + N * values.len(), 0);
    let (chunks, _) = block[start..].as_chunks_mut::<N>();
    for (chunk, value) in chunks.iter_mut().zip(values) {
        chunk.copy_from_slice(&narrow(value).to_le_bytes()[..N]);
    }
}

fn width_of(most: u64) -> u8 {
    match u64::BITS - most.leading_zeros() {
        0 => 0,
        1..=4 => 4,
        5..=8 => 8,
        9..=16 => 16,
        17..=24 => 24,
        25..=32 => 32,
        33..=48 => 48,
        _ => 64,
    }
}

/// Adds how many texts there are, their lengths and themselves.
pub fn put_texts(raw: &mut Vec<u8>, texts: &[Arc<str>]) {
    raw.extend((texts.len() as u32).to_le_bytes());
    texts.iter().for_each(|text| raw.extend((text.len() as u32).to_le_bytes()));
    texts.iter().for_each(|text| raw.extend(text.as_bytes()));
}

/// Reads what a block is made of, piece by piece.
pub struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Pieces<'a> {
    /// Of the bytes of a block.
    pub fn new(block: &'a [u8]) -> Pieces<'a> {
        Pieces { rest: block }
    }

    /// Passes over the next piece.
    pub fn pass_over(&mut self) -> Result<()> {
        self.next().map(|_| ())
    }

    /// The next piece, decompressed into a buffer, which may be used again, if it is compressed.
    pub fn decompress<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]>
    where
        'a: 'b,
    {
        let (bytes, raw) = self.next()?;
        if bytes.len() == raw {
            return Ok(bytes);
        }
        if buffer.len() < raw {
            buffer.resize(raw, 0);
        }
        let raw = &mut buffer[..raw];
        let written = decompress_into(bytes, raw)?;
        ensure!(written == raw.len(), "a column of {} bytes comes to {written}", raw.len());
        Ok(raw)
    }

    fn next(&mut self) -> Result<(&'a [u8], usize)> {
        let (length, rest) = split_u32(self.rest)?;
        let (raw, rest) = split_u32(rest)?;
        let (bytes, rest) = rest.split_at_checked(length as usize).context("a block is cut")?;
        self.rest = rest;
        Ok((bytes, raw as usize))
    }
}

fn split_u32(bytes: &[u8]) -> Result<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk().context("a number is cut")?;
    Ok((u32::from_le_bytes(*number), rest))
}

fn split_i64(bytes: &[u8]) -> Result<(i64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk().context("a number is cut")?;
    Ok((i64::from_le_bytes(*number), rest))
}

/// A column of so many rows from its bytes.
pub fn column_of(raw: &[u8], rows: usize, shared: Option<&SharedTexts>) -> Result<Column> {
    let (tag, raw) = raw.split_first().context("a column without a byte")?;
    Ok(match *tag {
        INTS => Column::Int(Ints::all(last(distances(raw, rows)?)?)),
        NULLABLE_INTS => {
            let (values, bits) = distances(raw, rows)?;
            Column::Int(Ints { values, valid: Some(valid_of(bits, rows)?) })
        }
        STEPS => Column::Int(Ints::all(last(steps(raw, rows)?)?)),
        TRUTHS => {
            let truths: Vec<u8> = last(narrow(raw, rows, |truth| truth as u8)?)?;
            ensure!(truths.iter().all(|truth| *truth <= TRUE), "truths of {rows} rows");
            Column::Bool(truths)
        }
        OWN_TEXTS => {
            let (texts, raw) = texts_of(raw)?;
            Column::Text(coded(raw, rows, Arc::new(texts))?)
        }
        SHARED_TEXTS => {
            let texts = shared.context("a run without the texts of its codes")?;
            Column::Text(coded(raw, rows, texts.clone())?)
        }
        tag => bail!("{tag} is no kind of column"),
    })
}

/// What was read, if there are no bytes behind it.
fn last<T>((values, rest): (T, &[u8])) -> Result<T> {
    ensure!(rest.is_empty(), "a column is followed by {} bytes", rest.len());
    Ok(values)
}

/// Integers by their distance from the least, and the bytes behind them.
fn distances(raw: &[u8], rows: usize) -> Result<(Vec<i64>, &[u8])> {
    let (least, raw) = split_i64(raw)?;
    narrow(raw, rows, |distance| least.wrapping_add(distance as i64))
}

/// Integers by steps, and the bytes behind them.
fn steps(raw: &[u8], rows: usize) -> Result<(Vec<i64>, &[u8])> {
    let (mut value, raw) = split_i64(raw)?;
    let (mut steps, rest) = distances(raw, rows)?;
    for step in &mut steps {
        value = value.wrapping_add(*step);
        *step = value;
    }
    Ok((steps, rest))
}

/// By row, whether its bit is set.
fn valid_of(bits: &[u8], rows: usize) -> Result<Vec<bool>> {
    ensure!(bits.len() == rows.div_ceil(8), "nulls of {rows} rows");
    let mut valid = Vec::with_capacity(rows.next_multiple_of(8));
    for byte in bits {
        valid.extend([0, 1, 2, 3, 4, 5, 6, 7].map(|bit| byte >> bit & 1 != 0));
    }
    valid.truncate(rows);
    Ok(valid)
}

fn coded(raw: &[u8], rows: usize, dictionary: SharedTexts) -> Result<Texts> {
    // Null is 0, and becomes the greatest code there is.
    let (codes, rest) = narrow(raw, rows, |next| (next as u32).wrapping_sub(1))?;
    let are_known = codes.iter().all(|code| *code == NULL_CODE || (*code as usize) < dictionary.len());
    ensure!(rest.is_empty() && are_known, "codes of {rows} rows");
    Ok(Texts { codes, dictionary })
}

/// Texts, and the bytes behind them.
pub fn texts_of(raw: &[u8]) -> Result<(Vec<Arc<str>>, &[u8])> {
    let (count, raw) = split_u32(raw)?;
    let lengths = (count as usize).checked_mul(4).context("too many texts")?;
    let (lengths, mut rest) = raw.split_at_checked(lengths).context("the lengths of texts are cut")?;
    let mut texts = Vec::with_capacity(count as usize);
    for length in lengths.chunks_exact(4) {
        let (length, _) = split_u32(length)?;
        let (text, after) = rest.split_at_checked(length as usize).context("a text is cut")?;
        texts.push(Arc::from(std::str::from_utf8(text)?));
        rest = after;
    }
    Ok((texts, rest))
}

/// Values of one width, widened, and the bytes behind them.
fn narrow<T>(raw: &[u8], rows: usize, widen: impl Fn(u64) -> T) -> Result<(Vec<T>, &[u8])> {
    let (width, raw) = raw.split_first().context("values without a width")?;
    let (bytes, rest) =
        raw.split_at_checked((usize::from(*width) * rows).div_ceil(8)).context("values are cut")?;
    let values = match width {
        0 => (0..rows).map(|_| widen(0)).collect(),
        4 => {
            let mut values = Vec::with_capacity(rows + 1);
            for byte in bytes {
                values.extend([widen(u64::from(byte & 0xf)), widen(u64::from(byte >> 4))]);
            }
            values.truncate(rows);
            values
        }
        8 => each::<1, T>(bytes, widen),
        16 => each::<2, T>(bytes, widen),
        24 => each::<3, T>(bytes, widen),
        32 => each::<4, T>(bytes, widen),
        48 => each::<6, T>(bytes, widen),
        64 => each::<8, T>(bytes, widen),
        _ => bail!("values of {width} bits"),
    };
    Ok((values, rest))
}

fn each<const N: usize, T>(bytes: &[u8], widen: impl Fn(u64) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    let values = chunks.iter().map(|bytes| {
        let mut wide = [0; 8];
        wide[..N].copy_from_slice(bytes);
        widen(u64::from_le_bytes(wide))
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_comes_back_as_it_was() {
        let texts: Texts = [Some("b"), None, Some(""), Some("b")].into_iter().collect();
        let ints = |values: [Option<i64>; 4]| Column::Int(values.into_iter().collect());
        let columns = [
            ints([Some(7); 4]),
            ints([Some(1), Some(256), Some(-3), Some(0)]),
            ints([Some(i64::MIN), None, Some(i64::MAX), Some(0)]),
            ints([Some(-70_000), Some(1), None, None]),
            ints([None; 4]),
            ints([Some(1 << 40), Some((1 << 40) + 70_000), Some((1 << 40) + 70_001), Some(1 << 41)]),
            ints([Some(i64::MAX), Some(i64::MIN), Some(-1), Some(i64::MIN)]),
            Column::Bool(vec![0, 1, 2, 2]),
            Column::Text(texts.clone()),
        ];
        for column in &columns {
            for (shared, rows) in [(false, Taken::Range(0..4)), (true, Taken::Of(&[0, 1, 2, 3]))] {
                let mut block = Vec::new();
                let storage = Storage { is_shared: shared, steps: shared, compresses: !shared };
                put_column(&mut block, &columns[0], &rows, Storage { is_shared: false, ..storage });
                put_column(&mut block, column, &rows, storage);
                let (mut pieces, mut buffer) = (Pieces::new(&block), Vec::new());
                pieces.pass_over().unwrap();
                let raw = pieces.decompress(&mut buffer).unwrap();
                let found = column_of(raw, 4, Some(&texts.dictionary)).unwrap();
                let told = |column: &Column, row: usize| match column {
                    Column::Int(ints) => format!("{:?}", ints.get(row)),
                    other => format!("{:?}", other.slice(row..row + 1)),
                };
                for row in 0..4 {
                    assert_eq!(told(&found, row), told(column, row), "{column:?} {row}");
                }
            }
        }
    }
}

//! Columns of a block of rows as bytes: every column as narrow as its values allow, compressed by itself, so
//! that one which nobody asks for is passed over.
//!
//! A column is its length, its length before compression (the same: it is not compressed), and its bytes.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use lz4_flex::block::{compress, decompress_into};

use crate::expr::column::{NULL_CODE, TRUE};
use crate::expr::{Column, Ints, Texts};

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

/// How a column of a run is kept.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Whether the run keeps the texts of its codes.
    pub is_shared: bool,
    /// Whether compressing it has been worth while so far.
    pub compresses: bool,
}

/// Adds a column at the end of a block; whether it is compressed there.
pub fn put_column(block: &mut Vec<u8>, column: &Column, manner: Manner) -> bool {
    let mut raw = Vec::new();
    match column {
        Column::Int(ints) => {
            raw.push(if ints.valid.is_some() { NULLABLE_INTS } else { INTS });
            put_ints(&mut raw, ints);
        }
        Column::Bool(truths) => {
            raw.push(TRUTHS);
            raw.extend(truths);
        }
        Column::Text(texts) if manner.is_shared => {
            raw.push(SHARED_TEXTS);
            put_codes(&mut raw, &texts.codes);
        }
        Column::Text(texts) => {
            let own: Texts = (0..texts.codes.len()).map(|row| texts.get(row)).collect();
            raw.push(OWN_TEXTS);
            put_texts(&mut raw, &own.dictionary);
            put_codes(&mut raw, &own.codes);
        }
        Column::Wide(_) => unreachable!("no input column is wide"),
    }
    if manner.compresses {
        return put_compressed(block, &raw);
    }
    put_bytes(block, &raw, &raw);
    false
}

/// Adds bytes, compressed where that makes them far fewer; whether it does.
pub fn put_compressed(block: &mut Vec<u8>, raw: &[u8]) -> bool {
    let compressed = compress(raw);
    // What saves little is not worth decompressing.
    let is_worth_it = compressed.len() < raw.len() - raw.len() / 4;
    put_bytes(block, if is_worth_it { &compressed } else { raw }, raw);
    is_worth_it
}

fn put_bytes(block: &mut Vec<u8>, bytes: &[u8], raw: &[u8]) {
    block.extend((bytes.len() as u32).to_le_bytes());
    block.extend((raw.len() as u32).to_le_bytes());
    block.extend(bytes);
}

/// Integers as their distance from the least of them, in as few bytes as the greatest distance needs.
fn put_ints(raw: &mut Vec<u8>, ints: &Ints) {
    let valid = |row: usize| ints.is_valid(row);
    let known = || ints.values.iter().enumerate().filter(|(row, _)| valid(*row)).map(|(_, value)| *value);
    let (least, most) = (known().min().unwrap_or(0), known().max().unwrap_or(0));
    let width = width_of(most.wrapping_sub(least) as u64);
    raw.extend(least.to_le_bytes());
    raw.push(width as u8);
    raw.reserve(width * ints.values.len());
    let distance = |(row, value): (usize, &i64)| {
        if valid(row) { value.wrapping_sub(least) as u64 } else { 0 }
    };
    put_narrow(raw, ints.values.iter().enumerate().map(distance), width);
    if let Some(valid) = &ints.valid {
        raw.extend(valid.iter().map(|valid| u8::from(*valid)));
    }
}

/// Codes one higher than they are, so that null is 0.
fn put_codes(raw: &mut Vec<u8>, codes: &[u32]) {
    let next = |code: &u32| if *code == NULL_CODE { 0 } else { u64::from(*code) + 1 };
    let width = width_of(codes.iter().map(next).max().unwrap_or(0));
    raw.push(width as u8);
    put_narrow(raw, codes.iter().map(next), width);
}

/// Adds how many texts there are, their lengths and themselves.
pub fn put_texts(raw: &mut Vec<u8>, texts: &[Arc<str>]) {
    raw.extend((texts.len() as u32).to_le_bytes());
    texts.iter().for_each(|text| raw.extend((text.len() as u32).to_le_bytes()));
    texts.iter().for_each(|text| raw.extend(text.as_bytes()));
}

fn width_of(most: u64) -> usize {
    match most {
        0 => 0,
        1..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

fn put_narrow(raw: &mut Vec<u8>, values: impl Iterator<Item = u64>, width: usize) {
    match width {
        0 => {}
        1 => raw.extend(values.map(|value| value as u8)),
        2 => raw.extend(values.flat_map(|value| (value as u16).to_le_bytes())),
        4 => raw.extend(values.flat_map(|value| (value as u32).to_le_bytes())),
        _ => raw.extend(values.flat_map(u64::to_le_bytes)),
    }
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

    /// The next piece, decompressed into a buffer that may be used again.
    pub fn decompress<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        let (bytes, raw) = self.next()?;
        if buffer.len() < raw {
            buffer.resize(raw, 0);
        }
        let raw = &mut buffer[..raw];
        if bytes.len() == raw.len() {
            raw.copy_from_slice(bytes);
        } else {
            let written = decompress_into(bytes, raw)?;
            ensure!(written == raw.len(), "a column of {} bytes comes to {written}", raw.len());
        }
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

/// A column of so many rows from its bytes.
pub fn column_of(raw: &[u8], rows: usize, shared: Option<&SharedTexts>) -> Result<Column> {
    let (tag, raw) = raw.split_first().context("a column without a byte")?;
    Ok(match *tag {
        INTS | NULLABLE_INTS => Column::Int(ints_of(raw, rows, *tag == NULLABLE_INTS)?),
        TRUTHS => {
            ensure!(raw.len() == rows && raw.iter().all(|truth| *truth <= TRUE), "truths of {rows} rows");
            Column::Bool(raw.to_vec())
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

fn ints_of(raw: &[u8], rows: usize, is_nullable: bool) -> Result<Ints> {
    let (least, raw) = raw.split_first_chunk().context("integers are cut")?;
    let least = i64::from_le_bytes(*least);
    let (values, valid) = narrow(raw, rows, |distance| least.wrapping_add(distance as i64))?;
    ensure!(valid.len() == if is_nullable { rows } else { 0 }, "nulls of {rows} rows");
    let valid = is_nullable.then(|| valid.iter().map(|valid| *valid != 0).collect());
    Ok(Ints { values, valid })
}

fn coded(raw: &[u8], rows: usize, dictionary: SharedTexts) -> Result<Texts> {
    // Null is 0, and comes to be the greatest code there is.
    let (codes, rest) = narrow(raw, rows, |next| (next as u32).wrapping_sub(1))?;
    let is_known = |code: &u32| *code == NULL_CODE || (*code as usize) < dictionary.len();
    ensure!(rest.is_empty() && codes.iter().all(is_known), "codes of {rows} rows");
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
    let width = usize::from(*width);
    let (bytes, rest) = raw.split_at_checked(width * rows).context("values are cut")?;
    let values = match width {
        0 => (0..rows).map(|_| widen(0)).collect(),
        1 => bytes.iter().map(|byte| widen(u64::from(*byte))).collect(),
        2 => each(bytes, |bytes| widen(u64::from(u16::from_le_bytes(bytes)))),
        4 => each(bytes, |bytes| widen(u64::from(u32::from_le_bytes(bytes)))),
        8 => each(bytes, |bytes| widen(u64::from_le_bytes(bytes))),
        _ => bail!("values of {width} bytes"),
    };
    Ok((values, rest))
}

fn each<const N: usize, T>(bytes: &[u8], widen: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|bytes| widen(*bytes)).collect()
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
            Column::Bool(vec![0, 1, 2, 2]),
            Column::Text(texts.clone()),
        ];
        for column in &columns {
            for shared in [false, true] {
                let mut block = Vec::new();
                let manner = Manner { is_shared: shared, compresses: !shared };
                put_column(&mut block, &columns[0], Manner { is_shared: false, ..manner });
                put_column(&mut block, column, manner);
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

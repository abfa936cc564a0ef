//! How much memory the decoding of a column may take, found out before it begins: checksums and sizes of its
//! pages, what their decompression comes to, how long the texts of a dictionary are.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, Type};
use parquet::column::page::{Page as DecodedPage, PageReader};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use super::chunks::Chunks;
use super::guard::guarded;
use super::pages::{Content, LocatedPage, encodings, for_pages};
use super::thrift::ThriftReader;

/// What the values of a column in one batch may take.
const MOST_BATCH_BYTES: u64 = 256 << 20;

/// What the pages of a chunk say of its texts.
#[derive(Default)]
struct TextSizes {
    /// Bytes of the longest value, or what is known to be more.
    longest: u64,
    /// Bytes of the dictionary, where pages refer to it.
    dictionary: Option<u64>,
    is_referred_to: bool,
    /// Whether text is written by its lengths, for which the reader makes room as they claim.
    has_lengths: bool,
}

/// Looks over the pages of a chunk, which is held, and says how many of its rows may be decoded at a time,
/// at most `most_rows`.
pub fn rows_at_a_time(
    column: &ColumnChunkMetaData,
    rows: i64,
    chunks: &Chunks,
    most_rows: usize,
) -> Result<usize, String> {
    let mut texts = TextSizes::default();
    for_pages(column, rows, &mut |at, _| held(chunks, at), |page| {
        check_bytes(column.compression(), page, chunks)?;
        texts.see(page);
        Ok(())
    })?;
    let longest = match column.column_type() {
        Type::BYTE_ARRAY => {
            if texts.has_lengths {
                check_lengths(column, rows, chunks)?;
            }
            texts.longest(column, rows, chunks, most_rows)?
        }
        Type::FIXED_LEN_BYTE_ARRAY => u64::try_from(column.column_descr().type_length()).unwrap_or(0),
        _ => 0,
    };
    Ok(most_rows.min((MOST_BATCH_BYTES / longest.max(1)).max(1) as usize))
}

/// Looks over the pages of a chunk, which is held, without a thought of decoding them.
pub fn check_pages(column: &ColumnChunkMetaData, rows: i64, chunks: &Chunks) -> Result<(), String> {
    for_pages(column, rows, &mut |at, _| held(chunks, at), |page| {
        check_bytes(column.compression(), page, chunks)
    })
}

/// The bytes that are held from a position on.
fn held(chunks: &Chunks, at: u64) -> Result<Bytes, String> {
    chunks.from(at).map_err(|error| error.to_string())
}

/// The checksum of a page's bytes, if it has one, and what they come to once decompressed. Most
/// decompressors stop at the size in the header; these two do not.
fn check_bytes(compression: Compression, page: &LocatedPage, chunks: &Chunks) -> Result<(), String> {
    /// Gzip makes a thousandth of what compresses best: so few bytes come to nothing large.
    const HARMLESS_GZIP_BYTES: usize = 256 << 10;
    let header = &page.header;
    let bytes = held(chunks, page.start)?;
    let bytes = bytes.get(..header.compressed as usize).ok_or("it lies in no column that is read")?;
    if header.checksum.is_some_and(|checksum| checksum != crc32fast::hash(bytes)) {
        return Err("its checksum does not match: a byte was changed on the way".into());
    }
    if !header.is_compressed || header.content == Content::Index {
        return Ok(());
    }
    let compressed = &bytes[header.levels as usize..];
    let decompressed = (header.uncompressed - header.levels) as u64;
    match compression {
        Compression::GZIP(_) if compressed.len() > HARMLESS_GZIP_BYTES => {
            check_decompressed(flate2::read::MultiGzDecoder::new(compressed), decompressed)
        }
        Compression::BROTLI(_) if decompressed > 0 => {
            const BUFFER_BYTES: usize = 1 << 12;
            check_decompressed(brotli::Decompressor::new(compressed, BUFFER_BYTES), decompressed)
        }
        _ => Ok(()),
    }
}

fn check_decompressed(mut decompressor: impl Read, expected: u64) -> Result<(), String> {
    let copied = std::io::copy(&mut decompressor.by_ref().take(expected + 1), &mut std::io::sink());
    match copied {
        Ok(length) if length > expected => {
            Err(format!("decompressed it takes more than the {expected} bytes that its header says"))
        }
        // What cannot be decompressed is reported by the reader.
        _ => Ok(()),
    }
}

impl TextSizes {
    fn see(&mut self, page: &LocatedPage) {
        let header = &page.header;
        let bytes = header.uncompressed as u64;
        match header.content {
            Content::Index => {}
            Content::Dictionary => self.dictionary = Some(bytes),
            Content::Data { encoding, .. } => {
                self.has_lengths |=
                    matches!(encoding, encodings::DELTA_LENGTH_BYTE_ARRAY | encodings::DELTA_BYTE_ARRAY);
                self.is_referred_to |=
                    matches!(encoding, encodings::PLAIN_DICTIONARY | encodings::RLE_DICTIONARY);
                let longest = match encoding {
                    encodings::PLAIN_DICTIONARY | encodings::RLE_DICTIONARY => 0,
                    // Each may be as long as all before it.
                    encodings::DELTA_BYTE_ARRAY => bytes,
                    _ => bytes / (header.values.max(1) as u64),
                };
                self.longest = self.longest.max(longest);
            }
        }
    }

    /// The dictionary is looked into only if its size alone does not do.
    fn longest(
        &self,
        column: &ColumnChunkMetaData,
        rows: i64,
        chunks: &Chunks,
        most_rows: usize,
    ) -> Result<u64, String> {
        let Some(dictionary) = self.dictionary.filter(|_| self.is_referred_to) else {
            return Ok(self.longest);
        };
        if dictionary * most_rows as u64 <= MOST_BATCH_BYTES {
            return Ok(self.longest.max(dictionary));
        }
        let mut longest = 0;
        for_decoded(column, rows, chunks, |page| {
            if let DecodedPage::DictionaryPage { buf, .. } = page {
                longest = longest_plain(&buf);
            }
            Ok(false)
        })?;
        Ok(self.longest.max(longest))
    }
}

/// The longest of texts that each have their length in front.
fn longest_plain(mut bytes: &[u8]) -> u64 {
    let mut longest = 0;
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length);
        longest = longest.max(length);
        bytes = rest.get(length as usize..).unwrap_or_default();
    }
    u64::from(longest)
}

/// Decodes the pages of a chunk as long as `each` wants more.
fn for_decoded(
    column: &ColumnChunkMetaData,
    rows: i64,
    chunks: &Chunks,
    mut each: impl FnMut(DecodedPage) -> Result<bool, String>,
) -> Result<(), String> {
    guarded(|| {
        let pages = SerializedPageReader::new(Arc::new(chunks.clone()), column, rows as usize, None);
        let mut pages = pages.map_err(|error| error.to_string())?;
        while let Some(page) = pages.get_next_page().map_err(|error| error.to_string())? {
            if !each(page)? {
                break;
            }
        }
        Ok::<_, String>(())
    })
}

/// Text that is written by its lengths begins with how many there are: no more than the page has values.
fn check_lengths(column: &ColumnChunkMetaData, rows: i64, chunks: &Chunks) -> Result<(), String> {
    let has_nulls = column.column_descr().max_def_level() > 0;
    for_decoded(column, rows, chunks, |page| {
        let (encoding, bytes) = match &page {
            DecodedPage::DataPage { buf, encoding, .. } if has_nulls => {
                let levels = buf.first_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length) as usize);
                (*encoding, buf.get(4 + levels..))
            }
            DecodedPage::DataPage { buf, encoding, .. } => (*encoding, Some(&buf[..])),
            DecodedPage::DataPageV2 { buf, encoding, def_levels_byte_len, rep_levels_byte_len, .. } => {
                (*encoding, buf.get((*def_levels_byte_len + *rep_levels_byte_len) as usize..))
            }
            DecodedPage::DictionaryPage { .. } => return Ok(true),
        };
        let (bytes, most) = (bytes.unwrap_or_default(), u64::from(page.num_values()));
        let is_plausible = match encoding {
            Encoding::DELTA_LENGTH_BYTE_ARRAY => packed_end(bytes, most).is_some(),
            Encoding::DELTA_BYTE_ARRAY => {
                let suffixes = packed_end(bytes, most).and_then(|end| bytes.get(end..));
                suffixes.is_some_and(|suffixes| packed_end(suffixes, most).is_some())
            }
            _ => true,
        };
        if is_plausible { Ok(true) } else { Err("the lengths of its texts are damaged".into()) }
    })
}

/// Where delta-packed integers end, of which there may be so many.
fn packed_end(bytes: &[u8], most: u64) -> Option<usize> {
    let mut reader = ThriftReader::new(bytes);
    let block = reader.unsigned().ok()?;
    let parts = reader.unsigned().ok()?;
    let count = reader.unsigned().ok()?;
    let _first = reader.unsigned().ok()?;
    let of_part = block.checked_div(parts)?;
    if count > most || of_part == 0 || of_part % 32 != 0 || parts > bytes.len() as u64 {
        return None;
    }
    let mut left = count.saturating_sub(1);
    while left > 0 {
        reader.unsigned().ok()?;
        let widths = bytes.get(reader.position()..)?.get(..parts as usize)?;
        let mut length = parts;
        for width in widths {
            let used = if left == 0 { 0 } else { u64::from(*width) };
            length = length.checked_add(used.checked_mul(of_part)? / 8)?;
            left = left.saturating_sub(of_part);
        }
        reader.skip_bytes(length).ok()?;
    }
    Some(reader.position())
}

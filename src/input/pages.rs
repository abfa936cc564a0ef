//! The pages of a column chunk: their headers, looked over before a page is decoded, so that neither counts
//! nor sizes are believed that the bytes do not bear out.

use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::footer::column_name;
use super::handle::Handle;
use super::thrift::{Broken, ThriftReader, Wire};

/// A page may take so much memory once it is decompressed. Writers cut pages at about a megabyte.
const MOST_PAGE_BYTES: i64 = 256 << 20;

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The values that data pages refer to by number.
    Dictionary,
    /// Values, or references to a dictionary.
    Data {
        /// Levels and values compressed together, or levels apart.
        version: u8,
        /// How they are written, by its number in the format.
        encoding: i64,
    },
    /// Nothing that is read.
    Index,
}

/// A page's header.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// What the page holds.
    pub content: Content,
    /// Nulls among them.
    pub values: i64,
    /// Bytes in the file.
    pub compressed: i64,
    /// Bytes once decompressed.
    pub uncompressed: i64,
    /// Bytes of levels, which are not compressed in pages of version 2.
    pub levels: i64,
    /// Whether the values are compressed, if those of the column are.
    pub is_compressed: bool,
    /// The checksum of its bytes in the file, if it has one.
    pub checksum: Option<u32>,
}

/// A page of a chunk.
#[derive(Debug, Clone, Copy)]
pub struct LocatedPage {
    /// Its header.
    pub header: Header,
    /// Where its bytes begin, in the file.
    pub start: u64,
}

/// The encodings that are treated unlike others, by their number in the format.
pub mod encodings {
    /// References to a dictionary, under its old name.
    pub const PLAIN_DICTIONARY: i64 = 2;
    /// Lengths, then all text.
    pub const DELTA_LENGTH_BYTE_ARRAY: i64 = 6;
    /// Text by what it shares with the one before.
    pub const DELTA_BYTE_ARRAY: i64 = 7;
    /// References to a dictionary.
    pub const RLE_DICTIONARY: i64 = 8;
}

impl Header {
    /// Reads a header at the beginning of some bytes, and says how many it takes; `None` where they end
    /// within it.
    fn read(bytes: &[u8]) -> Result<Option<(Header, usize)>, Broken> {
        let mut reader = ThriftReader::new(bytes);
        let mut raw = RawHeader::default();
        let read = reader.fields(&mut |header, field, wire| raw.take(header, field, wire));
        match read {
            Ok(()) => Ok(Some((raw.check()?, reader.position()))),
            Err(_) if reader.is_at_end() => Ok(None),
            Err(broken) => Err(broken),
        }
    }
}

/// A header's fields as they come.
#[derive(Default)]
struct RawHeader {
    kind: Option<i64>,
    compressed: Option<i64>,
    uncompressed: Option<i64>,
    checksum: Option<u32>,
    values: Option<i64>,
    encoding: i64,
    levels: i64,
    is_plain: bool,
}

impl RawHeader {
    fn take(&mut self, header: &mut ThriftReader, field: i64, wire: Wire) -> Result<bool, Broken> {
        match (field, wire) {
            (1, Wire::Int) => self.kind = Some(header.int()?),
            (2, Wire::Int) => self.uncompressed = Some(header.int()?),
            (3, Wire::Int) => self.compressed = Some(header.int()?),
            (4, Wire::Int) => self.checksum = Some(header.int()? as u32),
            (5 | 7, Wire::Struct) => header.fields(&mut |own, field, wire| match (field, wire) {
                (1, Wire::Int) => own.int().map(|values| self.values = Some(values)).map(|()| true),
                (2, Wire::Int) => own.int().map(|encoding| self.encoding = encoding).map(|()| true),
                (1 | 2, _) => Err("it holds a value of another type than it should"),
                _ => Ok(false),
            })?,
            (8, Wire::Struct) => header.fields(&mut |own, field, wire| {
                match (field, wire) {
                    (1, Wire::Int) => self.values = Some(own.int()?),
                    (4, Wire::Int) => self.encoding = own.int()?,
                    (5 | 6, Wire::Int) => {
                        let bytes = Some(own.int()?).filter(|bytes| (0..=MOST_PAGE_BYTES).contains(bytes));
                        self.levels += bytes.ok_or("its levels have a size that cannot be")?;
                    }
                    (7, Wire::Bool(is_compressed)) => self.is_plain = !is_compressed,
                    (1 | 4..=7, _) => return Err("it holds a value of another type than it should"),
                    _ => return Ok(false),
                }
                Ok(true)
            })?,
            (1..=5 | 7 | 8, _) => return Err("it holds a value of another type than it should"),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn check(self) -> Result<Header, Broken> {
        let missing = "a field that every page has is missing";
        let encoding = self.encoding;
        let content = match self.kind.ok_or(missing)? {
            0 => Content::Data { version: 1, encoding },
            1 => Content::Index,
            2 => Content::Dictionary,
            3 => Content::Data { version: 2, encoding },
            _ => return Err("it is of a kind that there is not"),
        };
        let values = if content == Content::Index { 0 } else { self.values.ok_or(missing)? };
        let (compressed, uncompressed) = (self.compressed.ok_or(missing)?, self.uncompressed.ok_or(missing)?);
        if ![values, compressed, uncompressed].iter().all(|count| (0..=i64::from(i32::MAX)).contains(count)) {
            return Err("it has a size or a count that cannot be");
        }
        if self.levels > uncompressed || self.levels > compressed {
            return Err("its levels are larger than the page");
        }
        let (levels, checksum, is_compressed) = (self.levels, self.checksum, !self.is_plain);
        Ok(Header { content, values, compressed, uncompressed, levels, is_compressed, checksum })
    }
}

/// Bytes of a chunk from a position on, about as many as asked for, as long as the chunk has some.
pub type Fetch<'a> = dyn FnMut(u64, usize) -> Result<bytes::Bytes, String> + 'a;

/// Looks at every page of a chunk in turn. They must hold as many values as the footer says.
pub fn for_pages(
    column: &ColumnChunkMetaData,
    rows: i64,
    fetch: &mut Fetch,
    mut each: impl FnMut(&LocatedPage) -> Result<(), String>,
) -> Result<(), String> {
    let (start, length) = column.byte_range();
    let end = start + length;
    let (mut at, mut number, mut values) = (start, 0, 0_i64);
    while at < end {
        let page = locate_page(column, at, end, fetch).and_then(|page| each(&page).map(|()| page));
        let LocatedPage { header, start } = page.map_err(|what| format!("page {number}: {what}"))?;
        if matches!(header.content, Content::Data { .. }) {
            values += header.values;
        }
        at = start + header.compressed as u64;
        number += 1;
    }
    let expected = column.num_values();
    if values == expected {
        return Ok(());
    }
    // Of a column without repetition, values are rows.
    let what = if expected == rows { "rows" } else { "values" };
    Err(format!("its pages hold {values} {what}, and the footer says {expected}"))
}

/// The page whose header begins at an offset, within a chunk that has an end.
fn locate_page(
    column: &ColumnChunkMetaData,
    at: u64,
    end: u64,
    fetch: &mut Fetch,
) -> Result<LocatedPage, String> {
    let (header, length) = read_header(at, end, fetch)?;
    let start = at + length as u64;
    if header.uncompressed > MOST_PAGE_BYTES {
        let bytes = header.uncompressed;
        return Err(format!(
            "it takes {bytes} bytes once it is decompressed, and pages of more than 256 MB are not read"
        ));
    }
    if header.compressed as u64 > end - start {
        return Err(format!("its {} bytes do not lie within its column's", header.compressed));
    }
    if header.content == Content::Dictionary {
        check_dictionary(column, &header)?;
    }
    Ok(LocatedPage { header, start })
}

fn read_header(at: u64, end: u64, fetch: &mut Fetch) -> Result<(Header, usize), String> {
    const A_HEADER: usize = 256;
    let most = usize::try_from(end - at).unwrap_or(usize::MAX);
    let mut wanted = A_HEADER.min(most);
    loop {
        let bytes = fetch(at, wanted)?;
        let read = Header::read(&bytes).map_err(|broken| format!("its header is damaged: {broken}"))?;
        match read {
            Some(read) => return Ok(read),
            None if bytes.len() >= most || wanted >= most => {
                return Err("its header is damaged: it ends too early".into());
            }
            None => wanted = wanted.saturating_mul(16).min(most),
        }
    }
}

/// The reader makes room for as many values as the header says.
fn check_dictionary(column: &ColumnChunkMetaData, header: &Header) -> Result<(), String> {
    use parquet::basic::Type;
    let width = match column.column_type() {
        Type::BOOLEAN => 1,
        Type::INT32 | Type::FLOAT | Type::BYTE_ARRAY => 4,
        Type::INT64 | Type::DOUBLE => 8,
        Type::INT96 => 12,
        Type::FIXED_LEN_BYTE_ARRAY => i64::from(column.column_descr().type_length()).max(1),
    };
    let (values, bytes) = (header.values, header.uncompressed);
    if values.checked_mul(width).is_none_or(|needed| needed > bytes) {
        return Err(format!("a dictionary of {bytes} bytes does not hold {values} values"));
    }
    Ok(())
}

/// Counts the rows in the headers of all pages of a file: what the footer says of them is borne out, also
/// where nobody wants the columns.
pub fn check_rows(handle: &Handle, metadata: &ParquetMetaData) -> Result<(), String> {
    for (number, group) in metadata.row_groups().iter().enumerate() {
        for column in group.columns() {
            for_pages(column, group.num_rows(), &mut |at, length| read_bytes(handle, at, length), |_| Ok(()))
                .map_err(|what| format!("column {}, row group {number}, {what}", column_name(column)))?;
        }
    }
    Ok(())
}

/// Likewise, chunk by chunk as they lie in the file.
pub fn check_rows_in_order(metadata: &ParquetMetaData, fetch: &mut Fetch) -> Result<(), String> {
    let groups = metadata.row_groups().iter().enumerate();
    let mut columns: Vec<(usize, i64, &ColumnChunkMetaData)> = groups
        .flat_map(|(number, group)| {
            group.columns().iter().map(move |column| (number, group.num_rows(), column))
        })
        .collect();
    columns.sort_by_key(|(.., column)| column.byte_range().0);
    for (number, rows, column) in columns {
        for_pages(column, rows, fetch, |_| Ok(()))
            .map_err(|what| format!("column {}, row group {number}, {what}", column_name(column)))?;
    }
    Ok(())
}

fn read_bytes(handle: &Handle, at: u64, length: usize) -> Result<bytes::Bytes, String> {
    handle.read_at(at, length).map(bytes::Bytes::from).map_err(|error| error.to_string())
}

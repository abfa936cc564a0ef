//! A Parquet file's footer: read, and believed only as far as the file bears it out.

use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};

use super::guard::guarded;
use super::handle::Handle;
use super::thrift::{Broken, ThriftReader, Wire};

/// The metadata's length and the magic number.
const TAIL_BYTES: u64 = 8;

/// What is read of an object's end before its footer's length is known.
const GUESSED_BYTES: u64 = 64 << 10;

/// Footers of tens of thousands of columns and row groups stay below it; a reader may take thirty times
/// as much memory.
const MOST_FOOTER_BYTES: u64 = 64 << 20;

/// Groups within groups; a table of rows has none.
const MOST_SCHEMA_DEPTH: usize = 64;

/// Columns, groups of columns among them.
const MOST_COLUMNS: usize = 100_000;

/// Rows of a row group are numbered in 32 bits.
const MOST_ROW_GROUP_ROWS: i64 = u32::MAX as i64;

/// Reads a file's footer. `Err` is what is wrong with it, in words that follow `cannot be read:`.
pub fn read(handle: &Handle) -> Result<ParquetMetaData, String> {
    let size = handle.stamp().size;
    let before_tail = size.checked_sub(TAIL_BYTES).ok_or_else(|| no_footer(size))?;
    // Of an object so much is read at once that most footers are in it.
    let ending = if handle.is_object() { size.min(GUESSED_BYTES) } else { TAIL_BYTES };
    let ending = handle.read_at(size - ending, ending as usize).map_err(|error| error.to_string())?;
    let (length, magic) = ending[ending.len() - TAIL_BYTES as usize..].split_at(4);
    match magic {
        b"PAR1" => {}
        b"PARE" => return Err("its footer is encrypted".into()),
        _ => return Err(no_footer(size)),
    }
    let length = u64::from(u32::from_le_bytes(length.try_into().expect("4 bytes")));
    let start = before_tail.checked_sub(length).ok_or_else(|| no_footer(size))?;
    if length > MOST_FOOTER_BYTES {
        return Err(format!("its footer takes {length} bytes, and at most {MOST_FOOTER_BYTES} are read"));
    }
    let bytes = match (size - start).try_into().ok().and_then(|back| ending.len().checked_sub(back)) {
        Some(first) => ending[first..][..length as usize].to_vec(),
        None => handle.read_at(start, length as usize).map_err(|error| error.to_string())?,
    };
    check_structure(&bytes).map_err(|broken| format!("its footer is damaged: {broken}"))?;
    let metadata = guarded(|| ParquetMetaDataReader::decode_metadata(&bytes))?;
    let metadata = guarded(|| Ok::<_, String>(without_absent_dictionaries(metadata)))?;
    check_claims(&metadata, start)?;
    Ok(metadata)
}

fn no_footer(size: u64) -> String {
    format!("its {size} bytes do not end in a Parquet footer")
}

/// Looks the footer over before anything is made of it: the reader would allocate as much as it claims, and
/// descend into the schema without end.
fn check_structure(footer: &[u8]) -> Result<(), Broken> {
    let mut has_schema = false;
    ThriftReader::new(footer).fields(&mut |footer, field, wire| {
        let expected = match field {
            1 | 3 => Wire::Int,
            2 | 4 | 5 | 7 => Wire::List,
            6 => Wire::Binary,
            _ => return Ok(false),
        };
        expect(wire, expected)?;
        if field == 2 {
            has_schema = true;
            check_schema(footer)?;
        }
        Ok(field == 2)
    })?;
    if has_schema { Ok(()) } else { Err("it holds no schema") }
}

fn expect(found: Wire, expected: Wire) -> Result<(), Broken> {
    if found == expected { Ok(()) } else { Err("it holds a value of another type than it should") }
}

/// The schema is a tree in a list: each element is followed by as many children as it says.
fn check_schema(footer: &mut ThriftReader) -> Result<(), Broken> {
    let mut columns = 0;
    // How many children are still to come, from the root down.
    let mut open: Vec<u64> = vec![1];
    footer.structs(&mut |element| {
        let mut children = 0;
        element.fields(&mut |element, field, wire| {
            let expected = match field {
                1..=3 | 5..=9 => Wire::Int,
                4 => Wire::Binary,
                10 => Wire::Struct,
                _ => return Ok(false),
            };
            expect(wire, expected)?;
            if field == 5 {
                children =
                    u64::try_from(element.int()?).map_err(|_| "a column has fewer than no children")?;
            }
            Ok(field == 5)
        })?;
        columns += 1;
        while open.last() == Some(&0) {
            open.pop();
        }
        *open.last_mut().ok_or("its schema has more columns than it says")? -= 1;
        if children > 0 {
            open.push(children);
        }
        if columns > MOST_COLUMNS {
            return Err("its schema has more than 100,000 columns");
        }
        if open.len() > MOST_SCHEMA_DEPTH {
            return Err("its schema is nested more than 64 deep");
        }
        Ok(())
    })?;
    let is_whole = columns > 0 && open.iter().all(|children| *children == 0);
    if is_whole { Ok(()) } else { Err("its schema has fewer columns than it says") }
}

/// The metadata without the dictionaries that old writers name where there is none.
fn without_absent_dictionaries(metadata: ParquetMetaData) -> ParquetMetaData {
    if !metadata.row_groups().iter().any(|group| group.columns().iter().any(has_absent_dictionary)) {
        return metadata;
    }
    let mut builder = metadata.clone().into_builder();
    let groups = builder.take_row_groups().into_iter().map(mended_row_group);
    let groups: parquet::errors::Result<Vec<_>> = groups.collect();
    groups.map_or(metadata, |groups| builder.set_row_groups(groups).build())
}

/// Whether the dictionary of a column is said to lie where none can: at 0, or behind the data.
fn has_absent_dictionary(column: &ColumnChunkMetaData) -> bool {
    // Without rows there may be a dictionary and no data, at an offset that is not said.
    let data = Some(column.data_page_offset()).filter(|data| *data > 0);
    let dictionary = column.dictionary_page_offset();
    dictionary.is_some_and(|offset| offset == 0 || data.is_some_and(|data| offset >= data))
}

fn mended_row_group(group: RowGroupMetaData) -> parquet::errors::Result<RowGroupMetaData> {
    let mut group = group.into_builder();
    let mut columns = Vec::new();
    for column in group.take_columns() {
        columns.push(if has_absent_dictionary(&column) {
            column.into_builder().set_dictionary_page_offset(None).build()?
        } else {
            column
        });
    }
    group.set_column_metadata(columns).build()
}

/// Checks that offsets and sizes lie before the footer, and that counts of rows agree with each other.
fn check_claims(metadata: &ParquetMetaData, size: u64) -> Result<(), String> {
    let rows_in_all = metadata.file_metadata().num_rows();
    let mut rows_in_groups = 0_i64;
    let mut bytes = 0_u64;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let rows = group.num_rows();
        if !(0..=MOST_ROW_GROUP_ROWS).contains(&rows) {
            return Err(format!("its footer says that row group {number} holds {rows} rows"));
        }
        rows_in_groups += rows;
        for column in group.columns() {
            check_column(column, rows, size)
                .map_err(|what| format!("column {}, row group {number}: {what}", column_name(column)))?;
            bytes += column.byte_range().1;
        }
    }
    if bytes > size {
        return Err(format!(
            "its footer says that its columns take {bytes} bytes, and there are {size} before it"
        ));
    }
    if rows_in_all != rows_in_groups {
        return Err(format!(
            "its footer says {rows_in_all} rows in all and {rows_in_groups} rows in its row groups"
        ));
    }
    Ok(())
}

fn check_column(column: &ColumnChunkMetaData, rows: i64, size: u64) -> Result<(), String> {
    if let Some(path) = column.file_path() {
        return Err(format!("its pages lie in another file, {}", path.escape_debug()));
    }
    let data = column.data_page_offset();
    let start = column.dictionary_page_offset().filter(|_| data >= 0).unwrap_or(data);
    let length = column.compressed_size();
    if !is_within(start, length, size) || column.uncompressed_size() < 0 {
        return Err(format!(
            "its {length} bytes from {start} do not lie within the {size} before the footer"
        ));
    }
    // A column that repeats within rows is checked by its pages.
    let values = column.num_values();
    if values < 0 || column.column_descr().max_rep_level() == 0 && values != rows {
        return Err(format!("the footer says {values} values and {rows} rows"));
    }
    Ok(())
}

/// Whether bytes lie within the first `size` ones.
fn is_within(start: i64, length: i64, size: u64) -> bool {
    let (Ok(start), Ok(length)) = (u64::try_from(start), u64::try_from(length)) else { return false };
    start.checked_add(length).is_some_and(|end| end <= size)
}

/// What a column is called, a group's columns with the group's name in front; nothing in it moves a
/// terminal.
pub fn column_name(column: &ColumnChunkMetaData) -> String {
    column.column_path().string().escape_debug().to_string()
}

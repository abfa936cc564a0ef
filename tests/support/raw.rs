//! Parquet files written column by column, in types and with annotations that arrow does not write.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
    Int64Type, Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::{Cell, Table};

/// A column's values as Parquet stores them.
#[derive(Clone)]
pub enum Raw {
    Bool(Vec<Option<bool>>),
    Int32(Vec<Option<i32>>),
    Int64(Vec<Option<i64>>),
    /// Julian day and nanoseconds of the day.
    Int96(Vec<Option<(u32, u64)>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Fixed(Vec<Option<Vec<u8>>>),
}

/// A column: its type and annotation as a schema writes them, and its values.
#[derive(Clone)]
pub struct RawColumn {
    pub name: String,
    pub kind: String,
    pub annotation: String,
    pub values: Raw,
}

impl RawColumn {
    pub fn new(name: &str, kind: &str, annotation: &str, values: Raw) -> RawColumn {
        RawColumn { name: name.into(), kind: kind.into(), annotation: annotation.into(), values }
    }

    /// A column of a table as it is usually stored.
    pub fn of(table: &Table, name: &str) -> RawColumn {
        let cells = table.column(name);
        let place = table.columns.iter().position(|(known, _)| known == name).unwrap();
        let ints = || cells.iter().map(|cell| if let Cell::Int(int) = cell { Some(*int) } else { None });
        let texts = || {
            cells
                .iter()
                .map(|cell| if let Cell::Text(text) = cell { Some(text.clone().into_bytes()) } else { None })
        };
        let days = || cells.iter().map(|cell| if let Cell::Date(day) = cell { Some(day.0) } else { None });
        let truths =
            || cells.iter().map(|cell| if let Cell::Bool(truth) = cell { Some(*truth) } else { None });
        match table.columns[place].1 {
            arrow_schema::DataType::Int64 => RawColumn::new(name, "INT64", "", Raw::Int64(ints().collect())),
            arrow_schema::DataType::Date32 => {
                RawColumn::new(name, "INT32", "(DATE)", Raw::Int32(days().collect()))
            }
            arrow_schema::DataType::Boolean => {
                RawColumn::new(name, "BOOLEAN", "", Raw::Bool(truths().collect()))
            }
            _ => RawColumn::new(name, "BYTE_ARRAY", "(UTF8)", Raw::Bytes(texts().collect())),
        }
    }
}

/// Writes one row group.
pub fn write_raw(path: &Path, columns: &[RawColumn], properties: WriterProperties) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let fields = columns.iter().map(|column| {
        let RawColumn { name, kind, annotation, .. } = column;
        format!("optional {kind} {name} {annotation};")
    });
    let message = format!("message rows {{ {} }}", fields.collect::<String>());
    let schema = Arc::new(parse_message_type(&message).unwrap_or_else(|error| panic!("{message}: {error}")));
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for column in columns {
        match &column.values {
            Raw::Bool(values) => write::<BoolType>(&mut group, values.to_vec()),
            Raw::Int32(values) => write::<Int32Type>(&mut group, values.to_vec()),
            Raw::Int64(values) => write::<Int64Type>(&mut group, values.to_vec()),
            Raw::Int96(values) => {
                let value = |(day, nanos): (u32, u64)| {
                    let mut value = Int96::new();
                    value.set_data(nanos as u32, (nanos >> 32) as u32, day);
                    value
                };
                write::<Int96Type>(&mut group, values.iter().map(|v| v.map(value)).collect());
            }
            Raw::Bytes(values) => {
                let value = |bytes: &Vec<u8>| ByteArray::from(bytes.clone());
                write::<ByteArrayType>(&mut group, values.iter().map(|v| v.as_ref().map(value)).collect());
            }
            Raw::Fixed(values) => {
                let value = |bytes: &Vec<u8>| FixedLenByteArray::from(bytes.clone());
                write::<FixedLenByteArrayType>(
                    &mut group,
                    values.iter().map(|v| v.as_ref().map(value)).collect(),
                );
            }
        }
    }
    group.close().unwrap();
    writer.close().unwrap();
}

fn write<T: DataType>(group: &mut SerializedRowGroupWriter<File>, values: Vec<Option<T::T>>) {
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let values: Vec<T::T> = values.into_iter().flatten().collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(&values, Some(&levels), None).unwrap();
    column.close().unwrap();
}

/// An integer's bytes, most significant first, at some width.
pub fn big_endian(value: i128, width: usize) -> Vec<u8> {
    let sign = if value < 0 { 0xff } else { 0 };
    let bytes = value.to_be_bytes();
    match width.checked_sub(bytes.len()) {
        Some(more) => std::iter::repeat_n(sign, more).chain(bytes).collect(),
        None => bytes[bytes.len() - width..].to_vec(),
    }
}

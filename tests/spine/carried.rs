//! The spine's own columns: of any type, in their order, as they were.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal256Array, FixedSizeBinaryArray, Float64Array,
    Int64Array, LargeStringArray, NullArray, RecordBatch, StringArray, StructArray, Time64MicrosecondArray,
    TimestampNanosecondArray, UInt64Array,
};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::features_in;
use crate::support::book::{Book, TODAY, YESTERDAY};
use crate::support::{Cell, day};

/// The names and types of a file's columns.
pub fn schema(path: &Path) -> Vec<(String, DataType)> {
    let fields = builder(path).schema().fields().clone();
    fields.iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

fn builder(path: &Path) -> ParquetRecordBatchReaderBuilder<File> {
    ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap()
}

/// All rows of a file.
fn rows(path: &Path) -> RecordBatch {
    let builder = builder(path);
    let schema = builder.schema().clone();
    let mut batches = builder.with_batch_size(1 << 20).build().unwrap();
    let rows = batches.next().map_or_else(|| RecordBatch::new_empty(schema), Result::unwrap);
    assert!(batches.next().is_none());
    rows
}

/// Fails where an output does not begin with the spine's columns, every value and null of them.
pub fn assert_carried(spine: &Path, out: &Path) {
    let (spine, out) = (rows(spine), rows(out));
    assert_eq!(spine.num_rows(), out.num_rows());
    for (place, column) in spine.columns().iter().enumerate() {
        assert_eq!(spine.schema().field(place), out.schema().field(place));
        assert_eq!(column, out.column(place), "{}", spine.schema().field(place).name());
    }
}

/// A column of each of many types, of `rows` rows with nulls among them.
fn odd_columns(rows: usize) -> Vec<(&'static str, ArrayRef)> {
    let numbers = || (0..rows as i64).map(|row| (row % 5 != 3).then_some(row * 1_000_003 - 7));
    let texts: Vec<Option<String>> = numbers().map(|value| value.map(|v| format!("é{v}"))).collect();
    let mut codes = StringDictionaryBuilder::<Int8Type>::new();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for (row, text) in texts.iter().enumerate() {
        codes.append_option(text.as_ref().map(|_| ["low", "high"][row % 2]));
        (0..row % 3).for_each(|_| lists.values().append_option(text.as_deref()));
        lists.append(row % 4 != 1);
    }
    let floats = numbers().map(|value| value.map(|v| if v % 2 == 0 { f64::NAN } else { v as f64 / 3.0 }));
    let bytes: Vec<Option<&[u8]>> =
        numbers().map(|value| value.map(|v| if v % 2 == 0 { &b"\xff\xfe\x00"[..] } else { b"" })).collect();
    let fixed = numbers().map(|value| value.map(i64::to_le_bytes));
    let wide = numbers().map(|value| value.map(i256::from));
    let ints: ArrayRef = Arc::new(numbers().collect::<Int64Array>());
    let inner = Arc::new(Field::new("inner", DataType::Int64, true));
    let instants = numbers().collect::<TimestampNanosecondArray>().with_timezone("Asia/Shanghai");
    vec![
        ("large", Arc::new(texts.iter().map(Option::as_deref).collect::<LargeStringArray>())),
        ("code", Arc::new(codes.finish())),
        ("list", Arc::new(lists.finish())),
        ("float", Arc::new(floats.collect::<Float64Array>())),
        ("bytes", Arc::new(bytes.into_iter().collect::<BinaryArray>())),
        ("fixed", Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(fixed, 8).unwrap())),
        ("wide", Arc::new(wide.collect::<Decimal256Array>().with_precision_and_scale(60, 7).unwrap())),
        ("record", Arc::new(StructArray::from(vec![(inner, ints.clone())]))),
        ("instant", Arc::new(instants)),
        ("time", Arc::new(numbers().map(|v| v.map(|v| v % 1000 + 7)).collect::<Time64MicrosecondArray>())),
        ("unsigned", Arc::new(numbers().map(|v| v.map(|v| u64::MAX - v as u64)).collect::<UInt64Array>())),
        ("truth", Arc::new(numbers().map(|v| v.map(|v| v % 2 == 0)).collect::<BooleanArray>())),
        ("nothing", Arc::new(NullArray::new(rows))),
        ("Account_Id ", ints),
    ]
}

/// Writes a spine of so many rows over the plain book, with odd columns before, between and after its own.
fn write_odd(path: &Path, rows: usize, row_group_rows: usize) {
    let mut columns = odd_columns(rows);
    let accounts = (0..rows as i64).map(|row| [Some(3), Some(1), None, Some(2), Some(77)][row as usize % 5]);
    let days = (0..rows).map(|row| if row % 7 == 0 { YESTERDAY } else { TODAY });
    columns.insert(2, ("account_id", Arc::new(accounts.collect::<Int64Array>())));
    columns.insert(6, ("as_of", Arc::new(days.map(|text| Some(day(text).0)).collect::<Date32Array>())));
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(row_group_rows))
        .set_key_value_metadata(Some(vec![KeyValue::new("pandas".to_string(), "{}".to_string())]));
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn columns_of_any_type_come_out_as_they_were() {
    let book = Book::new();
    let [spine, out] = ["spine.parquet", "out.parquet"].map(|name| book.path().join(name));
    for (rows, row_group_rows) in [(1, 10), (40, 7), (40, 1000), (3, 1)] {
        write_odd(&spine, rows, row_group_rows);
        let table = features_in(book.path(), "job.toml", &[]);
        assert_carried(&spine, &out);
        let left_out = |row: usize| match (row % 5, row % 7) {
            (2, _) => Cell::from("missing_account"),
            (_, 0) => "no_snapshot".into(),
            (4, _) => "no_line".into(),
            _ => Cell::Null,
        };
        assert_eq!(table.column("left_out"), (0..rows).map(left_out).collect::<Vec<_>>());
        let of_pandas = |path: &Path| {
            let metadata = builder(path).metadata().clone();
            let entries = metadata.file_metadata().key_value_metadata().unwrap().clone();
            entries.into_iter().find(|entry| entry.key == "pandas")
        };
        assert!(of_pandas(&out).is_some() && of_pandas(&out) == of_pandas(&spine));
    }
}

/// Nobody need have told the types to Arrow.
#[test]
fn a_spine_without_arrow_s_note_of_types_has_none_afterwards() {
    let book = Book::new();
    let [spine, out] = ["spine.parquet", "out.parquet"].map(|name| book.path().join(name));
    let schema = Arc::new(Schema::new(vec![
        Field::new("account_id", DataType::Int64, false),
        Field::new("as_of", DataType::Date32, false),
        Field::new("text", DataType::Utf8, false),
    ]));
    let options = parquet::arrow::arrow_writer::ArrowWriterOptions::new().with_skip_arrow_metadata(true);
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1])),
        Arc::new(Date32Array::from(vec![day(TODAY).0])),
        Arc::new(StringArray::from(vec!["x"])),
    ];
    let batch = RecordBatch::try_new(schema.clone(), arrays).unwrap();
    let mut writer =
        ArrowWriter::try_new_with_options(File::create(&spine).unwrap(), schema, options).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    features_in(book.path(), "job.toml", &[]);
    assert_carried(&spine, &out);
    assert!(builder(&out).metadata().file_metadata().key_value_metadata().is_none());
}

#[test]
fn an_empty_spine_has_an_empty_answer() {
    let book = Book::new();
    let [spine, out] = ["spine.parquet", "out.parquet"].map(|name| book.path().join(name));
    write_odd(&spine, 0, 10);
    let empty = features_in(book.path(), "job.toml", &[]);
    assert!(empty.rows.is_empty());
    assert_carried(&spine, &out);
    write_odd(&spine, 2, 10);
    assert_eq!(features_in(book.path(), "job.toml", &[]).columns, empty.columns);
}

#[test]
fn threads_change_no_byte() {
    let book = Book::new();
    write_odd(&book.path().join("spine.parquet"), 5000, 1700);
    let bytes = ["1", "8"].map(|threads| {
        features_in(book.path(), "job.toml", &["--threads", threads]);
        fs::read(book.path().join("out.parquet")).unwrap()
    });
    assert!(bytes[0] == bytes[1]);
}

#[test]
fn what_is_printed_counts_the_rows_that_are_left_out() {
    let book = Book::new();
    write_odd(&book.path().join("spine.parquet"), 10, 10);
    let args = ["features", "job.toml", "--spine", "spine.parquet", "--out", "out.parquet"];
    let (code, stdout, stderr) = book.outcome(&args);
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout);
    let (code, stdout, _) = book.outcome(&[&args[..], &["--json", "--scores"]].concat());
    assert_eq!(code, 0);
    insta::assert_snapshot!(stdout);
}

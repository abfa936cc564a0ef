//! Files of every type of column: as cells and as keys, against themselves and against another.

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, DictionaryArray,
    FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array, Int64Array, LargeStringArray, NullArray,
    RecordBatch, StringArray, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, UInt32Array,
};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field};

use super::{diff_json, int};
use crate::support::book::write_arrays;
use crate::support::outcome_in;

fn array(array: impl arrow_array::Array + 'static) -> ArrayRef {
    Arc::new(array)
}

fn decimals(values: &[i128], digits: u8, places: i8) -> ArrayRef {
    array(Decimal128Array::from(values.to_vec()).with_precision_and_scale(digits, places).unwrap())
}

fn wide_decimals(values: &[i64]) -> ArrayRef {
    let values = values
        .iter()
        .map(|value| Some(i256::from_i128((*value).into()).wrapping_mul(i256::from_i128(10_i128.pow(38)))));
    array(Decimal256Array::from_iter(values).with_precision_and_scale(70, 2).unwrap())
}

fn lists(rows: &[Option<&[Option<i64>]>]) -> ArrayRef {
    let mut builder = ListBuilder::new(Int64Builder::new());
    for row in rows {
        row.iter().flat_map(|row| row.iter()).for_each(|value| builder.values().append_option(*value));
        builder.append(row.is_some());
    }
    array(builder.finish())
}

fn maps(rows: &[&[(&str, i64)]]) -> ArrayRef {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for row in rows {
        for (key, value) in *row {
            builder.keys().append_value(key);
            builder.values().append_value(*value);
        }
        builder.append(true).unwrap();
    }
    array(builder.finish())
}

fn structs(names: [&str; 3], places: ArrayRef) -> ArrayRef {
    let field = |name: &str, kind: &DataType| Arc::new(Field::new(name, kind.clone(), true));
    let places_kind = places.data_type().clone();
    array(StructArray::from(vec![
        (field("name", &DataType::Utf8), array(StringArray::from(names.to_vec()))),
        (field("place", &places_kind), places),
    ]))
}

/// By type: three values, ascending where they have an order; and others of the same type.
fn columns() -> Vec<(&'static str, ArrayRef, ArrayRef)> {
    let bytes = |rows: [&[u8]; 3]| array(BinaryArray::from(rows.to_vec()));
    let fixed = |rows: [[u8; 4]; 3]| array(FixedSizeBinaryArray::try_from_iter(rows.into_iter()).unwrap());
    let dictionary = |rows: [&str; 3]| array(rows.into_iter().collect::<DictionaryArray<Int32Type>>());
    let instants = |rows: [i64; 3], zone: Option<&str>| {
        array(TimestampMicrosecondArray::from(rows.to_vec()).with_timezone_opt(zone))
    };
    let ints = |rows: [i64; 3]| array(Int64Array::from(rows.to_vec()));
    vec![
        ("int8", array(Int8Array::from(vec![-128, 0, 127])), array(Int8Array::from(vec![-128, 1, 127]))),
        ("int64", ints([i64::MIN, 0, i64::MAX]), ints([i64::MIN, 1, i64::MAX])),
        (
            "uint32",
            array(UInt32Array::from(vec![0, 5, u32::MAX])),
            array(UInt32Array::from(vec![0, 6, u32::MAX])),
        ),
        (
            "text",
            array(StringArray::from(vec!["B", "a", "ü"])),
            array(StringArray::from(vec!["B", "b", "ü"])),
        ),
        (
            "large text",
            array(LargeStringArray::from(vec!["B", "a", "ü"])),
            array(LargeStringArray::from(vec!["B", "b", "ü"])),
        ),
        ("dictionary", dictionary(["B", "a", "ü"]), dictionary(["B", "b", "ü"])),
        ("bytes", bytes([b"\0", b"a", b"\xff\xfe"]), bytes([b"\0", b"b", b"\xff\xfe"])),
        ("bytes that begin alike", bytes([b"a", b"a\0", b"a\0\x01"]), bytes([b"a", b"a\0\0", b"a\0\x01"])),
        ("fixed bytes", fixed([[0; 4], [1; 4], [255; 4]]), fixed([[0; 4], [2; 4], [255; 4]])),
        (
            "date",
            array(Date32Array::from(vec![i32::MIN, 0, i32::MAX])),
            array(Date32Array::from(vec![i32::MIN, 1, i32::MAX])),
        ),
        ("small decimal", decimals(&[-1050, 0, 1050], 12, 2), decimals(&[-1050, 1, 1050], 12, 2)),
        ("decimal", decimals(&[-10, 9, 10], 38, 0), decimals(&[-10, 8, 10], 38, 0)),
        (
            "decimal with places",
            decimals(&[-(10_i128.pow(36)), 1, 20], 38, 4),
            decimals(&[-(10_i128.pow(36)), 2, 20], 38, 4),
        ),
        ("wide decimal", wide_decimals(&[-10, 9, 10]), wide_decimals(&[-10, 8, 10])),
        (
            "float",
            array(Float64Array::from(vec![-1.5, 2.0, f64::NAN])),
            array(Float64Array::from(vec![-1.5, 10.0, f64::NAN])),
        ),
        (
            "small float",
            array(Float32Array::from(vec![f32::NEG_INFINITY, 0.1, 10.0])),
            array(Float32Array::from(vec![f32::NEG_INFINITY, 0.2, 10.0])),
        ),
        (
            "instant",
            instants([-1, 1_000_000, 1_500_000], Some("UTC")),
            instants([-1, 1_000_001, 1_500_000], Some("UTC")),
        ),
        ("local instant", instants([i64::MIN, 0, i64::MAX], None), instants([i64::MIN, 1, i64::MAX], None)),
        (
            "instant in milliseconds",
            array(TimestampMillisecondArray::from(vec![0, 500, 1_000])),
            array(TimestampMillisecondArray::from(vec![0, 501, 1_000])),
        ),
        (
            "time",
            array(Time64MicrosecondArray::from(vec![0, 1_000_000, 86_399_999_999])),
            array(Time64MicrosecondArray::from(vec![0, 1_000_001, 86_399_999_999])),
        ),
        (
            "list",
            lists(&[None, Some(&[]), Some(&[Some(1), None])]),
            lists(&[None, Some(&[Some(1)]), Some(&[Some(1), None])]),
        ),
        ("map", maps(&[&[], &[("a", 1)], &[("b", 2)]]), maps(&[&[], &[("a", 2)], &[("b", 2)]])),
        (
            "struct",
            structs(["a", "b, \"c", "c"], decimals(&[1, 2, 3], 38, 0)),
            structs(["a", "b", "c"], decimals(&[1, 2, 3], 38, 0)),
        ),
        (
            "struct of structs",
            structs(["a", "b", "c"], structs(["a", "b", "c"], ints([1, 2, 3]))),
            structs(["a", "b", "c"], structs(["a", "b", "c"], ints([1, 4, 3]))),
        ),
        (
            "struct of bytes",
            structs(["a", "b", "c"], array(BinaryArray::from(vec![&b"\0"[..], b"b", b"c"]))),
            structs(["a", "b", "c"], array(BinaryArray::from(vec![&b"\0"[..], b"d", b"c"]))),
        ),
    ]
}

fn ids() -> ArrayRef {
    array(Int64Array::from(vec![1, 2, 3]))
}

/// The same bytes are the same, and one cell that is another is one that changed.
#[test]
fn cells_of_every_type_are_compared() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for (kind, left, right) in columns() {
        write_arrays(&home.join("left.parquet"), vec![("id", ids()), ("value", left)]);
        write_arrays(&home.join("right.parquet"), vec![("id", ids()), ("value", right)]);
        for file in ["left.parquet", "right.parquet"] {
            let (code, stdout, stderr) = outcome_in(home, &["diff", file, file, "--key", "id"]);
            assert_eq!((code, stderr.as_str()), (0, ""), "{kind}");
            assert!(stdout.starts_with("no difference\n"), "{kind}: {stdout}");
        }
        let json = diff_json(home, &["left.parquet", "right.parquet", "--key", "id"]);
        assert_eq!(int(&json["columns"][0]["changed"]), 1, "{kind}: {json}");
        assert_eq!(json["examples"][0]["key"], serde_json::json!(["2"]), "{kind}");
        assert_ne!(json["examples"][0]["left"], json["examples"][0]["right"], "{kind}");
        assert_eq!(json["schema"], serde_json::json!([]), "{kind}");
        let shown = json.to_string();
        assert!(!shown.contains("\\u0000") || kind.contains("bytes"), "{kind}: {shown}");
    }
}

const WITHOUT_ORDER: [&str; 5] = ["list", "map", "struct", "struct of structs", "struct of bytes"];

#[test]
fn keys_of_every_type_that_has_an_order_are_matched() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for (kind, left, right) in columns() {
        write_arrays(&home.join("left.parquet"), vec![("key", left), ("value", ids())]);
        write_arrays(&home.join("right.parquet"), vec![("key", right), ("value", ids())]);
        let args = ["diff", "left.parquet", "right.parquet", "--key", "key"];
        if WITHOUT_ORDER.contains(&kind) {
            let (code, _, stderr) = outcome_in(home, &args);
            assert_eq!(code, 2, "{kind}: {stderr}");
            assert!(stderr.contains("which has no order: it can be no key"), "{kind}: {stderr}");
            continue;
        }
        assert_eq!(
            outcome_in(home, &["diff", "left.parquet", "left.parquet", "--key", "key"]).0,
            0,
            "{kind}"
        );
        let rows = &diff_json(home, &args[1..])["rows"];
        let counts = ["both", "only_left", "only_right"].map(|name| int(&rows[name]));
        assert_eq!(counts, [2, 1, 1], "{kind}: {rows}");
    }
}

#[test]
fn keys_in_another_order_are_told() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for (kind, left, _) in columns().into_iter().filter(|(kind, ..)| !WITHOUT_ORDER.contains(kind)) {
        let turned = arrow_array::make_array(arrow_array::Array::to_data(&left));
        let rows: Vec<ArrayRef> = [2, 1, 0].iter().map(|row| turned.slice(*row, 1)).collect();
        write_parts(&home.join("turned.parquet"), rows);
        let (code, _, stderr) =
            outcome_in(home, &["diff", "turned.parquet", "turned.parquet", "--key", "key"]);
        assert_eq!(code, 3, "{kind}: {stderr}");
        assert!(stderr.contains("it is not sorted by key, each once: row 1 is "), "{kind}: {stderr}");
        assert!(!stderr.contains('\0'), "{kind}: {stderr}");
    }
}

/// A file of one column, a batch a row.
fn write_parts(path: &Path, parts: Vec<ArrayRef>) {
    let batches: Vec<RecordBatch> = parts
        .into_iter()
        .map(|part| RecordBatch::try_from_iter_with_nullable([("key", part, true)]).unwrap())
        .collect();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batches[0].schema(), None).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
}

/// Numbers are what they say: −0 is 0 and NaN is NaN, whatever their bits.
#[test]
fn floats_are_compared_as_numbers() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let write = |name: &str, values: [f64; 3]| {
        write_arrays(
            &home.join(name),
            vec![("id", ids()), ("value", array(Float64Array::from(values.to_vec())))],
        );
    };
    write("left.parquet", [0.0, f64::NAN, 1.0]);
    write("right.parquet", [-0.0, -f64::NAN, 1.0]);
    assert_eq!(diff_json(home, &["left.parquet", "right.parquet", "--key", "id"])["same"], true);
}

/// Some writers do not say that bytes are text.
#[test]
fn text_and_bytes_that_are_text_are_matched() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let texts = ["B", "a", "ü"];
    write_arrays(
        &home.join("left.parquet"),
        vec![
            ("key", array(StringArray::from(texts.to_vec()))),
            ("value", array(StringArray::from(texts.to_vec()))),
        ],
    );
    let bytes = || array(BinaryArray::from(texts.iter().map(|text| text.as_bytes()).collect::<Vec<_>>()));
    write_arrays(&home.join("right.parquet"), vec![("key", bytes()), ("value", bytes())]);
    for (left, right) in [("left.parquet", "right.parquet"), ("right.parquet", "left.parquet")] {
        let json = diff_json(home, &[left, right, "--key", "key"]);
        assert_eq!(int(&json["rows"]["both"]), 3, "{json}");
        assert_eq!(int(&json["columns"][0]["changed"]), 0, "{json}");
    }
    let bad = array(BinaryArray::from(vec![&b"B"[..], b"\xff", b"\xff\xff"]));
    write_arrays(&home.join("bad.parquet"), vec![("key", bad), ("value", bytes())]);
    let (code, _, stderr) = outcome_in(home, &["diff", "left.parquet", "bad.parquet", "--key", "key"]);
    assert_eq!(code, 3);
    assert!(
        stderr.contains("read bad.parquet: it cannot be read: key: [ff] is taken for text and is not UTF-8"),
        "{stderr}"
    );
}

#[test]
fn columns_may_stand_in_another_order_and_hold_nothing() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let nothing = || array(NullArray::new(3));
    let truths = || array(BooleanArray::from(vec![Some(true), None, Some(false)]));
    write_arrays(
        &home.join("left.parquet"),
        vec![("id", ids()), ("truth", truths()), ("nothing", nothing())],
    );
    write_arrays(
        &home.join("right.parquet"),
        vec![("nothing", nothing()), ("truth", truths()), ("id", ids())],
    );
    assert_eq!(diff_json(home, &["left.parquet", "right.parquet", "--key", "id"])["same"], true);
    let (code, _, stderr) = outcome_in(home, &["diff", "left.parquet", "right.parquet", "--key", "nothing"]);
    assert_eq!(code, 3);
    assert!(stderr.contains("row 0 has no nothing"), "{stderr}");
}

/// What is not there to be read as a file, or holds what no file should.
#[test]
fn what_cannot_be_compared_is_told_and_never_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write_arrays(&home.join("good.parquet"), vec![("id", ids())]);
    write_arrays(&home.join("twice.parquet"), vec![("id", ids()), ("value", ids()), ("value", ids())]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        home.join("pipe.parquet"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    std::os::unix::fs::symlink("/dev/zero", home.join("zero.parquet")).unwrap();
    for (file, says) in [
        (
            "twice.parquet",
            "read twice.parquet: it cannot be read: the column value stands twice in it: leave one out",
        ),
        ("pipe.parquet", "read pipe.parquet: it cannot be read: it is a FIFO, no file"),
        ("zero.parquet", "read zero.parquet: it cannot be read: it is a device, no file"),
    ] {
        for args in [[file, "good.parquet"], ["good.parquet", file]] {
            let (code, stdout, stderr) = outcome_in(home, &[&["diff"], &args[..], &["--key", "id"]].concat());
            assert_eq!((code, stdout.as_str()), (3, ""), "{file}: {stderr}");
            assert!(stderr.contains(says), "{file}: {stderr}");
        }
    }
}

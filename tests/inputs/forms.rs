//! Types, encodings and compressions: whatever the contract allows is read as the same values.

use std::sync::Arc;

use arrow_array::types::{Int8Type, Int16Type, Int32Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, Decimal128Array, Decimal256Array, DictionaryArray,
    LargeStringArray, NullArray, PrimitiveArray, StringArray, StringViewArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow_schema::DataType;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};

use super::{DATES, DELIVERIES, MONEY, TEXTS, assert_same, deliver_as, outcome, plain_properties};
use crate::support::book::{Book, TODAY, YESTERDAY, delivered, instants, write_arrays_with};
use crate::support::{Cell, Table};

fn ints(table: &Table, name: &str) -> Vec<Option<i64>> {
    let int = |cell: &Cell| match cell {
        Cell::Null => None,
        Cell::Int(value) => Some(*value),
        Cell::Date(day) => Some(i64::from(day.0)),
        other => panic!("{other:?} in {name}"),
    };
    table.column(name).iter().map(int).collect()
}

fn texts(table: &Table, name: &str) -> Vec<Option<String>> {
    let text = |cell: &Cell| match cell {
        Cell::Null => None,
        Cell::Int(value) => Some(value.to_string()),
        Cell::Text(text) => Some(text.clone()),
        other => panic!("{other:?} in {name}"),
    };
    table.column(name).iter().map(text).collect()
}

#[test]
fn every_compression_is_read() {
    let all = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::ZSTD(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ];
    for compression in all {
        let book = Book::new();
        let properties = WriterProperties::builder().set_compression(compression).build();
        deliver_as(&book, &properties, |_, _| None);
        assert_same(&format!("{compression:?}"), &book);
    }
}

#[test]
fn encodings_pages_and_row_groups_make_no_difference() {
    let builder = WriterProperties::builder;
    let all = [
        ("no dictionaries", builder().set_dictionary_enabled(false).build()),
        ("format 2", builder().set_writer_version(WriterVersion::PARQUET_2_0).build()),
        ("a row a group", builder().set_max_row_group_row_count(Some(1)).build()),
        ("a row a page", builder().set_data_page_row_count_limit(1).set_write_batch_size(1).build()),
        ("dictionaries that overflow", builder().set_dictionary_page_size_limit(1).build()),
    ];
    for (name, properties) in all {
        let book = Book::new();
        deliver_as(&book, &properties, |_, _| None);
        assert_same(name, &book);
    }
}

/// A name for messages, and how to write texts.
type TextForm = (&'static str, fn(Vec<Option<String>>) -> ArrayRef);

#[test]
fn text_may_be_large_a_view_a_dictionary_or_plain_bytes() {
    let forms: [TextForm; 5] = [
        ("large", |texts| Arc::new(LargeStringArray::from(texts))),
        ("a view", |texts| Arc::new(StringViewArray::from_iter(texts))),
        ("a dictionary", |texts| {
            Arc::new(texts.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>())
        }),
        ("a small dictionary", |texts| {
            Arc::new(texts.iter().map(Option::as_deref).collect::<DictionaryArray<Int8Type>>())
        }),
        ("bytes", |texts| {
            Arc::new(
                texts.iter().map(|text| text.as_ref().map(|text| text.as_bytes())).collect::<BinaryArray>(),
            )
        }),
    ];
    for (name, form) in forms {
        let book = Book::new();
        deliver_as(&book, &plain_properties(), |table, column| {
            TEXTS.contains(&column).then(|| form(texts(table, column)))
        });
        assert_same(name, &book);
    }
}

#[test]
fn ids_may_be_text_in_all_inputs() {
    let book = Book::new();
    deliver_as(&book, &plain_properties(), |table, column| {
        let is_id = ["account_id", "bill_id", "transaction_id"].contains(&column);
        is_id.then(|| Arc::new(StringArray::from(texts(table, column))) as ArrayRef)
    });
    let mut expected = outcome(&Book::new());
    for (name, table) in expected.iter_mut().filter(|(name, _)| *name != "rejects") {
        assert_eq!(table.columns[0].0, "account_id", "{name}");
        table.columns[0].1 = DataType::Utf8;
        for row in &mut table.rows {
            let Cell::Int(id) = row[0] else { panic!("an account without id in {name}") };
            row[0] = id.to_string().as_str().into();
        }
    }
    assert_eq!(outcome(&book), expected);
}

#[test]
fn text_ids_are_sorted_by_bytes() {
    let book = Book::new();
    for (old, new) in [(1, "b"), (2, "B"), (3, "é"), (9, "10")] {
        deliver_as(&book, &plain_properties(), |table, column| {
            let renamed = |id: String| if id == old.to_string() { new.to_string() } else { id };
            let ids = || texts(table, column).into_iter().flatten().map(renamed);
            (column == "account_id").then(|| Arc::new(StringArray::from_iter_values(ids())) as ArrayRef)
        });
    }
    book.publish();
    assert_eq!(book.output("scores").column("account_id"), ["B".into(), "b".into(), "é".into()]);
}

/// A name for messages, what one unit is in minor units, and how to write unscaled amounts.
type MoneyForm = (&'static str, i64, fn(Vec<Option<i128>>) -> ArrayRef);

fn decimal(precision: u8, scale: i8, amounts: Vec<Option<i128>>) -> ArrayRef {
    Arc::new(Decimal128Array::from(amounts).with_precision_and_scale(precision, scale).unwrap())
}

fn scaled_amounts(amounts: Vec<Option<i128>>, places: u32) -> Vec<Option<i128>> {
    amounts.into_iter().map(|amount| amount.map(|amount| amount * 10_i128.pow(places))).collect()
}

#[test]
fn money_may_be_decimal_of_any_width_and_scale() {
    let forms: [MoneyForm; 11] = [
        ("four places", 1, |amounts| decimal(18, 4, scaled_amounts(amounts, 2))),
        ("twenty places", 1, |amounts| decimal(38, 20, scaled_amounts(amounts, 18))),
        ("forty places", 1, |amounts| {
            let power = arrow_buffer::i256::from_i128(10).checked_pow(38).unwrap();
            let wide = |amount: i128| arrow_buffer::i256::from_i128(amount).wrapping_mul(power);
            let array = amounts.into_iter().map(|amount| amount.map(wide)).collect::<Decimal256Array>();
            Arc::new(array.with_precision_and_scale(76, 40).unwrap())
        }),
        ("no places, wide", 100, |amounts| decimal(38, 0, amounts)),
        ("in 32 bits", 1, |amounts| decimal(9, 2, amounts)),
        ("in 64 bits", 1, |amounts| decimal(18, 2, amounts)),
        ("in more bits", 1, |amounts| decimal(38, 2, amounts)),
        ("one place", 10, |amounts| decimal(18, 1, amounts)),
        ("no places", 100, |amounts| decimal(18, 0, amounts)),
        ("no places, in more bits", 100, |amounts| decimal(30, 0, amounts)),
        ("in most bits", 1, |amounts| {
            let wide = amounts.into_iter().map(|amount| amount.map(arrow_buffer::i256::from_i128));
            let array = wide.collect::<Decimal256Array>();
            Arc::new(array.with_precision_and_scale(50, 2).unwrap())
        }),
    ];
    for (name, unit, form) in forms {
        let book = Book::new();
        deliver_as(&book, &plain_properties(), |table, column| {
            let units = || {
                ints(table, column).into_iter().map(|amount| {
                    amount
                        .inspect(|amount| assert_eq!(amount % unit, 0))
                        .map(|amount| i128::from(amount / unit))
                })
            };
            MONEY.contains(&column).then(|| form(units().collect()))
        });
        assert_same(name, &book);
    }
}

const SECONDS_PER_DAY: i64 = 86_400;

/// Asia/Shanghai is always 8 hours ahead of UTC.
const SHANGHAI_SECONDS: i64 = 8 * 3600;

/// A name for messages, the second of the day, and how to write seconds since 1970.
type DateForm = (&'static str, i64, fn(Vec<Option<i64>>) -> ArrayRef);

#[test]
fn dates_may_be_timestamps_without_a_zone() {
    let forms: [DateForm; 4] = [
        ("milliseconds", 0, |t| Arc::new(scaled(t, 1_000).collect::<TimestampMillisecondArray>())),
        ("microseconds", 43_200, |t| Arc::new(scaled(t, 1_000_000).collect::<TimestampMicrosecondArray>())),
        ("nanoseconds", 86_399, |t| Arc::new(scaled(t, 1_000_000_000).collect::<TimestampNanosecondArray>())),
        ("seconds as milliseconds", 1, |t| Arc::new(scaled(t, 1_000).collect::<TimestampMillisecondArray>())),
    ];
    check_dates(&forms, 0);
}

#[test]
fn timestamps_with_a_zone_become_dates_in_the_job_s_time_zone() {
    let forms: [DateForm; 4] = [
        ("milliseconds", 0, |t| {
            let array = scaled(t, 1_000).collect::<TimestampMillisecondArray>();
            Arc::new(array.with_timezone("UTC"))
        }),
        ("microseconds", 86_399, |t| {
            let array = scaled(t, 1_000_000).collect::<TimestampMicrosecondArray>();
            Arc::new(array.with_timezone("UTC"))
        }),
        ("nanoseconds", 28_799, |t| {
            let array = scaled(t, 1_000_000_000).collect::<TimestampNanosecondArray>();
            Arc::new(array.with_timezone("UTC"))
        }),
        ("of another zone", 0, |t| {
            let array = scaled(t, 1_000_000).collect::<TimestampMicrosecondArray>();
            Arc::new(array.with_timezone("America/New_York"))
        }),
    ];
    check_dates(&forms, SHANGHAI_SECONDS);
}

fn scaled(seconds: Vec<Option<i64>>, factor: i64) -> impl Iterator<Item = Option<i64>> {
    seconds.into_iter().map(move |second| second.map(|second| second * factor))
}

fn check_dates(forms: &[DateForm], ahead: i64) {
    for (name, second, form) in forms {
        let book = Book::new();
        deliver_as(&book, &plain_properties(), |table, column| {
            let seconds = || ints(table, column).into_iter();
            let seconds = || seconds().map(|day| day.map(|day| day * SECONDS_PER_DAY + second - ahead));
            DATES.contains(&column).then(|| form(seconds().collect()))
        });
        assert_same(name, &book);
    }
}

#[test]
fn the_zone_of_the_job_decides_on_which_day_an_instant_falls() {
    let book = Book::new();
    deliver_as(&book, &plain_properties(), |table, column| {
        let micros = |day: i64| (day * SECONDS_PER_DAY + 61_200) * 1_000_000;
        let all = || ints(table, column).into_iter().flatten().map(micros).collect::<Vec<i64>>();
        (column == "posted_on").then(|| instants(&all(), Some("UTC")))
    });
    let today = |book: &Book| {
        let rejects = book.output("rejects");
        rejects.column("delivery").iter().filter(|day| **day == crate::support::day(TODAY).into()).count()
    };
    book.publish();
    assert_eq!(today(&book), 3, "17:00 UTC is tomorrow in Shanghai");
    book.edit("job.toml", "Asia/Shanghai", "America/New_York");
    assert_eq!(book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]).0, 0);
    assert_eq!(today(&book), 0);
}

/// Writes integers at some width, if they fit.
type Width = fn(&[Option<i64>]) -> Option<ArrayRef>;

fn narrow<T: ArrowPrimitiveType>(values: &[Option<i64>]) -> Option<ArrayRef>
where
    T::Native: TryFrom<i64>,
{
    let fits = |value: &Option<i64>| {
        value.map(|value| T::Native::try_from(value).ok()).map_or(Some(None), |v| v.map(Some))
    };
    let values: Option<Vec<Option<T::Native>>> = values.iter().map(fits).collect();
    Some(Arc::new(values?.into_iter().collect::<PrimitiveArray<T>>()))
}

#[test]
fn integers_may_be_of_any_width_with_a_sign_or_without() {
    let unique = "[unique.transactions]\ncolumn = \"transaction_id\"\nwithin_days = 3\n";
    let forms: [(&str, Width); 7] = [
        ("8 bits", narrow::<Int8Type>),
        ("16 bits", narrow::<Int16Type>),
        ("32 bits", narrow::<Int32Type>),
        ("8 bits without a sign", narrow::<UInt8Type>),
        ("16 bits without a sign", narrow::<UInt16Type>),
        ("32 bits without a sign", narrow::<UInt32Type>),
        ("64 bits without a sign", narrow::<UInt64Type>),
    ];
    for (name, form) in forms {
        let book = Book::new();
        book.append("job.toml", unique);
        let written = std::cell::Cell::new(0);
        deliver_as(&book, &plain_properties(), |table, column| {
            let is_int = column.ends_with("_id") || MONEY.contains(&column);
            let array = is_int.then(|| form(&ints(table, column))).flatten()?;
            written.set(written.get() + 1);
            Some(array)
        });
        assert!(written.get() >= 5, "{name}");
        assert_same(name, &book);
    }
}

/// A column that is null in every row, by input.
const ALL_NULL: [(&str, &[&str]); 3] = [
    (
        "transactions",
        &["transaction_id", "account_id", "posted_on", "amount", "kind", "category", "is_online"],
    ),
    ("repayments", &["account_id", "product", "bill_id", "due_on", "due_amount", "paid_on", "paid_amount"]),
    (
        "lines",
        &[
            "account_id",
            "product",
            "balance",
            "status",
            "opened_on",
            "increased_on",
            "decreased_on",
            "segment",
        ],
    ),
];

/// How a run ends, what it says, and its tables' rows.
fn ending(book: &Book) -> (i32, String, Vec<Vec<Vec<Cell>>>) {
    let (code, _, stderr) = book.run();
    let names = ["features", "scores", "decisions", "adjustments", "rejects"];
    let tables = if code == 0 { names.map(|name| book.output(name).rows).into() } else { Vec::new() };
    (code, stderr, tables)
}

#[test]
fn a_column_of_type_null_is_one_of_nulls_of_the_type_that_is_wanted() {
    let unique = "[unique.transactions]\ncolumn = \"transaction_id\"\nwithin_days = 3\n";
    for (input, column) in
        ALL_NULL.iter().flat_map(|(input, all)| all.iter().map(move |column| (*input, *column)))
    {
        for dates in [&[TODAY][..], &[YESTERDAY], &[TODAY, YESTERDAY]] {
            let deliver = |as_null: bool| {
                let book = Book::new();
                book.append("job.toml", unique);
                for date in dates.iter().filter(|date| DELIVERIES.contains(&(input, **date))) {
                    let path = book.path().join(delivered(input, date));
                    let mut table = Table::read(&path);
                    let place = table.columns.iter().position(|(name, _)| name == column).unwrap();
                    table.rows.iter_mut().for_each(|row| row[place] = Cell::Null);
                    let array = |slot: usize| -> ArrayRef {
                        let is_null = slot == place && as_null;
                        if is_null { Arc::new(NullArray::new(table.rows.len())) } else { table.array(slot) }
                    };
                    let arrays = table
                        .columns
                        .iter()
                        .enumerate()
                        .map(|(slot, (name, _))| (name.as_str(), array(slot)));
                    write_arrays_with(&path, arrays.collect(), plain_properties());
                }
                let found = ending(&book);
                // A run that is published can be told about.
                if found.0 == 0 {
                    let run = format!("out/date={TODAY}");
                    assert_eq!(book.outcome(&["explain", &run, "--account", "1"]).0, 0, "{input}.{column}");
                    assert_eq!(book.outcome(&["diff", &run, &run]).0, 0, "{input}.{column}");
                }
                (found.0, found.1.replace(&book.path().display().to_string(), ""), found.2)
            };
            assert_eq!(deliver(true), deliver(false), "{input}.{column} of {dates:?}");
        }
    }
}

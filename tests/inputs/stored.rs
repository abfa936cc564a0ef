//! Storage that arrow does not write: old instants, decimals in bytes, text that is annotated otherwise.

use parquet::file::properties::WriterProperties;

use super::{DATES, DELIVERIES, MONEY, TEXTS, assert_same};
use crate::support::book::{Book, TODAY, delivered};
use crate::support::raw::{Raw, RawColumn, big_endian, write_raw};
use crate::support::{Table, day, project};

/// How a column is stored that is usually stored another way.
type Storage<'a> = &'a dyn Fn(RawColumn) -> RawColumn;

/// Writes every delivery anew.
fn store_as(book: &Book, properties: &WriterProperties, storage: Storage) {
    for (input, date) in DELIVERIES {
        let path = book.path().join(delivered(input, date));
        let table = Table::read(&path);
        let columns = table.columns.iter().map(|(name, _)| storage(RawColumn::of(&table, name)));
        write_raw(&path, &columns.collect::<Vec<_>>(), properties.clone());
    }
}

fn both_ways() -> [WriterProperties; 2] {
    [true, false].map(|dictionary| WriterProperties::builder().set_dictionary_enabled(dictionary).build())
}

/// Days since 1970 as the INT96 of midnight in Shanghai, seconds later.
fn int96(column: RawColumn, seconds: i64) -> RawColumn {
    const JULIAN_EPOCH: i64 = 2_440_588;
    const DAY: i64 = 86_400;
    let Raw::Int32(days) = column.values else { panic!("{} holds no dates", column.name) };
    let instant = |day: i32| {
        let second = i64::from(day) * DAY - 8 * 3600 + seconds;
        (
            (JULIAN_EPOCH + second.div_euclid(DAY)) as u32,
            second.rem_euclid(DAY) as u64 * 1_000_000_000 + 999_999_999,
        )
    };
    let values = Raw::Int96(days.into_iter().map(|day| day.map(instant)).collect());
    RawColumn::new(&column.name, "INT96", "", values)
}

#[test]
fn int96_tells_instants() {
    for (properties, seconds) in both_ways().into_iter().zip([0, 86_399]) {
        let book = Book::new();
        store_as(&book, &properties, &|column| match DATES.contains(&&*column.name) {
            true => int96(column, seconds),
            false => column,
        });
        assert_same(&format!("{seconds} seconds into the day"), &book);
    }
}

#[test]
fn int96_reaches_from_the_year_1_to_9999() {
    for opened_on in ["0001-01-02", "1677-09-20", "2262-04-12", "9999-12-31"] {
        let book = Book::new();
        // An undated snapshot is not older than anything.
        book.edit("job.toml", "in/lines/date={date}/*.parquet", "in/lines/all/*.parquet");
        let table = Table::read(&book.path().join(delivered("lines", TODAY)));
        let opened = day(opened_on);
        let columns = table.columns.iter().map(|(name, _)| {
            let mut column = RawColumn::of(&table, name);
            if name == "opened_on" {
                column.values = Raw::Int32(vec![Some(opened.0); table.rows.len()]);
                column = int96(column, 0);
            }
            column
        });
        let properties = WriterProperties::builder().build();
        write_raw(&book.path().join("in/lines/all/part-0.parquet"), &columns.collect::<Vec<_>>(), properties);
        book.publish();
        let found = book.output("decisions").column("days_open");
        assert!(found.iter().all(|cell| *cell == day(TODAY).since(opened).into()), "{opened_on}: {found:?}");
    }
}

#[test]
fn decimals_may_be_stored_in_bytes_and_integers() {
    let forms: [(&str, &str, usize); 6] = [
        ("INT32", "(DECIMAL(9,2))", 0),
        ("INT64", "(DECIMAL(18,2))", 0),
        ("BYTE_ARRAY", "(DECIMAL(18,2))", 9),
        ("BYTE_ARRAY", "(DECIMAL(38,2))", 3),
        ("FIXED_LEN_BYTE_ARRAY (5)", "(DECIMAL(11,2))", 5),
        ("FIXED_LEN_BYTE_ARRAY (20)", "(DECIMAL(40,2))", 20),
    ];
    for (kind, annotation, width) in forms {
        for properties in both_ways() {
            let book = Book::new();
            store_as(&book, &properties, &|column| {
                let Raw::Int64(amounts) = &column.values else { return column };
                if !MONEY.contains(&&*column.name) {
                    return column;
                }
                let amounts = amounts.iter().copied();
                let bytes = |amount: i64| big_endian(amount.into(), width);
                let values = match kind {
                    "INT32" => Raw::Int32(amounts.map(|amount| amount.map(|amount| amount as i32)).collect()),
                    "INT64" => Raw::Int64(amounts.collect()),
                    "BYTE_ARRAY" => Raw::Bytes(amounts.map(|amount| amount.map(bytes)).collect()),
                    _ => Raw::Fixed(amounts.map(|amount| amount.map(bytes)).collect()),
                };
                RawColumn::new(&column.name, kind, annotation, values)
            });
            assert_same(&format!("{kind} {annotation}"), &book);
        }
    }
}

#[test]
fn text_may_be_annotated_in_any_way_or_none() {
    for annotation in ["", "(STRING)", "(ENUM)", "(JSON)"] {
        for properties in both_ways() {
            let book = Book::new();
            store_as(&book, &properties, &|column| match TEXTS.contains(&&*column.name) {
                true => RawColumn { annotation: annotation.into(), ..column },
                false => column,
            });
            assert_same(&format!("annotated `{annotation}`"), &book);
        }
    }
}

/// Written by pyarrow from a table without rows: a row group without rows, each column with a dictionary of
/// nothing and data at the offset 0. An empty delivery of that kind is as good as any.
#[test]
fn deliveries_without_rows_may_have_row_groups_and_dictionaries() {
    let book = Book::new();
    for input in ["transactions", "repayments"] {
        let empty = project().join(format!("tests/inputs/empty/{input}.parquet"));
        std::fs::copy(empty, book.path().join(delivered(input, TODAY))).unwrap();
    }
    book.publish();
    assert!(book.output("rejects").rows.is_empty());
}

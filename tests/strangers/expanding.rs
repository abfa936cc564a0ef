//! Files of few bytes that come to many once they are decoded: bounded, or refused by name.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, Date32Array, DictionaryArray, Int32Array, Int64Array, StringArray};
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};

use super::{Case, check};
use crate::support::book::{Book, TODAY, YESTERDAY, delivered, write_arrays_with};
use crate::support::thrift::{I32, Value, edit_first_page, first_page, footer};
use crate::support::{Cell, Table, day};

/// Where `status` stands among the columns of lines.
const STATUS: usize = 4;

/// Gives a line of today's snapshot a status of many bytes.
fn with_status(book: &Book, bytes: usize, properties: WriterPropertiesBuilder) -> PathBuf {
    let path = book.path().join(delivered("lines", TODAY));
    let mut lines = Table::read(&path);
    lines.rows[1][STATUS] = Cell::Text("a".repeat(bytes));
    let properties = properties.set_dictionary_enabled(false).set_statistics_enabled(EnabledStatistics::None);
    lines.write_with(&path, properties.build());
    path
}

#[test]
fn a_page_that_comes_to_more_than_its_header_says() {
    check(&[
        Case {
            kind: "a decompressor that does not stop",
            input: |book| {
                let brotli = Compression::BROTLI(Default::default());
                let path = with_status(book, 50_000_000, WriterProperties::builder().set_compression(brotli));
                edit_first_page(&path, STATUS, |page| page.set(2, Value::Int(I32, 1000)));
            },
            exit: 3,
            message: "column status, row group 0, page 0: decompressed it takes more than the 1000 bytes that its \
                      header says",
        },
        Case {
            kind: "more texts than values",
            input: |book| {
                let encoding = Encoding::DELTA_LENGTH_BYTE_ARRAY;
                let properties = WriterProperties::builder().set_column_encoding("status".into(), encoding);
                let path = with_status(book, 1, properties);
                let mut file = fs::read(&path).unwrap();
                let start = first_page(&mut footer(&file), STATUS) as usize;
                let page = start + Value::parse(&file[start..]).1;
                let levels = u32::from_le_bytes(file[page..page + 4].try_into().unwrap()) as usize;
                // The size of a block, its parts, how many texts there are.
                let head = page + 4 + levels;
                assert_eq!(file[head..head + 4], [0x80, 1, 4, 4]);
                file[head + 3..head + 8].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x7f]);
                fs::write(&path, file).unwrap();
            },
            exit: 3,
            message: "column status, row group 0, the lengths of its texts are damaged",
        },
    ]);
}

/// Bills whose ids are all the same megabyte, written once.
fn large_ids(rows: usize) -> Vec<(&'static str, ArrayRef)> {
    let days = |day| -> ArrayRef { Arc::new(Date32Array::from(vec![day; rows])) };
    let ints = |value| -> ArrayRef { Arc::new(Int64Array::from(vec![value; rows])) };
    let id = Arc::new(StringArray::from(vec!["a".repeat(1_000_000)]));
    let ids = DictionaryArray::<Int32Type>::new(Int32Array::from(vec![0; rows]), id);
    vec![
        ("account_id", ints(Some(1))),
        ("product", Arc::new(StringArray::from(vec!["card"; rows]))),
        ("bill_id", Arc::new(ids)),
        ("due_on", days(Some(day(TODAY).0))),
        ("due_amount", ints(Some(100))),
        ("paid_on", days(None)),
        ("paid_amount", ints(None)),
    ]
}

#[test]
fn a_dictionary_is_not_spelled_out_for_more_rows_than_there_is_room_for() {
    const MOST_KILOBYTES: u64 = 3 << 20;
    let book = Book::new();
    let path = book.path().join(delivered("repayments", TODAY));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(Default::default()))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_dictionary_page_size_limit(10_000_000);
    write_arrays_with(&path, large_ids(4_096), properties.build());
    assert!(path.metadata().unwrap().len() < 10_000, "all rows are 4 GB");
    fs::remove_file(book.path().join(delivered("repayments", YESTERDAY))).unwrap();
    let run = format!("ulimit -v {MOST_KILOBYTES}; exec \"$0\" run job.toml --date {TODAY} --threads 2");
    let mut command = Command::new("sh");
    command.args(["-c", &run, env!("CARGO_BIN_EXE_rescore")]).current_dir(book.path());
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

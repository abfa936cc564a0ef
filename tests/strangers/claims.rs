//! Footers and page headers that claim what the file does not hold: a table of what was changed and what is said.

use std::fs;
use std::path::PathBuf;

use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::{Case, check};
use crate::support::Table;
use crate::support::book::{Book, TODAY, YESTERDAY, delivered};
use crate::support::thrift::{
    I32, I64, STRUCT, Value, chunk, edit_first_page, edit_footer, first_page, footer, with_footer,
};

fn today(book: &Book, input: &str) -> PathBuf {
    book.path().join(delivered(input, TODAY))
}

/// Writes a delivery anew without dictionaries.
fn plain(book: &Book, input: &str) -> PathBuf {
    let path = today(book, input);
    let properties = WriterProperties::builder().set_dictionary_enabled(false);
    Table::read(&path).write_with(&path, properties.build());
    path
}

/// Makes a footer say other numbers of rows: of the file, of its only row group, of the group's columns.
fn claim(book: &Book, input: &str, file: i64, group: i64, columns: i64) {
    edit_footer(&today(book, input), |footer| {
        footer.set(3, Value::Int(I64, file));
        let group_of_rows = &mut footer.field(4).items()[0];
        group_of_rows.set(3, Value::Int(I64, group));
        for column in group_of_rows.field(1).items() {
            column.field(3).set(5, Value::Int(I64, columns));
        }
    });
}

/// Says something else of one column's chunk.
fn of_column(book: &Book, column: usize, field: i64, value: i64) {
    edit_footer(&today(book, "lines"), |footer| chunk(footer, 0, column).set(field, Value::Int(I64, value)));
}

fn case(kind: &'static str, input: fn(&Book), message: &'static str) -> Case {
    Case { kind, input, exit: 3, message }
}

#[test]
fn rows_that_a_footer_claims_are_counted() {
    check(&[
        case(
            "more rows than there are",
            |book| claim(book, "transactions", 1000, 1000, 1000),
            "read transactions of 2026-11-20 (in/transactions/date=2026-11-20/part-0.parquet): it cannot be \
             read: column transaction_id, row group 0, its pages hold 4 rows, and the footer says 1000: have it \
             delivered again",
        ),
        case(
            "fewer rows",
            |book| claim(book, "lines", 3, 3, 3),
            "column account_id, row group 0, its pages hold 4 rows, and the footer says 3",
        ),
        case(
            "2^60 rows",
            |book| claim(book, "repayments", 1 << 60, 1 << 60, 1 << 60),
            "its footer says that row group 0 holds 1152921504606846976 rows",
        ),
        case(
            "fewer than no rows",
            |book| claim(book, "lines", -1, -1, -1),
            "its footer says that row group 0 holds -1 rows",
        ),
        case(
            "no rows, though there are some",
            |book| claim(book, "lines", 0, 0, 0),
            "its pages hold 4 rows, and the footer says 0",
        ),
        case(
            "more in the file than in its row groups",
            |book| claim(book, "lines", 5, 4, 4),
            "its footer says 5 rows in all and 4 rows in its row groups",
        ),
        case(
            "more in the row group than in its columns",
            |book| claim(book, "lines", 5, 5, 4),
            "column account_id, row group 0: the footer says 4 values and 5 rows",
        ),
        case(
            "a page of a column that nobody reads",
            |book| {
                edit_first_page(&plain(book, "transactions"), 0, |page| {
                    page.field(5).set(1, Value::Int(I32, 3))
                })
            },
            "column transaction_id, row group 0, its pages hold 3 rows, and the footer says 4",
        ),
        case(
            "an older delivery",
            |book| {
                let path = book.path().join(delivered("repayments", YESTERDAY));
                edit_footer(&path, |footer| {
                    footer.set(3, Value::Int(I64, 1));
                    footer.field(4).items()[0].set(3, Value::Int(I64, 1));
                });
            },
            "read repayments of 2026-11-19",
        ),
    ]);
}

#[test]
fn places_and_sizes_that_a_footer_claims_lie_within_the_file() {
    check(&[
        case(
            "a negative size",
            |book| of_column(book, 1, 7, -5),
            "column product, row group 0: its -5 bytes",
        ),
        case("a negative place", |book| of_column(book, 2, 9, -4), "column credit_limit, row group 0: its "),
        case("a size beyond the end", |book| of_column(book, 2, 7, 1 << 40), "do not lie within the"),
        case("a size that wraps", |book| of_column(book, 2, 7, i64::MAX), "do not lie within the"),
        case("a negative decompressed size", |book| of_column(book, 2, 6, -1), "do not lie within the"),
        case(
            "a place that is no page",
            |book| of_column(book, 2, 7, 3),
            "column credit_limit, row group 0, page",
        ),
        case(
            "pages in another file",
            |book| {
                edit_footer(&today(book, "lines"), |footer| {
                    let column = &mut footer.field(4).items()[0].field(1).items()[2];
                    column.set(1, Value::Binary(b"../other.parquet".to_vec()));
                });
            },
            "column credit_limit, row group 0: its pages lie in another file, ../other.parquet",
        ),
        case(
            "columns on top of each other",
            |book| {
                edit_footer(&today(book, "lines"), |footer| {
                    let Value::Int(_, end) = *chunk(footer, 0, 8).field(9) else { panic!() };
                    for column in 0..9 {
                        let start = first_page(footer, column);
                        chunk(footer, 0, column).set(7, Value::Int(I64, end - start));
                    }
                });
            },
            "its footer says that its columns take",
        ),
    ]);
}

#[test]
fn schemas_that_would_exhaust_the_reader() {
    fn element(children: i64) -> Value {
        Value::Struct(vec![
            (3, Value::Int(I32, 0)),
            (4, Value::Binary(b"deep".to_vec())),
            (5, Value::Int(I32, children)),
        ])
    }
    check(&[
        case(
            "10,000 deep",
            |book| {
                edit_footer(&today(book, "transactions"), |footer| {
                    let leaf = footer.field(2).items().pop().unwrap();
                    let schema = (0..10_000).map(|_| element(1)).chain([leaf]);
                    footer.set(2, Value::List(STRUCT, schema.collect()));
                });
            },
            "its footer is damaged: its schema is nested more than 64 deep",
        ),
        case(
            "2^31 children",
            |book| {
                edit_footer(&today(book, "lines"), |footer| {
                    footer.field(2).items()[0].set(5, Value::Int(I32, (1 << 31) - 1));
                });
            },
            "its schema has fewer columns than it says",
        ),
        case(
            "-1 children",
            |book| {
                edit_footer(&today(book, "lines"), |footer| {
                    footer.field(2).items()[0].set(5, Value::Int(I32, -1));
                });
            },
            "a column has fewer than no children",
        ),
        case(
            "no schema at all",
            |book| edit_footer(&today(book, "lines"), |footer| footer.remove(2)),
            "its footer is damaged: it holds no schema",
        ),
        case(
            "a list of 2^31 row groups",
            |book| {
                edit_footer(&today(book, "lines"), |footer| {
                    footer.set(4, Value::Raw(9, vec![0xfc, 0xff, 0xff, 0xff, 0xff, 0x07]));
                });
            },
            "it holds a list with more elements than there are bytes",
        ),
        case(
            "structures within structures without end",
            |book| {
                edit_footer(&today(book, "lines"), |footer| {
                    footer.set(100, Value::Raw(12, vec![0x1c; 10_000]));
                });
            },
            "its structures are nested too deep",
        ),
        case(
            "2^31 Booleans in no bytes",
            |book| {
                edit_footer(&today(book, "lines"), |footer| {
                    footer.set(100, Value::Raw(9, vec![0xf1, 0x0a, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]));
                });
            },
            "a list of Booleans",
        ),
        case(
            "a footer longer than the file",
            |book| {
                let path = today(book, "lines");
                let mut file = fs::read(&path).unwrap();
                let tail = file.len() - 8;
                file[tail..tail + 4].copy_from_slice(&u32::MAX.to_le_bytes());
                fs::write(path, file).unwrap();
            },
            "bytes do not end in a Parquet footer",
        ),
        case(
            "an encrypted footer",
            |book| {
                let path = today(book, "lines");
                let mut file = fs::read(&path).unwrap();
                let end = file.len();
                file[end - 4..].copy_from_slice(b"PARE");
                fs::write(path, file).unwrap();
            },
            "its footer is encrypted",
        ),
    ]);
}

/// Puts a checksum on the first page of the limits, after `change` of its bytes.
fn with_checksum(book: &Book, change: impl FnOnce(&mut [u8])) {
    let path = plain(book, "lines");
    let file = fs::read(&path).unwrap();
    let start = first_page(&mut footer(&file), 2) as usize;
    let (mut header, length) = Value::parse(&file[start..]);
    let Value::Int(_, size) = *header.field(3) else { panic!() };
    let bytes = &file[start + length..][..size as usize];
    let checksum = crc32fast::hash(bytes) as i32;
    edit_first_page(&path, 2, |header| header.set(4, Value::Int(I32, checksum.into())));
    let mut file = fs::read(&path).unwrap();
    let (_, length) = Value::parse(&file[start..]);
    change(&mut file[start + length..][..size as usize]);
    fs::write(&path, file).unwrap();
}

#[test]
fn pages_are_held_against_their_headers() {
    check(&[
        Case {
            kind: "a checksum that matches",
            input: |book| with_checksum(book, |_| ()),
            exit: 0,
            message: "",
        },
        case(
            "a checksum that does not",
            |book| with_checksum(book, |page| *page.last_mut().unwrap() ^= 1),
            "read lines of 2026-11-20 (in/lines/date=2026-11-20/part-0.parquet): it cannot be read: column \
             credit_limit, row group 0, page 0: its checksum does not match",
        ),
        case(
            "a page of a gigabyte",
            |book| {
                edit_first_page(&plain(book, "lines"), 2, |page| page.set(2, Value::Int(I32, 1 << 30)));
            },
            "column credit_limit, row group 0, page 0: it takes 1073741824 bytes once it is decompressed, and \
             pages of more than 256 MB are not read",
        ),
        case(
            "a negative size of a page",
            |book| edit_first_page(&plain(book, "lines"), 2, |page| page.set(3, Value::Int(I32, -1))),
            "page 0: its header is damaged: it has a size or a count that cannot be",
        ),
        case(
            "a page beyond its column",
            |book| edit_first_page(&plain(book, "lines"), 2, |page| page.set(3, Value::Int(I32, 1 << 20))),
            "page 0: its 1048576 bytes do not lie within its column's",
        ),
        case(
            "a negative count of values",
            |book| {
                edit_first_page(&plain(book, "lines"), 2, |page| page.field(5).set(1, Value::Int(I32, -4)));
            },
            "page 0: its header is damaged: it has a size or a count that cannot be",
        ),
        case(
            "a dictionary of 2^31 values",
            |book| {
                let count = Value::Int(I32, i32::MAX.into());
                edit_first_page(&today(book, "lines"), 2, |page| page.field(7).set(1, count));
            },
            "bytes does not hold 2147483647 values",
        ),
    ]);
}

#[test]
fn a_dictionary_at_0_is_none() {
    check(&[Case {
        kind: "as old writers say it",
        input: |book| {
            for input in ["transactions", "repayments", "lines"] {
                edit_footer(&plain(book, input), |footer| {
                    let columns = footer.field(4).items()[0].field(1).items().len();
                    for column in 0..columns {
                        chunk(footer, 0, column).set(11, Value::Int(I64, 0));
                    }
                });
            }
        },
        exit: 0,
        message: "",
    }]);
}

/// Every number in a footer, given values that it cannot have.
#[test]
fn whatever_number_a_footer_holds_a_run_ends_with_0_or_3() {
    let book = Book::new();
    let path = today(&book, "lines");
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    Table::read(&path).write_with(&path, properties.build());
    let file = fs::read(&path).unwrap();
    let numbers = footer(&file).integers().len();
    for number in 0..numbers {
        for extreme in [-1, 1 << 40] {
            let mut changed = footer(&file);
            *changed.integers()[number] = extreme;
            fs::write(&path, with_footer(&file, &changed.to_bytes())).unwrap();
            let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]);
            assert!([0, 3].contains(&code), "number {number} is {extreme}: exit {code}\n{stderr}");
            assert!(!stderr.contains("panicked"), "number {number} is {extreme}\n{stderr}");
        }
    }
}

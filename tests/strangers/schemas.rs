//! Columns of odd types and names: read rightly, or refused by name.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Float64Array, Int64Array,
    ListArray, StringArray, TimestampMillisecondArray, UInt64Array,
};
use arrow_schema::DataType;
use parquet::file::properties::WriterProperties;

use super::{Case, check};
use crate::support::book::{Book, TODAY, YESTERDAY, delivered, table, write_arrays};
use crate::support::raw::{Raw, RawColumn, write_raw};
use crate::support::{Cell, Table};

/// The contract's columns by input.
const CONTRACT: [(&str, &[&str]); 3] = [
    ("transactions", &["account_id", "posted_on", "amount"]),
    ("repayments", &["account_id", "product", "bill_id", "due_on", "due_amount", "paid_on", "paid_amount"]),
    (
        "lines",
        &[
            "account_id",
            "product",
            "credit_limit",
            "balance",
            "status",
            "opened_on",
            "increased_on",
            "decreased_on",
        ],
    ),
];

/// Delivers today's file of an input again, its columns renamed, left out or made anew.
fn deliver(book: &Book, input: &str, date: &str, change: impl Fn(&str, ArrayRef) -> Vec<(String, ArrayRef)>) {
    let path = book.path().join(delivered(input, date));
    let table = Table::read(&path);
    let columns = table.columns.iter().enumerate();
    let arrays: Vec<(String, ArrayRef)> =
        columns.flat_map(|(place, (name, _))| change(name, table.array(place))).collect();
    write_arrays(&path, arrays.iter().map(|(name, array)| (name.as_str(), array.clone())).collect());
}

/// Likewise, one column made anew from the number of rows.
fn with(book: &Book, input: &str, column: &str, make: impl Fn(usize) -> ArrayRef) {
    deliver(book, input, TODAY, |name, array| {
        let array = if name == column { make(array.len()) } else { array };
        vec![(name.to_string(), array)]
    });
}

fn renamed(book: &Book, input: &str, date: &str, from: &str, to: &str) {
    deliver(book, input, date, |name, array| vec![(if name == from { to } else { name }.to_string(), array)]);
}

pub fn without(book: &Book, input: &str, date: &str, column: &str) {
    deliver(
        book,
        input,
        date,
        |name, array| {
            if name == column { Vec::new() } else { vec![(name.to_string(), array)] }
        },
    );
}

/// Runs today's night, which must be refused with a message that says all of this, by `check` too.
pub fn assert_refused(kind: &str, book: &Book, said: &[&str]) {
    for verb in ["run", "check"] {
        let (code, stdout, stderr) = book.outcome(&[verb, "job.toml", "--date", TODAY]);
        assert_eq!(code, 3, "{verb}: {kind}\n{stdout}\n{stderr}");
        assert!(!stderr.contains("panicked"), "{verb}: {kind}\n{stderr}");
        for said in said {
            assert!(stderr.contains(said), "{verb}: {kind}: wanted `{said}` in\n{stderr}");
        }
    }
    assert!(!book.path().join(format!("out/date={TODAY}")).exists(), "{kind}");
}

#[test]
fn a_column_that_stands_twice_is_refused_in_every_input() {
    for (input, column) in CONTRACT.iter().flat_map(|(input, all)| all.iter().map(move |c| (*input, *c))) {
        for before in [true, false] {
            let book = Book::new();
            deliver(&book, input, TODAY, |name, array| {
                let twice = vec![(name.to_string(), array.clone()), ("padding".to_string(), array.clone())];
                let mut columns = if name == column { twice } else { vec![(name.to_string(), array)] };
                if name == column {
                    columns.push((name.to_string(), columns[0].1.clone()));
                    columns.rotate_left(usize::from(before));
                }
                columns
            });
            let said = [&*format!("read {input} of {TODAY} ("), &*format!("there are 2 columns {column}")];
            assert_refused(&format!("{input}.{column} twice"), &book, &said);
        }
    }
}

#[test]
fn a_name_that_differs_in_case_only_is_refused_in_the_place_of_one_that_is_missing() {
    for (input, column) in CONTRACT.iter().flat_map(|(input, all)| all.iter().map(move |c| (*input, *c))) {
        let book = Book::new();
        let other = column.to_uppercase();
        renamed(&book, input, TODAY, column, &other);
        let said = [
            &*format!("read {input} of {TODAY} ("),
            &*format!("there is no column {column}, but {other}"),
            &*format!("[rename.{input}]"),
        ];
        assert_refused(&format!("{input}.{other}"), &book, &said);
        book.append("job.toml", &format!("[rename.{input}]\n{column} = \"{other}\"\n"));
        if (input, column) == ("lines", "opened_on") {
            book.publish();
        }
    }
}

#[test]
fn so_are_extra_columns_and_those_that_tell_repeats() {
    let kind = Book::new();
    renamed(&kind, "transactions", TODAY, "kind", "Kind");
    assert_refused("an extra column today", &kind, &["of 2026-11-20 (", "no column kind, but Kind"]);
    let kind = Book::new();
    renamed(&kind, "transactions", YESTERDAY, "kind", "KIND");
    assert_refused("an extra column yesterday", &kind, &["of 2026-11-19 (", "no column kind, but KIND"]);
    let unique = Book::new();
    unique.append("job.toml", "[unique.transactions]\ncolumn = \"transaction_id\"\nwithin_days = 3\n");
    renamed(&unique, "transactions", YESTERDAY, "transaction_id", "Transaction_Id");
    assert_refused("`unique`", &unique, &["no column transaction_id, but Transaction_Id"]);
    let given = Book::new();
    given.append("job.toml", "[rename.lines]\nbalance = \"owed\"\n");
    renamed(&given, "lines", TODAY, "balance", "OWED");
    assert_refused("a name that the job gives", &given, &["no column owed, but OWED"]);
}

#[test]
fn all_mistakes_are_told_at_once_and_one_of_many_files_in_a_line() {
    let book = Book::new();
    for date in [YESTERDAY, TODAY] {
        deliver(&book, "transactions", date, |name, array| match name {
            "amount" => vec![(name.to_string(), Arc::new(Float64Array::from(vec![1.5; array.len()])))],
            "posted_on" if date == TODAY => Vec::new(),
            _ => vec![(name.to_string(), array)],
        });
    }
    with(&book, "repayments", "due_on", |rows| Arc::new(StringArray::from(vec!["2026-11-20"; rows])));
    renamed(&book, "lines", TODAY, "status", "STATUS");
    let (_, _, told) = book.outcome(&["check", "job.toml", "--date", TODAY]);
    insta::assert_snapshot!(told);
    assert_refused("many mistakes", &book, &[&told]);
}

#[test]
fn types_that_no_column_takes_are_refused_by_name() {
    let floats = |rows| Arc::new(Float64Array::from(vec![1.5; rows])) as ArrayRef;
    for (input, column) in [
        ("transactions", "amount"),
        ("repayments", "due_amount"),
        ("repayments", "paid_amount"),
        ("lines", "credit_limit"),
        ("lines", "balance"),
    ] {
        let said =
            [&*format!("read {input} of {TODAY} ("), &*format!("{column} is Float64"), "cast it upstream"];
        let book = Book::new();
        with(&book, input, column, floats);
        assert_refused(column, &book, &said);
    }
    check(&[
        Case {
            kind: "decimal ids",
            input: |book| {
                with(book, "repayments", "bill_id", |rows| {
                    Arc::new(Decimal128Array::from(vec![7; rows]).with_precision_and_scale(18, 0).unwrap())
                })
            },
            exit: 3,
            message: "bill_id is Decimal(18, 0); ids are integers or text: cast it upstream",
        },
        Case {
            kind: "Boolean money",
            input: |book| {
                with(book, "lines", "balance", |rows| Arc::new(BooleanArray::from(vec![true; rows])))
            },
            exit: 3,
            message: "balance is Boolean; money is integer minor units or Decimal: cast it upstream",
        },
        Case {
            kind: "ids of bytes of a fixed length",
            input: |book| {
                with(book, "lines", "account_id", |rows| {
                    Arc::new(FixedSizeBinaryArray::try_from_iter((0..rows).map(|_| [7_u8; 16])).unwrap())
                })
            },
            exit: 3,
            message: "account_id is bytes of the fixed length 16; ids are integers or text: cast it upstream",
        },
        Case {
            kind: "a list of products",
            input: |book| {
                with(book, "lines", "product", |rows| {
                    let lists = (0..rows).map(|_| Some(vec![Some(1)]));
                    Arc::new(ListArray::from_iter_primitive::<arrow_array::types::Int64Type, _, _>(lists))
                })
            },
            exit: 3,
            message: "product is a list; it must be text: cast it upstream",
        },
        Case {
            kind: "an id that does not fit",
            input: |book| {
                with(book, "transactions", "account_id", |rows| {
                    Arc::new(UInt64Array::from(vec![u64::MAX; rows]))
                })
            },
            exit: 3,
            message: "account_id: 18446744073709551615 does not fit in Int64",
        },
        Case {
            kind: "money that does not fit",
            input: |book| {
                with(book, "lines", "balance", |rows| Arc::new(UInt64Array::from(vec![1 << 63; rows])))
            },
            exit: 3,
            message: "balance: 9223372036854775808 does not fit in Int64",
        },
        Case {
            kind: "an instant beyond the calendar",
            input: |book| {
                with(book, "repayments", "paid_on", |rows| {
                    Arc::new(TimestampMillisecondArray::from(vec![i64::MAX; rows]).with_timezone("UTC"))
                })
            },
            exit: 3,
            message: "paid_on: a timestamp lies beyond the calendar",
        },
        Case {
            kind: "a local time beyond the calendar",
            input: |book| {
                with(book, "transactions", "posted_on", |rows| {
                    Arc::new(arrow_array::TimestampMillisecondArray::from(vec![i64::MIN; rows]))
                })
            },
            exit: 3,
            message: "posted_on: a timestamp lies beyond the calendar",
        },
    ]);
}

/// Writes today's file of an input with the bytes of one column made anew.
fn with_bytes(book: &Book, input: &str, column: &str, annotation: &str, dictionary: bool, bytes: &[u8]) {
    let path = book.path().join(delivered(input, TODAY));
    let table = Table::read(&path);
    let columns = table.columns.iter().map(|(name, _)| {
        let whole = RawColumn::of(&table, name);
        if name != column {
            return whole;
        }
        let values = Raw::Bytes(vec![Some(bytes.to_vec()); table.rows.len()]);
        RawColumn::new(name, "BYTE_ARRAY", annotation, values)
    });
    let properties = WriterProperties::builder().set_dictionary_enabled(dictionary).build();
    write_raw(&path, &columns.collect::<Vec<_>>(), properties);
}

#[test]
fn bytes_that_are_not_utf8_never_become_text() {
    let columns = [
        ("transactions", "kind"),
        ("transactions", "account_id"),
        ("repayments", "product"),
        ("repayments", "bill_id"),
        ("lines", "product"),
        ("lines", "status"),
        ("lines", "account_id"),
        ("lines", "segment"),
    ];
    for (input, column) in columns {
        for annotation in ["", "(STRING)", "(UTF8)", "(ENUM)", "(JSON)"] {
            for dictionary in [true, false] {
                let book = Book::new();
                with_bytes(&book, input, column, annotation, dictionary, b"caf\xe9");
                if column == "account_id" || column == "bill_id" {
                    // Then all ids are text.
                    for (other, date) in [
                        ("transactions", TODAY),
                        ("transactions", YESTERDAY),
                        ("repayments", TODAY),
                        ("repayments", YESTERDAY),
                        ("lines", TODAY),
                    ] {
                        let is_done = other == input && date == TODAY;
                        if !is_done {
                            let text = |array: &ArrayRef| {
                                Arc::new(StringArray::from_iter_values(
                                    (0..array.len()).map(|row| row.to_string()),
                                )) as ArrayRef
                            };
                            deliver(&book, other, date, |name, array| {
                                let array = if name == column { text(&array) } else { array };
                                vec![(name.to_string(), array)]
                            });
                        }
                    }
                }
                let (code, _, stderr) = book.run();
                let kind = format!("{input}.{column} annotated `{annotation}`\n{stderr}");
                assert_eq!(code, 3, "{kind}");
                assert!(stderr.contains(&format!("read {input} of {TODAY} (")), "{kind}");
                assert!(stderr.contains(column) && stderr.contains("UTF-8"), "{kind}");
            }
        }
    }
}

#[test]
fn an_amount_that_is_no_whole_number_of_minor_units_is_a_bad_row() {
    let unit = 100; // of four places with two minor units
    let columns = [
        ("transactions", "amount"),
        ("repayments", "due_amount"),
        ("repayments", "paid_amount"),
        ("lines", "credit_limit"),
        ("lines", "balance"),
    ];
    for (input, column) in columns {
        let book = Book::new();
        let dates: &[&str] = if input == "lines" { &[TODAY] } else { &[TODAY, YESTERDAY] };
        for date in dates {
            let rows = Table::read(&book.path().join(delivered(input, date)));
            let amounts = rows.column(column);
            deliver(&book, input, date, |name, array| {
                let unscaled = amounts.iter().enumerate().map(|(row, cell)| match cell {
                    Cell::Int(amount) => {
                        Some(i128::from(amount * unit + i64::from(row == 1 && *date == TODAY)))
                    }
                    _ => None,
                });
                let decimals =
                    || unscaled.clone().collect::<Decimal128Array>().with_precision_and_scale(24, 4);
                let array = if name == column { Arc::new(decimals().unwrap()) } else { array };
                vec![(name.to_string(), array)]
            });
        }
        book.publish();
        let rejects = book.output("rejects");
        let found: Vec<(Cell, Cell, Cell)> =
            rejects.rows.iter().map(|row| (row[0].clone(), row[3].clone(), row[4].clone())).collect();
        assert!(
            found.contains(&(input.into(), 1.into(), "bad_amount".into())),
            "{input}.{column}: {found:?}"
        );
        assert_eq!(found.len(), Book::new().rejects() + 1, "{input}.{column}: {found:?}");
    }
}

#[test]
fn money_of_two_kinds_is_refused_by_both_files_names() {
    let cents = |book: &Book, date| {
        deliver(book, "transactions", date, |name, array| {
            let decimal = |array: &ArrayRef| {
                arrow_array::cast::AsArray::as_primitive::<arrow_array::types::Int64Type>(array)
                    .iter()
                    .map(|v| v.map(i128::from))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(38, 0)
                    .unwrap()
            };
            let array = if name == "amount" { Arc::new(decimal(&array)) as ArrayRef } else { array };
            vec![(name.to_string(), array)]
        });
    };
    for date in [TODAY, YESTERDAY] {
        let book = Book::new();
        cents(&book, date);
        let said = [
            &*delivered("transactions", TODAY),
            &*delivered("transactions", YESTERDAY),
            "mixed_money = true",
            "Decimal(38, 0)",
        ];
        assert_refused("amount of two kinds", &book, &said);
        book.edit("job.toml", "lines_max_age_days = 1", "lines_max_age_days = 1\nmixed_money = true");
        book.publish();
    }
    let book = Book::new();
    cents(&book, TODAY);
    cents(&book, YESTERDAY);
    book.publish();
}

#[test]
fn issued_columns_are_looked_at_too() {
    let book = Book::new();
    book.edit("job.toml", "\n[output]", "\nissued = \"in/issued/date={date}/*.parquet\"\n\n[output]");
    let columns = [
        ("account_id", DataType::Int64),
        ("product", DataType::Utf8),
        ("new_limit", DataType::Int64),
        ("new_status", DataType::Utf8),
        ("effective_on", DataType::Date32),
    ];
    book.deliver("issued", YESTERDAY, &table(&columns, "1 card 50000 active 2026-11-20"));
    let file = book.path().join(delivered("issued", YESTERDAY));
    let plain = Table::read(&file);
    book.publish();
    let money: [(&str, ArrayRef, i32); 4] = [
        ("new_limit", Arc::new(arrow_array::Int32Array::from(vec![50_000])), 0),
        ("new_limit", Arc::new(Float64Array::from(vec![50_000.0])), 3),
        ("NEW_LIMIT", Arc::new(Int64Array::from(vec![50_000])), 3),
        ("effective_on", Arc::new(Date32Array::from(vec![20_000])), 3),
    ];
    for (name, array, expected) in money {
        let columns = plain.columns.iter().enumerate().map(|(place, (known, _))| {
            let is_it = known == "new_limit";
            (
                if is_it { name } else { known.as_str() },
                if is_it { array.clone() } else { plain.array(place) },
            )
        });
        write_arrays(&file, columns.collect());
        let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]);
        assert_eq!(code, expected, "{name}: {stderr}");
        assert!(
            code == 0 || stderr.contains("read issued of 2026-11-19 (") && stderr.contains(name),
            "{stderr}"
        );
    }
}

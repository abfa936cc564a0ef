//! What is said about a spine that cannot be used: exit code, file, row or column, and what to do.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};
use arrow_schema::DataType;
use arrow_schema::DataType::{Boolean, Date32, Int64, Utf8};

use crate::support::Table;
use crate::support::book::{Book, TODAY, YESTERDAY, delivered, instants, table, write_arrays};

const COLUMNS: [(&str, DataType); 3] = [("account_id", Int64), ("as_of", Date32), ("known_on", Date32)];

/// What is done to a book with a plain spine, and what to call it.
type Trouble<'a> = (&'a str, i32, &'a dyn Fn(&Book, &Path));

/// What is said about each trouble, made in a plain book of its own.
fn told_about(troubles: &[Trouble]) -> String {
    let told = troubles.iter().map(|(name, expected, make)| {
        let book = Book::new();
        let spine = book.path().join("spine.parquet");
        table(&COLUMNS, "1 2026-11-20 -\n2 2026-11-20 2026-11-21").write(&spine);
        make(&book, &spine);
        let args = ["features", "job.toml", "--spine", "spine.parquet", "--out", "out.parquet", "--scores"];
        let (code, stdout, stderr) = book.outcome(&args);
        assert_eq!((code, stdout.as_str()), (*expected, ""), "{name}\n{stderr}");
        assert!(!book.path().join("out.parquet").is_file(), "{name}");
        let left: Vec<_> =
            fs::read_dir(book.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".new")), "{name}: {left:?}");
        format!("=== {name} (exit {code})\n{stderr}\n")
    });
    told.collect()
}

fn ids() -> ArrayRef {
    Arc::new(Int64Array::from(vec![1, 2]))
}

fn days() -> ArrayRef {
    Arc::new(Date32Array::from(vec![20_777, 20_777]))
}

fn texts() -> ArrayRef {
    Arc::new(StringArray::from(vec!["1", "2"]))
}

macro_rules! assert_told {
    ($told:expr) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!($told);
        });
    };
}

#[test]
fn spines_that_cannot_be_read() {
    assert_told!(told_about(&[
        ("none", 3, &|_, spine| fs::remove_file(spine).unwrap()),
        ("a directory", 3, &|_, spine| {
            fs::remove_file(spine).unwrap();
            fs::create_dir(spine).unwrap();
        }),
        ("text", 3, &|_, spine| fs::write(spine, "account_id,as_of\n1,2026-11-20\n").unwrap()),
        ("cut off", 3, &|_, spine| {
            let bytes = fs::read(spine).unwrap();
            fs::write(spine, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("job files go first", 2, &|book, spine| {
            fs::remove_file(spine).unwrap();
            book.edit(
                "scorecard.toml",
                "days = 30\n\n[[feature]]\nname = \"online_30d\"",
                "days = 0\n\n[[feature]]\nname = \"online_30d\"",
            );
        }),
    ]));
}

#[test]
fn columns_that_are_not_what_they_must_be() {
    assert_told!(told_about(&[
        ("no account", 3, &|_, spine| write_arrays(spine, vec![("as_of", days())])),
        ("no day", 3, &|_, spine| write_arrays(spine, vec![("account_id", ids()), ("date", days())])),
        ("in another case", 3, &|_, spine| {
            write_arrays(spine, vec![("account_id", ids()), ("As_Of", days())]);
        }),
        ("twice", 3, &|_, spine| {
            write_arrays(spine, vec![("account_id", ids()), ("as_of", days()), ("as_of", days())]);
        }),
        ("text ids", 3, &|_, spine| write_arrays(spine, vec![("account_id", texts()), ("as_of", days())])),
        ("days in text", 3, &|_, spine| {
            write_arrays(spine, vec![("account_id", ids()), ("as_of", texts())]);
        }),
        ("ids that are floats", 3, &|_, spine| {
            let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
            write_arrays(spine, vec![("account_id", floats), ("as_of", days())]);
        }),
        ("instants without the job's time zone", 3, &|book, spine| {
            book.edit("job.toml", "timezone = \"Asia/Shanghai\"\n", "");
            write_arrays(spine, vec![("account_id", ids()), ("as_of", instants(&[0, 0], Some("UTC")))]);
        }),
        ("a column that is a feature", 3, &|_, spine| {
            write_arrays(spine, vec![("account_id", ids()), ("as_of", days()), ("used_bp", ids())]);
        }),
        ("a column that is a score", 3, &|_, spine| {
            write_arrays(spine, vec![("account_id", ids()), ("as_of", days()), ("points_spend_30d", ids())]);
        }),
        ("a column that tells what is left out", 3, &|_, spine| {
            write_arrays(spine, vec![("account_id", ids()), ("left_out", ids()), ("as_of", days())]);
        }),
    ]));
}

#[test]
fn days_that_cannot_be() {
    assert_told!(told_about(&[("known before its day", 3, &|_, spine| {
        table(&COLUMNS, "1 2026-11-20 -\n2 2026-11-20 2026-11-19").write(spine);
    }),]));
}

#[test]
fn places_that_cannot_be_written_to() {
    let told = |make: &dyn Fn(&Book), out: &str| {
        let book = Book::new();
        table(&COLUMNS, "1 2026-11-20 -").write(&book.path().join("spine.parquet"));
        make(&book);
        let before = fs::read(book.path().join("spine.parquet")).unwrap();
        let (code, stdout, stderr) =
            book.outcome(&["features", "job.toml", "--spine", "spine.parquet", "--out", out]);
        assert_eq!(stdout, "");
        assert!(before == fs::read(book.path().join("spine.parquet")).unwrap());
        let home = fs::canonicalize(book.path()).unwrap();
        format!("{out}: exit {code}: {}", stderr.replace(home.to_str().unwrap(), "HOME"))
    };
    let link =
        |book: &Book| fs::hard_link(book.path().join("spine.parquet"), book.path().join("same")).unwrap();
    let all = [
        told(&|_| {}, "spine.parquet"),
        told(&link, "same"),
        told(&|_| {}, "nowhere/out.parquet"),
        told(&|_| {}, "in"),
        told(&|_| {}, "in/lines/out.parquet"),
        told(&Book::publish, &format!("out/date={TODAY}/more.parquet")),
    ];
    assert_told!(all.concat());
}

/// Days that no run could be of are told by row; inputs that cannot be read are told as a run tells them.
#[test]
fn troubles_with_the_inputs() {
    assert_told!(told_about(&[
        ("transactions with a column of another type", 3, &|book, _| {
            let columns = [
                ("account_id", Utf8),
                ("posted_on", Date32),
                ("amount", Int64),
                ("kind", Utf8),
                ("category", Utf8),
                ("is_online", Boolean),
            ];
            book.deliver("transactions", YESTERDAY, &Table::new(&columns));
        }),
        ("a damaged snapshot", 3, &|book, _| {
            let path = book.path().join(delivered("lines", TODAY));
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("a snapshot without a column that an earlier one had", 3, &|book, _| {
            let path = book.path().join(delivered("lines", TODAY));
            let whole = Table::read(&path);
            whole.write(&book.path().join(delivered("lines", YESTERDAY)));
            let place = whole.position("increased_on").unwrap();
            let mut less = whole;
            less.columns.remove(place);
            less.rows.iter_mut().for_each(|row| drop(row.remove(place)));
            less.write(&path);
        }),
    ]));
}

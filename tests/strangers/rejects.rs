//! Rejected rows, however many: all listed in order, none held in memory, the same bytes on any number of threads.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use crate::support::Table;
use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, YESTERDAY, delivered, table};
use crate::support::files::{assert_same, runs_in};
use crate::support::{Cell, day};

/// How many rows a batch of a large file has.
const BATCH_ROWS: usize = 100_000;

/// Writes a file of one row group in which every row is the same.
fn write_alike(path: &Path, rows: usize, row: &[(&str, ArrayRef)]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let columns = row.iter().map(|(name, value)| (*name, repeated(value, BATCH_ROWS), true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(None).build();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    (0..rows / BATCH_ROWS).for_each(|_| writer.write(&batch).unwrap());
    writer.close().unwrap();
}

/// The one value of an array, many times.
fn repeated(value: &ArrayRef, rows: usize) -> ArrayRef {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Date32Type, Int64Type};
    match value.data_type() {
        arrow_schema::DataType::Int64 => {
            let value = value.as_primitive::<Int64Type>().iter().next().unwrap();
            Arc::new(std::iter::repeat_n(value, rows).collect::<Int64Array>())
        }
        arrow_schema::DataType::Date32 => {
            let value = value.as_primitive::<Date32Type>().iter().next().unwrap();
            Arc::new(std::iter::repeat_n(value, rows).collect::<Date32Array>())
        }
        arrow_schema::DataType::Boolean => Arc::new(arrow_array::BooleanArray::from(vec![None; rows])),
        _ => {
            let value = value.as_string::<i32>().iter().next().unwrap();
            Arc::new(std::iter::repeat_n(value, rows).collect::<StringArray>())
        }
    }
}

fn int(value: Option<i64>) -> ArrayRef {
    Arc::new(Int64Array::from(vec![value]))
}

fn date(value: Option<&str>) -> ArrayRef {
    Arc::new(Date32Array::from(vec![value.map(|value| day(value).0)]))
}

fn text(value: Option<&str>) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

/// Runs today's night and returns the most memory it held, in bytes.
fn most_memory(book: &Book, threads: &str) -> u64 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    let args = ["run", "job.toml", "--date", TODAY, "--quiet", "--threads", threads, "--replace"];
    let mut child = command.current_dir(book.path()).args(args).stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        // The high-water mark goes with the process, so that it is asked for until then.
        let peak = fs::read_to_string(&status).unwrap_or_default();
        let peak = peak
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
        most = most.max(peak.unwrap_or(0) * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return most;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Adds a second file to today's delivery of an input, every row of which is rejected.
fn add_rejected(book: &Book, input: &str, rows: usize) {
    let path = book.path().join(delivered(input, TODAY)).with_file_name("part-1.parquet");
    let shared = [("account_id", int(Some(2))), ("product", text(Some("card")))];
    let own = match input {
        "transactions" => vec![
            ("transaction_id", int(Some(21))),
            ("posted_on", date(Some(TODAY))),
            ("amount", int(Some(5))),
            ("kind", text(None)),
            ("category", text(None)),
        ],
        "repayments" => vec![
            ("bill_id", int(Some(9))),
            ("due_on", date(Some(TODAY))),
            ("due_amount", int(Some(0))),
            ("paid_on", date(None)),
            ("paid_amount", int(None)),
        ],
        _ => vec![
            ("credit_limit", int(Some(1))),
            ("balance", int(Some(0))),
            ("status", text(Some("active"))),
            ("opened_on", date(Some(YESTERDAY))),
            ("increased_on", date(None)),
            ("decreased_on", date(None)),
            ("segment", text(None)),
        ],
    };
    let mut row: Vec<(&str, ArrayRef)> = shared.into_iter().chain(own).collect();
    if input == "transactions" {
        // As every row has the same id, all repeat an earlier one.
        row.push(("is_online", Arc::new(arrow_array::BooleanArray::from(vec![None]))));
    }
    write_alike(&path, rows, &row);
}

#[test]
fn memory_does_not_grow_with_rejects() {
    const ROWS: usize = 3_000_000;
    let plain = most_memory(&Book::new(), "2");
    for input in ["transactions", "repayments", "lines"] {
        let book = Book::new();
        if input == "transactions" {
            book.append("job.toml", "[unique.transactions]\ncolumn = \"transaction_id\"\nwithin_days = 3\n");
        }
        add_rejected(&book, input, ROWS);
        let most = most_memory(&book, "2");
        assert!(most < plain + (400 << 20), "{input}: {} MB", most >> 20);
        let manifest = fs::read(book.path().join(format!("out/date={TODAY}/manifest.json"))).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let counts = &manifest["counts"][input];
        let rejected: u64 =
            counts["rejected"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert!(rejected >= ROWS as u64, "{counts}");
        assert_eq!(counts["read"].as_u64().unwrap(), counts["accepted"].as_u64().unwrap() + rejected);
        let output = manifest["outputs"].as_array().unwrap().iter().find(|o| o["file"] == "rejects.parquet");
        assert_eq!(output.unwrap()["rows"].as_u64(), Some(rejected), "{input}");
        let left: Vec<_> =
            fs::read_dir(book.path().join("out")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name == ".lock" || name == &*format!("date={TODAY}")), "{left:?}");
    }
}

/// Rejected rows of every input, in several files and row groups, repeats and lines named twice among them.
fn mixed() -> Book {
    let book = Book::new();
    book.append(
        "job.toml",
        "[unique.transactions]\ncolumn = \"transaction_id\"\nwithin_days = 3\n\
         [unique.lines]\ncolumn = \"segment\"\nwithin_days = 0\n",
    );
    let part = |input: &str, number: usize, rows: Table| {
        let path = book.path().join(delivered(input, TODAY)).with_file_name(format!("part-{number}.parquet"));
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
        rows.write_with(&path, properties);
    };
    let transactions = "
        31  -  2026-11-20  1000  purchase  a  true
        32  1  -           1000  purchase  a  true
        21  1  2026-11-20  1000  purchase  a  true
        33  1  2026-11-21  1000  purchase  a  true
        31  1  2026-11-20  1000  purchase  a  true
        31  2  2026-11-20  1000  purchase  a  true";
    part("transactions", 1, table(&crate::support::book::TRANSACTIONS, transactions));
    part("transactions", 2, table(&crate::support::book::TRANSACTIONS, transactions));
    let repayments = "
        1  -     101  2026-11-10  10000  2026-11-09  10000
        1  card  101  2026-11-10      0  2026-11-09  10000
        1  card  101  2026-11-10  10000  2026-11-09  -
        1  card  101  2026-11-10  10000  -           5";
    part("repayments", 1, table(&REPAYMENTS, repayments));
    let lines = "
        1  card  100000  20000  active  2025-01-01  -  -  other
        4  card  100000  20000  lost    2025-01-01  -  -  mass
        5  card  100000  20000  active  2025-01-01  -  -  fine
        6  card  100000  20000  active  2025-01-01  -  -  fine
        7  loan  100000  20000  active  2025-01-01  -  -  seven
        7  loan  100000  20000  active  2025-01-01  -  -  seven
        7  loan  100000  20000  active  2025-01-01  -  -  -";
    part("lines", 1, table(&LINES, lines));
    book
}

#[test]
fn rejects_are_listed_in_order_whatever_the_number_of_threads() {
    let book = mixed();
    book.publish();
    let rejects = book.output("rejects");
    let found = rejects.rows.iter().map(|row| {
        let Cell::Int(number) = row[3] else { panic!("a row without a number") };
        let text = |cell: &Cell| if let Cell::Text(text) = cell { text.clone() } else { "-".to_string() };
        format!("{} {} {number} {} {}\n", text(&row[0]), &text(&row[2])[16..], text(&row[4]), text(&row[5]))
    });
    insta::assert_snapshot!(found.collect::<String>());
    let runs = |threads: &str| {
        let args = ["run", "job.toml", "--date", TODAY, "--replace", "--threads", threads];
        assert_eq!(book.outcome(&args).0, 0);
        runs_in(&book.path().join("out"))
    };
    assert_same(&runs("1"), &runs("7"));
}

#[test]
fn rejects_of_a_large_row_group_are_the_same_on_any_number_of_threads() {
    let book = Book::new();
    book.append("job.toml", "[unique.transactions]\ncolumn = \"transaction_id\"\nwithin_days = 3\n");
    add_rejected(&book, "transactions", 2_200_000);
    let runs = |threads: &str| {
        most_memory(&book, threads);
        runs_in(&book.path().join("out"))
    };
    assert_same(&runs("1"), &runs("3"));
    let rejects = book.output("rejects");
    let numbers =
        rejects.rows.iter().filter(|row| row[0] == "transactions".into() && row[4] == "duplicate_row".into());
    let numbers: Vec<Cell> = numbers.map(|row| row[3].clone()).collect();
    assert!(numbers.iter().cloned().eq((0..2_200_000).map(Cell::Int)), "every row repeats the first file's");
}

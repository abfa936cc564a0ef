//! Troubles with the inputs: exit 3, naming input, delivery, file, column, what was found and what to do.

use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};
use arrow_schema::DataType::{Decimal128, Int64, Utf8};

use super::{assert_told, told};
use crate::support::book::{
    Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, YESTERDAY, delivered, instants, table, write_arrays,
};
use crate::support::{Cell, Table};

/// What is done to a book, and what to call it.
type Trouble<'a> = (&'a str, &'a dyn Fn(&Book));

/// What is said about each trouble, made in a plain book of its own.
fn told_about(troubles: &[Trouble]) -> String {
    let told = troubles.iter().map(|(name, make)| {
        let book = Book::new();
        make(&book);
        told(name, &book, 3)
    });
    told.collect()
}

/// Delivers an input again with one column made anew.
fn with_column(book: &Book, input: &str, column: &str, array: ArrayRef) {
    let path = book.path().join(delivered(input, TODAY));
    let table = Table::read(&path);
    let arrays = table.columns.iter().enumerate().map(|(place, (name, _))| {
        let array = if name == column { array.clone() } else { table.array(place) };
        (name.as_str(), array)
    });
    write_arrays(&path, arrays.collect());
}

fn floats(rows: usize) -> ArrayRef {
    Arc::new(Float64Array::from(vec![1.5; rows]))
}

fn without(book: &Book, input: &str, column: &str) {
    let path = book.path().join(delivered(input, TODAY));
    let mut table = Table::read(&path);
    let place = table.columns.iter().position(|(name, _)| name == column).unwrap();
    table.columns.remove(place);
    table.rows.iter_mut().for_each(|row| drop(row.remove(place)));
    table.write(&path);
}

fn remove(book: &Book, input: &str, date: &str) {
    fs::remove_file(book.path().join(delivered(input, date))).unwrap();
}

fn keep_bytes(book: &Book, input: &str, bytes: usize) {
    let path = book.path().join(delivered(input, TODAY));
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..bytes.min(whole.len() - 1)]).unwrap();
}

#[test]
fn deliveries_that_are_not_there() {
    assert_told!(told_about(&[
        ("no transactions of the day", &|book| remove(book, "transactions", TODAY)),
        ("no repayments of the day", &|book| remove(book, "repayments", TODAY)),
        ("no snapshot at all", &|book| remove(book, "lines", TODAY)),
        ("a snapshot too old", &|book| {
            remove(book, "lines", TODAY);
            book.deliver("lines", "2026-11-18", &table(&LINES, "1 card 1 0 active 2026-01-01 - - -"));
        }),
        ("a snapshot of tomorrow only", &|book| {
            remove(book, "lines", TODAY);
            book.deliver("lines", "2026-11-21", &table(&LINES, "1 card 1 0 active 2026-01-01 - - -"));
        }),
        ("no undated file", &|book| {
            book.edit("job.toml", "in/repayments/date={date}/*.parquet", "in/repayments/*.parquet");
        }),
    ]));
}

#[test]
fn files_that_cannot_be_read() {
    assert_told!(told_about(&[
        ("cut off at the end", &|book| keep_bytes(book, "transactions", usize::MAX)),
        ("cut off early", &|book| keep_bytes(book, "repayments", 100)),
        ("of no bytes", &|book| keep_bytes(book, "lines", 0)),
        ("text", &|book| {
            let path = book.path().join(delivered("lines", TODAY));
            fs::write(path, "account_id,product,credit_limit\n1,card,1000\n").unwrap();
        }),
        ("an older delivery", &|book| {
            let path = book.path().join(delivered("repayments", YESTERDAY));
            fs::write(path, "PAR1").unwrap();
        }),
    ]));
}

#[test]
fn columns_of_the_wrong_type() {
    let rows = 4;
    assert_told!(told_about(&[
        ("float money", &|book| with_column(book, "transactions", "amount", floats(rows))),
        ("float limit", &|book| with_column(book, "lines", "credit_limit", floats(rows))),
        ("dates as text", &|book| {
            let dates: ArrayRef = Arc::new(StringArray::from(vec!["2026-11-20"; rows]));
            with_column(book, "transactions", "posted_on", dates);
        }),
        ("dates as numbers", &|book| {
            let dates: ArrayRef = Arc::new(Int64Array::from(vec![20_261_120; rows]));
            with_column(book, "lines", "opened_on", dates);
        }),
        ("ids as floats", &|book| with_column(book, "lines", "account_id", floats(rows))),
        ("ids as dates", &|book| {
            let ids: ArrayRef = Arc::new(Date32Array::from(vec![1; 2]));
            with_column(book, "repayments", "bill_id", ids);
        }),
        ("a status as a number", &|book| {
            let codes: ArrayRef = Arc::new(Int64Array::from(vec![1; rows]));
            with_column(book, "lines", "status", codes);
        }),
        ("instants without the job's time zone", &|book| {
            book.edit("job.toml", "timezone = \"Asia/Shanghai\"\n", "");
            with_column(book, "transactions", "posted_on", instants(&[0; 4], Some("UTC")));
        }),
        ("an extra instant without the job's time zone", &|book| {
            book.edit("job.toml", "timezone = \"Asia/Shanghai\"\n", "");
            book.edit("policy.toml", "segment = 'private'", "segment > date '2026-01-01'");
            with_column(book, "lines", "segment", instants(&[0; 4], Some("UTC")));
        }),
    ]));
}

#[test]
fn columns_that_are_not_there() {
    assert_told!(told_about(&[
        ("a contract column", &|book| without(book, "transactions", "amount")),
        ("another", &|book| without(book, "lines", "status")),
        ("under the name that the job gives", &|book| {
            book.append("job.toml", "[rename.lines]\nbalance = \"owed\"\n");
        }),
        ("an optional one under the name that the job gives", &|book| {
            book.append("job.toml", "[rename.lines]\nincreased_on = \"raised_on\"\n");
        }),
        ("an extra one in an older delivery", &|book| {
            let columns = &TRANSACTIONS[..4];
            book.deliver("transactions", YESTERDAY, &table(columns, "11 1 2026-11-18 30000"));
        }),
    ]));
}

/// The plain lines with text ids.
fn text_ids(book: &Book, input: &str, date: &str) {
    let path = book.path().join(delivered(input, date));
    let mut table = Table::read(&path);
    let place = table.columns.iter().position(|(name, _)| name == "account_id").unwrap();
    table.columns[place].1 = Utf8;
    for row in &mut table.rows {
        row[place] = match &row[place] {
            Cell::Int(id) => id.to_string().as_str().into(),
            other => other.clone(),
        };
    }
    table.write(&path);
}

#[test]
fn ids_and_extra_columns_of_two_types() {
    assert_told!(told_about(&[
        ("transactions with text ids", &|book| text_ids(book, "transactions", TODAY)),
        ("an older delivery with text ids", &|book| text_ids(book, "repayments", YESTERDAY)),
        ("lines with text ids", &|book| text_ids(book, "lines", TODAY)),
        ("lines in two files that differ", &|book| {
            let path = book.path().join(delivered("lines", TODAY));
            fs::copy(&path, path.with_file_name("part-1.parquet")).unwrap();
            text_ids(book, "lines", TODAY);
        }),
        ("bills in two files that differ", &|book| {
            let mut columns = REPAYMENTS;
            columns[2].1 = Utf8;
            let rows = table(&columns, "2 card b201 2026-11-01 8000 - -");
            book.deliver("repayments", YESTERDAY, &rows);
        }),
        ("an extra column that was a number", &|book| {
            let mut columns = TRANSACTIONS;
            columns[5].1 = Int64;
            let rows = table(&columns, "11 1 2026-11-18 30000 purchase 7 true");
            book.deliver("transactions", YESTERDAY, &rows);
        }),
        ("an extra column of lines in two files that differ", &|book| {
            let path = book.path().join(delivered("lines", TODAY));
            let mut columns = LINES;
            columns[8].1 = Int64;
            let rows = table(&columns, "4 card 1000 0 active 2026-01-01 - - 7");
            rows.write(&path.with_file_name("part-1.parquet"));
        }),
        ("issued with text ids", &|book| {
            let issued = "\nissued = \"in/issued/date={date}/*.parquet\"\n\n[output]";
            book.edit("job.toml", "\n[output]", issued);
            let columns = [
                ("account_id", Utf8),
                ("product", Utf8),
                ("new_limit", Int64),
                ("new_status", Utf8),
                ("effective_on", LINES[5].1.clone()),
            ];
            book.deliver("issued", YESTERDAY, &table(&columns, "1 card 5 active 2026-11-21"));
        }),
    ]));
}

#[test]
fn results_out_of_range() {
    assert_told!(told_about(&[
        ("a sum", &|book| {
            let text = "
                31  2  2026-11-20  9223372036854775807  purchase  a  true
                32  2  2026-11-20                    1  purchase  a  true";
            book.deliver("transactions", TODAY, &table(&TRANSACTIONS, text));
        }),
        ("a ratio", &|book| {
            book.edit("scorecard.toml", "scale = 10000", "scale = 9223372036854775807");
            let text = "5  card  1  1000  active  2026-01-01  -  -  -";
            book.deliver("lines", TODAY, &table(&LINES, text));
        }),
        ("an expression", &|book| {
            book.edit("scorecard.toml", "then 1 else 0 end", "then 1 else limits * limits * limits end");
            let text = "5  card  9000000000000  0  active  2026-01-01  -  -  -";
            book.deliver("lines", TODAY, &table(&LINES, text));
        }),
        ("a decimal that does not fit", &|book| {
            book.edit("job.toml", "lines_max_age_days = 1", "lines_max_age_days = 1\nmixed_money = true");
            let column = [("amount", Decimal128(38, 0))];
            let amounts =
                (0..4).fold(Table::new(&column), |rows, _| rows.row([Cell::Decimal(i128::MAX / 10)]));
            with_column(book, "transactions", "amount", amounts.array(0));
        }),
    ]));
}

#[test]
fn a_snapshot_without_one_accepted_line() {
    assert_told!(told_about(&[
        ("all rejected", &|book| {
            let text = "
                1  card  1000  0  actve   2026-01-01  -  -  -
                2  card  -1    0  active  2026-01-01  -  -  -
                -  card  1000  0  active  2026-01-01  -  -  -";
            book.deliver("lines", TODAY, &table(&LINES, text));
        }),
        ("without rows", &|book| book.deliver("lines", TODAY, &Table::new(&LINES))),
    ]));
}

#[test]
fn an_output_directory_that_is_a_file() {
    let book = Book::new();
    book.put("taken", "");
    let (code, stdout, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--out", "taken"]);
    assert_eq!((code, stdout.as_str()), (6, ""));
    insta::assert_snapshot!(stderr, @"error: taken is there, but is no directory; move it away");
}

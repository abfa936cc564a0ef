//! Rows sent twice: which are left out depends on `within_days`, on earlier reasons, and on nothing else.

use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, YESTERDAY, table};
use crate::support::{Cell, Table};

const DAY_BEFORE: &str = "2026-11-18";

fn unique(book: &Book, input: &str, column: &str, within_days: u32) {
    let keys = format!("[unique.{input}]\ncolumn = \"{column}\"\nwithin_days = {within_days}\n");
    book.append("job.toml", &keys);
}

/// The rows of today's delivery of an input that are repeats.
fn repeats(book: &Book, input: &str) -> Vec<i64> {
    book.publish();
    let rejects = book.output("rejects");
    let place = |name: &str| rejects.columns.iter().position(|(known, _)| known == name).unwrap();
    let rows = rejects.rows.iter().filter(|row| {
        row[place("input")] == input.into()
            && row[place("delivery")] == crate::support::day(TODAY).into()
            && row[place("reason")] == "duplicate_row".into()
    });
    let number = |row: &Vec<Cell>| match row[place("row")] {
        Cell::Int(row) => row,
        _ => panic!("a reject without row"),
    };
    rows.map(number).collect()
}

fn transactions(ids: &[(&str, &str)]) -> Table {
    let rows = ids.iter().map(|(id, account)| format!("{id} {account} 2026-11-17 100 purchase a true\n"));
    table(&TRANSACTIONS, &rows.collect::<String>())
}

#[test]
fn transactions_within_a_delivery_and_within_some_days() {
    for (within_days, expected) in [(0, vec![1]), (1, vec![1, 2, 4]), (2, vec![1, 2, 3, 4])] {
        let book = Book::new();
        unique(&book, "transactions", "transaction_id", within_days);
        book.deliver("transactions", DAY_BEFORE, &transactions(&[("7", "1"), ("8", "1"), ("9", "1")]));
        book.deliver("transactions", YESTERDAY, &transactions(&[("5", "1"), ("9", "1")]));
        let today = [("6", "1"), ("6", "2"), ("5", "1"), ("8", "1"), ("9", "1"), ("4", "1")];
        book.deliver("transactions", TODAY, &transactions(&today));
        assert_eq!(repeats(&book, "transactions"), expected, "within {within_days} days");
    }
}

#[test]
fn a_row_without_the_value_or_with_an_earlier_reason_is_no_earlier_row() {
    let book = Book::new();
    unique(&book, "transactions", "transaction_id", 9);
    book.deliver("transactions", YESTERDAY, &transactions(&[("7", "-"), ("-", "1"), ("8", "1")]));
    let today = [("7", "1"), ("-", "1"), ("-", "1"), ("8", "-"), ("8", "1"), ("7", "1")];
    book.deliver("transactions", TODAY, &transactions(&today));
    assert_eq!(repeats(&book, "transactions"), [4, 5]);
}

#[test]
fn files_of_a_delivery_are_taken_by_name() {
    let book = Book::new();
    unique(&book, "transactions", "transaction_id", 0);
    book.deliver("transactions", TODAY, &transactions(&[("7", "1"), ("8", "1")]));
    let earlier = book.path().join(format!("in/transactions/date={TODAY}/part--.parquet"));
    transactions(&[("8", "1")]).write(&earlier);
    assert_eq!(repeats(&book, "transactions"), [1]);
    assert_eq!(book.output("rejects").column("file"), ["date=2026-11-20/part-0.parquet".into()]);
}

#[test]
fn repayments_by_an_extra_text_column() {
    let mut columns = REPAYMENTS.to_vec();
    columns.push(("voucher", arrow_schema::DataType::Utf8));
    let rows = "
        1  card  102  2026-11-10  100  2026-11-15  10  a-voucher-of-more-than-fifteen-bytes-1
        1  card  102  2026-11-10  100  2026-11-15  10  a-voucher-of-more-than-fifteen-bytes-2
        1  card  102  2026-11-10  100  2026-11-15  10  a-voucher-of-more-than-fifteen-bytes-1
        2  card  203  2026-11-10  100  2026-11-15  10  v
        2  card  203  2026-11-10  100  2026-11-15  10  v
        2  card  203  2026-11-10  100  2026-11-15  10  -
        2  card  203  2026-11-10  100  2026-11-15  10  -";
    for (within_days, expected) in [(0, vec![2, 4]), (1, vec![2, 3, 4])] {
        let book = Book::new();
        unique(&book, "repayments", "voucher", within_days);
        let before = "2  card  203  2026-11-10  100  -  -  v";
        book.deliver("repayments", YESTERDAY, &table(&columns, before));
        book.deliver("repayments", TODAY, &table(&columns, rows));
        assert_eq!(repeats(&book, "repayments"), expected, "within {within_days} days");
    }
}

#[test]
fn lines_by_a_column_of_the_contract_and_by_an_extra_one() {
    for (column, within_days, expected) in
        [("account_id", 0, vec![2]), ("segment", 0, vec![1, 3]), ("segment", 1, vec![0, 1, 3])]
    {
        let book = Book::new();
        unique(&book, "lines", column, within_days);
        book.deliver("lines", YESTERDAY, &table(&LINES, "4 card 1000 0 active 2025-01-01 - - mass"));
        let rows = "
            1  card  100000  0  active  2025-01-01  -  -  mass
            2  card  200000  0  active  2025-06-01  -  -  mass
            2  loan   50000  0  active  2025-06-01  -  -  private
            3  loan   80000  0  active  2026-01-01  -  -  private
            5  card   80000  0  active  2026-01-01  -  -  -
            6  card   80000  0  active  2026-01-01  -  -  -";
        book.deliver("lines", TODAY, &table(&LINES, rows));
        assert_eq!(repeats(&book, "lines"), expected, "{column} within {within_days} days");
    }
}

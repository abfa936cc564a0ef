//! The forms in which the same book may be delivered: all of them come to the same decisions.

mod forms;
mod reasons;
mod repeats;
mod stored;
mod whereabouts;

use arrow_array::ArrayRef;
use parquet::file::properties::WriterProperties;

use crate::support::Table;
use crate::support::book::{Book, TODAY, YESTERDAY, delivered, write_arrays_with};

/// The deliveries of the plain book.
const DELIVERIES: [(&str, &str); 5] = [
    ("transactions", YESTERDAY),
    ("transactions", TODAY),
    ("repayments", YESTERDAY),
    ("repayments", TODAY),
    ("lines", TODAY),
];

/// Columns of money.
const MONEY: [&str; 5] = ["amount", "due_amount", "paid_amount", "credit_limit", "balance"];

/// Columns of dates.
const DATES: [&str; 6] = ["posted_on", "due_on", "paid_on", "opened_on", "increased_on", "decreased_on"];

/// Columns of text.
const TEXTS: [&str; 5] = ["kind", "category", "product", "status", "segment"];

/// Writes every delivery anew; `form` makes a column of the tables that tests can write, or keeps it.
fn deliver_as(book: &Book, properties: &WriterProperties, form: impl Fn(&Table, &str) -> Option<ArrayRef>) {
    for (input, date) in DELIVERIES {
        let path = book.path().join(delivered(input, date));
        let table = Table::read(&path);
        let arrays = table.columns.iter().enumerate().map(|(place, (name, _))| {
            (name.as_str(), form(&table, name).unwrap_or_else(|| table.array(place)))
        });
        write_arrays_with(&path, arrays.collect(), properties.clone());
    }
}

fn plain_properties() -> WriterProperties {
    WriterProperties::builder().build()
}

/// The tables of a run that don't depend on how its inputs were written.
fn outcome(book: &Book) -> Vec<(&'static str, Table)> {
    book.publish();
    let names = ["features", "scores", "decisions", "adjustments", "rejects"];
    names.map(|name| (name, book.output(name))).into()
}

/// Runs the plain book in another form and compares with the plain one.
fn assert_same(name: &str, book: &Book) {
    assert_eq!(outcome(book), outcome(&Book::new()), "{name}");
}

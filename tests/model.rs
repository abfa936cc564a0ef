//! A model's life: `rescore sample`, `fit`, `validate` of a model file, `monitor` of published nights.

mod drawing;
mod fit;
mod fit_book;
mod fit_naive;
mod fit_slips;
mod home;
mod monitor;
mod naive;
mod ranked;
mod sample_files;
mod slips;
mod statistics;
mod validate;

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow_schema::DataType::{Date32, Int64};

use crate::support::book::{Book, LINES, REPAYMENTS, TRANSACTIONS, table};
use crate::support::{Cell, Table, day, project, succeed_in};

/// Columns of a plain spine.
const SPINE: [(&str, arrow_schema::DataType); 2] = [("account_id", Int64), ("as_of", Date32)];

/// 3,000 customers of a bank in Taiwan with what happened to them: `jobs/model.toml` and `data/`.
pub fn taiwan() -> PathBuf {
    project().join("tests/model/taiwan")
}

/// A book of three accounts from January to April 2026, with a delivery of transactions and repayments every day (most
/// without a row) and one of lines at the end of each month.
fn quarter(repayments: &[(&str, &str)]) -> Book {
    let book = Book::new();
    std::fs::remove_dir_all(book.path().join("in")).unwrap();
    book.edit("job.toml", "lines_max_age_days = 1", "lines_max_age_days = 40");
    let rows: BTreeMap<&str, &str> = repayments.iter().copied().collect();
    for date in day("2026-01-01").to(day("2026-04-30")) {
        let date = date.to_string();
        book.deliver("transactions", &date, &table(&TRANSACTIONS, ""));
        let rows = rows.get(date.as_str()).copied().unwrap_or_default();
        book.deliver("repayments", &date, &table(&REPAYMENTS, rows));
    }
    for month_end in ["2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"] {
        let lines = "
            1  card  100000  20000  active  2025-01-01  -  -  mass
            2  card  200000      0  active  2025-06-01  -  -  mass
            2  loan   50000  10000  active  2025-06-01  -  -  mass
            3  loan   80000  80000  active  2025-07-01  -  -  private";
        book.deliver("lines", month_end, &table(&LINES, lines));
    }
    book
}

/// Writes a spine of accounts and days.
fn spine(book: &Book, rows: &str) {
    table(&SPINE, rows).write(&book.path().join("spine.parquet"));
}

/// Draws the sample of a model file with these tables.
fn draw(book: &Book, model: &str) -> Table {
    book.put("model.toml", &format!("job = \"job.toml\"\n{model}"));
    succeed_in(book.path(), &["sample", "model.toml"]);
    Table::read(&book.path().join("sample.parquet"))
}

/// Some columns of a table as text: a line a row, cells apart by a blank, `-` for null.
fn shown(table: &Table, names: &[&str]) -> String {
    let columns: Vec<Vec<Cell>> = names.iter().map(|name| table.column(name)).collect();
    let row = |row: usize| {
        let cells: Vec<String> = columns.iter().map(|column| text(&column[row])).collect();
        cells.join(" ")
    };
    (0..table.rows.len()).map(row).collect::<Vec<_>>().join("\n")
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "-".to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Date(day) => day.to_string(),
        Cell::Bool(truth) => truth.to_string(),
        Cell::Decimal(value) => value.to_string(),
    }
}

/// A text without the indentation of a test's source.
fn plain(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
}

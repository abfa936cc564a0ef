//! Ranges of nights, simulations and dry runs.

mod chain;
mod nights;
mod place;
mod plan;

use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, YESTERDAY, delivered, table};
use crate::support::{Table, shipped_in};

/// The day before yesterday, the first of three days with deliveries.
const FIRST: &str = "2026-11-18";

/// The arguments of a range over all three.
const RANGE: [&str; 6] = ["run", "job.toml", "--from", FIRST, "--to", TODAY];

/// The plain book with deliveries on three days and its own adjustments read back.
fn book_of_days() -> Book {
    let book = Book::new();
    let issued = "\nissued = \"out/date={date}/adjustments.parquet\"\n\n[output]";
    book.edit("job.toml", "\n[output]", issued);
    let snapshot = Table::read(&book.path().join(delivered("lines", TODAY)));
    [FIRST, YESTERDAY].iter().for_each(|day| book.deliver("lines", day, &snapshot));
    let bought = "1 1 2026-11-17 26000 purchase grocery true";
    book.deliver("transactions", FIRST, &table(&TRANSACTIONS, bought));
    book.deliver("repayments", FIRST, &Table::new(&REPAYMENTS));
    // Who has paid is good; a raise waits for three days, and a line that waits is not raised again.
    book.edit("scorecard.toml", "missing = 60", "missing = 200");
    book.edit("policy.toml", "percent = 20", "percent = 20\nnotice_days = 3");
    book
}

/// A gate that does not hold on the days on which a line is suspended: not the first.
const GATE: &str = "
[[gate]]
name = \"nobody is suspended\"
table = \"decisions\"
share_of = \"action = 'suspend'\"
max_bp = 0
";

/// The project's own job and book; what is published lies apart.
fn real_book() -> Book {
    let book = Book::empty();
    shipped_in(book.path());
    book
}

/// A later snapshot than the first, with other limits.
fn deliver_other_lines(book: &Book, date: &str) {
    let rows = "
        1  card   90000  20000  active  2025-01-01  -           2026-11-19  mass
        2  card  200000      0  closed  2025-06-01  2026-01-01  -           mass";
    book.deliver("lines", date, &table(&LINES, rows));
}

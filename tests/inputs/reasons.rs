//! Why a row is left out: of two reasons that hold, the first in the contract's order, in every input.

use std::collections::BTreeMap;

use arrow_schema::DataType::{self, Int64};
use rescore::day::Day;

use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, YESTERDAY};
use crate::support::{Cell, Table, day};

/// The contract's order.
const REASONS: [&str; 11] = [
    "missing_account",
    "missing_product",
    "missing_bill",
    "missing_date",
    "missing_amount",
    "bad_amount",
    "bad_payment",
    "bad_status",
    "after_delivery",
    "duplicate_line",
    "duplicate_row",
];

/// What is wrong with a row: the reason, and the cells that make it so.
type Fault = (&'static str, Vec<(&'static str, Cell)>);

/// An input, its columns, a row with nothing wrong, and everything that can be wrong with one.
struct Input {
    name: &'static str,
    columns: Vec<(&'static str, DataType)>,
    good: Vec<Cell>,
    /// The column by which repeats are known, and the one that makes rows each a thing of its own.
    unique: &'static str,
    own: &'static str,
    faults: Vec<Fault>,
}

/// The `unique` value of the first row, which is a good one.
const FIRST: i64 = 1;

fn tomorrow() -> Cell {
    day(TODAY).plus(1).into()
}

fn today() -> Cell {
    day(TODAY).into()
}

fn transactions() -> Input {
    let good =
        [0_i64.into(), 1_i64.into(), today(), 100_i64.into(), "purchase".into(), "a".into(), true.into()];
    Input {
        name: "transactions",
        columns: TRANSACTIONS.to_vec(),
        good: good.into(),
        unique: "transaction_id",
        own: "transaction_id",
        faults: vec![
            ("missing_account", vec![("account_id", Cell::Null)]),
            ("missing_date", vec![("posted_on", Cell::Null)]),
            ("missing_amount", vec![("amount", Cell::Null)]),
            ("after_delivery", vec![("posted_on", tomorrow())]),
            ("duplicate_row", vec![("transaction_id", FIRST.into())]),
        ],
    }
}

fn repayments() -> Input {
    let good = [
        1_i64.into(),
        "card".into(),
        7_i64.into(),
        today(),
        500_i64.into(),
        today(),
        500_i64.into(),
        0_i64.into(),
    ];
    Input {
        name: "repayments",
        columns: REPAYMENTS.iter().cloned().chain([("payment_id", Int64)]).collect(),
        good: good.into(),
        unique: "payment_id",
        own: "payment_id",
        faults: vec![
            ("missing_account", vec![("account_id", Cell::Null)]),
            ("missing_product", vec![("product", Cell::Null)]),
            ("missing_product", vec![("product", "".into())]),
            ("missing_bill", vec![("bill_id", Cell::Null)]),
            ("missing_date", vec![("due_on", Cell::Null)]),
            ("missing_amount", vec![("due_amount", Cell::Null)]),
            ("bad_amount", vec![("due_amount", 0_i64.into())]),
            ("bad_amount", vec![("due_amount", (-1_i64).into())]),
            ("bad_payment", vec![("paid_on", Cell::Null)]),
            ("bad_payment", vec![("paid_amount", Cell::Null)]),
            ("after_delivery", vec![("paid_on", tomorrow())]),
            ("duplicate_row", vec![("payment_id", FIRST.into())]),
        ],
    }
}

fn lines() -> Input {
    let dates = [today(), Cell::Null, Cell::Null];
    let head = [0_i64.into(), "card".into(), 1000_i64.into(), 0_i64.into(), "active".into()];
    Input {
        name: "lines",
        columns: LINES.iter().cloned().chain([("line_id", Int64)]).collect(),
        good: head.into_iter().chain(dates).chain(["mass".into(), 0_i64.into()]).collect(),
        unique: "line_id",
        own: "account_id",
        faults: vec![
            ("missing_account", vec![("account_id", Cell::Null)]),
            ("missing_product", vec![("product", Cell::Null)]),
            ("missing_product", vec![("product", "".into())]),
            ("missing_date", vec![("opened_on", Cell::Null)]),
            ("missing_amount", vec![("credit_limit", Cell::Null)]),
            ("missing_amount", vec![("balance", Cell::Null)]),
            ("bad_amount", vec![("credit_limit", (-1_i64).into())]),
            ("bad_status", vec![("status", Cell::Null)]),
            ("bad_status", vec![("status", "Active".into())]),
            ("after_delivery", vec![("opened_on", tomorrow())]),
            ("after_delivery", vec![("increased_on", tomorrow())]),
            ("after_delivery", vec![("decreased_on", tomorrow())]),
            ("duplicate_line", vec![("account_id", 2_i64.into())]),
            ("duplicate_row", vec![("line_id", FIRST.into())]),
        ],
    }
}

impl Input {
    fn column(&self, name: &str) -> usize {
        self.columns.iter().position(|(known, _)| *known == name).unwrap()
    }

    /// A row of its own with these faults.
    fn row(&self, number: i64, faults: &[&Fault]) -> Vec<Cell> {
        let mut row = self.good.clone();
        for own in [self.own, self.unique] {
            row[self.column(own)] = number.into();
        }
        for (column, cell) in faults.iter().flat_map(|(_, cells)| cells) {
            row[self.column(column)] = cell.clone();
        }
        row
    }

    /// Every fault by itself, and every two that one row can have.
    fn combinations(&self) -> Vec<Vec<&Fault>> {
        let touches =
            |fault: &Fault, other: &Fault| fault.1.iter().any(|(a, _)| other.1.iter().any(|(b, _)| a == b));
        let mut all: Vec<Vec<&Fault>> = self.faults.iter().map(|fault| vec![fault]).collect();
        for (number, one) in self.faults.iter().enumerate() {
            let others =
                self.faults[number + 1..].iter().filter(|other| one.0 != other.0 && !touches(one, other));
            all.extend(others.map(|other| vec![one, other]));
        }
        all
    }
}

/// The rows of today's delivery that were left out, with the reason.
fn rejects(book: &Book, input: &str) -> BTreeMap<i64, String> {
    let rejects = book.output("rejects");
    let [inputs, deliveries, rows, reasons] =
        ["input", "delivery", "row", "reason"].map(|name| rejects.column(name));
    let today = Cell::Date(day(TODAY));
    let own = (0..inputs.len()).filter(|row| inputs[*row] == input.into() && deliveries[*row] == today);
    own.map(|row| match (&rows[row], &reasons[row]) {
        (Cell::Int(number), Cell::Text(reason)) => (*number, reason.clone()),
        other => panic!("{other:?}"),
    })
    .collect()
}

fn check(input: &Input) {
    let book = Book::new();
    book.append(
        "job.toml",
        &format!("[unique.{}]\ncolumn = \"{}\"\nwithin_days = 0\n", input.name, input.unique),
    );
    // The first two are good: the first has the value that repeats refer to, the second stands twice where
    // a line can.
    let mut table = Table::new(&input.columns).row(input.row(FIRST, &[])).row(input.row(2, &[]));
    let combinations = input.combinations();
    for (number, faults) in combinations.iter().enumerate() {
        table = table.row(input.row(100 + number as i64, faults));
    }
    if input.name != "lines" {
        book.deliver(input.name, YESTERDAY, &Table::new(&input.columns));
    }
    book.deliver(input.name, TODAY, &table);
    book.publish();
    let found = rejects(&book, input.name);
    let first = |faults: &[&Fault]| {
        let place = |fault: &&Fault| REASONS.iter().position(|reason| *reason == fault.0).unwrap();
        REASONS[faults.iter().map(place).min().unwrap()]
    };
    let mut wrong = Vec::new();
    for (number, faults) in combinations.iter().enumerate() {
        let (expected, found) = (first(faults), found.get(&(number as i64 + 2)));
        if found.map(String::as_str) != Some(expected) {
            wrong.push(format!("{faults:?}: {found:?}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", input.name, wrong.join("\n"));
    let twice = input.faults.iter().any(|(reason, _)| *reason == "duplicate_line");
    assert_eq!(found.get(&1).map(String::as_str), twice.then_some("duplicate_line"), "{}", input.name);
    assert_eq!((found.get(&0), found.len()), (None, combinations.len() + usize::from(twice)));
}

#[test]
fn of_two_reasons_the_first_in_order_is_given_in_transactions() {
    check(&transactions());
}

#[test]
fn of_two_reasons_the_first_in_order_is_given_in_repayments() {
    check(&repayments());
}

#[test]
fn of_two_reasons_the_first_in_order_is_given_in_lines() {
    check(&lines());
}

/// A row with a reason against it is no earlier row: neither a line's twin nor what a repeat refers to.
#[test]
fn a_row_with_a_reason_against_it_makes_no_other_a_duplicate() {
    let input = lines();
    for fault in input.faults.iter().filter(|(reason, _)| !reason.starts_with("duplicate")) {
        let book = Book::new();
        book.append("job.toml", "[unique.lines]\ncolumn = \"line_id\"\nwithin_days = 0\n");
        let broken = input.row(7, &[fault]);
        let table = Table::new(&input.columns).row(broken).row(input.row(7, &[])).row(input.row(8, &[]));
        book.deliver("lines", TODAY, &table);
        book.publish();
        let found = rejects(&book, "lines");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [(0, fault.0.to_string())], "{fault:?}");
    }
}

/// An input, what is odd about its row, and the cells that make it so.
type Edge = (fn() -> Input, &'static str, Vec<(&'static str, Cell)>);

/// What is not the rule of any reason is accepted.
#[test]
fn rows_at_the_edge_of_a_reason_are_accepted() {
    let edges: [Edge; 10] = [
        (transactions, "nothing was moved", vec![("amount", 0_i64.into())]),
        (transactions, "money back", vec![("amount", i64::MIN.into())]),
        (transactions, "long ago", vec![("posted_on", Cell::Date(Day(i32::MIN)))]),
        (repayments, "billed only", vec![("paid_on", Cell::Null), ("paid_amount", Cell::Null)]),
        (repayments, "billed, nothing paid", vec![("paid_on", Cell::Null), ("paid_amount", 0_i64.into())]),
        (repayments, "paid nothing", vec![("paid_amount", 0_i64.into())]),
        (repayments, "due in the far future", vec![("due_on", Cell::Date(Day(i32::MAX)))]),
        (repayments, "the least that can be due", vec![("due_amount", 1_i64.into())]),
        (lines, "no limit at all", vec![("credit_limit", 0_i64.into())]),
        (lines, "opened today, changed today", vec![("increased_on", today()), ("decreased_on", today())]),
    ];
    for (input, name, cells) in edges {
        let (input, book) = (input(), Book::new());
        let fault = ("", cells);
        book.deliver(input.name, TODAY, &Table::new(&input.columns).row(input.row(1, &[&fault])));
        book.publish();
        assert_eq!(rejects(&book, input.name), BTreeMap::new(), "{name}");
    }
}

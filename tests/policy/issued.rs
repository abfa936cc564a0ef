//! What earlier runs issued, laid over the snapshot: void, in it already, in effect, still to come, unknown.

use arrow_schema::DataType::{Date32, Int64, Utf8};
use serde_json::Value;

use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, table};
use crate::support::{Cell, Table, day};

/// Days are counted from D; the snapshot is of two days before it.
const SNAPSHOT: i32 = -2;

/// A name; adjustments as `run: limit status effective`; the limit and status of the line before anything is
/// decided; days since its limit went up and down; what is pending.
const CASES: &str = "
    nothing issued                               |                                               | 1000 active    | - | - | -
    in the snapshot                              | -5: 1500 active -3                            | 1000 active    | - | - | -
    in the snapshot since its day                | -5: 1500 active -2                            | 1000 active    | - | - | -
    in effect the day after the snapshot         | -5: 1500 active -1                            | 1500 active    | 1 | - | -
    of the run of the snapshot's own day         | -2: 1500 active -2                            | 1500 active    | 2 | - | -
    in effect today                              | -3: 1500 active 0                             | 1500 active    | 0 | - | -
    to come                                      | -3: 1500 active 1                             | 1000 active    | - | - | 1500 active 1
    of today's own run, which does not count     | 0: 1500 active 0                              | 1000 active    | - | - | -
    void: a later run's comes no later           | -4: 1500 active 5, -1: 700 active 5           | 1000 active    | - | - | 700 active 5
    void: a later run's is in effect             | -4: 1500 active 5, -1: 700 active 0           | 700 active     | - | 0 | -
    void: a later run's is in the snapshot       | -5: 1500 active 1, -4: 1000 active -3         | 1000 active    | - | - | -
    void by one that is void itself              | -5: 1500 active 5, -4: 900 active 4, -3: 800 active 4 | 1000 active | - | - | 800 active 4
    not void: the later run's comes later        | -4: 1500 active 5, -1: 700 active 6           | 1000 active    | - | - | 700 active 6
    not void: the first is in effect before      | -4: 1500 active -1, -1: 700 active 0          | 700 active     | 1 | 0 | -
    in effect, and another to come               | -4: 1500 active -1, -1: 700 active 3          | 1500 active    | 1 | - | 700 active 3
    in the snapshot, and another to come         | -4: 1500 active -3, -1: 700 active 3          | 1000 active    | - | - | 700 active 3
    the last to come by run, not by day          | -4: 900 active 3, -3: 800 active 4, -1: 700 active 7 | 1000 active | - | - | 700 active 7
    a change of status alone                     | -3: 1000 suspended 0                          | 1000 suspended | - | - | -
    a close                                      | -3: 0 closed -1                               | 0 closed       | - | 1 | -
    raised from what an earlier one had lowered  | -4: 500 active -1, -1: 800 active 0           | 800 active     | 0 | 1 | -
    lowered back to the snapshot's               | -4: 1200 active -1, -1: 1000 active 0         | 1000 active    | 1 | 0 | -
    a suspension to come                         | -3: 1000 suspended 2                          | 1000 active    | - | - | 1000 suspended 2
";

const ISSUED: [(&str, arrow_schema::DataType); 5] = [
    ("account_id", Int64),
    ("product", Utf8),
    ("new_limit", Int64),
    ("new_status", Utf8),
    ("effective_on", Date32),
];

fn date(days: i32) -> String {
    day(TODAY).plus(days).to_string()
}

/// A book with the snapshot of [`SNAPSHOT`], one card of 1000 an account.
fn book(accounts: usize) -> Book {
    let book = Book::new();
    book.edit("job.toml", "lines_max_age_days = 1", "lines_max_age_days = 5");
    book.edit("job.toml", "\n[output]", "issued = \"in/issued/date={date}/*.parquet\"\n\n[output]");
    book.edit("policy.toml", "when = \"is_stretched = 0\"", "when = \"true\"");
    std::fs::remove_dir_all(book.path().join("in/lines")).unwrap();
    let lines = (0..accounts).map(|account| format!("{account} card 1000 0 active 2026-01-01 - - -\n"));
    book.deliver("lines", &date(SNAPSHOT), &table(&LINES, &lines.collect::<String>()));
    book.deliver("transactions", TODAY, &Table::new(&TRANSACTIONS));
    book.deliver("repayments", TODAY, &Table::new(&REPAYMENTS));
    book
}

/// Delivers adjustments: the run's day, then a row as in [`ISSUED`] with the last as days from D.
fn issue(book: &Book, adjustments: &[(i32, String)]) {
    for run in -10..=2 {
        let rows = adjustments.iter().filter(|(of, _)| *of == run).map(|(_, row)| row.as_str());
        let rows = rows.collect::<Vec<_>>().join("\n");
        if !rows.is_empty() {
            book.deliver("issued", &date(run), &table(&ISSUED, &rows));
        }
    }
}

#[test]
fn adjustments_of_earlier_runs_are_laid_over_each_line() {
    let cases: Vec<Vec<&str>> = CASES
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let book = book(cases.len());
    let mut adjustments = Vec::new();
    for (account, case) in cases.iter().enumerate() {
        for one in case[1].split(',').map(str::trim).filter(|one| !one.is_empty()) {
            let (run, rest) = one.split_once(": ").unwrap();
            let [limit, status, effective] = rest.split(' ').collect::<Vec<_>>()[..] else { panic!("{one}") };
            let effective = date(effective.parse().unwrap());
            adjustments.push((run.parse().unwrap(), format!("{account} card {limit} {status} {effective}")));
        }
    }
    issue(&book, &adjustments);
    book.publish();
    let decisions = book.output("decisions");
    let text = |name: &str, row: usize| match &decisions.column(name)[row] {
        Cell::Null => "-".to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Date(date) => date.since(day(TODAY)).to_string(),
        other => panic!("{other:?}"),
    };
    let mut wrong = Vec::new();
    for (row, case) in cases.iter().enumerate() {
        let pending = match text("pending_limit", row).as_str() {
            "-" => "-".to_string(),
            limit => format!("{limit} {} {}", text("pending_status", row), text("pending_on", row)),
        };
        let found = [
            format!("{} {}", text("old_limit", row), text("old_status", row)),
            text("days_since_increase", row),
            text("days_since_decrease", row),
            pending,
        ];
        if found[..] != case[2..] {
            wrong.push(format!("{}: {found:?}, not {:?}", case[0], &case[2..]));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(unknown(&book), 0);
}

fn unknown(book: &Book) -> u64 {
    let manifest = std::fs::read(book.path().join(format!("out/date={TODAY}/manifest.json"))).unwrap();
    serde_json::from_slice::<Value>(&manifest).unwrap()["issued_unknown"].as_u64().unwrap()
}

/// Of lines that the snapshot does not hold, those are counted that would have mattered.
#[test]
fn adjustments_of_unknown_lines_are_counted_unless_void_or_in_the_snapshot() {
    let cases = [
        ("to come", "7 card 1500 active 3", vec![-1], 1),
        ("in effect", "7 card 1500 active -1", vec![-3], 1),
        ("in the snapshot", "7 card 1500 active -2", vec![-3], 0),
        ("of today's own run", "7 card 1500 active 0", vec![0], 0),
        ("of a product that the account has not", "1 loan 1500 active 0", vec![-1], 1),
        ("the first is void", "7 card 1500 active 3", vec![-4, -1], 1),
        ("of a line that was rejected", "2 card 1500 active 3", vec![-1], 1),
    ];
    for (name, row, runs, expected) in cases {
        let book = book(2);
        let rejected = "\n2 card -1 0 active 2026-01-01 - - -";
        let lines =
            "0 card 1000 0 active 2026-01-01 - - -\n1 card 1000 0 active 2026-01-01 - - -".to_string();
        book.deliver("lines", &date(SNAPSHOT), &table(&LINES, &(lines + rejected)));
        let (rest, effective) = row.rsplit_once(' ').unwrap();
        let row = format!("{rest} {}", date(effective.parse().unwrap()));
        issue(&book, &runs.into_iter().map(|run| (run, row.clone())).collect::<Vec<_>>());
        book.publish();
        assert_eq!(unknown(&book), expected, "{name}");
        let limits = book.output("decisions").column("old_limit");
        assert_eq!(limits, [Cell::Int(1000), Cell::Int(1000)], "{name}");
    }
}

//! What earlier runs issued, laid over the snapshot: void, in it already, in effect, still to come, unknown.

use arrow_schema::DataType::{Date32, Int64, Utf8};
use serde_json::Value;

use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, table};
use crate::support::{Cell, Table, day};

/// Days are counted from D; the snapshot is of two days before it.
const SNAPSHOT: i32 = -2;

/// A name; adjustments as `run: limit status effective`, and `withdraw` where they are that; the limit and status of the line before anything is
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
    withdrawn                                    | -4: 1500 active 5, -1: 1000 active -1 withdraw | 1000 active   | - | - | -
    withdrawn: all that was to come              | -5: 900 active 3, -4: 800 active 5, -1: 1000 active -1 withdraw | 1000 active | - | - | -
    withdrawn by today's own run, which does not count | -3: 700 suspended 2, 0: 1000 active 0 withdraw | 1000 active | - | - | 700 suspended 2
    withdrawn, and decided again                 | -5: 700 active 5, -4: 1000 active -4 withdraw, -1: 700 active 9 | 1000 active | - | - | 700 active 9
    withdrawn, and nothing else                  | -1: 900 suspended -1 withdraw                 | 1000 active    | - | - | -
    withdrawn before the snapshot                | -5: 900 active 5, -4: 1000 active -4 withdraw | 1000 active    | - | - | -
";

const ISSUED: [(&str, arrow_schema::DataType); 7] = [
    ("account_id", Int64),
    ("product", Utf8),
    ("new_limit", Int64),
    ("new_status", Utf8),
    ("effective_on", Date32),
    ("action", Utf8),
    ("reason", Utf8),
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

/// Delivers adjustments: the run's day, then a row as in [`ISSUED`].
fn issue(book: &Book, adjustments: &[(i32, String)]) {
    for run in -10..=2 {
        let rows = adjustments.iter().filter(|(of, _)| *of == run).map(|(_, row)| row.as_str());
        let rows = rows.collect::<Vec<_>>().join("\n");
        if !rows.is_empty() {
            book.deliver("issued", &date(run), &table(&ISSUED, &rows));
        }
    }
}

/// `limit status effective`, where it is one `withdraw`, as a row with a date, an action and a reason.
fn adjustment(text: &str, reason: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let [limit, status, effective] = words[..3] else { panic!("{text}") };
    let action = words.get(3).unwrap_or(&"lower");
    format!("{limit} {status} {} {action} {reason}", date(effective.parse().unwrap()))
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
            adjustments.push((run.parse().unwrap(), format!("{account} card {}", adjustment(rest, "P9"))));
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

/// Lines are active for 100 days, by reason P1. Adjustments as above, with their reasons; status, days in it
/// and reason before anything is decided.
const STATUSES: &str = "
    nothing issued                           |                                             | active 100 P1
    a suspension in effect                   | -3: 1000 suspended -1 P2                    | suspended 1 P2
    a suspension to come                     | -3: 1000 suspended 1 P2                     | active 100 P1
    a suspension in the snapshot             | -5: 1000 suspended -3 P2                    | active 100 P1
    a lowering keeps both                    | -3: 500 active -1 P2                        | active 100 P1
    a raise keeps both                       | -3: 1500 active 0 P2                        | active 100 P1
    a close                                  | -3: 0 closed 0 P2                           | closed 0 P2
    suspended, then reopened                 | -4: 1000 suspended -1 P2, -1: 1000 active 0 P3 | active 0 P3
    suspended, then closed                   | -4: 1000 suspended -1 P2, -1: 0 closed 0 P3 | closed 0 P3
    suspended, then lowered as it is         | -4: 1000 suspended -1 P2, -1: 500 suspended 0 P3 | suspended 1 P2
    suspended, and to be reopened            | -4: 1000 suspended -1 P2, -1: 1000 active 3 P3 | suspended 1 P2
    void                                     | -4: 1000 suspended 3 P2, -1: 900 active 0 P3 | active 100 P1
    a withdraw                               | -1: 1000 suspended -1 withdraw P2           | active 100 P1
";

#[test]
fn an_adjustment_that_changes_the_status_says_since_when_and_why() {
    let cases: Vec<Vec<&str>> = STATUSES
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let book = book(cases.len());
    book.edit("policy.toml", "segment = 'private' and ", "");
    book.edit("policy.toml", "when = \"true\"", "when = \"days_in_status >= 0 or status_reason is null\"");
    let columns = [&LINES[..8], &[("status_since", Date32), ("status_reason", Utf8)]].concat();
    let since = date(-100);
    let lines =
        (0..cases.len()).map(|account| format!("{account} card 1000 0 active 2026-01-01 - - {since} P1\n"));
    book.deliver("lines", &date(SNAPSHOT), &table(&columns, &lines.collect::<String>()));
    let mut adjustments = Vec::new();
    for (account, case) in cases.iter().enumerate() {
        for one in case[1].split(',').map(str::trim).filter(|one| !one.is_empty()) {
            let (run, rest) = one.split_once(": ").unwrap();
            let (rest, reason) = rest.rsplit_once(' ').unwrap();
            adjustments.push((run.parse().unwrap(), format!("{account} card {}", adjustment(rest, reason))));
        }
    }
    issue(&book, &adjustments);
    book.publish();
    let decisions = book.output("decisions");
    let columns = ["old_status", "status_since", "status_reason"].map(|name| decisions.column(name));
    for (row, case) in cases.iter().enumerate() {
        let found = match columns.each_ref().map(|cells| cells[row].clone()) {
            [Cell::Text(status), Cell::Date(since), Cell::Text(why)] => {
                format!("{status} {} {why}", day(TODAY).since(since))
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(found, case[2], "{}", case[0]);
    }
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
        ("a withdraw", "7 card 1500 active -1 withdraw", vec![-1], 1),
    ];
    for (name, row, runs, expected) in cases {
        let book = book(2);
        let rejected = "\n2 card -1 0 active 2026-01-01 - - -";
        let lines =
            "0 card 1000 0 active 2026-01-01 - - -\n1 card 1000 0 active 2026-01-01 - - -".to_string();
        book.deliver("lines", &date(SNAPSHOT), &table(&LINES, &(lines + rejected)));
        let [account, product, rest] = row.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let row = format!("{account} {product} {}", adjustment(rest, "P9"));
        issue(&book, &runs.into_iter().map(|run| (run, row.clone())).collect::<Vec<_>>());
        book.publish();
        assert_eq!(unknown(&book), expected, "{name}");
        let limits = book.output("decisions").column("old_limit");
        assert_eq!(limits, [Cell::Int(1000), Cell::Int(1000)], "{name}");
    }
}

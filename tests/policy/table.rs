//! Reads a table of policy cases, runs them all through the binary as one book, and compares.

use std::collections::{BTreeMap, BTreeSet};

use arrow_schema::DataType;
use arrow_schema::DataType::{Date32, Int64, Utf8};
use rescore::day::Day;

use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, YESTERDAY};
use crate::support::{Cell, Table, day};

/// Cards with cool-downs, and nothing that caps them but their product.
pub const CARDS: &str = r#"
[[product]]
name = "card"
min_limit = 100
max_limit = 2000
step = 100
min_raise = 200

[cooldown]
raise_after_raise_days = 90
raise_after_lower_days = 180
lower_after_lower_days = 30
"#;

/// The columns a table may have; those it leaves out are as the comment says.
const GIVEN: [&str; 15] = [
    "account",  // one of its own
    "product",  // card
    "limit",    // 1000
    "balance",  // 0
    "status",   // active
    "up",       // days since the limit went up: never
    "down",     // days since it went down: never
    "since",    // days since the line has its status: not known
    "why",      // the reason that gave it: none
    "pending",  // what an earlier run decided that is not in effect yet: nothing
    "score",    // 600
    "previous", // the score of the night before, which is run where a table has this column: none
    "inflow",   // the feature that affordability looks at: null
    "broken",   // whether the snapshot holds a rejected row of the account, too: no
    "rule",     // hold
];

const EXPECTED: [&str; 6] = ["action", "reason", "new_limit", "new_status", "bound_by", "in_days"];

/// What the rule of every case gives as its own reason.
const OWN_REASON: &str = "own";

type Case = BTreeMap<String, String>;

/// Runs the cases of a text table under a policy without rules; each case is a line with a rule.
pub fn check(policy: &str, cases: &str) {
    let cases = parse(cases);
    let book = Book::empty();
    write_inputs(&book, &cases);
    write_job(&book, policy, &cases);
    if cases.iter().any(|case| case.contains_key("previous")) {
        publish_previous(&book, &cases);
    }
    book.publish();
    let found = book.output("decisions");
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let found = outcome(&found, number);
        for name in EXPECTED {
            if let Some(expected) = case.get(name)
                && found[name] != *expected
            {
                wrong.push(format!("{}: {name} is {}, not {expected}", case["case"], found[name]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn parse(text: &str) -> Vec<Case> {
    let mut rows = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_string()).collect::<Vec<_>>();
    let header = cells(rows.next().expect("a table has a header"));
    for name in &header {
        let known = GIVEN.contains(&name.as_str()) || EXPECTED.contains(&name.as_str()) || name == "case";
        assert!(known, "there is no column {name} in tables of cases");
    }
    rows.map(|line| {
        let cells = cells(line);
        assert_eq!(cells.len(), header.len(), "{line}");
        header.iter().cloned().zip(cells).collect()
    })
    .collect()
}

fn given<'a>(case: &'a Case, name: &str, default: &'a str) -> &'a str {
    case.get(name).map_or(default, |text| if text.is_empty() { default } else { text })
}

fn int(text: &str) -> Option<i64> {
    (text != "-").then(|| text.parse().unwrap_or_else(|_| panic!("`{text}` is no number")))
}

fn ago(days: &str) -> Cell {
    int(days).map(|days| day(TODAY).plus(-(days as i32))).into()
}

fn account(case: &Case, number: usize) -> i64 {
    int(given(case, "account", &(1000 + number).to_string())).unwrap()
}

fn write_inputs(book: &Book, cases: &[Case]) {
    book.deliver("transactions", TODAY, &Table::new(&TRANSACTIONS));
    book.deliver("repayments", TODAY, &Table::new(&REPAYMENTS));
    let columns = line_columns();
    let lines = cases.iter().enumerate().fold(Table::new(&columns), |lines, (number, case)| {
        lines.row(line(case, account(case, number), number as i64))
    });
    let broken = cases.iter().enumerate().filter(|(_, case)| given(case, "broken", "no") == "yes");
    let lines = broken.fold(lines, |lines, (number, case)| {
        let mut row = line(case, account(case, number), -1);
        row[1] = "".into();
        lines.row(row)
    });
    book.deliver("lines", TODAY, &lines);
    let issued: Vec<(usize, &Case)> =
        cases.iter().enumerate().filter(|(_, case)| given(case, "pending", "-") != "-").collect();
    if !issued.is_empty() {
        book.deliver("issued", YESTERDAY, &pending(&issued));
    }
}

fn line_columns() -> Vec<(&'static str, DataType)> {
    let mut columns = LINES.to_vec();
    columns.truncate(8);
    columns.extend([("status_since", Date32), ("status_reason", Utf8)]);
    columns.extend([("number", Int64), ("wanted_score", Int64), ("wanted_inflow", Int64)]);
    columns
}

/// Runs the night before over the lines whose accounts had a score.
fn publish_previous(book: &Book, cases: &[Case]) {
    book.deliver("transactions", YESTERDAY, &Table::new(&TRANSACTIONS));
    book.deliver("repayments", YESTERDAY, &Table::new(&REPAYMENTS));
    let known = cases.iter().enumerate().filter(|(_, case)| case["previous"] != "-");
    let lines = known.fold(Table::new(&line_columns()), |lines, (number, case)| {
        let earlier: Case = [("score".to_string(), case["previous"].clone())].into();
        lines.row(line(&earlier, account(case, number), number as i64))
    });
    book.deliver("lines", YESTERDAY, &lines);
    let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", YESTERDAY]);
    assert_eq!(code, 0, "{stderr}");
}

fn line(case: &Case, account: i64, number: i64) -> Vec<Cell> {
    let amount = |name: &str, default: &str| Cell::from(int(given(case, name, default)));
    vec![
        account.into(),
        given(case, "product", "card").into(),
        amount("limit", "1000"),
        amount("balance", "0"),
        given(case, "status", "active").into(),
        day("2025-01-01").into(),
        ago(given(case, "up", "-")),
        ago(given(case, "down", "-")),
        ago(given(case, "since", "-")),
        Some(given(case, "why", "-")).filter(|why| *why != "-").into(),
        number.into(),
        amount("score", "600"),
        amount("inflow", "-"),
    ]
}

/// `1500 active +7`: a limit, a status, and in how many days.
fn pending(cases: &[(usize, &Case)]) -> Table {
    let columns = [
        ("account_id", Int64),
        ("product", Utf8),
        ("action", Utf8),
        ("reason", Utf8),
        ("new_limit", Int64),
        ("new_status", Utf8),
        ("effective_on", Date32),
    ];
    cases.iter().fold(Table::new(&columns), |issued, (number, case)| {
        let [limit, status, days] = case["pending"].split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("`{}` is no pending adjustment", case["pending"])
        };
        issued.row([
            account(case, *number).into(),
            given(case, "product", "card").into(),
            "lower".into(),
            "earlier".into(),
            int(limit).into(),
            status.into(),
            day(TODAY).plus(days.trim_start_matches('+').parse().unwrap()).into(),
        ])
    })
}

fn write_job(book: &Book, policy: &str, cases: &[Case]) {
    book.put(
        "job.toml",
        r#"
name = "cases"
scorecard = "scorecard.toml"
policy = "policy.toml"
minor_units = 2
lines_max_age_days = 0
input.transactions = "in/transactions/date={date}/*.parquet"
input.repayments = "in/repayments/date={date}/*.parquet"
input.lines = "in/lines/date={date}/*.parquet"
input.issued = "in/issued/date={date}/*.parquet"
input.previous = "out/date={date}/scores.parquet"
output.dir = "out"
"#,
    );
    let all = cases.iter().flat_map(|case| [given(case, "score", "600"), given(case, "previous", "-")]);
    let scores: BTreeSet<i64> = all.filter_map(int).collect();
    let bins: String =
        scores.iter().map(|score| format!("{{ below = {}, points = {score} }}, ", score + 1)).collect();
    book.put("scorecard.toml", &SCORECARD.replace("BINS", &bins));
    let rules: String = cases.iter().enumerate().map(|(number, case)| rule(case, number)).collect();
    book.put("policy.toml", &format!("{policy}\n{rules}{NEVER}"));
}

/// The score is what the line asks for; bands are poor, fair from 500 and good from 700.
const SCORECARD: &str = r#"
feature = [
    { name = "asked_score", from = "lines", agg = "max", of = "wanted_score" },
    { name = "inflow", from = "lines", agg = "max", of = "wanted_inflow" },
]
score = { base = 0, min = 0, max = 1000, reasons = 1 }
band = [{ name = "poor", from = 0 }, { name = "fair", from = 500 }, { name = "good", from = 700 }]
dimension = [{ name = "whole", title = "The whole" }]
[[characteristic]]
feature = "asked_score"
dimension = "whole"
reason = "R"
text = "As asked"
missing = 0
bins = [BINS { points = 0 }]
"#;

/// Makes the policy read the number of the case, so that decisions show it even where no case has a rule.
const NEVER: &str = r#"
[[rule]]
name = "never"
when = "number is null"
action = "hold"
reason = "never"
"#;

/// `raise by 200 notice 7`: an action, an amount and what else there is to it; `none` makes no rule.
fn rule(case: &Case, number: usize) -> String {
    let words: Vec<&str> = given(case, "rule", "hold").split_whitespace().collect();
    let (action, rest) = words.split_first().expect("a rule has an action");
    if *action == "none" {
        return String::new();
    }
    let mut keys = String::new();
    let mut rest = rest.iter();
    while let Some(key) = rest.next() {
        let key = if *key == "notice" { "notice_days" } else { key };
        let value = if key == "never_below_balance" { "true" } else { rest.next().expect("an amount") };
        keys += &format!("{key} = {value}\n");
    }
    format!(
        "[[rule]]\nname = \"rule {number}\"\nwhen = \"number = {number}\"\naction = \"{action}\"\n\
         reason = \"{OWN_REASON}\"\n{keys}"
    )
}

/// What the binary decided about a case, in the words of the table.
fn outcome(decisions: &Table, number: usize) -> BTreeMap<&'static str, String> {
    let row = decisions.column("number").iter().position(|cell| *cell == Cell::Int(number as i64));
    let row = row.unwrap_or_else(|| panic!("case {number} has no decision"));
    let text = |name: &str| match decisions.column(name)[row].clone() {
        Cell::Null => "-".to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(text) => text,
        Cell::Date(day) => in_days(day),
        other => panic!("{other:?} in decisions"),
    };
    EXPECTED
        .into_iter()
        .map(|name| (name, text(if name == "in_days" { "effective_on" } else { name })))
        .collect()
}

fn in_days(effective_on: Day) -> String {
    effective_on.since(day(TODAY)).to_string()
}

//! A small job that keeps states, its features and rows given by a test, and its nights.

use std::fs;
use std::path::{Path, PathBuf};

use super::twice::difference;
use crate::support::book::{Book, LINES, REPAYMENTS, TRANSACTIONS, table};
use crate::support::{Cell, Table, as_text};

const JOB: &str = r#"name = "desk"
scorecard = "scorecard.toml"
policy = "policy.toml"
minor_units = 2
timezone = "Asia/Shanghai"
lines_max_age_days = 60

[input]
transactions = "in/transactions/date={date}/*.parquet"
repayments = "in/repayments/date={date}/*.parquet"
lines = "in/lines/date={date}/*.parquet"

[output]
dir = "out"

[state]
dir = "states"
"#;

const SCORECARD: &str = r#"
[score]
base = 400
min = 350
max = 950
reasons = 1

[[band]]
name = "all"
from = 350

[[dimension]]
name = "behaviour"
title = "Behaviour"
"#;

const POLICY: &str = r#"[[product]]
name = "card"
min_limit = 0
max_limit = 1000000
step = 1

[[rule]]
name = "all stay"
when = "true"
action = "hold"
reason = "P01"
"#;

/// Rows of long before count in it.
const PADDING: &str = r#"name = "padding"; from = "transactions"; agg = "count"; days = 60"#;

/// The first day with deliveries; days of a test are counted from it.
const FIRST: &str = "2026-11-01";

/// A date from its number.
pub fn date(day: i32) -> String {
    rescore::day::Day(crate::support::day(FIRST).0 + day).to_string()
}

/// A book that tests fill night by night.
pub struct Desk {
    book: Book,
    /// The nights run so far.
    nights: Vec<i32>,
}

/// A night as it was run.
pub struct Ran {
    /// What its features were computed from.
    pub basis: String,
    pub stderr: String,
}

impl Ran {
    /// How many deliveries had to be sorted.
    pub fn to_sort(&self) -> usize {
        let (_, after) = self.basis.split_once(" sorted deliveries, ").expect("a basis names deliveries");
        after.split(' ').next().unwrap().parse().expect("a number of deliveries to sort")
    }
}

impl Desk {
    /// A job with these features and one more, each as in TOML with `; ` between its keys; accounts 1 and
    /// 2 have lines, and the days up to 19 have deliveries without a row.
    pub fn new(features: &[&str]) -> Desk {
        let desk = Desk::without_padding(&[features, &[PADDING]].concat());
        // Much to read from scratch that no night that goes on has to look at.
        let padding = (0..500).map(|row| format!("{} 3 -10 1 padding\n", 1_000_000 + row * row * 77));
        desk.transactions(-10, &padding.collect::<String>());
        desk
    }

    /// A job with these features only, and little to read.
    pub fn without_padding(features: &[&str]) -> Desk {
        let book = Book::empty();
        book.put("job.toml", JOB);
        book.put("policy.toml", POLICY);
        let desk = Desk { book, nights: Vec::new() };
        desk.put_features(features);
        (-10..20).for_each(|day| {
            desk.transactions(day, "");
            desk.repayments(day, "");
        });
        desk.lines(0, &[1, 2]);
        desk
    }

    /// Other features, and the padding.
    pub fn features(&self, features: &[&str]) {
        self.put_features(&[features, &[PADDING]].concat());
    }

    fn put_features(&self, features: &[&str]) {
        let toml = |feature: &&str| format!("[[feature]]\n{}\n", feature.replace("; ", "\n"));
        let features: String = features.iter().map(toml).collect();
        self.book.put("scorecard.toml", &(features + SCORECARD));
    }

    pub fn book(&self) -> &Book {
        &self.book
    }

    pub fn path(&self) -> &Path {
        self.book.path()
    }

    /// Delivers transactions: id, account, posted on (a day's number), amount, kind.
    pub fn transactions(&self, day: i32, rows: &str) {
        self.book.deliver("transactions", &date(day), &transactions(rows));
    }

    /// Delivers repayments: account, bill, due on, due amount, paid on, paid amount; days by number.
    pub fn repayments(&self, day: i32, rows: &str) {
        self.book.deliver("repayments", &date(day), &repayments(rows));
    }

    /// Delivers a snapshot in which these accounts have a card each.
    pub fn lines(&self, day: i32, accounts: &[i64]) {
        let rows = accounts.iter().map(|id| format!("{id} card 1000 0 active 2026-01-01 - - -\n"));
        self.book.deliver("lines", &date(day), &table(&LINES, &rows.collect::<String>()));
    }

    /// Runs a night, which must be published.
    pub fn night(&mut self, day: i32) -> Ran {
        self.night_with(day, &["--replace"])
    }

    pub fn night_with(&mut self, day: i32, more: &[&str]) -> Ran {
        let day_text = date(day);
        let args = [&["run", "job.toml", "--date", &day_text], more].concat();
        let (code, stdout, stderr) = self.book.outcome(&args);
        assert_eq!(code, 0, "{stdout}\n{stderr}");
        self.nights.push(day);
        let manifest = self.manifest(day);
        let stderr = as_text(&stderr);
        Ran { basis: manifest["timing"]["basis"].as_str().unwrap().to_string(), stderr }
    }

    fn run(&self, out: &str, day: i32) -> PathBuf {
        self.path().join(format!("{out}/date={}", date(day)))
    }

    /// Runs nights each of which must have no more to sort than what has come since those before it, but for the
    /// first.
    pub fn go_on(&mut self, days: impl IntoIterator<Item = i32>) {
        for day in days {
            let before = self.nights.iter().max().copied();
            let ran = self.night(day);
            if let Some(before) = before {
                let dated = fs::read_to_string(self.path().join("job.toml")).unwrap();
                let dated = dated.matches("s/date={date}/").count() - 1;
                let come = dated * (day - before).max(0) as usize;
                assert_eq!((ran.to_sort(), ran.stderr.as_str()), (come, ""), "night of {}", date(day));
            }
        }
        self.check();
    }

    /// All nights run so far, once more from scratch: the same bytes.
    pub fn check(&self) {
        self.check_last(self.nights.len());
    }

    /// The last nights once more from scratch, where the inputs of those before have changed.
    pub fn check_last(&self, nights: usize) {
        for day in &self.nights[self.nights.len() - nights..] {
            let args = ["run", "job.toml", "--date", &date(*day), "--from-scratch", "--replace"];
            let (code, _, stderr) = self.book.outcome(&[&args[..], &["--out", "scratch"]].concat());
            assert_eq!(code, 0, "{stderr}");
            difference(&self.run("out", *day), &self.run("scratch", *day))
                .unwrap_or_else(|what| panic!("night of {}: {what}", date(*day)));
        }
    }

    /// A feature of an account on a night.
    pub fn feature(&self, day: i32, account: i64, name: &str) -> Cell {
        let features = Table::read(&self.run("out", day).join("features.parquet"));
        let row = features.column("account_id").iter().position(|id| *id == Cell::Int(account));
        features.column(name)[row.expect("the account has a line")].clone()
    }

    /// A feature of an account by night.
    pub fn over(&self, days: impl IntoIterator<Item = i32>, account: i64, name: &str) -> Vec<i64> {
        let value = |day| match self.feature(day, account, name) {
            Cell::Int(value) => value,
            _ => i64::MIN,
        };
        days.into_iter().map(value).collect()
    }

    /// The bill conflicts of a night.
    pub fn conflicts(&self, day: i32) -> u64 {
        self.manifest(day)["bill_conflicts"].as_u64().unwrap()
    }

    fn manifest(&self, day: i32) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.run("out", day).join("manifest.json")).unwrap()).unwrap()
    }

    /// The days of the sorted deliveries of an input that are kept, whatever they depend on besides files.
    pub fn kept(&self, input: &str) -> Vec<Vec<i32>> {
        let first = crate::support::day(FIRST).0;
        let day = |path: &PathBuf| {
            let name =
                path.file_name()?.to_str()?.strip_prefix("date=")?.strip_suffix(".sorted")?.to_string();
            Some(crate::support::day(&name).0 - first)
        };
        let days = |set: PathBuf| listed(&set).iter().filter_map(day).collect();
        listed(&self.path().join("states").join(input)).into_iter().map(days).collect()
    }

    /// Where the sorted delivery of a day lies, where there is one directory of them.
    pub fn copy(&self, input: &str, day: i32) -> PathBuf {
        let sets = listed(&self.path().join("states").join(input));
        assert_eq!(sets.len(), 1, "{sets:?}");
        sets[0].join(format!("date={}.sorted", date(day)))
    }
}

/// What lies in a directory, sorted.
fn listed(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Puts dates for the day numbers at some places of each line.
fn dated(rows: &str, places: &[usize]) -> String {
    let line = |line: &str| {
        let cells = line.split_whitespace().enumerate().map(|(place, cell)| match places.contains(&place) {
            true if cell != "-" => date(cell.parse().unwrap()),
            _ => cell.to_string(),
        });
        cells.collect::<Vec<_>>().join(" ")
    };
    rows.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Rows as [`Desk::transactions`] takes them.
pub fn transactions(rows: &str) -> Table {
    table(&TRANSACTIONS[..5], &dated(rows, &[2]))
}

/// Rows as [`Desk::repayments`] takes them.
pub fn repayments(rows: &str) -> Table {
    let with_product = |line: &str| {
        let mut cells: Vec<&str> = line.split_whitespace().collect();
        if !cells.is_empty() {
            cells.insert(1, "card");
        }
        cells.join(" ")
    };
    let rows = dated(rows, &[2, 4]);
    table(&REPAYMENTS, &rows.lines().map(with_product).collect::<Vec<_>>().join("\n"))
}

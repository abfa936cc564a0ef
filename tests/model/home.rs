//! A small model: accounts whose lines tell their features, a spine, outcomes that are known.

use std::fs;
use std::path::{Path, PathBuf};

use arrow_schema::DataType;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Cell, Table, day, outcome_in};

/// What is known of an account on a day.
#[derive(Debug, Clone)]
pub struct Applicant {
    /// Balance of its line: the feature `owed`.
    pub owed: i64,
    /// Limit of its line: the feature `limits`.
    pub limit: i64,
    /// 1 for bad, 0 for good; nothing for indeterminate.
    pub bad: Option<i64>,
    pub as_of: &'static str,
    pub weight: i64,
    pub group: &'static str,
    pub region: &'static str,
}

pub const CARD: &str = r#"
[[feature]]
name = "owed"
from = "lines"
agg = "sum"
of = "balance"

[[feature]]
name = "limits"
from = "lines"
agg = "sum"
of = "credit_limit"

[score]
base = 500
min = 300
max = 900
reasons = 2

[[band]]
name = "poor"
from = 300
[[band]]
name = "good"
from = 550

[[dimension]]
name = "debt"
title = "Debt"

[[characteristic]]
feature = "owed"
dimension = "debt"
reason = "R1"
text = "Much is owed"
missing = 0
bins = [ { below = 100, points = 90 }, { below = 200, points = 60 }, { below = 300, points = 30 }, { points = 0 } ]

[[characteristic]]
feature = "limits"
dimension = "debt"
reason = "R2"
text = "The limit is small"
missing = 0
bins = [ { below = 1000, points = 0 }, { points = 20 } ]
"#;

const JOB: &str = r#"
name = "small"
scorecard = "scorecard.toml"
policy = "policy.toml"
minor_units = 2
lines_max_age_days = 1

[input]
transactions = "data/transactions.parquet"
repayments = "none"
lines = "data/lines.parquet"

[output]
dir = "out"
"#;

const POLICY: &str = r#"
[[product]]
name = "card"
min_limit = 0
max_limit = 1000000
step = 100

[[rule]]
name = "all"
when = "true"
action = "hold"
reason = "P1"
text = "As is"
"#;

pub const MODEL: &str = r#"
job = "nightly.toml"

[sample]
spine = "spine.parquet"

[outcome]
file = "outcomes.parquet"
column = "bad"

[split]
out_of_time = 2026-03-01
holdout = "region = 'south'"
embargo_days = 0
"#;

/// A directory with a job, its inputs and a model file.
pub struct ModelHome {
    directory: TempDir,
}

impl ModelHome {
    /// Of these applicants; account ids are 1 and up, in order.
    pub fn new(applicants: &[Applicant]) -> ModelHome {
        let home = ModelHome { directory: tempfile::tempdir().unwrap() };
        for (file, text) in
            [("nightly.toml", JOB), ("scorecard.toml", CARD), ("policy.toml", POLICY), ("model.toml", MODEL)]
        {
            home.put(file, text);
        }
        home.write_lines(applicants);
        home.write_spine(applicants, false);
        home.write_outcomes(applicants);
        home
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn put(&self, file: &str, text: &str) {
        fs::write(self.file(file), text).unwrap();
    }

    pub fn append(&self, file: &str, text: &str) {
        let old = fs::read_to_string(self.file(file)).unwrap();
        self.put(file, &format!("{old}{text}"));
    }

    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let old = fs::read_to_string(self.file(file)).unwrap();
        assert!(old.contains(from), "{file} has no {from}");
        self.put(file, &old.replace(from, to));
    }

    /// One line an account.
    pub fn write_lines(&self, applicants: &[Applicant]) {
        let mut lines = Table::new(&[
            ("account_id", DataType::Int64),
            ("product", DataType::Utf8),
            ("credit_limit", DataType::Int64),
            ("balance", DataType::Int64),
            ("status", DataType::Utf8),
            ("opened_on", DataType::Date32),
        ]);
        for (id, one) in (1..).zip(applicants) {
            let text = |text: &str| Cell::Text(text.to_string());
            let opened = Cell::Date(day("2025-01-01"));
            lines = lines.row([
                Cell::Int(id),
                text("card"),
                Cell::Int(one.limit),
                Cell::Int(one.owed),
                text("active"),
                opened,
            ]);
        }
        lines.write(&self.file("data/lines.parquet"));
        let transactions = Table::new(&[
            ("account_id", DataType::Int64),
            ("posted_on", DataType::Date32),
            ("amount", DataType::Int64),
        ]);
        transactions.write(&self.file("data/transactions.parquet"));
    }

    /// The spine in its order, or the other way round.
    pub fn write_spine(&self, applicants: &[Applicant], backwards: bool) {
        let mut spine = Table::new(&[
            ("account_id", DataType::Int64),
            ("as_of", DataType::Date32),
            ("weight", DataType::Int64),
            ("group", DataType::Utf8),
            ("region", DataType::Utf8),
        ]);
        for (id, one) in (1..).zip(applicants) {
            let text = |text: &str| if text.is_empty() { Cell::Null } else { Cell::Text(text.to_string()) };
            let as_of = Cell::Date(day(one.as_of));
            spine =
                spine.row([Cell::Int(id), as_of, Cell::Int(one.weight), text(one.group), text(one.region)]);
        }
        if backwards {
            spine.rows.reverse();
        }
        spine.write(&self.file("spine.parquet"));
    }

    fn write_outcomes(&self, applicants: &[Applicant]) {
        let mut outcomes = Table::new(&[
            ("account_id", DataType::Int64),
            ("as_of", DataType::Date32),
            ("bad", DataType::Int64),
        ]);
        for (id, one) in (1..).zip(applicants) {
            let bad = one.bad.map_or(Cell::Null, Cell::Int);
            outcomes = outcomes.row([Cell::Int(id), Cell::Date(day(one.as_of)), bad]);
        }
        outcomes.write(&self.file("outcomes.parquet"));
    }

    /// Exit code, stdout and stderr of a command.
    pub fn outcome(&self, args: &[&str]) -> (i32, String, String) {
        outcome_in(self.path(), args)
    }

    /// Draws the sample.
    pub fn sample(&self) {
        let (code, out, error) = self.outcome(&["sample", "model.toml"]);
        assert_eq!(code, 0, "{out}{error}");
    }

    /// Validates, and reads validation.json; the exit code must be `code`.
    pub fn validate(&self, more: &[&str], code: i32) -> Value {
        let (found, out, error) = self.outcome(&[&["validate", "model.toml"], more].concat());
        assert_eq!(found, code, "{out}{error}");
        serde_json::from_str(&fs::read_to_string(self.file("validation/validation.json")).unwrap()).unwrap()
    }
}

/// The score of an applicant under [`CARD`], by hand.
pub fn score(one: &Applicant) -> i64 {
    let owed = match one.owed {
        ..100 => 90,
        100..200 => 60,
        200..300 => 30,
        _ => 0,
    };
    500 + owed + if one.limit < 1_000 { 0 } else { 20 }
}

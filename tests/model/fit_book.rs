//! A book whose features are columns of its lines, so that a sample can be written down as rows; and a card fitted on it.

use std::fs;
use std::path::{Path, PathBuf};

use arrow_schema::DataType::{Date32, Int64, Utf8};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Cell, Table, day, outcome_in, succeed_in};

/// A row of a sample.
#[derive(Debug, Clone)]
pub struct Row {
    /// By feature.
    pub values: Vec<Option<i64>>,
    pub bad: bool,
    pub weight: i64,
    /// How often the spine has it.
    pub times: usize,
}

impl Row {
    pub fn new(values: &[Option<i64>], bad: bool) -> Row {
        Row { values: values.to_vec(), bad, weight: 1, times: 1 }
    }
}

/// A directory with a job, a model file and a sample drawn.
pub struct FitBook {
    directory: TempDir,
}

const DAY: &str = "2026-01-31";

const JOB: &str = "# Ours.\nname = \"fitted\"\nscorecard = \"scorecard.toml\" # the card\npolicy = \"policy.toml\"\n\
                   minor_units = 2\nlines_max_age_days = 0\n\n[input]\ntransactions = \"../data/transactions.parquet\"\n\
                   repayments = \"none\"\nlines = \"../data/lines/date={date}/*.parquet\"\n\n[output]\ndir = \"../out\"\n\n\
                   [[gate]]\nname = \"good ones\"\ntable = \"scores\"\nshare_of = \"score >= 120\" # many\nmin_bp = 10\n";

const POLICY: &str = "[[product]]\nname = \"card\"\nmin_limit = 0\nmax_limit = 1_000_000\nstep = 1\nmin_raise = 1\n\n\
                      # The weak ones.\n[[rule]]\nname = \"weak\"\nwhen = \"score < 110 or x0 > 1000\"\naction = \"suspend\"\n\
                      reason = \"P01\"\ntext = \"Weak\"\n[[rule]]\nname = \"rest\"\nwhen = \"true\"\naction = \"hold\"\n\
                      reason = \"P02\"\ntext = \"As is\"\n";

impl FitBook {
    /// Features are called x0, x1 and so on; `fit` is what the model file says below `[fit]`.
    pub fn new(rows: &[Row], fit: &str) -> FitBook {
        let book = FitBook { directory: tempfile::tempdir().unwrap() };
        let width = rows.first().map_or(1, |row| row.values.len());
        book.put("jobs/nightly.toml", JOB);
        book.put("jobs/policy.toml", POLICY);
        book.put("jobs/scorecard.toml", &card(width));
        book.put("model.toml", &model("", fit));
        let transactions = Table::new(&[("account_id", Int64), ("posted_on", Date32), ("amount", Int64)]);
        transactions.write(&book.path().join("data/transactions.parquet"));
        book.deliver(rows);
        book
    }

    /// Writes lines, spine and outcomes, and draws the sample.
    pub fn deliver(&self, rows: &[Row]) {
        let width = rows.first().map_or(1, |row| row.values.len());
        let names: Vec<String> = (0..width).map(|number| format!("v{number}")).collect();
        let mut columns = vec![
            ("account_id", Int64),
            ("product", Utf8),
            ("credit_limit", Int64),
            ("balance", Int64),
            ("status", Utf8),
            ("opened_on", Date32),
        ];
        columns.extend(names.iter().map(|name| (name.as_str(), Int64)));
        let mut lines = Table::new(&columns);
        let mut spine = Table::new(&[("account_id", Int64), ("as_of", Date32), ("weight", Int64)]);
        let mut outcomes = Table::new(&[("account_id", Int64), ("as_of", Date32), ("bad", Int64)]);
        for (account, row) in (1_i64..).zip(rows) {
            let own: Vec<Cell> = vec![
                account.into(),
                "card".into(),
                1_000_i64.into(),
                0_i64.into(),
                "active".into(),
                day("2020-01-01").into(),
            ];
            lines = lines.row(own.into_iter().chain(row.values.iter().map(|value| Cell::from(*value))));
            for _ in 0..row.times {
                spine = spine.row([account.into(), day(DAY).into(), row.weight.into()]);
            }
            outcomes = outcomes.row([account.into(), day(DAY).into(), i64::from(row.bad).into()]);
        }
        lines.write(&self.path().join(format!("data/lines/date={DAY}/lines.parquet")));
        spine.write(&self.path().join("spine.parquet"));
        outcomes.write(&self.path().join("outcomes.parquet"));
        self.draw();
    }

    pub fn draw(&self) {
        succeed_in(self.path(), &["sample", "model.toml", "-q"]);
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn put(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Fits into a directory; what `fit.json` says.
    pub fn fit(&self, out: &str, more: &[&str]) -> Value {
        let args = [&["fit", "model.toml", "--out", out, "--json"], more].concat();
        serde_json::from_str(&succeed_in(self.path(), &args)).unwrap()
    }

    /// Exit code and stderr of a fit.
    pub fn refused(&self, out: &str, more: &[&str]) -> (i32, String) {
        let args = [&["fit", "model.toml", "--out", out], more].concat();
        let (code, _, stderr) = outcome_in(self.path(), &args);
        (code, stderr)
    }

    /// The scores of a job for every row of the spine.
    pub fn scores(&self, job: &str) -> Table {
        let args = ["features", job, "--spine", "spine.parquet", "--out", "scored.parquet", "--scores", "-q"];
        succeed_in(self.path(), &args);
        Table::read(&self.path().join("scored.parquet"))
    }
}

/// The model file.
pub fn model(split: &str, fit: &str) -> String {
    format!(
        "job = \"jobs/nightly.toml\"\n[sample]\nspine = \"spine.parquet\"\n[outcome]\nfile = \"outcomes.parquet\"\n\
         [split]\n{split}\n[fit]\n{fit}\n"
    )
}

/// A card of which only x0 is a characteristic.
fn card(width: usize) -> String {
    let mut text = String::from(
        "# The card.\n[score]\nbase = 100\nmin = 0\nmax = 500\nreasons = 2\n\n[[band]]\nname = \"low\"\nfrom = 0\n[[band]]\n\
         name = \"high\" # the better ones\nfrom = 120\n\n[[dimension]]\nname = \"own\"\ntitle = \"Own\"\n",
    );
    for number in 0..width {
        text.push_str(&format!(
            "# Feature {number}.\n[[feature]]\nname = \"x{number}\"\nfrom = \"lines\"\nagg = \"max\"\nof = \"v{number}\"\n"
        ));
    }
    text.push_str(
        "\n# Ours since 2020.\n[[characteristic]]\nfeature = \"x0\"\ndimension = \"own\"\nreason = \"R01\"\ntext = \"The \
         first\"\nmissing = 10\nbins = [ { below = 3, points = 0 }, { points = 30 } ] # two\n",
    );
    text
}

/// Pseudo-random numbers, the same everywhere.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// One of the first so many.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Rows whose bads depend on some features, one of which is null at times, and not on the last.
pub fn rows(seed: u64, count: usize, width: usize) -> Vec<Row> {
    let mut numbers = Numbers(seed * 7_919 + 11);
    let row = |_| {
        let mut values: Vec<Option<i64>> = (0..width).map(|_| Some(numbers.below(9) as i64)).collect();
        let mut risk = 12;
        for (number, value) in values.iter().enumerate().take(width.saturating_sub(1).max(1)) {
            risk += value.unwrap_or(0) as u64 * (5 - number.min(4) as u64);
        }
        if numbers.below(8) == 0 {
            values[0] = None;
            risk = 40;
        }
        Row::new(&values, numbers.below(100) < risk.min(90))
    };
    (0..count).map(row).collect()
}

/// A path in the project's tests.
pub fn own(name: &str) -> PathBuf {
    super::taiwan().join(name)
}

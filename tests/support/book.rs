//! A small book with its job files, in a directory of its own, for a test to change one thing of.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::DataType;
use arrow_schema::DataType::{Boolean, Date32, Int64, Utf8};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

use super::{Cell, Table, day, outcome_in};

/// The as-of date of tests.
pub const TODAY: &str = "2026-11-20";

/// The day before.
pub const YESTERDAY: &str = "2026-11-19";

/// A directory with inputs in `in/` and the files job.toml, scorecard.toml and policy.toml.
pub struct Book {
    dir: TempDir,
}

/// Columns of the transactions that tests write.
pub const TRANSACTIONS: [(&str, DataType); 7] = [
    ("transaction_id", Int64),
    ("account_id", Int64),
    ("posted_on", Date32),
    ("amount", Int64),
    ("kind", Utf8),
    ("category", Utf8),
    ("is_online", Boolean),
];

/// Columns of the repayments that tests write.
pub const REPAYMENTS: [(&str, DataType); 7] = [
    ("account_id", Int64),
    ("product", Utf8),
    ("bill_id", Int64),
    ("due_on", Date32),
    ("due_amount", Int64),
    ("paid_on", Date32),
    ("paid_amount", Int64),
];

/// Columns of the lines that tests write; the last is an extra one.
pub const LINES: [(&str, DataType); 9] = [
    ("account_id", Int64),
    ("product", Utf8),
    ("credit_limit", Int64),
    ("balance", Int64),
    ("status", Utf8),
    ("opened_on", Date32),
    ("increased_on", Date32),
    ("decreased_on", Date32),
    ("segment", Utf8),
];

const OLDER_TRANSACTIONS: &str = "
    11  1  2026-11-18   30000  purchase  grocery  true
    12  2  2026-11-19   20000  purchase  travel   false
    13  9  2026-11-19    1000  purchase  travel   false
";

const NEWER_TRANSACTIONS: &str = "
    21  1  2026-11-20   12500  purchase  grocery  false
    22  1  2026-11-20  -2500   refund    grocery  -
    23  2  2026-11-19  400000  salary    -        false
    24  3  2026-11-20   70000  cash      -        true
";

const OLDER_REPAYMENTS: &str = "
    1  card  101  2026-11-10  10000  2026-11-09  10000
    2  card  201  2026-11-01   8000  -           -
    3  loan  301  2026-10-01   9000  -           -
";

const NEWER_REPAYMENTS: &str = "
    2  card  201  2026-11-01   8000  2026-11-20   8000
    3  loan  302  2026-11-20   9000  2026-11-20   4000
";

const BOOK: &str = "
    1  card  100000  20000  active     2025-01-01  -           -           mass
    2  card  200000      0  active     2025-06-01  2026-01-01  -           mass
    2  loan   50000  10000  suspended  2025-06-01  -           2026-10-01  -
    3  loan   80000  80000  active     2026-01-01  -           -           private
";

const JOB: &str = r#"name = "plain"
scorecard = "scorecard.toml"
policy = "policy.toml"
minor_units = 2
timezone = "Asia/Shanghai"
lines_max_age_days = 1

[input]
transactions = "in/transactions/date={date}/*.parquet"
repayments = "in/repayments/date={date}/*.parquet"
lines = "in/lines/date={date}/*.parquet"

[output]
dir = "out"
csv = true
"#;

const SCORECARD: &str = r#"[[feature]]
name = "spend_30d"
from = "transactions"
agg = "sum"
of = "amount"
where = "kind in ('purchase', 'refund')"
days = 30

[[feature]]
name = "online_30d"
from = "transactions"
agg = "count"
where = "is_online and category is not null"
days = 30

[[feature]]
name = "days_past_due"
from = "bills"
agg = "max"
of = "days_late"
where = "is_open"

[[feature]]
name = "used_bp"
ratio = ["balances", "limits"]
scale = 10000

[[feature]]
name = "is_stretched"
expr = "case when coalesce(used_bp, 0) > 9000 then 1 else 0 end"

[score]
base = 400
min = 350
max = 950
reasons = 2

[[band]]
name = "poor"
from = 350

[[band]]
name = "good"
from = 600

[[dimension]]
name = "history"
title = "Credit history"

[[dimension]]
name = "behaviour"
title = "Behaviour"

[[characteristic]]
feature = "days_past_due"
dimension = "history"
reason = "R01"
text = "Bills are past due"
missing = 60
bins = [
    { below = 1, points = 200 },
    { below = 30, points = 40 },
    { points = 0 },
]

[[characteristic]]
feature = "spend_30d"
dimension = "behaviour"
reason = "R02"
text = "Little is bought"
missing = 0
bins = [
    { below = 20000, points = 0 },
    { points = 100 },
]
"#;

/// What the features of lines are made of; they stand first, so that the ratio finds them above it.
const LINE_FEATURES: &str = r#"[[feature]]
name = "balances"
from = "lines"
agg = "sum"
of = "balance"

[[feature]]
name = "limits"
from = "lines"
agg = "sum"
of = "credit_limit"

"#;

const POLICY: &str = r#"[[product]]
name = "card"
min_limit = 10000
max_limit = 1000000
step = 1000
min_raise = 5000
band_max = { poor = 150000 }

[[product]]
name = "loan"
min_limit = 5000
max_limit = 500000
step = 500

[account]
max_total_limit = 2000000

[cooldown]
raise_after_raise_days = 90

[[rule]]
name = "long past due"
when = "days_past_due >= 30"
action = "suspend"
reason = "P01"
text = "A bill is long past due"

[[rule]]
name = "private clients"
products = ["loan"]
when = "segment = 'private' and score >= 600"
action = "raise"
by = 20000
reason = "P02"

[[rule]]
name = "good cards"
products = ["card"]
when = "band = 'good'"
action = "raise"
percent = 20
reason = "P03"

[[rule]]
name = "the others"
when = "is_stretched = 0"
action = "hold"
reason = "P04"
"#;

impl Book {
    /// The plain book.
    pub fn new() -> Book {
        let book = Book { dir: tempfile::tempdir().unwrap() };
        book.put("job.toml", JOB);
        book.put("scorecard.toml", &format!("{LINE_FEATURES}{SCORECARD}"));
        book.put("policy.toml", POLICY);
        book.deliver("transactions", YESTERDAY, &table(&TRANSACTIONS, OLDER_TRANSACTIONS));
        book.deliver("transactions", TODAY, &table(&TRANSACTIONS, NEWER_TRANSACTIONS));
        book.deliver("repayments", YESTERDAY, &table(&REPAYMENTS, OLDER_REPAYMENTS));
        book.deliver("repayments", TODAY, &table(&REPAYMENTS, NEWER_REPAYMENTS));
        book.deliver("lines", TODAY, &table(&LINES, BOOK));
        book
    }

    /// A directory without anything in it.
    pub fn empty() -> Book {
        Book { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a text file.
    pub fn put(&self, file: &str, text: &str) {
        fs::write(self.path().join(file), text).unwrap();
    }

    /// Replaces text that is in a file exactly once.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "`{from}` in {file}");
        self.put(file, &text.replace(from, to));
    }

    /// Adds text at the end of a file.
    pub fn append(&self, file: &str, text: &str) {
        let before = fs::read_to_string(self.path().join(file)).unwrap();
        self.put(file, &format!("{before}{text}"));
    }

    /// Writes the only file of a delivery.
    pub fn deliver(&self, input: &str, date: &str, rows: &Table) {
        rows.write(&self.path().join(delivered(input, date)));
    }

    /// Runs the binary in the directory: exit code, stdout, stderr.
    pub fn outcome(&self, args: &[&str]) -> (i32, String, String) {
        outcome_in(self.path(), args)
    }

    /// Runs today's night.
    pub fn run(&self) -> (i32, String, String) {
        self.outcome(&["run", "job.toml", "--date", TODAY])
    }

    /// Runs today's night, which must be published.
    pub fn publish(&self) {
        let (code, stdout, stderr) = self.run();
        assert_eq!(code, 0, "{stdout}\n{stderr}");
    }

    /// How many rows today's night rejects.
    pub fn rejects(&self) -> usize {
        self.publish();
        self.output("rejects").rows.len()
    }

    /// A table of today's run.
    pub fn output(&self, name: &str) -> Table {
        Table::read(&self.path().join(format!("out/date={TODAY}/{name}.parquet")))
    }
}

/// Where [`Book::deliver`] writes.
pub fn delivered(input: &str, date: &str) -> String {
    format!("in/{input}/date={date}/part-0.parquet")
}

/// A table from text: a line a row, cells apart by blanks, `-` for null.
pub fn table(columns: &[(&str, DataType)], text: &str) -> Table {
    let rows = text.lines().map(str::trim).filter(|line| !line.is_empty());
    rows.fold(Table::new(columns), |table, line| {
        let cells = line.split_whitespace().zip(columns).map(|(text, (_, kind))| cell(text, kind));
        table.row(cells.collect::<Vec<_>>())
    })
}

fn cell(text: &str, kind: &DataType) -> Cell {
    match kind {
        _ if text == "-" => Cell::Null,
        Int64 => Cell::Int(text.parse().unwrap()),
        Date32 => Cell::Date(day(text)),
        Boolean => Cell::Bool(text == "true"),
        _ => Cell::Text(text.to_string()),
    }
}

/// Writes arrays as the columns of a Parquet file.
pub fn write_arrays(path: &Path, arrays: Vec<(&str, ArrayRef)>) {
    write_arrays_with(path, arrays, WriterProperties::builder().build());
}

pub fn write_arrays_with(path: &Path, arrays: Vec<(&str, ArrayRef)>, properties: WriterProperties) {
    let arrays = arrays.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Timestamps from microseconds, with a zone or without.
pub fn instants(micros: &[i64], zone: Option<&str>) -> ArrayRef {
    let array = TimestampMicrosecondArray::from(micros.to_vec());
    Arc::new(array.with_timezone_opt(zone))
}

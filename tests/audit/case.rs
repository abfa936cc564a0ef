//! A case: a small book of deliveries, the job files that rescore it, and the two dates.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::Node;
use super::night::Previous;
use super::value::{Kind, Value, date_text};

/// Everything a run depends on.
#[derive(Debug, Clone)]
pub struct Case {
    pub as_of: i32,
    pub known_on: i32,
    /// The first day of the simulation that the night is a day of.
    pub chain_from: Option<i32>,
    pub transactions: Input,
    pub repayments: Input,
    pub lines: Input,
    /// None: the job names no `issued`.
    pub issued: Option<Vec<Issued>>,
    /// The as-of dates of nights that are run before, ascending, where the job names `previous`.
    pub earlier_nights: Option<Vec<i32>>,
    /// What `previous` comes to once they have been run.
    pub previous: Option<Previous>,
    pub account_kind: Kind,
    pub job: Job,
}

impl Case {
    pub fn inputs(&self) -> [(&'static str, &Input); 3] {
        [("transactions", &self.transactions), ("repayments", &self.repayments), ("lines", &self.lines)]
    }

    pub fn inputs_mut(&mut self) -> [&mut Input; 3] {
        [&mut self.transactions, &mut self.repayments, &mut self.lines]
    }
}

/// How an input's files are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// date={date}/*.parquet
    Partitioned,
    /// of-{date}-*.parquet
    Flat,
    /// *.parquet
    Undated,
}

/// The files of an input.
#[derive(Debug, Clone)]
pub struct Input {
    pub columns: Vec<(&'static str, Kind)>,
    /// Those that are money.
    pub money: Vec<&'static str>,
    pub layout: Layout,
    pub files: Vec<DataFile>,
    /// Columns that the files of a delivery lack.
    pub lacking: BTreeSet<(i32, &'static str)>,
    /// Contract name, the file's name.
    pub rename: BTreeMap<String, String>,
    pub unique: Option<(String, u32)>,
}

/// A file.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Of an undated input, any.
    pub delivery: i32,
    pub stem: String,
    pub rows: Vec<Vec<Value>>,
    pub format: Format,
}

/// How values are stored.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Decimal places of money; None: Int64 minor units.
    pub money_scale: Option<u32>,
    pub dates: Dates,
    pub narrow_ints: bool,
    pub dictionary: bool,
    pub row_group_rows: usize,
}

/// How dates are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    Date32,
    /// Timestamps without a zone, in milliseconds.
    Local,
    /// Timestamps with a zone, in microseconds, of the job's time zone.
    Zoned,
}

impl Input {
    pub fn is_dated(&self) -> bool {
        self.layout != Layout::Undated
    }

    /// Relative to the input's directory.
    pub fn file_name(&self, file: &DataFile) -> String {
        let (date, stem) = (date_text(file.delivery), &file.stem);
        match self.layout {
            Layout::Partitioned => format!("date={date}/{stem}.parquet"),
            Layout::Flat => format!("of-{date}-{stem}.parquet"),
            Layout::Undated => format!("{stem}.parquet"),
        }
    }

    pub fn pattern(&self) -> &'static str {
        match self.layout {
            Layout::Partitioned => "date={date}/*.parquet",
            Layout::Flat => "of-{date}-*.parquet",
            Layout::Undated => "*.parquet",
        }
    }
}

/// An adjustment of an earlier run.
#[derive(Debug, Clone)]
pub struct Issued {
    pub run: i32,
    pub account: Value,
    pub product: String,
    pub new_limit: i64,
    pub new_status: &'static str,
    pub effective_on: i32,
    pub is_withdrawal: bool,
    pub reason: String,
}

/// What the three job files say.
#[derive(Debug, Clone)]
pub struct Job {
    pub minor_units: u32,
    pub timezone: &'static str,
    pub lines_max_age_days: i32,
    /// Optional columns of lines that the job does without.
    pub without: Vec<&'static str>,
    /// Whether nights may go on from one another.
    pub keeps_state: bool,
    pub gates: Vec<Gate>,
    pub tolerance: Option<i64>,
    pub features: Vec<Feature>,
    pub score: Score,
    pub bands: Vec<(String, i32)>,
    pub dimensions: Vec<String>,
    pub characteristics: Vec<Characteristic>,
    pub policy: Policy,
}

#[derive(Debug, Clone)]
pub struct Gate {
    pub name: String,
    pub measure: Measure,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub max_change_bp: Option<i64>,
}

#[derive(Debug, Clone)]
pub enum Measure {
    Share { table: &'static str, of: Node, among: Option<Node> },
    Sum { table: &'static str, of: Node, among: Option<Node> },
    Rejected(&'static str),
    Rows(&'static str),
    MissingDays(&'static str),
}

#[derive(Debug, Clone)]
pub struct Feature {
    pub name: String,
    pub kind: FeatureKind,
}

#[derive(Debug, Clone)]
pub enum FeatureKind {
    Aggregate {
        from: &'static str,
        statistic: &'static str,
        /// A column, or an integer expression.
        of: Option<Node>,
        filter: Option<Node>,
        days: Option<i32>,
        skip_days: Option<i32>,
    },
    Ratio {
        a: String,
        b: String,
        scale: i64,
    },
    Expression(Node),
}

#[derive(Debug, Clone)]
pub struct Score {
    pub base: i32,
    pub min: i32,
    pub max: i32,
    pub reasons: usize,
}

#[derive(Debug, Clone)]
pub struct Characteristic {
    pub feature: String,
    pub dimension: String,
    pub reason: String,
    pub missing: i32,
    pub missing_reason: Option<String>,
    pub baseline: Option<i32>,
    /// (below, points); only the last has no `below`.
    pub bins: Vec<(Option<i64>, i32)>,
}

#[derive(Debug, Clone)]
pub struct Policy {
    pub products: Vec<Product>,
    pub max_total_limit: Option<i64>,
    /// (feature, bp)
    pub affordability: Option<(String, i64)>,
    pub raise_after_raise_days: Option<i64>,
    pub raise_after_lower_days: Option<i64>,
    pub lower_after_lower_days: Option<i64>,
    pub rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
pub struct Product {
    pub name: String,
    pub min_limit: i64,
    pub max_limit: i64,
    pub step: i64,
    pub min_raise: Option<i64>,
    pub band_max: BTreeMap<String, i64>,
    pub raise_budget: Option<Budget>,
}

#[derive(Debug, Clone)]
pub struct Rule {
    pub name: String,
    pub products: Option<Vec<String>>,
    pub when: Node,
    pub action: &'static str,
    pub reason: String,
    pub notice_days: Option<i32>,
    pub amount: Option<Amount>,
    pub never_below_balance: Option<bool>,
    pub budget: Option<Budget>,
}

/// What raises may add up to.
#[derive(Debug, Clone, Copy)]
pub enum Budget {
    Amount(i64),
    /// Basis points of the limits of the accepted lines.
    Share(i64),
}

#[derive(Debug, Clone, Copy)]
pub enum Amount {
    Percent(i64),
    By(i64),
    To(i64),
}

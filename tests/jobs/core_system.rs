//! A lender's core system, simulated: it keeps limits and statuses, delivers them every day, and applies
//! what the nights adjust when it takes effect.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rescore::day::Day;
use serde_json::Value;

use crate::support::book::Book;
use crate::support::files::copy;
use crate::support::{Cell, Table, outcome_in, project, succeed_in};

/// A year of deliveries lies before the first night: no window of the scorecard is longer.
pub const HISTORY_DAYS: i32 = 366;

/// A line's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineKey {
    pub account: i64,
    pub product: String,
}

/// A row of `adjustments.parquet`.
#[derive(Clone, Debug)]
pub struct Adjustment {
    /// The night that decided it.
    pub issued_on: Day,
    pub action: String,
    pub reason: String,
    /// In minor units.
    pub new_limit: i64,
    pub new_status: String,
    pub effective_on: Day,
}

/// An adjustment that took effect.
pub struct Effect {
    pub key: LineKey,
    pub adjustment: Adjustment,
    /// New less old limit, in minor units.
    pub change: i64,
}

/// What the core system keeps of a line; the rest of a delivered row is the sample's.
#[derive(Clone, Debug, PartialEq)]
struct Terms {
    credit_limit: i64,
    status: String,
    increased_on: Option<Day>,
    decreased_on: Option<Day>,
    status_since: Option<Day>,
    status_reason: Option<String>,
}

impl Terms {
    /// The terms in a row of a snapshot.
    fn of(snapshot: &Table, row: &[Cell]) -> Terms {
        let cell = |name: &str| snapshot.position(name).map_or(Cell::Null, |place| row[place].clone());
        Terms {
            credit_limit: cell("credit_limit").int().unwrap(),
            status: cell("status").text().unwrap().to_string(),
            increased_on: cell("increased_on").date(),
            decreased_on: cell("decreased_on").date(),
            status_since: cell("status_since").date(),
            status_reason: cell("status_reason").text().map(str::to_string),
        }
    }

    /// Writes them over those of a row.
    fn overwrite(&self, columns: &[(String, arrow_schema::DataType)], row: &mut [Cell]) {
        for ((name, _), cell) in columns.iter().zip(row) {
            match name.as_str() {
                "credit_limit" => *cell = self.credit_limit.into(),
                "status" => *cell = self.status.as_str().into(),
                "increased_on" => *cell = self.increased_on.into(),
                "decreased_on" => *cell = self.decreased_on.into(),
                "status_since" => *cell = self.status_since.into(),
                "status_reason" => *cell = self.status_reason.as_deref().into(),
                _ => {}
            }
        }
    }

    fn apply(&mut self, adjustment: &Adjustment) {
        let on = Some(adjustment.effective_on);
        if adjustment.new_limit > self.credit_limit {
            self.increased_on = on;
        } else if adjustment.new_limit < self.credit_limit {
            self.decreased_on = on;
        }
        if adjustment.new_status != self.status {
            self.status_since = on;
            self.status_reason = Some(adjustment.reason.clone());
        }
        self.credit_limit = adjustment.new_limit;
        self.status.clone_from(&adjustment.new_status);
    }
}

/// A night that was run, published or held.
pub struct Night {
    pub day: Day,
    pub is_held: bool,
    /// The run's directory.
    pub run: PathBuf,
}

impl Night {
    pub fn table(&self, name: &str, columns: &[&str]) -> Table {
        Table::read_columns(&self.run.join(format!("{name}.parquet")), columns)
    }

    pub fn manifest(&self) -> Value {
        serde_json::from_slice(&fs::read(self.run.join("manifest.json")).unwrap()).unwrap()
    }

    /// Removes the large tables that no later night reads, so that a simulation of months takes little room.
    pub fn forget_tables(&self) {
        for name in ["decisions", "features"] {
            fs::remove_file(self.run.join(format!("{name}.parquet"))).unwrap();
        }
    }

    /// The names of the gates that do not hold.
    pub fn failed_gates(&self) -> Vec<String> {
        let manifest = self.manifest();
        let gates = manifest["gates"].as_array().unwrap().iter();
        let failed = gates.filter(|gate| gate["holds"] == false);
        failed.map(|gate| gate["name"].as_str().unwrap().to_string()).collect()
    }
}

/// A lender: a sample with the shipped jobs beside it, and the state of its lines.
pub struct CoreSystem {
    home: Book,
    terms: HashMap<LineKey, Terms>,
    pending: HashMap<LineKey, Vec<Adjustment>>,
}

impl CoreSystem {
    /// A lender whose nights run from one day to another.
    pub fn new(accounts: u32, first: Day, last: Day) -> CoreSystem {
        let home = Book::empty();
        let (accounts, line_days) = (accounts.to_string(), (last.since(first) + 1).to_string());
        let (from, to) = (first.plus(-HISTORY_DAYS).to_string(), last.to_string());
        let args =
            ["sample", "sample", "--accounts", &accounts, "--from", &from, "--to", &to, "--seed", "11"];
        succeed_in(home.path(), &[&args[..], &["--line-days", &line_days]].concat());
        copy(&project().join("jobs"), &home.path().join("jobs"));
        fs::create_dir_all(home.path().join("sample_data/lines")).unwrap();
        for input in ["transactions", "repayments"] {
            let below = format!("sample_data/{input}");
            symlink(home.path().join("sample").join(input), home.path().join(below)).unwrap();
        }
        CoreSystem { home, terms: HashMap::new(), pending: HashMap::new() }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The rows of an input that were delivered on a day.
    pub fn delivery(&self, input: &str, day: Day, columns: &[&str]) -> Table {
        Table::read_columns(&delivered(&self.home().join("sample_data"), input, day), columns)
    }

    /// Begins a day: applies what takes effect on it and delivers the lines.
    pub fn begin(&mut self, day: Day) -> Vec<Effect> {
        let effects = self.take_effect(day);
        let mut snapshot = Table::read(&delivered(&self.home().join("sample"), "lines", day));
        let mut rows = std::mem::take(&mut snapshot.rows);
        for row in &mut rows {
            // What the sample broke on purpose stays broken.
            if let Some(key) = key_of_whole(&snapshot, row, day) {
                let terms = self.terms.entry(key).or_insert_with(|| Terms::of(&snapshot, row));
                terms.overwrite(&snapshot.columns, row);
            }
        }
        snapshot.rows = rows;
        snapshot.write(&delivered(&self.home().join("sample_data"), "lines", day));
        effects
    }

    fn take_effect(&mut self, day: Day) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (key, waiting) in &mut self.pending {
            for adjustment in waiting.extract_if(.., |adjustment| adjustment.effective_on <= day) {
                let terms = self.terms.get_mut(key).unwrap();
                let change = adjustment.new_limit - terms.credit_limit;
                terms.apply(&adjustment);
                effects.push(Effect { key: key.clone(), adjustment, change });
            }
        }
        effects.sort_by(|left, right| left.key.cmp(&right.key));
        effects
    }

    /// Runs a night whose day has begun, and takes over its adjustments unless it is held.
    pub fn night(&mut self, job: &str, day: Day) -> Night {
        let night = run_night(self.home(), job, "out", day);
        if !night.is_held {
            self.take_over(&night);
        }
        night
    }

    fn take_over(&mut self, night: &Night) {
        let columns =
            ["account_id", "product", "action", "reason", "new_limit", "new_status", "effective_on"];
        for row in night.table("adjustments", &columns).rows {
            let [account, product, action, reason, new_limit, new_status, effective_on] = &row[..] else {
                panic!("an adjustment has {} of the columns {columns:?}", row.len());
            };
            let text = |cell: &Cell| cell.text().unwrap().to_string();
            let key = LineKey { account: account.int().unwrap(), product: text(product) };
            let adjustment = Adjustment {
                issued_on: night.day,
                action: text(action),
                reason: text(reason),
                new_limit: new_limit.int().unwrap(),
                new_status: text(new_status),
                effective_on: effective_on.date().unwrap(),
            };
            let waiting = self.pending.entry(key).or_default();
            waiting.retain(|earlier| earlier.effective_on < adjustment.effective_on);
            // A withdraw has made void what it withdrew, and changes nothing by itself.
            if adjustment.action != "withdraw" {
                waiting.push(adjustment);
            }
        }
    }

    /// Everything that waits to take effect.
    pub fn pending(&self) -> impl Iterator<Item = (&LineKey, &Adjustment)> {
        self.pending.iter().flat_map(|(key, waiting)| waiting.iter().map(move |adjustment| (key, adjustment)))
    }

    /// Limit and status as delivered last.
    pub fn line(&self, key: &LineKey) -> (i64, &str) {
        let terms = &self.terms[key];
        (terms.credit_limit, &terms.status)
    }
}

/// The file of an input's delivery of a day: a sample has one a day.
pub fn delivered(data: &Path, input: &str, day: Day) -> PathBuf {
    data.join(format!("{input}/date={day}/part-0.parquet"))
}

/// Runs the binary for a night of a job whose runs lie in `out`; it is published or held.
pub fn run_night(home: &Path, job: &str, out: &str, day: Day) -> Night {
    let date = day.to_string();
    let (code, stdout, stderr) = outcome_in(home, &["run", job, "--date", &date]);
    assert!([0, 4].contains(&code), "night of {day}: exit code {code}\n{stdout}\n{stderr}");
    let is_held = code == 4;
    let run = home.join(out).join(if is_held { "held" } else { "" }).join(format!("date={day}"));
    Night { day, is_held, run }
}

/// The key of a row that has nothing to be rejected for; else `None`.
fn key_of_whole(snapshot: &Table, row: &[Cell], day: Day) -> Option<LineKey> {
    let cell = |name: &str| snapshot.position(name).map_or(&Cell::Null, |place| &row[place]);
    let key = LineKey {
        account: cell("account_id").int()?,
        product: cell("product").text().filter(|product| !product.is_empty())?.to_string(),
    };
    let dates = ["opened_on", "increased_on", "decreased_on", "status_since"].map(cell);
    let is_whole = cell("credit_limit").int()? >= 0
        && cell("balance").int().is_some()
        && ["active", "suspended", "closed"].contains(&cell("status").text()?)
        && cell("opened_on").date().is_some()
        && dates.iter().all(|date| date.date().is_none_or(|date| date <= day));
    is_whole.then_some(key)
}

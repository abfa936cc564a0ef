//! The model's night: from a case to the tables and figures that its run must publish.

use std::collections::BTreeMap;

use arrow_schema::DataType;
use num_bigint::BigInt;

use super::bills::Bills;
use super::book::{Book, Line};
use super::case::{Case, FeatureKind, Gate, Measure};
use super::deciding::{Decision, decisions};
use super::features::features;
use super::files::stores_nulls;
use super::intake::{self, Counts, take_in};
use super::scoring::{Scored, scored};
use super::value::{Kind, Row, Value, date_or_null};
use crate::support::{Cell, Table};

/// What a run must come to.
pub struct Night {
    /// By name, without the extension.
    pub tables: Vec<(&'static str, Table)>,
    pub counts: BTreeMap<String, Counts>,
    pub bill_conflicts: u64,
    pub issued_unknown: u64,
    pub missing_days: BTreeMap<String, Vec<i32>>,
    pub gates: Vec<Measured>,
    /// What it is to the nights after it, where it is published.
    pub previous: Previous,
}

impl Night {
    pub fn is_published(&self) -> bool {
        self.gates.iter().all(|gate| gate.holds)
    }
}

/// What a run takes from the one before.
#[derive(Debug, Clone)]
pub struct Previous {
    pub as_of: i32,
    /// By account.
    pub scores: BTreeMap<Value, (i64, String)>,
    pub gates: Vec<Measured>,
}

/// A gate with its figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    pub name: String,
    pub holds: bool,
    pub figure: String,
    pub among: Option<u64>,
}

/// Computes a case; an error is why its run must end with exit 3.
pub fn night(case: &Case) -> Result<Night, String> {
    let intake = take_in(case)?;
    let book = Book::of(case, &intake);
    let bills = Bills::of(case, &intake);
    let features = features(case, &intake, &bills, &book)?;
    let scores: BTreeMap<Value, Scored> = features
        .iter()
        .map(|(account, features)| (account.clone(), scored(case, account, features)))
        .collect();
    let decisions = decisions(case, &book, &scores);
    let rows: Vec<Decided> =
        book.lines.iter().zip(&decisions).map(|(line, one)| decided(case, line, one, &scores)).collect();
    let tables = vec![
        ("scores", scores_table(case, &scores)),
        ("features", features_table(case, &scores)),
        ("decisions", decisions_table(case, &rows)),
        ("adjustments", adjustments_table(case, &rows, &scores)),
        ("rejects", rejects_table(intake.rejects(case))),
    ];
    let counts = intake.counts(case);
    let missing_days = missing_days(case);
    let score_rows: Vec<Row> = scores.values().map(Scored::columns).collect();
    let decision_rows: Vec<Row> = rows.into_iter().map(|row| row.facts).collect();
    let measured = case.job.gates.iter().map(|gate| {
        measured(case, gate, [("scores", &score_rows), ("decisions", &decision_rows)], &counts, &missing_days)
    });
    let gates: Vec<Measured> = measured.collect();
    let previous = Previous {
        as_of: case.as_of,
        scores: scores
            .iter()
            .map(|(account, scored)| (account.clone(), (scored.score, scored.band.clone())))
            .collect(),
        gates: gates.clone(),
    };
    let (bill_conflicts, issued_unknown) = (bills.conflicts, book.issued_unknown);
    Ok(Night { tables, counts, bill_conflicts, issued_unknown, missing_days, gates, previous })
}

fn missing_days(case: &Case) -> BTreeMap<String, Vec<i32>> {
    let longest = |source: &str| {
        let windows = case.job.features.iter().filter_map(|feature| match &feature.kind {
            FeatureKind::Aggregate { from, days, skip_days, .. } if *from == source => {
                Some(days.map(|days| days + skip_days.unwrap_or(0)))
            }
            _ => None,
        });
        let windows: Option<Vec<i32>> = windows.collect();
        // An input that no feature reads has no window, so nothing but D is wanted of it.
        windows.and_then(|windows| windows.into_iter().chain([0]).max())
    };
    let of = |input, source| intake::missing_days(case, input, longest(source));
    let missing = [
        ("transactions", of(&case.transactions, "transactions")),
        ("repayments", of(&case.repayments, "bills")),
    ];
    missing.into_iter().map(|(name, days)| (name.to_string(), days)).collect()
}

/// A decision with the values of its row in print order, and all that gates see of it.
struct Decided {
    account: Value,
    action: &'static str,
    columns: Vec<(&'static str, Value)>,
    extra: Vec<(&'static str, Value)>,
    facts: Row,
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Int => DataType::Int64,
        Kind::Text => DataType::Utf8,
        Kind::Bool => DataType::Boolean,
        Kind::Date => DataType::Date32,
    }
}

/// What decisions have only where rules name it; extra columns of lines in the file's order.
pub fn named_columns(case: &Case) -> Vec<(&'static str, Kind)> {
    let is_named = |name: &str| case.job.policy.rules.iter().any(|rule| rule.when.names(name));
    let status_since = is_named("status_since") || is_named("days_in_status");
    let mut columns = vec![("status_since", Kind::Date)];
    columns.retain(|_| status_since);
    let others =
        [("status_reason", Kind::Text), ("previous_score", Kind::Int), ("previous_band", Kind::Text)];
    let contract = super::draw_book::LINE_COLUMNS;
    let extra = case.lines.columns.iter().copied().filter(|(name, _)| !contract.contains(name));
    columns.extend(others.into_iter().chain(extra).filter(|(name, _)| is_named(name)));
    columns
}

fn decided(case: &Case, line: &Line, one: &Decision, scores: &BTreeMap<Value, Scored>) -> Decided {
    let scored = &scores[&line.account];
    let of_line = line.columns(case.as_of);
    let pending = line.pending.as_ref();
    let own = |name: &str| of_line[name].clone();
    let columns = vec![
        ("account_id", line.account.clone()),
        ("product", own("product")),
        ("action", one.action.into()),
        ("reason", one.reason.clone().into()),
        ("rule", one.rule.clone().into()),
        ("old_limit", line.limit.into()),
        ("new_limit", one.new_limit.into()),
        ("old_status", own("status")),
        ("new_status", one.new_status.clone().into()),
        ("bound_by", one.bound_by.into()),
        ("effective_on", date_or_null(one.effective_on)),
        ("score", scored.score.into()),
        ("band", scored.band.clone().into()),
        ("balance", own("balance")),
        ("days_open", own("days_open")),
        ("days_since_increase", own("days_since_increase")),
        ("days_since_decrease", own("days_since_decrease")),
        ("pending_limit", own("pending_limit")),
        ("pending_status", pending.map(|pending| pending.status.clone()).into()),
        ("pending_on", date_or_null(pending.map(|pending| pending.on))),
    ];
    let mut facts = scored.columns();
    let extra: Vec<_> = named_columns(case)
        .into_iter()
        .map(|(name, _)| (name, of_line.get(name).unwrap_or_else(|| &facts[name]).clone()))
        .collect();
    facts.extend(columns.iter().chain(&extra).map(|(name, value)| (name.to_string(), value.clone())));
    Decided { account: line.account.clone(), action: one.action, columns, extra, facts }
}

fn table(columns: Vec<(String, DataType)>, rows: Vec<Vec<Cell>>) -> Table {
    Table { columns, rows }
}

fn reason_columns(case: &Case) -> Vec<(String, DataType)> {
    (1..=case.job.score.reasons).map(|number| (format!("reason_{number}"), DataType::Utf8)).collect()
}

fn reason_cells(case: &Case, scored: &Scored) -> Vec<Cell> {
    let reason = |place: usize| Cell::from(scored.reasons.get(place).map(String::as_str));
    (0..case.job.score.reasons).map(reason).collect()
}

pub fn scores_table(case: &Case, scores: &BTreeMap<Value, Scored>) -> Table {
    let job = &case.job;
    let int = |name: String| (name, DataType::Int32);
    let mut columns = vec![
        ("account_id".to_string(), data_type(case.account_kind)),
        int("score".into()),
        ("band".to_string(), DataType::Utf8),
    ];
    columns.extend(job.dimensions.iter().cloned().map(int));
    columns.extend(job.characteristics.iter().map(|one| int(format!("points_{}", one.feature))));
    columns.extend(reason_columns(case));
    let cells = |(account, scored): (&Value, &Scored)| {
        let mut cells = vec![account.cell(), Cell::Int(scored.score), Cell::from(scored.band.as_str())];
        cells.extend(job.dimensions.iter().map(|name| Cell::Int(scored.dimensions[name])));
        cells.extend(scored.points.iter().map(|points| Cell::Int(*points)));
        cells.extend(reason_cells(case, scored));
        cells
    };
    table(columns, scores.iter().map(cells).collect())
}

pub fn features_table(case: &Case, scores: &BTreeMap<Value, Scored>) -> Table {
    let names = || case.job.features.iter().map(|feature| &feature.name);
    let mut columns = vec![("account_id".to_string(), data_type(case.account_kind))];
    columns.extend(names().map(|name| (name.clone(), DataType::Int64)));
    let cells = |(account, scored): (&Value, &Scored)| {
        let features = names().map(|name| scored.features[name].cell());
        std::iter::once(account.cell()).chain(features).collect()
    };
    table(columns, scores.iter().map(cells).collect())
}

/// The type of a column of [`named_columns`]; an extra one is of type Null where the snapshot has it so.
fn named_type(case: &Case, name: &str, kind: Kind) -> DataType {
    let place = case.lines.columns.iter().position(|(known, _)| *known == name);
    let place = place.filter(|_| !super::draw_book::LINE_COLUMNS.contains(&name));
    let date = intake::snapshot_date(case);
    let mut files = case.lines.files.iter().filter(|file| date.is_none_or(|date| file.delivery == date));
    match place {
        _ if name == "previous_score" => DataType::Int32,
        Some(place) if files.all(|file| stores_nulls(file, place)) => DataType::Null,
        _ => data_type(kind),
    }
}

fn decision_columns(case: &Case) -> Vec<(String, DataType)> {
    let (int, text, date) = (DataType::Int64, DataType::Utf8, DataType::Date32);
    let names = "account_id product action reason rule old_limit new_limit old_status new_status bound_by \
                 effective_on score band balance days_open days_since_increase days_since_decrease \
                 pending_limit pending_status pending_on";
    let kind = |name: &str| match name {
        "account_id" => data_type(case.account_kind),
        "score" => DataType::Int32,
        "effective_on" | "pending_on" => date.clone(),
        "old_limit" | "new_limit" | "balance" | "pending_limit" => int.clone(),
        name if name.starts_with("days_") => int.clone(),
        _ => text.clone(),
    };
    let extra =
        named_columns(case).into_iter().map(|(name, kind)| (name.to_string(), named_type(case, name, kind)));
    names.split_whitespace().map(|name| (name.to_string(), kind(name))).chain(extra).collect()
}

fn decisions_table(case: &Case, rows: &[Decided]) -> Table {
    let columns = decision_columns(case);
    let cells = |row: &Decided| row.columns.iter().chain(&row.extra).map(|(_, value)| value.cell()).collect();
    table(columns, rows.iter().map(cells).collect())
}

fn adjustments_table(case: &Case, rows: &[Decided], scores: &BTreeMap<Value, Scored>) -> Table {
    let mut columns = decision_columns(case);
    columns.extend(reason_columns(case));
    let cells = |row: &Decided| {
        let own = row.columns.iter().chain(&row.extra).map(|(_, value)| value.cell());
        own.chain(reason_cells(case, &scores[&row.account])).collect()
    };
    table(columns, rows.iter().filter(|row| row.action != "hold").map(cells).collect())
}

fn rejects_table(rows: Vec<Vec<Cell>>) -> Table {
    let kinds = [
        ("input", DataType::Utf8),
        ("delivery", DataType::Date32),
        ("file", DataType::Utf8),
        ("row", DataType::Int64),
        ("reason", DataType::Utf8),
        ("account_id", DataType::Utf8),
    ];
    table(kinds.into_iter().map(|(name, kind)| (name.to_string(), kind)).collect(), rows)
}

/// Whether a figure is as near as the gate wants it to that of the gate of its name in the run before.
pub fn changes_little(case: &Case, gate: &Gate, figure: &BigInt, among: Option<u64>) -> bool {
    let before = case.previous.iter().flat_map(|previous| &previous.gates);
    let before = before.into_iter().find(|before| before.name == gate.name);
    let (Some(before), Some(most)) = (before, gate.max_change_bp) else { return true };
    let earlier: BigInt = before.figure.parse().expect("an integer");
    let size = |value: BigInt| BigInt::from(value.magnitude().clone());
    match (before.among, among) {
        (None, None) => size(figure - &earlier) * 10_000 <= size(earlier) * most,
        (Some(of), Some(whole)) if of > 0 && whole > 0 => {
            size(figure * of - earlier * whole) * 10_000 <= BigInt::from(most) * whole * of
        }
        _ => true,
    }
}

fn measured(
    case: &Case,
    gate: &Gate,
    tables: [(&str, &Vec<Row>); 2],
    counts: &BTreeMap<String, Counts>,
    missing_days: &BTreeMap<String, Vec<i32>>,
) -> Measured {
    let rows_of = |table: &str| tables.iter().find(|(name, _)| *name == table).expect("a table").1;
    let within = |figure: &BigInt, among: &BigInt| {
        let least = gate.min.is_none_or(|min| *figure >= BigInt::from(min) * among);
        least && gate.max.is_none_or(|max| *figure <= BigInt::from(max) * among)
    };
    let name = gate.name.clone();
    let share = |part: u64, whole: u64| {
        let is_like_before = changes_little(case, gate, &BigInt::from(part), Some(whole));
        let is_within = whole == 0 || within(&(BigInt::from(part) * 10_000), &BigInt::from(whole));
        let holds = is_within && is_like_before;
        Measured { name: name.clone(), holds, figure: part.to_string(), among: Some(whole) }
    };
    let plain = |figure: BigInt| {
        let holds = within(&figure, &BigInt::from(1)) && changes_little(case, gate, &figure, None);
        Measured { name: name.clone(), holds, figure: figure.to_string(), among: None }
    };
    match &gate.measure {
        Measure::Share { table, of, among } => {
            let whole: Vec<&Row> =
                rows_of(table).iter().filter(|row| among.as_ref().is_none_or(|a| a.is_true(row))).collect();
            share(whole.iter().filter(|row| of.is_true(row)).count() as u64, whole.len() as u64)
        }
        Measure::Sum { table, of, among } => {
            let taken = rows_of(table).iter().filter(|row| among.as_ref().is_none_or(|a| a.is_true(row)));
            plain(taken.filter_map(|row| of.value(row).int()).sum())
        }
        Measure::Rejected(input) => share(counts[*input].rejected.values().sum(), counts[*input].read),
        Measure::Rows(input) => plain(BigInt::from(counts[*input].accepted)),
        Measure::MissingDays(input) => plain(BigInt::from(missing_days[*input].len())),
    }
}

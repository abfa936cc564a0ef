//! Measures a run against its gates.

use std::ops::Range;

use num_bigint::BigInt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Results;
use super::decision_columns::{ColumnSink, make};
use crate::day::Day;
use crate::expr::{Column, Expr, Frame, Ints, Texts};
use crate::features::FeatureTable;
use crate::job::{
    ARM_COLUMNS, Bounds, DecisionColumn, Gate, GateTable, Job, Measure, SCORE_COLUMNS, SEGMENT_COLUMNS,
};
use crate::pieces::piece;
use crate::run_dir::gates::{CHANGE, EarlierFigure, GateOutcome, GateUnit};
use crate::run_dir::manifest::Counts;
use crate::score::score_columns;

/// What the tables come to for a gate, so that figures over parts of a book add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableFigure {
    /// The gate looks at inputs alone.
    NoTable,
    /// Of so many rows so many.
    Share {
        /// Those that satisfy `of`.
        part: u64,
        /// Those that satisfy `among`.
        rows: u64,
    },
    /// A sum.
    Sum(#[serde(with = "decimal")] BigInt),
}

/// Integers of any size as JSON writes them: as text.
mod decimal {
    use num_bigint::BigInt;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(number: &BigInt, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BigInt, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl TableFigure {
    /// Adds the figure of another part of the book, for the same gate.
    pub fn add(&mut self, other: TableFigure) {
        match (self, other) {
            (TableFigure::Share { part, rows }, TableFigure::Share { part: more, rows: of }) => {
                *part += more;
                *rows += of;
            }
            (TableFigure::Sum(sum), TableFigure::Sum(more)) => *sum += more,
            _ => {}
        }
    }
}

/// What the tables come to for each gate.
pub fn table_figures(results: &Results) -> Vec<TableFigure> {
    let gates = results.job.gates.par_iter().map(|gate| match &gate.measure {
        Measure::Share { table, of, among } => {
            let (rows, part) = count(results, *table, of, among.as_ref());
            TableFigure::Share { part, rows }
        }
        Measure::Sum { table, of, among } => TableFigure::Sum(sum(results, *table, of, among.as_ref())),
        Measure::Rejected { .. } | Measure::Rows { .. } | Measure::MissingDays { .. } => TableFigure::NoTable,
    });
    gates.collect()
}

/// Measures all gates by what the tables come to, which `figures` says; `earlier` are those of the run before.
pub fn measure(
    job: &Job,
    figures: &[TableFigure],
    counts: &dyn Fn(&str) -> Counts,
    missing_days: &dyn Fn(&str) -> u64,
    earlier: &[GateOutcome],
) -> Vec<GateOutcome> {
    let measured = job.gates.iter().zip(figures).map(|(gate, figure)| {
        let mut outcome = measure_one(gate, figure, counts, missing_days);
        if gate.is_of_money(&job.scopes) {
            outcome.unit = GateUnit::Money;
        }
        with_change(gate, outcome, earlier.iter().find(|before| before.name == gate.name))
    });
    measured.collect()
}

/// Holds the figure against that of the run before, where the gate bounds its change and there is one of
/// the same form.
fn with_change(gate: &Gate, outcome: GateOutcome, before: Option<&GateOutcome>) -> GateOutcome {
    let Some(bp) = gate.bounds.max_change_bp else { return outcome };
    let Some(before) = before.filter(|before| before.among.is_some() == outcome.among.is_some()) else {
        return outcome;
    };
    let [now, then] =
        [&outcome.figure, &before.figure].map(|figure| figure.parse::<BigInt>().unwrap_or_default());
    // How far they are apart against how far they may be, both times the same.
    let (apart, most) = match (outcome.among, before.among) {
        // Of no rows, every share passes.
        (Some(0), _) | (_, Some(0)) => return outcome,
        (Some(rows), Some(rows_then)) => {
            (now * rows_then - then * rows, BigInt::from(rows) * BigInt::from(rows_then))
        }
        _ => (now - &then, then),
    };
    let changed = BigInt::from(apart.magnitude().clone()) * 10_000;
    let is_near = changed <= BigInt::from(most.magnitude().clone()) * bp;
    let earlier = EarlierFigure { figure: before.figure.clone(), among: before.among };
    GateOutcome { holds: outcome.holds && is_near, earlier: Some(earlier), ..outcome }
}

fn measure_one(
    gate: &Gate,
    figure: &TableFigure,
    counts: &dyn Fn(&str) -> Counts,
    missing_days: &dyn Fn(&str) -> u64,
) -> GateOutcome {
    let figure = match (&gate.measure, figure) {
        (Measure::Rejected { input }, _) => {
            let counts = counts(input);
            return share(gate, counts.read - counts.accepted, counts.read);
        }
        (_, TableFigure::Share { part, rows }) => return share(gate, *part, *rows),
        (Measure::Rows { input }, _) => counts(input).accepted.into(),
        (Measure::MissingDays { input }, _) => missing_days(input).into(),
        (_, TableFigure::Sum(sum)) => sum.clone(),
        (Measure::Share { .. } | Measure::Sum { .. }, TableFigure::NoTable) => {
            unreachable!("figures are those of the gates")
        }
    };
    plain(gate, figure, gate.bounds)
}

/// n × 10000 against bp × N, exactly; of no rows, every share passes.
fn share(gate: &Gate, part: u64, rows: u64) -> GateOutcome {
    let figure = i128::from(part) * 10_000;
    let bound = |bp: i64| i128::from(bp) * i128::from(rows);
    let Bounds { min, max, .. } = gate.bounds;
    let holds =
        rows == 0 || (min.is_none_or(|bp| figure >= bound(bp)) && max.is_none_or(|bp| figure <= bound(bp)));
    GateOutcome {
        name: gate.name.clone(),
        holds,
        severity: gate.severity,
        unit: GateUnit::Count,
        figure: part.to_string(),
        among: Some(rows),
        bounds: describe(gate.bounds, "_bp"),
        earlier: None,
    }
}

fn plain(gate: &Gate, figure: BigInt, bounds: Bounds) -> GateOutcome {
    let holds = bounds.min.is_none_or(|min| figure >= BigInt::from(min))
        && bounds.max.is_none_or(|max| figure <= BigInt::from(max));
    GateOutcome {
        name: gate.name.clone(),
        holds,
        severity: gate.severity,
        unit: GateUnit::Count,
        figure: figure.to_string(),
        among: None,
        bounds: describe(bounds, ""),
        earlier: None,
    }
}

fn describe(bounds: Bounds, suffix: &str) -> String {
    let bound = |name: &str, bound: Option<i64>| bound.map(|bound| format!("{name}{suffix} {bound}"));
    let change = bounds.max_change_bp.map(|bp| format!("{CHANGE} {bp}"));
    let parts = [bound("min", bounds.min), bound("max", bounds.max), change];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Rows evaluated at a time.
const CHUNK_ROWS: usize = piece(65_536, 3);

/// Calls `each` with the frame of every run of rows of the table, for the columns expressions read.
fn for_frames(results: &Results, table: GateTable, exprs: &[&Expr], mut each: impl FnMut(&Frame)) {
    let mut needed: Vec<usize> = exprs.iter().flat_map(|expr| expr.columns.iter().copied()).collect();
    needed.sort_unstable();
    needed.dedup();
    let total = match table {
        GateTable::Scores => results.lines.accounts.len(),
        GateTable::Decisions => results.decisions.len(),
    };
    for start in (0..total).step_by(CHUNK_ROWS) {
        let rows = start..(start + CHUNK_ROWS).min(total);
        let columns = match table {
            GateTable::Scores => {
                let accounts: Vec<u32> = rows.clone().map(|row| row as u32).collect();
                frame_columns(results, &accounts, &needed, 0, results.job.scopes.scores.columns.len())
            }
            GateTable::Decisions => decision_columns(results, rows.clone(), &needed),
        };
        let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
        each(&Frame { rows: rows.len(), columns });
    }
}

/// Score columns from position `first` of a scope on.
fn frame_columns(
    results: &Results,
    accounts: &[u32],
    needed: &[usize],
    first: usize,
    len: usize,
) -> Vec<Option<Column>> {
    let features: &FeatureTable = results.features;
    // Behind what is known of every score come its segment and arm, where the job has any.
    let of_cards = card_columns(results.job);
    let behind = SCORE_COLUMNS.len() + of_cards.len();
    let mut columns = vec![None; len];
    for slot in needed.iter().filter(|slot| (SCORE_COLUMNS.len()..behind).contains(&slot.wrapping_sub(first)))
    {
        let name = of_cards[slot - first - SCORE_COLUMNS.len()];
        columns[*slot] = Some(card_column(results, name, accounts));
    }
    let plain =
        |slot: &usize| slot.checked_sub(first).filter(|slot| !(SCORE_COLUMNS.len()..behind).contains(slot));
    let without_cards = |slot: usize| if slot < behind { slot } else { slot - of_cards.len() };
    let from_score = needed.iter().filter_map(plain).map(without_cards);
    for (slot, column) in
        score_columns(&results.job.scorecard, results.scores, features, accounts, from_score)
    {
        let skipped = if slot < SCORE_COLUMNS.len() { 0 } else { of_cards.len() };
        columns[slot + skipped + first] = Some(column);
    }
    columns
}

/// The names of the columns that gates see of segments and arms, in the order of the scope.
fn card_columns(job: &Job) -> Vec<&'static str> {
    let segments = SEGMENT_COLUMNS.iter().filter(|_| !job.variants.segments.is_empty());
    let arms = ARM_COLUMNS.iter().filter(|_| job.variants.challenger.is_some());
    segments.chain(arms).map(|(name, _)| *name).collect()
}

fn card_column(results: &Results, name: &str, accounts: &[u32]) -> Column {
    let (segments, scores) = (&results.job.variants.segments, results.scores);
    let ints = |values: &[i32]| {
        Column::Int(Ints::all(accounts.iter().map(|row| i64::from(values[*row as usize])).collect()))
    };
    let account = accounts.iter().map(|row| *row as usize);
    match name {
        "champion_score" => ints(&scores.arms.champion),
        "challenger_score" => ints(&scores.arms.challenger),
        "arm" => Column::Text(account.map(|row| Some(scores.assignment.arm(row).name())).collect()),
        _ => {
            let name = |row| scores.assignment.segment(row).map(|segment| segments[segment].name.as_str());
            Column::Text(account.map(name).collect())
        }
    }
}

fn decision_columns(results: &Results, rows: Range<usize>, needed: &[usize]) -> Vec<Option<Column>> {
    let scope = &results.job.scopes.decisions;
    let extra = &results.job.policy.extra_columns;
    let first_of_score = scope.columns.len() - results.job.scopes.scores.columns.len();
    let first_extra = first_of_score - extra.len();
    let accounts = &results.lines.account[rows.clone()];
    let mut columns = frame_columns(results, accounts, needed, first_of_score, scope.columns.len());
    let of_line =
        |slot: usize| results.lines.columns[slot].as_ref().expect("read as needed").slice(rows.clone());
    for slot in needed.iter().copied().filter(|slot| *slot < first_of_score) {
        columns[slot] = Some(match DecisionColumn::named(&scope.columns[slot].0) {
            _ if slot >= first_extra => of_line(extra[slot - first_extra]),
            None => of_line(ACCOUNT_ID),
            Some(column) => make(column, results, GatedRows(rows.clone())),
        });
    }
    columns
}

/// Where the account's id stands among the columns of lines.
const ACCOUNT_ID: usize = 0;

/// The lines for which a column is made.
struct GatedRows(Range<usize>);

impl<'a> ColumnSink<'a> for GatedRows {
    type Made = Column;

    fn int64(self, value: impl Fn(usize) -> Option<i64>) -> Column {
        Column::Int(self.0.map(value).collect())
    }

    fn int32(self, value: impl Fn(usize) -> Option<i32>) -> Column {
        Column::Int(self.0.map(|line| value(line).map(i64::from)).collect())
    }

    fn date(self, value: impl Fn(usize) -> Option<Day>) -> Column {
        Column::Int(self.0.map(|line| value(line).map(|day| i64::from(day.0))).collect())
    }

    fn text(self, value: impl Fn(usize) -> Option<&'a str>) -> Column {
        Column::Text(self.0.map(value).collect())
    }

    fn texts(self, texts: &'a Texts) -> Column {
        Column::Text(texts.slice(self.0))
    }
}

/// The rows that satisfy `among`, and those of them that satisfy `of`.
fn count(results: &Results, table: GateTable, of: &Expr, among: Option<&Expr>) -> (u64, u64) {
    let exprs: Vec<&Expr> = among.into_iter().chain([of]).collect();
    let (mut rows, mut part) = (0, 0);
    for_frames(results, table, &exprs, |frame| {
        let of = of.truths(frame);
        let among = among.map(|among| among.truths(frame));
        for row in 0..frame.rows {
            if among.as_ref().is_none_or(|among| among.is_true(row)) {
                rows += 1;
                part += u64::from(of.is_true(row));
            }
        }
    });
    (rows, part)
}

fn sum(results: &Results, table: GateTable, of: &Expr, among: Option<&Expr>) -> BigInt {
    let exprs: Vec<&Expr> = among.into_iter().chain([of]).collect();
    let mut narrow = 0_i128;
    let mut wide = BigInt::ZERO;
    for_frames(results, table, &exprs, |frame| {
        let column = of.column(frame);
        let among = among.map(|among| among.truths(frame));
        for row in 0..frame.rows {
            if among.as_ref().is_some_and(|among| !among.is_true(row)) {
                continue;
            }
            match &column {
                Column::Int(ints) => narrow += ints.get(row).map_or(0, |value| i128::from(*value)),
                Column::Wide(ints) => wide += ints.get(row).cloned().unwrap_or_default(),
                _ => unreachable!("checked to be an integer"),
            }
        }
    });
    wide + BigInt::from(narrow)
}

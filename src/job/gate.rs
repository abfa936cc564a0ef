//! Gates: what must hold of a run before it may be published.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::decision_column::DecisionColumn;
use super::inputs::input_names::{LINES, REPAYMENTS, TRANSACTIONS};
use super::policy_file::Policy;
use super::reader::Reader;
use super::scopes::Scopes;
use crate::expr::{Expr, Scope, Type};

/// A condition on a run's figures.
#[derive(Debug, Clone)]
pub struct Gate {
    /// As the operator calls it.
    pub name: String,
    /// What it measures.
    pub measure: Measure,
    /// What the measure must lie within.
    pub bounds: Bounds,
    /// What follows where it does not.
    pub severity: GateSeverity,
}

/// What follows where a gate does not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GateSeverity {
    /// The run is held.
    #[default]
    Hold,
    /// It is told, and the run is published all the same.
    Warn,
}

impl GateSeverity {
    /// As a job file has it.
    pub const NAMES: [(&str, GateSeverity); 2] = [("hold", GateSeverity::Hold), ("warn", GateSeverity::Warn)];

    /// Whether it is the one that goes without saying.
    pub fn is_hold(&self) -> bool {
        *self == GateSeverity::Hold
    }
}

impl Gate {
    /// Whether it measures money: a sum over decisions of columns that are money.
    pub fn is_of_money(&self, scopes: &Scopes) -> bool {
        let Measure::Sum { table: GateTable::Decisions, of, .. } = &self.measure else { return false };
        of.is_sum_of(&|slot| {
            let column = DecisionColumn::named(&scopes.decisions.columns[slot].0);
            column.is_some_and(DecisionColumn::is_money)
        })
    }
}

/// The table whose rows a gate counts or sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateTable {
    /// One row an account.
    Scores,
    /// One row a line.
    Decisions,
}

/// The five forms of a gate.
#[derive(Debug, Clone)]
pub enum Measure {
    /// n × 10000 of the rows that satisfy `of` against those that satisfy `among`.
    Share {
        /// Whose rows.
        table: GateTable,
        /// The condition.
        of: Expr,
        /// Which rows count; all where absent.
        among: Option<Expr>,
    },
    /// The sum of `of` over the rows that satisfy `among`; rows where it is null add nothing.
    Sum {
        /// Whose rows.
        table: GateTable,
        /// What is added up.
        of: Expr,
        /// Which rows count; all where absent.
        among: Option<Expr>,
    },
    /// Rejected rows × 10000 against the input's rows.
    Rejected {
        /// Its name.
        input: &'static str,
    },
    /// Accepted rows of the input.
    Rows {
        /// Its name.
        input: &'static str,
    },
    /// Days without a delivery of the input.
    MissingDays {
        /// Its name.
        input: &'static str,
    },
}

/// Inclusive bounds; basis points for shares.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// At least this.
    pub min: Option<i64>,
    /// At most this.
    pub max: Option<i64>,
    /// Basis points that it may differ from the figure of the run before: a share by so many, a sum or a
    /// count by so many of the earlier one.
    pub max_change_bp: Option<i64>,
}

/// What a gate on `decisions` sees: the decision's columns, extra ones last, then the scores'.
pub(super) fn decisions_scope(scopes: &Scopes, policy: &Policy) -> Scope {
    let mut decisions = Scope { open: scopes.scores.open, ..Scope::default() };
    decisions.push("account_id", scopes.account_kind());
    for column in DecisionColumn::ALL.into_iter().filter(|column| is_gated(*column)) {
        decisions.push(column.name(), column.spec().kind);
    }
    let of_lines = policy.kept_of_lines().chain(policy.extra_columns.iter().copied());
    decisions.columns.extend(of_lines.map(|slot| scopes.lines.columns[slot].clone()));
    decisions.columns.extend(scopes.scores.columns.iter().cloned());
    decisions
}

/// Whether every gate on `decisions` sees a column as the decision's: those of scores come with the scores.
fn is_gated(column: DecisionColumn) -> bool {
    !column.is_on_demand() && !column.is_of_score()
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGate {
    name: Spanned<String>,
    severity: Option<Spanned<String>>,
    table: Option<Spanned<String>>,
    share_of: Option<Spanned<String>>,
    sum_of: Option<Spanned<String>>,
    among: Option<Spanned<String>>,
    rejected: Option<Spanned<String>>,
    rows: Option<Spanned<String>>,
    missing_days: Option<Spanned<String>>,
    min: Option<Spanned<i64>>,
    max: Option<Spanned<i64>>,
    min_bp: Option<Spanned<i64>>,
    max_bp: Option<Spanned<i64>>,
    max_change_bp: Option<Spanned<i64>>,
}

pub(super) fn resolve(reader: &mut Reader, raws: &[Spanned<RawGate>], scopes: &Scopes) -> Vec<Gate> {
    let mut gates: Vec<Gate> = Vec::new();
    for raw in raws {
        if let Some(gate) = resolve_one(reader, raw, scopes) {
            if gates.iter().any(|known| known.name == gate.name) {
                let place = raw.get_ref().name.span();
                reader.error(place, format!("there are two gates `{}`", gate.name), None);
            }
            gates.push(gate);
        }
    }
    gates
}

fn resolve_one(reader: &mut Reader, raw: &Spanned<RawGate>, scopes: &Scopes) -> Option<Gate> {
    let place = raw.span();
    let raw = raw.get_ref();
    let forms = [&raw.share_of, &raw.sum_of, &raw.rejected, &raw.rows, &raw.missing_days];
    if forms.iter().filter(|form| form.is_some()).count() != 1 {
        let message = "a gate has exactly one of share_of, sum_of, rejected, rows, missing_days";
        reader.error(place, message, None);
        return None;
    }
    let is_share = raw.share_of.is_some() || raw.rejected.is_some();
    let (shares, amounts) = ([&raw.min_bp, &raw.max_bp], [&raw.min, &raw.max]);
    let (used, unused, message) = if is_share {
        (shares, amounts, "a share is bounded by min_bp and max_bp, in basis points")
    } else {
        (amounts, shares, "this gate is bounded by min and max; min_bp and max_bp are for shares")
    };
    for wrong in unused.into_iter().flatten() {
        reader.error(wrong.span(), message, None);
    }
    let [min, max] = used.map(|bound| bound.as_ref().map(|bound| *bound.get_ref()));
    let max_change_bp = raw.max_change_bp.as_ref().map(|bp| *bp.get_ref());
    if let Some(bp) = raw.max_change_bp.as_ref().filter(|bp| *bp.get_ref() < 0) {
        reader.error(bp.span(), "max_change_bp is at least 0", None);
    }
    if min.is_none() && max.is_none() && max_change_bp.is_none() {
        let message = "a gate needs a bound: min or max (min_bp or max_bp for a share), or max_change_bp";
        reader.error(place.clone(), message, None);
    }
    let over_table = raw.share_of.is_some() || raw.sum_of.is_some();
    for (key, value) in [("table", &raw.table), ("among", &raw.among)] {
        if let (false, Some(value)) = (over_table, value) {
            reader.error(value.span(), format!("`{key}` goes with share_of and sum_of"), None);
        }
    }
    let measure = if over_table {
        table_measure(reader, raw, place, scopes)?
    } else {
        input_measure(reader, raw, scopes)?
    };
    let severity = severity(reader, raw.severity.as_ref())?;
    Some(Gate {
        name: raw.name.get_ref().clone(),
        measure,
        bounds: Bounds { min, max, max_change_bp },
        severity,
    })
}

fn severity(reader: &mut Reader, written: Option<&Spanned<String>>) -> Option<GateSeverity> {
    let Some(written) = written else { return Some(GateSeverity::Hold) };
    let found = GateSeverity::NAMES.into_iter().find(|(name, _)| name == written.get_ref());
    if found.is_none() {
        reader.unknown_name("severity", written, GateSeverity::NAMES.into_iter().map(|(name, _)| name));
    }
    found.map(|(_, severity)| severity)
}

fn table_measure(
    reader: &mut Reader,
    raw: &RawGate,
    place: std::ops::Range<usize>,
    scopes: &Scopes,
) -> Option<Measure> {
    let Some(table) = &raw.table else {
        reader.error(place, "the gate does not say its table: scores or decisions", None);
        return None;
    };
    let (table, scope) = match table.get_ref().as_str() {
        "scores" => (GateTable::Scores, &scopes.scores),
        "decisions" => (GateTable::Decisions, &scopes.decisions),
        _ => {
            reader.unknown_name("table", table, ["scores", "decisions"].into_iter());
            return None;
        }
    };
    let among = raw.among.as_ref().map(|text| reader.expression(text, Type::Bool, scope));
    let measure = match (&raw.share_of, &raw.sum_of) {
        (Some(text), _) => {
            let of = reader.expression(text, Type::Bool, scope)?;
            Measure::Share { table, of, among: transpose(among)? }
        }
        (_, Some(text)) => {
            let of = reader.expression(text, Type::Int, scope)?;
            Measure::Sum { table, of, among: transpose(among)? }
        }
        _ => unreachable!("one of the two forms over a table"),
    };
    Some(measure)
}

/// `None` where the expression was given but wrong.
fn transpose(expr: Option<Option<Expr>>) -> Option<Option<Expr>> {
    match expr {
        Some(None) => None,
        Some(expr) => Some(expr),
        None => Some(None),
    }
}

fn input_measure(reader: &mut Reader, raw: &RawGate, scopes: &Scopes) -> Option<Measure> {
    let all = [TRANSACTIONS, REPAYMENTS, LINES];
    let named = [&raw.rejected, &raw.rows, &raw.missing_days].into_iter().flatten();
    for name in named.filter(|name| name.get_ref() == REPAYMENTS && !scopes.has_repayments) {
        let help = "say in the job's [input] where repayments lie, or leave the gate out";
        let message = "a gate on repayments, and the job says repayments = \"none\"";
        reader.error(name.span(), message, Some(help.into()));
    }
    match (&raw.rejected, &raw.rows, &raw.missing_days) {
        (Some(name), _, _) => Some(Measure::Rejected { input: input_named(reader, name, &all)? }),
        (_, Some(name), _) => Some(Measure::Rows { input: input_named(reader, name, &all)? }),
        (_, _, Some(name)) => {
            let input = input_named(reader, name, &[TRANSACTIONS, REPAYMENTS])?;
            Some(Measure::MissingDays { input })
        }
        _ => unreachable!("one of the three forms over an input"),
    }
}

fn input_named(reader: &mut Reader, name: &Spanned<String>, known: &[&'static str]) -> Option<&'static str> {
    let found = known.iter().find(|known| **known == name.get_ref().as_str()).copied();
    if found.is_none() {
        reader.unknown_name("such input", name, known.iter().copied());
    }
    found
}

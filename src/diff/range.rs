//! Two directories of runs: a line a date that both have, then the totals.

use anyhow::Result;
use serde::Serialize;

use super::causes::decisions::DecisionPart;
use super::compare::compare;
use super::findings::{Findings, SideCounts};
use super::request::DiffRequest;
use crate::day::Day;
use crate::failure::{Kind, failure};
use crate::run_dir::dated_runs;

/// What two ranges differ in.
#[derive(Debug, Clone, Serialize)]
pub struct RangeFindings {
    /// As given.
    pub left: String,
    /// As given.
    pub right: String,
    /// Whether both have the same dates and nothing differs on any.
    pub same: bool,
    /// Dates that only the left has.
    pub only_left: Vec<Day>,
    /// Dates that only the right has.
    pub only_right: Vec<Day>,
    /// By date that both have.
    pub days: Vec<DayFindings>,
    /// The sums over all of these dates.
    pub total: DayChange,
    /// What moved the decisions, over all of these dates.
    pub causes: Vec<DecisionPart>,
    /// Decimal places of money.
    pub minor_units: u32,
    /// What money is counted in, where the right runs' job says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// One date.
#[derive(Debug, Clone, Serialize)]
pub struct DayFindings {
    /// The as-of date.
    pub date: Day,
    /// Its figures.
    pub change: DayChange,
}

/// The figures of a date, or of all; money in minor units, right − left.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DayChange {
    /// Whether nothing differs.
    pub same: bool,
    /// In what the runs differ that the tables were made from.
    pub differs: Vec<&'static str>,
    /// Accounts that only one side has.
    pub accounts_one_side: u64,
    /// Lines that only one side has.
    pub lines_one_side: u64,
    /// Lines that both sides have.
    pub lines: u64,
    /// Accounts with another score.
    pub scores_changed: u64,
    /// Σ of score changes.
    pub score_sum: i128,
    /// Lines decided otherwise; of adjustments alone, those with another cell.
    pub decisions_changed: u64,
    /// Σ raises.
    pub raises: i128,
    /// Σ lowers.
    pub lowers: i128,
    /// Σ new limits.
    pub limits: i128,
}

/// Compares the runs of every date that both have.
pub fn compare_ranges(request: &DiffRequest) -> Result<RangeFindings> {
    if request.out.is_some() {
        let message = "diff: --out goes with two runs: compare the dates of interest one by one";
        return Err(failure(Kind::Usage, message));
    }
    let (left, right) = (dated_runs(&request.left)?, dated_runs(&request.right)?);
    let mut days = Vec::new();
    let mut causes: Vec<DecisionPart> = Vec::new();
    let (mut minor_units, mut currency) = (0, None);
    for (date, left) in &left {
        let Some(right) = right.get(date) else { continue };
        let pair = DiffRequest { left: left.clone(), right: right.clone(), ..request.clone() };
        let findings = compare(&pair)?;
        minor_units = findings.minor_units;
        currency = findings.currency.clone();
        for part in findings.decision_causes.iter().flat_map(|causes| &causes.parts) {
            match causes.iter_mut().find(|known| known.cause == part.cause) {
                Some(known) => {
                    known.decisions += part.decisions;
                    known.change += part.change;
                }
                None => causes.push(part.clone()),
            }
        }
        days.push(DayFindings { date: *date, change: DayChange::of(&findings) });
    }
    let only_left: Vec<Day> = left.keys().filter(|date| !right.contains_key(date)).copied().collect();
    let only_right: Vec<Day> = right.keys().filter(|date| !left.contains_key(date)).copied().collect();
    let total = days
        .iter()
        .fold(DayChange { same: true, ..DayChange::default() }, |total, day| total.and(&day.change));
    Ok(RangeFindings {
        left: crate::console::plain_path(&request.left),
        right: crate::console::plain_path(&request.right),
        same: total.same && only_left.is_empty() && only_right.is_empty(),
        only_left,
        only_right,
        days,
        total,
        causes,
        minor_units,
        currency,
    })
}

impl DayChange {
    fn of(findings: &Findings) -> DayChange {
        let lines = findings.lines.as_ref();
        let scores = findings.scores.as_ref();
        let decisions = findings.decisions.as_ref();
        let money = decisions
            .and_then(|decisions| decisions.money.last())
            .map(|money| money.delta)
            .unwrap_or_default();
        let is_adjustments = scores.is_none() && decisions.is_none();
        DayChange {
            same: findings.same,
            differs: findings.provenance.as_ref().map_or(Vec::new(), |provenance| provenance.differs.clone()),
            accounts_one_side: if is_adjustments { 0 } else { findings.rows.on_one_side() },
            lines_one_side: if is_adjustments {
                findings.rows.on_one_side()
            } else {
                lines.map_or(0, SideCounts::on_one_side)
            },
            lines: decisions.map_or(0, |decisions| decisions.lines),
            scores_changed: scores.map_or(0, |scores| scores.changed),
            score_sum: scores.map_or(0, |scores| scores.sum),
            decisions_changed: match decisions {
                Some(decisions) => decisions.changed,
                None if is_adjustments => findings.tables.iter().map(|table| table.rows_changed).sum(),
                None => 0,
            },
            raises: money.raises,
            lowers: money.lowers,
            limits: money.limits,
        }
    }

    fn and(&self, other: &DayChange) -> DayChange {
        let mut differs = self.differs.clone();
        differs.extend(other.differs.iter().filter(|what| !self.differs.contains(what)));
        DayChange {
            same: self.same && other.same,
            differs,
            accounts_one_side: self.accounts_one_side + other.accounts_one_side,
            lines_one_side: self.lines_one_side + other.lines_one_side,
            lines: self.lines + other.lines,
            scores_changed: self.scores_changed + other.scores_changed,
            score_sum: self.score_sum + other.score_sum,
            decisions_changed: self.decisions_changed + other.decisions_changed,
            raises: self.raises + other.raises,
            lowers: self.lowers + other.lowers,
            limits: self.limits + other.limits,
        }
    }
}

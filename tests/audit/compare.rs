//! Runs the program on a case and compares everything it publishes with the model's night.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use anyhow::Result;
use rescore::day::Day;
use rescore::failure::exit_code;
use rescore::gather::gather;
use rescore::run::{Ending, NightOutcome, Nights, RunRequest};
use rescore::run_dir::manifest::Manifest;

use super::case::{Case, FeatureKind, Measure};
use super::expression::Node;
use super::files::write_inputs;
use super::intake::Counts;
use super::night::{Measured, Night, changes_little, named_columns, night};
use super::value::date_text;
use super::written::write_job_files;
use crate::support::steps::{SharedOut, run_in_steps};
use crate::support::{Cell, Table, once_unlocked, run_here};

/// How much older than a night the run before it may be.
const MOST_DAYS_BETWEEN: i32 = 7;

/// What differs between the model and the program, if anything does.
pub fn disagreement(case: &Case, coverage: &mut Coverage) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    write_inputs(case, directory.path());
    write_job_files(case, directory.path());
    let mut case = case.clone();
    let last = (case.as_of, case.known_on);
    for day in case.earlier_nights.clone().unwrap_or_default() {
        (case.as_of, case.known_on) = (day, day);
        case.previous = case.previous.filter(|previous| day - previous.as_of <= MOST_DAYS_BETWEEN);
        let expected = night(&case);
        if let Some(what) = night_difference(&case, &expected, directory.path()) {
            return Some(format!("{what}, on {}", date_text(day)));
        }
        coverage.note(&case, &expected);
        if let Ok(night) = expected
            && night.is_published()
        {
            case.previous = Some(night.previous);
        }
    }
    (case.as_of, case.known_on) = last;
    case.previous = case.previous.filter(|previous| last.0 - previous.as_of <= MOST_DAYS_BETWEEN);
    let expected = night(&case);
    coverage.note(&case, &expected);
    night_difference(&case, &expected, directory.path())
}

/// Runs the program on the as-of date of a case.
fn night_difference(case: &Case, expected: &Result<Night, String>, directory: &Path) -> Option<String> {
    let request = RunRequest {
        job: directory.join("job.toml"),
        nights: Nights::One { as_of: Day(case.as_of), known_on: Day(case.known_on) },
        out: None,
        replace: false,
        chain: false,
        from_scratch: false,
        memory_bytes: None,
    };
    let found = catch_unwind(AssertUnwindSafe(|| run_one(&request)));
    match (expected, found) {
        (_, Err(_)) => Some("the program panics".into()),
        (Err(why), Ok(Ok(_))) => Some(format!("the model refuses ({why}), the program runs")),
        (Ok(_), Ok(Err(error))) => Some(format!("the program fails with {}: {error}", exit_code(&error))),
        (Err(why), Ok(Err(error))) => {
            let code = exit_code(&error);
            (code != 3).then(|| format!("the model refuses ({why}), the program with {code}: {error}"))
        }
        (Ok(night), Ok(Ok(outcome))) => {
            difference(night, &outcome).or_else(|| steps_difference(case, &request, &outcome, directory))
        }
    }
}

/// What differs between a run and the same night in steps, gathered; every few nights are compared.
fn steps_difference(
    case: &Case,
    request: &RunRequest,
    outcome: &NightOutcome,
    directory: &Path,
) -> Option<String> {
    const ONE_IN: usize = 5;
    let rows = case.lines.files.iter().map(|file| file.rows.len()).sum::<usize>();
    if !rows.is_multiple_of(ONE_IN) {
        return None;
    }
    let shared = SharedOut { parts: 1 + rows % 4, key_shards: 1 + rows % 3 };
    let out = directory.join(format!("in-steps-{}", case.as_of));
    let request = RunRequest { out: Some(out.clone()), ..request.clone() };
    let found = catch_unwind(AssertUnwindSafe(|| {
        let in_parts = run_in_steps(&request, &directory.join("work"), shared)?.directory;
        once_unlocked(|| gather(&in_parts, &out.join("gathered")))
    }));
    let gathered = match found {
        Err(_) => return Some(format!("in steps, {shared:?}: the program panics")),
        Ok(Err(error)) => return Some(format!("in steps, {shared:?}: {error:#}")),
        Ok(Ok(gathered)) => gathered,
    };
    let mut manifest = gathered.manifest.clone();
    manifest.timing = outcome.manifest.timing.clone();
    let (expected, found) = (format!("{:?}", outcome.manifest), format!("{manifest:?}"));
    (expected != found).then(|| format!("in steps, {shared:?}: {found}, and not {expected}"))
}

/// What differs between the model's night and a run.
pub fn difference(night: &Night, outcome: &NightOutcome) -> Option<String> {
    let held = outcome.ending == Ending::Held;
    if held == night.is_published() {
        return Some(format!("held: {held}"));
    }
    manifest_difference(night, &outcome.manifest).or_else(|| tables_difference(night, &outcome.directory))
}

/// Runs one night.
pub fn run_one(request: &RunRequest) -> Result<NightOutcome> {
    let mut outcome = None;
    run_here(request, &mut |night| {
        outcome = Some(night);
        Ok(())
    })?;
    Ok(outcome.expect("one night"))
}

/// Whether a disagreement is one, and not a job file that shrinking has broken.
pub fn is_usage_failure(what: &str) -> bool {
    what.starts_with("the program fails with 2")
}

pub fn tables_difference(night: &Night, directory: &Path) -> Option<String> {
    night.tables.iter().find_map(|(name, expected)| {
        let found = Table::read(&directory.join(format!("{name}.parquet")));
        table_difference(name, expected, &found)
    })
}

fn table_difference(name: &str, expected: &Table, found: &Table) -> Option<String> {
    if expected.columns != found.columns {
        return Some(format!("{name}: model {:?}, program {:?}", expected.columns, found.columns));
    }
    if expected.rows.len() != found.rows.len() {
        return Some(format!("{name}: model {:?}\nprogram {:?}", expected.rows, found.rows));
    }
    for (number, (expected_row, found_row)) in expected.rows.iter().zip(&found.rows).enumerate() {
        for ((column, _), (model, program)) in expected.columns.iter().zip(expected_row.iter().zip(found_row))
        {
            if model != program {
                return Some(format!(
                    "{name} row {number} {column}: model {model:?}, program {program:?}\nmodel {expected_row:?}\nprogram {found_row:?}"
                ));
            }
        }
    }
    None
}

pub fn manifest_difference(night: &Night, manifest: &Manifest) -> Option<String> {
    let differs = |what: &str, model: String, program: String| {
        (model != program).then(|| format!("{what}: model {model}, program {program}"))
    };
    let counts = manifest.counts.iter().map(|(input, counts)| {
        let rejected = counts.rejected.iter().map(|(reason, rows)| (reason.name().to_string(), *rows));
        let rejected = rejected.filter(|(_, rows)| *rows > 0).collect();
        (input.clone(), Counts { read: counts.read, accepted: counts.accepted, rejected })
    });
    let counts: BTreeMap<String, Counts> = counts.collect();
    let missing = manifest.missing_days.iter();
    let missing: BTreeMap<String, Vec<i32>> =
        missing.map(|(input, days)| (input.clone(), days.iter().map(|day| day.0).collect())).collect();
    let gates: Vec<Measured> = manifest
        .gates
        .iter()
        .map(|gate| Measured {
            name: gate.name.clone(),
            holds: gate.holds,
            figure: gate.figure.clone(),
            among: gate.among,
        })
        .collect();
    differs("counts", format!("{:?}", night.counts), format!("{counts:?}"))
        .or_else(|| {
            differs("conflicts", night.bill_conflicts.to_string(), manifest.bill_conflicts.to_string())
        })
        .or_else(|| {
            differs("issued_unknown", night.issued_unknown.to_string(), manifest.issued_unknown.to_string())
        })
        .or_else(|| differs("missing days", format!("{:?}", night.missing_days), format!("{missing:?}")))
        .or_else(|| differs("gates", format!("{:?}", night.gates), format!("{gates:?}")))
}

/// How often the cases so far came to what.
#[derive(Default)]
pub struct Coverage {
    counts: BTreeMap<String, u64>,
}

/// What the cases of a full run must have come to at least once.
const WANTED: &str = "action raise, action lower, action suspend, action close, action reopen, action withdraw, action hold, \
    hold no_product, hold no_rule, hold not_active, hold no_change, hold pending, hold rejected_line, \
    hold cooldown, hold cap, hold floor, hold below_min_raise, hold budget, hold by rule, \
    bound by product_max, bound by band_max, bound by total_limit, bound by affordability, \
    reject missing_account, reject missing_product, reject missing_bill, reject missing_date, \
    reject missing_amount, reject bad_amount, reject bad_payment, reject bad_status, \
    reject after_delivery, reject duplicate_line, reject duplicate_row, \
    transactions count, transactions sum, transactions min, transactions max, transactions last, \
    transactions active_days, transactions distinct, transactions days_since, transactions days_since_first, bills count, bills sum, \
    bills min, bills max, bills last, bills active_days, bills distinct, bills days_since, bills days_since_first, is_due, \
    of an expression, skip_days, lines count, \
    lines sum, lines min, lines max, lines distinct, ratio, expression, gate share holds, \
    gate share fails, gate sum holds, gate sum fails, gate rejected holds, gate rejected fails, \
    gate rows holds, gate rows fails, gate missing_days holds, gate missing_days fails, \
    bill conflict, issued unknown, pending line, known later, refused: out of range, refused: lines, \
    refused: lacking, status_since, status_reason, previous_score, previous_band, budget of a rule, \
    gate share changes, gate sum changes, gate rejected changes, gate rows changes";

impl Coverage {
    fn count(&mut self, what: String, times: u64) {
        if times > 0 {
            *self.counts.entry(what).or_default() += times;
        }
    }

    /// Panics where something never came about: the draw has gone stale.
    pub fn check(&self) {
        let wanted = WANTED.split(',').map(str::trim);
        let never: Vec<&str> = wanted.filter(|what| !self.counts.contains_key(*what)).collect();
        assert!(never.is_empty(), "never came about: {never:?}");
    }

    pub fn report(&self) -> String {
        let lines = self.counts.iter().map(|(what, times)| format!("{times:>9} {what}"));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn note(&mut self, case: &Case, night: &Result<Night, String>) {
        self.count("case".into(), 1);
        let night = match night {
            Ok(night) => night,
            Err(why) => {
                let kind = if why.contains(" of f") { "out of range" } else { "lines" };
                let kind = if why.contains("lacks") { "lacking" } else { kind };
                let kind = if why.contains("of the day") { "not delivered" } else { kind };
                return self.count(format!("refused: {kind}"), 1);
            }
        };
        for feature in &case.job.features {
            if let FeatureKind::Aggregate { of, filter, skip_days, .. } = &feature.kind {
                let is_named = |name: &str| filter.as_ref().is_some_and(|filter| filter.names(name));
                let additions = [
                    ("is_due", is_named("is_due")),
                    ("of an expression", matches!(of, Some(Node::Arithmetic(..)))),
                    ("skip_days", skip_days.is_some()),
                ];
                let used = additions.into_iter().filter(|(_, is_used)| *is_used);
                used.for_each(|(what, _)| self.count(what.into(), 1));
            }
            self.count(
                match &feature.kind {
                    FeatureKind::Aggregate { from, statistic, .. } => format!("{from} {statistic}"),
                    FeatureKind::Ratio { .. } => "ratio".into(),
                    FeatureKind::Expression(_) => "expression".into(),
                },
                1,
            );
        }
        for (gate, measured) in case.job.gates.iter().zip(&night.gates) {
            let form = match &gate.measure {
                Measure::Share { .. } => "share",
                Measure::Sum { .. } => "sum",
                Measure::Rejected(_) => "rejected",
                Measure::Rows(_) => "rows",
                Measure::MissingDays(_) => "missing_days",
            };
            let verdict = if measured.holds { "holds" } else { "fails" };
            self.count(format!("gate {form} {verdict}"), 1);
            let figure = measured.figure.parse().expect("an integer");
            let is_like_before = changes_little(case, gate, &figure, measured.among);
            self.count(format!("gate {form} changes"), u64::from(!is_like_before));
        }
        for (reason, rows) in night.counts.values().flat_map(|counts| &counts.rejected) {
            self.count(format!("reject {reason}"), *rows);
        }
        self.count("bill conflict".into(), night.bill_conflicts);
        self.count("issued unknown".into(), night.issued_unknown);
        self.count("known later".into(), u64::from(case.known_on > case.as_of));
        self.note_decisions(case, &night.tables[2].1);
    }

    fn note_decisions(&mut self, case: &Case, decisions: &Table) {
        self.note_additions(case, decisions);
        let [action, reason, bound_by, pending] =
            ["action", "reason", "bound_by", "pending_on"].map(|name| decisions.column(name));
        for row in 0..decisions.rows.len() {
            let text = |cells: &[Cell]| match &cells[row] {
                Cell::Text(text) => text.clone(),
                _ => String::new(),
            };
            let reason = if text(&reason).starts_with('P') { "by rule".into() } else { text(&reason) };
            let bound_by = text(&bound_by);
            match text(&action).as_str() {
                "hold" => self.count(format!("hold {reason}"), 1),
                "reopen" if !bound_by.is_empty() => self.count("reopen cut".into(), 1),
                _ => {}
            }
            self.count(format!("action {}", text(&action)), 1);
            if !bound_by.is_empty() {
                self.count(format!("bound by {bound_by}"), 1);
            }
            self.count("pending line".into(), u64::from(pending[row] != Cell::Null));
        }
    }

    /// Columns that are there only where the policy names them, and budgets of rules.
    fn note_additions(&mut self, case: &Case, decisions: &Table) {
        for (name, _) in named_columns(case) {
            let known = decisions.column(name).iter().filter(|cell| **cell != Cell::Null).count();
            self.count(name.to_string(), known as u64);
        }
        let refused = decisions.column("reason").into_iter().zip(decisions.column("rule"));
        let refused: Vec<Cell> =
            refused.filter(|(reason, _)| *reason == Cell::from("budget")).map(|(_, rule)| rule).collect();
        for rule in case.job.policy.rules.iter().filter(|rule| rule.budget.is_some()) {
            let own = refused.iter().filter(|name| **name == Cell::from(rule.name.as_str())).count();
            self.count("budget of a rule".into(), own as u64);
        }
    }
}

/// The dates of a case, for messages.
pub fn dates(case: &Case) -> String {
    format!("D = {}, K = {}", date_text(case.as_of), date_text(case.known_on))
}

//! Figures of the last night for Prometheus, as its node exporter reads them from a text file. No account is named.

use std::fmt::{Display, Write};
use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;

use super::night_report::NightReport;
use super::process;
use crate::day::Day;
use crate::own::{read_left, replace_left};
use crate::run_dir::gates::GateOutcome;
use crate::run_dir::manifest::Manifest;

/// Begins every such file.
const MARK: &str = "# rescore metrics of the last night\n";

const LAST_SUCCESS: &str = "rescore_last_success_timestamp_seconds";
const LAST_SUCCESS_AS_OF: &str = "rescore_last_success_as_of_timestamp_seconds";

/// Puts the figures of a night in the place of those of the night before, of which the last success is kept where this
/// night is none.
pub(super) fn write(path: &Path, report: &NightReport) -> Result<()> {
    let before = read_left(path, is_own)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let success = if report.exit == 0 {
        Some(LastSuccess { ended: seconds(report.ended_at), as_of: midnight(report.as_of).to_string() })
    } else {
        before.as_deref().and_then(|before| LastSuccess::read(before, report.job))
    };
    replace_left(path, text(report, success).as_bytes())
}

fn is_own(bytes: &[u8]) -> bool {
    bytes.starts_with(MARK.as_bytes())
}

/// When the last night ended that was published, and which it was, as the file has it.
struct LastSuccess {
    ended: String,
    as_of: String,
}

impl LastSuccess {
    /// That of a job, from the figures of an earlier night.
    fn read(text: &str, job: &str) -> Option<LastSuccess> {
        let labels = labels(&[("job", &job)]);
        let value = |name: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(&format!("{name}{labels} ")))?;
            found.parse::<f64>().ok().map(|_| found.to_string())
        };
        Some(LastSuccess { ended: value(LAST_SUCCESS)?, as_of: value(LAST_SUCCESS_AS_OF)? })
    }
}

fn seconds(time: Timestamp) -> String {
    format!("{:.3}", time.as_millisecond() as f64 / 1000.0)
}

/// The beginning of a day in UTC, as seconds since 1970.
fn midnight(day: Day) -> i64 {
    i64::from(day.0) * 86_400
}

/// The label of a figure, and its value.
type MetricLabel<'a> = (&'a str, &'a dyn Display);

/// Labels as they stand behind a name.
fn labels(labels: &[MetricLabel]) -> String {
    let escaped = labels.iter().map(|(name, value)| {
        let value = value.to_string().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    });
    format!("{{{}}}", escaped.collect::<Vec<_>>().join(","))
}

/// The text of the file as it grows, a family of figures at a time.
struct Exposition<'a> {
    job: &'a str,
    text: String,
}

impl Exposition<'_> {
    /// Begins a family.
    fn family(&mut self, name: &'static str, help: &str) -> Family<'_> {
        // Text takes all that is written to it.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        Family { name, job: self.job, text: &mut self.text }
    }

    /// A family of one figure.
    fn one(&mut self, name: &'static str, help: &str, value: impl Display) {
        self.family(name, help).add(&[], value);
    }
}

/// Figures of one name.
struct Family<'t> {
    name: &'static str,
    job: &'t str,
    text: &'t mut String,
}

impl Family<'_> {
    fn add(&mut self, more: &[MetricLabel], value: impl Display) {
        let all: Vec<MetricLabel> =
            [("job", &self.job as &dyn Display)].into_iter().chain(more.iter().copied()).collect();
        let _ = writeln!(self.text, "{}{} {value}", self.name, labels(&all));
    }
}

fn text(report: &NightReport, success: Option<LastSuccess>) -> String {
    let mut to = Exposition { job: report.job, text: MARK.to_string() };
    if let Some(LastSuccess { ended, as_of }) = success {
        to.one(LAST_SUCCESS, "When the last night ended that is published.", ended);
        to.one(LAST_SUCCESS_AS_OF, "The as-of date of that night, its beginning in UTC.", as_of);
    }
    to.one(
        "rescore_last_run_timestamp_seconds",
        "When the last night ended, however it did.",
        seconds(report.ended_at),
    );
    to.one(
        "rescore_last_run_as_of_timestamp_seconds",
        "Its as-of date, its beginning in UTC.",
        midnight(report.as_of),
    );
    to.one("rescore_last_run_exit_code", "Its exit code.", report.exit);
    to.one("rescore_last_run_duration_seconds", "How long it took.", format!("{:.3}", report.seconds));
    to.one("rescore_held", "Whether it is held by a gate.", u8::from(report.ending == "held"));
    let run = report.run.as_deref().unwrap_or_default();
    to.family("rescore_last_run_info", "Which run it is, and how it ended.").add(
        &[
            ("run", &run),
            ("as_of", &report.as_of),
            ("known_on", &report.known_on),
            ("ending", &report.ending),
            ("version", &env!("CARGO_PKG_VERSION")),
        ],
        1,
    );
    if let Some(bytes) = report.bytes_read {
        to.one("rescore_bytes_read", "Bytes read for it, from files and stores.", bytes);
    }
    if let Some(bytes) = process::peak_memory_bytes() {
        to.one("rescore_peak_memory_bytes", "The most memory that the process has held.", bytes);
    }
    if let Some(manifest) = report.manifest() {
        stages(&mut to, report, manifest);
        inputs(&mut to, manifest);
        decisions(&mut to, manifest);
        gates(&mut to, &manifest.gates);
    }
    to.text
}

/// How long the stages took; a run that was left alone had none.
fn stages(to: &mut Exposition, report: &NightReport, manifest: &Manifest) {
    if report.outcome.is_some_and(|outcome| outcome.is_left_alone()) {
        return;
    }
    let mut of_stage = to.family("rescore_stage_duration_seconds", "How long each stage took.");
    for (stage, seconds) in &manifest.timing.stages {
        of_stage.add(&[("stage", stage)], format!("{seconds:.3}"));
    }
}

fn inputs(to: &mut Exposition, manifest: &Manifest) {
    let mut read = to.family("rescore_rows_read", "Rows read of the night's deliveries.");
    manifest.counts.iter().for_each(|(input, counts)| read.add(&[("input", input)], counts.read));
    let mut accepted = to.family("rescore_rows_accepted", "Of these, rows accepted.");
    manifest.counts.iter().for_each(|(input, counts)| accepted.add(&[("input", input)], counts.accepted));
    let mut rejected = to.family("rescore_rows_rejected", "Of these, rows rejected, by reason.");
    for (input, counts) in &manifest.counts {
        for (reason, rows) in &counts.rejected {
            rejected.add(&[("input", input), ("reason", &reason.name())], rows);
        }
    }
    let mut sizes = std::collections::BTreeMap::new();
    for entry in &manifest.inputs {
        *sizes.entry(entry.input.as_str()).or_insert(0_u64) += entry.size;
    }
    let mut bytes = to.family("rescore_input_bytes", "Size of the files that bear on the night.");
    sizes.iter().for_each(|(input, size)| bytes.add(&[("input", input)], size));
    let mut missing = to.family("rescore_missing_deliveries", "Days without a delivery within the windows.");
    manifest.missing_days.iter().for_each(|(input, days)| missing.add(&[("input", input)], days.len()));
}

fn decisions(to: &mut Exposition, manifest: &Manifest) {
    let totals = &manifest.control_totals;
    to.one("rescore_accounts", "Accounts scored.", totals.accounts);
    to.one("rescore_lines", "Lines decided.", totals.lines);
    to.one("rescore_adjustments", "Adjustments: decisions that are no hold.", totals.adjustments);
    let by_action = || {
        totals.actions.iter().flat_map(|(product, actions)| {
            actions.iter().map(move |(action, totals)| (product, action, totals))
        })
    };
    let mut lines = to.family("rescore_action_lines", "Lines by product and action.");
    by_action()
        .for_each(|(product, action, of)| lines.add(&[("product", product), ("action", action)], of.lines));
    let mut before =
        to.family("rescore_action_limit_before_minor_units", "Their limits before, in minor units.");
    by_action().for_each(|(product, action, of)| {
        before.add(&[("product", product), ("action", action)], of.old_limit)
    });
    let mut after =
        to.family("rescore_action_limit_after_minor_units", "Their limits after, in minor units.");
    by_action().for_each(|(product, action, of)| {
        after.add(&[("product", product), ("action", action)], of.new_limit)
    });
}

fn gates(to: &mut Exposition, gates: &[GateOutcome]) {
    let mut holds = to.family("rescore_gate_holds", "Whether the gate holds.");
    gates.iter().for_each(|gate| holds.add(&[("gate", &gate.name)], u8::from(gate.holds)));
    let mut values =
        to.family("rescore_gate_value", "Its figure: a sum, a count, or a share in basis points.");
    gates.iter().for_each(|gate| values.add(&[("gate", &gate.name)], value(&gate.figure, gate.among)));
    let mut earlier =
        to.family("rescore_gate_earlier_value", "Its figure in the run before, where its change is bounded.");
    for (gate, then) in gates.iter().filter_map(|gate| Some((gate, gate.earlier.as_ref()?))) {
        earlier.add(&[("gate", &gate.name)], value(&then.figure, then.among));
    }
    let mut bounds = to.family("rescore_gate_bound", "Its bounds, as the job names them.");
    for gate in gates {
        // As in `min_bp 1, max_bp 50`.
        for (name, bound) in gate.bounds.split(", ").filter_map(|bound| bound.split_once(' ')) {
            if bound.parse::<i64>().is_ok() {
                bounds.add(&[("gate", &gate.name), ("bound", &name)], bound);
            }
        }
    }
}

/// A figure as it is, or a share in basis points; of no rows, 0.
fn value(figure: &str, among: Option<u64>) -> String {
    match (figure.parse::<f64>(), among) {
        (Ok(_), Some(0)) => "0".to_string(),
        (Ok(part), Some(rows)) => format!("{:.4}", part * 10_000.0 / rows as f64),
        _ => figure.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        assert_eq!(labels(&[("gate", &"a \"b\"\\\n")]), r#"{gate="a \"b\"\\\n"}"#);
    }

    #[test]
    fn shares_are_in_basis_points_and_all_else_as_it_is() {
        let table = [
            ("5", Some(1_000), "50.0000"),
            ("5", Some(0), "0"),
            ("-170141183460469231731687303715884105728", None, "-170141183460469231731687303715884105728"),
        ];
        for (figure, among, expected) in table {
            assert_eq!(value(figure, among), expected);
        }
    }
}

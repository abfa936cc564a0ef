//! OpenLineage's events of a night: it starts, and completes or fails. One that cannot be sent is a warning.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::facet::{PRODUCER, facet};
use super::night_report::NightReport;
use super::{datasets, endpoint};
use crate::day::Day;
use crate::hash::bytes_hash;
use crate::job::{Inputs, Lineage, LineageTarget, RawJob};
use crate::own::append_line;
use crate::run_dir::gates::failed;

/// The page that says what events look like, of the version that they follow.
const EVENT_SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// The events of a run's nights.
pub(super) struct LineageEvents {
    lineage: Lineage,
    job: PathBuf,
    /// The run of the night that has started, in the sense of OpenLineage: an attempt at it.
    attempt: String,
    /// Why events do not get through: of an endpoint that has not answered no more is asked.
    is_given_up: bool,
}

impl LineageEvents {
    pub(super) fn new(lineage: Lineage, job: &Path) -> LineageEvents {
        LineageEvents { lineage, job: job.to_path_buf(), attempt: String::new(), is_given_up: false }
    }

    /// Tells that a night starts.
    pub(super) fn start(&mut self, job: &str, as_of: Day, known_on: Day, now: Timestamp) {
        self.attempt = attempt_id(job, as_of, known_on, now);
        let run = json!({ "nominalTime": nominal_time(as_of), "processing_engine": engine() });
        self.send(self.event("START", now, job, run));
    }

    /// Tells how it ended. A night that is held has published nothing, and so has failed.
    pub(super) fn end(&mut self, report: &NightReport) {
        let kind = if report.exit == 0 { "COMPLETE" } else { "FAIL" };
        let mut run = json!({
            "nominalTime": nominal_time(report.as_of),
            "processing_engine": engine(),
            "rescore_run": facet("1-0-0/BaseFacet.json#/$defs/RunFacet", json!({
                "run": report.run,
                "asOf": report.as_of,
                "knownOn": report.known_on,
                "ending": report.ending,
                "exitCode": report.exit,
            })),
        });
        if report.exit != 0 {
            let schema = "1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet";
            run["errorMessage"] =
                facet(schema, json!({ "message": why(report), "programmingLanguage": "Rust" }));
        }
        let mut event = self.event(kind, report.ended_at, report.job, run);
        if let Some(outcome) = report.outcome {
            let inputs = self.inputs();
            event["inputs"] =
                inputs.map_or(json!([]), |inputs| datasets::inputs(&outcome.manifest, &inputs).into());
            if report.exit == 0 {
                event["outputs"] = datasets::outputs(&outcome.manifest, &outcome.directory).into();
            }
        }
        self.send(event);
    }

    /// Where the job's inputs lie.
    fn inputs(&self) -> Option<Inputs> {
        RawJob::read(&self.job).ok()?.inputs().cloned()
    }

    fn event(&self, kind: &str, time: Timestamp, job: &str, run: Value) -> Value {
        let schema = "2-0-3/JobTypeJobFacet.json#/$defs/JobTypeJobFacet";
        let job_type = json!({ "processingType": "BATCH", "integration": "RESCORE", "jobType": "JOB" });
        json!({
            "eventType": kind,
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            "producer": PRODUCER,
            "schemaURL": EVENT_SCHEMA,
            "run": { "runId": self.attempt, "facets": run },
            "job": {
                "namespace": self.lineage.namespace,
                "name": job,
                "facets": { "jobType": facet(schema, job_type) },
            },
            "inputs": [],
            "outputs": [],
        })
    }

    fn send(&mut self, event: Value) {
        if self.is_given_up {
            return;
        }
        let text = event.to_string();
        let sent = match &self.lineage.target {
            LineageTarget::File(path) => append_line(path, &text).map_err(|error| format!("{error:#}")),
            LineageTarget::Endpoint(url) => endpoint::post(url, text, self.lineage.timeout),
        };
        if let Err(why) = sent {
            self.is_given_up = true;
            tracing::warn!("no events of lineage are sent: {why}");
        }
    }
}

/// Why nothing is published.
fn why(report: &NightReport) -> String {
    let held = || {
        let gates = report.manifest().map_or_else(Vec::new, |manifest| failed(&manifest.gates));
        let names: Vec<String> = gates.iter().map(|gate| format!("`{}`", gate.name)).collect();
        format!("held by {}", names.join(", "))
    };
    report.message.clone().unwrap_or_else(held)
}

/// The day that a night is for.
fn nominal_time(as_of: Day) -> Value {
    let schema = "1-0-1/NominalTimeRunFacet.json#/$defs/NominalTimeRunFacet";
    let (start, end) = (format!("{as_of}T00:00:00Z"), format!("{}T00:00:00Z", as_of.plus(1)));
    facet(schema, json!({ "nominalStartTime": start, "nominalEndTime": end }))
}

fn engine() -> Value {
    let schema = "1-1-1/ProcessingEngineRunFacet.json#/$defs/ProcessingEngineRunFacet";
    facet(schema, json!({ "name": "rescore", "version": env!("CARGO_PKG_VERSION") }))
}

/// A UUID of version 7, in order of time: every attempt at a night is a run of its own.
fn attempt_id(job: &str, as_of: Day, known_on: Day, now: Timestamp) -> String {
    let seed = format!("{job}\n{as_of}\n{known_on}\n{}\n{}", now.as_nanosecond(), std::process::id());
    let hash = bytes_hash(seed.as_bytes());
    let time = format!("{:012x}", now.as_millisecond().max(0));
    format!("{}-{}-7{}-8{}-{}", &time[..8], &time[8..12], &hash[..3], &hash[3..6], &hash[6..18])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_have_ids_in_order_of_time() {
        let day = Day(20_000);
        let [early, late] = [1_000, 2_000].map(|seconds| {
            attempt_id(
                "nightly",
                day,
                day,
                Timestamp::from_second(1_700_000_000 + seconds).expect("in range"),
            )
        });
        assert!(early < late, "{early} {late}");
        let parts: Vec<usize> = early.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(early.split('-').nth(2).is_some_and(|part| part.starts_with('7')));
    }
}

//! Step `keys`: the rows of a delivery that repeat others, found by one share of the keys of its `unique` column.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::frozen::{DeliveryToSort, FrozenPlan, KeysTask};
use super::report::GivenReports;
use super::work_dir;
use super::worker::Worker;
use crate::day::Day;
use crate::failure::{Kind, failure, input};
use crate::input::stream::{KnownRepeats, RepeatSearch};
use crate::input::unique::KeyShard;
use crate::job::input_names::TRANSACTIONS;
use crate::publish::written_file::WrittenFile;
use crate::sorted::{DeliveryRequest, repeats_of};

/// What is reported of the repeats of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysReport {
    /// Which they are.
    pub of: KeysTask,
    /// By file, the numbers of the rows that repeat others.
    pub repeats: WrittenFile,
}

/// The rows of a file that repeat others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FileRepeats {
    delivery: Option<Day>,
    file: String,
    /// Ascending.
    rows: Vec<u64>,
}

/// The tasks of a plan's step: each delivery to be sorted whose rows may repeat others, by shard of keys.
pub fn tasks(to_sort: &[DeliveryToSort], has_unique: impl Fn(&str) -> bool, shards: usize) -> Vec<KeysTask> {
    if shards < 2 {
        return Vec::new();
    }
    let with_keys = to_sort.iter().filter(|of| has_unique(&of.input));
    let tasks = with_keys.flat_map(|of| {
        (0..shards).map(|number| KeysTask { of: of.clone(), shard: KeyShard { number, of: shards } })
    });
    tasks.collect()
}

/// Calls `each` with what is wanted of the input of a delivery.
pub fn with_request<T>(
    worker: &Worker,
    of: &DeliveryToSort,
    each: impl FnOnce(DeliveryRequest) -> Result<T>,
) -> Result<T> {
    worker.rows().requests(&[worker.day()], |transactions, repayments| {
        each(if of.input == TRANSACTIONS { transactions } else { repayments })
    })
}

/// Finds the repeats of a task.
pub fn keys(worker: &Worker, task: usize) -> Result<KeysReport> {
    let tasks = &worker.plan.keys;
    let Some(of) = tasks.get(task) else {
        let message = format!("the plan has {} tasks of step `keys`, and no task {task}", tasks.len());
        return Err(failure(Kind::Usage, message));
    };
    let delivery = of.of.delivery;
    let found =
        with_request(worker, &of.of, |request| repeats_of(&request, delivery, of.shard, worker.progress))?;
    worker.files.check_unchanged()?;
    let files = found.into_iter().map(|((delivery, file), rows)| FileRepeats { delivery, file, rows });
    let files: Vec<FileRepeats> = files.collect();
    let directory = work_dir::attempt(&worker.directory.join(format!("keys-{task:05}")), worker.job.access)?;
    let text = serde_json::to_vec(&files).context("write repeats")?;
    let repeats = WrittenFile::write_bytes(&directory.join("repeats.json"), &text, worker.job.access)?;
    Ok(KeysReport { of: of.clone(), repeats })
}

/// How the repeats of a delivery are found when it is sorted: where the plan has tasks for that, by what they report.
pub fn search(plan: &FrozenPlan, of: &DeliveryToSort, given: &GivenReports) -> Result<RepeatSearch> {
    let mut known = KnownRepeats::new();
    let mut is_known = false;
    for (task, planned) in plan.keys.iter().enumerate().filter(|(_, planned)| planned.of == *of) {
        is_known = true;
        let report: KeysReport = given.of("keys", task)?;
        if report.of != *planned {
            let message = format!("the report of step `keys`, task {task}, is of another task: run it again");
            return Err(input(message));
        }
        let files: Vec<FileRepeats> = serde_json::from_slice(&report.repeats.read()?)
            .map_err(|error| input(format!("read {}: {error}", report.repeats.path.display())))?;
        for FileRepeats { delivery, file, rows } in files {
            known.entry((delivery, file)).or_default().extend(rows);
        }
    }
    known.values_mut().for_each(|rows| rows.sort_unstable());
    Ok(if is_known { RepeatSearch::Known(Arc::new(known)) } else { RepeatSearch::All })
}

//! Step `sort`: makes the sorted copy of one delivery, unless it is there.

use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::frozen::{DeliveryToSort, FrozenPlan};
use super::keys;
use super::report::GivenReports;
use super::worker::Worker;
use crate::failure::{Kind, failure, input};
use crate::input::handle::Handle;
use crate::input::stream::wave_rows;
use crate::sorted::SortedDeliveries;

/// What is reported of a sorted delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortReport {
    /// Which it is.
    pub of: DeliveryToSort,
    /// Where its sorted copy lies.
    pub path: PathBuf,
    /// Bytes.
    pub bytes: u64,
}

/// Sorts the delivery of a task.
pub fn sort(worker: &Worker, task: usize, given: &GivenReports, memory: Option<u64>) -> Result<SortReport> {
    let Some(of) = worker.plan.to_sort.get(task) else {
        let message =
            format!("the plan has {} deliveries to sort, and no task {task}", worker.plan.to_sort.len());
        return Err(failure(Kind::Usage, message));
    };
    let mut copies = SortedDeliveries::new(Some(worker.shelf()), &worker.scratch, memory);
    let repeats = keys::search(&worker.plan, of, given)?;
    let path = keys::with_request(worker, of, |mut request| {
        worker.files.check_bytes(request.source.files, of.delivery, request.source.within_days())?;
        request.source.repeats = repeats;
        request.source.wave_rows = wave_rows(memory);
        copies.sort(&request, of.delivery, worker.progress)
    })?;
    worker.files.check_unchanged()?;
    let bytes = bytes_of(&path, of)?;
    Ok(SortReport { of: of.clone(), path, bytes })
}

fn bytes_of(path: &std::path::Path, of: &DeliveryToSort) -> Result<u64> {
    let opened = Handle::open(path).map_err(|error| {
        input(format!(
            "{}: its sorted copy {} cannot be read: {error}: sort it again",
            of.text(),
            path.display()
        ))
    })?;
    Ok(opened.stamp().size)
}

/// Checks that every delivery which the plan has sorted is reported, and that its copy is there.
pub fn check_sorted(plan: &FrozenPlan, given: &GivenReports) -> Result<()> {
    for (task, of) in plan.to_sort.iter().enumerate() {
        let report: SortReport =
            given.of("sort", task).map_err(|error| input(format!("{}: {error:#}", of.text())))?;
        if report.of != *of {
            let message =
                format!("the report of task {task} is of {}, the plan's is {}", report.of.text(), of.text());
            return Err(input(message));
        }
        let bytes = bytes_of(&report.path, of)?;
        if bytes != report.bytes {
            let message = format!(
                "{}: its sorted copy {} has {bytes} bytes, and {} were written: sort it again",
                of.text(),
                report.path.display(),
                report.bytes
            );
            return Err(input(message));
        }
    }
    given.all::<SortReport>("sort", plan.to_sort.len()).map(|_| ())
}

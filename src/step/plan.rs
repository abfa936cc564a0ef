//! The step before all others: freezes what a run stands on, and shares out its accounts.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rayon::prelude::*;
use serde::Serialize;

use super::frozen::{DeliveryToSort, FrozenPlan, FrozenSource, freeze_inputs};
use super::{keys, work_dir};
use crate::failure::in_order;
use crate::input::account_id::Id;
use crate::input::account_range::AccountRange;
use crate::input::wanted::Units;
use crate::job::{Job, variables};
use crate::own;
use crate::run::{Files, NightOutcome, PlannedSteps, RunRequest, plan_steps, wanted_lines};
use crate::store::is_url;

/// What is planned.
pub struct StepsRequest {
    /// The run: one night.
    pub run: RunRequest,
    /// How many parts its accounts are shared out to; there may come out fewer.
    pub parts: usize,
    /// Where steps leave their files.
    pub work: PathBuf,
    /// To how many shards the keys of a `unique` column are shared out; with one, `sort` finds repeats by itself.
    pub key_shards: usize,
}

/// What is reported of a plan.
#[derive(Debug, Serialize)]
pub struct PlanReport {
    /// Where it lies; `None` where there is nothing to do.
    pub plan: Option<PathBuf>,
    /// Tasks of step `keys`.
    pub keys: usize,
    /// Tasks of step `sort`.
    pub sort: usize,
    /// Tasks of steps `part` and `finish`.
    pub parts: usize,
    /// Whether the run is there already.
    pub done: bool,
    /// The exit code of a run that is there already.
    pub exit: u8,
}

/// Freezes a run, unless it is there already.
pub fn plan(request: &StepsRequest) -> Result<Result<PlanReport, NightOutcome>> {
    let run = RunRequest {
        job: absolute(&request.run.job)?,
        out: request.run.out.as_deref().map(absolute).transpose()?,
        ..request.run.clone()
    };
    let work = absolute(&request.work)?;
    let shelf = work.join("sorted");
    let planned = match plan_steps(&run, &shelf)? {
        Ok(planned) => planned,
        Err(existing) => return Ok(Err(existing)),
    };
    let PlannedSteps { job, deliveries, files, identity, sorting, out } = planned;
    let ranges = share_out(&job, &files, request.parts)?;
    let to_sort = sorting.inputs.iter().flat_map(|(input, outlook)| {
        let to_make = outlook.to_make.iter();
        to_make.map(|(delivery, _)| DeliveryToSort { input: (*input).to_string(), delivery: *delivery })
    });
    let to_sort: Vec<DeliveryToSort> = to_sort.collect();
    let has_unique = |name: &str| {
        let specs = [&job.inputs.transactions, &job.inputs.repayments];
        specs.into_iter().any(|spec| spec.name == name && spec.unique.is_some())
    };
    let keys = keys::tasks(&to_sort, has_unique, request.key_shards);
    let (dates, shelf) = (identity.dates, job.state_dir.clone().unwrap_or(shelf));
    let frozen = FrozenPlan {
        program_version: env!("CARGO_PKG_VERSION").to_string(),
        as_of: dates.as_of,
        known_on: dates.known_on,
        out: absolute(&out)?,
        replace: run.replace,
        sources: job
            .sources
            .named()
            .map(|(name, source)| FrozenSource {
                name: name.to_string(),
                path: source.path.clone(),
                text: source.text.clone(),
            })
            .collect(),
        variables: variables(&job.sources.job),
        inputs: freeze_inputs(&deliveries, &files.by_input(&job))?,
        fingerprint: identity.fingerprint,
        shelf: absolute(&shelf)?,
        to_sort,
        keys,
        ranges,
    };
    let text = serde_json::to_vec_pretty(&frozen).context("write the plan")?;
    // The same run shared out alike is the same plan.
    let name = format!("{}-{}-{}", dates.as_of, &frozen.fingerprint[..16], frozen.ranges.len());
    let path = work.join(name).join(own::PLAN);
    own::clear_plans(&work);
    work_dir::put(&path, &text, job.access)?;
    Ok(Ok(PlanReport {
        plan: Some(path),
        keys: frozen.keys.len(),
        sort: frozen.to_sort.len(),
        parts: frozen.ranges.len(),
        done: false,
        exit: 0,
    }))
}

/// A location as every machine that has it names it.
fn absolute(path: &Path) -> Result<PathBuf> {
    if is_url(path) {
        return Ok(path.to_path_buf());
    }
    std::path::absolute(path).with_context(|| format!("find {}", path.display()))
}

/// Shares out the ids of the snapshot's rows to so many ranges, about the same number to each.
fn share_out(job: &Job, files: &Files, parts: usize) -> Result<Vec<AccountRange>> {
    let mut ids = snapshot_ids(job, files)?;
    ids.par_sort_unstable();
    ids.dedup();
    let parts = parts.clamp(1, ids.len().max(1));
    let bounds: Vec<Id> = (1..parts).map(|part| ids[part * ids.len() / parts].clone()).collect();
    Ok(AccountRange::between(&bounds))
}

/// The ids of the snapshot's rows, accepted or not.
fn snapshot_ids(job: &Job, files: &Files) -> Result<Vec<Id>> {
    let (units, spec) = (Units::of(job), &job.inputs.lines);
    let wanted = &wanted_lines(job)[0].1;
    let groups =
        files.snapshot_files().flat_map(|file| (0..file.row_groups.len()).map(move |group| (file, group)));
    let groups: Vec<_> = groups.collect();
    let read = in_order(groups.into_par_iter().map(|(file, group)| {
        let binding = file.bind(spec, std::slice::from_ref(wanted), &units)?;
        let mut ids = Vec::new();
        file.read(&binding, group, |decoded| {
            let column = &decoded.columns[0];
            ids.extend((0..column.len()).filter_map(|row| Id::of(column, row)));
            Ok(())
        })?;
        Ok(ids)
    }))?;
    Ok(read.concat())
}

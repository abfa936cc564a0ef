//! Step `part`: a range of accounts, from its lines to decisions before budgets.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::report::GivenReports;
use super::sort::check_sorted;
use super::work_dir;
use super::worker::Worker;
use crate::failure::{Kind, failure, input};
use crate::features::{Answers, Asked, FeatureTable};
use crate::input::account_id::Id;
use crate::input::account_range::AccountRange;
use crate::input::accounts::{Accounts, Ids};
use crate::input::lines::Lines;
use crate::input::reject_log::RejectLog;
use crate::job::Remit;
use crate::policy::{Purse, QueuedRaise, counted_limits, decide_unbudgeted, queued_raises};
use crate::publish::commit::write_table;
use crate::publish::written_file::WrittenFile;
use crate::publish::{Results, tables};
use crate::run::{NightBook, Work};
use crate::score::Scores;

/// What is reported of a range of accounts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartReport {
    /// Accounts with an accepted line.
    pub accounts: u64,
    /// Bills for which one delivery holds more than one pair of terms.
    pub bill_conflicts: u64,
    /// Their features; `None` where there is no account.
    pub features: Option<WrittenFile>,
    /// By policy of the job; none where there is no account.
    pub policies: Vec<PartRaises>,
}

/// The raises of a range that one policy decides about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartRaises {
    /// By budget.
    pub budgets: Vec<PartBudget>,
    /// The raises that wait for a budget, as [`WaitingRaise`]s in their order.
    pub raises: WrittenFile,
}

/// What a range has to do with a budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartBudget {
    /// The budget.
    pub purse: Purse,
    /// The limits of which a budget in basis points is a part, minor units.
    pub counted_limits: i128,
    /// The raises that wait for it, by score, highest first.
    pub by_score: Vec<ScoreRaises>,
}

/// The raises of one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreRaises {
    /// The score.
    pub score: i32,
    /// How many there are.
    pub raises: u64,
    /// New limits less old limits, minor units.
    pub amount: i128,
}

/// A raise that waits for a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingRaise {
    /// The budget.
    pub purse: Purse,
    /// Of the account.
    pub score: i32,
    /// The account.
    pub account: Id,
    /// The product's position in the policy.
    pub product: u8,
    /// New limit less old limit, minor units.
    pub amount: i128,
}

/// The range of a task.
pub fn range_of<'w>(worker: &'w Worker, task: usize) -> Result<&'w AccountRange> {
    let ranges = &worker.plan.ranges;
    ranges.get(task).ok_or_else(|| {
        failure(Kind::Usage, format!("the plan has {} parts, and no task {task}", ranges.len()))
    })
}

/// Computes the range of a task.
pub fn part(worker: &Worker, task: usize, given: &GivenReports) -> Result<PartReport> {
    check_sorted(&worker.plan, given)?;
    let range = range_of(worker, task)?;
    let inputs = worker.inputs();
    let lines = match inputs.book(range, &worker.scratch, worker.progress)? {
        Ok(NightBook { lines, .. }) => lines,
        // Nobody has a line here, but bills off the book may have conflicts.
        Err(_) => return without_accounts(worker, range),
    };
    let asked = Asked::all(&lines.accounts, worker.day());
    let (features, bill_conflicts) = features(worker, &lines, &asked)?;
    let scores = inputs.scores(&lines, &features)?;
    let job = &worker.job;
    let decisions = decide_unbudgeted(job, worker.plan.as_of, &lines, &features, &scores);
    worker.files.check_unchanged()?;
    let directory = work_dir::attempt(&worker.directory.join(format!("part-{task:05}")), job.access)?;
    let none = RejectLog::default();
    let results = Results {
        job,
        dates: worker.dates(),
        lines: &lines,
        features: &features,
        scores: &scores,
        decisions: &decisions,
        rejects: [&none; 3],
    };
    let path = directory.join("features.parquet");
    let features = write_table(&results, &tables::features(&results), &path)?;
    let policies = job.remits().into_iter().enumerate().map(|(number, remit)| {
        let queue = queued_raises(&remit, &lines, &scores, &decisions);
        let budgets = budgets(&remit, &lines, &scores, &queue);
        // The raises of the first policy are the only ones of most jobs.
        let name = if number == 0 { "raises.json".to_string() } else { format!("raises-{number}.json") };
        Ok(PartRaises { budgets, raises: write_raises(worker, &directory.join(name), &lines, &queue)? })
    });
    let policies = policies.collect::<Result<_>>()?;
    Ok(PartReport {
        accounts: lines.accounts.len() as u64,
        bill_conflicts,
        features: Some(features),
        policies,
    })
}

/// The features of a range's accounts, and its bills with conflicts.
fn features(worker: &Worker, lines: &Lines, asked: &Asked) -> Result<(FeatureTable, u64)> {
    let parts = asked.parts();
    let mut copies = worker.copies();
    let swept = worker.rows().sweep(asked, &parts, &mut work(worker, &mut copies, &mut |_| {}))?;
    let mut answers = Answers::new(&worker.job.features, &parts);
    answers.add(swept.transactions.answers);
    let conflicts = swept.repayments.answers.conflicts.iter().sum();
    answers.add(swept.repayments.answers.answers);
    Ok((worker.inputs().features(lines, asked, &parts, answers)?, conflicts))
}

fn work<'a>(
    worker: &'a Worker,
    copies: &'a mut crate::sorted::SortedDeliveries,
    lap: &'a mut dyn FnMut(&str),
) -> Work<'a> {
    Work { copies, scratch: &worker.scratch, progress: worker.progress, lap }
}

/// A range in which no account has a line.
fn without_accounts(worker: &Worker, range: &AccountRange) -> Result<PartReport> {
    // Rows off the book go with the account before which they come; here with one that stands for all.
    let ids = match (&range.from, &range.to) {
        (Some(Id::Text(id)), _) => Ids::Text(vec![id.clone()]),
        (None, Some(Id::Text(_))) => Ids::Text(vec!["".into()]),
        (Some(Id::Int(id)), _) => Ids::Int(vec![*id]),
        _ => Ids::Int(vec![i64::MIN]),
    };
    let accounts = Accounts::within(ids, range.clone());
    let asked = Asked::all(&accounts, worker.day());
    let mut copies = worker.copies();
    let swept = worker.rows().sweep(&asked, &asked.parts(), &mut work(worker, &mut copies, &mut |_| {}))?;
    Ok(PartReport {
        accounts: 0,
        bill_conflicts: swept.repayments.answers.conflicts.iter().sum(),
        features: None,
        policies: Vec::new(),
    })
}

/// What a range has to do with each budget of the policy.
fn budgets(remit: &Remit, lines: &Lines, scores: &Scores, queue: &[QueuedRaise]) -> Vec<PartBudget> {
    let budgets = Purse::all(remit.policy).into_iter().map(|purse| {
        let mut by_score: BTreeMap<std::cmp::Reverse<i32>, ScoreRaises> = BTreeMap::new();
        for raise in queue.iter().filter(|raise| raise.purse == purse) {
            let none = ScoreRaises { score: raise.score, raises: 0, amount: 0 };
            let of_score = by_score.entry(std::cmp::Reverse(raise.score)).or_insert(none);
            of_score.raises += 1;
            of_score.amount += raise.amount;
        }
        let counted_limits = counted_limits(remit, purse, lines, scores);
        PartBudget { purse, counted_limits, by_score: by_score.into_values().collect() }
    });
    budgets.collect()
}

fn write_raises(worker: &Worker, path: &Path, lines: &Lines, queue: &[QueuedRaise]) -> Result<WrittenFile> {
    let waiting = queue.iter().map(|raise| WaitingRaise {
        purse: raise.purse,
        score: raise.score,
        account: lines.accounts.ids.get(raise.account as usize),
        product: raise.product,
        amount: raise.amount,
    });
    let waiting: Vec<WaitingRaise> = waiting.collect();
    let text = serde_json::to_vec(&waiting).context("write raises")?;
    WrittenFile::write_bytes(path, &text, worker.job.access)
}

/// The raises that a range has reported.
pub fn read_raises(part: &PartRaises) -> Result<Vec<WaitingRaise>> {
    let file = &part.raises;
    let raises = serde_json::from_slice(&file.read()?);
    raises.map_err(|error| input(format!("read {}: {error}: run its step again", file.path.display())))
}

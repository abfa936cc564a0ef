//! What a run knew of its accounts and lines and what it decided, so that it can be decided again.

use std::collections::HashSet;

use anyhow::{Context, Result};

use super::PublishedRun;
use super::rows::{self, Id, Rows};
use crate::day::Day;
use crate::expr::{Column, Ints, Texts};
use crate::failure::input;
use crate::features::FeatureTable;
use crate::input::accounts::{Accounts, distinct_ids};
use crate::input::lines::{Lines, Pending, Status};
use crate::input::stream::Tally;
use crate::job::input_names::LINES;
use crate::job::{LINE_COLUMNS, LINE_STATE};

/// What `decisions.parquet` says was decided about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The action's name.
    pub action: String,
    /// The code.
    pub reason: String,
    /// The rule's name.
    pub rule: Option<String>,
    /// Minor units.
    pub new_limit: i64,
    /// The status's name.
    pub new_status: String,
    /// The cap's name.
    pub bound_by: Option<String>,
    /// None on hold.
    pub effective_on: Option<Day>,
    /// Of the account.
    pub score: i64,
    /// Of the account.
    pub band: String,
}

/// The lines and features of some accounts of a run, and what was decided about each line.
pub struct Facts {
    /// As they were with earlier adjustments laid over them.
    pub lines: Lines,
    /// One row an account.
    pub features: FeatureTable,
    /// One a line.
    pub decided: Vec<Decided>,
}

impl PublishedRun {
    /// One account; `None` where the run has none of that id.
    pub fn account(&self, id: &str) -> Result<Option<Facts>> {
        let kind = self.job.scopes.lines.columns[0].1;
        let Some(id) = Id::parse(id, kind) else { return Ok(None) };
        let facts = self.facts(Some(&id))?;
        Ok((!facts.decided.is_empty()).then_some(facts))
    }

    /// All accounts.
    pub fn everyone(&self) -> Result<Facts> {
        self.facts(None)
    }

    fn facts(&self, account: Option<&Id>) -> Result<Facts> {
        let decisions = rows::read(&self.table("decisions"), None, account)?;
        let features = rows::read(&self.table("features"), None, account)?;
        let rejected = self.rejected_accounts()?;
        self.assemble(&decisions, &features, &rejected)
            .map_err(|error| input(format!("read {}: {error:#}", self.directory.display())))
    }

    /// The ids, as text, of the accounts of which the snapshot holds a rejected row.
    fn rejected_accounts(&self) -> Result<HashSet<String>> {
        let mut found = HashSet::new();
        rows::for_batches(&self.table("rejects"), &["input", "account_id"], |rows| {
            let (input, account) = (rows.texts("input")?, rows.texts("account_id")?);
            let of_lines = (0..rows.len).filter(|row| input.get(*row) == Some(LINES));
            found.extend(of_lines.filter_map(|row| account.get(row)).map(str::to_string));
            Ok(())
        })?;
        Ok(found)
    }

    fn assemble(&self, decisions: &Rows, features: &Rows, rejected: &HashSet<String>) -> Result<Facts> {
        let ids = features.column("account_id")?;
        let rows: Vec<u32> = (0..features.len as u32).collect();
        let accounts = Accounts::new(distinct_ids(ids, &rows));
        let columns = self.job.features.iter().map(|feature| features.column(&feature.name).cloned());
        let features = FeatureTable::of(&columns.collect::<Result<Vec<_>>>()?);
        let lines = self.lines(decisions, accounts, rejected)?;
        Ok(Facts { lines, features, decided: decided(decisions)? })
    }

    fn lines(&self, decisions: &Rows, accounts: Accounts, rejected: &HashSet<String>) -> Result<Lines> {
        let as_of = self.manifest.as_of;
        let rows = 0..decisions.len;
        let ints = |name: &str| -> Result<Vec<i64>> { Ok(decisions.ints(name)?.values.clone()) };
        // A day as many days before the as-of date.
        let before = |ints: &Ints, row: usize| {
            ints.get(row).map(|days| i32::try_from(i64::from(as_of.0) - days).map(Day)).transpose()
        };
        let days = |name: &str| -> Result<Vec<Option<Day>>> {
            let ints = decisions.ints(name)?;
            rows.clone().map(|row| Ok(before(ints, row)?)).collect()
        };
        let opened_on =
            days("days_open")?.into_iter().collect::<Option<Vec<Day>>>().context("days_open is null")?;
        let scope = &self.job.scopes.lines;
        let mut columns: Vec<Option<Column>> = vec![None; scope.columns.len()];
        columns[0] = Some(decisions.column("account_id")?.clone());
        for slot in LINE_COLUMNS.len()..scope.columns.len() - LINE_STATE.len() {
            columns[slot] = Some(decisions.column(&scope.columns[slot].0)?.clone());
        }
        let account = accounts.positions(decisions.column("account_id")?);
        let known = accounts.len();
        anyhow::ensure!(
            account.iter().all(|position| (*position as usize) < known),
            "decisions are of accounts that features do not have"
        );
        Ok(Lines {
            has_rejected: (0..known)
                .map(|position| rejected.contains(&accounts.ids.text(position)))
                .collect(),
            account,
            product: decisions.texts("product")?.clone(),
            limit: ints("old_limit")?,
            balance: ints("balance")?,
            status: statuses(decisions.texts("old_status")?, decisions.len)?,
            opened_on,
            increased_on: days("days_since_increase")?,
            decreased_on: days("days_since_decrease")?,
            pending: pending(decisions)?,
            columns,
            tally: Tally::default(),
            snapshot: self.manifest.snapshot,
            accounts,
        })
    }
}

fn statuses(texts: &Texts, len: usize) -> Result<Vec<Status>> {
    let status = |row| texts.get(row).and_then(Status::parse).context("a line has an unknown status");
    (0..len).map(status).collect()
}

fn pending(decisions: &Rows) -> Result<Vec<Option<Pending>>> {
    let limit = decisions.ints("pending_limit")?;
    let (status, on) = (decisions.texts("pending_status")?, decisions.ints("pending_on")?);
    let of_row = |row: usize| {
        let status = status.get(row).and_then(Status::parse)?;
        Some(Pending { limit: *limit.get(row)?, status, on: Day(i32::try_from(*on.get(row)?).ok()?) })
    };
    Ok((0..decisions.len).map(of_row).collect())
}

fn decided(decisions: &Rows) -> Result<Vec<Decided>> {
    let text = |name: &str| decisions.texts(name);
    let (action, reason, rule) = (text("action")?, text("reason")?, text("rule")?);
    let (status, bound_by, band) = (text("new_status")?, text("bound_by")?, text("band")?);
    let (limit, on) = (decisions.ints("new_limit")?, decisions.ints("effective_on")?);
    let score = decisions.ints("score")?;
    let required =
        |texts: &Texts, row: usize| texts.get(row).map(str::to_string).context("a decision has a gap");
    let of_row = |row: usize| -> Result<Decided> {
        Ok(Decided {
            action: required(action, row)?,
            reason: required(reason, row)?,
            rule: rule.get(row).map(str::to_string),
            new_limit: limit.values[row],
            new_status: required(status, row)?,
            bound_by: bound_by.get(row).map(str::to_string),
            effective_on: on.get(row).map(|day| i32::try_from(*day).map(Day)).transpose()?,
            score: score.values[row],
            band: required(band, row)?,
        })
    };
    (0..decisions.len).map(of_row).collect()
}

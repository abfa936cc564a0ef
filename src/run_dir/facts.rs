//! What a run knew of its accounts and lines and what it decided, so that it can be decided again.

use std::collections::HashSet;

use anyhow::{Result, ensure};

use super::decisions::{Decisions, Slots};
use super::rows::{self, AccountId, Rows};
use super::{PublishedRun, rejected_accounts};
use crate::arms::Assignment;
use crate::day::Day;
use crate::expr::{Column, Type};
use crate::failure::input;
use crate::features::FeatureTable;
use crate::input::accounts::{Accounts, distinct_ids};
use crate::input::lines::Lines;
use crate::job::{LINE_COLUMNS, LINE_STATE, Scorecard};
use crate::score::{PreviousScores, Scores, score};

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
    /// What an earlier run gave the accounts.
    pub previous: PreviousScores,
}

impl Facts {
    /// Scores accounts by features of as many `rows`: those of these accounts, or of the only one there is
    /// as many times over.
    pub fn score(&self, scorecard: &Scorecard, features: &FeatureTable, rows: usize) -> Scores {
        let known = self.previous.score.len().max(1);
        let previous = PreviousScores {
            score: (0..rows).map(|row| self.previous.score(row % known)).collect(),
            band: (0..rows).map(|row| self.previous.band(row % known)).collect(),
        };
        Scores { previous, ..score(scorecard, features, rows) }
    }
}

impl PublishedRun {
    /// One account; `None` where the run has none of that id.
    pub fn account(&self, id: &str) -> Result<Option<Facts>> {
        let kind = self.job.scopes.account_kind();
        let Some(id) = AccountId::parse(id, kind) else { return Ok(None) };
        let facts = self.facts(Some(&id))?;
        Ok((!facts.decided.is_empty()).then_some(facts))
    }

    /// All accounts.
    pub fn everyone(&self) -> Result<Facts> {
        self.facts(None)
    }

    /// Which scorecard and which policy decide about accounts.
    pub fn assignment_of(&self, facts: &Facts) -> Assignment {
        Assignment::of(&self.job, &facts.features, &facts.lines.accounts.ids)
    }

    fn facts(&self, account: Option<&AccountId>) -> Result<Facts> {
        let decisions = rows::read(&self.directory, "decisions", account)?;
        let features = rows::read(&self.directory, "features", account)?;
        let rejected = rejected_accounts(&self.directory)?;
        self.assemble(&decisions, &features, &rejected)
            .map_err(|error| input(format!("read {}: {error:#}", self.directory.path().display())))
    }

    fn assemble(&self, decisions: &Rows, features: &Rows, rejected: &HashSet<String>) -> Result<Facts> {
        let ids = features.column("account_id")?;
        let rows: Vec<u32> = (0..features.len as u32).collect();
        let accounts = Accounts::new(distinct_ids(ids, &rows));
        let account = accounts.positions(decisions.column("account_id")?);
        let known = accounts.len();
        ensure!(
            account.iter().all(|position| (*position as usize) < known),
            "decisions are of accounts that features do not have"
        );
        let columns = self.job.features.iter().map(|feature| features.column(&feature.name).cloned());
        let features = FeatureTable::of(&columns.collect::<Result<Vec<_>>>()?);
        let own: Vec<u32> = (0..decisions.len as u32).collect();
        let has_rejected: Vec<bool> =
            (0..known).map(|position| rejected.contains(&accounts.ids.text(position))).collect();
        let columns = self.line_columns(decisions)?;
        let run = self.directory.path().display().to_string();
        let kinds = decisions.columns.iter().map(|(name, column)| (name.as_str(), kind(column)));
        let values: Vec<Column> = decisions.columns.iter().map(|(_, column)| column.clone()).collect();
        let slots = Slots::find(kinds, self.manifest.as_of, &run)?;
        let read = slots.of(&values);
        let previous = read.previous((0..known).map(|position| first_line(&account, position)));
        let lines = read.lines(&own, account, accounts, has_rejected, columns);
        Ok(Facts { lines, features, decided: decided(&read, decisions)?, previous })
    }

    /// The columns of the lines' scope, as far as decisions have them.
    fn line_columns(&self, decisions: &Rows) -> Result<Vec<Option<Column>>> {
        let scope = &self.job.scopes.lines;
        let mut columns: Vec<Option<Column>> = vec![None; scope.columns.len()];
        columns[0] = Some(decisions.column("account_id")?.clone());
        for slot in LINE_COLUMNS.len()..scope.columns.len() - LINE_STATE.len() {
            columns[slot] = Some(decisions.column(&scope.columns[slot].0)?.clone());
        }
        Ok(columns)
    }
}

/// The first line of an account; every account has one.
fn first_line(account: &[u32], position: usize) -> usize {
    account.partition_point(|own| (*own as usize) < position)
}

/// What a column holds; a date is an integer to it.
fn kind(column: &Column) -> Type {
    match column {
        Column::Int(_) | Column::Wide(_) => Type::Int,
        Column::Text(_) => Type::Text,
        Column::Bool(_) => Type::Bool,
    }
}

fn decided(read: &Decisions, decisions: &Rows) -> Result<Vec<Decided>> {
    let (score, band) = (decisions.ints("score")?, decisions.texts("band")?);
    let of_row = |row: usize| {
        let outcome = read.outcome(row);
        Decided {
            action: outcome.action.to_string(),
            reason: outcome.reason.to_string(),
            rule: outcome.rule.map(str::to_string),
            new_limit: outcome.new_limit,
            new_status: outcome.new_status.to_string(),
            bound_by: outcome.bound_by.map(str::to_string),
            effective_on: read.effective_on(row),
            score: score.values[row],
            band: band.get(row).unwrap_or_default().to_string(),
        }
    };
    Ok((0..decisions.len).map(of_row).collect())
}

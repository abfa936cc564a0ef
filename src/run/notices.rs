//! What a night warns of though it is well defined: features that are the same for everybody, texts that no row has,
//! dates out of reach.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::watch::{Watch, WatchedDates, WatchedText};
use crate::day::Day;
use crate::expr::{Column, Expr};
use crate::features::ValueCounts;
use crate::features::plan::{FeaturePlan, Plans};
use crate::input::lines::Lines;
use crate::job::{FeatureKind, From, Job, LINE_STATE};

/// Bills fall due at most so long after they are delivered, as a rule.
const DAYS_AHEAD: i64 = 366;

/// The conditions of the features of a source.
fn conditions(job: &Job, of: From) -> impl Iterator<Item = &Expr> {
    job.features.iter().filter_map(move |feature| match &feature.kind {
        FeatureKind::Aggregate(aggregate) if aggregate.from == of => aggregate.filter.as_ref(),
        _ => None,
    })
}

/// The slots in a scope of columns, and the texts that conditions hold them against, each once.
fn texts_asked_for<'a>(conditions: impl Iterator<Item = &'a Expr>) -> Vec<(usize, &'a str)> {
    let mut asked: Vec<(usize, &str)> = conditions.flat_map(Expr::texts_asked_for).collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

/// The days within reach of the windows of a plan that has any features.
fn days_in_reach(plan: &FeaturePlan, as_of: Day, ahead: i64) -> Option<std::ops::RangeInclusive<i64>> {
    let today = i64::from(as_of.0);
    let first = plan.longest_days.map_or(i64::MIN, |days| today - i64::from(days) + 1);
    (!plan.is_empty()).then_some(first..=today + ahead)
}

/// What to watch for in transactions.
pub(super) fn of_transactions(job: &Job, plans: &Plans, as_of: Day) -> Watch {
    let scope = &job.scopes.transactions;
    let asked = texts_asked_for(conditions(job, From::Transactions));
    let texts = asked.into_iter().map(|(slot, text)| WatchedText::new(&scope.columns[slot].0, text));
    let within = days_in_reach(&plans.transactions, as_of, 0);
    let dates = WatchedDates { column: "posted_on", within };
    Watch { input: job.inputs.transactions.name, from: as_of, dates, texts: texts.collect() }
}

/// What to watch for in repayments: of a bill's columns only the product is one of theirs.
pub(super) fn of_repayments(job: &Job, as_of: Day) -> Watch {
    const PRODUCT: usize = 0;
    let asked =
        texts_asked_for(conditions(job, From::Bills)).into_iter().filter(|(slot, _)| *slot == PRODUCT);
    let texts = asked.map(|(_, text)| WatchedText::new("product", text));
    let within = days_in_reach(&FeaturePlan::new(&job.features, From::Bills), as_of, DAYS_AHEAD);
    let dates = WatchedDates { column: "due_on", within };
    Watch { input: job.inputs.repayments.name, from: as_of, dates, texts: texts.collect() }
}

/// What was seen in a book that may be warned of; what was seen in parts of it adds up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BookNotices {
    accounts: u64,
    lines: u64,
    /// The texts that rules and features of lines ask for. Statuses are known.
    texts: Vec<WatchedText>,
}

/// Of fewer accounts nothing follows.
const LEAST_ACCOUNTS: u64 = 10;

impl BookNotices {
    /// What is seen in a book, or a part of one.
    pub fn of(job: &Job, book: &Lines) -> BookNotices {
        BookNotices {
            accounts: book.accounts.len() as u64,
            lines: book.account.len() as u64,
            texts: texts_of(job, book),
        }
    }

    /// Takes in what was seen in another part of the book.
    pub fn add(&mut self, other: &BookNotices) {
        self.accounts += other.accounts;
        self.lines += other.lines;
        self.texts.iter_mut().zip(&other.texts).for_each(|(text, other)| text.add(other));
    }

    /// What there is to say: texts that no line has, then features that are null, or the same, for every account.
    pub fn texts(&self, job: &Job, features: &[ValueCounts]) -> Vec<String> {
        let rows = format!("the {} lines", self.lines);
        let mut notices: Vec<String> = self.texts.iter().filter_map(|text| text.notice(&rows)).collect();
        // A gate that watches for what should not be finds none of it on most nights.
        let gated: BTreeSet<usize> = job.features_in_gates().collect();
        let features = job.features.iter().zip(features).enumerate();
        for (number, (feature, counts)) in features.filter(|_| self.accounts >= LEAST_ACCOUNTS) {
            let (Some(value), false) = (only_value(counts), gated.contains(&number)) else { continue };
            notices.push(format!(
                "the feature `{}` is {value} for all {} accounts",
                feature.name, self.accounts
            ));
        }
        notices
    }
}

/// The texts that rules and features of lines ask for, as far as columns are there to hold them.
fn texts_of(job: &Job, book: &Lines) -> Vec<WatchedText> {
    const PRODUCT: usize = 1;
    let scope = &job.scopes.lines;
    let own = scope.columns.len() - LINE_STATE.len();
    let of_rules = job.remits().into_iter().flat_map(|remit| &remit.policy.rules).map(|rule| &rule.when);
    let all = of_rules.chain(conditions(job, From::Lines));
    let mut texts = Vec::new();
    for (slot, text) in texts_asked_for(all).into_iter().filter(|(slot, _)| *slot < own) {
        let mut watched = WatchedText::new(&job.scopes.facts.columns[slot].0, text);
        match book.columns.get(slot) {
            _ if slot == PRODUCT => watched.look_at(&book.product),
            Some(Some(Column::Text(column))) => watched.look_at(column),
            _ => continue,
        }
        texts.push(watched);
    }
    texts
}

/// The value that all accounts have, as text.
fn only_value(counts: &ValueCounts) -> Option<String> {
    match (counts.nulls, counts.min, counts.max) {
        (0, Some(min), Some(max)) if min == max => Some(min.to_string()),
        (1.., None, None) => Some("null".to_string()),
        _ => None,
    }
}

//! What a night warns of though it is well defined: features that are the same for everybody, texts that no row has,
//! dates out of reach.

use std::collections::BTreeSet;

use super::watch::{Watch, WatchedDates, WatchedText};
use crate::day::Day;
use crate::expr::{Column, Expr};
use crate::features::FeatureTable;
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
pub(super) fn of_repayments(job: &Job, plans: &Plans, as_of: Day) -> Watch {
    const PRODUCT: usize = 0;
    let asked =
        texts_asked_for(conditions(job, From::Bills)).into_iter().filter(|(slot, _)| *slot == PRODUCT);
    let texts = asked.map(|(_, text)| WatchedText::new("product", text));
    let dates = WatchedDates { column: "due_on", within: days_in_reach(&plans.bills, as_of, DAYS_AHEAD) };
    Watch { input: job.inputs.repayments.name, from: as_of, dates, texts: texts.collect() }
}

/// The texts that rules and features of lines ask for, and no line has. Statuses are known.
pub fn of_lines(job: &Job, book: &Lines) -> Vec<String> {
    const PRODUCT: usize = 1;
    let scope = &job.scopes.lines;
    let own = scope.columns.len() - LINE_STATE.len();
    let of_rules = job.policy.rules.iter().map(|rule| &rule.when);
    let all = of_rules.chain(conditions(job, From::Lines));
    let rows = format!("the {} lines", book.account.len());
    let mut notices = Vec::new();
    for (slot, text) in texts_asked_for(all).into_iter().filter(|(slot, _)| *slot < own) {
        let mut watched = WatchedText::new(&job.scopes.facts.columns[slot].0, text);
        match book.columns.get(slot) {
            _ if slot == PRODUCT => watched.look_at(&book.product),
            Some(Some(Column::Text(column))) => watched.look_at(column),
            _ => continue,
        }
        notices.extend(watched.notice(&rows));
    }
    notices
}

/// Of fewer accounts nothing follows.
const LEAST_ACCOUNTS: usize = 10;

/// Features that are null, or the same, for every account.
pub fn of_features(job: &Job, features: &FeatureTable, accounts: usize) -> Vec<String> {
    if accounts < LEAST_ACCOUNTS {
        return Vec::new();
    }
    let gated: BTreeSet<usize> = job.features_in_gates().collect();
    let mut notices = Vec::new();
    for (number, feature) in job.features.iter().enumerate() {
        // A gate that watches for what should not be finds none of it on most nights.
        if gated.contains(&number) {
            continue;
        }
        let value = match only_value(features, number, accounts) {
            None => continue,
            Some(None) => "null".to_string(),
            Some(Some(value)) => value.to_string(),
        };
        notices.push(format!("the feature `{}` is {value} for all {accounts} accounts", feature.name));
    }
    notices
}

/// The value that all accounts have; `None` where two differ, which mostly shows at once.
fn only_value(features: &FeatureTable, feature: usize, accounts: usize) -> Option<Option<i64>> {
    const RUN: usize = 4_096;
    let first = features.get(feature, 0);
    for start in (0..accounts).step_by(RUN) {
        let mut is_same = true;
        features.each(feature, start..(start + RUN).min(accounts), |value| is_same &= value == first);
        if !is_same {
            return None;
        }
    }
    Some(first)
}

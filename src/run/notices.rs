//! What a night warns of though it is well defined: features that tell nobody apart, texts that no row has,
//! dates out of reach.

use std::collections::BTreeSet;

use crate::day::Day;
use crate::expr::{Column, Expr, Scope};
use crate::features::FeatureTable;
use crate::features::plan::Plan;
use crate::features::watch::{Watch, WatchedText};
use crate::history::Plans;
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

/// The texts that conditions ask for, where their columns are wanted.
fn texts<'a>(
    conditions: impl Iterator<Item = &'a Expr>,
    scope: &Scope,
    place: impl Fn(usize) -> Option<usize>,
) -> Vec<WatchedText> {
    let mut asked: Vec<(usize, &str)> = conditions.flat_map(Expr::texts_asked_for).collect();
    asked.sort_unstable();
    asked.dedup();
    let watched =
        |(slot, text): (usize, &str)| Some(WatchedText::new(place(slot)?, &scope.columns[slot].0, text));
    asked.into_iter().filter_map(watched).collect()
}

/// The days within reach of the windows of a plan that has any features.
fn days_in_reach(plan: &Plan, as_of: Day, ahead: i64) -> Option<std::ops::RangeInclusive<i64>> {
    let today = i64::from(as_of.0);
    let first = plan.longest_days.map_or(i64::MIN, |days| today - i64::from(days) + 1);
    (!plan.is_empty()).then_some(first..=today + ahead)
}

/// What to watch for in transactions; `slots` are the wanted columns' positions in the scope.
pub fn of_transactions(job: &Job, plans: &Plans, slots: &[usize], as_of: Day) -> Watch {
    let place = |slot: usize| slots.iter().position(|known| *known == slot);
    let texts = texts(conditions(job, From::Transactions), &job.scopes.transactions, place);
    Watch::new(as_of, days_in_reach(&plans.transactions, as_of, 0).map(|days| (1, days)), texts)
}

/// What to watch for in repayments: of a bill's columns only the product is one of theirs.
pub fn of_repayments(job: &Job, plans: &Plans, as_of: Day) -> Watch {
    let texts = texts(conditions(job, From::Bills), &job.scopes.bills, |slot| (slot == 0).then_some(1));
    Watch::new(as_of, days_in_reach(&plans.bills, as_of, DAYS_AHEAD).map(|days| (3, days)), texts)
}

/// The texts that rules and features of lines ask for, and no line has. Statuses are known.
pub fn of_lines(job: &Job, book: &Lines) -> Vec<String> {
    const PRODUCT: usize = 1;
    let scope = &job.scopes.lines;
    let own = scope.columns.len() - LINE_STATE.len();
    let of_rules = job.policy.rules.iter().map(|rule| &rule.when);
    let all = of_rules.chain(conditions(job, From::Lines));
    let texts = texts(all, &job.scopes.facts, |slot| (slot < own).then_some(slot));
    let rows = format!("the {} lines", book.account.len());
    let notice = |text: WatchedText| {
        match book.columns.get(text.place) {
            _ if text.place == PRODUCT => text.look_at(&book.product),
            Some(Some(Column::Text(column))) => text.look_at(column),
            _ => return None,
        }
        text.notice(&rows)
    };
    texts.into_iter().filter_map(notice).collect()
}

/// Of fewer accounts nothing follows.
const LEAST_ACCOUNTS: usize = 10;

/// Features that are null, or the same, for every account.
pub fn of_features(job: &Job, features: &FeatureTable, accounts: usize) -> Vec<String> {
    if accounts < LEAST_ACCOUNTS {
        return Vec::new();
    }
    let gated: BTreeSet<usize> = job.features_in_gates().collect();
    let notice = |(number, feature): (usize, &crate::job::Feature)| {
        let name = &feature.name;
        // A gate that watches for what should not be finds none of it on most nights.
        if gated.contains(&number) {
            return None;
        }
        Some(match only_value(features, number, accounts)? {
            None => format!("the feature `{name}` is null for all {accounts} accounts"),
            Some(value) => format!("the feature `{name}` is {value} for all {accounts} accounts"),
        })
    };
    job.features.iter().enumerate().filter_map(notice).collect()
}

/// The value that all accounts have; `None` where two differ, which mostly shows at once.
fn only_value(features: &FeatureTable, feature: usize, accounts: usize) -> Option<Option<i64>> {
    const RUN: usize = 4_096;
    let first = features.get(feature, 0);
    let is_same = |start: usize| {
        let mut is_same = true;
        let run = start..(start + RUN).min(accounts);
        features.each(feature, run, |value| is_same &= value == first);
        is_same
    };
    (0..accounts).step_by(RUN).all(is_same).then_some(first)
}

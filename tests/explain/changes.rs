//! "What would change it", tried out: the change is made in the whole book, and all of it decided again.

use std::collections::BTreeMap;

use rescore::explain::counterfactual::{Counterfactual, LinkedFeature};
use rescore::explain::features::derived_from;
use rescore::explain::what_if::WhatIf;
use rescore::explain::{Explanation, explain};
use rescore::expr::{Column, Ints};
use rescore::features::{FeatureTable, derived};
use rescore::policy::{Decision, decide};
use rescore::run_dir::{Facts, PublishedRun};
use rescore::score::{Scores, score};

use super::nights;

/// A run with all its accounts.
struct Whole {
    run: PublishedRun,
    facts: Facts,
}

impl Whole {
    fn open() -> Whole {
        let run = PublishedRun::open(&nights().run("2026-11-20")).unwrap();
        let facts = run.everyone().unwrap();
        Whole { run, facts }
    }

    /// The first accounts for every action, reason and cap there is among the decisions.
    fn accounts(&self, of_each: usize) -> Vec<String> {
        let mut by_kind: BTreeMap<(&str, &str, Option<&str>), Vec<usize>> = BTreeMap::new();
        for (line, decided) in self.facts.decided.iter().enumerate() {
            let kind = (decided.action.as_str(), decided.reason.as_str(), decided.bound_by.as_deref());
            by_kind.entry(kind).or_default().push(self.facts.lines.account[line] as usize);
        }
        assert!(by_kind.len() > 15, "{by_kind:?}");
        let mut chosen: Vec<usize> =
            by_kind.into_values().flat_map(|all| all.into_iter().take(of_each)).collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen.into_iter().map(|position| self.facts.lines.accounts.ids.text(position)).collect()
    }

    fn position(&self, account: &str) -> usize {
        let ids = &self.facts.lines.accounts.ids;
        (0..ids.len()).find(|position| ids.text(*position) == account).unwrap()
    }

    /// Scores and decides the whole book with one feature of one account set to a value, and those that move
    /// with it.
    fn with(
        &self,
        account: usize,
        feature: &str,
        value: i64,
        more: &[LinkedFeature],
    ) -> (Scores, Vec<Decision>) {
        let features = &self.run.job.features;
        let number = |name: &str| features.iter().position(|known| known.name == name).unwrap();
        let more = more.iter().map(|one| (number(&one.feature), one.to));
        let moved: BTreeMap<usize, i64> = more.chain([(number(feature), value)]).collect();
        let accounts: Vec<u32> = (0..self.facts.lines.accounts.len() as u32).collect();
        let column = |feature: usize| self.facts.features.gather(feature, &accounts);
        let mut columns: Vec<Column> = (0..features.len()).map(column).collect();
        for (number, value) in &moved {
            columns[*number] = set(&columns[*number], account, Some(*value));
        }
        for (later, feature) in features.iter().enumerate().filter(|(later, _)| !moved.contains_key(later)) {
            let above = columns.iter().map(Some).collect();
            if let Some(again) = derived(&feature.kind, above, columns[later].len()) {
                columns[later] = Column::Int(again.unwrap());
            }
        }
        let features = FeatureTable::of(&columns);
        let scores = score(&self.run.job.scorecard, &features, self.facts.lines.accounts.len());
        let decisions = decide(&self.run.job, self.run.manifest.as_of, &self.facts.lines, &features, &scores);
        (scores, decisions)
    }

    fn line(&self, account: usize, product: &str) -> usize {
        let lines = &self.facts.lines;
        (0..lines.account.len())
            .find(|line| {
                lines.account[*line] as usize == account && lines.product.get(*line) == Some(product)
            })
            .unwrap()
    }
}

fn set(column: &Column, row: usize, value: Option<i64>) -> Column {
    let Column::Int(ints) = column else { panic!("features are integers") };
    let values = (0..column.len()).map(|at| if at == row { value } else { ints.get(at).copied() });
    Column::Int(values.collect::<Ints>())
}

/// Every better bin, and the first changes to either side of every line.
#[test]
fn every_change_named_does_what_is_said() {
    const CHANGES_TRIED: usize = 3;
    let whole = Whole::open();
    let (mut bins, mut changes) = (0, 0);
    for account in whole.accounts(4) {
        let explanation = explain(&whole.run, &account).unwrap();
        let position = whole.position(&account);
        for points in &explanation.score.characteristics {
            let Some(better) = &points.better else { continue };
            let (scores, _) = whole.with(position, &points.feature, better.to, &better.together);
            assert_eq!(scores.score[position], better.score, "{account} {points:?}");
            assert_eq!(better.score - explanation.score.score, better.score_change);
            bins += 1;
        }
        for line in &explanation.lines {
            let better = line.counterfactuals.better.iter().take(CHANGES_TRIED).map(|change| (change, true));
            let worse = line.counterfactuals.worse.iter().take(CHANGES_TRIED).map(|change| (change, false));
            for (change, is_better) in better.chain(worse) {
                does_what_is_said(&whole, position, &line.product, change, is_better);
                changes += 1;
            }
        }
    }
    assert!(bins > 300 && changes > 100, "{bins} bins, {changes} changes");
}

fn does_what_is_said(whole: &Whole, account: usize, product: &str, change: &Counterfactual, is_better: bool) {
    let line = whole.line(account, product);
    let (scores, decisions) = whole.with(account, &change.feature, change.to, &change.together);
    let (decision, before) = (&decisions[line], &whole.facts.decided[line]);
    let place = format!("{} {product} {change:?}", whole.facts.lines.accounts.ids.text(account));
    assert_eq!(scores.score[account], change.score, "{place}");
    assert_eq!(decision.action.name(), change.action, "{place}");
    assert_eq!(decision.new_limit, change.new_limit, "{place}");
    assert_eq!(decision.new_status.name(), change.new_status, "{place}");
    assert_ne!(decision.action.name(), before.action, "{place}");
    let rank = |status: &str| ["closed", "suspended", "active"].iter().position(|known| *known == status);
    // Where nothing is done, what is pending will happen.
    let comes_to = |action: &str, status: &str, limit: i64| match whole.facts.lines.pending[line] {
        Some(pending) if action == "hold" => (rank(pending.status.name()), pending.limit),
        _ => (rank(status), limit),
    };
    let now = comes_to(decision.action.name(), decision.new_status.name(), decision.new_limit);
    let then = comes_to(&before.action, &before.new_status, before.new_limit);
    assert_eq!(now > then, is_better, "{place}");
}

/// Where a change is near enough to try all that is nearer: none of it does the same.
#[test]
fn no_nearer_value_turns_a_decision() {
    const NEAR: u64 = 400;
    let whole = Whole::open();
    let mut tried = 0;
    for account in whole.accounts(1) {
        let facts = whole.run.account(&account).unwrap().unwrap();
        let trial = WhatIf::new(&whole.run, &facts).unwrap();
        let now = trial.as_it_is().unwrap();
        let Explanation { lines, .. } = explain(&whole.run, &account).unwrap();
        for (number, line) in lines.iter().enumerate() {
            for change in &line.counterfactuals.better {
                let Some(from) = change.from.filter(|from| from.abs_diff(change.to) <= NEAR) else {
                    continue;
                };
                let feature = whole.run.job.features.iter().position(|f| f.name == change.feature).unwrap();
                // Towards the change: on the other side may lie what the feature can't be.
                let (low, high) = (from.min(change.to) + 1, from.max(change.to) - 1);
                let nearer: Vec<i64> = (low..=high).collect();
                for (value, verdict) in nearer.iter().zip(trial.with(feature, &nearer)) {
                    let Some(verdict) = verdict else { continue };
                    let decision = verdict.decisions[number];
                    let before = &now.decisions[number];
                    let is_same_turn =
                        decision.action != before.action && decision.new_limit > before.new_limit;
                    assert!(!is_same_turn, "{account} {change:?}: {value} is nearer");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 200, "{tried}");
}

/// A feature that nothing is made of derives none; one deep down has many.
#[test]
fn what_is_made_of_a_feature_follows_it() {
    let whole = Whole::open();
    let features = &whole.run.job.features;
    let number = |name: &str| features.iter().position(|feature| feature.name == name).unwrap();
    let names = |name: &str| {
        let all = derived_from(&whole.run.job, number(name));
        all.into_iter().map(|feature| features[feature].name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(names("late_bills_365d"), ["late_bills_365d"]);
    assert_eq!(names("overdue_amount"), ["overdue_amount", "overdue_to_inflow_bp", "arrears_burden_bp"]);
}

//! The figures over a run's results that downstream totals are checked against.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Results;
use crate::input::accounts::Ids;
use crate::job::{Action, Arm};
use crate::run_dir::manifest::{
    ActionTotals, ArmTotals, ControlTotals, NO_SEGMENT, ScoreTotals, account_hash,
};

/// The figures over a run's results.
pub fn control_totals(results: &Results) -> ControlTotals {
    let accounts = &results.lines.accounts;
    let actions = actions(results, |_| true);
    let totals = ControlTotals::of(accounts.len() as u64, account_hash_total(&accounts.ids), actions);
    ControlTotals { arms: arms(results), segments: segments(results), ..totals }
}

/// By product and action, the decisions about the lines of some accounts.
fn actions(
    results: &Results,
    is_counted: impl Fn(usize) -> bool,
) -> BTreeMap<String, BTreeMap<String, ActionTotals>> {
    let (lines, decisions) = (results.lines, results.decisions);
    let mut actions: BTreeMap<String, BTreeMap<String, ActionTotals>> = BTreeMap::new();
    let mut by_code = vec![[ActionTotals::default(); Action::ALL.len()]; lines.product.dictionary.len()];
    for (line, decision) in decisions.iter().enumerate() {
        if !is_counted(lines.account[line] as usize) {
            continue;
        }
        let totals = &mut by_code[lines.product.codes[line] as usize][decision.action as usize];
        totals.lines += 1;
        totals.old_limit += i128::from(lines.limit[line]);
        totals.new_limit += i128::from(decision.new_limit);
    }
    for (name, totals) in lines.product.dictionary.iter().zip(by_code) {
        for (action, totals) in Action::ALL.into_iter().map(|action| (action, totals[action as usize])) {
            if totals.lines > 0 {
                actions.entry(name.to_string()).or_default().insert(action.name().to_string(), totals);
            }
        }
    }
    actions
}

/// By arm, its accounts and what is decided about them.
fn arms(results: &Results) -> BTreeMap<String, ArmTotals> {
    if results.job.variants.challenger.is_none() {
        return BTreeMap::new();
    }
    let of_arm = |arm: Arm| {
        let is_own = |account: usize| results.scores.assignment.arm(account) == arm;
        let totals = ArmTotals { scores: scores(results, is_own), actions: actions(results, is_own) };
        (arm.name().to_string(), totals)
    };
    Arm::ALL.map(of_arm).into()
}

/// By segment, its accounts.
fn segments(results: &Results) -> BTreeMap<String, ScoreTotals> {
    let segments = &results.job.variants.segments;
    if segments.is_empty() {
        return BTreeMap::new();
    }
    let names = segments.iter().enumerate().map(|(number, segment)| (Some(number), segment.name.as_str()));
    let all = names.chain([(None, NO_SEGMENT)]);
    let totals = all.map(|(own, name)| {
        (name.to_string(), scores(results, |account| results.scores.assignment.segment(account) == own))
    });
    totals.filter(|(_, totals)| totals.accounts > 0).collect()
}

fn scores(results: &Results, is_counted: impl Fn(usize) -> bool) -> ScoreTotals {
    let counted = results.scores.score.iter().enumerate().filter(|(account, _)| is_counted(*account));
    let mut totals = ScoreTotals::default();
    counted.for_each(|(_, score)| totals.add(ScoreTotals { accounts: 1, score_total: i64::from(*score) }));
    totals
}

fn account_hash_total(ids: &Ids) -> u64 {
    (0..ids.len())
        .into_par_iter()
        .map(|position| account_hash(&ids.text(position)))
        .reduce(|| 0, u64::wrapping_add)
}

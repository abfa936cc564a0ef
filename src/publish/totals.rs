//! The figures over a run's results that downstream totals are checked against.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Results;
use crate::input::accounts::Ids;
use crate::job::Action;
use crate::run_dir::manifest::{ActionTotals, ControlTotals, account_hash};

/// The figures over a run's results.
pub fn control_totals(results: &Results) -> ControlTotals {
    let (lines, decisions) = (results.lines, results.decisions);
    let mut actions: BTreeMap<String, BTreeMap<String, ActionTotals>> = BTreeMap::new();
    let mut by_code = vec![[ActionTotals::default(); Action::ALL.len()]; lines.product.dictionary.len()];
    for (line, decision) in decisions.iter().enumerate() {
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
    ControlTotals::of(lines.accounts.len() as u64, account_hash_total(&lines.accounts.ids), actions)
}

fn account_hash_total(ids: &Ids) -> u64 {
    (0..ids.len())
        .into_par_iter()
        .map(|position| account_hash(&ids.text(position)))
        .reduce(|| 0, u64::wrapping_add)
}

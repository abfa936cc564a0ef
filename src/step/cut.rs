//! Step `cut`: where each budget ends, from what all ranges have reported.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::part::{PartBudget, PartRaises, PartReport, ScoreRaises, WaitingRaise, read_raises};
use super::report::GivenReports;
use super::worker::Worker;
use crate::job::Policy;
use crate::policy::{BudgetCut, Purse, first_beyond};

/// What is reported of budgets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutReport {
    /// By policy of the job: of the budgets that do not reach all raises, the first raise that is refused.
    pub policies: Vec<Vec<BudgetCut>>,
}

/// Finds where each budget ends.
pub fn cut(worker: &Worker, given: &GivenReports) -> Result<CutReport> {
    let parts: Vec<PartReport> = given.all("part", worker.plan.ranges.len())?;
    let remits = worker.job.remits().into_iter().enumerate();
    let policies = remits.map(|(number, remit)| cuts_of(&parts, number, remit.policy));
    Ok(CutReport { policies: policies.collect::<Result<_>>()? })
}

/// Where the budgets of a policy end, the `number`th of the job.
fn cuts_of(parts: &[PartReport], number: usize, policy: &Policy) -> Result<Vec<BudgetCut>> {
    let mut cuts = Vec::new();
    for purse in Purse::all(policy) {
        let of_policy = parts.iter().map(|part| part.policies.get(number));
        let own: Vec<Option<&PartBudget>> = of_policy
            .map(|part| part.and_then(|part| part.budgets.iter().find(|budget| budget.purse == purse)))
            .collect();
        let limits = own.iter().flatten().map(|budget| budget.counted_limits).sum();
        let Some(budget) = purse.budget(policy).map(|budget| budget.amount(limits)) else { continue };
        if let Some(BudgetEnding { part, score, spent }) = ending(&own, budget) {
            cuts.extend(first_refused(&parts[part].policies[number], purse, score, budget - spent)?);
        }
    }
    Ok(cuts)
}

/// Where a budget ends: in which part, among the raises of which score, and what is spent before these.
#[derive(Debug, PartialEq, Eq)]
struct BudgetEnding {
    part: usize,
    score: i32,
    spent: i128,
}

/// Raises are granted by score, those of one score in order of account, and so part by part.
fn ending(parts: &[Option<&PartBudget>], budget: i128) -> Option<BudgetEnding> {
    let mut by_score: BTreeMap<i32, Vec<(usize, i128)>> = BTreeMap::new();
    for (part, own) in parts.iter().enumerate() {
        for ScoreRaises { score, amount, .. } in own.iter().flat_map(|own| &own.by_score) {
            by_score.entry(*score).or_default().push((part, *amount));
        }
    }
    let mut spent = 0;
    for (score, amounts) in by_score.into_iter().rev() {
        for (part, amount) in amounts {
            if spent + amount > budget {
                return Some(BudgetEnding { part, score, spent });
            }
            spent += amount;
        }
    }
    None
}

/// The first raise of a part and score that does not fit in what is left of a budget.
fn first_refused(part: &PartRaises, purse: Purse, score: i32, left: i128) -> Result<Option<BudgetCut>> {
    let raises = read_raises(part)?;
    let own: Vec<WaitingRaise> =
        raises.into_iter().filter(|raise| (raise.purse, raise.score) == (purse, score)).collect();
    let first = first_beyond(left, 0, own.iter().map(|raise| raise.amount));
    let cut = first.map(|first| {
        let WaitingRaise { account, product, .. } = &own[first];
        BudgetCut { purse, score, account: account.clone(), product: *product }
    });
    Ok(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(by_score: &[(i32, i128)]) -> PartBudget {
        let by_score =
            by_score.iter().map(|(score, amount)| ScoreRaises { score: *score, raises: 1, amount: *amount });
        PartBudget { purse: Purse::Product(0), counted_limits: 0, by_score: by_score.collect() }
    }

    /// Of 700 points 30 and 20 are asked in two parts, of 690 points 40 in the first.
    #[test]
    fn a_budget_ends_by_score_then_part() {
        let (first, second) = (part(&[(700, 30), (690, 40)]), part(&[(700, 20)]));
        let parts = [Some(&first), None, Some(&second)];
        let table = [
            (100, None),
            (90, None),
            (89, Some(BudgetEnding { part: 0, score: 690, spent: 50 })),
            (50, Some(BudgetEnding { part: 0, score: 690, spent: 50 })),
            (49, Some(BudgetEnding { part: 2, score: 700, spent: 30 })),
            (30, Some(BudgetEnding { part: 2, score: 700, spent: 30 })),
            (29, Some(BudgetEnding { part: 0, score: 700, spent: 0 })),
            (0, Some(BudgetEnding { part: 0, score: 700, spent: 0 })),
        ];
        for (budget, expected) in table {
            assert_eq!(ending(&parts, budget), expected, "a budget of {budget}");
        }
    }
}

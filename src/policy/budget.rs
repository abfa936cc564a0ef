//! Budgets: which raises are granted from which, in what order, and how far each of them reaches.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::decision::{Decision, Refusal};
use super::rules::products;
use crate::input::account_id::Id;
use crate::input::lines::Lines;
use crate::job::{Action, Budget, Policy, Remit};
use crate::score::Scores;

/// A budget by whose it is: that of a rule, or that of a product for the raises of all other rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purse {
    /// By position of the product.
    Product(u8),
    /// By position of the rule.
    Rule(u16),
}

impl Purse {
    /// What a raise is granted from; `None` where nothing bounds it.
    pub fn of(policy: &Policy, product: u8, rule: u16) -> Option<Purse> {
        let purses = [Purse::Rule(rule), Purse::Product(product)];
        purses.into_iter().find(|purse| purse.budget(policy).is_some())
    }

    /// All budgets of a policy: those of products, then those of rules.
    pub fn all(policy: &Policy) -> Vec<Purse> {
        let products = (0..policy.products.len()).map(|product| Purse::Product(product as u8));
        let rules = (0..policy.rules.len()).map(|rule| Purse::Rule(rule as u16));
        products.chain(rules).filter(|purse| purse.budget(policy).is_some()).collect()
    }

    /// How much there is; `None` where there is no such budget.
    pub fn budget(self, policy: &Policy) -> Option<Budget> {
        match self {
            Purse::Product(product) => policy.products[usize::from(product)].raise_budget,
            Purse::Rule(rule) => policy.rules[usize::from(rule)].budget,
        }
    }

    /// Whether lines of the product at a position count for what a budget in basis points comes to.
    pub fn counts(self, policy: &Policy, product: u8) -> bool {
        match self {
            Purse::Product(own) => own == product,
            Purse::Rule(rule) => policy.rules[usize::from(rule)].is_for(product),
        }
    }

    /// Whose it is, for people.
    pub fn owner(self, policy: &Policy) -> String {
        match self {
            Purse::Product(product) => policy.products[usize::from(product)].name.clone(),
            Purse::Rule(rule) => format!("rule `{}`", policy.rules[usize::from(rule)].name),
        }
    }
}

/// A raise that waits for its budget, as long as its account has a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuedRaise {
    /// The budget.
    pub purse: Purse,
    /// Of the account.
    pub score: i32,
    /// The account's position.
    pub account: u32,
    /// The product's position in the policy.
    pub product: u8,
    /// The line.
    pub line: usize,
    /// New limit less old limit, minor units; positive.
    pub amount: i128,
}

impl QueuedRaise {
    /// Raises of a budget are granted in this order: highest score first, then by account and product.
    fn order(&self) -> (Purse, Reverse<i32>, u32, u8) {
        (self.purse, Reverse(self.score), self.account, self.product)
    }
}

/// The first raise that a budget does not reach: that one and all after it are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetCut {
    /// The budget.
    pub purse: Purse,
    /// Of the account.
    pub score: i32,
    /// The account's id.
    pub account: Id,
    /// The product's position in the policy.
    pub product: u8,
}

/// The raises of a policy's accounts that wait for a budget, by budget, then in the order in which they are granted.
pub fn queued_raises(
    remit: &Remit,
    lines: &Lines,
    scores: &Scores,
    decisions: &[Decision],
) -> Vec<QueuedRaise> {
    let policy = remit.policy;
    let products = products(policy, lines, 0..decisions.len());
    let mut queue: Vec<QueuedRaise> = Vec::new();
    for (line, (decision, product)) in decisions.iter().zip(products).enumerate() {
        let account = lines.account[line];
        if decision.action != Action::Raise || !remit.covers(scores.assignment.arm(account as usize)) {
            continue;
        }
        let (Some(rule), Some(product)) = (decision.rule, product) else { continue };
        let Some(purse) = Purse::of(policy, product, rule) else { continue };
        let amount = i128::from(decision.new_limit) - i128::from(lines.limit[line]);
        let score = scores.score[account as usize];
        queue.push(QueuedRaise { purse, score, account, product, line, amount });
    }
    queue.sort_unstable_by_key(QueuedRaise::order);
    queue
}

/// The limits of a policy's accounts, minor units, of which a budget in basis points is a part.
pub fn counted_limits(remit: &Remit, purse: Purse, lines: &Lines, scores: &Scores) -> i128 {
    let policy = remit.policy;
    let products = products(policy, lines, 0..lines.account.len()).zip(&lines.account);
    let is_counted = |product: Option<u8>, account: u32| {
        product.is_some_and(|own| purse.counts(policy, own))
            && remit.covers(scores.assignment.arm(account as usize))
    };
    let counted =
        lines.limit.iter().zip(products).filter(|(_, (product, account))| is_counted(*product, **account));
    counted.map(|(limit, _)| i128::from(*limit)).sum()
}

/// The first amount that does not fit in a budget of which so much is spent already; `None` where all fit.
pub fn first_beyond(budget: i128, mut spent: i128, mut amounts: impl Iterator<Item = i128>) -> Option<usize> {
    amounts.position(|amount| {
        spent += amount;
        spent > budget
    })
}

/// Where each budget ends, of a policy whose lines are all here.
fn cuts(remit: &Remit, lines: &Lines, scores: &Scores, queue: &[QueuedRaise]) -> Vec<BudgetCut> {
    let mut cuts = Vec::new();
    for of_purse in queue.chunk_by(|a, b| a.purse == b.purse) {
        let purse = of_purse[0].purse;
        let Some(budget) = purse.budget(remit.policy) else { continue };
        let budget = budget.amount(counted_limits(remit, purse, lines, scores));
        if let Some(first) = first_beyond(budget, 0, of_purse.iter().map(|raise| raise.amount)) {
            let QueuedRaise { score, account, product, .. } = of_purse[first];
            cuts.push(BudgetCut { purse, score, account: lines.accounts.ids.get(account as usize), product });
        }
    }
    cuts
}

/// Refuses the raises that budgets do not reach.
pub fn apply_cuts(cuts: &[BudgetCut], lines: &Lines, queue: &[QueuedRaise], decisions: &mut [Decision]) {
    for cut in cuts {
        let account = lines.accounts.before(&cut.account);
        let is_here = lines.accounts.len() > account as usize
            && lines.accounts.ids.get(account as usize) == cut.account;
        let product = if is_here { cut.product } else { 0 };
        let first = (cut.purse, Reverse(cut.score), account, product);
        for raise in queue.iter().filter(|raise| raise.purse == cut.purse && raise.order() >= first) {
            decisions[raise.line] = over_budget(lines, raise.line, &decisions[raise.line]);
        }
    }
}

/// By budget: raises in order of score (highest first), account, then product are granted until the first
/// that does not fit; that one and all after it are refused.
pub(super) fn apply_budgets(remit: &Remit, lines: &Lines, scores: &Scores, decisions: &mut [Decision]) {
    let queue = queued_raises(remit, lines, scores, decisions);
    apply_cuts(&cuts(remit, lines, scores, &queue), lines, &queue, decisions);
}

/// What becomes of a raise that the budget does not reach.
pub fn over_budget(lines: &Lines, line: usize, raise: &Decision) -> Decision {
    Decision { bound_by: raise.bound_by, ..Decision::hold(lines, line, raise.rule, Some(Refusal::Budget)) }
}

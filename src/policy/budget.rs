//! Budgets: which raises are granted from which, in what order, and how far each of them reaches.

use std::cmp::Reverse;

use super::decision::{Decision, Refusal};
use super::rules::products;
use crate::input::lines::Lines;
use crate::job::{Action, Budget, Policy};
use crate::score::Scores;

/// A budget by whose it is: that of a rule, or that of a product for the raises of all other rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// By budget: raises in order of score (highest first), account, then product are granted until the first
/// that does not fit; that one and all after it are refused.
pub(super) fn apply_budgets(policy: &Policy, lines: &Lines, scores: &Scores, decisions: &mut [Decision]) {
    let products: Vec<Option<u8>> = products(policy, lines, 0..decisions.len()).collect();
    let raise = |line: usize| {
        let decision = &decisions[line];
        let (product, rule) = (products[line]?, decision.rule.filter(|_| decision.action == Action::Raise)?);
        let account = lines.account[line];
        let order = (Reverse(scores.score[account as usize]), account, product);
        Some((Purse::of(policy, product, rule)?, order, line))
    };
    let mut raises: Vec<_> = (0..decisions.len()).filter_map(raise).collect();
    raises.sort_unstable();
    for of_purse in raises.chunk_by(|a, b| a.0 == b.0) {
        let purse = of_purse[0].0;
        let Some(budget) = purse.budget(policy) else { continue };
        let limits = lines.limit.iter().zip(&products);
        let counted = limits.filter(|(_, product)| product.is_some_and(|own| purse.counts(policy, own)));
        let budget = budget.amount(counted.map(|(limit, _)| i128::from(*limit)).sum());
        let mut spent = 0_i128;
        let mut is_used_up = false;
        for (_, _, line) in of_purse {
            let decision = &mut decisions[*line];
            spent += i128::from(decision.new_limit) - i128::from(lines.limit[*line]);
            is_used_up |= spent > budget;
            if is_used_up {
                *decision = over_budget(lines, *line, decision);
            }
        }
    }
}

/// What becomes of a raise that the budget does not reach.
pub fn over_budget(lines: &Lines, line: usize, raise: &Decision) -> Decision {
    Decision { bound_by: raise.bound_by, ..Decision::hold(lines, line, raise.rule, Some(Refusal::Budget)) }
}

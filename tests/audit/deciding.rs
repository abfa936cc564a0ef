//! The model's decisions: rules, refusals, caps in product order, budgets.

use std::collections::BTreeMap;

use num_bigint::BigInt;

use super::book::{Book, Line};
use super::case::{Amount, Budget, Case, Product, Rule};
use super::scoring::Scored;
use super::value::{Row, Value};

/// What is decided about a line.
#[derive(Debug, Clone)]
pub struct Decision {
    pub action: &'static str,
    pub reason: String,
    pub rule: Option<String>,
    pub new_limit: i128,
    pub new_status: String,
    pub bound_by: Option<&'static str>,
    pub effective_on: Option<i32>,
}

/// A line on its way to a decision.
struct Candidate<'a> {
    line: &'a Line,
    scored: &'a Scored,
    product: Option<&'a Product>,
    rule: Option<&'a Rule>,
    /// None: waiting for its turn.
    decision: Option<Decision>,
}

/// The decisions of all lines, in the book's order.
pub fn decisions(case: &Case, book: &Book, scores: &BTreeMap<Value, Scored>) -> Vec<Decision> {
    let mut candidates: Vec<Candidate> =
        book.lines.iter().map(|line| candidate(case, line, &scores[&line.account])).collect();
    for candidate in &mut candidates {
        candidate.decision = at_once(case, book, candidate);
    }
    for account in book.accounts() {
        let own = &mut candidates[book.of_account(&account)];
        for product in &case.job.policy.products {
            let is_waiting = |one: &Candidate| one.line.product == product.name && one.decision.is_none();
            if let Some(place) = own.iter().position(is_waiting) {
                own[place].decision = Some(upward(case, own, place));
            }
        }
    }
    hold_to_budgets(case, &mut candidates);
    candidates.into_iter().map(|one| one.decision.expect("every line had its turn")).collect()
}

fn candidate<'a>(case: &'a Case, line: &'a Line, scored: &'a Scored) -> Candidate<'a> {
    let policy = &case.job.policy;
    let product = policy.products.iter().find(|product| product.name == line.product);
    let facts: Row = line.columns(case.as_of).into_iter().chain(scored.columns()).collect();
    let applies = |rule: &&Rule| {
        let named = rule.products.as_ref().is_none_or(|products| products.contains(&line.product));
        named && rule.when.is_true(&facts)
    };
    let rule = product.and_then(|_| policy.rules.iter().find(applies));
    Candidate { line, scored, product, rule, decision: None }
}

impl Candidate<'_> {
    fn hold(&self, reason: &str, bound_by: Option<&'static str>) -> Decision {
        Decision {
            action: "hold",
            reason: reason.to_string(),
            rule: self.rule.map(|rule| rule.name.clone()),
            new_limit: self.line.limit,
            new_status: self.line.status.clone(),
            bound_by,
            effective_on: None,
        }
    }

    fn act(&self, case: &Case, new_limit: i128, status: &str, bound_by: Option<&'static str>) -> Decision {
        let rule = self.rule.expect("an action has a rule");
        Decision {
            action: rule.action,
            reason: rule.reason.clone(),
            rule: Some(rule.name.clone()),
            new_limit,
            new_status: status.to_string(),
            bound_by,
            effective_on: Some(case.as_of + rule.notice_days.unwrap_or(0)),
        }
    }

    fn product_place(&self, case: &Case) -> usize {
        let mut products = case.job.policy.products.iter();
        products.position(|product| product.name == self.line.product).expect("a declared product")
    }

    /// Where the rule would take the limit before anything cuts it.
    fn target(&self) -> i128 {
        let old = self.line.limit;
        let rule = self.rule.expect("a target has a rule");
        let sign = if rule.action == "lower" { -1 } else { 1 };
        match rule.amount {
            Some(Amount::Percent(percent)) => old + sign * (old * i128::from(percent) / 100),
            Some(Amount::By(by)) => old + sign * i128::from(by),
            Some(Amount::To(to)) => to.into(),
            None => old,
        }
    }

    fn goes_up(&self) -> bool {
        match self.rule.expect("only with a rule").action {
            "raise" => true,
            "reopen" => self.target() > self.line.limit,
            _ => false,
        }
    }

    /// What the line counts for in its account's exposure.
    fn exposure(&self, case: &Case) -> i128 {
        let old = self.line.exposure();
        let Some(decision) = self.decision.as_ref().filter(|decision| decision.action != "hold") else {
            return old;
        };
        let settled = Line {
            limit: decision.new_limit,
            status: decision.new_status.clone(),
            pending: None,
            ..self.line.clone()
        };
        match decision.effective_on.expect("an action has a date") > case.as_of {
            true => settled.exposure().max(old),
            false => settled.exposure(),
        }
    }
}

/// Settles whatever does not go up; None: it has to wait.
fn at_once(case: &Case, book: &Book, one: &Candidate) -> Option<Decision> {
    if one.product.is_none() {
        return Some(one.hold("no_product", None));
    }
    let Some(rule) = one.rule else { return Some(one.hold("no_rule", None)) };
    if rule.action == "hold" {
        return Some(one.hold(&rule.reason, None));
    }
    if let Some(reason) = refusal(case, book, one, rule) {
        return Some(one.hold(reason, None));
    }
    if one.goes_up() {
        return None;
    }
    let old = one.line.limit;
    Some(match rule.action {
        "close" => one.act(case, 0, "closed", None),
        "suspend" => one.act(case, old, "suspended", None),
        "withdraw" => one.act(case, old, &one.line.status, None),
        "reopen" => one.act(case, one.target(), "active", None),
        _ => match lowered(one, rule) {
            new if new < old => one.act(case, new, &one.line.status, None),
            _ => one.hold("floor", None),
        },
    })
}

/// The first of the reasons that need no cap.
fn refusal(case: &Case, book: &Book, one: &Candidate, rule: &Rule) -> Option<&'static str> {
    let (line, status, action) = (one.line, one.line.status.as_str(), rule.action);
    let changes_limit = action == "raise" || action == "lower";
    let new_status = match action {
        "close" => "closed",
        "suspend" => "suspended",
        _ => "active",
    };
    let effective_on = case.as_of + rule.notice_days.unwrap_or(0);
    let leads_there = line.pending.as_ref().is_some_and(|p| p.status == new_status && p.on <= effective_on);
    let policy = &case.job.policy;
    let rests = |since: Option<i32>, days: Option<i64>| {
        since.is_some_and(|since| i64::from(case.as_of - since) < days.unwrap_or(0))
    };
    let target = one.target();
    let reasons = [
        ((changes_limit && status != "active") || (action == "suspend" && status == "closed"), "not_active"),
        (
            match action {
                "raise" => target <= line.limit,
                "lower" => target >= line.limit,
                "withdraw" => line.pending.is_none(),
                _ => status == new_status,
            },
            "no_change",
        ),
        (
            match action {
                "raise" | "lower" => line.pending.is_some(),
                "withdraw" => false,
                _ => leads_there,
            },
            "pending",
        ),
        (action == "raise" && book.tainted.contains(&line.account), "rejected_line"),
        (
            match action {
                "raise" => {
                    rests(line.increased_on, policy.raise_after_raise_days)
                        || rests(line.decreased_on, policy.raise_after_lower_days)
                }
                "lower" => rests(line.decreased_on, policy.lower_after_lower_days),
                _ => false,
            },
            "cooldown",
        ),
    ];
    reasons.into_iter().find(|(holds, _)| *holds).map(|(_, reason)| reason)
}

fn rounded_down(amount: i128, step: i64) -> i128 {
    amount - amount.rem_euclid(step.into())
}

fn rounded_up(amount: i128, step: i64) -> i128 {
    -rounded_down(-amount, step)
}

fn lowered(one: &Candidate, rule: &Rule) -> i128 {
    let product = one.product.expect("a declared product");
    let floor = rounded_up(one.target(), product.step).max(product.min_limit.into());
    match rule.never_below_balance {
        Some(true) => floor.max(rounded_up(one.line.balance, product.step)),
        _ => floor,
    }
}

/// A raise, or a reopen that goes up, with the headroom that the account's other lines leave.
fn upward(case: &Case, candidates: &[Candidate], place: usize) -> Decision {
    let one = &candidates[place];
    let old = one.line.limit;
    let product = one.product.expect("a declared product");
    let others = candidates.iter().enumerate().filter(|(other, _)| *other != place);
    let others: i128 = others.map(|(_, candidate)| candidate.exposure(case)).sum();
    let mut target = one.target();
    let mut bound_by = None;
    for (name, cap) in caps(case, one, product, others) {
        let cap = cap.max(0);
        if cap < target {
            (target, bound_by) = (cap, Some(name));
        }
    }
    let new = rounded_down(target, product.step);
    if one.rule.expect("a rule").action == "reopen" {
        return one.act(case, new.max(old), "active", bound_by);
    }
    if bound_by.is_some() && new <= old {
        one.hold("cap", bound_by)
    } else if new - old < i128::from(product.min_raise.unwrap_or(0).max(1)) {
        one.hold("below_min_raise", bound_by)
    } else {
        one.act(case, new, &one.line.status, bound_by)
    }
}

fn caps(case: &Case, one: &Candidate, product: &Product, others: i128) -> Vec<(&'static str, i128)> {
    let policy = &case.job.policy;
    let mut caps = vec![("product_max", i128::from(product.max_limit))];
    if let Some(most) = product.band_max.get(&one.scored.band) {
        caps.push(("band_max", (*most).into()));
    }
    if let Some(most) = policy.max_total_limit {
        caps.push(("total_limit", i128::from(most) - others));
    }
    if let Some((feature, bp)) = &policy.affordability {
        let means = one.scored.features[feature].small().unwrap_or(0).max(0);
        caps.push(("affordability", means * i128::from(*bp) / 10_000 - others));
    }
    caps
}

/// Raises use up the budget of their rule, or else that of their product.
fn hold_to_budgets(case: &Case, candidates: &mut [Candidate]) {
    let policy = &case.job.policy;
    for product in &policy.products {
        let is_its_own = |one: &Candidate| {
            one.line.product == product.name && one.rule.is_some_and(|rule| rule.budget.is_none())
        };
        let limits = total_limit(candidates, |name| *name == product.name);
        hold_to_budget(case, product.raise_budget, limits, is_its_own, candidates);
    }
    for rule in &policy.rules {
        let is_its_own = |one: &Candidate| one.rule.is_some_and(|own| own.name == rule.name);
        let limits = total_limit(candidates, |name| {
            let is_declared = policy.products.iter().any(|product| product.name == *name);
            is_declared && rule.products.as_ref().is_none_or(|products| products.contains(name))
        });
        hold_to_budget(case, rule.budget, limits, is_its_own, candidates);
    }
}

/// Over all lines of some products.
fn total_limit(candidates: &[Candidate], is_counted: impl Fn(&String) -> bool) -> i128 {
    let counted = candidates.iter().filter(|one| is_counted(&one.line.product));
    counted.map(|one| one.line.limit).sum()
}

/// Refuses all raises from the first that does not fit, in order of score, account, product.
fn hold_to_budget(
    case: &Case,
    budget: Option<Budget>,
    limits: i128,
    is_its_own: impl Fn(&Candidate) -> bool,
    candidates: &mut [Candidate],
) {
    let Some(budget) = budget else { return };
    let budget = match budget {
        Budget::Amount(amount) => BigInt::from(amount),
        Budget::Share(bp) => BigInt::from(limits) * bp / 10_000,
    };
    let is_raise = |one: &Candidate| one.decision.as_ref().is_some_and(|d| d.action == "raise");
    let mut raises: Vec<usize> = (0..candidates.len())
        .filter(|place| is_raise(&candidates[*place]) && is_its_own(&candidates[*place]))
        .collect();
    raises.sort_by_key(|place| {
        let one = &candidates[*place];
        (-one.scored.score, one.line.account.clone(), one.product_place(case))
    });
    let mut granted: i128 = 0;
    let mut is_spent = false;
    for place in raises {
        let one = &candidates[place];
        let decision = one.decision.as_ref().expect("a raise");
        granted += decision.new_limit - one.line.limit;
        is_spent |= BigInt::from(granted) > budget;
        if is_spent {
            candidates[place].decision = Some(one.hold("budget", decision.bound_by));
        }
    }
}

//! Settles the rules' actions of one account, in the order that decides who gets the headroom.

use std::ops::Range;

use super::decision::{Cap, Decision, Refusal};
use super::rules::Ruling;
use crate::day::Day;
use crate::input::lines::{Lines, Status};
use crate::job::{Action, Amount, Policy, Product, Rule};

/// An account about to be settled.
pub(super) struct AccountLines<'a> {
    pub policy: &'a Policy,
    pub as_of: Day,
    pub lines: &'a Lines,
    /// Its lines.
    pub range: Range<usize>,
    /// Position of its band.
    pub band: u8,
    /// The bound that affordability sets on its exposure, if configured.
    pub affordability: Option<i128>,
}

/// What a line's rule comes to.
enum ActionOutcome {
    /// Nothing; the cap that cut the raise, where one did.
    Refused(Refusal, Option<Cap>),
    /// A new limit and status.
    Granted { limit: i64, status: Status, bound_by: Option<Cap> },
}

/// Decides every line of an account. `on_turn` is called for each line that has to wait for headroom, with its
/// position among the account's, and of the exposure of the others when its turn comes.
pub(super) fn settle_account(
    account: &AccountLines,
    rulings: &[Ruling],
    mut on_turn: impl FnMut(usize, i128),
) -> Vec<Decision> {
    let lines = account.lines;
    let mut exposures: Vec<i128> = account.range.clone().map(|line| current_exposure(lines, line)).collect();
    let mut decisions: Vec<Decision> = Vec::with_capacity(rulings.len());
    let mut waiting: Vec<(u8, usize)> = Vec::new();
    for (own, ruling) in rulings.iter().enumerate() {
        let line = account.range.start + own;
        let decision = match (ruling.product, ruling.rule) {
            (None, _) => Decision::hold(lines, line, None, Some(Refusal::NoProduct)),
            (_, None) => Decision::hold(lines, line, None, Some(Refusal::NoRule)),
            (Some(product), Some(number)) => {
                let rule = &account.policy.rules[usize::from(number)];
                if wants_headroom(rule, lines, line) {
                    waiting.push((product, own));
                    Decision::hold(lines, line, Some(number), None)
                } else {
                    let product = &account.policy.products[usize::from(product)];
                    let outcome = settle_freely(account, line, rule, product);
                    conclude(account, line, number, rule, outcome)
                }
            }
        };
        decisions.push(decision);
    }
    for (own, decision) in decisions.iter().enumerate() {
        exposures[own] = settled_exposure(account, account.range.start + own, decision, exposures[own]);
    }
    waiting.sort_unstable();
    for (product, own) in waiting {
        let line = account.range.start + own;
        let number = decisions[own].rule.expect("only lines with a rule wait");
        let rule = &account.policy.rules[usize::from(number)];
        let product = &account.policy.products[usize::from(product)];
        let others = exposures.iter().sum::<i128>() - exposures[own];
        on_turn(own, others);
        let outcome = settle_upward(account, line, rule, product, others);
        decisions[own] = conclude(account, line, number, rule, outcome);
        exposures[own] = settled_exposure(account, line, &decisions[own], exposures[own]);
    }
    decisions
}

/// Whether the action may add exposure, and so has to wait for its product's turn.
fn wants_headroom(rule: &Rule, lines: &Lines, line: usize) -> bool {
    match (rule.action, rule.amount) {
        (Action::Raise, _) => true,
        (Action::Reopen, Some(Amount::To(to))) => to > lines.limit[line],
        _ => false,
    }
}

fn conclude(
    account: &AccountLines,
    line: usize,
    number: u16,
    rule: &Rule,
    outcome: Option<ActionOutcome>,
) -> Decision {
    match outcome {
        None => Decision::hold(account.lines, line, Some(number), None),
        Some(ActionOutcome::Refused(refusal, bound_by)) => {
            Decision { bound_by, ..Decision::hold(account.lines, line, Some(number), Some(refusal)) }
        }
        Some(ActionOutcome::Granted { limit, status, bound_by }) => Decision {
            action: rule.action,
            refusal: None,
            rule: Some(number),
            new_limit: limit,
            new_status: status,
            bound_by,
            effective_on: Some(effective_on(account, rule)),
        },
    }
}

/// A withdraw has no notice.
fn effective_on(account: &AccountLines, rule: &Rule) -> Day {
    account.as_of.plus(rule.notice_days as i32)
}

fn refused(refusal: Refusal) -> Option<ActionOutcome> {
    Some(ActionOutcome::Refused(refusal, None))
}

/// Close, suspend, lower, and a reopen that does not go up; `None` for a rule that holds.
fn settle_freely(
    account: &AccountLines,
    line: usize,
    rule: &Rule,
    product: &Product,
) -> Option<ActionOutcome> {
    let lines = account.lines;
    let (limit, status) = (lines.limit[line], lines.status[line]);
    match (rule.action, status) {
        (Action::Hold, _) => None,
        (Action::Raise, _) => unreachable!("raises wait for their product's turn"),
        (Action::Close, Status::Closed) => refused(Refusal::NoChange),
        (Action::Close, _) => to_status(account, line, rule, 0, Status::Closed),
        (Action::Suspend, Status::Closed) => refused(Refusal::NotActive),
        (Action::Suspend, Status::Suspended) => refused(Refusal::NoChange),
        (Action::Suspend, Status::Active) => to_status(account, line, rule, limit, Status::Suspended),
        (Action::Reopen, Status::Active) => refused(Refusal::NoChange),
        (Action::Reopen, _) => match rule.amount {
            Some(Amount::To(to)) => to_status(account, line, rule, to, Status::Active),
            _ => to_status(account, line, rule, limit, Status::Active),
        },
        (Action::Lower, _) => Some(lower(account, line, rule, product)),
        (Action::Withdraw, _) if lines.pending[line].is_none() => refused(Refusal::NoChange),
        (Action::Withdraw, _) => Some(ActionOutcome::Granted { limit, status, bound_by: None }),
    }
}

/// The line in another status, unless an earlier adjustment brings it there.
fn to_status(
    account: &AccountLines,
    line: usize,
    rule: &Rule,
    limit: i64,
    status: Status,
) -> Option<ActionOutcome> {
    if is_pending_already(account, line, rule, status) {
        return refused(Refusal::Pending);
    }
    Some(ActionOutcome::Granted { limit, status, bound_by: None })
}

/// Whether an earlier adjustment brings the line to the status no later than this one would.
fn is_pending_already(account: &AccountLines, line: usize, rule: &Rule, status: Status) -> bool {
    let pending = account.lines.pending[line];
    pending.is_some_and(|pending| pending.status == status && pending.on <= effective_on(account, rule))
}

/// Whether less than `wait` days have passed since `day`.
fn is_recent(account: &AccountLines, day: Option<Day>, wait: u32) -> bool {
    day.is_some_and(|day| account.as_of.since(day) < i64::from(wait))
}

/// old + sign × what the rule says; `to` as it stands.
fn target(rule: &Rule, old: i64, sign: i128) -> i128 {
    let old = i128::from(old);
    match rule.amount.expect("raise and lower have an amount") {
        Amount::Percent(percent) => old + sign * (old * i128::from(percent) / 100),
        Amount::By(by) => old + sign * i128::from(by),
        Amount::To(to) => i128::from(to),
    }
}

fn round_down(amount: i128, step: i64) -> i128 {
    amount.div_euclid(i128::from(step)) * i128::from(step)
}

fn round_up(amount: i128, step: i64) -> i128 {
    -round_down(-amount, step)
}

fn lower(account: &AccountLines, line: usize, rule: &Rule, product: &Product) -> ActionOutcome {
    let lines = account.lines;
    let old = lines.limit[line];
    let target = target(rule, old, -1);
    let cooldown = account.policy.cooldown.lower_after_lower_days;
    if lines.status[line] != Status::Active {
        return ActionOutcome::Refused(Refusal::NotActive, None);
    }
    if target >= i128::from(old) {
        return ActionOutcome::Refused(Refusal::NoChange, None);
    }
    if lines.pending[line].is_some() {
        return ActionOutcome::Refused(Refusal::Pending, None);
    }
    if is_recent(account, lines.decreased_on[line], cooldown) {
        return ActionOutcome::Refused(Refusal::Cooldown, None);
    }
    let mut new = round_up(target, product.step).max(i128::from(product.min_limit));
    if rule.never_below_balance {
        new = new.max(round_up(i128::from(lines.balance[line]), product.step));
    }
    if new >= i128::from(old) {
        return ActionOutcome::Refused(Refusal::Floor, None);
    }
    ActionOutcome::Granted { limit: new as i64, status: Status::Active, bound_by: None }
}

/// A raise, or a reopen that goes up; `others` is the exposure of the account's other lines.
fn settle_upward(
    account: &AccountLines,
    line: usize,
    rule: &Rule,
    product: &Product,
    others: i128,
) -> Option<ActionOutcome> {
    let old = account.lines.limit[line];
    let target = target(rule, old, 1);
    match rule.action {
        Action::Raise => Some(raise(account, line, product, target, others)),
        _ if account.lines.status[line] == Status::Active => refused(Refusal::NoChange),
        _ if is_pending_already(account, line, rule, Status::Active) => refused(Refusal::Pending),
        _ => {
            let (cut, bound_by) = cut(account, product, target, others);
            let limit = round_down(cut, product.step).max(i128::from(old)) as i64;
            Some(ActionOutcome::Granted { limit, status: Status::Active, bound_by })
        }
    }
}

fn raise(
    account: &AccountLines,
    line: usize,
    product: &Product,
    target: i128,
    others: i128,
) -> ActionOutcome {
    let lines = account.lines;
    let old = i128::from(lines.limit[line]);
    let cooldown = account.policy.cooldown;
    if lines.status[line] != Status::Active {
        return ActionOutcome::Refused(Refusal::NotActive, None);
    }
    if target <= old {
        return ActionOutcome::Refused(Refusal::NoChange, None);
    }
    if lines.pending[line].is_some() {
        return ActionOutcome::Refused(Refusal::Pending, None);
    }
    if lines.has_rejected[lines.account[line] as usize] {
        return ActionOutcome::Refused(Refusal::RejectedLine, None);
    }
    if is_recent(account, lines.increased_on[line], cooldown.raise_after_raise_days)
        || is_recent(account, lines.decreased_on[line], cooldown.raise_after_lower_days)
    {
        return ActionOutcome::Refused(Refusal::Cooldown, None);
    }
    let (cut, bound_by) = cut(account, product, target, others);
    let new = round_down(cut, product.step);
    if bound_by.is_some() && new <= old {
        return ActionOutcome::Refused(Refusal::Cap, bound_by);
    }
    if new - old < i128::from(product.min_raise.max(1)) {
        return ActionOutcome::Refused(Refusal::BelowMinRaise, bound_by);
    }
    match i64::try_from(new) {
        Ok(limit) => ActionOutcome::Granted { limit, status: Status::Active, bound_by },
        Err(_) => unreachable!("product_max cuts every raise to 64 bits"),
    }
}

/// The target after each cap in turn, and the cap that cut it last.
fn cut(account: &AccountLines, product: &Product, target: i128, others: i128) -> (i128, Option<Cap>) {
    caps(account, product, others).into_iter().fold((target, None), |(amount, bound_by), (cap, most)| {
        match most {
            Some(most) if most < amount => (most, Some(cap)),
            _ => (amount, bound_by),
        }
    })
}

/// What each cap leaves room for, in the order in which they cut; `None` where it is not configured.
fn caps(account: &AccountLines, product: &Product, others: i128) -> [(Cap, Option<i128>); 4] {
    let caps = [
        (Cap::ProductMax, Some(i128::from(product.max_limit))),
        (Cap::BandMax, product.band_max[usize::from(account.band)].map(i128::from)),
        (Cap::TotalLimit, account.policy.max_total_limit.map(|most| i128::from(most) - others)),
        (Cap::Affordability, account.affordability.map(|most| most - others)),
    ];
    caps.map(|(cap, most)| (cap, most.map(|most| most.max(0))))
}

/// How the target of a rule that wants headroom came down to a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waterfall {
    /// The limit before, minor units.
    pub old: i128,
    /// What the rule asks for.
    pub target: i128,
    /// The exposure of the account's other lines when it was this line's turn.
    pub others: i128,
    /// What each cap leaves room for.
    pub caps: [(Cap, Option<i128>); 4],
    /// What is left after all of them.
    pub cut: i128,
    /// That, rounded down to the product's step.
    pub rounded: i128,
}

/// The waterfall of a line of `product` under a raise or a reopen that goes up.
pub(super) fn waterfall(
    account: &AccountLines,
    line: usize,
    rule: &Rule,
    product: &Product,
    others: i128,
) -> Waterfall {
    let old = account.lines.limit[line];
    let target = target(rule, old, 1);
    let (cut, _) = cut(account, product, target, others);
    let caps = caps(account, product, others);
    Waterfall { old: old.into(), target, others, caps, cut, rounded: round_down(cut, product.step) }
}

/// What a line may come to cost: its limit or its balance, whichever is more, and what is pending.
pub fn exposure(status: Status, limit: i64, balance: i64, pending: Option<i64>) -> i128 {
    let most = match status {
        Status::Closed => balance.max(0),
        _ => limit.max(balance).max(pending.unwrap_or(limit)),
    };
    i128::from(most)
}

/// The exposure once decided: `old` on hold; as it will be, or the larger of both under notice.
pub fn exposure_after(
    old: i128,
    (status, limit): (Status, i64),
    balance: i64,
    effective_on: Option<Day>,
    as_of: Day,
) -> i128 {
    let Some(effective_on) = effective_on else { return old };
    let new = exposure(status, limit, balance, None);
    if effective_on > as_of { new.max(old) } else { new }
}

fn current_exposure(lines: &Lines, line: usize) -> i128 {
    let pending = lines.pending[line].map(|pending| pending.limit);
    exposure(lines.status[line], lines.limit[line], lines.balance[line], pending)
}

fn settled_exposure(account: &AccountLines, line: usize, decision: &Decision, old: i128) -> i128 {
    let settled = (decision.new_status, decision.new_limit);
    exposure_after(old, settled, account.lines.balance[line], decision.effective_on, account.as_of)
}

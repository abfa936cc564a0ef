//! How one line came to its decision: rules, caps, cool-downs, budget, outcome.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::budget::BudgetLeft;
use super::counterfactual::Counterfactuals;
use super::what_if::{Assessment, WhatIf};
use crate::day::Day;
use crate::job::{Action, Amount, Rule};
use crate::policy::trace::{Fact, FactValue, LineTrace};
use crate::policy::{Refusal, Waterfall};

/// One line, explained. Money in minor units.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LineExplanation {
    /// The line's product.
    pub product: String,
    /// As it was.
    pub status: &'static str,
    /// Days since it is so; null where that is not known, or no rule of the policy asks.
    pub days_in_status: Option<i64>,
    /// The reason that gave it; likewise.
    pub status_reason: Option<String>,
    /// As it was.
    pub limit: i64,
    /// What is owed.
    pub balance: i64,
    /// Days since it was opened.
    pub days_open: i64,
    /// Null if it never went up.
    pub days_since_increase: Option<i64>,
    /// Null if it never went down.
    pub days_since_decrease: Option<i64>,
    /// What earlier runs decided that is not in effect yet.
    pub pending: Option<PendingChange>,
    /// Whether the snapshot holds a rejected row of the account.
    pub has_rejected_row: bool,
    /// The policy's rules, in order.
    pub rules: Vec<RuleRead>,
    /// How the caps cut what the deciding rule asks for, where it asks for more than there is.
    pub caps: Option<Caps>,
    /// The cool-downs that the deciding rule's action has to observe.
    pub cooldowns: Vec<CooldownCheck>,
    /// What a raise found of its product's budget.
    pub budget: Option<BudgetCheck>,
    /// What came of it.
    pub outcome: LineOutcome,
    /// What would change it.
    #[serde(rename = "turns")]
    pub counterfactuals: Counterfactuals,
}

/// An adjustment that takes effect after the as-of date.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PendingChange {
    /// The limit to come.
    pub limit: i64,
    /// The status to come.
    pub status: &'static str,
    /// When.
    pub on: Day,
}

/// A rule before the line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RuleRead {
    /// Its name.
    pub rule: String,
    /// Whether it is for the line's product.
    pub is_for_product: bool,
    /// Null is unknown, which counts as not true.
    pub truth: Option<bool>,
    /// Whether it is the first that applies.
    pub decides: bool,
    /// Its condition, as written.
    pub when: String,
    /// What the condition reads.
    pub reads: Reads,
}

/// Names and values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads(pub Vec<Fact>);

impl Serialize for Reads {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for fact in &self.0 {
            match &fact.value {
                FactValue::Null => map.serialize_entry(&fact.name, &None::<i64>)?,
                FactValue::Int(value) => map.serialize_entry(&fact.name, value)?,
                FactValue::Text(value) => map.serialize_entry(&fact.name, value)?,
                FactValue::Bool(value) => map.serialize_entry(&fact.name, value)?,
                FactValue::Date(value) => map.serialize_entry(&fact.name, value)?,
            }
        }
        map.end()
    }
}

/// The way from what a rule asks for to a limit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Caps {
    /// What the rule asks for, in words.
    pub asks: String,
    /// And in money.
    pub target: i128,
    /// The exposure of the account's other lines.
    pub other_lines: i128,
    /// In the order in which they cut; those not configured are left out.
    pub steps: Vec<CapStep>,
    /// The product's step.
    pub rounded_to: i64,
    /// After all caps and rounding.
    pub rounded: i128,
    /// The least a raise must add.
    pub min_raise: i64,
}

/// One cap.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CapStep {
    /// Its name.
    pub cap: &'static str,
    /// The limit it leaves room for.
    pub room: i128,
    /// What is left of the target after it.
    pub left: i128,
    /// Whether it cut.
    pub cuts: bool,
}

/// A cool-down.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CooldownCheck {
    /// As the policy calls it.
    pub name: &'static str,
    /// Days that have to pass.
    pub wait: u32,
    /// Days that have passed; null if there was no such change.
    pub passed: Option<i64>,
    /// Whether that is enough.
    pub holds: bool,
}

/// A raise before the budget that it is granted from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BudgetCheck {
    /// Whose it is: a product's or a rule's.
    pub of: String,
    /// Of the run.
    pub budget: i128,
    /// What raises of better scores have taken; null where one of them did not fit, so that all after it
    /// are refused.
    pub taken_before: Option<i128>,
    /// What this one asks for.
    pub asks: i128,
    /// Whether it is granted.
    pub granted: bool,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LineOutcome {
    /// What happens.
    pub action: &'static str,
    /// The action the rule asks for; null if no rule applies.
    pub asked: Option<&'static str>,
    /// The rule's name.
    pub rule: Option<String>,
    /// The code.
    pub reason: String,
    /// The reason in a sentence: the rule's own, or why its action is refused.
    pub text: Option<String>,
    /// Why the rule's action does not happen.
    pub refused: Option<&'static str>,
    /// The cap that cut last.
    pub bound_by: Option<&'static str>,
    /// Minor units.
    pub new_limit: i64,
    /// The status from then on.
    pub new_status: &'static str,
    /// Null on hold.
    pub effective_on: Option<Day>,
}

/// Explains the line at a position; `budget_left` is what its raise finds in its budget, where it comes that far.
pub fn explain_line(
    what_if: &WhatIf,
    now: &Assessment,
    trace: &LineTrace,
    line: usize,
    counterfactuals: Counterfactuals,
    budget_left: Option<BudgetLeft>,
) -> LineExplanation {
    let lines = &what_if.facts.lines;
    let job = &what_if.job;
    let as_of = what_if.run.manifest.as_of;
    let decision = &now.decisions[line];
    let rule = decision.rule_of(&job.policy);
    let days_in_status = lines.status_since[line].map(|day| as_of.since(day));
    let days_since_increase = lines.increased_on[line].map(|day| as_of.since(day));
    let days_since_decrease = lines.decreased_on[line].map(|day| as_of.since(day));
    let decided = what_if.as_published(decision, now);
    let text = match decision.refusal {
        Some(refusal) => Some(refusal.in_words().to_string()),
        None => rule.and_then(|rule| rule.text.as_ref()).map(|text| what_if.filled(text)),
    };
    LineExplanation {
        product: lines.product.get(line).unwrap_or_default().to_string(),
        status: lines.status[line].name(),
        days_in_status,
        status_reason: lines.status_reason.get(line).map(str::to_string),
        limit: lines.limit[line],
        balance: lines.balance[line],
        days_open: as_of.since(lines.opened_on[line]),
        days_since_increase,
        days_since_decrease,
        pending: lines.pending[line].map(|pending| PendingChange {
            limit: pending.limit,
            status: pending.status.name(),
            on: pending.on,
        }),
        has_rejected_row: lines.has_rejected[0],
        rules: rules(what_if, trace),
        caps: trace
            .waterfall
            .as_ref()
            .zip(rule)
            .map(|(waterfall, rule)| caps(what_if, line, rule, waterfall)),
        cooldowns: rule.map_or(Vec::new(), |rule| {
            cooldowns(what_if, rule.action, days_since_increase, days_since_decrease)
        }),
        budget: budget(what_if, trace, budget_left),
        outcome: LineOutcome {
            action: decision.action.name(),
            asked: rule.map(|rule| rule.action.name()),
            rule: decided.rule,
            reason: decided.reason,
            text,
            refused: decision.refusal.map(Refusal::name),
            bound_by: decision.bound_by.map(|cap| cap.name()),
            new_limit: decision.new_limit,
            new_status: decision.new_status.name(),
            effective_on: decision.effective_on,
        },
        counterfactuals,
    }
}

fn rules(what_if: &WhatIf, trace: &LineTrace) -> Vec<RuleRead> {
    let rules = what_if.job.policy.rules.iter().zip(&trace.rules).enumerate();
    let reads = rules.map(|(number, (rule, trace_of_rule))| RuleRead {
        rule: rule.name.clone(),
        is_for_product: trace_of_rule.is_for_product,
        truth: trace_of_rule.truth,
        decides: trace.rule == Some(number),
        when: rule.when.text.split_whitespace().collect::<Vec<_>>().join(" "),
        reads: Reads(trace_of_rule.facts.clone()),
    });
    reads.collect()
}

fn caps(what_if: &WhatIf, line: usize, rule: &Rule, waterfall: &Waterfall) -> Caps {
    let product = what_if.facts.lines.product.get(line);
    let product = what_if.job.policy.products.iter().find(|known| Some(known.name.as_str()) == product);
    let product = product.expect("a rule applies to declared products only");
    let minor_units = what_if.job.minor_units;
    let asks = match rule.amount {
        Some(Amount::Percent(percent)) => format!("{percent} % more"),
        Some(Amount::By(by)) => format!("{} more", crate::console::money(by.into(), minor_units)),
        Some(Amount::To(_)) | None => "a limit of its own".to_string(),
    };
    let mut left = waterfall.target;
    let mut steps = Vec::new();
    for (cap, room) in waterfall.caps {
        let Some(room) = room else { continue };
        let cuts = room < left;
        left = left.min(room);
        steps.push(CapStep { cap: cap.name(), room, left, cuts });
    }
    Caps {
        asks,
        target: waterfall.target,
        other_lines: waterfall.others,
        steps,
        rounded_to: product.step,
        rounded: waterfall.rounded,
        min_raise: if rule.action == Action::Raise { product.min_raise.max(1) } else { 0 },
    }
}

/// The cool-downs of an action; those of no days are left out.
fn cooldowns(
    what_if: &WhatIf,
    action: Action,
    days_since_increase: Option<i64>,
    days_since_decrease: Option<i64>,
) -> Vec<CooldownCheck> {
    let waits = what_if.job.policy.cooldown;
    let all = match action {
        Action::Raise => vec![
            CooldownCheck::new("raise after raise", waits.raise_after_raise_days, days_since_increase),
            CooldownCheck::new("raise after lower", waits.raise_after_lower_days, days_since_decrease),
        ],
        Action::Lower => {
            vec![CooldownCheck::new("lower after lower", waits.lower_after_lower_days, days_since_decrease)]
        }
        _ => Vec::new(),
    };
    all.into_iter().filter(|check| check.wait > 0).collect()
}

impl CooldownCheck {
    fn new(name: &'static str, wait: u32, passed: Option<i64>) -> CooldownCheck {
        let holds = passed.is_none_or(|passed| passed >= i64::from(wait));
        CooldownCheck { name, wait, passed, holds }
    }
}

/// Only a raise that nothing else refused comes before its budget.
fn budget(what_if: &WhatIf, trace: &LineTrace, budget_left: Option<BudgetLeft>) -> Option<BudgetCheck> {
    let (left, waterfall) = budget_left.zip(trace.waterfall.as_ref())?;
    let asks = waterfall.rounded - waterfall.old;
    let of = left.purse.owner(&what_if.job.policy);
    Some(BudgetCheck { of, budget: left.budget, taken_before: left.spent, asks, granted: left.grants(asks) })
}

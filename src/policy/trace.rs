//! How each line of one account comes to its decision: every rule's truth with what it read, and the caps.

use super::decide::account;
use super::rules::{facts, rulings};
use super::settle::{Waterfall, settle_account, waterfall};
use crate::day::Day;
use crate::expr::{Column, Frame, Type};
use crate::features::FeatureTable;
use crate::input::lines::Lines;
use crate::job::Job;
use crate::score::Scores;

/// What a fact was when a rule read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// As the rule calls it.
    pub name: String,
    /// What it was.
    pub value: FactValue,
}

/// A value of any type that expressions know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactValue {
    /// There was none.
    Null,
    /// An integer.
    Int(i64),
    /// Text.
    Text(String),
    /// A Boolean.
    Bool(bool),
    /// A date.
    Date(Day),
}

impl FactValue {
    /// A row of a column of a type.
    pub fn of(column: &Column, kind: Type, row: usize) -> FactValue {
        if !column.is_valid(row) {
            return FactValue::Null;
        }
        match column {
            Column::Int(ints) if kind == Type::Date => FactValue::Date(Day(ints.values[row] as i32)),
            Column::Int(ints) => FactValue::Int(ints.values[row]),
            Column::Text(texts) => {
                texts.get(row).map_or(FactValue::Null, |text| FactValue::Text(text.to_string()))
            }
            Column::Bool(truths) => FactValue::Bool(truths[row] == crate::expr::column::TRUE),
            Column::Wide(_) => unreachable!("facts are of 64 bits"),
        }
    }
}

/// A rule as it stood before one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTrace {
    /// Whether it is for the line's product.
    pub is_for_product: bool,
    /// What its condition came to; `None` is unknown, which counts as not true.
    pub truth: Option<bool>,
    /// What the condition reads, in the order of the facts.
    pub facts: Vec<Fact>,
}

/// How one line came to its decision, as far as its own account goes (budgets look at all).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineTrace {
    /// Every rule of the policy, in order.
    pub rules: Vec<RuleTrace>,
    /// The position of the first that is for the product and true.
    pub rule: Option<usize>,
    /// Where the rule wants more limit than there is: how the caps cut it, whether or not it was refused
    /// for something else before.
    pub waterfall: Option<Waterfall>,
}

/// Traces the lines of the only account that there is.
pub fn trace(
    job: &Job,
    as_of: Day,
    lines: &Lines,
    features: &FeatureTable,
    scores: &Scores,
) -> Vec<LineTrace> {
    let range = 0..lines.account.len();
    let own = rulings(&job.decision_terms(), as_of, lines, features, scores, range.clone());
    let columns = facts(&job.decision_terms(), as_of, lines, features, scores, range.clone());
    let frame = Frame { rows: range.len(), columns: columns.iter().map(Option::as_ref).collect() };
    let mut traces: Vec<LineTrace> = own
        .iter()
        .map(|ruling| LineTrace { rules: Vec::new(), rule: ruling.rule.map(usize::from), waterfall: None })
        .collect();
    for rule in &job.policy.rules {
        let truths = rule.when.truths(&frame);
        for (row, trace) in traces.iter_mut().enumerate() {
            let facts = rule.when.columns.iter().map(|slot| {
                let (name, kind) = &job.scopes.facts.columns[*slot];
                let column = frame.columns[*slot].expect("made for the rules");
                Fact { name: name.clone(), value: FactValue::of(column, *kind, row) }
            });
            trace.rules.push(RuleTrace {
                is_for_product: own[row].product.is_some_and(|product| rule.is_for(product)),
                truth: truths.get(row),
                facts: facts.collect(),
            });
        }
    }
    let account = account(&job.policy, as_of, lines, features, scores, range);
    settle_account(&account, &own, |line, others| {
        if let (Some(product), Some(rule)) = (own[line].product, own[line].rule) {
            let product = &job.policy.products[usize::from(product)];
            let rule = &job.policy.rules[usize::from(rule)];
            traces[line].waterfall = Some(waterfall(&account, line, rule, product, others));
        }
    });
    traces
}

//! One account in two runs, side by side, and what moved between them.

use serde::Serialize;

use super::explanation::Explanation;
use super::line::LineExplanation;
use super::scorecard::CharacteristicPoints;
use super::text::{fact_value, sum, value};
use crate::console::{money, table, visible};
use crate::policy::trace::FactValue;

/// An account in two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountComparison {
    /// The run it is held against.
    pub before: Explanation,
    /// The run asked about.
    pub now: Explanation,
    /// What is not the same in both.
    pub moved: Moved,
}

/// What moved between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The score now − before.
    pub score: i64,
    /// Of that, what everyone starts with now − before.
    pub base: i64,
    /// Characteristics whose value or points are not the same, by feature; one that only one run's scorecard
    /// has counts as 0 points in the other.
    pub characteristics: Vec<MovedPoints>,
    /// Lines whose facts or outcome are not the same, by product.
    pub lines: Vec<MovedLine>,
}

/// A characteristic in two runs; `None` where the run's scorecard does not have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedPoints {
    /// The feature's name.
    pub feature: String,
    /// Points before.
    pub before: Option<i32>,
    /// And now.
    pub now: Option<i32>,
    /// Now − before.
    pub change: i64,
}

/// A line in two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedLine {
    /// The line's product.
    pub product: String,
    /// What is said of it in each run, where that is not the same: what, before, now.
    pub facts: Vec<(String, String, String)>,
}

/// Holds two explanations of one account against each other.
pub fn compare(before: Explanation, now: Explanation) -> AccountComparison {
    let characteristics =
        pairs(&before.score.characteristics, &now.score.characteristics, |one| &one.feature);
    let moved = characteristics.into_iter().filter_map(|(old, new)| {
        let same = |old: &CharacteristicPoints, new: &CharacteristicPoints| {
            old.value == new.value && old.points == new.points
        };
        if old.zip(new).is_some_and(|(old, new)| same(old, new)) {
            return None;
        }
        let points = |one: Option<&CharacteristicPoints>| one.map(|one| one.points);
        let (before, now) = (points(old), points(new));
        Some(MovedPoints {
            feature: new.or(old)?.feature.clone(),
            before,
            now,
            change: i64::from(now.unwrap_or(0)) - i64::from(before.unwrap_or(0)),
        })
    });
    let lines =
        pairs(&before.lines, &now.lines, |line| &line.product).into_iter().filter_map(|(old, new)| {
            let facts = moved_facts(old, new, now.minor_units);
            (!facts.is_empty())
                .then(|| MovedLine { product: new.or(old).expect("of one run").product.clone(), facts })
        });
    let moved = Moved {
        score: i64::from(now.score.score) - i64::from(before.score.score),
        base: i64::from(now.score.base) - i64::from(before.score.base),
        characteristics: moved.collect(),
        lines: lines.collect(),
    };
    AccountComparison { before, now, moved }
}

/// The things of two runs by name: those of now in their order, then those that are gone.
fn pairs<'a, T>(
    before: &'a [T],
    now: &'a [T],
    name: impl Fn(&T) -> &String,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let in_before = |one: &T| before.iter().find(|old| name(old) == name(one));
    let gone = before.iter().filter(|old| !now.iter().any(|one| name(one) == name(old)));
    now.iter().map(|one| (in_before(one), Some(one))).chain(gone.map(|old| (Some(old), None))).collect()
}

/// What is said of a line, in the order in which it is told.
fn told(line: &LineExplanation, minor_units: u32) -> Vec<(String, String)> {
    let shown = |minor: i64| money(minor.into(), minor_units);
    let outcome = &line.outcome;
    let none = || "none".to_string();
    let mut told = vec![
        ("status".to_string(), line.status.to_string()),
        ("limit".to_string(), shown(line.limit)),
        ("balance".to_string(), shown(line.balance)),
        ("rule".to_string(), outcome.rule.clone().unwrap_or_else(none)),
        ("action".to_string(), outcome.action.to_string()),
        ("reason".to_string(), outcome.reason.clone()),
        ("bound by".to_string(), outcome.bound_by.map_or_else(none, str::to_string)),
        ("new limit".to_string(), shown(outcome.new_limit)),
        ("new status".to_string(), outcome.new_status.to_string()),
        ("from".to_string(), outcome.effective_on.map_or_else(none, |day| day.to_string())),
    ];
    let pending = line.pending.as_ref();
    told.push((
        "pending".to_string(),
        pending.map_or_else(none, |pending| {
            format!("{} {} from {}", pending.status, shown(pending.limit), pending.on)
        }),
    ));
    told
}

/// What is not the same of a line, then the facts that the deciding rules of either run read and that are
/// not the same. Days passing by is no news.
fn moved_facts(
    old: Option<&LineExplanation>,
    new: Option<&LineExplanation>,
    minor_units: u32,
) -> Vec<(String, String, String)> {
    let (Some(old), Some(new)) = (old, new) else {
        let presence =
            |line: Option<&LineExplanation>| if line.is_some() { "there" } else { "not there" }.to_string();
        return vec![("line".to_string(), presence(old), presence(new))];
    };
    let both = told(old, minor_units).into_iter().zip(told(new, minor_units));
    let mut facts: Vec<(String, String, String)> = both
        .filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| (name, old, new))
        .collect();
    let read = |line: &LineExplanation, of: Option<&String>| -> Vec<(String, FactValue)> {
        let rules = line.rules.iter().filter(|rule| Some(&rule.rule) == of);
        rules
            .flat_map(|rule| rule.reads.0.iter().map(|fact| (fact.name.clone(), fact.value.clone())))
            .collect()
    };
    for rule in [new.outcome.rule.as_ref(), old.outcome.rule.as_ref()] {
        let (old, new) = (read(old, rule), read(new, rule));
        for (name, now) in new {
            let Some((_, before)) = old.iter().find(|(known, _)| *known == name) else { continue };
            let fact = (name, fact_value(before), fact_value(&now));
            if *before != now && !facts.contains(&fact) {
                facts.push(fact);
            }
        }
    }
    facts
}

/// As people read it on a terminal.
pub fn for_people(comparison: &AccountComparison) -> String {
    let AccountComparison { before, now, moved } = comparison;
    let named = |one: &Explanation| match one.known_on == one.as_of {
        true => format!("{} of {}", visible(&one.job), one.as_of),
        false => format!("{} of {}, known on {}", visible(&one.job), one.as_of, one.known_on),
    };
    let mut parts = vec![
        format!(
            "account {}\n  before: {}\n  now:    {}",
            visible(&now.account_id),
            named(before),
            named(now)
        ),
        format!("before  {}\nnow     {}\nmoved   {:+}", sum(&before.score), sum(&now.score), moved.score),
        side_by_side(comparison),
    ];
    for line in &now.lines {
        let moved = moved.lines.iter().find(|moved| moved.product == line.product);
        parts.push(match moved {
            None => {
                let product = visible(&line.product);
                format!("{product}: {} ({}), as before", line.outcome.action, line.outcome.reason)
            }
            Some(moved) => moved_line(moved),
        });
    }
    let gone = moved.lines.iter().filter(|one| !now.lines.iter().any(|line| line.product == one.product));
    parts.extend(gone.map(moved_line));
    parts.join("\n\n")
}

fn moved_line(line: &MovedLine) -> String {
    let rows: Vec<Vec<String>> =
        line.facts.iter().map(|(name, old, new)| vec![name.clone(), old.clone(), new.clone()]).collect();
    table(&[&line.product, "before", "now"], &rows)
}

fn side_by_side(comparison: &AccountComparison) -> String {
    let (before, now) = (&comparison.before.score.characteristics, &comparison.now.score.characteristics);
    let rows = pairs(before, now, |one| &one.feature).into_iter().map(|(old, new)| {
        let feature = new.or(old).expect("of one run").feature.clone();
        let shown =
            |one: Option<&CharacteristicPoints>| one.map_or("not asked".to_string(), |one| value(one.value));
        let points = |one: Option<&CharacteristicPoints>| one.map_or(0, |one| one.points);
        let change = i64::from(points(new)) - i64::from(points(old));
        let change = if change == 0 { String::new() } else { format!("{change:+}") };
        vec![feature, shown(old), shown(new), points(old).to_string(), points(new).to_string(), change]
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    let base = |one: &Explanation| one.score.base.to_string();
    if comparison.moved.base != 0 {
        let change = format!("{:+}", comparison.moved.base);
        let (before, now) = (base(&comparison.before), base(&comparison.now));
        rows.push(vec![
            "what everyone starts with".to_string(),
            String::new(),
            String::new(),
            before,
            now,
            change,
        ]);
    }
    let header = ["characteristic", "value before", "now", "points before", "now", "moved"];
    table(&header, &rows)
}

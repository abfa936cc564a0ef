//! An explanation as people read it on a terminal.

use super::counterfactual::{Counterfactual, LinkedFeature};
use super::explanation::Explanation;
use super::line::{BudgetCheck, Caps, CooldownCheck, LineExplanation, PendingChange, RuleRead};
use super::scorecard::{CharacteristicPoints, PreviousScore, PrintedScorecard};
use crate::console::{money, table, thousands, visible};
use crate::job::Action;
use crate::policy::trace::{Fact, FactValue};

/// The whole explanation.
pub fn for_people(explanation: &Explanation) -> String {
    let Explanation { account_id, job, as_of, known_on, minor_units, .. } = explanation;
    let known = if known_on == as_of { String::new() } else { format!(", known on {known_on}") };
    let mut parts = vec![format!("account {} in {} of {as_of}{known}", visible(account_id), visible(job))];
    parts.push(scorecard(&explanation.score));
    parts.extend(better_bins(&explanation.score));
    parts.extend(explanation.lines.iter().map(|one| line(one, *minor_units)));
    parts.join("\n\n")
}

/// How a score is put together, in one line.
pub fn sum(card: &PrintedScorecard) -> String {
    let exact = card.base + card.points;
    let clamp = match exact.cmp(&card.score) {
        std::cmp::Ordering::Equal => String::new(),
        std::cmp::Ordering::Less => format!(", raised to the least there is, {}", card.min),
        std::cmp::Ordering::Greater => format!(", cut to the most there is, {}", card.max),
    };
    let before = match &card.previous {
        Some(PreviousScore { score, band }) => {
            let score = score.map(|score| score.to_string());
            let known: Vec<String> = score.into_iter().chain(band.clone()).collect();
            format!("; {} the run before", known.join(", "))
        }
        None => String::new(),
    };
    format!(
        "score {}, {} = {} everyone starts with + {} points{clamp}{before}",
        card.score, card.band, card.base, card.points
    )
}

/// A feature's value.
pub fn value(value: Option<i64>) -> String {
    value.map_or("none".to_string(), |value| thousands(value.into()))
}

fn scorecard(card: &PrintedScorecard) -> String {
    let mut rows = Vec::new();
    for dimension in &card.dimensions {
        let cells =
            [&dimension.title, "", "", &dimension.points.to_string(), &dimension.most.to_string(), ""];
        rows.push(cells.map(str::to_string).to_vec());
        let own = card.characteristics.iter().filter(|one| one.dimension == dimension.name);
        rows.extend(own.map(points));
    }
    let header = ["characteristic", "value", "bin", "points", "of", "why not more"];
    format!("{}\n\n{}", sum(card), table(&header, &rows))
}

fn points(one: &CharacteristicPoints) -> Vec<String> {
    let why = if one.points < one.most { format!("{}  {}", one.reason, one.text) } else { String::new() };
    vec![
        format!("  {}", one.feature),
        value(one.value),
        one.bin.clone(),
        one.points.to_string(),
        one.most.to_string(),
        why,
    ]
}

fn better_bins(card: &PrintedScorecard) -> Option<String> {
    let rows: Vec<Vec<String>> = card
        .characteristics
        .iter()
        .filter_map(|one| {
            let better = one.better.as_ref()?;
            let change = format!("{:+}", better.score_change);
            Some(vec![
                format!("{}  {}{}", one.feature, step(one.value, better.to), linked(&better.together)),
                change,
                better.score.to_string(),
                better.band.clone(),
            ])
        })
        .collect();
    let header = ["the nearest bin with more points", "", "score", "band"];
    (!rows.is_empty()).then(|| table(&header, &rows))
}

/// A change of a feature: "39 to 29 (10 less)".
pub fn step(from: Option<i64>, to: i64) -> String {
    let Some(from) = from else { return format!("none to {}", thousands(to.into())) };
    let by = i128::from(to) - i128::from(from);
    let direction = if by < 0 { "less" } else { "more" };
    format!("{} to {} ({} {direction})", thousands(from.into()), thousands(to.into()), thousands(by.abs()))
}

fn line(line: &LineExplanation, minor_units: u32) -> String {
    let mut parts = vec![outcome(line, minor_units), facts(line, minor_units), rules(line)];
    parts.extend(line.caps.as_ref().map(|steps| caps(steps, minor_units)));
    let mut checks: Vec<String> = line.cooldowns.iter().map(cooldown).collect();
    checks.extend(line.budget.as_ref().map(|check| budget(check, minor_units)));
    if !checks.is_empty() {
        parts.push(checks.join("\n"));
    }
    parts.extend(counterfactuals("better", &line.counterfactuals.better, minor_units));
    parts.extend(counterfactuals("worse", &line.counterfactuals.worse, minor_units));
    parts.join("\n\n")
}

fn cooldown(check: &CooldownCheck) -> String {
    let passed = check.passed.map_or("never before".to_string(), |days| format!("{days} days ago"));
    let verdict = if check.holds { "has passed" } else { "has not passed" };
    format!("  cool-down {}: {} days, {passed}: {verdict}", check.name, check.wait)
}

fn budget(check: &BudgetCheck, minor_units: u32) -> String {
    let before = match check.taken_before {
        Some(taken) => format!("better scores took {}", money(taken, minor_units)),
        None => "a raise of a better score did not fit any more".to_string(),
    };
    let verdict = if check.granted { "granted" } else { "refused" };
    format!(
        "  budget of {}, {}: {before}; this raise asks for {}: {verdict}",
        visible(&check.of),
        money(check.budget, minor_units),
        money(check.asks, minor_units)
    )
}

fn outcome(line: &LineExplanation, minor_units: u32) -> String {
    let outcome = &line.outcome;
    let mut text = format!("{}: {}", visible(&line.product), outcome.action);
    match outcome.asked {
        Some(asked) if outcome.refused.is_some() => {
            text += &format!(" ({asked} refused: {})", outcome.reason)
        }
        _ => text += &format!(" ({})", outcome.reason),
    }
    if outcome.new_limit != line.limit {
        let (old, new) = (line.limit.into(), outcome.new_limit.into());
        text += &format!(", limit {} to {}", money(old, minor_units), money(new, minor_units));
    }
    if outcome.new_status != line.status {
        text += &format!(", {} to {}", line.status, outcome.new_status);
    }
    if let (Some(pending), true) = (&line.pending, outcome.action == Action::Withdraw.name()) {
        text += &format!(", {} will not happen", to_come(pending, minor_units));
    }
    text += &outcome.effective_on.map_or(String::new(), |on| format!(", from {on}"));
    text += &outcome.bound_by.map_or(String::new(), |cap| format!(", bound by {cap}"));
    if let Some(sentence) = &outcome.text {
        text += &format!("\n  {}", visible(sentence));
    }
    text
}

fn to_come(pending: &PendingChange, minor_units: u32) -> String {
    let limit = money(pending.limit.into(), minor_units);
    format!("{limit} and {} from {}", pending.status, pending.on)
}

/// The status, since when and why, as far as that is known.
fn status(line: &LineExplanation) -> String {
    let days = line.days_in_status.map_or(String::new(), |days| format!(" for {days} days"));
    let why = line.status_reason.as_ref().map_or(String::new(), |reason| format!(" by {}", visible(reason)));
    format!("{}{days}{why}", line.status)
}

fn facts(line: &LineExplanation, minor_units: u32) -> String {
    let mut facts = vec![
        format!("limit {}", money(line.limit.into(), minor_units)),
        format!("balance {}", money(line.balance.into(), minor_units)),
        status(line),
        format!("open for {} days", line.days_open),
        ago(line.days_since_increase, "raised"),
        ago(line.days_since_decrease, "lowered"),
    ];
    if let Some(pending) = &line.pending {
        facts.push(format!("pending: {}", to_come(pending, minor_units)));
    }
    if line.has_rejected_row {
        facts.push("a row of the account was rejected".to_string());
    }
    format!("  {}", facts.join(", "))
}

fn ago(days: Option<i64>, what: &str) -> String {
    match days {
        Some(days) => format!("{what} {days} days ago"),
        None => format!("never {what}"),
    }
}

/// The rules up to the one that decides; those after it are not asked.
fn rules(line: &LineExplanation) -> String {
    let asked = line.rules.iter().position(|rule| rule.decides).map_or(line.rules.len(), |last| last + 1);
    let rows = line.rules[..asked].iter().enumerate().map(|(number, rule)| {
        let verdict = match (rule.is_for_product, rule.truth) {
            (false, _) => "other product",
            (true, Some(true)) => "true",
            (true, Some(false)) => "false",
            (true, None) => "unknown",
        };
        vec![(number + 1).to_string(), rule.rule.clone(), verdict.to_string(), reads(rule)]
    });
    let listed = table(&["", "rule", "is", "it reads"], &rows.collect::<Vec<_>>());
    let rest = line.rules.len() - asked;
    match (line.outcome.rule.is_some(), rest) {
        (false, _) => format!("{listed}\n  no rule is true"),
        (true, 0) => listed,
        (true, 1) => format!("{listed}\n  1 more is not asked"),
        (true, rest) => format!("{listed}\n  {rest} more are not asked"),
    }
}

fn reads(rule: &RuleRead) -> String {
    rule.reads.0.iter().map(fact).collect::<Vec<_>>().join(", ")
}

/// A name and its value.
pub fn fact(fact: &Fact) -> String {
    format!("{} {}", fact.name, fact_value(&fact.value))
}

/// A fact's value.
pub fn fact_value(value: &FactValue) -> String {
    match value {
        FactValue::Null => "none".to_string(),
        FactValue::Int(value) => thousands((*value).into()),
        FactValue::Text(text) => format!("'{text}'"),
        FactValue::Bool(value) => value.to_string(),
        FactValue::Date(day) => day.to_string(),
    }
}

fn caps(caps: &Caps, minor_units: u32) -> String {
    let asked = format!("asked for: {}", caps.asks);
    let mut rows = vec![vec![asked, String::new(), money(caps.target, minor_units), String::new()]];
    for step in &caps.steps {
        let (room, left) = (money(step.room, minor_units), money(step.left, minor_units));
        let note = if step.cuts { "cuts" } else { "" };
        rows.push(vec![step.cap.to_string(), room, left, note.to_string()]);
    }
    let rounded = format!("rounded down to {}", money(caps.rounded_to.into(), minor_units));
    rows.push(vec![rounded, String::new(), money(caps.rounded, minor_units), String::new()]);
    let note = format!("  the account's other lines count for {}", money(caps.other_lines, minor_units));
    let least = match caps.min_raise {
        0 | 1 => String::new(),
        least => format!("; a raise adds at least {}", money(least.into(), minor_units)),
    };
    format!("{}\n{note}{least}", table(&["caps", "leaves room for", "limit", ""], &rows))
}

/// Counterfactuals shown; all of them are in the JSON.
const MOST_SHOWN: usize = 5;

/// What moves with a feature, being over the same rows.
fn linked(features: &[LinkedFeature]) -> String {
    let moved = features.iter().map(|one| {
        let (from, to) = (value(one.from), thousands(one.to.into()));
        format!(", {} {from} to {to}", one.feature)
    });
    moved.collect()
}

fn counterfactuals(what: &str, found: &[Counterfactual], minor_units: u32) -> Option<String> {
    let rows = found.iter().take(MOST_SHOWN).map(|change| {
        vec![
            format!("{}  {}{}", change.feature, step(change.from, change.to), linked(&change.together)),
            format!("{} ({})", change.action, change.reason),
            money(change.new_limit.into(), minor_units),
            change.score.to_string(),
            change.band.clone(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let title = format!("one change for the {what}");
    (!rows.is_empty()).then(|| table(&[&title, "to", "limit", "score", "band"], &rows))
}

//! An explanation as people read it on a terminal.

use super::counterfactual::{Counterfactual, LinkedFeature};
use super::explanation::Explanation;
use super::line::{Caps, LineExplanation, PendingChange, RuleRead};
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
    let why = match one.points < one.most {
        true => format!("{}  {}", one.reason, one.text),
        false => String::new(),
    };
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
                format!("{}  {}{}", one.feature, step(one.value, better.to), together(&better.together)),
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
    let mut waits: Vec<String> = line
        .cooldowns
        .iter()
        .map(|wait| {
            let passed = wait.passed.map_or("never before".to_string(), |days| format!("{days} days ago"));
            let assessment = if wait.holds { "has passed" } else { "has not passed" };
            format!("  cool-down {}: {} days, {passed}: {assessment}", wait.name, wait.wait)
        })
        .collect();
    if let Some(budget) = &line.budget {
        let shown = |minor: i128| money(minor, minor_units);
        let before = match budget.taken_before {
            Some(taken) => format!("better scores took {}", shown(taken)),
            None => "a raise of a better score did not fit any more".to_string(),
        };
        let assessment = if budget.granted { "granted" } else { "refused" };
        waits.push(format!(
            "  budget of {}, {}: {before}; this raise asks for {}: {assessment}",
            visible(&budget.of),
            shown(budget.budget),
            shown(budget.asks)
        ));
    }
    if !waits.is_empty() {
        parts.push(waits.join("\n"));
    }
    parts.extend(turns("better", &line.turns.better, minor_units));
    parts.extend(turns("worse", &line.turns.worse, minor_units));
    parts.join("\n\n")
}

fn outcome(line: &LineExplanation, minor_units: u32) -> String {
    let outcome = &line.outcome;
    let shown = |minor: i64| money(minor.into(), minor_units);
    let mut text = format!("{}: {}", visible(&line.product), outcome.action);
    match outcome.asked {
        Some(asked) if outcome.refused.is_some() => {
            text += &format!(" ({asked} refused: {})", outcome.reason)
        }
        _ => text += &format!(" ({})", outcome.reason),
    }
    if outcome.new_limit != line.limit {
        text += &format!(", limit {} to {}", shown(line.limit), shown(outcome.new_limit));
    }
    if outcome.new_status != line.status {
        text += &format!(", {} to {}", line.status, outcome.new_status);
    }
    if let (Some(pending), true) = (&line.pending, outcome.action == Action::Withdraw.name()) {
        text += &format!(", {} will not happen", to_come(pending, minor_units));
    }
    text += &outcome.effective_on.map_or(String::new(), |on| format!(", from {on}"));
    text += &outcome.bound_by.map_or(String::new(), |cap| format!(", bound by {cap}"));
    outcome.text.iter().for_each(|sentence| text += &format!("\n  {}", visible(sentence)));
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
    let shown = |minor: i64| money(minor.into(), minor_units);
    let ago = |days: Option<i64>, what: &str| match days {
        Some(days) => format!("{what} {days} days ago"),
        None => format!("never {what}"),
    };
    let mut facts = vec![
        format!("limit {}", shown(line.limit)),
        format!("balance {}", shown(line.balance)),
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

/// The rules up to the one that decides; those after it are not asked.
fn rules(line: &LineExplanation) -> String {
    let asked = line.rules.iter().position(|rule| rule.decides).map_or(line.rules.len(), |last| last + 1);
    let rows = line.rules[..asked].iter().enumerate().map(|(number, rule)| {
        let assessment = match (rule.is_for_product, rule.truth) {
            (false, _) => "other product",
            (true, Some(true)) => "true",
            (true, Some(false)) => "false",
            (true, None) => "unknown",
        };
        vec![(number + 1).to_string(), rule.rule.clone(), assessment.to_string(), reads(rule)]
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
    let shown = |minor: i128| money(minor, minor_units);
    let row = |what: &str, room: String, left: i128, note: &str| {
        vec![what.to_string(), room, shown(left), note.to_string()]
    };
    let mut rows = vec![row(&format!("asked for: {}", caps.asks), String::new(), caps.target, "")];
    for step in &caps.steps {
        let note = if step.cuts { "cuts" } else { "" };
        rows.push(row(step.cap, shown(step.room), step.left, note));
    }
    let to = format!("rounded down to {}", shown(caps.rounded_to.into()));
    rows.push(row(&to, String::new(), caps.rounded, ""));
    let note = format!("  the account's other lines count for {}", shown(caps.other_lines));
    let least = match caps.min_raise {
        0 | 1 => String::new(),
        least => format!("; a raise adds at least {}", shown(least.into())),
    };
    format!("{}\n{note}{least}", table(&["caps", "leaves room for", "limit", ""], &rows))
}

/// Changes shown; all of them are in the JSON.
const MOST_CHANGES: usize = 5;

/// What moves with a feature, being over the same rows.
fn together(others: &[LinkedFeature]) -> String {
    let one = |one: &LinkedFeature| {
        format!(", {} {} to {}", one.feature, value(one.from), thousands(one.to.into()))
    };
    others.iter().map(one).collect()
}

fn turns(what: &str, changes: &[Counterfactual], minor_units: u32) -> Option<String> {
    let rows = changes.iter().take(MOST_CHANGES).map(|change| {
        vec![
            format!("{}  {}{}", change.feature, step(change.from, change.to), together(&change.together)),
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

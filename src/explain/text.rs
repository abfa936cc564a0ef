//! An explanation as people read it on a terminal.

use super::arm::DecidedBy;
use super::counterfactual::{Counterfactual, LinkedFeature};
use super::explanation::Explanation;
use super::line::{BudgetCheck, Caps, CooldownCheck, LineExplanation, PendingChange, RuleRead};
use super::scorecard::{CharacteristicPoints, PreviousScore, PrintedScorecard};
use super::units::FeatureUnits;
use crate::console::{Tone, fold, money, paint, table, visible};
use crate::job::{Action, Unit};
use crate::scorecard::bin_label;

/// The whole explanation: what was decided of each line, by which rule, what would change it; then the score. The
/// rules that did not decide are listed only where `all_rules` are wanted.
pub fn for_people(explanation: &Explanation, all_rules: bool) -> String {
    let Explanation { account_id, job, as_of, known_on, minor_units, units, .. } = explanation;
    let known = if known_on == as_of { String::new() } else { format!(", known on {known_on}") };
    let mut parts = vec![format!("account {} in {} of {as_of}{known}", visible(account_id), visible(job))];
    parts.extend(explanation.decided_by.as_ref().map(DecidedBy::line));
    let outcomes = explanation.lines.iter().map(|line| outcome(line, *minor_units));
    parts.push(outcomes.collect::<Vec<_>>().join("\n"));
    for line in &explanation.lines {
        parts.extend(line_parts(line, units, *minor_units, all_rules));
    }
    parts.push(scorecard(&explanation.score, units, *minor_units));
    parts.extend(better_bins(&explanation.score, units));
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

fn scorecard(card: &PrintedScorecard, units: &FeatureUnits, minor_units: u32) -> String {
    let mut rows = Vec::new();
    for dimension in &card.dimensions {
        let cells =
            [&dimension.title, "", "", &dimension.points.to_string(), &dimension.most.to_string(), ""];
        rows.push(cells.map(str::to_string).to_vec());
        let own = card.characteristics.iter().filter(|one| one.dimension == dimension.name);
        rows.extend(own.map(|one| points(one, units, minor_units)));
    }
    let header = ["characteristic", "value", "bin", "points", "of", "why not more"];
    format!("{}\n\n{}", sum(card), table(&header, &rows))
}

fn points(one: &CharacteristicPoints, units: &FeatureUnits, minor_units: u32) -> Vec<String> {
    let why = if one.points < one.most { format!("{}  {}", one.reason, one.text) } else { String::new() };
    let bin = match one.value {
        Some(_) => bin_label(one.from, one.below, units.of_name(&one.feature), minor_units),
        None => one.bin.clone(),
    };
    vec![
        format!("  {}", one.feature),
        units.value(&one.feature, one.value),
        bin,
        one.points.to_string(),
        one.most.to_string(),
        why,
    ]
}

fn better_bins(card: &PrintedScorecard, units: &FeatureUnits) -> Option<String> {
    let rows: Vec<Vec<String>> = card
        .characteristics
        .iter()
        .filter_map(|one| {
            let better = one.better.as_ref()?;
            let change = format!("{:+}", better.score_change);
            let step = units.step(&one.feature, one.value, better.to);
            Some(vec![
                format!("{}  {step}{}", one.feature, linked(&better.together, units)),
                change,
                better.score.to_string(),
                better.band.clone(),
            ])
        })
        .collect();
    let header = ["the nearest bin with more points", "", "score", "band"];
    (!rows.is_empty()).then(|| table(&header, &rows))
}

/// A line as it is, the rule that decided, what bounded it, and what would change it.
fn line_parts(
    line: &LineExplanation,
    units: &FeatureUnits,
    minor_units: u32,
    all_rules: bool,
) -> Vec<String> {
    let mut parts = vec![format!("{}\n{}", facts(line, minor_units), deciding_rule(line, units))];
    if all_rules {
        parts.push(rules(line, units));
    }
    parts.extend(line.caps.as_ref().map(|steps| caps(steps, minor_units)));
    let mut checks: Vec<String> = line.cooldowns.iter().map(cooldown).collect();
    checks.extend(line.budget.as_ref().map(|check| budget(check, minor_units)));
    if !checks.is_empty() {
        parts.push(checks.join("\n"));
    }
    parts.extend(counterfactuals("better", &line.counterfactuals.better, units, minor_units));
    parts.extend(counterfactuals("worse", &line.counterfactuals.worse, units, minor_units));
    parts
}

/// The rule that decided, its condition, and what that read.
fn deciding_rule(line: &LineExplanation, units: &FeatureUnits) -> String {
    let all = line.rules.len();
    let Some((number, rule)) = line.rules.iter().enumerate().find(|(_, rule)| rule.decides) else {
        return format!("  decided by no rule: none of {all} is true");
    };
    // The condition stands as it is written, beside facts that are shown as amounts.
    let reads_money = rule.reads.0.iter().any(|fact| units.of_name(&fact.name) == Unit::Money);
    let has_amount = reads_money && rule.when.contains(|c: char| c.is_ascii_digit());
    let note = if has_amount { "  (as written: money in minor units)" } else { "" };
    let lines = [
        format!("  decided by rule {} of {all}, {}", number + 1, visible(&rule.rule)),
        fold(&format!("    when  {}{note}", visible(&rule.when)), 10),
        fold(&format!("    as    {}", reads(rule, units)), 10),
    ];
    lines.join("\n")
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
    let tone = match outcome.refused {
        _ if [Action::Suspend, Action::Close].iter().any(|bad| bad.name() == outcome.action) => Tone::Failure,
        Some(_) => Tone::Warning,
        None => Tone::Strong,
    };
    let mut text = format!("{}: {}", visible(&line.product), paint(tone, outcome.action));
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
        text += &format!("\n{}", fold(&format!("  {}", visible(sentence)), 2));
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
    fold(&format!("{}: {}", visible(&line.product), facts.join(", ")), 2)
}

fn ago(days: Option<i64>, what: &str) -> String {
    match days {
        Some(days) => format!("{what} {days} days ago"),
        None => format!("never {what}"),
    }
}

/// All rules in order; those after the one that decides are not asked.
fn rules(line: &LineExplanation, units: &FeatureUnits) -> String {
    let asked = line.rules.iter().position(|rule| rule.decides).map_or(line.rules.len(), |last| last + 1);
    let rows = line.rules.iter().enumerate().map(|(number, rule)| {
        let verdict = match (rule.is_for_product, rule.truth) {
            _ if number >= asked => "not asked",
            (false, _) => "other product",
            (true, Some(true)) => "true",
            (true, Some(false)) => "false",
            (true, None) => "unknown",
        };
        vec![(number + 1).to_string(), rule.rule.clone(), verdict.to_string(), reads(rule, units)]
    });
    table(&["", "rule", "is", "it reads"], &rows.collect::<Vec<_>>())
}

fn reads(rule: &RuleRead, units: &FeatureUnits) -> String {
    rule.reads.0.iter().map(|fact| units.fact(fact)).collect::<Vec<_>>().join(", ")
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
fn linked(features: &[LinkedFeature], units: &FeatureUnits) -> String {
    let moved = features.iter().map(|one| match one.from {
        Some(from) => format!(", {} {}", one.feature, units.move_of(&one.feature, from, one.to)),
        None => format!(", {} none to {}", one.feature, units.value(&one.feature, Some(one.to))),
    });
    moved.collect()
}

fn counterfactuals(
    what: &str,
    found: &[Counterfactual],
    units: &FeatureUnits,
    minor_units: u32,
) -> Option<String> {
    let rows = found.iter().take(MOST_SHOWN).map(|change| {
        let step = units.step(&change.feature, change.from, change.to);
        vec![
            format!("{}  {step}{}", change.feature, linked(&change.together, units)),
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

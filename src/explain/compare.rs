//! One account in two runs, side by side, and what moved between them.

use serde::Serialize;

use super::explanation::Explanation;
use super::line::LineExplanation;
use super::scorecard::CharacteristicPoints;
use super::text::sum;
use crate::console::{money, table, visible};
use crate::policy::trace::Fact;

/// An account in two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountComparison {
    /// In the earlier run.
    pub before: Explanation,
    /// In the run asked about.
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
    /// What differs between the runs.
    pub facts: Vec<MovedFact>,
}

/// Something that explanations say of a line, where it is not the same in both runs: its name, before, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedFact(pub String, pub String, pub String);

/// Compares two explanations of one account.
pub fn compare(before: Explanation, now: Explanation) -> AccountComparison {
    let characteristics =
        pairs(&before.score.characteristics, &now.score.characteristics, |one| &one.feature);
    let lines = pairs(&before.lines, &now.lines, |line| &line.product);
    let moved_lines = lines.into_iter().filter_map(|lines| {
        let product = lines.either().product.clone();
        let facts = moved_facts(&lines, [&before, &now]);
        (!facts.is_empty()).then_some(MovedLine { product, facts })
    });
    let moved = Moved {
        score: i64::from(now.score.score) - i64::from(before.score.score),
        base: i64::from(now.score.base) - i64::from(before.score.base),
        characteristics: characteristics.iter().filter_map(moved_points).collect(),
        lines: moved_lines.collect(),
    };
    AccountComparison { before, now, moved }
}

/// One thing in two runs, of which at least one has it.
struct RunPair<'a, T> {
    before: Option<&'a T>,
    now: Option<&'a T>,
}

impl<'a, T> RunPair<'a, T> {
    /// That of now, if there is one.
    fn either(&self) -> &'a T {
        self.now.or(self.before).expect("one run has it")
    }
}

/// The things of two runs by name: those of now in their order, then those that are gone.
fn pairs<'a, T>(before: &'a [T], now: &'a [T], name: impl Fn(&T) -> &String) -> Vec<RunPair<'a, T>> {
    let still_there = now.iter().map(|one| {
        let before = before.iter().find(|old| name(old) == name(one));
        RunPair { before, now: Some(one) }
    });
    let gone = before.iter().filter(|old| !now.iter().any(|one| name(one) == name(old)));
    still_there.chain(gone.map(|old| RunPair { before: Some(old), now: None })).collect()
}

/// A characteristic whose value or points are not the same.
fn moved_points(pair: &RunPair<CharacteristicPoints>) -> Option<MovedPoints> {
    if let (Some(before), Some(now)) = (pair.before, pair.now)
        && before.value == now.value
        && before.points == now.points
    {
        return None;
    }
    let [before, now] = [pair.before, pair.now].map(|one| Some(one?.points));
    Some(MovedPoints {
        feature: pair.either().feature.clone(),
        before,
        now,
        change: i64::from(now.unwrap_or(0)) - i64::from(before.unwrap_or(0)),
    })
}

/// What is said of a line, by name, in the order in which it is shown.
fn line_facts(line: &LineExplanation, minor_units: u32) -> [(&'static str, String); 11] {
    let outcome = &line.outcome;
    let none = "none".to_string();
    let pending = line.pending.as_ref().map(|pending| {
        format!("{} {} from {}", pending.status, money(pending.limit.into(), minor_units), pending.on)
    });
    [
        ("status", line.status.to_string()),
        ("limit", money(line.limit.into(), minor_units)),
        ("balance", money(line.balance.into(), minor_units)),
        ("rule", outcome.rule.clone().unwrap_or(none.clone())),
        ("action", outcome.action.to_string()),
        ("reason", outcome.reason.clone()),
        ("bound by", outcome.bound_by.map_or(none.clone(), str::to_string)),
        ("new limit", money(outcome.new_limit.into(), minor_units)),
        ("new status", outcome.new_status.to_string()),
        ("from", outcome.effective_on.map_or(none.clone(), |day| day.to_string())),
        ("pending", pending.unwrap_or(none)),
    ]
}

/// What is not the same of a line, then the facts that the deciding rules of either run read and that are
/// not the same. That days have passed is not worth saying.
fn moved_facts(lines: &RunPair<LineExplanation>, [before, now]: [&Explanation; 2]) -> Vec<MovedFact> {
    let (Some(old), Some(new)) = (lines.before, lines.now) else {
        let [before, now] =
            [lines.before, lines.now].map(|line| if line.is_some() { "there" } else { "not there" });
        return vec![MovedFact("line".to_string(), before.to_string(), now.to_string())];
    };
    let both = line_facts(old, before.minor_units).into_iter().zip(line_facts(new, now.minor_units));
    let mut facts: Vec<MovedFact> = both
        .filter(|((_, old), (_, new))| old != new)
        .map(|((name, old), (_, new))| MovedFact(name.to_string(), old, new))
        .collect();
    for rule in [new.outcome.rule.as_ref(), old.outcome.rule.as_ref()] {
        for read in facts_read(new, rule) {
            let Some(earlier) = facts_read(old, rule).find(|fact| fact.name == read.name) else { continue };
            let values = [before.units.fact_value(earlier), now.units.fact_value(read)];
            let [was, is] = values;
            let fact = MovedFact(read.name.clone(), was, is);
            if earlier.value != read.value && !facts.contains(&fact) {
                facts.push(fact);
            }
        }
    }
    facts
}

/// What a line's rule of some name read.
fn facts_read<'a>(line: &'a LineExplanation, rule: Option<&'a String>) -> impl Iterator<Item = &'a Fact> {
    let rules = line.rules.iter().filter(move |read| Some(&read.rule) == rule);
    rules.flat_map(|read| &read.reads.0)
}

/// As people read it on a terminal: what became of each line, then the score.
pub fn for_people(comparison: &AccountComparison) -> String {
    let AccountComparison { before, now, moved } = comparison;
    let mut parts = vec![format!(
        "account {}\n  before: {}\n  now:    {}",
        visible(&now.account_id),
        run_name(before),
        run_name(now)
    )];
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
    parts.push(format!(
        "before  {}\nnow     {}\nmoved   {:+}",
        sum(&before.score),
        sum(&now.score),
        moved.score
    ));
    parts.extend(side_by_side(comparison));
    parts.join("\n\n")
}

/// A run by its directory, so that two of one date are told apart.
fn run_name(run: &Explanation) -> String {
    let known =
        if run.known_on == run.as_of { String::new() } else { format!(", known on {}", run.known_on) };
    format!("{}, {} of {}{known}", visible(&run.run), visible(&run.job), run.as_of)
}

fn moved_line(line: &MovedLine) -> String {
    let facts = line.facts.iter();
    let rows: Vec<Vec<String>> =
        facts.map(|MovedFact(name, old, new)| vec![name.clone(), old.clone(), new.clone()]).collect();
    table(&[&line.product, "before", "now"], &rows)
}

/// The characteristics whose value or points moved; none where none did.
fn side_by_side(comparison: &AccountComparison) -> Option<String> {
    let AccountComparison { before, now, moved } = comparison;
    let all = pairs(&before.score.characteristics, &now.score.characteristics, |one| &one.feature);
    let has_moved =
        |name: &String| moved.characteristics.iter().any(|characteristic| characteristic.feature == *name);
    let shown = all.iter().filter(|pair| has_moved(&pair.either().feature));
    let rows = shown.map(|pair| {
        let [old, new] = [pair.before, pair.now].map(|one| one.map_or(0, |one| one.points));
        let [old_value, new_value] = [(pair.before, before), (pair.now, now)].map(|(one, run)| {
            one.map_or("not asked".to_string(), |one| run.units.value(&one.feature, one.value))
        });
        let change = i64::from(new) - i64::from(old);
        let change = if change == 0 { String::new() } else { format!("{change:+}") };
        let feature = pair.either().feature.clone();
        vec![feature, old_value, new_value, old.to_string(), new.to_string(), change]
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    if moved.base != 0 {
        let title = "what everyone starts with".to_string();
        let [before, now] = [before, now].map(|run| run.score.base.to_string());
        let change = format!("{:+}", moved.base);
        rows.push(vec![title, String::new(), String::new(), before, now, change]);
    }
    let header = ["characteristic", "value before", "now", "points before", "now", "moved"];
    let same = all.len() - moved.characteristics.len();
    let rest = match same {
        0 => String::new(),
        1 => "\n  1 more is as before".to_string(),
        _ => format!("\n  {same} more are as before"),
    };
    (!rows.is_empty()).then(|| format!("{}{rest}", table(&header, &rows)))
}

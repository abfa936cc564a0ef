//! Lints: job files that are well formed, but hardly meant.

use std::collections::{HashMap, HashSet};

use super::actionable::Actionable;
use super::columns::{LINE_HISTORY, LINE_STATE, SCORE_COLUMNS};
use super::diagnostics::{Diagnostics, Severity};
use super::feature_file::{Feature, FeatureKind};
use super::policy_file::{Policy, Rule};
use super::resolved_job::Job;
use super::scorecard_file::Scorecard;
use super::source::Source;
use super::statistic::ValueRange;
use super::variants::{CHALLENGER_POLICY, CHALLENGER_SCORECARD, segment_file};
use crate::expr::{Conjunct, Expr, Type};

/// Notes what can never be reached or is never used.
pub fn lint(job: &Job, diagnostics: &mut Diagnostics) {
    let sources = card_sources(job);
    let cards: Vec<(&Scorecard, &Source)> = job.cards().into_iter().zip(sources).collect();
    let challenger = job.sources.other(CHALLENGER_POLICY);
    let policies = job.remits().into_iter().zip(std::iter::once(&job.sources.policy).chain(challenger));
    let policies: Vec<(&Policy, &Source)> = policies.map(|(remit, source)| (remit.policy, source)).collect();
    cards.iter().for_each(|card| unreachable_bins(job, *card, diagnostics));
    policies.iter().for_each(|policy| unreachable_rules(job, *policy, diagnostics));
    unused_features(job, &cards, &policies, diagnostics);
    policies.iter().for_each(|policy| unnamed_products(*policy, diagnostics));
    ambiguous_reasons(&cards, &policies, diagnostics);
    cards.iter().for_each(|card| useless_directions(job, *card, diagnostics));
    cards.iter().for_each(|card| unwritten_texts(job, *card, diagnostics));
}

/// The files of all scorecards of a job, in their order.
fn card_sources(job: &Job) -> Vec<&Source> {
    let sources = &job.sources;
    let of_segments = job.variants.segments.iter().map(|segment| sources.other(&segment_file(&segment.name)));
    let others = of_segments.chain([sources.other(CHALLENGER_SCORECARD)]);
    std::iter::once(&sources.scorecard).chain(others.flatten()).collect()
}

/// The least and the most a score can be.
pub fn score_range(card: &Scorecard) -> (i32, i32) {
    let (low, high) =
        card.characteristics.iter().fold((card.base, card.base), |(low, high), characteristic| {
            let (least, most) = characteristic.range();
            (low + least, high + most)
        });
    (low.clamp(card.min, card.max), high.clamp(card.min, card.max))
}

/// The least and the most that any scorecard of a job can give.
pub fn widest_score_range(job: &Job) -> (i32, i32) {
    let others = job.cards().into_iter().map(score_range);
    others.fold(score_range(&job.scorecard), |(low, high), (least, most)| (low.min(least), high.max(most)))
}

/// Warns of what a job file says as `name = "…"`, or in a like piece of text.
fn warn(
    diagnostics: &mut Diagnostics,
    (source, key, value): (&Source, &str, &str),
    message: String,
    help: Option<String>,
) {
    // Finding its position takes a walk through the whole text.
    let is_shown = !diagnostics.is_full(Severity::Warning);
    let range = if is_shown { place(&source.text, key, value) } else { 0..0 };
    diagnostics.warn((source, range), message, help);
}

/// Where `name = "…"` or a like piece of text stands in a job file.
fn place(text: &str, key: &str, value: &str) -> std::ops::Range<usize> {
    let quoted = format!("\"{value}\"");
    let mut from = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with(key)
            && let Some(start) = line.find(&quoted)
        {
            return from + start..from + start + quoted.len();
        }
        from += line.len();
    }
    0..0
}

/// What a feature's definition alone says of its values.
fn feature_range(feature: &Feature) -> ValueRange {
    match &feature.kind {
        FeatureKind::Aggregate(aggregate) => aggregate.range(),
        FeatureKind::Ratio { .. } | FeatureKind::Expression(_) => ValueRange::default(),
    }
}

fn unreachable_bins(job: &Job, (card, source): (&Scorecard, &Source), diagnostics: &mut Diagnostics) {
    for characteristic in &card.characteristics {
        let feature = &job.features[characteristic.feature];
        let range = feature_range(feature);
        let mut from = None;
        for (number, bin) in characteristic.bins.iter().enumerate() {
            let too_low = bin.below.zip(range.least).is_some_and(|(below, least)| below <= least);
            let too_high = from.zip(range.most).is_some_and(|(from, most)| from > most);
            if too_low || too_high {
                let message = format!("bin {} of `{}` can never be reached", number + 1, feature.name);
                warn(diagnostics, (source, "feature", &feature.name), message, Some(describe(range)));
            }
            from = bin.below;
        }
    }
}

fn describe(ValueRange { least, most }: ValueRange) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("its values lie between {least} and {most}"),
        (Some(least), None) => format!("its values are {least} or more"),
        (_, Some(most)) => format!("its values are {most} or less"),
        (None, None) => String::new(),
    }
}

/// The range of a column of the facts scope.
fn fact_range(job: &Job, slot: usize) -> ValueRange {
    let own = job.scopes.lines.columns.len() - LINE_STATE.len() + LINE_STATE.len() + LINE_HISTORY.len();
    let first_feature = own + SCORE_COLUMNS.len() + job.scorecard.dimensions.len();
    let name = job.scopes.facts.columns[slot].0.as_str();
    match name {
        "score" if slot == own => {
            let (least, most) = widest_score_range(job);
            ValueRange { least: Some(least.into()), most: Some(most.into()) }
        }
        "credit_limit" => ValueRange { least: Some(0), most: None },
        _ if slot >= first_feature => feature_range(&job.features[slot - first_feature]),
        _ => ValueRange::default(),
    }
}

/// The values a text column of the facts scope can have, where they are known.
fn fact_values<'a>(job: &'a Job, policy: &'a Policy, name: &str) -> Option<Vec<&'a str>> {
    match name {
        "band" => Some(job.scorecard.bands.iter().map(|band| band.name.as_str()).collect()),
        "status" => Some(vec!["active", "suspended", "closed"]),
        "product" => Some(policy.products.iter().map(|product| product.name.as_str()).collect()),
        _ => None,
    }
}

/// Why an expression over facts can never be true, if that shows.
fn never_true(job: &Job, policy: &Policy, expr: &Expr) -> Option<String> {
    let facts = &job.scopes.facts.columns;
    let mut ranges: Vec<(usize, ValueRange)> = Vec::new();
    for conjunct in expr.conjuncts() {
        match conjunct {
            Conjunct::False => return Some("a part of it is never true".to_string()),
            Conjunct::Between(slot, least, most) if facts[slot].1 == Type::Int => {
                let known = ranges.iter().position(|(known, _)| *known == slot).unwrap_or_else(|| {
                    ranges.push((slot, fact_range(job, slot)));
                    ranges.len() - 1
                });
                let range = &mut ranges[known].1;
                range.least = range.least.max(least);
                range.most = [range.most, most].into_iter().flatten().min();
            }
            Conjunct::Between(..) => {}
            Conjunct::Equals(slot, text) => {
                let name = facts[slot].0.as_str();
                if fact_values(job, policy, name).is_some_and(|values| !values.contains(&text)) {
                    return Some(format!("`{name}` is never '{text}'"));
                }
            }
        }
    }
    ranges.into_iter().find_map(|(slot, range)| {
        let (low, high) = range.least.zip(range.most).filter(|(low, high)| low > high)?;
        Some(format!("`{}` would have to be at least {low} and at most {high}", facts[slot].0))
    })
}

fn unreachable_rules(job: &Job, (policy, source): (&Policy, &Source), diagnostics: &mut Diagnostics) {
    let rules = &policy.rules;
    for (number, rule) in rules.iter().enumerate() {
        let why = if rule.products.as_ref().is_some_and(Vec::is_empty) {
            Some("it applies to no product".to_string())
        } else if let Some(earlier) = rules[..number].iter().find(|earlier| covers(earlier, rule)) {
            Some(format!("the rule `{}` above it takes every such line", earlier.name))
        } else {
            never_true(job, policy, &rule.when)
        };
        if let Some(why) = why {
            let message = format!("the rule `{}` can never be reached", rule.name);
            warn(diagnostics, (source, "name", &rule.name), message, Some(why));
        }
    }
}

/// Whether a rule takes every line that another one would take, as far as that shows.
fn covers(earlier: &Rule, rule: &Rule) -> bool {
    let has_all_products = match (&earlier.products, &rule.products) {
        (None, _) => true,
        (Some(all), Some(own)) => own.iter().all(|product| all.contains(product)),
        (Some(_), None) => false,
    };
    has_all_products && (earlier.when.text == rule.when.text || earlier.when.is_always_true())
}

fn unused_features(
    job: &Job,
    cards: &[(&Scorecard, &Source)],
    policies: &[(&Policy, &Source)],
    diagnostics: &mut Diagnostics,
) {
    let own = job.scopes.facts.columns.len() - job.features.len();
    let scored = cards.iter().flat_map(|(card, _)| &card.characteristics).map(|one| one.feature);
    let mut used: HashSet<usize> = scored.collect();
    for (policy, _) in policies {
        used.extend(policy.affordability.map(|affordability| affordability.feature));
        let of_rules = policy.rules.iter().flat_map(|rule| rule.when.columns.iter());
        used.extend(of_rules.filter_map(|slot| slot.checked_sub(own)));
    }
    used.extend(job.variants.segments.iter().flat_map(|segment| segment.when.columns.iter().copied()));
    used.extend(job.features_in_gates());
    for feature in &job.features {
        match &feature.kind {
            FeatureKind::Aggregate(_) => {}
            FeatureKind::Ratio { a, b, .. } => used.extend([*a, *b]),
            FeatureKind::Expression(expr) => used.extend(expr.columns.iter().copied()),
        }
    }
    for (_, feature) in job.features.iter().enumerate().filter(|(number, _)| !used.contains(number)) {
        let help = "no characteristic, rule, gate or other feature reads it";
        let message = format!("nobody uses the feature `{}`", feature.name);
        let declares = |source: &&Source| !place(&source.text, "name", &feature.name).is_empty();
        let source = cards.iter().map(|(_, source)| *source).find(declares).unwrap_or(&job.sources.scorecard);
        warn(diagnostics, (source, "name", &feature.name), message, Some(help.into()));
    }
}

fn unnamed_products((policy, source): (&Policy, &Source), diagnostics: &mut Diagnostics) {
    for (number, product) in policy.products.iter().enumerate() {
        let mut rules = policy.rules.iter();
        if !rules.any(|rule| rule.products.as_ref().is_none_or(|own| own.contains(&number))) {
            let help = "every line of it will be held: no_rule";
            let message = format!("no rule names the product `{}`", product.name);
            warn(diagnostics, (source, "name", &product.name), message, Some(help.into()));
        }
    }
}

/// One code with two sentences: nobody could know which was meant.
fn ambiguous_reasons(
    cards: &[(&Scorecard, &Source)],
    policies: &[(&Policy, &Source)],
    diagnostics: &mut Diagnostics,
) {
    let mut known: HashMap<&str, &str> = HashMap::new();
    let of_scores = cards.iter().flat_map(|(card, source)| {
        card.characteristics.iter().flat_map(move |characteristic| {
            let missing =
                characteristic.missing_reason.as_ref().map(|(code, text)| (*source, code, Some(text)));
            [(*source, &characteristic.reason, Some(&characteristic.text))].into_iter().chain(missing)
        })
    });
    let of_rules = policies.iter().flat_map(|(policy, source)| {
        policy.rules.iter().map(move |rule| (*source, &rule.reason, rule.text.as_ref()))
    });
    for (source, code, text) in of_scores.chain(of_rules) {
        let Some(text) = text else { continue };
        if *known.entry(code).or_insert(text) != text {
            let message = format!("the reason `{code}` has another text above");
            warn(diagnostics, (source, "text", text), message, None);
        }
    }
}

/// A direction in which the points only fall: it says the same as that the person cannot move it.
fn useless_directions(job: &Job, (card, source): (&Scorecard, &Source), diagnostics: &mut Diagnostics) {
    for characteristic in &card.characteristics {
        let points: Vec<i32> = characteristic.bins.iter().map(|bin| bin.points).collect();
        let (direction, costs) = match characteristic.actionable {
            Actionable::Up => ("up", points.is_sorted_by(|a, b| a >= b)),
            Actionable::Down => ("down", points.is_sorted()),
            Actionable::Freely | Actionable::Never => continue,
        };
        if costs && points.len() > 1 {
            let name = &job.features[characteristic.feature].name;
            let message = format!("`{name}` can only go {direction}, where its points only fall");
            let help = "nothing about it can be advised: say actionable = false, or turn the direction round";
            warn(diagnostics, (source, "feature", name), message, Some(help.into()));
        }
    }
}

/// A reason whose text is still to be written: nobody should read it in a notice.
fn unwritten_texts(job: &Job, (card, source): (&Scorecard, &Source), diagnostics: &mut Diagnostics) {
    const UNWRITTEN: &str = "TODO";
    for characteristic in card.characteristics.iter().filter(|one| one.text.starts_with(UNWRITTEN)) {
        let name = &job.features[characteristic.feature].name;
        let message = format!("the text of the reason `{}` is still to be written", characteristic.reason);
        let help = format!("say what `{name}` costs points for, as the person it concerns may read it");
        warn(diagnostics, (source, "text", &characteristic.text), message, Some(help));
    }
}

//! What would change a decision: single features, with those over the same rows, moved outwards from where they
//! are, every step rescored and decided again, until the decision turns; then the nearest such value between the
//! last two steps. What rows cannot make is not tried, and nothing that harms is offered as a betterment.

use std::cmp::Ordering;

use serde::Serialize;

use super::direction::{better_way, suits, worth};
use super::what_if::{Assessment, WhatIf, derived_from};
use crate::input::lines::Pending;
use crate::job::{Action, Aggregate, BILL_COLUMNS, Feature, FeatureKind, From, LINE_COLUMNS, Statistic};
use crate::policy::Decision;
use crate::run_dir::PublishedRun;

/// A value of one feature with which a line would be decided otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counterfactual {
    /// The feature's name.
    pub feature: String,
    /// What it is now.
    pub from: Option<i64>,
    /// What it would have to be.
    pub to: i64,
    /// `to` − `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<i128>,
    /// What moves with it, being over the same rows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub together: Vec<LinkedFeature>,
    /// The score then.
    pub score: i32,
    /// And its band.
    pub band: String,
    /// The line's action then.
    pub action: &'static str,
    /// And its reason.
    pub reason: String,
    /// Minor units.
    pub new_limit: i64,
    /// And its status.
    pub new_status: &'static str,
}

/// A feature that moves with another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkedFeature {
    /// Its name.
    pub feature: String,
    /// What it is now.
    pub from: Option<i64>,
    /// What it would be.
    pub to: i64,
}

/// What would turn one line's decision, the nearest change first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counterfactuals {
    /// To something better for the person.
    pub better: Vec<Counterfactual>,
    /// To something worse.
    pub worse: Vec<Counterfactual>,
}

/// Searches every feature that takes part in the score or the policy; one result a line.
pub fn turns(what_if: &WhatIf, now: &Assessment) -> Vec<Counterfactuals> {
    let mut found: Vec<Counterfactuals> = now.decisions.iter().map(|_| Counterfactuals::default()).collect();
    for feature in (0..what_if.run.job.features.len()).filter(|feature| matters(what_if.run, *feature)) {
        let from = what_if.facts.features.get(feature, 0);
        let better = better_way(&what_if.run.job, &[&[feature], what_if.company(feature)].concat());
        let sides = [Ordering::Less, Ordering::Greater].map(|side| {
            let steps = steps(what_if, feature, from, side);
            let assessments = what_if.with(feature, &steps);
            (side, steps, assessments)
        });
        for (line, turns) in found.iter_mut().enumerate() {
            for (wanted, list) in [(Ordering::Greater, &mut turns.better), (Ordering::Less, &mut turns.worse)]
            {
                // From no value at all there is no way.
                let way = better
                    .filter(|_| from.is_some())
                    .map(|way| if wanted.is_gt() { way } else { way.reverse() });
                let sides = sides.iter().filter(|(side, ..)| way.is_none_or(|way| way == *side));
                let hits = sides.filter_map(|(_, steps, assessments)| {
                    let is_hit = |assessment: &Assessment| {
                        let pending = what_if.facts.lines.pending[line];
                        compare(&assessment.decisions[line], &now.decisions[line], pending) == Some(wanted)
                            && suits(wanted, assessment.score - now.score)
                    };
                    nearest(what_if, feature, from, steps, assessments, is_hit)
                });
                let nearest = hits.min_by_key(|(to, _)| (distance(from, *to), *to));
                let change =
                    nearest.map(|(to, assessment)| change(what_if, feature, from, to, &assessment, line));
                list.extend(
                    change.filter(|change| !list.iter().any(|known| is_same_scenario(known, change))),
                );
            }
        }
    }
    for turns in &mut found {
        turns.better.sort_by(by_size);
        turns.worse.sort_by(by_size);
    }
    found
}

/// Whether the feature, or one made of it, has points or is asked for by the policy.
fn matters(run: &PublishedRun, feature: usize) -> bool {
    derived_from(run, feature).into_iter().any(|feature| matters_itself(run, feature))
}

/// Whether the feature has points or is asked for by the policy.
pub(super) fn matters_itself(run: &PublishedRun, feature: usize) -> bool {
    let job = &run.job;
    let slot = job.scopes.facts.find(&job.features[feature].name).map(|(slot, _)| slot);
    let reads = |rule: &crate::job::Rule| slot.is_some_and(|slot| rule.when.columns.contains(&slot));
    job.scorecard.characteristics.iter().any(|characteristic| characteristic.feature == feature)
        || job.policy.rules.iter().any(reads)
        || job.policy.affordability.is_some_and(|affordability| affordability.feature == feature)
}

/// Whether two changes move the same features to the same values.
fn is_same_scenario(a: &Counterfactual, b: &Counterfactual) -> bool {
    let scenario = |change: &Counterfactual| {
        let others = change.together.iter().map(|one| (one.feature.clone(), one.to));
        let mut all: Vec<(String, i64)> = others.chain([(change.feature.clone(), change.to)]).collect();
        all.sort_unstable();
        all
    };
    scenario(a) == scenario(b)
}

/// Whether a decision is better or worse for the person than another with a different action: by what
/// can be done with the line, then by its limit; where nothing is done, what is pending will happen. `None`
/// where it is the same action, or as good.
fn compare(decision: &Decision, now: &Decision, pending: Option<Pending>) -> Option<Ordering> {
    let worth = |decision: &Decision| match pending.filter(|_| decision.action == Action::Hold) {
        Some(pending) => worth(pending.status, pending.limit),
        None => worth(decision.new_status, decision.new_limit),
    };
    let order = worth(decision).cmp(&worth(now));
    (decision.action != now.action && order.is_ne()).then_some(order)
}

/// The least and the most a feature can be, as far as its declaration tells.
pub(super) fn range(features: &[Feature], feature: usize) -> (i64, i64) {
    const NOT_NEGATIVE: (i64, i64) = (0, i64::MAX);
    let of = |feature: usize| range(features, feature);
    match &features[feature].kind {
        FeatureKind::Aggregate(aggregate) => {
            let days = aggregate.days.map_or(i64::MAX, i64::from);
            match aggregate.statistic {
                Statistic::Count | Statistic::Distinct => NOT_NEGATIVE,
                Statistic::ActiveDays => (0, days),
                Statistic::DaysSince => (0, days.saturating_sub(1)),
                _ if is_never_negative(aggregate) => NOT_NEGATIVE,
                _ => (i64::MIN, i64::MAX),
            }
        }
        FeatureKind::Ratio { a, b, scale } if of(*a).0 >= 0 && of(*b).0 >= 0 && *scale >= 0 => NOT_NEGATIVE,
        FeatureKind::Ratio { .. } => (i64::MIN, i64::MAX),
        FeatureKind::Expression(expr) => expr.range(&of),
    }
}

/// Whether the column an aggregate is of holds no negative values: neither do its sum, least, most, last.
pub(super) fn is_never_negative(aggregate: &Aggregate) -> bool {
    let name = aggregate.of.and_then(|slot| match aggregate.from {
        From::Bills => BILL_COLUMNS.get(slot).map(|(name, _)| *name),
        From::Lines => LINE_COLUMNS.get(slot).map(|(name, _)| *name),
        From::Transactions => None,
    });
    name.is_some_and(|name| ["days_late", "outstanding", "due_amount", "credit_limit"].contains(&name))
}

/// How far a value lies from where the feature is; from 0 where it has none.
fn distance(from: Option<i64>, to: i64) -> u64 {
    from.unwrap_or(0).abs_diff(to)
}

/// Values to try on one side, the nearest first: ever longer steps, and all that points and rules hold
/// the feature, or one made of it, against.
fn steps(what_if: &WhatIf, feature: usize, from: Option<i64>, side: Ordering) -> Vec<i64> {
    let start = from.unwrap_or(0);
    let (least, most) = range(&what_if.run.job.features, feature);
    let mut steps: Vec<i64> = Vec::new();
    let mut length: i128 = 1;
    loop {
        let step = match side {
            Ordering::Less => i128::from(start) - length,
            _ => i128::from(start) + length,
        };
        match i64::try_from(step) {
            Ok(step) if (least..=most).contains(&step) => steps.push(step),
            _ => break,
        }
        length += 1 + length / 4;
    }
    steps.extend([least, most]);
    let is_first = from.is_none() && side == Ordering::Greater;
    steps.extend(is_first.then_some(start));
    let around = |bound: i64| [bound.checked_sub(1), Some(bound), bound.checked_add(1)];
    steps.extend(bounds(what_if, feature).into_iter().flat_map(around).flatten());
    steps.retain(|step| {
        (least..=most).contains(step) && (step.cmp(&start) == side || is_first && *step == start)
    });
    steps.sort_by_key(|step| distance(from, *step));
    steps.dedup();
    steps
}

/// The integers that the feature, and those derived from it, are compared with.
fn bounds(what_if: &WhatIf, feature: usize) -> Vec<i64> {
    let job = &what_if.run.job;
    let mut bounds = Vec::new();
    for follower in derived_from(what_if.run, feature) {
        if let (true, FeatureKind::Expression(expr)) = (follower != feature, &job.features[follower].kind) {
            bounds.extend(expr.integers());
        }
        let own = job.scorecard.characteristics.iter().filter(|one| one.feature == follower);
        bounds.extend(own.flat_map(|one| one.bins.iter().filter_map(|bin| bin.below)));
        let slot = job.scopes.facts.find(&job.features[follower].name).map(|(slot, _)| slot);
        let reading =
            job.policy.rules.iter().filter(|rule| slot.is_some_and(|s| rule.when.columns.contains(&s)));
        bounds.extend(reading.flat_map(|rule| rule.when.integers()));
    }
    bounds
}

/// The value nearest to where the feature is that hits, as far as the steps tell: between the first step
/// that hits and the one before it, narrowed down by trying.
fn nearest(
    what_if: &WhatIf,
    feature: usize,
    from: Option<i64>,
    steps: &[i64],
    assessments: &[Option<Assessment>],
    is_hit: impl Fn(&Assessment) -> bool,
) -> Option<(i64, Assessment)> {
    let first = assessments.iter().position(|assessment| assessment.as_ref().is_some_and(&is_hit))?;
    let mut hit = (steps[first], assessments[first].clone()?);
    let mut miss = match first.checked_sub(1) {
        Some(before) => steps[before],
        None => from.unwrap_or(hit.0),
    };
    const AT_ONCE: i128 = 32;
    while hit.0.abs_diff(miss) > 1 {
        let span = i128::from(hit.0) - i128::from(miss);
        let mut tries: Vec<i64> =
            (1..AT_ONCE).map(|part| (i128::from(miss) + span * part / AT_ONCE) as i64).collect();
        tries.dedup();
        tries.retain(|value| *value != miss && *value != hit.0);
        let assessments = what_if.with(feature, &tries);
        match assessments.iter().position(|assessment| assessment.as_ref().is_some_and(&is_hit)) {
            Some(place) => {
                hit = (tries[place], assessments[place].clone()?);
                miss = place.checked_sub(1).map_or(miss, |before| tries[before]);
            }
            None => miss = *tries.last()?,
        }
    }
    Some(hit)
}

fn change(
    what_if: &WhatIf,
    feature: usize,
    from: Option<i64>,
    to: i64,
    assessment: &Assessment,
    line: usize,
) -> Counterfactual {
    let words = what_if.in_words(&assessment.decisions[line], assessment);
    let decision = &assessment.decisions[line];
    Counterfactual {
        feature: what_if.run.job.features[feature].name.clone(),
        from,
        to,
        by: from.map(|from| i128::from(to) - i128::from(from)),
        together: company(what_if, feature, to),
        score: assessment.score,
        band: words.band,
        action: decision.action.name(),
        reason: words.reason,
        new_limit: decision.new_limit,
        new_status: decision.new_status.name(),
    }
}

/// What moves with a feature where it is set to a value.
pub(super) fn company(what_if: &WhatIf, feature: usize, to: i64) -> Vec<LinkedFeature> {
    let others = what_if.scenario(feature, to).into_iter().flatten().skip(1);
    let one = |(feature, to): (usize, i64)| LinkedFeature {
        feature: what_if.run.job.features[feature].name.clone(),
        from: what_if.facts.features.get(feature, 0),
        to,
    };
    others.map(one).collect()
}

/// Changes in proportion to what the feature is, the smallest first; those of features without a value
/// last, as nobody can tell how far they are.
fn by_size(a: &Counterfactual, b: &Counterfactual) -> Ordering {
    let scale = |change: &Counterfactual| u128::from(change.from.unwrap_or(0).unsigned_abs().max(1));
    let length = |change: &Counterfactual| u128::from(distance(change.from, change.to));
    let order = (length(a) * scale(b)).cmp(&(length(b) * scale(a)));
    a.from.is_none().cmp(&b.from.is_none()).then(order)
}

//! What would change a decision: the nearest value of a single feature with which a line is decided otherwise.
//!
//! A feature, with those over the same rows, is moved away from its value in ever longer steps, and each step is
//! rescored and decided again, until the decision changes; then the nearest such value between the last two steps
//! is searched for. What no rows could produce is not tried, and nothing that harms is offered as a betterment.

use std::cmp::Ordering;

use serde::Serialize;

use super::direction::{better_direction, suits, worth};
use super::features::{derived_from, matters, range};
use super::what_if::{Assessment, WhatIf};
use crate::input::lines::Pending;
use crate::job::{Action, FeatureKind};
use crate::policy::Decision;

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

/// What would change one line's decision, the nearest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counterfactuals {
    /// To something better for the person.
    pub better: Vec<Counterfactual>,
    /// To something worse.
    pub worse: Vec<Counterfactual>,
}

/// The values of a feature that are tried below or above its present one.
struct Tries {
    side: Ordering,
    values: Vec<i64>,
    /// One a value; `None` where the feature cannot have it.
    assessments: Vec<Option<Assessment>>,
}

/// Searches every feature that score or policy read; one result a line.
pub fn counterfactuals(what_if: &WhatIf, now: &Assessment) -> Vec<Counterfactuals> {
    let job = &what_if.job;
    let mut found: Vec<Counterfactuals> = now.decisions.iter().map(|_| Counterfactuals::default()).collect();
    for feature in (0..job.features.len()).filter(|feature| matters(job, *feature)) {
        let search = FeatureSearch::new(what_if, now, feature);
        for (line, found) in found.iter_mut().enumerate() {
            for (wanted, list) in [(Ordering::Greater, &mut found.better), (Ordering::Less, &mut found.worse)]
            {
                let nearest = search.nearest(line, wanted);
                // Features that move together lead to the same scenario, each by itself.
                list.extend(nearest.filter(|one| !list.iter().any(|known| is_same_scenario(known, one))));
            }
        }
    }
    for found in &mut found {
        found.better.sort_by(by_size);
        found.worse.sort_by(by_size);
    }
    found
}

/// One feature's values below and above its present one, tried.
struct FeatureSearch<'a> {
    what_if: &'a WhatIf<'a>,
    now: &'a Assessment,
    feature: usize,
    from: Option<i64>,
    /// On which side the values lie that are better for the person, where that is known.
    better_side: Option<Ordering>,
    sides: [Tries; 2],
}

impl<'a> FeatureSearch<'a> {
    fn new(what_if: &'a WhatIf, now: &'a Assessment, feature: usize) -> FeatureSearch<'a> {
        let from = what_if.facts.features.get(feature, 0);
        let better = better_direction(&what_if.job, &[&[feature], what_if.linked(feature)].concat());
        let sides = [Ordering::Less, Ordering::Greater].map(|side| {
            let values = values_to_try(what_if, feature, from, side);
            let assessments = what_if.with(feature, &values);
            Tries { side, values, assessments }
        });
        // Without a present value there are no sides.
        let better_side = better.filter(|_| from.is_some());
        FeatureSearch { what_if, now, feature, from, better_side, sides }
    }

    /// The nearest value with which a line is decided better (`Greater`) or worse (`Less`) for the person.
    fn nearest(&self, line: usize, wanted: Ordering) -> Option<Counterfactual> {
        let side = self.better_side.map(|side| if wanted.is_gt() { side } else { side.reverse() });
        let tries = self.sides.iter().filter(|tries| side.is_none_or(|side| side == tries.side));
        let hits = tries.filter_map(|tries| self.nearest_hit(tries, line, wanted));
        let nearest = hits.min_by_key(|hit| (distance(self.from, hit.value), hit.value))?;
        Some(self.counterfactual(&nearest, line))
    }

    /// Whether a line is decided better or worse, as `wanted`, and the score does not move the other way.
    fn is_hit(&self, assessment: &Assessment, line: usize, wanted: Ordering) -> bool {
        let pending = self.what_if.facts.lines.pending[line];
        compare(&assessment.decisions[line], &self.now.decisions[line], pending) == Some(wanted)
            && suits(wanted, assessment.score - self.now.score)
    }

    fn first_hit(&self, tried: &[Option<Assessment>], line: usize, wanted: Ordering) -> Option<usize> {
        tried.iter().position(|one| one.as_ref().is_some_and(|one| self.is_hit(one, line, wanted)))
    }

    /// The nearest value on one side that hits, as far as the values tried show: between the first of them that hits
    /// and the one before it, narrowed down by trying.
    fn nearest_hit(&self, tries: &Tries, line: usize, wanted: Ordering) -> Option<Candidate> {
        const AT_ONCE: i128 = 32;
        let first = self.first_hit(&tries.assessments, line, wanted)?;
        let mut hit = Candidate { value: tries.values[first], assessment: tries.assessments[first].clone()? };
        let mut miss = match first.checked_sub(1) {
            Some(before) => tries.values[before],
            None => self.from.unwrap_or(hit.value),
        };
        // Each round tries values spread evenly between the last miss and the hit.
        while hit.value.abs_diff(miss) > 1 {
            let span = i128::from(hit.value) - i128::from(miss);
            let mut values: Vec<i64> =
                (1..AT_ONCE).map(|part| (i128::from(miss) + span * part / AT_ONCE) as i64).collect();
            values.dedup();
            values.retain(|value| *value != miss && *value != hit.value);
            let assessments = self.what_if.with(self.feature, &values);
            match self.first_hit(&assessments, line, wanted) {
                Some(first) => {
                    hit = Candidate { value: values[first], assessment: assessments[first].clone()? };
                    miss = first.checked_sub(1).map_or(miss, |before| values[before]);
                }
                None => miss = *values.last()?,
            }
        }
        Some(hit)
    }

    fn counterfactual(&self, hit: &Candidate, line: usize) -> Counterfactual {
        let Candidate { value, assessment } = hit;
        let decision = &assessment.decisions[line];
        let decided = self.what_if.as_published(decision, assessment);
        Counterfactual {
            feature: self.what_if.job.features[self.feature].name.clone(),
            from: self.from,
            to: *value,
            by: self.from.map(|from| i128::from(*value) - i128::from(from)),
            together: linked_features(self.what_if, self.feature, *value),
            score: assessment.score,
            band: decided.band,
            action: decision.action.name(),
            reason: decided.reason,
            new_limit: decision.new_limit,
            new_status: decision.new_status.name(),
        }
    }
}

/// A value that changes a decision as wanted, and the account rescored and decided again with it.
struct Candidate {
    value: i64,
    assessment: Assessment,
}

/// Whether two counterfactuals move the same features to the same values.
fn is_same_scenario(a: &Counterfactual, b: &Counterfactual) -> bool {
    moved_features(a) == moved_features(b)
}

fn moved_features(counterfactual: &Counterfactual) -> Vec<(&str, i64)> {
    let linked = counterfactual.together.iter().map(|one| (one.feature.as_str(), one.to));
    let mut all: Vec<(&str, i64)> = linked.collect();
    all.push((&counterfactual.feature, counterfactual.to));
    all.sort_unstable();
    all
}

/// Whether a decision is better or worse for the person than another with a different action: by what
/// can be done with the line, then by its limit; where nothing is done, what is pending will happen. `None`
/// where it is the same action, or as good.
fn compare(decision: &Decision, now: &Decision, pending: Option<Pending>) -> Option<Ordering> {
    let order = worth_of(decision, pending).cmp(&worth_of(now, pending));
    (decision.action != now.action && order.is_ne()).then_some(order)
}

fn worth_of(decision: &Decision, pending: Option<Pending>) -> (u8, i64) {
    match pending.filter(|_| decision.action == Action::Hold) {
        Some(pending) => worth(pending.status, pending.limit),
        None => worth(decision.new_status, decision.new_limit),
    }
}

/// How far a value lies from where the feature is; from 0 where it has none.
fn distance(from: Option<i64>, to: i64) -> u64 {
    from.unwrap_or(0).abs_diff(to)
}

/// Values to try on one side, the nearest first: ever longer steps, and all that points and rules compare
/// the feature, or one derived from it, with.
fn values_to_try(what_if: &WhatIf, feature: usize, from: Option<i64>, side: Ordering) -> Vec<i64> {
    let start = from.unwrap_or(0);
    let (least, most) = range(&what_if.job.features, feature);
    let mut values: Vec<i64> = Vec::new();
    let mut length: i128 = 1;
    loop {
        let value = match side {
            Ordering::Less => i128::from(start) - length,
            _ => i128::from(start) + length,
        };
        match i64::try_from(value) {
            Ok(value) if (least..=most).contains(&value) => values.push(value),
            _ => break,
        }
        length += 1 + length / 4;
    }
    values.extend([least, most]);
    // A feature without a value is tried at 0, too, which is on neither side.
    let includes_start = from.is_none() && side == Ordering::Greater;
    values.extend(includes_start.then_some(start));
    for bound in bounds(what_if, feature) {
        values.extend([bound.checked_sub(1), Some(bound), bound.checked_add(1)].into_iter().flatten());
    }
    values.retain(|value| {
        (least..=most).contains(value) && (value.cmp(&start) == side || includes_start && *value == start)
    });
    values.sort_by_key(|value| distance(from, *value));
    values.dedup();
    values
}

/// The integers that the feature, and those derived from it, are compared with.
fn bounds(what_if: &WhatIf, feature: usize) -> Vec<i64> {
    let job = &what_if.job;
    let mut bounds = Vec::new();
    for derived in derived_from(job, feature) {
        if let (true, FeatureKind::Expression(expr)) = (derived != feature, &job.features[derived].kind) {
            bounds.extend(expr.integers());
        }
        let own = job.scorecard.characteristics.iter().filter(|one| one.feature == derived);
        bounds.extend(own.flat_map(|one| one.bins.iter().filter_map(|bin| bin.below)));
        if let Some((slot, _)) = job.scopes.facts.find(&job.features[derived].name) {
            let reading = job.policy.rules.iter().filter(|rule| rule.when.columns.contains(&slot));
            bounds.extend(reading.flat_map(|rule| rule.when.integers()));
        }
    }
    bounds
}

/// What moves with a feature where it is set to a value.
pub fn linked_features(what_if: &WhatIf, feature: usize, to: i64) -> Vec<LinkedFeature> {
    let linked = what_if.scenario(feature, to).into_iter().flatten().skip(1);
    let linked = linked.map(|setting| LinkedFeature {
        feature: what_if.job.features[setting.feature].name.clone(),
        from: what_if.facts.features.get(setting.feature, 0),
        to: setting.value,
    });
    linked.collect()
}

/// By change in proportion to what the feature is, the smallest first; features without a value come last, as
/// nobody can say how far they move.
fn by_size(a: &Counterfactual, b: &Counterfactual) -> Ordering {
    // length(a) ÷ scale(a) against length(b) ÷ scale(b), without dividing.
    let order = (length(a) * scale(b)).cmp(&(length(b) * scale(a)));
    a.from.is_none().cmp(&b.from.is_none()).then(order)
}

fn scale(change: &Counterfactual) -> u128 {
    change.from.unwrap_or(0).unsigned_abs().max(1).into()
}

fn length(change: &Counterfactual) -> u128 {
    distance(change.from, change.to).into()
}

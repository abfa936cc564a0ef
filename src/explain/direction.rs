//! In which direction a change of a feature is better for the person, so that less income is never offered as a
//! betterment.
//!
//! The first of these that applies counts:
//!
//! 1. the scorecard: where a characteristic's points only rise with its feature, more is better, where they only
//!    fall, less is;
//! 2. the policy: more of what affordability is measured by is better;
//! 3. the columns: being late and owing are worse the more they are, and so are more bills that are late; more
//!    limit is better;
//! 4. ratios: the better direction of one is its dividend's; that of what a ratio with points is derived from is the
//!    ratio's own, and for its divisor the opposite. Where two ratios do not agree, neither counts.
//!
//! Where none applies, both directions are tried. In any case a change for the better never costs points, and one for
//! the worse never brings any (see [`suits`]).

use std::cmp::Ordering;

use super::features::range;
use crate::expr::Conjunct;
use crate::input::lines::Status;
use crate::job::{Aggregate, BILL_COLUMNS, Characteristic, FeatureKind, From, Job, Statistic};

/// What a line is worth to the person: what can be done with it, then its limit in minor units.
pub fn worth(status: Status, limit: i64) -> (u8, i64) {
    let use_of = match status {
        Status::Closed => 0,
        Status::Suspended => 1,
        Status::Active => 2,
    };
    (use_of, limit)
}

/// Whether more (`Greater`) or less (`Less`) of some features that move together is better for the person, where
/// that is known. What applies to any of them itself counts before what applies to ratios.
pub fn better_direction(job: &Job, together: &[usize]) -> Option<Ordering> {
    let own = together.iter().find_map(|feature| own_direction(job, *feature));
    own.or_else(|| together.iter().find_map(|feature| direction_of_ratios(job, *feature)))
}

fn own_direction(job: &Job, feature: usize) -> Option<Ordering> {
    let card = job.scorecard.characteristics.iter().find(|one| one.feature == feature);
    if let Some(direction) = card.and_then(direction_of_points) {
        return Some(direction);
    }
    if job.policy.affordability.is_some_and(|affordability| affordability.feature == feature) {
        return Some(Ordering::Greater);
    }
    match &job.features[feature].kind {
        FeatureKind::Aggregate(aggregate) if is_a_burden(aggregate) => Some(Ordering::Less),
        FeatureKind::Aggregate(aggregate) if is_limit(aggregate) => Some(Ordering::Greater),
        _ => None,
    }
}

/// Whether a change that moves the score so far suits what it is offered as.
pub fn suits(wanted: Ordering, score_change: i32) -> bool {
    match wanted {
        Ordering::Greater => score_change >= 0,
        _ => score_change <= 0,
    }
}

fn direction_of_points(characteristic: &Characteristic) -> Option<Ordering> {
    let points: Vec<i32> = characteristic.bins.iter().map(|bin| bin.points).collect();
    match (points.is_sorted(), points.is_sorted_by(|a, b| a >= b)) {
        (true, false) => Some(Ordering::Greater),
        (false, true) => Some(Ordering::Less),
        _ => None,
    }
}

/// Whether it measures bills that are late, or what is owed.
fn is_a_burden(aggregate: &Aggregate) -> bool {
    let of = aggregate.of_text();
    match aggregate.statistic {
        Statistic::Sum | Statistic::Min | Statistic::Max | Statistic::Last => match aggregate.from {
            From::Bills => matches!(of, Some("days_late" | "outstanding")),
            From::Lines => of == Some("balance"),
            From::Transactions => false,
        },
        Statistic::Count | Statistic::ActiveDays | Statistic::Distinct => {
            aggregate.from == From::Bills && aggregate.filter.as_ref().is_some_and(asks_for_late_bills)
        }
        Statistic::DaysSince | Statistic::DaysSinceFirst => false,
    }
}

fn is_limit(aggregate: &Aggregate) -> bool {
    aggregate.from == From::Lines
        && aggregate.statistic != Statistic::Distinct
        && aggregate.of_text() == Some("credit_limit")
}

fn asks_for_late_bills(condition: &crate::expr::Expr) -> bool {
    condition.conjuncts().iter().any(|part| match part {
        Conjunct::Between(slot, Some(least), _) => *least > 0 && is_burden_column(*slot),
        _ => false,
    })
}

fn is_burden_column(slot: usize) -> bool {
    BILL_COLUMNS.get(slot).is_some_and(|(name, _)| ["days_late", "outstanding"].contains(name))
}

fn direction_of_ratios(job: &Job, feature: usize) -> Option<Ordering> {
    if let FeatureKind::Ratio { a, b, scale } = job.features[feature].kind {
        let is_plain = scale > 0 && is_not_negative(job, b);
        return own_direction(job, a).filter(|_| is_plain);
    }
    let ratios = job.features.iter().enumerate().skip(feature + 1);
    let mut directions =
        ratios.filter_map(|(number, ratio)| direction_of_part(job, feature, number, &ratio.kind));
    let first = directions.next()?;
    directions.all(|direction| direction == first).then_some(first)
}

/// The better direction of a part of a ratio with the number `ratio`, going by that of the ratio itself.
fn direction_of_part(job: &Job, part: usize, ratio: usize, kind: &FeatureKind) -> Option<Ordering> {
    let FeatureKind::Ratio { a, b, scale } = *kind else { return None };
    if a == b || scale <= 0 || !is_not_negative(job, b) {
        return None;
    }
    if part == a {
        own_direction(job, ratio)
    } else if part == b && is_not_negative(job, a) {
        own_direction(job, ratio).map(Ordering::reverse)
    } else {
        None
    }
}

fn is_not_negative(job: &Job, feature: usize) -> bool {
    range(&job.features, feature).0 >= 0
}

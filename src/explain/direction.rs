//! Which way of a feature is the better one for the person, so that no less income is offered as a betterment.
//!
//! What is said first counts:
//!
//! 1. the scorecard: where a characteristic's points only rise with its feature, more is better, where they only
//!    fall, less is;
//! 2. the policy: more of what affordability is measured by is better;
//! 3. the columns: being late and owing are worse the more they are, and so are more bills that are late; more
//!    limit is better;
//! 4. ratios: the better way of one is its dividend's; that of what a ratio with points is made of is the ratio's
//!    own, and for its divisor the other way. Where two ratios do not agree, nothing is said.
//!
//! Where nothing is said, both ways are tried. In any case a change for the better never costs points, and one for
//! the worse never brings any (see [`suits`]).

use std::cmp::Ordering;

use super::counterfactual::range;
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
/// that is known. What is said of any of them itself counts before what ratios say.
pub fn better_way(job: &Job, together: &[usize]) -> Option<Ordering> {
    let own = together.iter().find_map(|feature| own_way(job, *feature));
    own.or_else(|| together.iter().find_map(|feature| way_of_ratios(job, *feature)))
}

fn own_way(job: &Job, feature: usize) -> Option<Ordering> {
    let card = job.scorecard.characteristics.iter().find(|one| one.feature == feature);
    if let Some(way) = card.and_then(way_of_points) {
        return Some(way);
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

fn way_of_points(characteristic: &Characteristic) -> Option<Ordering> {
    let points: Vec<i32> = characteristic.bins.iter().map(|bin| bin.points).collect();
    match (points.is_sorted(), points.is_sorted_by(|a, b| a >= b)) {
        (true, false) => Some(Ordering::Greater),
        (false, true) => Some(Ordering::Less),
        _ => None,
    }
}

/// Whether it tells of bills that are late, or of what is owed.
fn is_a_burden(aggregate: &Aggregate) -> bool {
    let of = aggregate.of_name.as_deref();
    match aggregate.statistic {
        Statistic::Sum | Statistic::Min | Statistic::Max | Statistic::Last => match aggregate.from {
            From::Bills => matches!(of, Some("days_late" | "outstanding")),
            From::Lines => of == Some("balance"),
            From::Transactions => false,
        },
        Statistic::Count | Statistic::ActiveDays | Statistic::Distinct => {
            aggregate.from == From::Bills && aggregate.filter.as_ref().is_some_and(asks_for_late_bills)
        }
        Statistic::DaysSince => false,
    }
}

fn is_limit(aggregate: &Aggregate) -> bool {
    aggregate.from == From::Lines
        && aggregate.statistic != Statistic::Distinct
        && aggregate.of_name.as_deref() == Some("credit_limit")
}

fn asks_for_late_bills(condition: &crate::expr::Expr) -> bool {
    let is_burden = |slot: usize| {
        BILL_COLUMNS.get(slot).is_some_and(|(name, _)| ["days_late", "outstanding"].contains(name))
    };
    condition
        .conjuncts()
        .iter()
        .any(|part| matches!(part, Conjunct::Between(slot, Some(least), _) if is_burden(*slot) && *least > 0))
}

fn way_of_ratios(job: &Job, feature: usize) -> Option<Ordering> {
    if let FeatureKind::Ratio { a, b, scale } = job.features[feature].kind {
        let is_plain = scale > 0 && range(&job.features, b).0 >= 0;
        return own_way(job, a).filter(|_| is_plain);
    }
    let mut ways = job.features.iter().enumerate().skip(feature + 1).filter_map(|(number, made)| {
        let FeatureKind::Ratio { a, b, scale } = made.kind else { return None };
        let not_negative = |part: usize| range(&job.features, part).0 >= 0;
        let way = match feature {
            _ if a == b || scale <= 0 || !not_negative(b) => return None,
            feature if feature == a => own_way(job, number)?,
            feature if feature == b && not_negative(a) => own_way(job, number)?.reverse(),
            _ => return None,
        };
        Some(way)
    });
    let first = ways.next()?;
    ways.all(|way| way == first).then_some(first)
}

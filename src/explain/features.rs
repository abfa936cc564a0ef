//! What a job says of its features: their range, what is derived from them, and whether score or policy read them.

use crate::job::{
    Aggregate, BILL_COLUMNS, Feature, FeatureKind, From, Job, LINE_COLUMNS, ValueRange, ValueSource,
};

/// The feature and, after it, those that are derived from it, directly or not, in file order.
pub fn derived_from(job: &Job, feature: usize) -> Vec<usize> {
    let mut found = vec![feature];
    for (number, later) in job.features.iter().enumerate().skip(feature + 1) {
        let reads = match &later.kind {
            FeatureKind::Aggregate(_) => false,
            FeatureKind::Ratio { a, b, .. } => found.contains(a) || found.contains(b),
            FeatureKind::Expression(expr) => expr.columns.iter().any(|column| found.contains(column)),
        };
        if reads {
            found.push(number);
        }
    }
    found
}

/// Whether score or policy read the feature, or one derived from it.
pub fn matters(job: &Job, feature: usize) -> bool {
    derived_from(job, feature).into_iter().any(|feature| matters_itself(job, feature))
}

/// Whether the feature itself has points or is read by the policy.
pub fn matters_itself(job: &Job, feature: usize) -> bool {
    let slot = job.scopes.facts.find(&job.features[feature].name).map(|(slot, _)| slot);
    let policy = &job.policy;
    is_scored(job, feature)
        || slot.is_some_and(|slot| policy.rules.iter().any(|rule| rule.when.columns.contains(&slot)))
        || policy.affordability.is_some_and(|affordability| affordability.feature == feature)
}

/// Whether the feature itself has points.
pub fn is_scored(job: &Job, feature: usize) -> bool {
    job.scorecard.characteristics.iter().any(|characteristic| characteristic.feature == feature)
}

/// The least and the most a feature can be, as far as its declaration shows.
pub fn range(features: &[Feature], feature: usize) -> (i64, i64) {
    const NOT_NEGATIVE: (i64, i64) = (0, i64::MAX);
    match &features[feature].kind {
        FeatureKind::Aggregate(aggregate) => {
            let ValueRange { least, most } = aggregate.range();
            let least = least.or(is_never_negative(aggregate).then_some(0));
            (least.unwrap_or(i64::MIN), most.unwrap_or(i64::MAX))
        }
        FeatureKind::Ratio { a, b, scale }
            if range(features, *a).0 >= 0 && range(features, *b).0 >= 0 && *scale >= 0 =>
        {
            NOT_NEGATIVE
        }
        FeatureKind::Ratio { .. } => (i64::MIN, i64::MAX),
        FeatureKind::Expression(expr) => expr.range(&|feature| range(features, feature)),
    }
}

/// Whether the column an aggregate is of holds no negative values: neither do its sum, least, most, last.
pub fn is_never_negative(aggregate: &Aggregate) -> bool {
    let slot = match aggregate.of.as_ref().map(|of| &of.source) {
        Some(ValueSource::Column(slot)) => *slot,
        _ => return false,
    };
    let name = match aggregate.from {
        From::Bills => BILL_COLUMNS.get(slot).map(|(name, _)| *name),
        From::Lines => LINE_COLUMNS.get(slot).map(|(name, _)| *name),
        From::Transactions => None,
    };
    name.is_some_and(|name| ["days_late", "outstanding", "due_amount", "credit_limit"].contains(&name))
}

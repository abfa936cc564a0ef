//! What else is so where a feature is another: features over the same rows move together or not at all.
//!
//! A change that is named has to be one that rows can make. So
//!
//! - the same measure of the same rows over another window moves along: counts, sums, days and distinct values by the
//!   same difference (every window holds the newest rows), the latest value and the days since to the same value;
//!   the least and the greatest stay, and bound how far their like can move;
//! - another measure of exactly the same rows, such as their number beside their sum, would move in a way that
//!   nobody can tell: such a feature is not moved at all. Values of other columns, and what is owed on lines, of
//!   which there are as many as before, go their own way;
//! - what rows among others come to is never more than what all of those come to (see [`fits`]);
//! - what is made of features follows them; it is moved itself only where nothing else looks at what it is made of.

use super::counterfactual::{is_never_negative, matters_itself, range};
use super::what_if::derived_from;
use crate::expr::Form;
use crate::job::{Aggregate, Feature, FeatureKind, From, Statistic};
use crate::run_dir::PublishedRun;

/// Features and what they are set to; all others follow or stay.
pub type Scenario = Vec<(usize, i64)>;

/// The relations between a run's features, for one account.
pub struct Scenarios<'a> {
    features: &'a [Feature],
    now: Vec<Option<i64>>,
    /// By feature; of aggregates, how their condition is put together.
    forms: Vec<Option<Form>>,
    /// By feature: what moves with it; `None` where it cannot be moved.
    company: Vec<Option<Vec<usize>>>,
    /// By feature: whether it can be moved as far as the score goes, though it is made of others.
    is_own_in_score: Vec<bool>,
}

impl<'a> Scenarios<'a> {
    /// Of an account whose features are `now`.
    pub fn new(run: &'a PublishedRun, now: Vec<Option<i64>>) -> Scenarios<'a> {
        let features = &run.job.features;
        let forms = features.iter().map(|feature| {
            let aggregate = aggregate(feature)?;
            Some(Form::of(aggregate.filter.as_ref().map(|filter| filter.text.as_str())))
        });
        let is_scored =
            |feature: usize| run.job.scorecard.characteristics.iter().any(|one| one.feature == feature);
        let is_made = |feature: usize| aggregate(&features[feature]).is_none();
        let is_own = |feature: usize| is_made(feature) && stands_for_its_parts(run, feature, &is_scored);
        let is_own_in_score = (0..features.len()).map(is_own).collect();
        let forms = forms.collect();
        let mut scenarios = Scenarios { features, now, forms, company: Vec::new(), is_own_in_score };
        scenarios.company = (0..features.len())
            .map(|feature| match features[feature].kind {
                FeatureKind::Aggregate(_) => scenarios.company_of(feature),
                _ => {
                    stands_for_its_parts(run, feature, &|feature| matters_itself(run, feature)).then(Vec::new)
                }
            })
            .collect();
        scenarios
    }

    /// The scenario in which a feature is another; `None` where there can be none.
    pub fn with(&self, feature: usize, to: i64) -> Option<Scenario> {
        let mut scenario = vec![(feature, to)];
        for other in self.company[feature].as_ref()? {
            scenario.extend(self.moved_along(feature, to, *other)?.map(|value| (*other, value)));
        }
        self.is_possible(&scenario).then_some(scenario)
    }

    /// The features that move with a feature.
    pub fn company(&self, feature: usize) -> &[usize] {
        self.company[feature].as_deref().unwrap_or_default()
    }

    /// The same as far as the score goes.
    pub fn with_for_score(&self, feature: usize, to: i64) -> Option<Scenario> {
        match self.is_own_in_score[feature] {
            true => Some(vec![(feature, to)]),
            false => self.with(feature, to),
        }
    }

    /// What another window's value is then: `Some(None)` where it stays, `None` where there is no telling.
    fn moved_along(&self, feature: usize, to: i64, other: usize) -> Option<Option<i64>> {
        let Some(value) = self.now[other] else { return Some(None) };
        let (least, most) = range(self.features, other);
        match aggregate(&self.features[feature])?.statistic {
            Statistic::Last | Statistic::DaysSince => (least..=most).contains(&to).then_some(Some(to)),
            Statistic::Min | Statistic::Max => Some(None),
            _ => {
                let moved = value.checked_add(to.checked_sub(self.now[feature]?)?)?;
                Some(Some(moved.clamp(least, most)))
            }
        }
    }

    /// The aggregates that move with one; `None` where it stays as it is.
    fn company_of(&self, feature: usize) -> Option<Vec<usize>> {
        let own = aggregate(&self.features[feature])?;
        let others = || (0..self.features.len()).filter(|other| *other != feature);
        let is_alike = |other: &usize| {
            aggregate(&self.features[*other]).is_some_and(|other| measure(other) == measure(own))
                && self.is_same_condition(feature, *other)
        };
        let company: Vec<usize> = others().filter(is_alike).collect();
        let is_tied = |mover: usize| {
            let tied = |other: usize| self.is_tied(mover, other);
            (0..self.features.len()).any(tied)
        };
        let mut movers = std::iter::once(feature).chain(company.iter().copied());
        (!movers.any(is_tied)).then_some(company)
    }

    /// Whether another measure is of exactly the same rows and cannot stay where `feature` moves.
    fn is_tied(&self, feature: usize, other: usize) -> bool {
        let (Some(own), Some(of)) = (aggregate(&self.features[feature]), aggregate(&self.features[other]))
        else {
            return false;
        };
        let both_of_values = is_of_values(own) && is_of_values(of);
        let goes_its_own_way = match both_of_values {
            true => own.of_name != of.of_name,
            false => own.from == From::Lines && is_of_values(own),
        };
        own.days == of.days
            && measure(own) != measure(of)
            && !goes_its_own_way
            && self.is_same_condition(feature, other)
    }

    fn is_same_condition(&self, a: usize, b: usize) -> bool {
        let from = |feature: usize| aggregate(&self.features[feature]).map(|one| one.from);
        match (&self.forms[a], &self.forms[b]) {
            (Some(form), Some(other)) => from(a) == from(b) && form.implies(other) && other.implies(form),
            _ => false,
        }
    }

    /// Whether the rows of one are all among those of another.
    fn are_among(&self, inner: usize, outer: usize) -> bool {
        let (Some(a), Some(b)) = (aggregate(&self.features[inner]), aggregate(&self.features[outer])) else {
            return false;
        };
        let window = |aggregate: &Aggregate| aggregate.days.unwrap_or(u32::MAX);
        a.from == b.from
            && window(a) <= window(b)
            && self.forms[inner].as_ref().zip(self.forms[outer].as_ref()).is_some_and(|(a, b)| a.implies(b))
    }

    /// Whether rows can make what a scenario says, beside what stays.
    fn is_possible(&self, scenario: &Scenario) -> bool {
        let value = |feature: usize| {
            let moved = scenario.iter().find(|(moved, _)| *moved == feature);
            moved.map(|(_, to)| *to).or(self.now[feature])
        };
        scenario.iter().all(|(moved, _)| {
            (0..self.features.len()).filter(|other| other != moved).all(|other| {
                let holds = |inner: usize, outer: usize| {
                    let (Some(a), Some(b)) =
                        (aggregate(&self.features[inner]), aggregate(&self.features[outer]))
                    else {
                        return true;
                    };
                    !self.are_among(inner, outer)
                        || fits((a, value(inner)), (b, value(outer)), self.is_same_condition(inner, outer))
                };
                holds(*moved, other) && holds(other, *moved)
            })
        })
    }
}

/// Whether `inner` can come to what it does beside `outer`, whose rows hold those of `inner`;
/// `is_window` says that they differ in their window alone.
fn fits(
    (a, inner): (&Aggregate, Option<i64>),
    (b, outer): (&Aggregate, Option<i64>),
    is_window: bool,
) -> bool {
    use Statistic::{ActiveDays, Count, DaysSince, Distinct, Last, Max, Min, Sum};
    if has_rows(a.statistic, inner) == Some(true) && has_rows(b.statistic, outer) == Some(false) {
        return false;
    }
    let is_of_same = a.of_name == b.of_name;
    let (Some(inner), Some(outer)) = (inner, outer) else {
        // Rows so recent would be in the shorter window too.
        let is_recent = outer.zip(a.days).is_some_and(|(outer, days)| outer < i64::from(days));
        return !(is_window && (a.statistic, b.statistic) == (DaysSince, DaysSince) && is_recent);
    };
    match (a.statistic, b.statistic) {
        (Count | ActiveDays | Distinct, Count) => inner <= outer,
        (ActiveDays, ActiveDays) => {
            let more_days = b.days.zip(a.days).map(|(b, a)| i64::from(b) - i64::from(a));
            let more = outer.saturating_sub(inner);
            more >= 0 && more_days.is_none_or(|days| !is_window || more <= days)
        }
        (Distinct, Distinct) if is_of_same => inner <= outer,
        (Sum, Sum) if is_of_same && is_never_negative(a) => inner <= outer,
        (Min, Min) if is_of_same => outer <= inner,
        (Max, Max) if is_of_same => inner <= outer,
        (Last, Last) if is_of_same && is_window => inner == outer,
        (DaysSince, DaysSince) if is_window => inner == outer,
        (DaysSince, DaysSince) => outer <= inner,
        (Min, Max) if is_of_same => inner <= outer,
        _ => true,
    }
}

/// What a value says of whether there are rows; `None` where it says nothing.
fn has_rows(statistic: Statistic, value: Option<i64>) -> Option<bool> {
    match (statistic, value) {
        (Statistic::Count | Statistic::ActiveDays, Some(rows)) => Some(rows > 0),
        (Statistic::Distinct, Some(0)) | (Statistic::Sum, _) => None,
        (Statistic::DaysSince, None) => Some(false),
        (_, value) => value.map(|_| true),
    }
}

fn aggregate(feature: &Feature) -> Option<&Aggregate> {
    match &feature.kind {
        FeatureKind::Aggregate(aggregate) => Some(aggregate),
        _ => None,
    }
}

/// What is measured, whatever of.
fn measure(aggregate: &Aggregate) -> (From, Statistic, Option<&str>) {
    (aggregate.from, aggregate.statistic, aggregate.of_name.as_deref())
}

/// Whether it is made of values of the rows, rather than of how many or of which days there are.
fn is_of_values(aggregate: &Aggregate) -> bool {
    matches!(aggregate.statistic, Statistic::Sum | Statistic::Min | Statistic::Max | Statistic::Last)
}

/// Whether nothing that matters but a ratio or an expression itself, and what is made of it, looks at what it is
/// made of.
fn stands_for_its_parts(run: &PublishedRun, feature: usize, matters: &dyn Fn(usize) -> bool) -> bool {
    let own = derived_from(run, feature);
    (0..feature).filter(|part| derived_from(run, *part).contains(&feature)).all(|part| {
        let others = derived_from(run, part).into_iter().filter(|follower| !own.contains(follower));
        others.into_iter().all(|follower| !matters(follower))
    })
}

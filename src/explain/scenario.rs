//! What else changes where a feature does: features over the same rows move together or not at all.
//!
//! A change that is offered has to be one that rows could produce. So
//!
//! - the same measure of the same rows over another window that ends on the same day moves along: counts, sums, days
//!   and distinct values by the same difference (each of these windows holds the newest rows), the latest value and the
//!   days since to the same value; the least, the greatest and the first stay, and bound how far other windows' can move;
//! - windows of the same rows that end on different days and overlap would move by an unknown amount: such a feature
//!   is not moved at all. Where they do not overlap, each moves by itself;
//! - another measure of exactly the same rows, such as their number beside their sum, would move by an unknown
//!   amount: such a feature is not moved at all. Values of other columns are independent, and so is what is owed on
//!   lines, of which there are as many as before;
//! - a measure of some rows never exceeds what all of the rows among which they are allow (see [`fits`]);
//! - ratios and expressions follow the features they are derived from; they are moved themselves only where nothing
//!   else reads those.

use super::features::{derived_from, is_never_negative, is_scored, matters_itself, range};
use crate::expr::Form;
use crate::job::{
    Aggregate, BILL_COLUMNS, BILL_IS_DUE, Feature, FeatureKind, From, Job, Statistic, ValueSource,
};

/// A feature and what it is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Position among the job's features.
    pub feature: usize,
    /// Its value.
    pub value: i64,
}

/// The features that are set, the one asked for first; all others are derived from them or stay.
pub type Scenario = Vec<Setting>;

/// The relations between a run's features, for one account.
pub struct Scenarios<'a> {
    features: &'a [Feature],
    now: Vec<Option<i64>>,
    /// By feature; of aggregates, how their condition is put together.
    forms: Vec<Option<Form>>,
    /// By feature: what moves with it; `None` where it cannot be moved.
    linked: Vec<Option<Vec<usize>>>,
    /// By feature: whether it is derived, and can be moved itself as far as only the score is concerned.
    is_own_in_score: Vec<bool>,
}

impl<'a> Scenarios<'a> {
    /// Of an account whose features are `now`.
    pub fn new(features: &'a [Feature], job: &Job, now: Vec<Option<i64>>) -> Scenarios<'a> {
        let forms = features.iter().map(|feature| Some(form(features, aggregate(feature)?))).collect();
        let is_own_in_score = (0..features.len()).map(|feature| {
            aggregate(&features[feature]).is_none() && stands_for_its_parts(job, feature, is_scored)
        });
        let is_own_in_score = is_own_in_score.collect();
        let mut scenarios = Scenarios { features, now, forms, linked: Vec::new(), is_own_in_score };
        let linked = (0..features.len()).map(|feature| match features[feature].kind {
            FeatureKind::Aggregate(_) => scenarios.find_linked(feature),
            _ => stands_for_its_parts(job, feature, matters_itself).then(Vec::new),
        });
        scenarios.linked = linked.collect();
        scenarios
    }

    /// The scenario in which a feature has another value; `None` where there can be none.
    pub fn with(&self, feature: usize, value: i64) -> Option<Scenario> {
        let mut scenario = vec![Setting { feature, value }];
        for other in self.linked[feature].as_ref()? {
            let moved = self.moved_along(feature, value, *other)?;
            scenario.extend(moved.map(|value| Setting { feature: *other, value }));
        }
        self.is_possible(&scenario).then_some(scenario)
    }

    /// The features that move with a feature.
    pub fn linked(&self, feature: usize) -> &[usize] {
        self.linked[feature].as_deref().unwrap_or_default()
    }

    /// The same as far as only the score is concerned.
    pub fn with_for_score(&self, feature: usize, value: i64) -> Option<Scenario> {
        if self.is_own_in_score[feature] {
            return Some(vec![Setting { feature, value }]);
        }
        self.with(feature, value)
    }

    /// What another window's value is then: `Some(None)` where it stays, `None` where it cannot be known.
    fn moved_along(&self, feature: usize, to: i64, other: usize) -> Option<Option<i64>> {
        let Some(value) = self.now[other] else { return Some(None) };
        let (least, most) = range(self.features, other);
        match aggregate(&self.features[feature])?.statistic {
            Statistic::Last | Statistic::DaysSince => (least..=most).contains(&to).then_some(Some(to)),
            Statistic::Min | Statistic::Max | Statistic::DaysSinceFirst => Some(None),
            Statistic::Count | Statistic::Sum | Statistic::ActiveDays | Statistic::Distinct => {
                let moved = value.checked_add(to.checked_sub(self.now[feature]?)?)?;
                Some(Some(moved.clamp(least, most)))
            }
        }
    }

    /// The aggregates that move with one; `None` where it cannot be moved.
    fn find_linked(&self, feature: usize) -> Option<Vec<usize>> {
        let own = aggregate(&self.features[feature])?;
        let others = (0..self.features.len()).filter(|other| *other != feature);
        let linked = others.filter(|other| {
            let aggregate = aggregate(&self.features[*other]);
            aggregate.is_some_and(|other| measure(other) == measure(own) && ends_alike(own, other))
                && self.is_same_condition(feature, *other)
        });
        let linked: Vec<usize> = linked.collect();
        let is_free =
            std::iter::once(feature).chain(linked.iter().copied()).all(|mover| !self.is_tied(mover));
        is_free.then_some(linked)
    }

    /// Whether another measure of exactly the same rows would have to move by an unknown amount.
    fn is_tied(&self, feature: usize) -> bool {
        (0..self.features.len()).any(|other| self.is_tied_to(feature, other))
    }

    /// Whether another measure is of exactly the same rows, or of some of them and others, and cannot stay where
    /// `feature` moves.
    fn is_tied_to(&self, feature: usize, other: usize) -> bool {
        let (Some(own), Some(of)) = (aggregate(&self.features[feature]), aggregate(&self.features[other]))
        else {
            return false;
        };
        let is_independent = if is_of_values(own) && is_of_values(of) {
            is_of_other_column(own, of)
        } else {
            own.from == From::Lines && is_of_values(own)
        };
        let is_of_same_rows = own.window == of.window && measure(own) != measure(of);
        let is_of_some_rows = !ends_alike(own, of) && own.window.overlaps(of.window);
        (is_of_same_rows || is_of_some_rows) && !is_independent && self.is_same_condition(feature, other)
    }

    /// Whether two aggregates are of the same rows but for their windows.
    fn is_same_condition(&self, a: usize, b: usize) -> bool {
        let is_same_source = self.source(a) == self.source(b);
        match (&self.forms[a], &self.forms[b]) {
            (Some(form), Some(other)) => is_same_source && form.implies(other) && other.implies(form),
            _ => false,
        }
    }

    fn source(&self, feature: usize) -> Option<From> {
        aggregate(&self.features[feature]).map(|aggregate| aggregate.from)
    }

    /// Whether the rows of one are all among those of another.
    fn are_among(&self, inner: usize, outer: usize) -> bool {
        let (Some(a), Some(b)) = (aggregate(&self.features[inner]), aggregate(&self.features[outer])) else {
            return false;
        };
        a.from == b.from
            && b.window.holds_all_of(a.window)
            && self.forms[inner].as_ref().zip(self.forms[outer].as_ref()).is_some_and(|(a, b)| a.implies(b))
    }

    /// Whether rows could produce what a scenario sets, beside what stays.
    fn is_possible(&self, scenario: &Scenario) -> bool {
        scenario.iter().all(|setting| {
            let moved = setting.feature;
            (0..self.features.len())
                .filter(|other| *other != moved)
                .all(|other| self.agree(scenario, moved, other) && self.agree(scenario, other, moved))
        })
    }

    /// Whether two features can have their values in a scenario, as far as the rows of `inner` are among those of
    /// `outer`.
    fn agree(&self, scenario: &Scenario, inner: usize, outer: usize) -> bool {
        let (Some(a), Some(b)) = (aggregate(&self.features[inner]), aggregate(&self.features[outer])) else {
            return true;
        };
        if !self.are_among(inner, outer) {
            return true;
        }
        let (inner_value, outer_value) = (self.value_in(scenario, inner), self.value_in(scenario, outer));
        let is_window = ends_alike(a, b) && self.is_same_condition(inner, outer);
        fits((a, inner_value), (b, outer_value), is_window)
    }

    fn value_in(&self, scenario: &Scenario, feature: usize) -> Option<i64> {
        let setting = scenario.iter().find(|setting| setting.feature == feature);
        setting.map(|setting| setting.value).or(self.now[feature])
    }
}

/// Whether `inner` can have its value beside that of `outer`, among whose rows its own are; `is_window` says that
/// they differ only in how long their window is.
fn fits(
    (a, inner): (&Aggregate, Option<i64>),
    (b, outer): (&Aggregate, Option<i64>),
    is_window: bool,
) -> bool {
    use Statistic::{ActiveDays, Count, DaysSince, DaysSinceFirst, Distinct, Last, Max, Min, Sum};
    if has_rows(a.statistic, inner) == Some(true) && has_rows(b.statistic, outer) == Some(false) {
        return false;
    }
    let is_of_same = a.of_text() == b.of_text();
    let (Some(inner), Some(outer)) = (inner, outer) else {
        // Rows so recent would be in the shorter window too.
        let is_recent = outer.is_some_and(|outer| a.window.days.is_some() && a.window.holds(outer));
        return !(is_window && a.statistic.is_an_age() && b.statistic.is_an_age() && is_recent);
    };
    match (a.statistic, b.statistic) {
        (Count | ActiveDays | Distinct, Count) => inner <= outer,
        (ActiveDays, ActiveDays) => {
            let more_days = b.window.days.zip(a.window.days).map(|(b, a)| i64::from(b) - i64::from(a));
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
        // What is first of all, and young enough for the shorter window, is first in that.
        (DaysSinceFirst, DaysSinceFirst) if is_window && a.window.holds(outer) => inner == outer,
        (DaysSinceFirst, DaysSinceFirst) | (DaysSince, DaysSinceFirst) => inner <= outer,
        (DaysSinceFirst, DaysSince) => outer <= inner,
        (Min, Max) if is_of_same => inner <= outer,
        _ => true,
    }
}

/// Whether there are rows, going by a value; `None` where it does not show.
fn has_rows(statistic: Statistic, value: Option<i64>) -> Option<bool> {
    match (statistic, value) {
        (Statistic::Count | Statistic::ActiveDays, Some(rows)) => Some(rows > 0),
        (Statistic::Distinct, Some(0)) | (Statistic::Sum, _) => None,
        (Statistic::DaysSince | Statistic::DaysSinceFirst, None) => Some(false),
        (_, value) => value.map(|_| true),
    }
}

fn aggregate(feature: &Feature) -> Option<&Aggregate> {
    match &feature.kind {
        FeatureKind::Aggregate(aggregate) => Some(aggregate),
        _ => None,
    }
}

/// How the condition of an aggregate is put together. Where some features see bills that are not due, those that do not
/// have a condition more.
fn form(features: &[Feature], of: &Aggregate) -> Form {
    let own = Form::of(of.filter.as_ref().map(|filter| filter.text.as_str()));
    let some_see_more = features.iter().filter_map(aggregate).any(Aggregate::sees_bills_ahead);
    if of.from == From::Bills && some_see_more && !of.sees_bills_ahead() {
        let (is_due, _) = BILL_COLUMNS[BILL_IS_DUE];
        return Form::And(vec![own, Form::of(Some(is_due))]);
    }
    own
}

/// Whether their windows end on the same day: one of them holds the newest rows of the other.
fn ends_alike(a: &Aggregate, b: &Aggregate) -> bool {
    a.window.skip_days == b.window.skip_days
}

/// What is measured, of whichever rows.
fn measure(aggregate: &Aggregate) -> (From, Statistic, Option<&str>) {
    (aggregate.from, aggregate.statistic, aggregate.of_text())
}

/// Whether both are of plain columns, and of different ones. What is computed from columns goes with each of them.
fn is_of_other_column(a: &Aggregate, b: &Aggregate) -> bool {
    let is_plain = |aggregate: &Aggregate| {
        aggregate.of.as_ref().is_some_and(|of| matches!(of.source, ValueSource::Column(_)))
    };
    is_plain(a) && is_plain(b) && a.of_text() != b.of_text()
}

/// Whether it is made of values of the rows, rather than of how many or of which days there are.
fn is_of_values(aggregate: &Aggregate) -> bool {
    matches!(aggregate.statistic, Statistic::Sum | Statistic::Min | Statistic::Max | Statistic::Last)
}

/// Whether score and policy read the features that a ratio or an expression is derived from only through it, where
/// `matters` says what they read.
fn stands_for_its_parts(job: &Job, feature: usize, matters: impl Fn(&Job, usize) -> bool) -> bool {
    let own = derived_from(job, feature);
    (0..feature).all(|part| {
        let through_part = derived_from(job, part);
        let is_part = through_part.contains(&feature);
        !is_part || through_part.iter().all(|other| own.contains(other) || !matters(job, *other))
    })
}

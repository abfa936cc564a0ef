//! The unit of a column or feature, as far as its name in the contract or its declaration shows it.

use serde::Serialize;

use super::decision_column::DecisionColumn;
use super::feature_file::{Aggregate, Feature, FeatureKind, From};
use super::statistic::Statistic;
use crate::console::{money, thousands};
use crate::expr::Type;

/// What an integer counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Minor units of money.
    Money,
    /// Days.
    Days,
    /// Hundredths of a percent.
    BasisPoints,
    /// Things, points, or what nothing says the unit of.
    #[default]
    Number,
}

/// The scale of a ratio that gives basis points; a multiple of it gives those of as many times the dividend, as
/// 40,000 does of a quarter in a year.
const BASIS_POINTS: i64 = 10_000;

impl Unit {
    /// Of a column that the contract names, of lines or of decisions.
    pub fn of_column(name: &str) -> Unit {
        match name {
            "credit_limit" => Unit::Money,
            name if DecisionColumn::named(name).is_some_and(DecisionColumn::is_money) => Unit::Money,
            "days_open" | "days_in_status" | "days_since_increase" | "days_since_decrease" => Unit::Days,
            _ => Unit::Number,
        }
    }

    /// Of a feature, by its position.
    pub fn of_feature(features: &[Feature], feature: usize) -> Unit {
        match &features[feature].kind {
            FeatureKind::Aggregate(aggregate) => of_aggregate(aggregate),
            FeatureKind::Ratio { a, b, scale } => {
                match (Unit::of_feature(features, *a), Unit::of_feature(features, *b)) {
                    (a, b) if a == b && *scale > 0 && scale % BASIS_POINTS == 0 => Unit::BasisPoints,
                    // A mean, as an amount a bill.
                    (a, Unit::Number) if *scale == 1 => a,
                    _ => Unit::Number,
                }
            }
            FeatureKind::Expression(expr) => {
                let terms = expr.terms().unwrap_or_default();
                let mut units = terms.into_iter().map(|term| Unit::of_feature(features, term));
                let first = units.next().unwrap_or_default();
                if units.all(|unit| unit == first) { first } else { Unit::Number }
            }
        }
    }

    /// Of a name that rules and outputs use: a feature's, or a column's.
    pub fn of_name(features: &[Feature], name: &str) -> Unit {
        match features.iter().position(|feature| feature.name == name) {
            Some(feature) => Unit::of_feature(features, feature),
            None => Unit::of_column(name),
        }
    }

    /// Whether it is no unit that people would want beside the number.
    pub fn is_number(&self) -> bool {
        *self == Unit::Number
    }

    /// A value as people read it: `1,000.00`, `12 days`, `83.33 %`, `1,234`.
    pub fn show(self, value: i128, minor_units: u32) -> String {
        format!("{}{}", self.figure(value, minor_units), self.suffix(value))
    }

    /// The value without what follows it.
    pub fn figure(self, value: i128, minor_units: u32) -> String {
        match self {
            Unit::Money => money(value, minor_units),
            Unit::BasisPoints => money(value, 2),
            Unit::Days | Unit::Number => thousands(value),
        }
    }

    /// What follows a value.
    pub fn suffix(self, value: i128) -> &'static str {
        match self {
            Unit::Days if value.abs() == 1 => " day",
            Unit::Days => " days",
            Unit::BasisPoints => " %",
            Unit::Money | Unit::Number => "",
        }
    }

    /// The same with its sign, but for 0.
    pub fn show_signed(self, value: i128, minor_units: u32) -> String {
        let sign = if value > 0 { "+" } else { "" };
        format!("{sign}{}", self.show(value, minor_units))
    }
}

fn of_aggregate(aggregate: &Aggregate) -> Unit {
    match aggregate.statistic {
        Statistic::Count | Statistic::Distinct => Unit::Number,
        Statistic::ActiveDays | Statistic::DaysSince | Statistic::DaysSinceFirst => Unit::Days,
        Statistic::Sum | Statistic::Min | Statistic::Max | Statistic::Last => {
            let terms = aggregate.of.iter().flat_map(|of| &of.terms);
            let units = terms.map(|(name, kind)| of_row_column(aggregate.from, name, *kind));
            // What is added to money, or subtracted from it, is money, whatever its column is called.
            let mut units = units.filter(|unit| !unit.is_number());
            let first = units.next().unwrap_or_default();
            if units.all(|unit| unit == first) { first } else { Unit::Number }
        }
    }
}

/// Of a column of an input that an integer is made of.
fn of_row_column(from: From, name: &str, kind: Type) -> Unit {
    match (from, name) {
        (From::Transactions, "amount") => Unit::Money,
        (From::Bills, "due_amount" | "paid" | "outstanding") => Unit::Money,
        (From::Bills, "days_late") => Unit::Days,
        _ if kind == Type::Date => Unit::Days,
        (From::Lines, column) => Unit::of_column(column),
        _ => Unit::Number,
    }
}

#[cfg(test)]
mod tests {
    use super::super::row_value::{RowValue, ValueSource};
    use super::super::window::Window;
    use super::*;

    /// `of` names columns, each a term; those that end in `_on` are dates.
    fn aggregate(name: &str, from: From, statistic: Statistic, of: Option<&str>) -> Feature {
        let kind = |name: &str| if name.ends_with("_on") { Type::Date } else { Type::Int };
        let of = of.map(|of| RowValue {
            text: of.to_string(),
            source: ValueSource::Column(0),
            terms: of.split(" - ").map(|name| (name.to_string(), kind(name))).collect(),
        });
        let aggregate = Aggregate { from, statistic, of, filter: None, window: Window::default() };
        Feature { name: name.to_string(), kind: FeatureKind::Aggregate(aggregate) }
    }

    fn ratio(a: usize, b: usize, scale: i64) -> Feature {
        Feature { name: format!("ratio_{a}_{b}"), kind: FeatureKind::Ratio { a, b, scale } }
    }

    #[test]
    fn units_follow_from_what_a_feature_is_made_of() {
        let features = [
            aggregate("spend", From::Transactions, Statistic::Sum, Some("amount")),
            aggregate("bills", From::Bills, Statistic::Count, None),
            aggregate("late", From::Bills, Statistic::Max, Some("days_late")),
            aggregate("quiet", From::Transactions, Statistic::DaysSince, None),
            aggregate("owed", From::Lines, Statistic::Sum, Some("balance")),
            aggregate("level", From::Lines, Statistic::Max, Some("level")),
            aggregate("late_fee", From::Transactions, Statistic::Max, Some("days_late")),
            ratio(0, 4, 10_000),
            ratio(0, 4, 40_000),
            ratio(0, 1, 1),
            ratio(0, 1, 10_000),
            aggregate("left", From::Bills, Statistic::Sum, Some("due_amount - paid")),
            aggregate("early", From::Bills, Statistic::Max, Some("due_on - settled_on")),
            aggregate("net", From::Transactions, Statistic::Sum, Some("amount - fee")),
            aggregate("mixed", From::Bills, Statistic::Sum, Some("due_amount - days_late")),
        ];
        let expected = [
            Unit::Money,
            Unit::Number,
            Unit::Days,
            Unit::Days,
            Unit::Money,
            Unit::Number,
            Unit::Number,
            Unit::BasisPoints,
            Unit::BasisPoints,
            Unit::Money,
            Unit::Number,
            Unit::Money,
            Unit::Days,
            Unit::Money,
            Unit::Number,
        ];
        for (feature, unit) in expected.into_iter().enumerate() {
            assert_eq!(Unit::of_feature(&features, feature), unit, "{}", features[feature].name);
        }
    }

    #[test]
    fn values_are_shown_with_their_unit() {
        assert_eq!(Unit::Money.show(11_108, 2), "111.08");
        assert_eq!(Unit::Days.show(1, 2), "1 day");
        assert_eq!(Unit::Days.show(1_012, 2), "1,012 days");
        assert_eq!(Unit::BasisPoints.show(8_333, 0), "83.33 %");
        assert_eq!(Unit::Number.show(8_333, 2), "8,333");
        assert_eq!(Unit::Money.show_signed(-5, 2), "-0.05");
        assert_eq!(Unit::Days.show_signed(3, 2), "+3 days");
    }
}

//! The units of an account's values: what a feature counts, as far as its declaration shows it, and how it is written.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::console::visible;
use crate::job::{Job, Unit};
use crate::policy::trace::{Fact, FactValue};

/// The units of a job's features; plain numbers are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FeatureUnits {
    by_feature: BTreeMap<String, Unit>,
    /// Decimal places of money.
    #[serde(skip)]
    minor_units: u32,
}

impl FeatureUnits {
    /// Those of a job.
    pub fn of(job: &Job) -> FeatureUnits {
        let units = (0..job.features.len())
            .map(|feature| (job.features[feature].name.clone(), Unit::of_feature(&job.features, feature)));
        let by_feature = units.filter(|(_, unit)| !unit.is_number()).collect();
        FeatureUnits { by_feature, minor_units: job.minor_units }
    }

    /// The unit of a feature, or of a column that rules see.
    pub fn of_name(&self, name: &str) -> Unit {
        self.by_feature.get(name).copied().unwrap_or_else(|| Unit::of_column(name))
    }

    /// A value with its unit.
    pub fn value(&self, name: &str, value: Option<i64>) -> String {
        match value {
            Some(value) => self.of_name(name).show(value.into(), self.minor_units),
            None => "none".to_string(),
        }
    }

    /// A change of a feature: "39 to 29 days (10 less)".
    pub fn step(&self, name: &str, from: Option<i64>, to: i64) -> String {
        let Some(from) = from else { return format!("none to {}", self.value(name, Some(to))) };
        let unit = self.of_name(name);
        let by = i128::from(to) - i128::from(from);
        let direction = if by < 0 { "less" } else { "more" };
        format!("{} ({} {direction})", self.move_of(name, from, to), unit.figure(by.abs(), self.minor_units))
    }

    /// From one value to another: "28 to 30 days".
    pub fn move_of(&self, name: &str, from: i64, to: i64) -> String {
        let unit = self.of_name(name);
        format!("{} to {}", unit.figure(from.into(), self.minor_units), self.value(name, Some(to)))
    }

    /// A fact's value.
    pub fn fact_value(&self, fact: &Fact) -> String {
        match &fact.value {
            FactValue::Null => "none".to_string(),
            FactValue::Int(value) => self.value(&fact.name, Some(*value)),
            FactValue::Text(text) => format!("'{}'", visible(text)),
            FactValue::Bool(value) => value.to_string(),
            FactValue::Date(day) => day.to_string(),
        }
    }

    /// A name and its value.
    pub fn fact(&self, fact: &Fact) -> String {
        format!("{} {}", fact.name, self.fact_value(fact))
    }
}

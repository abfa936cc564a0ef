//! The statistics that an aggregate may be: what each takes, and what it can come to.

use serde::Deserialize;

use super::window::Window;

/// The statistic of an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Rows.
    Count,
    /// Σ of.
    Sum,
    /// Smallest `of`; null without rows.
    Min,
    /// Largest `of`; null without rows.
    Max,
    /// Largest `of` among the rows of the latest date; null without rows.
    Last,
    /// Distinct dates with a row.
    ActiveDays,
    /// Distinct values of `of`.
    Distinct,
    /// Days since the latest date with a row; null without rows.
    DaysSince,
    /// Days since the earliest date with a row; null without rows.
    DaysSinceFirst,
}

/// What a statistic takes of a row besides its date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// Nothing.
    None,
    /// An integer column.
    Integer,
    /// A column of any type: it tells values apart.
    Any,
}

/// The least and the most a value can be, both included, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ValueRange {
    /// The least.
    pub least: Option<i64>,
    /// The most.
    pub most: Option<i64>,
}

impl Statistic {
    /// What its `of` column must be.
    pub fn operand(self) -> Operand {
        match self {
            Statistic::Count | Statistic::ActiveDays => Operand::None,
            Statistic::DaysSince | Statistic::DaysSinceFirst => Operand::None,
            Statistic::Sum | Statistic::Min | Statistic::Max | Statistic::Last => Operand::Integer,
            Statistic::Distinct => Operand::Any,
        }
    }

    /// Whether it is about the dates of rows. Lines are a state, and have none.
    pub fn needs_dates(self) -> bool {
        match self {
            Statistic::Last | Statistic::ActiveDays => true,
            Statistic::DaysSince | Statistic::DaysSinceFirst => true,
            Statistic::Count | Statistic::Sum | Statistic::Min | Statistic::Max | Statistic::Distinct => {
                false
            }
        }
    }

    /// Whether its value is the age of a row in days, on D.
    pub fn is_an_age(self) -> bool {
        match self {
            Statistic::DaysSince | Statistic::DaysSinceFirst => true,
            Statistic::Count | Statistic::Sum | Statistic::Min | Statistic::Max => false,
            Statistic::Last | Statistic::ActiveDays | Statistic::Distinct => false,
        }
    }

    /// Whether it counts against the limit of aggregates that keep values one by one.
    pub fn keeps_values(self, window: Window) -> bool {
        match self {
            Statistic::Min | Statistic::Max | Statistic::Distinct => true,
            Statistic::ActiveDays => window.days.is_none(),
            Statistic::Count | Statistic::Sum | Statistic::Last => false,
            Statistic::DaysSince | Statistic::DaysSinceFirst => false,
        }
    }

    /// What its values lie between, whatever the rows of its window.
    pub fn range(self, window: Window) -> ValueRange {
        match self {
            Statistic::Count | Statistic::Distinct => ValueRange { least: Some(0), most: None },
            Statistic::ActiveDays => ValueRange { least: Some(0), most: window.days.map(i64::from) },
            Statistic::DaysSince | Statistic::DaysSinceFirst => ValueRange {
                least: Some(window.skip_days.into()),
                most: window.end_age().map(|end| i64::from(end) - 1),
            },
            Statistic::Sum | Statistic::Min | Statistic::Max | Statistic::Last => ValueRange::default(),
        }
    }
}

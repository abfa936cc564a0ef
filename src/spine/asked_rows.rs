//! Whose features are asked for, and on which days: a row of a spine each.

use crate::day::{Dates, Day};
use crate::expr::{Column, Ints};
use crate::features::AskedDay;

/// Accounts and days, row by row.
#[derive(Debug, Clone)]
pub struct AskedRows {
    /// The account of each row; null or empty where it has none.
    pub account: Column,
    /// By row; `None` where it has no as-of date.
    pub days: Vec<Option<AskedDay>>,
}

impl AskedRows {
    /// Rows that know no more than the run of their day: K = D.
    pub fn on(account: Column, as_of: impl IntoIterator<Item = Option<Day>>) -> AskedRows {
        let days = as_of.into_iter();
        let days = days.map(|as_of| as_of.map(|as_of| AskedDay { as_of, known_on: as_of })).collect();
        AskedRows { account, days }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// The last as-of date and the last known-on date of all rows; `None` where no row has any.
    pub fn last_dates(&self) -> Option<Dates> {
        let days = self.days.iter().flatten();
        let dates = days.map(|day| Dates { as_of: day.as_of, known_on: day.known_on, chain_from: None });
        dates.reduce(|a, b| Dates {
            as_of: a.as_of.max(b.as_of),
            known_on: a.known_on.max(b.known_on),
            chain_from: None,
        })
    }
}

/// By row, the day that a column of dates has.
pub fn days_of(dates: &Ints) -> impl ExactSizeIterator<Item = Option<Day>> {
    (0..dates.values.len()).map(|row| dates.get(row).map(|day| Day(*day as i32)))
}

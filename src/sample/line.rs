//! Credit lines: what an account may draw on, and what their histories follow from.

use super::calendar::Cycle;
use super::nature::SampleProduct;

/// Limits are multiples of this (100.00).
pub const LIMIT_STEP: i64 = 10_000;

/// A credit line of an account.
#[derive(Clone, Copy)]
pub struct CreditLine {
    pub product: SampleProduct,
    /// In how many monthly instalments a purchase is paid back.
    pub instalments: u8,
    /// The day of the month on which bills fall due, 1 to 28.
    pub due_day: u8,
    /// Months in which it is used.
    pub active_per_mille: u16,
    /// Purchases in 16 such months, besides one or two.
    pub uses_in_16_months: u16,
    /// Minor units by which too much was paid, long ago.
    pub overpaid: u16,
    /// What is spent in such a month, in minor units.
    pub usual: u32,
    pub opened_on: i32,
    /// No month that ends later is one in which it is used.
    pub rest_on: i32,
    pub(super) first_change: u32,
    pub(super) change_count: u8,
}

impl CreditLine {
    /// The day on which the line's bill of that month is due.
    pub fn due_on(&self, cycle: &Cycle) -> i32 {
        cycle.first + i32::from(self.due_day) - 1
    }
}

/// What a line's history follows from besides the account's troubles.
pub struct LineTerms {
    /// The book's last day.
    pub to: i32,
    /// The largest limit, in minor units.
    pub limit: i64,
    /// The owner gives the line up once it rests.
    pub closes: bool,
    /// The due date of the first bill of this line that is left unpaid.
    pub missed_on: i32,
}

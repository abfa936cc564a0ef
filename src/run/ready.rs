//! Nights of a range that are answered already, with what their answers stand on.

use std::collections::BTreeMap;

use crate::day::Day;
use crate::features::{Part, PartAnswers};
use crate::input::accounts::{Accounts, Ids};
use crate::sorted::SortedDelivery;

/// Answers from one input, and what they stand on.
pub struct Ready {
    /// The sorted deliveries, by what they were made of.
    pub stands_on: Vec<String>,
    /// By part of the night.
    pub answers: Vec<PartAnswers>,
}

/// What a sweep has answered of a night.
pub struct NightAnswers {
    /// The accounts of its book.
    pub ids: Ids,
    /// Its parts.
    pub parts: Vec<Part>,
    /// From transactions.
    pub transactions: Ready,
    /// From repayments.
    pub repayments: Ready,
    /// The bills for which one delivery holds more than one pair of terms.
    pub conflicts: u64,
}

/// The nights to come that are answered already.
pub(super) type Ahead = BTreeMap<Day, NightAnswers>;

impl Ready {
    /// Whether they stand on these deliveries.
    pub fn stands_on<'d>(&self, deliveries: impl Iterator<Item = &'d SortedDelivery>) -> bool {
        self.stands_on.iter().eq(deliveries.map(|delivery| &delivery.label.made_of))
    }
}

/// Takes what has been answered of a night, if it is of this book.
pub(super) fn take(ahead: &mut Ahead, as_of: Day, accounts: &Accounts) -> Option<NightAnswers> {
    ahead.retain(|night, _| *night >= as_of);
    let ready = ahead.remove(&as_of)?;
    (ready.ids == accounts.ids).then_some(ready)
}

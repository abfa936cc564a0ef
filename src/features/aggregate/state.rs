//! Where each statistic keeps its state.

use super::{active_days, earliest, extremes, latest, sums};
use crate::job::Statistic;

/// Where a group keeps what it accumulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In so many words for each segment between window edges: a window is made of segments.
    Segments(usize),
    /// In so many words of a slot, which keep the ages of rows.
    Whole(usize),
    /// In the log of the part, an entry a value.
    Logged,
}

impl State {
    /// That of a statistic over windows that begin at most `longest` days before D, where they are bounded.
    pub fn of(statistic: Statistic, longest: Option<u32>) -> State {
        match statistic {
            Statistic::Count | Statistic::Sum => State::Segments(sums::WORDS),
            Statistic::Min | Statistic::Max => State::Segments(extremes::WORDS),
            Statistic::Last => State::Whole(latest::VALUE_WORDS),
            Statistic::DaysSince => State::Whole(latest::AGE_WORDS),
            Statistic::DaysSinceFirst => State::Segments(earliest::WORDS),
            // Without a bound, dates are kept as distinct values are.
            Statistic::ActiveDays => {
                longest.map_or(State::Logged, |longest| State::Whole(active_days::words(longest)))
            }
            Statistic::Distinct => State::Logged,
        }
    }

    /// Words of a slot, where its windows have so many edges.
    pub fn words(self, edges: usize) -> usize {
        match self {
            State::Segments(words) => words * edges,
            State::Whole(words) => words,
            State::Logged => 0,
        }
    }
}

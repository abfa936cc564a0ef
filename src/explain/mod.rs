//! One account of a run explained: the printed scorecard, each line's way to its decision, what would
//! change it, and the notice to the person.
//!
//! Nothing is guessed: the account is read back from the run's own tables, scored and decided again, and
//! has to come out as the run decided it; so is every change that is named.

pub mod arm;
mod budget;
pub mod compare;
pub mod counterfactual;
mod direction;
mod explanation;
pub mod features;
pub mod line;
pub mod notice;
mod scenario;
pub mod scorecard;
pub mod text;
mod units;
pub mod what_if;

pub use explanation::{Explanation, explain};

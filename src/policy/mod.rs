//! Score + line = decision.
//!
//! - `rules`: the first rule that is true of each line;
//! - `settle`: what becomes of the rules' actions within an account: refusals, caps, headroom;
//! - `budget`: which raises the budgets reach; `decide`: all of it in order;
//! - `decision`: what comes of it; `trace`: how it came to that.

mod budget;
pub mod decide;
mod decision;
pub mod rules;
mod settle;
pub mod trace;

pub use budget::{
    BudgetCut, Purse, QueuedRaise, apply_cuts, counted_limits, first_beyond, over_budget, queued_raises,
};
pub use decide::{decide, decide_unbudgeted};
pub use decision::{Cap, Decision, Refusal};
pub use settle::{Waterfall, exposure, exposure_after};

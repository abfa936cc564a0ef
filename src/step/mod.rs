//! A night in steps, so that many processes can share it: each takes what it needs from a frozen plan, says in one
//! report what it has done, and may be tried again.
//!
//! - `plan`: freezes inputs, job files and dates, and shares out the accounts; `frozen`: what it freezes;
//! - `keys`: the repeats of a delivery; `sort`: one delivery; `part`: a range of accounts up to decisions before budgets; `cut`: where budgets end;
//! - `finish`: a range's tables; `commit`: figures, gates, the run;
//! - `report`: what steps say; `worker`: a process at a step; `work_dir`: the files that steps leave each other.

pub mod commit;
pub mod cut;
pub mod finish;
mod frozen;
pub mod keys;
pub mod part;
pub mod plan;
mod report;
pub mod sort;
mod work_dir;
mod worker;

pub use frozen::FrozenPlan;
pub use report::{GivenReports, report_line};
pub use worker::Worker;

//! The shipped jobs are fit to run: the score ranks by lateness, healthy nights of a simulated lender go
//! through and harm nobody, bad nights are stopped by a gate that says why.

mod bad_nights;
mod core_system;
mod damage;
mod directions;
mod healthy;
mod ranking;
mod tally;
mod truth;

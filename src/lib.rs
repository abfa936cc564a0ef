//! Nightly batch rescoring of accounts and their credit lines.
//!
//! Data flows one way; a line a module, in that order:
//!
//! - [`day`]: calendar days
//! - [`failure`]: how a command fails, and its exit code
//! - [`expr`]: the expression language of the job files
//! - [`job`]: what the operator writes: job, features, scorecard, policy, gates

pub mod day;
pub mod expr;
pub mod failure;
pub mod job;

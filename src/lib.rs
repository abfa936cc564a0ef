//! Nightly batch rescoring of accounts and their credit lines.
//!
//! Data flows one way; a line a module, in that order:
//!
//! - [`day`]: calendar days
//! - [`failure`]: how a command fails, and its exit code
//! - [`console`]: the terminal: progress, tables
//! - [`signal`]: Ctrl-C between pieces of work
//! - [`expr`]: the expression language of the job files
//! - [`job`]: what the operator writes: job, features, scorecard, policy, gates
//! - [`input`]: Parquet in: deliveries, schemas, rejects, the book of lines
//! - [`features`]: rows to features: windows, bills
//! - [`score`]: features x scorecard = points, score, band, reasons
//! - [`policy`]: score + line = decision: rules, caps, budget

pub mod console;
pub mod day;
pub mod expr;
pub mod failure;
pub mod features;
pub mod input;
pub mod job;
pub mod policy;
pub mod score;
pub mod signal;

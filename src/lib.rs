//! Nightly batch rescoring of accounts and their credit lines.
//!
//! Data flows one way; a line a module, in that order:
//!
//! - [`cli`] — arguments
//! - [`day`] — calendar days
//! - [`failure`] — how a command fails, and its exit code
//! - [`console`] — the terminal: progress, tables
//! - [`signal`] — Ctrl-C between pieces of work
//! - [`expr`] — the expression language of the job files
//! - [`job`] — what the operator writes: job, features, scorecard, policy, gates
//! - [`input`] — Parquet in: deliveries, schemas, rejects, the book of lines
//! - [`features`] — rows to features: windows, bills
//! - [`score`] — features x scorecard = points, score, band, reasons
//! - [`policy`] — score + line = decision: rules, caps, budget
//! - [`publish`] — gates, tables, manifest, atomic commit, lock, release, verify
//! - [`run`] — the verbs of a run, in order
//! - [`check`] — job files, schemas and deliveries without a run
//! - [`diff`] — what changed between two runs, and why
//! - [`summary`] — a run's figures for people and machines
//! - [`sample`] — a believable book to try things on

pub mod check;
pub mod cli;
pub mod console;
pub mod day;
pub mod diff;
pub mod expr;
pub mod failure;
pub mod features;
pub mod input;
pub mod job;
pub mod policy;
pub mod publish;
pub mod run;
pub mod sample;
pub mod score;
pub mod signal;
pub mod summary;

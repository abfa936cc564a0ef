//! Nightly batch rescoring of accounts and their credit lines.
//!
//! Data flows one way; a line a module, in that order:
//!
//! - [`cli`] — arguments
//! - [`day`] — calendar days
//! - [`zone`] — time zones, by the program's own rules
//! - [`failure`] — how a command fails, and its exit code
//! - [`console`] — the terminal: progress, tables
//! - [`log`] — log records on stderr
//! - [`signal`] — Ctrl-C between pieces of work
//! - [`pieces`] — how much is done at a time
//! - [`hash`] — SHA-256, XXH3, and maps for fast lookups, all without a seed
//! - [`magnitude`] — values by magnitude, in steps that grow with them
//! - [`radix`] — items in order by counting keys
//! - [`suggest`] — the known name nearest to a mistyped one, listings of names
//! - [`store`] — object stores: listings, ranges, puts under conditions
//! - [`expr`] — the expression language of the job files
//! - [`job`] — what the operator writes: job, features, scorecard, policy, gates
//! - [`input`] — Parquet in: deliveries, schemas, rejects, the book of lines
//! - [`sorted`] — deliveries decoded and judged once, in order of account, kept between nights
//! - [`features`] — rows to features: windows, bills
//! - [`frame`] — some rows of finished features as a polars frame: expressions, exact sums
//! - [`arms`] — which scorecard and which policy decide about each account
//! - [`score`] — features x scorecard = points, score, band, reasons
//! - [`cards`] — the same of a job of several scorecards
//! - [`policy`] — score + line = decision: rules, caps, budget
//! - [`places`] — where the directories of a job lie, and which holds which
//! - [`own`] — what the program made and may replace or remove, and nothing else
//! - [`run_dir`] — what a run directory is: its layout, its manifest, its tables read back
//! - [`publish`] — writing one: gates, tables, identity, control totals, atomic commit
//! - [`verify`] — whether a run directory is whole and what its manifest says
//! - [`release`] — a held run published on somebody's word
//! - [`prune`] — runs that nobody needs any more
//! - [`gather`] — a run in parts made into one file a table
//! - [`html`] — what HTML pages are built of, and how they are written
//! - [`explain`] — one account of a run: why it was decided so, and what would change it
//! - [`scorecard`] — every bin with its points, and a run's accounts and mean score in it
//! - [`exchange`] — scorecards of other programs in, and ours out
//! - [`query`] — SQL over a run's tables
//! - [`report`] — a run, or a range of them, as a page to look at
//! - [`run`] — the verbs of a run, in order: a night, a range, a simulation, a dry run
//! - [`operations`] — what other systems are told of how runs ended: metrics, lineage, whoever is on call
//! - [`audit`] — a night run again from scratch, held against what is published
//! - [`step`] — a night in steps that many processes share
//! - [`spine`] — features for a list of accounts and days
//! - [`model`] — where a scorecard comes from, and what it must prove
//! - [`fit`] — a scorecard fitted on a model's sample, and the files that it needs
//! - [`validate`] — a scorecard held against what happened: how it ranks, what its bins tell
//! - [`monitor`] — published nights held against what has happened since
//! - [`init`] — a job to start from, written for files that somebody has
//! - [`check`] — job files, schemas and deliveries without a run
//! - [`diff`] — what changed between two runs, and why
//! - [`summary`] — a run's figures for people and machines
//! - [`sample`] — a believable book to try things on

// What is printed goes through `console`, where it cannot fail.
#![deny(clippy::print_stdout, clippy::print_stderr)]
#![deny(missing_docs)]

pub mod arms;
pub mod audit;
pub mod cards;
pub mod check;
pub mod cli;
pub mod console;
pub mod day;
pub mod diff;
pub mod exchange;
pub mod explain;
pub mod expr;
pub mod failure;
pub mod features;
pub mod fit;
pub mod frame;
pub mod gather;
pub mod hash;
pub mod html;
pub mod init;
pub mod input;
pub mod job;
pub mod log;
pub mod magnitude;
pub mod model;
pub mod monitor;
pub mod operations;
pub mod own;
pub mod pieces;
pub mod places;
pub mod policy;
pub mod prune;
pub mod publish;
pub mod query;
pub mod radix;
pub mod release;
pub mod report;
pub mod run;
pub mod run_dir;
pub mod sample;
pub mod score;
pub mod scorecard;
pub mod signal;
pub mod sorted;
pub mod spine;
pub mod step;
pub mod store;
pub mod suggest;
pub mod summary;
pub mod validate;
pub mod verify;
pub mod zone;

//! `rescore import` and `rescore export`: other programs' scorecards give the same points here, and ours give them there.

mod card;
mod documents;
mod faults;
mod naive_pmml;
mod random_cards;
mod refused;
mod rows;
mod sql;
mod tables;

use std::path::PathBuf;

use crate::support::project;

/// A file of `tests/exchange/cards`.
fn shipped(name: &str) -> PathBuf {
    project().join("tests/exchange/cards").join(name)
}

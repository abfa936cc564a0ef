//! The audit: a naive model of the contract must agree with the program on random books and job files.

pub mod asked;
mod bills;
mod book;
pub mod case;
mod chain;
pub mod compare;
mod deciding;
mod draw_book;
mod draw_expression;
mod draw_grammar;
pub mod draw_job;
pub mod expression;
mod features;
pub mod files;
mod intake;
pub mod night;
pub mod random;
pub mod read_case;
mod read_expression;
mod scoring;
pub mod shrink;
pub mod value;
pub mod written;

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use compare::{Coverage, disagreement};

/// Cases of a plain `cargo test`; AUDIT_CASES asks for more.
const CASES: u32 = 1500;

/// Accounts of a crowd: more than one partition holds.
pub const CROWD: i64 = 4500;

/// A case in which lines are raised and a budget is used up.
const MANY_LINES_SEED: u64 = 34;

/// Rows, features, rules of a case grow with its size.
const SIZE: usize = 60;

pub fn from_environment<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().map(|text| text.parse().ok().unwrap_or_else(|| panic!("{name} is a number")))
}

/// AUDIT_SEED runs one case again; AUDIT_STREAM draws other cases than usual.
#[test]
fn the_naive_model_and_the_program_agree_cell_by_cell() {
    let mut coverage = Coverage::default();
    if let Some(seed) = from_environment::<u64>("AUDIT_SEED") {
        return audit(seed, &mut coverage);
    }
    let cases = from_environment("AUDIT_CASES").unwrap_or(CASES);
    let stream = from_environment::<u8>("AUDIT_STREAM").unwrap_or(0);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[stream; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let coverage = std::cell::RefCell::new(&mut coverage);
    let agreed = runner.run(&any::<u64>(), |seed| {
        let mut coverage = coverage.borrow_mut();
        catch_unwind(AssertUnwindSafe(|| audit(seed, &mut coverage))).map_err(|_| {
            proptest::test_runner::TestCaseError::fail(format!("run it again with AUDIT_SEED={seed}"))
        })
    });
    agreed.unwrap_or_else(|error| panic!("{error}"));
    if cases >= CASES {
        coverage.borrow().check();
    }
    println!("{}", coverage.borrow().report());
}

/// Accounts lie in partitions of a few thousand: a few cases have more than one.
#[test]
fn the_model_agrees_on_books_of_several_thousand_accounts() {
    for seed in 0..3 {
        let case = draw_job::draw_crowd(seed, SIZE, CROWD);
        assert_eq!(disagreement(&case, &mut Coverage::default()), None, "seed {seed}");
    }
}

/// Lines are decided in pieces of 32,768: this book has more.
#[test]
fn the_model_agrees_on_a_book_of_forty_thousand_lines() {
    let mut coverage = Coverage::default();
    let case = draw_job::draw_crowd(MANY_LINES_SEED, SIZE, 16_000);
    let lines =
        case.lines.files.iter().filter(|file| file.delivery <= case.as_of).map(|file| file.rows.len());
    assert!(lines.sum::<usize>() > 40_000);
    assert_eq!(disagreement(&case, &mut coverage), None);
    let report = coverage.report();
    assert!(report.contains("action raise") && report.contains("hold budget"), "{report}");
}

/// Simulations of a few days over the same random books and job files.
#[test]
fn the_model_and_the_program_agree_on_simulations() {
    const CHAINS: u64 = 50;
    let mut mattered = 0;
    for seed in 0..CHAINS {
        match chain::disagreement(&draw_job::draw(seed, SIZE)) {
            Ok(matters) => mattered += u64::from(matters),
            Err(what) => panic!("simulation of seed {seed}: {what}"),
        }
    }
    assert!(mattered > CHAINS / 10, "what was issued mattered in {mattered} simulations only");
}

/// Audits the case of a seed; where it disagrees, the smallest one found nearby is told.
fn audit(seed: u64, coverage: &mut Coverage) {
    let case = draw_job::draw(seed, SIZE);
    if let Some(first) = disagreement(&case, coverage) {
        let sizes = [3, 6, 12, 24, SIZE];
        let smaller = sizes.map(|size| draw_job::draw(seed, size));
        let failing = smaller.into_iter().find_map(|case| {
            let what = disagreement(&case, &mut Coverage::default())?;
            shrink::is_alike(&what, &first).then_some((case, what))
        });
        let (case, what) = failing.unwrap_or((case, first));
        let (case, what) = shrink::shrink(&case, &what);
        panic!("AUDIT_SEED={seed}: {what}\n{}", shrink::told(&case));
    }
}

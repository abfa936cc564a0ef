//! A state is a cache: whatever happens between nights, one that goes on from a state comes to the same
//! bytes as one that is computed from scratch.

mod bills;
mod desk;
mod draw;
mod events;
mod golden;
mod race;
mod ranges;
mod rows;
mod shelf;
mod twice;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::audit::from_environment;
use events::{Census, Schedule};

/// Schedules of a plain `cargo test`; STATE_CASES asks for more.
const CASES: u32 = 16;

/// So many come to everything that can happen.
const MANY_CASES: u32 = 200;

/// STATE_SEED runs one schedule again; STATE_STREAM draws others than usual.
#[test]
fn whatever_happens_between_nights_the_bytes_are_those_of_a_run_from_scratch() {
    let census = RefCell::new(Census::default());
    let follow = |seed: u64| {
        let mut schedule = Schedule::draw(seed);
        let followed = catch_unwind(AssertUnwindSafe(|| schedule.follow(&mut census.borrow_mut())));
        let what = match followed {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(what)) => what,
            Err(_) => "the program panics".into(),
        };
        Err(TestCaseError::fail(format!(
            "{what}\nSTATE_SEED={seed} runs it again:\n{}",
            schedule.told(from_environment::<u64>("STATE_SEED").is_some())
        )))
    };
    if let Some(seed) = from_environment::<u64>("STATE_SEED") {
        return follow(seed).unwrap();
    }
    let cases = from_environment("STATE_CASES").unwrap_or(CASES);
    let stream = from_environment::<u8>("STATE_STREAM").unwrap_or(0);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[stream; 32]));
    runner.run(&any::<u64>(), follow).unwrap_or_else(|error| panic!("{error}"));
    println!("{}", census.borrow().report());
    if cases >= CASES {
        census.borrow().check(cases >= MANY_CASES);
    }
}

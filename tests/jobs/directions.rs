//! The jobs beside the nightly one: each is the nightly job but for what its opening says, an upgrade raises the
//! lines of outstanding scores, and a tightening is held.

use std::fs;

use super::core_system::{CoreSystem, run_night};
use super::healthy::job_of;
use crate::support::{Cell, day, project};

const ACCOUNTS: u32 = 5_000;
const FIRST: &str = "2026-07-08";
const TRIED_ON: &str = "2026-07-09";

/// The lines of a job file that are not comments.
fn lines(file: &str) -> Vec<String> {
    let text = fs::read_to_string(project().join("jobs").join(file)).unwrap();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_string).collect()
}

/// The lines in which a job file differs from the nightly one, and what they are there.
fn differences(file: &str) -> Vec<(String, String)> {
    let (nightly, other) = (lines("nightly.toml"), lines(file));
    assert_eq!(nightly.len(), other.len(), "{file}");
    nightly.into_iter().zip(other).filter(|(own, other)| own != other).collect()
}

#[test]
fn the_jobs_differ_in_what_their_openings_say() {
    for (file, keys) in [
        ("first-night.toml", &["name", "max_bp", "sum_of"][..]),
        ("upgrade.toml", &["name", "policy", "dir", "csv", "max_bp", "sum_of"]),
        ("tightening.toml", &["name", "policy", "dir", "csv"]),
    ] {
        for (own, other) in differences(file) {
            let key = own.split(" = ").next().unwrap();
            assert!(keys.contains(&key) && other.starts_with(&format!("{key} = ")), "{file}: {other}");
        }
    }
}

#[test]
fn the_policies_add_one_rule_to_the_nightly_one() {
    let nightly = lines("policy.toml");
    for (file, rule) in [
        ("upgrade-policy.toml", "name = \"upgrade for 800 and more\""),
        ("tightening-policy.toml", "name = \"shut-down above 700\""),
    ] {
        let policy = lines(file);
        let begins = policy.iter().position(|line| line == rule).unwrap() - 1;
        let ends = begins + policy.len() - nightly.len();
        assert_eq!([&policy[..begins], &policy[ends..]].concat(), nightly, "{file}");
        assert_eq!(policy[begins..ends].iter().filter(|line| *line == "[[rule]]").count(), 1, "{file}");
    }
}

#[test]
fn an_upgrade_raises_outstanding_scores_and_a_tightening_is_held() {
    let (first, tried_on) = (day(FIRST), day(TRIED_ON));
    let mut lender = CoreSystem::new(ACCOUNTS, first, tried_on);
    lender.begin(first);
    assert!(!lender.night(job_of(first, first), first).is_held);
    lender.begin(tried_on);
    let upgrade = run_night(lender.home(), "jobs/upgrade.toml", "trial/upgrade", tried_on);
    assert!(!upgrade.is_held, "{:?}", upgrade.failed_gates());
    let raised = upgrade.table("adjustments", &["reason", "score", "old_limit", "new_limit"]).rows;
    let raised: Vec<_> = raised.iter().filter(|row| row[0] == Cell::from("P50")).collect();
    assert!(!raised.is_empty());
    for row in raised {
        assert!(row[3].int() >= Some(800), "{row:?}");
    }
    let tightening = run_night(lender.home(), "jobs/tightening.toml", "trial/tightening", tried_on);
    let failed = tightening.failed_gates();
    assert!(failed.contains(&"no mass suspension of good accounts".to_string()), "{failed:?}");
}

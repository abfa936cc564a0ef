//! What a diff says of withdrawals and budgets of rules, and of what one of the runs did not keep.

use serde_json::Value as Json;

use super::{case_home, diff_json, int};
use crate::explain::additions::{POLICY, book};
use crate::support::book::TODAY;
use crate::support::succeed_in;

/// Today's run once more with another policy.
fn with_policy(policy: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let copied = |name: &str| {
        std::fs::copy(book().path().join(name), home.path().join(name)).unwrap();
    };
    ["job.toml", "scorecard.toml"].into_iter().for_each(copied);
    std::fs::write(home.path().join("policy.toml"), policy).unwrap();
    for name in ["in", "out"] {
        std::os::unix::fs::symlink(book().path().join(name), home.path().join(name)).unwrap();
    }
    succeed_in(home.path(), &["run", "job.toml", "--date", TODAY, "--out", "other"]);
    home
}

const TODAYS: &str = "out/date=2026-11-20";
const OTHER: &str = "other/date=2026-11-20";

/// Decisions and money by cause; all that changed is told.
fn part(json: &Json, cause: &str) -> (i128, i128) {
    let causes = &json["decision_causes"];
    assert_eq!((&causes["decisions"], &causes["change"]), (&causes["changed"], &causes["moved"]), "{causes}");
    let parts = causes["parts"].as_array().unwrap();
    assert!(parts.iter().all(|part| part["cause"] != "not explained"), "{causes}");
    let part = parts.iter().find(|part| part["cause"] == cause);
    part.map_or((0, 0), |part| (int(&part["decisions"]), int(&part["change"])))
}

#[test]
fn withdrawals_are_among_the_actions_of_both_sides() {
    let json = diff_json(book().path(), &["out/date=2026-11-19", TODAYS]);
    part(&json, "data");
    let actions = json["decisions"]["actions"].as_array().unwrap();
    let lines = |left: &str, right: &str| {
        let moved = actions.iter().find(|moved| moved["left"] == left && moved["right"] == right);
        moved.map_or(0, |moved| int(&moved["lines"]))
    };
    assert_eq!((lines("lower", "withdraw"), lines("raise", "withdraw")), (1, 1), "{actions:?}");
}

/// 8 and 9 are raised as before, from 1,300.00; of 800.00 only 9 is.
#[test]
fn a_smaller_budget_of_a_rule_is_the_budget_s_doing() {
    let home = with_policy(&POLICY.replace("budget = 130000", "budget = 80000"));
    let json = diff_json(home.path(), &[TODAYS, OTHER]);
    assert_eq!(part(&json, "budget"), (1, -50_000), "{}", json["decision_causes"]);
    let share = with_policy(&POLICY.replace("budget = 130000", "budget_bp = 1482"));
    let json = diff_json(share.path(), &[TODAYS, OTHER]);
    assert_eq!(part(&json, "budget"), (1, -50_000), "{}", json["decision_causes"]);
}

#[test]
fn a_rule_that_withdraws_no_more_is_the_policy_s_doing() {
    let home = with_policy(&POLICY.replace("and owed = 0\"", "and owed = 1\""));
    let json = diff_json(home.path(), &[TODAYS, OTHER]);
    assert_eq!(part(&json, "policy"), (1, 0), "{}", json["decision_causes"]);
}

/// A run keeps what its own rules read: what others would read of it is not known, which is not null.
#[test]
fn what_a_run_has_not_kept_is_not_taken_for_null() {
    let home = with_policy(&POLICY.replace("when = \"band = 'good'\"", "when = \"previous_band = 'good'\""));
    let json = diff_json(home.path(), &[OTHER, TODAYS]);
    let notes = json["decision_causes"]["notes"].to_string();
    assert!(
        notes.contains("decisions.parquet has no column previous_band, which the policy reads"),
        "{notes}"
    );
    part(&json, "data or policy");
    let json = diff_json(home.path(), &[TODAYS, OTHER]);
    assert_eq!(json["decision_causes"]["notes"], serde_json::json!([]));
    part(&json, "policy");
}

#[test]
fn two_nights_of_the_golden_case_are_told_to_the_last_unit() {
    let home = case_home("additions");
    let nights = ["2026-11-19", "2026-11-20"];
    for night in nights {
        succeed_in(home.path(), &["run", "jobs/nightly.toml", "--date", night]);
    }
    let json = diff_json(
        home.path(),
        &nights.map(|night| format!("out/date={night}")).each_ref().map(String::as_str),
    );
    let (decisions, _) = part(&json, "data");
    assert!(decisions > 0, "{}", json["decision_causes"]);
    let actions = json["decisions"]["actions"].as_array().unwrap();
    assert!(actions.iter().any(|moved| moved["right"] == "withdraw"), "{actions:?}");
}

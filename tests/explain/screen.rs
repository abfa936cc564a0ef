//! What is seen first of an account: what was decided, by which rule, what would change it; and only what can be moved.

use serde_json::Value;

use super::nights;
use crate::support::book::{Book, TODAY};
use crate::support::{outcome_in, succeed_in};

const RUN: &str = "out/date=2026-11-20";

fn explained(account: &str, more: &[&str]) -> String {
    succeed_in(nights().home(), &[&["explain", RUN, "--account", account], more].concat())
}

/// An account that is past due, and one with three lines.
const PAST_DUE: &str = "2088000000029465";

#[test]
fn the_decision_comes_first_then_its_rule_what_would_change_it_and_the_score() {
    let text = explained(PAST_DUE, &[]);
    let order = [
        "account 2088000000029465 in nightly of 2026-11-20\n\nhuabei: suspend (P03), active to suspended",
        "\nhuabei: limit 13,000.00, balance 315.00",
        "\n  decided by rule 13 of ",
        "one change for the better",
        "\nscore 650, excellent = ",
        "the nearest bin with more points",
    ];
    let positions = order.map(|part| text.find(part));
    assert!(positions.iter().all(Option::is_some) && positions.is_sorted(), "{positions:?}\n{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn values_have_their_units() {
    let text = explained(PAST_DUE, &[]);
    for part in [
        "days_past_due 15 days",
        "overdue_amount 111.08",
        "overdue_amount  111.08 to 99.99 (11.09 less)",
        "83.33 %  ",
        "70.00 to 84.99 %",
        "115,039.00",
        "80,000.00 to 139,999.99",
        "days_on_book  516 to 731 days (215 more)",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let json: Value = serde_json::from_str(&explained(PAST_DUE, &["--json"])).unwrap();
    assert_eq!(json["units"]["overdue_amount"], "money");
    assert_eq!(json["units"]["on_time_rate_bp"], "basis_points");
    assert_eq!(json["units"]["days_past_due"], "days");
    assert!(json["units"].get("recent_late_bills").is_none());
}

#[test]
fn all_rules_are_listed_on_demand() {
    let (short, all) = (explained(PAST_DUE, &[]), explained(PAST_DUE, &["--all-rules"]));
    let json: Value = serde_json::from_str(&explained(PAST_DUE, &["--json"])).unwrap();
    let rules = json["lines"][0]["rules"].as_array().unwrap();
    for rule in rules {
        let name = format!("  {}  ", rule["rule"].as_str().unwrap());
        assert!(all.contains(&name) && !short.contains(&name), "{name}\n{all}");
    }
    assert!(all.contains("not asked") && !short.contains("it reads"), "{all}");
}

/// Two runs of one date are told apart by where they lie.
#[test]
fn runs_held_against_each_other_are_named_by_their_directories() {
    let book = Book::new();
    book.publish();
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--out", "trial"]);
    let args = ["explain", "trial/date=2026-11-20", "--account", "1", "--against", RUN];
    let text = succeed_in(book.path(), &args);
    assert!(text.contains("\n  before: out/date=2026-11-20, plain of 2026-11-20\n"), "{text}");
    assert!(text.contains("\n  now:    trial/date=2026-11-20, plain of 2026-11-20\n"), "{text}");
    let json: Value =
        serde_json::from_str(&succeed_in(book.path(), &[&args[..], &["--json"]].concat())).unwrap();
    assert_eq!(json["before"]["run"], "out/date=2026-11-20");
    assert_eq!(json["now"]["run"], "trial/date=2026-11-20");
}

/// The changes that are offered: those of all lines of account 1, and the better bins, by feature.
fn offered(actionable: &str) -> Vec<(String, i64, i64)> {
    let book = Book::new();
    let feature = "feature = \"spend_30d\"\n";
    book.edit("scorecard.toml", feature, &format!("{feature}{actionable}"));
    // More purchases are better for the score, and the rules ask for less of them, too.
    book.edit("policy.toml", "when = \"band = 'good'\"", "when = \"spend_30d >= 50000\"");
    book.edit("policy.toml", "when = \"is_stretched = 0\"", "when = \"spend_30d >= 10000\"");
    book.append(
        "policy.toml",
        "\n[[rule]]\nname = \"idle\"\nwhen = \"spend_30d < 10000\"\naction = \"close\"\nreason = \"P05\"\n",
    );
    book.publish();
    let json = succeed_in(book.path(), &["explain", RUN, "--account", "1", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let turns = &json["lines"][0]["turns"];
    let changes = ["better", "worse"].map(|list| turns[list].as_array().unwrap().clone()).concat();
    let changes = changes.iter().filter(|change| change["feature"] == "spend_30d");
    changes
        .map(|change| {
            let feature = change["feature"].as_str().unwrap().to_string();
            (feature, change["from"].as_i64().unwrap(), change["to"].as_i64().unwrap())
        })
        .collect()
}

#[test]
fn advice_follows_what_a_person_can_move() {
    let up = ("spend_30d".to_string(), 40_000, 50_000);
    let down = ("spend_30d".to_string(), 40_000, 9_999);
    assert_eq!(offered(""), [up.clone(), down.clone()]);
    assert_eq!(offered("actionable = true\n"), [up.clone(), down.clone()]);
    assert_eq!(offered("actionable = \"up\"\n"), [up]);
    assert_eq!(offered("actionable = \"down\"\n"), [down]);
    assert_eq!(offered("actionable = false\n"), []);
}

/// A bin that lies where the value cannot go is not named as one to reach; of a feature that nobody can move, none is.
#[test]
fn better_bins_follow_it_too() {
    let better = |actionable: &str| {
        let book = Book::new();
        let bins = "    { below = 20000, points = 0 },\n    { points = 100 },\n";
        let peak = "    { below = 39000, points = 100 },\n    { below = 41000, points = 50 },\n    { points = 80 },\n";
        book.edit("scorecard.toml", bins, peak);
        book.edit(
            "scorecard.toml",
            "feature = \"spend_30d\"\n",
            &format!("feature = \"spend_30d\"\n{actionable}"),
        );
        book.publish();
        let json = succeed_in(book.path(), &["explain", RUN, "--account", "1", "--json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        let all = json["score"]["characteristics"].as_array().unwrap().clone();
        let own = all.into_iter().find(|one| one["feature"] == "spend_30d").unwrap();
        own["better"]["to"].as_i64()
    };
    assert_eq!(better("actionable = \"up\"\n"), Some(41_000));
    assert_eq!(better("actionable = \"down\"\n"), Some(38_999));
    assert_eq!(better("actionable = false\n"), None);
}

/// What is made of a feature holds it: a ratio that nobody can move keeps what it is made of where it is.
#[test]
fn all_that_moves_along_must_be_movable() {
    let told = |actionable: &str| {
        let book = Book::new();
        book.append(
            "scorecard.toml",
            &format!(
                "\n[[characteristic]]\nfeature = \"used_bp\"\n{actionable}dimension = \"behaviour\"\nreason = \"R09\"\n\
                 text = \"Much is in use\"\nmissing = 0\nbins = [ {{ below = 1000, points = 90 }}, {{ points = 0 }} ]\n"
            ),
        );
        book.edit("policy.toml", "when = \"band = 'good'\"", "when = \"balances < 10000\"");
        book.publish();
        let json = succeed_in(book.path(), &["explain", RUN, "--account", "1", "--json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        let better = json["lines"][0]["turns"]["better"].as_array().unwrap().clone();
        better.iter().any(|change| change["feature"] == "balances")
    };
    assert!(told(""));
    assert!(told("actionable = \"down\"\n"));
    assert!(!told("actionable = \"up\"\n"));
    assert!(!told("actionable = false\n"));
}

#[test]
fn a_direction_that_there_is_not_is_refused_and_a_useless_one_is_told() {
    let said = |actionable: &str| {
        let book = Book::new();
        book.edit(
            "scorecard.toml",
            "feature = \"spend_30d\"\n",
            &format!("feature = \"spend_30d\"\n{actionable}\n"),
        );
        let (code, stdout, stderr) = outcome_in(book.path(), &["check", "job.toml"]);
        (code, format!("{stdout}{stderr}"))
    };
    let (code, text) = said("actionable = \"sideways\"");
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("there is no direction `sideways`"), "{text}");
    assert!(text.contains("actionable is true, false, \"up\" or \"down\""), "{text}");
    let (code, text) = said("actionable = 3");
    assert!(code == 2 && text.contains("expected true, false, \"up\" or \"down\""), "{text}");
    let (code, text) = said("actionabel = false");
    assert!(code == 2 && text.contains("did you mean `actionable`?"), "{text}");
    let (code, text) = said("actionable = \"down\"");
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("`spend_30d` can only go down, where its points only fall"), "{text}");
    let (code, text) = said("actionable = \"up\"");
    assert!(code == 0 && !text.contains("can only go"), "{text}");
}

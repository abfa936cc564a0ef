//! Causes one by one, on small pairs of runs made for them.

use super::{case_home, diff_json, edited_jobs, int, run};

/// Decisions put down to a cause and the money it moved.
fn part(json: &serde_json::Value, cause: &str) -> (i128, i128) {
    let parts = json["decision_causes"]["parts"].as_array().unwrap();
    let part = parts.iter().find(|part| part["cause"] == cause);
    part.map_or((0, 0), |part| (int(&part["decisions"]), int(&part["change"])))
}

fn with_policy(edit: impl Fn(String) -> String) -> serde_json::Value {
    let home = case_home("ints");
    edited_jobs(home.path(), "other", |file, text| if file == "policy.toml" { edit(text) } else { text });
    run(home.path(), "jobs", "out", &["2026-11-20"]);
    run(home.path(), "other", "other/out", &["2026-11-20"]);
    diff_json(home.path(), &["out/date=2026-11-20", "other/out/date=2026-11-20"])
}

/// Sets every `key = number` of the policy.
fn set(text: &str, key: &str, value: &str) -> String {
    let is_key = |line: &str| line.split('=').next().is_some_and(|name| name.trim() == key);
    let lines =
        text.lines().map(|line| if is_key(line) { format!("{key} = {value}") } else { line.to_string() });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_budget_of_nothing_refuses_every_raise_of_the_product() {
    let json = with_policy(|text| set(&text, "raise_budget", "0"));
    let (decisions, money) = part(&json, "budget");
    let causes = &json["decision_causes"];
    assert!(decisions > 0 && money < 0, "{causes}");
    assert_eq!((int(&causes["changed"]), int(&causes["moved"])), (decisions, money));
    let moved: i128 = json["decisions"]["actions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|moved| moved["left"] == "raise" && moved["right"] == "hold")
        .map(|moved| int(&moved["change"]))
        .sum();
    assert_eq!(moved, money);
}

#[test]
fn a_lower_bound_on_the_whole_account_is_a_cap() {
    let json = with_policy(|text| set(&set(&text, "max_total_limit", "0"), "raise_budget", "9_000_000_000"));
    let (decisions, money) = part(&json, "caps");
    assert!(decisions > 0 && money < 0, "{}", json["decision_causes"]);
    assert_eq!(part(&json, "policy"), (0, 0));
    assert_eq!(part(&json, "data"), (0, 0));
}

/// The left scorecard on the right data is held within its own range: where only the range is another, the data
/// moved nothing.
#[test]
fn a_scorecard_is_held_within_its_own_range() {
    let home = case_home("ints");
    let of_cards = |edit: fn(&str) -> String| {
        move |file: &str, text: String| if file == "scorecard.toml" { edit(&text) } else { text }
    };
    edited_jobs(home.path(), "narrow", of_cards(|text| set(text, "max", "705")));
    edited_jobs(home.path(), "wide", of_cards(|text| set(text, "max", "940")));
    for jobs in ["narrow", "wide"] {
        run(home.path(), jobs, &format!("{jobs}/out"), &["2026-11-20"]);
    }
    for (left, right) in [("narrow", "wide"), ("wide", "narrow")] {
        let runs = [left, right].map(|jobs| format!("{jobs}/out/date=2026-11-20"));
        let json = diff_json(home.path(), &[&runs[0], &runs[1]]);
        let causes = &json["score_causes"];
        assert_eq!(int(&causes["data"]), 0, "{causes}");
        assert_ne!(int(&causes["scorecard"]), 0, "{causes}");
        assert_eq!(int(&causes["scorecard"]), int(&json["scores"]["sum"]), "{causes}");
        let held =
            causes["parts"].as_array().unwrap().iter().find(|part| part["part"] == "held within min and max");
        assert_eq!(int(&held.unwrap()["scorecard"]), int(&json["scores"]["sum"]), "{causes}");
    }
}

#[test]
fn the_data_are_the_cause_where_only_the_date_differs() {
    let home = case_home("ints");
    run(home.path(), "jobs", "out", &["2026-11-15"]);
    run(home.path(), "jobs", "out", &["2026-11-20"]);
    let json = diff_json(home.path(), &["out/date=2026-11-15", "out/date=2026-11-20"]);
    let names: Vec<&str> = json["decision_causes"]["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["cause"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["data", "caps", "budget", "lines only on one side"]);
    assert!(part(&json, "data").0 > 0);
    assert_eq!(int(&json["score_causes"]["scorecard"]), 0);
    assert_eq!(int(&json["score_causes"]["data"]), int(&json["scores"]["sum"]));
}

//! Runs against themselves, and decided again from what they published.

use std::fs;
use std::path::Path;

use super::{case_home, diff_json, edited_jobs, int, run};
use crate::support::files::copy;
use crate::support::{Cell, Table, outcome_in, project, shipped_in, succeed_in};

#[test]
fn a_run_is_the_same_as_itself_and_as_its_copy() {
    let home = case_home("ints");
    run(home.path(), "jobs", "out", &["2026-11-20"]);
    run(home.path(), "jobs", "again", &["2026-11-20"]);
    let (code, stdout, _) =
        outcome_in(home.path(), &["diff", "out/date=2026-11-20", "again/date=2026-11-20"]);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.starts_with("no difference\n"), "{stdout}");
    assert!(stdout.contains("\ncomparable: nothing differs in what they stand on\n"), "{stdout}");
}

/// Gives every rule another name, so that the decision about every line with a rule changes by the policy
/// alone and has to be explained by deciding it again.
fn renamed_rules(file: &str, text: String) -> String {
    if file != "policy.toml" {
        return text;
    }
    let mut is_rule = false;
    let mut renamed = String::new();
    for line in text.lines() {
        is_rule = if line.starts_with('[') { line.starts_with("[[rule]]") } else { is_rule };
        let name = line.strip_prefix("name = \"").filter(|_| is_rule);
        renamed += &name.map_or(line.to_string(), |name| format!("name = \"other {name}"));
        renamed.push('\n');
    }
    renamed
}

/// Every line comes out as it was published when it is decided again from its run.
fn is_decided_again(home: &Path, left: &str, right: &str) {
    let json = diff_json(home, &[left, right]);
    let causes = &json["decision_causes"];
    assert_eq!(causes["notes"].as_array().unwrap().len(), 0, "{causes}");
    let table = Table::read(&home.join(left).join("decisions.parquet"));
    let with_rule = table.column("rule").iter().filter(|rule| **rule != Cell::Null).count();
    assert!(with_rule > 0);
    let part = |name: &str| {
        let parts = causes["parts"].as_array().unwrap();
        parts.iter().find(|part| part["cause"] == name).unwrap_or_else(|| panic!("{name}: {causes}")).clone()
    };
    assert_eq!(int(&part("policy")["decisions"]), with_rule as i128, "{causes}");
    for cause in ["data", "caps", "budget"] {
        assert_eq!((int(&part(cause)["decisions"]), int(&part(cause)["change"])), (0, 0), "{causes}");
    }
    assert_eq!(int(&causes["change"]), 0);
}

#[test]
fn a_golden_run_can_be_decided_again_from_itself() {
    for case in ["ints", "strings", "renamed"] {
        let home = case_home(case);
        edited_jobs(home.path(), "renamed", renamed_rules);
        for dates in [
            &["2026-11-15"][..],
            &["2026-11-19"],
            &["2026-11-20"],
            &["2026-11-17", "--known-on", "2026-11-20"],
        ] {
            run(home.path(), "jobs", "out", dates);
            // What was issued before must be the same for both.
            run(home.path(), "renamed", "other", dates);
            let place = match dates {
                [date] => format!("date={date}"),
                _ => format!("known={}/date={}", dates[2], dates[0]),
            };
            is_decided_again(home.path(), &format!("out/{place}"), &format!("other/{place}"));
        }
    }
}

#[test]
fn a_run_of_the_sample_book_can_be_decided_again_from_itself() {
    let home = tempfile::tempdir().unwrap();
    shipped_in(home.path());
    // The gates are about nights that follow each other.
    let job = home.path().join("jobs/nightly.toml");
    let text = fs::read_to_string(&job).unwrap();
    fs::write(&job, text.split("\n[[gate]]").next().unwrap()).unwrap();
    edited_jobs(home.path(), "renamed", renamed_rules);
    run(home.path(), "jobs", "out", &["2026-11-19"]);
    run(home.path(), "renamed", "other", &["2026-11-19"]);
    is_decided_again(home.path(), "out/date=2026-11-19", "other/date=2026-11-19");
}

#[test]
fn a_feature_declared_otherwise_is_said_not_to_be_separable() {
    let home = case_home("ints");
    let home = home.path();
    edited_jobs(home, "other", |file, text| match file {
        "scorecard.toml" => text.replacen("days = 90", "days = 60", 1).replacen("days = 30", "days = 20", 1),
        _ => text,
    });
    run(home, "jobs", "out", &["2026-11-19"]);
    run(home, "other", "other/out", &["2026-11-20"]);
    let json = diff_json(home, &["out/date=2026-11-19", "other/out/date=2026-11-20"]);
    let causes = &json["decision_causes"];
    assert!(causes["notes"][0].as_str().unwrap().starts_with("not separable: "), "{causes}");
    assert_eq!(causes["parts"][0]["cause"], "data or scorecard");
    assert_eq!(int(&causes["change"]), int(&causes["moved"]));
    assert_eq!(causes["decisions"], causes["changed"]);
    let scores = &json["score_causes"];
    assert_eq!(int(&scores["total"]), int(&scores["moved"]));
}

#[test]
fn two_ranges_are_compared_date_by_date() {
    let home = case_home("ints");
    let home = home.path();
    edited_jobs(home, "other", |_, text| text.replace("percent = 20", "percent = 35"));
    for date in ["2026-11-18", "2026-11-19", "2026-11-20"] {
        run(home, "jobs", "out", &[date]);
    }
    for date in ["2026-11-19", "2026-11-20"] {
        run(home, "other", "other/out", &[date]);
    }
    let json = diff_json(home, &["out", "other/out"]);
    assert_eq!(json["only_left"], serde_json::json!(["2026-11-18"]));
    let days = json["days"].as_array().unwrap();
    assert_eq!(days.len(), 2);
    let mut total = 0;
    for day in days {
        let date = format!("date={}", day["date"].as_str().unwrap());
        let one = diff_json(home, &[&format!("out/{date}"), &format!("other/out/{date}")]);
        assert_eq!(day["change"]["decisions_changed"], one["decisions"]["changed"]);
        let money = one["decisions"]["money"].as_array().unwrap().last().unwrap();
        assert_eq!(day["change"]["raises"], money["delta"]["raises"]);
        total += int(&day["change"]["raises"]);
    }
    assert_eq!(int(&json["total"]["raises"]), total);
    let text = outcome_in(home, &["diff", "out", "other/out", "--full"]).1;
    assert!(text.contains("only left: 2026-11-18") && text.contains("total"), "{text}");
    let text = outcome_in(home, &["diff", "out", "other/out"]).1;
    assert!(text.starts_with("they differ: 1 date only left, no difference on 2 dates\n"), "{text}");
    let same = succeed_in(home, &["diff", "other/out", "other/out"]);
    assert!(same.starts_with("no difference on 2 dates\n"), "{same}");
}

#[test]
fn inputs_that_were_restated_or_taken_away_are_told() {
    let home = case_home("strings");
    let home = home.path();
    run(home, "jobs", "out", &["2026-11-20"]);
    fs::remove_file(home.join("data")).unwrap();
    copy(&project().join("tests/golden/strings/data"), &home.join("data"));
    let delivery = home.join("data/transactions/date=2026-11-18");
    let mut restated = Table::read(&delivery.join("part-0.parquet"));
    let rows = restated.rows.len() as i128;
    restated.rows.pop();
    restated.write(&delivery.join("part-0.parquet"));
    fs::remove_file(delivery.join("part-1.parquet")).unwrap();
    run(home, "jobs", "other", &["2026-11-20"]);
    let json = diff_json(home, &["out/date=2026-11-20", "other/date=2026-11-20"]);
    let told: Vec<(&str, &str)> = json["basis"]["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change["file"].as_str().unwrap(), change["fate"].as_str().unwrap()))
        .collect();
    let expected =
        [("date=2026-11-18/part-0.parquet", "restated"), ("date=2026-11-18/part-1.parquet", "removed")];
    assert_eq!(told, expected);
    assert_eq!(json["basis"]["inputs"][0]["rows"], serde_json::json!([rows as u64, rows as u64 - 1]));
    assert_eq!(json["basis"]["differs"], serde_json::json!(["inputs"]));
    let verdict = json["basis"]["verdict"].as_str().unwrap();
    assert!(verdict.ends_with("; other inputs (1 removed, 1 restated)"), "{verdict}");
}

#[test]
fn money_of_two_kinds_is_said_not_to_be_comparable() {
    let home = case_home("ints");
    edited_jobs(home.path(), "other", |_, text| text.replace("minor_units = 2", "minor_units = 0"));
    run(home.path(), "jobs", "out", &["2026-11-20"]);
    run(home.path(), "other", "other/out", &["2026-11-20"]);
    let text = outcome_in(home.path(), &["diff", "out/date=2026-11-20", "other/out/date=2026-11-20"]).1;
    let first = "not comparable: money has 2 decimal places on the left and 0 on the right (comparable: same";
    assert!(text.starts_with(first), "{text}");
}

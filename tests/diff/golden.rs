//! Golden diffs of the golden cases' runs: later data, later knowledge, another scorecard, policy, both.

use std::path::Path;

use super::{case_home, edited_jobs, int, run};
use crate::support::outcome_in;

/// Another scorecard: a base, a point, a missing value.
fn other_scorecard(file: &str, text: String) -> String {
    match file {
        "scorecard.toml" => {
            let text = text.replacen("points = 40", "points = 25", 1);
            let (head, tail) = text.split_once("missing = ").expect("some characteristic says `missing`");
            let (_, rest) = tail.split_once('\n').unwrap();
            format!("{head}missing = 7\n{rest}")
        }
        _ => text,
    }
}

/// Another policy: the first rule asks for another notice, raises are worth half.
pub fn other_policy(file: &str, text: String) -> String {
    match file {
        "policy.toml" => text
            .replace("percent = 20", "percent = 35")
            .replace("min_raise = 20_000", "min_raise = 50_000")
            .replace("raise_budget = ", "raise_budget = 1"),
        _ => text,
    }
}

/// The diff as text; it must say that its parts add up.
fn told(home: &Path, left: &str, right: &str) -> String {
    let (code, stdout, stderr) = outcome_in(home, &["diff", left, right, "--full", "--limit", "8"]);
    assert_eq!((code, stderr.as_str()), (1, ""), "{stdout}");
    assert_eq!(
        stdout.matches("the parts add up to").count(),
        stdout.matches("\nwhy scores changed\n").count()
            + stdout.matches("\nwhy decisions changed\n").count(),
        "{stdout}"
    );
    assert!(stdout.contains("the parts add up to"), "{stdout}");
    let json = super::diff_json(home, &[left, right]);
    let causes = &json["decision_causes"];
    assert_eq!(causes["notes"].as_array().unwrap().len(), 0, "{causes}");
    assert_eq!(int(&causes["change"]), int(&causes["moved"]));
    assert_eq!(causes["decisions"], causes["changed"]);
    assert_eq!(int(&json["score_causes"]["total"]), int(&json["scores"]["sum"]));
    // What is written does not change with the version, but for its name.
    stdout.replace(concat!("rescore ", env!("CARGO_PKG_VERSION")), "rescore VERSION")
}

fn golden(case: &str) {
    let home = case_home(case);
    let home = home.path();
    edited_jobs(home, "scorecard", other_scorecard);
    edited_jobs(home, "policy", other_policy);
    edited_jobs(home, "both", |file, text| other_policy(file, other_scorecard(file, text)));
    run(home, "jobs", "out", &["2026-11-17"]);
    run(home, "jobs", "out", &["2026-11-17", "--known-on", "2026-11-20"]);
    run(home, "jobs", "out", &["2026-11-20"]);
    for jobs in ["scorecard", "policy", "both"] {
        run(home, jobs, &format!("{jobs}/out"), &["2026-11-20"]);
    }
    let late = "out/known=2026-11-20/date=2026-11-17";
    let snapshots = [
        ("known_later", told(home, "out/date=2026-11-17", late)),
        ("three_days_later", told(home, "out/date=2026-11-17", "out/date=2026-11-20")),
        ("other_scorecard", told(home, "out/date=2026-11-20", "scorecard/out/date=2026-11-20")),
        ("other_policy", told(home, "out/date=2026-11-20", "policy/out/date=2026-11-20")),
        ("both_and_other_data", told(home, "out/date=2026-11-17", "both/out/date=2026-11-20")),
    ];
    for (name, text) in snapshots {
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("{case}_{name}"), text);
        });
    }
}

#[test]
fn diffs_of_integer_ids_and_money() {
    golden("ints");
}

#[test]
fn diffs_of_text_ids_and_decimal_money() {
    golden("strings");
}

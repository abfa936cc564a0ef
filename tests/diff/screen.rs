//! What an analyst sees first: the verdict, causes, money, movers; and nothing in which nothing changed.

use std::path::Path;

use super::golden::other_policy;
use super::{case_home, diff_json, edited_jobs, int, run};
use crate::support::outcome_in;

const LEFT: &str = "out/date=2026-11-20";
const RIGHT: &str = "trial/date=2026-11-20";

/// Three nights, the last two of them on another policy as well.
fn two_policies() -> tempfile::TempDir {
    let home = case_home("ints");
    edited_jobs(home.path(), "other", other_policy);
    for date in ["2026-11-18", "2026-11-19", "2026-11-20"] {
        run(home.path(), "jobs", "out", &[date]);
        let jobs = if date == "2026-11-18" { "jobs" } else { "other" };
        run(home.path(), jobs, "trial", &[date]);
    }
    home
}

fn shown(home: &Path, args: &[&str]) -> String {
    let (code, stdout, stderr) = outcome_in(home, &[&["diff"], args].concat());
    assert!(code < 2, "{stderr}");
    stdout
}

/// The rows of a section's table: after its heading, its sentences (which have no two blanks in a row) and the
/// header.
fn rows(text: &str, title: &str) -> Vec<Vec<String>> {
    let (_, rest) = text.split_once(&format!("\n\n{title}\n")).unwrap_or_else(|| panic!("{title}:\n{text}"));
    let section = rest.split("\n\n").next().unwrap();
    let table = section.lines().filter(|line| line.trim().contains("  "));
    let cells = table.map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()));
    cells.map(|cells| cells.map(str::to_string).collect()).skip(1).collect()
}

#[test]
fn the_verdict_comes_first_then_causes_money_actions_and_movers() {
    let home = two_policies();
    let text = shown(home.path(), &[LEFT, RIGHT]);
    let json = diff_json(home.path(), &[LEFT, RIGHT]);
    let (changed, lines) = (int(&json["decisions"]["changed"]), int(&json["decisions"]["lines"]));
    let verdict = text.lines().next().unwrap();
    let expected = format!("they differ: {changed} of {lines} lines are decided otherwise, limits +");
    assert!(verdict.starts_with(&expected), "{verdict}");
    let limits = json["decisions"]["money"].as_array().unwrap().last().unwrap()["delta"]["limits"].clone();
    let amount = rows(&text, "money").into_iter().find(|row| row[..2] == ["all", "limits after"]).unwrap();
    assert!(verdict.contains(&format!("limits {}", amount[4])), "{verdict}");
    assert_eq!(amount[4].replace(['+', ',', '.'], ""), int(&limits).to_string());
    let order = ["why decisions changed", "money", "actions that changed", "limits that moved most"];
    let positions = order.map(|title| text.find(&format!("\n\n{title}\n")));
    assert!(positions.iter().all(Option::is_some) && positions.is_sorted(), "{positions:?}\n{text}");
    for title in ["changed cells", "inputs that differ", "changed lines of policy.toml", "bands", "actions"] {
        assert!(!text.contains(&format!("\n\n{title}\n")), "{title}\n{text}");
    }
    let full = shown(home.path(), &[LEFT, RIGHT, "--full"]);
    for title in
        order.into_iter().chain(["scores", "changed cells", "changed lines of policy.toml", "actions"])
    {
        assert!(full.contains(&format!("\n\n{title}\n")), "{title}\n{full}");
    }
    insta::assert_snapshot!(text.replace(concat!("rescore ", env!("CARGO_PKG_VERSION")), "rescore VERSION"));
}

/// Scores come after the money, and what moved them most comes first.
#[test]
fn scores_come_last_and_what_moved_them_most_first() {
    let home = two_policies();
    let text = shown(home.path(), &["out/date=2026-11-18", RIGHT]);
    let scores = text.find("\n\nscores\n");
    assert!(scores.is_some() && text.find("\n\nmoney\n") < scores, "{text}");
    let causes = rows(&text, "why scores changed");
    let points =
        |row: &Vec<String>| row.last().unwrap().replace(['+', ','], "").parse::<i64>().unwrap().abs();
    let (total, parts) = causes.split_last().unwrap();
    assert!(total[0] == "total" && parts.iter().all(|part| points(part) > 0), "{causes:?}");
    assert!(parts.is_sorted_by_key(|part| std::cmp::Reverse(points(part))), "{causes:?}");
    // The same scorecard moved nothing: there is no column of zeros.
    assert!(!text.contains("accounts  data  scorecard"), "{text}");
    assert!(shown(home.path(), &["out/date=2026-11-18", RIGHT, "--full"]).contains("scorecard  points"));
}

#[test]
fn rows_in_which_nothing_changed_are_left_out() {
    let home = two_policies();
    let text = shown(home.path(), &[LEFT, RIGHT]);
    for row in rows(&text, "money") {
        assert_ne!(row[4], "0.00", "{row:?}");
    }
    let causes = rows(&text, "why decisions changed");
    assert!(causes.iter().all(|row| row[1..] != ["0", "0.00"]), "{causes:?}");
    for row in rows(&text, "actions that changed") {
        assert_ne!(row[1], row[2], "{row:?}");
    }
    let full = shown(home.path(), &[LEFT, RIGHT, "--full"]);
    assert!(rows(&full, "money").iter().any(|row| row[4] == "0.00"), "{full}");
    assert!(rows(&full, "why decisions changed").iter().any(|row| row[1..] == ["0", "0.00"]), "{full}");
}

#[test]
fn of_what_is_the_same_little_is_said() {
    let home = two_policies();
    let text = shown(home.path(), &[LEFT, LEFT]);
    assert!(text.starts_with("no difference\nleft   out/date=2026-11-20: "), "{text}");
    assert!(text.lines().count() < 12, "{text}");
    let range = shown(home.path(), &["out", "out"]);
    assert_eq!(range, "no difference on 3 dates\nleft   out\nright  out\n");
}

/// Amounts stand as amounts wherever they stand, and PSI as everybody writes it.
#[test]
fn money_is_in_one_unit_and_stability_a_decimal() {
    let home = two_policies();
    let args = ["out/date=2026-11-19", RIGHT, "--full", "--limit", "100"];
    let text = shown(home.path(), &args);
    let json = diff_json(home.path(), &args[..2]);
    let columns = json["columns"].as_array().unwrap();
    for (name, unit) in [("new_limit", "money"), ("old_limit", "money"), ("days_open", "days")] {
        let column = columns.iter().find(|one| one["table"] == "decisions" && one["column"] == name).unwrap();
        assert_eq!(column["unit"], unit, "{name}");
        let row = rows(&text, "changed cells").into_iter().find(|row| row[..2] == ["decisions", name]);
        let row = row.unwrap_or_else(|| panic!("{name}\n{text}"));
        let figure: String = row[3].chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
        assert_eq!(figure, int(&column["sum"]).to_string(), "{row:?}");
        assert!(row[3].contains('.') == (unit == "money"), "{row:?}");
        assert!(row[3].ends_with(" days") == (unit == "days"), "{row:?}");
    }
    assert!(text.contains("; PSI 0."), "{text}");
    assert!(!text.contains("thousandths"), "{text}");
    let psi = int(&json["scores"]["psi_thousandths"]);
    assert!(text.contains(&format!("; PSI 0.{psi:03}\n")), "{psi}\n{text}");
}

#[test]
fn a_range_says_on_how_many_dates_and_shows_those_that_differ() {
    let home = two_policies();
    let text = shown(home.path(), &["out", "trial"]);
    let json = diff_json(home.path(), &["out", "trial"]);
    let (changed, lines) = (int(&json["total"]["decisions_changed"]), int(&json["total"]["lines"]));
    let expected =
        format!("they differ: 1 of 3 dates, {changed} of {lines} lines are decided otherwise, limits ");
    assert!(text.starts_with(&expected), "{expected}\n{text}");
    let dates: Vec<&str> =
        text.lines().filter_map(|line| line.trim_start().split_once("  ")).map(|(first, _)| first).collect();
    assert!(dates.contains(&"2026-11-20"), "{text}");
    assert!(!text.contains("2026-11-18") && !text.contains("2026-11-19"), "{text}");
    assert!(!text.contains("accounts one side"), "{text}");
    let full = shown(home.path(), &["out", "trial", "--full"]);
    assert!(full.contains("2026-11-18") && full.contains("accounts one side"), "{full}");
}

/// A rule that was only renamed changes no decision once its name is left out.
#[test]
fn columns_that_are_left_out_make_no_difference() {
    let home = case_home("ints");
    let home = home.path();
    edited_jobs(home, "other", |file, text| match file {
        "policy.toml" => {
            let (head, rules) = text.split_once("[[rule]]").unwrap();
            format!("{head}[[rule]]{}", rules.replace("name = \"", "name = \"other "))
        }
        _ => text,
    });
    run(home, "jobs", "out", &["2026-11-20"]);
    run(home, "other", "trial", &["2026-11-20"]);
    let changed =
        |args: &[&str]| int(&diff_json(home, &[&[LEFT, RIGHT], args].concat())["decisions"]["changed"]);
    assert!(changed(&[]) > 0);
    assert_eq!(changed(&["--exclude", "rule"]), 0);
    let (code, text, _) = outcome_in(home, &["diff", LEFT, RIGHT, "--exclude", "rule,bound_by"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("no difference\n") && text.contains("\nwithout  rule, bound_by\n"), "{text}");
    assert_eq!(outcome_in(home, &["diff", "out", "trial"]).0, 1);
    assert_eq!(outcome_in(home, &["diff", "out", "trial", "--exclude", "rule"]).0, 0);
    let json = diff_json(home, &[LEFT, RIGHT, "--exclude", "rule"]);
    assert_eq!(json["exclude"], serde_json::json!(["rule"]));
    assert!(json["columns"].as_array().unwrap().iter().all(|column| column["column"] != "rule"));
    for (name, why) in [
        ("rul", "there is no column rul: did you mean rule?"),
        ("product", "product is the key, or a part of it: rows are matched by it"),
        ("account_id", "account_id is the key, or a part of it: rows are matched by it"),
    ] {
        let (code, _, stderr) = outcome_in(home, &["diff", LEFT, RIGHT, "--exclude", name]);
        assert_eq!((code, stderr), (2, format!("error: --exclude {name}: {why}\n")));
    }
}

/// Without the score nothing is said of scores, without a feature nothing of it.
#[test]
fn a_score_or_a_feature_can_be_left_out() {
    let home = two_policies();
    let args = ["out/date=2026-11-19", LEFT, "--exclude", "score,spend_30d"];
    let json = diff_json(home.path(), &args);
    assert!(json["scores"].is_null() && json["score_causes"].is_null());
    assert_eq!(json["largest_scores"], serde_json::json!([]));
    let all = diff_json(home.path(), &args[..2]);
    let features = |json: &serde_json::Value| json["features"].as_array().unwrap().len();
    assert!(features(&all) > 0);
    let without = diff_json(home.path(), &[args[0], args[1], "--exclude", "spend_30d"]);
    assert_eq!(features(&without) + 1, features(&all));
}

/// The adjustments as CSV and as Parquet differ in the same way.
#[test]
fn csv_files_are_compared_like_parquet_files() {
    let home = two_policies();
    let home = home.path();
    let of = |extension: &str| {
        let file = |run: &str| format!("{run}/adjustments.{extension}");
        diff_json(home, &[&file(LEFT), &file(RIGHT), "--key", "account_id,product"])
    };
    let (csv, parquet) = (of("csv"), of("parquet"));
    assert_eq!(csv["rows"], parquet["rows"]);
    assert_eq!(csv["tables"], parquet["tables"]);
    assert_eq!(csv["columns"].as_array().unwrap().len(), parquet["columns"].as_array().unwrap().len());
    for (a, b) in csv["columns"].as_array().unwrap().iter().zip(parquet["columns"].as_array().unwrap()) {
        assert_eq!((&a["column"], &a["changed"]), (&b["column"], &b["changed"]));
        if !["effective_on", "pending_on", "status_since"].contains(&a["column"].as_str().unwrap()) {
            assert_eq!((&a["sum"], &a["largest"]), (&b["sum"], &b["largest"]), "{a}");
        }
    }
    // One of each says the same thing in the same words.
    let [csv, parquet] = ["csv", "parquet"].map(|extension| format!("{LEFT}/adjustments.{extension}"));
    assert_eq!(outcome_in(home, &["diff", &csv, &parquet, "--key", "account_id,product"]).0, 0);
    assert_eq!(outcome_in(home, &["diff", &parquet, &csv, "--key", "account_id,product"]).0, 0);
}

fn csv_diff(left: &str, right: &str, more: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("a.csv"), left).unwrap();
    std::fs::write(home.path().join("b.csv"), right).unwrap();
    outcome_in(home.path(), &[&["diff", "a.csv", "b.csv", "--key", "id"], more].concat())
}

#[test]
fn columns_of_csv_files_are_integers_where_both_hold_nothing_else() {
    let (code, text, _) =
        csv_diff("id,amount,code\n2,100,007\n10,,7\n", "id,amount,code\n2,90,7\n10,5,7\n", &[]);
    assert_eq!(code, 1);
    assert!(text.starts_with("they differ: 2 of 2 rows changed\n"), "{text}");
    // 2 comes before 10 where ids are integers; `007` makes a column text, so that it is not `7`.
    let cells = rows(&text, "changed cells");
    assert_eq!(cells, [vec!["file", "amount", "2", "-10", "10"], vec!["file", "code", "1"]]);
    // One id that is none makes all of them text, on both sides.
    let (code, _, stderr) = csv_diff("id,n\n2,1\n10,1\n", "id,n\n2,1\nx,1\n", &[]);
    assert_eq!(code, 3);
    assert!(stderr.contains("a.csv: it is not sorted by id, each once: row 1 is 10, after 2"), "{stderr}");
    assert_eq!(csv_diff("id,n\n1,1\n", "id,n\n1,2\n", &["--exclude", "n"]).0, 0);
    assert_eq!(csv_diff("id,n\n1,1\n", "id,n\n1,3\n", &["--tolerance", "n=2"]).0, 0);
}

#[test]
fn csv_files_that_are_no_tables_are_refused_by_name() {
    for (right, why) in [
        ("id,n\n1,2\n3\n", "read b.csv: it cannot be read: line 3 has 1 fields, and the header 2"),
        ("id,n,n\n1,2,3\n", "read b.csv: it cannot be read: the column n stands twice in it: leave one out"),
        ("", "read b.csv: it cannot be read: it is empty: the first line names the columns"),
        ("key,n\n1,2\n", "read b.csv: there is no column id to be the key: it has key, n"),
        ("id,n\n2,1\n1,1\n", "read b.csv: it is not sorted by id, each once: row 1 is 1, after 2"),
    ] {
        let (code, stdout, stderr) = csv_diff("id,n\n1,1\n2,1\n", right, &[]);
        assert!(code == 2 || code == 3, "{right}: {code} {stdout}");
        assert!(stderr.contains(why), "{right}: {stderr}");
    }
}

#[test]
fn csv_files_of_several_blocks_are_read_whole() {
    let rows = |changed: usize| {
        let rows = (0..20_000).map(|row| format!("{row},{}\n", if row == changed { 2 } else { 1 }));
        format!("id,n\n{}", rows.collect::<String>())
    };
    let (code, text, _) = csv_diff(&rows(0), &rows(19_999), &[]);
    assert_eq!(code, 1);
    assert!(text.starts_with("they differ: 2 of 20,000 rows changed\n"), "{text}");
}

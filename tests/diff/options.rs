//! What narrows a diff, what it leaves aside, and what else it writes.

use std::path::Path;

use super::{case_home, diff_json, edited_jobs, int, run};
use crate::report::recount::shown;
use crate::support::{Cell, Table, outcome_in};

/// Two runs that differ in data and policy.
fn two_runs() -> tempfile::TempDir {
    let home = case_home("ints");
    edited_jobs(home.path(), "other", |_, text| text.replace("percent = 20", "percent = 35"));
    run(home.path(), "jobs", "out", &["2026-11-19"]);
    run(home.path(), "other", "other/out", &["2026-11-20"]);
    home
}

const LEFT: &str = "out/date=2026-11-19";
const RIGHT: &str = "other/out/date=2026-11-20";

fn ints(run: &Path, table: &str, column: &str) -> Vec<(Cell, Option<i64>)> {
    let table = Table::read(&run.join(format!("{table}.parquet")));
    let ids = table.column("account_id");
    let int = |cell: Cell| if let Cell::Int(value) = cell { Some(value) } else { None };
    ids.into_iter().zip(table.column(column).into_iter().map(int)).collect()
}

#[test]
fn where_takes_the_right_value_or_that_of_a_side() {
    let home = two_runs();
    let home = home.path();
    let (left, right) =
        (ints(&home.join(LEFT), "scores", "score"), ints(&home.join(RIGHT), "scores", "score"));
    let of = |account: &Cell, side: &[(Cell, Option<i64>)]| {
        side.iter().find(|(id, _)| id == account).and_then(|(_, s)| *s)
    };
    let middle = right[right.len() / 2].1.unwrap();
    let expected = |keep: &dyn Fn(Option<i64>, Option<i64>) -> bool| {
        let all: std::collections::BTreeSet<&Cell> = left.iter().chain(&right).map(|(id, _)| id).collect();
        all.into_iter().filter(|id| keep(of(id, &left), of(id, &right))).count() as i128
    };
    let cases: [(String, i128); 4] = [
        (format!("score >= {middle}"), expected(&|l, r| r.or(l) >= Some(middle))),
        (format!("left_score >= {middle}"), expected(&|l, _| l >= Some(middle))),
        ("left_score <> right_score".into(), expected(&|l, r| l.is_some() && r.is_some() && l != r)),
        ("right_score is null".into(), expected(&|_, r| r.is_none())),
    ];
    for (condition, accounts) in cases {
        let rows = &diff_json(home, &[LEFT, RIGHT, "--where", &condition])["rows"];
        let found = int(&rows["both"]) + int(&rows["only_left"]) + int(&rows["only_right"]);
        assert_eq!(found, accounts, "{condition}");
    }
    // A condition on lines narrows the lines, and keeps the accounts of those that are left.
    let json = diff_json(home, &[LEFT, RIGHT, "--where", "left_action = 'hold' and right_action <> 'hold'"]);
    for moved in json["decisions"]["actions"].as_array().unwrap() {
        assert!(moved["left"] == "hold" && moved["right"] != "hold", "{moved}");
    }
    assert!(int(&json["decisions"]["lines"]) > 0);
    assert!(int(&json["rows"]["both"]) <= int(&json["lines"]["both"]));
}

#[test]
fn differences_within_the_tolerance_do_not_count() {
    let home = two_runs();
    let changed = |more: &[&str], column: &str| {
        let json = diff_json(home.path(), &[&[LEFT, RIGHT], more].concat());
        let columns = json["columns"].as_array().unwrap().clone();
        let of = |table: &str| {
            columns.iter().find(|c| c["table"] == table && c["column"] == column).map(|c| int(&c["changed"]))
        };
        of("scores").or(of("decisions")).unwrap()
    };
    let all = changed(&[], "score");
    let (left, right) =
        (ints(&home.path().join(LEFT), "scores", "score"), ints(&home.path().join(RIGHT), "scores", "score"));
    let moves = left.iter().filter_map(|(id, score)| {
        let (_, other) = right.iter().find(|(known, _)| known == id)?;
        Some((*score)? - (*other)?)
    });
    let moves: Vec<i64> = moves.collect();
    assert_eq!(all, moves.iter().filter(|change| **change != 0).count() as i128);
    // Half of the changes are within it.
    let mut sizes: Vec<i64> = moves.iter().map(|change| change.abs()).filter(|size| *size > 0).collect();
    sizes.sort_unstable();
    let units = sizes[sizes.len() / 2];
    let tolerance = format!("score={units}");
    let within = changed(&["--tolerance", &tolerance], "score");
    assert_eq!(within, sizes.iter().filter(|size| **size > units).count() as i128);
    assert!(within < all);
    assert_eq!(changed(&["--tolerance", &tolerance, "--tolerance", "days_open=1"], "days_open"), 0);
}

#[test]
fn only_a_part_is_compared() {
    let home = two_runs();
    let tables = |only: &str| -> Vec<String> {
        let json = diff_json(home.path(), &[LEFT, RIGHT, "--only", only]);
        json["tables"].as_array().unwrap().iter().map(|t| t["table"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(tables("scores"), ["scores", "features"]);
    assert_eq!(tables("decisions"), ["decisions"]);
    assert_eq!(tables("adjustments"), ["adjustments"]);
    let json = diff_json(home.path(), &[LEFT, RIGHT, "--only", "adjustments"]);
    let (left, right) = (
        Table::read(&home.path().join(LEFT).join("adjustments.parquet")).rows.len(),
        Table::read(&home.path().join(RIGHT).join("adjustments.parquet")).rows.len(),
    );
    assert_eq!((int(&json["rows"]["left"]), int(&json["rows"]["right"])), (left as i128, right as i128));
    // What is counted there are no accounts.
    let text = outcome_in(home.path(), &["diff", LEFT, RIGHT, "--only", "adjustments"]).1;
    assert!(text.contains("\n  rows  ") && !text.contains("accounts"), "{text}");
}

#[test]
fn a_summary_is_short_and_lists_have_a_limit() {
    let home = two_runs();
    let text = |more: &[&str]| outcome_in(home.path(), &[&["diff", LEFT, RIGHT], more].concat()).1;
    let (summary, short, whole) = (text(&["--summary"]), text(&[]), text(&["--full"]));
    assert!(summary.lines().count() < short.lines().count(), "{summary}");
    assert!(short.lines().count() * 2 < whole.lines().count(), "{short}");
    for line in ["comparable: ", "why decisions changed", "they differ"] {
        assert!([&summary, &short, &whole].iter().all(|text| text.contains(line)), "{line}");
    }
    let json = diff_json(home.path(), &[LEFT, RIGHT, "--limit", "3"]);
    assert_eq!(json["largest_scores"].as_array().unwrap().len(), 3);
    assert!(text(&["--limit", "3"]).contains("the first 3, and "));
}

#[test]
fn the_same_question_has_the_same_answer_to_the_byte() {
    let home = two_runs();
    let answer = |out: &str| {
        let args = ["diff", LEFT, RIGHT, "--json", "--out", out];
        let (_, stdout, _) = outcome_in(home.path(), &args);
        (stdout, std::fs::read(home.path().join(out)).unwrap())
    };
    assert_eq!(answer("a.parquet"), answer("b.parquet"));
}

#[test]
fn the_page_is_one_file_with_the_same_figures_and_every_text_escaped() {
    let home = two_runs();
    let condition = "band <> '<script>alert(1)</script>'";
    let args = ["diff", LEFT, RIGHT, "--where", condition, "--html", "diff.html"];
    let (_, text, _) = outcome_in(home.path(), &args);
    let page = std::fs::read_to_string(home.path().join("diff.html")).unwrap();
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let (_, causes) = text.split_once("why decisions changed").unwrap();
    let total = causes.lines().find(|line| line.trim_start().starts_with("total")).unwrap();
    let cells: Vec<&str> = total.split_whitespace().collect();
    let rows = shown(&page, "Why decisions changed");
    let of_page = rows.last().unwrap();
    assert!(cells.iter().all(|cell| of_page.iter().any(|shown| shown == cell)), "{cells:?} {of_page:?}");
}

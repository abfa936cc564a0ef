//! What is printed of an account.

use serde_json::Value;

use super::nights;
use crate::support::book::{Book, TODAY, YESTERDAY};
use crate::support::{Table, outcome_in, succeed_in};

fn explained(account: &str, more: &[&str]) -> String {
    let mut args = vec!["explain", "out/date=2026-11-20", "--account", account];
    args.extend(more);
    succeed_in(nights().home(), &args)
}

/// For every tenth account: points add up to the score, and all else is what the run's tables say.
#[test]
fn the_printed_scorecard_adds_up_and_lines_are_as_decided() {
    let run = nights().run("2026-11-20");
    let (scores, decisions) =
        (Table::read(&run.join("scores.parquet")), Table::read(&run.join("decisions.parquet")));
    let ids = scores.column("account_id");
    for (row, id) in ids.iter().enumerate().step_by(100) {
        let account = text(id);
        let told: Value = serde_json::from_str(&explained(&account, &["--json"])).unwrap();
        let card = &told["score"];
        let points: i64 = card["characteristics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["points"].as_i64().unwrap())
            .sum();
        let exact = card["base"].as_i64().unwrap() + points;
        let clamped = exact.max(card["min"].as_i64().unwrap()).min(card["max"].as_i64().unwrap());
        assert_eq!(card["points"], points);
        assert_eq!(card["score"], clamped);
        assert_eq!(text(&scores.column("score")[row]), card["score"].to_string());
        for (place, reason) in card["reasons"].as_array().unwrap().iter().enumerate() {
            assert_eq!(
                text(&scores.column(&format!("reason_{}", place + 1))[row]),
                reason["code"].as_str().unwrap()
            );
        }
        let lines: Vec<usize> =
            (0..decisions.rows.len()).filter(|line| decisions.column("account_id")[*line] == *id).collect();
        let told = told["lines"].as_array().unwrap();
        assert_eq!(told.len(), lines.len());
        for (line, told) in lines.into_iter().zip(told) {
            let cell = |name: &str| text(&decisions.column(name)[line]);
            assert_eq!(cell("product"), told["product"].as_str().unwrap());
            assert_eq!(cell("action"), told["outcome"]["action"].as_str().unwrap());
            assert_eq!(cell("reason"), told["outcome"]["reason"].as_str().unwrap());
            assert_eq!(cell("new_limit"), told["outcome"]["new_limit"].to_string());
            let deciding = told["rules"].as_array().unwrap().iter().find(|rule| rule["decides"] == true);
            assert_eq!(
                deciding.map_or("null".to_string(), |rule| rule["rule"].as_str().unwrap().to_string()),
                cell("rule")
            );
        }
    }
}

fn text(cell: &crate::support::Cell) -> String {
    use crate::support::Cell;
    match cell {
        Cell::Null => "null".to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// A book in which account 1 gets a raise that no cap cuts.
fn book_with_a_raise() -> Book {
    let book = Book::new();
    let policy = std::fs::read_to_string(book.path().join("policy.toml")).unwrap();
    book.put("policy.toml", &policy.replace("band = 'good'", "score >= 500"));
    book.publish();
    book
}

#[test]
fn a_raise_with_its_caps() {
    let book = book_with_a_raise();
    let told = succeed_in(book.path(), &["explain", &format!("out/date={TODAY}"), "--account", "1"]);
    insta::assert_snapshot!(told);
}

#[test]
fn an_account_that_is_not_there() {
    let book = Book::new();
    book.publish();
    for account in ["4", "no number"] {
        let (code, stdout, stderr) = book.outcome(&["explain", "out/date=2026-11-20", "--account", account]);
        assert_eq!((code, stdout.as_str()), (3, ""));
        let message = format!(
            "error: explain account {account}: out/date=2026-11-20 has no such account among its 3; only accounts \
             with an accepted line in the book are scored\n"
        );
        assert_eq!(stderr, message);
    }
}

#[test]
fn a_directory_that_is_no_run() {
    let (code, _, stderr) = outcome_in(nights().home(), &["explain", "out", "--account", "1"]);
    assert_eq!(
        (code, stderr.as_str()),
        (3, "error: read out: `out` holds 2 runs, the latest 2026-11-20: name one, as out/date=2026-11-20\n")
    );
}

/// Explain says what was decided, or nothing: tables that do not go with their job files are refused.
#[test]
fn a_run_whose_policy_was_edited_is_not_explained() {
    let book = book_with_a_raise();
    let run = book.path().join(format!("out/date={TODAY}"));
    let policy = std::fs::read_to_string(run.join("policy.toml")).unwrap();
    std::fs::write(run.join("policy.toml"), policy.replace("percent = 20", "percent = 30")).unwrap();
    let (code, stdout, stderr) = book.outcome(&["explain", &format!("out/date={TODAY}"), "--account", "1"]);
    assert_eq!((code, stdout.as_str()), (3, ""));
    assert!(
        stderr.contains("policy.toml: its SHA-256 is another: it is not what its manifest says"),
        "{stderr}"
    );
}

#[test]
fn two_nights_side_by_side() {
    let book = book_with_a_raise();
    let policy = std::fs::read_to_string(book.path().join("policy.toml")).unwrap();
    book.put("policy.toml", &policy.replace("percent = 20", "percent = 70"));
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--out", "trial"]);
    let args = ["explain", "trial/date=2026-11-20", "--account", "1", "--against", "out/date=2026-11-20"];
    insta::assert_snapshot!(succeed_in(book.path(), &args));
    let told = explained("2088000000029465", &["--against", &format!("out/date={YESTERDAY}"), "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    let changes = told["moved"]["characteristics"].as_array().unwrap();
    let sum: i64 = changes.iter().map(|one| one["change"].as_i64().unwrap()).sum();
    assert_eq!(told["moved"]["score"].as_i64().unwrap(), sum + told["moved"]["base"].as_i64().unwrap());
    assert_ne!(sum, 0);
}

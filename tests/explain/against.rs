//! `explain --against`: what moved between two runs and what did not.

use serde_json::{Value, json};

use crate::support::book::{Book, TODAY, TRANSACTIONS, YESTERDAY, table};
use crate::support::{Table, day, outcome_in, succeed_in};

const NOW: &str = "out/date=2026-11-20";
const BEFORE: &str = "before/date=2026-11-20";

fn against(book: &Book, account: &str) -> (Value, String) {
    let args = ["explain", NOW, "--account", account, "--against", BEFORE];
    let told = succeed_in(book.path(), &args);
    let json = succeed_in(book.path(), &[&args[..], &["--json"]].concat());
    (serde_json::from_str(&json).unwrap(), told)
}

fn run_before(book: &Book) {
    let (code, _, stderr) = outcome_in(book.path(), &["run", "job.toml", "--date", TODAY, "--out", "before"]);
    assert_eq!(code, 0, "{stderr}");
}

/// A value may move and the points stay; that is news, too. What does not move is not told.
#[test]
fn a_value_that_moved_within_its_bin_is_told_with_its_points() {
    let book = Book::new();
    run_before(&book);
    // 400.00 were spent, and 425.00 are: both above the bound of the last bin.
    let rows = "
        21  1  2026-11-20   12500  purchase  grocery  false
        23  2  2026-11-19  400000  salary    -        false
        24  3  2026-11-20   70000  cash      -        true
    ";
    book.deliver("transactions", TODAY, &table(&TRANSACTIONS, rows));
    book.publish();
    let (json, told) = against(&book, "1");
    let moved = &json["moved"];
    assert_eq!((&moved["score"], &moved["base"]), (&json!(0), &json!(0)));
    let expected = json!([{ "feature": "spend_30d", "before": 100, "now": 100, "change": 0 }]);
    assert_eq!(moved["characteristics"], expected);
    let line = told.lines().find(|line| line.trim_start().starts_with("spend_30d")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["spend_30d", "400.00", "425.00", "100", "100"]);
    assert!(told.contains("\nmoved   +0\n"), "{told}");
    assert_eq!(moved["lines"], json!([]));
    assert!(told.contains("\ncard: hold (P04), as before\n"), "{told}");
    // Of the second account nothing moved.
    assert_eq!(against(&book, "2").0["moved"]["characteristics"], json!([]));
}

/// Points of either sign, and a base that is another.
#[test]
fn what_moved_adds_up_to_the_score() {
    let book = Book::new();
    run_before(&book);
    book.edit("scorecard.toml", "base = 400", "base = 410");
    book.edit("scorecard.toml", "{ below = 20000, points = 0 }", "{ below = 50000, points = 30 }");
    book.edit("scorecard.toml", "missing = 60", "missing = 75");
    book.publish();
    let (json, told) = against(&book, "1");
    let moved = &json["moved"];
    assert_eq!((&moved["score"], &moved["base"]), (&json!(-45), &json!(10)));
    let expected = json!([
        { "feature": "days_past_due", "before": 60, "now": 75, "change": 15 },
        { "feature": "spend_30d", "before": 100, "now": 30, "change": -70 },
    ]);
    assert_eq!(moved["characteristics"], expected);
    let row = |name: &str| {
        let line =
            told.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{told}"));
        line.split_whitespace().map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(row("days_past_due"), ["days_past_due", "none", "none", "60", "75", "+15"]);
    assert_eq!(row("spend_30d"), ["spend_30d", "400.00", "400.00", "100", "30", "-70"]);
    assert_eq!(row("what everyone"), ["what", "everyone", "starts", "with", "400", "410", "+10"]);
    assert!(told.contains("\nbefore  score 560, poor = 400 everyone starts with + 160 points\n"), "{told}");
    assert!(told.contains("\nnow     score 515, poor = 410 everyone starts with + 105 points\n"), "{told}");
    assert!(told.contains("\nmoved   -45\n"), "{told}");
}

/// What an earlier run decided and is still to come is told as such, on either side.
#[test]
fn a_pending_adjustment_is_told() {
    let book = Book::new();
    book.edit("job.toml", "[output]", "issued = \"issued/date={date}/adjustments.parquet\"\n\n[output]");
    run_before(&book);
    book.append(
        "policy.toml",
        "\n[[rule]]\nname = \"never\"\nwhen = \"pending_limit = 1\"\naction = \"hold\"\nreason = \"P99\"\n",
    );
    let columns = Table::read(&book.path().join(BEFORE).join("adjustments.parquet")).columns;
    let wanted = ["account_id", "product", "new_limit", "new_status", "effective_on"];
    let columns: Vec<(&str, arrow_schema::DataType)> = wanted
        .iter()
        .map(|name| (*name, columns.iter().find(|(known, _)| known == name).unwrap().1.clone()))
        .collect();
    Table::new(&columns)
        .row([1.into(), "card".into(), 70_000.into(), "suspended".into(), day("2026-11-29").into()])
        .write(&book.path().join(format!("issued/date={YESTERDAY}/adjustments.parquet")));
    book.publish();
    let (json, told) = against(&book, "1");
    let facts = json["moved"]["lines"][0]["facts"].as_array().unwrap();
    assert!(facts.contains(&json!(["pending", "none", "suspended 700.00 from 2026-11-29"])), "{facts:?}");
    assert_eq!(
        json["now"]["lines"][0]["pending"],
        json!({ "limit": 70000, "status": "suspended", "on": "2026-11-29" })
    );
    assert!(told.contains("pending  none    suspended 700.00 from 2026-11-29"), "{told}");
    let alone = succeed_in(book.path(), &["explain", NOW, "--account", "1"]);
    assert!(alone.contains("pending: 700.00 and suspended from 2026-11-29"), "{alone}");
    // Turned round, it is gone.
    let args = ["explain", BEFORE, "--account", "1", "--against", NOW];
    let turned = succeed_in(book.path(), &args);
    assert!(turned.contains("pending  suspended 700.00 from 2026-11-29  none"), "{turned}");
}

/// A line that one run has and the other has not.
#[test]
fn a_line_that_came_or_went_is_told() {
    let book = Book::new();
    run_before(&book);
    let path = book.path().join("in/lines/date=2026-11-20/part-0.parquet");
    let mut lines = Table::read(&path);
    lines.rows.remove(2);
    lines.write(&path);
    book.publish();
    let (json, told) = against(&book, "2");
    let gone = json!([{ "product": "loan", "facts": [["line", "there", "not there"]] }]);
    assert_eq!(json["moved"]["lines"], gone, "{told}");
    let turned = succeed_in(book.path(), &["explain", BEFORE, "--account", "2", "--against", NOW, "--json"]);
    let turned: Value = serde_json::from_str(&turned).unwrap();
    let come = json!([{ "product": "loan", "facts": [["line", "not there", "there"]] }]);
    assert_eq!(turned["moved"]["lines"], come);
}

//! Withdrawals, statuses since when and why, budgets of rules, the score of the night before: as an account
//! reads them.

use std::sync::OnceLock;

use arrow_schema::DataType::{Date32, Int64, Utf8};
use serde_json::{Value, json};

use super::again;
use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, YESTERDAY, table};
use crate::support::{Table, succeed_in};

const RUN: &str = "out/date=2026-11-20";

/// The last is what the score goes by: 400 below 500, 550 below 700, else 700.
const OLDER_LINES: &str = "
    1  card  100000  60000  active     2025-01-01  -           -  -           -    600
    2  card  100000      0  active     2025-01-01  -           -  -           -    800
    3  card   40000      0  active     2025-01-01  -           -  -           -    600
    6  card  100000      0  suspended  2025-01-01  -           -  2026-11-09  P11  600
    7  card  100000      0  active     2025-01-01  -           -  -           -    800
";

const NEWER_LINES: &str = "
    1  card  100000      0  active     2025-01-01  -           -  -           -    600
    2  card  100000   5000  active     2025-01-01  -           -  -           -    800
    3  card   60000      0  active     2025-01-01  2026-11-19  -  -           -    600
    5  card   30000      0  active     2025-01-01  -           -  -           -    400
    6  card  100000      0  suspended  2025-01-01  -           -  2026-11-09  P11  600
    7  card  100000      0  active     2025-01-01  -           -  -           -    400
    8  card   10000      0  active     2025-01-01  -           -  -           -    600
    9  card   20000      0  active     2025-01-01  -           -  -           -    800
    9  loan   20000      0  active     2025-01-01  -           -  -           -    800
";

const SCORECARD: &str = r#"
feature = [
    { name = "asked", from = "lines", agg = "max", of = "wanted" },
    { name = "owed", from = "lines", agg = "sum", of = "balance" },
]
score = { base = 400, min = 350, max = 950, reasons = 1 }
band = [{ name = "fair", from = 350 }, { name = "good", from = 650 }]
dimension = [{ name = "whole", title = "The whole" }]
[[characteristic]]
feature = "asked"
dimension = "whole"
reason = "R1"
text = "Little was asked for"
missing = 0
bins = [{ below = 500, points = 0 }, { below = 700, points = 150 }, { points = 300 }]
"#;

pub const POLICY: &str = r#"
product = [
    { name = "card", min_limit = 0, max_limit = 900000, step = 1, raise_budget_bp = 1000 },
    { name = "loan", min_limit = 0, max_limit = 900000, step = 1 },
]
[[rule]]
name = "paid"
when = "is_pending and pending_limit < credit_limit and owed = 0"
action = "withdraw"
reason = "P20"
text = "Everything is paid"
[[rule]]
name = "owes before a raise"
when = "is_pending and pending_limit > credit_limit and owed > 0"
action = "withdraw"
reason = "P44"
text = "Something is owed"
[[rule]]
name = "suspected"
when = "status_reason = 'P11' and days_in_status < 30"
action = "hold"
reason = "P21"
[[rule]]
name = "fell"
when = "previous_score - score >= 100"
action = "hold"
reason = "P22"
[[rule]]
name = "owes much"
when = "owed > 50000"
action = "lower"
by = 40000
notice_days = 15
reason = "P33"
[[rule]]
name = "starters"
when = "credit_limit < 50000"
action = "raise"
to = 60000
budget = 130000
reason = "P40"
[[rule]]
name = "good"
when = "band = 'good'"
action = "raise"
percent = 10
notice_days = 7
reason = "P41"
"#;

/// Two nights, of which the second reads what the first issued, and its scores.
pub fn book() -> &'static Book {
    static BOOK: OnceLock<Book> = OnceLock::new();
    BOOK.get_or_init(|| {
        let book = Book::new();
        let earlier = "issued = \"out/date={date}/adjustments.parquet\"\n\
                       previous = \"out/date={date}/scores.parquet\"\n";
        book.edit("job.toml", "\n[output]", &format!("{earlier}\n[output]"));
        let gate = "[[gate]]\nname = \"limits\"\ntable = \"decisions\"\nsum_of = \"old_limit\"\n";
        book.append("job.toml", &format!("{gate}max_change_bp = 20000\n"));
        book.put("scorecard.toml", SCORECARD);
        book.put("policy.toml", POLICY);
        let more = [("status_since", Date32), ("status_reason", Utf8), ("wanted", Int64)];
        let columns = [&LINES[..8], &more].concat();
        for (night, lines) in [(YESTERDAY, OLDER_LINES), (TODAY, NEWER_LINES)] {
            book.deliver("transactions", night, &Table::new(&TRANSACTIONS));
            book.deliver("repayments", night, &Table::new(&REPAYMENTS));
            book.deliver("lines", night, &table(&columns, lines));
            succeed_in(book.path(), &["run", "job.toml", "--date", night]);
        }
        book
    })
}

fn text(account: &str) -> String {
    succeed_in(book().path(), &["explain", RUN, "--account", account])
}

fn lines(account: &str) -> Vec<Value> {
    let told = succeed_in(book().path(), &["explain", RUN, "--account", account, "--json"]);
    serde_json::from_str::<Value>(&told).unwrap()["lines"].as_array().unwrap().clone()
}

fn letter(account: &str) -> String {
    let told = succeed_in(book().path(), &["explain", RUN, "--account", account, "--adverse-action"]);
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn both_nights_are_decided_again_from_themselves() {
    for night in [YESTERDAY, TODAY] {
        again::check(&book().path().join(format!("out/date={night}")));
        succeed_in(book().path(), &["verify", &format!("out/date={night}")]);
    }
}

#[test]
fn a_withdrawal_says_what_will_not_happen() {
    let told = text("1");
    let first = "card: withdraw (P20), 600.00 and active from 2026-12-04 will not happen, from 2026-11-20\n  \
                 Everything is paid\n";
    assert!(told.contains(first), "{told}");
    assert!(told.contains("pending: 600.00 and active from 2026-12-04"), "{told}");
    let line = &lines("1")[0];
    let outcome = &line["outcome"];
    let pairs = ["action", "asked", "reason", "new_limit", "new_status", "effective_on", "refused"];
    let found: Vec<&Value> = pairs.iter().map(|name| &outcome[*name]).collect();
    assert_eq!(json!(found), json!(["withdraw", "withdraw", "P20", 100_000, "active", "2026-11-20", null]));
    assert_eq!(line["pending"], json!({ "limit": 60_000, "status": "active", "on": "2026-12-04" }));
}

/// Nothing done to a line means that what is pending happens, so that not to withdraw a lowering is worse.
#[test]
fn what_would_turn_a_withdrawal() {
    let turns = |account: &str| lines(account)[0]["turns"].clone();
    let worse = &turns("1")["worse"][0];
    assert_eq!(
        (&worse["feature"], &worse["to"], &worse["action"]),
        (&json!("owed"), &json!(1), &json!("hold"))
    );
    assert_eq!(turns("1")["better"], json!([]));
    let better = &turns("2")["better"][0];
    assert_eq!(
        (&better["feature"], &better["to"], &better["action"]),
        (&json!("owed"), &json!(0), &json!("hold"))
    );
    assert_eq!(turns("2")["worse"], json!([]));
}

#[test]
fn a_letter_tells_what_is_withdrawn_whichever_way_it_goes() {
    let good = letter("1");
    let what = "The lowering to 600.00 of your card line that was planned for 4 December 2026 will not take \
                place. Its limit stays at 1,000.00. Why: - Everything is paid.";
    assert!(good.contains(what), "{good}");
    assert!(!good.contains("weighed most against you"), "{good}");
    let bad = letter("2");
    let what = "The raise to 1,100.00 of your card line that was planned for 26 November 2026 will not take \
                place. Its limit stays at 1,000.00. Why: - Something is owed.";
    assert!(bad.contains(what), "{bad}");
}

#[test]
fn since_when_and_why_a_line_has_its_status_is_shown() {
    let told = text("6");
    assert!(told.contains(", suspended for 11 days by P11, open for"), "{told}");
    assert!(told.contains("status_reason 'P11', days_in_status 11"), "{told}");
    let line = &lines("6")[0];
    assert_eq!((&line["days_in_status"], &line["status_reason"]), (&json!(11), &json!("P11")));
    let unknown = &lines("7")[0];
    assert_eq!((&unknown["days_in_status"], &unknown["status_reason"]), (&Value::Null, &Value::Null));
    assert!(text("7").contains(", active, open for"));
}

#[test]
fn the_score_of_the_run_before_is_shown_where_rules_read_it() {
    let told = text("7");
    assert!(
        told.contains("score 400, fair = 400 everyone starts with + 0 points; 700 the run before"),
        "{told}"
    );
    assert!(told.contains("card: hold (P22)"), "{told}");
    assert!(!text("8").contains("the run before"), "it had none");
    let score = |account: &str| {
        let told = succeed_in(book().path(), &["explain", RUN, "--account", account, "--json"]);
        serde_json::from_str::<Value>(&told).unwrap()["score"].clone()
    };
    assert_eq!(score("7")["previous"], json!({ "score": 700, "band": null }));
    assert_eq!(score("8")["previous"], Value::Null);
}

/// Account 9 is first by its score, its card before its loan; then 8, and 5 finds nothing.
#[test]
fn a_raise_is_shown_before_the_budget_of_its_rule() {
    let of = "rule `starters`";
    let budget = |taken: i64, asks: i64, granted: bool| json!({ "of": of, "budget": 130_000, "taken_before": taken, "asks": asks, "granted": granted });
    let nine = lines("9");
    assert_eq!(nine[0]["budget"], budget(0, 40_000, true));
    assert_eq!(nine[1]["budget"], budget(40_000, 40_000, true));
    assert_eq!(lines("8")[0]["budget"], budget(80_000, 50_000, true));
    assert_eq!(lines("5")[0]["budget"], budget(130_000, 30_000, false));
    let told = text("5");
    let sentence = "budget of rule `starters`, 1,300.00: better scores took 1,300.00; this raise asks for 300.00: \
                    refused";
    assert!(told.contains(sentence), "{told}");
    assert!(letter("5").contains("those of the day went to higher scores"));
    // With a better score it would come before 8 and be granted.
    let better = &lines("5")[0]["turns"]["better"][0];
    assert_eq!(
        (&better["feature"], &better["to"], &better["action"]),
        (&json!("asked"), &json!(500), &json!("raise"))
    );
}

/// A tenth of 1,000.00 + 1,000.00 + 400.00 + 1,000.00 + 1,000.00 is all that the cards' raises may add up to.
#[test]
fn a_raise_is_shown_before_the_budget_of_its_product_in_basis_points() {
    let told = succeed_in(book().path(), &["explain", "out/date=2026-11-19", "--account", "7", "--json"]);
    let line = serde_json::from_str::<Value>(&told).unwrap()["lines"][0].clone();
    let expected =
        json!({ "of": "card", "budget": 44_000, "taken_before": 10_000, "asks": 10_000, "granted": true });
    assert_eq!(line["budget"], expected);
}

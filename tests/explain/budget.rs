//! The raise budget as one account meets it: who comes before, what they take, and what is left to the last unit.

use serde_json::{Value, json};

use crate::support::book::{Book, LINES, TODAY, table};
use crate::support::{Cell, succeed_in};

const RUN: &str = "out/date=2026-11-20";

/// Accounts that all want 200.00 more on a card of 1,000.00, or as many units more as their limit says; scores are
/// as the segment's length says, so that some tie.
const LINES_OF_FIVE: &str = "
    1  card  100000  0  active  2025-01-01  -  -  a
    2  card  100000  0  active  2025-01-01  -  -  aa
    3  card  100000  0  active  2025-01-01  -  -  aa
    4  card  100000  0  active  2025-01-01  -  -  aa
    5  card  100000  0  active  2025-01-01  -  -  aaa
    6  loan  100000  0  active  2025-01-01  -  -  aaa
";

const SCORECARD: &str = r#"
feature = [
    { name = "one", from = "lines", agg = "count", where = "segment = 'a'" },
    { name = "two", from = "lines", agg = "count", where = "segment = 'aa'" },
    { name = "three", from = "lines", agg = "count", where = "segment = 'aaa'" },
]
score = { base = 400, min = 350, max = 950, reasons = 1 }
band = [{ name = "poor", from = 350 }]
dimension = [{ name = "whole", title = "The whole" }]
[[characteristic]]
feature = "two"
dimension = "whole"
reason = "R1"
text = "Not two"
missing = 0
bins = [ { below = 1, points = 0 }, { points = 20 } ]
[[characteristic]]
feature = "three"
dimension = "whole"
reason = "R2"
text = "Not three"
missing = 0
bins = [ { below = 1, points = 0 }, { points = 40 } ]
"#;

/// In the order of the queue 5 is first, then 2, 3, 4, last 1; each wants 20,000. Loans have a budget of their own.
fn book(budget: i64) -> Book {
    let book = Book::new();
    book.deliver("lines", TODAY, &table(&LINES, LINES_OF_FIVE));
    book.put("scorecard.toml", SCORECARD);
    let policy = format!(
        "[[product]]\nname = \"card\"\nmin_limit = 0\nmax_limit = 1000000\nstep = 1\nraise_budget = {budget}\n\
         [[product]]\nname = \"loan\"\nmin_limit = 0\nmax_limit = 1000000\nstep = 1\nraise_budget = 1\n\
         [[rule]]\nname = \"offer\"\nwhen = \"true\"\naction = \"raise\"\npercent = 20\nreason = \"P1\"\n"
    );
    book.put("policy.toml", &policy);
    book.publish();
    book
}

fn line(book: &Book, account: &str) -> Value {
    let told = succeed_in(book.path(), &["explain", RUN, "--account", account, "--json"]);
    serde_json::from_str::<Value>(&told).unwrap()["lines"][0].clone()
}

/// By account in the order of the queue: what was taken before, and whether the raise is granted.
type Queue = [(&'static str, Option<i64>, bool); 5];

/// Each budget, and what becomes of the queue.
#[test]
fn a_budget_is_used_to_the_last_unit_and_ties_go_by_account() {
    let cases: [(i64, Queue); 5] = [
        // Just enough for all, to the last unit.
        (
            100_000,
            [
                ("5", Some(0), true),
                ("2", Some(20_000), true),
                ("3", Some(40_000), true),
                ("4", Some(60_000), true),
                ("1", Some(80_000), true),
            ],
        ),
        // One unit short of the last.
        (
            99_999,
            [
                ("5", Some(0), true),
                ("2", Some(20_000), true),
                ("3", Some(40_000), true),
                ("4", Some(60_000), true),
                ("1", Some(80_000), false),
            ],
        ),
        // Ends among those that tie.
        (
            60_000,
            [
                ("5", Some(0), true),
                ("2", Some(20_000), true),
                ("3", Some(40_000), true),
                ("4", Some(60_000), false),
                ("1", None, false),
            ],
        ),
        (
            59_999,
            [
                ("5", Some(0), true),
                ("2", Some(20_000), true),
                ("3", Some(40_000), false),
                ("4", None, false),
                ("1", None, false),
            ],
        ),
        (
            0,
            [
                ("5", Some(0), false),
                ("2", None, false),
                ("3", None, false),
                ("4", None, false),
                ("1", None, false),
            ],
        ),
    ];
    for (budget, accounts) in cases {
        let book = book(budget);
        let decisions = book.output("decisions");
        for (account, taken, granted) in accounts {
            let line = line(&book, account);
            let about = format!("account {account} of {budget}: {}", line["budget"]);
            let expected = json!({ "of": "card", "budget": budget, "taken_before": taken, "asks": 20_000, "granted": granted });
            assert_eq!(line["budget"], expected, "{about}");
            let row = decisions
                .column("account_id")
                .iter()
                .position(|id| *id == Cell::Int(account.parse().unwrap()));
            let action = &decisions.column("action")[row.unwrap()];
            assert_eq!(*action == "raise".into(), granted, "{about}");
            let told = succeed_in(book.path(), &["explain", RUN, "--account", account]);
            let before = match taken {
                Some(taken) => format!("better scores took {}", shown(taken)),
                None => "a raise of a better score did not fit any more".to_string(),
            };
            let verdict = if granted { "granted" } else { "refused" };
            let sentence = format!(
                "  budget of card, {}: {before}; this raise asks for 200.00: {verdict}\n",
                shown(budget)
            );
            assert!(told.contains(&sentence), "{sentence}\n{told}");
        }
        // A budget is of its own product.
        assert_eq!(
            line(&book, "6")["budget"],
            json!({ "of": "loan", "budget": 1, "taken_before": 0, "asks": 20_000, "granted": false })
        );
    }
}

fn shown(minor: i64) -> String {
    rescore::console::money(minor.into(), 2)
}

/// A score is tried in the queue it would have: with more points the raise comes before those that tie now.
#[test]
fn a_better_score_stands_elsewhere_in_the_queue() {
    let book = book(60_000);
    // Of the score of the last, 20 more would bring it among those that tie, of whom it is the first by id; 40 more
    // beside the first of all.
    let last = line(&book, "1");
    let better = last["turns"]["better"].as_array().unwrap();
    let found: Vec<(&str, i64, i64, &str)> = better
        .iter()
        .map(|change| {
            let text = |name: &str| change[name].as_str().unwrap();
            (
                text("feature"),
                change["to"].as_i64().unwrap(),
                change["score"].as_i64().unwrap(),
                text("action"),
            )
        })
        .collect();
    assert_eq!(found, [("two", 1, 420, "raise"), ("three", 1, 440, "raise")]);
    // The fourth of those that tie comes too late whatever it does among them.
    let fourth = line(&book, "4");
    assert_eq!(fourth["turns"]["better"].as_array().unwrap().len(), 1, "{fourth}");
    assert_eq!(fourth["turns"]["better"][0]["feature"], "three");
}

//! What `explain` offers as a change: only what rows can make, and nothing that harms as a betterment.

use serde_json::Value;

use crate::support::book::{Book, LINES, REPAYMENTS, TODAY, TRANSACTIONS, YESTERDAY, table};
use crate::support::succeed_in;

/// Ten days and 142 days ago something is bought; cash is taken five and 80 days ago; a salary comes 19 and 66 days
/// ago.
const ROWS: &str = "
    1  1  2026-11-10   200  purchase  grocery  false
    2  1  2026-07-01   500  purchase  travel   false
    3  1  2026-11-15   100  cash      -        false
    4  1  2026-09-01   100  cash      -        false
    5  1  2026-11-10   -50  refund    -        false
    6  1  2026-11-01  1000  salary    -        false
    7  1  2026-09-15  2000  salary    -        false
";

/// A bill that was paid three days late, and one that is due in time.
const BILLS: &str = "
    1  card  101  2026-09-20  10000  2026-09-23  10000
    1  card  102  2026-11-10  10000  2026-11-09  10000
";

fn windows(name: &str, rows: &str, days: &[u32]) -> String {
    let feature = |days: &u32| format!("[[feature]]\nname = \"{name}_{days}\"\n{rows}\ndays = {days}\n");
    days.iter().map(feature).collect()
}

fn features() -> String {
    let of = |kind: &str, agg: &str| format!("from = \"transactions\"\nwhere = \"kind = '{kind}'\"\n{agg}");
    let bills = |more: &str| format!("from = \"bills\"\n{more}");
    [
        windows("low", &of("purchase", "agg = \"min\"\nof = \"amount\""), &[90, 180]),
        windows(
            "high",
            &of("purchase' and amount > 0 and kind <> 'x", "agg = \"max\"\nof = \"amount\""),
            &[90, 180],
        ),
        windows("takings", &of("cash", "agg = \"count\""), &[30, 90]),
        windows("sent_back", &of("refund", "agg = \"sum\"\nof = \"amount\""), &[90]),
        windows("refunds", &of("refund", "agg = \"count\""), &[90]),
        windows("income", &of("salary", "agg = \"sum\"\nof = \"amount\""), &[30, 90]),
        windows(
            "since_salary",
            &of("salary' and amount > 0 and kind <> 'x", "agg = \"days_since\""),
            &[30, 90],
        ),
        windows(
            "last_salary",
            &of("salary' and amount <> 0 and kind <> 'x", "agg = \"last\"\nof = \"amount\""),
            &[30, 90],
        ),
        windows("days_out", &of("purchase' or kind = 'cash", "agg = \"active_days\""), &[10, 365]),
        windows("late_bills", &bills("where = \"days_late > 0\"\nagg = \"count\""), &[90, 365]),
        windows("on_time", &bills("where = \"not is_open and days_late = 0\"\nagg = \"count\""), &[365]),
        windows("bills_due", &bills("where = \"not (is_open and days_late = 0)\"\nagg = \"count\""), &[365]),
        windows("owed", &bills("agg = \"sum\"\nof = \"outstanding\""), &[365]),
        "[[feature]]\nname = \"debt\"\nfrom = \"lines\"\nagg = \"sum\"\nof = \"balance\"\n".to_string(),
        "[[feature]]\nname = \"limits\"\nfrom = \"lines\"\nagg = \"sum\"\nof = \"credit_limit\"\n"
            .to_string(),
        "[[feature]]\nname = \"use_bp\"\nratio = [\"debt\", \"limits\"]\nscale = 10000\n".to_string(),
    ]
    .concat()
}

const CARD: &str = r#"
[score]
base = 400
min = 350
max = 950
reasons = 1
[[band]]
name = "poor"
from = 350
[[dimension]]
name = "whole"
title = "The whole"
[[characteristic]]
feature = "income_90"
dimension = "whole"
reason = "R1"
text = "Little comes in"
missing = 0
bins = [ { below = 2500, points = 0 }, { below = 4000, points = 10 }, { points = 20 } ]
"#;

fn book(condition: &str, more: &str) -> Book {
    book_with(&features(), condition, more)
}

fn book_with(features: &str, condition: &str, more: &str) -> Book {
    let book = Book::new();
    for date in [YESTERDAY, TODAY] {
        book.deliver("transactions", date, &table(&TRANSACTIONS, if date == TODAY { ROWS } else { "" }));
        book.deliver("repayments", date, &table(&REPAYMENTS, if date == TODAY { BILLS } else { "" }));
    }
    book.deliver("lines", TODAY, &table(&LINES, "1  card  100000  20000  active  2025-01-01  -  -  mass"));
    book.put("scorecard.toml", &format!("{features}{CARD}"));
    let policy = format!(
        "[[product]]\nname = \"card\"\nmin_limit = 0\nmax_limit = 1000000\nstep = 1\n{more}\n\
         [[rule]]\nname = \"offer\"\nwhen = \"{condition}\"\naction = \"raise\"\npercent = 20\nreason = \"P1\"\n"
    );
    book.put("policy.toml", &policy);
    book.publish();
    book
}

/// Every change of a list in a word: what moves where, and what with it.
fn told(changes: &Value) -> Vec<String> {
    let moved = |one: &Value| format!("{} {}", one["feature"].as_str().unwrap(), one["to"]);
    let all = changes.as_array().unwrap().iter().map(|change| {
        let with = change["together"].as_array().cloned().unwrap_or_default();
        let mut parts: Vec<String> = std::iter::once(change).chain(&with).map(moved).collect();
        parts.sort();
        parts.join(" + ")
    });
    let mut all: Vec<String> = all.collect();
    all.sort();
    all
}

fn turns(book: &Book) -> Value {
    let args = ["explain", "out/date=2026-11-20", "--account", "1", "--json"];
    let told: Value = serde_json::from_str(&succeed_in(book.path(), &args)).unwrap();
    told["lines"][0]["turns"].clone()
}

#[test]
fn only_what_rows_can_make_is_offered() {
    // What the raise asks for, and all that would bring it.
    let cases: [(&str, &[&str]); 34] = [
        // The least and the greatest of a longer window bound those of a shorter one, and the other way round.
        ("low_180 >= 300", &[]),
        ("low_180 <= 100", &["low_180 100"]),
        ("low_90 <= 100", &[]),
        ("low_90 >= 300", &["low_90 300"]),
        ("high_180 <= 100", &[]),
        ("high_90 >= 500", &["high_90 500"]),
        ("high_90 >= 501", &[]),
        ("high_180 >= 600", &["high_180 600"]),
        // Counts and sums of all windows move together.
        ("takings_30 >= 2", &["takings_30 2 + takings_90 3"]),
        ("takings_90 >= 4", &["takings_30 3 + takings_90 4"]),
        ("takings_90 <= 1", &["takings_30 0 + takings_90 1"]),
        ("takings_90 <= 0", &["takings_30 0 + takings_90 0"]),
        ("takings_90 < 0", &[]),
        ("takings_30 > takings_90", &[]),
        ("income_30 >= 1500", &["income_30 1500 + income_90 3500"]),
        // The number of rows and their sum move in a way that nobody can tell.
        ("sent_back_90 <= -100", &[]),
        ("refunds_90 >= 2", &[]),
        // Less income is no betterment, in whatever window, nor are more late bills or more debt.
        ("income_90 <= 2000", &[]),
        ("income_30 <= 500", &[]),
        ("income_90 >= 5000", &["income_30 3000 + income_90 5000"]),
        ("late_bills_90 >= 3", &[]),
        ("late_bills_90 = 0", &["late_bills_365 0 + late_bills_90 0"]),
        ("debt >= 30000", &[]),
        ("use_bp >= 3000", &[]),
        ("use_bp <= 1000", &["debt 10009", "limits 199801", "use_bp 1000"]),
        ("owed_365 >= 5", &[]),
        // A day has a place in every window that holds it.
        ("since_salary_90 <= 5", &["since_salary_30 5 + since_salary_90 5"]),
        ("since_salary_90 >= 40", &[]),
        ("last_salary_90 >= 1500", &["last_salary_30 1500 + last_salary_90 1500"]),
        ("days_out_10 >= 10", &["days_out_10 10 + days_out_365 13"]),
        ("days_out_365 >= 30", &["days_out_10 10 + days_out_365 30"]),
        ("days_out_10 > days_out_365", &[]),
        // Bills on time are among those that were due.
        ("on_time_365 >= 3", &[]),
        ("on_time_365 >= 2", &["on_time_365 2"]),
    ];
    let mut wrong = Vec::new();
    for (condition, offered) in cases {
        let found = told(&turns(&book(condition, ""))["better"]);
        if found != offered {
            wrong.push(format!("{condition}: {found:?}, not {offered:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Windows that end on different days: those that overlap would move by who knows how much, the others go their own
/// way. What is computed from a column goes with it.
#[test]
fn windows_that_end_earlier_move_by_themselves_or_not_at_all() {
    let cash = "from = \"transactions\"\nwhere = \"kind = 'cash'\"\n";
    let feature = |name: &str, rest: &str| format!("[[feature]]\nname = \"{name}\"\n{cash}{rest}\n");
    let income = windows(
        "income",
        "from = \"transactions\"\nwhere = \"kind = 'salary'\"\nagg = \"sum\"\nof = \"amount\"",
        &[90],
    );
    let recent = feature("recent", "agg = \"count\"\ndays = 30");
    let before = feature("before", "agg = \"count\"\ndays = 60\nskip_days = 30");
    let longer_before = feature("longer_before", "agg = \"count\"\ndays = 90\nskip_days = 30");
    let spanning = feature("spanning", "agg = \"count\"\ndays = 90");
    let most = feature("most", "agg = \"max\"\nof = \"amount\"\ndays = 90");
    let twice = feature("twice", "agg = \"max\"\nof = \"amount * 2\"\ndays = 90");
    let first = feature("first", "agg = \"days_since_first\"\ndays = 90");
    let short_first = feature("short_first", "agg = \"days_since_first\"\ndays = 30");
    let ahead = "[[feature]]\nname = \"ahead\"\nfrom = \"bills\"\nagg = \"count\"\nwhere = \"not is_due\"\n";
    let due = "[[feature]]\nname = \"due\"\nfrom = \"bills\"\nagg = \"count\"\n";
    let cases: [(&[&str], &str, &[&str]); 9] = [
        (&[&recent, &before], "recent >= 2", &["recent 2"]),
        (&[&recent, &before], "before >= 2", &["before 2"]),
        (&[&before, &longer_before], "before >= 2", &["before 2 + longer_before 2"]),
        (&[&recent, &before, &spanning], "before >= 2", &[]),
        (&[&recent, &before, &spanning], "recent >= 2", &[]),
        (&[&most, &twice], "most >= 200", &[]),
        // The first of the longer window is older than the shorter one.
        (&[&first, &short_first], "first >= 85", &["first 85"]),
        (&[&first, &short_first], "first <= 20", &[]),
        // Bills ahead are not among those that are due.
        (&[ahead, due], "ahead >= 5", &["ahead 5"]),
    ];
    for (features, condition, offered) in cases {
        let book = book_with(&format!("{}{income}", features.concat()), condition, "");
        assert_eq!(told(&turns(&book)["better"]), offered, "{condition} of {features:?}");
    }
}

/// What affordability is measured by is better the more it is, also where nothing is scored for it.
#[test]
fn less_of_what_is_afforded_from_is_no_betterment() {
    let found = turns(&book(
        "takings_90 <= 1",
        "[account]\naffordability = { feature = \"takings_90\", bp = 100000000 }\n",
    ));
    assert_eq!(told(&found["better"]), Vec::<String>::new(), "{found}");
}

/// For the worse it is the other way round.
#[test]
fn more_income_is_no_harm() {
    let found = turns(&book("income_90 between 2500 and 3500", ""));
    assert_eq!(told(&found["worse"]), ["income_30 499 + income_90 2499"], "{found}");
}

/// What moves together is printed together.
#[test]
fn companions_are_named() {
    let book = book("takings_30 >= 2", "");
    let told = succeed_in(book.path(), &["explain", "out/date=2026-11-20", "--account", "1"]);
    assert!(told.contains("takings_30  1 to 2 (1 more), takings_90 2 to 3"), "{told}");
}

//! What a report says of withdrawals, of budgets and of gates that look back on the run before.

use std::fs;

use super::recount::shown;
use crate::explain::additions::book;
use crate::support::succeed_in;

fn page(runs: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("report.html");
    let args = [&["report"], runs, &["--out", file.to_str().unwrap()]].concat();
    succeed_in(book().path(), &args);
    fs::read_to_string(file).unwrap()
}

/// The rows of a table whose first cell is a name.
fn rows_of(html: &str, caption: &str, name: &str) -> Vec<Vec<String>> {
    let rows = shown(html, caption).into_iter().skip(1);
    rows.filter(|row| row[0] == name).map(|row| row.into_iter().skip(1).collect()).collect()
}

#[test]
fn withdrawn_lines_are_counted_with_the_other_actions() {
    let html = page(&["out/date=2026-11-20", "--against", "out/date=2026-11-19"]);
    let cards = rows_of(&html, "Counts and money by product and action", "card");
    let withdrawn = cards.iter().find(|row| row[0] == "withdraw").unwrap();
    assert_eq!(withdrawn[1..5], ["2", "2,000.00", "2,000.00", "0.00"]);
    let rules = shown(&html, "Lines by the rule that decided, in the policy&#x27;s order");
    let paid = rules.iter().find(|row| row[1] == "paid").unwrap();
    assert_eq!(paid[2..6], ["withdraw", "1", "1", "0"]);
    assert!(html.contains("a-withdraw { --c: var(--withdraw); }"));
    assert!(html.contains("withdraw 2"), "the bar of the cards says it");
}

#[test]
fn what_raises_took_of_each_budget_is_told() {
    let html = page(&["out/date=2026-11-20"]);
    let of = |name: &str| rows_of(&html, "Budgets of raises", name);
    // Budget, raises, taken, a bar, refused.
    assert_eq!(of("card"), [["520.00", "0", "0.00", "", "0"]]);
    assert_eq!(of("rule `starters`"), [["1,300.00", "3", "1,300.00", "", "1"]]);
    assert_eq!(shown(&html, "Budgets of raises").len(), 1 + 2);
}

#[test]
fn a_gate_says_how_far_it_may_change_and_what_it_was_before() {
    let gate = |run: &str| {
        let rows = rows_of(&page(&[run]), "Gates that hold: 1", "limits");
        [0, 1, 3].map(|column| rows[0][column].clone())
    };
    let first = "within 200.00 % of the run before, of which there is no figure";
    assert_eq!(gate("out/date=2026-11-19"), ["holds", "4,400.00", first]);
    let second = "within 200.00 % of 4,400.00 in the run before";
    assert_eq!(gate("out/date=2026-11-20"), ["holds", "5,400.00", second]);
}

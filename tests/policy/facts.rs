//! What rules see of a status and of the score before, and what decisions keep of it.

use super::table::check;
use crate::support::book::Book;

const CARD: &str = "product = [{ name = \"card\", min_limit = 100, max_limit = 5000, step = 100 }]\n";

fn rule(reason: &str, when: &str) -> String {
    format!("[[rule]]\nname = \"{reason}\"\nwhen = \"{when}\"\naction = \"hold\"\nreason = \"{reason}\"\n")
}

#[test]
fn rules_see_for_how_long_a_line_has_its_status_and_by_which_reason() {
    let rules = [
        rule("for ever", "days_in_status is null and status_reason is null"),
        rule("cash-out", "status = 'suspended' and status_reason = 'P11'"),
        rule("a month", "days_in_status >= 30"),
        rule("today", "days_in_status = 0"),
        rule("own wish", "status_reason is null"),
    ];
    check(
        &format!("{CARD}{}", rules.concat()),
        "
        case                            | status    | since | why | rule | reason
        neither is known                | active    | -     | -   | none | for ever
        by the reason                   | suspended | 99    | P11 | none | cash-out
        by the reason, time unknown     | suspended | -     | P11 | none | cash-out
        the status is another           | active    | 40    | P11 | none | a month
        30 days                         | active    | 30    | -   | none | a month
        29 days                         | active    | 29    | P22 | none | no_rule
        since today                     | active    | 0     | P22 | none | today
        29 days, without a reason       | suspended | 29    | -   | none | own wish
        time unknown                    | suspended | -     | P22 | none | no_rule
        ",
    );
}

#[test]
fn rules_see_the_score_and_the_band_of_the_night_before() {
    let rules = [
        rule("new", "previous_score is null and previous_band is null"),
        rule("fell", "previous_score - score >= 25"),
        rule("was good", "previous_band = 'good' and band <> 'good'"),
        rule("rose", "score > previous_score"),
        rule("as before", "score = previous_score and band = previous_band"),
    ];
    check(
        &format!("{CARD}{}", rules.concat()),
        "
        case                        | score | previous | rule | reason
        there was none              | 600   | -        | none | new
        25 points less              | 600   | 625      | none | fell
        24 points less              | 600   | 624      | none | no_rule
        1 point and a band less     | 699   | 700      | none | was good
        more                        | 700   | 699      | none | rose
        the same                    | 700   | 700      | none | as before
        none, and the lowest now    | 0     | -        | none | new
        the lowest, and it still is | 0     | 0        | none | as before
        ",
    );
}

/// Without a `previous` in the job, or without a run before, there is no earlier score.
#[test]
fn without_a_run_before_there_is_no_earlier_score() {
    for previous in ["", "previous = \"out/date={date}/scores.parquet\"\n"] {
        let book = Book::new();
        book.edit("job.toml", "\n[output]", &format!("{previous}\n[output]"));
        let rules = [
            rule("new", "previous_score is null and previous_band is null"),
            rule("old", "previous_score is not null or previous_band is not null"),
        ];
        book.put("policy.toml", &format!("{CARD}{}", rules.concat()));
        book.publish();
        let reasons = book.output("decisions").column("reason");
        assert!(reasons.iter().any(|reason| *reason == "new".into()), "{reasons:?}");
        assert!(!reasons.iter().any(|reason| *reason == "old".into()), "{reasons:?}");
    }
}

/// What a rule reads that decisions do not hold otherwise stands at their end, in this order.
#[test]
fn decisions_keep_what_rules_name_and_nothing_else() {
    let cases = [
        ("true", ""),
        ("days_in_status > 3", "status_since"),
        ("status_since is null", "status_since"),
        ("status_reason = 'P1'", "status_reason"),
        ("previous_score > 3", "previous_score"),
        ("previous_band = 'good'", "previous_band"),
        (
            "segment = 'mass' or previous_band is null or previous_score = 1 or status_reason is null or \
             days_in_status = 1",
            "status_since status_reason previous_score previous_band segment",
        ),
    ];
    for (when, expected) in cases {
        let book = Book::new();
        book.put("policy.toml", &format!("{CARD}{}", rule("own", when)));
        book.publish();
        for (table, reasons) in [("decisions", 0), ("adjustments", 2)] {
            let columns = book.output(table).columns;
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let first = 1 + names.iter().position(|name| *name == "pending_on").unwrap();
            let expected: Vec<&str> = expected.split_whitespace().collect();
            assert_eq!(names[first..names.len() - reasons], expected, "{when}: {table}");
        }
    }
}

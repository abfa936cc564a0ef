//! What is pending can be withdrawn: of which lines, what that leaves, and what it frees the same night.

use super::table::{CARDS, check};
use crate::support::book::{Book, LINES, REPAYMENTS, TRANSACTIONS, table};
use crate::support::{Cell, Table, day};

#[test]
fn whatever_is_pending_is_withdrawn_today_and_the_line_stays_as_it_is() {
    check(
        CARDS,
        "
        case                        | product | limit | status    | pending           | rule     | action   | reason     | new_limit | new_status | bound_by | in_days
        a lower to come             | card    | 1000  | active    | 500 active +5     | withdraw | withdraw | own        | 1000      | active     | -        | 0
        a raise to come             | card    | 1000  | active    | 1500 active +1    | withdraw | withdraw | own        | 1000      | active     | -        | 0
        a raise above all caps      | card    | 9050  | active    | 9999 active +1    | withdraw | withdraw | own        | 9050      | active     | -        | 0
        a suspension to come        | card    | 1000  | active    | 1000 suspended +5 | withdraw | withdraw | own        | 1000      | active     | -        | 0
        a close to come             | card    | 1000  | active    | 0 closed +5       | withdraw | withdraw | own        | 1000      | active     | -        | 0
        a close, suspended          | card    | 1000  | suspended | 0 closed +5       | withdraw | withdraw | own        | 1000      | suspended  | -        | 0
        a reopen, suspended         | card    | 1000  | suspended | 1000 active +5    | withdraw | withdraw | own        | 1000      | suspended  | -        | 0
        a reopen, closed            | card    | 0     | closed    | 500 active +5     | withdraw | withdraw | own        | 0         | closed     | -        | 0
        nothing                     | card    | 1000  | active    | -                 | withdraw | hold     | no_change  | 1000      | active     | -        | -
        nothing, suspended          | card    | 1000  | suspended | -                 | withdraw | hold     | no_change  | 1000      | suspended  | -        | -
        nothing, closed             | card    | 0     | closed    | -                 | withdraw | hold     | no_change  | 0         | closed     | -        | -
        an undeclared product       | gold    | 1000  | active    | 500 active +5     | withdraw | hold     | no_product | 1000      | active     | -        | -
        ",
    );
}

#[test]
fn neither_cool_down_nor_rejected_rows_refuse_a_withdrawal() {
    check(
        CARDS,
        "
        case                | pending        | up | down | broken | rule     | action   | reason | new_limit
        raised today        | 1500 active +5 | 0  | -    | no     | withdraw | withdraw | own    | 1000
        lowered today       | 500 active +5  | -  | 0    | no     | withdraw | withdraw | own    | 1000
        with a rejected row | 500 active +5  | -  | -    | yes    | withdraw | withdraw | own    | 1000
        ",
    );
}

#[test]
fn the_first_rule_that_is_true_decides_whether_anything_is_withdrawn() {
    let first =
        "[[rule]]\nname = \"first\"\nwhen = \"credit_limit = 1200\"\naction = \"withdraw\"\nreason = \"own\"";
    check(
        &format!("{CARDS}\n{first}\n"),
        "
        case                          | limit | pending        | rule         | action   | reason    | new_limit
        withdrawn, not raised as well | 1200  | 500 active +5  | raise by 500 | withdraw | own       | 1200
        nothing to withdraw, no raise | 1200  | -              | raise by 500 | hold     | no_change | 1200
        nothing to withdraw, no close | 1200  | -              | close        | hold     | no_change | 1200
        the second alone              | 1000  | 500 active +5  | close        | close    | own       | 0
        the second is refused         | 1000  | 500 active +5  | raise by 500 | hold     | pending   | 1000
        ",
    );
}

#[test]
fn a_withdrawal_frees_the_headroom_that_a_raise_to_come_took() {
    check(
        r#"
[[product]]
name = "loan"
min_limit = 100
max_limit = 9000
step = 1

[[product]]
name = "card"
min_limit = 100
max_limit = 9000
step = 1

[account]
max_total_limit = 5000
"#,
        "
        case                         | account | product | limit | balance | status    | pending           | rule           | action   | new_limit | bound_by
        against a raise to come      | 1       | loan    | 1000  | 0       | active    | -                 | raise to 5000  | raise    | 2500      | total_limit
        that is not withdrawn        | 1       | card    | 2000  | 0       | active    | 2500 active +5    | hold           | hold     | 2000      | -
        against one that is          | 2       | loan    | 1000  | 0       | active    | -                 | raise to 5000  | raise    | 3000      | total_limit
        its limit counts             | 2       | card    | 2000  | 0       | active    | 2500 active +5    | withdraw       | withdraw | 2000      | -
        or its balance               | 3       | loan    | 1000  | 0       | active    | -                 | raise to 5000  | raise    | 2800      | total_limit
        of 2200                      | 3       | card    | 2000  | 2200    | active    | 2500 active +5    | withdraw       | withdraw | 2000      | -
        against a lower to come      | 4       | loan    | 1000  | 0       | active    | -                 | raise to 5000  | raise    | 3000      | total_limit
        it had freed nothing         | 4       | card    | 2000  | 0       | active    | 500 active +5     | withdraw       | withdraw | 2000      | -
        a reopen up sees it as well  | 5       | loan    | 0     | 0       | suspended | -                 | reopen to 4500 | reopen   | 3000      | total_limit
        although it comes first      | 5       | card    | 2000  | 0       | active    | 2500 active +5    | withdraw       | withdraw | 2000      | -
        ",
    );
}

/// Four nights over snapshots of a single line, each of which reads the adjustments of those before.
#[test]
fn what_was_withdrawn_is_gone_the_night_after_and_can_be_decided_again() {
    let book = Book::new();
    book.edit("job.toml", "\n[output]", "issued = \"out/date={date}/adjustments.parquet\"\n\n[output]");
    book.put(
        "policy.toml",
        r#"
product = [{ name = "card", min_limit = 0, max_limit = 900000, step = 1 }]
[[rule]]
name = "paid"
when = "is_pending and balance = 0"
action = "withdraw"
reason = "W"
[[rule]]
name = "owes"
when = "balance > 0"
action = "lower"
by = 400
reason = "L"
notice_days = 30
"#,
    );
    // Balance; action; reason; what was pending when the night began.
    let nights = [
        ("2026-11-17", 50, "lower", "L", Cell::Null),
        ("2026-11-18", 50, "hold", "pending", Cell::Int(600)),
        ("2026-11-19", 0, "withdraw", "W", Cell::Int(600)),
        ("2026-11-20", 0, "hold", "no_rule", Cell::Null),
        ("2026-11-21", 50, "lower", "L", Cell::Null),
    ];
    for (night, balance, action, reason, pending) in nights {
        book.deliver("transactions", night, &Table::new(&TRANSACTIONS));
        book.deliver("repayments", night, &Table::new(&REPAYMENTS));
        let lines = format!("1 card 1000 {balance} active 2025-01-01 - - -");
        book.deliver("lines", night, &table(&LINES, &lines));
        let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", night]);
        assert_eq!(code, 0, "{stderr}");
        let run = book.path().join(format!("out/date={night}"));
        let decisions = Table::read(&run.join("decisions.parquet"));
        let found = ["action", "reason", "pending_limit"].map(|name| decisions.column(name)[0].clone());
        assert_eq!(found, [Cell::from(action), Cell::from(reason), pending], "{night}");
        let adjustments = Table::read(&run.join("adjustments.parquet"));
        assert_eq!(adjustments.rows.len(), usize::from(action != "hold"), "{night}");
        if action == "withdraw" {
            let own = ["old_limit", "new_limit", "old_status", "new_status", "effective_on"];
            let [old, new, old_status, new_status, on] = own.map(|name| adjustments.column(name)[0].clone());
            assert_eq!((old, old_status, on), (new, new_status, Cell::Date(day(night))));
            let csv = std::fs::read_to_string(run.join("adjustments.csv")).unwrap();
            assert!(csv.contains(",withdraw,W,paid,1000,1000,"), "{csv}");
        }
    }
}

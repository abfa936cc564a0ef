//! Who gets an account's headroom: what its other lines count for, and in which order raises are settled.

use super::table::check;

/// Loans come first, although cards sort before them.
const POLICY: &str = r#"
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

[[product]]
name = "gold"
min_limit = 100
max_limit = 9000
step = 1

[account]
max_total_limit = 5000

[cooldown]
raise_after_raise_days = 90
"#;

#[test]
fn raises_are_settled_in_the_order_of_the_policy_s_products() {
    check(
        POLICY,
        "
        case                             | account | product | limit | status    | up | rule                    | action | reason   | new_limit | bound_by
        the first takes all there is     | 1       | loan    | 1000  | active    | -  | raise to 5000           | raise  | own      | 4000      | total_limit
        and leaves nothing               | 1       | card    | 1000  | active    | -  | raise to 5000           | hold   | cap      | 1000      | total_limit
        the first takes what it asks     | 2       | loan    | 1000  | active    | -  | raise to 2000           | raise  | own      | 2000      | -
        the second a part                | 2       | card    | 1000  | active    | -  | raise to 1500           | raise  | own      | 1500      | -
        the third the rest               | 2       | gold    | 1000  | active    | -  | raise to 5000           | raise  | own      | 1500      | total_limit
        one that is refused takes none   | 3       | loan    | 1000  | active    | 1  | raise to 5000           | hold   | cooldown | 1000      | -
        so the second has it             | 3       | card    | 1000  | active    | -  | raise to 5000           | raise  | own      | 4000      | total_limit
        a reopen up waits its turn, too  | 4       | loan    | 0     | suspended | -  | reopen to 4500          | reopen | own      | 4000      | total_limit
        after it nothing is left         | 4       | card    | 1000  | active    | -  | raise to 5000           | hold   | cap      | 1000      | total_limit
        a raise before a reopen          | 5       | loan    | 1000  | active    | -  | raise to 4500           | raise  | own      | 4500      | -
        the reopen has the rest          | 5       | gold    | 0     | closed    | -  | reopen to 4500          | reopen | own      | 500       | total_limit
        a raise with notice takes at once| 6       | loan    | 1000  | active    | -  | raise to 3000 notice 30 | raise  | own      | 3000      | -
        the second sees it               | 6       | card    | 1000  | active    | -  | raise to 5000           | raise  | own      | 2000      | total_limit
        no headroom at all               | 7       | loan    | 1000  | active    | -  | raise to 5000           | hold   | cap      | 1000      | total_limit
        because of this                  | 7       | card    | 7000  | active    | -  | hold                    | hold   | own      | 7000      | -
        a reopen keeps what it had       | 8       | loan    | 800   | suspended | -  | reopen to 5000          | reopen | own      | 800       | total_limit
        although there is no headroom    | 8       | card    | 7000  | active    | -  | hold                    | hold   | own      | 7000      | -
        ",
    );
}

#[test]
fn what_another_line_counts_for_when_nothing_is_done_to_it() {
    check(
        POLICY,
        "
        case                        | account | product  | limit | balance | status    | pending           | rule          | new_limit | bound_by
        against an undrawn line     | 1       | loan     | 1000  | 0       | active    | -                 | raise to 5000 | 3000      | total_limit
        its limit                   | 1       | card     | 2000  | 500     | active    | -                 | none          | 2000      | -
        against an overdrawn line   | 2       | loan     | 1000  | 0       | active    | -                 | raise to 5000 | 2500      | total_limit
        its balance                 | 2       | card     | 2000  | 2500    | active    | -                 | none          | 2000      | -
        against an overpaid line    | 3       | loan     | 1000  | 0       | active    | -                 | raise to 5000 | 3000      | total_limit
        its limit still             | 3       | card     | 2000  | -500    | active    | -                 | none          | 2000      | -
        against a suspended line    | 4       | loan     | 1000  | 0       | active    | -                 | raise to 5000 | 3000      | total_limit
        its limit as well           | 4       | card     | 2000  | 500     | suspended | -                 | none          | 2000      | -
        against a closed line       | 5       | loan     | 1000  | 0       | active    | -                 | raise to 5000 | 4300      | total_limit
        what is owed                | 5       | card     | 2000  | 700     | closed    | -                 | none          | 2000      | -
        against one closed overpaid | 6       | loan     | 1000  | 0       | active    | -                 | raise to 9000 | 5000      | total_limit
        nothing                     | 6       | card     | 2000  | -700    | closed    | -                 | none          | 2000      | -
        against a raise to come     | 7       | loan     | 1000  | 0       | active    | -                 | raise to 5000 | 2500      | total_limit
        the limit to come           | 7       | card     | 2000  | 0       | active    | 2500 active +5    | none          | 2000      | -
        against a lower to come     | 8       | loan     | 1000  | 0       | active    | -                 | raise to 5000 | 3000      | total_limit
        the limit of today          | 8       | card     | 2000  | 0       | active    | 900 active +5     | none          | 2000      | -
        against a closed one to open| 9       | loan     | 1000  | 0       | active    | -                 | raise to 5000 | 4900      | total_limit
        what is owed today          | 9       | card     | 0     | 100     | closed    | 3000 active +5    | none          | 0         | -
        against a foreign product   | 10      | loan     | 1000  | 0       | active    | -                 | raise to 5000 | 3000      | total_limit
        it counts, too              | 10      | mortgage | 2000  | 0       | active    | -                 | none          | 2000      | -
        ",
    );
}

#[test]
fn what_another_line_counts_for_once_its_action_is_settled() {
    check(
        POLICY,
        "
        case                             | account | product | limit | balance | status    | pending        | rule                    | action  | new_limit | bound_by
        against a close at once          | 1       | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 5000      | total_limit
        it frees its limit               | 1       | card    | 2000  | 0       | active    | -              | close                   | close   | 0         | -
        against a close under notice     | 2       | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 3000      | total_limit
        it frees nothing yet             | 2       | card    | 2000  | 0       | active    | -              | close notice 1          | close   | 0         | -
        against a close of a drawn line  | 3       | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 4300      | total_limit
        what is owed stays               | 3       | card    | 2000  | 700     | active    | -              | close                   | close   | 0         | -
        against a lower at once          | 4       | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 4000      | total_limit
        it frees the difference          | 4       | card    | 2000  | 0       | active    | -              | lower to 1000           | lower   | 1000      | -
        against a lower under notice     | 5       | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 3000      | total_limit
        it frees nothing yet             | 5       | card    | 2000  | 0       | active    | -              | lower to 1000 notice 30 | lower   | 1000      | -
        against a lower below the balance| 6       | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 3200      | total_limit
        the balance stays                | 6       | card    | 2000  | 1800    | active    | -              | lower to 500            | lower   | 500       | -
        against a suspension             | 7       | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 3000      | total_limit
        it frees nothing                 | 7       | card    | 2000  | 0       | active    | -              | suspend                 | suspend | 2000      | -
        against a close that was pending | 8       | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 5000      | total_limit
        and is pending no longer         | 8       | card    | 2000  | 0       | active    | 2500 active +5 | close                   | close   | 0         | -
        against a close under notice     | 9       | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 2500      | total_limit
        the raise to come counts on      | 9       | card    | 2000  | 0       | active    | 2500 active +5 | close notice 1          | close   | 0         | -
        against a suspension             | 10      | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 3000      | total_limit
        it voids the raise to come       | 10      | card    | 2000  | 0       | active    | 2500 active +5 | suspend                 | suspend | 2000      | -
        against a suspension under notice| 14      | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 2500      | total_limit
        the raise to come counts on      | 14      | card    | 2000  | 0       | active    | 2500 active +5 | suspend notice 1        | suspend | 2000      | -
        against a reopen down            | 11      | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 4500      | total_limit
        it frees the difference          | 11      | card    | 2000  | 0       | suspended | -              | reopen to 500           | reopen  | 500       | -
        against a reopen from closed     | 12      | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 3000      | total_limit
        its old limit counts again       | 12      | card    | 2000  | 0       | closed    | -              | reopen                  | reopen  | 2000      | -
        against a refused close          | 13      | loan    | 1000  | 0       | active    | -              | raise to 9000           | raise   | 3000      | total_limit
        it counts as it was              | 13      | card    | 2000  | 0       | active    | 0 closed +1    | close notice 1          | hold    | 2000      | -
        ",
    );
}

#[test]
fn affordability_is_over_all_lines_as_well() {
    let policy =
        POLICY.replace("max_total_limit = 5000", "affordability = { feature = \"inflow\", bp = 10000 }");
    check(
        &policy,
        "
        case                 | account | product | limit | inflow | rule          | action | reason | new_limit | bound_by
        the first            | 1       | loan    | 1000  | 4000   | raise to 5000 | raise  | own    | 3000      | affordability
        and the second       | 1       | card    | 1000  | -      | raise to 5000 | hold   | cap    | 1000      | affordability
        a null beside a loss | 2       | loan    | 1000  | -4000  | raise to 5000 | hold   | cap    | 1000      | affordability
        and the second       | 2       | card    | 1000  | -      | hold          | hold   | own    | 1000      | -
        ",
    );
}

#[test]
fn exposures_beyond_64_bits_add_up() {
    check(
        POLICY,
        "
        case     | account | product | limit               | balance             | rule          | action | reason | new_limit           | bound_by
        a raise  | 1       | loan    | 1000                | 0                   | raise to 5000 | hold   | cap    | 1000                | total_limit
        too much | 1       | card    | 9223372036854775807 | 0                   | hold          | hold   | own    | 9223372036854775807 | -
        and more | 1       | gold    | 1000                | 9223372036854775807 | hold          | hold   | own    | 1000                | -
        ",
    );
}

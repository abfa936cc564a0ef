//! Raise budgets: granted from the best score down, until the first that does not fit.

use super::table::check;

const POLICY: &str = r#"
[[product]]
name = "card"
min_limit = 100
max_limit = 2000
step = 100
raise_budget = 1000

[[product]]
name = "gold"
min_limit = 100
max_limit = 9000
step = 100

[[product]]
name = "loan"
min_limit = 100
max_limit = 9000
step = 100
raise_budget = 300

[account]
max_total_limit = 10000
"#;

#[test]
fn raises_are_granted_by_score_then_account_and_all_after_the_first_that_does_not_fit_are_refused() {
    check(
        POLICY,
        "
        case                         | account | product | score | limit | rule         | action | reason | new_limit | bound_by | in_days
        second by score, tie by id   | 20      | card    | 700   | 1000  | raise by 400 | raise  | own    | 1400      | -        | 0
        first by score               | 30      | card    | 800   | 1000  | raise by 500 | raise  | own    | 1500      | -        | 0
        third, does not fit          | 100     | card    | 700   | 1000  | raise by 200 | hold   | budget | 1000      | -        | -
        would fit, but comes after   | 10      | card    | 600   | 1000  | raise by 100 | hold   | budget | 1000      | -        | -
        cut, and comes after         | 11      | card    | 500   | 1900  | raise by 500 | hold   | budget | 1900      | product_max | -
        a better one that is refused | 40      | card    | 900   | 1000  | raise by 50  | hold   | below_min_raise | 1000 | -    | -
        another product, no budget   | 10      | gold    | 600   | 1000  | raise by 4000| raise  | own    | 5000      | -        | 0
        another product, its own     | 50      | loan    | 100   | 1000  | raise by 300 | raise  | own    | 1300      | -        | 0
        ",
    );
}

#[test]
fn the_running_sum_may_reach_the_budget_and_counts_what_is_added_not_what_was_asked() {
    check(
        POLICY,
        "
        case                   | account | score | limit | rule         | action | reason | new_limit | bound_by
        cut to 300             | 1       | 900   | 1700  | raise by 900 | raise  | own    | 2000      | product_max
        rounded to 600         | 2       | 800   | 1000  | raise by 699 | raise  | own    | 1600      | -
        the last hundred       | 3       | 700   | 1000  | raise by 100 | raise  | own    | 1100      | -
        nothing is left        | 4       | 600   | 1000  | raise by 100 | hold   | budget | 1000      | -
        ",
    );
}

#[test]
fn only_raises_use_the_budget_and_nothing_gives_back_to_it() {
    check(
        POLICY,
        "
        case                      | account | score | limit | status    | rule           | action | reason | new_limit
        a reopen up               | 1       | 900   | 100   | suspended | reopen to 2000 | reopen | own    | 2000
        a reopen up, the worst    | 2       | 100   | 100   | suspended | reopen to 2000 | reopen | own    | 2000
        a lower                   | 3       | 900   | 2000  | active    | lower to 100   | lower  | own    | 100
        a raise of all the budget | 4       | 800   | 1000  | active    | raise by 1000  | raise  | own    | 2000
        one more                  | 5       | 700   | 1000  | active    | raise by 100   | hold   | budget | 1000
        ",
    );
}

#[test]
fn a_budget_of_nothing_refuses_every_raise() {
    check(
        &POLICY.replace("raise_budget = 1000", "raise_budget = 0"),
        "
        case    | account | score | limit | rule         | action | reason | new_limit
        a raise | 1       | 900   | 1000  | raise by 100 | hold   | budget | 1000
        ",
    );
}

#[test]
fn headroom_that_the_budget_refuses_is_not_handed_on() {
    check(
        &POLICY.replace("max_total_limit = 10000", "max_total_limit = 3000"),
        "
        case                          | account | product | score | limit | rule          | action | reason | new_limit | bound_by
        the card takes the headroom   | 1       | card    | 500   | 1000  | raise by 1000 | hold   | budget | 1000      | -
        the gold line has none left   | 1       | gold    | 500   | 1000  | raise by 1000 | hold   | cap    | 1000      | total_limit
        whoever used up the budget    | 2       | card    | 900   | 1000  | raise by 1000 | raise  | own    | 2000      | -
        ",
    );
}

#[test]
fn budgets_are_exact_near_the_end_of_64_bits() {
    let policy = POLICY
        .replace("max_limit = 2000", "max_limit = 9223372036854775800")
        .replace("raise_budget = 1000", "raise_budget = 9223372036854775807")
        .replace("max_total_limit = 10000", "");
    check(
        &policy,
        "
        case       | account | score | limit | rule                         | action | reason | new_limit
        the first  | 1       | 900   | 0     | raise to 9223372036854775800 | raise  | own    | 9223372036854775800
        the second | 2       | 800   | 0     | raise to 9223372036854775800 | hold   | budget | 0
        ",
    );
}

//! What each action does to a line: the new limit, rounded, the new status, and when.

use super::table::check;

const POLICY: &str = r#"
[[product]]
name = "card"
min_limit = 300
max_limit = 5000
step = 100
min_raise = 100
"#;

#[test]
fn close_suspend_and_reopen_set_the_status_and_only_close_touches_the_limit() {
    check(
        POLICY,
        "
        case                    | limit | balance | status    | rule             | action  | reason | new_limit | new_status | bound_by | in_days
        close                   | 1234  | 50      | active    | close            | close   | own    | 0         | closed     | -        | 0
        close, suspended        | 1234  | 50      | suspended | close            | close   | own    | 0         | closed     | -        | 0
        close with notice       | 1234  | 0       | active    | close notice 30  | close   | own    | 0         | closed     | -        | 30
        suspend                 | 1234  | 50      | active    | suspend          | suspend | own    | 1234      | suspended  | -        | 0
        suspend with notice     | 1234  | 50      | active    | suspend notice 7 | suspend | own    | 1234      | suspended  | -        | 7
        reopen                  | 1234  | 50      | suspended | reopen           | reopen  | own    | 1234      | active     | -        | 0
        reopen above all caps   | 9999  | 50      | suspended | reopen           | reopen  | own    | 9999      | active     | -        | 0
        reopen, closed          | 0     | 0       | closed    | reopen           | reopen  | own    | 0         | active     | -        | 0
        ",
    );
}

#[test]
fn a_raise_is_rounded_down_to_the_step() {
    check(
        POLICY,
        "
        case                      | limit | rule                  | action | new_limit | new_status | bound_by | in_days
        by an amount              | 1000  | raise by 500          | raise  | 1500      | active     | -        | 0
        by an amount, rounded     | 1000  | raise by 599          | raise  | 1500      | active     | -        | 0
        from between two steps    | 1050  | raise by 500          | raise  | 1500      | active     | -        | 0
        to an amount              | 1000  | raise to 2000         | raise  | 2000      | active     | -        | 0
        to an amount, rounded     | 1000  | raise to 2099         | raise  | 2000      | active     | -        | 0
        by a share                | 1000  | raise percent 20      | raise  | 1200      | active     | -        | 0
        by a share, truncated     | 1999  | raise percent 50      | raise  | 2900      | active     | -        | 0
        by more than all          | 1000  | raise percent 250     | raise  | 3500      | active     | -        | 0
        from nothing              | 0     | raise to 500          | raise  | 500       | active     | -        | 0
        to less than min_limit    | 0     | raise to 200          | raise  | 200       | active     | -        | 0
        with notice               | 1000  | raise by 500 notice 3 | raise  | 1500      | active     | -        | 3
        ",
    );
}

#[test]
fn a_lower_is_rounded_up_to_the_step_and_stays_above_min_limit_and_the_balance() {
    check(
        POLICY,
        "
        case                         | limit | balance | rule                              | action | new_limit | new_status | in_days
        by an amount                 | 1000  | 0       | lower by 500                      | lower  | 500       | active     | 0
        by an amount, rounded        | 1000  | 0       | lower by 501                      | lower  | 500       | active     | 0
        rounded up, not down         | 1000  | 0       | lower by 599                      | lower  | 500       | active     | 0
        from between two steps       | 1050  | 0       | lower by 500                      | lower  | 600       | active     | 0
        to an amount                 | 1000  | 0       | lower to 401                      | lower  | 500       | active     | 0
        to min_limit                 | 1000  | 0       | lower to 0                        | lower  | 300       | active     | 0
        by a share                   | 1000  | 0       | lower percent 20                  | lower  | 800       | active     | 0
        by a share, truncated        | 1999  | 0       | lower percent 50                  | lower  | 1000      | active     | 0
        by more than all             | 1000  | 0       | lower percent 200                 | lower  | 300       | active     | 0
        by more than there is        | 1000  | 0       | lower by 2000                     | lower  | 300       | active     | 0
        to the balance, rounded up   | 1000  | 701     | lower by 500 never_below_balance  | lower  | 800       | active     | 0
        to the balance, on a step    | 1000  | 700     | lower by 500 never_below_balance  | lower  | 700       | active     | 0
        the target is above it       | 1000  | 301     | lower by 500 never_below_balance  | lower  | 500       | active     | 0
        overpaid                     | 1000  | -900    | lower by 900 never_below_balance  | lower  | 300       | active     | 0
        below the balance            | 1000  | 701     | lower by 500                      | lower  | 500       | active     | 0
        with notice                  | 1000  | 0       | lower by 500 notice 60            | lower  | 500       | active     | 60
        ",
    );
}

#[test]
fn a_min_limit_between_two_steps_is_where_a_lower_ends() {
    let policy = POLICY.replace("min_limit = 300", "min_limit = 350");
    check(
        &policy,
        "
        case          | limit | rule         | action | reason | new_limit
        to the floor  | 1000  | lower by 900 | lower  | own    | 350
        above it      | 1000  | lower by 600 | lower  | own    | 400
        to just above | 1000  | lower to 351 | lower  | own    | 400
        at it already | 350   | lower by 100 | hold   | floor  | 350
        ",
    );
}

#[test]
fn a_reopen_up_is_cut_and_rounded_as_a_raise_is_but_never_below_the_old_limit() {
    check(
        &format!("{POLICY}band_max = {{ poor = 800 }}\n[cooldown]\nraise_after_raise_days = 90\n"),
        "
        case                      | limit | status    | score | up | rule           | action | reason | new_limit | new_status | bound_by
        up                        | 1000  | suspended | 600   | -  | reopen to 2000 | reopen | own    | 2000      | active     | -
        up, rounded down          | 1000  | suspended | 600   | -  | reopen to 2099 | reopen | own    | 2000      | active     | -
        up, rounded to the old    | 1050  | suspended | 600   | -  | reopen to 1099 | reopen | own    | 1050      | active     | -
        up by less than min_raise | 1000  | suspended | 600   | -  | reopen to 1001 | reopen | own    | 1000      | active     | -
        up, cut by the product    | 1000  | suspended | 600   | -  | reopen to 9000 | reopen | own    | 5000      | active     | product_max
        up, cut by the band       | 500   | suspended | 400   | -  | reopen to 2000 | reopen | own    | 800       | active     | band_max
        up, cut below the old     | 1000  | suspended | 400   | -  | reopen to 2000 | reopen | own    | 1000      | active     | band_max
        to where it is, over caps | 1000  | suspended | 400   | -  | reopen to 1000 | reopen | own    | 1000      | active     | -
        up, raised yesterday      | 1000  | suspended | 600   | 1  | reopen to 2000 | reopen | own    | 2000      | active     | -
        up from closed            | 0     | closed    | 600   | -  | reopen to 2000 | reopen | own    | 2000      | active     | -
        ",
    );
}

#[test]
fn a_reopen_down_is_exactly_where_the_rule_says() {
    check(
        POLICY,
        "
        case                | limit | balance | status    | rule           | action | new_limit | new_status | bound_by
        to between steps    | 1000  | 0       | suspended | reopen to 555  | reopen | 555       | active     | -
        to below min_limit  | 1000  | 0       | suspended | reopen to 1    | reopen | 1         | active     | -
        to nothing          | 1000  | 0       | suspended | reopen to 0    | reopen | 0         | active     | -
        below the balance   | 1000  | 900     | suspended | reopen to 555  | reopen | 555       | active     | -
        above the caps      | 9000  | 0       | suspended | reopen to 8001 | reopen | 8001      | active     | -
        to where it is      | 1050  | 0       | suspended | reopen to 1050 | reopen | 1050      | active     | -
        ",
    );
}

#[test]
fn limits_near_the_end_of_64_bits_are_exact() {
    let policy = POLICY.replace("max_limit = 5000", "max_limit = 9223372036854775807");
    check(
        &policy,
        "
        case                  | limit               | balance             | status    | rule                             | action | reason | new_limit           | bound_by
        raise by a share      | 9000000000000000000 | 0                   | active    | raise percent 50                 | raise  | own    | 9223372036854775800 | product_max
        raise by all there is | 9000000000000000000 | 0                   | active    | raise by 9223372036854775807     | raise  | own    | 9223372036854775800 | product_max
        at the very end       | 9223372036854775807 | 0                   | active    | raise by 1                       | hold   | cap    | 9223372036854775807 | product_max
        lower to the balance  | 9223372036854775807 | 9223372036854775807 | active    | lower by 500 never_below_balance | hold   | floor  | 9223372036854775807 | -
        lower by all there is | 9223372036854775807 | 0                   | active    | lower by 9223372036854775807     | lower  | own    | 300                 | -
        reopen up             | 1000                | 0                   | suspended | reopen to 9223372036854775807    | reopen | own    | 9223372036854775800 | -
        ",
    );
}

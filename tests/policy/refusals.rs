//! Every reason to refuse an action, in order of precedence; where two hold, the earlier one is given.

use super::table::{CARDS, check};

#[test]
fn a_line_without_product_or_rule_is_held_and_a_rule_that_holds_gives_its_own_reason() {
    check(
        CARDS,
        "
        case                        | product | rule         | action | reason     | new_limit | bound_by | in_days
        undeclared product          | gold    | raise by 500 | hold   | no_product | 1000      | -        | -
        undeclared product, no rule | gold    | none         | hold   | no_product | 1000      | -        | -
        no rule is true             | card    | none         | hold   | no_rule    | 1000      | -        | -
        a rule that holds           | card    | hold         | hold   | own        | 1000      | -        | -
        ",
    );
}

#[test]
fn the_first_rule_that_is_true_decides_even_where_its_action_is_refused() {
    let first =
        "[[rule]]\nname = \"first\"\nwhen = \"credit_limit = 1234\"\naction = \"suspend\"\nreason = \"own\"";
    check(
        &format!("{CARDS}\n{first}\n"),
        "
        case                   | limit | status    | rule  | action  | reason    | new_limit | new_status
        both are true          | 1234  | active    | close | suspend | own       | 1234      | suspended
        the first is refused   | 1234  | suspended | close | hold    | no_change | 1234      | suspended
        the second alone       | 1000  | active    | close | close   | own       | 0         | closed
        ",
    );
}

#[test]
fn raise_and_lower_want_an_active_line_and_suspend_one_that_is_not_closed() {
    check(
        CARDS,
        "
        case               | limit | status    | rule         | action | reason     | new_limit | new_status | in_days
        raise, suspended   | 1000  | suspended | raise by 500 | hold   | not_active | 1000      | suspended  | -
        raise, closed      | 0     | closed    | raise by 500 | hold   | not_active | 0         | closed     | -
        lower, suspended   | 1000  | suspended | lower by 500 | hold   | not_active | 1000      | suspended  | -
        lower, closed      | 1000  | closed    | lower by 500 | hold   | not_active | 1000      | closed     | -
        suspend, closed    | 0     | closed    | suspend      | hold   | not_active | 0         | closed     | -
        ",
    );
}

#[test]
fn an_action_that_would_change_nothing_is_refused_by_its_target_before_anything_cuts_it() {
    check(
        CARDS,
        "
        case                   | limit | status    | rule             | action | reason    | new_limit | new_status | bound_by
        close, closed          | 0     | closed    | close            | hold   | no_change | 0         | closed     | -
        close, limit left over | 500   | closed    | close            | hold   | no_change | 500       | closed     | -
        suspend, suspended     | 1000  | suspended | suspend          | hold   | no_change | 1000      | suspended  | -
        reopen, active         | 1000  | active    | reopen           | hold   | no_change | 1000      | active     | -
        reopen up, active      | 1000  | active    | reopen to 1500   | hold   | no_change | 1000      | active     | -
        reopen down, active    | 1000  | active    | reopen to 500    | hold   | no_change | 1000      | active     | -
        raise to the old limit | 1000  | active    | raise to 1000    | hold   | no_change | 1000      | active     | -
        raise to less          | 1000  | active    | raise to 900     | hold   | no_change | 1000      | active     | -
        a share of nothing     | 0     | active    | raise percent 50 | hold   | no_change | 0         | active     | -
        a share of 99 is 0     | 99    | active    | lower percent 1  | hold   | no_change | 99        | active     | -
        lower to the old limit | 1000  | active    | lower to 1000    | hold   | no_change | 1000      | active     | -
        lower to more          | 1000  | active    | lower to 1100    | hold   | no_change | 1000      | active     | -
        ",
    );
}

#[test]
fn a_pending_line_is_neither_raised_nor_lowered() {
    check(
        CARDS,
        "
        case                  | pending           | rule         | action | reason  | new_limit | bound_by
        raise, raise to come  | 1200 active +5    | raise by 500 | hold   | pending | 1000      | -
        raise, lower to come  | 900 active +5     | raise by 500 | hold   | pending | 1000      | -
        raise, close to come  | 0 closed +5       | raise by 500 | hold   | pending | 1000      | -
        lower, lower to come  | 900 active +5     | lower by 500 | hold   | pending | 1000      | -
        lower, pause to come  | 1000 suspended +5 | lower by 500 | hold   | pending | 1000      | -
        ",
    );
}

#[test]
fn a_change_of_status_is_pending_only_if_the_same_status_comes_no_later() {
    check(
        CARDS,
        "
        case                         | status    | pending           | rule                  | action  | reason  | new_status | in_days
        close, to close sooner       | active    | 0 closed +1       | close notice 2        | hold    | pending | active     | -
        close, to close the same day | active    | 0 closed +2       | close notice 2        | hold    | pending | active     | -
        close, to close later        | active    | 0 closed +3       | close notice 2        | close   | own     | closed     | 2
        close now, to close later    | active    | 0 closed +1       | close                 | close   | own     | closed     | 0
        close, to be suspended       | active    | 1000 suspended +1 | close notice 2        | close   | own     | closed     | 2
        close, to be lowered         | active    | 900 active +1     | close notice 2        | close   | own     | closed     | 2
        suspend, the same day        | active    | 1000 suspended +1 | suspend notice 1      | hold    | pending | active     | -
        suspend, later               | active    | 1000 suspended +2 | suspend notice 1      | suspend | own     | suspended  | 1
        suspend, to be raised sooner | active    | 1500 active +1    | suspend notice 2      | suspend | own     | suspended  | 2
        suspend now, to be raised    | active    | 1500 active +1    | suspend               | suspend | own     | suspended  | 0
        suspend, to close            | active    | 0 closed +1       | suspend notice 1      | suspend | own     | suspended  | 1
        reopen, the same day         | suspended | 1000 active +1    | reopen notice 1       | hold    | pending | suspended  | -
        reopen, later                | suspended | 1000 active +2    | reopen notice 1       | reopen  | own     | active     | 1
        reopen up, the same day      | suspended | 1000 active +1    | reopen to 1500 notice 1 | hold  | pending | suspended  | -
        reopen up, later             | suspended | 1000 active +2    | reopen to 1500 notice 1 | reopen | own    | active     | 1
        reopen down, the same day    | suspended | 1000 active +1    | reopen to 500 notice 1 | hold   | pending | suspended  | -
        reopen, to close             | suspended | 0 closed +1       | reopen notice 1       | reopen  | own     | active     | 1
        ",
    );
}

#[test]
fn only_a_raise_is_refused_for_a_rejected_row_of_the_account() {
    check(
        CARDS,
        "
        case        | status    | broken | rule           | action  | reason        | new_limit
        raise       | active    | yes    | raise by 500   | hold    | rejected_line | 1000
        lower       | active    | yes    | lower by 500   | lower   | own           | 500
        suspend     | active    | yes    | suspend        | suspend | own           | 1000
        close       | active    | yes    | close          | close   | own           | 0
        reopen      | suspended | yes    | reopen         | reopen  | own           | 1000
        reopen up   | suspended | yes    | reopen to 1500 | reopen  | own           | 1500
        ",
    );
}

#[test]
fn a_rejected_row_holds_back_every_line_of_its_account_and_of_no_other() {
    check(
        CARDS,
        "
        case           | account | limit | broken | rule         | action | reason        | new_limit
        the good line  | 7       | 1000  | no     | raise by 500 | raise  | own           | 1500
        a neighbour    | 8       | 1000  | yes    | raise by 500 | hold   | rejected_line | 1000
        ",
    );
}

#[test]
fn a_cool_down_ends_on_the_day_its_days_have_passed() {
    check(
        CARDS,
        "
        case                         | status    | up | down | rule           | action | reason   | new_limit
        raise, raised 89 days ago    | active    | 89 | -    | raise by 500   | hold   | cooldown | 1000
        raise, raised 90 days ago    | active    | 90 | -    | raise by 500   | raise  | own      | 1500
        raise, raised today          | active    | 0  | -    | raise by 500   | hold   | cooldown | 1000
        raise, lowered 179 days ago  | active    | -  | 179  | raise by 500   | hold   | cooldown | 1000
        raise, lowered 180 days ago  | active    | -  | 180  | raise by 500   | raise  | own      | 1500
        raise, one of both is over   | active    | 90 | 179  | raise by 500   | hold   | cooldown | 1000
        lower, lowered 29 days ago   | active    | -  | 29   | lower by 500   | hold   | cooldown | 1000
        lower, lowered 30 days ago   | active    | -  | 30   | lower by 500   | lower  | own      | 500
        lower, raised today          | active    | 0  | -    | lower by 500   | lower  | own      | 500
        suspend, changed today       | active    | 0  | 0    | suspend        | suspend| own      | 1000
        close, changed today         | active    | 0  | 0    | close          | close  | own      | 0
        reopen up, changed today     | suspended | 0  | 0    | reopen to 1500 | reopen | own      | 1500
        reopen down, changed today   | suspended | 0  | 0    | reopen to 500  | reopen | own      | 500
        ",
    );
}

#[test]
fn a_raise_that_leaves_the_limit_where_it_was_is_refused_for_the_cap_or_else_for_being_small() {
    check(
        CARDS,
        "
        case                       | limit | rule         | action | reason          | new_limit | bound_by
        at the cap                 | 2000  | raise by 500 | hold   | cap             | 2000      | product_max
        above the cap              | 2500  | raise by 500 | hold   | cap             | 2500      | product_max
        cut, then rounded to old   | 2000  | raise by 1   | hold   | cap             | 2000      | product_max
        cut, then rounded below    | 1999  | raise by 500 | hold   | below_min_raise | 1999      | product_max
        cut to less than min_raise | 1900  | raise by 500 | hold   | below_min_raise | 1900      | product_max
        cut to min_raise           | 1800  | raise by 500 | raise  | own             | 2000      | product_max
        less than min_raise        | 1000  | raise by 199 | hold   | below_min_raise | 1000      | -
        rounded to nothing         | 1000  | raise by 99  | hold   | below_min_raise | 1000      | -
        rounded to less than old   | 1050  | raise by 40  | hold   | below_min_raise | 1050      | -
        just min_raise             | 1000  | raise by 200 | raise  | own             | 1200      | -
        ",
    );
}

#[test]
fn a_lower_that_does_not_lower_is_refused_for_the_floor() {
    check(
        CARDS,
        "
        case                        | limit | balance | rule                             | action | reason | new_limit
        at min_limit                | 100   | 0       | lower by 50                      | hold   | floor  | 100
        below min_limit             | 80    | 0       | lower by 50                      | hold   | floor  | 80
        rounded up to the old limit | 1000  | 0       | lower by 99                      | hold   | floor  | 1000
        rounded up above it         | 1050  | 0       | lower by 10                      | hold   | floor  | 1050
        all of it is drawn          | 1000  | 950     | lower by 500 never_below_balance | hold   | floor  | 1000
        more than it is drawn       | 1000  | 1500    | lower by 500 never_below_balance | hold   | floor  | 1000
        drawn, but that is allowed  | 1000  | 1500    | lower by 500                     | lower  | own    | 500
        ",
    );
}

#[test]
fn of_two_reasons_the_earlier_one_is_given() {
    check(
        CARDS,
        "
        case                               | limit | status    | up | down | pending        | broken | rule         | action | reason
        not_active before no_change        | 1000  | suspended | -  | -    | -              |        | raise to 900 | hold   | not_active
        not_active before no_change, lower | 1000  | suspended | -  | -    | -              |        | lower to 1100| hold   | not_active
        not_active before pending          | 1000  | suspended | -  | -    | 900 active +1  |        | lower by 500 | hold   | not_active
        not_active before pending, suspend | 1000  | closed    | -  | -    | 0 suspended +1 |        | suspend notice 1 | hold | not_active
        not_active before rejected_line    | 1000  | suspended | -  | -    | -              | yes    | raise by 500 | hold   | not_active
        no_change before pending           | 1000  | active    | -  | -    | 1200 active +1 |        | raise to 900 | hold   | no_change
        no_change before pending, status   | 1000  | active    | -  | -    | 900 active +1  |        | reopen notice 1 | hold | no_change
        no_change before rejected_line     | 1000  | active    | -  | -    | -              | yes    | raise to 900 | hold   | no_change
        no_change before cooldown          | 1000  | active    | 1  | -    | -              |        | raise to 900 | hold   | no_change
        no_change before cooldown, lower   | 1000  | active    | -  | 1    | -              |        | lower to 1100| hold   | no_change
        no_change before floor             | 80    | active    | -  | -    | -              |        | lower to 90  | hold   | no_change
        pending before rejected_line       | 1000  | active    | -  | -    | 1200 active +1 | yes    | raise by 500 | hold   | pending
        pending before cooldown            | 1000  | active    | 1  | -    | 1200 active +1 |        | raise by 500 | hold   | pending
        pending before cap                 | 2000  | active    | -  | -    | 1200 active +1 |        | raise by 500 | hold   | pending
        pending before floor               | 100   | active    | -  | -    | 100 active +1  |        | lower by 50  | hold   | pending
        rejected_line before cooldown      | 1000  | active    | 1  | -    | -              | yes    | raise by 500 | hold   | rejected_line
        rejected_line before cap           | 2000  | active    | -  | -    | -              | yes    | raise by 500 | hold   | rejected_line
        cooldown before cap                | 2000  | active    | 1  | -    | -              |        | raise by 500 | hold   | cooldown
        cooldown before floor              | 100   | active    | -  | 1    | -              |        | lower by 50  | hold   | cooldown
        cooldown before below_min_raise    | 1000  | active    | 1  | -    | -              |        | raise by 100 | hold   | cooldown
        cap before below_min_raise         | 2000  | active    | -  | -    | -              |        | raise by 100 | hold   | cap
        ",
    );
}

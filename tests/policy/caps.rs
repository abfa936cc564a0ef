//! What each cap leaves of a raise, and which of them is named: the one that cut last.

use super::table::check;

const POLICY: &str = r#"
[[product]]
name = "card"
min_limit = 100
max_limit = 5000
step = 100
band_max = { poor = 1000, fair = 3000 }

[account]
max_total_limit = 8000
affordability = { feature = "inflow", bp = 20000 }
"#;

#[test]
fn every_cap_cuts_in_its_turn_and_the_last_that_cut_is_named() {
    check(
        POLICY,
        "
        case                                | limit | score | inflow | rule          | action | reason | new_limit | bound_by
        none of them cuts                   | 1000  | 800   | 9000   | raise to 4999 | raise  | own    | 4900      | -
        at the cap is not cut               | 1000  | 800   | 9000   | raise to 5000 | raise  | own    | 5000      | -
        product_max                         | 1000  | 800   | 9000   | raise to 5001 | raise  | own    | 5000      | product_max
        band_max after product_max          | 1000  | 600   | 9000   | raise to 9000 | raise  | own    | 3000      | band_max
        band_max alone                      | 1000  | 600   | 9000   | raise to 3001 | raise  | own    | 3000      | band_max
        the worst band                      | 500   | 400   | 9000   | raise to 9000 | raise  | own    | 1000      | band_max
        no band_max for this band           | 1000  | 700   | 9000   | raise to 4000 | raise  | own    | 4000      | -
        affordability after all             | 1000  | 600   | 1234   | raise to 9000 | raise  | own    | 2400      | affordability
        affordability alone                 | 1000  | 800   | 1234   | raise to 2469 | raise  | own    | 2400      | affordability
        affordability, just enough          | 1000  | 800   | 1234   | raise to 2468 | raise  | own    | 2400      | -
        as much as band_max: it cuts not    | 1000  | 600   | 1500   | raise to 9000 | raise  | own    | 3000      | band_max
        affordability of nothing known is 0 | 1000  | 800   | -      | raise to 2000 | hold   | cap    | 1000      | affordability
        affordability of a loss is 0        | 1000  | 800   | -500   | raise to 2000 | hold   | cap    | 1000      | affordability
        a cap below the limit               | 4000  | 600   | 9000   | raise to 4500 | hold   | cap    | 4000      | band_max
        ",
    );
}

#[test]
fn affordability_is_truncated_before_anything_is_taken_off() {
    let policy = POLICY.replace("bp = 20000", "bp = 3333").replace("step = 100", "step = 1");
    check(
        &policy,
        "
        case           | limit | score | inflow | rule         | action | reason | new_limit | bound_by
        3999.6 is 3999 | 100   | 800   | 12000  | raise to 4000| raise  | own    | 3999      | affordability
        0.9999 is 0    | 0     | 800   | 3      | raise to 10  | hold   | cap    | 0         | affordability
        1.3332 is 1    | 0     | 800   | 4      | raise to 10  | raise  | own    | 1         | affordability
        ",
    );
}

#[test]
fn caps_that_are_not_configured_cut_nothing() {
    let policy = "[[product]]\nname = \"card\"\nmin_limit = 0\nmax_limit = 900000\nstep = 1\n";
    check(
        policy,
        "
        case     | limit | score | inflow | rule            | action | new_limit | bound_by
        a raise  | 1000  | 0     | -      | raise to 900000 | raise  | 900000    | -
        ",
    );
}

#[test]
fn the_total_limit_of_a_single_line_is_its_own() {
    check(
        &POLICY.replace("max_total_limit = 8000", "max_total_limit = 2550"),
        "
        case                        | limit | balance | score | inflow | rule          | action | reason | new_limit | bound_by
        cut and rounded             | 1000  | 0       | 800   | 9000   | raise to 4000 | raise  | own    | 2500      | total_limit
        after band_max              | 1000  | 0       | 600   | 9000   | raise to 4000 | raise  | own    | 2500      | total_limit
        before affordability        | 1000  | 0       | 800   | 1000   | raise to 4000 | raise  | own    | 2000      | affordability
        its own balance is no bar   | 1000  | 9000    | 800   | 9000   | raise to 2000 | raise  | own    | 2000      | -
        ",
    );
}

//! Budgets of rules beside those of products, and budgets in basis points of the limits there are.

use super::table::check;

/// Loans come first, although cards sort before them.
const POLICY: &str = r#"
[[product]]
name = "loan"
min_limit = 0
max_limit = 90000
step = 1

[[product]]
name = "card"
min_limit = 0
max_limit = 90000
step = 1
raise_budget = 1000

[[rule]]
name = "starters"
when = "credit_limit < 500"
action = "raise"
to = 700
reason = "S"
budget = 1500
"#;

#[test]
fn a_rule_with_a_budget_grants_from_its_own_and_leaves_the_product_s_alone() {
    check(
        POLICY,
        "
        case                         | account | product | score | limit | rule          | action | reason | new_limit
        first by score: 500          | 30      | card    | 800   | 200   | none          | raise  | S      | 700
        second: 600, of another      | 40      | loan    | 750   | 100   | none          | raise  | S      | 700
        third: 400 is all there is   | 10      | card    | 700   | 300   | none          | raise  | S      | 700
        one more does not fit        | 20      | loan    | 600   | 499   | none          | hold   | budget | 499
        nor does a smaller one after | 21      | card    | 500   | 499   | none          | hold   | budget | 499
        the product has its 1000     | 50      | card    | 300   | 2000  | raise by 1000 | raise  | own    | 3000
        and no more                  | 51      | card    | 200   | 2000  | raise by 1    | hold   | budget | 2000
        one without a budget         | 52      | loan    | 100   | 2000  | raise by 9000 | raise  | own    | 11000
        ",
    );
}

#[test]
fn of_one_account_the_line_of_the_product_that_stands_first_comes_first() {
    check(
        &POLICY.replace("budget = 1500", "budget = 700"),
        "
        case                 | account | product | score | limit | rule | action | reason | new_limit
        the card comes after | 1       | card    | 700   | 200   | none | hold   | budget | 200
        the loan has it      | 1       | loan    | 700   | 100   | none | raise  | S      | 700
        and so does the next | 2       | loan    | 700   | 600   | none | hold   | no_rule| 600
        ",
    );
}

#[test]
fn each_rule_has_its_own_budget_even_for_the_same_lines() {
    check(
        POLICY,
        "
        case                  | score | limit | rule                     | action | reason | new_limit
        one rule's 100        | 900   | 2000  | raise by 100 budget 100  | raise  | own    | 2100
        another's 100         | 800   | 2000  | raise by 101 budget 100  | hold   | budget | 2000
        a third has nothing   | 700   | 2000  | raise by 1 budget 0      | hold   | budget | 2000
        nothing of the limits | 600   | 2000  | raise by 1 budget_bp 0   | hold   | budget | 2000
        the product's         | 500   | 2000  | raise by 1000            | raise  | own    | 3000
        ",
    );
}

#[test]
fn basis_points_are_of_all_accepted_lines_of_the_product_and_truncated() {
    // 333 basis points of 3000 + 501 + 502 + 1500 are 183.25.
    for (by, action, new_limit) in [(183, "raise", 3183), (184, "hold", 3000)] {
        check(
            &POLICY.replace("raise_budget = 1000", "raise_budget_bp = 333"),
            &format!(
                "
                case                   | product | limit | status    | pending        | rule          | action   | new_limit
                all there is, or more  | card    | 3000  | active    | -              | raise by {by} | {action} | {new_limit}
                a closed line counts   | card    | 501   | closed    | -              | hold          | hold     | 501
                and a suspended one    | card    | 502   | suspended | -              | none          | hold     | 502
                as it is, not will be  | card    | 1500  | active    | 9000 active +5 | hold          | hold     | 1500
                another product        | loan    | 90000 | active    | -              | hold          | hold     | 90000
                "
            ),
        );
    }
}

#[test]
fn basis_points_of_a_rule_are_of_the_lines_of_its_products() {
    let rule = "
[[rule]]
name = \"shared\"
PRODUCTS
when = \"credit_limit = 5000\"
action = \"raise\"
by = 100
reason = \"S\"
budget_bp = 100
";
    // A hundredth of 5000 + 4499 + 501 is the raise; the limits of no product of the policy don't count.
    let cases = [
        ("", 501, "raise", 5100),
        ("", 500, "hold", 5000),
        ("products = [\"card\", \"loan\"]", 501, "raise", 5100),
        ("products = [\"loan\"]", 501, "hold", 5000),
    ];
    for (products, other, action, new_limit) in cases {
        check(
            &format!("{POLICY}{}", rule.replace("PRODUCTS", products)),
            &format!(
                "
                case            | product | limit   | rule | action   | new_limit
                the raise       | loan    | 5000    | none | {action} | {new_limit}
                another product | card    | 4499    | none | hold     | 4499
                one more        | card    | {other} | none | hold     | {other}
                of no product   | gold    | 90000   | none | hold     | 90000
                "
            ),
        );
    }
}

#[test]
fn what_basis_points_come_to_is_exact_beyond_64_bits() {
    let policy = POLICY
        .replace("max_limit = 90000", "max_limit = 9223372036854775807")
        .replace("raise_budget = 1000", "raise_budget_bp = 10001");
    // 10001 basis points of 9223372036854775807 + 9223372036854775806 and three times 500
    // come to 18448588748116924068: twice the whole range, and not three times.
    check(
        &policy,
        "
        case               | product | score | limit               | rule                                      | action | reason | new_limit
        nothing            | card    | 900   | 9223372036854775807 | hold                                      | hold   | own    | 9223372036854775807
        one more           | card    | 800   | 9223372036854775806 | raise by 1                                | raise  | own    | 9223372036854775807
        all but one        | card    | 700   | 500                 | raise to 9223372036854775807              | raise  | own    | 9223372036854775807
        and again          | card    | 600   | 500                 | raise to 9223372036854775807              | raise  | own    | 9223372036854775807
        a third time       | card    | 500   | 500                 | raise to 9223372036854775807              | hold   | budget | 500
        any share is exact | loan    | 400   | 9223372036854775806 | raise by 1 budget_bp 9223372036854775807  | raise  | own    | 9223372036854775807
        ",
    );
}

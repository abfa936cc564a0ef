//! A cautious policy to start from: nobody is lowered, suspended or closed; raises are small, capped and few.

use std::fmt::Write;

use super::scorecard_text::{BEST_BAND, OwnNames};
use super::trial::{ProductFigures, TrialFigures};
use crate::console::money;

/// Products of a book; with more, the column is hardly that of a product.
pub(super) const MOST_PRODUCTS: usize = 50;

const HEAD: &str = "\
# A cautious policy to start from, written by `rescore init`. It lowers, suspends and closes nothing: rules that take
# from people are yours to write. Raises are of a tenth, of lines in good order that are used, within limits that the
# book has today, and few a night. Money is in minor units.
#
# Per line the first rule whose `when` is true decides.
";

/// The policy; before the trial night without products.
pub(super) fn policy_text(names: &OwnNames, figures: Option<&TrialFigures>, minor_units: u32) -> String {
    let mut text = String::from(HEAD);
    let products = figures.map_or(&[][..], |figures| &figures.products);
    for product in products {
        text.push_str(&product_text(product, minor_units));
    }
    if let Some(figures) = figures.filter(|figures| figures.largest_exposure > 0) {
        let _ = write!(
            text,
            "\n[account]\n# Over all lines nobody gets more than the account that has most today. TO LOOK AT.\n\
             max_total_limit = {}    # {}\n",
            figures.largest_exposure,
            money(figures.largest_exposure.into(), minor_units)
        );
    }
    text.push_str(
        "\n[cooldown]\nraise_after_raise_days = 180\nraise_after_lower_days = 365\nlower_after_lower_days = 60\n",
    );
    if names.has_repayments() {
        let when = format!("{} >= 1", names.of("days_past_due"));
        text.push_str(&hold("past due", &when, "P10", "A bill is past due."));
    }
    text.push_str(&hold(
        "a change is on its way",
        "is_pending",
        "P11",
        "A change of the line is on its way.",
    ));
    text.push_str(&hold("not active", "status <> 'active'", "P12", "The line is not active."));
    text.push_str(&hold(
        "a young line",
        "days_open < 180",
        "P13",
        "The line was opened less than half a year ago.",
    ));
    if !products.is_empty() {
        let _ = write!(
            text,
            "\n# Half of the limit is drawn: who does not use a limit needs no larger one.\n[[rule]]\nname = \"a used line \
             in good order\"\nwhen = \"band = '{BEST_BAND}' and balance * 2 >= credit_limit\"\naction = \"raise\"\npercent = \
             10\nreason = \"P20\"\ntext = \"The line is in good order and used.\"\nnotice_days = 7\n"
        );
    }
    text.push_str(&hold("all others", "true", "P90", "Nothing changes."));
    text
}

fn hold(name: &str, when: &str, reason: &str, text: &str) -> String {
    format!(
        "\n[[rule]]\nname = \"{name}\"\nwhen = \"{when}\"\naction = \"hold\"\nreason = \"{reason}\"\ntext = \"{text}\"\n"
    )
}

fn product_text(product: &ProductFigures, minor_units: u32) -> String {
    let ProductFigures { name, lines, median_limit, largest_limit } = product;
    let step = step(*median_limit);
    // No line is raised beyond the largest that there is.
    let most = largest_limit - largest_limit % step;
    let name = toml::Value::String(name.clone());
    format!(
        "\n[[product]]\nname = {name}             # {lines} lines that are not closed, limits up to {}\nmin_limit = 0\n\
         max_limit = {most}    # TO LOOK AT: the largest limit of the book today\nstep = {step}    # {}\nmin_raise = {step}\n\
         raise_budget_bp = 50    # a night: at most half a percent of the product's limits\n",
        money((*largest_limit).into(), minor_units),
        money(step.into(), minor_units),
    )
}

/// A power of ten that is small beside a limit: a fiftieth of it or less.
fn step(limit: i64) -> i64 {
    let mut step = 1;
    while step * 10 <= limit / 50 {
        step *= 10;
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_small_beside_limits() {
        for (limit, expected) in [
            (0, 1),
            (499, 1),
            (500, 10),
            (500_000, 10_000),
            (1_000_000, 10_000),
            (i64::MAX, 100_000_000_000_000_000),
        ] {
            assert_eq!(step(limit), expected, "{limit}");
        }
    }
}

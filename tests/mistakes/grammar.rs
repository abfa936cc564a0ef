//! Wrong uses of windows that end before the as-of date, of `of` as an expression, of `is_due` and of dates.

use super::{assert_told, told};
use crate::support::book::Book;

/// What is said about each feature, added to the plain book.
fn told_about_features(features: &[&str]) -> String {
    let told = features.iter().map(|feature| {
        let book = Book::new();
        let lines = feature.replace("; ", "\n");
        book.append("scorecard.toml", &format!("\n[[feature]]\nname = \"added\"\n{lines}\n"));
        told(feature, &book, 2)
    });
    told.collect()
}

#[test]
fn windows_that_end_before_the_as_of_date() {
    assert_told!(told_about_features(&[
        "from = \"transactions\"; agg = \"count\"; days = 30; skip_days = -1",
        "from = \"transactions\"; agg = \"count\"; days = 30; skip_days = 1097",
        "from = \"transactions\"; agg = \"count\"; days = 30; skip_days = \"30\"",
        "from = \"transactions\"; agg = \"count\"; days = 30; skipdays = 30",
        "from = \"transactions\"; agg = \"count\"; skip_days = 30",
        "from = \"lines\"; agg = \"count\"; skip_days = 30",
        "ratio = [\"spend_30d\", \"online_30d\"]; scale = 1; skip_days = 30",
    ]));
}

#[test]
fn values_computed_from_the_row() {
    assert_told!(told_about_features(&[
        "from = \"transactions\"; agg = \"sum\"; of = \"amount - fee\"; days = 30",
        "from = \"transactions\"; agg = \"sum\"; of = \"amount / 2\"; days = 30",
        "from = \"transactions\"; agg = \"sum\"; of = \"amount > 2\"; days = 30",
        "from = \"transactions\"; agg = \"max\"; of = \"posted_on + 1\"; days = 30",
        "from = \"transactions\"; agg = \"distinct\"; of = \"coalesce(kind, category)\"; days = 30",
        "from = \"transactions\"; agg = \"sum\"; of = \"amonut\"; days = 30",
        "from = \"transactions\"; agg = \"sum\"; of = \"\"; days = 30",
        "from = \"transactions\"; agg = \"count\"; of = \"amount - 1\"; days = 30",
        "from = \"transactions\"; agg = \"days_since_first\"; of = \"amount\"; days = 30",
        "from = \"lines\"; agg = \"days_since_first\"",
    ]));
}

#[test]
fn bills_that_are_not_due() {
    assert_told!(told_about_features(&[
        "from = \"bills\"; agg = \"count\"; where = \"not is_due\"; days = 30",
        "from = \"bills\"; agg = \"count\"; where = \"not is_due\"; skip_days = 30",
        "from = \"bills\"; agg = \"count\"; where = \"is_due = 1\"",
        "from = \"transactions\"; agg = \"count\"; where = \"is_due\"; days = 30",
    ]));
}

#[test]
fn arithmetic_of_dates() {
    let conditions = [
        "opened_on + increased_on > date '2026-01-01'",
        "30 + opened_on > date '2026-01-01'",
        "30 - opened_on > 1",
        "opened_on * 2 > 1",
        "opened_on - increased_on > date '2026-01-01'",
        "opened_on + 30 > 1",
        "opened_on - status > 1",
        "-opened_on < 1",
        "opened_on > date '2026-01-01' - interval '1' day",
        "opened_on + 30",
    ];
    let said = conditions.iter().map(|text| {
        let book = Book::new();
        book.edit("policy.toml", "\"band = 'good'\"", &format!("\"{text}\""));
        told(text, &book, 2)
    });
    assert_told!(said.collect::<String>());
}

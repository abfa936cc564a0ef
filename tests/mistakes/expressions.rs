//! Expressions outside the grammar or of the wrong type: refused by name and place, with exit 2.

use super::{assert_told, told};
use crate::support::book::Book;

/// What is said about each text, put in as the condition of a rule.
fn told_about_conditions(texts: &[&str]) -> String {
    let told = texts.iter().map(|text| {
        let book = Book::new();
        let quote = if text.contains('"') { "'''" } else { "\"" };
        book.edit("policy.toml", "\"band = 'good'\"", &format!("{quote}{text}{quote}"));
        told(text, &book, 2)
    });
    told.collect()
}

#[test]
fn names_and_types() {
    assert_told!(told_about_conditions(&[
        "scor >= 700",
        "Score >= 700",
        "amount > 0",
        "lines.balance > 0",
        "balance",
        "balance + 1",
        "'good'",
        "score = 'good'",
        "band >= 700",
        "opened_on > '2026-01-01'",
        "opened_on + 1 > 0",
        "is_pending = 1",
        "not score",
        "score > 700 and balance",
        "band in ('good', 700)",
        "score between 'a' and 'b'",
        "coalesce(score, 'none') = 'none'",
        "case when score then true else false end",
        "case when score > 1 then 1 else 'a' end = 1",
        "-band = 'x'",
    ]));
}

#[test]
fn what_the_grammar_does_not_have() {
    assert_told!(told_about_conditions(&[
        "balance / 2 > 10",
        "score > 700.5",
        "score > 7e2",
        "score > 0x10",
        "score > 10L",
        "score == 700",
        "score <=> 700",
        "score > +700",
        "abs(balance) > 10",
        "now() > opened_on",
        "count(*) > 1",
        "coalesce() = 1",
        "coalesce(distinct score) = 1",
        "cast(score as text) = 'a'",
        "score::int = 700",
        "band like 'g%'",
        "band ilike 'g%'",
        "band || 'x' = 'goodx'",
        "score > (select 1)",
        "score in (select 1)",
        "exists (select 1)",
        "case band when 'good' then true else false end",
        "status is true",
        "score is distinct from 700",
        "score = any(array[1])",
        "(score, balance) = (1, 2)",
        "opened_on > timestamp '2026-01-01 00:00:00'",
        "opened_on > current_date",
        "opened_on > date '2026-01-01' - interval '1' day",
        "band = N'good'",
        "band = E'good'",
        "status in ()",
        "score isnull",
        "score notnull",
        "opened_on > {d '2026-01-01'}",
        "band = 'go' 'od'",
        "band = $1",
        "@score > 1",
        "score !> 1",
        "score > 1 && balance > 1",
        "score > 1 xor balance > 1",
        "score & 1 = 1",
        "score ^ 2 = 1",
        "not (score, 1)",
        "score in unnest(balance)",
        "extract(year from opened_on) = 2026",
        "position('a' in band) = 1",
        "band collate x = 'good'",
        "interval '1' day > 1",
        "score between symmetric 1 and 2",
        "sum(score) over () > 1",
        "score at time zone 'UTC' > 1",
        "- - score > 1 or \"band\" = 'x' / 1",
    ]));
}

#[test]
fn texts_that_are_no_expression() {
    assert_told!(told_about_conditions(&[
        "",
        "   ",
        "score >",
        "score > 700 700",
        "score > 700; drop table lines",
        "score > 700 limit 5",
        "(score > 700",
        "score > 700)",
        "band = 'good",
        "and",
        "score >= 1_000",
        "score > 700 -- and so on\\n )",
    ]));
}

#[test]
fn dates_that_there_are_not() {
    assert_told!(told_about_conditions(&[
        "opened_on > date '2026-02-29'",
        "opened_on > date '2026-1-1'",
        "opened_on > date '20260101'",
        "opened_on > date ''",
        "opened_on > date \"2026-01-01\"",
    ]));
}

#[test]
fn the_place_is_underlined_wherever_the_text_is_written() {
    let forms = [
        ("plain", "\"scor > 1\""),
        ("literal", "'scor > 1'"),
        ("over lines", "\"\"\"\n  score > 1 and\n  scor > 1\"\"\""),
        ("with an escape", "\"band = \\u0027good\\u0027 and scor > 1\""),
        ("after letters of more than a byte", "\"band = 'хорошо' and scor > 1\""),
    ];
    let told = forms.map(|(name, text)| {
        let book = Book::new();
        book.edit("policy.toml", "\"band = 'good'\"", text);
        told(name, &book, 2)
    });
    assert_told!(told.concat());
}

#[test]
fn conditions_of_features_see_the_rows_of_their_source() {
    let forms = [
        ("of transactions", "from = \"transactions\"\nagg = \"count\"\ndays = 7\nwhere = \"kin = 'cash'\"\n"),
        ("of bills", "from = \"bills\"\nagg = \"count\"\nwhere = \"paid_on is null\"\n"),
        ("of lines", "from = \"lines\"\nagg = \"count\"\nwhere = \"days_since_increase > 3\"\n"),
        ("an integer", "from = \"lines\"\nagg = \"count\"\nwhere = \"balance\"\n"),
    ];
    let told = forms.map(|(name, keys)| {
        let book = Book::new();
        book.append("scorecard.toml", &format!("[[feature]]\nname = \"f\"\n{keys}"));
        told(name, &book, 2)
    });
    assert_told!(told.concat());
}

//! Expressions of any size and depth: taken or refused at once, by `check` as by `run`.

use std::time::{Duration, Instant};

use crate::support::book::{Book, TODAY};

/// Longer than the machine is ever busy with one of these.
const SOON: Duration = Duration::from_secs(20);

/// A condition of a rule, and what is said against it; nothing where it is taken.
struct Condition {
    kind: &'static str,
    text: String,
    message: &'static str,
}

fn condition(kind: &'static str, text: String, message: &'static str) -> Condition {
    Condition { kind, text, message }
}

/// The text so many levels deep within `open` and `close`.
fn nested(open: &str, text: &str, close: &str, levels: usize) -> String {
    format!("{}{text}{}", open.repeat(levels), close.repeat(levels))
}

/// What `check` and `run` say: they must agree, and soon.
fn verdict(kind: &str, book: &Book) -> (i32, String) {
    let started = Instant::now();
    let (checked, _, said) = book.outcome(&["check", "job.toml"]);
    let (ran, _, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY]);
    assert!(started.elapsed() < SOON, "{kind} took {:?}", started.elapsed());
    assert_eq!(checked, ran, "{kind}\n{said}\n{stderr}");
    if ran == 2 {
        assert_eq!(said, stderr, "{kind}");
    }
    (ran, stderr)
}

fn check(conditions: &[Condition]) {
    for Condition { kind, text, message } in conditions {
        let book = Book::new();
        book.edit("policy.toml", "\"band = 'good'\"", &format!("\"\"\"{text}\"\"\""));
        let (code, stderr) = verdict(kind, &book);
        assert_eq!(code, if message.is_empty() { 0 } else { 2 }, "{kind}\n{stderr}");
        assert!(stderr.contains(message), "{kind}: wanted `{message}` in\n{stderr}");
        assert!(stderr.len() < 50_000, "{kind} says too much: {} bytes", stderr.len());
        if code == 2 {
            assert!(stderr.contains("policy.toml:"), "{kind}: no place in\n{stderr}");
        }
    }
}

#[test]
fn chains_of_any_length_are_taken() {
    check(&[
        condition("or", format!("score = 1{}", " or score = 2".repeat(8_000)), ""),
        condition("and", format!("score > 1{}", " and score > 2".repeat(8_000)), ""),
        condition("in turn", format!("score = 1{}", " and score > 0 or score = 3".repeat(4_000)), ""),
        condition("sum", format!("score{} > 0", " + 1".repeat(8_000)), ""),
        condition("difference", format!("score{} > 0", " - balance % 7".repeat(4_000)), ""),
        condition("list", format!("band in ('x'{})", ", 'good'".repeat(10_000)), ""),
        condition("list of numbers", format!("score in (1{})", ", 2".repeat(10_000)), ""),
        condition("cases", format!("case {} end", "when score = 1 then true ".repeat(4_000)), ""),
        condition("choices", format!("coalesce(score{}) > 0", ", 1".repeat(8_000)), ""),
    ]);
}

#[test]
fn nesting_takes_no_more_time_than_text() {
    check(&[
        condition("parentheses", nested("(", "score > 1", ")", 30), ""),
        condition("between", nested("(", "is_pending", " between false and true)", 20), ""),
        condition("in", nested("(", "is_pending", " in (false, true))", 20), ""),
        condition("case", nested("case when ", "is_pending", " then true else false end", 30), ""),
        condition("coalesce", nested("coalesce(", "is_pending", ", true)", 30), ""),
        condition("not", nested("not ", "is_pending", "", 30), ""),
        condition("product", format!("score{} > 0", " * score".repeat(60)), ""),
    ]);
}

#[test]
fn what_is_too_deep_is_refused() {
    const DEEP: &str = "nested too deeply: at most 64 levels";
    check(&[
        condition("parentheses", nested("(", "score > 1", ")", 10_000), DEEP),
        condition("not", nested("not ", "is_pending", "", 10_000), DEEP),
        condition("minus", format!("{}score > 0", "- ".repeat(10_000)), DEEP),
        condition("is null", format!("score{}", " is null".repeat(10_000)), DEEP),
        condition("equal", format!("true{}", " = true".repeat(10_000)), DEEP),
        condition("between", nested("(", "is_pending", " between false and true)", 1_000), DEEP),
        condition("in", nested("(", "is_pending", " in (false, true))", 1_000), DEEP),
        condition("in, to the right", nested("1 in (", "1", ")", 1_000), DEEP),
        condition("case", nested("case when ", "is_pending", " then true end", 1_000), DEEP),
        condition("coalesce", nested("coalesce(", "score", ") > 0", 1_000), DEEP),
        condition("and, to the right", nested("true and (", "true", ")", 1_000), DEEP),
    ]);
}

#[test]
fn what_is_too_large_is_refused() {
    check(&[
        condition("digits", format!("score > {}", "9".repeat(900_000)), "has 900008 bytes"),
        condition(
            "a few digits too many",
            format!("score > {}", "9".repeat(101)),
            "an integer of 101 digits",
        ),
        condition("as many as are taken", format!("score < {}", "9".repeat(100)), ""),
        condition("text", format!("band = '{}'", "x".repeat(300_000)), "has 300009 bytes"),
        condition("signs", format!("score > 0{}", "+1".repeat(30_000)), "60003 names, values and signs"),
        condition("products", format!("score{} > 0", " * score".repeat(70)), "more than 4096 bits"),
        condition("comments", format!("{}score > 0", "/**/ ".repeat(60_000)), "has 300009 bytes"),
    ]);
}

#[test]
fn long_texts_that_are_no_expression_are_refused() {
    let refused = [
        ("not without parentheses", format!("{}true", "not true = ".repeat(5_000))),
        ("a place in a place", nested("position(", "1", ")", 100)),
        ("a query in a query", nested("(select * from ", "x", ")", 100)),
        ("a table in a table", format!("1 in (select 1 from {}", "(".repeat(5_000))),
        ("casts", format!("score{}", "::int".repeat(5_000))),
        ("a cast in a cast", nested("cast(", "1", " as int)", 1_000)),
        ("concatenation", format!("band{}", " || band".repeat(5_000))),
        ("like", format!("band{}", " like band".repeat(5_000))),
        ("elements", format!("score{}", "[1]".repeat(5_000))),
        ("qualified", format!("score{}", ".score".repeat(5_000))),
        ("collation", format!("band{}", " collate x".repeat(5_000))),
        ("zones", format!("score{}", " at time zone 'UTC'".repeat(5_000))),
        ("open parentheses", "(".repeat(20_000)),
        ("open comments", "/*".repeat(20_000)),
        ("open cases", "case ".repeat(20_000)),
        ("open braces", "{".repeat(20_000)),
        ("open lists", "array[".repeat(5_000)),
        ("intervals", "interval ".repeat(5_000)),
        ("existence", "exists (".repeat(5_000)),
        ("unknown names", format!("a = 1{}", " or b = 1".repeat(5_000))),
        ("comparisons of unlike types", format!("band = 1{}", " or band = 1".repeat(5_000))),
        ("division", format!("score{} > 0", " / 2".repeat(5_000))),
        ("one long name", "x".repeat(200_000)),
        ("lines", "\n".repeat(100_000)),
    ];
    for (kind, text) in refused {
        check(&[condition(kind, text, "error: ")]);
    }
}

#[test]
fn expressions_elsewhere_are_bounded_alike() {
    const DEEP: &str = "nested too deeply";
    let deep = |inner: &str| nested("(", inner, " between false and true)", 100);
    let book = Book::new();
    book.edit("scorecard.toml", "where = \"is_open\"", &format!("where = \"{}\"", deep("is_open")));
    assert!(verdict("a feature's", &book).1.contains(DEEP));
    let book = Book::new();
    let gate = format!("name = \"deep\"\ntable = \"scores\"\nmax_bp = 1\nshare_of = \"{}\"\n", deep("true"));
    book.append("job.toml", &format!("\n[[gate]]\n{gate}"));
    assert!(verdict("a gate's", &book).1.contains(DEEP));
    let book = Book::new();
    book.publish();
    let run = format!("out/date={TODAY}");
    let (code, _, stderr) = book.outcome(&["diff", &run, &run, "--where", &deep("true")]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains(DEEP), "{stderr}");
}

#[test]
fn an_account_is_explained_by_long_conditions() {
    let book = Book::new();
    let long = format!("score = 1{} or band = 'good'", " or score between 1 and 2".repeat(2_000));
    book.edit("policy.toml", "band = 'good'", &long);
    book.publish();
    let (code, _, stderr) = book.outcome(&["explain", &format!("out/date={TODAY}"), "--account", "1"]);
    assert_eq!(code, 0, "{stderr}");
}

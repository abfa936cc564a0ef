//! Mistakes in the job file, the scorecard and the policy: all refused with exit 2, told with their place.

use super::{assert_told, told, told_about};
use crate::support::book::{Book, TODAY, delivered};
use crate::support::{Cell, Table};

#[test]
fn mistakes_in_the_job_file() {
    let mistakes = [
        ("unknown key, a near miss", "job.toml", "timezone =", "time_zone ="),
        ("unknown key, nothing like it", "job.toml", "timezone =", "colour ="),
        ("unknown input", "job.toml", "lines = \"in", "lynes = \"in"),
        ("unknown table", "job.toml", "[output]", "[outputs]"),
        ("unknown input to rename", "job.toml", "", "[rename.transaction]\namount = \"a\"\n"),
        ("unknown column to rename", "job.toml", "", "[rename.transactions]\namont = \"kind\"\n"),
        ("unknown input to be unique", "job.toml", "", "[unique.bills]\ncolumn = \"a\"\nwithin_days = 1\n"),
        ("missing key", "job.toml", "minor_units = 2\n", ""),
        ("missing table", "job.toml", "[output]\ndir = \"out\"\ncsv = true\n", ""),
        ("bad type", "job.toml", "minor_units = 2", "minor_units = \"2\""),
        ("negative days", "job.toml", "lines_max_age_days = 1", "lines_max_age_days = -1"),
        ("too many minor units", "job.toml", "minor_units = 2", "minor_units = 19"),
        ("time zone that there is not", "job.toml", "Asia/Shanghai", "Asia/Shanghi"),
        ("variable that is not set", "job.toml", "\"in/lines", "\"${RESCORE_UNSET}/lines"),
        ("variable that is not closed", "job.toml", "\"in/lines", "\"${RESCORE_UNSET/lines"),
        ("no path pattern", "job.toml", "\"in/lines/date={date}/*.parquet\"", "\"in/lines/***.parquet\""),
        (
            "issued without a date",
            "job.toml",
            "\n[output]",
            "issued = \"out/adjustments.parquet\"\n\n[output]",
        ),
        (
            "unique column that there is not",
            "job.toml",
            "",
            "[unique.transactions]\ncolumn = \"transaction\"\nwithin_days = 1\n",
        ),
        ("unique without days", "job.toml", "", "[unique.transactions]\ncolumn = \"transaction_id\"\n"),
        ("broken syntax", "job.toml", "name = \"plain\"", "name = \"plain"),
        ("a key twice", "job.toml", "minor_units = 2", "minor_units = 2\nminor_units = 3"),
        ("no scorecard file", "job.toml", "\"scorecard.toml\"", "\"score_card.toml\""),
    ];
    assert_told!(told_about(&mistakes));
}

#[test]
fn mistakes_in_gates() {
    let gate = "[[gate]]\nname = \"g\"\n";
    let mistakes = [
        ("two forms", "rows = \"lines\"\nmissing_days = \"repayments\"\nmin = 1\n"),
        ("no form", "min = 1\n"),
        ("no bound", "rows = \"lines\"\n"),
        ("no table", "share_of = \"score > 700\"\nmax_bp = 1\n"),
        ("unknown table", "table = \"decision\"\nshare_of = \"score > 700\"\nmax_bp = 1\n"),
        ("unknown input", "rejected = \"line\"\nmax_bp = 1\n"),
        ("input without days", "missing_days = \"lines\"\nmax = 0\n"),
        ("basis points for rows", "rows = \"lines\"\nmin_bp = 1\n"),
        ("amounts for a share", "rejected = \"lines\"\nmax = 1\n"),
        ("among for rows", "rows = \"lines\"\nmin = 1\namong = \"score > 700\"\n"),
        ("column of the other table", "table = \"scores\"\nshare_of = \"action = 'close'\"\nmax_bp = 1\n"),
        ("share of an amount", "table = \"decisions\"\nshare_of = \"new_limit\"\nmax_bp = 1\n"),
        ("sum of a condition", "table = \"decisions\"\nsum_of = \"new_limit > 0\"\nmax = 1\n"),
        ("unknown key", "rows = \"lines\"\nmin = 1\nminimum = 1\n"),
    ];
    let told = mistakes.map(|(name, keys)| {
        let book = Book::new();
        book.append("job.toml", &format!("{gate}{keys}"));
        told(name, &book, 2)
    });
    let book = Book::new();
    book.append("job.toml", &format!("{gate}rows = \"lines\"\nmin = 1\n").repeat(2));
    assert_told!(told.concat() + &super::told("two of one name", &book, 2));
}

#[test]
fn mistakes_in_features() {
    let feature = "[[feature]]\nname = \"f\"\n";
    let mistakes = [
        ("unknown key", "from = \"lines\"\nagg = \"count\"\nwher = \"balance > 0\"\n"),
        ("unknown source", "from = \"line\"\nagg = \"count\"\n"),
        ("unknown statistic", "from = \"lines\"\nagg = \"average\"\nof = \"balance\"\n"),
        ("no statistic", "from = \"lines\"\nof = \"balance\"\n"),
        ("no column", "from = \"lines\"\nagg = \"sum\"\n"),
        ("unknown column", "from = \"lines\"\nagg = \"sum\"\nof = \"balanc\"\n"),
        ("a text column added up", "from = \"transactions\"\nagg = \"sum\"\nof = \"kind\"\ndays = 7\n"),
        ("a date column added up", "from = \"bills\"\nagg = \"max\"\nof = \"due_on\"\n"),
        ("a column that is not wanted", "from = \"lines\"\nagg = \"count\"\nof = \"balance\"\n"),
        ("no window", "from = \"transactions\"\nagg = \"count\"\n"),
        ("a window of nothing", "from = \"transactions\"\nagg = \"count\"\ndays = 0\n"),
        ("a window too long", "from = \"bills\"\nagg = \"count\"\ndays = 1097\n"),
        ("a window on lines", "from = \"lines\"\nagg = \"count\"\ndays = 7\n"),
        ("the latest of lines", "from = \"lines\"\nagg = \"last\"\nof = \"balance\"\n"),
        ("two kinds at once", "from = \"lines\"\nagg = \"count\"\nexpr = \"1\"\n"),
        ("no kind", ""),
        ("a window on an expression", "expr = \"limits\"\ndays = 7\n"),
        ("a ratio without scale", "ratio = [\"limits\", \"balances\"]\n"),
        ("a ratio of three", "ratio = [\"limits\", \"balances\", \"limits\"]\nscale = 1\n"),
        ("a ratio of what comes below", "ratio = [\"limits\", \"f\"]\nscale = 1\n"),
        ("an expression of what comes below", "expr = \"f + 1\"\n"),
        ("an expression of a column", "expr = \"balance + 1\"\n"),
    ];
    let told = mistakes.map(|(name, keys)| {
        let book = Book::new();
        book.append("scorecard.toml", &format!("{feature}{keys}"));
        told(name, &book, 2)
    });
    assert_told!(told.concat());
}

#[test]
fn names_that_are_taken() {
    let count = "from = \"lines\"\nagg = \"count\"\n";
    let feature = |name: &str| format!("[[feature]]\nname = \"{name}\"\n{count}");
    let dimension = |name: &str| format!("[[dimension]]\nname = \"{name}\"\ntitle = \"A title\"\n");
    let mistakes = [
        ("a feature twice", feature("limits")),
        ("a feature like a dimension", feature("history")),
        ("a feature like a column of lines", feature("balance")),
        ("a feature like an extra column of lines", feature("segment")),
        ("a feature like a line's state", feature("days_open")),
        ("a feature like the score", feature("score")),
        ("a feature like the band", feature("band")),
        ("a dimension twice", dimension("history")),
        ("a dimension like the score", dimension("score")),
        ("a dimension like a column of lines", dimension("balance")),
        ("a dimension like a characteristic's points", dimension("points_limits")),
        ("a band twice", "[[band]]\nname = \"good\"\nfrom = 700\n".into()),
    ];
    let told = mistakes.map(|(name, text)| {
        let book = Book::new();
        book.append("scorecard.toml", &text);
        told(name, &book, 2)
    });
    assert_told!(told.concat());
}

#[test]
fn mistakes_in_the_scorecard() {
    let mistakes = [
        ("unknown key", "scorecard.toml", "reasons = 2", "reason = 2"),
        ("unknown table", "scorecard.toml", "[score]", "[scores]"),
        ("missing points", "scorecard.toml", "missing = 60\n", ""),
        ("bin out of order", "scorecard.toml", "{ below = 30, points = 40 }", "{ below = 1, points = 40 }"),
        ("last bin with below", "scorecard.toml", "    { points = 0 },", "    { below = 90, points = 0 },"),
        ("first bin without below", "scorecard.toml", "{ below = 1, points = 200 }", "{ points = 200 }"),
        ("no bins", "scorecard.toml", "    { below = 20000, points = 0 },\n    { points = 100 },\n", ""),
        ("unknown key in a bin", "scorecard.toml", "{ below = 30, points", "{ below = 30, pionts"),
        ("a float in a bin", "scorecard.toml", "points = 40", "points = 40.5"),
        (
            "two characteristics on one feature",
            "scorecard.toml",
            "feature = \"spend_30d\"",
            "feature = \"days_past_due\"",
        ),
        ("undeclared feature", "scorecard.toml", "feature = \"spend_30d\"", "feature = \"spend_90d\""),
        ("undeclared dimension", "scorecard.toml", "dimension = \"behaviour\"", "dimension = \"behavior\""),
        (
            "reason for nulls without a text",
            "scorecard.toml",
            "missing = 60",
            "missing = 60\nmissing_reason = \"R31\"",
        ),
        ("least above the most", "scorecard.toml", "max = 950", "max = 300"),
        ("first band not at the least", "scorecard.toml", "from = 350", "from = 300"),
        ("bands out of order", "scorecard.toml", "from = 600", "from = 350"),
        ("more points than fit", "scorecard.toml", "points = 200", "points = 2147483647"),
        ("negative tolerance", "scorecard.toml", "", "[bills]\ntolerance = -1\n"),
        (
            "a key written as a table",
            "scorecard.toml",
            "[[dimension]]\nname = \"behaviour\"",
            "[dimensions]\nname = \"behaviour\"",
        ),
    ];
    assert_told!(told_about(&mistakes));
}

#[test]
fn mistakes_in_the_policy() {
    let mistakes = [
        ("unknown key", "policy.toml", "min_raise = 5000", "min_rise = 5000"),
        ("unknown table", "policy.toml", "[cooldown]", "[cooldowns]"),
        ("unknown cool-down", "policy.toml", "raise_after_raise_days", "raise_after_raise"),
        ("missing key", "policy.toml", "step = 1000\n", ""),
        ("a float of money", "policy.toml", "step = 1000", "step = 1000.5"),
        ("a step of nothing", "policy.toml", "step = 1000", "step = 0"),
        ("most below the least", "policy.toml", "max_limit = 1000000", "max_limit = 1"),
        ("a product twice", "policy.toml", "name = \"loan\"", "name = \"card\""),
        ("undeclared product", "policy.toml", "products = [\"loan\"]", "products = [\"lone\"]"),
        ("undeclared band", "policy.toml", "{ poor = 150000 }", "{ pure = 150000 }"),
        (
            "undeclared feature",
            "policy.toml",
            "max_total_limit = 2000000",
            "affordability = { feature = \"inflow\", bp = 1 }",
        ),
        ("a rule twice", "policy.toml", "name = \"good cards\"", "name = \"private clients\""),
        ("unknown action", "policy.toml", "action = \"hold\"", "action = \"keep\""),
        ("a raise by two amounts", "policy.toml", "percent = 20", "percent = 20\nby = 1000"),
        ("a raise by no amount", "policy.toml", "percent = 20\n", ""),
        ("a raise by nothing", "policy.toml", "percent = 20", "percent = 0"),
        ("an amount for a hold", "policy.toml", "reason = \"P04\"", "reason = \"P04\"\nto = 1"),
        (
            "a raise above the balance",
            "policy.toml",
            "percent = 20",
            "percent = 20\nnever_below_balance = true",
        ),
        ("a notice too long", "policy.toml", "percent = 20", "percent = 20\nnotice_days = 4000"),
        ("broken syntax", "policy.toml", "[[product]]\nname = \"card\"", "[[product]\nname = \"card\""),
    ];
    assert_told!(told_about(&mistakes));
}

/// Delivers the plain lines again with their extra column under another name.
fn with_extra_column(name: &str) -> Book {
    let book = Book::new();
    let mut lines = Table::read(&book.path().join(delivered("lines", TODAY)));
    lines.columns.last_mut().unwrap().0 = name.to_string();
    book.deliver("lines", TODAY, &lines);
    book.edit("policy.toml", "segment = 'private' and score >= 600", "score >= 600");
    book
}

#[test]
fn an_extra_column_of_lines_hides_nothing_that_the_program_makes() {
    let book = with_extra_column("score");
    book.publish();
    let scores = book.output("decisions").column("score");
    assert!(scores.iter().all(|score| matches!(score, Cell::Int(_))), "{scores:?}");
}

#[test]
fn a_rule_that_reads_an_extra_column_with_the_name_of_a_decision_s() {
    let book = with_extra_column("reason");
    book.edit("policy.toml", "\"score >= 600\"", "\"reason = 'private'\"");
    assert_told!(told("an extra column called reason", &book, 2));
}

#[test]
fn several_mistakes_in_all_three_files_are_told_at_once() {
    let book = Book::new();
    book.edit("job.toml", "timezone =", "time_zone =");
    book.append("job.toml", "[[gate]]\nname = \"book\"\nrows = \"lines\"\n");
    book.edit("scorecard.toml", "dimension = \"behaviour\"", "dimension = \"behavior\"");
    book.edit("policy.toml", "products = [\"loan\"]", "products = [\"lone\"]");
    book.edit("policy.toml", "segment = 'private' and score >= 600", "segmnt = 'private' and scor >= 600");
    assert_told!(told("five mistakes", &book, 2));
}

#[test]
fn a_job_file_that_is_not_there() {
    let (code, stdout, stderr) = Book::empty().run();
    assert_eq!((code, stdout.as_str()), (2, ""));
    insta::assert_snapshot!(stderr, @"error: read job file job.toml: No such file or directory (os error 2)");
}

/// Positions of products are kept in a byte: a 257th would have been taken for the first.
#[test]
fn more_products_than_can_be_told_apart() {
    let book = Book::new();
    for number in 0..256 {
        let product = "min_limit = 0\nmax_limit = 1\nstep = 1\n";
        book.append("policy.toml", &format!("\n[[product]]\nname = \"p{number}\"\n{product}"));
    }
    let (code, _, stderr) = book.outcome(&["check", "job.toml"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("there are 258 [[product]]; at most 255 are taken"), "{stderr}");
}

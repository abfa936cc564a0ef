//! The notice to the person, sentence by sentence and number by number.

use serde_json::{Value, json};

use crate::support::book::{Book, TODAY};
use crate::support::succeed_in;

const RUN: &str = "out/date=2026-11-20";

/// A raise of the first account's card from 1,000.00 to 1,200.00; its score is 560, of which 140 are missing for
/// bills that never came due, and it has one line.
const RAISE: &str = r#"
[[rule]]
name = "offer"
products = ["card"]
when = "credit_limit = 100000"
action = "raise"
percent = 20
reason = "P09"
"#;

const PRODUCTS: &str = r#"
[[product]]
name = "card"
min_limit = 10000
max_limit = 1000000
step = 1000

[[product]]
name = "loan"
min_limit = 5000
max_limit = 500000
step = 500
"#;

/// A plain book under a policy: products, then more of it, then a rule.
fn book(products: &str, more: &str, rule: &str) -> Book {
    let book = Book::new();
    book.put("policy.toml", &format!("{products}\n{more}\n{rule}"));
    book
}

fn notice(book: &Book, account: &str) -> Value {
    let args = ["explain", RUN, "--account", account, "--adverse-action", "--json"];
    serde_json::from_str(&succeed_in(book.path(), &args)).unwrap()
}

/// The only line of the notice to an account of a book's run.
fn line(book: &Book, account: &str) -> Value {
    book.publish();
    let notice = notice(book, account);
    assert_eq!(notice["lines"].as_array().unwrap().len(), 1, "{notice}");
    notice["lines"][0].clone()
}

const HIGHEST: &str = "The limit is at, or close to, the highest there is for this kind of line.";
const OF_SCORE: &str = "The limit is at, or close to, the highest we give with your present score.";
const OF_ALL: &str = "All your credit with us together is at, or close to, the most we give to one person.";
const AFFORDABLE: &str =
    "All your credit with us together is at, or close to, what we believe you can afford.";
const SMALL: &str = "The raise would have been too small to be of use.";
const INACTIVE: &str = "The line is not in use at present.";
const INCOMPLETE: &str = "Our record of one of your lines is incomplete and has to be put right first.";
const RECENT: &str = "The limit was changed only recently, and we leave some time between changes.";
const USED_UP: &str = "Raises are limited in number each day, and those of the day went to higher scores.";

/// What keeps the raise from being made; what is said; whether the score has to be spoken of.
struct Refusal {
    kind: &'static str,
    /// Put in the place of the product's first line after its name.
    product: &'static str,
    more: &'static str,
    rule: &'static str,
    account: &'static str,
    says: &'static str,
    stays_at: &'static str,
    is_of_score: bool,
}

const PLAIN: Refusal = Refusal {
    kind: "",
    product: "",
    more: "",
    rule: RAISE,
    account: "1",
    says: "",
    stays_at: "1,000.00",
    is_of_score: false,
};

/// Each cap where it leaves nothing, and where it leaves less than the least raise; and what else refuses.
const REFUSALS: [Refusal; 14] = [
    Refusal { kind: "product_max", product: "max_limit = 100000", says: HIGHEST, ..PLAIN },
    Refusal {
        kind: "product_max, small",
        product: "max_limit = 104000\nmin_raise = 5000",
        says: HIGHEST,
        ..PLAIN
    },
    Refusal {
        kind: "band_max",
        product: "band_max = { poor = 100000 }",
        says: OF_SCORE,
        is_of_score: true,
        ..PLAIN
    },
    Refusal {
        kind: "band_max, small",
        product: "min_raise = 5000\nband_max = { poor = 104000 }",
        says: OF_SCORE,
        is_of_score: true,
        ..PLAIN
    },
    Refusal { kind: "total_limit", more: "[account]\nmax_total_limit = 100000", says: OF_ALL, ..PLAIN },
    Refusal {
        kind: "total_limit, small",
        product: "min_raise = 5000",
        more: "[account]\nmax_total_limit = 104000",
        says: OF_ALL,
        ..PLAIN
    },
    Refusal {
        kind: "affordability",
        more: "[account]\naffordability = { feature = \"spend_30d\", bp = 25000 }",
        says: AFFORDABLE,
        ..PLAIN
    },
    Refusal {
        kind: "affordability, small",
        product: "min_raise = 5000",
        more: "[account]\naffordability = { feature = \"spend_30d\", bp = 26000 }",
        says: AFFORDABLE,
        ..PLAIN
    },
    // The last cap that cuts is the one that is named.
    Refusal {
        kind: "total_limit after product_max",
        product: "max_limit = 110000",
        more: "[account]\nmax_total_limit = 100000",
        says: OF_ALL,
        ..PLAIN
    },
    Refusal { kind: "below_min_raise", product: "min_raise = 20001", says: SMALL, ..PLAIN },
    Refusal { kind: "budget", product: "raise_budget = 19999", says: USED_UP, is_of_score: true, ..PLAIN },
    Refusal {
        kind: "cooldown",
        more: "[cooldown]\nraise_after_raise_days = 324",
        rule: "[[rule]]\nname = \"offer\"\nproducts = [\"card\"]\nwhen = \"credit_limit = 200000\"\naction = \"raise\"\nby = 20000\nreason = \"P09\"\n",
        account: "2",
        says: RECENT,
        stays_at: "2,000.00",
        ..PLAIN
    },
    Refusal {
        kind: "not_active",
        rule: "[[rule]]\nname = \"offer\"\nproducts = [\"loan\"]\nwhen = \"true\"\naction = \"raise\"\nby = 20000\nreason = \"P09\"\n",
        account: "2",
        says: INACTIVE,
        stays_at: "500.00",
        ..PLAIN
    },
    Refusal { kind: "rejected_line", says: INCOMPLETE, ..PLAIN },
];

#[test]
fn each_refusal_has_its_own_sentence() {
    for refusal in &REFUSALS {
        let kind = refusal.kind;
        let (key, _) = refusal.product.split_once(" = ").unwrap_or_default();
        let plain = PRODUCTS.replacen(
            "max_limit = 1000000\n",
            if key == "max_limit" { "" } else { "max_limit = 1000000\n" },
            1,
        );
        let products =
            plain.replacen("name = \"card\"\n", &format!("name = \"card\"\n{}\n", refusal.product), 1);
        let book = book(&products, refusal.more, refusal.rule);
        if kind == "rejected_line" {
            let path = book.path().join("in/lines/date=2026-11-20/part-0.parquet");
            let mut lines = crate::support::Table::read(&path);
            let mut broken = lines.rows[0].clone();
            broken[1] = "".into();
            lines.rows.push(broken);
            lines.write(&path);
        }
        let line = line(&book, refusal.account);
        assert_eq!(line["why"], json!([refusal.says]), "{kind}");
        let product = line["product"].as_str().unwrap();
        let what = format!(
            "We have looked at raising the limit of your {product} line and decided not to. It stays at {}.",
            refusal.stays_at
        );
        assert_eq!(line["what"], what, "{kind}");
        assert_eq!(line["effective_on"], Value::Null, "{kind}");
        // One reason is taken by the refusal; the score would give another.
        let of_score = if refusal.is_of_score { json!(["Bills are past due"]) } else { json!([]) };
        assert_eq!(line["score_reasons"], of_score, "{kind}");
    }
}

/// A rule about the third account, whose score of 400 has two reasons, and whose loan is of 800.00.
fn rule(when: &str, action: &str, text: &str) -> String {
    format!(
        "[[rule]]\nname = \"the rule\"\nproducts = [\"loan\"]\nwhen = \"credit_limit = 80000 and {when}\"\n{action}\n\
         reason = \"P09\"\n{text}\nnotice_days = 11\n"
    )
}

const LATE: &str = "Bills are past due";
const LITTLE: &str = "Little is bought";
const REVIEW: &str = "It follows from our regular review of all credit lines.";

/// Reasons allowed, the rule's condition and text; why, and the score's reasons.
type Letter<'a> = (&'a str, &'a str, &'a str, &'a [&'a str], &'a [&'a str]);

/// What is said besides what is done: the rule's sentence, the score's reasons, and never more than are allowed.
#[test]
fn reasons_are_given_as_far_as_they_are_allowed() {
    let text = "text = \" A bill is unpaid. \"";
    let own = "A bill is unpaid.";
    let cases: [Letter; 10] = [
        ("2", "true", text, &[own], &[]),
        ("2", "score < 500", text, &[own], &[LATE]),
        ("3", "score < 500", text, &[own], &[LATE, LITTLE]),
        ("1", "score < 500", text, &[own], &[]),
        ("2", "band = 'poor'", text, &[own], &[LATE]),
        ("2", "history < 100", text, &[own], &[LATE]),
        ("2", "spend_30d < 100", text, &[own], &[]),
        ("2", "true", "", &[], &[LATE, LITTLE]),
        ("1", "score < 500", "", &[], &[LATE]),
        ("0", "score < 500", "", &[REVIEW], &[]),
    ];
    for (allowed, when, text, why, of_score) in cases {
        let book = book(PRODUCTS, "", &rule(when, "action = \"lower\"\npercent = 10", text));
        book.edit("scorecard.toml", "reasons = 2", &format!("reasons = {allowed}"));
        let line = line(&book, "3");
        let about = format!("{allowed}, {when}, {text}");
        assert_eq!(line["why"], json!(why), "{about}");
        assert_eq!(line["score_reasons"], json!(of_score), "{about}");
    }
}

/// A null feature may have a sentence of its own, and the same sentence is said once.
#[test]
fn the_scores_reasons_are_the_sentences_of_the_scorecard() {
    let refused = |edit: &dyn Fn(&Book)| {
        let products = PRODUCTS.replacen("step = 1000", "step = 1000\nraise_budget = 0", 1);
        let book = book(&products, "", RAISE);
        edit(&book);
        book.edit("scorecard.toml", "reasons = 2", "reasons = 5");
        line(&book, "1")["score_reasons"].clone()
    };
    let missing = |text: &str| format!("missing = 60\nmissing_reason = \"R31\"\nmissing_text = \"{text}\"");
    let reasons =
        refused(&|book| book.edit("scorecard.toml", "missing = 60", &missing("Nothing came due yet")));
    assert_eq!(reasons, json!(["Nothing came due yet"]));
    let reasons = refused(&|book| {
        book.edit("scorecard.toml", "missing = 60", &missing("Little is bought"));
        book.edit("scorecard.toml", "{ below = 20000, points = 0 }", "{ below = 50000, points = 0 }");
    });
    assert_eq!(reasons, json!(["Little is bought"]));
}

/// What is done, in words, with its day and its amounts.
#[test]
fn each_action_has_its_own_sentence() {
    let cases = [
        (
            "action = \"lower\"\npercent = 10",
            "On 1 December 2026 the limit of your loan line will be lowered from 800.00 to 720.00.",
        ),
        (
            "action = \"suspend\"",
            "From 1 December 2026 your loan line is suspended: it cannot be used for the time being. Its limit stays at 800.00.",
        ),
        ("action = \"close\"", "On 1 December 2026 your loan line will be closed."),
    ];
    for (action, what) in cases {
        let line = line(&book(PRODUCTS, "", &rule("true", action, "text = \"So.\"")), "3");
        assert_eq!(
            (line["what"].as_str().unwrap(), line["effective_on"].as_str()),
            (what, Some("2026-12-01"))
        );
    }
}

/// What is to a person's good, or changes nothing, is no reason to write.
#[test]
fn what_takes_nothing_from_anybody_is_not_written_about() {
    let raise = "action = \"raise\"\nby = 1000";
    let cases = [
        ("a raise", raise),
        ("a raise that would change nothing", "action = \"raise\"\nto = 80000"),
        ("a hold", "action = \"hold\""),
        ("a reopening of what is open", "action = \"reopen\""),
    ];
    for (kind, action) in cases {
        let rule = rule("true", action, "")
            .replace("notice_days = 11", if action.contains("hold") { "" } else { "notice_days = 11" });
        let book = book(PRODUCTS, "", &rule);
        book.publish();
        let notice = notice(&book, "3");
        assert_eq!(notice["lines"], json!([]), "{kind}");
        let text = "Nothing adverse was decided about account 3 on 20 November 2026: there is nothing to give notice of.";
        assert_eq!(notice["text"], text, "{kind}");
    }
    // While an earlier adjustment is on its way, no raise was refused for good.
    let book = book(PRODUCTS, "", RAISE);
    book.edit("job.toml", "[output]", "issued = \"issued/date={date}/adjustments.parquet\"\n\n[output]");
    let first = book.outcome(&["run", "job.toml", "--date", "2026-11-20", "--out", "first"]);
    assert_eq!(first.0, 0, "{}", first.2);
    let mut issued =
        crate::support::Table::read(&book.path().join("first/date=2026-11-20/adjustments.parquet"));
    let slot = issued.columns.iter().position(|(name, _)| name == "effective_on").unwrap();
    issued.rows.iter_mut().for_each(|row| row[slot] = crate::support::day("2026-11-25").into());
    issued.write(&book.path().join("issued/date=2026-11-19/adjustments.parquet"));
    book.publish();
    let decided = book.output("decisions");
    assert_eq!(decided.column("reason")[0], "pending".into());
    assert_eq!(notice(&book, "1")["lines"], json!([]));
}

/// The whole letter, with every line in it.
#[test]
fn a_letter_holds_all_of_it() {
    let rules = [
        "[[rule]]\nname = \"a\"\nproducts = [\"card\"]\nwhen = \"score < 900\"\naction = \"lower\"\nby = 20000\nreason = \"P1\"\n\
         text = \"This is a sentence of a hundred words or nearly so, and that is why it cannot stand on a single line of the letter\"\n\
         notice_days = 1\n",
        "[[rule]]\nname = \"b\"\nproducts = [\"loan\"]\nwhen = \"true\"\naction = \"close\"\nreason = \"P2\"\ntext = \"Is that so?\"\n",
    ];
    let book = book(PRODUCTS, "", &rules.concat());
    book.publish();
    let told = succeed_in(book.path(), &["explain", RUN, "--account", "2", "--adverse-action"]);
    insta::assert_snapshot!(told, @"
    Account 2
    20 November 2026

    On 21 November 2026 the limit of your card line will be lowered from 2,000.00
    to 1,800.00.

    Why:
      - This is a sentence of a hundred words or nearly so, and that is why it
        cannot stand on a single line of the letter.

    What weighed most against you in your score:
      - Bills are past due.

    On 20 November 2026 your loan line will be closed.

    Why:
      - Is that so?

    If you think that something here is not right, please tell us: we will look
    into it and decide again.
    ");
    assert_eq!(notice(&book, "2")["text"], told.trim_end_matches('\n'));
    assert_eq!(notice(&book, "2")["decided_on"], TODAY);
}

/// A cap that leaves just what is asked for does not cut, and a cool-down is over on its last day.
#[test]
fn the_last_unit_and_the_last_day_are_granted() {
    let explained = |book: &Book, account: &str| -> Value {
        book.publish();
        let told = succeed_in(book.path(), &["explain", RUN, "--account", account, "--json"]);
        serde_json::from_str::<Value>(&told).unwrap()["lines"][0].clone()
    };
    let products = PRODUCTS.replacen("max_limit = 1000000", "max_limit = 120000", 1);
    let line = explained(&book(&products, "", RAISE), "1");
    let step = json!({ "cap": "product_max", "room": 120_000, "left": 120_000, "cuts": false });
    assert_eq!((&line["caps"]["steps"], &line["outcome"]["action"]), (&json!([step]), &json!("raise")));
    let rule = "[[rule]]\nname = \"offer\"\nproducts = [\"card\"]\nwhen = \"true\"\naction = \"raise\"\nby = 20000\nreason = \"P09\"\n";
    let line = explained(&book(PRODUCTS, "[cooldown]\nraise_after_raise_days = 323", rule), "2");
    let wait = json!({ "name": "raise after raise", "wait": 323, "passed": 323, "holds": true });
    assert_eq!((&line["cooldowns"], &line["outcome"]["action"]), (&json!([wait]), &json!("raise")));
}

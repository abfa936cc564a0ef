//! A run that a gate holds back, and its release.

use serde_json::Value;

use super::{entries, files_in, published};
use crate::support::book::{Book, TODAY, TRANSACTIONS, YESTERDAY, table};
use crate::support::{outcome_in, succeed_in};

const GATES: &str = r#"
[[gate]]
name = "book is there"
rows = "lines"
min = 5

[[gate]]
name = "nobody is suspended"
table = "decisions"
share_of = "action = 'suspend'"
max_bp = 0

[[gate]]
name = "it was delivered"
missing_days = "transactions"
max = 0
"#;

fn held_book() -> Book {
    let book = Book::new();
    book.append("job.toml", GATES);
    let (code, stdout, stderr) = book.run();
    assert_eq!(code, 4, "{stdout}\n{stderr}");
    book
}

fn held(book: &Book) -> std::collections::BTreeMap<String, Vec<u8>> {
    files_in(&book.path().join(format!("out/held/date={TODAY}")))
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn a_held_run_is_whole_apart_from_the_others_and_its_gates_are_told() {
    let book = Book::new();
    book.append("job.toml", GATES);
    let (code, stdout, stderr) = book.run();
    assert_eq!(code, 4);
    insta::assert_snapshot!(stderr, @r"
    error: plain of 2026-11-20 is held by 2 of 3 gates; it lies in out/held/date=2026-11-20
      gate `book is there` fails: 4 (at least 5)
      gate `nobody is suspended` fails: 25.00 % (at most 0.00 %), 1 of 4
    next:
      rescore report out/held/date=2026-11-20
      rescore release out --date 2026-11-20 --by NAME --why TEXT
    ");
    insta::assert_snapshot!(stdout, @"plain of 2026-11-20: 3 accounts, 1 adjustment, limits change by 0.00, 2 of 3 gates fail; held out/held/date=2026-11-20");
    let shown = succeed_in(book.path(), &["show", &format!("out/held/date={TODAY}")]);
    let gate = shown.lines().find(|line| line.trim_start().starts_with("it was delivered"));
    assert!(gate.is_some_and(|line| line.contains(" holds ") && line.ends_with("at most 0")), "{shown}");
    assert_eq!(entries(&book), ["held"]);
    succeed_in(book.path(), &["verify", &format!("out/held/date={TODAY}")]);
    let manifest = json(&held(&book)["manifest.json"]);
    assert_eq!(manifest["held"], true);
    assert_eq!(manifest["gates"][1]["holds"], false);
}

#[test]
fn a_held_run_is_left_alone_by_a_rerun_and_replaced_by_one_of_other_inputs() {
    let book = held_book();
    let before = held(&book);
    let (code, ..) = book.run();
    assert_eq!((code, held(&book) == before), (4, true));
    book.deliver("transactions", YESTERDAY, &table(&TRANSACTIONS, "13 1 2026-11-19 99000 purchase a true"));
    let (code, ..) = book.run();
    assert_eq!((code, held(&book) == before), (4, false));
    assert_eq!(entries(&book), ["held"]);
}

#[test]
fn a_held_run_is_no_input_until_it_is_released() {
    let book = Book::new();
    book.append("job.toml", GATES);
    let issued = "\nissued = \"out/date={date}/adjustments.parquet\"\n\n[output]";
    book.edit("job.toml", "\n[output]", issued);
    book.deliver(
        "lines",
        YESTERDAY,
        &crate::support::Table::read(&book.path().join("in/lines/date=2026-11-20/part-0.parquet")),
    );
    let inputs = |out: &str| {
        let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--out", out]);
        assert_eq!(code, 4, "{stderr}");
        let run = files_in(&book.path().join(format!("{out}/held/date={TODAY}")));
        json(&run["manifest.json"])["inputs"].to_string()
    };
    let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", YESTERDAY]);
    assert_eq!(code, 4, "{stderr}");
    assert!(!inputs("first").contains("adjustments.parquet"));
    succeed_in(book.path(), &["release", "out", "--date", YESTERDAY]);
    assert!(inputs("second").contains("date=2026-11-19/adjustments.parquet"));
}

#[test]
fn a_release_publishes_the_run_unchanged_and_notes_which_gates_were_overruled() {
    let book = held_book();
    let before = held(&book);
    let stdout = succeed_in(book.path(), &["release", "out", "--date", TODAY]);
    insta::assert_snapshot!(stdout, @r"
    published out/date=2026-11-20
      gate `book is there` fails: 4 (at least 5)
      gate `nobody is suspended` fails: 25.00 % (at most 0.00 %), 1 of 4
    ");
    let mut after = published(&book);
    let note = json(&after.remove("released.json").unwrap());
    assert_eq!(after.remove("_SUCCESS").as_deref(), Some(&b""[..]));
    assert_eq!(after, before);
    assert_eq!(note["as_of"], TODAY);
    assert!(note["released_at"].as_str().unwrap().ends_with('Z'), "{note}");
    let names: Vec<&str> =
        note["overruled"].as_array().unwrap().iter().map(|gate| gate["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["book is there", "nobody is suspended"]);
    assert!(!book.path().join(format!("out/held/date={TODAY}")).exists());
    succeed_in(book.path(), &["verify", &format!("out/date={TODAY}")]);
    let (code, stdout, _) = book.run();
    assert_eq!(code, 0, "a released run stands: {stdout}");
}

#[test]
fn there_is_nothing_to_release_twice() {
    let book = held_book();
    succeed_in(book.path(), &["release", "out", "--date", TODAY]);
    let before = published(&book);
    let (code, stdout, stderr) = book.outcome(&["release", "out", "--date", TODAY]);
    assert_eq!((code, stdout.as_str()), (3, ""));
    insta::assert_snapshot!(stderr, @"error: release 2026-11-20: there is no held run in out/held/date=2026-11-20");
    assert_eq!(published(&book), before);
    let (code, _, stderr) = book.outcome(&["release", "nowhere", "--date", TODAY]);
    assert_eq!(code, 3);
    insta::assert_snapshot!(stderr, @"error: release 2026-11-20: there is no directory nowhere");
    assert!(!book.path().join("nowhere").exists());
}

#[test]
fn a_release_replaces_no_published_run() {
    let book = Book::new();
    book.publish();
    let before = published(&book);
    book.append("job.toml", GATES);
    let (code, ..) = book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]);
    assert_eq!(code, 4);
    assert_eq!(published(&book), before);
    let (code, _, stderr) = book.outcome(&["release", "out", "--date", TODAY]);
    assert_eq!(code, 6);
    insta::assert_snapshot!(stderr, @"error: release 2026-11-20: out/date=2026-11-20 is published already");
    assert_eq!((published(&book), entries(&book).len()), (before, 2));
}

#[test]
fn a_held_run_that_was_tampered_with_is_not_released() {
    let book = held_book();
    book.put(&format!("out/held/date={TODAY}/adjustments.csv"), "account_id,product\n");
    let (code, _, stderr) = book.outcome(&["release", "out", "--date", TODAY]);
    assert_eq!(code, 3);
    assert!(stderr.contains("adjustments.csv: it has 19 bytes"), "{stderr}");
    assert_eq!(entries(&book), ["held"]);
}

#[test]
fn a_held_run_known_later_is_released_by_its_date() {
    let book = Book::new();
    book.append("job.toml", GATES);
    let known = ["--date", TODAY, "--known-on", "2026-11-21"];
    let (code, ..) = outcome_in(book.path(), &[&["run", "job.toml"], &known[..]].concat());
    assert_eq!(code, 4);
    assert_eq!(book.outcome(&["release", "out", "--date", TODAY]).0, 3);
    succeed_in(book.path(), &[&["release", "out"], &known[..]].concat());
    assert_eq!(entries(&book), ["held", "known=2026-11-21"]);
    succeed_in(book.path(), &["verify", "out/known=2026-11-21/date=2026-11-20"]);
}

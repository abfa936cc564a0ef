//! A release of a night after which later ones are published.

use crate::support::Table;
use crate::support::book::{Book, TODAY, YESTERDAY};
use crate::support::files::files_in;
use crate::support::succeed_in;

const GATE: &str = "\n[[gate]]\nname = \"never\"\nrows = \"lines\"\nmin = 99\n";

/// Yesterday is held, today is published; today's job holds nothing.
fn held_then_published() -> Book {
    let book = Book::new();
    let issued = "\nissued = \"out/date={date}/adjustments.parquet\"\n\n[output]";
    book.edit("job.toml", "\n[output]", issued);
    let lines = Table::read(&book.path().join(format!("in/lines/date={TODAY}/part-0.parquet")));
    book.deliver("lines", YESTERDAY, &lines);
    let job = std::fs::read_to_string(book.path().join("job.toml")).unwrap();
    book.put("gated.toml", &format!("{job}{GATE}"));
    let (code, _, stderr) = book.outcome(&["run", "gated.toml", "--date", YESTERDAY]);
    assert_eq!(code, 4, "{stderr}");
    book.publish();
    book
}

#[test]
fn it_is_refused_and_what_would_be_issued_twice_is_named() {
    let book = held_then_published();
    let before = files_in(&book.path().join("out"));
    let (code, stdout, stderr) = book.outcome(&["release", "out", "--date", YESTERDAY]);
    assert_eq!((code, stdout.as_str()), (6, ""), "{stderr}");
    insta::assert_snapshot!(stderr, @"error: release 2026-11-19: later nights are published already (2026-11-20), and 1 line would be adjusted twice: account 3 loan (also on 2026-11-20); --anyway publishes it all the same, then run those nights again with --replace");
    let mut after = files_in(&book.path().join("out"));
    after.remove(".lock");
    assert!(
        after.iter().all(|(name, bytes)| before.get(name) == Some(bytes)) && after.len() + 1 == before.len()
    );
}

#[test]
fn anyway_publishes_it_and_says_which_nights_to_run_again() {
    let book = held_then_published();
    let stdout = succeed_in(book.path(), &["release", "out", "--date", YESTERDAY, "--anyway"]);
    insta::assert_snapshot!(stdout, @r"
    published out/date=2026-11-19
      gate `never` fails: 4 (at least 99)
    run again with --replace, in this order: 2026-11-20
    ");
    succeed_in(book.path(), &["verify", &format!("out/date={YESTERDAY}")]);
    // Today's run stands on other inputs now.
    assert_eq!(book.run().0, 6);
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--replace"]);
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY]);
}

#[test]
fn earlier_nights_and_what_is_known_later_are_in_nobodys_way() {
    let book = held_then_published();
    let known = ["--date", YESTERDAY, "--known-on", TODAY];
    assert_eq!(book.outcome(&[&["run", "gated.toml"], &known[..]].concat()).0, 4);
    succeed_in(book.path(), &[&["release", "out"], &known[..]].concat());
    assert_eq!(book.outcome(&["run", "gated.toml", "--date", TODAY, "--replace"]).0, 4);
    std::fs::rename(book.path().join(format!("out/date={TODAY}")), book.path().join("moved")).unwrap();
    let stdout = succeed_in(book.path(), &["release", "out", "--date", TODAY]);
    assert!(!stdout.contains("run again"), "{stdout}");
}

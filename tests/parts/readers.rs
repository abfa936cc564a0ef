//! Every verb that reads a run says the same of one in parts.

use std::fs;

use super::{in_parts, published, run_name, run_of};
use crate::support::book::{Book, LINES, TODAY, YESTERDAY};
use crate::support::parts::split;
use crate::support::succeed_in;

/// What the verbs say of today's run; the page is part of it.
fn told(book: &Book, args: &[&str]) -> (i32, String, String, Option<Vec<u8>>) {
    let page = book.path().join("page.html");
    let _ = fs::remove_file(&page);
    let (code, stdout, stderr) = book.outcome(args);
    (code, stdout, stderr, fs::read(page).ok())
}

#[test]
fn every_verb_says_the_same_of_parts() {
    let whole = published();
    let run = run_name();
    let questions: [&[&str]; 8] = [
        &["explain", &run, "--account", "1"],
        &["explain", &run, "--account", "2", "--adverse-action"],
        &["explain", &run, "--account", "3"],
        &["explain", &run, "--account", "9"],
        &["report", &run, "--out", "page.html"],
        &["report", "out", "--out", "page.html"],
        &["scorecard", "job.toml", &run, "--json"],
        &["diff", &run, &run],
    ];
    for parts in [1, 2, 3, 7] {
        let book = in_parts(parts);
        for question in questions {
            let expected = told(&whole, question);
            assert_eq!(told(&book, question), expected, "{question:?} of {parts} parts");
            assert_eq!(expected.0, if question[3..] == ["9"] { 3 } else { 0 }, "{question:?}");
        }
        let said = succeed_in(book.path(), &["verify", &run]);
        assert_eq!(said, format!("{run}: {} files, whole and as the manifest says\n", 5 + 4 * parts));
    }
}

#[test]
fn a_diff_sees_no_difference_between_a_file_and_parts() {
    let whole = published();
    let whole = run_of(&whole);
    let whole = whole.to_str().unwrap();
    for parts in [1, 2, 7] {
        let book = in_parts(parts);
        let run = run_name();
        for (left, right) in [(whole, run.as_str()), (&run, whole)] {
            succeed_in(book.path(), &["diff", left, right]);
            succeed_in(book.path(), &["diff", left, right, "--only", "adjustments"]);
        }
        for (table, key) in [("scores", "account_id"), ("decisions", "account_id,product")] {
            let (parts, file) = (format!("{run}/{table}"), format!("{whole}/{table}.parquet"));
            succeed_in(book.path(), &["diff", &parts, &file, "--key", key]);
            succeed_in(book.path(), &["diff", &file, &parts, "--key", key]);
        }
    }
}

#[test]
fn a_difference_in_one_part_is_found() {
    let (before, after) = (published(), Book::new());
    after.edit("scorecard.toml", "points = 100 }", "points = 90 }");
    after.publish();
    let args = |other: &Book| ["diff".to_string(), run_name(), run_of(other).display().to_string()];
    let told_of = |other: &Book| {
        let args = args(other);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let (code, stdout, _) = before.outcome(&[&args[..], &["--json"]].concat());
        // The other run's directory is another one in each book.
        (code, stdout.replace(other.path().to_str().unwrap(), ""))
    };
    let expected = told_of(&after);
    assert_eq!(expected.0, 1);
    split(&run_of(&after), 3);
    assert_eq!(told_of(&after), expected);
    split(&run_of(&before), 2);
    assert_eq!(told_of(&after), expected);
}

/// Two nights, the second of which looks back on the first.
fn nights(pattern: &str, parts: usize) -> Book {
    let book = Book::new();
    book.edit("job.toml", "\n[output]", &format!("previous = \"{pattern}\"\n\n[output]"));
    let lines =
        crate::support::Table::read(&book.path().join(format!("in/lines/date={TODAY}/part-0.parquet")));
    assert_eq!(lines.columns.len(), LINES.len());
    book.deliver("lines", YESTERDAY, &lines);
    succeed_in(book.path(), &["run", "job.toml", "--date", YESTERDAY]);
    if parts > 0 {
        split(&book.path().join(format!("out/date={YESTERDAY}")), parts);
    }
    book
}

#[test]
fn a_night_looks_back_on_scores_in_parts() {
    let whole = nights("out/date={date}/scores.parquet", 0);
    whole.edit("policy.toml", "when = \"band = 'good'\"", "when = \"previous_band = 'good'\"");
    whole.publish();
    for parts in [1, 3, 7] {
        let book = nights("out/date={date}/scores/*.parquet", parts);
        book.edit("policy.toml", "when = \"band = 'good'\"", "when = \"previous_band = 'good'\"");
        book.publish();
        assert_eq!(book.output("decisions"), whole.output("decisions"));
    }
}

#[test]
fn a_night_does_not_look_back_on_some_of_the_parts() {
    let book = nights("out/date={date}/scores/*.parquet", 3);
    fs::remove_file(book.path().join(format!("out/date={YESTERDAY}/scores/part-00001.parquet"))).unwrap();
    let (code, _, stderr) = book.run();
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("the manifest beside it tells of 3 parts, and 2 are there"), "{stderr}");
    let book = nights("out/date={date}/scores/*.parquet", 3);
    let scores = book.path().join(format!("out/date={YESTERDAY}/scores"));
    fs::copy(scores.join("part-00001.parquet"), scores.join("part-00003.parquet")).unwrap();
    let (code, _, stderr) = book.run();
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("the manifest beside it tells of 3 parts, and 4 are there"), "{stderr}");
}

#[test]
fn a_held_run_in_parts_is_released_and_replaced_as_any_other() {
    let book = Book::new();
    book.append("job.toml", "[[gate]]\nname = \"never\"\nrows = \"lines\"\nmin = 99\n");
    assert_eq!(book.run().0, 4);
    split(&book.path().join(format!("out/held/date={TODAY}")), 3);
    succeed_in(book.path(), &["release", "out", "--date", TODAY]);
    succeed_in(book.path(), &["verify", &run_name()]);
    assert_eq!(book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]).0, 4);
}

#[test]
fn a_replaced_run_in_parts_is_cleared_away_if_it_is_nothing_else() {
    let book = in_parts(3);
    let replace = || succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--replace"]);
    replace();
    split(&run_of(&book), 2);
    replace();
    split(&run_of(&book), 2);
    replace();
    let superseded = book.path().join("out/superseded");
    let mut kept: Vec<_> = fs::read_dir(&superseded).unwrap().map(|entry| entry.unwrap().path()).collect();
    kept.sort();
    let aged = |path: &std::path::Path, year: usize| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let aged = superseded.join(format!("{year}0101T000000.000000Z{}", &name[name.find('-').unwrap()..]));
        fs::rename(path, &aged).unwrap();
        aged
    };
    let [old, noted, linked] = [aged(&kept[0], 2020), aged(&kept[1], 2021), aged(&kept[2], 2022)];
    fs::write(noted.join("scores/notes.txt"), "mine").unwrap();
    fs::rename(linked.join("scores"), book.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(book.path().join("elsewhere"), linked.join("scores")).unwrap();
    book.publish();
    assert!(!old.exists());
    assert!(noted.join("manifest.json").exists() && noted.join("scores/part-00001.parquet").exists());
    assert!(linked.join("manifest.json").exists());
    assert!(book.path().join("elsewhere/part-00001.parquet").exists());
}

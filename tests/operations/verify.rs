//! Many runs looked at in one go, and their inputs hashed again.

use std::fs;

use serde_json::Value;

use crate::support::book::{Book, TODAY, YESTERDAY, delivered};
use crate::support::{Table, outcome_in, shipped_in, succeed_in};

/// Two nights, one known later, and one that is held.
fn tree() -> Book {
    let book = Book::new();
    let lines = Table::read(&book.path().join(delivered("lines", TODAY)));
    book.deliver("lines", YESTERDAY, &lines);
    succeed_in(book.path(), &["run", "job.toml", "--from", YESTERDAY, "--to", TODAY]);
    succeed_in(book.path(), &["run", "job.toml", "--date", YESTERDAY, "--known-on", TODAY]);
    let job = fs::read_to_string(book.path().join("job.toml")).unwrap();
    book.put("gated.toml", &format!("{job}{}", super::NEVER));
    assert_eq!(book.outcome(&["run", "gated.toml", "--date", TODAY, "--replace"]).0, 4);
    book
}

#[test]
fn a_directory_of_runs_is_a_line_a_run_and_the_code_of_the_worst() {
    let book = tree();
    let (code, stdout, stderr) = book.outcome(&["verify", "out"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let whole = "9 files, whole and as the manifest says";
    let expected = [
        format!("out/date=2026-11-19: {whole}"),
        format!("out/known=2026-11-20/date=2026-11-19: {whole}"),
        format!("out/date=2026-11-20: {whole}"),
        format!("out/held/date=2026-11-20: {whole}"),
    ];
    assert_eq!(stdout.lines().collect::<Vec<_>>(), expected);

    fs::remove_file(book.path().join("out/date=2026-11-19/scores.parquet")).unwrap();
    fs::remove_file(book.path().join("out/date=2026-11-20/manifest.json")).unwrap();
    let (code, stdout, stderr) = book.outcome(&["verify", "out"]);
    assert_eq!((code, stderr.as_str()), (3, "error: verify: 2 of 4 runs are not as they should be\n"));
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("out/date=2026-11-19: WRONG: scores.parquet: No such file"), "{stdout}");
    assert!(lines[2].starts_with("out/date=2026-11-20: WRONG: it has no manifest.json"), "{stdout}");
    assert!(lines[1].ends_with(whole) && lines[3].ends_with(whole), "{stdout}");

    let (code, stdout, _) = book.outcome(&["verify", "out", "--json"]);
    let said: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let exits: Vec<&Value> = said.iter().map(|line| &line["exit"]).collect();
    assert_eq!((code, exits), (3, vec![&3.into(), &0.into(), &3.into(), &0.into()]));
}

#[test]
fn dates_and_several_names_choose_among_runs() {
    let book = tree();
    let (code, stdout, _) = book.outcome(&["verify", "out", "--from", TODAY]);
    assert_eq!((code, stdout.lines().count()), (0, 2));
    let (code, stdout, _) = book.outcome(&["verify", "out/date=2026-11-19", "out/date=2026-11-20"]);
    assert_eq!((code, stdout.lines().count()), (0, 2));
    let (code, _, stderr) = book.outcome(&["verify", "out", "--from", "2026-12-01"]);
    assert!(code == 3 && stderr.contains("it has no run of these dates"), "{stderr}");
    let (code, _, stderr) = book.outcome(&["verify", "in"]);
    assert!(code == 3 && stderr.contains("no whole run"), "{stderr}");
}

#[test]
fn inputs_are_hashed_again_where_they_lie() {
    let book = Book::new();
    book.publish();
    let args = ["verify", "out/date=2026-11-20", "--inputs"];
    let (code, stdout, stderr) = book.outcome(&args);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.ends_with("; its 5 input files are the same\n"), "{stdout}");
    let path = book.path().join(delivered("transactions", YESTERDAY));
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    fs::remove_file(book.path().join(delivered("lines", TODAY))).unwrap();
    let (code, stdout, stderr) = book.outcome(&args);
    assert_eq!((code, stdout.as_str()), (3, ""));
    let wrong = "transactions date=2026-11-19/part-0.parquet: its bytes are not those the manifest names";
    assert!(stderr.contains(wrong), "{stderr}");
    assert!(stderr.contains("lines date=2026-11-20/part-0.parquet: it is not there any more"), "{stderr}");
}

#[test]
fn where_inputs_lie_is_told_by_the_run_or_by_the_job_file() {
    let home = tempfile::tempdir().unwrap();
    shipped_in(home.path());
    succeed_in(home.path(), &["run", "jobs/first-night.toml", "--date", "2026-11-19"]);
    succeed_in(home.path(), &["run", "jobs/nightly.toml", "--date", "2026-11-20"]);
    let stdout = succeed_in(home.path(), &["verify", "out", "--inputs"]);
    assert_eq!(
        stdout.lines().filter(|line| line.ends_with("input files are the same")).count(),
        2,
        "{stdout}"
    );
    succeed_in(home.path(), &["run", "jobs/first-night.toml", "--date", "2026-11-19", "--out", "else/where"]);
    let elsewhere = ["verify", "else/where/date=2026-11-19", "--inputs"];
    let (code, _, stderr) = outcome_in(home.path(), &elsewhere);
    assert!(code != 0 && !stderr.contains("panicked"), "{stderr}");
    succeed_in(home.path(), &[&elsewhere[..], &["--job", "jobs/first-night.toml"]].concat());
}

//! Whoever is on call is told of what is held or fails, in time, and no command can fail a run.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{NEVER, script};
use crate::support::as_text;
use crate::support::book::{Book, TODAY, delivered};

/// A book that notifies a script which keeps what it is told.
fn notified(more: &str) -> Book {
    let book = Book::new();
    script(&book, "tell", "cat >> \"$1\"");
    book.append("job.toml", &format!("\n[notify]\ncommand = [\"./tell\", \"told\"]\n{more}"));
    book
}

fn told(book: &Book) -> Vec<Value> {
    let text = fs::read_to_string(book.path().join("told")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_held_night_is_told_with_its_gates() {
    let book = notified(NEVER);
    assert_eq!(book.run().0, 4);
    let told = told(&book);
    assert_eq!(told.len(), 1);
    let notice = &told[0];
    assert_eq!(
        (&notice["event"], &notice["job"], &notice["as_of"]),
        (&"held".into(), &"plain".into(), &TODAY.into())
    );
    assert_eq!(
        (&notice["exit"], &notice["directory"]),
        (&4.into(), &format!("out/held/date={TODAY}").into())
    );
    assert_eq!(notice["gates"][0]["name"], "never");
    assert_eq!(notice["run"].as_str().unwrap().len(), 12);
}

#[test]
fn a_night_that_fails_is_told_with_the_reason_and_one_that_is_published_is_not() {
    let book = notified("");
    book.publish();
    assert!(told(&book).is_empty());
    fs::remove_file(book.path().join(delivered("transactions", TODAY))).unwrap();
    assert_eq!(book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]).0, 3);
    let told = told(&book);
    assert_eq!((told.len(), &told[0]["event"], &told[0]["exit"]), (1, &"failed".into(), &3.into()));
    assert!(told[0]["message"].as_str().unwrap().starts_with("find transactions of 2026-11-20"), "{told:?}");
}

#[test]
fn a_job_file_with_mistakes_is_told_of_and_so_is_a_range_at_its_night() {
    let book = notified("");
    book.edit("job.toml", "minor_units = 2", "minor_unitz = 2");
    assert_eq!(book.run().0, 2);
    assert_eq!(told(&book)[0]["exit"], 2);
    let book = notified("");
    let args = ["run", "job.toml", "--from", TODAY, "--to", "2026-11-21"];
    assert_eq!(book.outcome(&args).0, 3);
    let told = told(&book);
    assert_eq!((told.len(), &told[0]["as_of"]), (1, &"2026-11-21".into()));
}

#[test]
fn no_command_can_fail_a_run_or_hold_it_up() {
    for (command, more, said) in [
        ("[\"./missing\"]", "", "cannot be started"),
        ("[\"false\"]", "", "ended with exit status: 1"),
        (
            "[\"sh\", \"-c\", \"sleep 300 & sleep 300\"]",
            "timeout_seconds = 1\n",
            "took longer than 1 seconds and was killed",
        ),
        ("[\"true\"]", "", ""),
    ] {
        let book = Book::new();
        book.append("job.toml", &format!("\n[notify]\ncommand = {command}\n{more}{NEVER}"));
        let started = Instant::now();
        let (code, _, stderr) = book.run();
        assert!(code == 4 && as_text(&stderr).contains(said), "{command}: {code} {stderr}");
        assert!(started.elapsed() < Duration::from_secs(60), "{command}");
        assert!(book.path().join(format!("out/held/date={TODAY}/manifest.json")).exists());
    }
}

#[test]
fn no_shell_takes_a_command_apart() {
    let book = Book::new();
    book.append("job.toml", &format!("\n[notify]\ncommand = [\"touch\", \"a b; touch c\"]\n{NEVER}"));
    assert_eq!(book.run().0, 4);
    assert!(book.path().join("a b; touch c").exists() && !book.path().join("c").exists());
}

#[test]
fn mistakes_in_the_tables_are_told_as_any_others() {
    for (table, said) in [
        ("[notify]\ncommand = []", "`command` names no program"),
        ("[notify]\ncommand = [\"x\"]\ntimeout_seconds = 0", "timeout_seconds is 1 to 600"),
        ("[notify]\ncomand = [\"x\"]", "unknown key `comand`"),
        ("[metrics]\nfile = \"s3://b/x.prom\"", "this is a file of the machine"),
        (
            "[metrics]\nfile = \"${NO_SUCH_VARIABLE}/x\"",
            "the environment variable NO_SUCH_VARIABLE is not set",
        ),
        ("[lineage]\nnamespace = \"x\"", "[lineage] takes a `file` or a `url`"),
        ("[lineage]\nurl = \"marquez:5000\"", "`url` is an HTTP endpoint"),
    ] {
        let book = Book::new();
        book.append("job.toml", &format!("\n{table}\n"));
        let (code, _, stderr) = book.outcome(&["check", "job.toml"]);
        assert!(
            code == 2 && stderr.contains(said) && stderr.contains("job.toml:"),
            "{table}: {code} {stderr}"
        );
    }
}

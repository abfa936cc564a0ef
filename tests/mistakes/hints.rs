//! Slips that everybody makes once: the wrong file, text without quotes, a run without a date; each with what to do.

use crate::support::book::{Book, TODAY};

#[test]
fn a_scorecard_or_policy_in_the_place_of_the_job_is_known_for_what_it_is() {
    let book = Book::new();
    let job = std::fs::read_to_string(book.path().join("job.toml")).unwrap();
    book.put("challenger.toml", &job.replace("\"scorecard.toml\"", "\"other.toml\""));
    for (file, what, jobs) in [
        ("scorecard.toml", "this is a scorecard: give the job", "it is named by job.toml"),
        ("policy.toml", "this is a policy: give the job", "it is named by challenger.toml, job.toml"),
    ] {
        for args in [&["check", file][..], &["run", file, "--date", TODAY], &["scorecard", file]] {
            let (code, stdout, stderr) = book.outcome(args);
            assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}");
            assert!(stderr.contains(what) && stderr.contains(jobs), "{args:?}: {stderr}");
            assert!(!stderr.contains("unknown key") && !stderr.contains("has no [input]"), "{stderr}");
        }
    }
    // Without a job beside it the key is named; a job with a table too many is still a job.
    std::fs::remove_file(book.path().join("job.toml")).unwrap();
    let (_, _, stderr) = book.outcome(&["check", "scorecard.toml"]);
    assert!(stderr.contains("the job is the file that names it, with scorecard = \"…\""), "{stderr}");
    book.put("job.toml", &format!("{job}\n[[rule]]\nname = \"x\"\n"));
    let (code, _, stderr) = book.outcome(&["check", "job.toml"]);
    assert!(code == 2 && stderr.contains("unknown key `rule`"), "{stderr}");
}

#[test]
fn text_without_quotes_is_told_to_be_quoted() {
    let book = Book::new();
    book.edit("job.toml", "name = \"plain\"", "name = nightly");
    let (code, _, stderr) = book.outcome(&["check", "job.toml"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("quote text: \"nightly\""), "{stderr}");
    let book = Book::new();
    book.edit("policy.toml", "band = 'good'", "band = good");
    let (code, _, stderr) = book.outcome(&["check", "job.toml"]);
    assert!(code == 2 && stderr.contains("there is no column `good` here"), "{stderr}");
    assert!(stderr.contains("quote text: 'good'"), "{stderr}");
    let book = Book::new();
    book.publish();
    let run = format!("out/date={TODAY}");
    for condition in ["left_action = raise", "action in ('hold', raise)", "right_action <> raise"] {
        let (code, _, stderr) = book.outcome(&["diff", &run, &run, "--where", condition]);
        assert!(code == 2 && stderr.contains("quote text: 'raise'"), "{condition}: {stderr}");
    }
    // Where no text is wanted a name is a column that there is not.
    let (_, _, stderr) = book.outcome(&["diff", &run, &run, "--where", "score > raise"]);
    assert!(!stderr.contains("quote text"), "{stderr}");
}

#[test]
fn a_run_without_a_date_is_told_of_ranges_too() {
    let book = Book::new();
    for args in [&["run", "job.toml"][..], &["run"]] {
        let (code, _, stderr) = book.outcome(args);
        assert_eq!(code, 2);
        for part in ["--date", "--from", "--to"] {
            assert!(stderr.contains(part), "{part}: {stderr}");
        }
    }
}

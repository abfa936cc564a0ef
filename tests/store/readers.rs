//! Runs in a store, of one file a table and in parts: every verb says of them what it says of the same run on disk.

use std::fs;
use std::path::Path;

use crate::support::book::{Book, TODAY};
use crate::support::files::{assert_same, files_in, runs_in};
use crate::support::parts::{edit_outputs, split};
use crate::support::store::{Server, command, told};
use crate::support::succeed_in;

/// Where the run lies on disk, in the book's directory.
const RUN: &str = "out/date=2026-11-20";

const ATTEMPT: &str = "attempt-0123456789abcdef";

/// The plain book with today's run on disk.
fn published() -> Book {
    let book = Book::new();
    book.publish();
    book
}

/// Puts a run below a prefix as one that was published there: its files below the attempt that made it.
fn put_run(server: &Server, run: &Path, prefix: &str) {
    let aside = tempfile::tempdir().unwrap();
    for (name, bytes) in files_in(run) {
        let is_beside = ["manifest.json", "_SUCCESS", "released.json"].contains(&name.as_str());
        let key = if is_beside { name.clone() } else { format!("{ATTEMPT}/{name}") };
        server.put(&format!("{prefix}/{key}"), &bytes);
    }
    fs::copy(run.join("manifest.json"), aside.path().join("manifest.json")).unwrap();
    edit_outputs(aside.path(), |outputs| {
        for output in outputs {
            output["file"] = format!("{ATTEMPT}/{}", output["file"].as_str().unwrap()).into();
        }
    });
    server.put(&format!("{prefix}/manifest.json"), &fs::read(aside.path().join("manifest.json")).unwrap());
}

/// What the program says in a book's directory.
fn said(server: &Server, book: &Book, args: &[&str]) -> (i32, String, String) {
    told(command(&server.endpoint, args).current_dir(book.path()).output().unwrap())
}

/// A run in parts, of the same book.
fn in_parts(parts: usize) -> Book {
    let book = published();
    split(&book.path().join(RUN), parts);
    book
}

#[test]
fn every_verb_says_of_a_stored_run_what_it_says_of_one_on_disk() {
    let server = Server::start();
    let book = published();
    put_run(&server, &book.path().join(RUN), "one/date=2026-11-20");
    put_run(&server, &in_parts(3).path().join(RUN), "parts/date=2026-11-20");
    // What an attempt that came to nothing has left is no part of a run.
    server.put("parts/date=2026-11-20/attempt-fedcba9876543210/scores/part-00000.parquet", b"left");
    let questions: [&[&str]; 6] = [
        &["explain", RUN, "--account", "1"],
        &["explain", RUN, "--account", "9"],
        &["scorecard", "job.toml", RUN, "--json"],
        &["report", RUN, "--out", "/dev/stdout"],
        &["report", "out", "--out", "/dev/stdout"],
        &["report", RUN, "--against", RUN, "--out", "/dev/stdout"],
    ];
    for stored in ["s3://bucket/one", "s3://bucket/parts"] {
        for question in questions {
            let there: Vec<String> = question
                .iter()
                .map(|word| match *word {
                    "out" => stored.to_string(),
                    RUN => format!("{stored}/date={TODAY}"),
                    other => other.to_string(),
                })
                .collect();
            let there: Vec<&str> = there.iter().map(String::as_str).collect();
            let (code, stdout, stderr) = said(&server, &book, &there);
            let on_disk = |text: String| text.replace(stored, "out");
            assert_eq!((code, on_disk(stdout), on_disk(stderr)), book.outcome(question), "{there:?}");
        }
        let run = format!("{stored}/date={TODAY}");
        assert_eq!(said(&server, &book, &["verify", &run]).0, 0);
        for pair in [[RUN, &run], [&run, RUN], ["out", stored], [stored, "s3://bucket/one"]] {
            let (code, stdout, stderr) = said(&server, &book, &[&["diff"], &pair[..]].concat());
            assert_eq!(code, 0, "{pair:?}: {stdout}{stderr}");
        }
    }
    let scores = format!("s3://bucket/parts/date={TODAY}/{ATTEMPT}/scores");
    let file = format!("s3://bucket/one/date={TODAY}/{ATTEMPT}/scores.parquet");
    let (code, stdout, stderr) = said(&server, &book, &["diff", &scores, &file, "--key", "account_id"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
}

#[test]
fn runs_in_a_store_are_listed_and_shown() {
    let server = Server::start();
    let book = published();
    put_run(&server, &book.path().join(RUN), "one/date=2026-11-20");
    let stored = format!("s3://bucket/one/date={TODAY}");
    let questions: [(&[&str], &[&str]); 3] = [
        (&["show", &stored], &["show", RUN]),
        (&["runs", "s3://bucket/one"], &["runs", "out"]),
        (&["runs", "s3://bucket/one", "--json"], &["runs", "out", "--json"]),
    ];
    for (there, here) in questions {
        let (code, stdout, stderr) = said(&server, &book, there);
        let on_disk = |text: String| text.replace("s3://bucket/one", "out");
        assert_eq!((code, on_disk(stdout), on_disk(stderr)), book.outcome(here), "{there:?}");
    }
    let (code, _, stderr) = said(&server, &book, &["show", "s3://bucket/one"]);
    assert_eq!(code, 3);
    assert!(stderr.contains("holds 1 run, that of 2026-11-20: name it"), "{stderr}");
}

#[test]
fn a_stored_run_is_gathered_to_the_byte() {
    let server = Server::start();
    let expected = runs_in(&published().path().join("out"));
    let book = in_parts(4);
    put_run(&server, &book.path().join(RUN), "out/date=2026-11-20");
    let (code, stdout, stderr) =
        said(&server, &book, &["gather", "s3://bucket/out/date=2026-11-20", "--out", "gathered"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_same(&runs_in(&book.path().join("gathered")), &expected);
    // Into the store, too, and from there onto disk again.
    let (code, stdout, stderr) = said(&server, &book, &["gather", RUN, "--out", "s3://bucket/gathered"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let gathered = "s3://bucket/gathered/date=2026-11-20";
    assert_eq!(said(&server, &book, &["verify", gathered]).0, 0);
    assert_eq!(said(&server, &book, &["gather", gathered, "--out", "again"]).0, 0);
    assert_same(&runs_in(&book.path().join("again")), &expected);
}

#[test]
fn a_released_run_is_gathered_into_a_store_with_its_note() {
    let server = Server::start();
    let book = Book::new();
    book.append("job.toml", "[[gate]]\nname = \"never\"\nrows = \"lines\"\nmin = 99\n");
    assert_eq!(book.run().0, 4);
    split(&book.path().join(format!("out/held/date={TODAY}")), 4);
    succeed_in(book.path(), &["release", "out", "--date", TODAY]);
    let (code, stdout, stderr) = said(&server, &book, &["gather", RUN, "--out", "s3://bucket/out"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let (code, stdout, stderr) = said(&server, &book, &["verify", "s3://bucket/out/date=2026-11-20"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(server.get("out/date=2026-11-20/released.json").is_some());
    assert!(server.get("out/date=2026-11-20/_SUCCESS").is_some());
}

#[test]
fn a_part_that_is_not_what_the_manifest_says_is_named() {
    let server = Server::start();
    let book = in_parts(3);
    put_run(&server, &book.path().join(RUN), "out/date=2026-11-20");
    let run = "s3://bucket/out/date=2026-11-20";
    let key = format!("out/date=2026-11-20/{ATTEMPT}/decisions/part-00001.parquet");
    let good = server.get(&key).unwrap();
    let mut damaged = good.clone();
    damaged[100] ^= 1;
    for (bytes, why) in [
        (Some(&damaged[..]), "its SHA-256 is another"),
        (Some(&good[1..]), "the manifest says"),
        (None, "it is not there"),
    ] {
        match bytes {
            Some(bytes) => server.put(&key, bytes),
            None => server.remove(&key),
        }
        let questions: [&[&str]; 4] = [
            &["verify", run],
            &["explain", run, "--account", "2"],
            &["gather", run, "--out", "gathered"],
            &["diff", RUN, run],
        ];
        for question in questions {
            let (code, stdout, stderr) = said(&server, &book, question);
            assert_eq!((code, stdout.as_str()), (3, ""), "{question:?}");
            assert!(stderr.contains("decisions/part-00001.parquet"), "{question:?}: {stderr}");
            assert!(stderr.contains(why), "{question:?}: {stderr}");
        }
        assert!(!book.path().join("gathered/date=2026-11-20").exists());
    }
    server.put(&key, &good);
    server.put(&format!("out/date=2026-11-20/{ATTEMPT}/notes.txt"), b"mine");
    let (code, _, stderr) = said(&server, &book, &["verify", run]);
    assert_eq!(code, 3);
    assert!(stderr.contains(&format!("{ATTEMPT}/notes.txt should not be there")), "{stderr}");
}

#[test]
fn what_goes_wrong_on_the_way_is_tried_again_and_what_is_replaced_is_not_read() {
    let server = Server::start();
    let book = in_parts(3);
    put_run(&server, &book.path().join(RUN), "out/date=2026-11-20");
    let run = "s3://bucket/out/date=2026-11-20";
    let faulty =
        |args: &[&str]| told(command(&server.faulty, args).current_dir(book.path()).output().unwrap());
    for rules in [
        r#"[{"fault": "status", "status": 503, "skip": 2, "times": 2}, {"method": "GET", "fault": "refuse", "skip": 4}]"#,
        r#"[{"method": "GET", "key": "manifest", "fault": "cut"}, {"method": "GET", "key": "scores", "fault": "cut", "times": 2}]"#,
        r#"[{"method": "HEAD", "fault": "lose", "skip": 1}, {"method": "GET", "key": "list-type", "fault": "cut"}]"#,
    ] {
        let questions: [&[&str]; 3] =
            [&["verify", run], &["diff", RUN, run], &["explain", run, "--account", "2"]];
        for question in questions {
            server.make_faults(rules);
            let (code, _, stderr) = faulty(question);
            assert_eq!(code, 0, "{question:?} {rules}: {stderr}");
        }
    }
    for question in [&["verify", run][..], &["diff", RUN, run], &["gather", run, "--out", "gathered"]] {
        put_run(&server, &book.path().join(RUN), "out/date=2026-11-20");
        server.make_faults(r#"[{"method": "GET", "key": "decisions/part-00001", "fault": "replace"}]"#);
        let (code, stdout, stderr) = faulty(question);
        assert_eq!((code, stdout.as_str()), (3, ""), "{question:?}: {stderr}");
        assert!(stderr.contains("decisions/part-00001.parquet"), "{question:?}: {stderr}");
    }
    assert!(!book.path().join("gathered/date=2026-11-20").exists());
}

#[test]
fn what_is_no_run_is_said_in_a_sentence() {
    let server = Server::start();
    let book = published();
    let cases = [
        ("s3:/bucket/out", "a URL is written s3://bucket/key"),
        ("s3://elsewhere/out/date=2026-11-20", "there is no bucket elsewhere"),
        ("s3://bucket/none", "no whole run"),
    ];
    for (run, why) in cases {
        let questions: [&[&str]; 4] = [
            &["verify", run],
            &["explain", run, "--account", "1"],
            &["report", run],
            &["gather", run, "--out", "gathered"],
        ];
        for question in questions {
            let (code, stdout, stderr) = said(&server, &book, question);
            assert_eq!((code, stdout.as_str(), stderr.lines().count()), (3, "", 1), "{question:?}: {stderr}");
            assert!(stderr.contains(why), "{question:?}: {stderr}");
        }
        let (code, _, stderr) = said(&server, &book, &["diff", RUN, run]);
        assert_eq!((code, stderr.lines().count()), (3, 1), "{stderr}");
    }
    let mut denied = command(&server.endpoint, &["verify", "s3://bucket/out"]);
    let denied =
        told(denied.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").output().unwrap());
    assert_eq!(denied.0, 3);
    assert!(denied.2.contains("access to bucket bucket is denied"), "{}", denied.2);
}

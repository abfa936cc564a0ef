//! Publishing without a rename: files first, the manifest last and under a condition.

use std::process::Stdio;

use super::{NIGHT, RUN, assert_is_run_on_disk, stored_book};
use crate::support::book::{TODAY, TRANSACTIONS, delivered, table};
use crate::support::store::{Server, command, told};

fn replace() -> Vec<&'static str> {
    NIGHT.into_iter().chain(["--replace"]).collect()
}

/// The attempts that have left files beside a run.
fn attempts(server: &Server) -> Vec<String> {
    let keys = server.keys(RUN).into_iter().filter(|key| key.starts_with("attempt-"));
    let mut attempts: Vec<String> = keys.map(|key| key.split('/').next().unwrap().to_string()).collect();
    attempts.dedup();
    attempts
}

#[test]
fn a_run_that_is_there_is_left_alone_and_replaced_when_asked_for() {
    let server = Server::start();
    let book = stored_book(&server);
    assert_eq!(server.rescore(&NIGHT).0, 0);
    let first = server.get(&format!("{RUN}/manifest.json")).unwrap();
    // Whose process died before it could say that it is done, says so later.
    server.remove(&format!("{RUN}/_SUCCESS"));
    assert_eq!(server.rescore(&NIGHT).0, 0);
    assert_eq!(server.get(&format!("{RUN}/_SUCCESS")), Some(Vec::new()));
    assert_eq!(server.get(&format!("{RUN}/manifest.json")).unwrap(), first);
    assert_eq!(attempts(&server).len(), 1);
    let more = "31  2  2026-11-20  100  purchase  grocery  true";
    book.deliver("transactions", TODAY, &table(&TRANSACTIONS, more));
    server.put_all(book.path(), "book");
    let (code, _, err) = server.rescore(&NIGHT);
    assert_eq!(code, 6, "{err}");
    assert!(err.contains("published already, from other inputs"), "{err}");
    let (code, _, err) = server.rescore(&replace());
    assert_eq!(code, 0, "{err}");
    book.publish();
    assert_is_run_on_disk(&server, &book);
    // Whoever has read the old manifest can read its files.
    assert_eq!(attempts(&server).len(), 2);
}

#[test]
fn of_many_that_publish_at_once_one_wins() {
    const AT_ONCE: usize = 50;
    let server = Server::start();
    let book = stored_book(&server);
    book.publish();
    let start =
        |_| command(&server.endpoint, &NIGHT).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let started: Vec<_> = (0..AT_ONCE).map(start).collect();
    let ended = started.into_iter().map(|child| told(child.wait_with_output().unwrap()));
    let codes: Vec<i32> = ended
        .map(|(code, _, err)| {
            assert!(code == 0 || code == 5 && err.contains("another run has published"), "{code}: {err}");
            code
        })
        .collect();
    assert!(codes.contains(&0), "{codes:?}");
    assert_is_run_on_disk(&server, &book);
    // The losers have cleared up.
    assert_eq!(attempts(&server).len(), 1);
}

#[test]
fn a_held_run_is_released_as_it_is() {
    let server = Server::start();
    let book = stored_book(&server);
    book.append("job.toml", "\n[[gate]]\nname = \"the book is there\"\nrows = \"lines\"\nmin = 5\n");
    server.put_all(book.path(), "book");
    let (code, _, err) = server.rescore(&NIGHT);
    assert_eq!(code, 4, "{err}");
    assert!(server.run(RUN).is_none());
    let held = "book/out/held/date=2026-11-20";
    let (files, _) = server.run(held).unwrap();
    let manifest = server.get(&format!("{held}/manifest.json"));
    // Held once more by another run: the newer one takes its place.
    assert_eq!(server.rescore(&replace()).0, 4);
    let newer = server.get(&format!("{held}/manifest.json"));
    assert_ne!(newer, manifest);
    let (code, _, err) = server.rescore(&["release", "s3://bucket/book/out", "--date", TODAY]);
    assert_eq!(code, 0, "{err}");
    assert!(server.run(RUN).unwrap().0 == files);
    assert_eq!(server.get(&format!("{RUN}/manifest.json")), newer);
    assert!(server.get(&format!("{RUN}/released.json")).is_some());
    assert_eq!(server.get(&format!("{RUN}/_SUCCESS")), Some(Vec::new()));
    assert!(server.run(held).is_none());
    let (code, _, err) = server.rescore(&["release", "s3://bucket/book/out", "--date", TODAY]);
    assert_ne!(code, 0, "{err}");
    assert_eq!(server.rescore(&NIGHT).0, 0);
}

#[test]
fn what_a_failed_night_has_put_is_no_run() {
    let server = Server::start();
    let book = stored_book(&server);
    std::fs::write(book.path().join(delivered("repayments", TODAY)), "no Parquet").unwrap();
    server.put_all(book.path(), "book");
    assert_eq!(server.rescore(&NIGHT).0, 3);
    assert!(server.keys("book/out").is_empty(), "{:?}", server.keys("book/out"));
}

//! A run that fails or dies leaves nothing that looks like a run, and the older one as it was.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{entries, published};
use crate::support::book::{Book, TODAY, TRANSACTIONS, delivered, table};
use crate::support::succeed_in;

#[test]
fn a_run_that_fails_leaves_no_directory() {
    let book = Book::new();
    fs::write(book.path().join(delivered("repayments", TODAY)), "no Parquet").unwrap();
    let (code, ..) = book.run();
    assert_eq!(code, 3);
    assert!(entries(&book).is_empty(), "{:?}", entries(&book));
}

#[test]
fn a_run_that_fails_leaves_the_older_one_as_it_was() {
    let book = Book::new();
    book.publish();
    let before = published(&book);
    let too_much = "
        31  2  2026-11-20  9223372036854775807  purchase  a  true
        32  2  2026-11-20  9223372036854775807  purchase  a  true";
    book.deliver("transactions", TODAY, &table(&TRANSACTIONS, too_much));
    let (code, ..) = book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]);
    assert_eq!(code, 3);
    assert_eq!(published(&book), before);
    book.edit("policy.toml", "percent = 20", "percent = \"20\"");
    let (code, ..) = book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]);
    assert_eq!(code, 2);
    assert_eq!(published(&book), before);
    assert_eq!(entries(&book), [format!("date={TODAY}")]);
}

#[test]
fn what_a_dead_run_left_staged_is_cleared() {
    let book = Book::new();
    for staging in ["out/.staging-0123456789abcdef", "out/.staging-00000000deadbeef"] {
        fs::create_dir_all(book.path().join(staging)).unwrap();
    }
    fs::create_dir(book.path().join("out/.staging-0123456789abcdef/made")).unwrap();
    book.put("out/.staging-0123456789abcdef/.rescore", "");
    book.put("out/.staging-0123456789abcdef/made/scores.parquet", "half");
    book.publish();
    assert_eq!(entries(&book), [format!("date={TODAY}")]);
}

/// Runs today's night in a shell that lets no file grow beyond half a kilobyte.
fn run_on_a_full_disk(book: &Book, before: &str) -> ExitStatus {
    let binary = env!("CARGO_BIN_EXE_rescore");
    let script = format!("{before} ulimit -f 1; exec {binary} run job.toml --date {TODAY} --replace");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(book.path());
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap()
}

#[test]
fn a_write_that_fails_leaves_the_older_run_and_nothing_else() {
    let book = Book::new();
    book.publish();
    let before = published(&book);
    let status = run_on_a_full_disk(&book, "trap '' XFSZ;");
    assert_eq!(status.code(), Some(7));
    assert_eq!(entries(&book), [format!("date={TODAY}")]);
    assert_eq!(published(&book), before);
}

#[test]
fn a_run_that_is_killed_while_it_writes_leaves_the_older_one_and_the_next_clears_up() {
    let book = Book::new();
    book.publish();
    let before = published(&book);
    let status = run_on_a_full_disk(&book, "");
    assert_eq!(status.code(), None, "{status}");
    let left = entries(&book);
    assert!(left[0].starts_with(".staging-") && left[1..] == [format!("date={TODAY}")], "{left:?}");
    assert_eq!(published(&book), before);
    succeed_in(book.path(), &["verify", &format!("out/date={TODAY}")]);
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY]);
    assert_eq!(entries(&book), [format!("date={TODAY}")]);
}

#[test]
fn an_output_directory_that_cannot_be_made() {
    let book = Book::new();
    let (code, stdout, stderr) =
        book.outcome(&["run", "job.toml", "--date", TODAY, "--out", "/proc/self/rescore"]);
    assert_eq!((code, stdout.as_str()), (7, ""));
    assert!(stderr.starts_with("error: create the directory /proc/self/rescore: "), "{stderr}");
}

/// A book large enough for a signal to find the run at work.
fn large_book() -> Book {
    let book = Book::new();
    fs::remove_dir_all(book.path().join("in")).unwrap();
    let sample =
        ["sample", "in", "--accounts", "20000", "--from", "2026-11-16", "--to", TODAY, "--seed", "1"];
    succeed_in(book.path(), &sample);
    book.edit("policy.toml", "segment = 'private' and score >= 600", "score >= 600");
    book.edit("scorecard.toml", "is_online and category is not null", "online and category is not null");
    book
}

fn start(book: &Book) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(book.path()).args(["run", "job.toml", "--date", TODAY, "--threads", "1"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn wait_for(path: &Path) {
    let started = Instant::now();
    while !path.exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "no {}", path.display());
        sleep(Duration::from_micros(200));
    }
}

/// Waits until a run writes.
fn wait_for_staging(book: &Book) {
    wait_for(&book.path().join("out/.lock"));
    let started = Instant::now();
    while !entries(book).iter().any(|name| name.starts_with(".staging-")) {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is staged");
        sleep(Duration::from_micros(200));
    }
}

fn interrupt(child: &mut Child, signal: &str) -> Option<i32> {
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    child.wait().unwrap().code()
}

#[test]
fn a_signal_stops_a_run_and_nothing_is_half_done() {
    let book = large_book();
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 143)] {
        let _ = fs::remove_dir_all(book.path().join("out"));
        let mut child = start(&book);
        wait_for(&book.path().join("out/.lock"));
        assert_eq!(interrupt(&mut child, signal), Some(code));
        assert!(entries(&book).is_empty(), "{:?}", entries(&book));
    }
}

#[test]
fn a_signal_while_tables_are_written_leaves_a_whole_run_or_none() {
    let book = large_book();
    let mut child = start(&book);
    wait_for_staging(&book);
    let code = interrupt(&mut child, "-INT");
    match entries(&book)[..] {
        [] => assert_eq!(code, Some(130)),
        _ => {
            assert_eq!((code, entries(&book)), (Some(0), vec![format!("date={TODAY}")]));
            succeed_in(book.path(), &["verify", &format!("out/date={TODAY}")]);
        }
    }
}

#[test]
fn a_run_that_is_killed_outright_gives_way_to_the_next() {
    let book = large_book();
    let mut child = start(&book);
    wait_for_staging(&book);
    assert_eq!(interrupt(&mut child, "-KILL"), None);
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY]);
    assert_eq!(entries(&book), [format!("date={TODAY}")]);
    succeed_in(book.path(), &["verify", &format!("out/date={TODAY}")]);
}

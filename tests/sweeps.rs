//! Faults of the system at every call that changes something: what is published stays whole, the exit codes
//! are those of the contract, and the next run succeeds.

mod mutations;
mod strace;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::audit::from_environment;
use crate::support::book::{Book, TODAY};
use crate::support::files::copy;
use crate::support::outcome_in;
use strace::{Ended, Fault, Injection, changing_calls, with_fault};

/// Every how manyeth call is failed; SWEEP_STRIDE=1 takes all of them. The first of each kind always is.
const STRIDE: usize = 3;

/// Today's run.
fn run() -> String {
    format!("out/date={TODAY}")
}

/// What is done to a book, and what must be true of it afterwards.
struct Operation {
    name: &'static str,
    /// Makes the book.
    prepare: fn() -> Book,
    args: &'static [&'static str],
    /// Checks that what is published is old or new and whole, then that nothing is stuck.
    check: fn(&Path),
}

const GATE: &str = "\n[[gate]]\nname = \"never\"\nrows = \"lines\"\nmin = 99\n";

/// A book whose nights write everything that a night can.
fn full_book() -> Book {
    let book = Book::new();
    book.edit("job.toml", "csv = true", "csv = true\nreport = true\n[state]\ndir = \"out/.state\"");
    book
}

fn published_book() -> Book {
    let book = full_book();
    book.publish();
    book.edit("scorecard.toml", "base = 400", "base = 401");
    book
}

fn held_book() -> Book {
    let book = full_book();
    book.append("job.toml", GATE);
    assert_eq!(book.run().0, 4);
    book
}

fn succeeds(directory: &Path, args: &[&str]) {
    let (code, stdout, stderr) = outcome_in(directory, args);
    assert_eq!(code, 0, "{args:?}\n{stdout}\n{stderr}");
}

/// No run is left in the making. States are cleared away when the next one is made.
fn is_clean(directory: &Path) {
    let names = std::fs::read_dir(directory.join("out")).unwrap().map(|entry| entry.unwrap().file_name());
    let staged: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with(".staging-")).collect();
    assert!(staged.is_empty(), "{staged:?}");
}

fn is_whole_or_absent(directory: &Path) {
    if directory.join(run()).exists() {
        succeeds(directory, &["verify", &run()]);
    }
    succeeds(directory, &["run", "job.toml", "--date", TODAY]);
    succeeds(directory, &["verify", &run()]);
    is_clean(directory);
}

fn is_old_or_new(directory: &Path) {
    succeeds(directory, &["verify", &run()]);
    let scorecard = std::fs::read_to_string(directory.join(run()).join("scorecard.toml")).unwrap();
    assert!(scorecard.contains("base = 400") || scorecard.contains("base = 401"));
    succeeds(directory, &["run", "job.toml", "--date", TODAY, "--replace"]);
    succeeds(directory, &["verify", &run()]);
    is_clean(directory);
    for entry in std::fs::read_dir(directory.join("out/superseded")).unwrap() {
        succeeds(directory, &["verify", entry.unwrap().path().to_str().unwrap()]);
    }
}

fn is_held_or_published(directory: &Path) {
    let held = format!("out/held/date={TODAY}");
    if directory.join(run()).exists() {
        assert!(!directory.join(&held).exists());
    } else {
        succeeds(directory, &["verify", &held]);
        succeeds(directory, &["release", "out", "--date", TODAY]);
    }
    succeeds(directory, &["verify", &run()]);
    succeeds(directory, &["run", "job.toml", "--date", TODAY]);
    is_clean(directory);
}

const RUN: Operation = Operation {
    name: "run",
    prepare: full_book,
    args: &["run", "job.toml", "--date", TODAY, "--threads", "1"],
    check: is_whole_or_absent,
};

const REPLACE: Operation = Operation {
    name: "replace",
    prepare: published_book,
    args: &["run", "job.toml", "--date", TODAY, "--threads", "1", "--replace"],
    check: is_old_or_new,
};

const RELEASE: Operation = Operation {
    name: "release",
    prepare: held_book,
    args: &["release", "out", "--date", TODAY],
    check: is_held_or_published,
};

/// Lets an operation meet a fault at every call that changes something.
fn sweep(operation: &Operation, injections: &[Injection]) {
    let template = (operation.prepare)();
    let fresh = || {
        let directory = tempfile::tempdir().unwrap();
        copy(template.path(), directory.path());
        directory
    };
    let calls = changing_calls(fresh().path(), operation.args);
    let stride = from_environment("SWEEP_STRIDE").unwrap_or(STRIDE);
    let chosen: Vec<&Fault> = calls
        .iter()
        .enumerate()
        .filter(|(place, call)| place % stride == 0 || call.nth == 1)
        .map(|(_, call)| call)
        .collect();
    assert!(calls.len() > 10, "{calls:?}");
    let met = AtomicUsize::new(0);
    for injection in injections {
        for fault in &chosen {
            let directory = fresh();
            let ended = with_fault(directory.path(), operation.args, fault, *injection);
            let what = format!("{} with {injection:?} at {fault:?}: {ended:?}", operation.name);
            match &ended {
                Ended::Killed => drop(met.fetch_add(1, Ordering::Relaxed)),
                Ended::Exit(0, _) => {}
                Ended::Exit(7, stderr) => {
                    met.fetch_add(1, Ordering::Relaxed);
                    // Beside it, that a state is not kept may be warned of.
                    // Every thread meets the fault at the call of its own of this number: it may be the one that tells it.
                    if stderr.is_empty() && fault.call == "write" {
                        continue;
                    }
                    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
                    assert!(errors == 1 && !stderr.contains("panicked"), "{what}");
                    assert!(stderr.contains("out"), "the place is named: {what}");
                }
                // The call of this number of another thread was one that reads.
                Ended::Exit(2 | 3, stderr) if fault.call == "openat" && !stderr.contains("out/") => {}
                Ended::Exit(..) => panic!("{what}"),
            }
            let checked = std::panic::catch_unwind(|| (operation.check)(directory.path()));
            checked.unwrap_or_else(|_| panic!("{what}"));
        }
    }
    println!(
        "{}: {} calls, {} chosen, {} faults met",
        operation.name,
        calls.len(),
        chosen.len(),
        met.into_inner()
    );
}

#[test]
fn a_run_killed_at_any_call() {
    sweep(&RUN, &[Injection::Kill]);
}

#[test]
fn a_run_without_space_or_with_a_broken_disk() {
    sweep(&RUN, &[Injection::Error("ENOSPC"), Injection::Error("EIO")]);
}

#[test]
fn a_replacement_killed_at_any_call() {
    sweep(&REPLACE, &[Injection::Kill]);
}

#[test]
fn a_replacement_without_space_or_with_a_broken_disk() {
    sweep(&REPLACE, &[Injection::Error("ENOSPC"), Injection::Error("EIO")]);
}

#[test]
fn a_release_killed_or_failed_at_any_call() {
    sweep(&RELEASE, &[Injection::Kill, Injection::Error("ENOSPC"), Injection::Error("EIO")]);
}

/// A file system that knows no exchange and no rename that replaces nothing.
#[test]
fn a_replacement_where_names_cannot_be_exchanged() {
    let book = published_book();
    let every = Fault { call: "renameat2".into(), nth: 0 };
    let ended = with_fault(book.path(), REPLACE.args, &every, Injection::Error("EINVAL"));
    assert!(matches!(ended, Ended::Exit(0, _)), "{ended:?}");
    assert_eq!(std::fs::read_dir(book.path().join("out/superseded")).unwrap().count(), 1);
    is_old_or_new(book.path());
}

/// A run of another user may be renamed where it is, but not moved elsewhere.
#[test]
fn a_run_that_cannot_be_moved_away_stays_beside_the_one_that_replaces_it() {
    let book = published_book();
    let exchange = Fault { call: "renameat2".into(), nth: 2 };
    let ended = with_fault(book.path(), REPLACE.args, &exchange, Injection::Error("EACCES"));
    assert!(matches!(ended, Ended::Exit(0, _)), "{ended:?}");
    let beside = |directory: &Path| {
        let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        names.filter(|path| path.to_str().unwrap().contains("/.superseded-")).collect::<Vec<_>>()
    };
    let kept = beside(&book.path().join("out"));
    assert_eq!(kept.len(), 1);
    succeeds(book.path(), &["verify", kept[0].to_str().unwrap()]);
    is_old_or_new(book.path());
}

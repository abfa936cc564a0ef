//! Files that are not what their place says: refused by name; what is no data is passed over.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Case, check};
use crate::support::book::{Book, TODAY, delivered};
use crate::support::{Cell, Table};

/// A second file of a delivery.
fn beside(book: &Book, input: &str, name: impl AsRef<OsStr>) -> PathBuf {
    book.path().join(delivered(input, TODAY)).with_file_name(name.as_ref())
}

fn make_fifo(path: &std::path::Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn what_is_no_regular_file_is_refused_by_name() {
    check(&[
        Case {
            kind: "text where Parquet should be",
            input: |book| fs::write(book.path().join(delivered("repayments", TODAY)), "no Parquet").unwrap(),
            exit: 3,
            message: "read repayments of 2026-11-20 (in/repayments/date=2026-11-20/part-0.parquet): it cannot \
                      be read: its 10 bytes do not end in a Parquet footer: have it delivered again",
        },
        Case {
            kind: "a FIFO that nobody writes to",
            input: |book| make_fifo(&beside(book, "transactions", "part-1.parquet")),
            exit: 3,
            message: "read transactions of 2026-11-20 (in/transactions/date=2026-11-20/part-1.parquet): it \
                      cannot be read: it is a FIFO, no file",
        },
        Case {
            kind: "a link to a FIFO",
            input: |book| {
                make_fifo(&book.path().join("fifo"));
                symlink("../../../fifo", beside(book, "lines", "part-1.parquet")).unwrap();
            },
            exit: 3,
            message: "lines/date=2026-11-20/part-1.parquet): it cannot be read: it is a FIFO, no file",
        },
        Case {
            kind: "a socket",
            input: |book| drop(UnixListener::bind(beside(book, "lines", "part-1.parquet")).unwrap()),
            exit: 3,
            message: "lines/date=2026-11-20/part-1.parquet): it cannot be read: it is a socket, no file",
        },
        Case {
            kind: "a device",
            input: |book| symlink("/dev/zero", beside(book, "repayments", "part-1.parquet")).unwrap(),
            exit: 3,
            message: "part-1.parquet): it cannot be read: it is a device, no file",
        },
        Case {
            kind: "a directory called as a file",
            input: |book| fs::create_dir(beside(book, "transactions", "part-1.parquet")).unwrap(),
            exit: 3,
            message: "part-1.parquet): it cannot be read: it is a directory, no file",
        },
        Case {
            kind: "a link to nothing",
            input: |book| symlink("gone", beside(book, "transactions", "part-1.parquet")).unwrap(),
            exit: 3,
            message: "part-1.parquet): it cannot be read: No such file or directory",
        },
        Case {
            kind: "a link to a file",
            input: |book| {
                let path = book.path().join(delivered("transactions", TODAY));
                fs::rename(&path, book.path().join("elsewhere")).unwrap();
                symlink("../../../elsewhere", path).unwrap();
            },
            exit: 0,
            message: "",
        },
        Case {
            kind: "a directory that cannot be listed",
            input: |book| symlink("date=2026-11-18", book.path().join("in/lines/date=2026-11-18")).unwrap(),
            exit: 3,
            message: "list lines: in/lines/date=2026-11-18: Too many levels of symbolic links",
        },
    ]);
}

#[test]
fn names_that_are_no_data_or_no_text() {
    /// All files of a delivery, whatever they are called.
    fn take_all(book: &Book) {
        for input in ["transactions", "repayments", "lines"] {
            book.edit(
                "job.toml",
                &format!("{input}/date={{date}}/*.parquet"),
                &format!("{input}/date={{date}}/*"),
            );
        }
    }
    check(&[
        Case {
            kind: "markers and leftovers of other programs",
            input: |book| {
                take_all(book);
                for name in ["_SUCCESS", "_committed_1", ".part-0.parquet.crc", "_metadata.parquet"] {
                    fs::write(beside(book, "lines", name), "").unwrap();
                }
                fs::create_dir_all(beside(book, "lines", "_temporary/0")).unwrap();
                fs::create_dir(beside(book, "lines", ".ipynb_checkpoints")).unwrap();
            },
            exit: 0,
            message: "",
        },
        Case {
            kind: "a directory among all files",
            input: |book| {
                take_all(book);
                fs::create_dir(beside(book, "lines", "old")).unwrap();
            },
            exit: 3,
            message: "read lines of 2026-11-20 (in/lines/date=2026-11-20/old): it cannot be read: it is a directory",
        },
        Case {
            kind: "a note whose name is not UTF-8",
            input: |book| {
                let name = OsStr::from_bytes(b"liesmich-f\xfcr-alle.txt");
                fs::write(beside(book, "transactions", name), "x").unwrap();
            },
            exit: 0,
            message: "",
        },
        Case {
            kind: "a part whose name is not UTF-8",
            input: |book| {
                let name = OsStr::from_bytes(b"part-\xff.parquet");
                fs::copy(book.path().join(delivered("lines", TODAY)), beside(book, "lines", name)).unwrap();
            },
            exit: 3,
            message: r"(in/lines/date=2026-11-20/part-\xff.parquet): its name is not UTF-8: rename it",
        },
        Case {
            kind: "a part whose name would move the cursor",
            input: |book| fs::write(beside(book, "lines", "\u{1b}[2J.parquet"), "x").unwrap(),
            exit: 3,
            message: r"date=2026-11-20/\u{1b}[2J.parquet): it cannot be read",
        },
    ]);
}

#[test]
fn a_run_that_meets_a_fifo_can_be_ended() {
    let book = Book::new();
    make_fifo(&book.path().join("in/transactions/date=2026-11-20/part-1.parquet"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(book.path()).args(["run", "job.toml", "--date", TODAY]).stderr(Stdio::null());
    let mut run = command.stdout(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while run.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(20), "it waits for the FIFO");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(run.wait().unwrap().code(), Some(3));
}

#[test]
fn files_are_named_from_the_wildcard_on_whatever_the_directories_above_it_are_called() {
    for odd in ["cur{ly}", "{date}", "br[a]cket", "star*", "que?tion", "sp ace", "[{]", "date=2026-11-19"] {
        let book = Book::new();
        fs::create_dir(book.path().join(odd)).unwrap();
        for name in ["job.toml", "scorecard.toml", "policy.toml", "in"] {
            fs::rename(book.path().join(name), book.path().join(odd).join(name)).unwrap();
        }
        let path = book.path().join(odd).join(delivered("transactions", TODAY));
        let mut rows = Table::read(&path);
        rows.rows[0][1] = Cell::Null;
        rows.write(&path);
        let job = format!("{odd}/job.toml");
        let (code, _, stderr) = book.outcome(&["run", &job, "--date", TODAY, "--out", "out"]);
        assert_eq!(code, 0, "{odd}: {stderr}");
        assert_eq!(
            book.output("rejects").column("file"),
            [Cell::from("date=2026-11-20/part-0.parquet")],
            "{odd}"
        );
    }
}

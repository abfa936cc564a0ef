//! Runs that were touched, read by every verb that reads one: none of them believes what is not as its manifest says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::book::{Book, LINES, REPAYMENTS, TODAY};
use crate::support::{Cell, Table, day};

const RUN: &str = "out/date=2026-11-20";
const OTHER: &str = "other/date=2026-11-20";

/// What is done to a run.
struct Touch {
    kind: &'static str,
    file: &'static str,
    does: fn(&Path),
    says: &'static str,
}

const NOT_SO: &str = "it is not what its manifest says; look at the run with `rescore verify";

/// A byte becomes another, and the size stays.
fn change_a_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn replace_by_a_link(path: &Path) {
    let real = path.with_extension("real");
    fs::rename(path, &real).unwrap();
    symlink(real, path).unwrap();
}

fn replace_by_a_pipe(path: &Path) {
    fs::remove_file(path).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
}

fn touches(file: &'static str) -> [Touch; 6] {
    let touch = |kind, does, says| Touch { kind, file, does, says };
    [
        touch("a byte is another", change_a_byte as fn(&Path), "its SHA-256 is another"),
        touch(
            "it is cut short",
            |path| fs::File::options().write(true).open(path).unwrap().set_len(9).unwrap(),
            "it has 9 bytes",
        ),
        touch("it is gone", |path| fs::remove_file(path).unwrap(), "it is not there"),
        touch("it is a link", replace_by_a_link, "it is a symbolic link"),
        touch("it is a pipe", replace_by_a_pipe, "it is no regular file"),
        touch(
            "it is a directory",
            |path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            },
            "it is no regular file",
        ),
    ]
}

/// A verb that reads `RUN`, and which of its files.
struct Reader {
    args: &'static [&'static str],
    files: &'static [&'static str],
}

const JOB_FILES: [&str; 3] = ["job.toml", "scorecard.toml", "policy.toml"];
const DECIDING: &[&str] = &["decisions.parquet", "features.parquet", "rejects.parquet"];
const COMPARED: &[&str] = &["scores.parquet", "features.parquet", "decisions.parquet", "rejects.parquet"];

const READERS: [Reader; 9] = [
    Reader { args: &["explain", RUN, "--account", "1"], files: DECIDING },
    Reader { args: &["explain", RUN, "--account", "1", "--adverse-action"], files: DECIDING },
    Reader { args: &["explain", OTHER, "--account", "1", "--against", RUN], files: DECIDING },
    Reader {
        args: &["report", RUN, "--out", "page.html"],
        files: &["scores.parquet", "decisions.parquet", "rejects.parquet"],
    },
    Reader { args: &["report", OTHER, "--against", RUN, "--out", "page.html"], files: COMPARED },
    Reader {
        args: &["report", "out", "--out", "page.html"],
        files: &["scores.parquet", "decisions.parquet"],
    },
    Reader { args: &["diff", RUN, OTHER], files: COMPARED },
    Reader { args: &["diff", OTHER, RUN, "--only", "adjustments"], files: &["adjustments.parquet"] },
    Reader { args: &["diff", "out", "other"], files: COMPARED },
];

fn two_runs() -> Book {
    let book = Book::new();
    book.publish();
    let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--out", "other"]);
    assert_eq!(code, 0, "{stderr}");
    book
}

/// Ends with 3 and says so, with nothing on stdout, and no fault of its own.
fn is_refused(book: &Book, args: &[&str], says: &[&str], about: &str) {
    let (code, stdout, stderr) = book.outcome(args);
    let about = format!("{about}: {args:?}\n{stderr}");
    assert_eq!((code, stdout.as_str()), (3, ""), "{about}");
    assert!(says.iter().all(|part| stderr.contains(part)), "{about}");
    assert!(!stderr.contains("panicked") && stderr.lines().count() == 1, "{about}");
}

#[test]
fn a_table_or_a_job_file_that_was_touched_is_not_believed() {
    let book = two_runs();
    for reader in &READERS {
        for file in reader.files.iter().copied().chain(JOB_FILES) {
            for Touch { kind, file, does, says } in touches(file) {
                let path = book.path().join(RUN).join(file);
                let kept = fs::read(&path).unwrap();
                does(&path);
                is_refused(&book, reader.args, &[file, says, NOT_SO], kind);
                if path.is_dir() {
                    fs::remove_dir(&path).unwrap()
                } else {
                    drop(fs::remove_file(&path))
                }
                fs::write(&path, kept).unwrap();
            }
        }
        let (code, _, stderr) = book.outcome(reader.args);
        assert!(code < 2, "{:?}: {stderr}", reader.args);
    }
}

#[test]
fn a_manifest_that_is_a_link_or_a_pipe_is_not_followed() {
    for does in [replace_by_a_link as fn(&Path), replace_by_a_pipe] {
        let book = two_runs();
        does(&book.path().join(RUN).join("manifest.json"));
        for reader in &READERS {
            is_refused(&book, reader.args, &["manifest.json"], "");
        }
    }
}

/// Of an account whose line bears dates that no calendar holds, everything is told.
#[test]
fn days_beyond_the_calendar_are_explained() {
    for far in [i32::MIN, i32::MIN + 1, -4_371_588, -719_529, 2_932_897, i32::MAX] {
        let book = Book::new();
        let far = rescore::day::Day(far);
        let mut lines = Table::new(&LINES);
        let opened = if far < day(TODAY) { far } else { day("2025-01-01") };
        lines.rows.push(vec![
            1.into(),
            "card".into(),
            100_000.into(),
            0.into(),
            "active".into(),
            opened.into(),
            Cell::from(Some(far).filter(|far| *far < day(TODAY))),
            Cell::Null,
            "mass".into(),
        ]);
        book.deliver("lines", TODAY, &lines);
        let mut bills = Table::new(&REPAYMENTS);
        bills.rows.push(vec![
            1.into(),
            "card".into(),
            501.into(),
            far.into(),
            5_000.into(),
            Cell::Null,
            Cell::Null,
        ]);
        book.deliver("repayments", TODAY, &bills);
        let (code, _, stderr) = book.run();
        assert_eq!(code, 0, "{far}: {stderr}");
        for more in [&[][..], &["--json"], &["--adverse-action"], &["--against", RUN]] {
            let args = [&["explain", RUN, "--account", "1"][..], more].concat();
            let (code, stdout, stderr) = book.outcome(&args);
            assert_eq!((code, stderr.as_str()), (0, ""), "{far} {more:?}");
            assert!(!stdout.is_empty());
        }
        let (code, _, stderr) = book.outcome(&["report", RUN, "--against", RUN]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{far}");
        let (code, _, stderr) = book.outcome(&["diff", RUN, RUN]);
        assert_eq!((code, stderr.as_str()), (0, ""), "{far}");
    }
}

//! Directories that overlap, and files that `--out` names: what is the user's is written as they want it, or
//! not at all.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::book::{Book, TODAY, YESTERDAY};
use crate::support::files::{files_in, tree};
use crate::support::succeed_in;

/// How the job's directories are changed: the kind, `[output] dir`, `[state] dir`, `--out`, what is said.
type Overlap = (&'static str, &'static str, &'static str, &'static str, &'static str);

const OVERLAPS: [Overlap; 18] = [
    (
        "the output is an input's directory",
        "in/transactions",
        "",
        "",
        "the output directory is, holds or lies in the directory of transactions",
    ),
    ("it is that by a detour", "in/../in/./transactions//", "", "", "in the directory of transactions"),
    ("it lies in one", "in/repayments/mine", "", "", "in the directory of repayments"),
    ("it lies in a delivery", "in/lines/date=2026-11-20", "", "", "in the directory of lines"),
    ("it holds all inputs", "in", "", "", "in the directory of transactions"),
    ("it is the job's own directory", ".", "", "", "in the directory of transactions"),
    ("it holds the job's directory", "..", "", "", "in the directory of transactions"),
    ("it is a link to an input's directory", "link", "", "", "in the directory of lines"),
    ("it lies below such a link", "link/mine", "", "", "in the directory of lines"),
    ("it is a link to what is not there yet", "dangling", "", "", "in the directory of lines"),
    (
        "the state is an input's directory",
        "out",
        "in/lines",
        "",
        "the state directory is, holds or lies in the directory of lines",
    ),
    ("the state holds the inputs", "out", "..", "", "in the directory of transactions"),
    (
        "the state is the output directory",
        "out",
        "out",
        "",
        "the state directory is or holds the output directory",
    ),
    ("the state holds it", "below/out", "below", "", "the state directory is or holds the output directory"),
    (
        "the state is it by a link",
        "out",
        "to_out",
        "",
        "the state directory is or holds the output directory",
    ),
    (
        "--out is an input's directory",
        "out",
        "",
        "in/transactions",
        "--out in/transactions: it is, holds or lies in the directory of transactions",
    ),
    ("--out holds the inputs", "out", "", ".", "in the directory of transactions"),
    (
        "--out lies in the state",
        "out",
        "states",
        "states/trial",
        "the job's state directory is that one or holds it",
    ),
];

#[test]
fn directories_that_overlap_are_mistakes_in_the_job() {
    for (kind, output, state, out, said) in OVERLAPS {
        let book = Book::new();
        book.edit("job.toml", "dir = \"out\"", &format!("dir = \"{output}\""));
        if !state.is_empty() {
            book.append("job.toml", &format!("[state]\ndir = \"{state}\"\n"));
        }
        symlink("in/lines", book.path().join("link")).unwrap();
        symlink("in/lines/not/there", book.path().join("dangling")).unwrap();
        symlink("out", book.path().join("to_out")).unwrap();
        let before = tree(book.path());
        let more: &[&str] = if out.is_empty() { &[] } else { &["--out", out] };
        for verb in [&["--replace"][..], &["--plan"], &[]] {
            let args = [&["run", "job.toml", "--date", TODAY], verb, more].concat();
            let (code, stdout, stderr) = book.outcome(&args);
            assert_eq!((code, stdout.as_str()), (2, ""), "{kind}: {stderr}");
            assert!(stderr.replace('\n', " ").contains(said), "{kind}: {stderr}");
        }
        if out.is_empty() {
            assert_eq!(book.outcome(&["check", "job.toml"]).0, 2, "{kind}");
        }
        assert_eq!(tree(book.path()), before, "{kind}");
    }
}

#[test]
fn directories_that_lie_beside_each_other_are_none() {
    for (output, state) in
        [("out", "out/.state"), ("input", "in.state"), ("in/../out", "out/../states"), ("o/u/t", "o/u/s")]
    {
        let book = Book::new();
        book.edit("job.toml", "dir = \"out\"", &format!("dir = \"{output}\""));
        book.append("job.toml", &format!("[state]\ndir = \"{state}\"\n"));
        book.edit(
            "job.toml",
            "\n[output]",
            &format!("\nissued = \"{output}/date={{date}}/adjustments.parquet\"\n\n[output]"),
        );
        succeed_in(book.path(), &["run", "job.toml", "--date", TODAY]);
    }
}

/// A book with two runs of today.
fn published() -> Book {
    let book = Book::new();
    book.publish();
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--out", "other"]);
    fs::create_dir(book.path().join("made")).unwrap();
    book
}

const RUN: &str = "out/date=2026-11-20";

/// The commands that write a file of the user's, and the file's extension.
const WRITERS: [(&[&str], &str); 4] = [
    (&["report", RUN, "--out"], "html"),
    (&["diff", RUN, "other/date=2026-11-20", "--html"], "html"),
    (&["diff", RUN, "other/date=2026-11-20", "--out"], "csv"),
    (&["diff", RUN, "other/date=2026-11-20", "--out"], "parquet"),
];

fn write(book: &Book, args: &[&str], out: &str) -> (i32, String, String) {
    book.outcome(&[args, &[out]].concat())
}

#[test]
fn a_file_keeps_its_mode_its_links_and_its_names() {
    for (args, extension) in WRITERS {
        let book = published();
        let at = |name: &str| book.path().join(format!("made/{name}.{extension}"));
        let name = |name: &str| format!("made/{name}.{extension}");
        let (code, _, stderr) = write(&book, args, &name("fresh"));
        assert_eq!(code, 0, "{args:?}: {stderr}");
        let fresh = fs::read(at("fresh")).unwrap();
        let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&at("fresh")), 0o640);

        fs::write(at("old"), "something longer than that".repeat(9999)).unwrap();
        fs::set_permissions(at("old"), fs::Permissions::from_mode(0o604)).unwrap();
        fs::write(at("named_twice"), "old").unwrap();
        fs::hard_link(at("named_twice"), at("second_name")).unwrap();
        fs::write(at("served"), "old").unwrap();
        symlink(at("served").file_name().unwrap(), at("latest")).unwrap();
        symlink(at("to_come").file_name().unwrap(), at("dangling")).unwrap();
        let inode = fs::metadata(at("served")).unwrap().ino();
        for out in ["old", "second_name", "latest", "dangling"] {
            let (code, _, stderr) = write(&book, args, &name(out));
            assert_eq!(code, 0, "{args:?} {out}: {stderr}");
        }
        for written in ["old", "named_twice", "second_name", "served", "to_come"] {
            assert!(fs::read(at(written)).unwrap() == fresh, "{args:?} {written}");
        }
        assert_eq!(mode(&at("old")), 0o604);
        assert_eq!(fs::metadata(at("served")).unwrap().ino(), inode);
        assert!(fs::symlink_metadata(at("latest")).unwrap().is_symlink());
        assert!(fs::symlink_metadata(at("dangling")).unwrap().is_symlink());
        assert_eq!(fs::metadata(at("named_twice")).unwrap().nlink(), 2);
        let left = fs::read_dir(book.path().join("made")).unwrap().count();
        assert_eq!(left, 8, "nothing is left beside the files");
    }
}

#[test]
fn a_pipe_is_written_to_and_stays_one() {
    for (args, extension) in WRITERS {
        let book = published();
        let pipe = format!("made/pipe.{extension}");
        assert!(Command::new("mkfifo").arg(book.path().join(&pipe)).status().unwrap().success());
        let (code, _, stderr) = write(&book, args, &format!("made/file.{extension}"));
        assert_eq!(code, 0, "{stderr}");
        let path = book.path().join(&pipe);
        let reader = std::thread::spawn(move || {
            let mut read = Vec::new();
            File::open(path).unwrap().read_to_end(&mut read).unwrap();
            read
        });
        let (code, _, stderr) = write(&book, args, &pipe);
        assert_eq!(code, 0, "{args:?}: {stderr}");
        assert!(
            reader.join().unwrap() == fs::read(book.path().join(format!("made/file.{extension}"))).unwrap()
        );
        assert!(!fs::symlink_metadata(book.path().join(&pipe)).unwrap().is_file());
    }
}

#[test]
fn a_pipe_that_nobody_reads_is_not_waited_for_for_ever() {
    let book = published();
    assert!(Command::new("mkfifo").arg(book.path().join("made/pipe")).status().unwrap().success());
    let (code, _, stderr) = write(&book, &["report", RUN, "--out"], "made/pipe");
    assert_eq!(code, 7, "{stderr}");
    insta::assert_snapshot!(stderr, @"error: write made/pipe: it is a pipe that nobody reads from");
}

#[test]
fn standard_output_takes_the_page_and_nothing_else() {
    let book = published();
    symlink("/proc/self/fd/1", book.path().join("made/stdout")).unwrap();
    succeed_in(book.path(), &["report", RUN, "--out", "made/page.html"]);
    let page = fs::read_to_string(book.path().join("made/page.html")).unwrap();
    assert_eq!(succeed_in(book.path(), &["report", RUN, "--out", "made/stdout"]), page);
    assert!(fs::symlink_metadata(book.path().join("made/stdout")).unwrap().is_symlink());
    // A file that output is appended to keeps what it had.
    book.put("made/log", "before\n");
    let log = File::options().append(true).open(book.path().join("made/log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(book.path()).args(["report", RUN, "--out", "/dev/stdout"]).stdout(log);
    assert!(command.stderr(Stdio::null()).status().unwrap().success());
    assert_eq!(fs::read_to_string(book.path().join("made/log")).unwrap(), format!("before\n{page}"));
}

#[test]
fn a_device_that_is_full_is_told_with_its_name() {
    for (args, extension) in WRITERS {
        let book = published();
        let out = format!("made/full.{extension}");
        symlink("/dev/full", book.path().join(&out)).unwrap();
        let (code, _, stderr) = write(&book, args, &out);
        assert_eq!(code, 7, "{args:?}: {stderr}");
        assert!(stderr.contains(&out) && stderr.contains("No space left"), "{stderr}");
        symlink("/dev/null", book.path().join(format!("made/null.{extension}"))).unwrap();
        let (code, _, stderr) = write(&book, args, &format!("made/null.{extension}"));
        assert_eq!(code, 0, "{args:?}: {stderr}");
    }
}

#[test]
fn nothing_is_written_into_a_run() {
    for (args, extension) in WRITERS {
        let book = published();
        fs::create_dir(book.path().join(RUN).join("deep")).unwrap();
        symlink(RUN, book.path().join("to_run")).unwrap();
        symlink(format!("../{RUN}/new.{extension}"), book.path().join(format!("made/in.{extension}")))
            .unwrap();
        fs::create_dir(book.path().join("out/date=2026-11-18")).unwrap();
        book.put("out/date=2026-11-18/manifest.json", "damaged");
        let before = files_in(&book.path().join("out"));
        let places = [
            format!("{RUN}/new.{extension}"),
            format!("{RUN}/deep/new.{extension}"),
            format!("to_run/new.{extension}"),
            format!("made/in.{extension}"),
            format!("out/date=2026-11-18/new.{extension}"),
            format!("made/../{RUN}/./new.{extension}"),
        ];
        for place in places {
            let (code, _, stderr) = write(&book, args, &place);
            assert_eq!(code, 6, "{args:?} {place}: {stderr}");
            assert!(stderr.contains("it would lie in the run "), "{stderr}");
        }
        assert!(files_in(&book.path().join("out")) == before, "{args:?}");
        // A page beside a manifest that is no run's is nobody's run.
        book.put("made/manifest.json", r#"{"name": "a web application"}"#);
        let (code, _, stderr) = write(&book, args, &format!("made/page.{extension}"));
        assert_eq!(code, 0, "{stderr}");
    }
}

#[test]
fn places_that_cannot_be_written_to_are_told_by_name() {
    let book = Book::new();
    book.put("blocked", "a file");
    let cases: [(&[&str], i32, &str); 6] = [
        (&["run", "job.toml", "--date", TODAY, "--out", "/proc/self/out"], 7, "/proc/self/out"),
        (
            &["run", "job.toml", "--date", TODAY, "--out", "blocked"],
            6,
            "blocked is there, but is no directory",
        ),
        (
            &["run", "job.toml", "--date", TODAY, "--out", "blocked/deep"],
            6,
            "blocked is there, but is no directory",
        ),
        (
            &[
                "sample",
                "/proc/self/book",
                "--accounts",
                "3",
                "--from",
                YESTERDAY,
                "--to",
                TODAY,
                "--seed",
                "1",
            ],
            7,
            "/proc/self/book",
        ),
        (
            &["sample", "blocked/book", "--accounts", "3", "--from", YESTERDAY, "--to", TODAY, "--seed", "1"],
            6,
            "blocked is there",
        ),
        (&["report", "nowhere", "--out", "x.html"], 3, "nowhere"),
    ];
    for (args, exit, said) in cases {
        let (code, _, stderr) = book.outcome(args);
        assert_eq!(code, exit, "{args:?}: {stderr}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
}

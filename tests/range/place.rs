//! Where a simulation may lie: never among the job's own runs, nor where they would read it.

use std::fs;
use std::os::unix::fs::symlink;

use super::{FIRST, book_of_days};
use crate::support::book::Book;

fn chain(book: &Book, out: &[&str]) -> (i32, String, String) {
    book.outcome(&[&["run", "job.toml", "--date", FIRST, "--chain"], out].concat())
}

fn refused(book: &Book, out: &str) -> String {
    let (code, stdout, stderr) = chain(book, &["--out", out]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{out}");
    stderr
}

#[test]
fn a_simulation_needs_a_directory_of_its_own() {
    let book = book_of_days();
    let (code, stdout, stderr) = chain(&book, &[]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    insta::assert_snapshot!(stderr, @"error: --chain is a simulation: name a directory for it, --out DIR, other than out");
    insta::assert_snapshot!(refused(&book, "out"), @"error: --chain is a simulation, and --out out is where the job's own runs lie (out): name another directory");
    assert!(!book.path().join("out").exists());
}

#[test]
fn the_jobs_own_directory_is_known_by_any_name() {
    let book = book_of_days();
    fs::create_dir(book.path().join("real")).unwrap();
    symlink("real", book.path().join("out")).unwrap();
    symlink("out", book.path().join("link")).unwrap();
    let absolute = book.path().join("in/../out").display().to_string();
    let names = [
        "./out/",
        "in/../out",
        "nowhere/../out",
        "link",
        "real",
        "out/held",
        "link/date=2026-11-18",
        "out/known=2026-11-19",
        &absolute,
    ];
    for out in names {
        let stderr = refused(&book, out);
        assert!(stderr.contains("is where the job's own runs lie"), "{out}: {stderr}");
    }
    for out in ["in/out", "output", "out/trial"] {
        let (code, _, stderr) = chain(&book, &["--out", out]);
        assert_eq!(code, 0, "{out}: {stderr}");
    }
}

#[test]
fn a_simulation_does_not_lie_where_the_jobs_runs_would_read_it() {
    let book = book_of_days();
    book.edit("job.toml", "\"out/date={date}/adj", "\"*/date={date}/adj");
    insta::assert_snapshot!(refused(&book, "sim"), @"error: --chain is a simulation, and what lies in --out sim would be read as `issued` by the job's own runs: name another directory");
    let (code, _, stderr) = chain(&book, &["--out", "deeper/sim"]);
    assert_eq!(code, 0, "{stderr}");
}

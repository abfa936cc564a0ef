//! Who may read what the program makes, whatever the umask.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::book::{Book, TODAY};

/// The modes of all files, and of all directories, below a directory and of itself.
fn modes(directory: &Path) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777;
    let (mut files, mut directories) = (BTreeSet::new(), BTreeSet::from([mode(directory)]));
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let (below, directories_below) = modes(&path);
            files.extend(below);
            directories.extend(directories_below);
        } else {
            files.insert(mode(&path));
        }
    }
    (files, directories)
}

fn shell(book: &Book, script: &str) {
    let script = script.replace("rescore", env!("CARGO_BIN_EXE_rescore"));
    let output = Command::new("sh").args(["-c", &script]).current_dir(book.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Publishes, replaces, holds and releases under a umask; then a report and a difference.
fn make_everything(mode: &str, umask: &str) -> Book {
    let book = Book::new();
    book.edit(
        "job.toml",
        "csv = true",
        &format!("csv = true\nreport = true\n{mode}\n[state]\ndir = \"out/.state\""),
    );
    let job = fs::read_to_string(book.path().join("job.toml")).unwrap();
    book.put("gated.toml", &format!("{job}\n[[gate]]\nname = \"never\"\nrows = \"lines\"\nmin = 99\n"));
    let run = format!("rescore run job.toml --date {TODAY}");
    let later = format!("rescore run gated.toml --date {TODAY} --known-on");
    shell(
        &book,
        &format!(
            "umask {umask}; {run} && {run} --replace && {{ {later} 2026-11-21; {later} 2026-11-22; \
             rescore release out --date {TODAY} --known-on 2026-11-22; }} && mkdir made && \
             rescore report out/date={TODAY} --out made/page.html && \
             {{ rescore diff out/date={TODAY} out/known=2026-11-22/date={TODAY} --out made/a.csv --html made/b.html; true; }}"
        ),
    );
    fs::set_permissions(book.path().join("made"), fs::Permissions::from_mode(0o750)).unwrap();
    book
}

#[test]
fn the_group_reads_what_is_made_and_nobody_else_whatever_the_umask() {
    for umask in ["000", "022", "077", "027"] {
        let book = make_everything("", umask);
        for made in ["out", "made"] {
            let found = modes(&book.path().join(made));
            assert_eq!(found, (BTreeSet::from([0o640]), BTreeSet::from([0o750])), "{made}, umask {umask}");
        }
    }
}

#[test]
fn the_job_may_let_others_read() {
    for (mode, files, directories) in
        [("0644", 0o644, 0o755), ("0600", 0o600, 0o700), ("0664", 0o664, 0o775), ("0640", 0o640, 0o750)]
    {
        let book = make_everything(&format!("mode = \"{mode}\""), "077");
        let found = modes(&book.path().join("out"));
        assert_eq!(found, (BTreeSet::from([files]), BTreeSet::from([directories])), "{mode}");
    }
}

#[test]
fn a_mode_that_is_none_is_a_mistake() {
    for mode in ["644", "0400", "0755", "rw-r--r--", "00644", "1644", ""] {
        let book = Book::new();
        book.edit("job.toml", "csv = true", &format!("csv = true\nmode = \"{mode}\""));
        let (code, _, stderr) = book.run();
        assert_eq!(code, 2, "{mode}: {stderr}");
        assert!(stderr.contains("is no mode of files that their owner can read and write"), "{stderr}");
    }
}

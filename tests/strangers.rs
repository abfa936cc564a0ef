//! What strangers' systems and hands do to a run: a table a place, each row a kind, its exit code and what is said.

mod claims;
mod damage;
mod expanding;
mod expressions;
mod files;
mod jobs;
mod optional;
mod places;
mod readers;
mod rejects;
mod runs;
mod sameness;
mod schemas;
mod sweep;
mod terminal;

use crate::support::book::{Book, TODAY};

/// One thing that a stranger may do.
pub struct Case {
    /// What kind of thing it is; a row of the table.
    pub kind: &'static str,
    /// Does it to a plain book.
    pub input: fn(&Book),
    /// The exit code of today's night.
    pub exit: i32,
    /// What stderr must say; nothing where the night is to be published.
    pub message: &'static str,
}

/// Does each thing to a plain book of its own and runs today's night.
pub fn check(cases: &[Case]) {
    for case in cases {
        let book = Book::new();
        (case.input)(&book);
        let (code, stdout, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY]);
        assert_eq!(code, case.exit, "{}\n{stdout}\n{stderr}", case.kind);
        assert!(stderr.contains(case.message), "{}: wanted `{}` in\n{stderr}", case.kind, case.message);
        assert!(!stderr.contains("panicked"), "{}\n{stderr}", case.kind);
        let is_published = book.path().join(format!("out/date={TODAY}/manifest.json")).exists();
        assert_eq!(is_published, case.exit == 0, "{}", case.kind);
    }
}

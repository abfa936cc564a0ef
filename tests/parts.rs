//! Runs whose tables lie in parts, as several machines publish them: every verb reads them as it reads one file.

mod broken;
mod gather;
mod readers;

use std::path::{Path, PathBuf};

use crate::support::Table;
use crate::support::book::{Book, TODAY};
use crate::support::parts::{IN_PARTS, split};
use rescore::run_dir::manifest::Manifest;
use rescore::run_dir::table_files::table_files;

/// The plain book with today's run.
fn published() -> Book {
    let book = Book::new();
    book.publish();
    book
}

/// The plain book with today's run, in so many parts.
fn in_parts(parts: usize) -> Book {
    let book = published();
    split(&run_of(&book), parts);
    book
}

/// Today's run.
fn run_of(book: &Book) -> PathBuf {
    book.path().join(run_name())
}

/// The same, as it is named in the book's directory.
fn run_name() -> String {
    format!("out/date={TODAY}")
}

fn manifest_of(run: &Path) -> Manifest {
    Manifest::read(run).unwrap().expect("a whole run")
}

#[test]
fn the_parts_of_a_table_hold_its_rows_in_order() {
    let whole = published();
    for parts in [1, 2, 3, 7] {
        let book = in_parts(parts);
        let run = run_of(&book);
        for table in IN_PARTS {
            let manifest = manifest_of(&run);
            let files = table_files(&manifest.outputs, table);
            assert_eq!(files.len(), parts, "{table}");
            let read = |file: &str| Table::read(&run.join(file)).rows;
            let rows: Vec<_> = files.iter().flat_map(|output| read(&output.file)).collect();
            assert_eq!(rows, whole.output(table).rows, "{table}");
        }
    }
}

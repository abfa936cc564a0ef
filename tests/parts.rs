//! Runs whose tables lie in parts, as several machines publish them: every verb reads them as it reads one file.

use crate::support::Table;
use crate::support::book::{Book, TODAY};
use crate::support::parts::{IN_PARTS, split};
use rescore::run_dir::manifest::Manifest;
use rescore::run_dir::table_files::table_files;

/// The plain book's run of today, in so many parts.
fn in_parts(parts: usize) -> Book {
    let book = Book::new();
    book.publish();
    split(&book.path().join(format!("out/date={TODAY}")), parts);
    book
}

#[test]
fn the_parts_of_a_table_hold_its_rows_in_order() {
    let whole = Book::new();
    whole.publish();
    for parts in [1, 2, 3, 7] {
        let book = in_parts(parts);
        let run = book.path().join(format!("out/date={TODAY}"));
        let manifest = Manifest::read(&run).unwrap().unwrap();
        for table in IN_PARTS {
            let files = table_files(&manifest.outputs, table);
            assert_eq!(files.len(), parts, "{table}");
            let read = |file: &str| Table::read(&run.join(file)).rows;
            let rows: Vec<_> = files.iter().flat_map(|output| read(&output.file)).collect();
            assert_eq!(rows, whole.output(table).rows, "{table}");
        }
    }
}

//! Earlier adjustments that are in the snapshot, all of a run, are not read any more; nothing of a night depends on that.

use std::fs;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};

use super::prune::{book, date, deliver, night, with_nights};
use crate::support::Table;
use crate::support::book::Book;
use crate::support::files::copy;

const TABLES: [&str; 5] = ["scores", "features", "decisions", "adjustments", "rejects"];

fn adjustments(book: &Book, day: u32) -> PathBuf {
    book.path().join(format!("out/date={}/adjustments.parquet", date(day)))
}

/// The file as somebody else would have written it: of that nothing is taken for granted.
fn write_anew(path: &Path) {
    Table::read(path).write(path);
}

/// Spoils the last byte of a column's rows; footer and headers of pages stay as they are.
fn spoil(path: &Path) {
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let group = reader.metadata().row_group(0);
    let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == "effective_on").unwrap();
    let (start, length) = chunk.byte_range();
    let mut bytes = fs::read(path).unwrap();
    bytes[(start + length - 1) as usize] ^= 0xff;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_night_comes_to_the_same_whether_or_not_they_are_read() {
    for notice in [0, 1, 3, 5] {
        let known = with_nights(book(notice), 9);
        let anew = Book::empty();
        copy(known.path(), anew.path());
        (1..=9).for_each(|day| write_anew(&adjustments(&anew, day)));
        for book in [&known, &anew] {
            night(book, 10);
        }
        for table in TABLES {
            let read = |book: &Book| {
                Table::read(&book.path().join(format!("out/date={}/{table}.parquet", date(10))))
            };
            assert_eq!(read(&known), read(&anew), "{notice} {table}");
        }
    }
}

#[test]
fn only_those_are_read_that_can_bear() {
    // With a notice of five days the first night's raise is in the snapshot of the sixth day, the one after it is not.
    let whole = with_nights(book(5), 9);
    let issued: Vec<u32> =
        (1..=9).filter(|day| !Table::read(&adjustments(&whole, *day)).rows.is_empty()).collect();
    assert_eq!(issued, [1, 6], "a line that is pending is not raised again");
    deliver(&whole, 10);
    for (day, expected) in [(1, 0), (6, 3)] {
        let book = Book::empty();
        copy(whole.path(), book.path());
        spoil(&adjustments(&book, day));
        let (code, stdout, stderr) = book.outcome(&["run", "job.toml", "--date", &date(10)]);
        assert_eq!(code, expected, "{day}: {stdout}{stderr}");
    }
}

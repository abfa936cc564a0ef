//! Columns that a delivery of lines may lack: in all its files or in none, and not from one day to the next.

use arrow_schema::DataType;

use super::schemas::{assert_refused, without};
use crate::support::book::{Book, LINES, TODAY, delivered, table};
use crate::support::{Cell, day};

/// Another file of today's lines.
fn second_part(book: &Book, columns: &[(&str, DataType)], text: &str) {
    let path = book.path().join(delivered("lines", TODAY)).with_file_name("part-1.parquet");
    table(columns, text).write(&path);
}

#[test]
fn an_optional_column_is_in_all_files_of_a_delivery_or_in_none() {
    for column in ["increased_on", "decreased_on"] {
        let columns: Vec<(&str, DataType)> = LINES.into_iter().filter(|(name, _)| *name != column).collect();
        let rows = "9 card 1000 0 active 2026-01-01 - mass";
        let book = Book::new();
        second_part(&book, &columns, rows);
        let said = [
            "part-1.parquet",
            &*format!("no column {column}"),
            "part-0.parquet",
            "another file of the delivery",
            "without = [",
        ];
        assert_refused(column, &book, &said);
        let with = format!("lines_max_age_days = 1\nwithout = [\"lines.{column}\"]");
        book.edit("job.toml", "lines_max_age_days = 1", &with);
        book.publish();
        let days = book.output("decisions").column(&format!("days_since_{}", &column[..8]));
        assert!(days.iter().all(|cell| *cell == Cell::Null), "read as null where it is: {days:?}");
        without(&book, "lines", TODAY, column);
        book.edit("job.toml", &with, "lines_max_age_days = 1");
        let replaced = book.outcome(&["run", "job.toml", "--date", TODAY, "--replace"]);
        assert_eq!(replaced.0, 0, "in none: {}", replaced.2);
    }
}

#[test]
fn a_snapshot_must_not_lack_an_optional_column_that_one_of_the_31_days_before_had() {
    for (days, code) in [(1, 3), (31, 3), (32, 0)] {
        let book = Book::new();
        let date = day(TODAY).plus(-days).to_string();
        book.deliver("lines", &date, &table(&LINES, "1 card 100000 20000 active 2025-01-01 - - mass"));
        without(&book, "lines", TODAY, "increased_on");
        let (found, _, stderr) = book.run();
        assert_eq!(found, code, "{days} days before\n{stderr}");
        if code == 3 {
            let said = [
                &*format!("no column increased_on, which the delivery of {date} has"),
                "without = [\"lines.increased_on\"]",
            ];
            assert_refused("lost", &book, &said);
            book.edit(
                "job.toml",
                "lines_max_age_days = 1",
                "lines_max_age_days = 1\nwithout = [\"lines.increased_on\"]",
            );
            book.publish();
        }
    }
}

#[test]
fn without_names_optional_columns_and_nothing_else() {
    for (name, said) in [
        ("lines.increased", "did you mean `lines.increased_on`?"),
        ("lines.balance", "there is no optional column `lines.balance`"),
        ("transactions.amount", "there is no optional column `transactions.amount`"),
    ] {
        let book = Book::new();
        let with = format!("lines_max_age_days = 1\nwithout = [\"{name}\"]");
        book.edit("job.toml", "lines_max_age_days = 1", &with);
        let (code, _, stderr) = book.run();
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(said) && stderr.contains("job.toml:7"), "{stderr}");
    }
}

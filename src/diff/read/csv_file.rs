//! A CSV file as a table: a header, then rows with as many fields; integers where a column holds nothing else.
//!
//! A field that is empty is null. What is no integer as this program writes one (`007`, `+1`, `1.0`) is text.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Result;
use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use super::cells::{FileColumn, Shape};
use super::file::{open_file, repeated_name, unreadable};
use crate::console::plain_path;
use crate::expr::{Column, Ints, Texts};

/// A CSV file that was looked through.
#[derive(Debug, Clone)]
pub struct CsvFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its columns, integers or text.
    pub columns: Vec<FileColumn>,
}

/// The type of a column of integers, as a Parquet file would give it.
const INTEGER: &str = "Int64";

/// Whether a file is taken for CSV.
pub fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

impl CsvFile {
    /// Reads all of a file to find out which columns hold integers alone.
    pub fn look(path: &Path) -> Result<CsvFile> {
        let subject = format!("read {}", plain_path(path));
        let file = open_file(path).map_err(|error| unreadable(&subject, error))?;
        let mut rows = CsvRows::open(file).map_err(|why| unreadable(&subject, why))?;
        let mut are_integers = vec![true; rows.header.len()];
        let mut record = StringRecord::new();
        while rows.read(&mut record).map_err(|why| unreadable(&subject, why))? {
            for (is_integer, field) in are_integers.iter_mut().zip(&record) {
                *is_integer &= field.is_empty() || integer(field).is_some();
            }
        }
        let columns = rows.header.iter().zip(are_integers);
        let columns: Vec<FileColumn> = columns.map(|(name, is_integer)| column(name, is_integer)).collect();
        if let Some(name) = repeated_name(&columns) {
            return Err(unreadable(&subject, format!("the column {name} stands twice in it: leave one out")));
        }
        Ok(CsvFile { path: path.to_path_buf(), columns })
    }

    /// Takes for text what the other side, whose columns are given, has no integers in. What a file without types
    /// holds counts as being of the type that it has there.
    pub fn match_types(&mut self, other: &[FileColumn]) {
        for own in &mut self.columns {
            let Some(other) = other.iter().find(|other| other.name == own.name) else { continue };
            if other.shape != Shape::Int {
                *own = column(&own.name, false);
            }
            if own.shape == Shape::Int || other.shape != Shape::Int {
                own.kind.clone_from(&other.kind);
            }
        }
    }
}

fn column(name: &str, is_integer: bool) -> FileColumn {
    let (kind, shape) = if is_integer { (INTEGER, Shape::Int) } else { ("text", Shape::Text) };
    FileColumn { name: name.to_string(), kind: kind.to_string(), shape }
}

/// An integer as this program writes one; `None` for anything else.
fn integer(field: &str) -> Option<i64> {
    let digits = field.strip_prefix('-').unwrap_or(field);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (!digits.starts_with('0') || field == "0")
        && !digits.is_empty();
    field.parse().ok().filter(|_| is_plain)
}

/// The rows of a CSV file.
pub struct CsvRows {
    reader: Reader<BufReader<File>>,
    header: Vec<String>,
}

impl CsvRows {
    /// Reads the header; `Err` says what is wrong with it.
    pub fn open(file: File) -> Result<CsvRows, String> {
        let mut reader = ReaderBuilder::new().from_reader(BufReader::new(file));
        let header = reader.headers().map_err(|error| in_words(&error))?;
        let header: Vec<String> =
            header.iter().map(|name| name.trim_start_matches('\u{feff}').into()).collect();
        if header.is_empty() {
            return Err("it is empty: the first line names the columns".to_string());
        }
        Ok(CsvRows { reader, header })
    }

    fn read(&mut self, record: &mut StringRecord) -> Result<bool, String> {
        self.reader.read_record(record).map_err(|error| in_words(&error))
    }

    /// At most so many rows, all columns, and how many they are; `None` at the end.
    pub fn next(
        &mut self,
        columns: &[FileColumn],
        most: usize,
    ) -> Result<Option<(Vec<Column>, usize)>, String> {
        let mut records = Vec::new();
        let mut record = StringRecord::new();
        while records.len() < most && self.read(&mut record)? {
            records.push(record.clone());
        }
        if records.is_empty() {
            return Ok(None);
        }
        let decoded = columns.iter().enumerate().map(|(slot, column)| {
            let fields = records.iter().map(|record| record.get(slot).filter(|field| !field.is_empty()));
            if column.shape != Shape::Int {
                return Ok(Column::Text(fields.collect::<Texts>()));
            }
            let changed = || format!("{}: it has changed while it was read", column.name);
            let values =
                fields.map(|field| field.map(|field| integer(field).ok_or_else(changed)).transpose());
            Ok(Column::Int(values.collect::<Result<Ints, String>>()?))
        });
        Ok(Some((decoded.collect::<Result<_, String>>()?, records.len())))
    }
}

/// What is wrong with a file, with the number of the line.
fn in_words(error: &csv::Error) -> String {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line} has {len} fields, and the header {expected_len}")
        }
        ErrorKind::Utf8 { .. } => format!("line {line} is not UTF-8"),
        ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_like_an_integer_is_one() {
        for (field, value) in [
            ("0", Some(0)),
            ("-12", Some(-12)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("007", None),
            ("-0", None),
            ("+1", None),
            ("1.0", None),
            ("-", None),
            (" 1", None),
        ] {
            assert_eq!(integer(field), value, "{field}");
        }
    }
}

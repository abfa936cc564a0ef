//! What tests share: tables in and out as plain values, directories to work in, the binary.

pub mod book;
pub mod files;
pub mod parts;
pub mod raw;
pub mod steps;
pub mod store;
pub mod thrift;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::file::properties::WriterProperties;
use rescore::console::Progress;
use rescore::day::Day;
use rescore::failure::{Kind, exit_code};
use rescore::run::{NightOutcome, RunRequest, run};

/// One value of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    Null,
    Int(i64),
    Text(String),
    Date(Day),
    Bool(bool),
    /// Unscaled.
    Decimal(i128),
}

impl Cell {
    /// The number; `None` where it is null.
    pub fn int(&self) -> Option<i64> {
        if let Cell::Int(value) = self { Some(*value) } else { None }
    }

    /// The text; `None` where it is null.
    pub fn text(&self) -> Option<&str> {
        if let Cell::Text(text) = self { Some(text) } else { None }
    }

    /// The date; `None` where it is null.
    pub fn date(&self) -> Option<Day> {
        if let Cell::Date(day) = self { Some(*day) } else { None }
    }
}

/// A table: its columns' names and types, and its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub columns: Vec<(String, DataType)>,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(columns: &[(&str, DataType)]) -> Table {
        let columns = columns.iter().map(|(name, kind)| ((*name).to_string(), kind.clone())).collect();
        Table { columns, rows: Vec::new() }
    }

    pub fn row(mut self, cells: impl IntoIterator<Item = Cell>) -> Table {
        let row: Vec<Cell> = cells.into_iter().collect();
        assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
        self
    }

    /// A column's cells by name.
    pub fn column(&self, name: &str) -> Vec<Cell> {
        let place = self.position(name).unwrap_or_else(|| panic!("there is no column {name}"));
        self.rows.iter().map(|row| row[place].clone()).collect()
    }

    /// Where a column stands among a row's cells; `None` where there is none of that name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(known, _)| known == name)
    }

    /// A column as arrow has it.
    pub fn array(&self, place: usize) -> ArrayRef {
        let cells = || self.rows.iter().map(|row| &row[place]);
        let ints = || cells().map(|cell| if let Cell::Int(value) = cell { Some(*value) } else { None });
        match &self.columns[place].1 {
            DataType::Int64 => Arc::new(ints().collect::<Int64Array>()),
            DataType::Int32 => Arc::new(ints().map(|v| v.map(|v| v as i32)).collect::<Int32Array>()),
            DataType::Utf8 => {
                let text = |cell: &Cell| if let Cell::Text(text) = cell { Some(text.clone()) } else { None };
                Arc::new(cells().map(text).collect::<StringArray>())
            }
            DataType::Date32 => {
                let date = |cell: &Cell| if let Cell::Date(day) = cell { Some(day.0) } else { None };
                Arc::new(cells().map(date).collect::<Date32Array>())
            }
            DataType::Boolean => {
                let truth = |cell: &Cell| if let Cell::Bool(truth) = cell { Some(*truth) } else { None };
                Arc::new(cells().map(truth).collect::<BooleanArray>())
            }
            DataType::Decimal128(precision, scale) => {
                let unscaled =
                    |cell: &Cell| if let Cell::Decimal(value) = cell { Some(*value) } else { None };
                let array = cells().map(unscaled).collect::<Decimal128Array>();
                Arc::new(array.with_precision_and_scale(*precision, *scale).unwrap())
            }
            other => panic!("tables of tests have no {other}"),
        }
    }

    /// Writes the table as Parquet, making directories as needed.
    pub fn write(&self, path: &Path) {
        self.write_with(path, WriterProperties::builder().build());
    }

    pub fn write_with(&self, path: &Path, properties: WriterProperties) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let fields = self.columns.iter().map(|(name, kind)| Field::new(name, kind.clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let arrays = (0..self.columns.len()).map(|place| self.array(place)).collect();
        let batch = RecordBatch::try_new(schema.clone(), arrays).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), schema, Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    /// Reads a Parquet file whole.
    pub fn read(path: &Path) -> Table {
        Table::read_some(path, |_| true)
    }

    /// Reads some columns of a Parquet file; those that are not there are left out.
    pub fn read_columns(path: &Path, names: &[&str]) -> Table {
        Table::read_some(path, |name| names.contains(&name))
    }

    fn read_some(path: &Path, is_wanted: impl Fn(&str) -> bool) -> Table {
        let file = File::open(path).unwrap_or_else(|error| panic!("open {}: {error}", path.display()));
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let schema = builder.schema().clone();
        let wanted = (0..schema.fields().len()).filter(|&place| is_wanted(schema.field(place).name()));
        let wanted: Vec<usize> = wanted.collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
        let fields = wanted.iter().map(|&place| schema.field(place));
        let columns = fields.map(|field| (field.name().clone(), field.data_type().clone()));
        let mut table = Table { columns: columns.collect(), rows: Vec::new() };
        for batch in builder.with_projection(mask).build().unwrap() {
            let batch = batch.unwrap();
            for row in 0..batch.num_rows() {
                table.rows.push(batch.columns().iter().map(|array| cell(array, row)).collect());
            }
        }
        table
    }
}

fn cell(array: &ArrayRef, row: usize) -> Cell {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Int64 => Cell::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => Cell::Int(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_string()),
        DataType::Date32 => Cell::Date(Day(array.as_primitive::<Date32Type>().value(row))),
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Decimal128(..) => Cell::Decimal(array.as_primitive::<Decimal128Type>().value(row)),
        other => panic!("tables of tests have no {other}"),
    }
}

/// A date, from YYYY-MM-DD.
pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// Cells from plain values.
impl From<i64> for Cell {
    fn from(value: i64) -> Cell {
        Cell::Int(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Cell {
        Cell::Text(value.to_string())
    }
}

impl From<Day> for Cell {
    fn from(value: Day) -> Cell {
        Cell::Date(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Cell {
        Cell::Bool(value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Null, Into::into)
    }
}

/// The project's own directory.
pub fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs nights in this process.
pub fn run_here(
    request: &RunRequest,
    each: &mut dyn FnMut(NightOutcome) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    once_unlocked(|| run(request, &Progress::hidden(), each))
}

/// A program that another test is starting has our files open, locks among them, until it is that program: a lock
/// that is held is waited for.
pub fn once_unlocked<T>(mut attempt: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    const MOST_TRIES: usize = 100;
    for _ in 1..MOST_TRIES {
        match attempt() {
            Err(error) if exit_code(&error) == Kind::Locked.exit_code() => sleep(Duration::from_millis(20)),
            ended => return ended,
        }
    }
    attempt()
}

/// Lays the shipped jobs and the sample book out in a directory.
pub fn shipped_in(directory: &Path) {
    files::copy(&project().join("jobs"), &directory.join("jobs"));
    std::os::unix::fs::symlink(project().join("sample_data"), directory.join("sample_data")).unwrap();
}

/// The first nights that the shipped jobs have on the sample book, as the README has them.
pub const SHIPPED_NIGHTS: [(&str, &str); 2] =
    [("jobs/first-night.toml", "2026-11-19"), ("jobs/nightly.toml", "2026-11-20")];

/// Runs the binary in a directory.
pub fn rescore_in(directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(directory).args(args).env_remove("RESCORE_LOG").env("NO_COLOR", "1");
    command.output().expect("the binary starts")
}

/// Exit code, stdout and stderr of the binary.
pub fn outcome_in(directory: &Path, args: &[&str]) -> (i32, String, String) {
    let output = rescore_in(directory, args);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// What stderr tells a person, log records among it as text.
pub fn as_text(stderr: &str) -> String {
    let line = |line: &str| match serde_json::from_str::<serde_json::Value>(line) {
        Ok(record) if record["message"].is_string() => {
            format!("{}: {}\n", record["level"].as_str().unwrap(), record["message"].as_str().unwrap())
        }
        _ => format!("{line}\n"),
    };
    stderr.lines().map(line).collect()
}

/// Runs the binary and expects it to succeed.
pub fn succeed_in(directory: &Path, args: &[&str]) -> String {
    let (code, stdout, stderr) = outcome_in(directory, args);
    assert_eq!(code, 0, "{args:?}\n{stdout}\n{stderr}");
    stdout
}

//! The page on outputs names every file, every column with its type, and every key of the manifest.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::{page, quoted, section, table_rows};
use crate::support::{SHIPPED_NIGHTS, shipped_in, succeed_in};

/// A directory with the first nights of the sample book, and the later run.
fn nights() -> (tempfile::TempDir, std::path::PathBuf) {
    let home = tempfile::tempdir().unwrap();
    shipped_in(home.path());
    for (job, date) in SHIPPED_NIGHTS {
        succeed_in(home.path(), &["run", job, "--date", date]);
    }
    let run = home.path().join("out/date=2026-11-20");
    (home, run)
}

/// What the page calls a column, and where the scorecard names it.
fn written_as(table: &str, column: &str, position: usize) -> String {
    if let Some(number) = column.strip_prefix("reason_").filter(|number| number.parse::<u8>().is_ok()) {
        return format!("reason_<n>{}", &number[number.len()..]);
    }
    match (table, position) {
        ("features", 1..) => "<feature>".to_string(),
        ("scores", 3..) if column.starts_with("points_") => "points_<feature>".to_string(),
        ("scores", 3..) => "<dimension>".to_string(),
        _ => column.to_string(),
    }
}

fn type_name(kind: &DataType) -> &'static str {
    match kind {
        DataType::Int64 => "Int64",
        DataType::Int32 => "Int32",
        DataType::Date32 => "Date32",
        DataType::Utf8 => "Utf8",
        other => panic!("{other}"),
    }
}

fn check_table(run: &Path, table: &str, heading: &str, skipped: usize) {
    let file = File::open(run.join(format!("{table}.parquet"))).unwrap();
    let schema = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().schema().clone();
    let page = page("outputs.md");
    let rows = table_rows(section(&page, heading));
    let known: Vec<&str> = rows.iter().filter_map(|row| quoted(&row[0]).first().copied()).collect();
    let mut order = Vec::new();
    for (position, field) in schema.fields().iter().enumerate().skip(skipped) {
        let name = written_as(table, field.name(), position);
        let place = known.iter().position(|known| *known == name);
        let place = place.unwrap_or_else(|| panic!("{table}.{name} is not in outputs.md"));
        order.push(place);
        assert!(rows[place][1].contains(type_name(field.data_type())), "{table}.{name}: {}", rows[place][1]);
        assert_eq!(rows[place][2] == "yes", field.is_nullable(), "{table}.{name}: {}", rows[place][2]);
    }
    assert!(order.is_sorted(), "{table}: columns in another order: {order:?}");
}

#[test]
fn every_column_of_a_run_is_in_the_reference_with_its_type() {
    let (_home, run) = nights();
    check_table(&run, "scores", "## scores.parquet", 0);
    check_table(&run, "features", "## features.parquet", 0);
    check_table(&run, "decisions", "## decisions.parquet", 0);
    check_table(&run, "rejects", "## rejects.parquet", 0);
    // Those of the decisions come before its own.
    let decisions = File::open(run.join("decisions.parquet")).unwrap();
    let decisions = ParquetRecordBatchReaderBuilder::try_new(decisions).unwrap().schema().fields().len();
    check_table(&run, "adjustments", "## adjustments.parquet and .csv", decisions);
}

#[test]
fn every_file_of_a_run_and_every_key_of_its_manifest_is_in_the_reference() {
    let (_home, run) = nights();
    let page = page("outputs.md");
    let known: BTreeSet<&str> = quoted(&page).into_iter().collect();
    for entry in fs::read_dir(&run).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(name.as_str()), "{name}");
    }
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(run.join("manifest.json")).unwrap()).unwrap();
    let mut paths = BTreeSet::new();
    collect(&manifest, "", &mut paths);
    assert!(paths.len() > 40, "{paths:?}");
    for path in paths {
        assert!(known.contains(path.as_str()), "{path} of the manifest is not in outputs.md");
    }
}

/// The paths of all values, with names of inputs and the like as the page has them.
fn collect(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = match path {
                    "missing_days" | "counts" => "<input>",
                    "control_totals.actions" => "<product>",
                    "control_totals.actions.<product>" => "<action>",
                    "counts.<input>.rejected" => "<reason>",
                    _ => key,
                };
                let dot = if path.is_empty() { "" } else { "." };
                collect(value, &format!("{path}{dot}{key}"), paths);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().for_each(|item| collect(item, &format!("{path}[]"), paths));
        }
        _ => {
            paths.insert(path.to_string());
        }
    }
}

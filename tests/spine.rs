//! `rescore features`: what the runs of many days would say of many accounts, a row each.

mod carried;
mod golden;
mod mistakes;
mod naive;
mod runs;

use std::path::Path;

use crate::support::{Cell, Table, succeed_in};

/// The columns of an output that the spine has not.
fn added(spine: &Path, out: &Path) -> Table {
    let (spine, mut table) = (carried::schema(spine), carried::schema(out));
    assert!(table.starts_with(&spine), "{table:?} begins with {spine:?}");
    let names = table.split_off(spine.len());
    Table::read_columns(out, &names.iter().map(|field| field.0.as_str()).collect::<Vec<_>>())
}

/// Runs the command in a directory, with scores; the added columns.
fn features_in(directory: &Path, job: &str, more: &[&str]) -> Table {
    let args = [&["features", job, "--spine", "spine.parquet", "--out", "out.parquet", "--scores"], more];
    succeed_in(directory, &args.concat());
    added(&directory.join("spine.parquet"), &directory.join("out.parquet"))
}

/// The rows of a run's features and scores as a spine has them.
fn of_run(features: &Path, scores: &Path) -> Table {
    let [features, scores] = [features, scores].map(Table::read);
    assert_eq!(features.column("account_id"), scores.column("account_id"));
    let mut columns = vec![("left_out".to_string(), arrow_schema::DataType::Utf8)];
    columns.extend([&features, &scores].into_iter().flat_map(|table| table.columns[1..].to_vec()));
    let rows = features.rows.iter().zip(&scores.rows);
    let rows = rows.map(|(features, scores)| {
        let cells = features[1..].iter().chain(&scores[1..]).cloned();
        std::iter::once(Cell::Null).chain(cells).collect()
    });
    Table { columns, rows: rows.collect() }
}

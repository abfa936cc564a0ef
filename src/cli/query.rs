//! The arguments of `query`, and what it prints.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::console::{plain_path, plural, print, print_bytes, print_json, print_json_lines, width};
use crate::query::{csv_bytes, for_people, json_lines, query, write_file};

#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// A run's directory, published or held
    run: PathBuf,
    /// The statement, over the tables scores, features, decisions, adjustments and rejects
    sql: String,
    /// Print a JSON object a row, a line each
    #[arg(long)]
    json: bool,
    /// Print CSV, all rows
    #[arg(long, conflicts_with_all = ["json", "out"])]
    csv: bool,
    /// Write all rows to a file, Parquet or CSV by its ending
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn execute(args: &QueryArgs) -> Result<()> {
    let answer = query(&args.run, &args.sql)?;
    match &args.out {
        Some(out) => {
            if write_file(&answer, out)? {
                return Ok(());
            }
            let (rows, columns) = (answer.rows, answer.columns.len());
            if args.json {
                print_json(
                    &json!({ "run": plain_path(&args.run), "out": plain_path(out), "rows": rows, "columns": columns })
                        .to_string(),
                );
            } else {
                let (rows, columns) = (plural(rows, "row"), plural(columns, "column"));
                print(&format!("wrote {}: {rows}, {columns}", plain_path(out)));
            }
        }
        None if args.csv => print_csv(&csv_bytes(&answer)?),
        None if args.json && answer.rows == 0 => {}
        None if args.json => print_json_lines(json_lines(&answer).trim_end()),
        None => print(&for_people(&answer, width().map(usize::from))),
    }
    Ok(())
}

/// As it is where a program reads it; without control characters where a terminal does.
fn print_csv(bytes: &[u8]) {
    if std::io::stdout().is_terminal() {
        print(String::from_utf8_lossy(bytes).trim_end());
    } else {
        print_bytes(bytes);
    }
}

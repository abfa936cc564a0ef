//! The arguments of `query`, and what it prints.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use terminal_size::terminal_size;

use crate::console::{plain_path, print, print_bytes, print_json, thousands};
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
                    &json!({ "run": args.run, "out": out, "rows": rows, "columns": columns }).to_string(),
                );
            } else {
                let (rows, columns) = (counted(rows, "row"), counted(columns, "column"));
                print(&format!("wrote {}: {rows}, {columns}", plain_path(out)));
            }
        }
        None if args.csv => print_csv(&csv_bytes(&answer)?),
        None if args.json && answer.rows == 0 => {}
        None if args.json => print_json(json_lines(&answer).trim_end()),
        None => print(&for_people(&answer, terminal_width())),
    }
    Ok(())
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(count as i128))
}

/// As it is where a program reads it; without control characters where a terminal does.
fn print_csv(bytes: &[u8]) {
    if std::io::stdout().is_terminal() {
        print(String::from_utf8_lossy(bytes).trim_end());
    } else {
        print_bytes(bytes);
    }
}

/// How many characters a line has; `None` where nobody looks at it on a terminal.
fn terminal_width() -> Option<usize> {
    let size = std::io::stdout().is_terminal().then(terminal_size)??;
    Some(usize::from(size.0.0))
}

//! The arguments of `diff`, and what it prints.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::console::{print, print_json};
use crate::diff::{self, DiffRequest, Only, compare, compare_ranges, is_range};
use crate::own::UserFile;

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A run, a directory of runs (date=…), a Parquet file, or a directory of the parts of one
    left: PathBuf,
    /// What to compare it with
    right: PathBuf,
    /// Of files: the columns that identify a row, and by which both are sorted
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    key: Vec<String>,
    /// Of runs: compare this part only
    #[arg(long, value_enum)]
    only: Option<Only>,
    /// Rows that count: an expression over columns; left_… and right_… name one side's
    #[arg(long = "where", value_name = "EXPR")]
    selection: Option<String>,
    /// Differences of a column up to so many units do not count; can be given again
    #[arg(long, value_name = "COLUMN=UNITS")]
    tolerance: Vec<String>,
    /// Write every change, a row each, to a .parquet or .csv file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print everything as JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Write a page as well, in one file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Most entries of a list
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Headlines only
    #[arg(long)]
    summary: bool,
}

/// Exit code where there is a difference.
const DIFFERENT: u8 = 1;

/// Compares and prints; the exit code.
pub(super) fn execute(args: DiffArgs) -> Result<u8> {
    let request = DiffRequest {
        left: args.left,
        right: args.right,
        key: args.key,
        only: args.only,
        selection: args.selection,
        tolerances: args.tolerance,
        out: args.out,
        limit: args.limit,
    };
    let (text, json, page, same) = if is_range(&request.left)? && is_range(&request.right)? {
        let found = compare_ranges(&request)?;
        let json = serde_json::to_string_pretty(&found)?;
        (diff::range_text(&found), json, diff::range_page(&found)?, found.same)
    } else {
        let found = compare(&request)?;
        let json = serde_json::to_string_pretty(&found)?;
        let (limit, summary) = (args.limit, args.summary);
        (diff::text(&found, limit, summary), json, diff::page(&found, limit, summary)?, found.same)
    };
    if let Some(path) = &args.html {
        UserFile::create(path)?.write(page.as_bytes())?;
    }
    if args.json {
        print_json(&json);
    } else {
        print(&text);
    }
    Ok(if same { 0 } else { DIFFERENT })
}

//! The arguments of `diff`, and what it prints.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::console::{print, print_json};
use crate::diff::{self, Detail, DiffRequest, Only, compare, compare_ranges, is_range};
use crate::own::UserFile;

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A run, a directory of runs (date=…), a Parquet or CSV file, or a directory of the parts of one
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
    /// Columns that are left out of the comparison
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Write every change, a row each, to a .parquet or .csv file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print everything as JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Write a page as well, in one file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Most entries of a list [default: 20; 10 on the terminal without --full]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Headlines only: the verdict, causes and sums of money
    #[arg(long, conflicts_with = "full")]
    summary: bool,
    /// Everything: features, bands, changed cells, inputs and job files too, and rows of nothing
    #[arg(long)]
    full: bool,
}

/// Entries of a list, and those on the terminal where not everything is shown.
const MOST_ENTRIES: usize = 20;
const MOST_AT_A_GLANCE: usize = 10;

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
        excluded: args.exclude,
        out: args.out,
        limit: args.limit.unwrap_or(MOST_ENTRIES),
    };
    let detail = if args.full {
        Detail::Full
    } else if args.summary {
        Detail::Headlines
    } else {
        Detail::Short
    };
    let at_a_glance = if args.full { MOST_ENTRIES } else { MOST_AT_A_GLANCE };
    let shown = args.limit.unwrap_or(at_a_glance);
    let (text, json, page, same) = if is_range(&request.left)? && is_range(&request.right)? {
        let found = compare_ranges(&request)?;
        let json = serde_json::to_string_pretty(&found)?;
        (diff::range_text(&found, detail), json, diff::range_page(&found)?, found.same)
    } else {
        let found = compare(&request)?;
        let json = serde_json::to_string_pretty(&found)?;
        (diff::text(&found, shown, detail), json, diff::page(&found, request.limit)?, found.same)
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

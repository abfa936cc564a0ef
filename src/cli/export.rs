//! `rescore export`: arguments, and what is printed.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::console::{plain_path, print, print_bytes, say, visible};
use crate::exchange::{ExportFormat, ExportRequest, SqlDialect, export};

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// A job file, or a scorecard file
    file: PathBuf,
    /// What it becomes
    #[arg(long, value_name = "WHAT")]
    to: ExportFormat,
    /// Whose SQL
    #[arg(long, value_name = "WHOSE", default_value = "duckdb")]
    dialect: SqlDialect,
    /// What the SQL reads features from, taken as it is [default: 'features.parquet' for duckdb, else features]
    #[arg(long, value_name = "TABLE")]
    features: Option<String>,
    /// Write a file instead of printing
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn execute(args: &ExportArgs) -> Result<()> {
    let request = ExportRequest {
        file: args.file.clone(),
        to: args.to,
        dialect: args.dialect,
        features: args.features.clone(),
        out: args.out.clone(),
    };
    let exported = export(&request)?;
    if !exported.shared_reasons.is_empty() {
        say(&format!(
            "note: the reasons {} are those of several characteristics: other programs add up what these cost before they rank \
             reasons, rescore ranks each by itself",
            visible(&exported.shared_reasons.join(", "))
        ));
    }
    match &args.out {
        None => print_bytes(exported.text.as_bytes()),
        Some(_) if exported.is_stdout => {}
        Some(path) => {
            print(&format!("wrote {}: {} characteristics", plain_path(path), exported.characteristics))
        }
    }
    Ok(())
}

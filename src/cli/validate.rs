//! The arguments of `validate`, and what it prints.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::console::{Progress, plain_path, print_json, say};
use crate::failure::Kind;
use crate::validate::{ValidationRequest, text, validate};

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// The model file, whose sample `rescore sample` has drawn
    model: PathBuf,
    /// The scorecard to validate [default: the job's own]
    #[arg(long, value_name = "FILE")]
    scorecard: Option<PathBuf>,
    /// Where validation.json, bins.parquet and validation.html go [default: `validation` beside the model file]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// An output directory whose published nights have a challenger: compare its arms on what happened, too
    #[arg(long, value_name = "OUT")]
    runs: Option<PathBuf>,
    /// Print validation.json
    #[arg(long)]
    json: bool,
}

/// Validates and prints; the exit code.
pub(super) fn execute(args: ValidateArgs, progress: &Progress) -> Result<u8> {
    let request =
        ValidationRequest { model: args.model, scorecard: args.scorecard, out: args.out, runs: args.runs };
    let outcome = validate(&request, progress);
    progress.finish();
    let outcome = outcome?;
    if args.json {
        print_json(&outcome.json);
    } else {
        let out = plain_path(&outcome.out);
        say(&format!(
            "{}\n\nwrote {out}: validation.json, bins.parquet, validation.html",
            text::for_people(&outcome.figures)
        ));
    }
    Ok(if outcome.figures.holds { 0 } else { Kind::Held.exit_code() })
}

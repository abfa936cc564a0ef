//! The arguments of `fit`, and what it prints.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::console::{Progress, print_json, say};
use crate::fit::{FitRequest, fit, text};

#[derive(Debug, Args)]
pub(super) struct FitArgs {
    /// The model file; its sample was drawn before (`rescore sample`)
    model: PathBuf,
    /// Where the job with the fitted scorecard goes: a directory that is not there yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Fit on fewer than 50 bads, too
    #[arg(long)]
    force: bool,
    /// Replace a fitted card that stands there and that nobody has worked on since
    #[arg(long)]
    replace: bool,
    /// Leave the thresholds of rules and gates on the score as they are, and name them only
    #[arg(long)]
    keep_thresholds: bool,
    /// Threads to use; no output depends on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print what fit.json says
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &FitArgs, progress: &Progress) -> Result<()> {
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global()?;
    }
    let request = FitRequest {
        model: args.model.clone(),
        out: args.out.clone(),
        force: args.force,
        replace: args.replace,
        keep_thresholds: args.keep_thresholds,
    };
    let outcome = fit(&request);
    progress.finish();
    let outcome = outcome?;
    if args.json {
        print_json(&serde_json::to_string(&outcome.record)?);
    } else {
        say(&text::for_people(&request, &outcome));
    }
    Ok(())
}

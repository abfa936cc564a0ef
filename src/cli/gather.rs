//! `rescore gather`: a run in parts made into one file a table.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::console::{plain_path, plural, print_json, say};
use crate::gather::gather;

#[derive(Debug, Args)]
pub(super) struct GatherArgs {
    /// A run's directory, published or held
    run: PathBuf,
    /// The output directory in which the gathered run is to lie, as date=…
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &GatherArgs) -> Result<()> {
    let gathered = gather(&args.run, &args.out)?;
    let directory = plain_path(&gathered.directory);
    let files = gathered.manifest.outputs.len();
    if args.json {
        let ending = if gathered.was_there { "unchanged" } else { "gathered" };
        print_json(&serde_json::to_string(&GatherFigures { ending, directory: &directory, files })?);
    } else if gathered.was_there {
        say(&format!("left alone, gathered already: {directory}"));
    } else {
        say(&format!("gathered {} into {directory}", plural(files, "file")));
    }
    Ok(())
}

/// What `--json` prints.
#[derive(Serialize)]
struct GatherFigures<'a> {
    ending: &'static str,
    directory: &'a str,
    files: usize,
}

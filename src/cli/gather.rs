//! `rescore gather`: a run in parts made into one file a table.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::console::{plain_path, print};
use crate::gather::gather;

#[derive(Debug, Args)]
pub(super) struct GatherArgs {
    /// A run's directory, published or held
    run: PathBuf,
    /// The output directory in which the gathered run is to lie, as date=…
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn execute(args: &GatherArgs) -> Result<()> {
    let gathered = gather(&args.run, &args.out)?;
    let directory = plain_path(&gathered.directory);
    if gathered.was_there {
        print(&format!("left alone, gathered already: {directory}"));
    } else {
        print(&format!("gathered {} files into {directory}", gathered.manifest.outputs.len()));
    }
    Ok(())
}

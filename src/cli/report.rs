//! `rescore report`: arguments, and where the page goes.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::console::{plain_path, print_json, say, thousands};
use crate::failure::{Kind, failure, input};
use crate::own::UserFile;
use crate::report::{Beside, night_before, page, range_page};
use crate::run_dir::manifest::MANIFEST;
use crate::run_dir::{PublishedRun, is_there};

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A run's directory, published or held; or a directory of runs (date=…)
    run: PathBuf,
    /// The run to hold it against, account by account: migration and stability
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// Where to write the page
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &ReportArgs) -> Result<()> {
    let page = if is_there(&args.run.join(MANIFEST))? {
        let run = PublishedRun::open(&args.run)?;
        match args.against.as_deref().map(PublishedRun::open).transpose()? {
            Some(against) => page(&run, Beside::Run(&against))?,
            None => {
                let before = night_before(&run);
                page(&run, before.as_ref().map_or(Beside::Nothing, Beside::NightBefore))?
            }
        }
    } else {
        range(&args.run, args.against.as_deref())?
    };
    let file = UserFile::create(&args.out)?;
    let is_stdout = file.is_stdout();
    file.write(page.as_bytes())?;
    let (out, bytes) = (plain_path(&args.out), page.len());
    match (is_stdout, args.json) {
        (true, _) => {}
        (false, true) => print_json(&serde_json::to_string(&ReportFigures { out, bytes })?),
        (false, false) => say(&format!("wrote {out}: {} bytes", thousands(bytes as i128))),
    }
    Ok(())
}

/// What `--json` prints.
#[derive(Serialize)]
struct ReportFigures {
    out: String,
    bytes: usize,
}

fn range(directory: &Path, against: Option<&Path>) -> Result<String> {
    let page = range_page(directory)?.ok_or_else(|| {
        let message = "it has no manifest.json, so it is no whole run, and no run lies in it (date=…)";
        input(format!("report {}: {message}", plain_path(directory)))
    })?;
    match against {
        Some(_) => Err(failure(Kind::Usage, "--against goes with one run, not with a directory of runs")),
        None => Ok(page),
    }
}

//! `rescore report`: arguments, and where the page goes.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::console::{print, thousands};
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
}

pub(super) fn execute(args: &ReportArgs) -> Result<()> {
    let page = if is_there(&args.run.join(MANIFEST))? {
        let run = PublishedRun::open(&args.run)?;
        match args.against.as_deref().map(PublishedRun::open).transpose()? {
            Some(against) => page(&run, Beside::Run(&against))?,
            None => {
                let before = night_before(&run)?;
                page(&run, before.as_ref().map_or(Beside::Nothing, Beside::NightBefore))?
            }
        }
    } else {
        range(&args.run, args.against.as_deref())?
    };
    let file = UserFile::create(&args.out)?;
    let is_stdout = file.is_stdout();
    file.write(page.as_bytes())?;
    if !is_stdout {
        print(&format!("wrote {}: {} bytes", args.out.display(), thousands(page.len() as i128)));
    }
    Ok(())
}

fn range(directory: &Path, against: Option<&Path>) -> Result<String> {
    let page = range_page(directory)?.ok_or_else(|| {
        let message = "it has no manifest.json, so it is no whole run, and no run lies in it (date=…)";
        input(format!("report {}: {message}", directory.display()))
    })?;
    match against {
        Some(_) => Err(failure(Kind::Usage, "--against goes with one run, not with a directory of runs")),
        None => Ok(page),
    }
}

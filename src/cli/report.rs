//! `rescore report`: arguments, and where the page goes.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::console::{print, thousands};
use crate::failure::{Kind, failure, input};
use crate::publish::commit::replace_file;
use crate::publish::manifest::MANIFEST;
use crate::published::PublishedRun;
use crate::report::{page, range_page};

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A run's directory, published or held; or a directory of runs (date=…)
    run: PathBuf,
    /// The run to hold it against: migration and stability
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// Where to write the page
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
}

pub(super) fn report_command(args: &ReportArgs) -> Result<()> {
    let page = match args.run.join(MANIFEST).exists() {
        true => {
            let run = PublishedRun::open(&args.run)?;
            let against = args.against.as_deref().map(PublishedRun::open).transpose()?;
            page(&run, against.as_ref())?
        }
        false => range(&args.run, args.against.as_deref())?,
    };
    write(&args.out, &page)?;
    print(&format!("wrote {}: {} bytes", args.out.display(), thousands(page.len() as i128)));
    Ok(())
}

fn range(directory: &Path, against: Option<&Path>) -> Result<String> {
    let nothing = || {
        let message = "it has no manifest.json, so it is no whole run, and no run lies in it (date=…)";
        input(format!("report {}: {message}", directory.display()))
    };
    let page = range_page(directory)?.ok_or_else(nothing)?;
    match against {
        Some(_) => Err(failure(Kind::Usage, "--against goes with one run, not with a directory of runs")),
        None => Ok(page),
    }
}

/// Writes the page at once and whole.
fn write(path: &Path, page: &str) -> Result<()> {
    let failed =
        |why: &dyn std::fmt::Display| failure(Kind::Usage, format!("write {}: {why}", path.display()));
    let name =
        path.file_name().and_then(|name| name.to_str()).ok_or_else(|| failed(&"it is no file's name"))?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() {
        return Err(failed(&"it is a directory"));
    }
    if !directory.is_dir() {
        return Err(failed(&format!("there is no directory {}", directory.display())));
    }
    replace_file(directory, name, page.as_bytes()).map_err(|error| failed(&format!("{error:#}")))
}

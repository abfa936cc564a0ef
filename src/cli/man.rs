//! `rescore man`: the manual, one page on stdout or a page a command into a directory.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Command};

use crate::console::{plain_path, print, print_bytes};
use crate::own::UserFile;

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write rescore.1 and a page a command, as in rescore-run.1, into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn execute(args: &ManArgs, mut program: Command) -> Result<()> {
    program.build();
    let Some(out) = &args.out else {
        print_bytes(&page(program)?);
        return Ok(());
    };
    let pages = write_pages(out, &program)?;
    print(&format!("wrote {pages} pages into {}", plain_path(out)));
    Ok(())
}

/// Writes the page of a command, and those of the commands below it; how many.
fn write_pages(out: &Path, command: &Command) -> Result<usize> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    UserFile::create(&out.join(format!("{name}.1")))?.write(&page(command.clone())?)?;
    let below = command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help");
    below.map(|below| write_pages(out, below)).sum::<Result<usize>>().map(|pages| pages + 1)
}

fn page(command: Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(page)
}

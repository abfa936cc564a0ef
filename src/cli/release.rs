//! `rescore release`: a held run published on somebody's word.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::shared::check_dates;
use crate::console::{plain_path, print};
use crate::day::Day;
use crate::release::{list, release};

#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    /// The output directory
    out: PathBuf,
    /// The held run's as-of date
    #[arg(long, value_name = "DATE")]
    date: Day,
    /// Its known-on date [default: the as-of date]
    #[arg(long, value_name = "DATE")]
    known_on: Option<Day>,
    /// Also where later nights are published, which have not seen what this one issues
    #[arg(long)]
    anyway: bool,
}

pub(super) fn execute(args: &ReleaseArgs) -> Result<()> {
    check_dates(Some(args.date), args.known_on)?;
    let known_on = args.known_on.unwrap_or(args.date);
    let released = release(&args.out, args.date, known_on, args.anyway)?;
    print(&format!("published {}", plain_path(&released.directory)));
    released.overruled.iter().for_each(|gate| print(&format!("overruled {}", gate.line())));
    if !released.unaware.is_empty() {
        print(&format!("run again with --replace, in this order: {}", list(&released.unaware)));
    }
    Ok(())
}

//! Arguments that several commands take, and what is wrong with them.

use anyhow::Result;
use bytesize::ByteSize;
use clap::Args;

use crate::day::Day;
use crate::failure::{Kind, failure};

// How features are computed, whatever asks for them. (What is documented here clap would say of the command.)
#[derive(Debug, Args)]
pub(super) struct EngineArgs {
    /// Read and sort every delivery anew: use nothing that earlier runs have kept, and keep nothing
    #[arg(long)]
    pub from_scratch: bool,
    /// Threads to use; no output depends on it [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Memory, as in 4GB or 512MiB: sorted deliveries that are not kept for other runs take half of it,
    /// and beyond that lie in a file; no output depends on it [default: 512MiB]
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    pub memory: Option<u64>,
}

/// A size in bytes, with its unit.
fn memory(text: &str) -> Result<u64, String> {
    /// Less is a slip of the unit.
    const LEAST: ByteSize = ByteSize::mb(1);
    match text.parse::<ByteSize>() {
        Ok(size) if size >= LEAST => Ok(size.as_u64()),
        Ok(ByteSize(size)) => {
            let number = text.trim_end_matches(|c: char| !c.is_ascii_digit());
            Err(format!("that is {size} bytes; did you mean {number}GB? The least is 1MB"))
        }
        Err(_) => Err("sizes are written as in 4GB (powers of 1000) or 512MiB (of 1024)".to_string()),
    }
}

impl EngineArgs {
    /// Has so many threads work, where a number is asked for.
    pub fn start_threads(&self) -> Result<()> {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global()?;
        }
        Ok(())
    }
}

/// Fails where K is before D.
pub(super) fn check_dates(date: Option<Day>, known_on: Option<Day>) -> Result<()> {
    match (date, known_on) {
        (Some(date), Some(known_on)) if known_on < date => {
            let message =
                format!("--known-on {known_on} is before --date {date}: nothing can be known earlier");
            Err(failure(Kind::Usage, message))
        }
        _ => Ok(()),
    }
}

//! `rescore explain`: arguments, and what is printed.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::console::{print, print_json};
use crate::explain::{compare, explain, notice, text};
use crate::run_dir::PublishedRun;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// A run's directory, published or held
    run: PathBuf,
    /// The account's id
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    account: String,
    /// Another run to hold it against: both side by side, and what moved
    #[arg(long, value_name = "RUN", conflicts_with = "adverse_action")]
    against: Option<PathBuf>,
    /// List all rules with what they read, not only the one that decided
    #[arg(long, conflicts_with_all = ["adverse_action", "against"])]
    all_rules: bool,
    /// Print JSON, money in minor units
    #[arg(long)]
    json: bool,
    /// Print the notice to the person of what was decided against them
    #[arg(long)]
    adverse_action: bool,
}

pub(super) fn execute(args: &ExplainArgs) -> Result<()> {
    let run = PublishedRun::open(&args.run)?;
    if args.adverse_action {
        let notice = notice::notice(&run, &args.account)?;
        if args.json {
            print_json(&serde_json::to_string_pretty(&notice)?);
        } else {
            print(&notice.text);
        }
        return Ok(());
    }
    let now = explain(&run, &args.account)?;
    match &args.against {
        None if args.json => print_json(&serde_json::to_string_pretty(&now)?),
        None => print(&text::for_people(&now, args.all_rules)),
        Some(against) => {
            let before = explain(&PublishedRun::open(against)?, &args.account)?;
            let comparison = compare::compare(before, now);
            if args.json {
                print_json(&serde_json::to_string_pretty(&comparison)?);
            } else {
                print(&compare::for_people(&comparison));
            }
        }
    }
    Ok(())
}

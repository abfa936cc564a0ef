//! The arguments of `init`, and what it prints.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::console::{Progress, plain_path, print, print_json, table, thousands, visible};
use crate::day::Day;
use crate::init::{FoundBy, InitOutcome, InitRequest, Mapping, init};

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Where nightly.toml, scorecard.toml and policy.toml go
    dir: PathBuf,
    /// Files of transactions: a pattern in quotes, as in 'data/transactions/date=*/*.parquet', or a directory
    #[arg(long, value_name = "GLOB")]
    transactions: String,
    /// Files of repayments, or none
    #[arg(long, value_name = "GLOB")]
    repayments: String,
    /// Files of the book of lines
    #[arg(long, value_name = "GLOB")]
    lines: String,
    /// Which column of yours is which, as in account_id=CustNo or lines.account_id=CustNo; may come often
    #[arg(long = "map", value_name = "COLUMN=YOURS", value_parser = Mapping::parse)]
    mappings: Vec<Mapping>,
    /// Decimal places of money, 2 for 1.00 = 100 [default: as Decimal columns have them, 2 for integers]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=18))]
    minor_units: Option<u32>,
    /// The time zone in which an instant becomes a date, as in Asia/Shanghai
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// The day of the trial night [default: the latest of which all inputs are there]
    #[arg(long, value_name = "DATE")]
    date: Option<Day>,
    /// Print what was written and guessed as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: InitArgs, progress: &Progress) -> Result<()> {
    let request = InitRequest {
        directory: args.dir,
        transactions: args.transactions,
        repayments: args.repayments,
        lines: args.lines,
        mappings: args.mappings,
        minor_units: args.minor_units,
        timezone: args.timezone,
        date: args.date,
    };
    let outcome = init(&request, progress);
    progress.finish();
    let outcome = outcome?;
    if args.json {
        print_json(&figures(&outcome).to_string());
    } else {
        print(&text(&outcome));
    }
    Ok(())
}

fn how(by: FoundBy) -> &'static str {
    match by {
        FoundBy::Said => "said",
        FoundBy::SameName => "same name",
        FoundBy::OtherName => "guessed by name",
        FoundBy::OnlyOfType => "guessed by type",
    }
}

fn text(outcome: &InitOutcome) -> String {
    let files: Vec<String> = outcome.files.iter().map(|path| plain_path(path)).collect();
    let rows = outcome.columns.iter().map(|column| {
        let or = column.passed_over.join(", ");
        let by = how(column.by);
        let by = if or.is_empty() { by.to_string() } else { format!("{by}, not {or}") };
        vec![
            column.input.to_string(),
            column.column.to_string(),
            column.name.clone(),
            column.type_name.clone(),
            by,
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let remarks: Vec<String> =
        outcome.remarks.iter().map(|remark| format!("  {}", visible(remark))).collect();
    let job = &files[0];
    format!(
        "wrote {}\n\n{}\n\n{}\n\non trial, the night of {} scored {} accounts; the products are {}\n\nnext: read the three \
         files, above all what is marked TO LOOK AT, then\n  rescore check {job} --date {date}\n  rescore run {job} --date \
         {date}",
        files.join(", "),
        table(&["input", "column", "yours", "type", "how"], &rows),
        remarks.join("\n"),
        outcome.date,
        thousands(outcome.accounts.into()),
        visible(&outcome.products.join(", ")),
        date = outcome.date,
    )
}

/// What `--json` prints, on one line.
fn figures(outcome: &InitOutcome) -> serde_json::Value {
    let columns = outcome.columns.iter().map(|column| {
        json!({
            "input": column.input,
            "column": column.column,
            "yours": column.name,
            "type": column.type_name,
            "how": how(column.by),
            "passed_over": column.passed_over,
        })
    });
    json!({
        "files": outcome.files,
        "columns": columns.collect::<Vec<_>>(),
        "remarks": outcome.remarks,
        "date": outcome.date.to_string(),
        "accounts": outcome.accounts,
        "products": outcome.products,
        "warnings": outcome.warnings,
    })
}

//! A job, a scorecard and a policy to start from, written for the files that somebody has.
//!
//! - `deliveries`: where the files lie, and where their date stands;
//! - `names`, `columns`: which column is which of the contract;
//! - `trial`: a night apart from everything, and what it found;
//! - `job_text`, `scorecard_text`, `policy_text`: the three files.

mod columns;
mod deliveries;
mod job_text;
mod names;
mod policy_text;
mod scorecard_text;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use arrow_schema::DataType;

pub use columns::{FoundBy, FoundColumn, Mapping};

use crate::check::check;
use crate::console::Progress;
use crate::day::Day;
use crate::failure::{Kind, failure, input, laid_out};
use crate::input::catalog::Catalog;
use crate::input::file;
use crate::input::wanted::Role;
use crate::job::input_names::{LINES, REPAYMENTS, TRANSACTIONS};
use crate::places;
use crate::store::is_url;
use columns::ShownColumn;
use deliveries::FoundDeliveries;
use job_text::{JobSketch, job_text};
use policy_text::{MOST_PRODUCTS, policy_text};
use scorecard_text::{OwnNames, scorecard_text};
use trial::{FILES, JobTexts, TrialFigures, try_night};

/// What is to be written, and from which files.
#[derive(Debug, Clone)]
pub struct InitRequest {
    /// Where the three files go.
    pub directory: PathBuf,
    /// Pattern, directory or file.
    pub transactions: String,
    /// Likewise, or `none`.
    pub repayments: String,
    /// Likewise.
    pub lines: String,
    /// Which column is which, as far as it is said.
    pub mappings: Vec<Mapping>,
    /// Decimal places of money, where they are said.
    pub minor_units: Option<u32>,
    /// The zone in which an instant becomes a date, where it is said.
    pub timezone: Option<String>,
    /// The day of the trial night, where it is said.
    pub date: Option<Day>,
}

/// What was written.
#[derive(Debug)]
pub struct InitOutcome {
    /// The three files, the job first.
    pub files: Vec<PathBuf>,
    /// The columns of the contract that were found.
    pub columns: Vec<FoundColumn>,
    /// What was guessed besides, a sentence each.
    pub remarks: Vec<String>,
    /// The day of the trial night.
    pub date: Day,
    /// Accounts with a score that night.
    pub accounts: u64,
    /// The products of the book.
    pub products: Vec<String>,
    /// Warnings of `check`.
    pub warnings: usize,
}

/// An input as it was found.
struct FoundInput {
    name: &'static str,
    deliveries: FoundDeliveries,
    columns: Vec<ShownColumn>,
}

/// Writes the three files. Fails, and writes nothing, where a job is there already, where something that could change
/// a number cannot be told, or where no night can be run.
pub fn init(request: &InitRequest, progress: &Progress) -> Result<InitOutcome> {
    check_is_free(&request.directory)?;
    let mut found = vec![look_at(TRANSACTIONS, &request.transactions)?];
    if request.repayments != "none" {
        found.push(look_at(REPAYMENTS, &request.repayments)?);
    }
    found.push(look_at(LINES, &request.lines)?);
    check_apart(&request.directory, &found)?;
    let mut questions = Vec::new();
    let mut columns = Vec::new();
    for one in &found {
        columns.extend(columns::find(one.name, &one.columns, &request.mappings, &mut questions)?);
    }
    let (minor_units, units_remark) = minor_units(request.minor_units, &columns, &mut questions);
    check_instants(request.timezone.as_deref(), &columns, &mut questions);
    if !questions.is_empty() {
        let lines: Vec<String> =
            questions.iter().map(|question| crate::console::visible(question).into_owned()).collect();
        return Err(laid_out(
            Kind::Usage,
            format!("init: this cannot be told from the files\n{}", lines.join("\n")),
        ));
    }
    let lines_max_age_days = lines_max_age(&found[found.len() - 1].deliveries.catalog);
    let date = match request.date {
        Some(date) => date,
        None => latest_night(&found, lines_max_age_days)?,
    };
    let names =
        OwnNames::new(&line_columns(&found, &columns), found.len() > 2, other_columns(&found[0], &columns));
    let row_ids = row_ids(&found, &columns);
    let texts = |directory: Option<&Path>, figures: Option<&TrialFigures>| {
        let sketch = JobSketch {
            minor_units,
            minor_units_remark: &units_remark,
            timezone: request.timezone.as_deref(),
            lines_max_age_days,
            inputs: inputs(&found, directory),
            columns: &columns,
            row_ids: &row_ids,
            figures,
        };
        JobTexts {
            job: job_text(&sketch),
            scorecard: scorecard_text(&names, figures),
            policy: policy_text(&names, figures, minor_units),
        }
    };
    let figures = try_night(&texts(None, None), date, progress)
        .with_context(|| format!("a night of {date} on trial"))?;
    check_products(&figures)?;
    texts(Some(&request.directory), Some(&figures)).write(&request.directory)?;
    let files: Vec<PathBuf> = FILES.iter().map(|name| request.directory.join(name)).collect();
    let report = check(&files[0], Some(date), None)?;
    let remarks =
        found.iter().filter_map(|one| Some(format!("{}: {}", one.name, one.deliveries.remark.as_ref()?)));
    Ok(InitOutcome {
        remarks: remarks.chain([units_remark]).collect(),
        columns,
        date,
        accounts: figures.accounts,
        products: figures.products.into_iter().map(|product| product.name).collect(),
        warnings: report.figures.warnings,
        files,
    })
}

/// Fails where one of the three files is there already.
fn check_is_free(directory: &Path) -> Result<()> {
    if is_url(directory) {
        let message = format!("init {}: name a directory of this machine", directory.display());
        return Err(failure(Kind::Usage, message));
    }
    match FILES.iter().map(|name| directory.join(name)).find(|path| path.symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(path) => {
            let message = format!("init: {} is there already; name another directory", path.display());
            Err(failure(Kind::Refused, message))
        }
    }
}

/// Fails where what the job publishes would lie among its inputs.
fn check_apart(directory: &Path, found: &[FoundInput]) -> Result<()> {
    let out = directory.join("out");
    let held = found.iter().find(|one| places::overlap(&one.deliveries.catalog.spec.root, &out));
    match held {
        None => Ok(()),
        Some(one) => {
            let message = format!(
                "init {}: the job would publish to {}, which is, holds or lies in the directory of {}: name another \
                 directory",
                directory.display(),
                out.display(),
                one.name
            );
            Err(failure(Kind::Usage, message))
        }
    }
}

/// Finds the files of an input, and the columns of the newest.
fn look_at(name: &'static str, given: &str) -> Result<FoundInput> {
    if given == "none" {
        let message = format!("init: there is no run without {name}; only --repayments may be none");
        return Err(failure(Kind::Usage, message));
    }
    let deliveries = deliveries::find(name, given)?;
    let newest = deliveries
        .catalog
        .deliveries
        .last()
        .and_then(|delivery| Some((delivery.date, delivery.files.last()?)));
    let (date, newest) = newest.ok_or_else(|| input(format!("find {name}: there are no files")))?;
    let opened = file::open(&deliveries.catalog.spec, date, newest)?;
    let columns = opened.typed_columns().into_iter();
    let columns = columns.map(|(name, kind, type_name)| ShownColumn { name, kind, type_name }).collect();
    Ok(FoundInput { name, deliveries, columns })
}

/// Decimal places of money, and a sentence on how they came to be known.
fn minor_units(said: Option<u32>, columns: &[FoundColumn], questions: &mut Vec<String>) -> (u32, String) {
    if let Some(said) = said {
        return (
            said,
            format!("decimal places of money, as it was said: 1.00 = {}", 10_u64.pow(said.min(18))),
        );
    }
    let money = || columns.iter().filter(|column| column.role == Role::Money);
    let scales: BTreeSet<i8> = money()
        .filter_map(|column| match column.kind {
            DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => Some(scale),
            _ => None,
        })
        .collect();
    let integers: Vec<String> = money()
        .filter(|column| column.kind.is_integer())
        .map(|column| format!("{}.{}", column.input, column.name))
        .collect();
    match scales.last().map(|scale| u32::try_from(*scale)) {
        None => (2, "TO LOOK AT: money is integers, taken as minor units of a currency with 2 decimal places: 1.00 = 100".to_string()),
        Some(Ok(scale @ 0..=3)) if integers.is_empty() => {
            (scale, format!("TO LOOK AT: money is Decimal with {scale} decimal places, taken as those of the currency"))
        }
        Some(Ok(scale @ 0..=3)) => (
            scale,
            format!(
                "TO LOOK AT: decimal places as the Decimal columns have them; {} integers, and so read as minor units, 10 \
                 to the power of {scale} to 1.00",
                if let [one] = &integers[..] { format!("{one} is") } else { format!("{} are", integers.join(" and ")) }
            ),
        ),
        Some(_) => {
            questions.push("money is Decimal of another scale than currencies have: say how many decimal places yours has, as in --minor-units 2".to_string());
            (2, String::new())
        }
    }
}

/// Asks for the zone where dates are instants.
fn check_instants(said: Option<&str>, columns: &[FoundColumn], questions: &mut Vec<String>) {
    let instants = columns.iter().filter(|column| matches!(column.kind, DataType::Timestamp(_, Some(_))));
    let instants: Vec<String> = instants.map(|column| format!("{}.{}", column.input, column.name)).collect();
    if said.is_none() && !instants.is_empty() {
        questions.push(format!(
            "in which time zone an instant becomes a date, for {}: say it, as in --timezone Asia/Shanghai",
            instants.join(", ")
        ));
    }
}

/// How many days the snapshot may be old, by the days between those that are there.
fn lines_max_age(catalog: &Catalog) -> u32 {
    /// Enough to see how often they come.
    const LAST: usize = 13;
    let dates: Vec<Day> =
        catalog.deliveries.iter().rev().take(LAST).filter_map(|delivery| delivery.date).collect();
    let longest = dates.windows(2).map(|pair| pair[0].since(pair[1])).max().unwrap_or(1);
    u32::try_from(longest.clamp(1, 31)).unwrap_or(1)
}

/// The latest day of which a night can be run.
fn latest_night(found: &[FoundInput], lines_max_age_days: u32) -> Result<Day> {
    let dates = |one: &FoundInput| -> BTreeSet<Day> {
        one.deliveries.catalog.deliveries.iter().filter_map(|delivery| delivery.date).collect()
    };
    let (lines, others) = found.split_last().context("lines are always looked at")?;
    let dated = others.iter().filter(|one| one.deliveries.catalog.spec.is_dated());
    let common = dated.map(dates).reduce(|all, own| all.intersection(&own).copied().collect());
    let snapshots = dates(lines);
    let Some(days) = common.or_else(|| (!snapshots.is_empty()).then(|| snapshots.clone())) else {
        let message = "init: no path has a date, so that no day is the last: say which day a night can be run of, as in \
                       --date 2026-11-20";
        return Err(failure(Kind::Usage, message));
    };
    let is_recent = |day: &Day| match snapshots.range(..=*day).next_back() {
        Some(snapshot) => day.since(*snapshot) <= i64::from(lines_max_age_days),
        None => snapshots.is_empty(),
    };
    days.into_iter().rev().find(is_recent).ok_or_else(|| {
        let ends = found.iter().filter_map(|one| Some(format!("{} end on {}", one.name, dates(one).last()?)));
        let ends: Vec<String> = ends.collect();
        input(format!(
            "init: there is no day of which all inputs are delivered, with lines at most {lines_max_age_days} days old: {}",
            ends.join(", ")
        ))
    })
}

/// The columns of lines by the names of the contract.
fn line_columns(found: &[FoundInput], columns: &[FoundColumn]) -> Vec<String> {
    let of_lines = found.iter().filter(|one| one.name == LINES).flat_map(|one| &one.columns);
    let contract =
        columns.iter().filter(|column| column.input == LINES).map(|column| column.column.to_string());
    of_lines.map(|column| column.name.clone()).chain(contract).collect()
}

/// The columns of an input that are none of the contract, with their types.
fn other_columns(one: &FoundInput, columns: &[FoundColumn]) -> Vec<String> {
    let is_known = |name: &str| columns.iter().any(|column| column.input == one.name && column.name == name);
    let others = one.columns.iter().filter(|column| !is_known(&column.name));
    others.map(|column| format!("{} {}", column.name, column.type_name)).collect()
}

/// Columns that look as if each row had a number of its own, by input.
fn row_ids(found: &[FoundInput], columns: &[FoundColumn]) -> BTreeMap<&'static str, String> {
    let is_taken =
        |input: &str, name: &str| columns.iter().any(|column| column.input == input && column.name == name);
    let looks_so = |column: &&ShownColumn| {
        let name: String = column.name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let of_row = [
            "transactionid",
            "txnid",
            "tranid",
            "txid",
            "transactionno",
            "txnno",
            "rowid",
            "eventid",
            "paymentid",
            "repaymentid",
        ];
        of_row.contains(&name.as_str())
    };
    let found = found.iter().filter(|one| one.name != LINES).filter_map(|one| {
        let column = one.columns.iter().filter(looks_so).find(|column| !is_taken(one.name, &column.name))?;
        Some((one.name, column.name.clone()))
    });
    found.collect()
}

/// Patterns and remarks by input, from a directory or from everywhere.
fn inputs(
    found: &[FoundInput],
    directory: Option<&Path>,
) -> Vec<(&'static str, Option<String>, Option<String>)> {
    let entry = |name: &'static str| {
        let one = found.iter().find(|one| one.name == name);
        let pattern = one.map(|one| {
            let pattern = &one.deliveries.catalog.spec.pattern;
            directory
                .map_or_else(|| pattern.clone(), |directory| deliveries::from_directory(directory, pattern))
        });
        (name, pattern, one.and_then(|one| one.deliveries.remark.clone()))
    };
    [TRANSACTIONS, REPAYMENTS, LINES].map(entry).to_vec()
}

fn check_products(figures: &TrialFigures) -> Result<()> {
    let count = figures.products.len();
    if count <= MOST_PRODUCTS {
        return Ok(());
    }
    let first: Vec<&str> = figures.products.iter().take(3).map(|product| product.name.as_str()).collect();
    let message = format!(
        "init: the book has {count} products ({}, …), more than a policy names one by one: is another column the \
         product? Say --map lines.product=COLUMN",
        first.join(", ")
    );
    Err(failure(Kind::Usage, message))
}

//! What `run --plan` prints: date by date, what would be read and done.

use anyhow::Result;
use serde::Serialize;

use crate::console::{bytes, plural, print, print_json, table};
use crate::day::Day;
use crate::failure::exit_code;
use crate::job::input_names;
use crate::run::{NightPlan, PlannedNight, PlannedRead, RunRequest, Sorting, plan};
use crate::sorted::{Outlook, Why};

/// Prints the plan; fails as the run would at the first night that could not run.
pub(super) fn execute(request: &RunRequest, json: bool) -> Result<()> {
    let nights = plan(request)?;
    if json {
        print_json(&serde_json::to_string(&nights.iter().map(PlanLine::of).collect::<Vec<_>>())?);
    } else {
        print(&text(&nights));
    }
    let failed = nights.into_iter().find_map(|night| match night.plan {
        NightPlan::Fails(error) => Some(error.context(format!("night of {}", night.dates.as_of))),
        _ => None,
    });
    failed.map_or(Ok(()), Err)
}

const INPUTS: [&str; 4] =
    [input_names::TRANSACTIONS, input_names::REPAYMENTS, input_names::LINES, input_names::ISSUED];

fn text(nights: &[PlannedNight]) -> String {
    let header: Vec<&str> = ["night"].into_iter().chain(INPUTS).chain(["what is done"]).collect();
    let rows: Vec<Vec<String>> = nights.iter().map(row).collect();
    let reads = || nights.iter().flat_map(|night| &night.reads);
    let computed = nights.iter().filter(|night| matches!(night.plan, NightPlan::Compute(_))).count();
    let total = format!(
        "{}, {computed} to compute: {} to read, {}; nothing was written",
        plural(nights.len(), "night"),
        plural(reads().map(|reading| reading.files).sum(), "file"),
        bytes(reads().map(|reading| reading.bytes).sum()),
    );
    format!("{}\n\n{total}", table(&header, &rows))
}

fn row(night: &PlannedNight) -> Vec<String> {
    let cell = |name: &str| {
        let reading = night.reads.iter().find(|reading| reading.input == name);
        let Some(PlannedRead { files, bytes: size, .. }) = reading else { return String::new() };
        let to_come = match (name, night.depends_on.len()) {
            (input_names::ISSUED, more @ 1..) => format!(", {more} to come"),
            _ => String::new(),
        };
        format!("{}, {}{to_come}", plural(*files, "file"), bytes(*size))
    };
    let course = match &night.plan {
        NightPlan::LeftAlone { held: false } => "left alone".to_string(),
        NightPlan::LeftAlone { held: true } => "left alone, held".to_string(),
        NightPlan::Depends => {
            "published; left alone if the nights before it issue what it read, else refused".to_string()
        }
        NightPlan::Compute(sorting) => sorting.to_string(),
        NightPlan::Fails(error) => format!("cannot run: {error:#}"),
    };
    let inputs = INPUTS.into_iter().map(cell);
    [night.dates.as_of.to_string()].into_iter().chain(inputs).chain([course]).collect()
}

/// What `--plan --json` prints of a night.
#[derive(Serialize)]
struct PlanLine<'a> {
    as_of: Day,
    known_on: Day,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain_from: Option<Day>,
    course: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sorted: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_sort: Option<Vec<ToSort>>,
    reads: &'a [PlannedRead],
    awaits: &'a [Day],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<PlannedError>,
}

/// A delivery that is not sorted yet.
#[derive(Serialize)]
struct ToSort {
    input: &'static str,
    delivery: Option<Day>,
    why: &'static str,
}

impl ToSort {
    fn all(sorting: &Sorting) -> Vec<ToSort> {
        let of_input = |(input, outlook): &(&'static str, Outlook)| {
            let input = *input;
            let to_sort = move |(delivery, why): &(Option<Day>, Why)| ToSort {
                input,
                delivery: *delivery,
                why: why.text(),
            };
            outlook.to_make.iter().map(to_sort).collect::<Vec<_>>()
        };
        sorting.inputs.iter().flat_map(of_input).collect()
    }
}

#[derive(Serialize)]
struct PlannedError {
    exit: u8,
    message: String,
}

impl<'a> PlanLine<'a> {
    fn of(night: &'a PlannedNight) -> PlanLine<'a> {
        let sorting = match &night.plan {
            NightPlan::Compute(sorting) => Some(sorting),
            _ => None,
        };
        PlanLine {
            as_of: night.dates.as_of,
            known_on: night.dates.known_on,
            chain_from: night.dates.chain_from,
            course: match &night.plan {
                NightPlan::LeftAlone { held: false } => "left_alone",
                NightPlan::LeftAlone { held: true } => "left_alone_held",
                NightPlan::Depends => "depends",
                NightPlan::Compute(_) => "compute",
                NightPlan::Fails(_) => "fail",
            },
            sorted: sorting.map(|sorting| sorting.inputs.iter().map(|(_, of)| of.sorted.len()).sum()),
            to_sort: sorting.map(ToSort::all),
            reads: &night.reads,
            awaits: &night.depends_on,
            error: match &night.plan {
                NightPlan::Fails(error) => {
                    Some(PlannedError { exit: exit_code(error), message: format!("{error:#}") })
                }
                _ => None,
            },
        }
    }
}

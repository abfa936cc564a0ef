//! Looks a job over without running it: job files, schemas, deliveries, lints. Reads no rows.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::console::{missed, plural, table, visible};
use crate::day::{Dates, Day};
use crate::input::catalog::Catalog;
use crate::input::footer_cache::FooterCache;
use crate::job::{Job, RawJob, Severity, Unit, Variants, lint};
use crate::run::{self, Files};

/// What `check` found to be in order, and the lints.
pub struct Report {
    /// Lines for people.
    pub text: String,
    /// The same for machines.
    pub figures: CheckFigures,
}

/// What was looked at, and what is to be said of it.
#[derive(Debug, Serialize)]
pub struct CheckFigures {
    /// The job's name.
    pub job: String,
    /// The date of which a run can start, where one was asked for.
    pub date: Option<Day>,
    /// The lowest and the highest score that there can be.
    pub scores: (i32, i32),
    /// What is delivered, input by input.
    pub inputs: Vec<InputFigures>,
    /// By input: days without a delivery, of the run that was asked for.
    pub missing_days: BTreeMap<&'static str, Vec<Day>>,
    /// How many things can hardly be meant.
    pub warnings: usize,
    /// Those that are shown, with their places.
    pub shown: Vec<String>,
}

/// What is delivered of an input.
#[derive(Debug, Serialize)]
pub struct InputFigures {
    /// Which.
    pub input: &'static str,
    /// How many deliveries.
    pub deliveries: usize,
    /// How many files.
    pub files: usize,
    /// The day of the first; null without any, and where it is undated.
    pub first: Option<Day>,
    /// The day of the last, likewise.
    pub last: Option<Day>,
}

impl InputFigures {
    fn of(catalog: &Catalog) -> InputFigures {
        let deliveries = &catalog.deliveries;
        InputFigures {
            input: catalog.spec.name,
            deliveries: deliveries.len(),
            files: deliveries.iter().map(|delivery| delivery.files.len()).sum(),
            first: deliveries.first().and_then(|delivery| delivery.date),
            last: deliveries.last().and_then(|delivery| delivery.date),
        }
    }
}

/// Checks a job, and where a date is given, that a run of that date could start.
pub fn check(path: &Path, date: Option<Day>, known_on: Option<Day>) -> Result<Report> {
    let dates = date.map(|as_of| Dates { as_of, known_on: known_on.unwrap_or(as_of), chain_from: None });
    let mut draft = RawJob::read(path)?;
    let mut footers = FooterCache::default();
    let (job, deliveries) = run::prepare(&mut draft, dates, &mut footers)?;
    lint::lint(&job, &mut draft.diagnostics);
    let mut parts = vec![describe(&job)];
    let mut missing_days = BTreeMap::new();
    let catalogs: [&Catalog; 3] = [&deliveries.transactions, &deliveries.repayments, &deliveries.lines];
    let rows: Vec<Vec<String>> = catalogs.into_iter().chain(deliveries.of_runs()).map(catalog_row).collect();
    parts.push(table(&["input", "deliveries", "files", "first", "last"], &rows));
    if let Some(dates) = dates {
        let date = dates.as_of;
        let files = Files::open(&job, &deliveries, dates, &mut footers)?;
        files.check_schemas(&job, &deliveries, &mut footers)?;
        parts.push(format!("a run of {date} can start"));
        for (name, days) in run::missing_days(&job, &deliveries, date) {
            parts.extend(missed(&days).map(|missed| format!("{name}: {missed}")));
            missing_days.insert(name, days);
        }
    }
    if dates.is_none() {
        let files = Files::newest(&deliveries, &mut footers)?;
        files.check_schemas(&job, &deliveries, &mut footers)?;
        let newest = catalogs.into_iter().chain(&deliveries.issued).filter_map(newest);
        let newest: Vec<String> = newest.collect();
        if !newest.is_empty() {
            parts.push(format!("the columns are as they must be in {}", newest.join(", ")));
        }
    }
    let warnings = draft.diagnostics.count(Severity::Warning);
    if warnings > 0 {
        parts.push(draft.diagnostics.render(Severity::Warning));
    }
    let figures = CheckFigures {
        job: job.name.clone(),
        date,
        scores: lint::widest_score_range(&job),
        inputs: catalogs.into_iter().chain(deliveries.of_runs()).map(InputFigures::of).collect(),
        missing_days,
        warnings,
        shown: draft.diagnostics.shown(Severity::Warning).to_vec(),
    };
    Ok(Report { text: parts.join("\n\n"), figures })
}

fn describe(job: &Job) -> String {
    let (low, high) = lint::widest_score_range(job);
    format!(
        "job `{}`: {}, {}, {}, {}, {}\n\
         scores lie between {low} and {high}",
        visible(&job.name),
        plural(job.features.len(), "feature"),
        plural(job.scorecard.characteristics.len(), "characteristic"),
        plural(job.policy.products.len(), "product"),
        plural(job.policy.rules.len(), "rule"),
        plural(job.gates.len(), "gate"),
    ) + &describe_variants(job)
}

/// The scorecards and policies besides the job's own, a line each.
fn describe_variants(job: &Job) -> String {
    let Variants { segments, challenger } = &job.variants;
    let segments = segments.iter().map(|segment| {
        let count = plural(segment.scorecard.characteristics.len(), "characteristic");
        format!("\nsegment `{}`: {count}, when {}", segment.name, visible(&segment.when.text))
    });
    let challenger = challenger.iter().map(|challenger| {
        let card =
            challenger.scorecard.iter().map(|card| plural(card.characteristics.len(), "characteristic"));
        let rules = challenger.policy.iter().map(|policy| plural(policy.rules.len(), "rule"));
        let has: Vec<String> = card.chain(rules).collect();
        let share = Unit::BasisPoints.show(i128::from(challenger.share_bp), 0);
        format!("\nchallenger: {}, for {share} of the accounts", has.join(", "))
    });
    segments.chain(challenger).collect()
}

/// The newest delivery of an input, if it has any.
fn newest(catalog: &Catalog) -> Option<String> {
    let delivery = catalog.deliveries.last()?;
    let of = delivery.date.map_or(String::new(), |day| format!(" of {day}"));
    Some(format!("{}{of}", catalog.spec.name))
}

fn catalog_row(catalog: &Catalog) -> Vec<String> {
    let date =
        |delivery: Option<&crate::input::catalog::Delivery>| match delivery.map(|delivery| delivery.date) {
            Some(Some(day)) => day.to_string(),
            Some(None) => "undated".to_string(),
            None => "none".to_string(),
        };
    let files: usize = catalog.deliveries.iter().map(|delivery| delivery.files.len()).sum();
    vec![
        catalog.spec.name.to_string(),
        catalog.deliveries.len().to_string(),
        files.to_string(),
        date(catalog.deliveries.first()),
        date(catalog.deliveries.last()),
    ]
}

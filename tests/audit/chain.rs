//! Simulations: the model's, night by night with what its own nights issued, against the program's.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rescore::day::Day;
use rescore::failure::exit_code;
use rescore::run::{NightOutcome, Nights, RunRequest};

use super::case::{Case, DataFile, Issued};
use super::compare::{manifest_difference, tables_difference};
use super::files::write_inputs;
use super::night::{Night, night};
use super::read_case::issued_of;
use super::written::write_job_files;
use crate::support::run_here;

/// Days of a simulation.
const DAYS: i32 = 3;

/// Simulates a case from its as-of date on. What differs, or else whether what was issued on the way
/// mattered to a later day.
pub fn disagreement(case: &Case) -> Result<bool, String> {
    let mut case = case.clone();
    let (from, to) = (case.as_of, case.as_of + DAYS - 1);
    deliver_all(&mut case, to);
    let directory = tempfile::tempdir().unwrap();
    write_inputs(&case, directory.path());
    write_job_files(&case, directory.path());
    let request = RunRequest {
        job: directory.path().join("job.toml"),
        nights: Nights::Range { from: Day(from), to: Day(to) },
        out: Some(directory.path().join("simulated")),
        replace: false,
        chain: true,
        from_scratch: false,
        memory_bytes: None,
    };
    let mut outcomes = Vec::new();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        run_here(&request, &mut |outcome| {
            outcomes.push(outcome);
            Ok(())
        })
    }));
    let ended = ended.map_err(|_| "the program panics".to_string())?;
    let (nights, refused, matters) = simulated(&case, from, to);
    match (refused, ended) {
        (None, Ok(())) => {}
        (Some(_), Err(error)) if exit_code(&error) == 3 => {}
        (why, ended) => return Err(format!("the model refuses: {why:?}, the program ends with {ended:?}")),
    }
    if nights.len() != outcomes.len() {
        return Err(format!("{} nights of the model, {} of the program", nights.len(), outcomes.len()));
    }
    let differs = nights.iter().zip(&outcomes).enumerate().find_map(|(number, (night, outcome))| {
        difference(night, outcome).map(|what| format!("day {number}: {what}"))
    });
    differs.map_or(Ok(matters), Err)
}

fn difference(night: &Night, outcome: &NightOutcome) -> Option<String> {
    manifest_difference(night, &outcome.manifest).or_else(|| tables_difference(night, &outcome.directory))
}

/// A delivery without rows for every day that lacks one.
fn deliver_all(case: &mut Case, to: i32) {
    for number in 0..2 {
        let from = case.as_of;
        let input = &mut *case.inputs_mut()[number];
        let Some(format) = input.files.first().map(|file| file.format) else { continue };
        let is_dated = input.is_dated();
        for delivery in (from..=to).filter(|_| is_dated) {
            if !input.files.iter().any(|file| file.delivery == delivery) {
                input.files.push(DataFile { delivery, stem: "part-0".into(), rows: Vec::new(), format });
            }
        }
    }
}

/// The model's nights, why it came no further, and whether what the simulation issued mattered.
fn simulated(case: &Case, from: i32, to: i32) -> (Vec<Night>, Option<String>, bool) {
    let mut of_the_job: Vec<Issued> = case.issued.clone().unwrap_or_default();
    of_the_job.retain(|issued| issued.run < from);
    let mut own: Vec<Issued> = Vec::new();
    let mut nights = Vec::new();
    let mut matters = false;
    let mut previous = None;
    for day in from..=to {
        let mut of_day = case.clone();
        (of_day.as_of, of_day.known_on, of_day.chain_from) = (day, day, Some(from));
        of_day.issued = Some(of_the_job.clone());
        of_day.previous = previous.take().filter(|_| case.earlier_nights.is_some());
        let alone = night(&of_day);
        of_day.issued = Some([of_the_job.clone(), own.clone()].concat());
        let night = match night(&of_day) {
            Ok(night) => night,
            Err(why) => return (nights, Some(why), matters),
        };
        matters |= alone.is_ok_and(|alone| alone.tables != night.tables);
        let (_, adjustments) = night.tables.iter().find(|(name, _)| *name == "adjustments").unwrap();
        own.extend(issued_of(day, adjustments));
        previous = Some(night.previous.clone());
        nights.push(night);
    }
    (nights, None, matters)
}

//! `rescore verify`: whether runs are whole and what their manifests say, one, several, or all of a directory.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::console::{plain_path, print_json, say};
use crate::day::Day;
use crate::failure::{Failure, Kind, exit_code, failure, input};
use crate::run_dir::is_there;
use crate::run_dir::manifest::{MANIFEST, Manifest};
use crate::run_dir::tree::{RunPath, runs_below};
use crate::store::is_url;
use crate::verify::{CheckedInputs, check_inputs, verify};

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Runs' directories, published or held, or directories of runs: then all of them, held ones among them
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// Of a directory of runs, only those of this as-of date or later
    #[arg(long, value_name = "DATE")]
    from: Option<Day>,
    /// Of a directory of runs, only those of this as-of date or earlier
    #[arg(long, value_name = "DATE")]
    to: Option<Day>,
    /// Hash the inputs that the manifests name again, too
    #[arg(long)]
    inputs: bool,
    /// The job file, from whose directory the inputs are looked for [default: where the run's copy of it says that it was]
    #[arg(long, value_name = "FILE", requires = "inputs")]
    job: Option<PathBuf>,
    /// Print JSON, a line a run
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &VerifyArgs) -> Result<()> {
    let mut asked = Vec::new();
    let mut is_one = args.runs.len() == 1;
    for path in &args.runs {
        if is_there(&path.join(MANIFEST))? {
            asked.push(path.clone());
            continue;
        }
        let below = below(path, args)?;
        is_one &= below.is_none();
        asked.extend(below.unwrap_or_else(|| vec![path.clone()]));
    }
    let mut worst: Option<anyhow::Error> = None;
    let mut wrong = 0;
    for run in &asked {
        let looked = look(run, args);
        if args.json {
            print_json(&serde_json::to_string(&VerifyLine::of(run, looked.as_ref()))?);
        } else if let Some(line) = line(run, looked.as_ref(), is_one) {
            say(&line);
        }
        if let Err(error) = looked {
            wrong += 1;
            if worst.as_ref().is_none_or(|worst| exit_code(worst) < exit_code(&error)) {
                worst = Some(error);
            }
        }
        crate::signal::check()?;
    }
    match worst {
        None => Ok(()),
        Some(error) if is_one => Err(error),
        Some(error) => {
            let kind = error.downcast_ref::<Failure>().map_or(Kind::Input, |failure| failure.kind);
            Err(failure(kind, format!("verify: {wrong} of {} runs are not as they should be", asked.len())))
        }
    }
}

/// The runs of a directory of runs; `None` where it is none.
fn below(path: &Path, args: &VerifyArgs) -> Result<Option<Vec<PathBuf>>> {
    let runs = match runs_below(path) {
        Ok(runs) if !runs.is_empty() => runs,
        _ => return Ok(None),
    };
    let is_asked = |day: Day| args.from.is_none_or(|from| from <= day) && args.to.is_none_or(|to| day <= to);
    // In an object store, what has no manifest is what some attempt has left, and no run.
    let is_run = |run: &RunPath| run.has_manifest || !is_url(path);
    let asked = runs.into_iter().filter(|run| is_asked(run.as_of) && is_run(run));
    let asked: Vec<PathBuf> = asked.map(|run| run.directory).collect();
    if asked.is_empty() {
        return Err(input(format!("verify {}: it has no run of these dates", path.display())));
    }
    Ok(Some(asked))
}

/// A run that is whole, and what was found of its inputs where that was asked for.
type WholeRun = (Manifest, Option<CheckedInputs>);

fn look(run: &Path, args: &VerifyArgs) -> Result<WholeRun> {
    let manifest = verify(run)?;
    if !args.inputs {
        return Ok((manifest, None));
    }
    let checked = check_inputs(run, &manifest, args.job.as_deref())?;
    if checked.wrong.is_empty() {
        return Ok((manifest, Some(checked)));
    }
    Err(input(format!("verify {}: {}", run.display(), checked.wrong.join("; "))))
}

/// What is printed of a run; of the only one the error says what is wrong.
fn line(run: &Path, looked: Result<&WholeRun, &anyhow::Error>, is_one: bool) -> Option<String> {
    match looked {
        Ok((manifest, inputs)) => {
            let files = manifest.outputs.len();
            let inputs = inputs
                .as_ref()
                .map_or(String::new(), |inputs| format!("; its {} input files are the same", inputs.files));
            Some(format!("{}: {files} files, whole and as the manifest says{inputs}", plain_path(run)))
        }
        Err(_) if is_one => None,
        Err(error) => {
            let said = format!("{error:#}");
            Some(format!("{}: WRONG: {}", plain_path(run), after_name(&said, run)))
        }
    }
}

/// What an error says after the name of the run.
fn after_name<'s>(said: &'s str, run: &Path) -> &'s str {
    said.strip_prefix(&format!("verify {}: ", run.display())).unwrap_or(said)
}

/// What `--json` prints of a run.
#[derive(Serialize)]
struct VerifyLine {
    run: String,
    exit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known_on: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_files: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl VerifyLine {
    fn of(run: &Path, looked: Result<&WholeRun, &anyhow::Error>) -> VerifyLine {
        let (manifest, inputs) =
            looked.map_or((None, None), |(manifest, inputs)| (Some(manifest), inputs.as_ref()));
        VerifyLine {
            run: plain_path(run),
            exit: looked.map_or_else(exit_code, |_| 0),
            as_of: manifest.map(|manifest| manifest.as_of),
            known_on: manifest.map(|manifest| manifest.known_on),
            files: manifest.map(|manifest| manifest.outputs.len()),
            input_files: inputs.map(|inputs| inputs.files),
            error: looked.err().map(|error| format!("{error:#}")),
        }
    }
}

//! A chain: a simulation in which the first day's snapshot serves every day, and each day sees what
//! the days before it issued.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::inputs::Deliveries;
use super::published::files_of;
use super::request::RunRequest;
use crate::console::plain_path;
use crate::day::Day;
use crate::failure::{Kind, failure};
use crate::input::catalog::{Catalog, Delivery, InputFile, RunFile, is_found};
use crate::job::{InputSpec, Job, input_names};
use crate::places::resolved;
use crate::run_dir::layout::{ADJUSTMENTS, SCORES, is_own_entry, run_directory};
use crate::store::is_url;

/// A simulation: when it begins and where it lies.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// Its first day.
    pub from: Day,
    out: PathBuf,
}

impl Simulation {
    /// Fails where a simulation would come to lie among the job's own runs, or where they would read it.
    pub fn begin(job: &Job, from: Day, out: Option<&Path>) -> Result<Simulation> {
        let own = plain_path(&job.output_dir);
        let Some(out) = out else {
            return Err(usage(format!(
                "--chain is a simulation: name a directory for it, --out DIR, other than {own}"
            )));
        };
        let (out_dir, dir) = (resolved(out), resolved(&job.output_dir));
        let inside = out_dir.strip_prefix(&dir).ok().map(|inside| inside.components().next());
        let is_among = match inside {
            None => false,
            Some(None) => true,
            Some(Some(entry)) => is_own_entry(&entry.as_os_str().to_string_lossy()),
        };
        if is_among {
            return Err(usage(format!(
                "--chain is a simulation, and --out {} is where the job's own runs lie ({own}): name another directory",
                plain_path(out)
            )));
        }
        let of_runs = [&job.inputs.issued, &job.inputs.previous].into_iter().flatten();
        if let Some(spec) = of_runs.into_iter().find(|spec| reads_runs_in(spec, out, from)) {
            return Err(usage(format!(
                "--chain is a simulation, and what lies in --out {} would be read as `{}` by the job's own runs: \
                 name another directory",
                plain_path(out),
                spec.name
            )));
        }
        Ok(Simulation { from, out: tidied(out) })
    }

    /// What a day of the simulation sees of earlier runs: as issued, the job's own adjustments of the days
    /// before the first, then the simulation's; as the run before, where the job looks back on one, a day of
    /// the simulation.
    pub fn redirect(&self, deliveries: &mut Deliveries, as_of: Day) {
        for catalog in &mut deliveries.issued {
            catalog.deliveries.retain(|delivery| delivery.date < Some(self.from));
        }
        deliveries.issued.push(self.simulated(input_names::ISSUED, as_of));
        if let Some(previous) = &mut deliveries.previous {
            *previous = self.simulated(input_names::PREVIOUS, as_of);
        }
    }

    /// What the days of the simulation before a day have published for an input.
    fn simulated(&self, name: &'static str, as_of: Day) -> Catalog {
        let days = self.from.to(as_of.plus(-1)).map(|day| {
            let run = run_directory(&self.out, day, day, false);
            let mut files = files_of(&run, table_of(name)).unwrap_or_default();
            if files.is_empty() {
                // What is missing is reported when it is opened.
                files.push(RunFile { name: table_of(name).to_string(), path: run.join(table_of(name)) });
            }
            let within = run.strip_prefix(&self.out).expect("a run lies in its output directory");
            let files = files.into_iter().map(|RunFile { name, path }| {
                InputFile::at(within.join(name).to_string_lossy().into_owned(), path)
            });
            Delivery { date: Some(day), files: files.collect() }
        });
        Catalog { spec: self.spec(name), deliveries: days.collect() }
    }

    fn spec(&self, name: &'static str) -> InputSpec {
        let out = glob::Pattern::escape(&self.out.to_string_lossy());
        InputSpec {
            without: Vec::new(),
            name,
            pattern: format!("{out}/date={{date}}/{}", table_of(name)),
            root: self.out.join(""),
            rename: BTreeMap::new(),
            unique: None,
        }
    }
}

/// Without empty steps, so that what lies in it begins as it does.
fn tidied(out: &Path) -> PathBuf {
    if is_url(out) { resolved(out) } else { out.components().collect() }
}

fn usage(message: String) -> anyhow::Error {
    failure(Kind::Usage, message)
}

/// What a trial of a range had better know: its nights read what the job's own runs issued, so that what
/// those changed is pending or done already.
pub fn pending_remark(request: &RunRequest, job: &Job, from: Day) -> Option<String> {
    let out = request.out.as_deref().filter(|_| !request.chain && request.nights.all().len() > 1)?;
    let issued = job.inputs.issued.as_ref()?;
    let reads_own = reads_runs_in(issued, &job.output_dir, from);
    (reads_own && !reads_runs_in(issued, out, from)).then(|| {
        format!(
            "the nights in {} read the adjustments that lie in {}, not one another's: what those changed is \
             `pending` or done already; --chain makes each night go on from the ones before it",
            plain_path(out),
            plain_path(&job.output_dir)
        )
    })
}

/// The table of a run that an input of earlier runs reads.
fn table_of(input: &str) -> &'static str {
    if input == input_names::PREVIOUS { SCORES } else { ADJUSTMENTS }
}

/// Whether an input takes in what a run of a day publishes in an output directory.
pub fn reads_runs_in(spec: &InputSpec, out: &Path, day: Day) -> bool {
    let published = run_directory(&resolved(out), day, day, false).join(table_of(spec.name));
    // The same steps stand before the first wildcard, written or resolved.
    let steps = spec.root.to_string_lossy().matches('/').count();
    let rest = spec.pattern.splitn(steps + 1, '/').last().unwrap_or_default();
    let root = glob::Pattern::escape(&resolved(&spec.root).to_string_lossy());
    is_found(&format!("{root}/{rest}"), day, &published)
}

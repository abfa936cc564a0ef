//! The inputs that a manifest names, hashed again where they lie now.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;

use crate::failure::{Kind, failure, in_order, input};
use crate::hash::{Sha256, file_hash};
use crate::job::input_names::{ISSUED, PREVIOUS};
use crate::job::{InputSpec, Inputs, JobSources, RawJob, Source, variables};
use crate::run::Deliveries;
use crate::run_dir::RunDirectory;
use crate::run_dir::layout::output_directory;
use crate::run_dir::manifest::{InputEntry, Manifest};
use crate::store::{self, is_url};
use crate::{places, signal};

/// Stands for the name of a directory that is not known.
const UNKNOWN: &str = "?";

/// What has been found of a run's inputs.
pub struct CheckedInputs {
    /// How many files have been hashed.
    pub files: usize,
    /// What is wrong, a sentence each.
    pub wrong: Vec<String>,
}

/// Hashes the inputs of a run again. They are looked for where the run's own copy of its job file says, from the
/// directory of `job`; without it from where the output directory lies, by what the copy says of that.
pub fn check_inputs(run: &Path, manifest: &Manifest, job: Option<&Path>) -> Result<CheckedInputs> {
    let (directory, _) = RunDirectory::open(run)?;
    let mut sources = JobSources::read(&directory)?;
    let copy = sources.job.clone();
    let base = match job {
        Some(job) => job.parent().unwrap_or(Path::new("")).to_path_buf(),
        None => base_of(run, &copy).unwrap_or_default(),
    };
    let copy = Source { path: base.join("job.toml"), text: copy.text };
    sources.job = copy.clone();
    let draft = RawJob::frozen(sources, &variables(&copy));
    let Some(inputs) = draft.inputs().cloned() else {
        draft.diagnostics.check()?;
        return Err(input(format!("verify {}: its job file names no inputs", run.display())));
    };
    let inputs = plain(inputs);
    let specs = [Some(&inputs.transactions), Some(&inputs.repayments), Some(&inputs.lines)];
    let is_unknown = |spec: &InputSpec| Path::new(&spec.pattern).iter().any(|step| step == UNKNOWN);
    if specs.into_iter().flatten().chain(&inputs.issued).chain(&inputs.previous).any(is_unknown) {
        let message = "where its inputs lie depends on where its job file lies: name that, --job FILE";
        return Err(failure(Kind::Usage, format!("verify {}: {message}", run.display())));
    }
    let places = places_of(&Deliveries::list(&inputs)?);
    // The days of a simulation stand on each other: those are found with it.
    let is_simulated = |entry: &&InputEntry| [ISSUED, PREVIOUS].contains(&entry.input.as_str());
    let entries: Vec<&InputEntry> = manifest
        .inputs
        .iter()
        .filter(|entry| manifest.chain_from.is_none() || !is_simulated(entry))
        .collect();
    let found = in_order(entries.par_iter().map(|entry| {
        signal::check()?;
        Ok(wrong_with(entry, places.get(&key(entry))))
    }))?;
    let wrong = entries.iter().zip(found).filter_map(|(entry, wrong)| Some((entry, wrong?)));
    let wrong = wrong.map(|(entry, wrong)| format!("{} {}: {wrong}", entry.input, entry.file)).collect();
    Ok(CheckedInputs { files: entries.len(), wrong })
}

/// What a file is called: its input, its delivery as text, its name.
type EntryKey = (String, String, String);

fn key(entry: &InputEntry) -> EntryKey {
    let date = entry.delivery.map_or(String::new(), |day| day.to_string());
    (entry.input.clone(), date, entry.file.clone())
}

/// Where the files of all inputs lie now.
fn places_of(deliveries: &Deliveries) -> BTreeMap<EntryKey, PathBuf> {
    let delivered = [&*deliveries.transactions, &*deliveries.repayments, &*deliveries.lines];
    let mut places = BTreeMap::new();
    for catalog in delivered.into_iter().chain(deliveries.of_runs()) {
        for delivery in &catalog.deliveries {
            let date = delivery.date.map_or(String::new(), |day| day.to_string());
            for file in &delivery.files {
                let key = (catalog.spec.name.to_string(), date.clone(), file.name.clone());
                places.insert(key, file.path.clone());
            }
        }
    }
    places
}

/// What is wrong with a file; `None` where it has the bytes that the manifest names.
fn wrong_with(entry: &InputEntry, place: Option<&PathBuf>) -> Option<String> {
    let Some(place) = place else { return Some("it is not there any more".to_string()) };
    match size_and_hash(place) {
        Err(error) => Some(error.to_string()),
        Ok((size, _)) if size != entry.size => {
            Some(format!("it has {size} bytes, the manifest says {}", entry.size))
        }
        Ok((_, sha256)) if sha256 != entry.sha256 => {
            Some("its bytes are not those the manifest names".to_string())
        }
        Ok(_) => None,
    }
}

fn size_and_hash(path: &Path) -> std::io::Result<(u64, String)> {
    if !is_url(path) {
        return Ok((fs::metadata(path)?.len(), file_hash(path)?));
    }
    let missing = || std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such object");
    let object = store::head(path)?.ok_or_else(missing)?;
    let mut hasher = Sha256::default();
    store::stream(path, &object, |bytes| hasher.update(bytes))?;
    Ok((object.size, hasher.hex()))
}

/// The directory of the job file, as far as it can be told from where the run lies and what the job file says of its
/// output directory: names that cannot are [`UNKNOWN`].
fn base_of(run: &Path, copy: &Source) -> Option<PathBuf> {
    let job: toml::Table = copy.text.parse().ok()?;
    let dir = job.get("output")?.get("dir")?.as_str()?;
    let out = output_directory(&places::resolved(run));
    let written = Path::new(dir);
    if written.is_absolute() || is_url(written) || dir.contains("${") || is_url(&out) {
        return None;
    }
    let mut above = 0;
    let mut below: Vec<&std::ffi::OsStr> = Vec::new();
    for step in written.components() {
        match step {
            Component::CurDir => {}
            Component::ParentDir if below.pop().is_none() => above += 1,
            Component::ParentDir => {}
            step => below.push(step.as_os_str()),
        }
    }
    let steps: Vec<_> = out.iter().collect();
    let base = steps.strip_suffix(&below[..])?;
    Some(base.iter().copied().chain(std::iter::repeat_n(UNKNOWN.as_ref(), above)).collect())
}

/// The inputs by paths without detours: a step that leads back needs no directory to be there.
fn plain(mut inputs: Inputs) -> Inputs {
    let Inputs { transactions, repayments, lines, issued, previous } = &mut inputs;
    for spec in [transactions, repayments, lines].into_iter().chain(issued).chain(previous) {
        spec.pattern = without_detours(&spec.pattern);
        let root = without_detours(&spec.root.to_string_lossy());
        spec.root =
            PathBuf::from(if root.is_empty() { root } else { format!("{}/", root.trim_end_matches('/')) });
    }
    inputs
}

fn without_detours(path: &str) -> String {
    if is_url(Path::new(path)) {
        return path.to_string();
    }
    let mut plain: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            ".." if plain.last().is_some_and(|last| !["", ".."].contains(last)) => drop(plain.pop()),
            step => plain.push(step),
        }
    }
    plain.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_job_file_lies_is_told_by_its_output_directory() {
        for (run, dir, base) in [
            ("/srv/out/date=2026-11-20", "../out", Some("/srv/?")),
            ("/srv/out/held/date=2026-11-20", "../out", Some("/srv/?")),
            ("/srv/out/known=2026-11-21/date=2026-11-20", "out", Some("/srv")),
            ("/srv/a/out/date=2026-11-20", "../../a/out", Some("/srv/?/?")),
            ("/srv/trial/date=2026-11-20", "../out", None),
            ("/srv/out/date=2026-11-20", "/srv/out", None),
        ] {
            let text = format!("[output]\ndir = \"{dir}\"\n");
            let copy = Source { path: PathBuf::new(), text };
            assert_eq!(base_of(Path::new(run), &copy), base.map(PathBuf::from), "{run} {dir}");
        }
        assert_eq!(without_detours("/srv/?/../in/date={date}/*.parquet"), "/srv/in/date={date}/*.parquet");
        assert_eq!(without_detours("../in/x"), "../in/x");
    }
}

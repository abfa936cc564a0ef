//! A job run twice: where states are kept, and from scratch in a place of its own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::Error;
use rescore::day::Day;
use rescore::failure::exit_code;
use rescore::run::{NightOutcome, Nights, RunRequest, plan};
use tempfile::TempDir;

use crate::support::run_here;

/// A directory with a job, and beside it one with the same job and data and never a state.
pub struct Twice {
    directory: TempDir,
}

/// How a run ended: the nights it published or held, and the code and words with which it failed.
pub struct Ended {
    pub nights: Vec<NightOutcome>,
    pub failure: Option<(u8, String)>,
}

impl Ended {
    /// What the features of each night were computed from.
    pub fn bases(&self) -> Vec<&str> {
        self.nights.iter().map(|night| night.manifest.timing.basis.as_str()).collect()
    }
}

const JOB_FILES: [&str; 3] = ["job.toml", "scorecard.toml", "policy.toml"];

impl Twice {
    /// Without job files and data so far.
    pub fn new() -> Twice {
        let directory = tempfile::tempdir().unwrap();
        let twice = Twice { directory };
        fs::create_dir_all(twice.home().join("data")).unwrap();
        fs::create_dir(twice.scratch()).unwrap();
        symlink("../home/data", twice.scratch().join("data")).unwrap();
        twice
    }

    /// Where the job lies that keeps states.
    pub fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    fn scratch(&self) -> PathBuf {
        self.directory.path().join("scratch")
    }

    fn request(&self, place: PathBuf, nights: Nights, chain: bool, from_scratch: bool) -> RunRequest {
        RunRequest {
            job: place.join("job.toml"),
            nights,
            out: Some(place.join(if chain { "simulated" } else { "out" })),
            replace: true,
            chain,
            from_scratch,
            memory_bytes: None,
        }
    }

    /// Runs the nights in both places; `Err` tells what differs, or what a dry run had said wrongly.
    pub fn run(&self, nights: Nights, chain: bool, is_planned: bool) -> Result<Ended, String> {
        for file in JOB_FILES {
            fs::copy(self.home().join(file), self.scratch().join(file)).unwrap();
        }
        let home = self.request(self.home(), nights, chain, false);
        let planned = is_planned.then(|| plan(&home));
        let found = ended(&home);
        let wanted = ended(&self.request(self.scratch(), nights, chain, true));
        fs::remove_dir_all(self.scratch().join("states")).ok();
        let here = |failure: &Option<(u8, String)>| {
            let place = |text: &str| text.replace("/scratch/", "/home/");
            failure.as_ref().map(|(code, text)| (*code, place(text)))
        };
        if here(&found.failure) != here(&wanted.failure) {
            return Err(format!("from a state {:?}, from scratch {:?}", found.failure, wanted.failure));
        }
        let directories = |ended: &Ended, place: PathBuf| -> Vec<PathBuf> {
            let relative = |night: &NightOutcome| night.directory.strip_prefix(&place).unwrap().to_path_buf();
            ended.nights.iter().map(relative).collect()
        };
        let published = directories(&found, self.home());
        let expected = directories(&wanted, self.scratch());
        if published != expected {
            return Err(format!("from a state {published:?}, from scratch {expected:?}"));
        }
        for directory in published {
            difference(&self.home().join(&directory), &self.scratch().join(&directory))?;
        }
        if let Some(Ok(planned)) = planned {
            let courses: Vec<String> = planned.iter().map(|night| format!("{:?}", night.plan)).collect();
            let as_run = found.bases().into_iter().zip(&planned);
            for (basis, planned) in as_run {
                let planned = match &planned.plan {
                    rescore::run::NightPlan::Compute(basis) => basis.to_string(),
                    other => format!("{other:?}"),
                };
                if planned != basis {
                    return Err(format!("planned {planned}, ran {basis}: {courses:?}"));
                }
            }
        }
        Ok(found)
    }
}

fn ended(request: &RunRequest) -> Ended {
    let mut nights = Vec::new();
    let failure = run_here(request, &mut |night| {
        nights.push(night);
        Ok(())
    });
    let told = |error: Error| (exit_code(&error), format!("{error:#}"));
    Ended { nights, failure: failure.err().map(told) }
}

/// One night.
pub fn night(as_of: i32, known_on: i32) -> Nights {
    Nights::One { as_of: Day(as_of), known_on: Day(known_on) }
}

/// Fails with the first file in which two runs differ, `timing` aside.
pub fn difference(one: &Path, other: &Path) -> Result<(), String> {
    let (one, other) = (run_files(one), run_files(other));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    if names(&one) != names(&other) {
        return Err(format!("files {:?} and {:?}", names(&one), names(&other)));
    }
    match one.iter().find(|(name, bytes)| other[*name] != **bytes) {
        None => Ok(()),
        Some((name, bytes)) => Err(format!("{name} differs{}", told(name, bytes, &other[name]))),
    }
}

/// A run's files by name; the manifest without its `timing`, which comes last.
fn run_files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let file = |path: PathBuf| {
        let mut bytes = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        if name == "manifest.json" {
            let timing = bytes.windows(8).rposition(|window| window == b"\"timing\"");
            bytes.truncate(timing.expect("every manifest tells its timing"));
        }
        (name, bytes)
    };
    entries.map(file).collect()
}

fn told(name: &str, one: &[u8], other: &[u8]) -> String {
    if !name.ends_with(".parquet") {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (one, other) = (text(one), text(other));
        let lines = one.lines().zip(other.lines()).find(|(one, other)| one != other);
        return format!(": {lines:?}");
    }
    let table = |bytes: &[u8]| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        crate::support::Table::read(file.path())
    };
    let (one, other) = (table(one), table(other));
    let cells = one.rows.iter().zip(&other.rows).enumerate().find_map(|(row, (a, b))| {
        let place = a.iter().zip(b).position(|(a, b)| a != b)?;
        Some(format!(": row {row} {} is {:?}, from scratch {:?}", one.columns[place].0, a[place], b[place]))
    });
    cells.unwrap_or_else(|| format!(": {} and {} rows", one.rows.len(), other.rows.len()))
}

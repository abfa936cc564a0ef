//! `rescore diff`: what changed between two runs, ranges or files, and why.

mod additions;
mod causes;
mod files;
mod golden;
mod mistakes;
mod naive;
mod options;
mod page;
mod pairs;
mod runs;
mod screen;
mod types;

use std::path::Path;

use serde_json::Value as Json;

use crate::support::{outcome_in, project, succeed_in};

/// What `diff … --json` prints; the exit code must be that of its verdict.
fn diff_json(directory: &Path, args: &[&str]) -> Json {
    let args = [&["diff", "--json"], args].concat();
    let (code, stdout, stderr) = outcome_in(directory, &args);
    assert!(code < 2, "{args:?}: {code}\n{stderr}");
    let json: Json = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, i32::from(json["same"] != true), "{args:?}");
    json
}

/// An integer of a tree, which may need more than 64 bits.
fn int(json: &Json) -> i128 {
    json.to_string().parse().unwrap_or_else(|_| panic!("{json} is no integer"))
}

/// A directory with a copy of a golden case's job files, and its data where the jobs look for it.
pub fn case_home(case: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let golden = project().join("tests/golden").join(case);
    std::os::unix::fs::symlink(golden.join("data"), home.path().join("data")).unwrap();
    let jobs = home.path().join("jobs");
    std::fs::create_dir(&jobs).unwrap();
    for name in ["nightly.toml", "scorecard.toml", "policy.toml"] {
        std::fs::copy(golden.join("jobs").join(name), jobs.join(name)).unwrap();
    }
    home
}

/// Writes other job files beside `jobs`: `edit` gets each file's name and text.
fn edited_jobs(home: &Path, name: &str, edit: impl Fn(&str, String) -> String) {
    let jobs = home.join(name);
    std::fs::create_dir(&jobs).unwrap();
    for file in ["nightly.toml", "scorecard.toml", "policy.toml"] {
        let text = std::fs::read_to_string(home.join("jobs").join(file)).unwrap();
        std::fs::write(jobs.join(file), edit(file, text)).unwrap();
    }
}

/// Runs a job of `home` into `out`.
fn run(home: &Path, jobs: &str, out: &str, dates: &[&str]) {
    let job = format!("{jobs}/nightly.toml");
    succeed_in(home, &[&["run", &job, "--out", out, "--date"], dates].concat());
}

//! Ranges: the nights of one process, each going on from the one before, equal nights by themselves.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::twice::difference;
use crate::support::{project, succeed_in};

const NIGHTS: [&str; 6] =
    ["2026-06-24", "2026-06-25", "2026-06-26", "2026-06-27", "2026-06-28", "2026-06-29"];

/// A sampled book and the shipped job on it, with and without a place for states.
struct Sampled {
    directory: TempDir,
}

impl Sampled {
    fn new() -> Sampled {
        let sampled = Sampled { directory: tempfile::tempdir().unwrap() };
        let (from, to) = ("2026-05-20", NIGHTS[NIGHTS.len() - 1]);
        succeed_in(
            sampled.path(),
            &["sample", "book", "--accounts", "150", "--from", from, "--to", to, "--seed", "4"],
        );
        let jobs = project().join("jobs");
        for file in ["scorecard.toml", "policy.toml"] {
            fs::copy(jobs.join(file), sampled.path().join(file)).unwrap();
        }
        let job = fs::read_to_string(jobs.join("nightly.toml")).unwrap();
        let (inputs, _) = job.split_once("[state]").expect("the shipped job keeps states");
        let plain = inputs.replace("../sample_data/", "book/").replace("../out", "out");
        fs::write(sampled.path().join("plain.toml"), &plain).unwrap();
        let keeping = format!("{plain}[state]\ndir = \"states\"\n");
        fs::write(sampled.path().join("keeping.toml"), keeping).unwrap();
        sampled
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn run(&self, job: &str, out: &str, args: &[&str]) {
        succeed_in(self.path(), &[&["run", job, "--out", out][..], args].concat());
    }

    fn range(&self, job: &str, out: &str, (from, to): (&str, &str), more: &[&str]) {
        self.run(job, out, &[&["--from", from, "--to", to][..], more].concat());
    }

    /// Every night by itself, from scratch.
    fn nights(&self, job: &str) -> &str {
        NIGHTS.iter().for_each(|night| self.run(job, "nights", &["--date", night, "--from-scratch"]));
        fs::remove_dir_all(self.path().join("states")).ok();
        "nights"
    }

    fn night(&self, out: &str, night: &str) -> PathBuf {
        self.path().join(format!("{out}/date={night}"))
    }

    fn same(&self, one: &str, other: &str) {
        for night in NIGHTS {
            difference(&self.night(one, night), &self.night(other, night))
                .unwrap_or_else(|what| panic!("night of {night} in {one} and {other}: {what}"));
        }
    }

    fn bases(&self, out: &str) -> Vec<String> {
        let basis = |night: &str| {
            let manifest = fs::read(self.night(out, night).join("manifest.json")).unwrap();
            let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
            manifest["timing"]["basis"].as_str().unwrap().to_string()
        };
        NIGHTS.iter().map(|night| basis(night)).collect()
    }
}

const ALL: (&str, &str) = (NIGHTS[0], NIGHTS[NIGHTS.len() - 1]);

#[test]
fn a_range_in_memory_equals_its_nights_with_any_threads() {
    let sampled = Sampled::new();
    sampled.nights("plain.toml");
    for threads in ["1", "2", "8"] {
        let out = format!("range-{threads}");
        sampled.range("plain.toml", &out, ALL, &["--threads", threads]);
        sampled.same("nights", &out);
        let own = |night: &&str| format!("from the night of {night}");
        assert_eq!(sampled.bases(&out)[1..], NIGHTS[..5].iter().map(own).collect::<Vec<_>>());
    }
    assert!(!sampled.path().join("states").exists());
}

#[test]
fn a_range_goes_on_from_a_state_and_leaves_one() {
    let sampled = Sampled::new();
    sampled.nights("keeping.toml");
    for threads in ["1", "8"] {
        let out = format!("range-{threads}");
        sampled.range("keeping.toml", &out, (NIGHTS[0], NIGHTS[2]), &["--threads", threads]);
        sampled.range("keeping.toml", &out, (NIGHTS[3], NIGHTS[4]), &["--threads", threads]);
        sampled.run("keeping.toml", &out, &["--date", NIGHTS[5], "--threads", threads]);
        sampled.same("nights", &out);
        let bases = sampled.bases(&out);
        assert_eq!(bases[3], format!("from the state of {}", NIGHTS[2]));
        assert_eq!(bases[4], format!("from the night of {}", NIGHTS[3]));
        assert_eq!(bases[5], format!("from the state of {}", NIGHTS[4]));
        fs::remove_dir_all(sampled.path().join("states")).unwrap();
    }
}

#[test]
fn a_simulation_goes_on_from_night_to_night_and_from_a_state() {
    let sampled = Sampled::new();
    let chain = |job: &str, out: &str, more: &[&str]| {
        sampled.range(job, out, ALL, &[&["--chain"][..], more].concat());
    };
    chain("plain.toml", "plain-scratch", &["--from-scratch"]);
    chain("plain.toml", "plain", &["--threads", "8"]);
    sampled.same("plain", "plain-scratch");
    chain("keeping.toml", "scratch", &["--from-scratch"]);
    fs::remove_dir_all(sampled.path().join("states")).unwrap();
    sampled.run("keeping.toml", "out", &["--date", NIGHTS[0]]);
    chain("keeping.toml", "kept", &[]);
    sampled.same("kept", "scratch");
    let bases = sampled.bases("kept");
    assert_eq!(bases[0], format!("from the state of {}", NIGHTS[0]));
    assert_eq!(bases[5], format!("from the night of {}", NIGHTS[4]));
}

//! Ranges: the nights of one process, each of which sorts what has come since, equal nights by themselves.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::twice::difference;
use crate::support::{project, succeed_in};

const NIGHTS: [&str; 6] =
    ["2026-06-24", "2026-06-25", "2026-06-26", "2026-06-27", "2026-06-28", "2026-06-29"];

/// A sampled book and the shipped job on it, with and without a place for sorted deliveries.
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

    /// By night, how many deliveries it had to sort.
    fn to_sort(&self, out: &str) -> Vec<usize> {
        let to_sort = |night: &str| {
            let manifest = fs::read(self.night(out, night).join("manifest.json")).unwrap();
            let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
            let basis = manifest["timing"]["basis"].as_str().unwrap();
            let (_, after) = basis.split_once(" sorted deliveries, ").unwrap();
            after.split(' ').next().unwrap().parse().unwrap()
        };
        NIGHTS.iter().map(|night| to_sort(night)).collect()
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
        assert_eq!(sampled.to_sort(&out)[1..], [2; 5]);
    }
    assert!(!sampled.path().join("states").exists());
}

#[test]
fn a_range_uses_sorted_deliveries_and_leaves_some() {
    let sampled = Sampled::new();
    sampled.nights("keeping.toml");
    for threads in ["1", "8"] {
        let out = format!("range-{threads}");
        sampled.range("keeping.toml", &out, (NIGHTS[0], NIGHTS[2]), &["--threads", threads]);
        sampled.range("keeping.toml", &out, (NIGHTS[3], NIGHTS[4]), &["--threads", threads]);
        sampled.run("keeping.toml", &out, &["--date", NIGHTS[5], "--threads", threads]);
        sampled.same("nights", &out);
        assert_eq!(sampled.to_sort(&out)[1..], [2; 5]);
        fs::remove_dir_all(sampled.path().join("states")).unwrap();
    }
}

#[test]
fn a_simulation_uses_sorted_deliveries() {
    let sampled = Sampled::new();
    let chain = |job: &str, out: &str, more: &[&str]| {
        sampled.range(job, out, ALL, &[&["--chain"][..], more].concat());
    };
    chain("plain.toml", "plain-scratch", &["--from-scratch"]);
    chain("plain.toml", "plain", &["--threads", "8"]);
    sampled.same("plain", "plain-scratch");
    chain("keeping.toml", "scratch", &["--from-scratch"]);
    // Nothing is kept but the hashes of files, and these only of files that are a few seconds old.
    let kept = fs::read_dir(sampled.path().join("states")).into_iter().flatten();
    assert!(kept.flatten().all(|entry| entry.file_name() == "input-hashes"));
    sampled.run("keeping.toml", "out", &["--date", NIGHTS[0]]);
    chain("keeping.toml", "kept", &[]);
    sampled.same("kept", "scratch");
    assert_eq!(sampled.to_sort("kept"), [0, 2, 2, 2, 2, 2]);
}

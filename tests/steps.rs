//! A night in steps, gathered, is the night of one process to the byte; and what a step is given wrongly is named.

mod faults;

use std::path::Path;

use rescore::gather::gather;
use rescore::run::{NightOutcome, Nights, RunRequest};

use crate::support::files::{assert_same, runs_in};
use crate::support::steps::{SharedOut, run_in_steps};
use crate::support::{SHIPPED_NIGHTS, day, once_unlocked, project, run_here, shipped_in};

/// What is asked of a job.
fn request(job: &Path, as_of: &str, known_on: Option<&str>, out: &Path) -> RunRequest {
    RunRequest {
        job: job.to_path_buf(),
        nights: Nights::One { as_of: day(as_of), known_on: day(known_on.unwrap_or(as_of)) },
        out: Some(out.to_path_buf()),
        replace: false,
        chain: false,
        from_scratch: false,
        memory_bytes: None,
    }
}

/// Runs a night in one process and in steps, and compares what is published, but for how it lies.
fn check_night(job: &Path, as_of: &str, known_on: Option<&str>, shared: SharedOut) {
    let home = tempfile::tempdir().unwrap();
    let directory = |name: &str| home.path().join(name);
    run_here(&request(job, as_of, known_on, &directory("one")), &mut |_| Ok(())).unwrap();
    let run = request(job, as_of, known_on, &directory("steps"));
    let NightOutcome { directory: in_parts, manifest, .. } =
        run_in_steps(&run, &directory("work"), shared).unwrap();
    assert!(manifest.outputs.iter().any(|output| output.file == "scores/part-00000.parquet"));
    once_unlocked(|| gather(&in_parts, &directory("gathered"))).unwrap();
    let [found, expected] = ["gathered", "one"].map(|name| runs_in(&directory(name)));
    assert_same(&found, &expected);
}

/// The golden cases, every date, in one part and in several.
#[test]
fn golden_nights_in_steps_are_those_of_one_process() {
    for case in ["ints", "strings", "renamed", "additions"] {
        let job = project().join("tests/golden").join(case).join("jobs/nightly.toml");
        for (as_of, known_on) in
            [("2026-11-19", None), ("2026-11-20", None), ("2026-11-19", Some("2026-11-20"))]
        {
            for (parts, key_shards) in [(1, 1), (3, 2), (7, 5)] {
                check_night(&job, as_of, known_on, SharedOut { parts, key_shards });
            }
        }
    }
}

/// The sample book, whose transactions are sent twice now and then; its second night reads the first one.
#[test]
fn nights_of_the_sample_book_in_steps_are_those_of_one_process() {
    let home = tempfile::tempdir().unwrap();
    shipped_in(home.path());
    for (job, date) in SHIPPED_NIGHTS {
        let job = home.path().join(job);
        check_night(&job, date, None, SharedOut { parts: 4, key_shards: 3 });
        let own = RunRequest { out: None, ..request(&job, date, None, home.path()) };
        run_here(&own, &mut |_| Ok(())).unwrap();
    }
}

/// More parts than accounts: some have none, and the others are numbered without a gap.
#[test]
fn more_parts_than_accounts_are_not_made() {
    let job = project().join("tests/golden/ints/jobs/nightly.toml");
    check_night(&job, "2026-11-20", None, SharedOut { parts: 5_000, key_shards: 1 });
}

//! What goes wrong between steps: each is refused by name, with the exit code of inputs, and nothing is published.

use std::fs;
use std::path::{Path, PathBuf};

use rescore::failure::exit_code;
use serde_json::Value;

use super::request;
use crate::support::files::tree;
use crate::support::shipped_in;
use crate::support::steps::{Night, SharedOut, planned, steps_request};

/// A night of the sample book in four parts, planned.
struct Planned {
    home: tempfile::TempDir,
    night: Night,
}

const DATE: &str = "2026-11-19";

fn night() -> Planned {
    let home = tempfile::tempdir().unwrap();
    shipped_in(home.path());
    let run = request(&home.path().join("jobs/first-night.toml"), DATE, None, &home.path().join("published"));
    let shared = SharedOut { parts: 4, key_shards: 2 };
    let Ok(night) = planned(&run, &home.path().join("work"), shared).unwrap() else {
        panic!("it is not there yet")
    };
    Planned { home, night }
}

impl Planned {
    /// Expects a step to fail with an exit code, and its message to name some things.
    fn check(&self, result: anyhow::Result<()>, code: u8, names: &[&str]) {
        let error = result.expect_err("it must fail");
        let message = format!("{error:#}");
        assert_eq!(exit_code(&error), code, "{message}");
        for name in names {
            assert!(message.contains(name), "{name}: {message}");
        }
        let published = self.home.path().join("published");
        let is_run = |file: &String| file.contains("date=");
        assert!(!published.exists() || !tree(&published).keys().any(is_run), "nothing is published");
    }
}

fn read(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// Where the sorted copy of a report lies.
fn copy_of(report: &str) -> PathBuf {
    PathBuf::from(read(report)["path"].as_str().unwrap())
}

fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sorted_copy_that_is_dropped_is_named() {
    let mut planned = night();
    planned.night.sort().unwrap();
    let copy = copy_of(&planned.night.reports.sort[1]);
    fs::remove_file(&copy).unwrap();
    let failed = planned.night.parts();
    planned.check(failed, 3, &["sorted copy", copy.to_str().unwrap(), "sort it again"]);
}

#[test]
fn a_sorted_copy_that_is_not_reported_is_named() {
    let mut planned = night();
    planned.night.sort().unwrap();
    planned.night.reports.sort.remove(1);
    let failed = planned.night.parts();
    planned.check(failed, 3, &["no report of step sort, task 1", "transactions of "]);
}

#[test]
fn a_sorted_copy_that_is_reported_twice_is_named() {
    let mut planned = night();
    planned.night.sort().unwrap();
    let again = planned.night.reports.sort[1].clone();
    planned.night.reports.sort.push(again);
    let failed = planned.night.parts();
    planned.check(failed, 3, &["step sort of task 1 is reported twice"]);
}

#[test]
fn a_sorted_copy_in_the_place_of_another_is_named() {
    let mut planned = night();
    planned.night.sort().unwrap();
    let [one, other] = [0, 1].map(|task| copy_of(&planned.night.reports.sort[task]));
    fs::copy(&one, &other).unwrap();
    let mut report = read(&planned.night.reports.sort[1]);
    report["bytes"] = fs::metadata(&one).unwrap().len().into();
    planned.night.reports.sort[1] = report.to_string();
    let failed = planned.night.parts();
    planned.check(failed, 3, &["transactions of ", "sorted copy", "sort it again"]);
}

#[test]
fn a_sorted_copy_that_is_damaged_or_cut_is_named() {
    let mut planned = night();
    planned.night.sort().unwrap();
    // The day's own delivery: every part reads it.
    let is_of_transactions = |line: &&String| line.contains("\"transactions\"");
    let last = planned.night.reports.sort.iter().rfind(is_of_transactions);
    let copy = copy_of(last.unwrap());
    let whole = fs::read(&copy).unwrap();
    fs::write(&copy, &whole[..whole.len() - 9]).unwrap();
    let failed = planned.night.parts();
    planned.check(failed, 3, &["bytes, and", "were written", copy.to_str().unwrap()]);
    fs::write(&copy, &whole).unwrap();
    damage(&copy);
    let failed = planned.night.parts();
    planned.check(failed, 3, &["transactions", "torn"]);
}

#[test]
fn a_part_that_is_damaged_or_dropped_is_named() {
    let mut planned = night();
    planned.night.sort().unwrap();
    planned.night.parts().unwrap();
    let features = read(&planned.night.reports.part[2])["features"]["path"].as_str().unwrap().to_string();
    let whole = fs::read(&features).unwrap();
    damage(Path::new(&features));
    let failed = planned.night.finish();
    planned.check(failed, 3, &[&features, "its bytes are not those that its step wrote"]);
    fs::write(&features, whole).unwrap();
    planned.night.finish().unwrap();
    let scores =
        read(&planned.night.reports.finish[3])["book"]["tables"][3]["path"].as_str().unwrap().to_string();
    fs::remove_file(&scores).unwrap();
    let failed = planned.night.commit().map(drop);
    planned.check(failed, 3, &[&scores, "run its step again"]);
    planned.night.reports.finish.remove(2);
    let failed = planned.night.commit().map(drop);
    planned.check(failed, 3, &["no report of step finish, task 2"]);
}

#[test]
fn an_input_that_changes_after_the_plan_is_named() {
    let home = tempfile::tempdir().unwrap();
    crate::support::files::copy(
        &crate::support::project().join("sample_data"),
        &home.path().join("sample_data"),
    );
    crate::support::files::copy(&crate::support::project().join("jobs"), &home.path().join("jobs"));
    let run = request(&home.path().join("jobs/first-night.toml"), DATE, None, &home.path().join("published"));
    let shared = SharedOut { parts: 2, key_shards: 1 };
    let Ok(night) = planned(&run, &home.path().join("work"), shared).unwrap() else {
        panic!("it is not there yet")
    };
    let mut planned = Planned { home, night };
    let delivery = planned.home.path().join(format!("sample_data/repayments/date={DATE}"));
    let file = fs::read_dir(&delivery).unwrap().next().unwrap().unwrap().path();
    let bytes = fs::read(&file).unwrap();
    // Written again, to the same bytes: nobody can tell without reading it.
    fs::write(&file, bytes).unwrap();
    let failed = planned.night.sort();
    planned.check(failed, 3, &["repayments", "it is not the file that was planned with"]);
}

#[test]
fn a_plan_of_another_version_is_refused() {
    let mut planned = night();
    let text = fs::read_to_string(&planned.night.plan).unwrap();
    let other = text.replacen(env!("CARGO_PKG_VERSION"), "0.0.1", 1);
    assert_ne!(text, other);
    fs::write(&planned.night.plan, other).unwrap();
    let failed = planned.night.sort();
    planned.check(failed, 2, &["of version 0.0.1", "install the same everywhere"]);
}

/// Each step is done twice, as where a machine was given up too early; what the first try left is left over.
#[test]
fn a_step_that_is_done_twice_does_no_harm() {
    let mut planned = night();
    planned.night.sort().unwrap();
    let sorted = planned.night.reports.sort.clone();
    planned.night.sort().unwrap();
    assert_eq!(planned.night.reports.sort, sorted, "the copies are there");
    planned.night.parts().unwrap();
    planned.night.parts().unwrap();
    planned.night.finish().unwrap();
    planned.night.finish().unwrap();
    let first = planned.night.commit().unwrap();
    let second = planned.night.commit().unwrap();
    assert!(second.is_left_alone());
    assert_eq!(first.manifest.sha256(), second.manifest.sha256());
}

/// What steps have left is cleared with their plan, once that is a week old and another is made; what others have put
/// there stays.
#[test]
fn old_plans_are_cleared() {
    let mut planned = night();
    planned.night.sort().unwrap();
    planned.night.parts().unwrap();
    let plan = planned.night.plan.parent().unwrap().to_path_buf();
    let again = || {
        let job = planned.home.path().join("jobs/first-night.toml");
        let run = request(&job, DATE, None, &planned.home.path().join("published"));
        let shared = SharedOut { parts: 2, key_shards: 1 };
        assert!(
            rescore::step::plan::plan(&steps_request(&run, &planned.home.path().join("work"), shared))
                .unwrap()
                .is_ok()
        );
    };
    again();
    assert!(plan.join("plan.json").exists(), "it is not old");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(8 * 24 * 3600);
    fs::File::options().write(true).open(plan.join("plan.json")).unwrap().set_modified(old).unwrap();
    let foreign = plan.join("part-00001/notes.txt");
    fs::write(&foreign, "mine").unwrap();
    again();
    let left: Vec<String> = tree(&plan).into_keys().filter(|path| plan.join(path).is_file()).collect();
    assert!(foreign.exists() && left.iter().all(|path| !path.contains("part-00000")), "{left:?}");
    fs::remove_file(&foreign).unwrap();
    fs::File::options().write(true).open(plan.join("plan.json")).unwrap().set_modified(old).unwrap();
    again();
    assert!(!plan.exists());
}

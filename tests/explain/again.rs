//! A run carries all that is needed to decide it again: every line comes out as it did.

use std::path::Path;

use rescore::expr::Column;
use rescore::job::FeatureKind;
use rescore::policy::decide;
use rescore::run_dir::PublishedRun;

use super::nights;
use crate::audit::{draw_job, files::write_inputs, written::write_job_files};
use crate::diff::case_home;
use crate::support::{Cell, Table, outcome_in, project, succeed_in};

/// Scores and decides a run again from its own directory, and compares with what it published.
pub fn check(directory: &Path) {
    let run = PublishedRun::open(directory).unwrap();
    let facts = run.everyone().unwrap();
    let accounts = facts.lines.accounts.len();
    let scores = facts.score(&run.job.scorecard, &facts.features, accounts);
    let published = Table::read(&directory.join("scores.parquet"));
    let found: Vec<Cell> = scores.score.iter().map(|score| Cell::Int(i64::from(*score))).collect();
    assert_eq!(found, published.column("score"), "{}", directory.display());
    for (place, reasons) in scores.reasons.iter().enumerate() {
        let code = |reason: &Option<rescore::score::Reason>| {
            Cell::from(reason.map(|reason| reason.code(&run.job.scorecard).to_string()).as_deref())
        };
        let found: Vec<Cell> = reasons.iter().map(code).collect();
        assert_eq!(found, published.column(&format!("reason_{}", place + 1)), "{}", directory.display());
    }
    let decisions = decide(&run.job, run.manifest.as_of, &facts.lines, &facts.features, &scores);
    for (line, (again, decided)) in decisions.iter().zip(&facts.decided).enumerate() {
        let rule = again.rule.map(|rule| &run.job.policy.rules[usize::from(rule)]);
        let reason = match again.refusal {
            Some(refusal) => refusal.name(),
            None => rule.unwrap().reason.as_str(),
        };
        let place = format!("{} line {line}: {again:?}, {decided:?}", directory.display());
        assert_eq!(again.action.name(), decided.action, "{place}");
        assert_eq!(reason, decided.reason, "{place}");
        assert_eq!(rule.map(|rule| rule.name.as_str()), decided.rule.as_deref(), "{place}");
        assert_eq!(again.new_limit, decided.new_limit, "{place}");
        assert_eq!(again.new_status.name(), decided.new_status, "{place}");
        assert_eq!(again.bound_by.map(|cap| cap.name()), decided.bound_by.as_deref(), "{place}");
        assert_eq!(again.effective_on, decided.effective_on, "{place}");
    }
    derived_features_follow(&run);
}

/// Ratios and expressions, computed again from the features they are made of, are those published.
fn derived_features_follow(run: &PublishedRun) {
    let facts = run.everyone().unwrap();
    let accounts: Vec<u32> = (0..facts.lines.accounts.len() as u32).collect();
    let column = |feature: usize| facts.features.gather(feature, &accounts);
    let columns: Vec<Column> = (0..run.job.features.len()).map(column).collect();
    for (number, feature) in run.job.features.iter().enumerate() {
        if matches!(feature.kind, FeatureKind::Aggregate(_)) {
            continue;
        }
        let above = columns.iter().map(Some).collect();
        let again = rescore::features::derived(&feature.kind, above, accounts.len()).unwrap().unwrap();
        for account in 0..accounts.len() {
            let published = facts.features.get(number, account);
            assert_eq!(again.get(account).copied(), published, "{} of row {account}", feature.name);
        }
    }
}

#[test]
fn the_nights_of_the_sample_book() {
    for date in ["2026-11-19", "2026-11-20"] {
        check(&nights().run(date));
    }
}

#[test]
fn every_run_of_the_golden_cases() {
    let runs = [
        ("2026-11-15", None),
        ("2026-11-19", None),
        ("2026-11-20", None),
        ("2026-11-17", Some("2026-11-20")),
    ];
    for case in ["ints", "strings", "renamed"] {
        let case = project().join("tests/golden").join(case);
        let out = tempfile::tempdir().unwrap();
        for (as_of, known_on) in runs {
            let mut args =
                vec!["run", "jobs/nightly.toml", "--date", as_of, "--out", out.path().to_str().unwrap()];
            args.extend(known_on.iter().flat_map(|known_on| ["--known-on", known_on]));
            succeed_in(&case, &args);
            let known = known_on.map_or(String::new(), |known_on| format!("known={known_on}/"));
            check(&out.path().join(format!("{known}date={as_of}")));
        }
    }
    let two_nights = case_home("additions");
    for night in ["2026-11-19", "2026-11-20"] {
        succeed_in(two_nights.path(), &["run", "jobs/nightly.toml", "--date", night]);
        check(&two_nights.path().join(format!("out/date={night}")));
    }
}

/// Whatever a job may say: extra columns, all caps, budgets, ids of either type.
#[test]
fn runs_of_drawn_jobs_and_books() {
    const CASES: u64 = 150;
    let mut published = 0;
    for seed in 0..CASES {
        let case = draw_job::draw(seed, 40);
        let home = tempfile::tempdir().unwrap();
        write_inputs(&case, home.path());
        write_job_files(&case, home.path());
        let (as_of, known_on) =
            (rescore::day::Day(case.as_of).to_string(), rescore::day::Day(case.known_on).to_string());
        let args = ["run", "job.toml", "--date", &as_of, "--known-on", &known_on, "--json"];
        let (code, stdout, _) = outcome_in(home.path(), &args);
        // Cases that the model refuses, too, are of no interest here.
        if code != 0 && code != 4 {
            continue;
        }
        let told: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        check(&home.path().join(told["directory"].as_str().unwrap()));
        published += 1;
    }
    assert!(published > CASES / 2, "{published} of {CASES} cases ran");
}

/// The job's environment need not be there any more, nor its inputs.
#[test]
fn a_run_is_read_without_its_environment_and_inputs() {
    let book = crate::support::book::Book::new();
    let job = std::fs::read_to_string(book.path().join("job.toml")).unwrap();
    book.put("job.toml", &job.replace("\"in/lines/", "\"${RESCORE_BOOK}/lines/"));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rescore"));
    command
        .current_dir(book.path())
        .args(["run", "job.toml", "--date", "2026-11-20"])
        .env("RESCORE_BOOK", "in");
    assert!(command.output().unwrap().status.success());
    std::fs::remove_dir_all(book.path().join("in")).unwrap();
    check(&book.path().join("out/date=2026-11-20"));
    succeed_in(book.path(), &["explain", "out/date=2026-11-20", "--account", "1"]);
}

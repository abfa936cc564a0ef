//! Records of the log: JSON a line where no terminal is, with run and stage, filtered, naming no account.

use std::process::Command;

use serde_json::Value;

use crate::support::as_text;
use crate::support::book::{Book, LINES, TODAY, TRANSACTIONS, YESTERDAY, table};

fn records(stderr: &str) -> Vec<Value> {
    stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

fn logged(book: &Book, filter: Option<&str>, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(book.path()).env_remove("RESCORE_LOG");
    command.args(["run", "job.toml", "--date", TODAY, "--replace"]).args(args);
    filter.map(|filter| command.env("RESCORE_LOG", filter));
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn every_record_has_time_level_run_and_stage() {
    let book = Book::new();
    let (code, stderr) = logged(&book, None, &["-v"]);
    assert_eq!(code, 0, "{stderr}");
    let records = records(&stderr);
    let manifest = std::fs::read(book.path().join(format!("out/date={TODAY}/manifest.json"))).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let run = &manifest["fingerprint"].as_str().unwrap()[..12];
    assert!(records.len() > 5, "{stderr}");
    for record in &records {
        assert!(record["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{record}");
        assert_eq!(record["run"], run, "{record}");
        assert!(record["level"].is_string() && record["message"].is_string(), "{record}");
    }
    let stages: Vec<&str> = records.iter().filter_map(|record| record["stage"].as_str()).collect();
    for stage in ["open inputs", "lines", "features", "score and decide", "gates", "write"] {
        assert!(stages.contains(&stage), "{stage}: {stages:?}");
    }
}

#[test]
fn the_variable_says_what_is_logged_whatever_the_flags() {
    let book = Book::new();
    book.append("job.toml", "\n[metrics]\nfile = \"nowhere/x.prom\"\n");
    let levels = |filter: Option<&str>, args: &[&str]| {
        let (code, stderr) = logged(&book, filter, args);
        assert_eq!(code, 0, "{stderr}");
        let mut levels: Vec<String> =
            records(&stderr).iter().map(|record| record["level"].as_str().unwrap().to_string()).collect();
        levels.sort();
        levels.dedup();
        levels
    };
    assert_eq!(levels(None, &[]), ["warning"]);
    assert_eq!(levels(None, &["--quiet"]), Vec::<String>::new());
    assert_eq!(levels(Some("error"), &["-v"]), Vec::<String>::new());
    assert_eq!(levels(Some("rescore=info"), &["--quiet"]), ["info", "warning"]);
    let (code, stderr) = logged(&book, Some("no=such=filter"), &["--quiet"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "what is asked for wrongly is as if it were not");
    let (_, stderr) = logged(&book, Some("no=such=filter"), &[]);
    assert!(as_text(&stderr).starts_with("warning: RESCORE_LOG is no filter of records"), "{stderr}");
}

#[test]
fn no_record_names_an_account_that_an_error_names() {
    let book = Book::new();
    let lines = table(&LINES, "4711 card 100000 20000 active 2025-01-01 - - mass");
    [YESTERDAY, TODAY].iter().for_each(|day| book.deliver("lines", day, &lines));
    let huge = i64::MAX;
    let rows = format!("1 4711 {TODAY} {huge} purchase food true\n2 4711 {TODAY} {huge} purchase food true");
    book.deliver("transactions", TODAY, &table(&TRANSACTIONS, &rows));
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(book.path()).env("RESCORE_LOG", "trace");
    let output = command.args(["run", "job.toml", "--from", YESTERDAY, "--to", TODAY]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    let (log, said): (Vec<&str>, Vec<&str>) = stderr.lines().partition(|line| line.starts_with('{'));
    assert!(said.iter().any(|line| line.contains("of account 4711: ")), "{stderr}");
    assert!(log.iter().any(|line| line.contains("of account …: ")), "{stderr}");
    assert!(log.iter().all(|line| !line.contains("4711")), "{stderr}");
}

#[test]
fn on_a_terminal_records_are_text() {
    let book = Book::new();
    book.append("job.toml", "\n[metrics]\nfile = \"nowhere/x.prom\"\n");
    let rescore = env!("CARGO_BIN_EXE_rescore");
    let run = format!("{rescore} run job.toml --date {TODAY} --replace");
    for (flags, begins) in [("", "warning: metrics are not written: "), ("-v", "T")] {
        let mut command = Command::new("script");
        command.args(["-qec", &format!("{run} {flags} >/dev/null"), "/dev/null"]).current_dir(book.path());
        let output = command.env("NO_COLOR", "1").env_remove("RESCORE_LOG").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).replace("\r", "\n");
        assert!(output.status.success(), "{said}");
        let line = said.lines().find(|line| line.contains("metrics are not written"));
        let line = line.unwrap_or_else(|| panic!("{said}"));
        assert!(line.contains(begins) && !line.contains('{'), "{line}");
    }
}

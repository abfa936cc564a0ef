//! Processes that share directories: each night is published once, no sorted delivery is lost, nothing is stuck.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use super::desk::{Desk, date};
use crate::audit::from_environment;
use crate::support::succeed_in;

/// How often two schedulers start the same night; RACES asks for another number.
const RACES: usize = 50;

const SUM_3D: &str = r#"name = "sum_3d"; from = "transactions"; agg = "sum"; of = "amount"; days = 3"#;

fn start(directory: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
    command.current_dir(directory).args(args).env_remove("RESCORE_LOG").env("NO_COLOR", "1");
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child) -> (i32, String) {
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    (status.code().unwrap_or(-1), String::from_utf8(stderr).unwrap())
}

fn desk() -> Desk {
    let desk = Desk::new(&[SUM_3D]);
    (0..8).for_each(|day| desk.transactions(day, &format!("{day} 1 {day} 100 buy\n1{day} 2 {day} 30 buy")));
    desk
}

/// Names of whatever is in the making below the directory.
fn staged(desk: &Desk) -> Vec<String> {
    let names = crate::support::files::tree(desk.path());
    names.into_keys().filter(|name| name.contains(".staging-")).collect()
}

#[test]
fn two_schedulers_that_start_the_same_night() {
    let mut desk = desk();
    desk.night(3);
    let today = date(4);
    let args = ["run", "job.toml", "--date", &today, "--replace", "--threads", "1"];
    for race in 0..from_environment("RACES").unwrap_or(RACES) {
        let both = [start(desk.path(), &args), start(desk.path(), &args)];
        let codes = both.map(ended);
        for (code, stderr) in &codes {
            let said = if *code == 0 {
                stderr.is_empty()
            } else {
                *code == 5 && stderr.contains("is in use by process")
            };
            assert!(said, "race {race}: {codes:?}");
        }
        assert!(codes.iter().any(|(code, _)| *code == 0), "race {race}: {codes:?}");
        succeed_in(desk.path(), &["verify", &format!("out/date={today}")]);
        assert_eq!(desk.kept("transactions"), [(-10..=4).collect::<Vec<_>>()]);
        assert_eq!(staged(&desk), Vec::<String>::new(), "race {race}");
    }
    assert_eq!(desk.night(5).to_sort(), 2);
}

#[test]
fn three_jobs_that_share_sorted_deliveries() {
    let mut desk = desk();
    desk.night(3);
    for race in 0..from_environment("RACES").unwrap_or(RACES) / 5 {
        let outs = ["out", "second", "third"];
        for day in [4, 5] {
            let today = date(day);
            let jobs = outs.map(|out| {
                start(
                    desk.path(),
                    &["run", "job.toml", "--date", &today, "--replace", "--threads", "1", "--out", out],
                )
            });
            for (out, job) in outs.iter().zip(jobs) {
                assert_eq!(ended(job), (0, String::new()), "race {race}: {out} of {today}");
                succeed_in(desk.path(), &["verify", &format!("{out}/date={today}")]);
            }
            assert_eq!(desk.kept("repayments"), [(-10..=day).collect::<Vec<_>>()], "race {race}");
            assert_eq!(staged(&desk), Vec::<String>::new(), "race {race}");
        }
        // As it was.
        let states = desk.path().join("states");
        fs::remove_dir_all(&states).unwrap();
        desk.night(3);
    }
}

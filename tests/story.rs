//! A night that is held, as whoever is woken by it meets it: cron's mail, the runs, the page, what changed, the release,
//! and the night after.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::files::copy;
use crate::support::{Cell, Table, outcome_in, project, succeed_in};

/// The line of the crontab that runs the night, for a day of the sample book instead of yesterday.
fn cron_command(day: &str) -> String {
    let crontab = fs::read_to_string(project().join("jobs/cron/crontab")).unwrap();
    let line = crontab.lines().find(|line| line.contains("rescore run")).unwrap();
    let command = line.split_whitespace().skip(5).collect::<Vec<_>>().join(" ");
    assert_eq!(command, "rescore run /srv/rescore/jobs/nightly.toml --date yesterday --quiet");
    command.replace("/srv/rescore/", "").replace("yesterday", day)
}

/// What cron does: runs the command by sh, and mails whatever it says. The exit code and the mail.
fn cron_fires(home: &Path, day: &str) -> (i32, String) {
    let binary = Path::new(env!("CARGO_BIN_EXE_rescore")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let command = format!("{} 2>&1", cron_command(day));
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &command]).current_dir(home).env_clear().env("PATH", path).env("HOME", home);
    let output = shell.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Every twentieth transaction of a day comes without its account.
fn spoil_transactions(home: &Path, day: &str) {
    let directory = home.join(format!("sample_data/transactions/date={day}"));
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let mut table = Table::read(&path);
        let account = table.position("account_id").unwrap();
        table.rows.iter_mut().step_by(20).for_each(|row| row[account] = Cell::Null);
        table.write(&path);
    }
}

#[test]
fn a_night_is_held_and_somebody_is_woken() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for part in ["jobs", "sample_data"] {
        copy(&project().join(part), &home.join(part));
    }
    succeed_in(home, &["run", "jobs/first-night.toml", "--date", "2026-11-18", "-q"]);
    spoil_transactions(home, "2026-11-19");

    // Cron fires, and mails what it is told: what failed, by how much, where it lies, and what may be done.
    let (code, mail) = cron_fires(home, "2026-11-19");
    assert_eq!(code, 4, "{mail}");
    insta::assert_snapshot!("mail", mail);
    assert!(!home.join("out/date=2026-11-19").exists());

    // Which nights are there, and how are they?
    let runs: Vec<Value> = succeed_in(home, &["runs", "out", "--json"])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let text = succeed_in(home, &["runs", "out"]);
    assert!(text.contains("2026-11-18  published") && text.contains("2026-11-19  held"), "{text}");
    assert!(serde_json::to_string(&runs).unwrap().contains("rejected transactions"), "{runs:?}");

    // The page says it first; the difference says what it did.
    let held = "out/held/date=2026-11-19";
    succeed_in(home, &["report", held, "--out", "held.html"]);
    let page = fs::read_to_string(home.join("held.html")).unwrap();
    let first_gate = page.find("rejected transactions").unwrap();
    assert!(page.find("held").unwrap() < first_gate && first_gate < page.find("<h2").unwrap(), "gates first");
    let (code, difference, stderr) = outcome_in(home, &["diff", "out/date=2026-11-18", held]);
    assert_eq!(code, 1, "{stderr}");
    assert!(difference.contains("decided otherwise"), "{difference}");

    // Somebody with the right to answers for it.
    let (by, why) = ("R. Wu", "the gateway lost 18 accounts' ids; they will be delivered again");
    succeed_in(home, &["release", "out", "--date", "2026-11-19", "--by", by, "--why", why]);
    succeed_in(home, &["verify", "out/date=2026-11-19"]);
    for text in [succeed_in(home, &["show", "out/date=2026-11-19"]), succeed_in(home, &["runs", "out"]), {
        succeed_in(home, &["report", "out/date=2026-11-19", "--out", "released.html"]);
        fs::read_to_string(home.join("released.html")).unwrap().replace("&#x27;", "'").replace("&#39;", "'")
    }] {
        assert!(text.contains(by) && text.contains(why) && text.contains("rejected transactions"), "{text}");
    }

    // The night after stands on it, is published, and nobody is mailed.
    assert_eq!(cron_fires(home, "2026-11-20"), (0, String::new()));
    let manifest = fs::read_to_string(home.join("out/date=2026-11-20/manifest.json")).unwrap();
    assert!(manifest.contains("date=2026-11-19/adjustments.parquet"));
    // And if cron fires once more, it is left alone.
    assert_eq!(cron_fires(home, "2026-11-20"), (0, String::new()));
}

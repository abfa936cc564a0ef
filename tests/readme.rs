//! The README's commands, as a newcomer would type them, in order, in a copy of the project.

use std::fs;
use std::path::Path;
use std::process::Command;

use arrow_schema::DataType;

use crate::support::files::copy;
use crate::support::{Cell, Table, day, project};

#[test]
fn every_command_of_the_readme_works_in_the_order_given() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let home = tempfile::tempdir().unwrap();
    for part in ["jobs", "sample_data"] {
        copy(&project().join(part), &home.path().join(part));
    }
    let commands = commands(&readme);
    assert!(commands.len() > 5, "{commands:?}");
    assert!(commands.iter().filter(|(_, told)| !told.is_empty()).count() > 2, "{commands:?}");
    for (command, told) in commands {
        // The tests themselves are what runs this.
        if command == "cargo test --release" {
            continue;
        }
        if command.contains("--spine") {
            write_pairs(home.path());
        }
        let command = command.replace("cargo run --release --", "rescore");
        let binary = Path::new(env!("CARGO_BIN_EXE_rescore")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let output =
            Command::new("sh").args(["-c", &command]).current_dir(home.path()).env("PATH", path).output();
        let output = output.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{stderr}");
        let stdout = String::from_utf8_lossy(&output.stdout);
        let mut lines = stdout.lines();
        for line in told {
            assert!(
                lines.any(|found| found == line),
                "{command}: `{line}` is not told, or not there\n{stdout}"
            );
        }
    }
    sample_data_is_what_the_readme_makes(home.path());
}

/// The lines of all ```sh blocks with what the ```text block after them says is told, in order and with
/// gaps; and the commands of the measurement at a size that a test can wait for.
fn commands(readme: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut block = "";
    for line in readme.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(kind), _) => block = kind,
            (None, "sh") => commands.push((line.to_string(), Vec::new())),
            (None, "text") => {
                let (_, told) = commands.last_mut().expect("something is told after a command");
                told.extend((!["…", ""].contains(&line)).then(|| line.to_string()));
            }
            (None, _) => {
                let measured = line.strip_prefix("$ ").map(|line| line.replace("/usr/bin/time -v ", ""));
                let small = measured.map(|line| line.replace("--accounts 1000000", "--accounts 2500"));
                commands.extend(small.map(|line| (line, Vec::new())));
            }
        }
    }
    commands
}

/// What the README has DuckDB write: every account of a run on three days.
fn write_pairs(home: &Path) {
    let accounts = Table::read_columns(&home.join("out/date=2026-11-20/scores.parquet"), &["account_id"]);
    let mut pairs = Table::new(&[("account_id", DataType::Int64), ("as_of", DataType::Date32)]);
    for row in accounts.rows {
        for as_of in ["2026-11-13", "2026-11-19", "2026-11-20"] {
            pairs = pairs.row([row[0].clone(), Cell::from(day(as_of))]);
        }
    }
    pairs.write(&home.join("pairs.parquet"));
}

fn sample_data_is_what_the_readme_makes(home: &Path) {
    let (committed, made) = (home.join("sample_data"), home.join("trial/sample_data"));
    let listing = |root: &Path| {
        let mut files = Vec::new();
        list(root, root, &mut files);
        files.sort();
        files
    };
    let files = listing(&committed);
    assert_eq!(files, listing(&made));
    for file in files {
        assert!(fs::read(committed.join(&file)).unwrap() == fs::read(made.join(&file)).unwrap(), "{file}");
    }
}

fn list(root: &Path, directory: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => list(root, &path, files),
            false => files.push(path.strip_prefix(root).unwrap().display().to_string()),
        }
    }
}

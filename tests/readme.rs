//! The README's commands, as a newcomer would type them, in order, in a copy of the project.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::files::copy;
use crate::support::project;

#[test]
fn every_command_of_the_readme_works_in_the_order_given() {
    let readme = fs::read_to_string(project().join("README.md")).unwrap();
    let home = tempfile::tempdir().unwrap();
    for part in ["jobs", "sample_data"] {
        copy(&project().join(part), &home.path().join(part));
    }
    let commands = commands(&readme);
    assert!(commands.len() > 5, "{commands:?}");
    for command in commands {
        // The tests themselves are what runs this.
        if command == "cargo test --release" {
            continue;
        }
        let command = command.replace("cargo run --release --", "rescore");
        let binary = Path::new(env!("CARGO_BIN_EXE_rescore")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let output =
            Command::new("sh").args(["-c", &command]).current_dir(home.path()).env("PATH", path).output();
        let output = output.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{stderr}");
    }
    sample_data_is_what_the_readme_makes(home.path());
}

/// The lines of all ```sh blocks, and those of the measurement at a size that a test can wait for.
fn commands(readme: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => commands.push(line.to_string()),
            line => {
                let measured = line.strip_prefix("$ ").map(|line| line.replace("/usr/bin/time -v ", ""));
                commands.extend(measured.map(|line| line.replace("--accounts 1000000", "--accounts 2500")));
            }
        }
    }
    commands
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

//! The order of the house: the map at the head of the library, one sentence a file, files of bearable size.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::project;

/// A file that is longer holds more than one concern.
const MOST_LINES: usize = 500;

/// The Rust files below a directory of the project.
fn sources(directory: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![project().join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("rs") => found.push(path),
                _ if path.is_dir() => directories.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<PathBuf> {
    [sources("src"), sources("tests"), sources("benches")].concat()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_map_names_every_module_and_nothing_else() {
    let text = read(&project().join("src/lib.rs"));
    let entry = |line: &str| Some(line.strip_prefix("//! - [`")?.split_once("`]")?.0.to_string());
    let mapped: Vec<String> = text.lines().filter_map(entry).collect();
    let named: BTreeSet<String> = mapped.iter().cloned().collect();
    assert_eq!(named.len(), mapped.len(), "a module is on the map twice");
    let module = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        (!["lib", "main", "build"].contains(&name.as_str())).then_some(name)
    };
    let entries = fs::read_dir(project().join("src")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(named, entries.filter_map(module).collect());
}

#[test]
fn every_file_opens_with_a_sentence() {
    for path in all_sources() {
        let text = read(&path);
        let opening: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let sentence = opening.iter().take_while(|line| !line.is_empty()).copied().collect::<String>();
        let ends = sentence.contains(". ") || sentence.ends_with('.') || sentence.ends_with(':');
        assert!(ends && sentence.starts_with(' '), "{}: `{sentence}`", path.display());
    }
}

#[test]
fn no_file_is_too_long() {
    for path in all_sources() {
        let lines = read(&path).lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn there_is_a_job_and_a_book_to_run_it_on() {
    for path in
        ["jobs/nightly.toml", "sample_data/transactions", "sample_data/repayments", "sample_data/lines"]
    {
        assert!(project().join(path).exists(), "{path} is missing");
    }
}

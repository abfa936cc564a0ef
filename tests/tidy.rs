//! The order of the house: the map at the head of the library, one sentence a file, files of bearable size.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::project;
use imports::{Library, circles};

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
fn no_files_know_each_other_in_a_circle() {
    let root = project().join("src");
    let named = sources("src").into_iter().map(|path| {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        (name, read(&path))
    });
    let library = Library::read(named);
    let arrows = library.arrows();
    // The check sees what it should: a well-known arrow, and one through a re-export.
    assert!(arrows["run/night.rs"].contains("run/session.rs"), "{:?}", arrows["run/night.rs"]);
    assert!(arrows["run/night.rs"].contains("policy/decide.rs"), "{:?}", arrows["run/night.rs"]);
    assert_eq!(circles(&arrows), Vec::<String>::new());
}

#[test]
fn circles_are_seen() {
    let source = |name: &str, text: &str| (name.to_string(), text.to_string());
    let library = Library::read(
        [
            source("lib.rs", "pub mod a; pub mod b; pub mod c;"),
            source("a/mod.rs", "mod x; pub use x::X;"),
            source("a/x.rs", "use crate::b::{Y as Z, W}; // use crate::c::C;"),
            source("b.rs", "pub struct Y; fn f() { \"crate::c::C\"; crate::a::X }"),
            source("c.rs", "use super::a::X;"),
        ]
        .into_iter(),
    );
    assert_eq!(circles(&library.arrows()), ["a/x.rs -> b.rs", "b.rs -> a/x.rs"]);
}

/// The type that a line defines; those that belong to a trait are the trait's.
fn defined_type(line: &str) -> Option<String> {
    let is_associated = line.starts_with(' ') && line.trim_start().starts_with("type ");
    let words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
    let mut words = words.filter(|_| !is_associated);
    let is_definition = ["struct", "enum", "trait", "type"].contains(&words.next()?);
    let name: String = words.next()?.chars().take_while(|c| c.is_alphanumeric()).collect();
    (is_definition && name.starts_with(char::is_uppercase)).then_some(name)
}

#[test]
fn no_type_name_stands_twice() {
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in sources("src") {
        let text = read(&path);
        for line in text.split("#[cfg(test)]").next().unwrap().lines() {
            if let Some(name) = defined_type(line) {
                defined.entry(name).or_default().push(path.display().to_string());
            }
        }
    }
    assert!(defined.len() > 300, "only {} types are seen", defined.len());
    defined.retain(|_, files| files.len() > 1);
    assert_eq!(defined, BTreeMap::new());
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

/// The compiler refuses a public item without a sentence.
#[test]
fn every_public_item_is_documented() {
    assert!(read(&project().join("src/lib.rs")).contains("#![deny(missing_docs)]"));
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

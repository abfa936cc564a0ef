//! Complete or absent: what a run publishes, what it leaves alone, and what survives its failures.

mod changes;
mod faults;
mod gates;
mod held;
mod modes;
mod own;
mod readers;
mod release;
mod standing;
mod superseded;
mod verify;

use std::collections::BTreeMap;
use std::fs;

use crate::support::book::{Book, TODAY};
use crate::support::files::files_in;

/// The files of today's published run.
fn published(book: &Book) -> BTreeMap<String, Vec<u8>> {
    files_in(&book.path().join(format!("out/date={TODAY}")))
}

/// The entries of the output directory, but for the lock and the runs that were replaced.
fn entries(book: &Book) -> Vec<String> {
    let entries = fs::read_dir(book.path().join("out")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| ![".lock", "superseded"].contains(&name.as_str())).collect();
    names.sort();
    names
}

/// The run's files without the one that tells the time.
fn but_for_the_manifest(mut files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    files.remove("manifest.json").expect("a whole run has a manifest");
    files
}

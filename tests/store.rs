//! Object stores: the same bytes from there as from disk, and never half a run there.

mod faults;
mod inputs;
mod publishing;
mod readers;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::book::{Book, TODAY};
use crate::support::files::files_in;
use crate::support::store::Server;

/// A book whose inputs and job files lie in a store too, below `book`.
fn stored_book(server: &Server) -> Book {
    let book = Book::new();
    server.put_all(book.path(), "book");
    book
}

/// The night of a day, from a store into it.
const NIGHT: [&str; 4] = ["run", "s3://bucket/book/job.toml", "--date", TODAY];

/// Where it lies then.
const RUN: &str = "book/out/date=2026-11-20";

/// A manifest without what may differ between a run on disk and one in a store.
fn but_for_outputs_and_timing(mut manifest: Value) -> Value {
    let manifest_of = manifest.as_object_mut().unwrap();
    manifest_of.remove("outputs").unwrap();
    manifest_of.remove("timing").unwrap();
    manifest
}

/// The files of a run on disk, and its manifest.
fn run_on_disk(book: &Book) -> (BTreeMap<String, Vec<u8>>, Value) {
    let mut files = files_in(&book.path().join(format!("out/date={TODAY}")));
    let manifest = serde_json::from_slice(&files.remove("manifest.json").unwrap()).unwrap();
    files.remove("_SUCCESS").unwrap();
    (files, manifest)
}

/// Fails where a run in a store is not the one on disk.
fn assert_is_run_on_disk(server: &Server, book: &Book) {
    let (files, manifest) = server.run(RUN).expect("there is a run");
    let (expected, expected_manifest) = run_on_disk(book);
    assert_eq!(files.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(files == expected);
    assert_eq!(but_for_outputs_and_timing(manifest), but_for_outputs_and_timing(expected_manifest));
}

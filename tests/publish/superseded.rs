//! A run that is replaced stays whole and reachable for a while.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{entries, published};
use crate::support::book::{Book, TODAY};
use crate::support::files::files_in;
use crate::support::succeed_in;

fn replace(book: &Book) {
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--replace"]);
}

fn superseded(book: &Book) -> Vec<PathBuf> {
    let entries = fs::read_dir(book.path().join("out/superseded")).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn hash_of(run: &BTreeMap<String, Vec<u8>>) -> String {
    let manifest: Value = serde_json::from_slice(&run["manifest.json"]).unwrap();
    manifest["timing"]["manifest_sha256"].as_str().unwrap()[..16].to_string()
}

/// Gives a replaced run another time of replacement.
fn age(run: &Path, time: &str) -> PathBuf {
    let name = run.file_name().unwrap().to_str().unwrap();
    let aged = run.with_file_name(format!("{time}{}", &name[name.find('-').unwrap()..]));
    fs::rename(run, &aged).unwrap();
    aged
}

#[test]
fn a_replaced_run_lies_whole_under_the_hash_of_its_manifest() {
    let book = Book::new();
    book.publish();
    let first = published(&book);
    replace(&book);
    let second = published(&book);
    replace(&book);
    let kept = superseded(&book);
    assert_eq!(kept.len(), 2);
    for (path, run) in kept.iter().zip([&first, &second]) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.ends_with(&format!("-{}", hash_of(run))), "{name}");
        assert_eq!(files_in(path), *run);
        succeed_in(book.path(), &["verify", path.to_str().unwrap()]);
    }
    assert_eq!(entries(&book), [format!("date={TODAY}")]);
}

#[test]
fn a_held_run_that_is_replaced_stays_too() {
    let book = Book::new();
    book.append("job.toml", "[[gate]]\nname = \"never\"\nrows = \"lines\"\nmin = 99\n");
    assert_eq!(book.run().0, 4);
    let held = files_in(&book.path().join(format!("out/held/date={TODAY}")));
    book.edit("job.toml", "min = 99", "min = 98");
    assert_eq!(book.run().0, 4);
    let kept = superseded(&book);
    assert_eq!(kept.iter().map(|path| files_in(path)).collect::<Vec<_>>(), [held]);
}

#[test]
fn replaced_runs_are_cleared_away_after_a_week_if_they_are_nothing_else() {
    let book = Book::new();
    book.publish();
    (0..4).for_each(|_| replace(&book));
    let kept = superseded(&book);
    let old = age(&kept[0], "20200101T000000.000000Z");
    let noted = age(&kept[1], "20200102T000000.000000Z");
    fs::write(noted.join("notes.txt"), "mine").unwrap();
    let edited = age(&kept[2], "20200103T000000.000000Z");
    let manifest = fs::read_to_string(edited.join("manifest.json")).unwrap();
    fs::write(edited.join("manifest.json"), manifest.replacen("plain", "plane", 1)).unwrap();
    let (noted_files, edited_files) = (files_in(&noted), files_in(&edited));
    book.publish();
    assert!(!old.exists());
    assert_eq!((files_in(&noted), files_in(&edited)), (noted_files, edited_files));
    assert!(kept[3].exists(), "it is young");
}

/// A replacement that dies before the exchange leaves the new run under the old one's name.
#[test]
fn what_a_replacement_that_died_has_left_is_cleared_away() {
    let book = Book::new();
    book.publish();
    replace(&book);
    let kept = superseded(&book).remove(0);
    let name = kept.file_name().unwrap().to_str().unwrap();
    let left = kept.with_file_name(format!("{}0123456789abcdef", &name[..=name.find('-').unwrap()]));
    fs::rename(&kept, &left).unwrap();
    fs::create_dir(kept.with_file_name("20261120T000000.000000Z-00000000deadbeef")).unwrap();
    book.publish();
    assert!(superseded(&book).is_empty());
}

#[test]
fn no_run_reads_replaced_ones_as_issued() {
    let book = Book::new();
    let issued = "\nissued = \"out/*/date={date}/adjustments.parquet\"\n\n[output]";
    book.edit("job.toml", "\n[output]", issued);
    book.publish();
    replace(&book);
    let manifest: Value = serde_json::from_slice(&published(&book)["manifest.json"]).unwrap();
    assert!(!manifest["inputs"].to_string().contains("adjustments"), "{}", manifest["inputs"]);
}

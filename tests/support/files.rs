//! Directories as tests see them: whole trees in memory, copied, or as runs to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Every file below a directory, by its name relative to it.
pub fn files_in(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        match path.is_dir() {
            true => {
                let below = files_in(&path).into_iter();
                files.extend(below.map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
            }
            false => drop(files.insert(name, fs::read(&path).unwrap())),
        }
    }
    files
}

/// The files of every run below a directory, by name; the manifests without what tells the time.
pub fn runs_in(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files_in(directory);
    // A state lies beside the runs, and is none.
    files.retain(|name, _| name.contains("date=") && !name.starts_with(".state/"));
    for (_, bytes) in files.iter_mut().filter(|(name, _)| name.ends_with("manifest.json")) {
        *bytes = without_timing(bytes);
    }
    files
}

fn without_timing(manifest: &[u8]) -> Vec<u8> {
    let mut manifest: Value = serde_json::from_slice(manifest).unwrap();
    manifest.as_object_mut().unwrap().remove("timing").expect("a manifest tells the time");
    serde_json::to_vec_pretty(&manifest).unwrap()
}

/// Fails where two sets of files differ, with the name of the first that does.
pub fn assert_same(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected));
    for (name, bytes) in found {
        assert!(*bytes == expected[name], "{name}");
    }
}

/// Copies a directory with everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

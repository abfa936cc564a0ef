//! Directories as tests see them: whole trees in memory, copied, or as runs to be compared.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

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

/// Writes a manifest that has been edited as the program would have: with the hash of what it says now.
pub fn reseal(run: &Path) {
    let path = run.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let sealed = |hash: &str| format!("\"manifest_sha256\": \"{hash}\"");
    let old = sealed(manifest["timing"]["manifest_sha256"].as_str().unwrap());
    let unsealed = text.replacen(&old, &sealed(""), 1);
    let hash: String = Sha256::digest(&unsealed).iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(path, unsealed.replacen(&sealed(""), &sealed(&hash), 1)).unwrap();
}

/// Everything below a directory: names, kinds, bytes, modes, times, what links lead to.
pub fn tree(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let metadata = fs::symlink_metadata(&path).unwrap();
        let kind = metadata.file_type();
        let what = if kind.is_symlink() {
            format!("link to {}", fs::read_link(&path).unwrap().display())
        } else if kind.is_file() {
            format!("file {:?}", fs::read(&path).unwrap())
        } else if kind.is_dir() {
            found.extend(tree(&path).into_iter().map(|(below, what)| (format!("{name}/{below}"), what)));
            "directory".to_string()
        } else {
            "pipe or device".to_string()
        };
        let (mode, seconds, nanos) = (metadata.mode(), metadata.mtime(), metadata.mtime_nsec());
        found.insert(name, format!("{what} {mode:o} {seconds}.{nanos}"));
    }
    found
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

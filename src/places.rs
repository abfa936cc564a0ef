//! Where the directories of a job lie: without links and detours, and whether one holds another.

use std::path::{Component, Path, PathBuf};

/// The path without symbolic links and detours, whether or not all of it exists yet.
pub fn resolved(path: &Path) -> PathBuf {
    /// As many links in a row as Linux follows.
    const MOST_LINKS: usize = 40;
    resolve(path, MOST_LINKS)
}

fn resolve(path: &Path, links: usize) -> PathBuf {
    let here = Path::new(".").join(path);
    let absolute = std::path::absolute(&here).unwrap_or(here);
    let mut found = PathBuf::new();
    for step in absolute.components() {
        match step {
            Component::ParentDir => drop(found.pop()),
            step => found.push(step),
        }
        if let Ok(real) = found.canonicalize() {
            found = real;
        } else if let (Ok(target), true) = (found.read_link(), links > 0) {
            // What it leads to is not there yet.
            found = resolve(&found.parent().unwrap_or(&found).join(target), links - 1);
        }
    }
    found
}

/// Whether of two directories one is, holds or lies in the other.
pub fn overlap(one: &Path, other: &Path) -> bool {
    let (one, other) = (resolved(one), resolved(other));
    one.starts_with(&other) || other.starts_with(&one)
}

/// Whether a directory is another one or holds it.
pub fn holds(directory: &Path, other: &Path) -> bool {
    resolved(other).starts_with(resolved(directory))
}

//! Where the directories of a job lie: without links and detours, and whether one holds another.

use std::path::{Component, Path, PathBuf};

use crate::store::is_url;

/// Where a path leads that a file in a directory names; either may be a URL.
pub fn resolve(base: &Path, path: &Path) -> PathBuf {
    if is_url(path) {
        return PathBuf::from(plain_url(&path.to_string_lossy()));
    }
    if path.is_absolute() || !is_url(base) {
        return base.join(path);
    }
    PathBuf::from(plain_url(&format!("{}/{}", base.to_string_lossy(), path.to_string_lossy())))
}

/// A URL without detours: objects have keys, no directories that could be gone through. A step out of the bucket
/// stays, and is no key.
pub fn plain_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_string() };
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let mut steps: Vec<&str> = Vec::new();
    for step in key.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    let slash = if steps.is_empty() { "" } else { "/" };
    format!("{scheme}://{bucket}{slash}{}", steps.join("/"))
}

/// Where files may lie that are needed on the way to an output directory only: in it, or on this machine where it is
/// in an object store.
pub fn scratch(out: &Path) -> PathBuf {
    if is_url(out) { std::env::temp_dir() } else { out.to_path_buf() }
}

/// The path without symbolic links and detours, whether or not all of it exists yet.
pub fn resolved(path: &Path) -> PathBuf {
    /// As many links in a row as Linux follows.
    const MOST_LINKS: usize = 40;
    if is_url(path) {
        return resolve(Path::new(""), path);
    }
    follow(path, MOST_LINKS)
}

fn follow(path: &Path, links: usize) -> PathBuf {
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
            found = follow(&found.parent().unwrap_or(&found).join(target), links - 1);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_job_file_names_is_found_from_its_directory() {
        for (base, path, found) in [
            ("/jobs", "../out", "/jobs/../out"),
            ("/jobs", "/out", "/out"),
            ("", "out", "out"),
            ("/jobs", "s3://bucket/out", "s3://bucket/out"),
            ("s3://bucket/jobs", "../out/./x", "s3://bucket/out/x"),
            ("s3://bucket/jobs", "policy.toml", "s3://bucket/jobs/policy.toml"),
            ("s3://bucket", "../out", "s3://bucket/../out"),
            ("s3://bucket/jobs", "/data", "/data"),
            ("gs://a/jobs", "s3://bucket//x/", "s3://bucket/x"),
        ] {
            let joined = resolve(Path::new(base), Path::new(path));
            assert_eq!(joined.to_str(), Some(found), "{base} {path}");
        }
    }

    #[test]
    fn directories_of_a_bucket_hold_each_other_by_their_steps() {
        let holds = |a: &str, b: &str| holds(Path::new(a), Path::new(b));
        assert!(holds("s3://b/out", "s3://b/out/.state"));
        assert!(holds("s3://b/out", "s3://b/in/../out"));
        assert!(!holds("s3://b/out", "s3://b/outer"));
        assert!(!holds("s3://b/out", "gs://b/out"));
    }
}

//! The directories in which an input's files are looked for: on disk, or the keys of a bucket, listed once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use crate::store::{self, StoredObject};

/// Directories and what lies in them.
pub enum Tree {
    /// On disk.
    Disk,
    /// In a bucket, which is asked for a directory at a time; what lies at a path is not asked.
    Asked,
    /// In a bucket: whatever lies below a directory, by the rest of its key.
    Bucket {
        /// The directory, without a slash at its end.
        root: String,
        /// What lies below it.
        objects: BTreeMap<String, StoredObject>,
    },
}

impl Tree {
    /// What lies below a directory of a bucket.
    pub fn below(root: &Path) -> Result<Tree> {
        let objects = store::objects_below(root)?;
        Ok(Tree::Bucket { root: root.to_string_lossy().trim_end_matches('/').to_string(), objects })
    }

    /// A directory of a bucket, of which one object is of interest.
    pub fn of_one(root: &Path, name: &str) -> Result<Tree> {
        let root = root.to_string_lossy().trim_end_matches('/').to_string();
        let object = store::head(Path::new(&format!("{root}/{name}")))?;
        Ok(Tree::Bucket {
            root,
            objects: object.map(|object| (name.to_string(), object)).into_iter().collect(),
        })
    }

    /// The names in a directory.
    pub fn names_in(&self, directory: &Path) -> Result<Vec<OsString>> {
        let (root, objects) = match self {
            Tree::Disk => {
                let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
                return here.read_dir()?.map(|entry| Ok(entry?.file_name())).collect();
            }
            Tree::Asked => {
                return Ok(store::names_in(directory)?.into_iter().map(|name| name.name.into()).collect());
            }
            Tree::Bucket { root, objects } => (root, objects),
        };
        let Some(within) = rest_of(root, directory) else { return Ok(Vec::new()) };
        let beginning = if within.is_empty() { String::new() } else { format!("{within}/") };
        let keys = objects.range(beginning.clone()..).map(|(key, _)| key.strip_prefix(&*beginning));
        let names = keys.map_while(|rest| rest.map(|rest| rest.split('/').next().unwrap_or(rest)));
        let mut names: Vec<OsString> = names.map(OsString::from).collect();
        // A key of the same name as a directory is not beside the directory's own: `a`, `a-b`, `a/c`.
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Fails where nothing lies at a path.
    pub fn check_is_there(&self, path: &Path) -> Result<()> {
        match self {
            Tree::Disk => path.symlink_metadata().map(drop),
            Tree::Asked => Ok(()),
            Tree::Bucket { root, .. } => {
                let leads_to_root = Path::new(root).starts_with(path);
                if leads_to_root || self.object(path).is_some() || self.is_directory(path) {
                    return Ok(());
                }
                Err(Error::from(ErrorKind::NotFound))
            }
        }
    }

    /// Whether a path is that of a directory.
    pub fn is_directory(&self, path: &Path) -> bool {
        let (root, objects) = match self {
            Tree::Disk => return path.is_dir(),
            Tree::Asked => return true,
            Tree::Bucket { root, objects } => (root, objects),
        };
        let Some(within) = rest_of(root, path) else { return false };
        let beginning = format!("{within}/");
        objects.range(beginning.clone()..).next().is_some_and(|(key, _)| key.starts_with(&beginning))
    }

    /// The object at a path.
    pub fn object(&self, path: &Path) -> Option<StoredObject> {
        match self {
            Tree::Disk | Tree::Asked => None,
            Tree::Bucket { root, objects } => objects.get(&rest_of(root, path)?).cloned(),
        }
    }
}

/// A path as it goes on from a directory.
fn rest_of(root: &str, path: &Path) -> Option<String> {
    let rest = path.to_str()?.strip_prefix(root)?;
    if rest.is_empty() { Some(String::new()) } else { Some(rest.strip_prefix('/')?.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_bucket_are_directories() {
        let object = StoredObject { size: 1, tag: String::new(), version: None, modified: 0 };
        let keys = ["a", "a-b", "a/c", "date=2026-11-20/x/y.parquet", "date=2026-11-20/z.parquet"];
        let objects = keys.map(|key| (key.to_string(), object.clone())).into_iter().collect();
        let tree = Tree::Bucket { root: "s3://b/in".to_string(), objects };
        let names = |path: &str| tree.names_in(Path::new(path)).unwrap();
        assert_eq!(names("s3://b/in"), ["a", "a-b", "date=2026-11-20"]);
        assert_eq!(names("s3://b/in/date=2026-11-20"), ["x", "z.parquet"]);
        assert_eq!(names("s3://b/in/none"), [""; 0]);
        assert_eq!(names("s3://b/inner"), [""; 0]);
        let is_there = |path: &str| tree.check_is_there(Path::new(path)).is_ok();
        for path in ["s3://b", "s3://b/in", "s3://b/in/a", "s3://b/in/date=2026-11-20", "s3://b/in/a/c"] {
            assert!(is_there(path), "{path}");
        }
        assert!(!is_there("s3://b/in/date=2026-11-2") && !is_there("s3://b/other"));
        assert!(
            tree.is_directory(Path::new("s3://b/in/a")) && !tree.is_directory(Path::new("s3://b/in/a-b"))
        );
        assert!(
            tree.object(Path::new("s3://b/in/a")).is_some() && tree.object(Path::new("s3://b/in")).is_none()
        );
    }
}

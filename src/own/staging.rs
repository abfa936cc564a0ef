//! Directories in which something is made before it is moved to its place, and what dead processes left
//! of theirs.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::OFlags;

use super::files::{
    Access, create_file, create_new_directory, failed, in_the_way, sync_directory, unique_name, write_file,
};
use crate::hash::is_key;
use crate::run_dir::layout::STAGING;
use crate::store;

/// The mark: a file in it, locked as long as the process lives.
const LOCK: &str = ".rescore";

/// What is moved to its place.
const MADE: &str = "made";

/// A directory for something in the making; removed when dropped.
#[derive(Debug)]
pub struct Staging {
    directory: PathBuf,
    access: Access,
    /// Held as long as the process lives: what a dead one has left is known by it.
    _lock: File,
}

impl Staging {
    /// Makes one in a directory that is there. Whoever shares the directory holds its lock meanwhile.
    pub fn create(parent: &Path, access: Access) -> Result<Staging> {
        let directory = parent.join(format!("{STAGING}{}", unique_name()));
        create_new_directory(&directory, access)?;
        let path = directory.join(LOCK);
        let staged = create_file(&path, access).and_then(|lock| {
            lock.lock().map_err(|error| failed("lock", &path, error))?;
            Ok(Staging { directory: directory.clone(), access, _lock: lock })
        });
        let staged = match staged {
            Ok(staged) => staged,
            Err(error) => {
                let _ = fs::remove_file(&path);
                let _ = fs::remove_dir(&directory);
                return Err(error);
            }
        };
        create_new_directory(&staged.made(), access)?;
        Ok(staged)
    }

    /// The directory that is to be moved to its place.
    pub fn made(&self) -> PathBuf {
        self.directory.join(MADE)
    }

    /// A directory for files that are needed on the way only.
    pub fn scratch(&self) -> &Path {
        &self.directory
    }

    /// Who may read what is made.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Removes what processes that have died left in a directory. What cannot be removed is in nobody's
    /// way: no two have one name.
    pub fn clear_left_over(parent: &Path) {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_staging = name.to_str().and_then(|name| name.strip_prefix(STAGING)).is_some_and(is_key);
            if is_staging && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                clear(&entry.path());
            }
        }
    }
}

/// Removes a staging directory of which nobody holds the lock, or an empty one, whose process died before
/// it had put the lock into it.
fn clear(directory: &Path) {
    let removed = match open_lock(directory) {
        Some(lock) if lock.try_lock().is_ok() => fs::remove_dir_all(directory),
        Some(_) => return,
        None => fs::remove_dir(directory),
    };
    if let Err(error) = removed {
        tracing::info!("{} stays: {error}", directory.display());
    }
}

fn open_lock(directory: &Path) -> Option<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let lock = OpenOptions::new().read(true).custom_flags(flags).open(directory.join(LOCK)).ok()?;
    lock.metadata().is_ok_and(|metadata| metadata.is_file()).then_some(lock)
}

impl Drop for Staging {
    /// What was not moved to its place leaves nothing behind.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Puts a whole object at a URL, in the place of one of which `is_own` says that it is the program's.
pub fn replace_object(path: &Path, bytes: &[u8], is_own: fn(&[u8]) -> bool) -> Result<()> {
    let found = store::read(path).map_err(|error| failed("look at", path, error))?;
    if found.is_some_and(|(found, _)| !is_own(&found)) {
        return Err(in_the_way(path, "no file of this program"));
    }
    store::put(path, bytes.to_vec()).map_err(|error| failed("write", path, error))
}

/// Puts a whole file under a name, or leaves what was there. What was there must be a regular file of which
/// `is_own` says that it is the program's.
pub fn replace_file(staging: &Staging, path: &Path, bytes: &[u8], is_own: fn(&[u8]) -> bool) -> Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed("look at", path, error)),
        Ok(found) => {
            let is_own = found.is_file() && fs::read(path).is_ok_and(|bytes| is_own(&bytes));
            if !is_own {
                return Err(in_the_way(path, "no file of this program"));
            }
        }
    }
    let name = path.file_name().unwrap_or_default();
    let made = staging.scratch().join(name);
    write_file(&made, bytes, staging.access())?;
    fs::rename(&made, path).map_err(|error| failed("rename to", path, error))?;
    sync_directory(path.parent().unwrap_or(Path::new(".")))
}

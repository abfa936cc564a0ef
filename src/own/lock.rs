//! The file by which an output directory is locked against other runs.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;
use rustix::fs::OFlags;
use rustix::system::uname;

use super::files::{Access, failed, in_the_way};
use crate::failure::{Kind, failure};

/// What the text of every such file begins with: who holds the lock, or held it last.
const MARK: &str = "process ";

/// A text that is longer is none of the program's.
const MOST_BYTES: u64 = 4096;

/// Locked until dropped. The file stays.
#[derive(Debug)]
pub struct LockFile {
    _file: File,
}

impl LockFile {
    /// Takes the lock or fails at once, naming who holds it: process, host, since when, and what it does, which `what`
    /// says of this one, as in `running jobs/nightly.toml`.
    pub fn take(path: &Path, what: &str, access: Access) -> Result<LockFile> {
        let mut file = open(path, access)?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(in_the_way(path, "no regular file"));
        }
        let mut text = String::new();
        let read = file.by_ref().take(MOST_BYTES).read_to_string(&mut text);
        if read.is_err() || !(text.is_empty() || text.starts_with(MARK)) {
            return Err(in_the_way(path, "no lock of this program"));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let directory = path.parent().unwrap_or(path).display();
                let message = format!("{directory} is in use by {}; wait for it", text.trim());
                return Err(failure(Kind::Locked, message));
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", path, error)),
        }
        // Written over, then cut: the file is never empty once it has been written.
        let holder = holder(what);
        let written =
            file.write_all_at(holder.as_bytes(), 0).and_then(|()| file.set_len(holder.len() as u64));
        written.map_err(|error| failed("write", path, error))?;
        Ok(LockFile { _file: file })
    }
}

/// Who holds the lock from now on, in UTC.
fn holder(what: &str) -> String {
    /// Longer names of files are cut.
    const MOST_SHOWN: usize = 800;
    let shown: String = what.chars().take(MOST_SHOWN).collect();
    let host = uname().nodename().to_string_lossy().into_owned();
    let since = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    format!("{MARK}{} on host {host} since {since}, {shown}\n", std::process::id())
}

/// Opens the file, or makes it; never one that a link points to.
fn open(path: &Path, access: Access) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(access.file);
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            let set = file.set_permissions(Permissions::from_mode(access.file));
            set.map_err(|error| failed("set the mode of", path, error))?;
            return Ok(file);
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed("create", path, error)),
    }
    options.open(path).map_err(|error| match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => in_the_way(path, "no regular file"),
        _ => failed("open", path, error),
    })
}

//! Files for those who operate a job: one of metrics, replaced whole, and one of events, which grows by a line each.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::Result;
use rustix::fs::OFlags;

use super::files::{Access, create_file, failed, in_the_way, unique_name};

/// Who may read them: programs of other users do, and no account is named in them.
const MODE: u32 = 0o644;

/// Reads a file that the program has left, of which `is_own` knows the beginning; `None` where there is none. What is
/// there and is no such file is an error.
pub fn read_left(path: &Path, is_own: fn(&[u8]) -> bool) -> Result<Option<Vec<u8>>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("look at", path, error)),
        Ok(found) if !found.is_file() => return Err(in_the_way(path, "no regular file")),
        Ok(_) => {}
    }
    let bytes = fs::read(path).map_err(|error| failed("read", path, error))?;
    if is_own(&bytes) { Ok(Some(bytes)) } else { Err(in_the_way(path, "no file of this program")) }
}

/// Puts a small file in the place of one that [`read_left`] has found, or of none, at once and whole. Its directory must
/// be there.
pub fn replace_left(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let made = path.with_file_name(format!(".{name}.{}.new", unique_name()));
    let mut file = create_file(&made, Access { file: MODE })?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let placed = written.and_then(|()| fs::rename(&made, path));
    placed.inspect_err(|_| drop(fs::remove_file(&made))).map_err(|error| failed("write", path, error))
}

/// Adds a line to the end of a file, which is made where there is none; never through a link.
pub fn append_line(path: &Path, line: &str) -> Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let is_new = fs::symlink_metadata(path).is_err();
    let mut options = OpenOptions::new();
    let opened = options.append(true).create(true).mode(MODE).custom_flags(flags).open(path);
    let mut file = opened.map_err(|error| failed("write", path, error))?;
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err(in_the_way(path, "no regular file"));
    }
    if is_new {
        let set = file.set_permissions(Permissions::from_mode(MODE));
        set.map_err(|error| failed("set the mode of", path, error))?;
    }
    // At once, so that lines of several processes stay whole.
    file.write_all(format!("{line}\n").as_bytes()).map_err(|error| failed("write", path, error))
}

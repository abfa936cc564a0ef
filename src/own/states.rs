//! Sorted deliveries that are kept between nights, known by what they begin with.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Result;
use rustix::fs::OFlags;

use super::files::{failed, in_the_way, rename_new};
use crate::store::{self, is_url};

/// What every version of the program has begun them with.
const MARK: &[u8] = b"rescore sorted delivery ";

fn is_copy(path: &Path) -> bool {
    if is_url(path) {
        return is_copied_object(path).unwrap_or(false);
    }
    // Looked at before it is opened: to open some files is to wait.
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) && begins_with_mark(path).unwrap_or(false)
}

fn is_copied_object(path: &Path) -> std::io::Result<bool> {
    let length = MARK.len() as u64;
    let Some(object) = store::head(path)?.filter(|object| object.size >= length) else { return Ok(false) };
    let beginning = Range { start: 0, end: length };
    Ok(store::read_ranges(path, &object, &[beginning])?.concat() == MARK)
}

fn begins_with_mark(path: &Path) -> std::io::Result<bool> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let mut file = File::options().read(true).custom_flags(flags).open(path)?;
    let mut found = [0; MARK.len()];
    file.read_exact(&mut found)?;
    Ok(found == MARK)
}

/// Moves a sorted delivery that has been made to its place; one of the program's that is there is replaced.
pub fn place_copy(made: &Path, target: &Path) -> Result<()> {
    if is_url(target) {
        // Another run may have been faster, with the same bytes.
        let put = File::open(made).and_then(|file| store::upload(target, &file));
        put.map_err(|error| failed("write", target, error))?;
        discard_copy(made);
        return Ok(());
    }
    let placed = match fs::symlink_metadata(target) {
        // Another run may be faster, with the same bytes.
        Err(error) if error.kind() == ErrorKind::NotFound => match rename_new(made, target) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && is_copy(target) => {
                fs::rename(made, target)
            }
            renamed => renamed,
        },
        Err(error) => Err(error),
        Ok(_) if is_copy(target) => fs::rename(made, target),
        Ok(_) => return Err(in_the_way(target, "no sorted delivery of this program")),
    };
    placed.map_err(|error| failed("move a sorted delivery to", target, error))
}

/// Removes a sorted delivery; what is none stays.
pub fn remove_copy(path: &Path) -> Result<()> {
    if !is_copy(path) {
        tracing::info!("{} is no sorted delivery of this program and stays", path.display());
        return Ok(());
    }
    let removed = if is_url(path) { store::remove(path) } else { fs::remove_file(path) };
    removed.map_err(|error| failed("remove", path, error))
}

/// Removes a sorted delivery that was not finished: what is half written takes space that others need.
pub fn discard_copy(made: &Path) {
    let _ = fs::remove_file(made);
}

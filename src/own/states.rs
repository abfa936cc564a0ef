//! States of features between nights, known by their labels.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Result;
use rustix::fs::OFlags;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{
    Staging, exchange, failed, holds_only, in_the_way, is_key, open_directory, remove_directory_of,
    rename_new, sync_directory,
};
use crate::day::Day;

/// The file in which a state says what it is.
const LABEL: &str = "state.json";

/// As much of a label as every version of the program has written.
#[derive(Deserialize)]
struct Mark {
    as_of: Day,
    grounds: Key,
    tables: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct Key {
    key: String,
}

impl Mark {
    /// The files of the state, its label last.
    fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = self.tables.keys().map(|table| format!("{table}.parquet")).collect();
        files.retain(|file| !file.contains('/'));
        files.push(LABEL.to_string());
        files
    }
}

/// A label is larger where more files stand behind the state; this many bytes name millions.
const MOST_BYTES: u64 = 1 << 30;

/// The label of a state of the program's making: it lies under its own key and day.
fn mark(directory: &Path) -> Option<Mark> {
    let day: Day = directory.file_name()?.to_str()?.strip_prefix("date=")?.parse().ok()?;
    let key = directory.parent()?.file_name()?.to_str().filter(|key| is_key(key))?;
    let is_directory = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    if !is_directory(directory) || !is_directory(directory.parent()?) {
        return None;
    }
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let label = File::options().read(true).custom_flags(flags).open(directory.join(LABEL)).ok()?;
    label.metadata().ok().filter(|metadata| metadata.is_file())?;
    let mut bytes = Vec::new();
    label.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    // A hash of the first line follows it.
    let mark: Mark = serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next()?).ok()?;
    (mark.as_of == day && mark.grounds.key == key).then_some(mark)
}

/// Removes a state, its label last; what is none, or holds something else besides, stays.
pub fn remove_state(directory: &Path) -> Result<()> {
    let Some(mark) = mark(directory) else {
        log::info!("{} is no state of this program and stays", directory.display());
        return Ok(());
    };
    let files = mark.files();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let removed = remove_directory_of(directory, &files);
    if !removed.map_err(|error| failed("remove", directory, error))? {
        log::info!("{} holds more than a state and stays", directory.display());
    }
    // Goes only if nothing else is in it.
    let _ = directory.parent().map(fs::remove_dir);
    Ok(())
}

/// Moves a state that has been made to its place; one of the program's that is there is replaced.
pub fn place_state(staging: &Staging, target: &Path) -> Result<()> {
    let made = staging.made();
    let failed = |error| failed("move a state to", target, error);
    match (fs::symlink_metadata(target), mark(target)) {
        (Err(error), _) if error.kind() == ErrorKind::NotFound => {
            rename_new(&made, target).map_err(failed)?;
        }
        (_, Some(mark)) if is_whole(target, &mark).map_err(failed)? => {
            if !exchange(&made, target).map_err(failed)? {
                remove_state(target)?;
                rename_new(&made, target).map_err(failed)?;
            }
        }
        _ => return Err(in_the_way(target, "no state of this program, or more")),
    }
    sync_directory(target.parent().unwrap_or(target))
}

/// Whether a state's directory holds nothing else.
fn is_whole(directory: &Path, mark: &Mark) -> std::io::Result<bool> {
    let files = mark.files();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    holds_only(&open_directory(directory)?, &files)
}

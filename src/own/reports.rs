//! Directories of reports: made whole, and replaced only where they are the program's own.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;

use super::files::{
    Access, create_directory, directory_holds_only, exchange, failed, in_the_way, rename_new, sync_directory,
    write_file,
};
use super::staging::Staging;
use super::user_file::refuse_within_run;

/// A file of a report.
pub struct ReportFile<'a> {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// Puts files into a directory of their own, all at once. What is there already must be a directory without
/// anything in it, or of just these names, of whose first file `is_own` says that it is the program's; anything else stays
/// and is in the way.
pub fn place_report(target: &Path, files: &[ReportFile], is_own: fn(&[u8]) -> bool) -> Result<()> {
    refuse_within_run(target)?;
    let access = Access::default();
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_directory(parent, access)?;
    let is_there = check_is_own(target, files, is_own)?;
    Staging::clear_left_over(parent);
    let staging = Staging::create(parent, access)?;
    let made = staging.made();
    files.iter().try_for_each(|file| write_file(&made.join(file.name), file.bytes, access))?;
    sync_directory(&made)?;
    let moved = if is_there {
        // What was there goes with the staging directory.
        exchange(&made, target).and_then(|is_done| {
            if is_done {
                return Ok(());
            }
            rename_new(target, &staging.scratch().join("replaced"))?;
            rename_new(&made, target)
        })
    } else {
        rename_new(&made, target)
    };
    moved.map_err(|error| failed("write", target, error))?;
    sync_directory(parent)
}

/// Whether there is one of the program's, or one without anything in it; fails where something else is.
fn check_is_own(target: &Path, files: &[ReportFile], is_own: fn(&[u8]) -> bool) -> Result<bool> {
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed("look at", target, error)),
        Ok(found) if !found.is_dir() => return Err(in_the_way(target, "no directory")),
        Ok(_) => {}
    }
    if directory_holds_only(target, &[]).map_err(|error| failed("look at", target, error))? {
        return Ok(true);
    }
    let names: Vec<&str> = files.iter().map(|file| file.name).collect();
    let holds_only =
        directory_holds_only(target, &names).map_err(|error| failed("look at", target, error))?;
    let mark = files.first().map(|file| target.join(file.name));
    let is_known = mark.is_some_and(|mark| fs::read(mark).is_ok_and(|bytes| is_own(&bytes)));
    if !(holds_only && is_known) {
        return Err(in_the_way(target, "not one that this command made"));
    }
    Ok(true)
}

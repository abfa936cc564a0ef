//! Directories of fitted cards: known by what `fit.json` says of their files, placed at once and whole.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;
use serde::Deserialize;

use super::files::{
    Access, create_directory, directory_holds_only, exchange, failed, in_the_way, remove_directory_of,
    rename_new, sync_directory, write_file,
};
use super::staging::Staging;
use crate::failure::{Kind, failure};
use crate::hash::file_hash;
use crate::places::resolved;
use crate::run_dir::manifest::MANIFEST;

/// The file that makes a directory a fitted card's.
pub const FIT_RECORD: &str = "fit.json";

/// Who says in it that it made the directory.
pub const FIT_MAKER: &str = "rescore fit";

/// As much of it as it is known by.
#[derive(Deserialize)]
struct FitMark {
    made_by: String,
    /// By name the SHA-256 of every other file.
    files: BTreeMap<String, String>,
}

/// A place for a fitted card.
#[derive(Debug)]
pub struct FittedCardPlace<'p> {
    target: &'p Path,
    /// The files of the fitted card that stands there, as they were written.
    old: Option<Vec<String>>,
}

impl<'p> FittedCardPlace<'p> {
    /// Looks at a place. What stands there and is no fitted card, or one that somebody has worked on since, is refused; one
    /// of the program's own is replaced only if that is asked for.
    pub fn look_at(target: &'p Path, replace: bool) -> Result<FittedCardPlace<'p>> {
        if let Some(run) = resolved(target).ancestors().find(|above| above.join(MANIFEST).is_file()) {
            let message = format!("write {}: it would lie in the run {}", target.display(), run.display());
            return Err(failure(Kind::Refused, message));
        }
        match fs::symlink_metadata(target) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(FittedCardPlace { target, old: None });
            }
            Err(error) => return Err(failed("look at", target, error)),
            Ok(found) if !found.is_dir() => return Err(in_the_way(target, "no directory")),
            Ok(_) => {}
        }
        if directory_holds_only(target, &[]).map_err(|error| failed("look at", target, error))? {
            return Ok(FittedCardPlace { target, old: Some(Vec::new()) });
        }
        let mark = fs::read(target.join(FIT_RECORD)).ok();
        let mark = mark.and_then(|bytes| serde_json::from_slice::<FitMark>(&bytes).ok());
        let Some(mark) =
            mark.filter(|mark| mark.made_by == FIT_MAKER && mark.files.keys().all(|name| is_plain(name)))
        else {
            return Err(in_the_way(target, "no directory that `rescore fit` made"));
        };
        let mut files: Vec<String> = mark.files.keys().cloned().collect();
        files.push(FIT_RECORD.to_string());
        let names: Vec<&str> = files.iter().map(String::as_str).collect();
        let is_alone =
            directory_holds_only(target, &names).map_err(|error| failed("look at", target, error))?;
        if !is_alone {
            return Err(in_the_way(target, "a fitted card with other files beside it"));
        }
        let is_edited =
            |(name, hash): &(&String, &String)| !file_hash(&target.join(name)).is_ok_and(|own| own == **hash);
        let edited: Vec<String> =
            mark.files.iter().filter(is_edited).map(|(name, _)| format!("`{name}`")).collect();
        if !edited.is_empty() {
            let why = format!("a fitted card whose {} somebody has worked on since", edited.join(", "));
            return Err(in_the_way(target, why));
        }
        if !replace {
            let message = format!("{} holds a fitted card already; --replace replaces it", target.display());
            return Err(failure(Kind::Refused, message));
        }
        Ok(FittedCardPlace { target, old: Some(files) })
    }

    /// Writes files and moves them to the place, all or none; the record goes last.
    pub fn fill(self, files: &[(String, Vec<u8>)]) -> Result<()> {
        let access = Access::default();
        let parent =
            self.target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        create_directory(parent, access)?;
        let staging = Staging::create(parent, access)?;
        let made = staging.made();
        for (name, bytes) in files {
            write_file(&made.join(name), bytes, access)?;
        }
        sync_directory(&made)?;
        let moved = match &self.old {
            None => rename_new(&made, self.target).map(|()| true),
            // The old one goes with the staging directory.
            Some(_) => exchange(&made, self.target),
        };
        if !moved.map_err(|error| failed("rename to", self.target, error))? {
            let old: Vec<&str> = self.old.iter().flatten().map(String::as_str).collect();
            remove_directory_of(self.target, &old).map_err(|error| failed("remove", self.target, error))?;
            rename_new(&made, self.target).map_err(|error| failed("rename to", self.target, error))?;
        }
        sync_directory(parent)
    }
}

/// Whether a name is that of a file in a directory.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && name != "." && name != ".."
}

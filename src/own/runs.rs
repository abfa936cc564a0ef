//! Run directories, known by their manifests: moved to their places, and kept for a while once replaced.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::Deserialize;

use super::files::{
    Access, create_own_directory, directory_holds_only, exchange, failed, in_the_way, remove_directory_of,
    rename_new, sync_directory,
};
use super::staging::{Staging, replace_file};
use crate::hash::is_key;
use crate::run_dir::layout::{RELEASED, SUCCESS, SUPERSEDED};
use crate::run_dir::manifest::{MANIFEST, Manifest};
use crate::run_dir::table_files::OutputName;
use crate::store::is_url;

/// Begins the name of one that could not be moved there, as a directory of another user cannot: it stays
/// beside the run that replaced it.
const SUPERSEDED_BESIDE: &str = ".superseded-";

/// How long a replaced run stays: a reader that began before a weekend or a holiday can still end after it.
const KEPT_DAYS: i64 = 7;

/// When a run was replaced, in its name: UTC; microseconds follow.
const TIME: &str = "%Y%m%dT%H%M%S";

/// Digits of the replaced run's `manifest_sha256` in its name.
const HASH_DIGITS: usize = 16;

/// A run of the program's making.
pub struct OwnRun {
    /// Where it lies.
    pub directory: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
}

impl OwnRun {
    /// The run in a directory; `None` where nothing is. What is there and is no run is refused.
    pub fn at(directory: &Path) -> Result<Option<OwnRun>> {
        if is_url(directory) {
            // Where there are no directories, what has no manifest is nothing yet.
            let manifest = Manifest::read(directory);
            let manifest = manifest.map_err(|error| no_run(directory, &error))?;
            let directory = directory.to_path_buf();
            return Ok(manifest.map(|manifest| OwnRun { directory, manifest }));
        }
        match fs::symlink_metadata(directory) {
            Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => {
                return Ok(None);
            }
            Err(error) => return Err(failed("look at", directory, error)),
            Ok(found) if !found.is_dir() => return Err(in_the_way(directory, "no directory, so no run")),
            Ok(_) => {}
        }
        match Manifest::read(directory) {
            Ok(Some(manifest)) => Ok(Some(OwnRun { directory: directory.to_path_buf(), manifest })),
            Ok(None) => Err(in_the_way(directory, "no run (it has no manifest.json)")),
            Err(error) => Err(no_run(directory, &error)),
        }
    }

    /// Whether nothing else lies in its directory; in an object store, where nothing does, always.
    pub fn is_alone(&self) -> bool {
        is_url(&self.directory) || directory_holds_only(&self.directory, &self.files()).unwrap_or(false)
    }

    /// Every file that a run may have, the manifest last.
    fn files(&self) -> Vec<&str> {
        let outputs = self.manifest.outputs.iter().map(|output| output.file.as_str());
        let own = outputs.filter(|file| OutputName::parse(file).is_some());
        own.chain([SUCCESS, RELEASED, MANIFEST]).collect()
    }

    /// Removes it, the manifest last; one that holds something else besides stays.
    fn remove(&self) -> io::Result<()> {
        if !remove_directory_of(&self.directory, &self.files())? {
            tracing::info!("{} holds more than a run and stays", self.directory.display());
        }
        Ok(())
    }
}

fn no_run(directory: &Path, error: &anyhow::Error) -> anyhow::Error {
    in_the_way(directory, format_args!("no run that can be told ({error:#})"))
}

/// Moves a run that has been made to its place in an output directory, at once and whole. A run of the
/// program's that is there is kept as superseded.
pub fn place_run(staging: &Staging, out: &Path, target: &Path) -> Result<()> {
    let made = staging.made();
    sync_directory(&made)?;
    let parent = create_parent(out, target, staging.access())?;
    match OwnRun::at(target)? {
        None => move_run(&made, target)?,
        Some(old) => replace(&made, &old, out, staging.access())?,
    }
    sync_directory(parent)
}

/// Moves a held run to where published ones lie, with a note beside its manifest.
pub fn release_run(staging: &Staging, out: &Path, held: &Path, target: &Path, note: &[u8]) -> Result<()> {
    let parent = create_parent(out, target, staging.access())?;
    replace_file(staging, &held.join(RELEASED), note, is_note)?;
    replace_file(staging, &held.join(SUCCESS), b"", <[u8]>::is_empty)?;
    move_run(held, target)?;
    sync_directory(parent)?;
    sync_directory(held.parent().unwrap_or(out))
}

/// As much of the note on a release as it is recognised by.
#[derive(Deserialize)]
struct Note {
    #[serde(rename = "released_at")]
    _released_at: String,
}

fn is_note(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Note>(bytes).is_ok()
}

/// Makes the directory in which a run is to lie, step by step: no link may stand for `held` or `known=…`.
fn create_parent<'a>(out: &'a Path, target: &'a Path, access: Access) -> Result<&'a Path> {
    let parent = target.parent().unwrap_or(out);
    let steps: Vec<&Path> = parent.ancestors().take_while(|step| *step != out).collect();
    steps.into_iter().rev().try_for_each(|step| create_own_directory(step, access))?;
    Ok(parent)
}

fn move_run(from: &Path, target: &Path) -> Result<()> {
    rename_new(from, target).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => in_the_way(target, "no run"),
        _ => failed("move the run to", target, error),
    })
}

/// Exchanges a run for a new one. Both are whole and under a name at all times, so that a process that dies
/// at any point leaves the old one or the new one in its place.
fn replace(made: &Path, old: &OwnRun, out: &Path, access: Access) -> Result<()> {
    let target = &old.directory;
    let superseded = out.join(SUPERSEDED);
    create_own_directory(&superseded, access)?;
    let name = superseded_name(&old.manifest);
    let kept = superseded.join(&name);
    let failed = |error| failed("replace", target, error);
    rename_new(made, &kept).map_err(failed)?;
    let exchanged = match exchange(&kept, target) {
        // A directory of another user may be renamed where it is, but not moved elsewhere.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let beside = target.with_file_name(format!("{SUPERSEDED_BESIDE}{name}"));
            rename_new(&kept, &beside).map_err(failed)?;
            exchange(&beside, target).inspect_err(|_| drop(rename_new(&beside, made)))
        }
        exchanged => exchanged,
    };
    match exchanged {
        Ok(true) => {}
        Ok(false) => {
            // The file system knows no exchange: for a moment, nothing is in the run's place.
            rename_new(&kept, made).map_err(failed)?;
            rename_new(target, &kept).map_err(failed)?;
            rename_new(made, target).inspect_err(|_| drop(rename_new(&kept, target))).map_err(failed)?;
        }
        Err(error) => {
            // Back to where it is cleared away.
            let _ = rename_new(&kept, made);
            return Err(failed(error));
        }
    }
    sync_directory(&superseded)
}

/// When it was replaced, and the beginning of the hash of the manifest by which it is looked for.
fn superseded_name(manifest: &Manifest) -> String {
    let now = Offset::UTC.to_datetime(Timestamp::now());
    let hash: String = manifest.sha256().chars().take(HASH_DIGITS).collect();
    format!("{}.{:06}Z-{hash}", now.strftime(TIME), now.subsec_nanosecond() / 1000)
}

/// When a run was replaced, and which one, from its name.
fn parse_superseded(name: &str) -> Option<(Timestamp, &str)> {
    let (time, hash) = name.strip_prefix(SUPERSEDED_BESIDE).unwrap_or(name).rsplit_once('-')?;
    let time = jiff::civil::DateTime::strptime(TIME, time.split_once('.')?.0).ok()?;
    Some((Offset::UTC.to_timestamp(time).ok()?, hash)).filter(|(_, hash)| is_key(hash))
}

/// Removes runs that were replaced long ago, and what replacements that died have left. What cannot be
/// removed stays: it is in nobody's way.
pub fn prune_superseded(out: &Path) {
    let oldest = Timestamp::now().checked_sub(jiff::SignedDuration::from_hours(24 * KEPT_DAYS));
    let Ok(oldest) = oldest else { return };
    // Those that lie beside the runs that replaced them lie where runs do.
    let held = out.join("held");
    let known =
        directories_in(out).chain(directories_in(&held)).filter(|path| file_name(path).starts_with("known="));
    let beside =
        [out.to_path_buf(), held.clone()].into_iter().chain(known).flat_map(|place| directories_in(&place));
    let beside = beside.filter(|path| file_name(path).starts_with(SUPERSEDED_BESIDE));
    for path in directories_in(&out.join(SUPERSEDED)).chain(beside) {
        if let Some((replaced_at, hash)) = parse_superseded(file_name(&path)) {
            let removed = match OwnRun::at(&path) {
                Ok(Some(run)) if replaced_at < oldest || !run.manifest.sha256().starts_with(hash) => {
                    run.remove()
                }
                // One whose removal was cut short is empty.
                Err(_) => fs::remove_dir(&path),
                Ok(_) => Ok(()),
            };
            if let Err(error) = removed {
                tracing::info!("{} stays: {error}", path.display());
            }
        }
    }
}

/// The directories in a directory; none of one that is not there. Links are left out.
pub(super) fn directories_in(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

/// The last step of a path; empty where it is no text.
pub(super) fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

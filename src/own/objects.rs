//! Runs in object stores, where nothing can be renamed: files lie under a prefix of the attempt that made them,
//! and the manifest, put last and under a condition, makes them a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::Timestamp;
use rayon::prelude::*;

use super::files::{failed, unique_name};
use crate::failure::{Kind, failure, in_order};
use crate::run_dir::layout::{RELEASED, SUCCESS};
use crate::run_dir::manifest::{MANIFEST, Manifest};
use crate::run_dir::table_files::ATTEMPT;
use crate::signal;
use crate::store::{self, StoredName, StoredObject};

/// How long files stay that no manifest names: those of a run that was replaced, and of one that died.
const KEPT_DAYS: i64 = 7;

/// How often a manifest is put where a store says that another put is under way, and nothing comes of that.
const MOST_PUTS: usize = 5;

/// The prefix of an attempt, of which there is no other, whichever machine it runs on.
pub fn attempt_name() -> String {
    let random = RandomState::new().hash_one(unique_name());
    format!("{ATTEMPT}{random:016x}")
}

/// What stands in a place where a run may come to lie, by the manifest there; `None` where nothing does.
pub fn seen_manifest(target: &Path) -> Result<Option<StoredObject>> {
    store::head(&target.join(MANIFEST)).map_err(|error| failed("look at", &target.join(MANIFEST), error))
}

/// Puts the files of a run that has been made, `copied` ones from where they lie in an object store, and the manifest
/// that names them last. `replaces` is what was seen in its place.
pub fn put_run(
    made: &Path,
    copied: &BTreeMap<String, PathBuf>,
    manifest: &mut Manifest,
    target: &Path,
    replaces: Option<&StoredObject>,
) -> Result<()> {
    let note = Some(RELEASED).filter(|note| made.join(note).exists());
    let names: Vec<&str> = manifest.outputs.iter().map(|output| output.file.as_str()).chain(note).collect();
    let files = names.par_iter().map(|name| {
        let place = target.join(name);
        signal::check()?;
        let put = match copied.get(*name) {
            Some(from) => store::copy(from, &place),
            None => File::open(made.join(name)).and_then(|file| store::upload(&place, &file)),
        };
        put.map_err(|error| failed("write", &place, error))
    });
    // What nobody has been told of goes; what cannot be removed now is cleared later.
    if let Err(error) = in_order(files).and_then(|_| signal::check()) {
        remove_files(manifest, target);
        return Err(error);
    }
    let text = manifest.seal()?;
    // After an error here, the manifest may have arrived all the same.
    if let PutOutcome::Overtaken = put_sealed(text.as_bytes(), manifest.sha256(), target, replaces)? {
        remove_files(manifest, target);
        return Err(overtaken(target));
    }
    if note.is_some() || !manifest.held { put_success(target) } else { Ok(()) }
}

/// Puts a manifest, which makes a run of the files that it names. Fails where another one is there by now that is
/// not the one that was seen.
pub fn put_manifest(manifest: &mut Manifest, target: &Path, replaces: Option<&StoredObject>) -> Result<()> {
    let text = manifest.seal()?;
    match put_sealed(text.as_bytes(), manifest.sha256(), target, replaces)? {
        PutOutcome::Overtaken => Err(overtaken(target)),
        PutOutcome::Placed if manifest.held => Ok(()),
        PutOutcome::Placed => put_success(target),
    }
}

/// What has come of a manifest.
enum PutOutcome {
    /// It is there.
    Placed,
    /// Another one is.
    Overtaken,
}

fn put_sealed(
    text: &[u8],
    sha256: &str,
    target: &Path,
    replaces: Option<&StoredObject>,
) -> Result<PutOutcome> {
    let path = target.join(MANIFEST);
    for _ in 0..MOST_PUTS {
        let put = match replaces {
            None => store::put_new(&path, text.to_vec()),
            Some(seen) => store::put_instead(&path, text.to_vec(), seen),
        };
        let Err(error) = put else { return Ok(PutOutcome::Placed) };
        // The answer to one's own put can be lost: what is there says whose it is.
        let found = store::read(&path).map_err(|_| failed("write", &path, copy_of(&error)))?;
        let found = found.map(|(bytes, object)| (String::from_utf8_lossy(&bytes).into_owned(), object));
        match found {
            Some((found, _)) if Manifest::parse(&found).is_ok_and(|found| found.sha256() == sha256) => {
                return Ok(PutOutcome::Placed);
            }
            Some((_, object)) if Some(&object) != replaces => return Ok(PutOutcome::Overtaken),
            // Another put was under way, and came to nothing.
            _ if error.kind() == ErrorKind::AlreadyExists => {}
            _ => return Err(failed("write", &path, error)),
        }
    }
    Ok(PutOutcome::Overtaken)
}

fn remove_files(manifest: &Manifest, run: &Path) {
    manifest.outputs.iter().for_each(|output| drop(store::remove(&run.join(&output.file))));
}

fn copy_of(error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), error.to_string())
}

fn overtaken(target: &Path) -> anyhow::Error {
    let message = format!(
        "another run has published {} meanwhile; run again to see whether it may stand",
        target.display()
    );
    failure(Kind::Locked, message)
}

/// The empty object for readers that look for one.
fn put_success(target: &Path) -> Result<()> {
    let path = target.join(SUCCESS);
    store::put(&path, Vec::new()).map_err(|error| failed("write", &path, error))
}

/// Puts it beside a published run whose process died before it did.
pub fn complete_run(target: &Path) -> Result<()> {
    let is_there = store::head(&target.join(SUCCESS)).is_ok_and(|found| found.is_some());
    if is_there { Ok(()) } else { put_success(target) }
}

/// Puts the note of a release beside a run, and the marker of a published one.
pub fn put_release(target: &Path, note: &[u8]) -> Result<()> {
    let path = target.join(RELEASED);
    store::put(&path, note.to_vec()).map_err(|error| failed("write", &path, error))?;
    put_success(target)
}

/// Copies a held run to where published ones lie, with a note beside its manifest, then withdraws it. Its manifest is
/// the same, byte by byte.
pub fn release_objects(held: &Path, target: &Path, manifest: &Manifest, note: &[u8]) -> Result<()> {
    let path = held.join(MANIFEST);
    let read = store::read(&path).map_err(|error| failed("read", &path, error))?;
    let text = read.map(|(bytes, _)| bytes).unwrap_or_default();
    let is_same = Manifest::parse(&String::from_utf8_lossy(&text))
        .is_ok_and(|found| found.sha256() == manifest.sha256());
    if !is_same {
        return Err(failure(
            Kind::Locked,
            format!("{} was changed meanwhile; look at it again", held.display()),
        ));
    }
    in_order(manifest.outputs.par_iter().map(|output| {
        let (from, to) = (held.join(&output.file), target.join(&output.file));
        store::copy(&from, &to).map_err(|error| failed("write", &to, error))
    }))?;
    let noted = target.join(RELEASED);
    store::put(&noted, note.to_vec()).map_err(|error| failed("write", &noted, error))?;
    if let PutOutcome::Overtaken = put_sealed(&text, manifest.sha256(), target, None)? {
        remove_files(manifest, target);
        return Err(overtaken(target));
    }
    put_success(target)?;
    store::remove(&path).map_err(|error| failed("remove", &path, error))?;
    remove_files(manifest, held);
    Ok(())
}

/// Removes the files of attempts that no manifest names and that have lain for long, in the directories of runs. What
/// cannot be removed stays: it is in nobody's way.
pub fn clear_attempts(runs: &[PathBuf]) {
    let oldest = Timestamp::now().as_second() - 24 * 3600 * KEPT_DAYS;
    runs.par_iter().for_each(|run| {
        if let Err(error) = clear_run(run, oldest) {
            tracing::info!("{}: attempts stay: {error}", run.display());
        }
    });
}

fn clear_run(run: &Path, oldest: i64) -> std::io::Result<()> {
    let names = store::names_in(run)?;
    let is_attempt = |name: &&StoredName| name.is_directory && name.name.starts_with(ATTEMPT);
    let attempts: Vec<&StoredName> = names.iter().filter(is_attempt).collect();
    if attempts.is_empty() {
        return Ok(());
    }
    let mut named = BTreeSet::new();
    if let Some((bytes, object)) = store::read(&run.join(MANIFEST))? {
        let manifest = Manifest::parse(&String::from_utf8_lossy(&bytes)).map_err(std::io::Error::other)?;
        // Until then readers may be at what it replaced.
        if object.modified > oldest {
            return Ok(());
        }
        named.extend(
            manifest.outputs.iter().filter_map(|output| output.file.split('/').next()).map(str::to_string),
        );
    }
    for attempt in attempts.into_iter().filter(|attempt| !named.contains(&attempt.name)) {
        let directory = run.join(&attempt.name);
        let objects = store::objects_below(&directory)?;
        if objects.values().all(|object| object.modified <= oldest) {
            objects.keys().try_for_each(|rest| store::remove(&directory.join(rest)))?;
        }
    }
    Ok(())
}

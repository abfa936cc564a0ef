//! Where sorted deliveries are kept between nights: a cache on disk. Whatever is wrong with one, it is made again,
//! to the same result.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::delivery::SortedDelivery;
use super::make::PackedDelivery;
use crate::day::Day;
use crate::hash::is_key;
use crate::input::handle::Handle;
use crate::input::hashes::read_text;
use crate::job::Job;
use crate::own::{self, Access};
use crate::places;
use crate::store::{self, StoredName, is_url};

/// A directory of sorted deliveries: `<input>/<hash>/date=<day>.sorted`. The input and the hash, of all that they
/// depend on besides files, are their key.
#[derive(Debug, Clone)]
pub struct Shelf {
    directory: PathBuf,
    access: Access,
}

/// The file that says how far back nights have read, in the directory of a key.
const NIGHTS: &str = "nights";

/// Begins that file.
const MARK: &str = "rescore nights 1\n";

/// What no night of so many days before the latest has read is cleared away.
const KEPT_DAYS: i32 = 30;

impl Shelf {
    /// That of a job which keeps sorted deliveries; the directory need not exist.
    pub fn of(job: &Job) -> Option<Shelf> {
        job.state_dir.as_deref().map(|directory| Shelf::at(directory, job.access))
    }

    /// That in a directory, which need not exist.
    pub fn at(directory: &Path, access: Access) -> Shelf {
        Shelf { directory: directory.to_path_buf(), access }
    }

    /// Where a delivery lies, or would.
    pub(super) fn path(&self, key: &str, delivery: Option<Day>) -> PathBuf {
        let name = delivery.map_or("undated.sorted".to_string(), |day| format!("date={day}.sorted"));
        self.directory.join(key).join(name)
    }

    /// What is kept of a delivery; `None` where nothing is.
    pub fn open(&self, key: &str, delivery: Option<Day>) -> Option<Result<SortedDelivery>> {
        let path = self.path(key, delivery);
        if !is_url(&path) {
            fs::symlink_metadata(&path).ok()?;
            return Some(SortedDelivery::open(&path));
        }
        let opened = store::head(&path).map(|found| found.map(|object| Handle::of_object(&path, object)));
        Some(opened.map_err(anyhow::Error::from).transpose()?.and_then(SortedDelivery::of_handle))
    }

    /// Begins to put deliveries on the shelf.
    pub fn stage(&self, key: &str) -> Result<own::Staging> {
        if is_url(&self.directory) {
            return own::Staging::create(&places::scratch(&self.directory), self.access);
        }
        own::create_directory(&self.directory, self.access)?;
        let _lock = self.lock()?;
        let set = self.directory.join(key);
        own::create_own_directory(&set, self.access)?;
        own::Staging::create(&set, self.access)
    }

    /// Puts a delivery on the shelf and opens it there.
    pub fn put(&self, key: &str, staging: &own::Staging, draft: &PackedDelivery) -> Result<SortedDelivery> {
        let target = self.path(key, draft.label.delivery);
        let made = staging.made().join(target.file_name().unwrap_or_default());
        let written = own::create_file(&made, self.access)
            .and_then(|mut file| draft.write(&mut file).with_context(|| format!("write {}", made.display())));
        let placed = written.and_then(|()| own::place_copy(&made, &target));
        if placed.is_err() {
            own::discard_copy(&made);
        }
        placed?;
        SortedDelivery::open(&target)
    }

    /// Removes a delivery.
    pub fn remove(&self, key: &str, delivery: Option<Day>) -> Result<()> {
        own::remove_copy(&self.path(key, delivery))
    }

    /// Puts a file beside them, in the place of one that is the program's own.
    pub fn put_file(&self, name: &str, bytes: &[u8], is_own: fn(&[u8]) -> bool) -> Result<()> {
        if is_url(&self.directory) {
            return own::replace_object(&self.directory.join(name), bytes, is_own);
        }
        own::create_directory(&self.directory, self.access)?;
        let _lock = self.lock()?;
        let staging = own::Staging::create(&self.directory, self.access)?;
        own::replace_file(&staging, &self.directory.join(name), bytes, is_own)
    }

    /// Notes that a night has read deliveries back to a day, and clears away what no night of the last days has
    /// read; `None`: all there are.
    pub fn note_night(&self, key: &str, as_of: Day, oldest: Option<Day>) -> Result<()> {
        let set = self.directory.join(key);
        let is_in_store = is_url(&set);
        if names_in(&set).is_empty() {
            return Ok(());
        }
        // In a store nobody can be waited for; a note that is lost costs time, no more.
        let _lock = if is_in_store { None } else { Some(self.lock()?) };
        let mut nights = read_nights(&set);
        let latest = nights.last_key_value().map_or(as_of, |(latest, _)| as_of.max(*latest));
        let oldest = oldest.unwrap_or(Day(i32::MIN));
        nights.entry(as_of).and_modify(|known| *known = oldest.min(*known)).or_insert(oldest);
        nights.retain(|night, _| *night > latest.plus(-KEPT_DAYS));
        let mut text = MARK.to_string();
        for (night, oldest) in &nights {
            writeln!(text, "{night} {}", oldest.0).context("text takes all")?;
        }
        if is_in_store {
            own::replace_object(&set.join(NIGHTS), text.as_bytes(), is_nights)?;
        } else {
            let staging = own::Staging::create(&set, self.access)?;
            own::replace_file(&staging, &set.join(NIGHTS), text.as_bytes(), is_nights)?;
        }
        let reached = nights.values().min().copied().unwrap_or(oldest);
        clear(&set, reached)?;
        let of_input = set.parent().unwrap_or(&self.directory);
        for other in directories(of_input).into_iter().filter(|other| *other != set && is_set(other)) {
            let latest = read_nights(&other).last_key_value().map(|(latest, _)| *latest);
            if latest.is_some_and(|latest| latest <= as_of.plus(-KEPT_DAYS)) {
                clear(&other, Day(i32::MAX))?;
            }
        }
        if !is_in_store {
            own::Staging::clear_left_over(&self.directory);
            directories(of_input).iter().for_each(|set| own::Staging::clear_left_over(set));
        }
        Ok(())
    }

    /// The directory, locked against other processes that put something there or clear it away. That takes
    /// them moments, so it is waited for.
    fn lock(&self) -> Result<File> {
        let locked = File::open(&self.directory).and_then(|directory| directory.lock().map(|()| directory));
        locked.with_context(|| format!("lock {}", self.directory.display()))
    }
}

/// Clears away the dated deliveries of a directory that are older than a day.
fn clear(set: &Path, reached: Day) -> Result<()> {
    for StoredName { name, .. } in names_in(set) {
        let day = name.strip_prefix("date=").and_then(|name| name.strip_suffix(".sorted"));
        if day.and_then(|day| day.parse::<Day>().ok()).is_some_and(|day| day < reached) {
            own::remove_copy(&set.join(name))?;
        }
    }
    Ok(())
}

/// By night, how far back it has read; nothing where no file says so.
fn read_nights(set: &Path) -> BTreeMap<Day, Day> {
    let text = read_text(&set.join(NIGHTS)).unwrap_or_default();
    let lines = text.strip_prefix(MARK).unwrap_or_default().lines();
    lines.filter_map(parse_night).collect()
}

/// A night, and how far back it has read.
fn parse_night(line: &str) -> Option<(Day, Day)> {
    let (night, oldest) = line.split_once(' ')?;
    Some((night.parse().ok()?, Day(oldest.parse().ok()?)))
}

fn is_nights(bytes: &[u8]) -> bool {
    bytes.starts_with(MARK.as_bytes())
}

fn is_set(directory: &Path) -> bool {
    directory.file_name().and_then(|name| name.to_str()).is_some_and(is_key)
}

/// The names in a directory; none of one that is not there.
fn names_in(directory: &Path) -> Vec<StoredName> {
    if is_url(directory) {
        return store::names_in(directory).unwrap_or_default();
    }
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        // Of links it is said that they are none.
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        Some(StoredName { name: entry.file_name().into_string().ok()?, is_directory, object: None })
    });
    names.collect()
}

/// The directories in a directory. Links are left out.
fn directories(directory: &Path) -> Vec<PathBuf> {
    let names = names_in(directory).into_iter().filter(|name| name.is_directory);
    names.map(|name| directory.join(name.name)).collect()
}

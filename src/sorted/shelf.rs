//! Where sorted deliveries are kept between nights: a cache on disk. Whatever is wrong with one, it is made again,
//! to the same result.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::delivery::SortedDelivery;
use super::make::PackedDelivery;
use crate::day::Day;
use crate::hash::is_key;
use crate::input::handle::open_regular;
use crate::job::Job;
use crate::own::{self, Access};

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
        fs::symlink_metadata(&path).ok()?;
        Some(SortedDelivery::open(&path))
    }

    /// Begins to put deliveries on the shelf.
    pub fn stage(&self, key: &str) -> Result<own::Staging> {
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
        own::create_directory(&self.directory, self.access)?;
        let _lock = self.lock()?;
        let staging = own::Staging::create(&self.directory, self.access)?;
        own::replace_file(&staging, &self.directory.join(name), bytes, is_own)
    }

    /// Notes that a night has read deliveries back to a day, and clears away what no night of the last days has
    /// read; `None`: all there are.
    pub fn note_night(&self, key: &str, as_of: Day, oldest: Option<Day>) -> Result<()> {
        let set = self.directory.join(key);
        if !set.is_dir() {
            return Ok(());
        }
        let _lock = self.lock()?;
        let mut nights = read_nights(&set);
        let latest = nights.last_key_value().map_or(as_of, |(latest, _)| as_of.max(*latest));
        let oldest = oldest.unwrap_or(Day(i32::MIN));
        nights.entry(as_of).and_modify(|known| *known = oldest.min(*known)).or_insert(oldest);
        nights.retain(|night, _| *night > latest.plus(-KEPT_DAYS));
        let mut text = MARK.to_string();
        for (night, oldest) in &nights {
            writeln!(text, "{night} {}", oldest.0).context("text takes all")?;
        }
        let staging = own::Staging::create(&set, self.access)?;
        own::replace_file(&staging, &set.join(NIGHTS), text.as_bytes(), is_nights)?;
        drop(staging);
        let reached = nights.values().min().copied().unwrap_or(oldest);
        clear(&set, reached)?;
        let of_input = set.parent().unwrap_or(&self.directory);
        for other in directories(of_input).filter(|other| *other != set && is_set(other)) {
            let latest = read_nights(&other).last_key_value().map(|(latest, _)| *latest);
            if latest.is_some_and(|latest| latest <= as_of.plus(-KEPT_DAYS)) {
                clear(&other, Day(i32::MAX))?;
            }
        }
        own::Staging::clear_left_over(&self.directory);
        directories(of_input).for_each(|set| own::Staging::clear_left_over(&set));
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
    for entry in fs::read_dir(set).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let day = name.to_str().and_then(|name| name.strip_prefix("date=")?.strip_suffix(".sorted"));
        if day.and_then(|day| day.parse::<Day>().ok()).is_some_and(|day| day < reached) {
            own::remove_copy(&entry.path())?;
        }
    }
    Ok(())
}

/// By night, how far back it has read; nothing where no file says so.
fn read_nights(set: &Path) -> BTreeMap<Day, Day> {
    let mut text = String::new();
    let read = open_regular(&set.join(NIGHTS)).and_then(|mut file| file.read_to_string(&mut text));
    let lines = read.ok().and_then(|_| text.strip_prefix(MARK)).unwrap_or_default().lines();
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

/// The directories in a directory; none of one that is not there. Links are left out.
fn directories(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

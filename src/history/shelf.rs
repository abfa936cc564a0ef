//! Where histories are kept between nights: a cache on disk. Whatever is wrong with a state, the night is
//! computed without it, to the same result.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Error, Result, ensure};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::parts::put_together;
use super::tables::Table;
use super::{Grounds, History, Plans};
use crate::day::Day;
use crate::input::file::OpenFile;

/// A directory of states: `<feature set>/date=<D>/`.
pub struct Shelf {
    directory: PathBuf,
}

/// A state that may be gone on from.
pub struct Candidate {
    /// The day up to which it tells.
    pub as_of: Day,
    /// Bytes of its tables.
    pub bytes: u64,
    directory: PathBuf,
    label: Label,
}

/// What a state says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Label {
    as_of: Day,
    grounds: Grounds,
    /// Bytes and XXH3 of every table, by name.
    tables: BTreeMap<String, (u64, u64)>,
}

/// Where states lie, by day.
type States = Vec<(Day, PathBuf)>;

const LABEL: &str = "state.json";

/// Begins the name of a state in the making; the process's number ends it.
const STAGING: &str = ".staging-";

/// Locked by the process that makes a state.
const LOCK: &str = ".lock";

/// How many states of a feature set are kept: last night's, and one to fall back on.
const KEPT: usize = 2;

/// Feature sets without a state of the last days are given up.
const GIVEN_UP_AFTER_DAYS: i64 = 30;

impl Shelf {
    /// The states in a directory, which need not exist.
    pub fn new(directory: &Path) -> Shelf {
        Shelf { directory: directory.to_path_buf() }
    }

    /// The days of a feature set's states.
    pub fn days(&self, key: &str) -> Vec<Day> {
        self.list(key).0.into_iter().map(|(day, _)| day).collect()
    }

    /// The latest state from which a night can go on, or why there is none; and what is to be told of
    /// states that were passed over. For `past` see [`Grounds::unfit`].
    pub fn find(
        &self,
        as_of: Day,
        tonight: &Grounds,
        past: &[OpenFile],
    ) -> (Result<Candidate, String>, Vec<String>) {
        let (mut own, others) = self.list(&tonight.key);
        let mut remarks = Vec::new();
        let mut why = match (own.is_empty(), others.is_empty()) {
            (true, true) => "there is no state yet".to_string(),
            (true, false) => "there is no state of this feature set, only of others".to_string(),
            (false, _) => "there is no state of this day or an earlier one".to_string(),
        };
        if own.is_empty() && !others.is_empty() {
            remarks.push(why.clone());
        }
        own.retain(|(day, _)| *day <= as_of);
        while let Some((day, directory)) = own.pop() {
            why = match Label::read(&directory) {
                Err(error) => format!("the state of {day} is torn or foreign: {error:#}"),
                Ok(label) => match label.grounds.unfit(label.as_of, tonight, past) {
                    None if label.as_of == day => {
                        let bytes = label.tables.values().map(|(bytes, _)| bytes).sum();
                        return (Ok(Candidate { as_of: day, bytes, directory, label }), remarks);
                    }
                    None => format!("the state of {day} is passed over: it is of another day than it says"),
                    Some(what) => format!("the state of {day} is passed over: {what}"),
                },
            };
            remarks.push(why.clone());
        }
        (Err(why), remarks)
    }

    /// States of a feature set, oldest first, and all others.
    fn list(&self, key: &str) -> (States, States) {
        let mut all: States = entries(&self.directory)
            .flat_map(|set| entries(&set))
            .filter_map(|path| {
                let day = path.file_name()?.to_str()?.strip_prefix("date=")?.parse().ok()?;
                Some((day, path))
            })
            .collect();
        all.sort();
        let of_set = self.directory.join(key);
        all.into_iter().partition(|(_, path)| path.starts_with(&of_set))
    }

    /// Begins a state of a day.
    pub fn stage(&self, as_of: Day, grounds: &Grounds) -> Result<Staging> {
        let set = self.directory.join(&grounds.key);
        let directory = set.join(format!("{STAGING}{}", std::process::id()));
        if directory.exists() {
            fs::remove_dir_all(&directory).with_context(|| format!("remove {}", directory.display()))?;
        }
        fs::create_dir_all(&directory).with_context(|| format!("create {}", directory.display()))?;
        let lock = File::create(directory.join(LOCK)).context("lock a state in the making")?;
        lock.lock().context("lock a state in the making")?;
        let shelf = Shelf::new(&self.directory);
        Ok(Staging {
            as_of,
            shelf,
            directory,
            grounds: grounds.clone(),
            tables: Mutex::default(),
            failure: Mutex::default(),
            _lock: lock,
        })
    }

    /// Keeps the state just put there and the latest others.
    fn prune(&self, key: &str, as_of: Day) -> Result<()> {
        let (mut own, others) = self.list(key);
        own.retain(|(day, _)| *day != as_of);
        let old = own.iter().take((own.len() + 1).saturating_sub(KEPT));
        let given_up = others.iter().filter(|(day, _)| as_of.since(*day) > GIVEN_UP_AFTER_DAYS);
        for (_, path) in old.chain(given_up) {
            fs::remove_dir_all(path).with_context(|| format!("remove {}", path.display()))?;
            // Goes only if nothing else is in it.
            let _ = path.parent().map(fs::remove_dir);
        }
        let staged = entries(&self.directory).flat_map(|set| entries(&set));
        for path in staged.filter(|path| is_left_over(path)) {
            fs::remove_dir_all(&path).with_context(|| format!("remove {}", path.display()))?;
        }
        Ok(())
    }
}

/// The entries of a directory; none of one that is not there.
fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
}

/// Whether a directory is a state in the making of a process that has died.
fn is_left_over(path: &Path) -> bool {
    let is_staging =
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(STAGING.as_bytes()));
    is_staging && File::open(path.join(LOCK)).map_or(true, |lock| lock.try_lock().is_ok())
}

/// A state in the making: it comes to lie on the shelf whole, or not at all.
pub struct Staging {
    /// The day up to which it tells.
    pub as_of: Day,
    shelf: Shelf,
    directory: PathBuf,
    grounds: Grounds,
    tables: Mutex<BTreeMap<String, (u64, u64)>>,
    failure: Mutex<Option<Error>>,
    /// Held as long as the process lives: what a dead one has left is known by it.
    _lock: File,
}

impl Staging {
    /// Writes a table; may be called from several threads.
    pub(super) fn put(&self, table: Table) -> Result<()> {
        let name = table.name.clone();
        let bytes = table.encode()?;
        let path = self.directory.join(format!("{name}.parquet"));
        fs::write(&path, &bytes).with_context(|| format!("write {}", path.display()))?;
        let entry = (bytes.len() as u64, xxh3_64(&bytes));
        self.tables.lock().expect("no thread panicked").insert(name, entry);
        Ok(())
    }

    /// Notes that some tables could not be written: the state comes to nothing, the run goes on.
    pub(super) fn note(&self, put: Result<()>) {
        if let Err(error) = put {
            self.failure.lock().expect("no thread panicked").get_or_insert(error);
        }
    }

    /// Puts the state on the shelf and clears away old ones.
    pub fn commit(self) -> Result<()> {
        if let Some(error) = self.failure.lock().expect("no thread panicked").take() {
            return Err(error);
        }
        let tables = std::mem::take(&mut *self.tables.lock().expect("no thread panicked"));
        let label = Label { as_of: self.as_of, grounds: self.grounds.clone(), tables };
        fs::write(self.directory.join(LABEL), serde_json::to_vec(&label)?)?;
        fs::remove_file(self.directory.join(LOCK))?;
        let target = self.directory.with_file_name(format!("date={}", self.as_of));
        if target.exists() {
            fs::remove_dir_all(&target).with_context(|| format!("remove {}", target.display()))?;
        }
        fs::rename(&self.directory, &target).with_context(|| format!("rename to {}", target.display()))?;
        self.shelf.prune(&self.grounds.key, self.as_of)
    }
}

impl Drop for Staging {
    /// What was not put on the shelf leaves nothing behind.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Label {
    fn read(directory: &Path) -> Result<Label> {
        Ok(serde_json::from_slice(&fs::read(directory.join(LABEL))?)?)
    }
}

impl Candidate {
    /// Reads the state; every byte is checked.
    pub fn load(self, plans: &Plans) -> Result<History> {
        let Candidate { directory, label, .. } = self;
        let table = |name: &str| {
            let (bytes, hash) =
                label.tables.get(name).with_context(|| format!("there is no table {name}"))?;
            let path = directory.join(format!("{name}.parquet"));
            let read = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            ensure!(
                (read.len() as u64, xxh3_64(&read)) == (*bytes, *hash),
                "table {name} is not as it was written"
            );
            Table::decode(name, read)
        };
        put_together(label.as_of, label.grounds.clone(), plans, table)
    }
}

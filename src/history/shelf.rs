//! Where histories are kept between nights: a cache on disk. Whatever is wrong with a state, the night is
//! computed without it, to the same result.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
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
use crate::own::{self, Access};

/// A directory of states: `<feature set>/date=<D>/`.
pub struct Shelf {
    directory: PathBuf,
    access: Access,
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

/// How many states of a feature set are kept: last night's, and one to fall back on.
const KEPT: usize = 2;

/// Feature sets without a state of the last days are given up.
const GIVEN_UP_AFTER_DAYS: i64 = 30;

impl Shelf {
    /// The states in a directory, which need not exist.
    pub fn new(directory: &Path, access: Access) -> Shelf {
        Shelf { directory: directory.to_path_buf(), access }
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
        own::create_directory(&self.directory, self.access)?;
        let _lock = self.lock()?;
        let set = self.directory.join(&grounds.key);
        own::create_own_directory(&set, self.access)?;
        Ok(Staging {
            as_of,
            shelf: Shelf::new(&self.directory, self.access),
            target: set.join(format!("date={as_of}")),
            making: own::Staging::create(&set, self.access)?,
            grounds: grounds.clone(),
            tables: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    /// Puts a file beside the states, in the place of one that is the program's own.
    pub fn put_file(&self, name: &str, bytes: &[u8], is_own: fn(&[u8]) -> bool) -> Result<()> {
        own::create_directory(&self.directory, self.access)?;
        let _lock = self.lock()?;
        let staging = own::Staging::create(&self.directory, self.access)?;
        own::replace_file(&staging, &self.directory.join(name), bytes, is_own)
    }

    /// The directory, locked against other processes that put states there or clear them away. That takes
    /// them moments, so it is waited for.
    fn lock(&self) -> Result<File> {
        let locked = File::open(&self.directory).and_then(|directory| directory.lock().map(|()| directory));
        locked.with_context(|| format!("lock {}", self.directory.display()))
    }

    /// Keeps the state just put there and the latest others. Whoever calls it has locked the directory.
    fn prune(&self, key: &str, as_of: Day) -> Result<()> {
        let (mut own, others) = self.list(key);
        own.retain(|(day, _)| *day != as_of);
        let old = own.iter().take((own.len() + 1).saturating_sub(KEPT));
        let given_up = others.iter().filter(|(day, _)| as_of.since(*day) > GIVEN_UP_AFTER_DAYS);
        for (_, path) in old.chain(given_up) {
            own::remove_state(path)?;
        }
        own::Staging::clear_left_over(&self.directory);
        entries(&self.directory).for_each(|set| own::Staging::clear_left_over(&set));
        Ok(())
    }
}

/// The directories in a directory; none of one that is not there. Links are left out.
fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

/// A state in the making: it comes to lie on the shelf whole, or not at all.
pub struct Staging {
    /// The day up to which it tells.
    pub as_of: Day,
    shelf: Shelf,
    target: PathBuf,
    making: own::Staging,
    grounds: Grounds,
    tables: Mutex<BTreeMap<String, (u64, u64)>>,
    failure: Mutex<Option<Error>>,
}

impl Staging {
    /// Writes a table; may be called from several threads.
    pub(super) fn put(&self, table: Table) -> Result<()> {
        let name = table.name.clone();
        let bytes = table.encode()?;
        let path = self.making.made().join(format!("{name}.parquet"));
        let mut file = own::create_file(&path, self.making.access())?;
        file.write_all(&bytes).with_context(|| format!("write {}", path.display()))?;
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
        let path = self.making.made().join(LABEL);
        let mut file = own::create_file(&path, self.making.access())?;
        file.write_all(label.to_text()?.as_bytes()).with_context(|| format!("write {}", path.display()))?;
        let _lock = self.shelf.lock()?;
        own::place_state(&self.making, &self.target)?;
        self.shelf.prune(&self.grounds.key, self.as_of)
    }
}

impl Label {
    /// Two lines: what the label says, and the XXH3 of it.
    fn to_text(&self) -> Result<String> {
        let line = serde_json::to_string(self)?;
        Ok(format!("{line}\n{:016x}\n", xxh3_64(line.as_bytes())))
    }

    fn read(directory: &Path) -> Result<Label> {
        let text = fs::read_to_string(directory.join(LABEL))?;
        let (line, hash) = text.split_once('\n').context("its label is cut")?;
        ensure!(hash == format!("{:016x}\n", xxh3_64(line.as_bytes())), "its label is not as it was written");
        Ok(serde_json::from_str(line)?)
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

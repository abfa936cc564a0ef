//! The hashes of input files, remembered from run to run for files that are still the same. Whatever is
//! wrong with what was remembered, the files are hashed again, to the same result.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::handle::{FileStamp, open_regular};
use crate::day::Day;
use crate::hash::bytes_hash;
use crate::store::{self, is_url};

/// The file's name in the directory of sorted deliveries.
pub const HASHES: &str = "input-hashes";

/// Begins the file, whatever its version.
const MARK: &str = "rescore input hashes ";

/// Changes with what a hash stands for: a file whose pages hold as many rows as its footer says.
const VERSION: &str = "1";

/// What no night has asked for in so many days is forgotten.
const FORGOTTEN_AFTER_DAYS: i64 = 30;

/// File systems keep times in steps of up to two seconds. A file that was changed a moment before it was
/// hashed could be changed again within the step, and look the same.
const COARSEST_STEP: Duration = Duration::from_secs(2);

/// The hash of a file.
#[derive(Debug, Clone)]
struct Remembered {
    sha256: String,
    /// The latest night that asked for it.
    used: Day,
}

/// Hashes by what the file system says of the file.
#[derive(Debug, Default)]
pub struct Hashes {
    known: HashMap<FileStamp, Remembered>,
    has_news: bool,
}

impl Hashes {
    /// Reads what earlier runs have left in a directory of sorted deliveries; nothing, if there is anything wrong.
    pub fn read(directory: &Path) -> Hashes {
        let text = read_text(&directory.join(HASHES));
        let known = text.and_then(|text| parse(&text)).unwrap_or_default();
        Hashes { known, has_news: false }
    }

    /// The hash of a file, if it is known. That a night asked for it is noted.
    pub fn of(&mut self, stamp: FileStamp, as_of: Day) -> Option<String> {
        let known = self.known.get_mut(&stamp)?;
        self.has_news |= known.used < as_of;
        known.used = known.used.max(as_of);
        Some(known.sha256.clone())
    }

    /// Keeps the hash of a file, unless it was changed only just now.
    pub fn keep(&mut self, stamp: FileStamp, sha256: &str, as_of: Day) {
        if !self.known.contains_key(&stamp) && is_old_enough(stamp) {
            self.known.insert(stamp, Remembered { sha256: sha256.to_string(), used: as_of });
            self.has_news = true;
        }
    }

    /// What to leave for the next run, if there is more of it than there was.
    pub fn to_text(&self, as_of: Day) -> Option<String> {
        let mut lines: Vec<String> = Vec::new();
        for (stamp, Remembered { sha256, used }) in &self.known {
            if as_of.since(*used) <= FORGOTTEN_AFTER_DAYS {
                let FileStamp { device, inode, size, modified, changed } = stamp;
                let (modified, changed) =
                    (format!("{} {}", modified.0, modified.1), format!("{} {}", changed.0, changed.1));
                lines.push(format!("{device} {inode} {size} {modified} {changed} {sha256} {used}\n"));
            }
        }
        lines.sort_unstable();
        let lines = lines.concat();
        let mut text = String::new();
        writeln!(text, "{MARK}{VERSION} {}", bytes_hash(lines.as_bytes())).expect("text takes all");
        self.has_news.then(|| text + &lines)
    }
}

/// The text of a file or an object that the program has left; `None` where there is none, or it cannot be read.
pub fn read_text(path: &Path) -> Option<String> {
    if is_url(path) {
        let (bytes, _) = store::read(path).ok()??;
        return String::from_utf8(bytes).ok();
    }
    let mut text = String::new();
    open_regular(path).and_then(|mut file| file.read_to_string(&mut text)).ok()?;
    Some(text)
}

/// Whether a file of these bytes was left by a run.
pub fn is_own(bytes: &[u8]) -> bool {
    bytes.starts_with(MARK.as_bytes())
}

/// Whether a file was last changed so long ago that a change from now on shows in its stamp.
fn is_old_enough(stamp: FileStamp) -> bool {
    let (seconds, nanos) = stamp.changed;
    let changed = Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanos).unwrap_or(0));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    changed.saturating_add(COARSEST_STEP) < now
}

fn parse(text: &str) -> Option<HashMap<FileStamp, Remembered>> {
    let (label, lines) = text.split_once('\n')?;
    let (version, hash) = label.strip_prefix(MARK)?.split_once(' ')?;
    if version != VERSION || hash != bytes_hash(lines.as_bytes()) {
        return None;
    }
    lines.lines().map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<(FileStamp, Remembered)> {
    let mut cells = line.split(' ');
    let stamp = FileStamp {
        device: next_of(&mut cells)?,
        inode: next_of(&mut cells)?,
        size: next_of(&mut cells)?,
        modified: (next_of(&mut cells)?, next_of(&mut cells)?),
        changed: (next_of(&mut cells)?, next_of(&mut cells)?),
    };
    Some((stamp, Remembered { sha256: next_of(&mut cells)?, used: next_of(&mut cells)? }))
}

fn next_of<'c, T: FromStr>(cells: &mut impl Iterator<Item = &'c str>) -> Option<T> {
    cells.next()?.parse().ok()
}

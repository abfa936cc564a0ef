//! The rejected rows of an input, in order of file and row: in memory while they are few, else in a file
//! that has no name and goes with the run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::file::OpenFile;
use super::reason::RejectReason;
use crate::day::Day;

/// A rejected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// Its file, by number.
    pub file: u32,
    /// 0-based in the file.
    pub row: u64,
    /// The first that holds.
    pub reason: RejectReason,
    /// As text, whatever the input's type.
    pub account: Option<String>,
}

/// Some rejected rows, packed.
#[derive(Debug, Default)]
pub struct RejectedRows {
    bytes: Vec<u8>,
    counts: BTreeMap<RejectReason, u64>,
}

/// The length of an account that is null.
const NULL: u32 = u32::MAX;

impl RejectedRows {
    /// Adds a row.
    pub fn push(&mut self, file: u32, row: u64, reason: RejectReason, account: Option<&str>) {
        *self.counts.entry(reason).or_default() += 1;
        let text = account.unwrap_or_default().as_bytes();
        self.bytes.extend(file.to_le_bytes());
        self.bytes.extend(row.to_le_bytes());
        self.bytes.push(reason as u8);
        self.bytes.extend(account.map_or(NULL, |_| text.len() as u32).to_le_bytes());
        self.bytes.extend(text);
    }

    /// Adds a row that was read back.
    pub fn push_row(&mut self, row: &RejectedRow) {
        self.push(row.file, row.row, row.reason, row.account.as_deref());
    }

    /// Rows as they were packed before.
    pub fn of(bytes: Vec<u8>) -> RejectedRows {
        RejectedRows { bytes, counts: BTreeMap::new() }
    }

    /// The rows as bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Rows by reason, of those that were added one by one.
    pub fn counts(&self) -> &BTreeMap<RejectReason, u64> {
        &self.counts
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether they are enough to be put away.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= MOST_BYTES
    }

    /// The rows, in the order in which they were added.
    pub fn rows(&self) -> impl Iterator<Item = Result<RejectedRow>> {
        UnpackedRows { from: &self.bytes[..] }
    }
}

/// All rejected rows of an input.
#[derive(Debug, Default)]
pub struct RejectLog {
    /// Its name.
    pub input: &'static str,
    /// Delivery and name of each file, by number.
    pub files: Vec<(Option<Day>, String)>,
    /// Rows by reason.
    pub counts: BTreeMap<RejectReason, u64>,
    directory: PathBuf,
    memory: Vec<u8>,
    spilled: Option<File>,
}

/// What is kept in memory; more goes to a file.
const MOST_BYTES: usize = 1 << 20;

impl RejectLog {
    /// An empty log of an input's files, which may put a file into `directory`.
    pub fn new(input: &'static str, files: &[OpenFile], directory: &Path) -> RejectLog {
        let files = files.iter().map(|file| (file.delivery, file.file.name.clone())).collect();
        RejectLog { input, files, directory: directory.to_path_buf(), ..RejectLog::default() }
    }

    /// Adds rows, which come after all that are there.
    pub fn append(&mut self, rows: &RejectedRows) -> Result<()> {
        for (reason, count) in &rows.counts {
            *self.counts.entry(*reason).or_default() += count;
        }
        self.memory.extend(&rows.bytes);
        if self.memory.len() > MOST_BYTES {
            self.spill().with_context(|| {
                format!("keep the rejected rows of {} below {}", self.input, self.directory.display())
            })?;
        }
        Ok(())
    }

    /// Adds rows from two lists, each in order, in order of file and row.
    pub fn merge(
        &mut self,
        listed: impl Iterator<Item = Result<RejectedRow>>,
        others: impl Iterator<Item = RejectedRow>,
    ) -> Result<()> {
        let mut rows = RejectedRows::default();
        let mut others = others.peekable();
        for row in listed {
            let row = row?;
            while let Some(other) = others.next_if(|other| (other.file, other.row) < (row.file, row.row)) {
                rows.push_row(&other);
            }
            rows.push_row(&row);
            if rows.is_full() {
                self.append(&std::mem::take(&mut rows))?;
            }
        }
        for other in others {
            rows.push_row(&other);
            if rows.is_full() {
                self.append(&std::mem::take(&mut rows))?;
            }
        }
        self.append(&rows)
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut file = match self.spilled.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.directory)?,
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        self.spilled = Some(file);
        Ok(())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = Result<RejectedRow>> {
        let spilled =
            self.spilled.as_ref().map(|file| BufReader::with_capacity(MOST_BYTES, At { file, offset: 0 }));
        let from: Box<dyn Read> = match spilled {
            Some(spilled) => Box::new(spilled.chain(&self.memory[..])),
            None => Box::new(&self.memory[..]),
        };
        UnpackedRows { from }
    }
}

/// A file read from its beginning, whoever else reads it.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// Rows unpacked one by one.
struct UnpackedRows<R> {
    from: R,
}

impl<R: Read> UnpackedRows<R> {
    fn number<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn row(&mut self) -> Result<Option<RejectedRow>> {
        let mut file = [0; 4];
        if self.from.read(&mut file[..1])? == 0 {
            return Ok(None);
        }
        self.from.read_exact(&mut file[1..])?;
        let row = u64::from_le_bytes(self.number()?);
        let [reason] = self.number()?;
        let reason = *RejectReason::ALL.get(usize::from(reason)).context("no reason of ours")?;
        let length = u32::from_le_bytes(self.number()?);
        let account = if length == NULL {
            None
        } else {
            let mut text = vec![0; length as usize];
            self.from.read_exact(&mut text)?;
            Some(String::from_utf8(text)?)
        };
        Ok(Some(RejectedRow { file: u32::from_le_bytes(file), row, reason, account }))
    }
}

impl<R: Read> Iterator for UnpackedRows<R> {
    type Item = Result<RejectedRow>;

    fn next(&mut self) -> Option<Result<RejectedRow>> {
        self.row().context("read back rejected rows").transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_order_from_memory_and_from_the_file() {
        let directory = tempfile::tempdir().unwrap();
        for count in [0, 3, 200_000] {
            let mut log = RejectLog { directory: directory.path().to_path_buf(), ..RejectLog::default() };
            let row = |number: u64| RejectedRow {
                file: (number / 1000) as u32,
                row: number % 1000,
                reason: RejectReason::ALL[number as usize % RejectReason::ALL.len()],
                account: (!number.is_multiple_of(3)).then(|| "é".repeat(number as usize % 5)),
            };
            for first in (0..count).step_by(1000) {
                let mut rows = RejectedRows::default();
                (first..count.min(first + 1000)).for_each(|number| rows.push_row(&row(number)));
                log.append(&rows).unwrap();
            }
            assert_eq!(log.spilled.is_some(), count > 3);
            assert_eq!(log.counts.values().sum::<u64>(), count);
            assert!(log.rows().map(Result::unwrap).eq((0..count).map(row)));
        }
        assert_eq!(directory.path().read_dir().unwrap().count(), 0, "the file has no name");
    }
}

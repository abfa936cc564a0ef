//! Which files of a run make up a table: one, or parts in order of account; and what their names say.

use std::path::{Path, PathBuf};

use super::manifest::OutputEntry;
use crate::hash::is_key;

/// The tables of a run, by the names of their files without the extension.
pub const TABLES: [&str; 5] = ["adjustments", "decisions", "features", "rejects", "scores"];

/// What the directory begins with in which one attempt at a run in an object store has put its files; a key
/// ends it.
pub const ATTEMPT: &str = "attempt-";

const PARQUET: &str = ".parquet";

const PART: &str = "part-";

/// The name of a file of a run, relative to the run's directory: `scores.parquet`,
/// `scores/part-00000.parquet`, and either below `attempt-<key>/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputName<'n> {
    /// The directory of the attempt that has put it there; `None` outside of object stores.
    pub attempt: Option<&'n str>,
    /// What is left of the name.
    pub rest: &'n str,
    /// Which part of which table it is; `None` for a file that is no part.
    pub part: Option<PartName>,
}

/// Which part of a table a file is. Parts are in order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartName {
    /// One of [`TABLES`].
    pub table: &'static str,
    /// From 0.
    pub number: u32,
}

impl<'n> OutputName<'n> {
    /// Takes a name apart; `None` where it is no name of a file of a run, as one that leads out of the run's
    /// directory is not.
    pub fn parse(name: &'n str) -> Option<OutputName<'n>> {
        let attempt = attempt_of(name);
        let rest = attempt.map_or(name, |attempt| &name[attempt.len() + 1..]);
        let part = match rest.split_once('/') {
            Some((directory, file)) => {
                Some(PartName { table: table(directory)?, number: part_number(file)? })
            }
            None => None,
        };
        let is_plain = !rest.contains('\0') && !["", ".", ".."].contains(&rest);
        is_plain.then_some(OutputName { attempt, rest, part })
    }

    /// The table of which it is the file, or a part.
    pub fn table(&self) -> Option<&'static str> {
        self.part.map(|part| part.table).or_else(|| table_of(self.rest))
    }
}

/// The attempt below whose directory a file lies; `None` where it lies below none.
pub fn attempt_of(name: &str) -> Option<&str> {
    name.split_once('/').map(|(first, _)| first).filter(|first| is_attempt(first))
}

/// The name of a part of a table.
pub fn part_name(table: &str, number: usize) -> String {
    format!("{table}/{PART}{number:05}{PARQUET}")
}

/// The table that a file of this name holds, as `scores.parquet` does.
pub fn table_of(file: &str) -> Option<&'static str> {
    table(file.strip_suffix(PARQUET)?)
}

/// The files of a table among those of a run, in order: its only one, or its parts. None where the run does
/// not have the table.
pub fn table_files<'o>(outputs: &'o [OutputEntry], table: &str) -> Vec<&'o OutputEntry> {
    let named = outputs.iter().filter_map(|output| Some((OutputName::parse(&output.file)?, output)));
    let mut files: Vec<_> = named.filter(|(name, _)| name.table() == Some(table)).collect();
    files.sort_by_key(|(name, _)| name.part.map(|part| part.number));
    files.into_iter().map(|(_, output)| output).collect()
}

/// The directory of the run that a table's file lies in: that of `…/scores.parquet`,
/// `…/scores/part-00000.parquet` and either below `attempt-<key>/`.
pub fn run_of(file: &Path) -> PathBuf {
    let parent = |path: &Path| path.parent().unwrap_or(Path::new("")).to_path_buf();
    let mut directory = parent(file);
    if part_number(file_name(file)).is_some() && table(file_name(&directory)).is_some() {
        directory = parent(&directory);
    }
    if is_attempt(file_name(&directory)) { parent(&directory) } else { directory }
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// The table of this name.
fn table(name: &str) -> Option<&'static str> {
    TABLES.into_iter().find(|table| *table == name)
}

/// Whether a directory of this name is that of an attempt.
pub fn is_attempt(directory: &str) -> bool {
    directory.strip_prefix(ATTEMPT).is_some_and(is_key)
}

/// The number of a part, of five digits or, beyond 99,999, more.
fn part_number(file: &str) -> Option<u32> {
    let digits = file.strip_prefix(PART)?.strip_suffix(PARQUET)?;
    let number = digits.parse().ok()?;
    (digits == format!("{number:05}")).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(file: &str) -> OutputEntry {
        OutputEntry { file: file.to_string(), rows: None, bytes: 0, sha256: String::new() }
    }

    fn files<'o>(outputs: &'o [OutputEntry], table: &str) -> Vec<&'o str> {
        table_files(outputs, table).into_iter().map(|output| output.file.as_str()).collect()
    }

    #[test]
    fn a_table_is_one_file_or_parts_in_order_of_their_numbers() {
        let outputs = [
            "adjustments.csv",
            "decisions/part-100000.parquet",
            "decisions/part-99999.parquet",
            "decisions/part-00002.parquet",
            "job.toml",
            "rejects.parquet",
            "attempt-0123456789abcdef/scores/part-00001.parquet",
            "attempt-0123456789abcdef/scores/part-00000.parquet",
            "attempt-0123456789abcdef/features.parquet",
        ];
        let outputs = outputs.map(entry);
        let decisions =
            ["decisions/part-00002.parquet", "decisions/part-99999.parquet", "decisions/part-100000.parquet"];
        assert_eq!(files(&outputs, "decisions"), decisions);
        let scores = [
            "attempt-0123456789abcdef/scores/part-00000.parquet",
            "attempt-0123456789abcdef/scores/part-00001.parquet",
        ];
        assert_eq!(files(&outputs, "scores"), scores);
        assert_eq!(files(&outputs, "features"), ["attempt-0123456789abcdef/features.parquet"]);
        assert_eq!(files(&outputs, "rejects"), ["rejects.parquet"]);
        assert!(files(&outputs, "adjustments").is_empty());
    }

    #[test]
    fn names_that_lead_elsewhere_are_no_names_of_files_of_a_run() {
        let elsewhere = [
            "",
            ".",
            "..",
            "/etc/passwd",
            "../scores.parquet",
            "scores/../part-00000.parquet",
            "scores/part-0.parquet",
            "scores/part-000000.parquet",
            "scores/part-00000.csv",
            "notes/part-00000.parquet",
            "attempt-0123456789abcdef/",
            "attempt-0123456789abcdef/../x",
            "attempt-short/scores.parquet",
        ];
        for name in elsewhere {
            assert_eq!(OutputName::parse(name), None, "{name}");
        }
        assert_eq!(part_name("scores", 7), "scores/part-00007.parquet");
        let part = OutputName::parse("scores/part-00007.parquet").and_then(|name| name.part);
        assert_eq!(part, Some(PartName { table: "scores", number: 7 }));
    }

    #[test]
    fn a_file_of_a_table_says_where_its_run_lies() {
        let of = |file: &str| run_of(Path::new(file)).display().to_string();
        assert_eq!(of("out/date=2026-11-20/scores.parquet"), "out/date=2026-11-20");
        assert_eq!(of("out/date=2026-11-20/scores/part-00003.parquet"), "out/date=2026-11-20");
        let stored = "s3://lake/out/date=2026-11-20/attempt-0123456789abcdef";
        assert_eq!(of(&format!("{stored}/scores/part-00003.parquet")), "s3://lake/out/date=2026-11-20");
        assert_eq!(of(&format!("{stored}/scores.parquet")), "s3://lake/out/date=2026-11-20");
        assert_eq!(of("scores.parquet"), "");
    }
}

//! Where each input of a job lies, and how its columns are called there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use input_names::{LINES, REPAYMENTS, TRANSACTIONS};

/// The inputs by the names that messages, rejects and the manifest use.
pub mod input_names {
    /// The day's movements.
    pub const TRANSACTIONS: &str = "transactions";
    /// Bills and payments.
    pub const REPAYMENTS: &str = "repayments";
    /// The book of credit lines.
    pub const LINES: &str = "lines";
    /// Earlier adjustments.
    pub const ISSUED: &str = "issued";
    /// Earlier scores.
    pub const PREVIOUS: &str = "previous";
    /// Accounts and days whose features are asked for; no job file names it.
    pub const SPINE: &str = "spine";
    /// What happened to accounts; only a model file names it.
    pub const OUTCOMES: &str = "outcomes";
    /// A model's sample, as this program wrote it.
    pub const SAMPLE: &str = "sample";
}

/// Where each input lies.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Transactions.
    pub transactions: InputSpec,
    /// Repayments; a job may do without them.
    pub repayments: InputSpec,
    /// Lines.
    pub lines: InputSpec,
    /// Earlier adjustments, as this program wrote them.
    pub issued: Option<InputSpec>,
    /// The scores of earlier runs, as this program wrote them.
    pub previous: Option<InputSpec>,
}

impl Inputs {
    /// Transactions, repayments and lines, but for what the job does without.
    pub fn delivered(&self) -> impl Iterator<Item = &InputSpec> {
        [&self.transactions, &self.repayments, &self.lines].into_iter().filter(|spec| !spec.is_none())
    }
}

/// Where one input lies and how its columns are called there.
#[derive(Debug, Clone)]
pub struct InputSpec {
    /// One of [`input_names`].
    pub name: &'static str,
    /// Glob with the job file's directory in front and `{date}` where the delivery date stands; empty for an input
    /// that the job does without.
    pub pattern: String,
    /// The part of `pattern` before the first wildcard or `{date}`; names of files are relative to it.
    pub root: PathBuf,
    /// The file's name of a column, by contract name.
    pub rename: BTreeMap<String, String>,
    /// How rows sent twice are recognised.
    pub unique: Option<Unique>,
    /// Optional columns of the contract that the job does without.
    pub without: Vec<String>,
}

impl InputSpec {
    /// An input that the job does without: it has no deliveries and needs none.
    pub fn none(name: &'static str) -> InputSpec {
        InputSpec {
            name,
            pattern: String::new(),
            root: PathBuf::new(),
            rename: BTreeMap::new(),
            unique: None,
            without: Vec::new(),
        }
    }

    /// An input of which only the path is known.
    pub fn at(name: &'static str, pattern: String) -> InputSpec {
        InputSpec { root: root_of(&pattern), pattern, ..InputSpec::none(name) }
    }

    /// An input that is one file, whatever characters its name has.
    pub fn of_file(name: &'static str, path: &Path) -> InputSpec {
        let root = path.parent().unwrap_or(Path::new("")).to_path_buf();
        InputSpec { pattern: path.display().to_string(), root, ..InputSpec::none(name) }
    }

    /// Whether the job does without this input.
    pub fn is_none(&self) -> bool {
        self.pattern.is_empty()
    }

    /// What to do about a column that is not there.
    pub fn how_to_deliver(&self) -> String {
        if [TRANSACTIONS, REPAYMENTS, LINES].contains(&self.name) {
            format!("deliver it, or name it in [rename.{}]", self.name)
        } else {
            "deliver it".to_string()
        }
    }

    /// Whether deliveries are dated.
    pub fn is_dated(&self) -> bool {
        self.pattern.contains("{date}")
    }

    /// What the file calls a column of the contract.
    pub fn file_column<'a>(&'a self, column: &'a str) -> &'a str {
        self.rename.get(column).map_or(column, String::as_str)
    }
}

/// A row is a repeat of an earlier one with the same value in `column`.
#[derive(Debug, Clone)]
pub struct Unique {
    /// A contract or extra column.
    pub column: String,
    /// How many days before a row's delivery the earlier one may have been delivered.
    pub within_days: u32,
}

/// The part of a pattern before its first wildcard or `{date}`, read as it stands for itself, and the rest.
pub fn before_wildcard(pattern: &str) -> (String, &str) {
    // The escaped form of a literal wildcard is one character in brackets.
    let mut literal = String::new();
    let mut rest = pattern;
    while let Some(next) = rest.chars().next() {
        let escaped = rest.strip_prefix('[').and_then(|tail| {
            let inner = tail.chars().next()?;
            Some((inner, tail[inner.len_utf8()..].strip_prefix(']')?))
        });
        match (next, escaped) {
            ('[', Some((inner, tail))) => {
                literal.push(inner);
                rest = tail;
            }
            ('*' | '?' | '[', _) => break,
            ('{', _) if rest.starts_with("{date}") => break,
            _ => {
                literal.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    (literal, rest)
}

/// The directory before the first wildcard or `{date}`.
pub(super) fn root_of(pattern: &str) -> PathBuf {
    let (literal, _) = before_wildcard(pattern);
    let directory = literal.rfind('/').map_or("", |slash| &literal[..=slash]);
    PathBuf::from(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_relative_to_the_directory_before_the_first_wildcard() {
        let cases = [
            ("a/b/date={date}/*.parquet", "a/b/"),
            ("a/b/all-*.parquet", "a/b/"),
            ("a/b/one.parquet", "a/b/"),
            ("*.parquet", ""),
            ("a[*]b/c/{date}.parquet", "a*b/c/"),
            ("a[[]b[]]/c/{date}.parquet", "a[b]/c/"),
            ("cur{ly}/[{]date}/c/{date}.parquet", "cur{ly}/{date}/c/"),
        ];
        for (pattern, root) in cases {
            assert_eq!(root_of(pattern), PathBuf::from(root), "{pattern}");
        }
    }
}

//! A section of findings, which terminal and page share, and how its cells are written.

use crate::console::{money, thousands};

/// A heading, sentences and a table.
pub struct FindingsSection {
    /// Its heading; the first section has none.
    pub title: String,
    /// Sentences below it.
    pub sentences: Vec<String>,
    /// Names of the table's columns; empty where there is no table.
    pub header: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
}

impl FindingsSection {
    pub fn new(title: &str) -> FindingsSection {
        FindingsSection {
            title: title.to_string(),
            sentences: Vec::new(),
            header: Vec::new(),
            rows: Vec::new(),
        }
    }

    pub fn say(mut self, sentence: impl Into<String>) -> FindingsSection {
        self.sentences.push(sentence.into());
        self
    }

    pub fn table(self, header: &[&str], rows: Vec<Vec<String>>) -> FindingsSection {
        FindingsSection { header: header.iter().map(ToString::to_string).collect(), rows, ..self }
    }

    /// The first `limit` rows, and how many more there are.
    pub fn cut(mut self, limit: usize) -> FindingsSection {
        if let Some(more) = self.rows.len().checked_sub(limit).filter(|more| *more > 0) {
            self.rows.truncate(limit);
            self.sentences.push(format!("the first {limit}, and {more} more: see --limit and --json"));
        }
        self
    }
}

/// How much of the findings is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The verdict, causes and sums of money.
    Headlines,
    /// What somebody who has to judge the difference looks at first; rows of nothing are left out.
    Short,
    /// Everything.
    Full,
}

/// The verdict where nothing differs.
pub const SAME: &str = "no difference";
/// And where something does.
pub const DIFFERENT: &str = "they differ";

/// The longest bar.
pub const BAR: usize = 40;

/// A bar for `amount` where `most` has the longest; anything at all is seen.
pub fn bar(amount: u64, most: u64) -> String {
    "#".repeat((u128::from(amount) * BAR as u128).div_ceil(u128::from(most.max(1))) as usize)
}

/// The length of a cell that is a bar.
pub fn bar_length(cell: &str) -> Option<usize> {
    (!cell.is_empty() && cell.bytes().all(|byte| byte == b'#')).then_some(cell.len())
}

/// A number with its sign, but for 0.
pub fn signed(number: i128) -> String {
    if number > 0 { format!("+{}", thousands(number)) } else { thousands(number) }
}

/// An amount of money with its sign, but for 0.
pub fn signed_money(minor: i128, minor_units: u32) -> String {
    if minor > 0 { format!("+{}", money(minor, minor_units)) } else { money(minor, minor_units) }
}

/// A count with separators.
pub fn count(number: u64) -> String {
    thousands(number.into())
}

/// Whether the parts that were counted make up the whole.
pub fn sum_sentence(is_equal: bool, whole: String, whose: &str) -> String {
    if is_equal {
        format!("the parts add up to {whose} change, {whole}")
    } else {
        format!("THE PARTS DO NOT ADD UP to {whose} change, {whole}: a fault of the program")
    }
}

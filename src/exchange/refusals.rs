//! What of a file cannot be taken over: each thing by its name and its line and column, all of them at once.

use std::ops::Range;

use crate::job::{Diagnostics, Severity, Source};

/// Notes what is refused of one file.
pub struct Refusals<'a> {
    /// The file.
    pub source: &'a Source,
    /// Where refusals go.
    pub diagnostics: Diagnostics,
}

impl Refusals<'_> {
    /// Notes that something is refused: what it is called, and why.
    pub fn refuse(&mut self, (what, at): (&str, Range<usize>), why: impl AsRef<str>, help: Option<&str>) {
        let place = place(&self.source.text, at.start);
        let message = format!("`{what}` at {place}: {}", why.as_ref());
        self.diagnostics.error((self.source, at), message, help.map(str::to_string));
    }

    /// Whether anything is refused so far.
    pub fn any(&self) -> bool {
        self.diagnostics.count(Severity::Error) > 0
    }
}

/// A place in a text, as people count.
pub fn place(text: &str, at: usize) -> String {
    let before = &text[..at.min(text.len())];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    format!("line {line}, column {}", before[start..].chars().count() + 1)
}

//! Changes to a TOML file that leave all else as it is written: comments, blanks, the order of keys.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text and what is to be changed in it.
#[derive(Debug, Clone)]
pub struct TextEdits<'t> {
    text: &'t str,
    edits: Vec<(Range<usize>, String)>,
}

impl<'t> TextEdits<'t> {
    /// Nothing is changed yet.
    pub fn of(text: &'t str) -> TextEdits<'t> {
        TextEdits { text, edits: Vec::new() }
    }

    /// Puts another text in the place of a range. Ranges do not overlap.
    pub fn replace(&mut self, range: Range<usize>, with: impl Into<String>) {
        self.edits.push((range, with.into()));
    }

    /// Puts a comment on a line of its own above a place, unless something else stands before it on its line.
    pub fn comment_above(&mut self, place: usize, comment: &str) {
        let line = line_start(self.text, place);
        if self.text[line..place].trim().is_empty() {
            self.replace(line..line, format!("# {comment}\n"));
        }
    }

    /// The changed text.
    pub fn finish(mut self) -> String {
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let (mut changed, mut at) = (String::with_capacity(self.text.len()), 0);
        for (range, with) in self.edits {
            changed.push_str(&self.text[at..range.start.max(at)]);
            changed.push_str(&with);
            at = range.end.max(at);
        }
        changed.push_str(&self.text[at..]);
        changed
    }
}

/// Where the line of a place begins.
pub fn line_start(text: &str, place: usize) -> usize {
    text[..place].rfind('\n').map_or(0, |end| end + 1)
}

/// A table of a file.
pub type FileTable<'t> = Spanned<DeTable<'t>>;

/// The tables of a file; what cannot be read of it is left out.
pub fn tables(text: &str) -> FileTable<'_> {
    DeTable::parse_recoverable(text).0
}

/// A value's own tables: of `[[key]]` all, of `[key]` one.
pub fn tables_of<'a, 't>(table: &'a DeTable<'t>, key: &str) -> Vec<(Range<usize>, &'a DeTable<'t>)> {
    let Some(value) = table.get(key) else { return Vec::new() };
    match value.get_ref() {
        DeValue::Table(own) => vec![(value.span(), own)],
        DeValue::Array(items) => {
            let own = items.iter().filter_map(|item| Some((item.span(), item.get_ref().as_table()?)));
            own.collect()
        }
        _ => Vec::new(),
    }
}

/// A text value of a table and where it is written.
pub fn text_of<'a>(table: &'a DeTable, key: &str) -> Option<WrittenValue<'a>> {
    let value = table.get(key)?;
    Some(WrittenValue { text: value.get_ref().as_str()?, place: value.span() })
}

/// A text value.
#[derive(Debug, Clone)]
pub struct WrittenValue<'a> {
    /// What it is.
    pub text: &'a str,
    /// Where it is written, with its quotes.
    pub place: Range<usize>,
}

/// Where headers of tables stand, ascending.
pub fn headers(text: &str, table: &DeTable) -> Vec<usize> {
    let mut found = Vec::new();
    collect_headers(text, table, &mut found);
    found.sort_unstable();
    found.dedup();
    found
}

fn collect_headers(text: &str, table: &DeTable, found: &mut Vec<usize>) {
    for value in table.values() {
        let own = match value.get_ref() {
            DeValue::Table(own) => vec![(value.span(), own)],
            DeValue::Array(items) => {
                items.iter().filter_map(|item| Some((item.span(), item.get_ref().as_table()?))).collect()
            }
            _ => Vec::new(),
        };
        for (span, own) in own {
            if text[span.clone()].starts_with('[')
                && text[line_start(text, span.start)..span.start].trim().is_empty()
            {
                found.push(span.start);
            }
            collect_headers(text, own, found);
        }
    }
}

/// The lines of a table that begins with a header: with the comment right above it, up to the next header or its comment.
pub fn block(text: &str, headers: &[usize], header: usize) -> Range<usize> {
    let next = headers.iter().copied().find(|other| *other > header);
    with_comment(text, header)..next.map_or(text.len(), |next| with_comment(text, next))
}

/// Where the comment right above a line begins; the line itself where there is none.
fn with_comment(text: &str, header: usize) -> usize {
    let mut start = line_start(text, header);
    while start > 0 {
        let above = line_start(text, start - 1);
        if !text[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    start
}

/// Text as TOML writes it in quotes.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}

/// An integer as TOML writes it: with underscores where it has five digits or more.
pub fn integer(value: i64) -> String {
    const MOST_PLAIN: u64 = 10_000;
    const GROUP: usize = 3;
    let digits = value.unsigned_abs().to_string();
    if value.unsigned_abs() < MOST_PLAIN {
        return value.to_string();
    }
    let mut written = String::from(if value < 0 { "-" } else { "" });
    for (number, digit) in digits.chars().enumerate() {
        if number > 0 && (digits.len() - number).is_multiple_of(GROUP) {
            written.push('_');
        }
        written.push(digit);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_at_a_glance() {
        let written = [0, -5, 9_999, 10_000, -1_234_567, i64::MIN].map(integer);
        assert_eq!(written, ["0", "-5", "9999", "10_000", "-1_234_567", "-9_223_372_036_854_775_808"]);
    }

    #[test]
    fn a_block_has_its_comment_and_no_other() {
        let text = "# head\n\n[score]\nbase = 1\n# of a\n[[c]] # here\nx = \"\"\"\n[no]\n\"\"\"\n\n# of b\n# too\n[[c]]\nx = 2\n";
        let top = tables(text);
        let headers = headers(text, top.get_ref());
        let blocks: Vec<&str> = tables_of(top.get_ref(), "c")
            .iter()
            .map(|(span, _)| &text[block(text, &headers, span.start)])
            .collect();
        let first = "# of a\n[[c]] # here\nx = \"\"\"\n[no]\n\"\"\"\n\n";
        assert_eq!(blocks, [first, "# of b\n# too\n[[c]]\nx = 2\n"]);
    }

    #[test]
    fn edits_leave_the_rest() {
        let mut edits = TextEdits::of("a = 1 # one\nb = 2\n");
        edits.replace(16..17, "3");
        edits.replace(4..5, "10");
        edits.comment_above(12, "two");
        edits.comment_above(16, "never");
        assert_eq!(edits.finish(), "a = 10 # one\n# two\nb = 3\n");
    }
}

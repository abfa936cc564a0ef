//! What leaves for stdout and stderr: no control character of anybody's data, and no fault where nobody reads.

use std::borrow::Cow;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

/// Whether a terminal would act on a character instead of showing it: control characters, line and paragraph
/// separators, and those that turn the direction of writing.
fn is_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || c.is_control()
}

fn escaped(text: &str, is_kept: fn(char) -> bool, escape: fn(char) -> String) -> Cow<'_, str> {
    let is_escaped = |c: char| is_control(c) && !is_kept(c);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().map(|c| if is_escaped(c) { escape(c) } else { c.to_string() });
    Cow::Owned(shown.collect())
}

/// A name or value from data as part of a line: control characters, ends of lines among them, as escapes.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false, |c| c.escape_default().to_string())
}

/// Text laid out in lines; all other control characters as escapes.
fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n', |c| c.escape_default().to_string())
}

/// JSON, in which control characters stand within strings only.
fn visible_json(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n', |c| format!("\\u{:04x}", u32::from(c)))
}

/// Prints lines to stdout.
pub fn print(text: &str) {
    print_bytes(format!("{}\n", visible_lines(text)).as_bytes());
}

/// Prints JSON to stdout.
pub fn print_json(text: &str) {
    print_bytes(format!("{}\n", visible_json(text)).as_bytes());
}

/// Writes to stdout as it is. What was done is done, whether or not it can be printed: a reader that has gone
/// away is left alone, and any other trouble is warned of once.
pub fn print_bytes(bytes: &[u8]) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let mut stdout = std::io::stdout();
    if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush())
        && error.kind() != ErrorKind::BrokenPipe
        && !WARNED.swap(true, Ordering::Relaxed)
    {
        tracing::warn!("stdout cannot be written: {error}");
    }
}

/// Prints an error to stderr, in lines where it is laid out so.
pub fn print_error(error: &anyhow::Error) {
    let text = format!("{error:#}");
    let is_laid_out = error.downcast_ref::<Failure>().is_some_and(|failure| failure.is_laid_out);
    let shown = if is_laid_out { visible_lines(&text) } else { visible(&text) };
    print_to_stderr(&format!("error: {shown}\n"));
}

/// Writes to stderr; where that cannot be done nobody reads it.
fn print_to_stderr(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_shown_as_an_escape() {
        for (text, shown) in [
            ("plain, größer, 花呗", "plain, größer, 花呗"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
            ("\u{9b}1m\u{7f}", "\\u{9b}1m\\u{7f}"),
            ("\u{202e}txt\u{2066}", "\\u{202e}txt\\u{2066}"),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert_eq!(visible_lines("a\nb\u{8}"), "a\nb\\u{8}");
        assert_eq!(visible_json("{\n\"a\": \"\u{9b}\u{202e}\"}"), "{\n\"a\": \"\\u009b\\u202e\"}");
    }
}

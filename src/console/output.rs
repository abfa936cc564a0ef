//! What leaves for stdout and stderr: no control character of anybody's data, and no fault where nobody reads.

use std::borrow::Cow;
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::progress::above_progress;
use super::tone::{Tone, paint, plain, shown, stderr_has_colour, stdout_has_colour};
use crate::failure::{Failure, exit_code};

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

/// Prints lines to stdout, painted ones in colour where it has that.
pub fn print(text: &str) {
    print_bytes(format!("{}\n", shown(&visible_lines(text), stdout_has_colour())).as_bytes());
}

static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// From here on nothing is said of what was done.
pub fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Prints lines about what was done to stdout, unless it is to be done in quiet; an answer is printed.
pub fn say(text: &str) {
    if !IS_QUIET.load(Ordering::Relaxed) {
        print(text);
    }
}

/// Prints JSON to stdout that stands in lines, an object each.
pub fn print_json_lines(text: &str) {
    print_bytes(format!("{}\n", visible_json(text)).as_bytes());
}

/// Prints JSON to stdout, on one line: an end of line in it is between its parts, never in a string.
pub fn print_json(text: &str) {
    let line: String = text.lines().map(str::trim_start).collect();
    print_bytes(format!("{}\n", visible_json(&line)).as_bytes());
}

/// Writes to stdout as it is. What was done is done, whether or not it can be printed: a reader that has gone
/// away is left alone, and any other trouble is warned of once.
pub fn print_bytes(bytes: &[u8]) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let mut stdout = std::io::stdout();
    if let Err(error) = above_progress(|| stdout.write_all(bytes).and_then(|()| stdout.flush()))
        && error.kind() != ErrorKind::BrokenPipe
        && !WARNED.swap(true, Ordering::Relaxed)
    {
        tracing::warn!("stdout cannot be written: {error}");
    }
}

static ERRORS_ARE_JSON: AtomicBool = AtomicBool::new(false);

/// From here on errors are printed as JSON.
pub fn print_errors_as_json() {
    ERRORS_ARE_JSON.store(true, Ordering::Relaxed);
}

/// An error in JSON, on one line.
#[derive(Serialize)]
struct ErrorLine<'a> {
    error: ErrorFacts<'a>,
}

#[derive(Serialize)]
struct ErrorFacts<'a> {
    exit: u8,
    kind: &'a str,
    message: &'a str,
}

/// Prints an error to stderr: in lines where it is laid out so, or as an object of JSON on one line.
pub fn print_error(error: &anyhow::Error) {
    let text = format!("{error:#}");
    if ERRORS_ARE_JSON.load(Ordering::Relaxed) {
        let kind = error.downcast_ref::<Failure>().map_or("fault", |failure| failure.kind.name());
        return print_json_error(exit_code(error), kind, &plain(&text));
    }
    let is_laid_out = error.downcast_ref::<Failure>().is_some_and(|failure| failure.is_laid_out);
    let said = if is_laid_out { visible_lines(&text) } else { visible(&text) };
    print_to_stderr(&format!("{} {said}\n", paint(Tone::Failure, "error:")));
}

/// Prints to stderr what to do about an error.
pub fn print_beside_error(text: &str) {
    print_to_stderr(&format!("{}\n", visible_lines(text)));
}

/// Prints an error to stderr as JSON: `kind` is a [`Kind`](crate::failure::Kind) by its name, or a fault.
pub fn print_json_error(exit: u8, kind: &str, message: &str) {
    let line = serde_json::to_string(&ErrorLine { error: ErrorFacts { exit, kind, message } });
    print_to_stderr(&format!("{}\n", visible_json(&line.unwrap_or_default())));
}

/// Prints a record of the log to stderr.
pub fn print_record(line: &str) {
    print_to_stderr(line);
}

/// Writes to stderr; where that cannot be done nobody reads it.
fn print_to_stderr(text: &str) {
    let text = shown(text, stderr_has_colour());
    let _ = above_progress(|| std::io::stderr().write_all(text.as_bytes()));
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

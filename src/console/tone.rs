//! Tones: what a text is to its reader, shown in colour where a terminal has it.

use std::hash::{BuildHasher, RandomState};
use std::io::IsTerminal;
use std::sync::{LazyLock, OnceLock};

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;

/// What a text is to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something failed: red.
    Failure,
    /// Something wants to be looked at: yellow.
    Warning,
    /// Something is as it should be: green.
    Good,
    /// To be seen first: bold.
    Strong,
    /// Of less weight: dim.
    Faint,
}

impl Tone {
    /// All of them.
    pub const ALL: [Tone; 5] = [Tone::Failure, Tone::Warning, Tone::Good, Tone::Strong, Tone::Faint];

    fn style(self) -> Style {
        match self {
            Tone::Failure => AnsiColor::Red.on_default().bold(),
            Tone::Warning => AnsiColor::Yellow.on_default(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
        }
    }

    /// Begins the tone within a text that is to be printed.
    pub(super) fn begin(self) -> String {
        mark(self as usize)
    }
}

/// What ends a tone within a text that is to be printed.
pub(super) fn end() -> String {
    mark(Tone::ALL.len())
}

/// What stands in a text where a tone begins or ends, until it is printed. No data can hold it: it has a number in it
/// that is drawn anew by each process, and that no output keeps.
fn mark(number: usize) -> String {
    static DRAWN: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("tone"));
    format!("\u{fdd0}{:016x}{number}", *DRAWN)
}

/// A text in a tone. Colours come and go where it is printed, by whether that is a terminal; a cell of a table may be
/// painted as a whole. Lengths are to be measured before.
pub fn paint(tone: Tone, text: &str) -> String {
    format!("{}{text}{}", tone.begin(), end())
}

/// The tone of a text that is painted as a whole, and the text.
pub(super) fn painted(text: &str) -> (Option<Tone>, &str) {
    let found = Tone::ALL.into_iter().find_map(|tone| {
        let within = text.strip_prefix(&tone.begin())?.strip_suffix(&end())?;
        Some((Some(tone), within))
    });
    found.unwrap_or((None, text))
}

/// A text with the tones in it as colours, or without any.
pub(super) fn shown(text: &str, is_coloured: bool) -> String {
    let escape = |style: String| if is_coloured { style } else { String::new() };
    let begun = Tone::ALL.into_iter().fold(text.to_string(), |text, tone| {
        text.replace(&tone.begin(), &escape(tone.style().render().to_string()))
    });
    begun.replace(&end(), &escape(anstyle::Reset.render().to_string()))
}

/// A text without its tones.
pub fn plain(text: &str) -> String {
    shown(text, false)
}

static CHOICE: OnceLock<ColorChoice> = OnceLock::new();

/// Takes what the command line says about colour, once.
pub fn choose_colour(choice: ColorChoice) {
    // What was chosen first stands.
    let _ = CHOICE.set(choice);
}

/// Whether stdout has colour.
pub fn stdout_has_colour() -> bool {
    has_colour(std::io::stdout().is_terminal())
}

/// Whether stderr has colour.
pub fn stderr_has_colour() -> bool {
    has_colour(std::io::stderr().is_terminal())
}

fn has_colour(is_terminal: bool) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = || std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    let is_forced =
        || std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    match CHOICE.get().unwrap_or(&ColorChoice::Auto) {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => !is_set("NO_COLOR") && (is_forced() || is_terminal && !is_dumb()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_becomes_a_colour_or_nothing() {
        let text = format!("gate {} of 3", paint(Tone::Failure, "fails"));
        assert_eq!(shown(&text, false), "gate fails of 3");
        assert_eq!(shown(&text, true), "gate \u{1b}[1m\u{1b}[31mfails\u{1b}[0m of 3");
        assert_eq!(painted(&paint(Tone::Good, "yes")), (Some(Tone::Good), "yes"));
        assert_eq!(painted("yes"), (None, "yes"));
    }
}

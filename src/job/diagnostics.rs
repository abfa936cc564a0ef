//! What is wrong with the job files, or suspicious: messages with their place, shown underlined.

use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::source::Source;
use crate::console::visible;
use crate::failure::{self, Kind};

/// Whether a remark stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The job cannot run.
    Error,
    /// Suspicious, but well defined; `check` prints these.
    Warning,
}

/// All remarks so far, as they are shown.
#[derive(Debug, Default)]
pub struct Diagnostics {
    errors: ShownDiagnostics,
    warnings: ShownDiagnostics,
    /// Where a mistake says all there is to say: the file and the place.
    alone: Vec<(PathBuf, Range<usize>)>,
}

/// The remarks of a severity: the first ones, and how many there are.
#[derive(Debug, Default)]
struct ShownDiagnostics {
    first: Vec<String>,
    count: usize,
}

/// Nobody mends more at a time; what leads to them is looked for no further.
const MOST_SHOWN: usize = 20;

/// The length at which a message is cut.
const MOST_CHARACTERS: usize = 1_000;

impl Diagnostics {
    /// Notes a mistake at a byte range of a source.
    pub fn error(&mut self, at: (&Source, Range<usize>), message: impl Into<String>, help: Option<String>) {
        self.push(Severity::Error, at, message.into(), help);
    }

    /// Notes a mistake that makes others at the same place, which are left out.
    pub fn error_alone(
        &mut self,
        (source, range): (&Source, Range<usize>),
        message: &str,
        help: Option<String>,
    ) {
        self.error((source, range.clone()), message, help);
        if !self.is_full(Severity::Error) {
            self.alone.push((source.path.clone(), range));
        }
    }

    /// Notes something suspicious.
    pub fn warn(&mut self, at: (&Source, Range<usize>), message: impl Into<String>, help: Option<String>) {
        self.push(Severity::Warning, at, message.into(), help);
    }

    fn push(
        &mut self,
        severity: Severity,
        at: (&Source, Range<usize>),
        message: String,
        help: Option<String>,
    ) {
        let (source, range) = &at;
        if self.alone.iter().any(|(path, place)| *path == source.path && place == range) {
            return;
        }
        let shown = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        shown.count += 1;
        if shown.first.len() < MOST_SHOWN {
            shown.first.push(show(severity, at, &message, help.as_deref()));
        }
    }

    fn of(&self, severity: Severity) -> &ShownDiagnostics {
        match severity {
            Severity::Error => &self.errors,
            Severity::Warning => &self.warnings,
        }
    }

    /// The remarks of a severity as they are shown, as many as are.
    pub fn shown(&self, severity: Severity) -> &[String] {
        &self.of(severity).first
    }

    /// How many remarks of a severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        self.of(severity).count
    }

    /// Whether further remarks of a severity are only counted.
    pub fn is_full(&self, severity: Severity) -> bool {
        self.of(severity).first.len() == MOST_SHOWN
    }

    /// Fails if there is a mistake, with all of them.
    pub fn check(&self) -> anyhow::Result<()> {
        match self.count(Severity::Error) {
            0 => Ok(()),
            // Whoever prints a failure says that it is an error; the first remark need not.
            _ => {
                let rendered = self.render(Severity::Error);
                Err(failure::laid_out(Kind::Usage, rendered.trim_start_matches("error: ")))
            }
        }
    }

    /// The remarks of a severity, each with its line underlined.
    pub fn render(&self, severity: Severity) -> String {
        let ShownDiagnostics { first, count } = self.of(severity);
        let mut rendered = first.join("\n\n");
        if let Some(more) = count.checked_sub(first.len()).filter(|more| *more > 0) {
            rendered.push_str(&format!("\n\nand {more} more"));
        }
        rendered
    }
}

fn show(
    severity: Severity,
    (source, range): (&Source, Range<usize>),
    message: &str,
    help: Option<&str>,
) -> String {
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let path = source.path.to_string_lossy();
    let annotation = AnnotationKind::Primary.span(range);
    let snippet = Snippet::source(&source.text).path(visible(&path)).annotation(annotation);
    let (message, help) = (one_line(message), help.map(one_line));
    let group = level.primary_title(&message).element(snippet);
    let group = match &help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    };
    Renderer::plain().render(&[group])
}

/// A message of bearable length on one line: names in it may be any text.
fn one_line(message: &str) -> String {
    let shown = visible(message);
    match shown.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown.into_owned(),
    }
}

//! A job file's text, and what is wrong with it: mistakes with their place, shown underlined.

use std::fs::{self, File};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::console::visible;
use crate::expr::{Expr, Scope, Type};
use crate::failure::{self, Kind};
use crate::suggest::{listing, near_miss};

/// A job file as read.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the operator would name it.
    pub path: PathBuf,
    /// Its bytes, unchanged.
    pub text: String,
}

/// Larger than any job file that a person keeps.
const MOST_BYTES: u64 = 1 << 20;

impl Source {
    /// Reads a job file: a regular one, of UTF-8, not without end.
    pub fn read(path: &Path) -> anyhow::Result<Source> {
        let failed =
            |why: String| failure::failure(Kind::Usage, format!("read job file {}: {why}", path.display()));
        // Looked at before it is opened: opening a FIFO waits for whoever writes to it.
        let metadata = fs::metadata(path).map_err(|error| failed(error.to_string()))?;
        if !metadata.is_file() {
            return Err(failed("it is no regular file".to_string()));
        }
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
        read.map_err(|error| failed(error.to_string()))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(failed(format!("it has more than {MOST_BYTES} bytes; is it a job file?")));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            failed(format!("line {line}, byte {at}: 0x{:02X} is not UTF-8; save it as UTF-8", bytes[at]))
        })?;
        Ok(Source { path: path.to_path_buf(), text })
    }
}

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
pub struct Remarks {
    errors: Shown,
    warnings: Shown,
}

/// The remarks of a severity: the first ones, and how many there are.
#[derive(Debug, Default)]
struct Shown {
    first: Vec<String>,
    count: usize,
}

/// Nobody mends more at a time; what leads to them is looked for no further.
const MOST_SHOWN: usize = 20;

/// The length at which a message is cut.
const MOST_CHARACTERS: usize = 1_000;

impl Remarks {
    /// Notes a mistake at a byte range of a source.
    pub fn error(&mut self, at: (&Source, Range<usize>), message: impl Into<String>, help: Option<String>) {
        self.push(Severity::Error, at, message.into(), help);
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
        let shown = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        shown.count += 1;
        if shown.first.len() < MOST_SHOWN {
            shown.first.push(show(severity, at, &message, help.as_deref()));
        }
    }

    fn of(&self, severity: Severity) -> &Shown {
        match severity {
            Severity::Error => &self.errors,
            Severity::Warning => &self.warnings,
        }
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
        let Shown { first, count } = self.of(severity);
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

/// One job file on its way from TOML to types; every mistake is collected, none stops the reading.
pub struct Reader<'a> {
    /// The file being read.
    pub source: &'a Source,
    /// Where mistakes go.
    pub remarks: &'a mut Remarks,
}

impl<'a> Reader<'a> {
    /// The top-level table; broken syntax leaves out what cannot be read.
    pub fn top(&mut self) -> Spanned<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(&self.source.text);
        for error in errors {
            let range = error.span().unwrap_or(0..0);
            self.error(range, error.message().to_string(), None);
        }
        table
    }

    /// Takes a key's tables out of a table: `[[key]]` one by one, at most so many.
    pub fn tables(
        &mut self,
        top: &mut Spanned<DeTable<'a>>,
        key: &str,
        most: usize,
    ) -> Vec<Spanned<DeValue<'a>>> {
        let Some(value) = top.get_mut().remove(key) else { return Vec::new() };
        let range = value.span();
        match value.into_inner() {
            DeValue::Array(items) => {
                if let Some(more) = items.get(most) {
                    let message = format!("there are {} [[{key}]]; at most {most} are taken", items.len());
                    self.error(more.span(), message, None);
                }
                items.into_iter().take(most).collect()
            }
            other => {
                let found = other.type_str();
                self.error(range, format!("`{key}` is {found}; it is written [[{key}]]"), None);
                Vec::new()
            }
        }
    }

    /// Deserialises one table. Unknown keys are all reported, then left out.
    pub fn take<T: DeserializeOwned>(&mut self, mut value: Spanned<DeValue>) -> Option<Spanned<T>> {
        const MOST_UNKNOWN: usize = 20;
        let span = value.span();
        for _ in 0..MOST_UNKNOWN {
            let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
                Ok(taken) => return Some(Spanned::new(span, taken)),
                Err(error) => error,
            };
            let range = error.span().unwrap_or(span.clone());
            let Some((unknown, known)) = unknown_field(error.message()) else {
                self.error(range, in_plain_words(error.message()), None);
                return None;
            };
            let help = match near_miss(unknown, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            self.error(range, format!("unknown key `{unknown}`"), Some(help));
            let removed = match value.get_mut() {
                DeValue::Table(table) => table.remove(unknown).is_some(),
                _ => false,
            };
            if !removed {
                return None;
            }
        }
        None
    }

    /// Takes an optional sub-table out of a table.
    pub fn take_key<T: DeserializeOwned>(
        &mut self,
        top: &mut Spanned<DeTable<'a>>,
        key: &str,
    ) -> Option<Spanned<T>> {
        let value = top.get_mut().remove(key)?;
        self.take(value)
    }

    /// Parses an expression written in this file; mistakes point into its text.
    pub fn expression(&mut self, text: &Spanned<String>, wanted: Type, scope: &Scope) -> Option<Expr> {
        match Expr::parse(text.get_ref(), wanted, scope) {
            Ok(expr) => Some(expr),
            Err(errors) => {
                for error in errors {
                    let range = self.place_of(text, error.range);
                    self.error(range, error.message, error.help);
                }
                None
            }
        }
    }

    /// Where a part of a string value stands in the file; the whole value where it has escapes.
    fn place_of(&self, text: &Spanned<String>, part: Range<usize>) -> Range<usize> {
        let value = text.get_ref();
        let span = text.span();
        let written = &self.source.text[span.clone()];
        match written.find(value.as_str()) {
            Some(quote) if !part.is_empty() => {
                let start = span.start + quote;
                start + part.start..start + part.end
            }
            _ => span,
        }
    }

    /// Notes a mistake in this file.
    pub fn error(&mut self, range: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.remarks.error((self.source, range), message, help);
    }

    /// Notes a name that is not among those declared.
    pub fn unknown_name<'n>(
        &mut self,
        what: &str,
        name: &Spanned<String>,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        if self.remarks.is_full(Severity::Error) {
            return self.error(0..0, "", None);
        }
        let help = match near_miss(name.get_ref(), known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("declared: {}", listing(known)),
        };
        self.error(name.span(), format!("there is no {what} `{}`", name.get_ref()), Some(help));
    }
}

/// Serde's message without the names of Rust's types.
fn in_plain_words(message: &str) -> String {
    let types = ["expected i64", "expected i32", "expected u32", "expected usize"];
    types.iter().fold(message.to_string(), |message, found| match message.strip_suffix(found) {
        Some(head) if found.contains('u') => format!("{head}expected an integer, 0 or more"),
        Some(head) => format!("{head}expected an integer"),
        None => message,
    })
}

/// Takes serde's "unknown field `x`, expected one of `a`, `b`" apart.
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    Some((quoted.next()?, quoted.collect()))
}

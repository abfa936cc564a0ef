//! A job file's text, and what is wrong with it: mistakes with their place, shown underlined.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::expr::{Expr, Scope, Type};
use crate::failure::{self, Kind};

/// A job file as read.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the operator would name it.
    pub path: PathBuf,
    /// Its bytes, unchanged.
    pub text: String,
}

impl Source {
    /// Reads a job file.
    pub fn read(path: &Path) -> anyhow::Result<Source> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            failure::failure(Kind::Usage, format!("read job file {}: {error}", path.display()))
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

/// One remark about a place in a job file.
#[derive(Debug, Clone)]
struct Remark {
    severity: Severity,
    path: PathBuf,
    text: String,
    range: Range<usize>,
    message: String,
    help: Option<String>,
}

/// All remarks so far.
#[derive(Debug, Default)]
pub struct Remarks {
    remarks: Vec<Remark>,
}

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
        (source, range): (&Source, Range<usize>),
        message: String,
        help: Option<String>,
    ) {
        let (path, text) = (source.path.clone(), source.text.clone());
        self.remarks.push(Remark { severity, path, text, range, message, help });
    }

    /// How many remarks of a severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        self.remarks.iter().filter(|remark| remark.severity == severity).count()
    }

    /// Fails if there is a mistake, with all of them.
    pub fn check(&self) -> anyhow::Result<()> {
        match self.count(Severity::Error) {
            0 => Ok(()),
            // Whoever prints a failure says that it is an error; the first remark need not.
            _ => {
                let rendered = self.render(Severity::Error);
                Err(failure::failure(Kind::Usage, rendered.trim_start_matches("error: ")))
            }
        }
    }

    /// The remarks of a severity, each with its line underlined.
    pub fn render(&self, severity: Severity) -> String {
        let renderer = Renderer::plain();
        let chosen = self.remarks.iter().filter(|remark| remark.severity == severity);
        let rendered = chosen.map(|remark| renderer.render(&[remark.report()]).to_string());
        rendered.collect::<Vec<_>>().join("\n\n")
    }
}

impl Remark {
    fn report(&self) -> Group<'_> {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let annotation = AnnotationKind::Primary.span(self.range.clone());
        let snippet =
            Snippet::source(&self.text).path(self.path.to_string_lossy().into_owned()).annotation(annotation);
        let group = level.primary_title(&self.message).element(snippet);
        match &self.help {
            Some(help) => group.element(Level::HELP.message(help)),
            None => group,
        }
    }
}

/// The candidate within a typo's distance of `name`, or else the first that has it as a part.
pub fn near_miss<'a>(name: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    const LEAST_PART: usize = 4;
    let limit = 1 + name.chars().count() / 4;
    let typo = candidates
        .clone()
        .map(|candidate| {
            (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate);
    typo.or_else(|| {
        candidates.into_iter().find(|candidate| name.len() >= LEAST_PART && candidate.contains(name))
    })
}

/// Names for a help line, cut short where there are many.
pub fn listing<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const MOST_NAMES: usize = 16;
    let names: Vec<&str> = names.collect();
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MOST_NAMES].join(", ")),
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

    /// Takes a key's tables out of a table: `[[key]]` one by one.
    pub fn tables(&mut self, top: &mut Spanned<DeTable<'a>>, key: &str) -> Vec<Spanned<DeValue<'a>>> {
        let Some(value) = top.get_mut().remove(key) else { return Vec::new() };
        let range = value.span();
        match value.into_inner() {
            DeValue::Array(items) => items.into_iter().collect(),
            other => {
                let found = other.type_str();
                self.error(range, format!("`{key}` is {found}; it is written [[{key}]]"), None);
                Vec::new()
            }
        }
    }

    /// Deserialises one table. Unknown keys are all reported, then left out.
    pub fn take<T: DeserializeOwned>(&mut self, mut value: Spanned<DeValue>) -> Option<Spanned<T>> {
        let span = value.span();
        loop {
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

//! A job file on its way from TOML to types: tables, keys, names and expressions, with every mistake noted.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::diagnostics::{Diagnostics, Severity};
use super::source::Source;
use crate::expr::{Expr, Scope, Type};
use crate::suggest::{listing, near_miss};

/// One job file on its way from TOML to types; every mistake is collected, none stops the reading.
pub struct Reader<'a> {
    /// The file being read.
    pub source: &'a Source,
    /// Where mistakes go.
    pub diagnostics: &'a mut Diagnostics,
}

impl<'a> Reader<'a> {
    /// The top-level table; broken syntax leaves out what cannot be read.
    pub fn top(&mut self) -> Spanned<DeTable<'a>> {
        let (table, errors) = DeTable::parse_recoverable(&self.source.text);
        for error in errors {
            let range = error.span().unwrap_or(0..0);
            let text = self.source.text.as_str();
            let written = text.get(range.clone()).unwrap_or_default().trim();
            if is_unquoted_text(written) && is_value(text.get(..range.start).unwrap_or_default()) {
                let help = format!("quote text: \"{written}\"");
                self.diagnostics.error_alone((self.source, range), "this is text without quotes", Some(help));
            } else {
                self.error(range, error.message().to_string(), None);
            }
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
        self.diagnostics.error((self.source, range), message, help);
    }

    /// Notes a name that is not among those declared.
    pub fn unknown_name<'n>(
        &mut self,
        what: &str,
        name: &Spanned<String>,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        if self.diagnostics.is_full(Severity::Error) {
            return self.error(0..0, "", None);
        }
        let help = match near_miss(name.get_ref(), known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("declared: {}", listing(known)),
        };
        self.error(name.span(), format!("there is no {what} `{}`", name.get_ref()), Some(help));
    }
}

/// Whether a value is what comes next after a text: behind its key's sign, or in a list on the same line. What stands
/// before is short.
fn is_value(before: &str) -> bool {
    const MOST_CHARACTERS: usize = 200;
    let line = || before.chars().rev().take(MOST_CHARACTERS).take_while(|c| *c != '\n');
    match line().find(|c| !c.is_whitespace()) {
        Some('=') => true,
        Some('[' | ',') => line().any(|c| c == '='),
        _ => false,
    }
}

/// Whether what stands in the place of a value is a word that somebody forgot to quote.
fn is_unquoted_text(written: &str) -> bool {
    let is_truth = ["true", "false"].iter().any(|truth| written.eq_ignore_ascii_case(truth));
    written.starts_with(char::is_alphabetic)
        && written.chars().all(|c| c.is_alphanumeric() || "_- .".contains(c))
        && !is_truth
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

//! What a job file says of its inputs: where they lie, how their columns are called there, what tells repeats.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::columns::{LINE_COLUMNS, OPTIONAL_LINE_COLUMNS, REPAYMENT_COLUMNS, TRANSACTION_COLUMNS};
use super::inputs::input_names::{ISSUED, LINES, PREVIOUS, REPAYMENTS, TRANSACTIONS};
use super::inputs::{InputSpec, Inputs, Unique};
use super::pattern::pattern;
use super::reader::Reader;
use super::written_path::Variables;
use crate::expr::Type;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInput {
    transactions: Spanned<String>,
    repayments: Option<Spanned<String>>,
    lines: Spanned<String>,
    issued: Option<Spanned<String>>,
    previous: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUnique {
    column: Spanned<String>,
    within_days: Spanned<u32>,
}

/// A table of `[rename.…]` or `[unique.…]` by input; other inputs are unknown keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByInput {
    #[serde(rename = "transactions")]
    _transactions: Option<IgnoredAny>,
    #[serde(rename = "repayments")]
    _repayments: Option<IgnoredAny>,
    #[serde(rename = "lines")]
    _lines: Option<IgnoredAny>,
}

/// The path of an input that a job does without.
const NONE: &str = "none";

type Renames = BTreeMap<String, Spanned<String>>;

/// What the job says of its inputs.
pub(super) struct DeclaredInputs {
    input: RawInput,
    /// Where `[input]` is written.
    span: Range<usize>,
    renames: BTreeMap<&'static str, Spanned<Renames>>,
    uniques: BTreeMap<&'static str, Spanned<RawUnique>>,
}

/// Where the paths of inputs begin.
#[derive(Clone, Copy)]
pub(super) struct PathBase<'v> {
    /// What stands for `${NAME}`.
    pub variables: Variables<'v>,
    /// The job file's directory.
    pub directory: &'v Path,
}

impl DeclaredInputs {
    /// Takes `[input]`, `[rename.…]` and `[unique.…]` out of the job; `None` where there is no `[input]` to be read.
    pub(super) fn take<'a>(
        reader: &mut Reader<'a>,
        top: &mut Spanned<DeTable<'a>>,
    ) -> Option<DeclaredInputs> {
        let input = required_table::<RawInput>(reader, top, "input");
        check_flat_rename(reader, top);
        let renames = by_input::<Renames>(reader, top, "rename");
        let uniques = by_input::<RawUnique>(reader, top, "unique");
        for (name, rename) in &renames {
            check_direction(reader, name, rename.get_ref());
        }
        let input = input?;
        let span = input.span();
        Some(DeclaredInputs { input: input.into_inner(), span, renames, uniques })
    }

    /// By input, the column that `unique` names.
    pub(super) fn unique_columns(&self) -> Vec<(&'static str, Spanned<String>)> {
        let uniques = self.uniques.iter();
        uniques.map(|(input, unique)| (*input, unique.get_ref().column.clone())).collect()
    }

    /// Where each input lies; `without` are the optional columns of lines that the job does without.
    pub(super) fn resolve(
        &self,
        reader: &mut Reader,
        base: PathBase,
        without: Vec<String>,
    ) -> Option<Inputs> {
        let RawInput { transactions, repayments, lines, issued, previous } = &self.input;
        for (name, path) in [(TRANSACTIONS, transactions), (LINES, lines)] {
            if path.get_ref() == NONE {
                let message = format!("there is no run without {name}; only `repayments` may be \"none\"");
                reader.error(path.span(), message, None);
            }
        }
        let transactions = self.spec(reader, base, TRANSACTIONS, transactions);
        let repayments = self.repayments(reader, base, repayments.as_ref());
        let lines = self.spec(reader, base, LINES, lines);
        let issued = self.spec_of_runs(reader, base, ISSUED, issued.as_ref());
        let previous = self.spec_of_runs(reader, base, PREVIOUS, previous.as_ref());
        Some(Inputs {
            transactions: transactions?,
            repayments: repayments?,
            lines: InputSpec { without, ..lines? },
            issued,
            previous,
        })
    }

    /// Repayments, without which a job may do if it says so.
    fn repayments(
        &self,
        reader: &mut Reader,
        base: PathBase,
        path: Option<&Spanned<String>>,
    ) -> Option<InputSpec> {
        let Some(path) = path else {
            let help = "write where they lie, or repayments = \"none\" where there are none: no feature is of bills then";
            reader.error(self.span.clone(), "[input] does not say where repayments lie", Some(help.into()));
            return None;
        };
        if path.get_ref() != NONE {
            return self.spec(reader, base, REPAYMENTS, path);
        }
        let rename = self.renames.get(REPAYMENTS).map(|rename| ("rename", rename.span()));
        let unique = self.uniques.get(REPAYMENTS).map(|unique| ("unique", unique.span()));
        for (key, span) in rename.into_iter().chain(unique) {
            let message =
                format!("there is [{key}.{REPAYMENTS}], and [input] says that there are no repayments");
            reader.error(span, message, Some("take one of the two out".into()));
        }
        Some(InputSpec::none(REPAYMENTS))
    }

    /// An input whose path is given, with what is said of it.
    fn spec(
        &self,
        reader: &mut Reader,
        base: PathBase,
        name: &'static str,
        path: &Spanned<String>,
    ) -> Option<InputSpec> {
        if path.get_ref().is_empty() {
            reader.error(path.span(), format!("the path of `{name}` is empty"), None);
            return None;
        }
        let pattern = pattern(reader, base.variables, base.directory, path)?;
        let unique = self.uniques.get(name).map(|unique| Unique {
            column: unique.get_ref().column.get_ref().clone(),
            within_days: *unique.get_ref().within_days.get_ref(),
        });
        let renames = self.renames.get(name).into_iter().flat_map(|rename| rename.get_ref());
        let rename = renames.map(|(column, found)| (column.clone(), found.get_ref().clone())).collect();
        Some(InputSpec { rename, unique, ..InputSpec::at(name, pattern) })
    }

    /// Files of earlier runs, each with its as-of date in its path.
    fn spec_of_runs(
        &self,
        reader: &mut Reader,
        base: PathBase,
        name: &'static str,
        path: Option<&Spanned<String>>,
    ) -> Option<InputSpec> {
        let path = path?;
        if !path.get_ref().contains("{date}") {
            let message =
                format!("the path of `{name}` needs {{date}}: it is the as-of date of an earlier run");
            reader.error(path.span(), message, None);
        }
        self.spec(reader, base, name, path)
    }
}

/// A table that every job has.
pub(super) fn required_table<'a, T: serde::de::DeserializeOwned>(
    reader: &mut Reader<'a>,
    top: &mut Spanned<DeTable<'a>>,
    key: &str,
) -> Option<Spanned<T>> {
    if !top.get_ref().contains_key(key) {
        reader.error(0..0, format!("the job has no [{key}]"), None);
    }
    reader.take_key(top, key)
}

/// The columns that the contract names of an input.
fn contract_columns(input: &str) -> Vec<&'static str> {
    let names = |columns: &'static [(&'static str, Type)]| columns.iter().map(|(name, _)| *name).collect();
    match input {
        TRANSACTIONS => names(&TRANSACTION_COLUMNS),
        REPAYMENTS => names(&REPAYMENT_COLUMNS),
        _ => names(&LINE_COLUMNS),
    }
}

/// Notes names that are given to columns of the contract: they are written the other way round.
fn check_direction(reader: &mut Reader, input: &str, rename: &Renames) {
    let columns = contract_columns(input);
    for (left, right) in rename {
        let is_reversed = columns.contains(&right.get_ref().as_str())
            && !columns.contains(&left.as_str())
            && !rename.contains_key(right.get_ref());
        if is_reversed {
            let message = format!(
                "[rename.{input}] is the other way round: left stands the column's name here, right the file's"
            );
            reader.error(right.span(), message, Some(format!("write {}", renaming(right.get_ref(), left))));
        }
    }
}

/// Notes columns that are renamed without a word of which input they are, and takes them out.
fn check_flat_rename<'a>(reader: &mut Reader<'a>, top: &mut Spanned<DeTable<'a>>) {
    let Some(DeValue::Table(rename)) = top.get_mut().get_mut("rename").map(Spanned::get_mut) else { return };
    let is_flat = |value: &Spanned<DeValue>| value.get_ref().as_str().is_some();
    let flat = rename.iter().filter(|(_, value)| is_flat(value));
    let flat: Vec<_> = flat.map(|(name, value)| (name.clone(), value.clone())).collect();
    let inputs = [TRANSACTIONS, REPAYMENTS, LINES];
    let mut mistakes = Vec::new();
    for (name, right) in &flat {
        let (left, right_text): (&str, &str) = (name.get_ref(), right.get_ref().as_str().unwrap_or_default());
        let having = |name: &str| inputs.into_iter().find(|input| contract_columns(input).contains(&name));
        let (input, line) = match (having(left), having(right_text)) {
            (None, Some(input)) => (input, renaming(right_text, left)),
            (found, _) => (found.unwrap_or(TRANSACTIONS), renaming(left, right_text)),
        };
        mistakes.push((
            right.span(),
            format!("write below [rename.{input}], or the input that it is of: {line}"),
        ));
    }
    for (name, _) in &flat {
        rename.remove(name);
    }
    for (span, help) in mistakes {
        reader.error(span, "[rename] does not say of which input the column is", Some(help));
    }
}

/// A line of `[rename.…]`, a name quoted where it must be.
fn renaming(column: &str, found: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let quoted = |text: &str| toml::Value::String(text.to_string()).to_string();
    let key =
        if !column.is_empty() && column.chars().all(is_bare) { column.to_string() } else { quoted(column) };
    format!("{key} = {}", quoted(found))
}

/// `[key.transactions]`, `[key.repayments]`, `[key.lines]`, each read on its own.
fn by_input<'a, T: serde::de::DeserializeOwned>(
    reader: &mut Reader<'a>,
    top: &mut Spanned<DeTable<'a>>,
    key: &str,
) -> BTreeMap<&'static str, Spanned<T>> {
    let Some(mut value) = top.get_mut().remove(key) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    if let DeValue::Table(table) = value.get_mut() {
        for name in [TRANSACTIONS, REPAYMENTS, LINES] {
            if let Some(taken) = table.remove(name).and_then(|value| reader.take(value)) {
                found.insert(name, taken);
            }
        }
    }
    reader.take::<ByInput>(value);
    found
}

/// The columns of lines that `without` names, as in `lines.increased_on`.
pub(super) fn without(reader: &mut Reader, names: &[Spanned<String>]) -> Vec<String> {
    let known = OPTIONAL_LINE_COLUMNS.map(|column| format!("{LINES}.{column}"));
    for name in names.iter().filter(|name| !known.contains(name.get_ref())) {
        reader.unknown_name("optional column", name, known.iter().map(String::as_str));
    }
    let columns = OPTIONAL_LINE_COLUMNS.iter().zip(&known);
    let named = columns.filter(|(_, known)| names.iter().any(|name| name.get_ref() == *known));
    named.map(|(column, _)| (*column).to_string()).collect()
}

//! The job file: where the inputs are, where the output goes, what gates must hold.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::columns::{LINE_STATE, OPTIONAL_LINE_COLUMNS};
use super::diagnostics::Diagnostics;
use super::gate::RawGate;
use super::inputs::input_names::{ISSUED, LINES, PREVIOUS, REPAYMENTS, TRANSACTIONS};
use super::inputs::{InputSpec, Inputs, Unique, before_wildcard};
use super::mistaken_file::note_other_file;
use super::operations;
use super::reader::Reader;
use super::resolved_job::Csv;
use super::scopes::Scopes;
use super::source::Source;
use super::written_path::{Variables, check_url, directory, expand};
use crate::expr::Scope;
use crate::own::Access;
use crate::places;
use crate::store::is_url;
use crate::suggest::near_miss;
use crate::zone;

/// The job file with names and paths resolved, but not yet bound to the inputs' columns.
pub(super) struct ResolvedJobFile {
    pub name: String,
    pub scorecard: Spanned<String>,
    pub policy: Spanned<String>,
    pub minor_units: u32,
    pub timezone: Option<TimeZone>,
    pub lines_max_age_days: u32,
    pub mixed_money: bool,
    pub inputs: Inputs,
    pub output_dir: PathBuf,
    pub csv: Option<Csv>,
    pub report: bool,
    pub currency: Option<String>,
    pub state_dir: Option<PathBuf>,
    pub access: Access,
    pub gates: Vec<Spanned<RawGate>>,
    /// By input, the column that `unique` names.
    unique_columns: Vec<(&'static str, Spanned<String>)>,
    /// Where `[output] dir` and `[state] dir` are written.
    pub output_span: Range<usize>,
    pub state_span: Range<usize>,
}

/// The keys outside tables; the tables, taken out before, are named for "did you mean".
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "the names of tables are there to be told")]
struct RawHead {
    name: Spanned<String>,
    scorecard: Spanned<String>,
    policy: Spanned<String>,
    minor_units: Spanned<u32>,
    timezone: Option<Spanned<String>>,
    lines_max_age_days: Spanned<u32>,
    #[serde(default)]
    mixed_money: bool,
    #[serde(default)]
    without: Vec<Spanned<String>>,
    input: Option<IgnoredAny>,
    rename: Option<IgnoredAny>,
    unique: Option<IgnoredAny>,
    output: Option<IgnoredAny>,
    state: Option<IgnoredAny>,
    gate: Option<IgnoredAny>,
    metrics: Option<IgnoredAny>,
    lineage: Option<IgnoredAny>,
    notify: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInput {
    transactions: Spanned<String>,
    repayments: Spanned<String>,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutput {
    dir: Spanned<String>,
    csv: Option<Spanned<RawCsv>>,
    #[serde(default)]
    report: bool,
    mode: Option<Spanned<String>>,
    currency: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected true, false or \"spreadsheet\"")]
enum RawCsv {
    Plain(bool),
    For(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawState {
    dir: Spanned<String>,
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

/// More than anybody looks at.
const MOST_GATES: usize = 1_000;

/// More decimal places than any currency has, and the most that keeps one unit within 64 bits.
const MOST_MINOR_UNITS: u32 = 18;

pub(super) fn read(
    source: &Source,
    variables: Variables,
    diagnostics: &mut Diagnostics,
) -> Option<ResolvedJobFile> {
    let mut reader = Reader { source, diagnostics };
    let mut top = reader.top();
    if note_other_file(&mut reader, top.get_ref()) {
        return None;
    }
    let gates = reader.tables(&mut top, "gate", MOST_GATES);
    let gates = gates.into_iter().filter_map(|gate| reader.take(gate)).collect();
    let input = required_table::<RawInput>(&mut reader, &mut top, "input");
    let output = required_table::<RawOutput>(&mut reader, &mut top, "output");
    let state = reader.take_key::<RawState>(&mut top, "state");
    let base = source.path.parent().unwrap_or(Path::new("")).to_path_buf();
    // They are asked for by themselves; here their mistakes are noted with all others.
    operations::read(&mut reader, &mut top, variables, &base);
    let renames = by_input::<BTreeMap<String, String>>(&mut reader, &mut top, "rename");
    let uniques = by_input::<RawUnique>(&mut reader, &mut top, "unique");
    let span = top.span();
    let head = reader.take::<RawHead>(Spanned::new(span, DeValue::Table(top.into_inner())))?.into_inner();
    if *head.minor_units.get_ref() > MOST_MINOR_UNITS {
        reader.error(head.minor_units.span(), format!("minor_units is at most {MOST_MINOR_UNITS}"), None);
    }
    let timezone = head.timezone.and_then(|name| timezone(&mut reader, &name));
    let scorecard = sibling(&mut reader, variables, &head.scorecard);
    let policy = sibling(&mut reader, variables, &head.policy);
    let (input, output) = (input?.into_inner(), output?.into_inner());
    let without = without(&mut reader, &head.without);
    let unique_columns = uniques.iter().map(|(input, unique)| (*input, unique.column.clone())).collect();
    let mut declared = DeclaredInputs { variables, base: base.clone(), renames, uniques, without };
    let transactions = declared.spec(&mut reader, TRANSACTIONS, &input.transactions);
    let repayments = declared.spec(&mut reader, REPAYMENTS, &input.repayments);
    let lines = declared.spec(&mut reader, LINES, &input.lines);
    let issued = declared.spec_of_runs(&mut reader, ISSUED, input.issued.as_ref());
    let previous = declared.spec_of_runs(&mut reader, PREVIOUS, input.previous.as_ref());
    let csv = output.csv.as_ref().and_then(|csv| csv_of(&mut reader, csv));
    let currency = output.currency.as_ref().and_then(|currency| currency_of(&mut reader, currency));
    let output_dir = directory(&mut reader, variables, &base, &output.dir);
    let state_span = state.as_ref().map_or(0..0, |state| state.get_ref().dir.span());
    let state_dir = state.and_then(|state| directory(&mut reader, variables, &base, &state.get_ref().dir));
    let access = output.mode.as_ref().map_or(Some(Access::default()), |mode| access(&mut reader, mode));
    Some(ResolvedJobFile {
        name: head.name.into_inner(),
        scorecard: scorecard?,
        policy: policy?,
        minor_units: head.minor_units.into_inner(),
        timezone,
        lines_max_age_days: head.lines_max_age_days.into_inner(),
        mixed_money: head.mixed_money,
        inputs: Inputs {
            transactions: transactions?,
            repayments: repayments?,
            lines: lines?,
            issued,
            previous,
        },
        output_dir: output_dir?,
        csv,
        report: output.report,
        currency,
        state_dir,
        access: access?,
        gates,
        unique_columns,
        output_span: output.dir.span(),
        state_span,
    })
}

/// A table that every job has.
fn required_table<'a, T: serde::de::DeserializeOwned>(
    reader: &mut Reader<'a>,
    top: &mut Spanned<DeTable<'a>>,
    key: &str,
) -> Option<Spanned<T>> {
    if !top.get_ref().contains_key(key) {
        reader.error(0..0, format!("the job has no [{key}]"), None);
    }
    reader.take_key(top, key)
}

/// What the job says of its inputs besides their paths.
struct DeclaredInputs<'v> {
    variables: Variables<'v>,
    /// The job file's directory.
    base: PathBuf,
    renames: BTreeMap<&'static str, BTreeMap<String, String>>,
    uniques: BTreeMap<&'static str, RawUnique>,
    /// Optional columns of lines that the job does without.
    without: Vec<String>,
}

impl DeclaredInputs<'_> {
    /// An input whose path is given; it takes what is said of it.
    fn spec(&mut self, reader: &mut Reader, name: &'static str, path: &Spanned<String>) -> Option<InputSpec> {
        let pattern = pattern(reader, self.variables, &self.base, path)?;
        let unique = self.uniques.remove(name).map(|unique| Unique {
            column: unique.column.into_inner(),
            within_days: unique.within_days.into_inner(),
        });
        let rename = self.renames.remove(name).unwrap_or_default();
        let without = if name == LINES { std::mem::take(&mut self.without) } else { Vec::new() };
        Some(InputSpec { name, root: root_of(&pattern), pattern, rename, unique, without })
    }

    /// Files of earlier runs, each with its as-of date in its path.
    fn spec_of_runs(
        &mut self,
        reader: &mut Reader,
        name: &'static str,
        path: Option<&Spanned<String>>,
    ) -> Option<InputSpec> {
        let path = path?;
        if !path.get_ref().contains("{date}") {
            let message =
                format!("the path of `{name}` needs {{date}}: it is the as-of date of an earlier run");
            reader.error(path.span(), message, None);
        }
        self.spec(reader, name, path)
    }
}

/// `[key.transactions]`, `[key.repayments]`, `[key.lines]`, each read on its own.
fn by_input<'a, T: serde::de::DeserializeOwned>(
    reader: &mut Reader<'a>,
    top: &mut Spanned<DeTable<'a>>,
    key: &str,
) -> BTreeMap<&'static str, T> {
    let Some(mut value) = top.get_mut().remove(key) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    if let DeValue::Table(table) = value.get_mut() {
        for name in [TRANSACTIONS, REPAYMENTS, LINES] {
            if let Some(taken) = table.remove(name).and_then(|value| reader.take(value)) {
                found.insert(name, taken.into_inner());
            }
        }
    }
    reader.take::<ByInput>(value);
    found
}

/// The columns of lines that `without` names, as in `lines.increased_on`.
fn without(reader: &mut Reader, names: &[Spanned<String>]) -> Vec<String> {
    let known = OPTIONAL_LINE_COLUMNS.map(|column| format!("{LINES}.{column}"));
    for name in names.iter().filter(|name| !known.contains(name.get_ref())) {
        reader.unknown_name("optional column", name, known.iter().map(String::as_str));
    }
    let columns = OPTIONAL_LINE_COLUMNS.iter().zip(&known);
    let named = columns.filter(|(_, known)| names.iter().any(|name| name.get_ref() == *known));
    named.map(|(column, _)| (*column).to_string()).collect()
}

fn timezone(reader: &mut Reader, name: &Spanned<String>) -> Option<TimeZone> {
    let found = zone::find(name.get_ref());
    if found.is_none() {
        let names = zone::names();
        let help = match near_miss(name.get_ref(), names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "names are IANA's, as in Asia/Shanghai".to_string(),
        };
        reader.error(name.span(), format!("there is no time zone `{}`", name.get_ref()), Some(help));
    }
    found
}

fn csv_of(reader: &mut Reader, csv: &Spanned<RawCsv>) -> Option<Csv> {
    match csv.get_ref() {
        RawCsv::Plain(is_wanted) => is_wanted.then_some(Csv::Plain),
        RawCsv::For(name) if name == "spreadsheet" => Some(Csv::Spreadsheet),
        RawCsv::For(name) => {
            let help = "csv is true, false or \"spreadsheet\"";
            reader.error(csv.span(), format!("there is no csv for `{name}`"), Some(help.into()));
            None
        }
    }
}

/// A currency's letters, which are shown and mean nothing else.
fn currency_of(reader: &mut Reader, currency: &Spanned<String>) -> Option<String> {
    const LETTERS: usize = 3;
    let letters = currency.get_ref();
    if letters.len() == LETTERS && letters.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(letters.clone());
    }
    let help = "a currency is three capital letters, as in \"CNY\"; it is shown beside money";
    reader.error(currency.span(), format!("`{letters}` is no currency"), Some(help.into()));
    None
}

/// The name of another job file.
fn sibling(reader: &mut Reader, variables: Variables, text: &Spanned<String>) -> Option<Spanned<String>> {
    Some(Spanned::new(text.span(), expand(reader, variables, text)?))
}

fn access(reader: &mut Reader, mode: &Spanned<String>) -> Option<Access> {
    let access = Access::parse(mode.get_ref());
    if access.is_none() {
        let message = format!("`{}` is no mode of files that their owner can read and write", mode.get_ref());
        reader.error(mode.span(), message, Some("write it in octal, as in \"0644\"".into()));
    }
    access
}

/// The glob with the job file's directory, taken literally, in front.
fn pattern(reader: &mut Reader, variables: Variables, base: &Path, text: &Spanned<String>) -> Option<String> {
    let expanded = expand(reader, variables, text)?;
    let is_whole = is_url(Path::new(&expanded)) || Path::new(&expanded).is_absolute();
    let pattern = if is_whole || base.as_os_str().is_empty() {
        expanded
    } else {
        let base = glob::Pattern::escape(&base.to_string_lossy()).replace("{date}", "[{]date}");
        format!("{base}/{expanded}")
    };
    let pattern =
        if is_url(Path::new(&pattern)) { places::plain_url(&pattern) } else { without_empty_steps(&pattern) };
    if !check_url(reader, &root_of(&pattern), text) {
        return None;
    }
    if let Err(error) = glob::Pattern::new(&pattern.replace("{date}", "2000-01-01")) {
        reader.error(text.span(), format!("this is no path pattern: {error}"), None);
        return None;
    }
    Some(pattern)
}

/// Without the `.` and `//` that a listing leaves out of the paths it finds.
fn without_empty_steps(path: &str) -> String {
    let mut steps: Vec<&str> = path.split('/').collect();
    let is_absolute = steps[0].is_empty();
    steps.retain(|step| !["", "."].contains(step));
    if is_absolute {
        steps.insert(0, "");
    }
    steps.join("/")
}

/// The directory before the first wildcard or `{date}`.
fn root_of(pattern: &str) -> PathBuf {
    let (literal, _) = before_wildcard(pattern);
    let directory = literal.rfind('/').map_or("", |slash| &literal[..=slash]);
    PathBuf::from(directory)
}

impl ResolvedJobFile {
    /// Checks that `unique` and `rename` name columns there are.
    pub(super) fn check_unique(&self, source: &Source, scopes: &Scopes, diagnostics: &mut Diagnostics) {
        let mut reader = Reader { source, diagnostics };
        for (input, column) in &self.unique_columns {
            let scope: &Scope = match *input {
                TRANSACTIONS => &scopes.transactions,
                REPAYMENTS => &scopes.repayments,
                _ => &scopes.lines,
            };
            // What a line is made to say (`days_open` and the like) is no column of the input.
            let state = if *input == LINES { LINE_STATE.len() } else { 0 };
            let position = scope.find(column.get_ref()).map(|(position, _)| position);
            let own = position.is_some_and(|position| position < scope.columns.len() - state);
            if !own && !scope.open {
                reader.unknown_name(&format!("column of {input}"), column, scope.names());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_relative_to_the_directory_before_the_first_wildcard() {
        let cases = [
            ("a/b/date={date}/*.parquet", "a/b/"),
            ("a/b/all-*.parquet", "a/b/"),
            ("a/b/one.parquet", "a/b/"),
            ("*.parquet", ""),
            ("a[*]b/c/{date}.parquet", "a*b/c/"),
            ("a[[]b[]]/c/{date}.parquet", "a[b]/c/"),
            ("cur{ly}/[{]date}/c/{date}.parquet", "cur{ly}/{date}/c/"),
        ];
        for (pattern, root) in cases {
            assert_eq!(root_of(pattern), PathBuf::from(root), "{pattern}");
        }
    }
}

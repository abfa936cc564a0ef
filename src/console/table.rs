//! Tables for people, as wide as the terminal at most.

use comfy_table::{
    Attribute, Cell as TableCell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets,
};

use super::output::visible;
use super::tone::{Tone, end, paint, painted, plain};
use super::width::width;

/// A table with a header; columns of numbers are aligned right. A cell that is painted as a whole keeps its tone.
/// Texts are folded where lines would be wider than the terminal; where numbers alone are wider, rows are laid out
/// one below the other.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    table_of_width(header, rows, width())
}

/// The same, for lines of so many columns; `None`: as many as it takes.
pub fn table_of_width(header: &[&str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).enforce_styling();
    table.style_text_only();
    table.set_header(header.iter().map(|name| visible(name)));
    for row in rows {
        table.add_row(row.iter().map(|text| cell(text)));
    }
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    let natural = table.column_max_content_widths();
    for (number, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if number == 0 { 2 } else { 1 }, 1));
        let least = if rows.iter().all(|row| is_number(&row[number])) {
            column.set_cell_alignment(CellAlignment::Right);
            natural[number]
        } else {
            longest_word(rows.iter().map(|row| row[number].as_str()).chain([header[number]]))
        };
        let padding = if number == 0 { 3 } else { 2 };
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least + padding)));
    }
    let lines: Vec<String> = table.lines().map(|line| toned(line.trim_end())).collect();
    let is_too_wide = |width: u16| lines.iter().any(|line| plain(line).chars().count() > usize::from(width));
    if width.is_some_and(is_too_wide) { stacked(header, rows) } else { lines.join("\n") }
}

/// How long the longest word of texts is, as far as words need not be broken.
fn longest_word<'a>(texts: impl Iterator<Item = &'a str>) -> u16 {
    /// Longer ones are rare; a column as wide as one of them would leave the others little room.
    const MOST_WHOLE: usize = 14;
    let words = texts.flat_map(|text| painted(text).1.split(' ').map(|word| word.chars().count()));
    words.max().unwrap_or(0).min(MOST_WHOLE) as u16
}

fn cell(text: &str) -> TableCell {
    let (tone, text) = painted(text);
    let cell = TableCell::new(visible(text));
    tone.map_or(cell.clone(), |tone| cell.add_attribute(stand_in(tone)))
}

/// What stands for a tone while the table is laid out. (Colours of that crate would heed NO_COLOR on its own.)
fn stand_in(tone: Tone) -> Attribute {
    match tone {
        Tone::Failure => Attribute::SlowBlink,
        Tone::Warning => Attribute::RapidBlink,
        Tone::Good => Attribute::Framed,
        Tone::Strong => Attribute::Bold,
        Tone::Faint => Attribute::Dim,
    }
}

/// A line of a laid-out table with tones in place of what stood for them. All its cells are visible text, so that no
/// other escape is in it.
fn toned(line: &str) -> String {
    let code = |tone| match tone {
        Tone::Failure => 5,
        Tone::Warning => 6,
        Tone::Good => 51,
        Tone::Strong => 1,
        Tone::Faint => 2,
    };
    let begun = Tone::ALL
        .into_iter()
        .fold(line.to_string(), |line, tone| line.replace(&format!("\u{1b}[{}m", code(tone)), &tone.begin()));
    begun.replace("\u{1b}[0m", &end())
}

/// A row below the other: its first cell, and the others a line each.
fn stacked(header: &[&str], rows: &[Vec<String>]) -> String {
    let longest = header.iter().skip(1).map(|name| name.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for row in rows {
        let mut cells = row.iter().map(|text| {
            let (tone, text) = painted(text);
            let text = visible(text).into_owned();
            tone.map_or(text.clone(), |tone| paint(tone, &text))
        });
        lines.push(format!("  {}", cells.next().unwrap_or_default()));
        let named = header.iter().skip(1).zip(cells).filter(|(_, text)| !text.is_empty());
        lines.extend(named.map(|(name, text)| format!("    {:<longest$}  {text}", visible(name))));
    }
    lines.join("\n")
}

/// Whether a cell leaves a column one of numbers.
pub fn is_number(cell: &str) -> bool {
    let (_, cell) = painted(cell);
    cell.is_empty() || cell.trim_start_matches(['+', '-']).starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<String>> {
        let row = |name: &str, number: &str, text: &str| [name, number, text].map(str::to_string).to_vec();
        vec![
            row("huabei", "1,234,567.00", "a line about this one that goes on for some words"),
            row("jiebei", &paint(Tone::Failure, "12.00"), "short"),
        ]
    }

    #[test]
    fn tables_fold_texts_and_keep_numbers_whole() {
        let header = ["product", "change", "remark"];
        for width in [None, Some(200)] {
            let wide = table_of_width(&header, &rows(), width);
            assert_eq!(wide.lines().count(), 3, "{wide}");
        }
        let narrow = plain(&table_of_width(&header, &rows(), Some(50)));
        assert!(narrow.lines().count() > 3 && narrow.contains("1,234,567.00"), "{narrow}");
        assert!(narrow.lines().all(|line| line.chars().count() <= 50), "{narrow}");
        let stacked = plain(&table_of_width(&header, &rows(), Some(20)));
        assert!(stacked.contains("    change  12.00\n"), "{stacked}");
    }

    #[test]
    fn tones_of_cells_are_kept_and_take_no_room() {
        let table = table_of_width(&["product", "change", "remark"], &rows(), None);
        assert!(table.contains(&paint(Tone::Failure, "12.00")), "{table}");
        let plain = plain(&table);
        let ends: Vec<Option<usize>> = plain.lines().map(|line| line.find(".00")).collect();
        assert_eq!(ends[1], ends[2], "{plain}");
    }
}

//! Parts that the pages of findings share: sections of the terminal as sections of a page, and words.

use super::section::{self, FindingsSection, bar_length};
use crate::console::is_number;
use crate::day::Day;
use crate::html::{Banner, Bar, Cell, Page, Section, Table};

/// A section with its table, if it has one.
pub fn page_section(section: &FindingsSection) -> Section {
    let title = capital(&section.title);
    let header: Vec<String> = section
        .header
        .iter()
        .enumerate()
        .map(|(column, name)| if holds_numbers(section, column) { format!("#{name}") } else { name.clone() })
        .collect();
    let mut table = Table::new(&title, &header.iter().map(String::as_str).collect::<Vec<_>>());
    let rows = section.rows.iter().map(|row| {
        row.iter().zip(&table.header).map(|(text, column)| page_cell(text, column.is_number)).collect()
    });
    table.rows = rows.collect();
    Section {
        note: section.sentences.join("\n"),
        tables: if section.rows.is_empty() { Vec::new() } else { vec![table] },
        title,
        ..Section::default()
    }
}

/// Whether all cells of a column are numbers; days and keys look like numbers and are none.
fn holds_numbers(section: &FindingsSection, column: usize) -> bool {
    const KEY: &str = "key";
    let mut cells = section.rows.iter().map(|row| &row[column]);
    section.header[column] != KEY && cells.all(|cell| is_number(cell) && cell.parse::<Day>().is_err())
}

/// A cell; what is a bar on the terminal becomes a drawn one.
fn page_cell(text: &str, is_number: bool) -> Cell {
    match bar_length(text) {
        Some(length) => {
            let alt = format!("{length} of {}", section::BAR);
            Cell::bar(Bar::of(length as u128, section::BAR as u128, "s3", alt))
        }
        None => Cell { is_number, ..Cell::text(text) },
    }
}

/// The banner: whether anything differs, and the verdict in a sentence.
pub fn banner(same: bool, verdict: &str, more: impl IntoIterator<Item = String>) -> Banner {
    // What the heading says already is not said again.
    let detail =
        verdict.strip_prefix(section::DIFFERENT).map_or(verdict, |rest| rest.trim_start_matches(": "));
    let detail = (!detail.is_empty() && detail != section::SAME).then(|| detail.to_string());
    let sentences = detail.into_iter().chain(more).map(|sentence| capital(&sentence) + ".");
    Banner {
        tone: if same { "good" } else { "warn" },
        verdict: capital(if same { section::SAME } else { section::DIFFERENT }),
        sentences: sentences.collect(),
        ..Banner::default()
    }
}

/// A sentence with a capital at its beginning.
pub fn capital(sentence: &str) -> String {
    let mut sentence = sentence.to_string();
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

/// Numbers the sections, so that links lead to them.
pub fn number_sections(page: &mut Page) {
    for (number, section) in page.sections.iter_mut().enumerate() {
        section.id = format!("part-{}", number + 1);
    }
}

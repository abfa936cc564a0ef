//! Findings as a page: the sections that the terminal shows, under tiles with the headline figures.

use anyhow::Result;

use super::range::range_sections;
use super::section::{self, Detail, FindingsSection, bar_length, count, signed_money};
use super::sections::sections;
use crate::console::is_number;
use crate::day::Day;
use crate::diff::findings::Findings;
use crate::diff::range::RangeFindings;
use crate::html::{Banner, Bar, Cell, Page, Section, Table, Tile};

/// The page of a comparison, of each list at most `limit` entries.
pub fn page(findings: &Findings, limit: usize) -> Result<String> {
    let sides = [&findings.left, &findings.right];
    assemble(sides, findings.same, tiles(findings), &sections(findings, limit, Detail::Full)).render()
}

/// The page of two ranges.
pub fn range_page(findings: &RangeFindings) -> Result<String> {
    let sides = [&findings.left, &findings.right];
    assemble(sides, findings.same, Vec::new(), &range_sections(findings, Detail::Full)).render()
}

/// The first section goes below the heading.
fn assemble([left, right]: [&String; 2], same: bool, tiles: Vec<Tile>, sections: &[FindingsSection]) -> Page {
    let (opening, rest) = sections.split_first().expect("there is an opening");
    let verdict = if same { section::SAME } else { section::DIFFERENT };
    let mut page = Page {
        title: format!("What changed from {left} to {right}"),
        subtitle: opening.sentences.join("\n"),
        banner: Some(Banner {
            tone: if same { "good" } else { "warn" },
            verdict: verdict.to_string(),
            ..Banner::default()
        }),
        tiles,
        sections: rest.iter().filter(|section| !section.title.is_empty()).map(page_section).collect(),
    };
    if !opening.rows.is_empty() {
        page.sections.insert(0, Section { title: "Day by day".to_string(), ..page_section(opening) });
        page.sections[0].note.clear();
    }
    for (number, section) in page.sections.iter_mut().enumerate() {
        section.id = format!("part-{}", number + 1);
    }
    page
}

fn tiles(findings: &Findings) -> Vec<Tile> {
    let mut tiles = Vec::new();
    if let Some(scores) = &findings.scores {
        let mean = scores.mean_thousandths.map_or(String::new(), |mean| signed_money(mean, 3));
        let changed = format!("{} of {}", count(scores.changed), count(scores.accounts));
        tiles.push(tile("Scores that changed", changed, format!("mean {mean}")));
    }
    if let Some(decisions) = &findings.decisions {
        let changed = format!("{} of {}", count(decisions.changed), count(decisions.lines));
        tiles.push(tile("Decisions that changed", changed, String::new()));
        let money = decisions.money.last().map(|money| money.delta).unwrap_or_default();
        let limits = signed_money(money.limits, findings.minor_units);
        let exposure = signed_money(money.exposure, findings.minor_units);
        tiles.push(tile("Limits after", limits, format!("exposure {exposure}")));
    }
    tiles
}

fn tile(label: &str, figure: String, note: String) -> Tile {
    Tile::new(label, Cell::number(figure)).note(note)
}

fn page_section(section: &FindingsSection) -> Section {
    let mut title = section.title.clone();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
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

/// Whether all cells of a column are numbers; days look like numbers and are none.
fn holds_numbers(section: &FindingsSection, column: usize) -> bool {
    section.rows.iter().all(|row| is_number(&row[column]) && row[column].parse::<Day>().is_err())
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

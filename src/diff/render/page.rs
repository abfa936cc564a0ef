//! Findings as a page: the sections that the terminal shows, under tiles with the headline figures.

use anyhow::Result;

use super::range::range_sections;
use super::sections::{self, sections};
use crate::console::is_number;
use crate::day::Day;
use crate::diff::findings::Findings;
use crate::diff::range::RangeFindings;
use crate::html::{Bar, Cell, Page, Section, Table, Tile};

/// The page of a comparison, of each list at most `limit` entries.
pub fn page(findings: &Findings, limit: usize, is_summary: bool) -> Result<String> {
    let sides = [&findings.left, &findings.right];
    assemble(sides, findings.same, tiles(findings), &sections(findings, limit, is_summary)).render()
}

/// The page of two ranges.
pub fn range_page(findings: &RangeFindings) -> Result<String> {
    let sides = [&findings.left, &findings.right];
    assemble(sides, findings.same, Vec::new(), &range_sections(findings)).render()
}

/// The first section goes below the heading, the last, which is the verdict, beside it.
fn assemble(
    [left, right]: [&String; 2],
    same: bool,
    tiles: Vec<Tile>,
    sections: &[sections::FindingsSection],
) -> Page {
    let (opening, rest) = sections.split_first().expect("there is an opening");
    let verdict = if same { sections::SAME } else { sections::DIFFERENT };
    let mut page = Page {
        title: format!("What changed from {left} to {right}"),
        subtitle: opening.sentences.join("\n"),
        badge: Some((verdict.to_string(), same)),
        tiles,
        sections: rest.iter().filter(|section| !section.title.is_empty()).map(section).collect(),
    };
    if !opening.rows.is_empty() {
        page.sections.insert(0, Section { title: "Day by day".to_string(), ..section(opening) });
        page.sections[0].note.clear();
    }
    for (number, section) in page.sections.iter_mut().enumerate() {
        section.id = format!("part-{}", number + 1);
    }
    page
}

fn tiles(findings: &Findings) -> Vec<Tile> {
    let tile = |label: &str, figure: String, note: String| Tile {
        label: label.to_string(),
        cell: Cell::number(figure),
        note,
    };
    let of = |changed: u64, all: u64| format!("{} of {}", sections::count(changed), sections::count(all));
    let mut tiles = Vec::new();
    if let Some(scores) = &findings.scores {
        let mean = scores.mean_thousandths.map_or(String::new(), |mean| sections::signed_money(mean, 3));
        tiles.push(tile("Scores that changed", of(scores.changed, scores.accounts), format!("mean {mean}")));
    }
    if let Some(decisions) = &findings.decisions {
        let money = decisions.money.last().map(|money| money.delta).unwrap_or_default();
        let shown = |minor: i128| sections::signed_money(minor, findings.minor_units);
        tiles.push(tile("Decisions that changed", of(decisions.changed, decisions.lines), String::new()));
        let exposure = format!("exposure {}", shown(money.exposure));
        tiles.push(tile("Limits after", shown(money.limits), exposure));
    }
    tiles
}

fn section(section: &sections::FindingsSection) -> Section {
    let mut title = section.title.clone();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let numbers = |column: usize| {
        section.rows.iter().all(|row| is_number(&row[column]) && row[column].parse::<Day>().is_err())
    };
    let header = section.header.iter().enumerate();
    let cell = |(text, (_, number)): (&String, &(String, bool))| match sections::bar_length(text) {
        Some(length) => Cell::bar(Bar::of(
            length as u128,
            sections::BAR as u128,
            "s3",
            format!("{length} of {}", sections::BAR),
        )),
        None => Cell { is_number: *number, ..Cell::text(text) },
    };
    let header: Vec<(String, bool)> = header.map(|(column, name)| (name.clone(), numbers(column))).collect();
    let rows = section.rows.iter().map(|row| row.iter().zip(&header).map(cell).collect()).collect();
    let table = Table { caption: title.clone(), header: header.clone(), rows, folded: false };
    Section {
        note: section.sentences.join("\n"),
        tables: if section.rows.is_empty() { Vec::new() } else { vec![table] },
        title,
        ..Section::default()
    }
}

//! Findings as a page: verdict, causes as a waterfall, money, migration, movers; inputs last.

use std::collections::BTreeSet;

use anyhow::Result;

use super::page_parts::{banner, number_sections, page_section};
use super::section::{self, Detail, FindingsSection, count, signed_money};
use super::sections::sections;
use super::verdict::verdict;
use crate::console::{money, thousands};
use crate::diff::causes::scores::ScoreCauses;
use crate::diff::findings::Findings;
use crate::diff::pages::{
    MovesByName, decision_waterfall, matrix, score_waterfall, stability_tables, thousandths,
};
use crate::diff::provenance::RunLabel;
use crate::html::{
    Axis, Cell, Chart, FigureUnit, Page, STEPS, Section, Table, Tile, histogram, money_column,
};
use crate::job::Action;

/// The page of a comparison, of each list at most `limit` entries.
pub fn page(findings: &Findings, limit: usize) -> Result<String> {
    let all = sections(findings, limit, Detail::Full);
    let mut page = Page {
        title: title(findings),
        subtitle: subtitle(findings),
        banner: Some(banner(
            findings.same,
            &verdict(findings),
            findings.provenance.iter().map(|provenance| provenance.verdict.clone()),
        )),
        tiles: tiles(findings),
        sections: Vec::new(),
    };
    page.sections.extend(causes(findings, &all));
    page.sections.extend(taken(findings, &all, &["money"]));
    page.sections.extend(migration(findings, &all));
    page.sections.extend(taken(findings, &all, MOVERS));
    page.sections.extend(scores(findings));
    page.sections.extend(stability(findings));
    page.sections.extend(taken(findings, &all, CELLS));
    let shown: BTreeSet<&str> = [MOVERS, CELLS, REPLACED].concat().into_iter().collect();
    let inputs =
        all.iter().filter(|section| !section.title.is_empty() && !shown.contains(section.title.as_str()));
    page.sections.extend(inputs.map(page_section));
    number_sections(&mut page);
    page.render()
}

/// Sections of those who moved.
const MOVERS: &[&str] =
    &["actions that changed", "limits that moved most", "scores that moved most", "the first changes"];
/// Sections of cells.
const CELLS: &[&str] = &["changed cells", "schemas differ", "who is there"];
/// Sections that the page shows in another way.
const REPLACED: &[&str] = &[
    "money",
    "why decisions changed",
    "why scores changed",
    "actions",
    "bands",
    "scores",
    "decisions",
    "features that moved",
];

/// Sections by title, in the order of the titles; their columns of money name its currency.
fn taken(findings: &Findings, all: &[FindingsSection], titles: &[&str]) -> Vec<Section> {
    let found = titles.iter().filter_map(|title| all.iter().find(|section| section.title == *title));
    found
        .map(|section| {
            let mut page = page_section(section);
            let columns = MONEY
                .iter()
                .find(|(title, _)| *title == section.title)
                .map_or(&[][..], |(_, columns)| columns);
            for column in page.tables.iter_mut().flat_map(|table| &mut table.header) {
                if columns.contains(&column.name.as_str()) {
                    column.name = money_column(&column.name, findings.currency.as_deref());
                }
            }
            page
        })
        .collect()
}

/// By title of a section, its columns of money.
const MONEY: &[(&str, &[&str])] = &[
    ("money", &["left", "right", "change"]),
    ("actions that changed", &["limits"]),
    ("limits that moved most", &["left", "right", "change"]),
];

/// The sentences of a section.
fn sentences(all: &[FindingsSection], title: &str) -> String {
    all.iter()
        .find(|section| section.title == title)
        .map_or(String::new(), |section| section.sentences.join("\n"))
}

/// What is compared, in words: the runs by job and date, files by name.
fn title(findings: &Findings) -> String {
    match &findings.runs {
        Some([left, right]) => match (run_name(left), run_name(right)) {
            (left, right) if left == right => format!("{right}: two runs"),
            (left, right) => format!("{right} against {left}"),
        },
        None => {
            let [left, right] =
                [&findings.left, &findings.right].map(|path| path.rsplit('/').next().unwrap_or(path));
            if left == right { format!("{right}: two files") } else { format!("{right} against {left}") }
        }
    }
}

fn run_name(run: &RunLabel) -> String {
    let known =
        if run.known_on == run.as_of { String::new() } else { format!(", known on {}", run.known_on) };
    let held = if run.held { " (held)" } else { "" };
    let chain = run.chain_from.map_or(String::new(), |from| format!(", simulated from {from}"));
    format!("{} of {}{known}{chain}{held}", run.job, run.as_of)
}

/// Where both lie, and what is left aside.
fn subtitle(findings: &Findings) -> String {
    let mut lines = vec![format!("left   {}", findings.left), format!("right  {}", findings.right)];
    lines.extend(findings.selection.iter().map(|selection| format!("where  {selection}")));
    lines.extend(findings.tolerances.iter().map(|(column, units)| format!("tolerance  {column} = {units}")));
    if !findings.excluded.is_empty() {
        lines.push(format!("without  {}", findings.excluded.join(", ")));
    }
    lines.join("\n")
}

fn tiles(findings: &Findings) -> Vec<Tile> {
    let mut tiles = Vec::new();
    if let Some(decisions) = &findings.decisions {
        let changed = format!("{} of {}", count(decisions.changed), count(decisions.lines));
        tiles.push(Tile::new("Decisions that changed", Cell::number(changed)).unit("lines"));
        let sums = decisions.money.last().cloned().unwrap_or_default();
        let currency = findings.currency.clone().unwrap_or_default();
        let amounts = [
            ("Limits after", sums.left.limits, sums.delta.limits),
            ("Exposure after", sums.left.exposure, sums.delta.exposure),
            ("Raises", sums.left.raises, sums.delta.raises),
            ("Lowers", sums.left.lowers, sums.delta.lowers),
        ];
        tiles.extend(amounts.map(|(label, left, delta)| {
            let was = money(left, findings.minor_units);
            Tile::new(label, Cell::number(signed_money(delta, findings.minor_units)))
                .unit(currency.clone())
                .note(format!("from {was}"))
        }));
    }
    if let Some(scores) = &findings.scores {
        let mean = scores.mean_thousandths.map_or(String::new(), |mean| signed_money(mean, 3));
        let changed = format!("{} of {}", count(scores.changed), count(scores.accounts));
        let turns = format!("{} up, {} down", count(scores.up), count(scores.down));
        tiles.push(Tile::new("Scores that changed", Cell::number(changed)).unit("accounts").note(turns));
        tiles.push(Tile::new("Mean score", Cell::number(mean)).unit("points"));
        if let Some(index) = scores.psi_thousandths {
            tiles.push(Tile::new("Stability index of the score", Cell::number(thousandths(index))));
        }
    }
    tiles
}

fn has_moved(causes: &&ScoreCauses) -> bool {
    causes.total != 0 || causes.parts.iter().any(|part| part.accounts > 0)
}

/// What moved limits and scores, each as a waterfall.
fn causes(findings: &Findings, all: &[FindingsSection]) -> Option<Section> {
    let currency = findings.currency.as_deref();
    let limits = findings
        .decision_causes
        .iter()
        .filter(|causes| causes.decisions > 0 || causes.change != 0)
        .map(|causes| decision_waterfall(causes, findings.minor_units, currency));
    let scores = findings.score_causes.iter().filter(has_moved).map(score_waterfall);
    let tables: Vec<Table> = limits.chain(scores).collect();
    let notes = ["why decisions changed", "why scores changed"].map(|title| sentences(all, title));
    let notes = notes.into_iter().filter(|note| !note.is_empty()).collect::<Vec<_>>().join("\n");
    if tables.is_empty() && notes.is_empty() {
        return None;
    }
    Some(Section { note: notes, tables, ..Section::new("", "Causes") })
}

/// Actions and bands: left down, right across.
fn migration(findings: &Findings, all: &[FindingsSection]) -> Option<Section> {
    let mut tables = Vec::new();
    if let Some(decisions) = &findings.decisions {
        let mut moves = MovesByName::new();
        for moved in &decisions.actions {
            let names = [moved.left, moved.right].map(|action| action.unwrap_or(NOT_THERE).to_string());
            let [left, right] = names;
            *moves.entry((left, right)).or_default() += moved.lines;
        }
        let names = Action::ALL.iter().map(|action| action.name()).chain([NOT_THERE]);
        let names: Vec<String> = names.map(str::to_string).collect();
        tables.push(matrix("Lines by action: before in rows, now in columns", &names, &names, &moves));
    }
    if let Some(scores) = &findings.scores {
        let moves = scores.bands.iter().filter(|band| band.accounts > 0);
        let moves: MovesByName =
            moves.map(|band| ((band.left.clone(), band.right.clone()), band.accounts)).collect();
        let [left, right] = [0, 1].map(|side| {
            let mut names: Vec<String> = Vec::new();
            for band in &scores.bands {
                let name = if side == 0 { &band.left } else { &band.right };
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            names
        });
        tables.push(matrix("Accounts by band: before in rows, now in columns", &left, &right, &moves));
    }
    tables.retain(|table| !table.rows.is_empty());
    (!tables.is_empty()).then(|| Section {
        note: sentences(all, "bands"),
        tables,
        ..Section::new("", "Migration")
    })
}

/// A line that only one side has.
const NOT_THERE: &str = "not there";

/// By how much scores changed.
fn scores(findings: &Findings) -> Option<Section> {
    let scores = findings.scores.as_ref().filter(|scores| scores.changed > 0)?;
    let names: Vec<String> = scores.histogram.iter().map(super::scores::range_name).collect();
    let axis = Axis::from_zero(scores.histogram.iter().map(|range| range.accounts.into()), STEPS);
    let mut chart = Chart::new("Accounts by change of their score", &FigureUnit::Count("accounts"), &axis);
    let columns: Vec<(u64, String, String)> = scores
        .histogram
        .iter()
        .zip(&names)
        .map(|(range, name)| {
            let colour = match (range.from, range.to) {
                (_, Some(..0)) => "down",
                (Some(1..), _) => "up",
                _ => "s1",
            };
            (range.accounts, colour.to_string(), format!("{name}: {}", thousands(range.accounts.into())))
        })
        .collect();
    histogram(&mut chart, &columns, &[], &axis);
    let all = names.len().max(1) as i64;
    let middles =
        names.iter().enumerate().map(|(number, name)| ((2 * number as i64 + 1) * 500 / all, name.clone()));
    // Names of neighbours would run into each other: the ends, the middle, and what lies half way.
    let step = (all / 4).max(1);
    let ticks: Vec<(i64, String)> =
        middles.enumerate().filter(|(number, _)| *number as i64 % step == 0).map(|(_, tick)| tick).collect();
    chart.label_along("points", ticks);
    chart.legend = [("higher", "up"), ("lower", "down"), ("the same", "s1")]
        .map(|(name, colour)| (name.to_string(), colour.to_string()))
        .into();
    chart.alt = format!(
        "Of {} accounts, {} have a higher and {} a lower score, from {} to {} points.",
        count(scores.accounts),
        count(scores.up),
        count(scores.down),
        section::signed(scores.worst.into()),
        section::signed(scores.best.into())
    );
    let mut table = Table::new("Accounts by change of their score, in points", &["change", "#accounts"]);
    table.rows = scores
        .histogram
        .iter()
        .zip(names)
        .map(|(range, name)| vec![Cell::text(name), Cell::count(range.accounts)])
        .collect();
    table.folded = true;
    Some(Section { charts: vec![chart], tables: vec![table], ..Section::new("", "Scores") })
}

fn stability(findings: &Findings) -> Option<Section> {
    if findings.scores.is_none() && findings.features.is_empty() {
        return None;
    }
    let (note, tables) = stability_tables(findings, std::iter::empty());
    Some(Section { note, tables, ..Section::new("", "Stability") })
}

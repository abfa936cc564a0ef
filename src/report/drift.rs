//! The run against another one: who moved where, and how far distributions have drifted.

use std::collections::BTreeMap;

use crate::console::{money, thousands};
use crate::diff::{DecisionCauses, Findings, SideCounts};
use crate::html::{Bar, BarMark, Cell, Section, Table, WIDTH, percent};
use crate::job::Action;
use crate::run_dir::PublishedRun;

/// Counts by a name before and a name now.
type MovesByName = BTreeMap<(String, String), u64>;

/// Bands and actions, before down, now across; and what moved decisions.
pub(super) fn migration(before: &PublishedRun, now: &PublishedRun, found: &Findings) -> Section {
    let mut bands = MovesByName::new();
    for band in found.scores.iter().flat_map(|scores| &scores.bands).filter(|band| band.accounts > 0) {
        bands.insert((band.left.clone(), band.right.clone()), band.accounts);
    }
    let mut actions = MovesByName::new();
    for moved in found.decisions.iter().flat_map(|decisions| &decisions.actions) {
        if let (Some(left), Some(right)) = (moved.left, moved.right) {
            *actions.entry((left.to_string(), right.to_string())).or_default() += moved.lines;
        }
    }
    let all_actions: Vec<String> = Action::ALL.iter().map(|action| action.name().to_string()).collect();
    let stay: u64 = bands.iter().filter(|((old, new), _)| old == new).map(|(_, accounts)| accounts).sum();
    let all: u64 = bands.values().sum();
    let mut tables = vec![
        matrix(
            "Accounts by band: before in rows, now in columns",
            &band_names(before),
            &band_names(now),
            &bands,
        ),
        matrix("Lines by action: before in rows, now in columns", &all_actions, &all_actions, &actions),
    ];
    tables.extend(found.decision_causes.as_ref().map(|found| causes(found, now.job.minor_units)));
    Section {
        id: "migration".to_string(),
        title: "Migration".to_string(),
        note: format!(
            "Against {} of {}: {} of {} accounts stay in their band.{}{}",
            before.manifest.job,
            dates(before),
            percent(stay, all),
            thousands(all.into()),
            only_in_one(Some(&found.rows), "Accounts"),
            only_in_one(found.lines.as_ref(), "Lines"),
        ),
        tables,
        charts: Vec::new(),
    }
}

fn band_names(run: &PublishedRun) -> Vec<String> {
    run.job.scorecard.bands.iter().map(|band| band.name.clone()).collect()
}

/// A sentence on what only one of the runs has; empty where there is nothing to say.
fn only_in_one(counts: Option<&SideCounts>, what: &str) -> String {
    match counts {
        Some(counts) if !counts.is_same() => {
            let (old, new) = (thousands(counts.only_left.into()), thousands(counts.only_right.into()));
            format!(" {what} only in the other run: {old}, only in this one: {new}.")
        }
        _ => String::new(),
    }
}

/// What moved the decisions and the limits.
fn causes(found: &DecisionCauses, minor_units: u32) -> Table {
    let mut table = Table::new("Why decisions changed", &["cause", "#decisions", "#limits", ""]);
    let most = found.parts.iter().map(|part| part.change.unsigned_abs()).max().unwrap_or(0);
    for part in &found.parts {
        let alt = format!("{}: {}", part.cause, money(part.change, minor_units));
        table.rows.push(vec![
            Cell::text(&part.cause),
            Cell::count(part.decisions),
            Cell::money(part.change, minor_units),
            Cell::bar(Bar::about_zero(part.change, most, alt)),
        ]);
    }
    table.rows.push(vec![
        Cell::text("total").tone("strong"),
        Cell::count(found.decisions).tone("strong"),
        Cell::money(found.change, minor_units).tone("strong"),
        Cell::default(),
    ]);
    table
}

/// The day a run is of, and the day it was known on where that is another.
fn dates(run: &PublishedRun) -> String {
    if run.manifest.known_on == run.manifest.as_of {
        run.manifest.as_of.to_string()
    } else {
        format!("{}, known on {}", run.manifest.as_of, run.manifest.known_on)
    }
}

/// Counts by two names; names that nobody has on either side are left out.
fn matrix(caption: &str, rows: &[String], columns: &[String], counts: &MovesByName) -> Table {
    const HEATS: u64 = 5;
    let rows: Vec<&String> = rows.iter().filter(|row| counts.keys().any(|(old, _)| old == *row)).collect();
    let columns: Vec<&String> =
        columns.iter().filter(|column| counts.keys().any(|(_, new)| new == *column)).collect();
    let mut header = vec!["before".to_string()];
    header.extend(columns.iter().map(|column| format!("#{column}")));
    header.push("#all".to_string());
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new(caption, &header);
    for row in rows {
        let own: Vec<u64> = columns
            .iter()
            .map(|column| counts.get(&(row.clone(), (*column).clone())).copied().unwrap_or(0))
            .collect();
        let all: u64 = own.iter().sum();
        let mut cells = vec![Cell::text(row)];
        cells.extend(own.into_iter().map(|count| match count {
            0 => Cell::number("·").tone("soft"),
            // The darker, the larger its share of those who were there before.
            count => {
                Cell::count(count).tone(&format!("h{}", (count * HEATS).div_ceil(all.max(1)).min(HEATS)))
            }
        }));
        cells.push(Cell::count(all).tone("strong"));
        table.rows.push(cells);
    }
    table
}

/// The population stability index of the score and of every feature.
pub(super) fn stability(before: &PublishedRun, now: &PublishedRun, found: &Findings) -> Section {
    let mut table = Table::new("Population stability index, in thousandths", &["", "#index", "", "it is"]);
    let score = found.scores.iter().map(|scores| ("score", scores.psi_thousandths));
    let features = found.features.iter().map(|drift| (drift.feature.as_str(), drift.psi_thousandths));
    let new = now
        .job
        .features
        .iter()
        .map(|feature| feature.name.as_str())
        .filter(|name| found.features.iter().all(|drift| drift.feature != *name));
    for (name, index) in score.chain(features).chain(new.map(|name| (name, None))) {
        let tone = if name == "score" { "strong" } else { "" };
        table.rows.push(match index {
            None => vec![
                Cell::text(name).tone(tone),
                Cell::text("–").tone("soft"),
                Cell::default(),
                Cell::text("only in this run").tone("soft"),
            ],
            Some(index) => {
                let (word, colour) = verdict(index);
                vec![
                    Cell::text(name).tone(tone),
                    Cell::number(index.to_string()),
                    Cell::bar(bar(name, index, colour)),
                    Cell::text(word).tone(colour),
                ]
            }
        });
    }
    Section {
        id: "stability".to_string(),
        title: "Stability".to_string(),
        note: format!(
            "How far distributions have moved from {} to {}: below {SMALL} is steady, from {LARGE} on is a shift worth a look.",
            dates(before),
            dates(now)
        ),
        tables: vec![table],
        charts: Vec::new(),
    }
}

/// Below this, in thousandths, an index says nothing.
const SMALL: i64 = 100;

/// From this on it asks for a look.
const LARGE: i64 = 250;

fn verdict(index: i64) -> (&'static str, &'static str) {
    match index {
        ..SMALL => ("steady", "good"),
        SMALL..LARGE => ("moving", "warn"),
        _ => ("shifted", "bad"),
    }
}

/// A scale up to twice the larger threshold, with marks at both.
fn bar(name: &str, index: i64, colour: &str) -> Bar {
    let most = u128::from(LARGE.unsigned_abs()) * 2;
    let length = index.max(0).unsigned_abs();
    let [small, large] =
        [SMALL, LARGE].map(|at| (u128::from(at.unsigned_abs()) * u128::from(WIDTH) / most) as u32);
    Bar {
        marks: vec![BarMark { position: small, kind: "tick" }, BarMark { position: large, kind: "tick" }],
        ..Bar::of(length.into(), most, colour, format!("{name}: {index} thousandths"))
    }
}

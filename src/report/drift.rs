//! The run against another one: who moved where, and how far distributions have drifted.

use std::collections::BTreeMap;

use super::blocks::{Bar, Cell, Section, Table, WIDTH, percent};
use super::movement::Movement;
use crate::console::thousands;
use crate::job::Action;
use crate::published::PublishedRun;

/// Bands and actions, before across, now down.
pub(super) fn migration(before: &PublishedRun, now: &PublishedRun, movement: &Movement) -> Section {
    let bands = |run: &PublishedRun| -> Vec<String> {
        run.job.scorecard.bands.iter().map(|band| band.name.clone()).collect()
    };
    let actions: Vec<String> = Action::ALL.iter().map(|action| action.name().to_string()).collect();
    let alone = |(old, new): (u64, u64), what: &str| match (old, new) {
        (0, 0) => String::new(),
        _ => {
            let (old, new) = (thousands(old.into()), thousands(new.into()));
            format!(" {what} only in the other run: {old}, only in this one: {new}.")
        }
    };
    let stay: u64 =
        movement.bands.iter().filter(|((old, new), _)| old == new).map(|(_, accounts)| accounts).sum();
    let all: u64 = movement.bands.values().sum();
    Section {
        id: "migration",
        title: "Migration".to_string(),
        note: format!(
            "Against {} of {}: {} of {} accounts stay in their band.{}{}",
            before.manifest.job,
            told(before),
            percent(stay, all),
            thousands(all.into()),
            alone(movement.accounts_alone, "Accounts"),
            alone(movement.lines_alone, "Lines"),
        ),
        tables: vec![
            matrix(
                "Accounts by band: before in rows, now in columns",
                &bands(before),
                &bands(now),
                &movement.bands,
            ),
            matrix("Lines by action: before in rows, now in columns", &actions, &actions, &movement.actions),
        ],
        charts: Vec::new(),
    }
}

fn told(run: &PublishedRun) -> String {
    match run.manifest.known_on == run.manifest.as_of {
        true => run.manifest.as_of.to_string(),
        false => format!("{}, known on {}", run.manifest.as_of, run.manifest.known_on),
    }
}

/// Counts by two names; names that nobody has on either side are left out.
fn matrix(
    caption: &str,
    rows: &[String],
    columns: &[String],
    counts: &BTreeMap<(String, String), u64>,
) -> Table {
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
        let own = |column: &String| counts.get(&(row.clone(), column.clone())).copied().unwrap_or(0);
        let all: u64 = columns.iter().map(|column| own(column)).sum();
        let mut cells = vec![Cell::text(row)];
        cells.extend(columns.iter().map(|column| match own(column) {
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
pub(super) fn stability(before: &PublishedRun, now: &PublishedRun, movement: &Movement) -> Section {
    let mut table = Table::new("Population stability index, in thousandths", &["", "#index", "", "it is"]);
    let score = [("score".to_string(), movement.score_psi)];
    let mut features = movement.feature_psi.clone();
    features.sort_by_key(|(_, index)| std::cmp::Reverse(*index));
    for (name, index) in score.into_iter().chain(features) {
        let tone = if name == "score" { "strong" } else { "" };
        table.rows.push(match index {
            None => vec![
                Cell::text(&name).tone(tone),
                Cell::text("–").tone("soft"),
                Cell::default(),
                Cell::text("only in this run").tone("soft"),
            ],
            Some(index) => {
                let (word, colour) = verdict(index);
                vec![
                    Cell::text(&name).tone(tone),
                    Cell::number(index.to_string()),
                    Cell::bar(bar(&name, index, colour)),
                    Cell::text(word).tone(colour),
                ]
            }
        });
    }
    Section {
        id: "stability",
        title: "Stability".to_string(),
        note: format!(
            "How far distributions have moved from {} to {}: below {SMALL} is steady, from {LARGE} on is a shift worth a look.",
            told(before),
            told(now)
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
    let mark = |at: i64| (u128::from(at.unsigned_abs()) * u128::from(WIDTH) / most) as u32;
    let length = index.max(0).unsigned_abs();
    Bar {
        marks: vec![(mark(SMALL), "tick"), (mark(LARGE), "tick")],
        ..Bar::of(length.into(), most, colour, format!("{name}: {index} thousandths"))
    }
}

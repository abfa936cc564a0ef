//! How a run stands and how it did at its gates: the banner, and every gate's figure against its bounds.

use anyhow::Result;

use crate::console::thousands;
use crate::html::{
    Axis, Banner, BannerPoint, Bar, BarMark, BarPiece, Cell, STEPS, Section, Table, Tile, WIDTH, basis_points,
};
use crate::job::Bounds;
use crate::run_dir::PublishedRun;
use crate::run_dir::gates::{GateOutcome, GateUnit, GateVerdict, failed, not_holding};
use crate::run_dir::release_note::ReleaseNote;

/// The verdict on a run: published, held, released by whom, when and why, or simulated; the gates that do not hold.
pub(super) fn banner(run: &PublishedRun) -> Result<Banner> {
    let manifest = &run.manifest;
    let (all, failing) = (manifest.gates.len(), failed(&manifest.gates).len());
    let note = if manifest.held { ReleaseNote::of(&run.directory)? } else { None };
    let count = match (all, failing) {
        (0, _) => "The job has no gates.".to_string(),
        (1, 0) => "Its gate holds.".to_string(),
        (_, 0) => format!("All {all} gates hold."),
        (_, 1) => format!("1 of {all} gates fails."),
        (_, _) => format!("{failing} of {all} gates fail."),
    };
    let banner = match (manifest.chain_from, note) {
        (Some(from), _) => Banner {
            tone: if failing == 0 { "good" } else { "warn" },
            verdict: "Simulated".to_string(),
            sentences: vec![format!(
                "A simulation from {from}, in which gates are measured and hold nothing. {count}"
            )],
            ..Banner::default()
        },
        (None, Some(note)) => released(&note, &count),
        (None, None) if manifest.held => Banner {
            tone: "bad",
            verdict: "Held".to_string(),
            sentences: vec![format!(
                "{count} Nothing downstream sees this night unless somebody releases it."
            )],
            ..Banner::default()
        },
        (None, None) => Banner {
            tone: "good",
            verdict: "Published".to_string(),
            sentences: vec![count],
            ..Banner::default()
        },
    };
    let points = not_holding(&manifest.gates).into_iter().map(|gate| BannerPoint {
        name: gate.name.clone(),
        text: format!(
            "{}{}",
            gate.in_words(run.job.minor_units),
            if gate.verdict() == GateVerdict::Warns { ": a warning" } else { "" }
        ),
        tone: tone(gate),
    });
    Ok(Banner { points: points.collect(), ..banner })
}

fn released(note: &ReleaseNote, count: &str) -> Banner {
    let second = note.released_at.split_once('.').map_or(&*note.released_at, |(second, _)| second);
    let when = second.trim_end_matches('Z').replacen('T', " ", 1);
    let by = note.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
    let why = note.why.as_ref().map(|why| format!("Why: {why}"));
    let sentence = format!("Released{by} on {when} UTC in spite of its gates. {count}");
    Banner {
        tone: "warn",
        verdict: "Released".to_string(),
        sentences: std::iter::once(sentence).chain(why).collect(),
        ..Banner::default()
    }
}

fn tone(gate: &GateOutcome) -> &'static str {
    match gate.verdict() {
        GateVerdict::Holds => "good",
        GateVerdict::Warns => "warn",
        GateVerdict::Fails => "bad",
    }
}

/// How many gates hold.
pub(super) fn tile(gates: &[GateOutcome]) -> Tile {
    let holding = gates.iter().filter(|gate| gate.holds).count();
    let tone = match (failed(gates).len(), holding == gates.len()) {
        (0, true) => "good",
        (0, false) => "warn",
        _ => "bad",
    };
    Tile::new("Gates that hold", Cell::number(format!("{holding} of {}", gates.len())).tone(tone))
}

/// Gates against their bounds, those that do not hold first.
pub(super) fn section(run: &PublishedRun) -> Section {
    let (mut holding, mut others) = (table(""), table("Gates that do not hold"));
    for (number, outcome) in run.manifest.gates.iter().enumerate() {
        let row = row(run, number, outcome);
        if outcome.holds { holding.rows.push(row) } else { others.rows.push(row) }
    }
    // Those that hold the night come before those that only warn.
    others.rows.sort_by_key(|row| row[1].text != GateVerdict::Fails.word());
    holding.caption = format!("Gates that hold: {}", holding.rows.len());
    holding.folded = holding.rows.len() > MOST_UNFOLDED;
    let note = if run.manifest.gates.is_empty() {
        "The job has no gates."
    } else {
        "A night is published only where all of them hold, but for those that only warn."
    };
    let tables = [others, holding].into_iter().filter(|table| !table.rows.is_empty()).collect();
    Section { note: note.to_string(), tables, ..Section::new("gates", "Gates") }
}

/// More gates that hold are folded away.
const MOST_UNFOLDED: usize = 12;

fn table(caption: &str) -> Table {
    Table::new(caption, &["gate", "verdict", "#figure", "rows", "it may be", "where it lies"]).legend([
        ("what it may be".to_string(), "allowed".to_string()),
        ("the figure".to_string(), "mark".to_string()),
    ])
}

fn row(run: &PublishedRun, number: usize, outcome: &GateOutcome) -> Vec<Cell> {
    let units = run.job.minor_units;
    let declared = run.job.gates.get(number).filter(|gate| gate.name == outcome.name);
    let words = outcome.in_words(units);
    let name = format!("gates.{number}.figure");
    let [value, rows] = match words.rows {
        Some(rows) => [Cell::number(words.value), Cell::text(rows).figure(name, &outcome.figure)],
        None => [Cell::number(words.value).figure(name, &outcome.figure), Cell::default()],
    };
    let bar = declared.and_then(|gate| bullet(gate.bounds, outcome, units));
    vec![
        Cell::text(&outcome.name),
        Cell::text(outcome.verdict().word()).tone(tone(outcome)),
        value,
        rows.tone("day"),
        Cell::text(words.bounds),
        bar.map_or(Cell::default(), Cell::bar),
    ]
}

/// The figure as a mark on a scale on which what is allowed is shaded. Shares are in basis points.
fn bullet(bounds: Bounds, outcome: &GateOutcome, minor_units: u32) -> Option<Bar> {
    let figure: i128 = outcome.figure.parse().ok()?;
    let figure = match outcome.among {
        Some(0) => return None,
        Some(among) => figure * 10_000 / i128::from(among),
        None => figure,
    };
    let (min, max) = (bounds.min.map(i128::from), bounds.max.map(i128::from));
    // Bounds on the change alone say nothing of where a figure may lie.
    min.or(max)?;
    // Some room beyond the last of them, so that it is seen which side is which.
    let beyond = max.into_iter().chain([figure]).max().map(|last| last + last.abs() / 8);
    let mut axis = Axis::from_zero([Some(figure), min, max, beyond].into_iter().flatten(), STEPS);
    if outcome.among.is_some() {
        axis.most = axis.most.min(10_000);
    }
    let from = min.map_or(0, |min| axis.along(min, WIDTH));
    let to = max.map_or(WIDTH, |max| axis.along(max, WIDTH));
    let verdict = if outcome.holds { "within" } else { "outside" };
    let [least, most] = [axis.least, axis.most].map(|end| short(end, outcome, minor_units));
    Some(Bar {
        alt: format!("the figure lies {verdict} its bounds, on a scale from {least} to {most}"),
        pieces: vec![BarPiece {
            start: from,
            length: (to.max(from) - from).max(4),
            colour: "allowed".to_string(),
        }],
        marks: vec![BarMark { position: axis.along(figure, WIDTH).clamp(4, WIDTH - 4), kind: "mark" }],
        ends: Some((least, most)),
    })
}

/// An end of a scale: large ones in millions.
fn short(end: i128, outcome: &GateOutcome, minor_units: u32) -> String {
    const MILLION: i128 = 1_000_000;
    let whole = if outcome.unit == GateUnit::Money { 10_i128.pow(minor_units) } else { 1 };
    match outcome.among {
        Some(_) => basis_points(end),
        None if end.abs() >= 10 * MILLION * whole => {
            format!("{} million", thousands(end / (MILLION * whole)))
        }
        None if outcome.unit == GateUnit::Money => crate::console::money(end, minor_units),
        None => thousands(end),
    }
}

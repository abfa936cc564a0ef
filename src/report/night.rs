//! What a run stood on: the head of the page, gates, rejects, inputs and control totals.

use std::collections::BTreeMap;

use super::figures::Figures;
use anyhow::Result;

use crate::console::{money, thousands};
use crate::html::{Bar, BarMark, BarPiece, Cell, Page, Section, Table, Tile, WIDTH, percent};
use crate::job::Bounds;
use crate::run_dir::PublishedRun;
use crate::run_dir::gates::GateOutcome;
use crate::run_dir::layout::RELEASED;

/// Title, standing and headline figures.
pub(super) fn head(run: &PublishedRun, figures: &Figures) -> Result<Page> {
    let manifest = &run.manifest;
    let totals = &manifest.control_totals;
    let units = run.job.minor_units;
    let known = if manifest.known_on == manifest.as_of {
        String::new()
    } else {
        format!(", known on {}", manifest.known_on)
    };
    let kind = match manifest.chain_from {
        Some(from) => format!("A simulation from {from}, of which the gates hold nothing: day of"),
        None => "Night of".to_string(),
    };
    let change = totals.new_limit_total - totals.old_limit_total;
    let failed = manifest.gates.iter().filter(|gate| !gate.holds).count();
    let mean = figures.mean_score_tenths().map_or("–".to_string(), tenths);
    let tiles = vec![
        count_tile("Accounts", "accounts", totals.accounts),
        count_tile("Lines", "lines", totals.lines),
        count_tile("Adjustments", "adjustments", totals.adjustments),
        Tile { label: "Mean score".to_string(), cell: Cell::number(mean), note: String::new() },
        Tile {
            label: "Limits after".to_string(),
            cell: Cell::money(totals.new_limit_total, units)
                .figure("control_totals.new_limit_total", totals.new_limit_total),
            note: match change {
                0 => "as before".to_string(),
                ..0 => format!("{} less than before", money(-change, units)),
                _ => format!("{} more than before", money(change, units)),
            },
        },
        Tile {
            label: "Gates that hold".to_string(),
            cell: Cell::number(format!("{} of {}", manifest.gates.len() - failed, manifest.gates.len()))
                .tone(if failed == 0 { "good" } else { "bad" }),
            note: String::new(),
        },
    ];
    Ok(Page {
        title: format!("{}: {}", manifest.job, manifest.as_of),
        subtitle: format!("{kind} {}{known}. rescore {}.", manifest.as_of, manifest.program_version),
        badge: Some(match (failed, manifest.held) {
            (0, _) => ("all gates hold".to_string(), true),
            (_, true) if run.directory.has(RELEASED)? => ("released".to_string(), false),
            (_, true) => ("held".to_string(), false),
            (1, false) => ("1 gate fails".to_string(), false),
            (failed, false) => (format!("{failed} gates fail"), false),
        }),
        tiles,
        sections: Vec::new(),
    })
}

/// A count of the control totals.
fn count_tile(label: &str, name: &str, count: u64) -> Tile {
    Tile {
        label: label.to_string(),
        cell: Cell::count(count).figure(format!("control_totals.{name}"), count),
        note: String::new(),
    }
}

/// Tenths as a number with one decimal place.
pub(super) fn tenths(tenths: i128) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let size = tenths.unsigned_abs();
    format!("{sign}{}.{}", thousands((size / 10) as i128), size % 10)
}

/// Gates against their thresholds.
pub(super) fn gates(run: &PublishedRun) -> Section {
    let mut table = Table::new(
        "Every gate's figure and what it may be",
        &["gate", "it", "#figure", "bounds", "where it lies"],
    );
    for (number, outcome) in run.manifest.gates.iter().enumerate() {
        let bounds =
            run.job.gates.get(number).filter(|gate| gate.name == outcome.name).map(|gate| gate.bounds);
        let shown = match outcome.among {
            Some(among) => format!("{} of {}", counted(&outcome.figure), thousands(among.into())),
            None => counted(&outcome.figure),
        };
        table.rows.push(vec![
            Cell::text(&outcome.name),
            if outcome.holds { Cell::text("holds").tone("good") } else { Cell::text("fails").tone("bad") },
            Cell::number(shown).figure(format!("gates.{number}.figure"), &outcome.figure),
            Cell::text(bounds.map_or(outcome.bounds.clone(), |bounds| bounds_in_words(bounds, outcome))),
            bounds.and_then(|bounds| bullet(bounds, outcome)).map_or(Cell::default(), Cell::bar),
        ]);
    }
    let note = if run.job.gates.is_empty() {
        "The job has no gates."
    } else {
        "A night is published only where all of them hold. The shaded part of a bar is what a gate allows."
    };
    Section { note: note.to_string(), tables: vec![table], ..Section::new("gates", "Gates") }
}

/// A whole number with separators, whatever its size.
fn counted(figure: &str) -> String {
    figure.parse::<i128>().map_or(figure.to_string(), thousands)
}

fn bounds_in_words(bounds: Bounds, outcome: &GateOutcome) -> String {
    let [min, max] = [bounds.min, bounds.max].map(|bound| {
        bound.map(|bound| match outcome.among {
            Some(_) => format!("{}.{:02} %", bound / 100, bound % 100),
            None => thousands(bound.into()),
        })
    });
    let range = match (min, max) {
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
        (Some(min), None) => Some(format!("at least {min}")),
        (None, Some(max)) => Some(format!("at most {max}")),
        (None, None) => None,
    };
    let of = if outcome.among.is_some() { "points of a percent" } else { "percent" };
    let change =
        bounds.max_change_bp.map(|bp| format!("changed by at most {}.{:02} {of}", bp / 100, bp % 100));
    range.into_iter().chain(change).collect::<Vec<_>>().join(", ") + &outcome.before()
}

/// The figure as a mark on a scale on which what is allowed is shaded. Shares are in basis points.
fn bullet(bounds: Bounds, outcome: &GateOutcome) -> Option<Bar> {
    let figure: i128 = outcome.figure.parse().ok()?;
    let figure = match outcome.among {
        Some(0) => return None,
        Some(among) => figure * 10_000 / i128::from(among),
        None => figure,
    };
    let (min, max) = (bounds.min.map(i128::from), bounds.max.map(i128::from));
    let ends = [Some(0), Some(figure), min, max];
    let least = ends.iter().flatten().min().copied()?;
    let reach = ends.iter().flatten().max().copied()?;
    // Some room beyond the last of them, so that it is seen which side is which.
    let most = reach + (reach - least).max(1) / 8 + 1;
    let from = min.map_or(0, |min| along(min, least, most));
    let to = max.map_or(WIDTH, |max| along(max, least, most));
    let verdict = if outcome.holds { "within" } else { "outside" };
    Some(Bar {
        alt: format!("the figure lies {verdict} its bounds"),
        pieces: vec![BarPiece {
            start: from,
            length: (to.max(from) - from).max(4),
            colour: "allowed".to_string(),
        }],
        marks: vec![BarMark { position: along(figure, least, most).clamp(4, WIDTH - 4), kind: "mark" }],
    })
}

/// How far along a bar that goes from `least` to `most` a value lies.
fn along(value: i128, least: i128, most: i128) -> u32 {
    let distance = (value - least).clamp(0, most - least);
    u32::try_from(distance * i128::from(WIDTH) / (most - least)).unwrap_or(WIDTH)
}

/// Rejects by day and reason.
pub(super) fn rejects(figures: &Figures) -> Section {
    let mut section = Section {
        note: "Rows that were left out, by input, day of delivery and reason; of the deliveries this run reports on."
            .to_string(),
        ..Section::new("rejects", "Rejected rows")
    };
    if figures.rejects.is_empty() {
        section.note = "No row was rejected.".to_string();
        return section;
    }
    let most = figures.rejects.values().max().copied().unwrap_or(0);
    let mut table =
        Table::new("Rejected rows by day and reason", &["input", "delivery", "reason", "#rows", ""]);
    for ((input, day, reason), rows) in &figures.rejects {
        let (day, reason) = (if day.is_empty() { "undated" } else { day }, reason.replace('_', " "));
        let alt = format!("{rows} rows of {input}, {day}: {reason}");
        table.rows.push(vec![
            Cell::text(input),
            Cell::text(day).tone("day"),
            Cell::text(reason),
            Cell::count(*rows),
            Cell::bar(Bar::of((*rows).into(), most.into(), "down", alt)),
        ]);
    }
    section.tables.push(table);
    section
}

/// Inputs, counts and control totals.
pub(super) fn inputs(run: &PublishedRun) -> Section {
    let manifest = &run.manifest;
    Section {
        id: "inputs".to_string(),
        title: "Inputs and control totals".to_string(),
        note: "What the run stood on, and figures to check other books against.".to_string(),
        tables: vec![counts(run), control_totals(run), deliveries(run), job_files(run)],
        charts: Vec::new(),
    }
    .with_missing(&manifest.missing_days)
}

impl Section {
    /// Tells of days without a delivery.
    fn with_missing(mut self, missing: &BTreeMap<String, Vec<crate::day::Day>>) -> Section {
        for (input, days) in missing.iter().filter(|(_, days)| !days.is_empty()) {
            let named: Vec<String> = days.iter().take(10).map(ToString::to_string).collect();
            let more = days.len().saturating_sub(named.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.note += &format!(" {input} has no delivery of {}{more}.", named.join(", "));
        }
        self
    }
}

/// A count that the manifest has under a name.
fn counted_figure(name: impl Into<String>, count: u64) -> Cell {
    Cell::count(count).figure(name, count)
}

fn counts(run: &PublishedRun) -> Table {
    let mut table = Table::new(
        "Rows of the deliveries this run reports on",
        &["input", "#read", "#accepted", "#rejected", "#share rejected", "#days missing"],
    );
    for (input, counts) in &run.manifest.counts {
        let rejected: u64 = counts.rejected.values().sum();
        let missing = run.manifest.missing_days.get(input).map_or(0, Vec::len);
        table.rows.push(vec![
            Cell::text(input),
            counted_figure(format!("counts.{input}.read"), counts.read),
            counted_figure(format!("counts.{input}.accepted"), counts.accepted),
            Cell::count(rejected),
            Cell::number(percent(rejected, counts.read)),
            Cell::count(missing as u64),
        ]);
    }
    table
}

fn control_totals(run: &PublishedRun) -> Table {
    let (manifest, units) = (&run.manifest, run.job.minor_units);
    let totals = &manifest.control_totals;
    let (old, new) = (totals.old_limit_total, totals.new_limit_total);
    let mut table = Table::new("Control totals", &["figure", "#value"]);
    let rows = [
        ("Accounts", counted_figure("control_totals.accounts", totals.accounts)),
        ("Lines", counted_figure("control_totals.lines", totals.lines)),
        ("Adjustments", counted_figure("control_totals.adjustments", totals.adjustments)),
        ("Limits before", Cell::money(old, units).figure("control_totals.old_limit_total", old)),
        ("Limits after", Cell::money(new, units).figure("control_totals.new_limit_total", new)),
        (
            "Hash total of the account ids",
            Cell::number(&totals.account_id_hash_total)
                .figure("control_totals.account_id_hash_total", &totals.account_id_hash_total),
        ),
        ("Bills with more than one pair of terms", counted_figure("bill_conflicts", manifest.bill_conflicts)),
        ("Issued adjustments of unknown lines", counted_figure("issued_unknown", manifest.issued_unknown)),
    ];
    table.rows.extend(rows.map(|(name, cell)| vec![Cell::text(name), cell]));
    table
}

fn deliveries(run: &PublishedRun) -> Table {
    let mut table =
        Table::new("Input files by delivery", &["input", "delivery", "#files", "#rows", "#bytes", "SHA-256"]);
    table.folded = true;
    let inputs = &run.manifest.inputs;
    for own in inputs.chunk_by(|a, b| (&a.input, a.delivery) == (&b.input, b.delivery)) {
        let hashes: Vec<&str> = own.iter().map(|file| &file.sha256[..file.sha256.len().min(16)]).collect();
        table.rows.push(vec![
            Cell::text(&own[0].input),
            Cell::text(own[0].delivery.map_or("undated".to_string(), |day| day.to_string())),
            Cell::count(own.len() as u64),
            Cell::count(own.iter().map(|file| file.rows).sum()),
            Cell::count(own.iter().map(|file| file.size).sum()),
            Cell::text(hashes.join(" ")).tone("code"),
        ]);
    }
    table
}

fn job_files(run: &PublishedRun) -> Table {
    let mut table = Table::new("Job files", &["file", "SHA-256"]);
    table.folded = true;
    let files = run.manifest.job_files.iter();
    table.rows.extend(files.map(|file| vec![Cell::text(&file.file), Cell::text(&file.sha256).tone("code")]));
    table
}

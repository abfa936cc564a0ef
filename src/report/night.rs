//! What a run stood on: the head of the page, gates, rejects, inputs and control totals.

use std::collections::BTreeMap;

use super::figures::Figures;
use crate::console::{money, thousands};
use crate::html::{Bar, Cell, Page, Section, Table, Tile, WIDTH, percent};
use crate::job::Bounds;
use crate::run_dir::PublishedRun;
use crate::run_dir::gates::GateOutcome;
use crate::run_dir::layout::RELEASED;

/// Title, standing and headline figures.
pub(super) fn head(run: &PublishedRun, figures: &Figures) -> Page {
    let manifest = &run.manifest;
    let totals = &manifest.control_totals;
    let units = run.job.minor_units;
    let known = match manifest.known_on == manifest.as_of {
        true => String::new(),
        false => format!(", known on {}", manifest.known_on),
    };
    let kind = match manifest.chain_from {
        Some(from) => format!("A simulation from {from}, of which the gates hold nothing: day of"),
        None => "Night of".to_string(),
    };
    let count = |label: &str, name: &str, count: u64| Tile {
        label: label.to_string(),
        cell: Cell::count(count).figure(format!("control_totals.{name}"), count),
        note: String::new(),
    };
    let change = totals.new_limit_total - totals.old_limit_total;
    let failed = manifest.gates.iter().filter(|gate| !gate.holds).count();
    let mean = figures.mean_score_tenths().map_or("–".to_string(), tenths);
    let tiles = vec![
        count("Accounts", "accounts", totals.accounts),
        count("Lines", "lines", totals.lines),
        count("Adjustments", "adjustments", totals.adjustments),
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
    Page {
        title: format!("{}: {}", manifest.job, manifest.as_of),
        subtitle: format!("{kind} {}{known}. rescore {}.", manifest.as_of, manifest.program_version),
        badge: Some(match (failed, manifest.held) {
            (0, _) => ("all gates hold".to_string(), true),
            (_, true) if run.directory.has(RELEASED) => ("released".to_string(), false),
            (_, true) => ("held".to_string(), false),
            (1, false) => ("1 gate fails".to_string(), false),
            (failed, false) => (format!("{failed} gates fail"), false),
        }),
        tiles,
        sections: Vec::new(),
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
            match outcome.holds {
                true => Cell::text("holds").tone("good"),
                false => Cell::text("fails").tone("bad"),
            },
            Cell::number(shown).figure(format!("gates.{number}.figure"), &outcome.figure),
            Cell::text(bounds.map_or(outcome.bounds.clone(), |bounds| bounds_in_words(bounds, outcome))),
            bounds.and_then(|bounds| bullet(bounds, outcome)).map_or(Cell::default(), Cell::bar),
        ]);
    }
    let note = match run.job.gates.is_empty() {
        true => "The job has no gates.",
        false => {
            "A night is published only where all of them hold. The shaded part of a bar is what a gate allows."
        }
    };
    Section { note: note.to_string(), tables: vec![table], ..Section::new("gates", "Gates") }
}

/// A whole number with separators, whatever its size.
fn counted(figure: &str) -> String {
    figure.parse::<i128>().map_or(figure.to_string(), thousands)
}

fn bounds_in_words(bounds: Bounds, outcome: &GateOutcome) -> String {
    let shown = |bound: i64| match outcome.among {
        Some(_) => format!("{}.{:02} %", bound / 100, bound % 100),
        None => thousands(bound.into()),
    };
    let range = match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => Some(format!("{} to {}", shown(min), shown(max))),
        (Some(min), None) => Some(format!("at least {}", shown(min))),
        (None, Some(max)) => Some(format!("at most {}", shown(max))),
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
    let place = |value: i128| {
        let along = (value - least).clamp(0, most - least);
        u32::try_from(along * i128::from(WIDTH) / (most - least)).unwrap_or(WIDTH)
    };
    let (from, to) = (min.map_or(0, place), max.map_or(WIDTH, place));
    let verdict = if outcome.holds { "within" } else { "outside" };
    Some(Bar {
        alt: format!("the figure lies {verdict} its bounds"),
        pieces: vec![(from, (to.max(from) - from).max(4), "allowed".to_string())],
        marks: vec![(place(figure).clamp(4, WIDTH - 4), "mark")],
    })
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

fn counts(run: &PublishedRun) -> Table {
    let mut table = Table::new(
        "Rows of the deliveries this run reports on",
        &["input", "#read", "#accepted", "#rejected", "#share rejected", "#days missing"],
    );
    for (input, counts) in &run.manifest.counts {
        let rejected: u64 = counts.rejected.values().sum();
        let missing = run.manifest.missing_days.get(input).map_or(0, Vec::len);
        let figure =
            |cell: Cell, name: &str, value: u64| cell.figure(format!("counts.{input}.{name}"), value);
        table.rows.push(vec![
            Cell::text(input),
            figure(Cell::count(counts.read), "read", counts.read),
            figure(Cell::count(counts.accepted), "accepted", counts.accepted),
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
    let mut table = Table::new("Control totals", &["figure", "#value"]);
    let count = |name: &str, value: u64| Cell::count(value).figure(name, value);
    let money = |name: &str, value: i128| Cell::money(value, units).figure(name, value);
    let rows = [
        ("Accounts", count("control_totals.accounts", totals.accounts)),
        ("Lines", count("control_totals.lines", totals.lines)),
        ("Adjustments", count("control_totals.adjustments", totals.adjustments)),
        ("Limits before", money("control_totals.old_limit_total", totals.old_limit_total)),
        ("Limits after", money("control_totals.new_limit_total", totals.new_limit_total)),
        (
            "Hash total of the account ids",
            Cell::number(&totals.account_id_hash_total)
                .figure("control_totals.account_id_hash_total", &totals.account_id_hash_total),
        ),
        ("Bills with more than one pair of terms", count("bill_conflicts", manifest.bill_conflicts)),
        ("Issued adjustments of unknown lines", count("issued_unknown", manifest.issued_unknown)),
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

//! What a run stood on: the head of the page, rejects, inputs and control totals.

use std::collections::BTreeMap;

use anyhow::Result;

use super::figures::Figures;
use super::gates;
use crate::console::thousands;
use crate::html::{
    Bar, Cell, FigureUnit, Page, Section, Table, Tile, basis_points, money_column, percent, scale_to,
};
use crate::job::Job;
use crate::run_dir::PublishedRun;
use crate::run_dir::manifest::Manifest;

/// A run and its figures.
pub(super) struct NightFigures<'a> {
    /// The run.
    pub run: &'a PublishedRun,
    /// Of its tables.
    pub figures: &'a Figures,
}

/// Title, verdict and headline figures, held against a night before where there is one.
pub(super) fn head(now: &NightFigures, before: Option<&NightFigures>) -> Result<Page> {
    let manifest = &now.run.manifest;
    let known = if manifest.known_on == manifest.as_of {
        String::new()
    } else {
        format!(" Known on {}.", manifest.known_on)
    };
    let against = match before {
        Some(before) => format!(" Changes are since {}.", night_name(&before.run.manifest)),
        None => " There is no earlier night beside it to hold it against.".to_string(),
    };
    Ok(Page {
        title: format!("{} of {}", manifest.job, manifest.as_of),
        subtitle: format!("rescore {}.{known}{against}", manifest.program_version),
        banner: Some(gates::banner(now.run)?),
        tiles: tiles(now, before),
        sections: Vec::new(),
    })
}

/// A run in words: its job and its date, and when it was known where that was later.
pub(super) fn night_name(manifest: &Manifest) -> String {
    let Manifest { job, as_of, known_on, .. } = manifest;
    if known_on == as_of {
        format!("{job} of {as_of}")
    } else {
        format!("{job} of {as_of}, known on {known_on}")
    }
}

/// What a job's money is counted in.
pub(super) fn money_unit(job: &Job) -> FigureUnit {
    FigureUnit::Money { minor_units: job.minor_units, currency: job.currency.clone() }
}

fn tiles(now: &NightFigures, before: Option<&NightFigures>) -> Vec<Tile> {
    let (run, totals) = (now.run, &now.run.manifest.control_totals);
    let money = money_unit(&run.job);
    let (old, new) = (totals.old_limit_total, totals.new_limit_total);
    let of_before = |figure: fn(&NightFigures) -> Option<i128>| before.and_then(figure);
    let count = FigureUnit::Count("");
    let tiles = [
        Tile::new(
            "Accounts",
            Cell::count(totals.accounts).figure("control_totals.accounts", totals.accounts),
        )
        .note(since(
            &count,
            totals.accounts.into(),
            of_before(|run| Some(run.totals().accounts.into())),
        )),
        Tile::new("Lines", Cell::count(totals.lines).figure("control_totals.lines", totals.lines))
            .note(since(&count, totals.lines.into(), of_before(|run| Some(run.totals().lines.into())))),
        Tile::new(
            "Adjustments",
            Cell::count(totals.adjustments).figure("control_totals.adjustments", totals.adjustments),
        )
        .note(since(
            &count,
            totals.adjustments.into(),
            of_before(|run| Some(run.totals().adjustments.into())),
        )),
        mean_tile(now, before),
        Tile::new("Change of limits", Cell::number(money.signed(new - old)))
            .unit(currency(&run.job))
            .note(since(&money, new - old, of_before(|run| Some(run.limits_changed_by())))),
        Tile::new(
            "Limits after",
            Cell::money(new, run.job.minor_units).figure("control_totals.new_limit_total", new),
        )
        .unit(currency(&run.job))
        .note(since(&money, new, of_before(|run| Some(run.totals().new_limit_total)))),
        Tile::new("Rejected rows", Cell::number(basis_points(now.rejected_bp()))).note(since(
            &FigureUnit::BasisPoints(""),
            now.rejected_bp(),
            of_before(|run| Some(run.rejected_bp())),
        )),
        gates::tile(&run.manifest.gates),
    ];
    tiles.into()
}

fn mean_tile(now: &NightFigures, before: Option<&NightFigures>) -> Tile {
    let Some(mean) = now.figures.mean_score_tenths() else {
        return Tile::new("Mean score", Cell::number("–"));
    };
    let points = FigureUnit::Tenths("points");
    let earlier = before.and_then(|before| before.figures.mean_score_tenths());
    Tile::new("Mean score", Cell::number(points.text(mean))).note(since(&points, mean, earlier))
}

/// By how much a figure changed; empty where there is none to hold it against.
fn since(unit: &FigureUnit, now: i128, before: Option<i128>) -> String {
    match before {
        Some(before) if before == now => "as before".to_string(),
        Some(before) => format!("{} (was {})", unit.signed(now - before), unit.text(before)),
        None => String::new(),
    }
}

/// The currency, where the job names it.
fn currency(job: &Job) -> String {
    job.currency.clone().unwrap_or_default()
}

impl NightFigures<'_> {
    fn totals(&self) -> &crate::run_dir::manifest::ControlTotals {
        &self.run.manifest.control_totals
    }

    /// Σ new limits − old limits, minor units.
    fn limits_changed_by(&self) -> i128 {
        self.totals().new_limit_total - self.totals().old_limit_total
    }

    /// The share of the rows read that were rejected.
    fn rejected_bp(&self) -> i128 {
        rejected_bp(&self.run.manifest)
    }
}

/// The share of a run's rows that were rejected, in basis points.
pub(super) fn rejected_bp(manifest: &Manifest) -> i128 {
    let read: u64 = manifest.counts.values().map(|counts| counts.read).sum();
    let accepted: u64 = manifest.counts.values().map(|counts| counts.accepted).sum();
    i128::from(read - accepted) * 10_000 / i128::from(read.max(1))
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
        Table::new("Rejected rows by day and reason", &["input", "delivery", "reason", "#rows", "rows"])
            .scale(4, scale_to(thousands(most.into())));
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
        ..Section::default()
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
    let (manifest, units, currency) = (&run.manifest, run.job.minor_units, run.job.currency.as_deref());
    let totals = &manifest.control_totals;
    let (old, new) = (totals.old_limit_total, totals.new_limit_total);
    let mut table = Table::new("Control totals", &["figure", "#value"]);
    let rows = [
        ("Accounts".to_string(), counted_figure("control_totals.accounts", totals.accounts)),
        ("Lines".to_string(), counted_figure("control_totals.lines", totals.lines)),
        ("Adjustments".to_string(), counted_figure("control_totals.adjustments", totals.adjustments)),
        (
            money_column("Limits before", currency),
            Cell::money(old, units).figure("control_totals.old_limit_total", old),
        ),
        (
            money_column("Limits after", currency),
            Cell::money(new, units).figure("control_totals.new_limit_total", new),
        ),
        (
            "Hash total of the account ids".to_string(),
            Cell::number(&totals.account_id_hash_total)
                .figure("control_totals.account_id_hash_total", &totals.account_id_hash_total),
        ),
        (
            "Bills with more than one pair of terms".to_string(),
            counted_figure("bill_conflicts", manifest.bill_conflicts),
        ),
        (
            "Issued adjustments of unknown lines".to_string(),
            counted_figure("issued_unknown", manifest.issued_unknown),
        ),
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

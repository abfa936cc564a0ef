//! `rescore show`: what a run came to, in tables.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::next_steps::next_steps;
use super::run_figures::{NightBefore, RunFigures, SummaryFigures};
use crate::console::{Tone, missed, paint, plain_path, print, print_json, table, visible};
use crate::failure::input;
use crate::report::{Figures, night_before};
use crate::run_dir::PublishedRun;
use crate::run_dir::manifest::Manifest;
use crate::run_dir::release_note::ReleaseNote;
use crate::summary::{self, BandRow, headline};

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A run's directory, published or held
    run: PathBuf,
    /// How each feature is distributed, beside the night before: shares of null and zero, quantiles
    #[arg(long)]
    features: bool,
    /// Print JSON, money in minor units
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &ShowArgs) -> Result<()> {
    let run = PublishedRun::open(&args.run)?;
    let released = ReleaseNote::of(&run.directory)?;
    let bands = bands(&run)?;
    let before = if args.features { night_before(&run).map(|before| before.manifest) } else { None };
    if args.json {
        let summary = SummaryFigures { bands: &bands, decisions: None };
        let ending = state(&run.manifest, released.is_some());
        let mut figures = RunFigures::of_manifest(&run.manifest, run.directory.path(), run.job.minor_units);
        (figures.ending, figures.summary, figures.released) = (ending, Some(summary), released.as_ref());
        if args.features {
            figures.features = Some(&run.manifest.features);
            figures.night_before = before.as_ref().map(NightBefore::of);
        }
        print_json(&serde_json::to_string(&figures)?);
    } else if args.features {
        print(&features(&run, released.as_ref(), before.as_ref())?);
    } else {
        print(&sections(&run, released.as_ref(), &bands).join("\n\n"));
    }
    Ok(())
}

/// The run in a word, and its features. Fails where its manifest has no profiles of them.
fn features(run: &PublishedRun, released: Option<&ReleaseNote>, before: Option<&Manifest>) -> Result<String> {
    let Some(features) = summary::features(&run.job, &run.manifest, before) else {
        let message = format!(
            "{}: its manifest does not say how features are distributed: it was made by an older version; run that night \
             again with --replace",
            plain_path(run.directory.path())
        );
        return Err(input(message));
    };
    let before = before.map_or("there is no night before to hold it against".to_string(), |before| {
        format!("beside the night of {}", before.as_of)
    });
    Ok(format!("{}\n\n{features}\n\n{before}", heading(run, released)))
}

/// What there is to show of a run, section by section.
fn sections(run: &PublishedRun, released: Option<&ReleaseNote>, bands: &[BandRow]) -> Vec<String> {
    let PublishedRun { directory, manifest, job } = run;
    let mut parts = vec![heading(run, released)];
    parts.extend(summary::sections(manifest, bands, job.minor_units));
    parts.extend(missing_days(manifest));
    let notices = manifest.notices.iter().map(|notice| paint(Tone::Warning, &visible(notice)));
    let notices: Vec<String> = notices.map(|notice| format!("  {notice}")).collect();
    if !notices.is_empty() {
        parts.push(notices.join("\n"));
    }
    if manifest.held && released.is_none() {
        parts.push(next_steps(directory.path(), manifest));
    }
    parts
}

/// The headline, where the run lies, who released it, when it was made.
fn heading(run: &PublishedRun, released: Option<&ReleaseNote>) -> String {
    let manifest = &run.manifest;
    let state = state(manifest, released.is_some());
    let tone = match state {
        "held" => Tone::Failure,
        "published" => Tone::Good,
        _ => Tone::Warning,
    };
    let head = headline(manifest, run.job.minor_units, run.job.currency.as_deref());
    let mut lines = vec![format!("{head}; {} {}", paint(tone, state), plain_path(run.directory.path()))];
    if let Some(note) = released {
        let gates: Vec<String> =
            note.overruled.iter().map(|gate| format!("`{}`", visible(&gate.name))).collect();
        let noun = if gates.len() == 1 { "gate" } else { "gates" };
        lines.push(format!("{}; in spite of the {noun} {}", note.line(), gates.join(", ")));
    }
    let timing = &manifest.timing;
    lines.push(format!(
        "made {} in {:.1} s by version {}",
        visible(&utc_minute(&timing.started_at)),
        timing.seconds,
        visible(&manifest.program_version)
    ));
    lines.join("\n")
}

/// An instant in UTC without its seconds, as in `2026-11-21 02:00 UTC`.
pub(super) fn utc_minute(instant: &str) -> String {
    match instant.get(..16) {
        Some(minute) => format!("{} UTC", minute.replacen('T', " ", 1)),
        None => instant.to_string(),
    }
}

/// What a run is, in a word.
pub(super) fn state(manifest: &Manifest, is_released: bool) -> &'static str {
    match (manifest.held, is_released, manifest.chain_from) {
        (true, false, _) => "held",
        (true, true, _) => "released",
        (false, _, Some(_)) => "simulated",
        (false, _, None) => "published",
    }
}

/// The days without a delivery, input by input.
fn missing_days(manifest: &Manifest) -> Option<String> {
    let rows =
        manifest.missing_days.iter().filter_map(|(name, days)| Some(vec![name.clone(), missed(days)?]));
    let rows: Vec<Vec<String>> = rows.collect();
    (!rows.is_empty()).then(|| table(&["input", "deliveries"], &rows))
}

/// The accounts of a run by band, counted in its scores.
pub(super) fn bands(run: &PublishedRun) -> Result<Vec<BandRow>> {
    let figures = Figures::of_scores(run)?;
    let mut rows: Vec<BandRow> = figures
        .bands
        .iter()
        .map(|(band, of)| {
            let (lowest, highest) = of.range.unwrap_or_default();
            BandRow {
                band: band.clone(),
                accounts: of.accounts,
                lowest: lowest as i32,
                highest: highest as i32,
            }
        })
        .collect();
    rows.sort_by_key(|row| row.lowest);
    Ok(rows)
}

//! The run against another one: who moved where and why, and how far distributions have drifted.

use super::night::night_name;
use crate::console::thousands;
use crate::diff::pages::{MovesByName, decision_waterfall, matrix, stability_tables};
use crate::diff::{Findings, SideCounts};
use crate::html::{Section, percent};
use crate::job::Action;
use crate::run_dir::PublishedRun;

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
    let units = now.job.minor_units;
    let causes = found.decision_causes.as_ref();
    tables.splice(0..0, causes.map(|causes| decision_waterfall(causes, units, now.job.currency.as_deref())));
    Section {
        note: format!(
            "Against {}: {} of {} accounts stay in their band.{}{}",
            night_name(&before.manifest),
            percent(stay, all),
            thousands(all.into()),
            only_in_one(Some(&found.rows), "Accounts"),
            only_in_one(found.lines.as_ref(), "Lines"),
        ),
        tables,
        ..Section::new("migration", "Migration")
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

/// The population stability index of the score and of every feature; what is steady is folded away.
pub(super) fn stability(before: &PublishedRun, now: &PublishedRun, found: &Findings) -> Section {
    let new = now.job.features.iter().map(|feature| feature.name.as_str());
    let new =
        new.filter(|name| found.features.iter().all(|drift| drift.feature != *name)).map(|name| (name, None));
    let (note, tables) = stability_tables(found, new);
    Section {
        note: format!(
            "How far distributions have moved from {} to {}. {note}",
            night_name(&before.manifest),
            night_name(&now.manifest)
        ),
        tables,
        ..Section::new("stability", "Stability")
    }
}

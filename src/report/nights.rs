//! The nights of a range: the runs of a directory, how each stands, and their figures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::figures::Figures;
use crate::day::Day;
use crate::html::FigureUnit;
use crate::job::Action;
use crate::run_dir::layout::{HELD, RELEASED};
use crate::run_dir::manifest::ControlTotals;
use crate::run_dir::{PublishedRun, dated_runs};
use crate::store::is_url;

/// One day of a range.
pub(super) struct ReportedNight {
    /// Its run.
    pub run: PublishedRun,
    /// Of its scores.
    pub figures: Figures,
    /// `held`, `released`, or empty where it is published as it should be.
    pub standing: &'static str,
}

/// A figure, day by day.
pub(super) struct Series {
    pub name: &'static str,
    /// Set where it is a sum of the manifest's control totals.
    pub figure: &'static str,
    /// A figure a night.
    pub values: Vec<i128>,
    pub unit: FigureUnit,
}

/// All nights of a directory, in order.
pub(super) fn reported_nights(directory: &Path) -> Result<Vec<ReportedNight>> {
    let mut nights = Vec::new();
    for path in nights_of(directory)?.into_values() {
        crate::signal::check()?;
        let run = PublishedRun::open(&path)?;
        let figures = Figures::of_scores(&run)?;
        let standing = if !run.manifest.held {
            ""
        } else if run.directory.has(RELEASED)? {
            "released"
        } else {
            "held"
        };
        nights.push(ReportedNight { run, figures, standing });
    }
    Ok(nights)
}

/// The runs of a directory, and where a day has none the one that is held.
fn nights_of(directory: &Path) -> Result<BTreeMap<Day, PathBuf>> {
    let mut nights = dated_runs(directory)?;
    let held = directory.join(HELD);
    if is_url(&held) || held.is_dir() {
        for (day, path) in dated_runs(&held)? {
            nights.entry(day).or_insert(path);
        }
    }
    Ok(nights)
}

impl ReportedNight {
    /// The figures to check others against.
    pub fn totals(&self) -> &ControlTotals {
        &self.run.manifest.control_totals
    }

    /// How many lines the action is done to.
    pub fn lines(&self, action: Action) -> i128 {
        self.totals().lines_of(action).into()
    }

    /// By how much the action changes limits, minor units.
    pub fn change(&self, action: Action) -> i128 {
        self.totals().of_action(action).map(|totals| (totals.new_limit - totals.old_limit).abs()).sum()
    }

    /// Days without a delivery, of all inputs.
    pub fn missing_days(&self) -> i128 {
        self.run.manifest.missing_days.values().map(|days| days.len() as i128).sum()
    }

    /// The share of the accounts that are in a band.
    pub fn share_bp(&self, band: &str) -> i128 {
        let own = self.figures.bands.get(band).map_or(0, |band| band.accounts);
        i128::from(own) * 10_000 / i128::from(self.figures.accounts().max(1))
    }
}

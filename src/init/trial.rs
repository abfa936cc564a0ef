//! A night run on trial, apart from everything, so that bins, caps and gates fit what the files hold.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use crate::console::Progress;
use crate::day::Day;
use crate::expr::Ints;
use crate::own::{self, Access};
use crate::run::{Nights, RunRequest, run};
use crate::run_dir::manifest::Counts;
use crate::run_dir::{RunDirectory, rows};

/// The three files of a job, as text.
pub(super) struct JobTexts {
    pub job: String,
    pub scorecard: String,
    pub policy: String,
}

/// The names of the three files, in the order of [`JobTexts`].
pub(super) const FILES: [&str; 3] = ["nightly.toml", "scorecard.toml", "policy.toml"];

impl JobTexts {
    /// Writes the three files into a directory, the job last.
    pub(super) fn write(&self, directory: &Path) -> Result<()> {
        own::create_directory(directory, Access::default())?;
        let [job, scorecard, policy] = FILES.map(|name| directory.join(name));
        for (path, text) in [(scorecard, &self.scorecard), (policy, &self.policy), (job, &self.job)] {
            own::put_file(&path, text.as_bytes(), Access::default())?;
        }
        Ok(())
    }
}

/// What the trial night found.
#[derive(Debug, Default)]
pub(super) struct TrialFigures {
    /// Accounts with a score.
    pub accounts: u64,
    /// By name.
    pub features: BTreeMap<String, FeatureFigures>,
    /// By name, in order.
    pub products: Vec<ProductFigures>,
    /// The sum of all limits, minor units.
    pub limits: i128,
    /// The largest sum of limits and balances that one account has, minor units.
    pub largest_exposure: i64,
    /// By input.
    pub counts: BTreeMap<String, Counts>,
}

/// What a feature came to.
#[derive(Debug)]
pub(super) struct FeatureFigures {
    pub accounts: u64,
    pub nulls: u64,
    /// A quarter, the half and three quarters of the values are below them; `None` where there are no values.
    pub quarters: Option<[i64; 3]>,
}

/// What the lines of a product are like; limits of those that are not closed.
#[derive(Debug)]
pub(super) struct ProductFigures {
    pub name: String,
    pub lines: u64,
    pub median_limit: i64,
    pub largest_limit: i64,
}

/// Runs the night of a day and measures it. Nothing of it stays.
pub(super) fn try_night(texts: &JobTexts, as_of: Day, progress: &Progress) -> Result<TrialFigures> {
    let directory = tempfile::tempdir().context("make a directory for the trial night")?;
    texts.write(directory.path())?;
    let request = RunRequest {
        job: directory.path().join(FILES[0]),
        nights: Nights::One { as_of, known_on: as_of },
        out: None,
        replace: false,
        chain: false,
        from_scratch: true,
        memory_bytes: None,
    };
    let mut figures = TrialFigures::default();
    run(&request, progress, &mut |outcome| {
        figures = measure(&outcome.directory)?;
        Ok(())
    })?;
    Ok(figures)
}

fn measure(run: &Path) -> Result<TrialFigures> {
    let (run, manifest) = RunDirectory::open(run)?;
    let mut features = BTreeMap::new();
    let table = rows::read(&run, "features", None)?;
    for (name, _) in table.columns.iter().filter(|(name, _)| name != "account_id") {
        features.insert(name.clone(), feature_figures(table.ints(name)?));
    }
    let lines = rows::read(&run, "decisions", None)?;
    let (limits, balances) = (lines.ints("old_limit")?, lines.ints("balance")?);
    let (names, status) = (lines.texts("product")?, lines.texts("old_status")?);
    let mut by_product: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    let mut by_account: BTreeMap<String, i64> = BTreeMap::new();
    let accounts = lines.column("account_id")?;
    for row in 0..lines.len {
        let limit = limits.get(row).copied().unwrap_or(0);
        let of_product = by_product.entry(names.get(row).unwrap_or_default()).or_default();
        if status.get(row) != Some("closed") {
            of_product.push(limit);
            let exposure = limit.max(balances.get(row).copied().unwrap_or(0));
            let account = rows::AccountId::of(accounts, row).map_or(String::new(), |id| id.text());
            let sum = by_account.entry(account).or_default();
            *sum = sum.saturating_add(exposure);
        }
    }
    let products = by_product.into_iter().map(|(name, mut limits)| {
        limits.sort_unstable();
        ProductFigures {
            name: name.to_string(),
            lines: limits.len() as u64,
            median_limit: limits.get(limits.len() / 2).copied().unwrap_or(0),
            largest_limit: limits.last().copied().unwrap_or(0),
        }
    });
    Ok(TrialFigures {
        accounts: table.len as u64,
        products: products.collect(),
        limits: limits.values.iter().map(|limit| i128::from(*limit)).sum(),
        largest_exposure: by_account.values().max().copied().unwrap_or(0),
        features,
        counts: manifest.counts,
    })
}

fn feature_figures(column: &Ints) -> FeatureFigures {
    let accounts = column.values.len();
    let mut values: Vec<i64> = (0..accounts).filter_map(|row| column.get(row).copied()).collect();
    values.sort_unstable();
    let at = |quarter: usize| values[(values.len() * quarter / 4).min(values.len() - 1)];
    let quarters = (!values.is_empty()).then(|| [at(1), at(2), at(3)]);
    FeatureFigures { accounts: accounts as u64, nulls: (accounts - values.len()) as u64, quarters }
}

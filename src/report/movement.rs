//! What moved between two runs: who went from which band and action to which, and how far distributions
//! have drifted.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use anyhow::Result;

use crate::diff::stability::Distribution;
use crate::expr::{Column, Texts};
use crate::job::Characteristic;
use crate::published::PublishedRun;
use crate::published::rows::{Rows, for_batches, read};

/// What moved.
#[derive(Debug, Default)]
pub struct Movement {
    /// Accounts of both runs by band before and now.
    pub bands: BTreeMap<(String, String), u64>,
    /// Accounts that only one run has: before, now.
    pub accounts_alone: (u64, u64),
    /// Lines of both runs by action before and now.
    pub actions: BTreeMap<(String, String), u64>,
    /// Lines that only one run has: before, now.
    pub lines_alone: (u64, u64),
    /// Of the score, in thousandths.
    pub score_psi: Option<i64>,
    /// By feature of this run: in thousandths; `None` where the other run does not have it.
    pub feature_psi: Vec<(String, Option<i64>)>,
}

impl Movement {
    /// From one run to another.
    pub fn between(before: &PublishedRun, now: &PublishedRun) -> Result<Movement> {
        let mut movement = Movement::default();
        let bands = |run: &PublishedRun| read(&run.table("scores"), Some(&["account_id", "band"]), None);
        movement.accounts_alone =
            join(&bands(before)?, &bands(now)?, &["account_id"], "band", &mut movement.bands)?;
        let actions = |run: &PublishedRun| {
            read(&run.table("decisions"), Some(&["account_id", "product", "action"]), None)
        };
        let key = ["account_id", "product"];
        movement.lines_alone =
            join(&actions(before)?, &actions(now)?, &key, "action", &mut movement.actions)?;
        let mut score = Distribution::values();
        for (side, run) in [before, now].into_iter().enumerate() {
            add(run, "scores", "score", side, &mut score)?;
        }
        movement.score_psi = score.thousandths();
        for (number, feature) in now.job.features.iter().enumerate() {
            let known = before.job.features.iter().position(|old| old.name == feature.name);
            let psi = match known {
                None => None,
                Some(old) => {
                    let mut distribution = distribution(&before.job.scorecard.characteristics, old)
                        .or_else(|| distribution(&now.job.scorecard.characteristics, number))
                        .unwrap_or_else(Distribution::magnitudes);
                    for (side, run) in [before, now].into_iter().enumerate() {
                        add(run, "features", &feature.name, side, &mut distribution)?;
                    }
                    distribution.thousandths()
                }
            };
            movement.feature_psi.push((feature.name.clone(), psi));
        }
        Ok(movement)
    }
}

/// By the bins of the characteristic on a feature, if there is one.
fn distribution(characteristics: &[Characteristic], feature: usize) -> Option<Distribution> {
    let own = characteristics.iter().find(|one| one.feature == feature)?;
    Some(Distribution::bins(own.bins.iter().filter_map(|bin| bin.below).collect()))
}

fn add(run: &PublishedRun, table: &str, column: &str, side: usize, to: &mut Distribution) -> Result<()> {
    for_batches(&run.table(table), &[column], |rows| {
        to.add_side(side, rows.ints(column)?);
        Ok(())
    })
}

/// Walks both tables in the order of their keys; counts what a column says in each, and the rows alone.
fn join(
    before: &Rows,
    now: &Rows,
    key: &[&str],
    column: &str,
    into: &mut BTreeMap<(String, String), u64>,
) -> Result<(u64, u64)> {
    let keys =
        |rows: &Rows| key.iter().map(|name| rows.column(name).cloned()).collect::<Result<Vec<Column>>>();
    let (old_keys, new_keys) = (keys(before)?, keys(now)?);
    let (old_texts, new_texts) = (before.texts(column)?, now.texts(column)?);
    let text = |texts: &Texts, row: usize| texts.get(row).unwrap_or_default().to_string();
    let (mut old, mut new, mut alone) = (0, 0, (0, 0));
    while old < before.len && new < now.len {
        match compare(&old_keys, old, &new_keys, new) {
            Ordering::Less => (old, alone.0) = (old + 1, alone.0 + 1),
            Ordering::Greater => (new, alone.1) = (new + 1, alone.1 + 1),
            Ordering::Equal => {
                *into.entry((text(old_texts, old), text(new_texts, new))).or_default() += 1;
                (old, new) = (old + 1, new + 1);
            }
        }
    }
    alone.0 += (before.len - old) as u64;
    alone.1 += (now.len - new) as u64;
    Ok(alone)
}

/// Orders rows of two tables as outputs are sorted; ids of unlike types have nothing in common.
fn compare(old: &[Column], old_row: usize, new: &[Column], new_row: usize) -> Ordering {
    let columns = old.iter().zip(new).map(|pair| match pair {
        (Column::Int(a), Column::Int(b)) => a.values[old_row].cmp(&b.values[new_row]),
        (Column::Text(a), Column::Text(b)) => a.get(old_row).cmp(&b.get(new_row)),
        _ => Ordering::Less,
    });
    columns.fold(Ordering::Equal, Ordering::then)
}

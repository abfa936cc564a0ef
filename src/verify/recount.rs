//! Counts a published run's tables again, for comparison with the control totals and profiles its manifest gives.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::failure::input;
use crate::features::ValueCounts;
use crate::job::Arm;
use crate::run_dir::RunDirectory;
use crate::run_dir::feature_profile::FeatureProfile;
use crate::run_dir::manifest::{
    ActionTotals, ArmTotals, ControlTotals, NO_SEGMENT, ScoreTotals, account_hash,
};
use crate::run_dir::rows::{AccountId, columns, for_batches, for_batches_of_file};

/// The control totals as the tables of a run give them. Fails where a table in parts is not in order of account, each
/// account in one part.
pub fn recount(run: &RunDirectory) -> Result<ControlTotals> {
    for table in ["adjustments", "decisions", "features", "scores"] {
        check_order(run, table)?;
    }
    let of_scores = columns(run, "scores")?;
    let has = |name: &str| of_scores.iter().any(|(known, _)| known == name);
    let (has_arms, has_segments) = (has("champion_score"), has("segment"));
    let mut actions: BTreeMap<String, BTreeMap<String, ActionTotals>> = BTreeMap::new();
    let mut arms: BTreeMap<String, ArmTotals> = BTreeMap::new();
    let mut segments: BTreeMap<String, ScoreTotals> = BTreeMap::new();
    if has_arms {
        arms.extend(Arm::ALL.map(|arm| (arm.name().to_string(), ArmTotals::default())));
    }
    let names = ["product", "action", "old_limit", "new_limit", "arm"];
    for_batches(run, "decisions", &names[..if has_arms { 5 } else { 4 }], |rows| {
        let arm = if has_arms { Some(rows.texts("arm")?) } else { None };
        let (product, action) = (rows.texts("product")?, rows.texts("action")?);
        let (old, new) = (rows.ints("old_limit")?, rows.ints("new_limit")?);
        for row in 0..rows.len {
            let of_arm = match arm {
                Some(arm) => {
                    Some(arms.get_mut(arm.get(row).unwrap_or_default()).context("an arm is no arm")?)
                }
                None => None,
            };
            for actions in std::iter::once(&mut actions).chain(of_arm.map(|of_arm| &mut of_arm.actions)) {
                let totals = totals_of(
                    actions,
                    product.get(row).context("a product is null")?,
                    action.get(row).context("an action is null")?,
                );
                totals.lines += 1;
                totals.old_limit += i128::from(*old.get(row).context("a limit is null")?);
                totals.new_limit += i128::from(*new.get(row).context("a limit is null")?);
            }
        }
        Ok(())
    })?;
    let (mut accounts, mut hash_total) = (0, 0_u64);
    let more = [("score", has_arms || has_segments), ("arm", has_arms), ("segment", has_segments)];
    let more = more.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name);
    let names: Vec<&str> = ["account_id"].into_iter().chain(more).collect();
    for_batches(run, "scores", &names, |rows| {
        let scores = if has_arms || has_segments { Some(rows.ints("score")?) } else { None };
        let arm = if has_arms { Some(rows.texts("arm")?) } else { None };
        let segment = if has_segments { Some(rows.texts("segment")?) } else { None };
        for row in 0..rows.len {
            let Some(scores) = scores else { break };
            let score_total = *scores.get(row).context("a score is null")?;
            let one = ScoreTotals { accounts: 1, score_total };
            if let Some(arm) = arm {
                let of_arm = arms.get_mut(arm.get(row).unwrap_or_default()).context("an arm is no arm")?;
                of_arm.scores.add(one);
            }
            if let Some(segment) = segment {
                segments.entry(segment.get(row).unwrap_or(NO_SEGMENT).to_string()).or_default().add(one);
            }
        }
        let ids = rows.column("account_id")?;
        accounts += rows.len as u64;
        for row in 0..rows.len {
            let id = AccountId::of(ids, row).context("an account_id is null")?;
            hash_total = hash_total.wrapping_add(account_hash(&id.text()));
        }
        Ok(())
    })?;
    Ok(ControlTotals { arms, segments, ..ControlTotals::of(accounts, hash_total, actions) })
}

/// The profiles of features that `features.parquet` gives, of those named.
pub fn recount_features(run: &RunDirectory, names: &[&str]) -> Result<Vec<FeatureProfile>> {
    let mut counts = vec![ValueCounts::default(); names.len()];
    for_batches(run, "features", names, |rows| {
        for (counts, name) in counts.iter_mut().zip(names) {
            let values = rows.ints(name)?;
            counts.add(&ValueCounts::of(|to| (0..rows.len).for_each(|row| to(values.get(row).copied()))));
        }
        Ok(())
    })?;
    Ok(names.iter().zip(&counts).map(|(name, counts)| FeatureProfile::of(name, counts)).collect())
}

/// The totals of a product and an action; names are copied only where they are new.
fn totals_of<'t>(
    totals: &'t mut BTreeMap<String, BTreeMap<String, ActionTotals>>,
    product: &str,
    action: &str,
) -> &'t mut ActionTotals {
    if !totals.contains_key(product) {
        totals.insert(product.to_string(), BTreeMap::new());
    }
    let of_product = totals.get_mut(product).expect("just there");
    if !of_product.contains_key(action) {
        of_product.insert(action.to_string(), ActionTotals::default());
    }
    of_product.get_mut(action).expect("just there")
}

/// Fails where the accounts of a table in parts do not ascend, or some account is in two parts.
fn check_order(run: &RunDirectory, table: &str) -> Result<()> {
    let files = run.table(table)?;
    if files.len() == 1 {
        return Ok(());
    }
    let is_row_an_account = ["features", "scores"].contains(&table);
    let mut last: Option<AccountId> = None;
    for file in files {
        let mut may_repeat = false;
        for_batches_of_file(run, file, &["account_id"], |rows| {
            let ids = rows.column("account_id")?;
            for row in 0..rows.len {
                let id = AccountId::of(ids, row).context("an account_id is null")?;
                if let Some(last) = last.as_ref().filter(|last| **last > id || **last == id && !may_repeat) {
                    let (file, id, last) = (&file.file, id.text(), last.text());
                    return Err(input(format!(
                        "{file}: account {id} comes after account {last}: accounts must ascend, each in one part"
                    )));
                }
                last = Some(id);
                may_repeat = !is_row_an_account;
            }
            Ok(())
        })?;
    }
    Ok(())
}

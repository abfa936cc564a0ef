//! How the features of a run are distributed, beside those of the night before.

use crate::console::table;
use crate::html::percent;
use crate::job::{Job, Unit};
use crate::run_dir::feature_profile::FeatureProfile;
use crate::run_dir::manifest::Manifest;

/// A row a feature: the shares of accounts for which it is null and 0, quantiles of its values in their
/// unit, and, where there is a night before, its shares and median then. `None` where the manifest has no profiles.
pub fn features(job: &Job, manifest: &Manifest, before: Option<&Manifest>) -> Option<String> {
    if manifest.features.is_empty() {
        return None;
    }
    let mut header = vec!["feature", "null", "zero", "p05", "median", "p95"];
    header.extend(before.iter().flat_map(|_| ["null before", "zero before", "median before"]));
    let rows = manifest.features.iter().map(|profile| {
        let mut row = vec![profile.feature.clone()];
        row.extend(shares(profile, manifest));
        let unit = Unit::of_name(&job.features, &profile.feature);
        let value = |value: Option<i64>| {
            value.map_or(String::new(), |value| unit.show(value.into(), job.minor_units))
        };
        row.extend([profile.p05, profile.p50, profile.p95].map(value));
        if let Some(before) = before {
            // Nothing where the feature is new.
            let then = before.features.iter().find(|then| then.feature == profile.feature);
            row.extend(then.map_or_else(Default::default, |then| {
                let [null, zero] = shares(then, before);
                [null, zero, value(then.p50)]
            }));
        }
        row
    });
    Some(table(&header, &rows.collect::<Vec<_>>()))
}

/// The shares of accounts for which a feature is null and 0.
fn shares(profile: &FeatureProfile, manifest: &Manifest) -> [String; 2] {
    let accounts = manifest.control_totals.accounts;
    [percent(profile.nulls, accounts), percent(profile.zeros, accounts)]
}

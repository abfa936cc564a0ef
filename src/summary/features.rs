//! How the features of a run are distributed, beside those of the night before.

use crate::console::{table, thousands};
use crate::html::percent;
use crate::run_dir::feature_profile::FeatureProfile;
use crate::run_dir::manifest::Manifest;

/// A row a feature: the shares of accounts for which it is null and 0, quantiles of its values (money in minor units),
/// and, where there is a night before, its shares and median then. `None` where the manifest has no profiles.
pub fn features(manifest: &Manifest, before: Option<&Manifest>) -> Option<String> {
    if manifest.features.is_empty() {
        return None;
    }
    let mut header = vec!["feature", "null", "zero", "p05", "median", "p95"];
    header.extend(before.iter().flat_map(|_| ["null before", "zero before", "median before"]));
    let rows = manifest.features.iter().map(|profile| {
        let mut row = vec![profile.feature.clone()];
        row.extend(shares(profile, manifest));
        row.extend([profile.p05, profile.p50, profile.p95].map(value));
        if let Some(before) = before {
            row.extend(cells_before(&profile.feature, before));
        }
        row
    });
    Some(table(&header, &rows.collect::<Vec<_>>()))
}

/// What stands in the columns of the night before; nothing where the feature is new.
fn cells_before(feature: &str, before: &Manifest) -> [String; 3] {
    match before.features.iter().find(|profile| profile.feature == feature) {
        None => Default::default(),
        Some(profile) => {
            let [null, zero] = shares(profile, before);
            [null, zero, value(profile.p50)]
        }
    }
}

/// The shares of accounts for which a feature is null and 0.
fn shares(profile: &FeatureProfile, manifest: &Manifest) -> [String; 2] {
    let accounts = manifest.control_totals.accounts;
    [percent(profile.nulls, accounts), percent(profile.zeros, accounts)]
}

fn value(value: Option<i64>) -> String {
    value.map_or(String::new(), |value| thousands(value.into()))
}

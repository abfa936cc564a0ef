//! Profiles of features: what a manifest says of their values is what `features.parquet` holds.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::book::{Book, TODAY};
use crate::support::files::reseal;
use crate::support::{SHIPPED_NIGHTS, Table, rescore_in, shipped_in};

/// The profiles in the manifest of a run.
fn profiles(run: &Path) -> Vec<Value> {
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(run.join("manifest.json")).unwrap()).unwrap();
    manifest["features"].as_array().unwrap().clone()
}

/// The value of nearest rank.
fn quantile(sorted: &[i64], percent: usize) -> i64 {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

/// The step of a histogram that a value lies in: by itself below 16, then eight a doubling, by the naive way.
fn step(value: i64) -> i64 {
    let (mut bound, mut width) = (value.unsigned_abs(), 1);
    while bound / width >= 16 {
        width *= 2;
    }
    bound -= bound % width;
    bound as i64 * value.signum()
}

fn check_profiles(run: &Path) {
    let features = Table::read(&run.join("features.parquet"));
    let profiles = profiles(run);
    let names: Vec<&str> = features.columns.iter().skip(1).map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        profiles.iter().map(|profile| profile["feature"].as_str().unwrap()).collect::<Vec<_>>(),
        names
    );
    for profile in profiles {
        let cells = features.column(profile["feature"].as_str().unwrap());
        let mut values: Vec<i64> = cells.iter().filter_map(|cell| cell.int()).collect();
        values.sort_unstable();
        let zeros = values.iter().filter(|value| **value == 0).count();
        assert_eq!(profile["nulls"], cells.len() - values.len(), "{profile}");
        assert_eq!(profile["zeros"], zeros, "{profile}");
        assert_eq!(profile["min"].as_i64(), values.first().copied(), "{profile}");
        assert_eq!(profile["max"].as_i64(), values.last().copied(), "{profile}");
        let mut steps = std::collections::BTreeMap::<i64, u64>::new();
        values.iter().for_each(|value| *steps.entry(step(*value)).or_default() += 1);
        assert_eq!(
            profile["histogram"],
            serde_json::json!(steps.into_iter().collect::<Vec<_>>()),
            "{profile}"
        );
        for percent in [5, 25, 50, 75, 95] {
            let said = profile[format!("p{percent:02}")].as_i64();
            if values.is_empty() {
                assert_eq!(said, None);
                continue;
            }
            let (said, exact) = (said.unwrap(), quantile(&values, percent));
            let most_off = if exact.abs() < 256 { 0 } else { exact.abs() / 128 };
            assert!((exact - said).abs() <= most_off, "p{percent} is {exact}: {profile}");
        }
    }
}

#[test]
fn profiles_are_those_of_the_table_of_features() {
    let home = tempfile::tempdir().unwrap();
    shipped_in(home.path());
    for (job, date) in SHIPPED_NIGHTS {
        assert!(rescore_in(home.path(), &["run", job, "--date", date, "-q"]).status.success());
        check_profiles(&home.path().join(format!("out/date={date}")));
    }
}

#[test]
fn a_profile_that_was_edited_is_found_by_verify() {
    let book = Book::new();
    book.publish();
    let run = book.path().join(format!("out/date={TODAY}"));
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    let (before, profile) = manifest.split_once("\"nulls\": ").unwrap();
    let (nulls, after) = profile.split_once(',').unwrap();
    let nulls: u64 = nulls.parse().unwrap();
    fs::write(run.join("manifest.json"), format!("{before}\"nulls\": {},{after}", nulls + 1)).unwrap();
    reseal(&run);
    let (code, _, stderr) = book.outcome(&["verify", &format!("out/date={TODAY}")]);
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("the profile of the feature "), "{stderr}");
}

//! The features: how their values are distributed, with the night before behind them, and how many are null or zero.

use std::collections::BTreeMap;

use crate::console::thousands;
use crate::features::HISTOGRAM_DIGITS;
use crate::html::{
    Axis, Cell, Chart, FigureUnit, MoreCharts, STEPS, Section, Table, basis_points, histogram_outline,
};
use crate::magnitude;
use crate::run_dir::PublishedRun;
use crate::run_dir::feature_profile::FeatureProfile;

/// The features of a run as its manifest describes them; `None` where it does not.
pub(super) fn section(run: &PublishedRun, before: Option<&PublishedRun>) -> Option<Section> {
    let profiles = &run.manifest.features;
    if profiles.is_empty() {
        return None;
    }
    let earlier = |feature: &str| {
        before.and_then(|before| before.manifest.features.iter().find(|profile| profile.feature == feature))
    };
    let then = before.map(|before| before.manifest.as_of.to_string());
    let pointed: Vec<&str> = run
        .job
        .cards()
        .into_iter()
        .flat_map(|card| &card.characteristics)
        .map(|one| run.job.features[one.feature].name.as_str())
        .collect();
    let (scored, others): (Vec<&FeatureProfile>, Vec<&FeatureProfile>) =
        profiles.iter().partition(|profile| pointed.contains(&profile.feature.as_str()));
    let charts = |profiles: &[&FeatureProfile]| -> Vec<Chart> {
        profiles.iter().map(|profile| chart(profile, earlier(&profile.feature), "accounts")).collect()
    };
    let shown = table("Shares of null and zero, and quantiles", &scored, &earlier);
    let mut folded =
        table(&format!("Shares and quantiles of {}", more_title(others.len())), &others, &earlier);
    folded.folded = true;
    let mut legend = vec![("this night".to_string(), "s2".to_string())];
    legend.extend(then.iter().map(|day| (day.clone(), "outline".to_string())));
    let was = then.map_or(String::new(), |day| {
        format!(" Where a figure was another one on {day}, that stands below it.")
    });
    Some(Section {
        note: format!(
            "Accounts by value. Steps along the bottom widen with the values: one each below 16, eight a doubling above. \
             Money is in minor units.{was}"
        ),
        legend,
        charts: charts(&scored),
        more: MoreCharts { title: more_title(others.len()), charts: charts(&others) },
        tables: [shown, folded].into_iter().filter(|table| !table.rows.is_empty()).collect(),
        ..Section::new("features", "Features")
    })
}

fn more_title(features: usize) -> String {
    match features {
        1 => "1 feature that gives no points".to_string(),
        _ => format!("{features} features that give no points"),
    }
}

/// The values of a feature by themselves, as a chart of things of a name.
pub(crate) fn profile_chart(profile: &FeatureProfile, counted: &'static str) -> Chart {
    chart(profile, None, counted)
}

/// Null and zero share, least and largest value and quantiles of features by themselves.
pub(crate) fn profile_table(caption: &str, profiles: &[&FeatureProfile]) -> Table {
    table(caption, profiles, &|_| None)
}

fn chart(now: &FeatureProfile, before: Option<&FeatureProfile>, counted: &'static str) -> Chart {
    const MOST_COLUMNS: i32 = 48;
    let by_step = |profile: &FeatureProfile| -> BTreeMap<i32, u64> {
        profile
            .histogram
            .iter()
            .map(|(value, accounts)| (magnitude::step(*value, HISTOGRAM_DIGITS), *accounts))
            .collect()
    };
    let (counts, behind) = (by_step(now), before.map(by_step).unwrap_or_default());
    let steps = || counts.keys().chain(behind.keys()).copied();
    let (first, last) = (steps().min().unwrap_or(0), steps().max().unwrap_or(0));
    // Neighbouring steps go together where there are more than can be told apart.
    let width = (last - first) / MOST_COLUMNS + 1;
    let columns = (last - first) / width + 1;
    let in_columns = |counts: &BTreeMap<i32, u64>| {
        let mut found = vec![0; columns as usize];
        counts.iter().for_each(|(step, accounts)| found[((step - first) / width) as usize] += accounts);
        found
    };
    let (own, other) = (in_columns(&counts), if before.is_some() { in_columns(&behind) } else { Vec::new() });
    let axis = Axis::from_zero(own.iter().chain(&other).map(|count| i128::from(*count)), STEPS - 1);
    let mut chart = Chart::new(&now.feature, &FigureUnit::Count(counted), &axis);
    histogram_outline(&mut chart, &own, "area s2", &axis);
    if before.is_some() {
        histogram_outline(&mut chart, &other, "outline", &axis);
    }
    chart.alt = alt(now, counted);
    let value = |step: i32| thousands(magnitude::bound(step, HISTOGRAM_DIGITS).into());
    let places = if columns < 3 { vec![0] } else { vec![0, columns / 2, columns - 1] };
    let ticks = places.into_iter().map(|column| {
        let middle = i64::from(2 * column + 1) * 1000 / i64::from(2 * columns);
        (middle, value(first + column * width))
    });
    chart.label_along("value", ticks);
    chart
}

fn alt(profile: &FeatureProfile, counted: &str) -> String {
    let FeatureProfile { feature, nulls, zeros, min, p50, max, .. } = profile;
    let (nulls, zeros) = (thousands((*nulls).into()), thousands((*zeros).into()));
    match (min, p50, max) {
        (Some(min), Some(half), Some(max)) => format!(
            "Histogram of {feature}: {} to {}, half of the values at most {}; {nulls} null, {zeros} zero.",
            thousands((*min).into()),
            thousands((*max).into()),
            thousands((*half).into())
        ),
        _ => format!("{feature} is null for all {nulls} {counted}."),
    }
}

/// Null and zero share, least and largest value and quantiles; what was another one the night before below each.
fn table<'a>(
    caption: &str,
    profiles: &[&FeatureProfile],
    earlier: &dyn Fn(&str) -> Option<&'a FeatureProfile>,
) -> Table {
    let header = ["feature", "#null", "#zero", "#least", "#5 %", "#half", "#95 %", "#largest"];
    let mut table = Table::new(caption, &header);
    for profile in profiles {
        let then = earlier(&profile.feature).map(texts);
        let own = texts(profile).into_iter().enumerate().map(|(number, text)| {
            let was = then.as_ref().map(|then| &then[number]).filter(|then| **then != text);
            Cell::number(was.map_or(text.clone(), |was| format!("{text}\nwas {was}")))
        });
        table.rows.push(std::iter::once(Cell::text(&profile.feature)).chain(own).collect());
    }
    table
}

/// The figures of a profile as they are read.
fn texts(profile: &FeatureProfile) -> Vec<String> {
    let counted: u64 = profile.histogram.iter().map(|(_, accounts)| accounts).sum();
    let share =
        |part: u64| basis_points(i128::from(part) * 10_000 / i128::from((counted + profile.nulls).max(1)));
    let value = |value: Option<i64>| value.map_or("–".to_string(), |value| thousands(value.into()));
    let FeatureProfile { min, p05, p50, p95, max, .. } = *profile;
    let values = [min, p05, p50, p95, max].into_iter().map(value);
    [share(profile.nulls), share(profile.zeros)].into_iter().chain(values).collect()
}

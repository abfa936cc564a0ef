//! sample.html: what a sample has, to look at before anything is fitted on it.

use anyhow::Result;
use rayon::prelude::*;

use super::counts::{GoodBad, MonthCounts, SampleCounts};
use super::draw::DrawnSample;
use super::file::ModelFile;
use super::sample::{ModelSample, RowOutcome};
use crate::console::{plain_path, plural, thousands};
use crate::features::ValueCounts;
use crate::html::{
    Axis, Banner, BannerPoint, Bar, Cell, Chart, FigureUnit, MoreCharts, Page, STEPS, Section, Table, Tile,
    basis_points, histogram, percent,
};
use crate::report::{profile_chart, profile_table};
use crate::run_dir::feature_profile::FeatureProfile;

impl DrawnSample {
    /// The page of the sample.
    pub fn page(&self, model: &ModelFile) -> Result<String> {
        let counts = &self.counts;
        let mut sections = vec![outcomes(counts), parts(counts)];
        if !counts.months.is_empty() {
            sections.push(months(counts));
        }
        sections.push(features(&self.sample));
        let page = Page {
            title: format!("Sample of {}", self.job.name),
            subtitle: format!("{}, drawn by {}", plain_path(&model.sample), plain_path(&model.source.path)),
            banner: (!self.warnings.is_empty()).then(|| banner(&self.warnings)),
            tiles: tiles(counts),
            sections,
        };
        page.render()
    }
}

fn banner(warnings: &[String]) -> Banner {
    Banner {
        tone: "warn",
        verdict: plural(warnings.len(), "warning"),
        sentences: warnings.iter().map(|warning| format!("{warning}.")).collect(),
        points: Vec::<BannerPoint>::new(),
    }
}

fn tiles(counts: &SampleCounts) -> Vec<Tile> {
    let [good, bad] = [RowOutcome::Good, RowOutcome::Bad].map(|outcome| counts.of_outcome(outcome));
    let days = match (counts.first, counts.last) {
        (Some(day), Some(last)) if day == last => format!("on {day}"),
        (Some(first), Some(last)) => format!("on {}, {first} to {last}", plural(counts.days, "day")),
        _ => String::new(),
    };
    vec![
        Tile::new("rows", Cell::count(counts.rows)).note(days),
        Tile::new("good", Cell::count(good)),
        Tile::new("bad", Cell::count(bad)).note(format!("{} of good and bad", percent(bad, good + bad))),
        Tile::new("neither", Cell::count(counts.rows - good - bad)),
    ]
}

fn outcomes(counts: &SampleCounts) -> Section {
    let mut table = Table::new("Rows by outcome", &["outcome", "#rows", "#share", ""]);
    let means = |outcome: RowOutcome| match outcome {
        RowOutcome::Good => "good",
        RowOutcome::Bad => "bad",
        RowOutcome::Indeterminate => "indeterminate: neither good nor bad",
        RowOutcome::Immature => "immature: not known yet",
        RowOutcome::Unmatched => "unmatched: nothing tells",
        RowOutcome::Excluded => "excluded by the model file",
        RowOutcome::LeftOut => "left out: no features",
    };
    for outcome in RowOutcome::ALL {
        let rows = counts.of_outcome(outcome);
        let alt = format!("{} of {} rows", thousands(rows.into()), thousands(counts.rows.into()));
        let bar = Bar::of(rows.into(), counts.rows.into(), "s2", alt);
        table.rows.push(vec![
            Cell::text(means(outcome)),
            Cell::count(rows),
            Cell::number(percent(rows, counts.rows)),
            Cell::bar(bar),
        ]);
    }
    let mut tables = vec![table];
    let mut reasons = Table::new("Rows that are left out, by reason", &["reason", "#rows"]);
    let some = counts.left_out.iter().filter(|(_, rows)| **rows > 0);
    reasons.rows.extend(some.map(|(reason, rows)| vec![Cell::text(*reason), Cell::count(*rows)]));
    tables.extend(Some(reasons).filter(|reasons| !reasons.rows.is_empty()));
    let known = counts.known_until.map_or(String::new(), |day| format!("Outcomes are known up to {day}. "));
    let others = [
        (counts.outcome_repeats, "rows of the outcomes say what another row says"),
        (counts.outcome_without_key, "rows of the outcomes have no account or no date"),
        (counts.outcome_not_delivered, "rows are unmatched for want of a delivery of repayments"),
    ];
    let others = others.iter().filter(|(rows, _)| *rows > 0);
    let others: Vec<String> =
        others.map(|(rows, what)| format!("{} {what}.", thousands((*rows).into()))).collect();
    Section { note: format!("{known}{}", others.join(" ")), tables, ..Section::new("outcomes", "Outcomes") }
}

/// Rows, good and bad ones and the bad rate, as cells.
fn cells(name: &str, rows: &GoodBad) -> Vec<Cell> {
    let rate = rows.bad_rate_bp().map_or("–".to_string(), basis_points);
    vec![
        Cell::text(name),
        Cell::count(rows.rows),
        Cell::count(rows.good),
        Cell::count(rows.bad),
        Cell::number(rate),
    ]
}

const HEADER: [&str; 5] = ["", "#rows", "#good", "#bad", "#bad rate"];

fn parts(counts: &SampleCounts) -> Section {
    let mut table = Table::new("Rows by part", &HEADER);
    table.rows.extend(counts.parts.iter().map(|part| cells(part.part, &part.rows)));
    Section {
        note: "A scorecard is fitted on the good and bad rows of train, and proves itself on holdout and out_of_time. \
               The bad rate is by weight."
            .to_string(),
        tables: vec![table],
        ..Section::new("parts", "Parts")
    }
}

fn months(counts: &SampleCounts) -> Section {
    let mut table = Table::new("Rows by month of as_of", &HEADER);
    table.rows.extend(counts.months.iter().map(|month| cells(&month.month, &month.rows)));
    table.folded = counts.months.len() > 12;
    let rows = chart("Rows by month", &FigureUnit::Count("rows"), &counts.months, |rows| rows.rows);
    let rate =
        chart("Bad rate by month", &FigureUnit::BasisPoints("of good and bad"), &counts.months, |rows| {
            rows.bad_rate_bp().and_then(|rate| u64::try_from(rate).ok()).unwrap_or(0)
        });
    Section { charts: vec![rows, rate], tables: vec![table], ..Section::new("months", "Months") }
}

/// A figure by month, as columns.
fn chart(title: &str, unit: &FigureUnit, months: &[MonthCounts], figure: impl Fn(&GoodBad) -> u64) -> Chart {
    let values: Vec<u64> = months.iter().map(|month| figure(&month.rows)).collect();
    let axis = Axis::from_zero(values.iter().map(|value| i128::from(*value)), STEPS);
    let mut chart = Chart::new(title, unit, &axis);
    let columns = months.iter().zip(&values).map(|(month, value)| {
        (*value, "s2".to_string(), format!("{}: {}", month.month, unit.text((*value).into())))
    });
    histogram(&mut chart, &columns.collect::<Vec<_>>(), &[], &axis);
    let last = months.len() - 1;
    chart.alt = format!(
        "{title}: {} in {}, {} in {}.",
        unit.text(values[0].into()),
        months[0].month,
        unit.text(values[last].into()),
        months[last].month
    );
    let mut places = vec![0, last / 2, last];
    places.dedup();
    let ticks = places.into_iter().map(|place| {
        ((2 * place as i64 + 1) * 1000 / (2 * months.len() as i64), months[place].month.clone())
    });
    chart.label_along("month", ticks);
    chart
}

/// How the features are distributed over the rows that have them.
fn features(sample: &ModelSample) -> Section {
    const MOST_CHARTS: usize = 24;
    let rows: Vec<usize> =
        (0..sample.len()).filter(|row| sample.outcome[*row] != RowOutcome::LeftOut).collect();
    let profiles: Vec<FeatureProfile> = sample
        .names
        .par_iter()
        .zip(&sample.features)
        .map(|(name, ints)| {
            let counts = ValueCounts::of(|each| rows.iter().for_each(|row| each(ints.get(*row).copied())));
            FeatureProfile::of(name, &counts)
        })
        .collect();
    let all: Vec<&FeatureProfile> = profiles.iter().collect();
    let charts: Vec<Chart> = all.iter().map(|profile| profile_chart(profile, "rows")).collect();
    let (charts, more) = if charts.len() > MOST_CHARTS { (Vec::new(), charts) } else { (charts, Vec::new()) };
    Section {
        note: "Rows that have features, whatever their outcome. Steps along the bottom widen with the values: one each \
               below 16, eight a doubling above. Money is in minor units."
            .to_string(),
        charts,
        more: MoreCharts { title: plural(all.len(), "feature"), charts: more },
        tables: vec![profile_table("Shares of null and zero, and quantiles", &all)],
        ..Section::new("features", "Features")
    }
}

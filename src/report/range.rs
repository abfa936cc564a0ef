//! A directory of runs as a page: over days, each headline figure, the bands and the gates that did not hold.

use std::path::Path;

use anyhow::Result;

use super::night::{money_unit, rejected_bp};
use super::nights::{ReportedNight, Series, reported_nights};
use super::range_tables::{bands_table, gates_section, series_table};
use crate::console::{plural, thousands};
use crate::day::Day;
use crate::html::{
    Axis, Banner, BannerPoint, Cell, Chart, FigureUnit, NightAxis, Page, STEPS, Section, Tile, shade,
};
use crate::job::Action;
use crate::run_dir::gates::failed;

/// Figures of one kind, their id and title.
pub(super) struct SeriesGroup {
    id: &'static str,
    title: &'static str,
    series: Vec<Series>,
}

/// The page of a directory of runs, those held below it among them; `None` where it holds none.
pub fn range_page(directory: &Path) -> Result<Option<String>> {
    let nights = reported_nights(directory)?;
    if nights.is_empty() { Ok(None) } else { assemble(&nights).render().map(Some) }
}

fn assemble(nights: &[ReportedNight]) -> Page {
    let days: Vec<Day> = nights.iter().map(|night| night.run.manifest.as_of).collect();
    let marks: Vec<&'static str> = nights.iter().map(|night| night.standing).collect();
    let along = NightAxis { days: &days, marks: &marks };
    let (first, last) = (days[0], days[days.len() - 1]);
    let groups = groups(nights);
    let legend = legend(&marks);
    let mut sections: Vec<Section> = groups
        .iter()
        .map(|group| Section {
            legend: legend.clone(),
            charts: group.series.iter().map(|series| chart(series, &along)).collect(),
            tables: vec![series_table(group.title, &group.series, nights)],
            ..Section::new(group.id, group.title)
        })
        .collect();
    sections[0].note = "Every axis of figures begins at zero.".to_string();
    sections.push(bands(nights, &along, legend));
    sections.push(gates_section(nights));
    let before = nights.len().checked_sub(2).map(|number| days[number]);
    let since = before.map_or(String::new(), |before| format!(" Changes are since the night of {before}."));
    Page {
        title: format!("{}: {first} to {last}", nights[nights.len() - 1].run.manifest.job),
        subtitle: format!("The figures below are those of {last}.{since}"),
        banner: Some(banner(nights)),
        tiles: groups.iter().flat_map(|group| &group.series).take(TILES).map(tile).collect(),
        sections,
    }
}

/// The figure that is a difference.
const CHANGE: &str = "Change of limits";

/// The first figures are headlines.
const TILES: usize = 8;

fn tile(series: &Series) -> Tile {
    let [.., last] = series.values[..] else { return Tile::new(series.name, Cell::default()) };
    let note = match series.values[..] {
        [.., before, last] if before == last => "as the night before".to_string(),
        [.., before, last] => {
            format!("{} (was {})", series.unit.signed(last - before), series.unit.text(before))
        }
        _ => String::new(),
    };
    let unit = match &series.unit {
        FigureUnit::Money { currency, .. } => currency.clone().unwrap_or_default(),
        _ => String::new(),
    };
    Tile::new(
        series.name,
        Cell::number(if series.name == CHANGE { series.unit.signed(last) } else { series.unit.text(last) }),
    )
    .unit(unit)
    .note(note)
}

/// How the nights stand, which are missing, and what held any of them.
fn banner(nights: &[ReportedNight]) -> Banner {
    let [held, released] =
        ["held", "released"].map(|standing| nights.iter().filter(|night| night.standing == standing).count());
    let days: Vec<Day> = nights.iter().map(|night| night.run.manifest.as_of).collect();
    let between = days[0].0..days[days.len() - 1].0;
    let missing: Vec<String> =
        between.map(Day).filter(|day| !days.contains(day)).map(|day| day.to_string()).collect();
    let latest_is_held = nights.last().is_some_and(|night| night.standing == "held");
    let mut sentences = vec![format!(
        "{} published, {} released in spite of a gate, {} held, {} missing.",
        nights.len() - held - released,
        released,
        held,
        missing.len()
    )];
    if !missing.is_empty() {
        sentences.push(format!("There is no run of {}.", listed(&missing)));
    }
    let points = nights.iter().filter(|night| !night.standing.is_empty()).flat_map(|night| {
        let units = night.run.job.minor_units;
        failed(&night.run.manifest.gates).into_iter().map(move |gate| BannerPoint {
            name: format!("{} {}: {}", night.run.manifest.as_of, night.standing, gate.name),
            text: gate.in_words(units).to_string(),
            tone: if night.standing == "held" { "bad" } else { "warn" },
        })
    });
    Banner {
        tone: match (latest_is_held, held + released + missing.len()) {
            (true, _) => "bad",
            (false, 0) => "good",
            (false, _) => "warn",
        },
        verdict: format!(
            "{}{}",
            plural(nights.len(), "night"),
            if latest_is_held { ", the latest held" } else { "" }
        ),
        sentences,
        points: points.take(MOST_NAMED).collect(),
    }
}

/// More are not named in a banner.
const MOST_NAMED: usize = 12;

fn listed(days: &[String]) -> String {
    let more = days.len().saturating_sub(MOST_NAMED);
    let named = days.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{named} and {} more", thousands(more as i128)) } else { named }
}

/// What the marks along the days mean, as far as there are any.
fn legend(marks: &[&'static str]) -> Vec<(String, String)> {
    let all = [("held", "held by a gate"), ("released", "released in spite of a gate")];
    let used = all.into_iter().filter(|(mark, _)| marks.contains(mark));
    used.map(|(mark, words)| (words.to_string(), mark.to_string())).collect()
}

/// A figure of every night.
fn series(
    nights: &[ReportedNight],
    name: &'static str,
    figure: &'static str,
    unit: &FigureUnit,
    value: impl Fn(&ReportedNight) -> i128,
) -> Series {
    Series { name, figure, unit: unit.clone(), values: nights.iter().map(value).collect() }
}

fn groups(nights: &[ReportedNight]) -> Vec<SeriesGroup> {
    use FigureUnit::{BasisPoints, Count, Tenths};
    let money = money_unit(&nights[0].run.job);
    let lines = Count("lines");
    let book = vec![
        series(nights, "Accounts", "accounts", &Count("accounts"), |night| night.totals().accounts.into()),
        series(nights, "Lines", "lines", &lines, |night| night.totals().lines.into()),
        series(nights, "Adjustments", "adjustments", &lines, |night| night.totals().adjustments.into()),
        series(nights, "Mean score", "", &Tenths("points"), |night| {
            night.figures.mean_score_tenths().unwrap_or(0)
        }),
        series(nights, CHANGE, "", &money, |night| {
            night.totals().new_limit_total - night.totals().old_limit_total
        }),
        series(nights, "Limits after", "new_limit_total", &money, |night| night.totals().new_limit_total),
        series(nights, "Rejected rows", "", &BasisPoints("of the rows"), |night| {
            rejected_bp(&night.run.manifest)
        }),
        series(nights, "Days without a delivery", "", &Count("days"), ReportedNight::missing_days),
    ];
    let actions = [
        ("Raised", Action::Raise),
        ("Lowered", Action::Lower),
        ("Suspended", Action::Suspend),
        ("Closed", Action::Close),
        ("Reopened", Action::Reopen),
        ("Withdrawn", Action::Withdraw),
    ];
    let amounts = [
        ("Limits raised by", Action::Raise),
        ("Limits lowered by", Action::Lower),
        ("Limits closed", Action::Close),
    ];
    let actions = actions.map(|(name, action)| series(nights, name, "", &lines, |night| night.lines(action)));
    let amounts =
        amounts.map(|(name, action)| series(nights, name, "", &money, |night| night.change(action)));
    vec![
        SeriesGroup { id: "days", title: "The book, night by night", series: book },
        SeriesGroup { id: "actions", title: "Actions, night by night", series: actions.into() },
        SeriesGroup { id: "money", title: "Money, night by night", series: amounts.into() },
    ]
}

fn chart(series: &Series, along: &NightAxis) -> Chart {
    let axis = Axis::from_zero(series.values.iter().copied(), STEPS - 1);
    let mut chart = Chart::new(series.name, &series.unit, &axis);
    along.place(&mut chart);
    along.draw(&mut chart, &series.values, &axis, "s4");
    along.label_ends(&mut chart, &series.values, &axis, &series.unit);
    let text = |value: Option<&i128>| value.map_or(String::new(), |value| series.unit.text(*value));
    chart.alt = format!(
        "{} from {} ({}) to {} ({}), between {} and {}.{}",
        series.name,
        along.days[0],
        text(series.values.first()),
        along.days[along.days.len() - 1],
        text(series.values.last()),
        text(series.values.iter().min()),
        text(series.values.iter().max()),
        along.in_words()
    );
    chart
}

/// The share of each band, day by day.
fn bands(nights: &[ReportedNight], along: &NightAxis, legend: Vec<(String, String)>) -> Section {
    let last = &nights[nights.len() - 1].run.job.scorecard.bands;
    let unit = FigureUnit::BasisPoints("of the accounts");
    let shares: Vec<Vec<i128>> =
        last.iter().map(|band| nights.iter().map(|night| night.share_bp(&band.name)).collect()).collect();
    let axis = Axis::from_zero(shares.iter().flatten().copied(), STEPS);
    let mut chart = Chart::new("Share of the accounts by band", &unit, &axis);
    along.place(&mut chart);
    let mut words = Vec::new();
    for (rank, (band, values)) in last.iter().zip(&shares).enumerate() {
        let colour = shade(rank, last.len());
        along.draw(&mut chart, values, &axis, &colour);
        let [first, latest] = [values.first(), values.last()]
            .map(|value| value.map_or(String::new(), |value| unit.text(*value)));
        chart.legend.push((format!("{} {first} → {latest}", band.name), colour));
        words.push(format!("{} from {first} to {latest}", band.name));
    }
    chart.alt = format!("{}.{}", words.join(", "), along.in_words());
    let names: Vec<&str> = last.iter().map(|band| band.name.as_str()).collect();
    Section {
        legend,
        charts: vec![chart],
        tables: vec![bands_table(&names, nights)],
        ..Section::new("bands", "Bands")
    }
}

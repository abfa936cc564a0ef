//! A directory of runs as a page: a line over days of each headline figure.

use std::path::Path;

use anyhow::Result;

use super::figures::Figures;
use super::night::tenths;
use crate::console::{money, thousands};
use crate::day::Day;
use crate::html::{Cell, Chart, Page, Section, Table, Tile, line, shade};
use crate::job::Action;
use crate::run_dir::manifest::ActionTotals;
use crate::run_dir::{PublishedRun, dated_runs};

/// One day of a range.
struct Night {
    run: PublishedRun,
    figures: Figures,
}

/// A figure, day by day.
struct Series {
    name: &'static str,
    /// Set where it is a sum of the manifest's control totals.
    figure: &'static str,
    values: Vec<i128>,
    shown: Shown,
}

/// How a figure is written.
#[derive(Clone, Copy)]
enum Shown {
    Count,
    Money(u32),
    Tenths,
    BasisPoints,
}

impl Shown {
    fn text(self, value: i128) -> String {
        match self {
            Shown::Count => thousands(value),
            Shown::Money(units) => money(value, units),
            Shown::Tenths => tenths(value),
            Shown::BasisPoints => format!("{}.{:02} %", value / 100, value % 100),
        }
    }
}

/// The page of a directory of runs; `None` where it holds none.
pub fn range_page(directory: &Path) -> Result<Option<String>> {
    let mut nights = Vec::new();
    for path in dated_runs(directory)?.into_values() {
        crate::signal::check()?;
        let run = PublishedRun::open(&path)?;
        let figures = Figures::of_scores(&run)?;
        nights.push(Night { run, figures });
    }
    match nights.is_empty() {
        true => Ok(None),
        false => assemble(&nights).render().map(Some),
    }
}

fn assemble(nights: &[Night]) -> Page {
    let days: Vec<Day> = nights.iter().map(|night| night.run.manifest.as_of).collect();
    let (first, last) = (days[0], days[days.len() - 1]);
    let series = series(nights);
    let mut section = Section {
        note: "Each line has its own scale, from its least to its highest value.".to_string(),
        ..Section::new("days", "Day by day")
    };
    section.charts = series.iter().map(|series| chart(series, &days)).collect();
    let last_night = &nights[nights.len() - 1].run.manifest;
    let tiles = series.iter().take(6).map(|series| Tile {
        label: series.name.to_string(),
        cell: Cell::number(series.values.last().map_or(String::new(), |value| series.shown.text(*value))),
        note: series
            .values
            .first()
            .map_or(String::new(), |value| format!("{} on {first}", series.shown.text(*value))),
    });
    let held = nights.iter().filter(|night| night.run.manifest.held).count();
    Page {
        title: format!("{}: {first} to {last}", last_night.job),
        subtitle: format!("{} nights. The figures below are those of {last}.", nights.len()),
        badge: (held > 0).then(|| (format!("{held} held"), false)),
        tiles: tiles.collect(),
        sections: vec![section, bands(nights, &days), figures_table(&series, nights), gates(nights)],
    }
}

fn series(nights: &[Night]) -> Vec<Series> {
    let units = nights[0].run.job.minor_units;
    let of = |name, figure, shown, value: &dyn Fn(&Night) -> i128| Series {
        name,
        figure,
        values: nights.iter().map(value).collect(),
        shown,
    };
    let totals = |night: &Night| night.run.manifest.control_totals.clone();
    let sum = |night: &Night, action: Action, of: fn(&ActionTotals) -> i128| -> i128 {
        let products = night.run.manifest.control_totals.actions.values();
        products.filter_map(|actions| actions.get(action.name())).map(of).sum()
    };
    let lines = |action: Action| move |night: &Night| sum(night, action, |totals| totals.lines.into());
    let change = |action: Action| {
        move |night: &Night| sum(night, action, |totals| (totals.new_limit - totals.old_limit).abs())
    };
    let rejected = |night: &Night| {
        let counts = &night.run.manifest.counts;
        let read: u64 = counts.values().map(|counts| counts.read).sum();
        let accepted: u64 = counts.values().map(|counts| counts.accepted).sum();
        i128::from(read - accepted) * 10_000 / i128::from(read.max(1))
    };
    let missing =
        |night: &Night| night.run.manifest.missing_days.values().map(|days| days.len() as i128).sum();
    vec![
        of("Accounts", "accounts", Shown::Count, &|night| totals(night).accounts.into()),
        of("Lines", "lines", Shown::Count, &|night| totals(night).lines.into()),
        of("Adjustments", "adjustments", Shown::Count, &|night| totals(night).adjustments.into()),
        of("Mean score", "", Shown::Tenths, &|night| night.figures.mean_score_tenths().unwrap_or(0)),
        of("Limits after", "new_limit_total", Shown::Money(units), &|night| totals(night).new_limit_total),
        of("Limits raised by", "", Shown::Money(units), &change(Action::Raise)),
        of("Limits lowered by", "", Shown::Money(units), &change(Action::Lower)),
        of("Limits closed", "", Shown::Money(units), &change(Action::Close)),
        of("Raised", "", Shown::Count, &lines(Action::Raise)),
        of("Lowered", "", Shown::Count, &lines(Action::Lower)),
        of("Suspended", "", Shown::Count, &lines(Action::Suspend)),
        of("Closed", "", Shown::Count, &lines(Action::Close)),
        of("Reopened", "", Shown::Count, &lines(Action::Reopen)),
        of("Withdrawn", "", Shown::Count, &lines(Action::Withdraw)),
        of("Rejected rows", "", Shown::BasisPoints, &rejected),
        of("Days without a delivery", "", Shown::Count, &missing),
    ]
}

fn chart(series: &Series, days: &[Day]) -> Chart {
    let (least, most) =
        (series.values.iter().min().copied().unwrap_or(0), series.values.iter().max().copied().unwrap_or(0));
    let (first, last) = (days[0], days[days.len() - 1]);
    let end = |value: Option<&i128>| value.map_or(String::new(), |value| series.shown.text(*value));
    Chart {
        title: series.name.to_string(),
        alt: format!(
            "{} from {first} ({}) to {last} ({}), between {} and {}.",
            series.name,
            end(series.values.first()),
            end(series.values.last()),
            series.shown.text(least),
            series.shown.text(most)
        ),
        lines: vec![line(&series.values, least, most, "s4")],
        top: if least == most {
            series.shown.text(most)
        } else {
            format!("most {}", series.shown.text(most))
        },
        bottom: if least == most { String::new() } else { format!("least {}", series.shown.text(least)) },
        ticks: ends(days),
        ..Chart::default()
    }
}

/// The first day at the left, the last at the right.
fn ends(days: &[Day]) -> Vec<(u32, String)> {
    match days {
        [only] => vec![(500, only.to_string())],
        _ => vec![(0, days[0].to_string()), (1000, days[days.len() - 1].to_string())],
    }
}

/// The share of each band, day by day.
fn bands(nights: &[Night], days: &[Day]) -> Section {
    let last = &nights[nights.len() - 1].run.job.scorecard.bands;
    let lines = last.iter().enumerate().map(|(place, band)| {
        let share = |night: &Night| {
            let own = night.figures.bands.get(&band.name).map_or(0, |band| band.accounts);
            i128::from(own) * 10_000 / i128::from(night.figures.accounts().max(1))
        };
        (band, shade(place, last.len()), nights.iter().map(share).collect::<Vec<i128>>())
    });
    let lines: Vec<_> = lines.collect();
    let most = lines.iter().flat_map(|(_, _, values)| values.iter().copied()).max().unwrap_or(0);
    let words = lines.iter().map(|(band, _, values)| {
        let shown =
            |value: Option<&i128>| value.map_or(String::new(), |value| Shown::BasisPoints.text(*value));
        format!("{} from {} to {}", band.name, shown(values.first()), shown(values.last()))
    });
    let chart = Chart {
        title: "Share of the accounts by band".to_string(),
        alt: format!("{}.", words.collect::<Vec<_>>().join(", ")),
        legend: lines.iter().map(|(band, colour, _)| (band.name.clone(), colour.clone())).collect(),
        lines: lines.iter().map(|(_, colour, values)| line(values, 0, most, colour)).collect(),
        top: Shown::BasisPoints.text(most),
        bottom: "0".to_string(),
        ticks: ends(days),
        ..Chart::default()
    };
    Section { charts: vec![chart], ..Section::new("bands", "Bands") }
}

fn figures_table(series: &[Series], nights: &[Night]) -> Section {
    let mut header = vec!["date".to_string()];
    header.extend(series.iter().map(|series| format!("#{}", series.name.to_lowercase())));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new("Every figure of every night", &header);
    for (place, night) in nights.iter().enumerate() {
        let day = night.run.manifest.as_of;
        let mut row = vec![Cell::text(day.to_string()).tone("strong day")];
        row.extend(series.iter().map(|series| {
            let value = series.values[place];
            let cell = Cell::number(series.shown.text(value));
            match series.figure {
                "" => cell,
                name => cell.figure(format!("{day}.control_totals.{name}"), value),
            }
        }));
        table.rows.push(row);
    }
    Section { tables: vec![table], ..Section::new("figures", "Figures") }
}

/// Gates that did not hold on some night.
fn gates(nights: &[Night]) -> Section {
    let mut table = Table::new("Gates that did not hold", &["date", "gate", "#figure", "bounds"]);
    for night in nights {
        for gate in night.run.manifest.gates.iter().filter(|gate| !gate.holds) {
            let figure = match gate.among {
                Some(among) => format!("{} of {among}", gate.figure),
                None => gate.figure.clone(),
            };
            table.rows.push(vec![
                Cell::text(night.run.manifest.as_of.to_string()),
                Cell::text(&gate.name),
                Cell::number(figure),
                Cell::text(&gate.bounds),
            ]);
        }
    }
    let (note, tables) = match table.rows.is_empty() {
        true => ("Every gate held on every night.".to_string(), Vec::new()),
        false => (String::new(), vec![table]),
    };
    Section { note, tables, ..Section::new("gates", "Gates") }
}

//! A directory of runs as a page: a line over days of each headline figure.

use std::path::Path;

use anyhow::Result;

use super::figures::Figures;
use super::night::tenths;
use crate::console::{money, thousands};
use crate::day::Day;
use crate::html::{Cell, Chart, Page, Section, Table, Tile, line, shade};
use crate::job::Action;
use crate::run_dir::manifest::ControlTotals;
use crate::run_dir::{PublishedRun, dated_runs};

/// One day of a range.
struct ReportedNight {
    run: PublishedRun,
    figures: Figures,
}

/// A figure, day by day.
struct Series {
    name: &'static str,
    /// Set where it is a sum of the manifest's control totals.
    figure: &'static str,
    values: Vec<i128>,
    format: FigureFormat,
}

/// How a figure is written.
#[derive(Clone, Copy)]
enum FigureFormat {
    Count,
    Money(u32),
    Tenths,
    BasisPoints,
}

impl FigureFormat {
    fn text(self, value: i128) -> String {
        match self {
            FigureFormat::Count => thousands(value),
            FigureFormat::Money(units) => money(value, units),
            FigureFormat::Tenths => tenths(value),
            FigureFormat::BasisPoints => format!("{}.{:02} %", value / 100, value % 100),
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
        nights.push(ReportedNight { run, figures });
    }
    if nights.is_empty() { Ok(None) } else { assemble(&nights).render().map(Some) }
}

fn assemble(nights: &[ReportedNight]) -> Page {
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
        cell: Cell::number(series.values.last().map_or(String::new(), |value| series.format.text(*value))),
        note: series
            .values
            .first()
            .map_or(String::new(), |value| format!("{} on {first}", series.format.text(*value))),
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

fn series(nights: &[ReportedNight]) -> Vec<Series> {
    use FigureFormat::{BasisPoints, Count, Money, Tenths};
    let money = Money(nights[0].run.job.minor_units);
    let mut all = Vec::new();
    let mut add = |name, figure, format, value: &dyn Fn(&ReportedNight) -> i128| {
        all.push(Series { name, figure, format, values: nights.iter().map(value).collect() });
    };
    add("Accounts", "accounts", Count, &|night| night.totals().accounts.into());
    add("Lines", "lines", Count, &|night| night.totals().lines.into());
    add("Adjustments", "adjustments", Count, &|night| night.totals().adjustments.into());
    add("Mean score", "", Tenths, &|night| night.figures.mean_score_tenths().unwrap_or(0));
    add("Limits after", "new_limit_total", money, &|night| night.totals().new_limit_total);
    add("Limits raised by", "", money, &|night| night.change(Action::Raise));
    add("Limits lowered by", "", money, &|night| night.change(Action::Lower));
    add("Limits closed", "", money, &|night| night.change(Action::Close));
    add("Raised", "", Count, &|night| night.lines(Action::Raise));
    add("Lowered", "", Count, &|night| night.lines(Action::Lower));
    add("Suspended", "", Count, &|night| night.lines(Action::Suspend));
    add("Closed", "", Count, &|night| night.lines(Action::Close));
    add("Reopened", "", Count, &|night| night.lines(Action::Reopen));
    add("Withdrawn", "", Count, &|night| night.lines(Action::Withdraw));
    add("Rejected rows", "", BasisPoints, &ReportedNight::rejected_bp);
    add("Days without a delivery", "", Count, &ReportedNight::missing_days);
    all
}

impl ReportedNight {
    fn totals(&self) -> &ControlTotals {
        &self.run.manifest.control_totals
    }

    fn lines(&self, action: Action) -> i128 {
        self.totals().lines_of(action).into()
    }

    /// By how much the action changes limits, minor units.
    fn change(&self, action: Action) -> i128 {
        self.totals().of_action(action).map(|totals| (totals.new_limit - totals.old_limit).abs()).sum()
    }

    /// The share of the rows read that were rejected.
    fn rejected_bp(&self) -> i128 {
        let counts = &self.run.manifest.counts;
        let read: u64 = counts.values().map(|counts| counts.read).sum();
        let accepted: u64 = counts.values().map(|counts| counts.accepted).sum();
        i128::from(read - accepted) * 10_000 / i128::from(read.max(1))
    }

    fn missing_days(&self) -> i128 {
        self.run.manifest.missing_days.values().map(|days| days.len() as i128).sum()
    }

    /// The share of the accounts that are in a band.
    fn share_bp(&self, band: &str) -> i128 {
        let own = self.figures.bands.get(band).map_or(0, |band| band.accounts);
        i128::from(own) * 10_000 / i128::from(self.figures.accounts().max(1))
    }
}

fn chart(series: &Series, days: &[Day]) -> Chart {
    let (least, most) =
        (series.values.iter().min().copied().unwrap_or(0), series.values.iter().max().copied().unwrap_or(0));
    let (first, last) = (days[0], days[days.len() - 1]);
    let [at_first, at_last] = ends_of(&series.values, series.format);
    Chart {
        title: series.name.to_string(),
        alt: format!(
            "{} from {first} ({}) to {last} ({}), between {} and {}.",
            series.name,
            at_first,
            at_last,
            series.format.text(least),
            series.format.text(most)
        ),
        lines: vec![line(&series.values, least, most, "s4")],
        top: if least == most {
            series.format.text(most)
        } else {
            format!("most {}", series.format.text(most))
        },
        bottom: if least == most { String::new() } else { format!("least {}", series.format.text(least)) },
        ticks: ends(days),
        ..Chart::default()
    }
}

/// The first and the last of some values; empty where there is none.
fn ends_of(values: &[i128], format: FigureFormat) -> [String; 2] {
    [values.first(), values.last()].map(|value| value.map_or(String::new(), |value| format.text(*value)))
}

/// The first day at the left, the last at the right.
fn ends(days: &[Day]) -> Vec<(u32, String)> {
    match days {
        [only] => vec![(500, only.to_string())],
        _ => vec![(0, days[0].to_string()), (1000, days[days.len() - 1].to_string())],
    }
}

/// The share of each band, day by day.
fn bands(nights: &[ReportedNight], days: &[Day]) -> Section {
    let last = &nights[nights.len() - 1].run.job.scorecard.bands;
    let lines = last.iter().enumerate().map(|(rank, band)| {
        let shares = nights.iter().map(|night| night.share_bp(&band.name));
        (band, shade(rank, last.len()), shares.collect::<Vec<i128>>())
    });
    let lines: Vec<_> = lines.collect();
    let most = lines.iter().flat_map(|(_, _, values)| values.iter().copied()).max().unwrap_or(0);
    let words = lines.iter().map(|(band, _, values)| {
        let [first, last] = ends_of(values, FigureFormat::BasisPoints);
        format!("{} from {first} to {last}", band.name)
    });
    let chart = Chart {
        title: "Share of the accounts by band".to_string(),
        alt: format!("{}.", words.collect::<Vec<_>>().join(", ")),
        legend: lines.iter().map(|(band, colour, _)| (band.name.clone(), colour.clone())).collect(),
        lines: lines.iter().map(|(_, colour, values)| line(values, 0, most, colour)).collect(),
        top: FigureFormat::BasisPoints.text(most),
        bottom: "0".to_string(),
        ticks: ends(days),
        ..Chart::default()
    };
    Section { charts: vec![chart], ..Section::new("bands", "Bands") }
}

fn figures_table(series: &[Series], nights: &[ReportedNight]) -> Section {
    let mut header = vec!["date".to_string()];
    header.extend(series.iter().map(|series| format!("#{}", series.name.to_lowercase())));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new("Every figure of every night", &header);
    for (number, night) in nights.iter().enumerate() {
        let day = night.run.manifest.as_of;
        let mut row = vec![Cell::text(day.to_string()).tone("strong day")];
        row.extend(series.iter().map(|series| {
            let value = series.values[number];
            let cell = Cell::number(series.format.text(value));
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
fn gates(nights: &[ReportedNight]) -> Section {
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
    let (note, tables) = if table.rows.is_empty() {
        ("Every gate held on every night.".to_string(), Vec::new())
    } else {
        (String::new(), vec![table])
    };
    Section { note, tables, ..Section::new("gates", "Gates") }
}

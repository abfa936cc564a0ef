//! monitor.html: published nights as a page to look at.

use super::figures::{MonitorFigures, MonitoredCharacteristic};
use crate::console::{plural, thousands};
use crate::html::{
    Axis, Banner, BannerPoint, Cell, Chart, CurvePoint, FigureUnit, Page, STEPS, Section, Table, Tile,
    basis_points,
};
use crate::model::RowOutcome;
use crate::validate::figure_tables::{bin_heading, months_of_bins, out_of, psi, share_or_none, slices};
use crate::validate::page::arms;
use crate::validate::plots::auc_by_month;
use crate::validate::slices::SliceFigures;

/// The page.
pub fn page(figures: &MonitorFigures) -> Page {
    let (first, last) = (figures.reference, figures.nights[figures.nights.len() - 1].as_of);
    Page {
        title: format!("Monitor of {}: {first} to {last}", figures.job),
        subtitle: format!(
            "{}; stability is against the night of {first}; bins are those of the scorecard of {}.",
            plural(figures.nights.len(), "night"),
            figures.bins_of
        ),
        banner: Some(banner(figures)),
        tiles: tiles(figures),
        sections: [ranking(figures), stability(figures), characteristics(figures)]
            .into_iter()
            .chain(figures.arms.as_ref().map(arms))
            .chain([maturity(figures)])
            .collect(),
    }
}

fn banner(figures: &MonitorFigures) -> Banner {
    const MOST_NAMED: usize = 12;
    let missed = figures.bounds.iter().filter(|bound| !bound.holds);
    let count = missed.clone().count();
    let points = missed.take(MOST_NAMED).map(|bound| BannerPoint {
        name: format!("{} = {}, {}", bound.bound, bound.limit, bound.of),
        text: bound.found.clone(),
        tone: "bad",
    });
    let (tone, verdict) = match (count, figures.bounds.len()) {
        (0, 0) => ("warn", "No bound is set".to_string()),
        (0, _) => ("good", "Every bound holds".to_string()),
        (count, of) => ("bad", format!("{count} of {} missed", plural(of, "bound"))),
    };
    Banner { tone, verdict, sentences: figures.remarks.clone(), points: points.collect() }
}

fn tiles(figures: &MonitorFigures) -> Vec<Tile> {
    let last = &figures.nights[figures.nights.len() - 1];
    let mut tiles = vec![
        Tile::new("Accounts", Cell::count(last.accounts)).note(format!("on {}", last.as_of)),
        Tile::new("PSI of the score", psi(last.score_psi))
            .note(format!("{} against {}", last.as_of, figures.reference)),
    ];
    let known = figures.months.iter().rev().find_map(|month| Some((month, month.known.ranking.as_ref()?)));
    if let Some((month, ranking)) = known {
        tiles.push(
            Tile::new("AUC", Cell::number(ranking.auc.text(4)))
                .note(format!("{}, the last month of which both kinds are known", month.month)),
        );
        tiles.push(Tile::new("Bad rate", share_or_none(month.known.bad_rate)).note(format!(
            "{}, of {} known",
            month.month,
            thousands(month.known.rows.into())
        )));
    }
    tiles
}

fn ranking(figures: &MonitorFigures) -> Section {
    let months: Vec<SliceFigures> = figures.months.iter().map(|month| month.known.clone()).collect();
    Section {
        note: "Of the accounts whose outcome is known by now.".to_string(),
        charts: auc_by_month(&months).into_iter().collect(),
        tables: vec![slices("By month", &["month"], &months, |figures| {
            vec![Cell::text(figures.value.clone().unwrap_or_default())]
        })],
        ..Section::new("ranking", "Whether it still ranks")
    }
}

/// Indices in ten-thousandths.
const PARTS: f64 = 10_000.0;

/// A stability index night by night.
fn psi_chart(title: &str, figures: &MonitorFigures, values: &[Option<f64>]) -> Option<Chart> {
    let days: Vec<i128> = figures.nights.iter().map(|night| i128::from(night.as_of.0)).collect();
    let (first, last) = (*days.first()?, *days.last()?);
    if first == last {
        return None;
    }
    let points: Vec<CurvePoint> = days
        .iter()
        .zip(values)
        .filter_map(|(day, psi)| {
            Some(CurvePoint { along: *day, value: libm::round((*psi)? * PARTS) as i128 })
        })
        .collect();
    /// From here on a distribution has moved: the axis reaches so far at least.
    const MOVED: i128 = 2_500;
    let axis = Axis::from_zero(points.iter().map(|point| point.value).chain([MOVED]), STEPS);
    let along = Axis { least: first, most: last, step: 1 };
    let mut chart = Chart::new(title, &FigureUnit::Ratio("PSI"), &axis);
    let steady = [first, last].map(|along| CurvePoint { along, value: 1_000 });
    chart.draw_curve(&steady, &along, &axis, "a-hold");
    chart.draw_curve(&points, &along, &axis, "s4");
    chart.legend = vec![("PSI".to_string(), "s4".to_string()), ("0.1".to_string(), "a-hold".to_string())];
    let ends = [(0, figures.nights[0].as_of), (1_000, figures.nights[figures.nights.len() - 1].as_of)];
    chart.label_along("night", ends.map(|(place, day)| (place, day.to_string())));
    let most = points.iter().map(|point| point.value).max().unwrap_or(0);
    chart.alt = format!("{title}: at most {}.", FigureUnit::Ratio("PSI").text(most));
    Some(chart)
}

fn stability(figures: &MonitorFigures) -> Section {
    let values: Vec<Option<f64>> = figures.nights.iter().map(|night| night.score_psi).collect();
    let mut table = Table::new("Night by night", &["night", "#accounts", "#mean score", "#PSI"]);
    table.folded = figures.nights.len() > 31;
    table.rows = figures
        .nights
        .iter()
        .map(|night| {
            let mean = night.mean_score.map_or_else(String::new, |mean| mean.text(1));
            vec![
                Cell::text(night.as_of.to_string()).tone("day"),
                Cell::count(night.accounts),
                Cell::number(mean),
                psi(night.score_psi),
            ]
        })
        .collect();
    Section {
        note: "Population stability index of the score against the first night, over tenths of that night's accounts: below \
               0.1 it is steady, from 0.25 on it has moved."
            .to_string(),
        charts: psi_chart("PSI of the score", figures, &values).into_iter().collect(),
        tables: vec![table],
        ..Section::new("stability", "Whether it scores the same people")
    }
}

fn characteristics(figures: &MonitorFigures) -> Section {
    let mut table = Table::new(
        "Characteristics",
        &[
            "characteristic",
            "#PSI of the last night",
            "#highest PSI",
            "#IV of the last month",
            "#months out of order",
        ],
    );
    let mut tables = Vec::new();
    for one in &figures.characteristics {
        let last = one.nights.last().and_then(|night| night.psi);
        let highest = one
            .nights
            .iter()
            .filter_map(|night| night.psi)
            .fold(None, |most: Option<f64>, psi| Some(most.map_or(psi, |most| most.max(psi))));
        let value = one.months.iter().rev().find_map(|month| month.information_value);
        let inverted = one.months.iter().filter(|month| month.order.inverted > 0).count();
        table.rows.push(vec![
            Cell::text(&one.feature),
            psi(last),
            psi(highest),
            value.map_or_else(Cell::default, |value| Cell::number(format!("{value:.4}"))),
            out_of(inverted as u64, one.months.len() as u64),
        ]);
        tables.push(bins(one));
    }
    tables.insert(0, table);
    Section {
        note: "A month is out of order where some bin with more points has the higher bad rate.".to_string(),
        tables,
        ..Section::new("characteristics", "Characteristics")
    }
}

fn bins(one: &MonitoredCharacteristic) -> Table {
    let labels: Vec<String> = one.bins.iter().map(|bin| bin_heading(&bin.label, bin.points)).collect();
    months_of_bins(&one.feature, &labels, &one.months)
}

fn maturity(figures: &MonitorFigures) -> Section {
    let names: Vec<&str> = RowOutcome::ALL
        .map(RowOutcome::name)
        .into_iter()
        .filter(|name| *name != RowOutcome::LeftOut.name())
        .collect();
    let header: Vec<String> = names.iter().map(|name| format!("#{name}")).collect();
    let header: Vec<&str> =
        ["month", "#nights"].into_iter().chain(header.iter().map(String::as_str)).chain(["#known"]).collect();
    let mut table = Table::new("Accounts by outcome, once a night", &header);
    for month in &figures.months {
        let of = |name: &&str| month.outcomes.get(*name).copied().unwrap_or(0);
        let all: u64 = month.outcomes.values().sum();
        let mut row = vec![Cell::text(&month.month), Cell::count(month.nights)];
        row.extend(names.iter().map(|name| Cell::count(of(name))));
        let known = u128::from(month.known.rows) * 10_000 / u128::from(all.max(1));
        row.push(Cell::number(basis_points(known as i128)));
        table.rows.push(row);
    }
    Section {
        note: "An outcome is immature until the day on which it is known; unmatched where nothing tells what happened."
            .to_string(),
        tables: vec![table],
        ..Section::new("maturity", "What is known by now")
    }
}

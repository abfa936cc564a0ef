//! Two ranges as a page: causes as a waterfall, day by day what changed, then the dates.

use anyhow::Result;

use super::page_parts::{banner, number_sections};
use super::section::{count, signed, signed_money};
use super::verdict::range_verdict;
use crate::day::Day;
use crate::diff::causes::decisions::DecisionCauses;
use crate::diff::pages::decision_waterfall;
use crate::diff::range::{DayChange, RangeFindings};
use crate::html::{
    Axis, Cell, Chart, FigureUnit, NightAxis, Page, STEPS, Section, Table, Tile, money_column,
};

/// The page of two ranges.
pub fn range_page(findings: &RangeFindings) -> Result<String> {
    let mut page = Page {
        title: title(findings),
        subtitle: [format!("left   {}", findings.left), format!("right  {}", findings.right)]
            .into_iter()
            .chain(one_sided(findings))
            .collect::<Vec<_>>()
            .join("\n"),
        banner: Some(banner(findings.same, &range_verdict(findings), Vec::new())),
        tiles: tiles(findings),
        sections: Vec::new(),
    };
    page.sections.extend(causes(findings));
    page.sections.extend(days(findings));
    number_sections(&mut page);
    page.render()
}

/// The dates, not the paths.
fn title(findings: &RangeFindings) -> String {
    let days =
        findings.days.iter().map(|day| &day.date).chain(&findings.only_left).chain(&findings.only_right);
    match (days.clone().min(), days.max()) {
        (Some(first), Some(last)) if first == last => format!("Two runs of {first}"),
        (Some(first), Some(last)) => format!("Two ranges: {first} to {last}"),
        _ => "Two ranges without a run".to_string(),
    }
}

fn one_sided(findings: &RangeFindings) -> Vec<String> {
    let sides = [("left", &findings.only_left), ("right", &findings.only_right)];
    let there = sides.into_iter().filter(|(_, days)| !days.is_empty());
    let said = there.map(|(side, days)| {
        let days: Vec<String> = days.iter().map(ToString::to_string).collect();
        format!("only {side}: {}", days.join(", "))
    });
    said.collect()
}

fn tiles(findings: &RangeFindings) -> Vec<Tile> {
    let (total, units) = (&findings.total, findings.minor_units);
    let currency = findings.currency.clone().unwrap_or_default();
    let amount = |label: &str, amount: i128| {
        Tile::new(label, Cell::number(signed_money(amount, units))).unit(currency.clone())
    };
    vec![
        Tile::new("Decisions that changed", Cell::count(total.decisions_changed)).unit("lines and days"),
        Tile::new("Scores that changed", Cell::count(total.scores_changed)).unit("accounts and days"),
        amount("Limits after, summed over days", total.limits),
        amount("Raises", total.raises),
        amount("Lowers", total.lowers),
    ]
}

fn causes(findings: &RangeFindings) -> Option<Section> {
    let parts = findings.causes.iter().filter(|part| part.decisions > 0 || part.change != 0);
    let causes = DecisionCauses {
        decisions: findings.causes.iter().map(|part| part.decisions).sum(),
        change: findings.causes.iter().map(|part| part.change).sum(),
        parts: parts.cloned().collect(),
        ..DecisionCauses::default()
    };
    let table = decision_waterfall(&causes, findings.minor_units, findings.currency.as_deref());
    (!causes.parts.is_empty()).then(|| Section { tables: vec![table], ..Section::new("", "Causes") })
}

fn days(findings: &RangeFindings) -> Vec<Section> {
    if findings.days.is_empty() {
        return Vec::new();
    }
    let dates: Vec<Day> = findings.days.iter().map(|day| day.date).collect();
    let marks = vec![""; dates.len()];
    let along = NightAxis { days: &dates, marks: &marks };
    let money = FigureUnit::Money { minor_units: findings.minor_units, currency: findings.currency.clone() };
    let limits = series(findings, |day| day.limits);
    let decisions = series(findings, |day| day.decisions_changed.into());
    let scores = series(findings, |day| day.scores_changed.into());
    let charts = vec![
        chart("Change of limits after", &money, &limits, &along),
        chart("Decisions that changed", &FigureUnit::Count("lines"), &decisions, &along),
        chart("Scores that changed", &FigureUnit::Count("accounts"), &scores, &along),
    ];
    let note = "Right less left. Every axis of figures begins at zero.".to_string();
    vec![
        Section { note, charts, tables: vec![money_table(findings)], ..Section::new("", "Day by day") },
        Section {
            tables: vec![change_table(findings)],
            ..Section::new("", "Who changed, and in what the runs differ")
        },
    ]
}

fn series(findings: &RangeFindings, figure: fn(&DayChange) -> i128) -> Vec<i128> {
    findings.days.iter().map(|day| figure(&day.change)).collect()
}

fn chart(title: &str, unit: &FigureUnit, values: &[i128], along: &NightAxis) -> Chart {
    let axis = Axis::from_zero(values.iter().copied(), STEPS - 1);
    let mut chart = Chart::new(title, unit, &axis);
    along.place(&mut chart);
    along.draw(&mut chart, values, &axis, "s4");
    along.label_ends(&mut chart, values, &axis, unit);
    let said: Vec<String> =
        along.days.iter().zip(values).map(|(day, value)| format!("{day} {}", unit.text(*value))).collect();
    chart.alt = format!("{title}: {}.", said.join(", "));
    chart
}

/// A row a date, then the sums.
fn rows(findings: &RangeFindings, cells: impl Fn(&DayChange) -> Vec<Cell>) -> Vec<Vec<Cell>> {
    let days = findings.days.iter().map(|day| (day.date.to_string(), &day.change));
    let all = days.chain([("total".to_string(), &findings.total)]);
    all.map(|(name, change)| {
        std::iter::once(Cell::text(name).tone("strong day")).chain(cells(change)).collect()
    })
    .collect()
}

fn money_table(findings: &RangeFindings) -> Table {
    let names =
        ["#raises", "#lowers", "#limits"].map(|name| money_column(name, findings.currency.as_deref()));
    let [raises, lowers, limits] = &names;
    let mut table = Table::new("Money, day by day", &["date", "#decisions", raises, lowers, limits]);
    table.rows = rows(findings, |day| {
        let amounts = [day.raises, day.lowers, day.limits];
        let amounts = amounts.map(|amount| Cell::number(signed_money(amount, findings.minor_units)));
        std::iter::once(Cell::count(day.decisions_changed)).chain(amounts).collect()
    });
    table
}

fn change_table(findings: &RangeFindings) -> Table {
    let header = [
        "date",
        "#scores",
        "#points",
        "#accounts one side",
        "#lines one side",
        "tables",
        "the runs differ in",
    ];
    let mut table = Table::new("Scores and rows, day by day", &header);
    table.rows = rows(findings, |day| {
        vec![
            Cell::number(count(day.scores_changed)),
            Cell::number(signed(day.score_sum)),
            Cell::number(count(day.accounts_one_side)),
            Cell::number(count(day.lines_one_side)),
            Cell::text(if day.same { "same" } else { "other" }),
            Cell::text(day.differs.join(", ")),
        ]
    });
    table
}

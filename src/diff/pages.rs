//! What pages show of findings: causes as a waterfall, migration as a matrix, stability with what is steady folded.

use std::collections::BTreeMap;

use super::causes::decisions::DecisionCauses;
use super::causes::scores::{ScoreCauses, ScorePart};
use super::findings::Findings;
use crate::console::money;
use crate::html::{Axis, Bar, BarMark, Cell, FigureUnit, Table, WIDTH, money_column};

/// Counts by a name before and a name now.
pub type MovesByName = BTreeMap<(String, String), u64>;

/// A step of a waterfall.
struct WaterfallStep {
    name: String,
    change: i128,
    /// How many things it is about.
    count: Option<u64>,
}

/// What each cause took or gave, one below the other, and what they come to.
fn waterfall(
    caption: &str,
    names: [&str; 3],
    steps: &[WaterfallStep],
    total: &WaterfallStep,
    unit: &FigureUnit,
) -> Table {
    const STEPS: i128 = 4;
    let sums = steps.iter().scan(0, |sum: &mut i128, step| {
        *sum += step.change;
        Some(*sum)
    });
    let axis = Axis::from_zero(sums.chain([total.change]), STEPS);
    let (axis_name, labels) = unit.axis(&axis);
    let [name, change, count] = names;
    let mut scale: Vec<(u32, String)> =
        axis.ticks().into_iter().zip(labels).map(|(value, label)| (axis.along(value, 1000), label)).collect();
    if let Some((_, last)) = scale.last_mut() {
        *last = format!("{last} {axis_name}").trim_end().to_string();
    }
    let mut table =
        Table::new(caption, &[name, change, "from nothing to the total", count]).scale(2, scale).legend(
            [("more", "up"), ("less", "down"), ("total", "total")]
                .map(|(name, colour)| (name.to_string(), colour.to_string())),
        );
    table.is_steps = true;
    let grid =
        axis.ticks().into_iter().map(|value| BarMark { position: axis.along(value, WIDTH), kind: "grid" });
    let grid: Vec<BarMark> = grid.collect();
    let mut sum = 0;
    for step in steps {
        let colour = if step.change < 0 { "down" } else { "up" };
        let alt = format!(
            "{}: {}, from {} to {}",
            step.name,
            unit.signed(step.change),
            unit.text(sum),
            unit.text(sum + step.change)
        );
        let mut bar = Bar::step(sum, sum + step.change, &axis, colour, alt);
        bar.marks.splice(0..0, grid.iter().cloned());
        sum += step.change;
        table.rows.push(vec![
            Cell::text(&step.name),
            Cell::number(unit.signed(step.change)),
            Cell::bar(bar),
            step.count.map_or(Cell::default(), Cell::count),
        ]);
    }
    let mut bar =
        Bar::step(0, total.change, &axis, "total", format!("{}: {}", total.name, unit.signed(total.change)));
    bar.marks.splice(0..0, grid);
    table.rows.push(vec![
        Cell::text(&total.name).tone("strong"),
        Cell::number(unit.signed(total.change)).tone("strong"),
        Cell::bar(bar),
        total.count.map_or(Cell::default(), Cell::count).tone("strong"),
    ]);
    table
}

/// What moved the decisions and the limits.
pub fn decision_waterfall(found: &DecisionCauses, minor_units: u32, currency: Option<&str>) -> Table {
    let unit = FigureUnit::Money { minor_units, currency: currency.map(str::to_string) };
    let parts = found.parts.iter().map(|part| WaterfallStep {
        name: part.cause.clone(),
        change: part.change,
        count: Some(part.decisions),
    });
    let total =
        WaterfallStep { name: "total".to_string(), change: found.change, count: Some(found.decisions) };
    let limits = money_column("#limits", currency);
    waterfall(
        "Why decisions changed",
        ["cause", &limits, "#decisions"],
        &parts.collect::<Vec<_>>(),
        &total,
        &unit,
    )
}

/// What moved the scores, in points over all accounts: the largest parts, the others together.
pub fn score_waterfall(found: &ScoreCauses) -> Table {
    const MOST_PARTS: usize = 12;
    let mut parts: Vec<&ScorePart> = found.parts.iter().filter(|part| points(part) != 0).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(points(part).unsigned_abs()));
    let (shown, others) = parts.split_at(parts.len().min(MOST_PARTS));
    let mut steps: Vec<WaterfallStep> = shown
        .iter()
        .map(|part| WaterfallStep {
            name: part.part.clone(),
            change: points(part),
            count: Some(part.accounts),
        })
        .collect();
    if !others.is_empty() {
        steps.push(WaterfallStep {
            name: format!("{} others", others.len()),
            change: others.iter().map(|part| points(part)).sum(),
            count: None,
        });
    }
    let total = WaterfallStep { name: "total".to_string(), change: found.total, count: None };
    let names = ["characteristic", "#points", "#accounts"];
    waterfall("Why scores changed", names, &steps, &total, &FigureUnit::Count("points"))
}

fn points(part: &ScorePart) -> i128 {
    part.data + part.scorecard + part.not_separable
}

/// Counts by two names; names that nobody has on either side are left out.
pub fn matrix(caption: &str, rows: &[String], columns: &[String], counts: &MovesByName) -> Table {
    const HEATS: u64 = 5;
    let rows: Vec<&String> = rows.iter().filter(|row| counts.keys().any(|(old, _)| old == *row)).collect();
    let columns: Vec<&String> =
        columns.iter().filter(|column| counts.keys().any(|(_, new)| new == *column)).collect();
    let mut header = vec!["before".to_string()];
    header.extend(columns.iter().map(|column| format!("#{column}")));
    header.push("#all".to_string());
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new(caption, &header).legend([
        ("few of the row".to_string(), "heat1".to_string()),
        ("most of it".to_string(), "heat5".to_string()),
    ]);
    for row in rows {
        let own: Vec<u64> = columns
            .iter()
            .map(|column| counts.get(&(row.clone(), (*column).clone())).copied().unwrap_or(0))
            .collect();
        let all: u64 = own.iter().sum();
        let mut cells = vec![Cell::text(row)];
        cells.extend(own.into_iter().map(|count| match count {
            0 => Cell::number("·").tone("soft none"),
            // The darker, the larger its share of those who were there before.
            count => {
                Cell::count(count).tone(&format!("h{}", (count * HEATS).div_ceil(all.max(1)).min(HEATS)))
            }
        }));
        cells.push(Cell::count(all).tone("strong"));
        table.rows.push(cells);
    }
    table
}

/// Below this, in thousandths, an index says nothing.
const SMALL: i64 = 100;

/// From this on it asks for a look.
const LARGE: i64 = 250;

/// The stability of the score and of every feature, and a sentence on what its figures mean; what is steady is a
/// table of its own, folded away. `new` are features that have no index.
pub fn stability_tables<'a>(
    found: &'a Findings,
    new: impl Iterator<Item = (&'a str, Option<i64>)>,
) -> (String, Vec<Table>) {
    let score = found.scores.iter().map(|scores| ("score", scores.psi_thousandths));
    let features = found.features.iter().map(|drift| (drift.feature.as_str(), drift.psi_thousandths));
    let all: Vec<(&str, Option<i64>)> = score.chain(features).chain(new).collect();
    let is_steady =
        |(name, index): &&(&str, Option<i64>)| *name != "score" && index.is_some_and(|index| index < SMALL);
    let (steady, moved): (Vec<_>, Vec<_>) = all.iter().partition(is_steady);
    let mut tables = vec![stability_table("Population stability index", &moved)];
    if !steady.is_empty() {
        let noun = if steady.len() == 1 { "feature" } else { "features" };
        let mut table = stability_table(&format!("{} {noun} that are steady", steady.len()), &steady);
        table.folded = true;
        tables.push(table);
    }
    let note = format!(
        "Population stability index: below {} is steady, from {} on is a shift worth a look.",
        thousandths(SMALL),
        thousandths(LARGE)
    );
    (note, tables)
}

fn stability_table(caption: &str, rows: &[&(&str, Option<i64>)]) -> Table {
    let mark = |at: i64| (at * 1000 / (2 * LARGE)) as u32;
    let scale = [SMALL, LARGE, 2 * LARGE].map(|at| (mark(at), thousandths(at)));
    let mut table = Table::new(caption, &["of", "#index", "index", "it is"]).scale(2, scale.into()).legend(
        [("steady", "good"), ("moving", "warn"), ("shifted", "bad")]
            .map(|(name, colour)| (name.to_string(), format!("tone-{colour}"))),
    );
    for (name, index) in rows {
        let tone = if *name == "score" { "strong" } else { "" };
        table.rows.push(match index {
            None => vec![
                Cell::text(*name).tone(tone),
                Cell::text("–").tone("soft"),
                Cell::default(),
                Cell::text("only in this run").tone("soft"),
            ],
            Some(index) => {
                let (word, colour) = verdict(*index);
                vec![
                    Cell::text(*name).tone(tone),
                    Cell::number(thousandths(*index)),
                    Cell::bar(stability_bar(name, *index, colour)),
                    Cell::text(word).tone(colour),
                ]
            }
        });
    }
    table
}

/// Thousandths with three decimal places.
pub fn thousandths(index: i64) -> String {
    money(index.into(), 3)
}

fn verdict(index: i64) -> (&'static str, &'static str) {
    match index {
        ..SMALL => ("steady", "good"),
        SMALL..LARGE => ("moving", "warn"),
        _ => ("shifted", "bad"),
    }
}

/// A scale up to twice the larger threshold, with marks at both.
fn stability_bar(name: &str, index: i64, colour: &str) -> Bar {
    let most = u128::from(LARGE.unsigned_abs()) * 2;
    let length = index.max(0).unsigned_abs();
    let [small, large] =
        [SMALL, LARGE].map(|at| (u128::from(at.unsigned_abs()) * u128::from(WIDTH) / most) as u32);
    Bar {
        marks: vec![BarMark { position: small, kind: "tick" }, BarMark { position: large, kind: "tick" }],
        ..Bar::of(length.into(), most, colour, format!("{name}: {}", thousandths(index)))
    }
}

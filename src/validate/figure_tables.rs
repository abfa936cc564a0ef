//! The tables of validation.html; monitor.html has some of them, too.

use super::arms::ArmFigures;
use super::characteristics::{CharacteristicFigures, CharacteristicMonth};
use super::fairness::FairnessFigures;
use super::figures::PartWeights;
use super::fraction::Fraction;
use super::gains::{GainsTable, ScoreShift};
use super::slices::{SliceFigures, part_words};
use super::swap::{SwapCell, SwapTable};
use crate::console::thousands;
use crate::html::{Bar, Cell, Table, basis_points, scale_to};
use crate::model::{RowOutcome, SamplePart};

/// A whole, in basis points.
const WHOLE: i128 = 10_000;

/// A stability index from which on a distribution is looked at, and from which on it has moved.
const STEADY: f64 = 0.1;
/// See [`STEADY`].
const MOVED: f64 = 0.25;

/// A share as a percentage.
pub fn share(share: Fraction) -> Cell {
    Cell::number(basis_points(share.rounded(WHOLE)))
}

/// Likewise; an empty cell where there is none.
pub fn share_or_none(found: Option<Fraction>) -> Cell {
    found.map_or_else(Cell::default, share)
}

/// A rate as a percentage.
pub fn rate(rate: f64) -> String {
    basis_points(libm::round(rate * WHOLE as f64) as i128)
}

fn rate_or_none(found: Option<f64>) -> Cell {
    found.map_or_else(Cell::default, |found| Cell::number(rate(found)))
}

fn figure(found: Option<f64>) -> Cell {
    found.map_or_else(Cell::default, |found| Cell::number(format!("{found:.4}")))
}

/// A stability index, set off where it is not steady.
pub fn psi(found: Option<f64>) -> Cell {
    let cell = figure(found);
    match found {
        Some(psi) if psi >= MOVED => cell.tone("bad"),
        Some(psi) if psi >= STEADY => cell.tone("warn"),
        _ => cell,
    }
}

/// How a score ranks, slice by slice; `first` names the columns that `lead` fills.
pub fn slices(
    caption: &str,
    first: &[&str],
    slices: &[SliceFigures],
    lead: impl Fn(&SliceFigures) -> Vec<Cell>,
) -> Table {
    const FIGURES: [&str; 10] = [
        "#rows",
        "#bads",
        "#bad rate",
        "#predicted",
        "#AUC",
        "#95 % bounds",
        "#Gini",
        "#KS",
        "#concordant pairs",
        "#tied pairs",
    ];
    let header: Vec<&str> = first.iter().copied().chain(FIGURES).collect();
    let mut table = Table::new(caption, &header);
    for figures in slices {
        let mut row = lead(figures);
        row.extend([
            Cell::count(figures.rows),
            Cell::count(figures.bad),
            share_or_none(figures.bad_rate),
            rate_or_none(figures.predicted_bad_rate),
        ]);
        match &figures.ranking {
            Some(ranking) => {
                let bounds = ranking
                    .auc_bounds
                    .map_or_else(String::new, |bounds| format!("{:.4} to {:.4}", bounds.lower, bounds.upper));
                row.extend([
                    Cell::number(ranking.auc.text(4)).tone("strong"),
                    Cell::number(bounds),
                    Cell::number(ranking.gini.text(4)),
                    Cell::number(format!("{} at {}", ranking.ks.text(4), ranking.ks_score)),
                    Cell::number(thousands(ranking.pairs.concordant as i128)),
                    Cell::number(thousands(ranking.pairs.tied as i128)),
                ]);
            }
            None => {
                row.push(Cell::text(figures.lacks()).tone("soft"));
                row.resize(header.len(), Cell::default());
            }
        }
        table.rows.push(row);
    }
    table
}

/// A gains table.
pub fn gains(gains: &GainsTable, is_folded: bool) -> Table {
    let caption = format!("Gains, {}", part_words(gains.part));
    let header = [
        "scores",
        "#goods",
        "#bads",
        "#bad rate",
        "",
        "#predicted",
        "#rows so far",
        "#bads so far",
        "#goods so far",
    ];
    let bp = |rate: Option<Fraction>| rate.map_or(0, |rate| rate.rounded(WHOLE)).unsigned_abs();
    let most = gains.groups.iter().map(|group| bp(group.bad_rate)).max().unwrap_or(0);
    let mut table = Table::new(&caption, &header).scale(4, scale_to(basis_points(most as i128)));
    table.folded = is_folded;
    table.rows = gains
        .groups
        .iter()
        .map(|group| {
            let scores = if group.from == group.to {
                group.from.to_string()
            } else {
                format!("{} to {}", group.from, group.to)
            };
            let own = bp(group.bad_rate);
            vec![
                Cell::text(scores),
                Cell::count(group.good),
                Cell::count(group.bad),
                share_or_none(group.bad_rate),
                Cell::bar(Bar::of(own, most, "down", basis_points(own as i128))),
                rate_or_none(group.predicted_bad_rate),
                share_or_none(group.rows_so_far),
                share_or_none(group.bads_so_far),
                share_or_none(group.goods_so_far),
            ]
        })
        .collect();
    table
}

/// Stability indices.
pub fn shifts(caption: &str, shifts: &[ScoreShift]) -> Table {
    let mut table = Table::new(caption, &["rows of", "#rows", "#PSI"]);
    let row =
        |shift: &ScoreShift| vec![Cell::text(part_words(&shift.of)), Cell::count(shift.rows), psi(shift.psi)];
    table.rows = shifts.iter().map(row).collect();
    table
}

/// The parts that a validation has, in order.
fn parts_of(characteristics: &[CharacteristicFigures]) -> Vec<&'static str> {
    let has = |part: &&str| characteristics.iter().any(|one| one.order.contains_key(*part));
    SamplePart::ALL.map(SamplePart::name).into_iter().filter(has).collect()
}

/// Every characteristic on a line.
pub fn characteristics(characteristics: &[CharacteristicFigures]) -> Table {
    let parts = parts_of(characteristics);
    let others: Vec<&str> = parts.iter().copied().filter(|part| *part != SamplePart::Train.name()).collect();
    let short = |part: &str| part.replace('_', " ");
    let mut header = vec!["characteristic".to_string()];
    header.extend(parts.iter().map(|part| format!("#IV {}", short(part))));
    header.extend(others.iter().map(|part| format!("#PSI {}", short(part))));
    header.extend(parts.iter().map(|part| format!("#out of order {}", short(part))));
    header.push("#months out of order".to_string());
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new("Characteristics", &header);
    for one in characteristics {
        let mut row = vec![Cell::text(&one.feature)];
        row.extend(parts.iter().map(|part| figure(one.information_value.get(part).copied().flatten())));
        row.extend(others.iter().map(|part| psi(one.psi.get(part).copied().flatten())));
        row.extend(parts.iter().map(|part| {
            one.order.get(part).map_or_else(Cell::default, |order| out_of(order.inverted, order.compared))
        }));
        let inverted = one.months.iter().filter(|month| month.order.inverted > 0).count();
        row.push(out_of(inverted as u64, one.months.len() as u64));
        table.rows.push(row);
    }
    table
}

/// Some of all, set off where there are some.
pub fn out_of(some: u64, all: u64) -> Cell {
    let cell = Cell::number(format!("{some} of {all}"));
    if some > 0 { cell.tone("warn") } else { cell }
}

/// The bins of a characteristic by part, and their bad rates month by month; both folded away.
pub fn bins(one: &CharacteristicFigures, main: &str) -> Vec<Table> {
    let parts: Vec<&str> = SamplePart::ALL
        .map(SamplePart::name)
        .into_iter()
        .filter(|part| one.order.contains_key(part))
        .collect();
    let mut header = vec!["bin".to_string(), "#points".to_string(), "#rows".to_string(), "#WoE".to_string()];
    header.extend(parts.iter().map(|part| format!("#bad rate {}", part.replace('_', " "))));
    header.push(format!("#predicted {}", main.replace('_', " ")));
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = Table::new(&format!("Bins of {}", one.feature), &names);
    table.folded = true;
    for bin in &one.bins {
        let all = bin.parts.get("all");
        let mut row = vec![
            Cell::text(&bin.bin),
            Cell::number(bin.points.to_string()),
            Cell::count(all.map_or(0, |all| all.rows)),
            figure(all.and_then(|all| all.woe)),
        ];
        row.extend(parts.iter().map(|part| share_or_none(bin.parts.get(part).and_then(|own| own.bad_rate))));
        row.push(rate_or_none(bin.parts.get(main).and_then(|own| own.predicted_bad_rate)));
        table.rows.push(row);
    }
    let mut tables = vec![table];
    if one.months.len() > 1 {
        let labels: Vec<String> = one.bins.iter().map(|bin| bin_heading(&bin.bin, bin.points)).collect();
        tables.push(months_of_bins(&one.feature, &labels, &one.months));
    }
    tables
}

/// Bad rates of a characteristic's bins, as they are labelled, month by month.
pub fn months_of_bins(feature: &str, labels: &[String], months: &[CharacteristicMonth]) -> Table {
    let header = ["month", "#out of order", "#PSI"].into_iter();
    let header: Vec<&str> = header.chain(labels.iter().map(String::as_str)).collect();
    let mut table = Table::new(&format!("Bad rates by month of {feature}"), &header);
    table.folded = true;
    for month in months {
        let mut row = vec![
            Cell::text(&month.month),
            out_of(month.order.inverted, month.order.compared),
            psi(month.psi),
        ];
        row.extend(month.bins.iter().map(|bin| share_or_none(bin.outcomes.bad_rate())));
        table.rows.push(row);
    }
    table
}

/// How a bin heads a column.
pub fn bin_heading(bin: &str, points: i32) -> String {
    format!("#{bin} ({points})")
}

/// A swap set; with money of so many decimal places, where there is any.
pub fn swap(swap: &SwapTable, minor_units: Option<u32>) -> Table {
    let mut header = vec!["accounts", "#rows", "#goods", "#bads", "#bad rate"];
    if minor_units.is_some() {
        header.extend(["#money", "#money of bads"]);
    }
    let mut table = Table::new(&format!("Above: {}", swap.above), &header);
    let cells: [(&str, &SwapCell); 4] = [
        ("above under both", &swap.both),
        ("swapped in: under the new card alone", &swap.swapped_in),
        ("swapped out: under the current card alone", &swap.swapped_out),
        ("below under both", &swap.neither),
    ];
    for (name, cell) in cells {
        let mut row = vec![
            Cell::text(name),
            Cell::count(cell.rows),
            Cell::count(cell.outcomes.good),
            Cell::count(cell.outcomes.bad),
            share_or_none(cell.bad_rate),
        ];
        if let Some(minor_units) = minor_units {
            let money = [cell.money, cell.money_of_bads];
            row.extend(money.map(|sum| Cell::money(sum.unwrap_or(0), minor_units)));
        }
        table.rows.push(row);
    }
    table
}

/// The arms of a challenge, and both cards on the accounts of all arms.
pub fn arms(figures: &ArmFigures) -> [Table; 2] {
    let of_arms: Vec<SliceFigures> = figures.arms.iter().map(|arm| arm.known.clone()).collect();
    let of_cards: Vec<SliceFigures> = figures.cards.iter().map(|card| card.known.clone()).collect();
    let mut names = figures.arms.iter().map(|arm| arm.arm.as_str());
    let mut by_arm = slices("By arm, under the card that decided", &["arm"], &of_arms, |_| Vec::new());
    let mut cards = figures.cards.iter().map(|card| card.card);
    let mut by_card = slices("Both cards on the accounts of all arms", &["card"], &of_cards, |_| Vec::new());
    for row in &mut by_arm.rows {
        row.insert(0, Cell::text(names.next().unwrap_or_default()));
    }
    for row in &mut by_card.rows {
        row.insert(0, Cell::text(cards.next().unwrap_or_default()));
    }
    [by_arm, by_card]
}

/// The groups of a column.
pub fn fairness(figures: &FairnessFigures) -> Table {
    let impact = figures.adverse_impact.as_ref().map_or_else(String::new, |impact| {
        let verdict = if impact.is_below_four_fifths { "below four fifths" } else { "four fifths or more" };
        format!(": adverse-impact ratio {}, {verdict}", impact.ratio.text(4))
    });
    let header =
        ["group", "#rows", "#approved", "#bads", "#bad rate", "#predicted", "#mean score", "#AUC", "#KS"];
    let mut table = Table::new(&format!("{}{impact}", figures.column), &header);
    table.rows = figures
        .groups
        .iter()
        .map(|group| {
            let outcomes = &group.outcomes;
            let ranking = outcomes.ranking.as_ref();
            let text = |found: Option<Fraction>, places| {
                found.map_or_else(Cell::default, |found| Cell::number(found.text(places)))
            };
            vec![
                group.value.as_ref().map_or_else(|| Cell::text("none").tone("soft"), Cell::text),
                Cell::count(group.rows),
                share_or_none(group.approved),
                Cell::count(outcomes.bad),
                share_or_none(outcomes.bad_rate),
                rate_or_none(outcomes.predicted_bad_rate),
                text(outcomes.mean_score, 1),
                text(ranking.map(|ranking| ranking.auc), 4),
                text(ranking.map(|ranking| ranking.ks), 4),
            ]
        })
        .collect();
    table
}

/// Rows by part and outcome.
pub fn counts(counts: &[PartWeights]) -> Table {
    let names = RowOutcome::ALL.map(RowOutcome::name);
    let header: Vec<String> = names.iter().map(|name| format!("#{}", name.replace('_', " "))).collect();
    let header: Vec<&str> = ["part", "#rows"].into_iter().chain(header.iter().map(String::as_str)).collect();
    let mut table = Table::new("Rows by part, weights by outcome", &header);
    for part in counts {
        let mut row = vec![Cell::text(part_words(part.part)), Cell::count(part.rows)];
        row.extend(names.iter().map(|name| Cell::count(part.weights.get(name).copied().unwrap_or(0))));
        table.rows.push(row);
    }
    table
}

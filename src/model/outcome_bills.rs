//! Outcomes computed from repayments: the bills that fell due after the as-of date, as they were some days later.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rayon::prelude::*;

use super::bind::{BILL_FIGURES, BoundModel, truths};
use super::outcome::Outcomes;
use super::rows::SpineRows;
use super::sample::RowOutcome;
use crate::console::{Progress, plural};
use crate::day::Day;
use crate::expr::{Column, Ints, Texts};
use crate::failure::input;
use crate::features::FeatureTable;
use crate::input::wanted::{Role, Units, Wanted};
use crate::input::whole::read_whole;
use crate::job::{Feature, Job, own_features};
use crate::spine::{AskedRows, FeatureSweep, LeftOut, SweptSlots};

/// Which bills are looked at, and when.
pub(super) struct OutcomeWindow {
    /// Those due in (as_of, as_of + so many days].
    pub due_within_days: u32,
    /// As they are at the end of as_of + so many days.
    pub seen_after_days: u32,
    /// The last day of which repayments tell what was paid, where the model file says so.
    pub known_until: Option<Day>,
}

/// Computes the outcome of every row from what had been delivered by the day on which it is seen.
pub(super) fn compute(
    window: OutcomeWindow,
    bound: &BoundModel,
    rows: &SpineRows,
    sweep: &mut FeatureSweep,
    progress: &Progress,
) -> Result<Outcomes> {
    let mut outcomes = Outcomes::default();
    let known_until = known_until(window.known_until, sweep, progress, &mut outcomes.warnings)?;
    outcomes.known_until = known_until;
    let seen: Vec<Option<Day>> = rows
        .asked
        .days
        .iter()
        .map(|day| {
            let seen = day.map(|day| day.as_of.plus(window.seen_after_days as i32));
            seen.filter(|seen| known_until.is_some_and(|last| *seen <= last))
        })
        .collect();
    let asked = AskedRows::on(rows.asked.account.clone(), seen.iter().copied());
    let products = products_of(rows)?;
    let features = features(&window, &products, &sweep.job)?;
    let SweptSlots { slots, features, .. } = sweep.answer_bills(features, &asked, &rows.subject, progress)?;
    let figures = figures(rows, &products, &slots, &features);
    let [bad, indeterminate] = [&bound.bad, &bound.indeterminate]
        .map(|expr| expr.as_ref().map(|expr| truths(expr, &figures, rows.len())));
    let Column::Int(bills) = &figures[0] else { unreachable!("figures are integers") };
    let mut not_delivered = BTreeSet::new();
    for (row, slot) in slots.iter().enumerate() {
        let has_day = rows.asked.days[row].is_some();
        outcomes.by_row.push(match slot {
            _ if has_day && seen[row].is_none() => RowOutcome::Immature,
            Err(LeftOut::NotDelivered) => {
                outcomes.not_delivered += 1;
                not_delivered.extend(seen[row]);
                RowOutcome::Unmatched
            }
            Err(_) => RowOutcome::Unmatched,
            Ok(_) if bills.get(row).is_none_or(|bills| *bills == 0) => RowOutcome::Unmatched,
            Ok(_) if bad.as_ref().is_some_and(|bad| bad.is_true(row)) => RowOutcome::Bad,
            Ok(_) if indeterminate.as_ref().is_some_and(|truths| truths.is_true(row)) => {
                RowOutcome::Indeterminate
            }
            Ok(_) => RowOutcome::Good,
        });
    }
    if let Some(first) = not_delivered.first() {
        outcomes.warnings.push(format!(
            "{} unmatched: repayments have no delivery of the day on which {} outcome would be seen ({}, the first of \
             them {first})",
            plural(outcomes.not_delivered as usize, "row"),
            if outcomes.not_delivered == 1 { "its" } else { "their" },
            plural(not_delivered.len(), "day"),
        ));
    }
    Ok(outcomes)
}

/// Up to which day repayments tell what was paid.
fn known_until(
    said: Option<Day>,
    sweep: &FeatureSweep,
    progress: &Progress,
    warnings: &mut Vec<String>,
) -> Result<Option<Day>> {
    let repayments = &sweep.deliveries.repayments;
    if repayments.spec.is_dated() {
        let latest = repayments.latest();
        return Ok(latest.map(|latest| said.map_or(latest, |said| said.min(latest))));
    }
    if said.is_some() {
        return Ok(said);
    }
    let last = last_payment(sweep, progress)?;
    let until = last.map_or("no day".to_string(), |day| day.to_string());
    warnings.push(format!(
        "repayments are not delivered by date: outcomes are taken for known up to {until}, when the last payment was \
         made; known_until in [outcome] says another day"
    ));
    Ok(last)
}

/// The last date on which anything was paid.
fn last_payment(sweep: &FeatureSweep, progress: &Progress) -> Result<Option<Day>> {
    let job = &sweep.job;
    let spec = &job.inputs.repayments;
    let mut last = None;
    for file in sweep.deliveries.repayments.deliveries.iter().flat_map(|delivery| &delivery.files) {
        let file = crate::input::file::open(spec, None, file)?;
        let columns =
            read_whole(&file, spec, &[Wanted::new("paid_on", Role::Date)], &Units::of(job), progress)?;
        let Some(Column::Int(days)) = columns.first() else { unreachable!("dates are days") };
        let days = crate::spine::days_of(days).flatten();
        last = days.chain(last).max();
    }
    Ok(last)
}

/// The products of the rows, each once: bills of other lines don't count for a row that names one. `None`: all bills
/// of the account.
fn products_of(rows: &SpineRows) -> Result<Vec<Option<String>>> {
    const MOST: usize = 50;
    let Some(products) = &rows.product else { return Ok(vec![None]) };
    let codes: BTreeSet<u32> = products.codes.iter().copied().collect();
    let names =
        codes.into_iter().map(|code| products.dictionary.get(code as usize).map(|name| name.to_string()));
    let names: BTreeSet<Option<String>> = names.collect();
    if names.len() > MOST {
        return Err(input(format!(
            "{}: its rows name {} products, and outcomes are computed for at most {MOST}: draw a sample for some of \
             them at a time, or take outcomes from a file",
            rows.subject,
            names.len()
        )));
    }
    Ok(names.into_iter().collect())
}

/// The figures of bills as features, product by product.
fn features(window: &OutcomeWindow, products: &[Option<String>], job: &Job) -> Result<Vec<Feature>> {
    let skip_days = window.seen_after_days - window.due_within_days;
    let mut text = String::new();
    for (number, product) in products.iter().enumerate() {
        let of_product =
            product.as_ref().map(|product| format!("product = '{}'", product.replace('\'', "''")));
        for name in BILL_FIGURES {
            let (aggregate, condition) = match name {
                "bills" => ("agg = \"count\"", None),
                "max_days_late" => ("agg = \"max\"\nof = \"days_late\"", None),
                "open_bills" => ("agg = \"count\"", Some("is_open")),
                "due" => ("agg = \"sum\"\nof = \"due_amount\"", None),
                "paid" => ("agg = \"sum\"\nof = \"paid\"", None),
                _ => ("agg = \"sum\"\nof = \"outstanding\"", None),
            };
            let conditions: Vec<&str> = of_product.as_deref().into_iter().chain(condition).collect();
            let days = window.due_within_days;
            text += &format!(
                "[[feature]]\nname = \"{name}_{number}\"\nfrom = \"bills\"\n{aggregate}\ndays = {days}\n"
            );
            if skip_days > 0 {
                text += &format!("skip_days = {skip_days}\n");
            }
            if !conditions.is_empty() {
                text += &format!("where = {}\n", toml::Value::from(conditions.join(" and ")));
            }
        }
    }
    own_features(text, &job.scopes)
}

/// The figures of every row's bills; null where nothing was asked.
fn figures(
    rows: &SpineRows,
    products: &[Option<String>],
    slots: &[Result<u32, LeftOut>],
    features: &FeatureTable,
) -> Vec<Column> {
    let numbers: BTreeMap<Option<&str>, usize> =
        products.iter().enumerate().map(|(number, product)| (product.as_deref(), number)).collect();
    let product = |row: usize| rows.product.as_ref().and_then(|products: &Texts| products.get(row));
    let figures = (0..BILL_FIGURES.len()).into_par_iter().map(|place| {
        let values = slots.iter().enumerate().map(|(row, slot)| {
            let slot = slot.ok()? as usize;
            let number = numbers[&product(row)];
            features.get(number * BILL_FIGURES.len() + place, slot)
        });
        Column::Int(values.collect::<Ints>())
    });
    figures.collect()
}

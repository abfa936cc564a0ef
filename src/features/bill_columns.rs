//! What features see of bills: columns made of them, and the figures that do not fit.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use anyhow::Error;

use super::ledger::Bill;
use super::plan::FeaturePlan;
use crate::day::Day;
use crate::expr::column::{FALSE, TRUE};
use crate::expr::{Column, Ints, Texts};
use crate::failure::input;
use crate::job::BILL_COLUMNS;

/// A bill as features see it on the days of some slots, the same on all of them.
#[derive(Debug, Clone)]
pub(super) struct SeenBill {
    /// The slots within their part.
    pub slots: Range<u32>,
    /// The first slot's day.
    pub as_of: Day,
    /// The product's number.
    pub product: u32,
    /// What stands for its id.
    pub id: u64,
    /// The bill at the end of that day.
    pub bill: Bill,
}

/// What numbers stand for.
pub(super) struct Names<'a> {
    /// Products by number.
    pub products: Arc<Vec<Arc<str>>>,
    /// Text ids by their hash, where they are read.
    pub bills: Option<&'a Mutex<HashMap<u64, Arc<str>>>>,
}

/// The columns of the bills scope that the plan reads.
pub(super) fn columns(
    plan: &FeaturePlan,
    bills: &[SeenBill],
    names: &Names,
) -> Result<Vec<Option<Column>>, Misfit> {
    let mut columns = Vec::with_capacity(BILL_COLUMNS.len());
    for slot in 0..BILL_COLUMNS.len() {
        let is_read = plan.columns.contains(&slot);
        let column = is_read.then(|| column(slot, bills, names)).transpose();
        // Another figure that is read may not fit of an earlier bill.
        columns
            .push(column.map_err(|DoesNotFit| {
                Misfit::first(plan, bills, names).expect("some figure does not fit")
            })?);
    }
    Ok(columns)
}

/// Some figure of some bill does not fit in 64 bits.
struct DoesNotFit;

fn column(slot: usize, bills: &[SeenBill], names: &Names) -> Result<Column, DoesNotFit> {
    Ok(match BILL_COLUMNS[slot].0 {
        "product" => {
            let codes = bills.iter().map(|seen| seen.product).collect();
            Column::Text(Texts { codes, dictionary: names.products.clone() })
        }
        "bill_id" => bill_ids(bills, names),
        "due_on" => ints(bills, |seen| i64::from(seen.bill.due_on.0)),
        "due_amount" => ints(bills, |seen| seen.bill.due_amount),
        "paid" => figures(bills, Figure::Paid)?,
        "settled_on" => {
            let days = bills.iter().map(|seen| seen.bill.settled_on.map(|day| i64::from(day.0)));
            Column::Int(days.collect())
        }
        "is_open" => {
            let open = bills.iter().map(|seen| truth(seen.bill.settled_on.is_none()));
            Column::Bool(open.collect())
        }
        "days_late" => ints(bills, SeenBill::days_late),
        "outstanding" => figures(bills, Figure::Outstanding)?,
        "is_due" => Column::Bool(bills.iter().map(|seen| truth(seen.is_due())).collect()),
        other => unreachable!("{other} is no column of bills"),
    })
}

fn truth(holds: bool) -> u8 {
    if holds { TRUE } else { FALSE }
}

impl SeenBill {
    /// Whether it is due.
    pub fn is_due(&self) -> bool {
        self.bill.due_on <= self.as_of
    }

    /// Days from the due date to the day of settlement, or to today; 0 where it was in time, or is not due yet.
    fn days_late(&self) -> i64 {
        self.bill.settled_on.unwrap_or(self.as_of).since(self.bill.due_on).max(0)
    }
}

fn figures(bills: &[SeenBill], figure: Figure) -> Result<Column, DoesNotFit> {
    let values: Option<Vec<i64>> =
        bills.iter().map(|seen| i64::try_from(figure.of(&seen.bill)).ok()).collect();
    values.map(|values| Column::Int(Ints::all(values))).ok_or(DoesNotFit)
}

fn ints(bills: &[SeenBill], value: impl Fn(&SeenBill) -> i64) -> Column {
    Column::Int(Ints::all(bills.iter().map(value).collect()))
}

/// A figure of a bill that payments may carry beyond 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Figure {
    Paid,
    Outstanding,
}

impl Figure {
    /// As in [`BILL_COLUMNS`].
    fn name(self) -> &'static str {
        match self {
            Figure::Paid => "paid",
            Figure::Outstanding => "outstanding",
        }
    }

    fn of(self, bill: &Bill) -> i128 {
        match self {
            Figure::Paid => bill.paid,
            Figure::Outstanding => (i128::from(bill.due_amount) - bill.paid).max(0),
        }
    }
}

/// A figure that does not fit in 64 bits. The least one is reported: products are numbered in the order in which
/// threads have met them, which says nothing.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Misfit {
    /// The slot within its part.
    pub slot: u32,
    product: Arc<str>,
    due_on: Day,
    figure: Figure,
    value: i128,
}

impl Misfit {
    /// The first among the figures that are read.
    fn first(plan: &FeaturePlan, bills: &[SeenBill], names: &Names) -> Option<Misfit> {
        let mut read = vec![Figure::Paid, Figure::Outstanding];
        read.retain(|figure| plan.columns.iter().any(|slot| BILL_COLUMNS[*slot].0 == figure.name()));
        let figures = bills.iter().flat_map(|seen| {
            read.iter().map(move |figure| Misfit {
                slot: seen.slots.start,
                product: names.products[seen.product as usize].clone(),
                due_on: seen.bill.due_on,
                figure: *figure,
                value: figure.of(&seen.bill),
            })
        });
        figures.filter(|misfit| i64::try_from(misfit.value).is_err()).min()
    }

    /// The error of a figure of an account.
    pub fn into_error(self, account: &str) -> Error {
        let Misfit { product, due_on, figure, value, .. } = self;
        let figure = figure.name();
        input(format!(
            "settle bills: {figure} of a {product} bill of account {account} due on {due_on} is {value}, which \
             does not fit in Int64"
        ))
    }
}

fn bill_ids(bills: &[SeenBill], names: &Names) -> Column {
    let texts = names.bills.map(|texts| texts.lock().expect("no thread panicked"));
    match texts.filter(|texts| !texts.is_empty()) {
        Some(texts) => Column::Text(bills.iter().map(|seen| Some(&*texts[&seen.id])).collect()),
        None => ints(bills, |seen| seen.id as i64),
    }
}

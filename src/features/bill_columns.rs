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

/// A bill that is due on the days of some slots, and the same on all of them.
#[derive(Debug, Clone)]
pub(super) struct DueBill {
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
    due: &[DueBill],
    names: &Names,
) -> Result<Vec<Option<Column>>, Misfit> {
    let mut columns = Vec::with_capacity(BILL_COLUMNS.len());
    for slot in 0..BILL_COLUMNS.len() {
        let is_read = plan.columns.contains(&slot);
        let column = is_read.then(|| column(slot, due, names)).transpose();
        // Another figure that is read may not fit of an earlier bill.
        columns.push(
            column
                .map_err(|DoesNotFit| Misfit::first(plan, due, names).expect("some figure does not fit"))?,
        );
    }
    Ok(columns)
}

/// Some figure of some bill does not fit in 64 bits.
struct DoesNotFit;

fn column(slot: usize, due: &[DueBill], names: &Names) -> Result<Column, DoesNotFit> {
    Ok(match BILL_COLUMNS[slot].0 {
        "product" => {
            let codes = due.iter().map(|due| due.product).collect();
            Column::Text(Texts { codes, dictionary: names.products.clone() })
        }
        "bill_id" => bill_ids(due, names),
        "due_on" => ints(due, |due| i64::from(due.bill.due_on.0)),
        "due_amount" => ints(due, |due| due.bill.due_amount),
        "paid" => figures(due, Figure::Paid)?,
        "settled_on" => {
            let days = due.iter().map(|due| due.bill.settled_on.map(|day| i64::from(day.0)));
            Column::Int(days.collect())
        }
        "is_open" => {
            let open = due.iter().map(|due| if due.bill.settled_on.is_none() { TRUE } else { FALSE });
            Column::Bool(open.collect())
        }
        "days_late" => ints(due, DueBill::days_late),
        "outstanding" => figures(due, Figure::Outstanding)?,
        other => unreachable!("{other} is no column of bills"),
    })
}

impl DueBill {
    /// Days from the due date to the day of settlement, or to today; 0 where it was in time.
    fn days_late(&self) -> i64 {
        self.bill.settled_on.unwrap_or(self.as_of).since(self.bill.due_on).max(0)
    }
}

fn figures(due: &[DueBill], figure: Figure) -> Result<Column, DoesNotFit> {
    let values: Option<Vec<i64>> = due.iter().map(|due| i64::try_from(figure.of(&due.bill)).ok()).collect();
    values.map(|values| Column::Int(Ints::all(values))).ok_or(DoesNotFit)
}

fn ints(due: &[DueBill], value: impl Fn(&DueBill) -> i64) -> Column {
    Column::Int(Ints::all(due.iter().map(value).collect()))
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
    fn first(plan: &FeaturePlan, due: &[DueBill], names: &Names) -> Option<Misfit> {
        let mut read = vec![Figure::Paid, Figure::Outstanding];
        read.retain(|figure| plan.columns.iter().any(|slot| BILL_COLUMNS[*slot].0 == figure.name()));
        let figures = due.iter().flat_map(|due| {
            read.iter().map(move |figure| Misfit {
                slot: due.slots.start,
                product: names.products[due.product as usize].clone(),
                due_on: due.bill.due_on,
                figure: *figure,
                value: figure.of(&due.bill),
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

fn bill_ids(due: &[DueBill], names: &Names) -> Column {
    let texts = names.bills.map(|texts| texts.lock().expect("no thread panicked"));
    match texts.filter(|texts| !texts.is_empty()) {
        Some(texts) => Column::Text(due.iter().map(|due| Some(&*texts[&due.id])).collect()),
        None => ints(due, |due| due.id as i64),
    }
}

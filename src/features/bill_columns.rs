//! What features see of bills: columns made of the ledger's, and the figures that do not fit.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Error;

use super::ledger::Bill;
use super::plan::Plan;
use crate::day::Day;
use crate::expr::column::{FALSE, TRUE};
use crate::expr::{Column, Ints, Texts};
use crate::failure::input;
use crate::input::accounts::Accounts;
use crate::job::BILL_COLUMNS;

/// What numbers stand for.
pub(super) struct Names {
    /// Products by number.
    pub products: Arc<Vec<Arc<str>>>,
    /// Text ids by their hash, where they are read.
    pub bills: Option<HashMap<u64, Arc<str>>>,
}

/// The columns of the bills scope that the plan reads; `settled` says what was paid of each bill and since
/// when that is enough.
pub(super) fn columns(
    plan: &Plan,
    bills: &[&Bill],
    settled: &[(i128, Option<Day>)],
    as_of: Day,
    names: &Names,
) -> Result<Vec<Option<Column>>, Misfit> {
    let rows = || bills.iter().copied().zip(settled);
    let days = |day: Day| i64::from(day.0);
    let days_late =
        |bill: &Bill, settled_on: Option<Day>| settled_on.unwrap_or(as_of).since(bill.due_on).max(0);
    let figure = |figure: Figure| {
        let fits = rows().map(|(bill, (paid, _))| i64::try_from(figure.of(bill, *paid)).map(Some));
        let first = || Misfit::first(plan, bills, settled, names).expect("some figure does not fit");
        fits.collect::<Result<Ints, _>>().map(Column::Int).map_err(|_| first())
    };
    let column = |slot: usize| -> Result<Column, Misfit> {
        Ok(match BILL_COLUMNS[slot].0 {
            "product" => {
                let codes = bills.iter().map(|bill| u32::from(bill.key.product)).collect();
                Column::Text(Texts { codes, dictionary: names.products.clone() })
            }
            "bill_id" => bill_ids(bills, names),
            "due_on" => Column::Int(Ints::all(bills.iter().map(|bill| days(bill.due_on)).collect())),
            "due_amount" => Column::Int(Ints::all(bills.iter().map(|bill| bill.due_amount).collect())),
            "paid" => figure(Figure::Paid)?,
            "settled_on" => Column::Int(settled.iter().map(|(_, day)| day.map(days)).collect()),
            "is_open" => Column::Bool(
                settled.iter().map(|(_, day)| if day.is_none() { TRUE } else { FALSE }).collect(),
            ),
            "days_late" => {
                Column::Int(Ints::all(rows().map(|(bill, (_, day))| days_late(bill, *day)).collect()))
            }
            "outstanding" => figure(Figure::Outstanding)?,
            other => unreachable!("{other} is no column of bills"),
        })
    };
    (0..BILL_COLUMNS.len())
        .map(|slot| plan.columns.contains(&slot).then(|| column(slot)).transpose())
        .collect()
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

    fn of(self, bill: &Bill, paid: i128) -> i128 {
        match self {
            Figure::Paid => paid,
            Figure::Outstanding => (i128::from(bill.due_amount) - paid).max(0),
        }
    }
}

/// A figure that does not fit in 64 bits. The least is told: bills of one account are held in the order in
/// which threads have met products, which says nothing.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Misfit {
    account: u32,
    product: Arc<str>,
    due_on: Day,
    figure: Figure,
    value: i128,
}

impl Misfit {
    /// The first among the figures that are read.
    fn first(plan: &Plan, bills: &[&Bill], settled: &[(i128, Option<Day>)], names: &Names) -> Option<Misfit> {
        let is_read =
            |figure: &Figure| plan.columns.iter().any(|slot| BILL_COLUMNS[*slot].0 == figure.name());
        let read: Vec<Figure> = [Figure::Paid, Figure::Outstanding].into_iter().filter(is_read).collect();
        let figures = bills.iter().zip(settled).flat_map(|(bill, (paid, _))| {
            read.iter().map(move |figure| Misfit {
                account: bill.key.account,
                product: names.products[usize::from(bill.key.product)].clone(),
                due_on: bill.due_on,
                figure: *figure,
                value: figure.of(bill, *paid),
            })
        });
        figures.filter(|misfit| i64::try_from(misfit.value).is_err()).min()
    }

    /// The error that tells it.
    pub fn told(self, accounts: &Accounts) -> Error {
        let Misfit { account, product, due_on, figure, value } = self;
        let (account, figure) = (accounts.ids.text(account as usize), figure.name());
        input(format!(
            "settle bills: {figure} of a {product} bill of account {account} due on {due_on} is {value}, which \
             does not fit in Int64"
        ))
    }
}

fn bill_ids(bills: &[&Bill], names: &Names) -> Column {
    match names.bills.as_ref().filter(|texts| !texts.is_empty()) {
        Some(texts) => Column::Text(bills.iter().map(|bill| Some(&*texts[&bill.key.bill])).collect()),
        None => Column::Int(Ints::all(bills.iter().map(|bill| bill.key.bill as i64).collect())),
    }
}

//! Reads repayments: rows folded into ledgers, the bills that are due accumulated.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use rayon::prelude::*;

use super::accumulate::Cells;
use super::ledger::{Bill, BillId, Key, Ledger, Row};
use super::plan::Plan;
use super::rows::accumulate;
use super::{Interner, Partitions};
use crate::console::Progress;
use crate::day::Day;
use crate::expr::column::{FALSE, TRUE};
use crate::expr::{Column, Frame, Ints};
use crate::failure::input;
use crate::input::accounts::{Accounts, STRANGER, id_text};
use crate::input::stream::{Chunk, Source, Tally, stream};
use crate::job::BILL_COLUMNS;

/// What repayments come to.
pub struct Repayments {
    /// One a partition.
    pub cells: Vec<Cells>,
    /// Bills, due or not, of any account, for which one delivery holds more than one pair of terms.
    pub conflicts: u64,
    /// Rows read and left out.
    pub tally: Tally,
}

/// Accounts without a line still have their bills checked for conflicts, in partitions of their own.
const STRANGER_PARTITIONS: usize = 16;

/// Rows of one row group by partition, with their row numbers where repeats are told.
#[derive(Default)]
struct Load {
    parts: Vec<Vec<(u32, Row)>>,
}

/// Reads repayments and accumulates the bills that are due.
pub fn read_repayments(
    source: &Source,
    plan: &Plan,
    accounts: &Accounts,
    partitions: Partitions,
    as_of: Day,
    tolerance: i64,
    progress: &Progress,
) -> Result<Repayments> {
    let products = Interner::default();
    let strangers = Mutex::new(HashMap::<String, u32>::new());
    let total = partitions.count() + STRANGER_PARTITIONS;
    let ledgers: Vec<Mutex<Ledger>> = (0..total).map(|_| Mutex::default()).collect();
    let stranger_of = |id: String| {
        let mut known = strangers.lock().expect("no thread panicked");
        let next = known.len() as u32;
        *known.entry(id).or_insert(next)
    };
    let pack = |chunk: &Chunk, load: &mut Load| {
        load.parts.resize_with(total, Vec::new);
        let positions = accounts.positions(&chunk.columns[0]);
        for row in repayment_rows(chunk, &products) {
            let (number, mut row) = row;
            let partition = match positions[number] {
                STRANGER => {
                    let id = id_text(&chunk.columns[0], number).expect("accepted rows have an account");
                    row.key.account = stranger_of(id);
                    partitions.count() + row.key.account as usize % STRANGER_PARTITIONS
                }
                position => {
                    row.key.account = position;
                    partitions.of(position)
                }
            };
            load.parts[partition].push((chunk.first_row + number as u32, row));
        }
        Ok(())
    };
    let sink = |load: Load, repeats: &[u32]| {
        for (partition, part) in load.parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty()) {
            let kept = part.into_iter().filter(|(number, _)| repeats.binary_search(number).is_err());
            ledgers[partition].lock().expect("no thread panicked").add(kept.map(|(_, row)| row));
        }
        Ok(())
    };
    let fold = || {
        ledgers.par_iter().for_each(|ledger| ledger.lock().expect("no thread panicked").fold_if_many());
    };
    let tally = stream(source, progress, pack, sink, fold)?;
    let products = products.texts();
    let settled: Vec<(Option<Cells>, u64)> = ledgers
        .into_par_iter()
        .enumerate()
        .map(|(number, ledger)| {
            let mut bills = ledger.into_inner().expect("no thread panicked").into_bills();
            let conflicts = bills.iter().filter(|bill| bill.is_conflicting).count() as u64;
            bills.retain(|bill| bill.due_on <= as_of);
            if number >= partitions.count() {
                return Ok((None, conflicts));
            }
            let columns = columns(plan, &bills, as_of, tolerance, &products, accounts)?;
            let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
            let frame = Frame { rows: bills.len(), columns };
            let place = |row: usize| {
                let bill: &Bill = &bills[row];
                let age = as_of.since(bill.due_on);
                (age >= 0).then(|| (bill.key.account, u32::try_from(age).expect("ages of days fit")))
            };
            let cells = accumulate(plan, &frame, place, partitions.accounts(number));
            Ok((Some(cells), conflicts))
        })
        .collect::<Result<_>>()?;
    let conflicts = settled.iter().map(|(_, conflicts)| conflicts).sum();
    Ok(Repayments { cells: settled.into_iter().filter_map(|(cells, _)| cells).collect(), conflicts, tally })
}

/// The accepted rows of a chunk with their row numbers; accounts are filled in by the caller.
fn repayment_rows<'a>(chunk: &'a Chunk, products: &Interner) -> impl Iterator<Item = (usize, Row)> + 'a {
    let [
        _,
        Column::Text(product),
        bill,
        Column::Int(due_on),
        Column::Int(due_amount),
        paid_on,
        paid_amount,
        ..,
    ] = chunk.columns
    else {
        unreachable!("the contract's columns are read")
    };
    let (Column::Int(paid_on), Column::Int(paid_amount)) = (paid_on, paid_amount) else {
        unreachable!("dates and money are integers")
    };
    let numbers = products.numbers(&product.dictionary);
    let delivery = chunk.delivery.map_or(i32::MIN, |day| day.0);
    let accepted = (0..chunk.verdicts.0.len()).filter(|row| chunk.verdicts.0[*row].is_none());
    accepted.map(move |row| {
        let bill = match bill {
            Column::Text(texts) => BillId::Text(texts.dictionary[texts.codes[row] as usize].clone()),
            Column::Int(ints) => BillId::Int(ints.values[row]),
            _ => unreachable!("ids are integers or text"),
        };
        let payment = paid_on.get(row).map(|day| (Day(*day as i32), paid_amount.values[row]));
        let row_of = Row {
            key: Key { account: STRANGER, product: numbers[product.codes[row] as usize], bill },
            delivery,
            due_on: Day(due_on.values[row] as i32),
            due_amount: due_amount.values[row],
            payment,
        };
        (row, row_of)
    })
}

/// The columns of the bills scope that the plan reads.
fn columns(
    plan: &Plan,
    bills: &[Bill],
    as_of: Day,
    tolerance: i64,
    products: &[Arc<str>],
    accounts: &Accounts,
) -> Result<Vec<Option<Column>>> {
    let settled: Vec<(i128, Option<Day>)> = bills.iter().map(|bill| bill.settle(as_of, tolerance)).collect();
    let rows = || bills.iter().zip(&settled);
    let days = |day: Day| i64::from(day.0);
    let outstanding = |bill: &Bill, paid: i128| (i128::from(bill.due_amount) - paid).max(0);
    let days_late =
        |bill: &Bill, settled_on: Option<Day>| settled_on.unwrap_or(as_of).since(bill.due_on).max(0);
    let exact = |what: &str, value: &dyn Fn(&Bill, i128) -> i128| -> Result<Column> {
        let fits = rows().map(|(bill, (paid, _))| {
            let value = value(bill, *paid);
            i64::try_from(value).map(Some).map_err(|_| does_not_fit(what, value, bill, accounts))
        });
        Ok(Column::Int(fits.collect::<Result<Ints>>()?))
    };
    let column = |slot: usize| -> Result<Column> {
        Ok(match BILL_COLUMNS[slot].0 {
            "product" => {
                Column::Text(bills.iter().map(|bill| Some(&*products[bill.key.product as usize])).collect())
            }
            "bill_id" => bill_ids(bills),
            "due_on" => Column::Int(Ints::all(bills.iter().map(|bill| days(bill.due_on)).collect())),
            "due_amount" => Column::Int(Ints::all(bills.iter().map(|bill| bill.due_amount).collect())),
            "paid" => exact("paid", &|_, paid| paid)?,
            "settled_on" => Column::Int(settled.iter().map(|(_, day)| day.map(days)).collect()),
            "is_open" => Column::Bool(
                settled.iter().map(|(_, day)| if day.is_none() { TRUE } else { FALSE }).collect(),
            ),
            "days_late" => {
                Column::Int(Ints::all(rows().map(|(bill, (_, day))| days_late(bill, *day)).collect()))
            }
            "outstanding" => exact("outstanding", &outstanding)?,
            other => unreachable!("{other} is no column of bills"),
        })
    };
    (0..BILL_COLUMNS.len())
        .map(|slot| plan.columns.contains(&slot).then(|| column(slot)).transpose())
        .collect()
}

fn does_not_fit(what: &str, value: i128, bill: &Bill, accounts: &Accounts) -> anyhow::Error {
    let account = accounts.ids.text(bill.key.account as usize);
    let id = match &bill.key.bill {
        BillId::Int(id) => id.to_string(),
        BillId::Text(id) => id.to_string(),
    };
    input(format!(
        "settle bills: {what} of bill {id} of account {account} is {value}, which does not fit in Int64"
    ))
}

fn bill_ids(bills: &[Bill]) -> Column {
    let text = |bill: &Bill| matches!(bill.key.bill, BillId::Text(_));
    match bills.first().is_some_and(text) {
        true => {
            let id = |bill: &'_ Bill| match &bill.key.bill {
                BillId::Text(id) => Some(id.clone()),
                BillId::Int(_) => None,
            };
            let ids: Vec<Option<Arc<str>>> = bills.iter().map(id).collect();
            Column::Text(ids.iter().map(Option::as_deref).collect())
        }
        false => {
            let id = |bill: &Bill| match bill.key.bill {
                BillId::Int(id) => Some(id),
                BillId::Text(_) => None,
            };
            Column::Int(bills.iter().map(id).collect())
        }
    }
}

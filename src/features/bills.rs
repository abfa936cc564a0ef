//! Repayment rows to bills: terms, payments, when a bill was settled and how late.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use rayon::prelude::*;

use super::accumulate::Cells;
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

/// What identifies a bill within an account and product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum BillId {
    Int(i64),
    Text(Arc<str>),
}

/// One repayment row.
#[derive(Debug, Clone)]
struct Row {
    account: u32,
    product: u32,
    bill: BillId,
    /// Undated deliveries come before all others.
    delivery: i32,
    due_on: Day,
    due_amount: i64,
    payment: Option<(Day, i64)>,
}

/// A bill as of a day.
#[derive(Debug, PartialEq, Eq)]
struct Bill {
    due_on: Day,
    due_amount: i64,
    paid: i128,
    settled_on: Option<Day>,
    /// Some delivery gives it more than one pair of terms.
    is_conflicting: bool,
}

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
    let rows: Vec<Mutex<Vec<Row>>> = (0..total).map(|_| Mutex::new(Vec::new())).collect();
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
                    row.account = stranger_of(id);
                    partitions.count() + row.account as usize % STRANGER_PARTITIONS
                }
                position => {
                    row.account = position;
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
            rows[partition].lock().expect("no thread panicked").extend(kept.map(|(_, row)| row));
        }
        Ok(())
    };
    let tally = stream(source, progress, pack, sink)?;
    let products = products.texts();
    let settled: Vec<(Option<Cells>, u64)> = rows
        .into_par_iter()
        .enumerate()
        .map(|(number, rows)| {
            let rows = rows.into_inner().expect("no thread panicked");
            let bills = bills(rows, as_of, tolerance);
            let conflicts = bills.iter().filter(|(_, bill)| bill.is_conflicting).count() as u64;
            if number >= partitions.count() {
                return Ok((None, conflicts));
            }
            let columns = columns(plan, &bills, as_of, &products, accounts)?;
            let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
            let frame = Frame { rows: bills.len(), columns };
            let place = |row: usize| {
                let (key, bill) = &bills[row];
                let age = as_of.since(bill.due_on);
                (age >= 0).then(|| (key.account, u32::try_from(age).expect("ages of days fit")))
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
            account: STRANGER,
            product: numbers[product.codes[row] as usize],
            bill,
            delivery,
            due_on: Day(due_on.values[row] as i32),
            due_amount: due_amount.values[row],
            payment,
        };
        (row, row_of)
    })
}

/// The bills of a partition, each with one of its rows.
fn bills(mut rows: Vec<Row>, as_of: Day, tolerance: i64) -> Vec<(Row, Bill)> {
    fn key(row: &Row) -> (u32, u32, &BillId) {
        (row.account, row.product, &row.bill)
    }
    rows.sort_unstable_by(|a, b| key(a).cmp(&key(b)).then(a.delivery.cmp(&b.delivery)));
    let groups = rows.chunk_by(|a, b| key(a) == key(b));
    groups.map(|group| (group[0].clone(), bill(group, as_of, tolerance))).collect()
}

/// One bill from its rows, in order of delivery.
fn bill(rows: &[Row], as_of: Day, tolerance: i64) -> Bill {
    let terms = |row: &Row| (row.due_on, row.due_amount);
    let mut deliveries = rows.chunk_by(|a, b| a.delivery == b.delivery);
    let is_conflicting =
        deliveries.clone().any(|delivery| delivery.iter().any(|row| terms(row) != terms(&delivery[0])));
    let latest = deliveries.next_back().expect("a bill has a row");
    let due_on = latest.iter().map(|row| row.due_on).min().expect("a delivery has a row");
    let due_amount = latest.iter().map(|row| row.due_amount).max().expect("a delivery has a row");
    let mut payments: Vec<(Day, i64)> =
        rows.iter().filter_map(|row| row.payment).filter(|(day, _)| *day <= as_of).collect();
    payments.sort_unstable();
    let enough = i128::from((due_amount - tolerance).max(1));
    let (mut paid, mut settled_on) = (0_i128, None);
    for day in payments.chunk_by(|a, b| a.0 == b.0) {
        paid += day.iter().map(|(_, amount)| i128::from(*amount)).sum::<i128>();
        settled_on = if paid >= enough { settled_on.or(Some(day[0].0)) } else { None };
    }
    Bill { due_on, due_amount, paid, settled_on, is_conflicting }
}

/// The columns of the bills scope that the plan reads.
fn columns(
    plan: &Plan,
    bills: &[(Row, Bill)],
    as_of: Day,
    products: &[Arc<str>],
    accounts: &Accounts,
) -> Result<Vec<Option<Column>>> {
    let reads = |slot: usize| plan.columns.contains(&slot);
    let days = |day: Day| i64::from(day.0);
    let ints = |value: &dyn Fn(&Bill) -> Option<i64>| {
        Column::Int(bills.iter().map(|(_, bill)| value(bill)).collect::<Ints>())
    };
    let exact = |what: &str, value: &dyn Fn(&Bill) -> i128| -> Result<Column> {
        let fits = bills.iter().map(|(row, bill)| {
            i64::try_from(value(bill)).map(Some).map_err(|_| {
                let account = accounts.ids.text(row.account as usize);
                let id = match &row.bill {
                    BillId::Int(id) => id.to_string(),
                    BillId::Text(id) => id.to_string(),
                };
                input(format!(
                    "settle bills: {what} of bill {id} of account {account} is {}, which does not fit in Int64",
                    value(bill)
                ))
            })
        });
        Ok(Column::Int(fits.collect::<Result<Ints>>()?))
    };
    let product = |(row, _): &(Row, Bill)| products[row.product as usize].clone();
    let is_open = |(_, bill): &(Row, Bill)| if bill.settled_on.is_none() { TRUE } else { FALSE };
    let days_late = |bill: &Bill| bill.settled_on.unwrap_or(as_of).since(bill.due_on).max(0);
    let outstanding = |bill: &Bill| (i128::from(bill.due_amount) - bill.paid).max(0);
    let all = [
        reads(0).then(|| {
            let texts: Vec<Arc<str>> = bills.iter().map(product).collect();
            Ok(Column::Text(texts.iter().map(|text| Some(&**text)).collect()))
        }),
        reads(1).then(|| Ok(bill_ids(bills))),
        reads(2).then(|| Ok(ints(&|bill| Some(days(bill.due_on))))),
        reads(3).then(|| Ok(ints(&|bill| Some(bill.due_amount)))),
        reads(4).then(|| exact("paid", &|bill| bill.paid)),
        reads(5).then(|| Ok(ints(&|bill| bill.settled_on.map(days)))),
        reads(6).then(|| Ok(Column::Bool(bills.iter().map(is_open).collect()))),
        reads(7).then(|| Ok(ints(&|bill| Some(days_late(bill))))),
        reads(8).then(|| exact("outstanding", &outstanding)),
    ];
    all.into_iter().map(Option::transpose).collect()
}

fn bill_ids(bills: &[(Row, Bill)]) -> Column {
    match bills.first().map(|(row, _)| &row.bill) {
        Some(BillId::Text(_)) => Column::Text(
            bills
                .iter()
                .map(|(row, _)| match &row.bill {
                    BillId::Text(id) => Some(&**id),
                    BillId::Int(_) => None,
                })
                .collect(),
        ),
        _ => Column::Int(
            bills
                .iter()
                .map(|(row, _)| match &row.bill {
                    BillId::Int(id) => Some(*id),
                    BillId::Text(_) => None,
                })
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(delivery: i32, due_on: i32, due_amount: i64, payment: Option<(i32, i64)>) -> Row {
        Row {
            account: 0,
            product: 0,
            bill: BillId::Int(1),
            delivery,
            due_on: Day(due_on),
            due_amount,
            payment: payment.map(|(day, amount)| (Day(day), amount)),
        }
    }

    /// Bills due on day 10 for 1000 with a tolerance of 100, seen at day 20.
    #[test]
    fn a_bill_is_settled_from_the_day_on_which_payments_stay_enough() {
        type Case = (&'static str, Vec<(i32, i64)>, Option<i32>);
        let cases: [Case; 7] = [
            ("nothing paid", vec![], None),
            ("paid in full", vec![(9, 1000)], Some(9)),
            ("short by the tolerance", vec![(9, 900)], Some(9)),
            ("short by more", vec![(9, 899)], None),
            ("in parts", vec![(8, 500), (12, 500)], Some(12)),
            ("bounced and paid again", vec![(9, 1000), (11, -1000), (15, 1000)], Some(15)),
            ("bounced the same day, another in its place", vec![(9, 1000), (9, -1000), (9, 950)], Some(9)),
        ];
        for (name, payments, settled_on) in cases {
            let rows: Vec<Row> = payments.iter().map(|payment| row(1, 10, 1000, Some(*payment))).collect();
            let rows = if rows.is_empty() { vec![row(1, 10, 1000, None)] } else { rows };
            assert_eq!(bill(&rows, Day(20), 100).settled_on, settled_on.map(Day), "{name}");
        }
    }

    #[test]
    fn terms_are_the_latest_deliverys_and_conflicts_are_within_one() {
        let rows = [row(1, 10, 1000, None), row(2, 15, 700, None), row(2, 12, 800, None)];
        let found = bill(&rows, Day(20), 0);
        assert_eq!((found.due_on, found.due_amount, found.is_conflicting), (Day(12), 800, true));
        let rows = [row(1, 10, 1000, None), row(2, 15, 700, None)];
        assert!(!bill(&rows, Day(20), 0).is_conflicting);
    }
}

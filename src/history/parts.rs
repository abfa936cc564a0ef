//! A history taken apart into tables, and put together again.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;

use super::shelf::Staging;
use super::tables::{Table, Values};
use super::{Grounds, History, Plans};
use crate::day::Day;
use crate::failure::in_order;
use crate::features::Packed;
use crate::features::accumulate::Cells;
use crate::features::bills::Bills;
use crate::features::ledger::{Bill, Key, Ledger, Payments};
use crate::features::logs::{Entry, Log, Sight, Step};
use crate::features::plan::Plan;
use crate::features::transactions::{Repeats, Transactions};
use crate::features::{Interner, Partitions};
use crate::input::accounts::{Id, Ids};
use crate::pieces::piece;

/// Partitions that share a table: enough rows to be worth a file, few enough to spread over threads.
const SLAB: usize = piece(64, 2);

/// Puts away what is known from transactions, with so many strangers met.
pub fn put_transactions(
    transactions: &Transactions,
    plan: &Plan,
    partitions: Partitions,
    strangers: usize,
    staging: &Staging,
) -> Result<()> {
    let accounts = |partition| accounts(partitions, partition, strangers);
    in_order(slabs(partitions).into_par_iter().enumerate().map(|(number, slab)| {
        put_cells("transactions", number, plan, &transactions.cells, slab, accounts, staging)
    }))?;
    let (words, stride) = transactions.late.words();
    let column = |word: usize| words.iter().skip(word).step_by(stride).map(|word| *word as i64).collect();
    let columns = (0..stride).map(|word| Values::Ints(column(word))).collect();
    staging.put(Table { name: "late".into(), columns })?;
    let repeats = &transactions.repeats;
    let files = repeats.keys().map(|(_, file)| Arc::from(&**file)).collect();
    staging.put(Table::of_texts("repeat_files", files))?;
    let rows = repeats.iter().enumerate().flat_map(|(number, ((delivery, _), rows))| {
        rows.iter().map(move |row| [number as i64, i64::from(delivery.0), *row as i64])
    });
    staging.put(Table::of_rows("repeats".into(), rows))?;
    put_interner("transactions", &transactions.interner, staging)
}

/// Puts away what is known from repayments.
pub fn put_bills(bills: &Bills, plan: &Plan, partitions: Partitions, staging: &Staging) -> Result<()> {
    in_order(slabs(partitions).into_par_iter().enumerate().map(|(number, slab)| {
        let book = slab.start.min(bills.cells.len())..slab.end.min(bills.cells.len());
        let accounts = |partition| partitions.accounts(partition);
        put_cells("bills", number, plan, &bills.cells, book, accounts, staging)?;
        put_ledgers(number, &bills.ledgers[slab], staging)
    }))?;
    staging.put(Table::of_texts("products", bills.products.texts()))?;
    put_interner("bills", &bills.interner, staging)
}

/// Puts away whose accounts they are.
pub fn put_ids(book: &Ids, strangers: &[Id], staging: &Staging) -> Result<()> {
    staging.put(Table { name: "strangers".into(), columns: vec![ids(strangers)] })?;
    let book = match book {
        Ids::Int(book) => Values::Ints(book.clone()),
        Ids::Text(book) => Values::Texts(book.clone()),
    };
    staging.put(Table { name: "book".into(), columns: vec![book] })
}

fn put_interner(of: &str, interner: &Interner, staging: &Staging) -> Result<()> {
    staging.put(Table::of_texts(&format!("{of}_texts"), interner.texts()))?;
    let columns = vec![Values::Ints(interner.ints())];
    staging.put(Table { name: format!("{of}_ints"), columns })
}

fn slabs(partitions: Partitions) -> Vec<Range<usize>> {
    let slab = |first: usize| first..(first + SLAB).min(partitions.count());
    (0..partitions.count()).step_by(SLAB).map(slab).collect()
}

/// The accounts of a partition that there is anything to say of: all, or none where no stranger has come
/// so far.
fn accounts(partitions: Partitions, partition: usize, strangers: usize) -> Range<u32> {
    let accounts = partitions.accounts(partition);
    let is_used = partition < partitions.of_book() || accounts.start < partitions.stranger(strangers as u32);
    if is_used { accounts } else { accounts.start..accounts.start }
}

fn ids(ids: &[Id]) -> Values {
    let text = |id: &Id| match id {
        Id::Text(text) => Some(text.clone()),
        Id::Int(_) => None,
    };
    match ids.first() {
        Some(Id::Text(_)) => Values::Texts(ids.iter().filter_map(text).collect()),
        _ => Values::Ints(
            ids.iter().filter_map(|id| if let Id::Int(id) = id { Some(*id) } else { None }).collect(),
        ),
    }
}

fn put_cells(
    of: &str,
    number: usize,
    plan: &Plan,
    cells: &[Cells],
    slab: Range<usize>,
    accounts: impl Fn(usize) -> Range<u32>,
    staging: &Staging,
) -> Result<()> {
    let word = |word: usize| {
        let of_partition = |partition: usize| {
            let words = &cells[partition].words;
            (0..accounts(partition).len()).map(move |account| words[account * plan.stride + word])
        };
        Values::Ints(slab.clone().flat_map(of_partition).collect())
    };
    // Without words there is no table: it would have no column.
    if plan.stride > 0 {
        let columns = (0..plan.stride).map(word).collect();
        staging.put(Table { name: format!("{of}_words_{number:04}"), columns })?;
    }
    let global = |partition: usize, account: u32| i64::from(accounts(partition).start + account);
    // A sight names its account within its partition: rows by partition, and how many each has.
    let sights =
        slab.clone().flat_map(|partition| cells[partition].sights.entries().iter().map(Sight::parts));
    staging.put(Table::of_rows(format!("{of}_sights_{number:04}"), sights))?;
    let counts = slab.clone().map(|partition| [cells[partition].sights.entries().len() as i64]);
    staging.put(Table::of_rows(format!("{of}_counts_{number:04}"), counts))?;
    let steps = slab.clone().flat_map(|partition| {
        let of = move |step: &Step| {
            [global(partition, step.account()), i64::from(step.group()), step.value(), i64::from(step.age())]
        };
        cells[partition].steps.entries().iter().map(of)
    });
    staging.put(Table::of_rows(format!("{of}_steps_{number:04}"), steps))?;
    let carry = slab.flat_map(|partition| {
        let mut carry: Vec<(usize, i128)> =
            cells[partition].carry.iter().map(|(cell, sum)| (*cell, *sum)).collect();
        carry.sort_unstable();
        carry
            .into_iter()
            .map(move |(cell, sum)| [partition as i64, cell as i64, (sum >> 64) as i64, sum as i64])
    });
    staging.put(Table::of_rows(format!("{of}_carry_{number:04}"), carry))
}

fn put_ledgers(number: usize, ledgers: &[Ledger], staging: &Staging) -> Result<()> {
    let bills = || ledgers.iter().flat_map(Ledger::bills);
    let row = |bill: &Bill| {
        let (day, amount) = bill.payments.iter().next().unwrap_or((Day(0), 0));
        let flags =
            i64::from(bill.is_conflicting) | i64::from(bill.is_moving) << 1 | i64::from(bill.is_touched) << 2;
        [
            i64::from(bill.key.account) << 16 | i64::from(bill.key.product),
            bill.key.bill as i64,
            flags | (bill.payments.iter().count() as i64) << 3,
            i64::from(bill.delivery),
            i64::from(bill.due_on.0),
            bill.due_amount,
            i64::from(day.0),
            amount,
        ]
    };
    staging.put(Table::of_rows(format!("ledger_{number:04}"), bills().map(row)))?;
    let further = bills().enumerate().flat_map(|(bill, of)| {
        of.payments.iter().skip(1).map(move |(day, amount)| [bill as i64, i64::from(day.0), amount])
    });
    staging.put(Table::of_rows(format!("payments_{number:04}"), further))
}

/// Puts a history together. `table` gives a table by name.
pub fn put_together(
    as_of: Day,
    grounds: Grounds,
    plans: &Plans,
    table: impl Fn(&str) -> Result<Table> + Sync,
) -> Result<History> {
    let texts = |name: &str| -> Result<Vec<Arc<str>>> {
        match table(name)?.columns.pop() {
            Some(Values::Texts(texts)) => Ok(texts),
            _ => bail!("table {name} holds no texts"),
        }
    };
    let ints = |name: &str| {
        Ok::<_, anyhow::Error>(table(name)?.columns.first().context("a column")?.ints()?.to_vec())
    };
    let id_column = |name: &str| table(name)?.columns.pop().context("a column");
    let book = match id_column("book")? {
        Values::Ints(ids) => Ids::Int(ids),
        Values::Texts(ids) => Ids::Text(ids),
    };
    let strangers = match id_column("strangers")? {
        Values::Ints(ids) => ids.into_iter().map(Id::Int).collect(),
        Values::Texts(ids) => ids.into_iter().map(Id::Text).collect(),
    };
    let interner = |name: &str| {
        Ok::<_, anyhow::Error>(Interner::of(texts(&format!("{name}_texts"))?, ints(&format!("{name}_ints"))?))
    };
    let late = table("late")?;
    let late: Vec<&[i64]> = late.columns.iter().map(Values::ints).collect::<Result<_>>()?;
    let rows = late.first().map_or(0, |column| column.len());
    let words = (0..rows).flat_map(|row| late.iter().map(move |column| column[row] as u64)).collect();
    let transactions = Transactions {
        late: Packed::from_words(&plans.transactions, words),
        repeats: repeats(&table("repeats")?, &texts("repeat_files")?)?,
        interner: interner("transactions")?,
        cells: Vec::new(),
    };
    let bills = Bills {
        products: Interner::of(texts("products")?, Vec::new()),
        interner: interner("bills")?,
        ..Bills::default()
    };
    let mut history = History { as_of, book, strangers, transactions, bills, grounds };
    let partitions = history.partitions();
    type Slab = (Vec<Cells>, Vec<Cells>, Vec<Ledger>);
    let slabs: Vec<Result<Slab>> = slabs(partitions)
        .into_par_iter()
        .enumerate()
        .map(|(number, slab)| {
            let book = slab.start.min(partitions.of_book())..slab.end.min(partitions.of_book());
            Ok((
                cells_of("transactions", number, &plans.transactions, slab.clone(), partitions, &table)?,
                cells_of("bills", number, &plans.bills, book, partitions, &table)?,
                ledger_of(number, slab, partitions, &table)?,
            ))
        })
        .collect();
    for slab in slabs {
        let (transactions, bills, ledgers) = slab?;
        history.transactions.cells.extend(transactions);
        history.bills.cells.extend(bills);
        history.bills.ledgers.extend(ledgers);
    }
    Ok(history)
}

fn repeats(rows: &Table, files: &[Arc<str>]) -> Result<Repeats> {
    let mut repeats = Repeats::new();
    for [file, delivery, row] in rows.rows()? {
        let file = files.get(file as usize).context("a file of repeats")?.to_string();
        repeats.entry((Day(delivery as i32), file)).or_default().push(row as u64);
    }
    Ok(repeats)
}

fn cells_of(
    of: &str,
    number: usize,
    plan: &Plan,
    slab: Range<usize>,
    partitions: Partitions,
    table: &(impl Fn(&str) -> Result<Table> + Sync),
) -> Result<Vec<Cells>> {
    let mut all: Vec<Cells> =
        slab.clone().map(|partition| Cells::new(plan, partitions.accounts(partition).len())).collect();
    let words = match plan.stride {
        0 => Table { name: String::new(), columns: Vec::new() },
        _ => table(&format!("{of}_words_{number:04}"))?,
    };
    let rows: usize = slab.clone().map(|partition| partitions.accounts(partition).len()).sum();
    ensure!(words.columns.len() == plan.stride && words.len() <= rows, "words of at most {rows} accounts");
    for (word, column) in words.columns.iter().enumerate() {
        let mut column = column.ints()?.iter();
        for (cells, partition) in all.iter_mut().zip(slab.clone()) {
            for (account, value) in column.by_ref().take(partitions.accounts(partition).len()).enumerate() {
                cells.words[account * plan.stride + word] = *value;
            }
        }
    }
    let place = |account: i64| -> Result<(usize, u32)> {
        let partition = partitions.of(account as u32);
        ensure!(slab.contains(&partition), "account {account} lies in another slab");
        Ok((partition - slab.start, account as u32 - partitions.accounts(partition).start))
    };
    let sights = table(&format!("{of}_sights_{number:04}"))?;
    let counts = table(&format!("{of}_counts_{number:04}"))?;
    let mut rows = sights.rows::<2>()?;
    for (cells, [count]) in all.iter_mut().zip(counts.rows()?) {
        cells.sights = Log::of(rows.by_ref().take(count as usize).map(Sight::of_parts).collect());
    }
    let mut steps: Vec<Vec<Step>> = vec![Vec::new(); all.len()];
    for [account, group, value, age] in table(&format!("{of}_steps_{number:04}"))?.rows()? {
        let (partition, account) = place(account)?;
        steps[partition].push(Step::new(account, group as u32, value, age as u32));
    }
    for (cells, steps) in all.iter_mut().zip(steps) {
        cells.steps = Log::of(steps);
        cells.settle(plan);
    }
    for [partition, cell, high, low] in table(&format!("{of}_carry_{number:04}"))?.rows()? {
        let cells = all.get_mut((partition as usize).wrapping_sub(slab.start)).context("a partition")?;
        cells.carry.insert(cell as usize, i128::from(high) << 64 | i128::from(low as u64));
    }
    Ok(all)
}

fn ledger_of(
    number: usize,
    slab: Range<usize>,
    partitions: Partitions,
    table: &(impl Fn(&str) -> Result<Table> + Sync),
) -> Result<Vec<Ledger>> {
    let mut ledgers: Vec<Vec<Bill>> = vec![Vec::new(); slab.len()];
    let further = table(&format!("payments_{number:04}"))?;
    let mut further = further.rows::<3>()?.peekable();
    let rows = table(&format!("ledger_{number:04}"))?;
    for (row, values) in rows.rows()?.enumerate() {
        let [line, bill, flags, delivery, due_on, due_amount, day, amount] = values;
        let (account, product, count) = (line >> 16, line & 0xffff, flags >> 3);
        let mut payments = Payments::None;
        if count > 0 {
            payments.push((Day(day as i32), amount));
        }
        while let Some([_, day, amount]) = further.next_if(|[of, ..]| *of == row as i64) {
            payments.push((Day(day as i32), amount));
        }
        ensure!(payments.iter().count() as i64 == count, "the payments of a bill");
        let partition = partitions.of(account as u32);
        ensure!(slab.contains(&partition), "account {account} lies in another slab");
        ledgers[partition - slab.start].push(Bill {
            key: Key { account: account as u32, product: product as u16, bill: bill as u64 },
            is_conflicting: flags & 1 != 0,
            is_moving: flags & 2 != 0,
            is_touched: flags & 4 != 0,
            delivery: delivery as i32,
            due_on: Day(due_on as i32),
            due_amount,
            payments,
        });
    }
    Ok(ledgers.into_iter().map(Ledger::of).collect())
}

//! Reads repayments: rows folded into ledgers, the bills that are due accumulated. A later night folds
//! in what has come since and looks again only at the accounts with a bill that has changed.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use anyhow::{Error, Result};
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::accumulate::{Cells, Segments};
use super::bill_columns::{Misfit, Names, columns};
use super::ledger::{Bill, Key, Ledger, Row};
use super::pass::{Extent, Pass};
use super::plan::Plan;
use super::rows::{Packed, Packer};
use super::{Interner, Partitions, Places};
use crate::console::Progress;
use crate::day::Day;
use crate::expr::{Column, Frame};
use crate::failure::input;
use crate::input::accounts::{Accounts, STRANGER, Strangers};
use crate::input::stream::{Chunk, Origin, Source, Tally, is_repeat, recent, stream};
use crate::job::BILL_COLUMNS;

/// What repayments come to.
#[derive(Default)]
pub struct Bills {
    /// One a partition of the book, of the pass.
    pub cells: Vec<Cells>,
    /// One a partition; kept for a later night only.
    pub ledgers: Vec<Ledger>,
    /// Numbers of products.
    pub products: Interner,
    /// Numbers of distinct values.
    pub interner: Interner,
    /// The first figure of a bill that does not fit in 64 bits: features of bills cannot be told.
    pub misfit: Option<Error>,
}

/// How repayments are read.
pub struct Reading<'a> {
    /// The input.
    pub source: Source<'a>,
    /// What to accumulate.
    pub plan: &'a Plan,
    /// D.
    pub as_of: Day,
    /// The book.
    pub accounts: &'a Accounts,
    /// Accounts that are not in it have their bills checked for conflicts.
    pub strangers: &'a Strangers,
    /// How accounts are split.
    pub partitions: Partitions,
    /// Minor units short that still settle a bill.
    pub tolerance: i64,
    /// Whose bills are looked at: everyone's, or where memory is short those of some partitions.
    pub pass: Pass<'a>,
    /// Whether ledgers are kept for a later night.
    pub keeps: bool,
}

/// Bills for which one delivery holds more than one pair of terms, and rows read and left out.
pub type Counted = (u64, Tally);

/// Rows of one row group, with their row numbers where repeats are told, and the accounts of all.
#[derive(Default)]
struct Load {
    rows: Vec<Row>,
    numbers: Vec<u32>,
    accounts: Extent,
}

/// What a look at the bills of a partition comes to; cells only of the book's, within the pass.
struct LookedAt {
    ledger: Ledger,
    cells: Option<Result<Cells, Misfit>>,
    conflicts: u64,
}

/// Text ids by their hash, for the features that read them.
type BillTexts = Mutex<HashMap<u64, Arc<str>>>;

impl Reading<'_> {
    /// Reads everything.
    pub fn from_scratch(&self, progress: &Progress) -> Result<(Bills, Counted)> {
        let ledgers = (0..self.partitions.count()).map(|_| Ledger::default()).collect();
        self.enter(Bills { ledgers, ..Bills::default() }, None, progress)
    }

    /// Goes on from what was known on the day `since`.
    pub fn go_on(
        &self,
        known: Bills,
        places: &Places,
        since: Day,
        progress: &Progress,
    ) -> Result<(Bills, Counted)> {
        let days = self.as_of.since(since) as u32;
        let book = known.cells.len();
        let mut ledgers = known.ledgers;
        let strangers = ledgers.split_off(book);
        let (stays, moves) = places.unmoved(known.cells.into_iter().zip(ledgers).collect(), self.partitions);
        let accounts = |partition| self.partitions.accounts(partition).len();
        let stays = stays.into_par_iter().enumerate().map(|(partition, known)| {
            let (cells, ledger) = known.unzip();
            let cells = Cells::older(self.plan, cells, accounts(partition), days);
            (Mutex::new(cells), Mutex::new(ledger.unwrap_or_default()))
        });
        let (mut cells, ledgers): (Vec<Mutex<Cells>>, Vec<Mutex<Ledger>>) = stays.unzip();
        cells.truncate(self.partitions.of_book());
        let (moved_cells, mut moved): (Vec<Option<Cells>>, Vec<Option<Ledger>>) =
            moves.into_iter().map(Option::unzip).unzip();
        moved.extend(strangers.into_iter().map(Some));
        places.each(self.partitions, &moved_cells, |_, known, partition, local| {
            if let Some(cells) = cells.get(partition) {
                cells.lock().expect("no thread panicked").receive(self.plan, known, local, days);
            }
        });
        moved.into_par_iter().enumerate().for_each(|(old, ledger)| {
            let renumbered = ledger.unwrap_or_default().into_bills().into_iter().filter_map(|mut bill| {
                bill.key.account = places.of(bill.key.account)?;
                // A stranger who has joined the book has not been looked at before.
                bill.is_touched |= old >= book;
                Some(bill)
            });
            let partition = |bill: &Bill| self.partitions.of(bill.key.account);
            let mut bills = renumbered.peekable();
            while let Some(first) = bills.next() {
                let target = partition(&first);
                let neighbours = std::iter::from_fn(|| bills.next_if(|bill| partition(bill) == target));
                let mut ledger = ledgers[target].lock().expect("no thread panicked");
                ledger.receive(std::iter::once(first).chain(neighbours));
            }
        });
        let ledgers = ledgers.into_par_iter().map(|ledger| {
            let mut ledger = ledger.into_inner().expect("no thread panicked");
            ledger.settle();
            ledger
        });
        let known = Bills {
            cells: cells.into_iter().map(|cells| cells.into_inner().expect("no thread panicked")).collect(),
            ledgers: ledgers.collect(),
            products: known.products,
            interner: known.interner,
            misfit: None,
        };
        self.enter(known, Some(since), progress)
    }

    /// Folds in the deliveries after `since`; those before are looked at for repeats and rejects.
    fn enter(&self, known: Bills, since: Option<Day>, progress: &Progress) -> Result<(Bills, Counted)> {
        let Bills { cells, ledgers, products, interner, .. } = known;
        let texts = (bill_id_is_read(self.plan)).then(BillTexts::default);
        let ledgers: Vec<Mutex<Ledger>> = ledgers.into_iter().map(Mutex::new).collect();
        let pass = self.pass.partitions(self.partitions);
        let pack = |chunk: &Chunk, load: &mut Load| {
            if let Some(watch) = self.source.watch.filter(|_| self.pass.tells_repeats()) {
                watch.look_at(chunk.columns, chunk.verdicts, chunk.delivery);
            }
            if since.is_some_and(|since| chunk.delivery.is_none_or(|delivery| delivery <= since)) {
                return Ok(());
            }
            let numbers = self.source.unique.is_some();
            let positions = self.accounts.positions(&chunk.columns[0]);
            self.pass.see(&mut load.accounts, &positions);
            for (number, mut row) in repayment_rows(chunk, &products, texts.as_ref())? {
                row.key.account = match positions[number] {
                    STRANGER => self.partitions.stranger(self.strangers.number(&chunk.columns[0], number)),
                    position => position,
                };
                if pass.contains(&self.partitions.of(row.key.account)) {
                    load.rows.push(row);
                    load.numbers.extend(numbers.then_some(chunk.first_row + number as u32));
                }
            }
            Ok(())
        };
        let sink = |load: Load, origin: &Origin, told: &[u32]| {
            let Load { mut rows, numbers, accounts } = load;
            let repeats = self.pass.repeats(origin.order, accounts, told);
            let mut places = 0..rows.len();
            rows.retain(|_| !places.next().is_some_and(|place| is_repeat(&numbers, place, &repeats)));
            let partition = |row: &Row| self.partitions.of(row.key.account);
            // Most deliveries are in order of account.
            rows.sort_by_key(partition);
            let delivery = origin.delivery.map_or(i32::MIN, |day| day.0);
            for own in rows.chunk_by(|a, b| partition(a) == partition(b)) {
                let mut ledger = ledgers[partition(&own[0])].lock().expect("no thread panicked");
                ledger.add(origin.order, delivery, own.to_vec());
            }
        };
        let fold = || {
            ledgers.par_iter().for_each(|ledger| ledger.lock().expect("no thread panicked").fold_if_many());
        };
        let needs = |_| vec![true; self.source.wanted.len()];
        let files = recent(self.source.spec, self.source.files, self.as_of, since);
        let source = Source { files: &files, ..self.pass.rest(&self.source, self.partitions) };
        let tally = stream(&source, &needs, progress, pack, sink, fold)?;

        let names = Names {
            products: Arc::new(products.texts()),
            bills: texts.map(|texts| texts.into_inner().expect("no thread panicked")),
        };
        let cells = cells.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let parts: Vec<(usize, Ledger, Option<Cells>)> = ledgers
            .into_iter()
            .zip(cells)
            .enumerate()
            .map(|(number, (ledger, cells))| {
                (number, ledger.into_inner().expect("no thread panicked"), cells)
            })
            .collect();
        let looked_at: Vec<LookedAt> = parts
            .into_par_iter()
            .map(|(number, mut ledger, cells)| {
                ledger.settle();
                let conflicts = ledger.bills().iter().filter(|bill| bill.is_conflicting).count() as u64;
                let is_own = number < self.partitions.of_book() && pass.contains(&number);
                let cells = is_own.then(|| self.look(number, &mut ledger, cells, since, &names, &interner));
                LookedAt { ledger: if self.keeps { ledger } else { Ledger::default() }, cells, conflicts }
            })
            .collect();
        let mut bills = Bills { products, interner, ..Bills::default() };
        let mut conflicts = 0;
        for part in looked_at {
            bills.ledgers.push(part.ledger);
            conflicts += part.conflicts;
            match part.cells {
                Some(Ok(cells)) => bills.cells.push(cells),
                Some(Err(misfit)) => {
                    bills.misfit.get_or_insert_with(|| misfit.told(self.accounts));
                }
                None => {}
            }
        }
        Ok((bills, (conflicts, tally)))
    }

    /// Accumulates a partition's bills: all, or those of the accounts of which one has changed.
    fn look(
        &self,
        partition: usize,
        ledger: &mut Ledger,
        known: Option<Cells>,
        since: Option<Day>,
        names: &Names,
        interner: &Interner,
    ) -> Result<Cells, Misfit> {
        let accounts = self.partitions.accounts(partition);
        let (mut cells, stirred) = match (known, since) {
            (Some(mut cells), Some(since)) => {
                let stirred = self.stirred(ledger, accounts.clone(), since);
                cells.clear(self.plan, |account| stirred[account as usize]);
                (cells, stirred)
            }
            _ => (Cells::new(self.plan, accounts.len()), vec![true; accounts.len()]),
        };
        let local = |bill: &Bill| (bill.key.account - accounts.start) as usize;
        let is_due = |bill: &&mut Bill| bill.due_on <= self.as_of && stirred[local(bill)];
        let mut bills: Vec<&mut Bill> = ledger.bills_mut().iter_mut().filter(is_due).collect();
        let settled: Vec<(i128, Option<Day>)> =
            bills.iter().map(|bill| bill.settle(self.as_of, self.tolerance)).collect();
        for (bill, (_, settled_on)) in bills.iter_mut().zip(&settled) {
            bill.is_moving = settled_on.is_none() || bill.payments.iter().any(|(day, _)| day > self.as_of);
        }
        if !self.plan.is_empty() {
            let bills: Vec<&Bill> = bills.into_iter().map(|bill| &*bill).collect();
            let columns = columns(self.plan, &bills, &settled, self.as_of, names)?;
            let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
            let frame = Frame { rows: bills.len(), columns };
            let place = |row: usize| {
                let age = u32::try_from(self.as_of.since(bills[row].due_on)).expect("ages of days fit");
                Some((bills[row].key.account, age))
            };
            let mut packed = Packed::of(self.plan);
            let reach = self.plan.reach(|_, _| true);
            Packer::new(self.plan, interner).pack(&frame, &reach, place, &mut packed, |_| {});
            cells.add(self.plan, &Segments::new(self.plan, self.as_of), accounts.start, packed.iter());
        }
        cells.settle(self.plan);
        ledger.bills_mut().iter_mut().for_each(|bill| bill.is_touched = false);
        Ok(cells)
    }

    /// By account, whether some bill looks another way than on the day `since`, or is in another window.
    fn stirred(&self, ledger: &Ledger, accounts: Range<u32>, since: Day) -> Vec<bool> {
        let segments = Segments::new(self.plan, self.as_of);
        let days = self.as_of.since(since) as u32;
        let crosses = |age: u32| (0..self.plan.groups.len()).any(|group| segments.crosses(group, age, days));
        let longest = self.plan.groups.iter().flat_map(|group| &group.edges);
        let longest = longest.copied().filter(|edge| *edge != super::plan::UNBOUNDED).max().unwrap_or(0);
        let crossing: Vec<bool> = (0..=longest).map(crosses).collect();
        let mut stirred = vec![false; accounts.len()];
        for bill in ledger.bills() {
            let age = since.since(bill.due_on);
            let is_stirred = bill.is_touched
                || bill.due_on <= self.as_of && bill.is_moving
                || age < 0 && bill.due_on <= self.as_of
                || usize::try_from(age).is_ok_and(|age| crossing.get(age) == Some(&true));
            if is_stirred {
                stirred[(bill.key.account - accounts.start) as usize] = true;
            }
        }
        stirred
    }
}

/// Whether a feature reads the bills' ids, of which the ledger keeps no more than tells them apart.
pub fn bill_id_is_read(plan: &Plan) -> bool {
    plan.columns.iter().any(|slot| BILL_COLUMNS[*slot].0 == "bill_id")
}

/// The accepted rows of a chunk with their row numbers; accounts are filled in by the caller.
fn repayment_rows<'a>(
    chunk: &'a Chunk,
    products: &Interner,
    texts: Option<&BillTexts>,
) -> Result<impl Iterator<Item = (usize, Row)> + 'a> {
    let [
        _,
        Column::Text(product),
        bill,
        Column::Int(due_on),
        Column::Int(due_amount),
        Column::Int(paid_on),
        Column::Int(paid_amount),
        ..,
    ] = chunk.columns
    else {
        unreachable!("the contract's columns are read")
    };
    let number = |number: u32| {
        u16::try_from(number).map_err(|_| input("read repayments: there are more than 65,536 products"))
    };
    let numbers: Vec<u16> =
        products.numbers(&product.dictionary).into_iter().map(number).collect::<Result<_>>()?;
    let ids = match bill {
        Column::Int(_) => Vec::new(),
        Column::Text(ids) => {
            let hashes: Vec<u64> = ids.dictionary.iter().map(|id| xxh3_64(id.as_bytes())).collect();
            if let Some(texts) = texts {
                let known = hashes.iter().copied().zip(ids.dictionary.iter().cloned());
                texts.lock().expect("no thread panicked").extend(known);
            }
            hashes
        }
        _ => unreachable!("ids are integers or text"),
    };
    let bill = move |row: usize| match bill {
        Column::Int(ints) => ints.values[row] as u64,
        Column::Text(texts) => ids[texts.codes[row] as usize],
        _ => unreachable!("ids are integers or text"),
    };
    let accepted = (0..chunk.verdicts.0.len()).filter(|row| chunk.verdicts.0[*row].is_none());
    Ok(accepted.map(move |row| {
        let payment = paid_on.get(row).map(|day| (Day(*day as i32), paid_amount.values[row]));
        let row_of = Row {
            key: Key { account: STRANGER, product: numbers[product.codes[row] as usize], bill: bill(row) },
            due_on: Day(due_on.values[row] as i32),
            due_amount: due_amount.values[row],
            payment,
        };
        (row, row_of)
    }))
}

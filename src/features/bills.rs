//! Sweeps repayments: the rows of each part's accounts into bills, the bills that features see into accumulators, and
//! these into answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::Result;

use super::accumulate::Segments;
use super::asked::{Asked, AskedDay, Part};
use super::bill_cells::BillCells;
use super::bill_columns::{Names, SeenBill};
use super::finish::{PartAnswers, answer};
use super::interner::Interner;
use super::lanes::{LaneRows, Lanes, Sweep};
use super::ledger::{Bill, BillRow, OFF_BOOK_PRODUCT, by_account, conflict};
use super::plan::BillPlans;
use crate::day::Day;
use crate::expr::{Column, Ints};
use crate::hash::xxh3_64;
use crate::input::account_id::Id;
use crate::input::accounts::OFF_BOOK;
use crate::job::{BILL_COLUMNS, Feature, REPAYMENT_COLUMNS};
use crate::pieces::piece;
use crate::sorted::SortedDelivery;

/// How repayments are swept.
pub struct Repayments<'a> {
    /// All features, whatever they are over.
    pub features: &'a [Feature],
    /// What to accumulate.
    pub plans: &'a BillPlans,
    /// What is asked.
    pub asked: &'a Asked<'a>,
    /// Its parts.
    pub parts: &'a [Part],
    /// The deliveries, in order.
    pub deliveries: &'a [Arc<SortedDelivery>],
    /// Minor units short that still settle a bill.
    pub tolerance: i64,
    /// The days by whose end bills with conflicts are counted.
    pub known_ons: &'a [Day],
}

/// What repayments come to.
#[derive(Default)]
pub struct OfRepayments {
    /// The answers of each part.
    pub answers: Vec<PartAnswers>,
    /// By day, the bills, of any account, for which one delivery holds more than one pair of terms.
    pub conflicts: Vec<u64>,
}

/// Rows of a block in order of account, column by column.
#[derive(Default)]
struct BlockRows {
    accounts: Vec<u32>,
    products: Vec<u32>,
    bills: Vec<u64>,
    due_on: Ints,
    due_amount: Ints,
    paid_on: Ints,
    paid_amount: Ints,
}

impl LaneRows for BlockRows {
    fn len(&self) -> usize {
        self.accounts.len()
    }

    #[inline]
    fn account(&self, row: usize) -> u32 {
        self.accounts[row]
    }
}

impl BlockRows {
    #[inline]
    fn row(&self, row: usize, delivery: Option<Day>) -> BillRow {
        BillRow {
            product: self.products[row],
            bill: self.bills[row],
            delivery,
            due_on: Day(self.due_on.values[row] as i32),
            due_amount: self.due_amount.values[row],
            paid_on: self.paid_on.get(row).map(|day| Day(*day as i32)),
            paid_amount: self.paid_amount.values[row],
        }
    }
}

/// Accounts of a part that are looked at together: few enough that their rows and bills stay in a core's
/// second-level cache.
const ACCOUNTS_AT_A_TIME: usize = piece(512, 2);

/// What numbers stand for, as far as rows have been met.
struct Met {
    products: Interner,
    /// Distinct values.
    values: Interner,
    /// Text ids by their hash, for the features that read them.
    bills: Option<Mutex<HashMap<u64, Arc<str>>>>,
}

impl Repayments<'_> {
    /// Reads every bill. Errors as in [`super::transactions::Transactions::sweep`].
    pub fn sweep(&self) -> Result<OfRepayments> {
        let met = Met {
            products: Interner::default(),
            values: Interner::default(),
            bills: bill_id_is_read(self.plans).then(Mutex::default),
        };
        let segments = [&self.plans.due, &self.plans.all].map(Segments::new);
        let sweep = Sweep {
            asked: self.asked,
            parts: self.parts,
            deliveries: self.deliveries,
            columns: |delivery: &SortedDelivery| {
                REPAYMENT_COLUMNS.iter().map(|(name, _)| delivery.column_of(name)).collect()
            },
            pack: |_, columns: Vec<Column>, _| Ok(self.pack_block(columns, &met)),
        };
        let parts = sweep.parts(|part, lanes| self.part(part, lanes, &met, &segments))?;
        let mut all = OfRepayments { conflicts: vec![0; self.known_ons.len()], ..OfRepayments::default() };
        for (answers, conflicts) in parts {
            all.answers.push(answers);
            all.conflicts.iter_mut().zip(conflicts).for_each(|(all, own)| *all += own);
        }
        Ok(all)
    }

    fn part(
        &self,
        part: &Part,
        lanes: &mut Lanes<BlockRows, impl Fn(Option<Day>, Vec<Column>, BlockRows) -> Result<BlockRows>>,
        met: &Met,
        segments: &[Segments; 2],
    ) -> Result<(PartAnswers, Vec<u64>)> {
        let [due, all] = segments;
        let mut cells =
            [BillCells::new(&self.plans.due, due, part), BillCells::new(&self.plans.all, all, part)];
        let mut conflicts = vec![0; self.known_ons.len()];
        let (mut owners, mut rows) = (Vec::new(), Vec::new());
        let mut names = Names { products: Arc::default(), bills: met.bills.as_ref() };
        for first_account in part.accounts().step_by(ACCOUNTS_AT_A_TIME) {
            let end_account = part.end_account.min(first_account + ACCOUNTS_AT_A_TIME as u32);
            let some = Part { first_account, end_account, ..*part };
            owners.clear();
            rows.clear();
            lanes.take(&some, |delivery, block: &BlockRows, range| {
                owners.extend_from_slice(&block.accounts[range.clone()]);
                rows.extend(range.map(|row| block.row(row, delivery)));
            })?;
            by_account(&rows, &owners, some.accounts(), |account, own| {
                for rows in own.chunk_by(|a, b| (a.bill, a.product) == (b.bill, b.product)) {
                    if let Some(since) = conflict(rows) {
                        let counts = conflicts.iter_mut().zip(self.known_ons);
                        counts.for_each(|(count, day)| *count += u64::from(since <= Some(*day)));
                    }
                    if rows[0].product != OFF_BOOK_PRODUCT && !self.plans.is_empty() {
                        self.see(account, rows, part, &mut cells);
                    }
                }
            });
            if cells.iter().any(|own| !own.is_empty()) {
                let products = met.products.texts();
                if products.len() > names.products.len() {
                    names.products = Arc::new(products);
                }
                self.accumulate(&mut cells, part, &names, met)?;
            }
        }
        let sources = cells.each_mut().map(BillCells::finish);
        Ok((answer(self.features, &sources, self.asked, part)?, conflicts))
    }

    /// Shows the bill of some rows to the features, for every slot by whose day some of it has arrived.
    fn see(&self, account: u32, rows: &[BillRow], part: &Part, cells: &mut [BillCells; 2]) {
        let BillRow { product, bill: id, .. } = rows[0];
        for slot in self.asked.slots(account) {
            let AskedDay { as_of, known_on } = self.asked.days[slot as usize];
            let arrived = rows.partition_point(|row| row.delivery <= Some(known_on));
            if arrived == 0 {
                continue;
            }
            let bill = Bill::of(&rows[..arrived], as_of, self.tolerance);
            let slot = slot - part.first_slot;
            let seen = SeenBill { slots: slot..slot + 1, as_of, product, id, bill };
            let [due, all] = cells;
            if !self.plans.all.is_empty() {
                all.see(seen.clone());
            }
            due.see(seen);
        }
    }

    /// Accumulates the bills that were seen. An error names the first account of which a figure does not fit.
    fn accumulate(&self, cells: &mut [BillCells; 2], part: &Part, names: &Names, met: &Met) -> Result<()> {
        let done = cells.each_mut().map(|own| own.accumulate(self.asked, part, names, &met.values));
        match done.into_iter().filter_map(Result::err).min() {
            None => Ok(()),
            Some(misfit) => {
                let account = self.asked.account(part.slots().start + misfit.slot as usize);
                Err(misfit.into_error(&self.asked.accounts.ids.text(account)))
            }
        }
    }

    /// The rows of a block.
    fn pack_block(&self, columns: Vec<Column>, met: &Met) -> BlockRows {
        let Ok(
            [
                account,
                Column::Text(product),
                bill,
                Column::Int(due_on),
                Column::Int(due_amount),
                Column::Int(paid_on),
                Column::Int(paid_amount),
            ],
        ) = <[Column; REPAYMENT_COLUMNS.len()]>::try_from(columns)
        else {
            unreachable!("the contract's columns are read")
        };
        let numbers = met.products.numbers(&product.dictionary);
        let mut products: Vec<u32> = product.codes.iter().map(|code| numbers[*code as usize]).collect();
        let mut bills = bill_numbers(bill, met);
        let mut accounts = self.asked.accounts.positions(&account);
        let last = self.asked.accounts.len() as u32 - 1;
        for (row, position) in accounts.iter_mut().enumerate().filter(|(_, position)| **position == OFF_BOOK)
        {
            let (id, hash) = off_book_id(&account, row);
            *position = self.asked.accounts.before(&id).min(last);
            let apart = [hash, u64::from(products[row]), bills[row]];
            (products[row], bills[row]) =
                (OFF_BOOK_PRODUCT, xxh3_64(apart.map(u64::to_le_bytes).as_flattened()));
        }
        BlockRows { accounts, products, bills, due_on, due_amount, paid_on, paid_amount }
    }
}

/// The id of an account that is off the book, and a hash of it.
fn off_book_id(account: &Column, row: usize) -> (Id, u64) {
    match account {
        Column::Int(ints) => (Id::Int(ints.values[row]), ints.values[row] as u64),
        Column::Text(texts) => {
            let text = &texts.dictionary[texts.codes[row] as usize];
            (Id::Text(text.clone()), xxh3_64(text.as_bytes()))
        }
        _ => unreachable!("ids are integers or text"),
    }
}

/// Whether a feature reads the bills' ids; else only their hashes are kept.
fn bill_id_is_read(plans: &BillPlans) -> bool {
    let mut read = [&plans.due, &plans.all].into_iter().flat_map(|plan| &plan.columns);
    read.any(|slot| BILL_COLUMNS[*slot].0 == "bill_id")
}

/// By row, what stands for the bill's id.
fn bill_numbers(bill: Column, met: &Met) -> Vec<u64> {
    match bill {
        Column::Int(ints) => ints.values.into_iter().map(|id| id as u64).collect(),
        Column::Text(ids) => {
            let hashes: Vec<u64> = ids.dictionary.iter().map(|id| xxh3_64(id.as_bytes())).collect();
            if let Some(texts) = &met.bills {
                let known = hashes.iter().copied().zip(ids.dictionary.iter().cloned());
                texts.lock().expect("no thread panicked").extend(known);
            }
            ids.codes.iter().map(|code| hashes[*code as usize]).collect()
        }
        _ => unreachable!("ids are integers or text"),
    }
}

//! Sweeps repayments: the rows of each part's accounts into bills, the bills that are due into accumulators, and
//! these into answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use xxhash_rust::xxh3::xxh3_64;

use super::Interner;
use super::accumulate::{Cells, Segments};
use super::asked::{Asked, AskedDay, Part};
use super::bill_columns::{DueBill, Names, columns};
use super::finish::{PartAnswers, answer};
use super::lanes::{Lanes, Rows, Sweep};
use super::ledger::{Bill, BillKey, RepaymentRow, by_bill, conflict};
use super::plan::Plan;
use super::rows::{Owner, Packed, pack};
use crate::day::Day;
use crate::expr::{Column, Frame};
use crate::failure::input;
use crate::input::accounts::{Id, STRANGER};
use crate::job::{BILL_COLUMNS, Feature, REPAYMENT_COLUMNS};
use crate::sorted::SortedDelivery;

/// How repayments are swept.
pub struct Repayments<'a> {
    /// All features, whatever they are over.
    pub features: &'a [Feature],
    /// What to accumulate.
    pub plan: &'a Plan,
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

/// Rows of a block in order of account.
#[derive(Default)]
struct BlockRows(Vec<RepaymentRow>);

impl Rows for BlockRows {
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn account(&self, row: usize) -> u32 {
        self.0[row].key.account
    }
}

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
            bills: bill_id_is_read(self.plan).then(Mutex::default),
        };
        let segments = Segments::new(self.plan);
        let sweep = Sweep {
            asked: self.asked,
            parts: self.parts,
            deliveries: self.deliveries,
            columns: |delivery: &SortedDelivery| {
                REPAYMENT_COLUMNS.iter().map(|(name, _)| delivery.column_of(name)).collect()
            },
            load: |delivery, columns: Vec<Column>, before| self.load(delivery, &columns, &met, before),
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
        segments: &Segments,
    ) -> Result<(PartAnswers, Vec<u64>)> {
        let mut rows = Vec::new();
        lanes.take(part, |_, block: &BlockRows, range| rows.extend_from_slice(&block.0[range]))?;
        let rows = by_bill(&rows, part.first_account, part.accounts().len());
        let mut conflicts = vec![0; self.known_ons.len()];
        let mut due = Vec::new();
        for rows in rows.chunk_by(|a, b| a.key == b.key) {
            if let Some(since) = conflict(rows) {
                let counts = conflicts.iter_mut().zip(self.known_ons);
                counts.for_each(|(count, day)| *count += u64::from(since <= Some(*day)));
            }
            if rows[0].key.off_book == 0 && !self.plan.is_empty() {
                self.add_due(rows, part, &mut due);
            }
        }
        let mut cells = Cells::new(self.plan, part.len());
        if !self.plan.is_empty() {
            self.accumulate(&due, part, met, segments, &mut cells)?;
        }
        cells.finish();
        Ok((answer(self.features, self.plan, &cells, self.asked, part)?, conflicts))
    }

    /// Adds the bill of some rows for every slot on whose day it is due.
    fn add_due(&self, rows: &[RepaymentRow], part: &Part, due: &mut Vec<DueBill>) {
        let BillKey { account, product, bill: id, .. } = rows[0].key;
        for slot in self.asked.slots(account) {
            let AskedDay { as_of, known_on } = self.asked.days[slot as usize];
            let seen = rows.partition_point(|row| row.delivery <= Some(known_on));
            if seen > 0 {
                let bill = Bill::of(&rows[..seen], as_of, self.tolerance);
                if bill.due_on <= as_of {
                    due.push(DueBill { slot: slot - part.first_slot, as_of, product, id, bill });
                }
            }
        }
    }

    fn accumulate(
        &self,
        due: &[DueBill],
        part: &Part,
        met: &Met,
        segments: &Segments,
        cells: &mut Cells,
    ) -> Result<()> {
        let names = Names { products: Arc::new(met.products.texts()), bills: met.bills.as_ref() };
        let columns = columns(self.plan, due, &names).map_err(|misfit| {
            let account = self.asked.account(part.slots().start + misfit.slot as usize);
            misfit.told(&self.asked.accounts.ids.text(account))
        })?;
        let columns: Vec<Option<&Column>> = columns.iter().map(Option::as_ref).collect();
        let frame = Frame { rows: due.len(), columns };
        let owner = |row: usize| Some(Owner { number: due[row].slot, date: due[row].bill.due_on.0 });
        let reach = self.plan.reach(|_, _| true);
        let packed = pack(self.plan, &met.values, &frame, &reach, Packed::default(), owner);
        let age = |row: u32| {
            let as_of = self.asked.days[(part.first_slot + packed.number(row)) as usize].as_of;
            u32::try_from(as_of.since(Day(packed.date(row)))).expect("ages of days fit")
        };
        cells.add(self.plan, segments, &packed, &packed.hits(age));
        cells.thin_out();
        Ok(())
    }

    /// The rows of a block.
    fn load(
        &self,
        delivery: Option<Day>,
        columns: &[Column],
        met: &Met,
        before: BlockRows,
    ) -> Result<BlockRows> {
        let [
            account,
            Column::Text(product),
            bill,
            Column::Int(due_on),
            Column::Int(due_amount),
            Column::Int(paid_on),
            Column::Int(paid_amount),
        ] = columns
        else {
            unreachable!("the contract's columns are read")
        };
        let number = |number: u32| {
            u16::try_from(number).map_err(|_| input("read repayments: there are more than 65,536 products"))
        };
        let products: Vec<u16> =
            met.products.numbers(&product.dictionary).into_iter().map(number).collect::<Result<_>>()?;
        let bills = bill_numbers(bill, met);
        let positions = self.asked.accounts.positions_in_order(account);
        let row = |row: usize| RepaymentRow {
            key: BillKey {
                product: products[product.codes[row] as usize],
                bill: bills[row],
                ..self.owner(account, row, positions[row])
            },
            delivery,
            due_on: Day(due_on.values[row] as i32),
            due_amount: due_amount.values[row],
            payment: paid_on.get(row).map(|day| (Day(*day as i32), paid_amount.values[row])),
        };
        let BlockRows(mut rows) = before;
        rows.clear();
        rows.extend((0..positions.len()).map(row));
        Ok(BlockRows(rows))
    }

    /// Whose a row is; the bill is left open.
    fn owner(&self, account: &Column, row: usize, position: u32) -> BillKey {
        let known = BillKey { account: position, off_book: 0, product: 0, bill: 0 };
        if position != STRANGER {
            return known;
        }
        let (id, hash) = match account {
            Column::Int(ints) => (Id::Int(ints.values[row]), xxh3_64(&ints.values[row].to_le_bytes())),
            Column::Text(texts) => {
                let text = &texts.dictionary[texts.codes[row] as usize];
                (Id::Text(text.clone()), xxh3_64(text.as_bytes()))
            }
            _ => unreachable!("ids are integers or text"),
        };
        let last = self.asked.accounts.len() as u32 - 1;
        BillKey { account: self.asked.accounts.before(&id).min(last), off_book: hash | 1, ..known }
    }
}

/// Whether a feature reads the bills' ids, of which no more is kept than tells them apart.
fn bill_id_is_read(plan: &Plan) -> bool {
    plan.columns.iter().any(|slot| BILL_COLUMNS[*slot].0 == "bill_id")
}

/// By row, what stands for the bill's id.
fn bill_numbers(bill: &Column, met: &Met) -> Vec<u64> {
    match bill {
        Column::Int(ints) => ints.values.iter().map(|id| *id as u64).collect(),
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

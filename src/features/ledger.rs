//! Bills folded from repayment rows: the latest delivery's terms, the payments, conflicts.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::day::Day;
use crate::pieces::piece;

/// What identifies a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The account's number.
    pub account: u32,
    /// The product's number.
    pub product: u16,
    /// An integer id as it is, a text id by its XXH3 hash: among the bills of one line, two are taken for
    /// one less often than memory fails.
    pub bill: u64,
}

/// One repayment row.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its bill.
    pub key: Key,
    /// Terms.
    pub due_on: Day,
    /// Minor units.
    pub due_amount: i64,
    /// When and how much, if it is a payment.
    pub payment: Option<(Day, i64)>,
}

/// A bill as its rows so far tell it.
#[derive(Debug, Clone)]
pub struct Bill {
    /// What identifies it.
    pub key: Key,
    /// Some delivery gave it more than one pair of terms.
    pub is_conflicting: bool,
    /// Whether it may look another way tomorrow without a new row: it is open, or has a payment to come.
    pub is_moving: bool,
    /// Whether a row has been folded in since it was last looked at.
    pub is_touched: bool,
    /// The latest, whose terms these are.
    pub delivery: i32,
    /// Terms.
    pub due_on: Day,
    /// Minor units.
    pub due_amount: i64,
    /// What was paid when.
    pub payments: Payments,
}

/// Most bills are paid once.
#[derive(Debug, Clone)]
pub enum Payments {
    /// Not at all.
    None,
    /// Once.
    One(Day, i64),
    /// More often.
    #[allow(clippy::box_collection, reason = "a third of the size of a bill is saved")]
    Many(Box<Vec<(Day, i64)>>),
}

/// Rows of one row group.
#[derive(Debug)]
struct Batch {
    /// Row groups are folded in the order of this number.
    order: u64,
    /// Undated deliveries come before all others.
    delivery: i32,
    rows: Vec<Row>,
}

/// The bills of one partition.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By key, as far as they are settled.
    bills: Vec<Bill>,
    settled: usize,
    /// Where the others are.
    places: HashTable<u32>,
    /// Not folded yet, in any order.
    fresh: Vec<Batch>,
    fresh_rows: usize,
}

/// Fewer fresh rows than this are not worth fetching the bills into cache before the end.
const FOLD_AT_LEAST: usize = piece(2048, 2);

/// More runs than this are as good as no order at all.
const MOST_RUNS: usize = piece(16, 2);

/// Fixed, so that nothing depends on a seed.
const HASHER: FixedState = FixedState::with_seed(0);

impl Ledger {
    /// Adds rows of a row group; its delivery may be none before one that has been folded, and `order`
    /// tells row groups apart, those of earlier deliveries first.
    pub fn add(&mut self, order: u64, delivery: i32, rows: Vec<Row>) {
        self.fresh_rows += rows.len();
        self.fresh.push(Batch { order, delivery, rows });
    }

    /// A ledger of bills that have been settled before.
    pub fn of(bills: Vec<Bill>) -> Ledger {
        let mut ledger = Ledger { bills, ..Ledger::default() };
        ledger.settle();
        ledger
    }

    /// Takes over bills of an earlier night, in any order; the ledger must be settled before it is used.
    pub fn receive(&mut self, bills: impl Iterator<Item = Bill>) {
        self.bills.extend(bills);
    }

    /// The bills themselves.
    pub fn into_bills(self) -> Vec<Bill> {
        self.bills
    }

    /// All bills, by key; the ledger must be settled.
    pub fn bills(&self) -> &[Bill] {
        assert_eq!(self.settled, self.bills.len(), "the ledger is settled");
        &self.bills
    }

    /// Likewise; keys must be left as they are.
    pub fn bills_mut(&mut self) -> &mut [Bill] {
        assert_eq!(self.settled, self.bills.len(), "the ledger is settled");
        &mut self.bills
    }

    /// Folds if fresh rows have become many: memory is bounded by bills, not rows.
    pub fn fold_if_many(&mut self) {
        if self.fresh_rows >= FOLD_AT_LEAST {
            self.fold();
        }
    }

    /// Folds all rows into their bills and puts these in order.
    pub fn settle(&mut self) {
        self.fold();
        if self.settled < self.bills.len() {
            self.places = HashTable::new();
            let breaks = self.bills.windows(2).filter(|pair| pair[0].key > pair[1].key).count();
            match (breaks, self.settled) {
                (0, _) => {}
                (MOST_RUNS.., 0) => self.sort_by_account(),
                // That sort makes use of runs that are in order already.
                _ => self.bills.sort_by_key(|bill| bill.key),
            }
            self.settled = self.bills.len();
        }
    }

    /// Puts bills in no order at all in order: brings together those of an account, then sorts these few.
    fn sort_by_account(&mut self) {
        let bills = &mut self.bills;
        let accounts = || bills.iter().map(|bill| bill.key.account);
        let (first, last) = (accounts().min().unwrap_or(0), accounts().max().unwrap_or(0));
        let mut starts = vec![0_u32; (last - first) as usize + 2];
        accounts().for_each(|account| starts[(account - first) as usize + 1] += 1);
        for account in 1..starts.len() {
            starts[account] += starts[account - 1];
        }
        let mut place = |account: u32| {
            let next = &mut starts[(account - first) as usize];
            *next += 1;
            *next - 1
        };
        let mut places: Vec<u32> = bills.iter().map(|bill| place(bill.key.account)).collect();
        for bill in 0..bills.len() {
            while places[bill] as usize != bill {
                let place = places[bill] as usize;
                bills.swap(bill, place);
                places.swap(bill, place);
            }
        }
        for of_account in bills.chunk_by_mut(|a, b| a.key.account == b.key.account) {
            of_account.sort_unstable_by_key(|bill| bill.key);
        }
    }

    fn fold(&mut self) {
        self.fresh_rows = 0;
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable_by_key(|batch| batch.order);
        for batch in fresh {
            for row in &batch.rows {
                self.fold_row(row, batch.delivery);
            }
        }
    }

    fn fold_row(&mut self, row: &Row, delivery: i32) {
        if let Ok(place) = self.bills[..self.settled].binary_search_by_key(&row.key, |bill| bill.key) {
            return self.bills[place].fold(row, delivery);
        }
        let hash = |key: &Key| HASHER.hash_one(key);
        let bills = &mut self.bills;
        match self.places.find(hash(&row.key), |place| bills[*place as usize].key == row.key) {
            Some(place) => bills[*place as usize].fold(row, delivery),
            None => {
                let place = bills.len() as u32;
                let rehash = |place: &u32| hash(&bills[*place as usize].key);
                self.places.insert_unique(hash(&row.key), place, rehash);
                if bills.len() == bills.capacity() {
                    // Bills are most of what a run holds: they grow by less than half as many again.
                    bills.reserve_exact(bills.len() / 4 + FOLD_AT_LEAST);
                }
                bills.push(Bill::new(row, delivery));
            }
        }
    }
}

impl Bill {
    fn new(row: &Row, delivery: i32) -> Bill {
        let payments = row.payment.map_or(Payments::None, |(day, amount)| Payments::One(day, amount));
        Bill {
            key: row.key,
            is_conflicting: false,
            is_moving: true,
            is_touched: true,
            delivery,
            due_on: row.due_on,
            due_amount: row.due_amount,
            payments,
        }
    }

    /// Takes in a row of the same or a later delivery.
    fn fold(&mut self, row: &Row, delivery: i32) {
        if delivery == self.delivery {
            self.is_conflicting |= (row.due_on, row.due_amount) != (self.due_on, self.due_amount);
            self.due_on = self.due_on.min(row.due_on);
            self.due_amount = self.due_amount.max(row.due_amount);
        } else {
            debug_assert!(delivery > self.delivery);
            self.delivery = delivery;
            self.due_on = row.due_on;
            self.due_amount = row.due_amount;
        }
        self.is_touched = true;
        if let Some(payment) = row.payment {
            self.payments.push(payment);
        }
    }

    /// What was paid up to a day, and since when that has been enough: the earliest day from which on
    /// the payments so far reach due_amount − tolerance (at least 1) at the end of every day.
    pub fn settle(&self, as_of: Day, tolerance: i64) -> (i128, Option<Day>) {
        let enough = i128::from((self.due_amount - tolerance).max(1));
        let mut payments: Vec<(Day, i64)> = match &self.payments {
            Payments::One(day, amount) if *day <= as_of => {
                let paid = i128::from(*amount);
                return (paid, (paid >= enough).then_some(*day));
            }
            Payments::Many(all) => all.iter().filter(|(day, _)| *day <= as_of).copied().collect(),
            _ => return (0, None),
        };
        payments.sort_unstable();
        let (mut paid, mut settled_on) = (0_i128, None);
        for day in payments.chunk_by(|a, b| a.0 == b.0) {
            paid += day.iter().map(|(_, amount)| i128::from(*amount)).sum::<i128>();
            settled_on = if paid >= enough { settled_on.or(Some(day[0].0)) } else { None };
        }
        (paid, settled_on)
    }
}

impl Payments {
    /// Adds a payment.
    pub fn push(&mut self, payment: (Day, i64)) {
        *self = match std::mem::replace(self, Payments::None) {
            Payments::None => Payments::One(payment.0, payment.1),
            Payments::One(day, amount) => Payments::Many(Box::new(vec![(day, amount), payment])),
            Payments::Many(mut all) => {
                all.push(payment);
                Payments::Many(all)
            }
        };
    }

    /// All of them, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (Day, i64)> {
        let (one, many) = match self {
            Payments::None => (None, None),
            Payments::One(day, amount) => (Some((*day, *amount)), None),
            Payments::Many(all) => (None, Some(all.iter().copied())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(due_on: i32, due_amount: i64, payment: Option<(i32, i64)>) -> Row {
        Row {
            key: Key { account: 0, product: 0, bill: 1 },
            due_on: Day(due_on),
            due_amount,
            payment: payment.map(|(day, amount)| (Day(day), amount)),
        }
    }

    /// The bill that rows of the deliveries 1, 2 and so on come to.
    fn bill(deliveries: &[Vec<Row>]) -> Bill {
        let mut ledger = Ledger::default();
        // Row groups come in any order.
        for (order, rows) in deliveries.iter().enumerate().rev() {
            ledger.add(order as u64, order as i32 + 1, rows.clone());
        }
        ledger.settle();
        ledger.bills[0].clone()
    }

    /// Bills due on day 10 for 1000 with a tolerance of 100, seen at day 20.
    #[test]
    fn a_bill_is_settled_from_the_day_on_which_payments_stay_enough() {
        type Case = (&'static str, Vec<(i32, i64)>, Option<i32>);
        let cases: [Case; 8] = [
            ("nothing paid", vec![], None),
            ("paid in full", vec![(9, 1000)], Some(9)),
            ("short by the tolerance", vec![(9, 900)], Some(9)),
            ("short by more", vec![(9, 899)], None),
            ("in parts", vec![(8, 500), (12, 500)], Some(12)),
            ("bounced and paid again", vec![(9, 1000), (11, -1000), (15, 1000)], Some(15)),
            ("bounced the same day, another in its place", vec![(9, 1000), (9, -1000), (9, 950)], Some(9)),
            ("paid later than it is seen", vec![(21, 1000)], None),
        ];
        for (name, payments, settled_on) in cases {
            let mut rows = vec![row(10, 1000, None)];
            rows.extend(payments.iter().map(|payment| row(10, 1000, Some(*payment))));
            assert_eq!(bill(&[rows]).settle(Day(20), 100).1, settled_on.map(Day), "{name}");
        }
    }

    #[test]
    fn terms_are_the_latest_deliverys_and_conflicts_are_within_one() {
        let found = bill(&[vec![row(10, 1000, None)], vec![row(15, 700, None), row(12, 800, None)]]);
        assert_eq!((found.due_on, found.due_amount, found.is_conflicting), (Day(12), 800, true));
        assert!(!bill(&[vec![row(10, 1000, None)], vec![row(15, 700, None)]]).is_conflicting);
    }

    #[test]
    fn folding_and_settling_early_changes_nothing() {
        let rows = [row(10, 1000, Some((9, 5))), row(11, 1000, None), row(15, 700, Some((12, 7)))];
        let deliveries = [1, 1, 2];
        let whole = bill(&[rows[..2].to_vec(), rows[2..].to_vec()]);
        assert!(whole.is_conflicting);
        for settles in [false, true] {
            let mut ledger = Ledger::default();
            for (order, (row, delivery)) in rows.iter().zip(deliveries).enumerate() {
                ledger.add(order as u64, delivery, vec![row.clone()]);
                if settles { ledger.settle() } else { ledger.fold() }
            }
            ledger.settle();
            assert_eq!(format!("{:?}", ledger.bills), format!("[{whole:?}]"));
        }
    }
}

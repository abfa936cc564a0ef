//! Bills folded from repayment rows: the latest delivery's terms, the payments, conflicts.

use std::sync::Arc;

use crate::day::Day;

/// What identifies a bill.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub account: u32,
    pub product: u32,
    pub bill: BillId,
}

/// An id as delivered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BillId {
    Int(i64),
    Text(Arc<str>),
}

/// One repayment row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub key: Key,
    /// Undated deliveries come before all others.
    pub delivery: i32,
    pub due_on: Day,
    pub due_amount: i64,
    pub payment: Option<(Day, i64)>,
}

/// A bill as its rows so far tell it.
#[derive(Debug)]
pub(super) struct Bill {
    pub key: Key,
    /// The latest, whose terms these are.
    delivery: i32,
    pub due_on: Day,
    pub due_amount: i64,
    /// Some delivery gave it more than one pair of terms.
    pub is_conflicting: bool,
    payments: Payments,
}

/// Most bills are paid once.
#[derive(Debug)]
enum Payments {
    None,
    One(Day, i64),
    #[allow(clippy::box_collection, reason = "a third of the size of a bill is saved")]
    Many(Box<Vec<(Day, i64)>>),
}

/// The bills of one partition.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By key.
    bills: Vec<Bill>,
    /// Not folded yet, in any order.
    fresh: Vec<Row>,
}

/// Fewer fresh rows than this are not worth folding before the end.
const FOLD_AT_LEAST: usize = 4096;

impl Ledger {
    /// Adds rows; none may be of a delivery before one that has been folded.
    pub fn add(&mut self, rows: impl Iterator<Item = Row>) {
        self.fresh.extend(rows);
    }

    /// Folds if fresh rows have become many: memory is bounded by bills, not rows.
    pub fn fold_if_many(&mut self) {
        if self.fresh.len() >= FOLD_AT_LEAST.max(self.bills.len() / 4) {
            self.fold();
        }
    }

    /// Every bill, by key.
    pub fn into_bills(mut self) -> Vec<Bill> {
        self.fold();
        self.bills
    }

    fn fold(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable_by(|a, b| a.key.cmp(&b.key).then(a.delivery.cmp(&b.delivery)));
        let known = std::mem::take(&mut self.bills);
        let added = fresh.chunk_by(|a, b| a.key == b.key).count();
        self.bills.reserve_exact(known.len() + added);
        let mut known = known.into_iter().peekable();
        for row in fresh {
            while let Some(before) = known.next_if(|bill| bill.key <= row.key) {
                self.bills.push(before);
            }
            match self.bills.last_mut() {
                Some(bill) if bill.key == row.key => bill.fold(&row),
                _ => self.bills.push(Bill::new(row)),
            }
        }
        self.bills.extend(known);
    }
}

impl Bill {
    fn new(row: Row) -> Bill {
        let payments = row.payment.map_or(Payments::None, |(day, amount)| Payments::One(day, amount));
        Bill {
            key: row.key,
            delivery: row.delivery,
            due_on: row.due_on,
            due_amount: row.due_amount,
            is_conflicting: false,
            payments,
        }
    }

    /// Takes in a row of the same or a later delivery.
    fn fold(&mut self, row: &Row) {
        if row.delivery == self.delivery {
            self.is_conflicting |= (row.due_on, row.due_amount) != (self.due_on, self.due_amount);
            self.due_on = self.due_on.min(row.due_on);
            self.due_amount = self.due_amount.max(row.due_amount);
        } else {
            debug_assert!(row.delivery > self.delivery);
            self.delivery = row.delivery;
            self.due_on = row.due_on;
            self.due_amount = row.due_amount;
        }
        if let Some(payment) = row.payment {
            self.payments.push(payment);
        }
    }

    /// What was paid up to a day, and since when that has been enough: the earliest day from which on
    /// the payments so far reach due_amount − tolerance (at least 1) at the end of every day.
    pub fn settle(&self, as_of: Day, tolerance: i64) -> (i128, Option<Day>) {
        let mut payments: Vec<(Day, i64)> = self.payments.up_to(as_of);
        payments.sort_unstable();
        let enough = i128::from((self.due_amount - tolerance).max(1));
        let (mut paid, mut settled_on) = (0_i128, None);
        for day in payments.chunk_by(|a, b| a.0 == b.0) {
            paid += day.iter().map(|(_, amount)| i128::from(*amount)).sum::<i128>();
            settled_on = if paid >= enough { settled_on.or(Some(day[0].0)) } else { None };
        }
        (paid, settled_on)
    }
}

impl Payments {
    fn push(&mut self, payment: (Day, i64)) {
        *self = match std::mem::replace(self, Payments::None) {
            Payments::None => Payments::One(payment.0, payment.1),
            Payments::One(day, amount) => Payments::Many(Box::new(vec![(day, amount), payment])),
            Payments::Many(mut all) => {
                all.push(payment);
                Payments::Many(all)
            }
        };
    }

    fn up_to(&self, last: Day) -> Vec<(Day, i64)> {
        let all = match self {
            Payments::None => vec![],
            Payments::One(day, amount) => vec![(*day, *amount)],
            Payments::Many(all) => all.to_vec(),
        };
        all.into_iter().filter(|(day, _)| *day <= last).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(delivery: i32, due_on: i32, due_amount: i64, payment: Option<(i32, i64)>) -> Row {
        Row {
            key: Key { account: 0, product: 0, bill: BillId::Int(1) },
            delivery,
            due_on: Day(due_on),
            due_amount,
            payment: payment.map(|(day, amount)| (Day(day), amount)),
        }
    }

    fn bill(rows: Vec<Row>) -> Bill {
        let mut ledger = Ledger::default();
        ledger.add(rows.into_iter());
        ledger.into_bills().pop().unwrap()
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
            let mut rows = vec![row(1, 10, 1000, None)];
            rows.extend(payments.iter().map(|payment| row(1, 10, 1000, Some(*payment))));
            assert_eq!(bill(rows).settle(Day(20), 100).1, settled_on.map(Day), "{name}");
        }
    }

    #[test]
    fn terms_are_the_latest_deliverys_and_conflicts_are_within_one() {
        let found = bill(vec![row(1, 10, 1000, None), row(2, 15, 700, None), row(2, 12, 800, None)]);
        assert_eq!((found.due_on, found.due_amount, found.is_conflicting), (Day(12), 800, true));
        assert!(!bill(vec![row(1, 10, 1000, None), row(2, 15, 700, None)]).is_conflicting);
    }

    #[test]
    fn folding_early_changes_nothing() {
        let rows = [row(1, 10, 1000, Some((9, 5))), row(1, 11, 1000, None), row(2, 15, 700, Some((12, 7)))];
        let mut ledger = Ledger::default();
        for row in rows.clone() {
            ledger.add([row].into_iter());
            ledger.fold();
        }
        let (early, late) = (ledger.into_bills().pop().unwrap(), bill(rows.to_vec()));
        assert_eq!(format!("{early:?}"), format!("{late:?}"));
        assert!(early.is_conflicting);
    }
}

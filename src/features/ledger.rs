//! Bills folded from repayment rows: the latest delivery's terms, the payments, conflicts.

use crate::day::Day;

/// What identifies a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Undated deliveries come before all others.
    pub delivery: i32,
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

/// The bills of one partition.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By key.
    pub bills: Vec<Bill>,
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

    /// Takes over bills of an earlier night, in any order.
    pub fn receive(&mut self, bills: impl Iterator<Item = Bill>) {
        self.bills.extend(bills);
    }

    /// Puts bills that were taken over in order.
    pub fn sort(&mut self) {
        self.bills.sort_by_key(|bill| bill.key);
    }

    /// Folds if fresh rows have become many: memory is bounded by bills, not rows.
    pub fn fold_if_many(&mut self) {
        if self.fresh.len() >= FOLD_AT_LEAST.max(self.bills.len() / 4) {
            self.fold();
        }
    }

    /// Folds all rows into their bills.
    pub fn fold(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh);
        if fresh.is_empty() {
            return;
        }
        fresh.sort_unstable_by(|a, b| a.key.cmp(&b.key).then(a.delivery.cmp(&b.delivery)));
        let mut added = Vec::new();
        let mut next = 0;
        for rows in fresh.chunk_by(|a, b| a.key == b.key) {
            next += self.bills[next..].partition_point(|bill| bill.key < rows[0].key);
            match self.bills.get_mut(next).filter(|bill| bill.key == rows[0].key) {
                Some(bill) => rows.iter().for_each(|row| bill.fold(row)),
                None => {
                    let mut bill = Bill::new(&rows[0]);
                    rows[1..].iter().for_each(|row| bill.fold(row));
                    added.push(bill);
                }
            }
        }
        let mut merged = Vec::with_capacity(self.bills.len() + added.len());
        let mut known = std::mem::take(&mut self.bills).into_iter().peekable();
        for bill in added {
            while let Some(before) = known.next_if(|known| known.key < bill.key) {
                merged.push(before);
            }
            merged.push(bill);
        }
        merged.extend(known);
        self.bills = merged;
    }
}

impl Bill {
    fn new(row: &Row) -> Bill {
        let payments = row.payment.map_or(Payments::None, |(day, amount)| Payments::One(day, amount));
        Bill {
            key: row.key,
            is_conflicting: false,
            is_moving: true,
            is_touched: true,
            delivery: row.delivery,
            due_on: row.due_on,
            due_amount: row.due_amount,
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

    fn row(delivery: i32, due_on: i32, due_amount: i64, payment: Option<(i32, i64)>) -> Row {
        Row {
            key: Key { account: 0, product: 0, bill: 1 },
            delivery,
            due_on: Day(due_on),
            due_amount,
            payment: payment.map(|(day, amount)| (Day(day), amount)),
        }
    }

    fn bill(rows: Vec<Row>) -> Bill {
        let mut ledger = Ledger::default();
        ledger.add(rows.into_iter());
        ledger.fold();
        ledger.bills.pop().unwrap()
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
        let (early, late) = (ledger.bills.pop().unwrap(), bill(rows.to_vec()));
        assert_eq!(format!("{early:?}"), format!("{late:?}"));
        assert!(early.is_conflicting);
    }
}

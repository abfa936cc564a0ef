//! Bills folded from repayment rows: the latest delivery's terms, the payments, conflicts.

use std::ops::Range;

use crate::day::Day;
use crate::radix::ByKey;

/// Stands for the product of bills of accounts that are off the book.
pub const OFF_BOOK_PRODUCT: u32 = u32::MAX;

/// One repayment row of an account.
#[derive(Debug, Clone, Copy)]
pub struct BillRow {
    /// The product's number, or [`OFF_BOOK_PRODUCT`].
    pub product: u32,
    /// The bill of the product: an integer id as it is, a text id by its XXH3 hash, off the book the hash of
    /// account, product and id. Among the bills of one line, two are taken for one less often than memory fails.
    pub bill: u64,
    /// When it arrived; `None` of an undated input.
    pub delivery: Option<Day>,
    /// Terms.
    pub due_on: Day,
    /// Minor units.
    pub due_amount: i64,
    /// When it was paid, if it is a payment.
    pub paid_on: Option<Day>,
    /// How much, minor units.
    pub paid_amount: i64,
}

/// What an account's rows are sorted by: bill, product and the row's number, all in one word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct BillKey(u128);

impl BillKey {
    #[inline]
    fn new(row: &BillRow, number: u32) -> BillKey {
        BillKey(u128::from(row.bill) << 64 | u128::from(row.product) << 32 | u128::from(number))
    }

    #[inline]
    fn row(self) -> usize {
        self.0 as u32 as usize
    }
}

/// Calls `each` with the rows of every account that has some, in order of bill; those of one bill stay in order of
/// arrival. `owners` is the account of each row; one that is off the book goes with that before which it comes.
pub fn by_account(
    rows: &[BillRow],
    owners: &[u32],
    accounts: Range<u32>,
    mut each: impl FnMut(u32, &[BillRow]),
) {
    // Brings together those of an account, then sorts these few.
    let numbered = rows.iter().zip(0..);
    let keys: Vec<BillKey> = numbered.map(|(row, number)| BillKey::new(row, number)).collect();
    let (mut by_account, mut sorted) = (ByKey::default(), Vec::new());
    by_account.fill(&keys, accounts.len(), |key| (owners[key.row()] - accounts.start) as usize);
    by_account.each(|account, keys| {
        keys.sort_unstable();
        sorted.clear();
        sorted.extend(keys.iter().map(|key| rows[key.row()]));
        each(accounts.start + account as u32, &sorted);
    });
}

impl BillRow {
    fn terms(&self) -> (Day, i64) {
        (self.due_on, self.due_amount)
    }
}

/// The earliest delivery that gives a bill more than one pair of terms; `rows` are all of the bill's.
pub fn conflict(rows: &[BillRow]) -> Option<Option<Day>> {
    let mut deliveries = rows.chunk_by(|a, b| a.delivery == b.delivery);
    let conflicting = deliveries.find(|own| own.iter().any(|row| row.terms() != own[0].terms()));
    conflicting.map(|own| own[0].delivery)
}

/// A bill at the end of a day, made from the rows that had arrived by another day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bill {
    /// Terms.
    pub due_on: Day,
    /// Minor units.
    pub due_amount: i64,
    /// What was paid, minor units.
    pub paid: i128,
    /// Since when that has been enough; `None` while it is not.
    pub settled_on: Option<Day>,
}

impl Bill {
    /// The bill of some rows, at least one, at the end of `as_of`; `tolerance` is in minor units.
    pub fn of(rows: &[BillRow], as_of: Day, tolerance: i64) -> Bill {
        let latest = rows.last().expect("a bill has a row").delivery;
        let terms = rows.iter().rev().take_while(|row| row.delivery == latest);
        let (due_on, due_amount) = terms.fold((Day(i32::MAX), i64::MIN), |(due_on, due_amount), row| {
            (due_on.min(row.due_on), due_amount.max(row.due_amount))
        });
        let (paid, settled_on) = settled(rows, as_of, i128::from((due_amount - tolerance).max(1)));
        Bill { due_on, due_amount, paid, settled_on }
    }
}

/// What was paid up to a day, and since when that has been enough: the earliest day from which on
/// the payments so far reach due_amount − tolerance (at least 1) at the end of every day.
fn settled(rows: &[BillRow], as_of: Day, enough: i128) -> (i128, Option<Day>) {
    let payments = rows.iter().filter_map(|row| Some((row.paid_on?, row.paid_amount)));
    let payments = payments.filter(|(day, _)| *day <= as_of);
    if payments.clone().is_sorted_by_key(|(day, _)| day) {
        return settled_by(payments, enough);
    }
    let mut payments: Vec<(Day, i64)> = payments.collect();
    payments.sort_unstable();
    settled_by(payments.into_iter(), enough)
}

/// Likewise, by payments in order of day.
fn settled_by(payments: impl Iterator<Item = (Day, i64)>, enough: i128) -> (i128, Option<Day>) {
    let (mut paid, mut settled_on) = (0_i128, None);
    let mut payments = payments.peekable();
    while let Some((day, amount)) = payments.next() {
        paid += i128::from(amount);
        let ends_day = payments.peek().is_none_or(|(next, _)| *next != day);
        if ends_day {
            settled_on = if paid >= enough { settled_on.or(Some(day)) } else { None };
        }
    }
    (paid, settled_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(delivery: i32, due_on: i32, due_amount: i64, payment: Option<(i32, i64)>) -> BillRow {
        BillRow {
            product: 0,
            bill: 1,
            delivery: Some(Day(delivery)),
            due_on: Day(due_on),
            due_amount,
            paid_on: payment.map(|(day, _)| Day(day)),
            paid_amount: payment.map_or(0, |(_, amount)| amount),
        }
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
            assert_eq!(Bill::of(&rows, Day(20), 100).settled_on, settled_on.map(Day), "{name}");
        }
    }

    #[test]
    fn terms_are_the_latest_deliverys_and_conflicts_are_within_one() {
        let rows = [row(1, 10, 1000, None), row(2, 15, 700, None), row(2, 12, 800, None)];
        let found = Bill::of(&rows, Day(20), 0);
        assert_eq!((found.due_on, found.due_amount), (Day(12), 800));
        assert_eq!(conflict(&rows), Some(Some(Day(2))));
        assert_eq!(conflict(&rows[..2]), None);
    }

    #[test]
    fn rows_of_a_bill_stay_in_order_of_arrival() {
        let of = |bill: u64, due_amount: i64| BillRow { bill, ..row(1, 10, due_amount, None) };
        let rows = [of(2, 1), of(1, 2), of(1, 3), of(1, 4), of(2, 5), of(1, 6)];
        let mut sorted = Vec::new();
        by_account(&rows, &[8, 9, 7, 8, 8, 9], 7..10, |_, own| {
            sorted.push(own.iter().map(|row| row.due_amount).collect::<Vec<_>>());
        });
        assert_eq!(sorted, [vec![3], vec![4, 1, 5], vec![2, 6]]);
    }
}

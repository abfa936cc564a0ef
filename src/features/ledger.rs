//! Bills folded from repayment rows: the latest delivery's terms, the payments, conflicts.

use crate::day::Day;

/// What identifies a bill among those of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BillKey {
    /// The position of the account; of one that is off the book, that of the account before which it comes.
    pub account: u32,
    /// 0 for an account of the book; tells others apart.
    pub off_book: u64,
    /// The product's number.
    pub product: u16,
    /// An integer id as it is, a text id by its XXH3 hash: among the bills of one line, two are taken for
    /// one less often than memory fails.
    pub bill: u64,
}

/// One repayment row.
#[derive(Debug, Clone, Copy)]
pub struct RepaymentRow {
    /// Its bill.
    pub key: BillKey,
    /// When it arrived; `None` of an undated input.
    pub delivery: Option<Day>,
    /// Terms.
    pub due_on: Day,
    /// Minor units.
    pub due_amount: i64,
    /// When and how much, if it is a payment.
    pub payment: Option<(Day, i64)>,
}

/// Puts rows in order of bill; those of one stay in order of arrival. Accounts are those from `first` on.
pub fn by_bill(rows: &[RepaymentRow], first: u32, accounts: usize) -> Vec<RepaymentRow> {
    // Brings together those of an account, then sorts these few.
    let account = |row: &RepaymentRow| (row.key.account - first) as usize;
    let mut ends = vec![0_usize; accounts + 1];
    rows.iter().for_each(|row| ends[account(row) + 1] += 1);
    (1..ends.len()).for_each(|account| ends[account] += ends[account - 1]);
    let mut places = vec![0_u32; rows.len()];
    for (row, number) in rows.iter().zip(0..) {
        let place = &mut ends[account(row)];
        places[*place] = number;
        *place += 1;
    }
    let mut sorted: Vec<RepaymentRow> = places.into_iter().map(|row| rows[row as usize]).collect();
    for own in sorted.chunk_by_mut(|a, b| a.key.account == b.key.account) {
        own.sort_by_key(|row| row.key);
    }
    sorted
}

/// The earliest delivery that gives a bill more than one pair of terms; `rows` are all of the bill's.
pub fn conflict(rows: &[RepaymentRow]) -> Option<Option<Day>> {
    let mut deliveries = rows.chunk_by(|a, b| a.delivery == b.delivery);
    let terms = |row: &RepaymentRow| (row.due_on, row.due_amount);
    let differs = |own: &&[RepaymentRow]| own.iter().any(|row| terms(row) != terms(&own[0]));
    deliveries.find(differs).map(|own| own[0].delivery)
}

/// A bill as rows tell it that had arrived by a day, at the end of another.
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
    pub fn of(rows: &[RepaymentRow], as_of: Day, tolerance: i64) -> Bill {
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
fn settled(rows: &[RepaymentRow], as_of: Day, enough: i128) -> (i128, Option<Day>) {
    let mut payments = rows.iter().filter_map(|row| row.payment).filter(|(day, _)| *day <= as_of);
    let Some(first) = payments.next() else { return (0, None) };
    let Some(second) = payments.next() else {
        let paid = i128::from(first.1);
        return (paid, (paid >= enough).then_some(first.0));
    };
    let mut payments: Vec<(Day, i64)> = [first, second].into_iter().chain(payments).collect();
    payments.sort_unstable();
    let (mut paid, mut settled_on) = (0_i128, None);
    for day in payments.chunk_by(|a, b| a.0 == b.0) {
        paid += day.iter().map(|(_, amount)| i128::from(*amount)).sum::<i128>();
        settled_on = if paid >= enough { settled_on.or(Some(day[0].0)) } else { None };
    }
    (paid, settled_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(delivery: i32, due_on: i32, due_amount: i64, payment: Option<(i32, i64)>) -> RepaymentRow {
        RepaymentRow {
            key: BillKey { account: 0, off_book: 0, product: 0, bill: 1 },
            delivery: Some(Day(delivery)),
            due_on: Day(due_on),
            due_amount,
            payment: payment.map(|(day, amount)| (Day(day), amount)),
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
        let of = |account: u32, bill: u64, due_amount: i64| {
            let key = BillKey { account, off_book: 0, product: 0, bill };
            RepaymentRow { key, ..row(1, 10, due_amount, None) }
        };
        let rows = [of(8, 2, 1), of(9, 1, 2), of(7, 1, 3), of(8, 1, 4), of(8, 2, 5), of(9, 1, 6)];
        let sorted = by_bill(&rows, 7, 3);
        assert_eq!(sorted.iter().map(|row| row.due_amount).collect::<Vec<_>>(), [3, 4, 1, 5, 2, 6]);
    }
}

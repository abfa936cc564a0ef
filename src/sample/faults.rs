//! What goes wrong between the book and its files: rows that come late or twice, and broken copies.

use super::calendar::CalendarDay;
use super::columns::{LineRow, RepaymentRow, TransactionRow};
use super::random::{Draws, Purpose, draws, key};
use super::spending::MAX_LAG;

/// When the transactions of an account posted on one day are delivered.
pub struct Sending {
    /// Days after they were posted.
    pub lag: i32,
    /// The first of them is sent once more, so many days after it was posted.
    pub again: Option<i32>,
}

impl Sending {
    /// The sending of what the account of that key has posted on that day: one day in 64 is late,
    /// one in 1024 has a row that comes twice.
    pub fn of(account_key: u64, posted_on: &CalendarDay) -> Sending {
        let place = u64::from(posted_on.number as u32);
        let mut draws = draws(account_key, Purpose::Sending, place);
        let word = draws.word();
        let lag = match word % 64 {
            0 => 1 + draws.day(0, MAX_LAG - 1),
            _ => 0,
        };
        let again = (word >> 32).is_multiple_of(1024);
        Sending { lag, again: again.then(|| draws.day(lag, MAX_LAG)) }
    }
}

/// The inputs, as far as faults tell them apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Transactions = 1,
    Repayments,
    Lines,
}

/// A broken copy comes before about one good row in so many.
const ROWS_PER_FAULT: i64 = 20_000;

/// Early faults, which small files have too, are at most so many rows apart.
const EARLY_GAP: i64 = 40;

/// Which rows of one file are preceded by a broken copy of themselves.
pub struct Faults {
    draws: Draws,
    early: u32,
    rows_left: i64,
    turn: usize,
}

impl Faults {
    /// The faults of the file of `input` delivered on `day`. A small sample has some as well: in
    /// one file of four, three in the last of `transactions` and `repayments`, and one of each kind
    /// in every snapshot.
    pub fn new(seed: u64, input: Input, day: &CalendarDay, is_last: bool) -> Faults {
        let place = u64::from(day.number as u32) << 2 | input as u64;
        let mut draws = draws(key(seed, 0), Purpose::Fault, place);
        let early = match input {
            Input::Lines => LINE_FAULTS.len() as u32,
            _ if is_last => 3,
            _ => u32::from(draws.chance(250)),
        };
        let mut faults =
            Faults { turn: draws.below(LINE_FAULTS.len() as u64) as usize, draws, early, rows_left: 0 };
        faults.rows_left = faults.gap();
        faults
    }

    fn gap(&mut self) -> i64 {
        if self.early > 0 {
            self.early -= 1;
            return self.draws.between(1, EARLY_GAP);
        }
        self.draws.between(1, 2 * ROWS_PER_FAULT)
    }

    /// Called for each good row: the turn of the fault that precedes it, if one does. A fault waits
    /// for a row that `may_break`.
    pub fn next(&mut self, may_break: bool) -> Option<usize> {
        self.rows_left -= 1;
        if self.rows_left > 0 || !may_break {
            return None;
        }
        self.rows_left = self.gap();
        self.turn += 1;
        Some(self.turn)
    }
}

/// Breaks a row of a delivery of that day.
pub type Fault<Row> = fn(&mut Row, i32);

/// The broken copy that comes in that turn.
pub fn broken<Row: Copy>(faults: &[Fault<Row>], turn: usize, row: &Row, day: &CalendarDay) -> Row {
    let mut copy = *row;
    faults[turn % faults.len()](&mut copy, day.number);
    copy
}

/// Faults of transactions; each is refused for one reason.
pub const TRANSACTION_FAULTS: [Fault<TransactionRow>; 4] = [
    |row, _| row.account_id = None,
    |row, _| row.posted_on = None,
    |row, _| row.amount = None,
    |row, delivery| row.posted_on = Some(delivery + 2),
];

/// Faults of repayments; each is refused for one reason.
pub const REPAYMENT_FAULTS: [Fault<RepaymentRow>; 8] = [
    |row, _| row.account_id = None,
    |row, _| row.product = None,
    |row, _| row.bill_id = None,
    |row, _| row.due_on = None,
    |row, _| row.due_amount = None,
    |row, _| row.due_amount = Some(0),
    |row, delivery| (row.paid_on, row.paid_amount) = (Some(delivery), None),
    |row, delivery| (row.paid_on, row.paid_amount) = (Some(delivery + 1), row.due_amount),
];

/// Faults of lines; each is refused for one reason. The first leaves the copy as good as the row,
/// so that both are refused as `duplicate_line`.
pub const LINE_FAULTS: [Fault<LineRow>; 8] = [
    |_, _| {},
    |row, _| row.account_id = None,
    |row, _| row.product = None,
    |row, _| row.opened_on = None,
    |row, _| row.balance = None,
    |row, _| row.credit_limit = Some(-1),
    |row, _| row.status = Some("frozen"),
    |row, delivery| row.increased_on = Some(delivery + 1),
];

#[cfg(test)]
mod tests {
    use super::super::calendar::Calendar;
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_snapshot_of_a_few_hundred_rows_has_every_fault() {
        let calendar = Calendar::new(date(2026, 11, 20), date(2026, 11, 20));
        let mut faults = Faults::new(1, Input::Lines, &calendar.deliveries()[0], true);
        let mut turns: Vec<usize> =
            (0..400).filter_map(|_| faults.next(true)).map(|turn| turn % LINE_FAULTS.len()).collect();
        turns.sort_unstable();
        turns.dedup();
        assert_eq!(turns.len(), LINE_FAULTS.len());
    }

    #[test]
    fn faults_are_rare_in_large_files() {
        let calendar = Calendar::new(date(2026, 11, 20), date(2026, 11, 20));
        let day = &calendar.deliveries()[0];
        let mut faults = Faults::new(1, Input::Transactions, day, false);
        let count = (0..2_000_000).filter(|_| faults.next(true).is_some()).count();
        assert!((60..150).contains(&count), "{count}");
    }

    #[test]
    fn rows_come_again_no_earlier_than_they_came() {
        let calendar = Calendar::new(date(2026, 11, 20), date(2026, 11, 20));
        let day = &calendar.deliveries()[0];
        let sendings = (0..100_000).map(|index| Sending::of(key(1, index), day));
        let mut again = 0;
        for sending in sendings {
            assert!((0..=MAX_LAG).contains(&sending.lag));
            if let Some(lag) = sending.again {
                again += 1;
                assert!((sending.lag..=MAX_LAG).contains(&lag));
            }
        }
        assert!((50..200).contains(&again), "{again}");
    }
}

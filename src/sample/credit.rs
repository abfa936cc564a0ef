//! What is bought with a line, month by month, and so what is owed: a month's sum is drawn first
//! and shared out over its days, so that bills and balances need no day's purchases.

use super::account::{Account, NEVER};
use super::calendar::{BILLED_BEFORE, Cycle, Day};
use super::history::{Change, state};
use super::nature::{Nature, Product};
use super::opening::{LIMIT_STEP, Line};
use super::random::{Draws, Purpose, draws, key};
use super::trouble::Trouble;
use crate::input::lines::Status;

/// No purchase is smaller than about this on average: 5.00.
const SMALLEST_MEAN: i64 = 500;

/// From this mean on prices are whole units, or ten hundredths less: 20.00.
const PLAIN_PRICES_FROM: i64 = 2000;

/// Purchases of a month of one line at most.
const MOST_IN_A_MONTH: i64 = 400;

/// A line with whom it belongs to.
#[derive(Clone, Copy)]
pub struct Held<'a> {
    pub account: &'a Account,
    pub line: &'a Line,
    pub troubles: &'a [Trouble],
    pub changes: &'a [Change],
}

/// A purchase, or cash drawn, on a line.
pub struct Use {
    /// Its place among those of its month; below 0 for what can be sold again.
    pub number: i64,
    /// Minor units.
    pub amount: i64,
    pub is_cash_like: bool,
}

impl Held<'_> {
    /// The place of a month of this line among those of its account, below 2^18.
    pub fn place(&self, month: u32) -> u64 {
        u64::from(month) << 2 | self.line.product as u64
    }

    /// The last day before the days whose purchases are in the bill of that month.
    fn billed_after(&self, cycle: &Cycle) -> i32 {
        cycle.first_before + i32::from(self.line.due_day) - 1 - BILLED_BEFORE
    }

    /// The last of them, on which the bill is made out.
    pub fn billed_on(&self, cycle: &Cycle) -> i32 {
        self.line.due_on(cycle) - BILLED_BEFORE
    }

    fn status(&self, day: i32) -> Option<Status> {
        self.changes.iter().take_while(|change| change.on <= day).last().map(|change| change.status)
    }

    /// Tells the purchases of `day`.
    pub fn uses(&self, day: &Day, tell: &mut impl FnMut(Use)) {
        let Some(month) = Month::of(self, day.cycle(self.line.due_day)) else {
            return;
        };
        if month.has_any(day.number) && self.status(day.number) == Some(Status::Active) {
            month.on(day.number, tell);
        }
    }

    /// What is bought in the days of that month's bill up to the day `by`, in minor units.
    fn spent(&self, cycle: &Cycle, by: i32) -> i64 {
        let Some(month) = Month::of(self, cycle) else {
            return 0;
        };
        // While the line rests nothing is bought with it.
        let mut spent = 0;
        let mut from = None;
        for change in self.changes.iter().take_while(|change| change.on <= by) {
            match (from, change.status == Status::Active) {
                (None, true) => from = Some(change.on),
                (Some(opened_on), false) => {
                    spent += month.by(change.on - 1) - month.by(opened_on - 1);
                    from = None;
                }
                _ => {}
            }
        }
        if let Some(opened_on) = from {
            spent += month.by(by) - month.by(opened_on - 1);
        }
        spent
    }

    /// What the bill of the first of those months, the latest, comes to, in minor units.
    pub fn billed(&self, cycles: &[Cycle]) -> i64 {
        let instalments = i64::from(self.line.instalments);
        let months = cycles.iter().take(instalments as usize).zip(0..);
        months.map(|(cycle, nth)| instalment(self.spent(cycle, NEVER), nth, instalments)).sum()
    }

    /// What is bought up to `day` and in no bill that is made out by then, in minor units.
    pub fn not_billed(&self, day: i32, cycles: &[Cycle]) -> i64 {
        let instalments = i64::from(self.line.instalments);
        let mut months = cycles.iter().skip_while(|cycle| self.billed_after(cycle) >= day).peekable();
        let open = months.next_if(|cycle| self.billed_on(cycle) > day);
        let open = open.map_or(0, |cycle| self.spent(cycle, day));
        let left = months.take(instalments as usize - 1).zip(1..).map(|(cycle, billed)| {
            let spent = self.spent(cycle, NEVER);
            spent - (0..billed).map(|nth| instalment(spent, nth, instalments)).sum::<i64>()
        });
        open + left.sum::<i64>()
    }
}

/// The `nth` part of an amount that is paid back in so many.
fn instalment(amount: i64, nth: i64, instalments: i64) -> i64 {
    amount * (nth + 1) / instalments - amount * nth / instalments
}

/// The purchases of the days of one bill, as if the line were open on all of them.
struct Month {
    key: u64,
    /// The last day before.
    after: i32,
    days: i64,
    /// Minor units.
    total: i64,
    count: i64,
    cash_like: Option<CashLike>,
}

/// Purchases of what can be sold again, in round amounts.
struct CashLike {
    first_on: i32,
    days: i64,
    rows: i64,
    /// Minor units.
    each: i64,
}

impl Month {
    /// None where nothing is bought.
    fn of(held: &Held, cycle: &Cycle) -> Option<Month> {
        let (account, line) = (held.account, held.line);
        let (after, until) = (held.billed_after(cycle), held.billed_on(cycle));
        if until > line.rest_on || until < line.opened_on {
            return None;
        }
        let key = key(account.key, 1 << 40 | held.place(cycle.month));
        let mut draws = draws(key, Purpose::Usage, 0);
        let is_active = draws.chance(line.active_per_mille.into());
        if !is_active && !account.buys_cash_like {
            return None;
        }
        // So much a month, and what is owed at its highest comes just to the limit.
        let limit = state(held.changes, until.max(line.opened_on)).map_or(0, |state| state.limit);
        let limit = if limit == 0 { held.changes[0].limit() } else { limit };
        let most = limit * 100 / (50 * i64::from(line.instalments) + 88);
        let cash_like = CashLike::of(held, after, limit, &mut draws);
        let total = if is_active { ordinary(held, until, most, &mut draws) } else { 0 };
        let total = match &cash_like {
            Some(cash_like) => total.min(most - cash_like.each * cash_like.rows).max(0),
            None => total,
        };
        let mean_count = i64::from(line.uses_in_16_months);
        let count = if line.product == Product::Jiebei {
            1
        } else {
            1 + (mean_count * draws.between(8, 24) / 16 + draws.between(0, 24)) / 16
        };
        let count = count.min(total / SMALLEST_MEAN).clamp(1, MOST_IN_A_MONTH);
        let total = if line.product == Product::Jiebei { total / LIMIT_STEP * LIMIT_STEP } else { total };
        Some(Month { key, after, days: i64::from(until - after), total, count, cash_like })
    }

    /// Where the `index`-th purchase lies within its part of the month, and what of its part of the
    /// sum is spent before it: in 256ths.
    fn shift(&self, index: i64) -> (i64, i64) {
        let word = draws(self.key, Purpose::Usage, 1 + index as u64).word();
        ((word & 255) as i64, (word >> 8 & 255) as i64)
    }

    /// How many purchases are made up to `day`.
    fn count_by(&self, day: i32) -> i64 {
        let place = i64::from(day - self.after).clamp(0, self.days);
        let index = place * self.count / self.days;
        if index == self.count {
            return index;
        }
        let is_made = (index * 256 + self.shift(index).0) * self.days < place * self.count * 256;
        index + i64::from(is_made)
    }

    /// What the first `count` purchases come to, in minor units.
    fn sum(&self, count: i64) -> i64 {
        if count == 0 || count == self.count {
            return if count == 0 { 0 } else { self.total };
        }
        // Between two sums lies at least a quarter of the mean.
        let (_, shift) = self.shift(count);
        let sum = self.total * (count * 256 + (shift - 128) * 3 / 4) / (self.count * 256);
        if self.total < PLAIN_PRICES_FROM * self.count {
            return sum;
        }
        let whole = sum / 100 * 100;
        if shift & 1 == 1 { whole } else { whole - 10 }
    }

    /// What is bought up to `day`, in minor units.
    fn by(&self, day: i32) -> i64 {
        let ordinary = if self.total > 0 { self.sum(self.count_by(day)) } else { 0 };
        ordinary + self.cash_like.as_ref().map_or(0, |cash_like| cash_like.each * cash_like.rows_by(day))
    }

    fn has_any(&self, day: i32) -> bool {
        self.total > 0 || self.cash_like.as_ref().is_some_and(|cash_like| cash_like.rows_by(day) > 0)
    }

    fn on(&self, day: i32, tell: &mut impl FnMut(Use)) {
        if let Some(cash_like) = &self.cash_like {
            for row in cash_like.rows_by(day - 1)..cash_like.rows_by(day) {
                tell(Use { number: -1 - row, amount: cash_like.each, is_cash_like: true });
            }
        }
        if self.total > 0 {
            for index in self.count_by(day - 1)..self.count_by(day) {
                let amount = self.sum(index + 1) - self.sum(index);
                tell(Use { number: index, amount, is_cash_like: false });
            }
        }
    }
}

/// What a month's ordinary purchases come to, in minor units, `most` at most.
fn ordinary(held: &Held, until: i32, most: i64, draws: &mut Draws) -> i64 {
    let usual = i64::from(held.line.usual) * draws.between(60, 140) / 100;
    let hunger = draws.between(20, 100);
    let mut total = usual.min(most);
    for trouble in held.troubles {
        if trouble.shows_on(until) {
            // Limits get used up.
            total = total.max(total + (most - total) * hunger / 100);
        } else if trouble.leaves_unpaid(until) {
            total = total * 3 / 10;
        }
    }
    total
}

impl CashLike {
    fn of(held: &Held, after: i32, limit: i64, draws: &mut Draws) -> Option<CashLike> {
        let account = held.account;
        if !account.buys_cash_like || held.line.product != Product::Huabei {
            return None;
        }
        // After the bill of the month before has been paid.
        let first_on = after + BILLED_BEFORE + draws.day(1, 9);
        if held.troubles.iter().any(|trouble| trouble.leaves_unpaid(first_on)) {
            return None;
        }
        if account.nature == Nature::CashOut {
            if !(account.turn_on..account.turn_off).contains(&first_on) {
                return None;
            }
            let (days, rows) = (draws.between(1, 3), draws.between(4, 11));
            let each = limit * draws.between(62, 92) / 100 / rows / LIMIT_STEP * LIMIT_STEP;
            return Some(CashLike { first_on, days, rows, each: each.max(LIMIT_STEP) });
        }
        if !draws.chance(220) {
            return None;
        }
        let rows = draws.between(1, 3);
        let each = draws.pick(&[1, 1, 2, 2, 3, 5, 5, 10, 20, 30]) * LIMIT_STEP;
        let each = each.min(limit / 2 / rows / LIMIT_STEP * LIMIT_STEP);
        (each > 0).then_some(CashLike { first_on, days: draws.between(1, 5), rows, each })
    }

    fn rows_by(&self, day: i32) -> i64 {
        let passed = i64::from(day - self.first_on + 1).clamp(0, self.days);
        self.rows * passed / self.days
    }
}

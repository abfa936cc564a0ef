//! What is bought with a line, month by month, and so what is owed: a month's sum is drawn first
//! and shared out over its days, so that bills and balances need no day's purchases.

use super::account::{Customer, NEVER};
use super::calendar::{BILLED_BEFORE, CalendarDay, Cycle};
use super::history::Change;
use super::line::{CreditLine, LIMIT_STEP};
use super::nature::{Nature, SampleProduct};
use super::random::{Draws, Purpose, draws, word};
use super::trouble::Trouble;
use crate::input::lines::Status;

/// From this mean on prices are whole units, or ten hundredths less: 20.00.
const PLAIN_PRICES_FROM: i64 = 2000;

/// On a line of no more than this a few gift cards are a large part: 3,000.00.
const SMALL_LINE: i64 = 300_000;

/// So many days lie between two bursts of a cash-out: about one a bill.
const BURST_APART_DAYS: i32 = 30;

/// A line with whom it belongs to.
#[derive(Clone, Copy)]
pub struct HeldLine<'a> {
    pub account: &'a Customer,
    pub line: &'a CreditLine,
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

impl HeldLine<'_> {
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
    pub fn uses(&self, day: &CalendarDay, tell: &mut impl FnMut(Use)) {
        let month = Month::of(self, day.cycle(self.line.due_day));
        // Most days have none: the sums are drawn only for those that have.
        if let Some(month) = month.filter(|month| month.may_have(day.number))
            && self.status(day.number) == Some(Status::Active)
        {
            month.sums(self).on(day.number, tell);
        }
    }

    /// What is bought in the days of that month's bill up to the day `by`, in minor units.
    fn spent(&self, cycle: &Cycle, by: i32) -> i64 {
        let Some(month) = Month::of(self, cycle) else {
            return 0;
        };
        let sums = month.sums(self);
        // While the line rests nothing is bought with it.
        let mut spent = 0;
        let mut from = None;
        for change in self.changes.iter().take_while(|change| change.on <= by) {
            match (from, change.status == Status::Active) {
                (None, true) => from = Some(change.on),
                (Some(opened_on), false) => {
                    spent += sums.by(change.on - 1) - sums.by(opened_on - 1);
                    from = None;
                }
                _ => {}
            }
        }
        if let Some(opened_on) = from {
            spent += sums.by(by) - sums.by(opened_on - 1);
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

/// The days of one bill and how many purchases lie where in them, as if the line were open on all.
struct Month {
    key: u64,
    /// The last day before.
    after: i32,
    until: i32,
    /// 0 where there is none but of what can be sold again.
    count: i32,
    may_have_cash_like: bool,
}

/// The same with what they come to.
struct Sums {
    month: Month,
    /// Minor units.
    total: i64,
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
    fn of(held: &HeldLine, cycle: &Cycle) -> Option<Month> {
        let line = held.line;
        let (after, until) = (held.billed_after(cycle), held.billed_on(cycle));
        if until > line.rest_on || until < line.opened_on {
            return None;
        }
        let may_have_cash_like = held.account.buys_cash_like && line.product == SampleProduct::Huabei;
        let key = word(held.account.key, Purpose::Usage, held.place(cycle.month));
        // One word for all: this is asked of every line every day.
        let share = |bits: u64, of: i32| ((key >> bits & 0xFFFF) as i32 * of) >> 16;
        let is_active = share(0, 1000) < line.active_per_mille.into();
        if !is_active && !may_have_cash_like {
            return None;
        }
        let count = if !is_active {
            0
        } else if line.product == SampleProduct::Jiebei {
            1
        } else {
            1 + (i32::from(line.uses_in_16_months) * (8 + share(16, 17)) / 16 + share(32, 25)) / 16
        };
        Some(Month { key, after, until, count, may_have_cash_like })
    }

    fn days(&self) -> i32 {
        self.until - self.after
    }

    /// Where the `index`-th purchase lies within its part of the month, and what of its part of the
    /// sum is spent before it: in 256ths.
    fn shift(&self, index: i32) -> (i32, i32) {
        let word = word(self.key, Purpose::Usage, 1 + index as u64);
        ((word & 255) as i32, (word >> 8 & 255) as i32)
    }

    /// How many purchases are made up to `day`.
    fn count_by(&self, day: i32) -> i32 {
        let place = (day - self.after).clamp(0, self.days());
        let index = place * self.count / self.days();
        if index == self.count {
            return index;
        }
        let is_made = (index * 256 + self.shift(index).0) * self.days() < place * self.count * 256;
        index + i32::from(is_made)
    }

    fn may_have(&self, day: i32) -> bool {
        self.may_have_cash_like || self.count_by(day - 1) < self.count_by(day)
    }

    fn sums(self, held: &HeldLine) -> Sums {
        let line = held.line;
        let mut draws = draws(self.key, Purpose::Usage, u64::from(u32::MAX));
        let limit = limit_on(held.changes, self.until);
        // So much a month, and what is owed at its highest comes just to the limit.
        let most = limit * 100 / (50 * i64::from(line.instalments) + 88);
        let cash_like =
            if self.may_have_cash_like { CashLike::of(held, self.after, limit, &mut draws) } else { None };
        let total = if self.count > 0 { ordinary(held, self.until, most, &mut draws) } else { 0 };
        let total = match &cash_like {
            Some(cash_like) => total.min(most - cash_like.each * cash_like.rows).max(0),
            None if line.product == SampleProduct::Jiebei => total / LIMIT_STEP * LIMIT_STEP,
            None => total,
        };
        Sums { month: self, total, cash_like }
    }
}

/// The limit on that day, in minor units; what it was before where the line is closed, and what it
/// opens with before that.
fn limit_on(changes: &[Change], day: i32) -> i64 {
    let known = changes.iter().take_while(|change| change.on <= day).chain(&changes[..1]);
    known.map(Change::limit).filter(|&limit| limit > 0).last().unwrap_or(0)
}

impl Sums {
    /// What the first `count` purchases come to, in minor units.
    fn first(&self, count: i32) -> i64 {
        let (all, total) = (i64::from(self.month.count), self.total);
        if count == 0 || count == self.month.count {
            return if count == 0 { 0 } else { total };
        }
        // Between two sums lies at least a quarter of the mean.
        let (_, shift) = self.month.shift(count);
        let sum = total * i64::from(count * 256 + (shift - 128) * 3 / 4) / (all * 256);
        if total < PLAIN_PRICES_FROM * all {
            return sum;
        }
        let whole = sum / 100 * 100;
        if shift & 1 == 1 { whole } else { whole - 10 }
    }

    /// What is bought up to `day`, in minor units.
    fn by(&self, day: i32) -> i64 {
        let cash_like = self.cash_like.as_ref().map_or(0, |it| it.each * it.rows_by(day));
        cash_like + self.first(self.month.count_by(day))
    }

    fn on(&self, day: i32, tell: &mut impl FnMut(Use)) {
        if let Some(cash_like) = &self.cash_like {
            for row in cash_like.rows_by(day - 1)..cash_like.rows_by(day) {
                tell(Use { number: -1 - row, amount: cash_like.each, is_cash_like: true });
            }
        }
        for index in self.month.count_by(day - 1)..self.month.count_by(day) {
            let amount = self.first(index + 1) - self.first(index);
            if amount > 0 {
                tell(Use { number: index.into(), amount, is_cash_like: false });
            }
        }
    }
}

/// What a month's ordinary purchases come to, in minor units, `most` at most.
fn ordinary(held: &HeldLine, until: i32, most: i64, draws: &mut Draws) -> i64 {
    let usual = i64::from(held.line.usual) * draws.between(60, 140) / 100;
    let hunger = draws.between(40, 100);
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
    fn of(held: &HeldLine, after: i32, limit: i64, draws: &mut Draws) -> Option<CashLike> {
        let account = held.account;
        if account.nature == Nature::CashOut {
            // From the first on again and again, until the lines are stopped or it ends by itself.
            let part = (after + 1 - account.turn_on).rem_euclid(BURST_APART_DAYS);
            let first_on = after + 1 + (BURST_APART_DAYS - part) % BURST_APART_DAYS;
            let is_over = !(account.turn_on..account.turn_off).contains(&first_on);
            if is_over || held.troubles.iter().any(|trouble| trouble.leaves_unpaid(first_on)) {
                return None;
            }
            let (days, rows) = (draws.between(1, 3), draws.between(4, 11));
            let each = limit * draws.between(84, 92) / 100 / rows / LIMIT_STEP * LIMIT_STEP;
            return Some(CashLike { first_on, days, rows, each: each.max(LIMIT_STEP) });
        }
        // After the bill of the month before has been paid.
        let first_on = after + BILLED_BEFORE + draws.day(1, 9);
        if held.troubles.iter().any(|trouble| trouble.leaves_unpaid(first_on)) {
            return None;
        }
        if !draws.chance(220) {
            return None;
        }
        let rows = draws.between(1, 3);
        let each = draws.pick(&[1, 1, 2, 2, 3, 5, 5, 10, 20, 30]) * LIMIT_STEP;
        // A large part of the limit only where the limit is small.
        let most = if limit <= SMALL_LINE { limit / 2 } else { limit * 15 / 100 };
        let each = each.min(most / rows / LIMIT_STEP * LIMIT_STEP);
        (each > 0).then_some(CashLike { first_on, days: draws.between(1, 5), rows, each })
    }

    fn rows_by(&self, day: i32) -> i64 {
        let passed = i64::from(day - self.first_on + 1).clamp(0, self.days);
        self.rows * passed / self.days
    }
}

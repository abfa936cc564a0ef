//! The transactions of an account on a day: income, ordinary spending, bursts of cash-out.

use super::book::{Account, LIMIT_STEP, Line, NEVER};
use super::calendar::{Calendar, DAYS_BEFORE, Day, ORDINARY_BUSY};
use super::category::{CASH_LIKE, Category};
use super::columns::TransactionRow;
use super::nature::{Nature, Product};
use super::random::{Draws, Purpose, draws};
use crate::input::lines::Status;

/// Rows of one account on one day: an id has room for that many.
const SEQUENCES: u64 = 1 << 10;

/// The sequences before this one are for income and bursts.
const FIRST_ORDINARY: u64 = 16;

/// How uneven days are: rows of a day in quarters of the account's rate. They add up to 16 days,
/// so that the rate is the mean; six days in sixteen are empty.
const UNEVEN: [u64; 16] = [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 5, 6, 8, 11, 20];

/// How far back a refund looks for what it refunds, in days.
const REFUND_DAYS: i32 = 12;

/// How late a row is delivered at most, in days.
pub const MAX_LAG: i32 = 3;

const _: () = assert!(REFUND_DAYS + MAX_LAG <= DAYS_BEFORE);

/// The part of the pay-later limit that a burst takes, in per cent.
const BURST_PERCENT: i64 = 93;

/// An account and what its transactions are told from.
pub struct Spender<'a> {
    pub account: &'a Account,
    pub lines: &'a [Line],
    pub calendar: &'a Calendar,
}

impl Spender<'_> {
    /// Tells every transaction that is posted on `day`, in order of transaction id.
    pub fn transactions(&self, day: &Day, tell: &mut impl FnMut(TransactionRow)) {
        if let Some(row) = self.income(day) {
            tell(row);
        }
        if self.account.nature == Nature::CashOut {
            self.burst(day, tell);
        }
        for sequence in 0..self.ordinary_rows(day) {
            tell(self.ordinary(day, FIRST_ORDINARY + sequence));
        }
    }

    fn row(&self, day: &Day, sequence: u64, kind: &'static str, amount: i64) -> TransactionRow {
        let account = self.account;
        TransactionRow {
            // Unique and rising with (day, account, sequence): 2^32 accounts, 2^10 rows a day.
            transaction_id: i64::from(day.number) << 42 | i64::from(account.index) << 10 | sequence as i64,
            account_id: Some(account.id),
            posted_on: Some(day.number),
            product: None,
            kind,
            category: None,
            merchant_id: None,
            amount: Some(amount),
            online: true,
        }
    }

    /// The month's salary, or for the self-employed a transfer of uneven size.
    fn income(&self, day: &Day) -> Option<TransactionRow> {
        let account = self.account;
        if !day.pays(account.pay_day) || day.number < account.joined_on {
            return None;
        }
        let mut draws = draws(account.key, Purpose::Income, day.month.into());
        // Three in five of those who buy nothing any more have their salary paid elsewhere, too.
        if self.is_quiet(day) && account.key % 5 < 3 {
            return None;
        }
        let salary = self.salary(day);
        Some(if account.freelance {
            let amount = salary * draws.between(40, 160) / 100;
            self.row(day, 0, "transfer_in", amount.max(1))
        } else {
            let amount = salary * draws.between(985, 1015) / 1000 / 100 * 100;
            self.row(day, 0, "salary", amount)
        })
    }

    /// The salary of that day: rising to the last day's for the growing, level for the others.
    fn salary(&self, day: &Day) -> i64 {
        let months_ago = i64::from(self.months_to_last(day));
        match self.account.nature {
            Nature::Growing => self.account.salary * (1000 - 35 * months_ago.min(14)) / 1000,
            _ => self.account.salary,
        }
    }

    fn months_to_last(&self, day: &Day) -> u32 {
        let last = self.calendar.deliveries().last();
        last.map_or(0, |last| last.month - day.month)
    }

    /// True where the account is dormant on that day.
    fn is_quiet(&self, day: &Day) -> bool {
        self.account.nature == Nature::Dormant && day.number >= self.account.turn_on
    }

    /// Rows of the day besides income and bursts.
    fn ordinary_rows(&self, day: &Day) -> u64 {
        let account = self.account;
        if day.number < account.joined_on || self.is_quiet(day) {
            return 0;
        }
        let mut draws = draws(account.key, Purpose::Row, at(day, 0));
        let word = draws.word();
        let uneven = UNEVEN[(word & 15) as usize];
        // Whoever has stopped paying buys half as much.
        let slump = u64::from(account.nature == Nature::Late && day.number >= account.turn_on);
        let mean = (u64::from(account.rate) * day.busy * uneven / (4 * ORDINARY_BUSY)) >> slump;
        let rounded_up = u64::from((word >> 32) & 0xFFFF < mean & 0xFFFF);
        ((mean >> 16) + rounded_up).min(SEQUENCES - FIRST_ORDINARY)
    }

    fn ordinary(&self, day: &Day, sequence: u64) -> TransactionRow {
        let mut draws = draws(self.account.key, Purpose::Row, at(day, sequence));
        let mix = &self.account.nature.profile().mix;
        let mut left = draws.below(1000);
        let mut is_next = |share: u64| {
            let is_this = left < share;
            left = left.wrapping_sub(share);
            is_this
        };
        if is_next(mix.refund) {
            let refund = self.refund(day, sequence);
            return refund.unwrap_or_else(|| self.purchase(day, sequence, &mut draws));
        }
        if is_next(mix.transfer_in) {
            let amount = draws.skewed(20, 3000) * 100;
            return self.row(day, sequence, "transfer_in", amount);
        }
        if is_next(mix.transfer_out) {
            let amount = draws.skewed(20, 4000) * 100;
            return self.row(day, sequence, "transfer_out", amount);
        }
        if is_next(mix.withdrawal) {
            return self.withdrawal(day, sequence, &mut draws);
        }
        if is_next(mix.cash_advance) {
            return self.cash_advance(day, sequence, &mut draws);
        }
        if is_next(mix.fee) {
            return self.fee(day, sequence, &mut draws);
        }
        self.purchase(day, sequence, &mut draws)
    }

    fn purchase(&self, day: &Day, sequence: u64, draws: &mut Draws) -> TransactionRow {
        let category = Category::draw(draws);
        let amount = category.price_minor(self.account.salary, draws);
        TransactionRow {
            product: self.paid_with(day, draws).map(Product::name),
            category: Some(category.name),
            merchant_id: Some(category.merchant_id(self.account.key, draws)),
            online: category.is_online(draws),
            ..self.row(day, sequence, "purchase", amount)
        }
    }

    /// The latest day's first purchase of those before, taken back.
    fn refund(&self, day: &Day, sequence: u64) -> Option<TransactionRow> {
        let days = (1..=REFUND_DAYS).map(|before| self.calendar.earlier(day, before));
        let bought_on = days.into_iter().find(|earlier| self.ordinary_rows(earlier) > 0)?;
        let mut draws = draws(self.account.key, Purpose::Row, at(bought_on, FIRST_ORDINARY));
        let mix = &self.account.nature.profile().mix;
        if draws.below(1000) < mix.not_purchases() {
            return None;
        }
        let bought = self.purchase(bought_on, FIRST_ORDINARY, &mut draws);
        Some(TransactionRow {
            product: bought.product,
            category: bought.category,
            merchant_id: bought.merchant_id,
            online: bought.online,
            ..self.row(day, sequence, "refund", -bought.amount?)
        })
    }

    fn withdrawal(&self, day: &Day, sequence: u64, draws: &mut Draws) -> TransactionRow {
        let amount = draws.skewed(1, 50) * 10_000;
        TransactionRow { online: false, ..self.row(day, sequence, "withdrawal", amount) }
    }

    /// Cash from the cash loan; from the own balance where there is none.
    fn cash_advance(&self, day: &Day, sequence: u64, draws: &mut Draws) -> TransactionRow {
        let Some(loan) = self.usable(Product::Jiebei, day) else {
            return self.withdrawal(day, sequence, draws);
        };
        let part = loan.limit * draws.between(3, 20) / 100;
        let amount = (part / LIMIT_STEP).max(1) * LIMIT_STEP;
        TransactionRow {
            product: Some(loan.product.name()),
            ..self.row(day, sequence, "cash_advance", amount)
        }
    }

    fn fee(&self, day: &Day, sequence: u64, draws: &mut Draws) -> TransactionRow {
        let amount = draws.between(5, 80) * 50;
        TransactionRow {
            product: self.paid_with(day, draws).map(Product::name),
            ..self.row(day, sequence, "fee", amount)
        }
    }

    fn usable(&self, product: Product, day: &Day) -> Option<&Line> {
        let line = self.lines.iter().find(|line| line.product == product)?;
        let before_trouble = line.status == Status::Suspended
            && self.account.turn_on != NEVER
            && day.number < self.account.turn_on;
        let is_open = line.opened_on <= day.number;
        (is_open && (line.status == Status::Active || before_trouble)).then_some(line)
    }

    /// The line that a purchase is paid with; none: own money.
    fn paid_with(&self, day: &Day, draws: &mut Draws) -> Option<Product> {
        let (huabei, fenfu) = (draws.chance(550), draws.chance(350));
        let first = huabei.then(|| self.usable(Product::Huabei, day)).flatten();
        let line = first.or_else(|| fenfu.then(|| self.usable(Product::Fenfu, day)).flatten());
        line.map(|line| line.product)
    }

    /// Two or three days a month that take most of the pay-later limit in round amounts.
    fn burst(&self, day: &Day, tell: &mut impl FnMut(TransactionRow)) {
        let Some(line) = self.usable(Product::Huabei, day) else {
            return;
        };
        let mut month = draws(self.account.key, Purpose::Burst, day.month.into());
        let first = month.between(1, 26);
        let (days, rows) = (month.between(2, 3), month.between(2, 4));
        if day.number < self.account.turn_on || !(first..first + days).contains(&day.day_of_month()) {
            return;
        }
        let part = line.limit * BURST_PERCENT / 100 / (days * rows);
        for sequence in 1..=rows as u64 {
            let mut draws = draws(self.account.key, Purpose::Burst, at(day, sequence));
            let category = draws.pick(&CASH_LIKE);
            let amount = part * draws.between(90, 104) / 100 / LIMIT_STEP * LIMIT_STEP;
            tell(TransactionRow {
                product: Some(line.product.name()),
                category: Some(category.name),
                merchant_id: Some(category.merchant_id(self.account.key, &mut draws)),
                online: category.is_online(&mut draws),
                ..self.row(day, sequence, "purchase", amount.max(LIMIT_STEP))
            });
        }
    }
}

/// The place of a row's numbers: from 1971 on above every month's number, so that a burst's month
/// and its rows do not share theirs.
fn at(day: &Day, sequence: u64) -> u64 {
    u64::from(day.number as u32) << 10 | sequence
}

//! The transactions of an account on a day: income, what is bought with credit, ordinary spending.

use super::account::Customer;
use super::book::Book;
use super::calendar::{Calendar, CalendarDay, DAYS_BEFORE, ORDINARY_BUSY};
use super::category::{CASH_LIKE, Category};
use super::columns::TransactionRow;
use super::credit::{HeldLine, Use};
use super::nature::{Nature, SampleProduct};
use super::random::{Draws, Purpose, draws};

/// Rows of one account on one day: an id has room for that many.
const SEQUENCES: u64 = 1 << 10;

/// So many of them are left to income and to what is bought with credit.
const NOT_ORDINARY: u64 = 128;

/// How uneven days are: rows of a day in quarters of the account's rate. They add up to 16 days,
/// so that the rate is the mean; six days in sixteen are empty.
const UNEVEN: [u64; 16] = [0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 5, 6, 8, 11, 20];

/// How far back a refund looks for what it refunds, in days.
const REFUND_DAYS: i32 = 12;

/// How late a row is delivered at most, in days.
pub const MAX_LAG: i32 = 3;

const _: () = assert!(REFUND_DAYS + MAX_LAG <= DAYS_BEFORE);

/// An account and what its transactions follow from.
pub struct Spender<'a> {
    pub account: &'a Customer,
    pub book: &'a Book,
    pub calendar: &'a Calendar,
}

impl Spender<'_> {
    /// Calls `each` with every transaction that is posted on `day`, in order of transaction id.
    pub fn transactions(&self, day: &CalendarDay, each: &mut impl FnMut(TransactionRow)) {
        // Unique and rising with (day, account, number): 2^32 accounts, 2^10 rows a day.
        let mut transaction_id = i64::from(day.number) << 42 | i64::from(self.account.index) << 10;
        if let Some(row) = self.income(day) {
            each(TransactionRow { transaction_id, ..row });
            transaction_id += 1;
        }
        for held in self.book.lines(self.account) {
            held.uses(day, &mut |used| {
                each(TransactionRow { transaction_id, ..self.on_credit(day, &held, &used) });
                transaction_id += 1;
            });
        }
        for sequence in 0..self.ordinary_rows(day) {
            each(TransactionRow { transaction_id, ..self.ordinary(day, sequence) });
            transaction_id += 1;
        }
    }

    fn row(&self, day: &CalendarDay, kind: &'static str, amount: i64) -> TransactionRow {
        TransactionRow {
            transaction_id: 0,
            account_id: Some(self.account.id),
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
    fn income(&self, day: &CalendarDay) -> Option<TransactionRow> {
        let account = self.account;
        if !day.pays(account.pay_day) || day.number < account.joined_on {
            return None;
        }
        let mut draws = draws(account.key, Purpose::Income, day.month.into());
        // Three in five of those who buy nothing any more have their salary paid elsewhere, too.
        let is_elsewhere = account.nature == Nature::Elsewhere || self.is_quiet(day) && account.key % 5 < 3;
        let salary = self.salary(day);
        if is_elsewhere || salary == 0 {
            return None;
        }
        Some(if account.freelance {
            let amount = salary * draws.between(40, 160) / 100;
            self.row(day, "transfer_in", amount.max(1))
        } else {
            let amount = salary * draws.between(985, 1015) / 1000 / 100 * 100;
            self.row(day, "salary", amount)
        })
    }

    /// The salary of that day: rising to the last day's for the growing, level for the others, and
    /// less in some troubles.
    fn salary(&self, day: &CalendarDay) -> i64 {
        let months_ago = i64::from(self.months_to_last(day));
        let salary = match self.account.nature {
            Nature::Growing => self.account.salary * (1000 - 35 * months_ago.min(14)) / 1000,
            _ => self.account.salary,
        };
        let troubles = self.book.troubles(self.account).iter();
        let left = troubles.map(|trouble| trouble.income_percent(day.number)).min();
        salary * left.unwrap_or(100) / 100
    }

    fn months_to_last(&self, day: &CalendarDay) -> u32 {
        let last = self.calendar.deliveries().last();
        last.map_or(0, |last| last.month - day.month)
    }

    /// True where the account is dormant on that day.
    fn is_quiet(&self, day: &CalendarDay) -> bool {
        self.account.nature == Nature::Dormant && day.number >= self.account.turn_on
    }

    /// Rows of the day that are neither income nor paid with credit.
    fn ordinary_rows(&self, day: &CalendarDay) -> u64 {
        let account = self.account;
        if day.number < account.joined_on || self.is_quiet(day) {
            return 0;
        }
        let mut draws = draws(account.key, Purpose::Row, at(day, 0));
        let word = draws.word();
        let uneven = UNEVEN[(word & 15) as usize];
        // Whoever has stopped paying buys half as much.
        let slump = u64::from(self.book.troubles(account).iter().any(|it| it.leaves_unpaid(day.number)));
        let mean = (u64::from(account.rate) * day.busy * uneven / (4 * ORDINARY_BUSY)) >> slump;
        let rounded_up = u64::from((word >> 32) & 0xFFFF < mean & 0xFFFF);
        ((mean >> 16) + rounded_up).min(SEQUENCES - NOT_ORDINARY)
    }

    fn ordinary(&self, day: &CalendarDay, sequence: u64) -> TransactionRow {
        let mut draws = draws(self.account.key, Purpose::Row, at(day, sequence));
        let mix = &self.account.nature.profile().mix;
        let mut left = draws.below(1000);
        let mut is_next = |share: u64| {
            let is_this = left < share;
            left = left.wrapping_sub(share);
            is_this
        };
        if is_next(mix.refund) {
            return self.refund(day).unwrap_or_else(|| self.purchase(day, &mut draws));
        }
        if is_next(mix.transfer_in) {
            let amount = draws.skewed(20, 3000) * 100;
            return self.row(day, "transfer_in", amount);
        }
        if is_next(mix.transfer_out) {
            let amount = draws.skewed(20, 4000) * 100;
            return self.row(day, "transfer_out", amount);
        }
        if is_next(mix.withdrawal) {
            return self.withdrawal(day, &mut draws);
        }
        if is_next(mix.fee) {
            let amount = draws.between(5, 80) * 50;
            return self.row(day, "fee", amount);
        }
        self.purchase(day, &mut draws)
    }

    /// A purchase out of the own pocket.
    fn purchase(&self, day: &CalendarDay, draws: &mut Draws) -> TransactionRow {
        let category = Category::draw(draws);
        let amount = category.price_minor(self.account.salary, draws);
        self.bought(self.row(day, "purchase", amount), category, draws)
    }

    fn bought(&self, row: TransactionRow, category: &Category, draws: &mut Draws) -> TransactionRow {
        TransactionRow {
            category: Some(category.name),
            merchant_id: Some(category.merchant_id(self.account.key, draws)),
            online: category.is_online(draws),
            ..row
        }
    }

    /// The latest day's first purchase of those before, taken back.
    fn refund(&self, day: &CalendarDay) -> Option<TransactionRow> {
        let days = (1..=REFUND_DAYS).map(|before| self.calendar.earlier(day, before));
        let bought_on = days.into_iter().find(|earlier| self.ordinary_rows(earlier) > 0)?;
        let mut draws = draws(self.account.key, Purpose::Row, at(bought_on, 0));
        let mix = &self.account.nature.profile().mix;
        if draws.below(1000) < mix.not_purchases() {
            return None;
        }
        let bought = self.purchase(bought_on, &mut draws);
        Some(TransactionRow {
            category: bought.category,
            merchant_id: bought.merchant_id,
            online: bought.online,
            ..self.row(day, "refund", -bought.amount?)
        })
    }

    fn withdrawal(&self, day: &CalendarDay, draws: &mut Draws) -> TransactionRow {
        let amount = draws.skewed(1, 50) * 10_000;
        TransactionRow { online: false, ..self.row(day, "withdrawal", amount) }
    }

    /// A purchase, or cash, on a line.
    fn on_credit(&self, day: &CalendarDay, held: &HeldLine, used: &Use) -> TransactionRow {
        let product = Some(held.line.product.name());
        if held.line.product == SampleProduct::Jiebei {
            return TransactionRow { product, ..self.row(day, "cash_advance", used.amount) };
        }
        let place = (used.number as u64 & 0xFFFF) << 18 | held.place(0) | 1 << 40;
        let mut draws = draws(self.account.key ^ u64::from(day.month) << 48, Purpose::Usage, place);
        let category = if used.is_cash_like {
            draws.pick(&CASH_LIKE)
        } else {
            Category::for_amount(used.amount, &mut draws)
        };
        let row = TransactionRow { product, ..self.row(day, "purchase", used.amount) };
        self.bought(row, category, &mut draws)
    }
}

/// The place of the numbers of a day's `sequence`-th ordinary row; the day's own where it is none.
fn at(day: &CalendarDay, sequence: u64) -> u64 {
    u64::from(day.number as u32) << 10 | sequence
}

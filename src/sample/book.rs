//! The book: every account with its nature, income and lines, as they stand on the last day.

use super::calendar::Cycle;
use super::nature::{Nature, PROFILES, Product};
use super::random::{Draws, Purpose, draws, key};
use crate::input::lines::Status;

/// Account ids start here, like a wallet's.
const FIRST_ACCOUNT_ID: i64 = 2088_0000_0000_0000;

/// Account ids are this far apart on average: ids of customers elsewhere lie between.
const ACCOUNT_ID_GAP: u64 = 97;

/// Monthly salaries in minor units: 3,000.00 to 40,000.00, most of them small.
const SALARIES: [i64; 17] = [
    300_000, 340_000, 380_000, 420_000, 460_000, 500_000, 550_000, 600_000, 660_000, 740_000, 840_000,
    960_000, 1_120_000, 1_350_000, 1_700_000, 2_400_000, 4_000_000,
];

/// The income of the heaviest users is at least this, in minor units: shops, not households.
const HEAVY_SALARY: i64 = 1_500_000;

/// Salaries come around the 10th, the 15th and the 25th; none after the 28th, which every month has.
const PAY_DAYS: [u8; 16] = [10, 10, 10, 10, 9, 11, 15, 15, 15, 15, 14, 25, 25, 25, 5, 28];

/// Ordinary rows of an account in 1000 days: a long tail with few, a few with many.
const ROWS_IN_1000_DAYS: [i64; 17] =
    [3, 8, 13, 20, 28, 38, 52, 68, 88, 115, 152, 200, 275, 390, 590, 1000, 2100];

/// Limits are multiples of this (100.00).
pub const LIMIT_STEP: i64 = 10_000;

/// What one person may be lent over all lines: 200,000.00, the regulator's bound.
const MAX_TOTAL_LIMIT: i64 = 20_000_000;

/// What a cash loan leaves of it for the lines after it: their largest limits.
const FURTHER_LIMITS: i64 = 2_000_000;

/// The least pay-later limit of a cash-out account: below it a burst is no burst.
const CASH_OUT_LIMIT: i64 = 300_000;

/// How long before the last day a late account stopped paying, in days.
const LATE_DAYS: [i64; 9] = [12, 25, 40, 52, 65, 80, 100, 125, 165];

/// A customer.
pub struct Account {
    /// Its randomness.
    pub key: u64,
    /// Its place in the book.
    pub index: u32,
    pub id: i64,
    pub nature: Nature,
    /// Monthly, in minor units, as of the last day.
    pub salary: i64,
    /// The day of the month on which the salary is due.
    pub pay_day: u8,
    /// The income comes as transfers of uneven size, not as a salary.
    pub freelance: bool,
    /// Ordinary rows a day, in 65,536ths.
    pub rate: u32,
    /// The first day with any row.
    pub joined_on: i32,
    /// Late and recovering: bills due from here on are not paid in time. Cash-out: bursts from
    /// here on. Dormant: the first quiet day. Else never.
    pub turn_on: i32,
    /// Recovering: all bills are caught up with by this day. Else never.
    pub eased_on: i32,
    first_line: u32,
    line_count: u8,
}

/// A credit line of an account.
#[derive(Clone, Copy)]
pub struct Line {
    pub product: Product,
    pub status: Status,
    /// In minor units, as of the last day; what it was before where the line is closed.
    pub limit: i64,
    /// How much of the limit is usually in use, in basis points.
    pub use_bp: u16,
    pub opened_on: i32,
    /// The day of the month on which bills fall due, 1 to 28.
    pub due_day: u8,
}

impl Line {
    /// The day on which the line's bill of that month is due.
    pub fn due_on(&self, cycle: &Cycle) -> i32 {
        cycle.first + i32::from(self.due_day) - 1
    }
}

/// A day that does not come.
pub const NEVER: i32 = i32::MAX;

/// All accounts and lines.
pub struct Book {
    pub accounts: Vec<Account>,
    lines: Vec<Line>,
}

impl Book {
    /// The book of `accounts` customers as it stands on day `to`.
    pub fn new(seed: u64, accounts: u32, to: i32) -> Book {
        let mut book = Book {
            accounts: Vec::with_capacity(accounts as usize),
            lines: Vec::with_capacity(accounts as usize * 2),
        };
        for index in 0..accounts {
            let key = key(seed, u64::from(index));
            let mut account = account(key, index, to);
            account.first_line = book.lines.len() as u32;
            open_lines(&account, to, &mut book.lines);
            account.line_count = (book.lines.len() as u32 - account.first_line) as u8;
            book.accounts.push(account);
        }
        book
    }

    /// The lines of an account.
    pub fn lines(&self, account: &Account) -> &[Line] {
        let first = account.first_line as usize;
        &self.lines[first..first + usize::from(account.line_count)]
    }
}

fn account(key: u64, index: u32, to: i32) -> Account {
    let mut draws = draws(key, Purpose::Traits, 0);
    let nature = nature(&mut draws);
    let gap = draws.below(ACCOUNT_ID_GAP);
    let rate = rate(&mut draws);
    let (turn_on, eased_on) = turns(nature, &mut draws, to);
    let joined_on = match nature {
        Nature::New if draws.chance(500) => to - 70,
        _ => to - draws.day(400, 3000),
    };
    Account {
        key,
        index,
        id: FIRST_ACCOUNT_ID + (u64::from(index) * ACCOUNT_ID_GAP + gap) as i64,
        nature,
        salary: salary(nature, rate, &mut draws),
        pay_day: draws.pick(&PAY_DAYS),
        freelance: draws.chance(120),
        rate,
        joined_on,
        turn_on,
        eased_on,
        first_line: 0,
        line_count: 0,
    }
}

fn nature(draws: &mut Draws) -> Nature {
    let mut left = draws.below(1000);
    for profile in &PROFILES {
        if left < profile.share {
            return profile.nature;
        }
        left -= profile.share;
    }
    unreachable!("the shares of the natures add up to 1000")
}

/// Ordinary rows a day, in 65,536ths.
fn rate(draws: &mut Draws) -> u32 {
    let in_1000_days = match draws.below(10_000) {
        0 => draws.skewed(40_000, 150_000),
        1..40 => draws.skewed(3000, 15_000),
        _ => draws.along(&ROWS_IN_1000_DAYS),
    };
    ((in_1000_days << 16) / 1000) as u32
}

fn salary(nature: Nature, rate: u32, draws: &mut Draws) -> i64 {
    let salary = match nature {
        Nature::Stretched => draws.between(300_000, 600_000),
        _ => draws.along(&SALARIES),
    };
    let heavy = rate > 3 << 16;
    salary.max(if heavy { HEAVY_SALARY } else { 0 }) / 10_000 * 10_000
}

/// The days on which the nature shows and on which trouble ends.
fn turns(nature: Nature, draws: &mut Draws, to: i32) -> (i32, i32) {
    match nature {
        // The others are late by habit: every bill is paid, none in time.
        Nature::Late if draws.chance(750) => (to - draws.along(&LATE_DAYS) as i32, NEVER),
        Nature::CashOut => (to - draws.day(35, 130), NEVER),
        Nature::Dormant => (to - draws.day(95, 300), NEVER),
        Nature::Recovering => (to - draws.day(75, 120), to - draws.day(6, 28)),
        _ => (NEVER, NEVER),
    }
}

/// What sets an account's limits apart from those of its nature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Ordinary,
    /// One very low limit in good standing: to be raised to something of use.
    Starter,
    /// Three large limits, near the 200,000.00 that one person may be lent.
    Full,
    /// No line at all.
    None,
}

fn standing(account: &Account, draws: &mut Draws) -> Standing {
    let is_good = matches!(account.nature, Nature::Steady | Nature::Growing | Nature::New);
    match draws.below(1000) {
        0..15 => Standing::None,
        15..75 if is_good => Standing::Starter,
        75..95 if account.nature == Nature::Steady => Standing::Full,
        _ => Standing::Ordinary,
    }
}

fn open_lines(account: &Account, to: i32, lines: &mut Vec<Line>) {
    let mut draws = draws(account.key, Purpose::Limits, 0);
    let standing = standing(account, &mut draws);
    let first = lines.len();
    for (product, is_held) in products(account.nature, standing, &mut draws) {
        if is_held {
            let mut line = line(account, product, standing, to, &mut draws);
            if product == Product::Jiebei && standing != Standing::Full {
                let lent: i64 = lines[first..].iter().map(|line| line.limit).sum();
                line.limit = line.limit.min(MAX_TOTAL_LIMIT - lent - FURTHER_LIMITS);
            }
            lines.push(line);
        }
    }
    // An account keeps its first line: only a further one is closed in good standing.
    for line in lines.iter_mut().skip(first + 1) {
        if line.status == Status::Active && draws.chance(60) {
            line.status = Status::Closed;
        }
    }
}

fn products(nature: Nature, standing: Standing, draws: &mut Draws) -> [(Product, bool); 4] {
    let (huabei, jiebei, fenfu) = (draws.chance(800), draws.chance(400), draws.chance(330));
    let legacy = draws.chance(5) && standing != Standing::None;
    let (huabei, jiebei, fenfu) = match (standing, nature) {
        (Standing::None, _) => (false, false, false),
        (Standing::Starter, _) => (true, false, false),
        (Standing::Full, _) => (true, true, true),
        (_, Nature::Stretched) => (true, true, fenfu),
        (_, Nature::CashOut) => (true, jiebei, fenfu),
        (_, Nature::New) => (huabei, false, !huabei),
        _ => (huabei || !jiebei && !fenfu, jiebei, fenfu),
    };
    [(Product::Huabei, huabei), (Product::Jiebei, jiebei), (Product::Fenfu, fenfu), (Product::Legacy, legacy)]
}

fn line(account: &Account, product: Product, standing: Standing, to: i32, draws: &mut Draws) -> Line {
    let (use_low, use_high) = account.nature.profile().use_bp;
    let opened_on = match account.nature {
        Nature::New => to - draws.day(3, 60),
        Nature::Growing => to - draws.day(150, 900),
        _ => to - draws.skewed(330, 2900) as i32,
    };
    Line {
        product,
        status: status(account, to, draws),
        limit: limit(account, product, standing, draws),
        use_bp: draws.between(use_low, use_high) as u16,
        opened_on,
        due_day: draws.between(1, 28) as u8,
    }
}

/// In minor units.
fn limit(account: &Account, product: Product, standing: Standing, draws: &mut Draws) -> i64 {
    let (low, high) = product.limits_minor();
    let full = |thousands: i64| thousands * 100_000;
    let limit = match (standing, product) {
        (Standing::Starter, _) => low * draws.between(1, 2),
        (Standing::Full, Product::Huabei) => full(50),
        (Standing::Full, Product::Jiebei) => full(draws.between(128, 136)),
        (Standing::Full, _) => full(draws.between(4, 9)),
        (Standing::Ordinary | Standing::None, _) => {
            let tenths = account.nature.profile().limit_tenths * product.limit_tenths();
            account.salary * tenths / 100 * draws.between(50, 150) / 100
        }
    };
    let limit = match account.nature {
        Nature::CashOut if product == Product::Huabei => limit.max(CASH_OUT_LIMIT),
        _ => limit,
    };
    limit.clamp(low, high) / LIMIT_STEP * LIMIT_STEP
}

/// Lines of those who stopped paying are suspended or closed the more often, the longer ago it was.
fn status(account: &Account, to: i32, draws: &mut Draws) -> Status {
    let since_turn = to.saturating_sub(account.turn_on);
    let (suspended, closed) = match (account.nature, since_turn) {
        (Nature::Recovering, _) => (1000, 0),
        (Nature::Late, 120..) => (450, 250),
        (Nature::Late, 60..) => (400, 0),
        (Nature::Stretched, _) => (30, 0),
        _ => (4, 0),
    };
    match draws.below(1000) {
        part if part < suspended => Status::Suspended,
        part if part < suspended + closed => Status::Closed,
        _ => Status::Active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_holds_every_nature_product_and_status() {
        let book = Book::new(1, 5000, 20_000);
        for profile in &PROFILES {
            let count = book.accounts.iter().filter(|a| a.nature == profile.nature).count() as u64;
            assert!(count * 1000 > 5000 * profile.share * 7 / 10, "{:?}", profile.nature);
        }
        for product in [Product::Huabei, Product::Jiebei, Product::Fenfu, Product::Legacy] {
            assert!(book.lines.iter().any(|line| line.product == product));
        }
        for status in [Status::Active, Status::Suspended, Status::Closed] {
            assert!(book.lines.iter().any(|line| line.status == status));
        }
        let lines_per_1000 = book.lines.len() * 1000 / 5000;
        assert!((1450..1750).contains(&lines_per_1000), "{lines_per_1000}");
    }

    #[test]
    fn ids_are_unique_limits_are_sold_ones_and_nobody_is_lent_too_much() {
        let book = Book::new(2, 5000, 20_000);
        assert!(book.accounts.windows(2).all(|pair| pair[0].id < pair[1].id));
        let mut full = 0;
        for account in &book.accounts {
            let lines = book.lines(account);
            for line in lines {
                let (low, high) = line.product.limits_minor();
                assert!((low..=high).contains(&line.limit));
            }
            let total: i64 = lines.iter().map(|line| line.limit).sum();
            assert!(total <= MAX_TOTAL_LIMIT, "{total}");
            full += usize::from(total >= 18_000_000);
        }
        assert!(full > 10);
    }
}

//! Accounts: who they are, what they earn, how busy they are, and when their nature shows.

use super::nature::{Nature, PROFILES};
use super::random::{Draws, Purpose, draws};

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

/// Salaries come around the 10th, the 15th and the 25th, or a few days beside; none after the 28th, which every month has.
const PAY_DAYS: [u8; 18] = [10, 10, 10, 10, 9, 11, 15, 15, 15, 15, 14, 17, 18, 25, 25, 25, 5, 28];

/// No income is less: 2,500.00.
const LEAST_SALARY: i64 = 250_000;

/// Rows of an account in 1000 days: a long tail with few, a few with many.
const ROWS_IN_1000_DAYS: [i64; 17] =
    [3, 8, 13, 20, 28, 38, 52, 68, 88, 115, 152, 200, 275, 390, 590, 1000, 2100];

/// A customer.
pub struct Customer {
    /// Its randomness.
    pub key: u64,
    /// Its place in the book.
    pub index: u32,
    pub id: i64,
    pub nature: Nature,
    /// How little careful and how little lucky, in 1000ths: most are near 0.
    pub risk: u16,
    /// Monthly, in minor units, as of the last day.
    pub salary: i64,
    /// The day of the month on which the salary is due.
    pub pay_day: u8,
    /// The income comes as transfers of uneven size, not as a salary.
    pub freelance: bool,
    /// Now and then buys gift cards or gold on credit: honestly, or as a cash-out.
    pub buys_cash_like: bool,
    /// Rows a day that are not paid with credit, in 65,536ths.
    pub rate: u32,
    /// The first day with any row.
    pub joined_on: i32,
    /// Cash-out: bursts from here on. Dormant: the first quiet day. Else never.
    pub turn_on: i32,
    /// Cash-out: no burst from here on, even when the lines are opened again. Else never.
    pub turn_off: i32,
    /// The pay-later lines are stopped as a suspected cash-out on this day, and the suspicion is gone
    /// on the other; else never.
    pub stopped_on: i32,
    pub cleared_on: i32,
    pub(super) first_line: u32,
    pub(super) line_count: u8,
    pub(super) first_trouble: u32,
    pub(super) trouble_count: u8,
}

/// A day that does not come.
pub const NEVER: i32 = i32::MAX;

/// The `index`-th customer of a book that ends on day `to`.
pub fn account(key: u64, index: u32, to: i32) -> Customer {
    let mut draws = draws(key, Purpose::Traits, 0);
    let nature = nature(&mut draws);
    let profile = nature.profile();
    let gap = draws.below(ACCOUNT_ID_GAP);
    let risk = draws.skewed(0, 1000 - profile.risk as i64) + profile.risk as i64;
    let rate = rate(risk, &mut draws);
    let (turn_on, turn_off) = turns(nature, &mut draws, to);
    let buys_cash_like = nature == Nature::CashOut || draws.chance(45);
    let (stopped_on, cleared_on) = stop(nature, buys_cash_like, turn_on, to, &mut draws);
    Customer {
        key,
        index,
        id: FIRST_ACCOUNT_ID + (u64::from(index) * ACCOUNT_ID_GAP + gap) as i64,
        nature,
        risk: risk as u16,
        salary: salary(nature, risk, rate, &mut draws),
        pay_day: draws.pick(&PAY_DAYS),
        freelance: draws.chance(120),
        buys_cash_like,
        // About three in eight rows are paid with credit: those have their own count.
        rate: rate * 5 / 8,
        joined_on: first_line_on(key, nature, risk as u16, to)
            - if draws.chance(300) { 0 } else { draws.day(1, 1500) },
        turn_on,
        turn_off: turn_off.min(stopped_on),
        stopped_on,
        cleared_on,
        first_line: 0,
        line_count: 0,
        first_trouble: 0,
        trouble_count: 0,
    }
}

/// The day on which an account's first line is opened.
pub fn first_line_on(key: u64, nature: Nature, risk: u16, to: i32) -> i32 {
    let mut draws = draws(key, Purpose::Limits, 1);
    match nature {
        Nature::New => to - draws.day(1, 400),
        _ => to - draws.skewed(401, 3300 - 2 * i64::from(risk)) as i32,
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

/// Rows a day, in 65,536ths. Those at risk use the wallet somewhat less.
fn rate(risk: i64, draws: &mut Draws) -> u32 {
    let in_1000_days = match draws.below(10_000) {
        0 => draws.skewed(40_000, 150_000),
        1..40 => draws.skewed(3000, 15_000),
        _ => draws.along(&ROWS_IN_1000_DAYS),
    };
    (((in_1000_days * (1150 - risk * 7 / 10)) << 16) / 1_000_000) as u32
}

/// Those with less are somewhat more at risk.
fn salary(nature: Nature, risk: i64, rate: u32, draws: &mut Draws) -> i64 {
    let salary = match nature {
        Nature::Stretched => draws.between(300_000, 600_000),
        _ => draws.along(&SALARIES) * (1150 - risk * 7 / 10) / 1000,
    };
    let heavy = rate > 3 << 16;
    salary.max(if heavy { HEAVY_SALARY } else { LEAST_SALARY }) / 10_000 * 10_000
}

/// The days on which the nature begins and ends to show.
fn turns(nature: Nature, draws: &mut Draws, to: i32) -> (i32, i32) {
    match nature {
        Nature::CashOut => {
            let turn_on = to - draws.day(-30, 330);
            (turn_on, turn_on + draws.day(40, 150))
        }
        Nature::Dormant => (to - draws.day(-60, 500), NEVER),
        _ => (NEVER, NEVER),
    }
}

/// When the pay-later lines are stopped as a suspected cash-out, and when the suspicion is gone: not
/// all who do it are found, and a few are suspected who only bought a ring.
fn stop(nature: Nature, buys_cash_like: bool, turn_on: i32, to: i32, draws: &mut Draws) -> (i32, i32) {
    // A cash-out is suspected until its purchases are a quarter of a year ago.
    let (stopped_on, cleared_after) = if nature == Nature::CashOut && draws.chance(970) {
        (turn_on + draws.day(1, 5), draws.day(88, 93))
    } else if nature != Nature::CashOut && buys_cash_like && draws.chance(100) {
        (to - draws.day(-60, 400), draws.day(31, 36))
    } else {
        return (NEVER, NEVER);
    };
    let is_cleared = draws.chance(990);
    (stopped_on, if is_cleared { stopped_on + cleared_after } else { NEVER })
}

impl Customer {
    /// The first day on which a dormant account buys nothing any more; else never.
    pub fn quiet_from(&self) -> i32 {
        if self.nature == Nature::Dormant { self.turn_on } else { NEVER }
    }
}

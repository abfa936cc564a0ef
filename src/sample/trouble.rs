//! Troubles: the weeks in which an account's bills slip or are left unpaid, and what shows before.

use super::account::{Customer, NEVER};
use super::nature::Nature;
use super::random::{Draws, Purpose, draws};

/// Troubles begin on these days before the book's last day: evenly, so that no week has more of
/// them than another. A lender has written off what was lost before.
const DAYS_BEFORE_LAST: (i32, i32) = (-90, 400);

/// A stretch of trouble; days that do not come are `NEVER`.
#[derive(Clone, Copy)]
pub struct Trouble {
    /// The first sign: from here on bills are paid late, and more of the limits is used.
    pub starts_on: i32,
    /// Bills due from here on are not paid before the trouble has ended.
    pub stops_on: i32,
    /// The due date of the first bill that is not paid.
    pub missed_on: i32,
    /// All bills are caught up with by this day.
    pub ends_on: i32,
    /// How long after the first missed bill it ends; none: never.
    lasts_days: Option<i32>,
    /// Income is less from this day to the day before the next.
    income_from: i32,
    income_until: i32,
    /// What is left of it.
    income_percent: u8,
    /// Bills slip and limits get used up while it lasts.
    pub shows: bool,
}

/// What an untroubled account has: nothing that would come.
const QUIET: Trouble = Trouble {
    starts_on: NEVER,
    stops_on: NEVER,
    missed_on: NEVER,
    ends_on: NEVER,
    lasts_days: None,
    income_from: NEVER,
    income_until: NEVER,
    income_percent: 100,
    shows: false,
};

/// The troubles of an account of a book that ends on day `to`. The one that ends in unpaid bills,
/// if there is one, is the first.
pub fn troubles(account: &Customer, to: i32, found: &mut Vec<Trouble>) {
    let mut draws = draws(account.key, Purpose::Trouble, 0);
    let risk = u64::from(account.risk);
    let (severe, slipping, income_lost) = match account.nature {
        Nature::CashOut => (400, 150, 10),
        Nature::Elsewhere => (4 + risk * 60 / 1000, 50, 0),
        Nature::Dormant => (10, 30, 25),
        Nature::New => (30 + risk * 260 / 1000, 110 + risk * 450 / 1000, 20),
        _ => (5 + risk * 230 / 1000, 100 + risk * 600 / 1000, 25),
    };
    if draws.chance(severe) {
        found.push(Trouble::severe(account, to, &mut draws));
    }
    if draws.chance(slipping) {
        found.push(Trouble::slipping(to, &mut draws));
    }
    if draws.chance(income_lost) {
        found.push(Trouble::income_lost(to, &mut draws));
    }
}

fn begins(to: i32, draws: &mut Draws) -> i32 {
    to - draws.day(DAYS_BEFORE_LAST.0, DAYS_BEFORE_LAST.1)
}

impl Trouble {
    /// Ends in bills a month and more past due, or in nothing paid any more. One in four comes
    /// without a sign.
    fn severe(account: &Customer, to: i32, draws: &mut Draws) -> Trouble {
        let (stops_on, lost) = match account.nature {
            Nature::CashOut => (account.turn_on + draws.day(50, 150), 700),
            _ => (begins(to, draws), 450),
        };
        let shows = account.nature != Nature::CashOut && draws.chance(750);
        let starts_on = stops_on - if shows { draws.day(30, 120) } else { 0 };
        let lasts_days = (!draws.chance(lost)).then(|| draws.day(31, 110));
        let mut trouble = Trouble { starts_on, stops_on, lasts_days, shows, ..QUIET };
        if shows && draws.chance(550) {
            trouble.income_from = starts_on + draws.day(-10, 20);
            trouble.income_percent = if draws.chance(500) { 0 } else { draws.between(25, 70) as u8 };
        }
        trouble
    }

    /// Bills slip by some days or weeks, and then all is well again.
    fn slipping(to: i32, draws: &mut Draws) -> Trouble {
        let starts_on = begins(to, draws);
        let ends_on = starts_on + draws.day(40, 120);
        let mut trouble = Trouble { starts_on, ends_on, shows: true, ..QUIET };
        if draws.chance(400) {
            trouble.income_from = starts_on - draws.day(0, 20);
            trouble.income_until = ends_on - draws.day(0, 30);
            trouble.income_percent = if draws.chance(300) { 0 } else { draws.between(30, 75) as u8 };
        }
        trouble
    }

    /// No income comes any more, or for months, and yet all bills are paid.
    fn income_lost(to: i32, draws: &mut Draws) -> Trouble {
        let income_from = begins(to, draws);
        let lasts = if draws.chance(400) { NEVER - income_from } else { draws.day(60, 200) };
        Trouble { income_from, income_until: income_from + lasts, income_percent: 0, ..QUIET }
    }

    /// The first bill that is not paid is due on that day: only now can its end be told.
    pub fn miss(&mut self, missed_on: i32, draws: &mut Draws) {
        self.missed_on = missed_on;
        if let Some(days) = self.lasts_days {
            self.ends_on = missed_on + days;
            self.income_until = self.ends_on + draws.day(-25, 30);
        }
    }

    /// No bill comes due that could be missed: it passes.
    pub fn void(&mut self) {
        self.ends_on = self.stops_on.saturating_add(30);
        self.stops_on = NEVER;
    }

    /// True for bills due on that day that are paid on the last day of the trouble, or never.
    pub fn leaves_unpaid(&self, due_on: i32) -> bool {
        (self.stops_on..self.ends_on).contains(&due_on)
    }

    /// True where a sign can be seen on that day.
    pub fn shows_on(&self, day: i32) -> bool {
        self.shows && (self.starts_on..self.stops_on.min(self.ends_on)).contains(&day)
    }

    /// True on the days on which nobody would raise a limit: from the first sign to half a year
    /// after the end.
    pub fn forbids_raise(&self, day: i32) -> bool {
        (self.starts_on..self.ends_on.saturating_add(180)).contains(&day)
    }

    /// What is left of the income of that day, in per cent.
    pub fn income_percent(&self, day: i32) -> i64 {
        let is_less = (self.income_from..self.income_until).contains(&day);
        if is_less { self.income_percent.into() } else { 100 }
    }
}

//! Bills: what a line owes each month, how it is paid, and which rows tell of it when.

use std::ops::RangeInclusive;

use super::book::{Account, Line, NEVER};
use super::calendar::Cycle;
use super::columns::RepaymentRow;
use super::nature::{Nature, Product};
use super::random::{Draws, Purpose, draws};
use crate::input::lines::Status;

/// A bill is delivered this many days before it is due.
pub const BILLED_BEFORE: i32 = 10;

/// A line has no bill that would be due within so many days of its opening.
const FIRST_DUE_DAYS: i32 = 20;

/// A closed or quiet line is billed for what is left for so many days after its turn.
const LAST_BILLS_DAYS: i32 = 60;

/// Smaller amounts are not billed: 10.00.
const SMALLEST_BILL: i64 = 1000;

/// Bills that are made out twice, with different amounts.
const CONFLICTING_PER_MILLE: u64 = 2;

/// What the smaller of two amounts of a bill lacks: 5.00.
const CONFLICT_MINOR: i64 = 500;

/// A payment is delivered at most so many days after it was made.
const PAYMENT_LAG: i32 = 2;

/// A tardy payment is made at most so many days after the bill was due.
const TARDY_DAYS: i32 = 28;

/// An account catches up with a bill at most so many days after it was due.
const CATCH_UP_DAYS: i32 = 120;

/// A payment that bounced is made again at most so many days after the bill was due.
const BOUNCED_AGAIN_DAYS: i32 = 9;

/// A due date is moved by so many days.
const EXTENSION_DAYS: [i32; 3] = [7, 14, 30];

/// One month's bill of a line.
pub struct Bill {
    pub bill_id: i64,
    pub due_on: i32,
    /// Minor units.
    pub due_amount: i64,
    /// Where it was extended: the delivery that says so, and the new due date.
    extended: Option<(i32, i32)>,
    /// It is made out twice in one delivery, first with too small an amount: the larger is meant.
    conflicting: bool,
    payments: [Payment; 3],
}

/// One payment; `paid_on` is `NEVER` where there is none.
#[derive(Clone, Copy)]
struct Payment {
    paid_on: i32,
    /// Minor units; negative where an earlier payment bounced.
    amount: i64,
    delivered_on: i32,
}

const NO_PAYMENT: Payment = Payment { paid_on: NEVER, amount: 0, delivered_on: NEVER };

/// What becomes of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    InTime,
    InPartsInTime,
    /// Paid some days late.
    Tardy,
    /// The second half is some days late.
    HalfTardy,
    /// The due date is moved before it comes, and kept.
    Extended,
    /// The payment bounces and is made again.
    Bounced,
    /// Only a part is paid.
    PartOnly,
    Never,
    /// Paid late, on the day when the account catches up.
    CaughtUp,
}

impl Outcome {
    /// The last row is delivered at most so many days after the first due date.
    fn span(self) -> i32 {
        let last_payment = match self {
            Outcome::InTime | Outcome::InPartsInTime | Outcome::Never => 0,
            Outcome::Bounced => BOUNCED_AGAIN_DAYS,
            Outcome::PartOnly | Outcome::Tardy | Outcome::HalfTardy => TARDY_DAYS,
            Outcome::Extended => EXTENSION_DAYS[EXTENSION_DAYS.len() - 1],
            Outcome::CaughtUp => CATCH_UP_DAYS,
        };
        last_payment + PAYMENT_LAG
    }
}

/// Chances per mille of the outcomes that an ordinary bill can have; the rest are paid in time.
struct Habits {
    in_parts: u64,
    tardy: u64,
    half_tardy: u64,
    extended: u64,
    bounced: u64,
}

fn habits(nature: Nature) -> Habits {
    let [in_parts, tardy, half_tardy, extended, bounced] = match nature {
        Nature::Stretched => [220, 80, 40, 40, 12],
        Nature::Late => [100, 150, 60, 20, 15],
        Nature::CashOut => [80, 90, 30, 20, 10],
        Nature::Recovering => [120, 0, 0, 20, 4],
        _ => [35, 12, 4, 5, 4],
    };
    Habits { in_parts, tardy, half_tardy, extended, bounced }
}

/// A bill of which only the outcome is settled: most days need no more.
pub struct Plan<'a> {
    account: &'a Account,
    line: &'a Line,
    month: u32,
    due_on: i32,
    outcome: Outcome,
    draws: Draws,
}

/// The plan of the bill of `line` due in that month, if there is one.
pub fn plan<'a>(account: &'a Account, line: &'a Line, cycle: &Cycle) -> Option<Plan<'a>> {
    let due_on = line.due_on(cycle);
    if !is_billed(account, line, due_on) {
        return None;
    }
    let mut draws = draws(account.key, Purpose::Bill, place(line, cycle.month));
    if !draws.chance(account.nature.profile().billed) {
        return None;
    }
    let outcome = outcome(account, due_on, &mut draws);
    Some(Plan { account, line, month: cycle.month, due_on, outcome, draws })
}

/// The days around a due date on which rows of the account's bill may be delivered at all.
pub fn in_motion(account: &Account, due_on: i32) -> RangeInclusive<i32> {
    let slowest = match account.nature {
        Nature::Recovering => Outcome::CaughtUp,
        _ => Outcome::Extended,
    };
    due_on - BILLED_BEFORE..=due_on + slowest.span()
}

impl Plan<'_> {
    /// True where rows of the bill may be delivered on that day.
    pub fn is_in_motion(&self, on: i32) -> bool {
        (self.due_on - BILLED_BEFORE..=self.due_on + self.outcome.span()).contains(&on)
    }

    /// The bill; none where next to nothing is owed.
    pub fn bill(mut self) -> Option<Bill> {
        let due_amount = due_amount(self.account, self.line, self.month, &mut self.draws);
        if due_amount < SMALLEST_BILL {
            return None;
        }
        let mut bill = Bill {
            bill_id: i64::from(self.account.index) << 18 | place(self.line, self.month) as i64,
            due_on: self.due_on,
            due_amount,
            extended: None,
            conflicting: self.draws.chance(CONFLICTING_PER_MILLE),
            payments: [NO_PAYMENT; 3],
        };
        bill.settle(self.outcome, self.account, &mut self.draws);
        Some(bill)
    }
}

/// The place of a line's month among those of its account, below 2^18.
fn place(line: &Line, month: u32) -> u64 {
    u64::from(month) << 2 | line.product as u64
}

fn is_billed(account: &Account, line: &Line, due_on: i32) -> bool {
    let is_over = match (account.nature, line.status) {
        (Nature::Late, Status::Closed) | (Nature::Dormant, Status::Active) => {
            due_on > account.turn_on.saturating_add(LAST_BILLS_DAYS)
        }
        (_, Status::Closed) => true,
        _ => false,
    };
    !is_over && due_on >= line.opened_on + FIRST_DUE_DAYS
}

fn outcome(account: &Account, due_on: i32, draws: &mut Draws) -> Outcome {
    let is_troubled = due_on >= account.turn_on && due_on < account.eased_on;
    let mut left = draws.below(1000);
    match account.nature {
        Nature::Recovering if is_troubled => return Outcome::CaughtUp,
        Nature::Late if is_troubled && left < 250 => return Outcome::PartOnly,
        Nature::Late if is_troubled => return Outcome::Never,
        Nature::Late if account.turn_on == NEVER => return Outcome::Tardy,
        _ => {}
    }
    let habits = habits(account.nature);
    for (outcome, share) in [
        (Outcome::InPartsInTime, habits.in_parts),
        (Outcome::Tardy, habits.tardy),
        (Outcome::HalfTardy, habits.half_tardy),
        (Outcome::Extended, habits.extended),
        (Outcome::Bounced, habits.bounced),
    ] {
        if left < share {
            return outcome;
        }
        left -= share;
    }
    Outcome::InTime
}

/// What is in use of a line in a month, in minor units.
pub fn used(account: &Account, line: &Line, month: u32) -> i64 {
    let mut draws = draws(account.key, Purpose::Usage, place(line, month));
    let swing = match account.nature {
        Nature::Stretched | Nature::Late | Nature::CashOut => draws.between(99, 101),
        Nature::Growing => draws.between(95, 105),
        _ => draws.between(75, 125),
    };
    line.limit * i64::from(line.use_bp) / 10_000 * swing / 100
}

/// The month's instalment of what is in use, in minor units.
fn due_amount(account: &Account, line: &Line, month: u32, draws: &mut Draws) -> i64 {
    let per_mille = match (line.product, account.nature) {
        (Product::Jiebei, _) => draws.between(80, 95),
        (_, Nature::Stretched) => draws.between(90, 180),
        (_, Nature::Late) => draws.between(150, 400),
        (Product::Huabei, _) => draws.between(600, 950),
        (Product::Fenfu | Product::Legacy, _) => draws.between(300, 600),
    };
    used(account, line, month) * per_mille / 1000
}

impl Bill {
    fn settle(&mut self, outcome: Outcome, account: &Account, draws: &mut Draws) {
        let (due_on, due) = (self.due_on, self.due_amount);
        let half = due * draws.between(300, 700) / 1000;
        let early = due_on - draws.day(0, BILLED_BEFORE - 1);
        let tardy = due_on + draws.skewed(1, TARDY_DAYS.into()) as i32;
        match outcome {
            // Half of them leave it to the last two days.
            Outcome::InTime if draws.chance(500) => self.pay([(due_on - draws.day(0, 1), due)], draws),
            Outcome::InTime => self.pay([(early, due)], draws),
            Outcome::InPartsInTime => self.pay([(early, half), (due_on, due - half)], draws),
            Outcome::Tardy => self.pay([(tardy, due)], draws),
            Outcome::HalfTardy => self.pay([(early, half), (tardy, due - half)], draws),
            Outcome::Extended => {
                let later = due_on + draws.pick(&EXTENSION_DAYS);
                self.extended = Some((due_on - draws.day(1, 3), later));
                self.pay([(later - draws.day(0, 3), due)], draws);
            }
            Outcome::Bounced => {
                let again = due_on + draws.day(3, BOUNCED_AGAIN_DAYS);
                self.pay([(due_on, due), (due_on + 2, -due), (again, due)], draws);
            }
            Outcome::PartOnly => self.pay([(due_on + draws.day(-3, 20), half)], draws),
            Outcome::Never => {}
            Outcome::CaughtUp => {
                let before = account.eased_on - draws.day(3, 12);
                if before > due_on {
                    self.pay([(before, half), (account.eased_on, due - half)], draws);
                } else {
                    self.pay([(account.eased_on, due)], draws);
                }
            }
        }
    }

    /// Sets the payments; of 100, 7 are delivered a day after they were made and 3 two days.
    fn pay<const N: usize>(&mut self, payments: [(i32, i64); N], draws: &mut Draws) {
        for (place, (paid_on, amount)) in self.payments.iter_mut().zip(payments) {
            let lag = match draws.below(100) {
                0..7 => 1,
                7..10 => 2,
                _ => 0,
            };
            *place = Payment { paid_on, amount, delivered_on: paid_on + lag };
        }
    }

    /// The day on which the bill is made out and delivered first.
    pub fn billed_on(&self) -> i32 {
        self.due_on - BILLED_BEFORE
    }

    /// What is unpaid at the end of that day, in minor units: nothing before it is due.
    pub fn overdue(&self, on: i32) -> i64 {
        let due_on = self.extended.map_or(self.due_on, |(_, due_on)| due_on);
        if due_on > on {
            return 0;
        }
        let paid = self.payments.iter().filter(|payment| payment.paid_on <= on);
        (self.due_amount - paid.map(|payment| payment.amount).sum::<i64>()).max(0)
    }

    /// Tells the rows that are delivered on that day: the bill, its extension, payments.
    pub fn delivered(&self, account: &Account, line: &Line, on: i32, tell: &mut impl FnMut(RepaymentRow)) {
        let due_on = match self.extended {
            Some((from, due_on)) if on >= from => due_on,
            _ => self.due_on,
        };
        let terms = RepaymentRow {
            account_id: Some(account.id),
            product: Some(line.product.name()),
            bill_id: Some(self.bill_id),
            due_on: Some(due_on),
            due_amount: Some(self.due_amount),
            paid_on: None,
            paid_amount: None,
        };
        if on == self.billed_on() && self.conflicting {
            tell(RepaymentRow { due_amount: Some(self.due_amount - CONFLICT_MINOR), ..terms });
        }
        if on == self.billed_on() || self.extended.is_some_and(|(from, _)| from == on) {
            tell(terms);
        }
        for payment in &self.payments {
            if payment.delivered_on == on {
                tell(RepaymentRow {
                    paid_on: Some(payment.paid_on),
                    paid_amount: Some(payment.amount),
                    ..terms
                });
            }
        }
    }
}

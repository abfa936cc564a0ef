//! Bills: what a line owes each month, how it is paid, and which rows tell of it when.

use std::ops::RangeInclusive;

use super::account::{Customer, NEVER};
use super::calendar::{BILLED_BEFORE, Cycle};
use super::columns::RepaymentRow;
use super::credit::HeldLine;
use super::nature::Nature;
use super::random::{Draws, Purpose, draws};
use super::trouble::Trouble;

/// Bills that are made out twice, with different amounts.
const CONFLICTING_PER_MILLE: u64 = 2;

/// The places of conflicts' numbers, beyond those of the bills' own.
const CONFLICTS: u64 = 1 << 40;

/// What the smaller of two amounts of a bill lacks: 5.00.
const CONFLICT_MINOR: i64 = 500;

/// A payment is delivered at most so many days after it was made.
const PAYMENT_LAG: i32 = 2;

/// A tardy payment is made at most so many days after the bill was due.
const TARDY_DAYS: i32 = 28;

/// A due date is moved by so many days.
const EXTENSION_DAYS: [i32; 3] = [7, 14, 30];

/// Rows of a bill of which no trouble keeps the payment are delivered within so many days.
const ORDINARY_SPAN: i32 = EXTENSION_DAYS[EXTENSION_DAYS.len() - 1] + PAYMENT_LAG;

const _: () = assert!(TARDY_DAYS <= EXTENSION_DAYS[EXTENSION_DAYS.len() - 1]);

/// Bills that slip while there are signs of trouble, per mille.
const SLIPPING_PER_MILLE: u64 = 600;

/// What becomes of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BillOutcome {
    InTime,
    InPartsInTime,
    /// Paid some days late.
    Tardy,
    /// The second half is some days late.
    HalfTardy,
    /// Paid late by so many days at least and at most.
    Slipped(i32, i32),
    /// The due date is moved before it comes, and kept.
    Extended,
    /// The payment bounces and is made again.
    Bounced,
    /// Only a part is paid.
    PartOnly,
    Never,
    /// Paid late, on the day when the account catches up.
    CaughtUp(i32),
}

impl BillOutcome {
    fn is_in_time(self) -> bool {
        matches!(self, BillOutcome::InTime | BillOutcome::InPartsInTime)
    }
}

/// Chances per mille of the outcomes that an ordinary bill can have; the rest are paid in time.
fn habits(account: &Customer) -> [(BillOutcome, u64); 5] {
    let risk = u64::from(account.risk);
    let [in_parts, tardy, half_tardy, extended, bounced] = match account.nature {
        Nature::Stretched => [220, 120 + risk / 5, 50, 40, 12],
        Nature::Tardy => [60, 650, 120, 20, 8],
        Nature::Elsewhere => [20, 12, 4, 3, 2],
        _ => [35 + risk / 12, 30 + risk * 2 / 5, 8 + risk / 20, 5 + risk / 80, 3 + risk / 120],
    };
    [
        (BillOutcome::InPartsInTime, in_parts),
        (BillOutcome::Tardy, tardy),
        (BillOutcome::HalfTardy, half_tardy),
        (BillOutcome::Extended, extended),
        (BillOutcome::Bounced, bounced),
    ]
}

fn outcome(held: &HeldLine, due_on: i32, draws: &mut Draws) -> BillOutcome {
    let mut left = draws.below(1000);
    for trouble in held.troubles {
        if trouble.leaves_unpaid(due_on) {
            return match trouble.ends_on {
                NEVER if left < 200 => BillOutcome::PartOnly,
                NEVER => BillOutcome::Never,
                ends_on => BillOutcome::CaughtUp(ends_on),
            };
        }
        if trouble.shows_on(due_on) && left < SLIPPING_PER_MILLE {
            return slipped(trouble, due_on);
        }
    }
    let habits = habits(held.account);
    if left >= habits.iter().map(|(_, share)| share).sum() {
        return BillOutcome::InTime;
    }
    for (outcome, share) in habits {
        if left < share {
            return outcome;
        }
        left -= share;
    }
    BillOutcome::InTime
}

/// Some days first, weeks later.
fn slipped(trouble: &Trouble, due_on: i32) -> BillOutcome {
    let days = due_on - trouble.starts_on;
    if days < 25 { BillOutcome::Slipped(1, 6) } else { BillOutcome::Slipped(3, TARDY_DAYS - 3) }
}

/// What of a bill a payment is of.
#[derive(Clone, Copy)]
enum PaymentShare {
    Whole,
    /// So many thousandths.
    First(i64),
    /// All but so many thousandths.
    Rest(i64),
    /// The whole payment bounced.
    Back,
}

impl PaymentShare {
    /// In minor units, of a bill of `due`.
    fn of(self, due: i64) -> i64 {
        match self {
            PaymentShare::Whole => due,
            PaymentShare::First(per_mille) => due * per_mille / 1000,
            PaymentShare::Rest(per_mille) => due - due * per_mille / 1000,
            PaymentShare::Back => -due,
        }
    }
}

/// A first part and the rest.
fn parts(draws: &mut Draws) -> (PaymentShare, PaymentShare) {
    let per_mille = draws.between(300, 700);
    (PaymentShare::First(per_mille), PaymentShare::Rest(per_mille))
}

fn early(due_on: i32, draws: &mut Draws) -> i32 {
    due_on - draws.day(0, BILLED_BEFORE - 1)
}

/// Some days late, seldom weeks.
fn tardy(due_on: i32, draws: &mut Draws) -> i32 {
    due_on + draws.skewed(1, TARDY_DAYS.into()) as i32
}

/// One payment; `paid_on` is `NEVER` where there is none.
#[derive(Clone, Copy)]
struct Payment {
    paid_on: i32,
    part: PaymentShare,
    delivered_on: i32,
}

const NO_PAYMENT: Payment = Payment { paid_on: NEVER, part: PaymentShare::Whole, delivered_on: NEVER };

/// A bill of which only the days are settled: most days need no more.
pub struct BillPlan<'a> {
    held: HeldLine<'a>,
    month: u32,
    due_on: i32,
    /// Where it was extended: the delivery that says so, and the new due date.
    extended: Option<(i32, i32)>,
    payments: [Payment; 3],
}

/// The plan of a line's bill due in that month, should there be anything to pay.
pub fn plan<'a>(held: HeldLine<'a>, cycle: &Cycle) -> BillPlan<'a> {
    let due_on = held.line.due_on(cycle);
    let mut draws = draws(held.account.key, Purpose::Bill, held.place(cycle.month));
    let outcome = outcome(&held, due_on, &mut draws);
    BillPlan::new(held, cycle.month, due_on, outcome, draws)
}

/// The same where rows of the bill are delivered on that day.
pub fn plan_on<'a>(held: HeldLine<'a>, cycle: &Cycle, on: i32) -> Option<BillPlan<'a>> {
    let due_on = held.line.due_on(cycle);
    let mut draws = draws(held.account.key, Purpose::Bill, held.place(cycle.month));
    let outcome = outcome(&held, due_on, &mut draws);
    // Most bills are paid in time, and then no more need be drawn.
    if outcome.is_in_time() && on > due_on + PAYMENT_LAG {
        return None;
    }
    Some(BillPlan::new(held, cycle.month, due_on, outcome, draws)).filter(|plan| plan.is_delivered(on))
}

/// The days around a due date on which rows of the bill may be delivered at all.
pub fn in_motion(held: &HeldLine, due_on: i32) -> RangeInclusive<i32> {
    let ordinary = due_on - BILLED_BEFORE..=due_on + ORDINARY_SPAN;
    if held.troubles.is_empty() {
        return ordinary;
    }
    let kept = held.troubles.iter().filter(|trouble| trouble.leaves_unpaid(due_on));
    let ends_on = kept.map(|trouble| trouble.ends_on).filter(|&on| on != NEVER).max();
    *ordinary.start()..=ends_on.map_or(0, |on| on + PAYMENT_LAG).max(*ordinary.end())
}

/// The due date before which all bills are paid on `day`.
pub fn unpaid_since(held: &HeldLine, day: i32) -> i32 {
    let open = held.troubles.iter().filter(|trouble| (trouble.stops_on..trouble.ends_on).contains(&day));
    open.map(|trouble| trouble.stops_on).min().unwrap_or(NEVER).min(day - ORDINARY_SPAN)
}

impl<'a> BillPlan<'a> {
    fn new(
        held: HeldLine<'a>,
        month: u32,
        due_on: i32,
        outcome: BillOutcome,
        mut draws: Draws,
    ) -> BillPlan<'a> {
        let mut plan = BillPlan { held, month, due_on, extended: None, payments: [NO_PAYMENT; 3] };
        plan.settle(outcome, &mut draws);
        plan
    }

    fn settle(&mut self, outcome: BillOutcome, draws: &mut Draws) {
        let due_on = self.due_on;
        match outcome {
            // Half of them leave it to the last two days.
            BillOutcome::InTime => {
                let before = draws.day(0, 2 * BILLED_BEFORE - 1);
                let before = if before < BILLED_BEFORE { before } else { before % 2 };
                self.pay([(due_on - before, PaymentShare::Whole)], draws);
            }
            BillOutcome::InPartsInTime => {
                let (first, rest) = parts(draws);
                self.pay([(early(due_on, draws), first), (due_on, rest)], draws);
            }
            BillOutcome::Tardy => self.pay([(tardy(due_on, draws), PaymentShare::Whole)], draws),
            BillOutcome::HalfTardy => {
                let (first, rest) = parts(draws);
                self.pay([(early(due_on, draws), first), (tardy(due_on, draws), rest)], draws);
            }
            BillOutcome::Slipped(least, most) => {
                self.pay([(due_on + draws.day(least, most), PaymentShare::Whole)], draws);
            }
            BillOutcome::Extended => {
                let later = due_on + draws.pick(&EXTENSION_DAYS);
                self.extended = Some((due_on - draws.day(1, 3), later));
                self.pay([(later - draws.day(0, 3), PaymentShare::Whole)], draws);
            }
            BillOutcome::Bounced => {
                let again = due_on + draws.day(3, 9);
                self.pay(
                    [
                        (due_on, PaymentShare::Whole),
                        (due_on + 2, PaymentShare::Back),
                        (again, PaymentShare::Whole),
                    ],
                    draws,
                );
            }
            BillOutcome::PartOnly => self.pay([(due_on + draws.day(-3, 20), parts(draws).0)], draws),
            BillOutcome::Never => {}
            BillOutcome::CaughtUp(ends_on) => {
                let (first, rest) = parts(draws);
                let before = ends_on - draws.day(3, 12);
                if before > due_on {
                    self.pay([(before, first), (ends_on, rest)], draws);
                } else {
                    self.pay([(ends_on, PaymentShare::Whole)], draws);
                }
            }
        }
    }

    /// Sets the payments; of 100, 7 are delivered a day after they were made and 3 two days.
    fn pay<const N: usize>(&mut self, payments: [(i32, PaymentShare); N], draws: &mut Draws) {
        for (place, (paid_on, part)) in self.payments.iter_mut().zip(payments) {
            let lag = match draws.below(100) {
                0..7 => 1,
                7..10 => 2,
                _ => 0,
            };
            *place = Payment { paid_on, part, delivered_on: paid_on + lag };
        }
    }

    /// The day on which the bill is made out and delivered first.
    fn billed_on(&self) -> i32 {
        self.due_on - BILLED_BEFORE
    }

    /// True where it is made out twice in one delivery, first with too small an amount: the larger is
    /// meant.
    fn is_conflicting(&self) -> bool {
        let place = CONFLICTS | self.held.place(self.month);
        draws(self.held.account.key, Purpose::Bill, place).chance(CONFLICTING_PER_MILLE)
    }

    /// True where rows of the bill are delivered on that day, if there is anything to pay.
    fn is_delivered(&self, on: i32) -> bool {
        on == self.billed_on()
            || self.extended.is_some_and(|(from, _)| from == on)
            || self.payments.iter().any(|payment| payment.delivered_on == on)
    }

    /// What of a bill of `due_amount` is not paid at the end of that day, in minor units.
    pub fn unpaid(&self, due_amount: i64, on: i32) -> i64 {
        let paid = self.payments.iter().filter(|payment| payment.paid_on <= on);
        due_amount - paid.map(|payment| payment.part.of(due_amount)).sum::<i64>()
    }

    /// Tells the rows that are delivered on that day, of a bill of `due_amount`: the bill, its
    /// extension, payments. True where the bill is new.
    pub fn delivered(&self, due_amount: i64, on: i32, tell: &mut impl FnMut(RepaymentRow)) -> bool {
        let due_on = match self.extended {
            Some((from, due_on)) if on >= from => due_on,
            _ => self.due_on,
        };
        let terms = RepaymentRow {
            account_id: Some(self.held.account.id),
            product: Some(self.held.line.product.name()),
            bill_id: Some(i64::from(self.held.account.index) << 18 | self.held.place(self.month) as i64),
            due_on: Some(due_on),
            due_amount: Some(due_amount),
            paid_on: None,
            paid_amount: None,
        };
        let is_new = on == self.billed_on();
        if is_new && due_amount > CONFLICT_MINOR && self.is_conflicting() {
            tell(RepaymentRow { due_amount: Some(due_amount - CONFLICT_MINOR), ..terms });
        }
        if is_new || self.extended.is_some_and(|(from, _)| from == on) {
            tell(terms);
        }
        for payment in &self.payments {
            let amount = payment.part.of(due_amount);
            if payment.delivered_on == on && amount != 0 {
                tell(RepaymentRow { paid_on: Some(payment.paid_on), paid_amount: Some(amount), ..terms });
            }
        }
        is_new
    }
}

//! The lines that an account holds: products, limits, terms, and how much of them is used.

use super::account::{Customer, NEVER, first_line_on};
use super::line::{CreditLine, LIMIT_STEP, LineTerms};
use super::nature::{Nature, SampleProduct};
use super::random::{Draws, Purpose, draws};

/// What one person may be lent over all lines: 200,000.00, the regulator's bound.
pub const MAX_TOTAL_LIMIT: i64 = 20_000_000;

/// What a cash loan leaves of it for the lines after it: their largest limits.
const FURTHER_LIMITS: i64 = 2_000_000;

/// The least pay-later limit of a cash-out account: below it a burst is no burst.
const CASH_OUT_LIMIT: i64 = 300_000;

/// No purchase of a usual month is smaller than about this on average: 5.00.
const SMALLEST_MEAN: i64 = 500;

/// Purchases of a line in 16 months at most.
const MOST_USES: i64 = 6400;

/// Nobody spends more on credit that is paid back at once than this part of the salary, in per cent.
const SPENT_OF_SALARY: i64 = 55;

/// The lines of an account of a book that ends on day `to`, with what their histories follow from.
pub fn open_lines(account: &Customer, to: i32) -> Vec<(CreditLine, LineTerms)> {
    let mut draws = draws(account.key, Purpose::Limits, 0);
    let relation = relation(account, &mut draws);
    let mut opened: Vec<(CreditLine, LineTerms)> = Vec::new();
    for (product, is_held) in products(account.nature, relation, &mut draws) {
        if is_held {
            let mut limit = limit(account, product, relation, &mut draws);
            if product == SampleProduct::Jiebei && relation != Relation::Full {
                let lent: i64 = opened.iter().map(|(_, terms)| terms.limit).sum();
                limit = limit.min(MAX_TOTAL_LIMIT - lent - FURTHER_LIMITS);
            }
            let is_first = opened.is_empty();
            opened.push(line(account, product, (limit, is_first), to, &mut draws));
        }
    }
    opened
}

/// What sets an account's limits apart from those of its nature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Ordinary,
    /// One very low limit in good relation: to be raised to something of use.
    Starter,
    /// Three large limits, near the 200,000.00 that one person may be lent.
    Full,
    /// No line at all.
    None,
}

fn relation(account: &Customer, draws: &mut Draws) -> Relation {
    let is_good = matches!(account.nature, Nature::Steady | Nature::Growing | Nature::New);
    match draws.below(1000) {
        0..15 => Relation::None,
        15..75 if is_good => Relation::Starter,
        75..95 if account.nature == Nature::Steady => Relation::Full,
        _ => Relation::Ordinary,
    }
}

fn products(nature: Nature, relation: Relation, draws: &mut Draws) -> [(SampleProduct, bool); 4] {
    let (huabei, jiebei, fenfu) = (draws.chance(800), draws.chance(400), draws.chance(330));
    let legacy = draws.chance(5) && relation != Relation::None;
    let (huabei, jiebei, fenfu) = match (relation, nature) {
        (Relation::None, _) => (false, false, false),
        (Relation::Starter, _) => (true, false, false),
        (Relation::Full, _) => (true, true, true),
        (_, Nature::Stretched) => (true, true, fenfu),
        (_, Nature::CashOut) => (true, jiebei, fenfu),
        (_, Nature::New) => (huabei, false, !huabei),
        _ => (huabei || !jiebei && !fenfu, jiebei, fenfu),
    };
    [
        (SampleProduct::Huabei, huabei),
        (SampleProduct::Jiebei, jiebei),
        (SampleProduct::Fenfu, fenfu),
        (SampleProduct::Legacy, legacy),
    ]
}

/// A line and what its history is told from.
fn line(
    account: &Customer,
    product: SampleProduct,
    (limit, is_first): (i64, bool),
    to: i32,
    draws: &mut Draws,
) -> (CreditLine, LineTerms) {
    let first_on = first_line_on(account.key, account.nature, account.risk, to);
    let opened_on = first_on + if is_first { 0 } else { draws.day(0, (to - first_on).min(900)) };
    // An account keeps its first line: only a further one is given up in good relation.
    let closes = !is_first && product != SampleProduct::Jiebei && draws.chance(60);
    let rest_on = if closes { to - draws.day(50, 900) } else { account.quiet_from() };
    let mut line = CreditLine {
        product,
        instalments: 12,
        due_day: draws.between(1, 28) as u8,
        active_per_mille: 0,
        uses_in_16_months: 0,
        overpaid: 0,
        usual: 0,
        opened_on,
        rest_on,
        first_change: 0,
        change_count: 0,
    };
    line.set_use(account, limit, draws);
    if is_first && account.nature == Nature::Steady && draws.chance(15) {
        line.overpaid = draws.between(1, 5000) as u16;
    }
    (line, LineTerms { to, limit, closes, missed_on: NEVER })
}

impl CreditLine {
    /// How much of the line is used, how often, and how it is paid back.
    fn set_use(&mut self, account: &Customer, limit: i64, draws: &mut Draws) {
        let profile = account.nature.profile();
        let (low, high) = profile.use_bp;
        let place = (i64::from(account.risk) + draws.between(0, 1000)) / 2;
        let in_use = limit * (low + (high - low) * place / 1000) / 10_000;
        let active = match self.product {
            SampleProduct::Jiebei => profile.draws_cash,
            _ => profile.active,
        };
        if self.product.is_pay_later() {
            self.instalments = draws.pick(&profile.instalments);
        }
        // What is bought in a month is owed in part until it is billed and paid: see `credit`.
        let usual = in_use * 6000 / ((3 * i64::from(self.instalments) + 2) * active as i64);
        let earned = account.salary * SPENT_OF_SALARY / 100;
        let usual = if self.instalments == 1 { usual.min(earned) } else { usual };
        self.active_per_mille = active as u16;
        self.usual = usual as u32;
        if self.product.is_pay_later() {
            // Five eighths of an account's rows are not paid with credit; a month has 30 days.
            let uses = (i64::from(account.rate) * 3 / 5 * 30 * 16) >> 16;
            let uses = if self.product == SampleProduct::Huabei { uses } else { uses / 2 };
            self.uses_in_16_months = uses.min(usual * 16 / SMALLEST_MEAN).min(MOST_USES) as u16;
        }
    }
}

/// 1,000.00 in minor units.
const THOUSAND: i64 = 100_000;

/// In minor units.
fn limit(account: &Customer, product: SampleProduct, relation: Relation, draws: &mut Draws) -> i64 {
    let (low, high) = product.limits_minor();
    let limit = match (relation, product) {
        (Relation::Starter, _) => low * draws.between(1, 2),
        (Relation::Full, SampleProduct::Huabei) => 50 * THOUSAND,
        (Relation::Full, SampleProduct::Jiebei) => draws.between(128, 136) * THOUSAND,
        (Relation::Full, _) => draws.between(4, 9) * THOUSAND,
        (Relation::Ordinary | Relation::None, _) => {
            let tenths = account.nature.profile().limit_tenths * product.limit_tenths();
            account.salary * tenths / 100 * draws.between(50, 150) / 100
        }
    };
    let limit = match account.nature {
        Nature::CashOut if product == SampleProduct::Huabei => limit.max(CASH_OUT_LIMIT),
        _ => limit,
    };
    limit.clamp(low, high) / LIMIT_STEP * LIMIT_STEP
}

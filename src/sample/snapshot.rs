//! A line as the day's snapshot shows it: limit, balance, status, and when the limit last moved.

use super::bills::{plan, used};
use super::book::{Account, LIMIT_STEP, Line, NEVER};
use super::calendar::{Cycle, Day};
use super::columns::LineRow;
use super::nature::Nature;
use super::random::{Purpose, draws};
use crate::input::lines::Status;

/// The line on that day of a book that ends on `last`; none where it was not open yet.
pub fn line_on(
    account: &Account,
    line: &Line,
    (day, last): (&Day, &Day),
    cycles: &[Cycle],
) -> Option<LineRow> {
    if line.opened_on > day.number {
        return None;
    }
    let (increased_on, decreased_on) = limit_changes(account, line, last.number);
    let shown = |change: Option<i32>| change.filter(|&on| on <= day.number);
    let limit = match (line.status, increased_on) {
        (Status::Closed, _) => 0,
        (_, Some(on)) if on > day.number => before_increase(line),
        _ => line.limit,
    };
    Some(LineRow {
        account_id: Some(account.id),
        product: Some(line.product.name()),
        credit_limit: Some(limit),
        balance: Some(balance(account, line, day, cycles)),
        status: Some(line.status.name()),
        opened_on: Some(line.opened_on),
        increased_on: shown(increased_on),
        decreased_on: shown(decreased_on),
    })
}

/// The days on which the limit last went up and down, up to day `last`.
fn limit_changes(account: &Account, line: &Line, last: i32) -> (Option<i32>, Option<i32>) {
    let mut draws = draws(account.key, Purpose::LimitChanges, line.product as u64);
    // Per mille of the lines, in the last months; three in ten went up earlier.
    let (raised, lowered) = match account.nature {
        Nature::New => (0, 0),
        Nature::Late | Nature::Recovering => (20, 350),
        Nature::CashOut | Nature::Dormant => (40, 40),
        _ => (120, 45),
    };
    let increased_on = match draws.below(1000) {
        part if part < raised => last - draws.day(0, 90),
        part if part < raised + 300 => last - draws.day(91, 700),
        _ => NEVER,
    };
    let decreased_on = match draws.below(1000) {
        part if part < lowered => last - draws.day(8, 170),
        part if part < lowered + 40 => last - draws.day(171, 700),
        _ => NEVER,
    };
    let if_open = |on: i32| (on != NEVER && on > line.opened_on + 30).then_some(on);
    (if_open(increased_on), if_open(decreased_on))
}

/// The limit before its last increase: four fifths of it.
fn before_increase(line: &Line) -> i64 {
    (line.limit * 4 / 5 / LIMIT_STEP * LIMIT_STEP).max(LIMIT_STEP)
}

/// In minor units: what is in use, at least what is overdue; a few have paid too much.
fn balance(account: &Account, line: &Line, day: &Day, cycles: &[Cycle]) -> i64 {
    let overdue: i64 = cycles
        .iter()
        .filter_map(|cycle| plan(account, line, cycle)?.bill())
        .map(|bill| bill.overdue(day.number))
        .sum();
    let mut draws = draws(account.key, Purpose::Balance, line.product as u64);
    let in_use = match (account.nature, line.status) {
        (Nature::Dormant, _) | (_, Status::Closed) => 0,
        (Nature::Steady, _) if draws.chance(10) => -draws.between(1, 5000),
        _ => used(account, line, day.month),
    };
    if overdue > 0 { in_use.max(overdue) } else { in_use }
}

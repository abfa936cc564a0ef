//! A line as the day's snapshot shows it: limit, balance, status, and when they last moved.

use super::bills::{plan, unpaid_since};
use super::calendar::{CalendarDay, Cycle};
use super::columns::LineRow;
use super::credit::HeldLine;
use super::history::state;

/// The line at the end of that day; none where it was not open yet.
pub fn line_on(held: HeldLine, day: &CalendarDay, cycles: &[Cycle]) -> Option<LineRow> {
    let state = state(held.changes, day.number)?;
    Some(LineRow {
        account_id: Some(held.account.id),
        product: Some(held.line.product.name()),
        credit_limit: Some(state.limit),
        balance: Some(balance(held, day.number, cycles)),
        status: Some(state.status.name()),
        opened_on: Some(held.line.opened_on),
        increased_on: state.increased_on,
        decreased_on: state.decreased_on,
        status_since: Some(state.status_since),
        status_reason: state.reason.code(),
    })
}

/// In minor units: what was bought and has not been paid; a few have once paid too much.
fn balance(held: HeldLine, day: i32, cycles: &[Cycle]) -> i64 {
    let since = unpaid_since(&held, day);
    let mut owed = held.not_billed(day, cycles) - i64::from(held.line.overpaid);
    for (place, cycle) in cycles.iter().enumerate() {
        let due_on = held.line.due_on(cycle);
        if due_on < since {
            break;
        }
        if held.billed_on(cycle) <= day {
            owed += plan(held, cycle).unpaid(held.billed(&cycles[place..]), day);
        }
    }
    owed
}

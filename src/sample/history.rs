//! The history of a line: when its limit and status changed, and why.

use super::account::{Customer, NEVER};
use super::line::{CreditLine, LIMIT_STEP, LineTerms};
use super::nature::Nature;
use super::random::{Draws, Purpose, draws};
use super::trouble::Trouble;
use crate::input::lines::Status;

/// The limit with which a line opens again after a long delay: 2,000.00.
const SMALL_LIMIT: i64 = 200_000;

/// Limits are raised again no earlier than so many days after they were raised.
const RAISE_APART_DAYS: i32 = 100;

/// Why a status is what it is: the codes of the shipped policy; `None` for a person's own wish, a
/// lost phone, an inquiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusReason {
    None,
    LongPastDue,
    MonthPastDue,
    Paused,
    CashOut,
    Paid,
    PaidSmallLimit,
    SuspicionGone,
}

impl StatusReason {
    /// The value of the column `status_reason`.
    pub fn code(self) -> Option<&'static str> {
        match self {
            StatusReason::None => None,
            StatusReason::LongPastDue => Some("P01"),
            StatusReason::MonthPastDue => Some("P02"),
            StatusReason::Paused => Some("P03"),
            StatusReason::CashOut => Some("P11"),
            StatusReason::Paid => Some("P22"),
            StatusReason::PaidSmallLimit => Some("P23"),
            StatusReason::SuspicionGone => Some("P28"),
        }
    }

    fn is_of_bills(self) -> bool {
        matches!(self, StatusReason::MonthPastDue | StatusReason::Paused)
    }
}

/// A line from a day to the next change.
#[derive(Clone, Copy)]
pub struct Change {
    pub on: i32,
    /// In minor units.
    limit: u32,
    pub status: Status,
    reason: StatusReason,
}

impl Change {
    /// The limit in minor units.
    pub fn limit(&self) -> i64 {
        self.limit.into()
    }

    /// True where it suspends or closes the line for unpaid bills.
    #[cfg(test)]
    pub fn is_for_bills(&self) -> bool {
        self.status != Status::Active
            && (self.reason.is_of_bills() || self.reason == StatusReason::LongPastDue)
    }
}

/// What a snapshot says of a line besides its balance.
pub struct LineState {
    /// In minor units.
    pub limit: i64,
    pub status: Status,
    pub status_since: i32,
    pub reason: StatusReason,
    pub increased_on: Option<i32>,
    pub decreased_on: Option<i32>,
}

/// The state of a line on a day; none before it was opened.
pub fn state(changes: &[Change], day: i32) -> Option<LineState> {
    let first = changes.first().filter(|first| first.on <= day)?;
    let mut state = LineState {
        limit: first.limit(),
        status: first.status,
        status_since: first.on,
        reason: first.reason,
        increased_on: None,
        decreased_on: None,
    };
    for change in changes[1..].iter().take_while(|change| change.on <= day) {
        if change.status != state.status {
            (state.status, state.status_since, state.reason) = (change.status, change.on, change.reason);
        }
        if change.limit() > state.limit {
            state.increased_on = Some(change.on);
        }
        if change.limit() < state.limit {
            state.decreased_on = Some(change.on);
        }
        state.limit = change.limit();
    }
    Some(state)
}

#[derive(Clone, Copy)]
enum Event {
    Raise,
    Halve,
    Suspend(StatusReason),
    Reopen(StatusReason),
    Close(StatusReason),
}

/// The changes of a line, in order; the first is its opening.
pub fn history(
    account: &Customer,
    line: &CreditLine,
    terms: &LineTerms,
    troubles: &[Trouble],
    changes: &mut Vec<Change>,
) {
    let mut draws = draws(account.key, Purpose::History, line.product as u64);
    let mut events = Vec::new();
    let raises = raises(account, line, terms.to, &mut draws, &mut events);
    quarrels(account, line, terms, &mut draws, &mut events);
    for trouble in troubles {
        unpaid(line, trouble, terms, &mut draws, &mut events);
    }
    events.retain(|(on, event)| *on > line.opened_on && fits(*event, *on, troubles));
    events.sort_by_key(|(on, _)| *on);
    let first_limit = (0..raises).fold(terms.limit, |limit, _| before_raise(limit));
    let mut now = Change {
        on: line.opened_on,
        limit: first_limit as u32,
        status: Status::Active,
        reason: StatusReason::None,
    };
    changes.push(now);
    for (on, event) in events {
        if let Some(next) = after(&now, on, event, terms.limit) {
            now = next;
            changes.push(now);
        }
    }
}

/// The limit before it is raised by a quarter.
fn before_raise(limit: i64) -> i64 {
    (limit * 4 / 5 / LIMIT_STEP * LIMIT_STEP).max(LIMIT_STEP)
}

/// False for what no lender would do on that day, given the account's troubles.
fn fits(event: Event, on: i32, troubles: &[Trouble]) -> bool {
    troubles.iter().all(|trouble| match event {
        Event::Raise => !trouble.forbids_raise(on),
        Event::Reopen(StatusReason::None | StatusReason::SuspicionGone)
        | Event::Close(StatusReason::None) => !(trouble.missed_on..trouble.ends_on).contains(&on),
        _ => true,
    })
}

/// The line after an event; none where it changes nothing.
fn after(now: &Change, on: i32, event: Event, largest: i64) -> Option<Change> {
    let next = match (event, now.status) {
        (Event::Raise, Status::Active) => {
            let raised = (now.limit() * 5 / 4 + LIMIT_STEP - 1) / LIMIT_STEP * LIMIT_STEP;
            Change { limit: raised.min(largest) as u32, ..*now }
        }
        (Event::Halve, Status::Active) => {
            let halved = (now.limit() / 2 / LIMIT_STEP * LIMIT_STEP).max(LIMIT_STEP);
            Change { limit: halved as u32, ..*now }
        }
        (Event::Suspend(reason), Status::Active) => Change { status: Status::Suspended, reason, ..*now },
        (Event::Reopen(reason), Status::Suspended) if reopens(now.reason, reason) => {
            let is_small = reason == StatusReason::PaidSmallLimit && now.limit() > SMALL_LIMIT;
            let (reason, limit) = match reason {
                StatusReason::PaidSmallLimit if is_small => (reason, SMALL_LIMIT),
                StatusReason::PaidSmallLimit => (StatusReason::Paid, now.limit()),
                _ => (reason, now.limit()),
            };
            Change { status: Status::Active, reason, limit: limit as u32, ..*now }
        }
        (Event::Close(StatusReason::LongPastDue), Status::Suspended) if now.reason != StatusReason::None => {
            Change { status: Status::Closed, reason: StatusReason::LongPastDue, limit: 0, ..*now }
        }
        (Event::Close(StatusReason::None), Status::Active) => {
            Change { status: Status::Closed, reason: StatusReason::None, limit: 0, ..*now }
        }
        _ => return None,
    };
    let is_other = next.status != now.status || next.limit != now.limit;
    is_other.then_some(Change { on, ..next })
}

/// Paying lifts what was stopped for bills, and nothing else.
fn reopens(stopped: StatusReason, reason: StatusReason) -> bool {
    match reason {
        StatusReason::Paid | StatusReason::PaidSmallLimit => stopped.is_of_bills(),
        StatusReason::SuspicionGone => stopped == StatusReason::CashOut,
        _ => stopped == StatusReason::None,
    }
}

/// Raises, a quarter each, and the halving of a line that nobody uses; how many raises.
fn raises(
    account: &Customer,
    line: &CreditLine,
    to: i32,
    draws: &mut Draws,
    events: &mut Vec<(i32, Event)>,
) -> usize {
    let (raised, again) = match account.nature {
        Nature::Growing => (700, 600),
        Nature::Steady | Nature::New => (380, 350),
        Nature::Dormant => (100, 100),
        _ => (250, 250),
    };
    let mut latest = to - draws.day(-30, 800);
    let mut count = 0;
    let mut chance = raised;
    while count < 3 && draws.chance(chance) && latest > line.opened_on + RAISE_APART_DAYS {
        events.push((latest, Event::Raise));
        count += 1;
        chance = again;
        latest -= RAISE_APART_DAYS + draws.day(0, 300);
    }
    if line.rest_on != NEVER && line.product.is_pay_later() && draws.chance(350) {
        events.push((line.rest_on + draws.day(130, 300), Event::Halve));
    }
    count
}

/// What has nothing to do with bills: own wishes, lost phones, inquiries, suspected cash-out.
fn quarrels(
    account: &Customer,
    line: &CreditLine,
    terms: &LineTerms,
    draws: &mut Draws,
    events: &mut Vec<(i32, Event)>,
) {
    if terms.closes {
        events.push((line.rest_on + draws.day(100, 200), Event::Close(StatusReason::None)));
    }
    if draws.chance(12) && account.nature != Nature::Growing {
        let on = terms.to - draws.day(-30, 500);
        events.push((on, Event::Suspend(StatusReason::None)));
        if draws.chance(800) {
            events.push((on + draws.day(15, 80), Event::Reopen(StatusReason::None)));
        }
    }
    if line.product.is_pay_later() && account.stopped_on != NEVER {
        events.push((account.stopped_on, Event::Suspend(StatusReason::CashOut)));
        if account.cleared_on != NEVER {
            events.push((account.cleared_on, Event::Reopen(StatusReason::SuspicionGone)));
        }
    }
}

/// A month after the account's first missed bill all lines rest; they open again when all is paid,
/// and close where their own bill is a quarter of a year past due.
fn unpaid(
    line: &CreditLine,
    trouble: &Trouble,
    terms: &LineTerms,
    draws: &mut Draws,
    events: &mut Vec<(i32, Event)>,
) {
    if trouble.missed_on == NEVER {
        return;
    }
    let (after, reason) =
        if draws.chance(600) { (30, StatusReason::Paused) } else { (31, StatusReason::MonthPastDue) };
    let suspended_on = trouble.missed_on + after;
    if suspended_on > trouble.ends_on {
        return;
    }
    events.push((suspended_on, Event::Suspend(reason)));
    if trouble.ends_on != NEVER {
        let was_long = trouble.ends_on - trouble.missed_on >= 60 || draws.chance(150);
        // Of a line that is paid back over many months too much is still owed for a small limit.
        let is_small = was_long && line.instalments < 6;
        let reason = if is_small { StatusReason::PaidSmallLimit } else { StatusReason::Paid };
        events.push((trouble.ends_on + draws.day(1, 4), Event::Reopen(reason)));
    }
    let closed_on = terms.missed_on.saturating_add(draws.day(101, 125));
    if closed_on < trouble.ends_on {
        events.push((closed_on, Event::Close(StatusReason::LongPastDue)));
    }
}

//! Decisions as a run published them, read line by line.

use anyhow::Result;

use super::runs::Layout;
use crate::day::Day;
use crate::expr::{Column, Ints, Texts};
use crate::failure::input;
use crate::input::lines::{Pending, Status};
use crate::job::Action;
use crate::policy::{exposure, exposure_after};

/// Where the columns of decisions.parquet that a diff reads stand.
#[derive(Debug, Clone)]
pub struct Slots {
    slots: [usize; NAMES.len()],
    /// The run's as-of date.
    pub as_of: Day,
}

const NAMES: [&str; 17] = [
    "product",
    "action",
    "reason",
    "rule",
    "old_limit",
    "new_limit",
    "old_status",
    "new_status",
    "bound_by",
    "effective_on",
    "balance",
    "days_open",
    "days_since_increase",
    "days_since_decrease",
    "pending_limit",
    "pending_status",
    "pending_on",
];

impl Slots {
    /// Finds them; `run` is for messages.
    pub fn find(layout: &Layout, as_of: Day, run: &str) -> Result<Slots> {
        let mut slots = [0; NAMES.len()];
        for (slot, name) in slots.iter_mut().zip(NAMES) {
            *slot = layout.of_lines(name).ok_or_else(|| {
                input(format!("read {run}/decisions.parquet: there is no column {name}; is it a run's?"))
            })?;
        }
        Ok(Slots { slots, as_of })
    }

    /// The decisions in a block's lines.
    pub fn of<'a>(&self, lines: &'a [Column]) -> Decided<'a> {
        let [
            product,
            action,
            reason,
            rule,
            old_limit,
            new_limit,
            old_status,
            new_status,
            bound_by,
            effective_on,
            balance,
            days_open,
            days_since_increase,
            days_since_decrease,
            pending_limit,
            pending_status,
            pending_on,
        ] = self.slots.map(|slot| &lines[slot]);
        Decided {
            as_of: self.as_of,
            outcome: [action, reason, rule, new_limit, new_status, bound_by],
            actions: by_code(texts(action), action_place),
            old_status: texts(old_status),
            old_statuses: by_code(texts(old_status), status),
            new_statuses: by_code(texts(new_status), status),
            product: texts(product),
            action: texts(action),
            reason: texts(reason),
            rule: texts(rule),
            old_limit: ints(old_limit),
            new_limit: ints(new_limit),
            new_status: texts(new_status),
            bound_by: texts(bound_by),
            effective_on: ints(effective_on),
            balance: ints(balance),
            days_open: ints(days_open),
            days_since_increase: ints(days_since_increase),
            days_since_decrease: ints(days_since_decrease),
            pending_limit: ints(pending_limit),
            pending_status: texts(pending_status),
            pending_on: ints(pending_on),
        }
    }
}

fn texts(column: &Column) -> &Texts {
    match column {
        Column::Text(texts) => texts,
        _ => panic!("a column of decisions that is text is none"),
    }
}

fn ints(column: &Column) -> &Ints {
    match column {
        Column::Int(ints) => ints,
        _ => panic!("a column of decisions that holds integers holds none"),
    }
}

/// A block's decisions.
pub struct Decided<'a> {
    as_of: Day,
    outcome: [&'a Column; 6],
    /// By entry of the column's dictionary.
    actions: Vec<usize>,
    old_status: &'a Texts,
    old_statuses: Vec<Status>,
    new_statuses: Vec<Status>,
    product: &'a Texts,
    action: &'a Texts,
    reason: &'a Texts,
    rule: &'a Texts,
    old_limit: &'a Ints,
    new_limit: &'a Ints,
    new_status: &'a Texts,
    bound_by: &'a Texts,
    effective_on: &'a Ints,
    balance: &'a Ints,
    days_open: &'a Ints,
    days_since_increase: &'a Ints,
    days_since_decrease: &'a Ints,
    pending_limit: &'a Ints,
    pending_status: &'a Texts,
    pending_on: &'a Ints,
}

/// What a decision comes to: two that are equal do the same for the same reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// What happens.
    pub action: &'a str,
    /// The code.
    pub reason: &'a str,
    /// The rule's name.
    pub rule: Option<&'a str>,
    /// Minor units.
    pub new_limit: i64,
    /// Afterwards.
    pub new_status: &'a str,
    /// The cap that cut it last.
    pub bound_by: Option<&'a str>,
    /// Days from the as-of date until it takes effect; `None` on hold.
    pub notice_days: Option<i64>,
}

impl<'a> Decided<'a> {
    /// The products of all lines.
    pub fn products(&self) -> &'a Texts {
        self.product
    }

    /// The action's position in [`Action::ALL`].
    pub fn action(&self, line: usize) -> usize {
        self.actions[self.action.codes[line] as usize]
    }

    /// Minor units.
    pub fn old_limit(&self, line: usize) -> i64 {
        self.old_limit.values[line]
    }

    /// Minor units.
    pub fn new_limit(&self, line: usize) -> i64 {
        self.new_limit.values[line]
    }

    /// The columns that make the outcome, but for the notice.
    pub fn outcome_columns(&self) -> [&'a Column; 6] {
        self.outcome
    }

    /// Days from the as-of date until it takes effect; `None` on hold.
    pub fn notice_days(&self, line: usize) -> Option<i64> {
        self.effective_on.get(line).map(|day| day - i64::from(self.as_of.0))
    }

    /// What it comes to.
    pub fn outcome(&self, line: usize) -> Outcome<'a> {
        Outcome {
            action: self.action.get(line).unwrap_or_default(),
            reason: self.reason.get(line).unwrap_or_default(),
            rule: self.rule.get(line),
            new_limit: self.new_limit(line),
            new_status: self.new_status.get(line).unwrap_or_default(),
            bound_by: self.bound_by.get(line),
            notice_days: self.notice_days(line),
        }
    }

    /// The line's status before.
    pub fn old_status(&self, line: usize) -> Status {
        self.old_statuses[self.old_status.codes[line] as usize]
    }

    /// Minor units; negative where overpaid.
    pub fn balance(&self, line: usize) -> i64 {
        self.balance.values[line]
    }

    /// When the line was opened.
    pub fn opened_on(&self, line: usize) -> Day {
        self.as_of.plus(-(self.days_open.values[line] as i32))
    }

    /// When its limit last went up.
    pub fn increased_on(&self, line: usize) -> Option<Day> {
        self.days_since_increase.get(line).map(|days| self.as_of.plus(-(*days as i32)))
    }

    /// When its limit last went down.
    pub fn decreased_on(&self, line: usize) -> Option<Day> {
        self.days_since_decrease.get(line).map(|days| self.as_of.plus(-(*days as i32)))
    }

    /// What is still to take effect.
    pub fn pending(&self, line: usize) -> Option<Pending> {
        let limit = *self.pending_limit.get(line)?;
        let on = Day(*self.pending_on.get(line)? as i32);
        Some(Pending { limit, status: self.pending_status.get(line).map_or(Status::Active, status), on })
    }

    /// What the line may come to cost before the run and after it, minor units.
    pub fn exposures(&self, line: usize) -> (i128, i128) {
        let pending = self.pending_limit.get(line).copied();
        let balance = self.balance(line);
        let before = exposure(self.old_status(line), self.old_limit(line), balance, pending);
        let settled = (self.new_statuses[self.new_status.codes[line] as usize], self.new_limit(line));
        let effective_on = self.effective_on.get(line).map(|day| Day(*day as i32));
        (before, exposure_after(before, settled, balance, effective_on, self.as_of))
    }
}

fn status(name: &str) -> Status {
    Status::parse(name).unwrap_or(Status::Active)
}

fn action_place(name: &str) -> usize {
    Action::ALL.iter().position(|action| action.name() == name).unwrap_or(Action::ALL.len() - 1)
}

/// What each entry of a dictionary stands for.
fn by_code<T>(texts: &Texts, meaning: fn(&str) -> T) -> Vec<T> {
    texts.dictionary.iter().map(|name| meaning(name)).collect()
}

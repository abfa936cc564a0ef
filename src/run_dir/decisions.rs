//! What a run decided, line by line, and the lines as they were before.

use anyhow::Result;

use crate::day::Day;
use crate::expr::{Column, Ints, Texts, Type};
use crate::failure::input;
use crate::input::accounts::Accounts;
use crate::input::lines::{Lines, Pending, Status};
use crate::input::stream::ReadTally;
use crate::job::{Action, ColumnSpec, DecisionColumn, Policy};
use crate::policy::{Decision, exposure, exposure_after};
use crate::score::PreviousScores;

/// Where the columns of decisions.parquet stand.
#[derive(Debug, Clone)]
pub struct Slots {
    /// By column; `None` for one that is kept only where the run's rules read it, and they do not.
    slots: [Option<usize>; DecisionColumn::ALL.len()],
    /// The run's as-of date.
    pub as_of: Day,
}

impl Slots {
    /// Finds them among columns of these names and types; `run` is for messages.
    pub fn find<'c>(
        columns: impl Iterator<Item = (&'c str, Type)> + Clone,
        as_of: Day,
        run: &str,
    ) -> Result<Slots> {
        let mut slots = [None; DecisionColumn::ALL.len()];
        for column in DecisionColumn::ALL {
            let ColumnSpec { name, kind, .. } = column.spec();
            let mut named = columns.clone().enumerate().filter(|(_, (known, _))| *known == name);
            let found = named.find(|(_, (_, found))| held(*found) == held(kind)).map(|(slot, _)| slot);
            if found.is_none() && !column.is_on_demand() {
                let kind = kind.name();
                return Err(input(format!(
                    "read {run}/decisions.parquet: it has no column {name} of {kind}; is it a run's?"
                )));
            }
            slots[column as usize] = found;
        }
        Ok(Slots { slots, as_of })
    }

    /// Whether the run's decisions have a column.
    pub fn has(&self, column: DecisionColumn) -> bool {
        self.slots[column as usize].is_some()
    }

    /// The decisions in some rows, all of whose columns are given.
    pub fn of<'a>(&self, columns: &'a [Column]) -> Decisions<'a> {
        let found = self.slots.map(|slot| slot.map(|slot| &columns[slot]));
        let column = |column: DecisionColumn| found[column as usize].expect("found when the run was opened");
        let (text, int) = (|of| texts(column(of)), |of| ints(column(of)));
        Decisions {
            as_of: self.as_of,
            columns: found,
            actions: by_code(text(DecisionColumn::Action), action_position),
            old_statuses: by_code(text(DecisionColumn::OldStatus), status),
            new_statuses: by_code(text(DecisionColumn::NewStatus), status),
            old_status: text(DecisionColumn::OldStatus),
            product: text(DecisionColumn::Product),
            action: text(DecisionColumn::Action),
            reason: text(DecisionColumn::Reason),
            rule: text(DecisionColumn::Rule),
            old_limit: int(DecisionColumn::OldLimit),
            new_limit: int(DecisionColumn::NewLimit),
            new_status: text(DecisionColumn::NewStatus),
            bound_by: text(DecisionColumn::BoundBy),
            effective_on: int(DecisionColumn::EffectiveOn),
            balance: int(DecisionColumn::Balance),
            days_open: int(DecisionColumn::DaysOpen),
            days_since_increase: int(DecisionColumn::DaysSinceIncrease),
            days_since_decrease: int(DecisionColumn::DaysSinceDecrease),
            pending_limit: int(DecisionColumn::PendingLimit),
            pending_status: text(DecisionColumn::PendingStatus),
            pending_on: int(DecisionColumn::PendingOn),
        }
    }
}

/// The type that a column is kept as: a date is an integer.
fn held(kind: Type) -> Type {
    if kind == Type::Date { Type::Int } else { kind }
}

fn texts(column: &Column) -> &Texts {
    match column {
        Column::Text(texts) => texts,
        _ => unreachable!("its type was looked at"),
    }
}

fn ints(column: &Column) -> &Ints {
    match column {
        Column::Int(ints) => ints,
        _ => unreachable!("its type was looked at"),
    }
}

/// The decisions of some rows, with the lines they are about.
pub struct Decisions<'a> {
    as_of: Day,
    columns: [Option<&'a Column>; DecisionColumn::ALL.len()],
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
pub struct PublishedOutcome<'a> {
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

impl<'a> PublishedOutcome<'a> {
    /// What a decision on `policy` comes to.
    pub fn of(decision: &Decision, policy: &'a Policy, as_of: Day) -> PublishedOutcome<'a> {
        PublishedOutcome {
            action: decision.action.name(),
            reason: decision.reason(policy),
            rule: decision.rule_of(policy).map(|rule| rule.name.as_str()),
            new_limit: decision.new_limit,
            new_status: decision.new_status.name(),
            bound_by: decision.bound_by.map(|cap| cap.name()),
            notice_days: decision.effective_on.map(|day| day.since(as_of)),
        }
    }
}

/// The columns that make an outcome, but for the notice.
pub const OUTCOME: [DecisionColumn; 6] = [
    DecisionColumn::Action,
    DecisionColumn::Reason,
    DecisionColumn::Rule,
    DecisionColumn::NewLimit,
    DecisionColumn::NewStatus,
    DecisionColumn::BoundBy,
];

impl<'a> Decisions<'a> {
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

    /// The values of a column; `None` where the run does not keep it.
    pub fn column(&self, column: DecisionColumn) -> Option<&'a Column> {
        self.columns[column as usize]
    }

    /// Days from the as-of date until it takes effect; `None` on hold.
    pub fn notice_days(&self, line: usize) -> Option<i64> {
        self.effective_on.get(line).map(|day| day - i64::from(self.as_of.0))
    }

    /// What it comes to.
    pub fn outcome(&self, line: usize) -> PublishedOutcome<'a> {
        PublishedOutcome {
            action: self.action.get(line).unwrap_or_default(),
            reason: self.reason.get(line).unwrap_or_default(),
            rule: self.rule.get(line),
            new_limit: self.new_limit(line),
            new_status: self.new_status.get(line).unwrap_or_default(),
            bound_by: self.bound_by.get(line),
            notice_days: self.notice_days(line),
        }
    }

    /// When it takes effect; `None` on hold.
    pub fn effective_on(&self, line: usize) -> Option<Day> {
        self.effective_on.get(line).map(|day| Day(*day as i32))
    }

    /// The day that lies so many days before the as-of date.
    fn before(&self, days: &Ints, line: usize) -> Option<Day> {
        days.get(line).map(|days| days_before(self.as_of, *days))
    }

    /// The earlier adjustment that was still to take effect.
    fn pending(&self, line: usize) -> Option<Pending> {
        let limit = *self.pending_limit.get(line)?;
        let on = Day(*self.pending_on.get(line)? as i32);
        let status = self.pending_status.get(line).map_or(Status::Active, status);
        Some(Pending { limit, status, on })
    }

    fn old_status(&self, line: usize) -> Status {
        self.old_statuses[self.old_status.codes[line] as usize]
    }

    /// The lines at `own` as they were, with earlier adjustments laid over them. `account` is by line the
    /// position of its account, `columns` are those of the lines' scope.
    pub fn lines(
        &self,
        own: &[u32],
        account: Vec<u32>,
        accounts: Accounts,
        has_rejected: Vec<bool>,
        columns: Vec<Option<Column>>,
    ) -> Lines {
        let own = || own.iter().map(|line| *line as usize);
        let codes = own().map(|line| self.product.codes[line]).collect();
        Lines {
            accounts,
            has_rejected,
            account,
            product: Texts { codes, dictionary: self.product.dictionary.clone() },
            limit: own().map(|line| self.old_limit.values[line]).collect(),
            balance: own().map(|line| self.balance.values[line]).collect(),
            status: own().map(|line| self.old_status(line)).collect(),
            opened_on: own().map(|line| days_before(self.as_of, self.days_open.values[line])).collect(),
            increased_on: own().map(|line| self.before(self.days_since_increase, line)).collect(),
            decreased_on: own().map(|line| self.before(self.days_since_decrease, line)).collect(),
            status_since: own()
                .map(|line| self.kept_int(DecisionColumn::StatusSince, line).map(day))
                .collect(),
            status_reason: own().map(|line| self.kept_text(DecisionColumn::StatusReason, line)).collect(),
            pending: own().map(|line| self.pending(line)).collect(),
            columns,
            tally: ReadTally::default(),
            snapshot: None,
        }
    }

    /// What an earlier run gave accounts, each by one of its lines.
    pub fn previous(&self, lines: impl Iterator<Item = usize> + Clone) -> PreviousScores {
        PreviousScores {
            score: lines.clone().map(|line| self.kept_int(DecisionColumn::PreviousScore, line)).collect(),
            band: lines.map(|line| self.kept_text(DecisionColumn::PreviousBand, line)).collect(),
        }
    }

    fn kept_int(&self, column: DecisionColumn, line: usize) -> Option<i64> {
        match self.columns[column as usize]? {
            Column::Int(ints) => ints.get(line).copied(),
            _ => None,
        }
    }

    fn kept_text(&self, column: DecisionColumn, line: usize) -> Option<&'a str> {
        match self.columns[column as usize]? {
            Column::Text(texts) => texts.get(line),
            _ => None,
        }
    }

    /// What the line may come to cost after the run, minor units.
    pub fn exposure(&self, line: usize) -> i128 {
        let pending = self.pending_limit.get(line).copied();
        let balance = self.balance.values[line];
        let before = exposure(self.old_status(line), self.old_limit(line), balance, pending);
        let settled = (self.new_statuses[self.new_status.codes[line] as usize], self.new_limit(line));
        exposure_after(before, settled, balance, self.effective_on(line), self.as_of)
    }
}

/// The day that lies so many days before another. Days of far-off dates, such as the -infinity that some data
/// bases know, need more than 32 bits.
fn days_before(day: Day, days: i64) -> Day {
    let found = i64::from(day.0).saturating_sub(days);
    Day(found.clamp(i32::MIN.into(), i32::MAX.into()) as i32)
}

fn day(number: i64) -> Day {
    Day(number as i32)
}

fn status(name: &str) -> Status {
    Status::parse(name).unwrap_or(Status::Active)
}

fn action_position(name: &str) -> usize {
    Action::ALL.iter().position(|action| action.name() == name).unwrap_or(Action::ALL.len() - 1)
}

/// What each entry of a dictionary stands for.
fn by_code<T>(texts: &Texts, meaning: fn(&str) -> T) -> Vec<T> {
    texts.dictionary.iter().map(|name| meaning(name)).collect()
}

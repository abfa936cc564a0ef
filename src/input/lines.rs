//! The book of credit lines: what is known of each line, one row a line, sorted by account and product.

use super::accounts::{Accounts, Ids};
use super::stream::ReadTally;
use crate::day::Day;
use crate::expr::{Column, Texts};

/// What can be done with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It can be drawn on.
    Active,
    /// No new drawings; it can be reopened.
    Suspended,
    /// Gone, but for what is owed.
    Closed,
}

impl Status {
    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Suspended => "suspended",
            Status::Closed => "closed",
        }
    }

    /// The status of a name.
    pub fn parse(name: &str) -> Option<Status> {
        [Status::Active, Status::Suspended, Status::Closed].into_iter().find(|status| status.name() == name)
    }
}

/// An adjustment that takes effect after the as-of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// The limit to come, minor units.
    pub limit: i64,
    /// The status to come.
    pub status: Status,
    /// When.
    pub on: Day,
}

/// The accepted lines, sorted by account and product; one entry a line in every vector.
pub struct Lines {
    /// Accounts with at least one line.
    pub accounts: Accounts,
    /// By account position: whether the snapshot holds a rejected row of it.
    pub has_rejected: Vec<bool>,
    /// Position of the account.
    pub account: Vec<u32>,
    /// Product names.
    pub product: Texts,
    /// Minor units.
    pub limit: Vec<i64>,
    /// Minor units; negative where overpaid.
    pub balance: Vec<i64>,
    /// Status.
    pub status: Vec<Status>,
    /// When the line was opened.
    pub opened_on: Vec<Day>,
    /// When the limit last went up.
    pub increased_on: Vec<Option<Day>>,
    /// When it last went down.
    pub decreased_on: Vec<Option<Day>>,
    /// Since when it has its status.
    pub status_since: Vec<Option<Day>>,
    /// The reason of the adjustment that gave it.
    pub status_reason: Texts,
    /// What earlier runs decided that is not in effect yet.
    pub pending: Vec<Option<Pending>>,
    /// The id of each line's account and the extra columns, by position in the lines scope.
    pub columns: Vec<Option<Column>>,
    /// Rows read and left out.
    pub tally: ReadTally,
    /// The delivery the lines are from; `None` if undated.
    pub snapshot: Option<Day>,
}

impl Lines {
    /// No lines, of no account.
    pub fn none(accounts: Accounts, snapshot: Option<Day>) -> Lines {
        Lines {
            accounts,
            has_rejected: Vec::new(),
            account: Vec::new(),
            product: Texts::default(),
            limit: Vec::new(),
            balance: Vec::new(),
            status: Vec::new(),
            opened_on: Vec::new(),
            increased_on: Vec::new(),
            decreased_on: Vec::new(),
            status_since: Vec::new(),
            status_reason: Texts::default(),
            pending: Vec::new(),
            columns: Vec::new(),
            tally: ReadTally::default(),
            snapshot,
        }
    }

    /// The lines as many times over, each time as those of other accounts. `self` must be of one account.
    pub fn repeated(&self, times: usize) -> Lines {
        let ids = Ids::Int((0..times as i64).collect());
        self.of_accounts(&vec![0; times], Accounts::new(ids))
    }

    /// The lines of the accounts at some positions, as those of `accounts` in that order.
    pub fn of_accounts(&self, positions: &[u32], accounts: Accounts) -> Lines {
        let (mut rows, mut account) = (Vec::new(), Vec::new());
        for (number, position) in (0..).zip(positions) {
            let first = self.account.partition_point(|other| other < position);
            let own = self.account[first..].iter().take_while(|other| *other == position).count();
            rows.extend(first as u32..(first + own) as u32);
            account.extend(std::iter::repeat_n(number, own));
        }
        Lines {
            accounts,
            has_rejected: gather(&self.has_rejected, positions),
            account,
            product: gather_texts(&self.product, &rows),
            limit: gather(&self.limit, &rows),
            balance: gather(&self.balance, &rows),
            status: gather(&self.status, &rows),
            opened_on: gather(&self.opened_on, &rows),
            increased_on: gather(&self.increased_on, &rows),
            decreased_on: gather(&self.decreased_on, &rows),
            status_since: gather(&self.status_since, &rows),
            status_reason: gather_texts(&self.status_reason, &rows),
            pending: gather(&self.pending, &rows),
            columns: self.columns.iter().map(|column| column.as_ref().map(|c| c.gather(&rows))).collect(),
            tally: ReadTally::default(),
            snapshot: self.snapshot,
        }
    }
}

fn gather<T: Clone>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|row| values[*row as usize].clone()).collect()
}

fn gather_texts(texts: &Texts, rows: &[u32]) -> Texts {
    Texts { codes: gather(&texts.codes, rows), dictionary: texts.dictionary.clone() }
}

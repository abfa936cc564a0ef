//! The model's book: accepted lines of the snapshot with the issued adjustments laid over them.

use std::collections::BTreeSet;
use std::ops::Range;

use super::case::{Case, Issued};
use super::intake::Intake;
use super::value::{Row, Value, date_or_null};

/// A line as a run sees it.
#[derive(Debug, Clone)]
pub struct Line {
    pub account: Value,
    pub product: String,
    pub limit: i128,
    pub balance: i128,
    pub status: String,
    pub opened_on: i32,
    pub increased_on: Option<i32>,
    pub decreased_on: Option<i32>,
    pub status_since: Option<i32>,
    pub status_reason: Option<String>,
    pub pending: Option<Pending>,
    /// Extra columns.
    pub extra: Row,
}

/// An adjustment that takes effect after D.
#[derive(Debug, Clone)]
pub struct Pending {
    pub limit: i128,
    pub status: String,
    pub on: i32,
}

/// All lines, by account and product.
pub struct Book {
    pub lines: Vec<Line>,
    /// Accounts with a rejected row in the snapshot.
    pub tainted: BTreeSet<Value>,
    pub issued_unknown: u64,
}

impl Book {
    pub fn of(case: &Case, intake: &Intake) -> Book {
        let accepted = intake.lines.iter().filter(|row| row.reason.is_none());
        let mut lines: Vec<Line> = accepted.map(|row| line_of(&row.values)).collect();
        lines.sort_by_key(|line| (line.account.clone(), line.product.clone()));
        let rejected = intake.lines.iter().filter(|row| row.reason.is_some());
        let tainted = rejected.map(|row| row.value("account_id").clone()).collect();
        let mut book = Book { lines, tainted, issued_unknown: 0 };
        book.lay_over(case, intake.snapshot);
        book
    }

    fn lay_over(&mut self, case: &Case, snapshot: Option<i32>) {
        let counting = |issued: &&Issued| issued.run < case.as_of;
        let mut issued: Vec<&Issued> = case.issued.iter().flatten().filter(counting).collect();
        issued.sort_by_key(|issued| (issued.account.clone(), issued.product.clone(), issued.run));
        let is_void = |one: &Issued| {
            let of_line = |other: &&&Issued| other.account == one.account && other.product == one.product;
            let later = |other: &&Issued| other.run > one.run && other.effective_on <= one.effective_on;
            let first = issued.partition_point(|other| other.account < one.account);
            let of_account = issued[first..].iter().take_while(|other| other.account == one.account);
            of_account.filter(of_line).any(later)
        };
        let is_in = |one: &Issued| snapshot.is_some_and(|date| one.run < date && one.effective_on <= date);
        for one in issued.iter().filter(|one| !is_void(one) && !is_in(one)) {
            let own = self.of_account(&one.account);
            match self.lines[own].iter_mut().find(|line| line.product == one.product) {
                None => self.issued_unknown += 1,
                Some(line) => lay_over_line(line, one, case.as_of),
            }
        }
    }

    /// Where the lines of an account are.
    pub fn of_account(&self, account: &Value) -> Range<usize> {
        let first = self.lines.partition_point(|line| line.account < *account);
        first..first + self.lines[first..].iter().take_while(|line| line.account == *account).count()
    }

    /// Every account with a line, ascending.
    pub fn accounts(&self) -> Vec<Value> {
        let accounts: BTreeSet<Value> = self.lines.iter().map(|line| line.account.clone()).collect();
        accounts.into_iter().collect()
    }
}

fn lay_over_line(line: &mut Line, issued: &Issued, as_of: i32) {
    if issued.is_withdrawal {
        return;
    }
    let new_limit = i128::from(issued.new_limit);
    if issued.effective_on > as_of {
        let status = issued.new_status.to_string();
        line.pending = Some(Pending { limit: new_limit, status, on: issued.effective_on });
        return;
    }
    if new_limit > line.limit {
        line.increased_on = Some(issued.effective_on);
    }
    if new_limit < line.limit {
        line.decreased_on = Some(issued.effective_on);
    }
    if issued.new_status != line.status {
        line.status_since = Some(issued.effective_on);
        line.status_reason = Some(issued.reason.clone());
    }
    line.limit = new_limit;
    line.status = issued.new_status.to_string();
}

fn line_of(row: &Row) -> Line {
    let money = |column: &str| row[column].small().expect("accepted");
    let text = |column: &str| row[column].text().expect("accepted").to_string();
    let date = |column: &str| row.get(column).and_then(Value::date);
    Line {
        account: row["account_id"].clone(),
        product: text("product"),
        limit: money("credit_limit"),
        balance: money("balance"),
        status: text("status"),
        opened_on: date("opened_on").expect("accepted"),
        increased_on: date("increased_on"),
        decreased_on: date("decreased_on"),
        status_since: date("status_since"),
        status_reason: row.get("status_reason").and_then(Value::text).map(String::from),
        pending: None,
        extra: row.clone(),
    }
}

impl Line {
    /// What `lines` features see, and rules among other things.
    pub fn columns(&self, as_of: i32) -> Row {
        let pending_limit = self.pending.as_ref().map(|pending| pending.limit);
        let since = |date: Option<i32>| date.map(|date| i64::from(as_of) - i64::from(date));
        let own: [(&str, Value); 16] = [
            ("account_id", self.account.clone()),
            ("product", self.product.clone().into()),
            ("credit_limit", self.limit.into()),
            ("balance", self.balance.into()),
            ("status", self.status.clone().into()),
            ("opened_on", Value::Date(self.opened_on)),
            ("increased_on", date_or_null(self.increased_on)),
            ("decreased_on", date_or_null(self.decreased_on)),
            ("days_open", since(Some(self.opened_on)).into()),
            ("is_pending", self.pending.is_some().into()),
            ("pending_limit", pending_limit.into()),
            ("days_since_increase", since(self.increased_on).into()),
            ("days_since_decrease", since(self.decreased_on).into()),
            ("status_since", date_or_null(self.status_since)),
            ("status_reason", self.status_reason.clone().into()),
            ("days_in_status", since(self.status_since).into()),
        ];
        let mut columns = self.extra.clone();
        columns.extend(own.map(|(name, value)| (name.to_string(), value)));
        columns
    }

    pub fn exposure(&self) -> i128 {
        let drawn = self.balance.max(0);
        match self.status.as_str() {
            "closed" => drawn,
            _ => self.limit.max(self.balance).max(self.pending.as_ref().map_or(i128::MIN, |p| p.limit)),
        }
    }
}

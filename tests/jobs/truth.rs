//! What the deliveries say of income, purchases and bills, told without the program: what its decisions are
//! held against.

use std::collections::{HashMap, HashSet};

use rescore::day::Day;

use super::core_system::{CoreSystem, HISTORY_DAYS};
use crate::support::{Cell, Table};

/// A transfer below this is a present or a shared meal, not income: 500.00.
const LEAST_INCOME: i64 = 50_000;

/// A bill is paid where no more than this is lacking, in minor units: the scorecard's tolerance.
const TOLERANCE: i64 = 100;

struct Bill {
    due_on: Day,
    due_amount: i64,
    paid: i64,
    /// The delivery that the terms are of.
    told_on: Day,
}

/// What is known of the accounts as of the last delivery.
#[derive(Default)]
pub struct Truth {
    last_income: HashMap<i64, Day>,
    last_purchase: HashMap<i64, Day>,
    bills: HashMap<(i64, String, i64), Bill>,
}

impl Truth {
    /// What is known before a lender's first night.
    pub fn before(lender: &CoreSystem, first: Day) -> Truth {
        let mut truth = Truth::default();
        for day in first.plus(-HISTORY_DAYS).to(first.plus(-1)) {
            truth.learn(lender, day);
        }
        truth
    }

    /// Takes up what is delivered on a day.
    pub fn learn(&mut self, lender: &CoreSystem, day: Day) {
        let columns = ["account_id", "posted_on", "kind", "amount"];
        let rows = lender.delivery("transactions", day, &columns);
        let [account, posted_on, kind, amount] = columns.map(|name| rows.position(name).unwrap());
        for row in &rows.rows {
            let (Some(account), Some(posted_on), Some(amount)) =
                (row[account].int(), row[posted_on].date(), row[amount].int())
            else {
                continue;
            };
            let last = match row[kind].text() {
                Some("salary") => &mut self.last_income,
                Some("transfer_in") if amount >= LEAST_INCOME => &mut self.last_income,
                Some("purchase") => &mut self.last_purchase,
                _ => continue,
            };
            let last = last.entry(account).or_insert(posted_on);
            *last = posted_on.max(*last);
        }
        let columns = ["account_id", "product", "bill_id", "due_on", "due_amount", "paid_on", "paid_amount"];
        let rows = lender.delivery("repayments", day, &columns);
        for row in &rows.rows {
            self.learn_of_bill(&rows, row, day);
        }
    }

    fn learn_of_bill(&mut self, rows: &Table, row: &[Cell], day: Day) {
        let cell = |name: &str| &row[rows.position(name).unwrap()];
        let (Some(account), Some(product), Some(bill), Some(due_on), Some(due_amount)) = (
            cell("account_id").int(),
            cell("product").text(),
            cell("bill_id").int(),
            cell("due_on").date(),
            cell("due_amount").int(),
        ) else {
            return;
        };
        let (paid_on, paid_amount) = (cell("paid_on").date(), cell("paid_amount").int());
        let is_broken = due_amount <= 0
            || paid_on.is_some_and(|on| on > day)
            || paid_on.is_some() != paid_amount.is_some_and(|amount| amount != 0);
        if is_broken {
            return;
        }
        let terms = Bill { due_on, due_amount, paid: 0, told_on: day };
        let known = self.bills.entry((account, product.to_string(), bill)).or_insert(terms);
        if known.told_on == day {
            known.due_on = known.due_on.min(due_on);
            known.due_amount = known.due_amount.max(due_amount);
        } else {
            (known.due_on, known.due_amount, known.told_on) = (due_on, due_amount, day);
        }
        known.paid += paid_amount.unwrap_or(0);
    }

    /// When an account's last income came, as far as is known.
    pub fn last_income(&self, account: i64) -> Option<Day> {
        self.last_income.get(&account).copied()
    }

    /// When an account last bought something, as far as is known.
    pub fn last_purchase(&self, account: i64) -> Option<Day> {
        self.last_purchase.get(&account).copied()
    }

    /// The accounts with a bill that is unpaid after its due date, on a day.
    pub fn past_due(&self, on: Day) -> HashSet<i64> {
        let is_past_due = |bill: &Bill| bill.due_on < on && bill.paid < (bill.due_amount - TOLERANCE).max(1);
        let bills = self.bills.iter().filter(|(_, bill)| is_past_due(bill));
        bills.map(|((account, ..), _)| *account).collect()
    }
}

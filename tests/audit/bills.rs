//! The model's bills: terms, payments and what became of them by the end of D.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigInt;

use super::case::Case;
use super::intake::{Intake, Judged};
use super::value::{Row, Value, date_or_null};

/// (account, product, bill)
type Key = (Value, Value, Value);

/// Bills of a run.
pub struct Bills {
    /// The columns of every bill, due by D or not, with its account.
    pub all: Vec<(Value, Row)>,
    pub conflicts: u64,
}

impl Bills {
    pub fn of(case: &Case, intake: &Intake) -> Bills {
        let mut by_bill: BTreeMap<Key, Vec<&Judged>> = BTreeMap::new();
        for row in intake.repayments.iter().filter(|row| row.reason.is_none()) {
            let key = ["account_id", "product", "bill_id"].map(|column| row.value(column).clone());
            let [account, product, bill] = key;
            by_bill.entry((account, product, bill)).or_default().push(row);
        }
        let conflicts = by_bill.values().filter(|rows| is_conflicting(rows)).count() as u64;
        let all = by_bill.iter().map(|(key, rows)| (key.0.clone(), columns(case, key, rows)));
        Bills { all: all.collect(), conflicts }
    }
}

fn is_conflicting(rows: &[&Judged]) -> bool {
    let mut terms: BTreeMap<Option<i32>, BTreeSet<(Value, Value)>> = BTreeMap::new();
    for row in rows {
        let own = (row.value("due_on").clone(), row.value("due_amount").clone());
        terms.entry(row.delivery).or_default().insert(own);
    }
    terms.values().any(|terms| terms.len() > 1)
}

fn columns(case: &Case, key: &Key, rows: &[&Judged]) -> Row {
    let as_of = case.as_of;
    let latest = rows.iter().map(|row| row.delivery).max().expect("a bill has rows");
    let terms = || rows.iter().filter(|row| row.delivery == latest);
    let due_on = terms().filter_map(|row| row.value("due_on").date()).min().expect("accepted");
    let due_amount = terms().filter_map(|row| row.value("due_amount").small()).max().expect("accepted");
    let payments = rows.iter().filter_map(|row| {
        let paid_on = row.value("paid_on").date().filter(|paid_on| *paid_on <= as_of)?;
        Some((paid_on, row.value("paid_amount").small().expect("accepted")))
    });
    let payments: Vec<(i32, i128)> = payments.collect();
    let paid: i128 = payments.iter().map(|(_, amount)| amount).sum();
    let enough = 1.max(due_amount - i128::from(case.job.tolerance.unwrap_or(0)));
    let settled_on = settled_on(&payments, enough, as_of);
    let late = i64::from(settled_on.unwrap_or(as_of)) - i64::from(due_on);
    let columns: [(&str, Value); 10] = [
        ("product", key.1.clone()),
        ("bill_id", key.2.clone()),
        ("due_on", Value::Date(due_on)),
        ("due_amount", due_amount.into()),
        ("paid", BigInt::from(paid).into()),
        ("settled_on", date_or_null(settled_on)),
        ("is_open", settled_on.is_none().into()),
        ("days_late", late.max(0).into()),
        ("outstanding", (due_amount - paid).max(0).into()),
        ("is_due", (due_on <= as_of).into()),
    ];
    columns.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

/// Walks back from D, a payment date at a time, while the payments so far are enough.
fn settled_on(payments: &[(i32, i128)], enough: i128, as_of: i32) -> Option<i32> {
    let reaches = |day: i32| {
        let so_far: i128 = payments.iter().filter(|(on, _)| *on <= day).map(|(_, amount)| amount).sum();
        so_far >= enough
    };
    let mut days: Vec<i32> = payments.iter().map(|(on, _)| *on).chain([as_of]).collect();
    days.sort_unstable();
    days.dedup();
    // Between payment dates nothing changes, so a stretch that reaches starts on a payment date.
    let stretch = days.iter().rev().take_while(|day| reaches(**day)).last().copied();
    stretch.filter(|_| reaches(as_of))
}

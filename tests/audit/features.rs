//! The model's features: every row looked at for every feature of every account.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigInt;

use super::bills::Bills;
use super::book::Book;
use super::case::{Case, Feature, FeatureKind};
use super::expression::Node;
use super::intake::Intake;
use super::value::{Row, Value, fits};

/// Features by name, in no order.
pub type Features = Row;

/// The rows that features of one account are made of, each with its date.
#[derive(Default)]
struct Material {
    transactions: Vec<(i32, Row)>,
    bills: Vec<(i32, Row)>,
    lines: Vec<(i32, Row)>,
}

/// The features of every account with a line; an error where a result is no Int64.
pub fn features(
    case: &Case,
    intake: &Intake,
    bills: &Bills,
    book: &Book,
) -> Result<BTreeMap<Value, Features>, String> {
    let accounts = book.accounts().into_iter();
    accounts
        .map(|account| {
            let features = features_of(case, intake, bills, book, &account)?;
            Ok((account, features))
        })
        .collect()
}

/// The features of one account.
pub fn features_of(
    case: &Case,
    intake: &Intake,
    bills: &Bills,
    book: &Book,
    account: &Value,
) -> Result<Features, String> {
    let material = material(case, intake, bills, book, account);
    let mut known = Features::new();
    for feature in &case.job.features {
        let value = value(case, feature, &material, &known)
            .map_err(|what| format!("{what} of {} of {account:?}", feature.name))?;
        known.insert(feature.name.clone(), value);
    }
    Ok(known)
}

fn material(case: &Case, intake: &Intake, bills: &Bills, book: &Book, account: &Value) -> Material {
    let mut material = Material::default();
    for row in intake.transactions.iter().filter(|row| row.reason.is_none()) {
        let posted_on = row.value("posted_on").date().expect("accepted");
        if row.value("account_id") == account && posted_on <= case.as_of {
            material.transactions.push((posted_on, row.values.clone()));
        }
    }
    for (_, bill) in bills.all.iter().filter(|(owner, _)| owner == account) {
        material.bills.push((bill["due_on"].date().expect("accepted"), bill.clone()));
    }
    for line in &book.lines[book.of_account(account)] {
        material.lines.push((case.as_of, line.columns(case.as_of)));
    }
    material
}

fn value(case: &Case, feature: &Feature, material: &Material, known: &Features) -> Result<Value, String> {
    let exact = match &feature.kind {
        FeatureKind::Expression(node) => node.value(known),
        FeatureKind::Ratio { a, b, scale } => ratio(&known[a], &known[b], *scale),
        FeatureKind::Aggregate { from, statistic, of, filter, days, skip_days } => {
            let rows = match *from {
                "transactions" => &material.transactions,
                "bills" => &material.bills,
                _ => &material.lines,
            };
            // Whatever their date: the figure of a bill is one of the whole run.
            let sees_ahead = *from == "bills" && filter.as_ref().is_some_and(|filter| filter.names("is_due"));
            let is_seen = |row: &Row| *from != "bills" || sees_ahead || row["is_due"] == Value::Bool(true);
            let rows: Vec<&(i32, Row)> = rows.iter().filter(|(_, row)| is_seen(row)).collect();
            check_bill_figures(&rows, of, filter)?;
            let last = i64::from(case.as_of) - i64::from(skip_days.unwrap_or(0));
            let first = days.map(|days| last - i64::from(days) + 1);
            let in_window =
                |date: i32| first.is_none_or(|first| first <= date.into()) && i64::from(date) <= last;
            let counts = |row: &Row| filter.as_ref().is_none_or(|filter| filter.is_true(row));
            let counted = rows.iter().filter(|(date, row)| (sees_ahead || in_window(*date)) && counts(row));
            let taken = counted.filter_map(|(date, row)| match of {
                Some(of) => Some((*date, of.value(row))).filter(|(_, value)| !value.is_null()),
                None => Some((*date, Value::Null)),
            });
            let taken: Vec<(i32, Value)> = taken.collect();
            if let Some(value) = taken.iter().filter_map(|(_, value)| value.int()).find(|value| !fits(value))
            {
                return Err(format!("a row's {value}"));
            }
            aggregate(case, statistic, &taken)
        }
    };
    match &exact {
        Value::Int(value) if !fits(value) => Err(format!("{value}")),
        _ => Ok(exact),
    }
}

/// Figures of a bill that a feature reads must be Int64 themselves.
fn check_bill_figures(rows: &[&(i32, Row)], of: &Option<Node>, filter: &Option<Node>) -> Result<(), String> {
    for figure in ["paid", "outstanding"] {
        let is_read = of.iter().chain(filter).any(|node| node.names(figure));
        let exact = |(_, row): &&(i32, Row)| row.get(figure).and_then(Value::int);
        if is_read && let Some(value) = rows.iter().filter_map(exact).find(|value| !fits(value)) {
            return Err(format!("{figure} {value}"));
        }
    }
    Ok(())
}

fn ratio(a: &Value, b: &Value, scale: i64) -> Value {
    match (a.int(), b.int()) {
        (Some(a), Some(b)) if b != BigInt::ZERO => (BigInt::from(scale) * a / b).into(),
        _ => Value::Null,
    }
}

/// Over the dates and `of` values of the rows that take part.
fn aggregate(case: &Case, statistic: &str, taken: &[(i32, Value)]) -> Value {
    let latest = taken.iter().map(|(date, _)| *date).max();
    let earliest = taken.iter().map(|(date, _)| *date).min();
    let values = || taken.iter().map(|(_, value)| value.clone());
    match statistic {
        "count" => (taken.len() as i64).into(),
        "sum" => values().filter_map(|value| value.int()).sum::<BigInt>().into(),
        "min" => values().min().unwrap_or(Value::Null),
        "max" => values().max().unwrap_or(Value::Null),
        "last" => {
            let last = taken.iter().filter(|(date, _)| Some(*date) == latest);
            last.map(|(_, value)| value.clone()).max().unwrap_or(Value::Null)
        }
        "active_days" => (taken.iter().map(|(date, _)| date).collect::<BTreeSet<_>>().len() as i64).into(),
        "distinct" => (values().collect::<BTreeSet<_>>().len() as i64).into(),
        "days_since" => latest.map(|latest| i64::from(case.as_of) - i64::from(latest)).into(),
        "days_since_first" => earliest.map(|earliest| i64::from(case.as_of) - i64::from(earliest)).into(),
        other => panic!("no statistic {other}"),
    }
}

//! Reads a golden case, its job files and its data, into a case of the model.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use arrow_schema::DataType;
use toml::{Table as Toml, Value as Item};

use super::case::{
    Amount, Budget, Case, Characteristic, DataFile, Dates, Feature, FeatureKind, Format, Input, Issued, Job,
    Layout, Policy, Product, Rule, Score,
};
use super::draw_book::STATUSES;
use super::read_expression::read_expression;
use super::value::{Kind, Value};
use crate::support::{Cell, Table, day};

/// The case in a directory, with neither dates nor a previous run yet.
pub fn read_case(directory: &Path) -> Case {
    let toml = |name: &str| -> Toml {
        fs::read_to_string(directory.join(format!("jobs/{name}.toml"))).unwrap().parse().unwrap()
    };
    let [job, scorecard, policy] = ["nightly", "scorecard", "policy"].map(toml);
    let input = |name: &'static str, money: &[&'static str]| input(directory, &job, name, money);
    let transactions = input("transactions", &["amount"]);
    Case {
        as_of: 0,
        known_on: 0,
        chain_from: None,
        account_kind: transactions.columns.iter().find(|(name, _)| *name == "account_id").unwrap().1,
        transactions,
        repayments: input("repayments", &["due_amount", "paid_amount"]),
        lines: input("lines", &["credit_limit", "balance"]),
        issued: Some(issued(directory)),
        earlier_nights: table(&job, "input").contains_key("previous").then(Vec::new),
        previous: None,
        job: read_job(&job, &scorecard, policy_of(&policy)),
    }
}

fn table<'a>(toml: &'a Toml, key: &str) -> &'a Toml {
    toml[key].as_table().unwrap()
}

/// The tables of an array; none where there is no such key.
fn tables<'a>(toml: &'a Toml, key: &str) -> Vec<&'a Toml> {
    let items = toml.get(key).and_then(Item::as_array).into_iter().flatten();
    items.map(|item| item.as_table().unwrap()).collect()
}

fn text(toml: &Toml, key: &str) -> String {
    toml[key].as_str().unwrap().to_string()
}

fn maybe_text(toml: &Toml, key: &str) -> Option<String> {
    toml.get(key).map(|item| item.as_str().unwrap().to_string())
}

/// A name that lasts as long as the tests.
fn name(toml: &Toml, key: &str) -> &'static str {
    text(toml, key).leak()
}

fn int(toml: &Toml, key: &str) -> i64 {
    toml[key].as_integer().unwrap()
}

fn maybe_int(toml: &Toml, key: &str) -> Option<i64> {
    toml.get(key).map(|item| item.as_integer().unwrap())
}

fn points(toml: &Toml, key: &str) -> i32 {
    int(toml, key).try_into().unwrap()
}

fn read_job(job: &Toml, scorecard: &Toml, policy: Policy) -> Job {
    let score = table(scorecard, "score");
    let [base, min, max] = ["base", "min", "max"].map(|key| points(score, key));
    let bins = |one: &Toml| {
        let bins = tables(one, "bins");
        bins.iter().map(|bin| (maybe_int(bin, "below"), points(bin, "points"))).collect()
    };
    let characteristic = |one: &Toml| Characteristic {
        feature: text(one, "feature"),
        dimension: text(one, "dimension"),
        reason: text(one, "reason"),
        missing: points(one, "missing"),
        missing_reason: maybe_text(one, "missing_reason"),
        baseline: maybe_int(one, "baseline").map(|baseline| baseline as i32),
        bins: bins(one),
    };
    let of = |key: &str| tables(scorecard, key).into_iter();
    Job {
        minor_units: points(job, "minor_units") as u32,
        timezone: "UTC",
        lines_max_age_days: points(job, "lines_max_age_days"),
        without: Vec::new(),
        keeps_state: false,
        gates: Vec::new(),
        tolerance: scorecard.get("bills").and_then(|bills| maybe_int(bills.as_table().unwrap(), "tolerance")),
        features: of("feature").map(feature).collect(),
        score: Score { base, min, max, reasons: int(score, "reasons") as usize },
        bands: of("band").map(|band| (text(band, "name"), points(band, "from"))).collect(),
        dimensions: of("dimension").map(|dimension| text(dimension, "name")).collect(),
        characteristics: of("characteristic").map(characteristic).collect(),
        policy,
    }
}

fn feature(toml: &Toml) -> Feature {
    let kind = if let Some(expression) = maybe_text(toml, "expr") {
        FeatureKind::Expression(read_expression(&expression))
    } else if let Some(ratio) = toml.get("ratio") {
        let [a, b] = [0, 1].map(|place| ratio[place].as_str().unwrap().to_string());
        FeatureKind::Ratio { a, b, scale: int(toml, "scale") }
    } else {
        FeatureKind::Aggregate {
            from: name(toml, "from"),
            statistic: name(toml, "agg"),
            of: maybe_text(toml, "of").map(|of| read_expression(&of)),
            filter: maybe_text(toml, "where").map(|filter| read_expression(&filter)),
            days: maybe_int(toml, "days").map(|days| days as i32),
            skip_days: maybe_int(toml, "skip_days").map(|days| days as i32),
        }
    };
    Feature { name: text(toml, "name"), kind }
}

fn budget(toml: &Toml, key: &str) -> Option<Budget> {
    let share = maybe_int(toml, &format!("{key}_bp")).map(Budget::Share);
    maybe_int(toml, key).map(Budget::Amount).or(share)
}

fn policy_of(toml: &Toml) -> Policy {
    let [account, cooldown] = ["account", "cooldown"].map(|key| table(toml, key));
    let band_max = |product: &Toml| -> BTreeMap<String, i64> {
        let most = product.get("band_max").and_then(Item::as_table).into_iter().flatten();
        most.map(|(band, most)| (band.clone(), most.as_integer().unwrap())).collect()
    };
    let product = |product: &Toml| Product {
        name: text(product, "name"),
        min_limit: int(product, "min_limit"),
        max_limit: int(product, "max_limit"),
        step: int(product, "step"),
        min_raise: maybe_int(product, "min_raise"),
        band_max: band_max(product),
        raise_budget: budget(product, "raise_budget"),
    };
    let affordability = account.get("affordability").and_then(Item::as_table);
    Policy {
        products: tables(toml, "product").into_iter().map(product).collect(),
        max_total_limit: maybe_int(account, "max_total_limit"),
        affordability: affordability.map(|own| (text(own, "feature"), int(own, "bp"))),
        raise_after_raise_days: maybe_int(cooldown, "raise_after_raise_days"),
        raise_after_lower_days: maybe_int(cooldown, "raise_after_lower_days"),
        lower_after_lower_days: maybe_int(cooldown, "lower_after_lower_days"),
        rules: tables(toml, "rule").into_iter().map(rule).collect(),
    }
}

fn rule(toml: &Toml) -> Rule {
    let products = toml.get("products").and_then(Item::as_array);
    let amount = maybe_int(toml, "percent")
        .map(Amount::Percent)
        .or(maybe_int(toml, "by").map(Amount::By))
        .or(maybe_int(toml, "to").map(Amount::To));
    Rule {
        name: text(toml, "name"),
        products: products.map(|own| own.iter().map(|item| item.as_str().unwrap().to_string()).collect()),
        when: read_expression(&text(toml, "when")),
        action: name(toml, "action"),
        reason: text(toml, "reason"),
        notice_days: maybe_int(toml, "notice_days").map(|days| days as i32),
        amount,
        never_below_balance: toml.get("never_below_balance").and_then(Item::as_bool),
        budget: budget(toml, "budget"),
    }
}

/// The Parquet files below a directory, ascending.
fn parquet_files(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { parquet_files(&path) } else { vec![path] }).collect()
}

/// Of `…/date=2026-11-19/part-0.parquet`; None: undated.
fn delivery(path: &Path) -> Option<i32> {
    let directory = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
    directory.strip_prefix("date=").map(|date| day(date).0)
}

fn input(directory: &Path, job: &Toml, name: &'static str, money: &[&'static str]) -> Input {
    let option = |key: &str| job.get(key).and_then(|of| of.get(name)).and_then(Item::as_table);
    let rename: BTreeMap<String, String> = option("rename")
        .map(|rename| rename.keys().map(|column| (column.clone(), text(rename, column))).collect())
        .unwrap_or_default();
    let contract_name = |found: &String| {
        let renamed = rename.iter().find(|(_, theirs)| *theirs == found);
        renamed.map_or(found.clone(), |(own, _)| own.clone())
    };
    let read = parquet_files(&directory.join("data").join(name)).into_iter().map(|path| {
        let table = Table::read(&path);
        (path, table)
    });
    let read: Vec<(PathBuf, Table)> = read.collect();
    let columns = read[0].1.columns.iter().map(|(found, data_type)| {
        let kind = match data_type {
            DataType::Utf8 => Kind::Text,
            DataType::Boolean => Kind::Bool,
            DataType::Date32 => Kind::Date,
            _ => Kind::Int,
        };
        (&*contract_name(found).leak(), kind)
    });
    let columns = columns.collect();
    let is_dated = delivery(&read[0].0).is_some();
    let file = |(path, table): (PathBuf, Table)| DataFile {
        delivery: delivery(&path).unwrap_or(0),
        stem: path.file_stem().unwrap().to_str().unwrap().to_string(),
        rows: table.rows.iter().map(|row| row.iter().map(value).collect()).collect(),
        format: FORMAT,
    };
    Input {
        columns,
        money: money.to_vec(),
        layout: if is_dated { Layout::Partitioned } else { Layout::Undated },
        files: read.into_iter().map(file).collect(),
        lacking: BTreeSet::new(),
        rename,
        unique: option("unique").map(|unique| (text(unique, "column"), int(unique, "within_days") as u32)),
    }
}

/// It is never written.
const FORMAT: Format = Format {
    money_scale: None,
    dates: Dates::Date32,
    narrow_ints: false,
    dictionary: true,
    row_group_rows: 1000,
};

/// Decimals of the golden cases have as many places as their money has minor units.
fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(value) => (*value).into(),
        Cell::Text(text) => text.as_str().into(),
        Cell::Date(day) => Value::Date(day.0),
        Cell::Bool(truth) => (*truth).into(),
        Cell::Decimal(unscaled) => (*unscaled).into(),
    }
}

fn issued(directory: &Path) -> Vec<Issued> {
    let files = parquet_files(&directory.join("data/issued"));
    files.iter().flat_map(|path| issued_of(delivery(path).unwrap(), &Table::read(path))).collect()
}

/// The adjustments of a run.
pub fn issued_of(run: i32, adjustments: &Table) -> Vec<Issued> {
    let columns = ["account_id", "product", "new_limit", "new_status", "effective_on", "action", "reason"];
    let columns = columns.map(|name| adjustments.column(name));
    let issued = |row: usize| match columns.each_ref().map(|cells| cells[row].clone()) {
        [
            account,
            Cell::Text(product),
            Cell::Int(new_limit),
            Cell::Text(status),
            Cell::Date(effective_on),
            Cell::Text(action),
            Cell::Text(reason),
        ] => Issued {
            run,
            account: value(&account),
            product,
            new_limit,
            new_status: STATUSES.into_iter().find(|known| *known == status).expect("a status"),
            effective_on: effective_on.0,
            is_withdrawal: action == "withdraw",
            reason,
        },
        other => panic!("{other:?} is no adjustment"),
    };
    (0..adjustments.rows.len()).map(issued).collect()
}

//! Random deliveries: small books in which ids, dates and amounts collide as often as they can.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{DataFile, Dates, Format, Input, Issued, Layout};
use super::random::Random;
use super::value::{Kind, Value};

/// The columns of lines that the contract names.
pub const LINE_COLUMNS: [&str; 10] = [
    "account_id",
    "product",
    "credit_limit",
    "balance",
    "status",
    "opened_on",
    "increased_on",
    "decreased_on",
    "status_since",
    "status_reason",
];

/// Those of them that a snapshot may lack.
pub const OPTIONAL_COLUMNS: [&str; 4] = ["increased_on", "decreased_on", "status_since", "status_reason"];

/// Reasons of rules, and two that none has.
const STATUS_REASONS: [&str; 5] = ["P1", "P2", "P3", "P9", ""];

pub const PRODUCTS: [&str; 4] = ["p", "q", "r", "zz"];

pub const STATUSES: [&str; 3] = ["active", "suspended", "closed"];

/// What a book is drawn with.
pub struct Scale {
    pub as_of: i32,
    pub known_on: i32,
    /// Days before on which there are nights, too.
    pub earlier_nights: Vec<i32>,
    pub accounts: Vec<Value>,
    pub account_kind: Kind,
    pub bill_kind: Kind,
    /// Roughly how many rows an input has.
    pub rows: usize,
    pub is_extreme: bool,
}

/// The ids of a book; numbers and text sort differently.
pub fn accounts(random: &mut Random, kind: Kind) -> Vec<Value> {
    let count = 1 + random.below(8);
    let mut ids: Vec<Value> = match kind {
        Kind::Text => ["a", "b", "A", "10", "9", "é", "aa", " "].map(Value::from).to_vec(),
        _ => [1_i64, 2, 3, 9, 10, -4, 0, i64::MAX].map(Value::from).to_vec(),
    };
    random.shuffle(&mut ids);
    ids.truncate(count);
    ids
}

/// So many ids, with gaps between them.
pub fn crowd(kind: Kind, accounts: i64) -> Vec<Value> {
    let ids = (0..accounts).map(|number| 5 * number);
    ids.map(|id| if kind == Kind::Text { id.to_string().into() } else { id.into() }).collect()
}

fn account(random: &mut Random, scale: &Scale) -> Value {
    match random.below(40) {
        0 => Value::Null,
        1 if scale.account_kind == Kind::Text => "".into(),
        2 => {
            if scale.account_kind == Kind::Text {
                "stranger".into()
            } else {
                77_i64.into()
            }
        }
        _ => random.pick(&scale.accounts),
    }
}

fn product(random: &mut Random) -> Value {
    match random.below(40) {
        0 => Value::Null,
        1 => "".into(),
        _ => random.pick(&["p", "p", "p", "q", "q", "q", "r", "zz"]).into(),
    }
}

/// A date some days before another, now and then null or after it.
fn date_before(random: &mut Random, day: i32, most: i64) -> Value {
    match random.below(40) {
        0 => Value::Null,
        1 => Value::Date(day + 1),
        2 => Value::Date(day - random.pick(&[29, 30, 31, 1095, 1096, 20_000])),
        _ => Value::Date(day - random.between(0, most) as i32),
    }
}

fn amount(random: &mut Random, scale: &Scale, from: &[i64]) -> Value {
    if scale.is_extreme && random.chance(12) {
        return random.pick(&[i64::MAX, i64::MIN, i64::MAX - 100, 1 << 62, -(1 << 62), i64::MAX / 2]).into();
    }
    if random.chance(2) { Value::Null } else { random.pick(from).into() }
}

fn format(random: &mut Random) -> Format {
    Format {
        money_scale: random.maybe(40, &[0, 1, 2, 4]),
        dates: random.pick(&[Dates::Date32, Dates::Date32, Dates::Date32, Dates::Local, Dates::Zoned]),
        narrow_ints: random.chance(30),
        dictionary: random.chance(70),
        row_group_rows: random.pick(&[1, 2, 3, 1000, 1000]),
    }
}

/// Deliveries of an input: those of D nearly always, others with gaps; some in several files.
fn files(
    random: &mut Random,
    scale: &Scale,
    layout: Layout,
    mut rows: impl FnMut(&mut Random, i32) -> Vec<Value>,
) -> Vec<DataFile> {
    let mut files = Vec::new();
    let first = scale.as_of - random.between(0, 12) as i32;
    let long_ago = [29, 30, 31, 400, 1095, 1096, 1100].map(|days| scale.as_of - days);
    let long_ago = if random.chance(15) { random.pick(&long_ago) } else { first };
    let days: BTreeSet<i32> = [long_ago].into_iter().chain(first + 1..=scale.known_on + 2).collect();
    for delivery in days.into_iter().chain(scale.earlier_nights.iter().copied()).collect::<BTreeSet<i32>>() {
        let is_due = delivery == scale.as_of || scale.earlier_nights.contains(&delivery);
        let is_undated_twice = layout == Layout::Undated && delivery != scale.as_of;
        if !random.chance(if is_due { 99 } else { 70 }) || is_undated_twice {
            continue;
        }
        let count = 1 + if random.chance(25) { random.below(3) } else { 0 };
        for number in 0..count {
            let most = if layout == Layout::Undated { scale.rows } else { 1 + scale.rows / 5 };
            let rows = (0..random.below(most + 1)).map(|_| rows(random, delivery)).collect();
            let stem = format!("{}{number}", random.pick(&["part-", "b", "B", "a-"]));
            files.push(DataFile { delivery, stem, rows, format: format(random) });
        }
    }
    files
}

fn layout(random: &mut Random) -> Layout {
    random.pick(&[
        Layout::Partitioned,
        Layout::Partitioned,
        Layout::Partitioned,
        Layout::Flat,
        Layout::Undated,
    ])
}

/// A unique column, any of them, and some renamed ones.
fn finish(random: &mut Random, mut input: Input, own: &'static str) -> Input {
    if random.chance(50) {
        let any = input.columns[random.below(input.columns.len())].0;
        let column = if random.chance(80) { own } else { any };
        input.unique = Some((column.to_string(), random.below(4) as u32));
    }
    if random.chance(30) {
        for (name, _) in &input.columns {
            if random.chance(20) {
                input.rename.insert(name.to_string(), format!("their_{name}"));
            }
        }
    }
    input
}

pub fn transactions(random: &mut Random, scale: &Scale) -> Input {
    let layout = layout(random);
    let files = files(random, scale, layout, |random, delivery| {
        vec![
            account(random, scale),
            date_before(random, delivery, 9),
            amount(random, scale, &[0, 1, 50, 100, 100, 150, 1000, 1010, -100, -50, -1000, 7]),
            random.maybe(95, &["buy", "sell", "", "Buy", "é", "it's", "buy"]).into(),
            random.maybe(90, &PRODUCTS).into(),
            random.maybe(85, &[0_i64, 1, 2, 3, 10, -7]).into(),
            random.maybe(85, &[true, false]).into(),
            if random.chance(85) {
                Value::Date(delivery - random.between(-3, 9) as i32)
            } else {
                Value::Null
            },
            random.maybe(80, &["t1", "t2", "t3", "t4", "t5", "t6", ""]).into(),
        ]
    });
    let input = Input {
        columns: vec![
            ("account_id", scale.account_kind),
            ("posted_on", Kind::Date),
            ("amount", Kind::Int),
            ("kind", Kind::Text),
            ("product", Kind::Text),
            ("units", Kind::Int),
            ("is_online", Kind::Bool),
            ("noted_on", Kind::Date),
            ("transaction_ref", Kind::Text),
        ],
        money: vec!["amount"],
        layout,
        files,
        lacking: BTreeSet::new(),
        rename: BTreeMap::new(),
        unique: None,
    };
    finish(random, input, "transaction_ref")
}

pub fn repayments(random: &mut Random, scale: &Scale) -> Input {
    let layout = layout(random);
    let most_bills = 1 + random.below(4);
    let files = files(random, scale, layout, |random, delivery| {
        let number = random.below(most_bills) as i64;
        let bill_id = match (random.below(40), scale.bill_kind) {
            (0, _) => Value::Null,
            (1, Kind::Text) => "".into(),
            (_, Kind::Text) => format!("b{number}").into(),
            _ => number.into(),
        };
        let usual = scale.as_of - [2, 6, 0, 11][number as usize];
        let due_on = match random.below(30) {
            0 => Value::Null,
            1..=6 => Value::Date(usual + random.between(-6, 6) as i32),
            7 if scale.is_extreme => Value::Date(random.pick(&[i32::MIN, i32::MAX])),
            _ => Value::Date(usual),
        };
        let due = [100, 150, 1000, 200][number as usize];
        let due_amount = amount(random, scale, &[due, due, due, due, due, due, due + 50, due - 50, 0, -5]);
        let (paid_on, paid_amount) = payment(random, scale, delivery, due);
        let reference = random.maybe(60, &[1_i64, 2, 3, 4, 5, 6, 7, 8]).into();
        let account = account(random, scale);
        vec![account, product(random), bill_id, due_on, due_amount, paid_on, paid_amount, reference]
    });
    let input = Input {
        columns: vec![
            ("account_id", scale.account_kind),
            ("product", Kind::Text),
            ("bill_id", scale.bill_kind),
            ("due_on", Kind::Date),
            ("due_amount", Kind::Int),
            ("paid_on", Kind::Date),
            ("paid_amount", Kind::Int),
            ("payment_ref", Kind::Int),
        ],
        money: vec!["due_amount", "paid_amount"],
        layout,
        files,
        lacking: BTreeSet::new(),
        rename: BTreeMap::new(),
        unique: None,
    };
    finish(random, input, "payment_ref")
}

/// In full, in part, a little short, too much, bounced, or none.
fn payment(random: &mut Random, scale: &Scale, delivery: i32, due: i64) -> (Value, Value) {
    match random.below(20) {
        0 => (Value::Null, 5_i64.into()),
        1 => (Value::Null, 0_i64.into()),
        2..=6 => (Value::Null, Value::Null),
        _ => {
            let part = [due, due, due / 2, due - 1, due - 10, due + 50, -due, -due / 2, 50, 1, 0];
            (date_before(random, delivery, 7), amount(random, scale, &part))
        }
    }
}

/// Snapshots, each with most accounts' lines; now and then the latest is too old.
pub fn lines(random: &mut Random, scale: &Scale, max_age: i32) -> Input {
    let layout = layout(random);
    let oldest = if random.chance(3) { 4 } else { max_age.into() };
    let latest = scale.as_of - random.between(0, oldest) as i32;
    let mut days = vec![latest - 2, latest, scale.as_of + 1];
    days.retain(|day| *day == latest || (layout != Layout::Undated && random.chance(30)));
    if layout != Layout::Undated {
        days.extend(&scale.earlier_nights);
        days.sort_unstable();
        days.dedup();
    }
    let optional: Vec<&str> = [&OPTIONAL_COLUMNS[..2], &OPTIONAL_COLUMNS[2..]]
        .into_iter()
        .filter(|_| random.chance(80))
        .flatten()
        .copied()
        .collect();
    let mut files = Vec::new();
    for delivery in days {
        let mut rows: Vec<Vec<Value>> = Vec::new();
        for account in &scale.accounts {
            for product in PRODUCTS {
                let copies = random.pick(&[0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
                let copies = if random.chance(2) { 2 } else { copies };
                let copies = if product == "zz" && random.chance(60) { 0 } else { copies };
                for _ in 0..copies {
                    rows.push(line(random, scale, delivery, account, product, &optional));
                }
            }
        }
        random.shuffle(&mut rows);
        let tail = if random.chance(30) { rows.split_off(random.below(rows.len() + 1)) } else { Vec::new() };
        for (stem, rows) in [("one", rows), ("a-second", tail)] {
            if stem == "one" || !rows.is_empty() {
                files.push(DataFile { delivery, stem: stem.into(), rows, format: format(random) });
            }
        }
    }
    let mut columns = vec![
        ("account_id", scale.account_kind),
        ("product", Kind::Text),
        ("credit_limit", Kind::Int),
        ("balance", Kind::Int),
        ("status", Kind::Text),
        ("opened_on", Kind::Date),
        ("channel", Kind::Text),
        ("visits", Kind::Int),
        ("is_vip", Kind::Bool),
        ("reviewed_on", Kind::Date),
        ("line_ref", Kind::Text),
    ];
    columns.extend(optional.iter().map(|name| match *name {
        "status_reason" => (*name, Kind::Text),
        _ => (*name, Kind::Date),
    }));
    let money = vec!["credit_limit", "balance"];
    let lacking = lacking(random, &files, &optional);
    let input = Input { columns, money, layout, files, lacking, rename: BTreeMap::new(), unique: None };
    let is_whole = input.lacking.is_empty();
    if random.chance(60) || !is_whole { input } else { finish(random, input, "line_ref") }
}

/// Now and then a delivery comes without one of the columns that a snapshot may lack.
fn lacking(
    random: &mut Random,
    files: &[DataFile],
    optional: &[&'static str],
) -> BTreeSet<(i32, &'static str)> {
    let days: BTreeSet<i32> = files.iter().map(|file| file.delivery).collect();
    let mut lacking = BTreeSet::new();
    if !optional.is_empty() && random.chance(12) {
        for day in days {
            lacking.extend(random.maybe(50, optional).map(|column| (day, column)));
        }
    }
    lacking
}

fn line(
    random: &mut Random,
    scale: &Scale,
    delivery: i32,
    account: &Value,
    product_name: &str,
    optional: &[&str],
) -> Vec<Value> {
    let is_odd = |random: &mut Random| random.chance(2);
    let account = if is_odd(random) { self::account(random, scale) } else { account.clone() };
    let product = if is_odd(random) { product(random) } else { product_name.into() };
    let limits = [0, 100, 500, 999, 1000, 1000, 2500, 5000, 300];
    let mut limit = amount(random, scale, &limits);
    if !is_odd(random) && limit.is_null() {
        limit = 1000_i64.into();
    }
    if is_odd(random) {
        limit = (-1_i64).into();
    }
    let balance = amount(random, scale, &[0, 0, -50, 100, 450, 999, 1000, 3000]);
    let status = match random.below(50) {
        0 => Value::Null,
        1 => "Active".into(),
        _ => random.pick(&["active", "active", "active", "active", "suspended", "closed"]).into(),
    };
    let mut opened_on = Value::Date(delivery - random.pick(&[0, 3, 30, 200, 400]));
    if scale.is_extreme && is_odd(random) {
        opened_on = Value::Date(i32::MIN);
    }
    let opened_on = if is_odd(random) { date_before(random, delivery + 1, 1) } else { opened_on };
    let mut row = vec![
        account,
        product,
        limit,
        balance,
        status,
        opened_on,
        random.maybe(85, &["a", "b", "A", "", "é"]).into(),
        random.maybe(85, &[0_i64, 1, 2, 3, 10, -7]).into(),
        random.maybe(85, &[true, false]).into(),
        if random.chance(80) { Value::Date(delivery - random.between(-3, 9) as i32) } else { Value::Null },
        random.maybe(80, &["l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8", "l9", ""]).into(),
    ];
    row.extend(optional.iter().map(|name| match *name {
        "status_reason" => random.maybe(60, &STATUS_REASONS).into(),
        _ => {
            let changed = Value::Date(delivery - random.pick(&[0, 1, 4, 5, 9, 10, 30]));
            let changed = if random.chance(2) { Value::Date(delivery + 1) } else { changed };
            if random.chance(40) { changed } else { Value::Null }
        }
    }));
    row
}

/// Earlier runs' adjustments, at most one a line and run.
pub fn issued(random: &mut Random, scale: &Scale) -> Option<Vec<Issued>> {
    if random.chance(30) {
        return None;
    }
    let mut issued = Vec::new();
    for run in scale.as_of - random.between(0, 7) as i32..=scale.as_of + 1 {
        for account in &scale.accounts {
            for product in PRODUCTS {
                if !random.chance(12) {
                    continue;
                }
                let stranger = if scale.account_kind == Kind::Text { "gone".into() } else { 88_i64.into() };
                let is_withdrawal = random.chance(12);
                let notice = if is_withdrawal { 0 } else { random.pick(&[0, 0, 0, 1, 2, 3, 5, 8]) };
                issued.push(Issued {
                    run,
                    account: if random.chance(6) { stranger } else { account.clone() },
                    product: product.to_string(),
                    new_limit: random.pick(&[0, 100, 500, 1000, 1001, 3000, 6000]),
                    new_status: random.pick(&STATUSES),
                    effective_on: run + notice,
                    is_withdrawal,
                    reason: random.pick(&STATUS_REASONS).to_string(),
                });
            }
        }
    }
    issued.dedup_by_key(|one| (one.run, one.account.clone(), one.product.clone()));
    let mut seen = std::collections::BTreeSet::new();
    issued.retain(|one| seen.insert((one.run, one.account.clone(), one.product.clone())));
    Some(issued)
}

//! Random job files: features, scorecard, policy and gates of the whole grammar over a book.

use std::collections::BTreeMap;

use super::case::{
    Amount, Budget, Case, Characteristic, Feature, FeatureKind, Gate, Job, Measure, Policy, Product, Rule,
    Score,
};
use super::draw_book::{self, OPTIONAL_COLUMNS, PRODUCTS, Scale};
use super::draw_expression::{Columns, Drawer};
use super::draw_grammar::add_grammar;
use super::expression::Node;
use super::night::named_columns;
use super::random::Random;
use super::value::Kind;

/// Of an input of a crowd; the model looks at all of them for every account.
const CROWD_ROWS: usize = 3000;

const BANDS: [&str; 3] = ["low", "mid", "high"];

/// The case of a seed; `size` bounds its rows, features, rules and gates.
pub fn draw(seed: u64, size: usize) -> Case {
    draw_with(seed, size, None)
}

/// The same with so many accounts, and many rows.
pub fn draw_crowd(seed: u64, size: usize, accounts: i64) -> Case {
    draw_with(seed, size, Some(accounts))
}

fn draw_with(seed: u64, size: usize, crowd: Option<i64>) -> Case {
    let mut random = Random::new(seed);
    let random = &mut random;
    // Around the turn of a month and of a year, and a leap day.
    let as_of = random.pick(&[20_512, 20_513, 20_454, 19_782, 19_783]);
    let account_kind = random.pick(&[Kind::Int, Kind::Text]);
    let is_extreme = random.chance(12);
    let earlier_nights = random.chance(35).then(|| {
        let days_before = random.pick(&[&[1][..], &[1], &[2, 1], &[7], &[8], &[8, 7], &[3]]);
        days_before.iter().map(|days| as_of - days).collect::<Vec<i32>>()
    });
    let scale = Scale {
        as_of,
        known_on: as_of + if random.chance(60) { 0 } else { random.between(1, 3) as i32 },
        earlier_nights: earlier_nights.clone().unwrap_or_default(),
        accounts: match crowd {
            Some(accounts) => draw_book::crowd(account_kind, accounts),
            None => draw_book::accounts(random, account_kind),
        },
        account_kind,
        bill_kind: random.pick(&[Kind::Int, Kind::Text]),
        rows: if crowd.is_some() { CROWD_ROWS } else { random.below(size + 1) },
        is_extreme,
    };
    let lines_max_age_days = random.below(4) as i32;
    // From a generator of their own: the job files of a seed are the same for books of any size.
    let mut of_book = Random::new(random.next());
    let lines = draw_book::lines(&mut of_book, &scale, lines_max_age_days);
    let transactions = draw_book::transactions(&mut of_book, &scale);
    let repayments = draw_book::repayments(&mut of_book, &scale);
    let issued = draw_book::issued(&mut of_book, &scale);
    let mut case = Case {
        as_of,
        known_on: scale.known_on,
        chain_from: None,
        transactions,
        repayments,
        lines,
        issued,
        earlier_nights,
        previous: None,
        account_kind,
        job: empty_job(random, lines_max_age_days),
    };
    case.job.without = OPTIONAL_COLUMNS.into_iter().filter(|_| random.chance(3)).collect();
    let mut drawer = Drawer { random, as_of, is_extreme, has_dates: false };
    features(&mut drawer, &mut case, scale.bill_kind, size);
    scorecard(drawer.random, &mut case);
    policy(&mut drawer, &mut case, size);
    gates(&mut drawer, &mut case);
    add_grammar(&mut case, seed, scale.bill_kind, is_extreme);
    case
}

fn empty_job(random: &mut Random, lines_max_age_days: i32) -> Job {
    let min = random.between(300, 395) as i32;
    let policy = Policy {
        products: Vec::new(),
        max_total_limit: None,
        affordability: None,
        raise_after_raise_days: random.maybe(40, &[0, 1, 5, 10]),
        raise_after_lower_days: random.maybe(40, &[0, 1, 5, 10]),
        lower_after_lower_days: random.maybe(40, &[0, 1, 5, 10]),
        rules: Vec::new(),
    };
    Job {
        minor_units: random.pick(&[2, 2, 2, 0, 3]),
        timezone: random.pick(&["Asia/Shanghai", "UTC"]),
        lines_max_age_days,
        without: Vec::new(),
        keeps_state: false,
        gates: Vec::new(),
        tolerance: random.maybe(60, &[0, 1, 10, 100, 99, 1000]),
        features: Vec::new(),
        score: Score { base: 400, min, max: random.between(405, 600) as i32, reasons: random.below(6) },
        bands: vec![("low".into(), min), ("mid".into(), 400), ("high".into(), 450)],
        dimensions: ["d0", "d1"].map(String::from).to_vec(),
        characteristics: Vec::new(),
        policy,
    }
}

fn owned(columns: &[(&str, Kind)]) -> Columns {
    columns.iter().map(|(name, kind)| (name.to_string(), *kind)).collect()
}

/// What features over a source see.
pub fn source_columns(case: &Case, from: &str, bill_kind: Kind) -> Columns {
    match from {
        "transactions" => owned(&case.transactions.columns),
        "bills" => owned(&[
            ("product", Kind::Text),
            ("bill_id", bill_kind),
            ("due_on", Kind::Date),
            ("due_amount", Kind::Int),
            ("paid", Kind::Int),
            ("settled_on", Kind::Date),
            ("is_open", Kind::Bool),
            ("days_late", Kind::Int),
            ("outstanding", Kind::Int),
        ]),
        _ => line_columns(case),
    }
}

pub fn line_columns(case: &Case) -> Columns {
    let mut columns = owned(&case.lines.columns);
    columns.extend(owned(&[
        ("days_open", Kind::Int),
        ("is_pending", Kind::Bool),
        ("pending_limit", Kind::Int),
    ]));
    for optional in OPTIONAL_COLUMNS {
        if !columns.iter().any(|(name, _)| name == optional) {
            let kind = if optional == "status_reason" { Kind::Text } else { Kind::Date };
            columns.push((optional.to_string(), kind));
        }
    }
    columns
}

fn features(drawer: &mut Drawer, case: &mut Case, bill_kind: Kind, size: usize) {
    let count = drawer.random.below(3 + size / 4);
    for number in 0..count {
        let above: Vec<String> = case.job.features.iter().map(|feature| feature.name.clone()).collect();
        let roll = drawer.random.below(100);
        let kind = match roll {
            0..10 if !above.is_empty() => FeatureKind::Ratio {
                a: drawer.random.pick(&above),
                b: drawer.random.pick(&above),
                scale: ratio_scale(drawer),
            },
            10..30 => {
                let columns = above.iter().map(|name| (name.clone(), Kind::Int)).collect();
                let depth = drawer.random.below(4);
                FeatureKind::Expression(drawer.node(Kind::Int, depth, &columns))
            }
            _ => aggregate(drawer, case, bill_kind),
        };
        case.job.features.push(Feature { name: format!("f{number}"), kind });
    }
}

/// One more feature that the rest of the job does not name.
pub fn another_feature(random: &mut Random, case: &Case, name: &str) -> Feature {
    let bill_kind = case.repayments.columns.iter().find(|(column, _)| *column == "bill_id");
    let bill_kind = bill_kind.expect("the contract's column").1;
    let mut drawer = Drawer { random, as_of: case.as_of, is_extreme: false, has_dates: false };
    Feature { name: name.to_string(), kind: aggregate(&mut drawer, case, bill_kind) }
}

fn ratio_scale(drawer: &mut Drawer) -> i64 {
    if drawer.is_extreme && drawer.random.chance(30) {
        return drawer.random.pick(&[i64::MAX, i64::MIN, 1 << 40]);
    }
    drawer.random.pick(&[1, 100, 10_000, -7, 0])
}

fn aggregate(drawer: &mut Drawer, case: &Case, bill_kind: Kind) -> FeatureKind {
    let from = drawer.random.pick(&["transactions", "transactions", "bills", "bills", "lines"]);
    let statistic = match from {
        "lines" => drawer.random.pick(&["count", "sum", "min", "max", "distinct"]),
        _ => drawer.random.pick(&[
            "count",
            "sum",
            "min",
            "max",
            "last",
            "active_days",
            "distinct",
            "days_since",
        ]),
    };
    let columns = source_columns(case, from, bill_kind);
    let takes = |kind: Kind| match statistic {
        "sum" | "min" | "max" | "last" => kind == Kind::Int,
        "distinct" => true,
        _ => false,
    };
    let fitting: Vec<String> =
        columns.iter().filter(|(_, kind)| takes(*kind)).map(|(name, _)| name.clone()).collect();
    let of = (!fitting.is_empty()).then(|| Node::Column(drawer.random.pick(&fitting)));
    let windows = [1, 2, 3, 4, 5, 7, 10, 30, 1096];
    let days = match from {
        "lines" => None,
        "bills" if drawer.random.chance(40) => None,
        _ => Some(drawer.random.pick(&windows)),
    };
    let depth = drawer.random.below(4);
    let filter = drawer.random.chance(70).then(|| drawer.node(Kind::Bool, depth, &columns));
    FeatureKind::Aggregate { from, statistic, of, filter, days, skip_days: None }
}

fn scorecard(random: &mut Random, case: &mut Case) {
    let mut names: Vec<String> = case.job.features.iter().map(|feature| feature.name.clone()).collect();
    random.shuffle(&mut names);
    for feature in names.into_iter().take(random.below(7)) {
        let mut edges: Vec<i64> =
            (0..random.below(4)).map(|_| random.pick(&[-5, 0, 1, 2, 3, 10, 100, 1000])).collect();
        edges.sort_unstable();
        edges.dedup();
        let points = |random: &mut Random| random.pick(&[0, 0, 10, 10, 20, -20, 50]);
        let mut bins: Vec<(Option<i64>, i32)> =
            edges.into_iter().map(|below| (Some(below), points(random))).collect();
        bins.push((None, points(random)));
        case.job.characteristics.push(Characteristic {
            dimension: random.pick(&case.job.dimensions),
            reason: random.pick(&["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8"]).to_string(),
            missing: points(random),
            missing_reason: random.maybe(40, &["M1", "M2", "M3"]).map(String::from),
            baseline: random.maybe(30, &[-10, 0, 5, 20, 60]),
            bins,
            feature,
        });
    }
}

/// What a gate on `scores` sees.
fn score_columns(case: &Case) -> Columns {
    let mut columns = owned(&[
        ("score", Kind::Int),
        ("band", Kind::Text),
        ("previous_score", Kind::Int),
        ("previous_band", Kind::Text),
    ]);
    columns.extend(case.job.dimensions.iter().map(|name| (name.clone(), Kind::Int)));
    columns.extend(case.job.features.iter().map(|feature| (feature.name.clone(), Kind::Int)));
    columns
}

fn policy(drawer: &mut Drawer, case: &mut Case, size: usize) {
    let random = &mut *drawer.random;
    let mut names = PRODUCTS[..3].to_vec();
    random.shuffle(&mut names);
    names.truncate(random.pick(&[3, 3, 3, 3, 3, 3, 3, 2, 1, 0]));
    for name in names {
        let product = product(random, name, drawer.is_extreme);
        case.job.policy.products.push(product);
    }
    case.job.policy.max_total_limit = random.maybe(40, &[0, 1000, 4000, 5000, 8000, 12_000]);
    if !case.job.features.is_empty() && random.chance(30) {
        let feature = random.pick(&case.job.features).name;
        case.job.policy.affordability =
            Some((feature, random.pick(&[0, 1, 10_000, 5000, 200_000, 20_000_000])));
    }
    let mut columns = line_columns(case);
    columns.extend(score_columns(case));
    for name in ["days_since_increase", "days_since_decrease", "days_in_status"] {
        columns.push((name.to_string(), Kind::Int));
    }
    let count = drawer.random.below(2 + size / 6);
    for number in 0..count {
        let rule = rule(drawer, case, &columns, number);
        case.job.policy.rules.push(rule);
    }
}

fn product(random: &mut Random, name: &str, is_extreme: bool) -> Product {
    let band_max =
        BANDS.iter().filter_map(|band| Some((band.to_string(), random.maybe(20, &[0, 1000, 2999, 5000])?)));
    let band_max: BTreeMap<String, i64> = band_max.collect();
    let mut max_limit = random.pick(&[1000, 3000, 10_000, 10_000, 100_000]);
    if is_extreme && random.chance(50) {
        max_limit = i64::MAX;
    }
    Product {
        name: name.to_string(),
        min_limit: random.pick(&[0, 0, 100, 500]),
        max_limit,
        step: random.pick(&[1, 10, 100, 300]),
        min_raise: random.maybe(40, &[0, 1, 100, 500, 1000]),
        band_max,
        raise_budget: budget(random, 45),
    }
}

fn budget(random: &mut Random, percent: u64) -> Option<Budget> {
    let budget = match random.chance(50) {
        true => Budget::Amount(random.pick(&[0, 100, 500, 1000, 2000, 5000])),
        false => Budget::Share(random.pick(&[0, 1, 333, 1000, 3000, 10_000, i64::MAX])),
    };
    random.chance(percent).then_some(budget)
}

fn column(name: &str) -> Box<Node> {
    Box::new(Node::Column(name.to_string()))
}

fn rule(drawer: &mut Drawer, case: &Case, columns: &Columns, number: usize) -> Rule {
    let actions = [
        "raise", "raise", "raise", "raise", "lower", "lower", "suspend", "close", "reopen", "reopen",
        "withdraw", "withdraw", "hold",
    ];
    let action = drawer.random.pick(&actions);
    let depth = drawer.random.below(4);
    let mut when = match drawer.random.below(4) {
        0 => Node::Literal(true.into()),
        _ => drawer.node(Kind::Bool, depth, columns),
    };
    if drawer.random.chance(60) {
        // Most rules are written for lines that they can change.
        let status = Box::new(Node::Literal("active".into()));
        let op = if action == "reopen" { "<>" } else { "=" };
        let fits = match action {
            "withdraw" => *column("is_pending"),
            _ => Node::Compare(op, column("status"), status),
        };
        when = Node::And(Box::new(when), Box::new(fits));
    }
    let random = &mut *drawer.random;
    let products: Vec<String> = case.job.policy.products.iter().map(|product| product.name.clone()).collect();
    let named = |random: &mut Random| products.iter().filter(|_| random.chance(60)).cloned().collect();
    let to = |random: &mut Random| Amount::To(random.pick(&[0, 100, 450, 999, 1000, 2000, 5000]));
    let amount = match action {
        "raise" | "lower" => Some(match random.below(3) {
            0 => Amount::Percent(random.pick(&[1, 10, 20, 33, 50, 100, 150])),
            1 => Amount::By(random.pick(&[1, 50, 100, 500, 3000])),
            _ => to(random),
        }),
        "reopen" if random.chance(70) => Some(to(random)),
        _ => None,
    };
    Rule {
        name: format!("rule {number}"),
        products: random.chance(40).then(|| named(random)),
        when,
        action,
        reason: random.pick(&["P1", "P2", "P3"]).to_string(),
        notice_days: random.maybe(40, &[0, 1, 2, 5]).filter(|_| action != "withdraw"),
        amount,
        never_below_balance: (action == "lower").then(|| random.maybe(60, &[true, false])).flatten(),
        budget: (action == "raise").then(|| budget(random, 35)).flatten(),
    }
}

fn gates(drawer: &mut Drawer, case: &mut Case) {
    let of_scores = score_columns(case);
    let mut of_decisions = of_scores.clone();
    let named = named_columns(case).into_iter().filter(|(name, _)| !name.starts_with("previous_"));
    of_decisions.extend(named.map(|(name, kind)| (name.to_string(), kind)));
    of_decisions.extend(owned(&[
        ("account_id", case.account_kind),
        ("effective_on", Kind::Date),
        ("pending_on", Kind::Date),
    ]));
    for name in
        ["product", "action", "reason", "rule", "old_status", "new_status", "bound_by", "pending_status"]
    {
        of_decisions.push((name.to_string(), Kind::Text));
    }
    for name in "old_limit new_limit balance days_open days_since_increase days_since_decrease pending_limit"
        .split(' ')
    {
        of_decisions.push((name.to_string(), Kind::Int));
    }
    for number in 0..drawer.random.below(5) {
        let (table, columns) = match drawer.random.chance(40) {
            true => ("scores", &of_scores),
            false => ("decisions", &of_decisions),
        };
        let gate = gate(drawer, number, table, columns);
        case.job.gates.push(gate);
    }
}

fn gate(drawer: &mut Drawer, number: usize, table: &'static str, columns: &Columns) -> Gate {
    let inputs = ["transactions", "repayments", "lines"];
    let depth = drawer.random.below(4);
    let among = drawer.random.chance(50).then(|| drawer.node(Kind::Bool, depth, columns));
    let form = drawer.random.below(5);
    let measure = match form {
        0 => Measure::Share { table, of: drawer.node(Kind::Bool, depth, columns), among },
        1 => Measure::Sum { table, of: drawer.node(Kind::Int, depth, columns), among },
        2 => Measure::Rejected(drawer.random.pick(&inputs)),
        3 => Measure::Rows(drawer.random.pick(&inputs)),
        _ => Measure::MissingDays(drawer.random.pick(&inputs[..2])),
    };
    let random = &mut *drawer.random;
    let (low, high) = match form {
        0 | 2 => ([0, 1000, 3333, 5000], [0, 2500, 5000, 10_000]),
        1 => ([-1000, 0, 1, 100], [0, 500, 10_000, i64::MAX]),
        _ => ([0, 1, 3, 5], [0, 1, 5, 50]),
    };
    let (mut min, max) = (random.maybe(40, &low), random.maybe(60, &high));
    let max_change_bp = random.maybe(30, &[0, 1, 500, 2500, 10_000, i64::MAX]);
    if min.or(max).or(max_change_bp).is_none() {
        min = Some(0);
    }
    Gate { name: format!("gate {number}"), measure, min, max, max_change_bp }
}

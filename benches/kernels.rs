//! Micro-benchmarks of the kernels that a run spends its time in: conditions over rows, expressions
//! over features, points and reasons. `cargo bench --bench kernels`.

use std::path::Path;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use rescore::expr::{Column, Expr, Frame, Ints, Scope, Texts, Type};
use rescore::features::FeatureTable;
use rescore::job::{Feature, FeatureKind, InputColumns, Job, RawJob};
use rescore::score::score;

fn main() {
    divan::main();
}

/// Rows of a batch as it is decoded.
const ROWS: usize = 16_384;

/// Accounts of a partition.
const ACCOUNTS: usize = 4_096;

const KINDS: [&str; 8] =
    ["purchase", "refund", "salary", "transfer_in", "transfer_out", "withdrawal", "cash_advance", "fee"];

const CATEGORIES: [&str; 6] = ["groceries", "dining", "jewellery", "gift_cards", "utilities", "travel"];

/// Numbers that look random and are the same every time.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        ((self.0 >> 33) as usize) % bound
    }
}

/// A batch of transactions: kind, product, category, amount.
fn transactions() -> Vec<Column> {
    let mut draws = Draws(1);
    let mut text = |choices: &'static [&'static str], nulls: usize| -> Column {
        Column::Text((0..ROWS).map(|_| choices.get(draws.below(choices.len() + nulls)).copied()).collect())
    };
    let texts = [text(&KINDS, 0), text(&["huabei", "jiebei"], 2), text(&CATEGORIES, 2)];
    let amounts = (0..ROWS).map(|_| draws.below(500) as i64 * 1_000).collect();
    texts.into_iter().chain([Column::Int(Ints::all(amounts))]).collect()
}

fn transactions_scope() -> Scope {
    let columns =
        [("kind", Type::Text), ("product", Type::Text), ("category", Type::Text), ("amount", Type::Int)];
    Scope { columns: columns.map(|(name, kind)| (name.to_string(), kind)).to_vec(), ..Scope::default() }
}

/// The same column with an entry of the dictionary for every row, as a file without one decodes to.
fn without_dictionary(column: &Column) -> Column {
    match column {
        Column::Text(texts) => {
            let dictionary = (0..ROWS).map(|row| texts.get(row).unwrap_or_default().into()).collect();
            let codes = (0..ROWS as u32).zip(&texts.codes);
            let codes = codes.map(|(row, code)| if *code == u32::MAX { *code } else { row }).collect();
            Column::Text(Texts { codes, dictionary: std::sync::Arc::new(dictionary) })
        }
        other => other.clone(),
    }
}

const CONDITIONS: [&str; 3] = [
    "kind = 'purchase'",
    "kind in ('purchase', 'refund', 'transfer_out', 'withdrawal', 'fee')",
    "kind = 'purchase' and category in ('jewellery', 'gift_cards') and product is not null and amount % 10000 = 0",
];

fn evaluate(bencher: Bencher, condition: &str, columns: &[Column]) {
    let expr = Expr::parse(condition, Type::Bool, &transactions_scope()).expect("a good condition");
    let frame = Frame { rows: ROWS, columns: columns.iter().map(Some).collect() };
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| expr.truths(black_box(&frame)));
}

/// Text as codes of a small dictionary: the condition is evaluated once per code.
#[divan::bench(args = CONDITIONS)]
fn condition_over_codes(bencher: Bencher, condition: &str) {
    evaluate(bencher, condition, &transactions());
}

/// Text without a dictionary: the condition is evaluated once per row.
#[divan::bench(args = CONDITIONS)]
fn condition_over_rows(bencher: Bencher, condition: &str) {
    let columns: Vec<Column> = transactions().iter().map(without_dictionary).collect();
    evaluate(bencher, condition, &columns);
}

/// The job that the project ships, bound to the columns that the sample has.
fn shipped_job() -> Job {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs/nightly.toml");
    let mut draft = RawJob::read(&path).expect("the shipped job can be read");
    let columns = |columns: &[(&str, Type)]| {
        Some(columns.iter().map(|(name, kind)| (name.to_string(), Ok(*kind))).collect())
    };
    let bound = draft.bind(&InputColumns {
        lines_had_more: false,
        transactions: columns(&[
            ("transaction_id", Type::Int),
            ("account_id", Type::Int),
            ("posted_on", Type::Date),
            ("product", Type::Text),
            ("kind", Type::Text),
            ("category", Type::Text),
            ("merchant_id", Type::Int),
            ("amount", Type::Int),
        ]),
        repayments: columns(&[
            ("account_id", Type::Int),
            ("product", Type::Text),
            ("bill_id", Type::Int),
            ("due_on", Type::Date),
            ("due_amount", Type::Int),
            ("paid_on", Type::Date),
            ("paid_amount", Type::Int),
        ]),
        lines: columns(&[
            ("account_id", Type::Int),
            ("product", Type::Text),
            ("credit_limit", Type::Int),
            ("balance", Type::Int),
            ("status", Type::Text),
            ("opened_on", Type::Date),
        ]),
    });
    bound.expect("the shipped job has no mistakes")
}

/// A partition's features, one value in eight null.
fn features(job: &Job) -> Vec<Column> {
    let mut draws = Draws(2);
    let mut column = |_: &Feature| {
        let mut value = || (draws.below(8) > 0).then(|| draws.below(20_000) as i64);
        Column::Int((0..ACCOUNTS).map(|_| value()).collect())
    };
    job.features.iter().map(&mut column).collect()
}

/// Every expression over features of the shipped scorecard, over a partition of accounts.
#[divan::bench]
fn feature_expressions(bencher: Bencher) {
    let job = shipped_job();
    let table = features(&job);
    let frame = Frame { rows: ACCOUNTS, columns: table.iter().map(Some).collect() };
    let expression = |feature: &Feature| match &feature.kind {
        FeatureKind::Expression(expr) => Some(expr.clone()),
        _ => None,
    };
    let expressions: Vec<Expr> = job.features.iter().filter_map(expression).collect();
    assert!(!expressions.is_empty());
    bencher.counter(ItemsCount::new(ACCOUNTS)).bench_local(|| {
        for expr in &expressions {
            black_box(expr.ints(black_box(&frame)).expect("small numbers fit"));
        }
    });
}

/// Points, score, band and reasons of the shipped scorecard.
#[divan::bench(args = [ACCOUNTS, 16 * ACCOUNTS])]
fn scores(bencher: Bencher, accounts: usize) {
    let job = shipped_job();
    let part = features(&job);
    let repeat: Vec<u32> = (0..accounts).map(|account| (account % ACCOUNTS) as u32).collect();
    let table = FeatureTable::of(&part.iter().map(|column| column.gather(&repeat)).collect::<Vec<_>>());
    bencher
        .counter(ItemsCount::new(accounts))
        .bench_local(|| score(black_box(&job.scorecard), black_box(&table), accounts));
}

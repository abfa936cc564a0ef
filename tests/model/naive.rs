//! A model of outcomes and parts that looks at one row at a time, against the program on random books.

use std::collections::BTreeMap;

use arrow_schema::DataType::{Date32, Int64};
use rescore::day::Day;
use rescore::model::share_of;

use super::{draw, quarter, shown, spine};
use crate::audit::from_environment;
use crate::audit::random::Random;
use crate::support::book::table;
use crate::support::day;

/// Books of a plain `cargo test`; MODEL_CASES asks for more.
const CASES: u64 = 12;

/// A row of repayments as delivered.
struct Repayment {
    delivery: Day,
    account: i64,
    bill: i64,
    due_on: Day,
    due_amount: i64,
    payment: Option<(Day, i64)>,
}

/// What a model file says of an outcome.
struct Window {
    due_within: i32,
    seen_after: i32,
}

const LAST: &str = "2026-04-30";

#[test]
fn outcomes_agree_with_the_naive_model() {
    for seed in 0..from_environment("MODEL_CASES").unwrap_or(CASES) {
        let mut random = Random::new(seed);
        let rows = repayments(&mut random);
        let mut by_day: BTreeMap<String, String> = BTreeMap::new();
        for row in &rows {
            let paid = row.payment.map_or("- -".to_string(), |(day, amount)| format!("{day} {amount}"));
            let Repayment { account, bill, due_on, due_amount, .. } = row;
            let line = format!("{account} loan {bill} {due_on} {due_amount} {paid}\n");
            *by_day.entry(row.delivery.to_string()).or_default() += &line;
        }
        let delivered: Vec<(&str, &str)> =
            by_day.iter().map(|(day, rows)| (day.as_str(), rows.as_str())).collect();
        let book = quarter(&delivered);
        let asked: Vec<(i64, Day)> = (0..60)
            .map(|_| (random.between(1, 3), day("2026-01-01").plus(random.between(0, 119) as i32)))
            .collect();
        let text: Vec<String> = asked.iter().map(|(account, day)| format!("{account} {day}")).collect();
        spine(&book, &text.join("\n"));
        let due_within = random.between(1, 40) as i32;
        let window = Window { due_within, seen_after: due_within + random.between(0, 30) as i32 };
        let salt = format!("salt {seed}");
        let model = format!(
            "[sample]\nspine = \"spine.parquet\"\n[outcome]\ndue_within_days = {}\nseen_after_days = {}\n\
             bad = \"max_days_late >= 8 or open_bills > 0 and outstanding * 2 > due\"\n\
             indeterminate = \"max_days_late > 3 and paid < due\"\n\
             [split]\nholdout_bp = 4000\nsalt = \"{salt}\"\nout_of_time = 2026-03-20\nembargo_days = 12\n",
            window.due_within, window.seen_after
        );
        let found = shown(&draw(&book, &model), &["account_id", "as_of", "outcome", "part"]);
        let expected = asked.iter().map(|(account, as_of)| {
            let (outcome, part) = (outcome(&rows, *account, *as_of, &window), part(*account, *as_of, &salt));
            format!("{account} {as_of} {outcome} {part}")
        });
        assert_eq!(found, expected.collect::<Vec<_>>().join("\n"), "seed {seed}: {model}");
    }
}

/// Bills of three accounts, some paid in parts, late, or never; news of payments may be slow.
fn repayments(random: &mut Random) -> Vec<Repayment> {
    let first = day("2026-01-01");
    let mut rows = Vec::new();
    for bill in 0..40 {
        let account = random.between(1, 3);
        let billed = random.between(0, 100) as i32;
        let due_on = first.plus(billed + random.between(0, 30) as i32);
        let due_amount = random.between(1, 9) * 1_000;
        let row = |delivery, payment| Repayment { delivery, account, bill, due_on, due_amount, payment };
        rows.push(row(first.plus(billed), None));
        for _ in 0..random.below(3) {
            let paid_on = due_on.plus(random.between(-5, 20) as i32).max(first);
            let delivery = paid_on.plus(random.between(0, 12) as i32);
            if delivery <= day(LAST) {
                let amount = random.between(1, 2) * due_amount / 2;
                rows.push(row(delivery, Some((paid_on, amount))));
            }
        }
    }
    rows
}

fn outcome(rows: &[Repayment], account: i64, as_of: Day, window: &Window) -> &'static str {
    let seen_on = as_of.plus(window.seen_after);
    if seen_on > day(LAST) {
        return "immature";
    }
    let visible: Vec<&Repayment> =
        rows.iter().filter(|row| row.account == account && row.delivery <= seen_on).collect();
    let mut bills: Vec<i64> = visible.iter().map(|row| row.bill).collect();
    bills.sort_unstable();
    bills.dedup();
    let (mut count, mut open, mut late, mut due, mut paid, mut outstanding) = (0, 0, 0, 0, 0, 0);
    for bill in bills {
        let own: Vec<&&Repayment> = visible.iter().filter(|row| row.bill == bill).collect();
        let (due_on, due_amount) = (own[0].due_on, own[0].due_amount);
        if due_on <= as_of || due_on > as_of.plus(window.due_within) {
            continue;
        }
        let paid_by = |day: Day| -> i64 {
            own.iter()
                .filter_map(|row| row.payment)
                .filter(|(paid_on, _)| *paid_on <= day)
                .map(|(_, amount)| amount)
                .sum()
        };
        let settled = day("2025-12-01").to(seen_on).find(|day| paid_by(*day) >= due_amount);
        count += 1;
        open += i64::from(settled.is_none());
        late = late.max(settled.unwrap_or(seen_on).since(due_on));
        due += due_amount;
        paid += paid_by(seen_on);
        outstanding += (due_amount - paid_by(seen_on)).max(0);
    }
    match () {
        () if count == 0 => "unmatched",
        () if late >= 8 || open > 0 && outstanding * 2 > due => "bad",
        () if late > 3 && paid < due => "indeterminate",
        () => "good",
    }
}

fn part(account: i64, as_of: Day, salt: &str) -> &'static str {
    let cut = day("2026-03-20");
    match () {
        () if as_of >= cut => "out_of_time",
        () if as_of.plus(12) >= cut => "embargo",
        () if share_of(salt, &account.to_string()) < 4_000 => "holdout",
        () => "train",
    }
}

#[test]
fn outcomes_of_a_file_agree_with_the_naive_model() {
    let book = quarter(&[]);
    for seed in 0..from_environment("MODEL_CASES").unwrap_or(CASES) {
        let mut random = Random::new(seed);
        let first = day("2026-01-20");
        let mut known: BTreeMap<(i64, Day), Option<i64>> = BTreeMap::new();
        for _ in 0..random.below(40) {
            let key = (random.between(1, 4), first.plus(random.between(0, 60) as i32));
            known.insert(key, random.pick(&[Some(0), Some(1), None]));
        }
        let lines = known.iter().map(|((account, day), bad)| {
            format!("{account} {day} {}\n", bad.map_or("-".to_string(), |bad| bad.to_string()))
        });
        let columns = [("account_id", Int64), ("as_of", Date32), ("bad", Int64)];
        table(&columns, &lines.collect::<String>()).write(&book.path().join("outcomes.parquet"));
        let asked: Vec<(i64, Day)> =
            (0..60).map(|_| (random.between(1, 3), first.plus(random.between(0, 70) as i32))).collect();
        let text: Vec<String> = asked.iter().map(|(account, day)| format!("{account} {day}")).collect();
        spine(&book, &text.join("\n"));
        let within = random.between(0, 20) as i32;
        let (by, within) = if random.chance(30) { ("exact", 0) } else { ("next", within) };
        let more = if by == "next" { format!("within = {within}\n") } else { String::new() };
        let model = format!(
            "[sample]\nspine = \"spine.parquet\"\n[outcome]\nfile = \"outcomes.parquet\"\nmatch = \"{by}\"\n{more}"
        );
        let found = shown(&draw(&book, &model), &["account_id", "as_of", "outcome"]);
        let last = known.keys().map(|(_, day)| *day).max();
        let expected = asked.iter().map(|(account, as_of)| {
            let own = known
                .iter()
                .filter(|((other, day), _)| other == account && as_of <= day && *day <= as_of.plus(within));
            let outcome = match own.map(|(_, bad)| *bad).next() {
                Some(Some(0)) => "good",
                Some(Some(_)) => "bad",
                Some(None) => "indeterminate",
                None if last.is_none_or(|last| as_of.plus(within) > last) => "immature",
                None => "unmatched",
            };
            format!("{account} {as_of} {outcome}")
        });
        assert_eq!(found, expected.collect::<Vec<_>>().join("\n"), "seed {seed}: {model}");
    }
}

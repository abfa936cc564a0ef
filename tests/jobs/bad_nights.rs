//! Bad nights: a day's delivery or a job file is damaged, and a gate whose name says so holds the night.

use std::collections::HashSet;
use std::fs;
use std::time::Instant;

use super::core_system::CoreSystem;
use super::damage::{
    Trial, bins_off, characteristics, has, in_lines, in_rules, renamed, repeat, scaled, shifted, swapped,
    with_key, without_lines, without_rules,
};
use super::healthy::job_of;
use crate::support::{Cell, Table, day, project};

const ACCOUNTS: u32 = 10_000;
const FIRST: &str = "2026-07-06";
/// A Friday on which two in five are paid.
const BAD_NIGHT: &str = "2026-07-10";

const SOUND_ROWS: &str = "kinds and signs of transactions";

/// A bad night: what is wrong, how it is made, and the gates that stop it.
struct BadNight {
    name: &'static str,
    damage: fn(&Trial),
    gates: &'static [&'static str],
}

const fn bad(name: &'static str, damage: fn(&Trial), gates: &'static [&'static str]) -> BadNight {
    BadNight { name, damage, gates }
}

const LINES: &[BadNight] = &[
    bad(
        "half the book is missing",
        |n| n.change("lines", |t| t.rows.truncate(t.rows.len() / 2)),
        &["the book is there"],
    ),
    bad(
        "two products swapped",
        |n| n.set("lines", "product", swapped("huabei", "jiebei")),
        &["huabei lines", "jiebei lines"],
    ),
    bad(
        "two wallets swapped",
        |n| n.set("lines", "product", swapped("huabei", "fenfu")),
        &["huabei lines", "fenfu lines"],
    ),
    bad(
        "every line is active",
        |n| n.set("lines", "status", |_| "active".into()),
        &["lines that are active", "lines that are closed"],
    ),
    bad(
        "every line is suspended",
        |n| n.set("lines", "status", |_| "suspended".into()),
        &["lines that are active"],
    ),
    bad(
        "limits in yuan",
        |n| n.set("lines", "credit_limit", scaled(1, 100)),
        &["limits of the book", "limits below 100 yuan"],
    ),
    bad("limits times 10", |n| n.set("lines", "credit_limit", scaled(10, 1)), &["limits of the book"]),
    bad(
        "balances times 10",
        |n| n.set("lines", "balance", scaled(10, 1)),
        &["balances of the book", "balances above the limit"],
    ),
    bad("balances in yuan", |n| n.set("lines", "balance", scaled(1, 100)), &["balances of the book"]),
    bad("balances are zero", |n| n.set("lines", "balance", scaled(0, 1)), &["balances of the book"]),
    bad("no increase dates", |n| n.set("lines", "increased_on", |_| Cell::Null), &["raises that are known"]),
    bad(
        "no decrease dates",
        |n| n.set("lines", "decreased_on", |_| Cell::Null),
        &["lowerings that are known"],
    ),
    bad("opened ten years earlier", |n| n.set("lines", "opened_on", shifted(-3650)), &["days on the book"]),
    bad("opened today", |n| n.set("lines", "opened_on", |_| n.day.into()), &["days on the book"]),
    bad("accounts of cash loans mixed up", mix_up_accounts, &["scores that jump"]),
];

const TRANSACTIONS: &[BadNight] = &[
    bad(
        "salaries under another kind",
        |n| n.set("transactions", "kind", renamed("salary", "wages")),
        &[SOUND_ROWS],
    ),
    bad(
        "salaries sent out",
        |n| n.set("transactions", "kind", renamed("salary", "transfer_out")),
        &["transfers out of the day"],
    ),
    bad(
        "salaries as purchases",
        |n| n.set("transactions", "kind", renamed("salary", "purchase")),
        &["large purchases"],
    ),
    bad(
        "no transactions",
        |n| n.change("transactions", |t| t.rows.clear()),
        &["transactions are there", "accounts that moved today"],
    ),
    bad("honest gift cards", gift_cards, &["gift cards and jewellery of the day", "suspected of cash-out"]),
    bad(
        "purchase and transfer out swapped",
        |n| swap_kinds(n, "transfer_out"),
        &["purchases of the day", "transfers out of the day"],
    ),
    bad(
        "purchase and transfer in swapped",
        |n| swap_kinds(n, "transfer_in"),
        &["purchases of the day", "transfers in of the day"],
    ),
    bad("amounts in yuan", |n| n.set("transactions", "amount", scaled(1, 100)), &["small purchases"]),
    bad("amounts times 100", |n| n.set("transactions", "amount", scaled(100, 1)), &["large purchases"]),
    bad("signs flipped", |n| n.set("transactions", "amount", scaled(-1, 1)), &[SOUND_ROWS]),
    bad("salaries doubled", double_salaries, &["paid twice a day"]),
    bad(
        "all bought on credit",
        |n| n.set("transactions", "product", |_| "huabei".into()),
        &["purchases on credit"],
    ),
];

const REPAYMENTS: &[BadNight] = &[
    bad(
        "no repayments",
        |n| n.change("repayments", |t| t.rows.clear()),
        &["repayments are there", "bills due today are paid"],
    ),
    bad("payments lost", lose_payments, &["bills due today are paid"]),
    bad(
        "payments in yuan",
        |n| n.set("repayments", "paid_amount", scaled(1, 100)),
        &["bills due today are paid"],
    ),
    bad("payments doubled", double_payments, &["bills paid more than once"]),
    bad(
        "due a month early",
        |n| n.set("repayments", "due_on", shifted(-30)),
        &["bills past due", "bills a fortnight past due"],
    ),
    bad(
        "bills times 100",
        |n| n.set("repayments", "due_amount", scaled(100, 1)),
        &["bills beyond what is owed"],
    ),
    bad(
        "bills twice with other ids",
        |n| n.change("repayments", |t| repeat(t, "bill_id", |_, _| true)),
        &["bills made out twice"],
    ),
    bad(
        "two products swapped",
        |n| n.set("repayments", "product", swapped("huabei", "jiebei")),
        &["bills due today are paid"],
    ),
];

const JOB_FILES: &[BadNight] = &[
    bad(
        "points one bin off",
        |n| n.edit("scorecard.toml", |text| bins_off(text, |_| true, false)),
        &["scores that jump", "scores together"],
    ),
    bad(
        "points one bin back",
        |n| n.edit("scorecard.toml", |text| bins_off(text, |_| true, true)),
        &["scores that jump", "scores together"],
    ),
    bad(
        "scores capped",
        |n| n.edit("scorecard.toml", |text| with_key(text, "max", "705")),
        &["share of 800 and more"],
    ),
    bad(
        "scores from 450",
        |n| n.edit("scorecard.toml", |text| with_key(text, "base", "450")),
        &["scores that jump", "scores that rise"],
    ),
    bad(
        "cash-out from a tenth of the limit",
        |n| n.edit("scorecard.toml", |t| t.replace(">= 6000", ">= 600").replace(">= 300000", ">= 3000")),
        &["suspected of cash-out"],
    ),
    bad(
        "suspend from 3 days",
        |n| n.edit("policy.toml", |t| in_rules(t, "P02", ">= 30", ">= 3")),
        &["suspended with nothing 15 days past due"],
    ),
    bad(
        "closed from 9 days",
        |n| n.edit("policy.toml", |t| in_rules(t, "P01", ">= 90", ">= 9")),
        &["closed with nothing 90 days past due"],
    ),
    bad(
        "affordability times 10",
        |n| n.edit("policy.toml", |text| in_lines(text, "affordability", " }", "0 }")),
        &["raises beyond income"],
    ),
    bad(
        "raised by 150 per cent",
        |n| n.edit("policy.toml", |t| in_rules(t, "P44", "percent = ", "percent = 1")),
        &["raised by more than half"],
    ),
    bad(
        "no budgets",
        |n| n.edit("policy.toml", |text| without_lines(text, &["raise_budget", "budget"])),
        &["money out"],
    ),
    bad(
        "no cool-downs",
        |n| n.edit("policy.toml", |text| without_lines(text, &["raise_after", "lower_after"])),
        &["raised soon after a change"],
    ),
    bad(
        "nothing is withdrawn",
        |n| n.edit("policy.toml", |text| without_rules(text, "withdraw")),
        &["announced although all is paid"],
    ),
];

/// Of a first night, which decides about all that has piled up in a book.
const FIRST_NIGHT: &[BadNight] = &[
    bad(
        "lowered by 80 per cent",
        |n| n.edit("policy.toml", |t| in_rules(t, "P33", "percent = 15", "percent = 80")),
        &["used lines lowered by more than a quarter"],
    ),
    bad(
        "unused lines lowered by 90 per cent",
        |n| n.edit("policy.toml", |t| in_rules(t, "P34", "percent = 50", "percent = 90")),
        &["lowered by more than half"],
    ),
    bad("limits in yuan", |n| n.set("lines", "credit_limit", scaled(1, 100)), &["limits below 100 yuan"]),
    bad("payments lost", lose_payments, &["bills due today are paid"]),
];

fn mix_up_accounts(night: &Trial) {
    night.change("lines", |table| {
        let account = table.position("account_id").unwrap();
        let is_loan = |row: &&mut Vec<Cell>| row[1].text() == Some("jiebei");
        let mut ids: Vec<Cell> =
            table.rows.iter_mut().filter(is_loan).map(|row| row[account].clone()).collect();
        ids.rotate_left(1);
        table.rows.iter_mut().filter(is_loan).zip(ids).for_each(|(row, id)| row[account] = id);
    });
}

fn swap_kinds(night: &Trial, transfer: &'static str) {
    night.set("transactions", "kind", swapped("purchase", transfer));
}

fn double_salaries(night: &Trial) {
    let is_salary = |table: &Table, row: &[Cell]| has(table, row, "kind", "salary");
    night.change("transactions", |table| repeat(table, "transaction_id", is_salary));
}

/// A festival: every third account that can buys four gift cards of 1,000 yuan on credit.
fn gift_cards(night: &Trial) {
    let lines =
        Table::read(&night.home.path().join(format!("sample_data/lines/date={}/part-0.parquet", night.day)));
    let [account, product] = ["account_id", "product"].map(|name| lines.position(name).unwrap());
    let is_buyer = |row: &&Vec<Cell>| {
        row[product].text() == Some("huabei") && row[account].int().is_some_and(|id| id % 3 == 0)
    };
    let buyers: HashSet<i64> =
        lines.rows.iter().filter(is_buyer).filter_map(|row| row[account].int()).collect();
    let mut buyers: Vec<i64> = buyers.into_iter().collect();
    buyers.sort_unstable();
    night.change("transactions", |table| {
        for (number, account) in (0..).zip(buyers.iter().flat_map(|&account| [account; 4])) {
            let cell = |name: &str| match name {
                "transaction_id" => ((1_i64 << 60) + number).into(),
                "account_id" => account.into(),
                "posted_on" => night.day.into(),
                "product" => "huabei".into(),
                "kind" => "purchase".into(),
                "category" => "gift_cards".into(),
                "merchant_id" => 150_001.into(),
                "amount" => 100_000.into(),
                "online" => true.into(),
                other => panic!("transactions have a column {other}"),
            };
            let row = table.columns.iter().map(|(name, _)| cell(name)).collect();
            table.rows.push(row);
        }
    });
}

fn lose_payments(night: &Trial) {
    night.change("repayments", |table| {
        let paid_on = table.position("paid_on").unwrap();
        table.rows.retain(|row| row[paid_on] == Cell::Null);
    });
}

fn double_payments(night: &Trial) {
    night.change("repayments", |table| {
        let paid_on = table.position("paid_on").unwrap();
        let again: Vec<_> = table.rows.iter().filter(|row| row[paid_on] != Cell::Null).cloned().collect();
        table.rows.extend(again);
    });
}

/// What is wrong with how damaged nights ended.
#[derive(Default)]
struct Judgement {
    wrong: Vec<String>,
}

impl Judgement {
    /// Runs a damaged night, which one of the gates has to stop, and all of those named.
    fn judge(&mut self, name: &str, night: &Trial, gates: &[&str]) {
        let begun = Instant::now();
        let failed = night.run().failed_gates();
        println!("{name:50} {:4} ms  {}", begun.elapsed().as_millis(), failed.join(" | "));
        let holding = gates.iter().filter(|gate| !failed.iter().any(|failed| failed == *gate));
        let holding: Vec<_> = holding.collect();
        if failed.is_empty() || !holding.is_empty() {
            self.wrong.push(format!("{name}: {holding:?} hold; those that do not: {failed:?}"));
        }
    }

    fn judge_all(&mut self, kind: &str, bad_nights: &[BadNight], trial: impl Fn() -> Trial) {
        for bad in bad_nights {
            let night = trial();
            (bad.damage)(&night);
            self.judge(&format!("{kind}: {}", bad.name), &night, bad.gates);
        }
    }
}

#[test]
fn every_bad_night_is_stopped_by_a_gate_that_says_why() {
    let begun = Instant::now();
    let (first, bad_night) = (day(FIRST), day(BAD_NIGHT));
    let mut lender = CoreSystem::new(ACCOUNTS, first, bad_night);
    let mut judgement = Judgement::default();
    for day in first.to(bad_night.plus(-1)) {
        let job = job_of(day, first);
        lender.begin(day);
        if day == first {
            judgement.judge_all("first night", FIRST_NIGHT, || Trial::of(&lender, job, day));
        }
        let night = lender.night(job, day);
        assert!(!night.is_held, "{day} is held by {:?}", night.failed_gates());
    }
    lender.begin(bad_night);
    let trial = || Trial::of(&lender, job_of(bad_night, first), bad_night);
    let healthy = trial().run();
    assert!(!healthy.is_held, "the undamaged night is held by {:?}", healthy.failed_gates());
    judgement.judge_all("lines", LINES, trial);
    judgement.judge_all("transactions", TRANSACTIONS, trial);
    judgement.judge_all("repayments", REPAYMENTS, trial);
    judgement.judge_all("job", JOB_FILES, trial);
    let scorecard = fs::read_to_string(project().join("jobs/scorecard.toml")).unwrap();
    for feature in characteristics(&scorecard) {
        for back in [false, true] {
            let night = trial();
            night.edit("scorecard.toml", |text| bins_off(text, |named| named == feature, back));
            let name = format!("points of {feature} one bin {}", if back { "back" } else { "off" });
            judgement.judge(&name, &night, &[]);
        }
    }
    println!("bad nights of {ACCOUNTS} accounts: {:?}", begun.elapsed());
    let wrong = judgement.wrong;
    assert!(wrong.is_empty(), "{} bad nights are not stopped:\n{}", wrong.len(), wrong.join("\n"));
}

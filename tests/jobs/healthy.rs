//! 120 nights of a healthy book: what the shipped jobs do to it, held against what the deliveries say.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Instant;

use rescore::day::Day;

use super::core_system::{Adjustment, CoreSystem, Effect, LineKey, Night};
use super::tally::Tally;
use super::truth::Truth;
use crate::support::day;

const ACCOUNTS: u32 = 20_000;
const FIRST: &str = "2026-05-01";
const LAST: &str = "2026-08-28";

/// Whoever had income within so many days has not lost it.
const INCOME_DAYS: i64 = 40;

/// Nobody is suspended, reopened and suspended within so many days.
const REVERSAL_DAYS: i64 = 30;

/// The reasons whose notices end when their cause does.
const CURABLE: [&str; 4] = ["P01", "P03", "P33", "P34"];

/// What must not happen, and where it did.
#[derive(Default)]
struct Harm(BTreeMap<&'static str, Vec<String>>);

impl Harm {
    fn note(&mut self, what: &'static str, on: Day, key: &LineKey) {
        let found = self.0.entry(what).or_default();
        found.push(format!("{} {} on {on}", key.account, key.product));
    }
}

/// What the nights are watched for.
#[derive(Default)]
struct Watch {
    harm: Harm,
    truth: Truth,
    /// Suspensions and reopenings of an account, in order.
    turns: HashMap<i64, Vec<(Day, bool)>>,
    /// Notices that waited after the night before although their cause had ended.
    overdue: HashSet<(LineKey, Day)>,
    /// Minor units by which raises raised and lowerings and closings lowered.
    raised: i64,
    cut: i64,
}

impl Watch {
    /// Judges what takes effect on a day by what was known the night before.
    fn effects(&mut self, on: Day, effects: &[Effect]) {
        let past_due = self.truth.past_due(on);
        for Effect { key, adjustment, change } in effects {
            if is_cured(&self.truth, &past_due, key, adjustment) {
                self.harm.note("a notice takes effect although its cause has ended", on, key);
            }
            match adjustment.action.as_str() {
                "raise" => {
                    self.raised += change;
                    if past_due.contains(&key.account) {
                        self.harm.note("a raise takes effect while a bill is past due", on, key);
                    }
                }
                "lower" | "close" => self.cut -= change,
                "suspend" => self.turn(on, key, true),
                "reopen" => self.turn(on, key, false),
                other => panic!("{other} takes effect"),
            }
        }
    }

    fn turn(&mut self, on: Day, key: &LineKey, is_suspended: bool) {
        let turns = self.turns.entry(key.account).or_default();
        if is_suspended {
            let is_recent = |from: Day| on.since(from) <= REVERSAL_DAYS;
            let reopened = turns.iter().rposition(|&(day, suspended)| !suspended && day <= on);
            let before = reopened.and_then(|last| turns[..last].iter().rfind(|(_, suspended)| *suspended));
            if before.is_some_and(|&(day, _)| is_recent(day)) {
                self.harm.note("an account is suspended, reopened and suspended", on, key);
            }
        }
        turns.push((on, is_suspended));
    }

    /// Judges a night's decisions by what was delivered up to it.
    fn decisions(&mut self, lender: &CoreSystem, night: &Night, decisions: &[Decision]) {
        for decision in decisions {
            let key = &decision.key;
            let line = lender.line(key);
            assert_eq!((decision.old_limit, decision.old_status.as_str()), line, "{} {key:?}", night.day);
            if decision.reason == "no_rule" {
                self.harm.note("a line gets no reason", night.day, key);
            }
            if decision.reason == "P33" && decision.action == "lower" {
                let income = self.truth.last_income(key.account);
                if income.is_some_and(|last| night.day.since(last) <= INCOME_DAYS) {
                    self.harm.note("a line is lowered for an income that came", night.day, key);
                }
            }
        }
        // What a held night decided is not issued, so nothing could be withdrawn.
        if night.is_held {
            return;
        }
        let past_due = self.truth.past_due(night.day);
        let mut overdue = HashSet::new();
        for (key, adjustment) in lender.pending() {
            if is_cured(&self.truth, &past_due, key, adjustment) {
                let notice = (key.clone(), adjustment.issued_on);
                if self.overdue.contains(&notice) {
                    self.harm.note("a notice outlives its cause by more than a night", night.day, key);
                }
                overdue.insert(notice);
            }
        }
        self.overdue = overdue;
    }
}

/// Whether the cause of a notice has ended, as far as is known.
fn is_cured(truth: &Truth, past_due: &HashSet<i64>, key: &LineKey, notice: &Adjustment) -> bool {
    let is_notice = notice.effective_on > notice.issued_on && CURABLE.contains(&notice.reason.as_str());
    let is_since = |day: Option<Day>| day.is_some_and(|day| day > notice.issued_on);
    is_notice
        && match notice.reason.as_str() {
            "P33" => is_since(truth.last_income(key.account)),
            "P34" => is_since(truth.last_purchase(key.account)),
            _ => !past_due.contains(&key.account),
        }
}

struct Decision {
    key: LineKey,
    action: String,
    reason: String,
    old_limit: i64,
    old_status: String,
}

fn decisions_of(night: &Night) -> Vec<Decision> {
    let columns = ["account_id", "product", "action", "reason", "old_limit", "old_status"];
    let rows = night.table("decisions", &columns).rows.into_iter().map(|row| {
        let [account, product, action, reason, old_limit, old_status] = &row[..] else {
            panic!("a decision has {} of the columns {columns:?}", row.len());
        };
        let text = |cell: &crate::support::Cell| cell.text().unwrap().to_string();
        Decision {
            key: LineKey { account: account.int().unwrap(), product: text(product) },
            action: text(action),
            reason: text(reason),
            old_limit: old_limit.int().unwrap(),
            old_status: text(old_status),
        }
    });
    rows.collect()
}

/// The job of a night: the first has one of its own, whose gates bear what has piled up in a book.
pub fn job_of(day: Day, first: Day) -> &'static str {
    if day == first { "jobs/first-night.toml" } else { "jobs/nightly.toml" }
}

#[test]
fn healthy_nights_go_through_and_harm_nobody() {
    let begun = Instant::now();
    let (first, last) = (day(FIRST), day(LAST));
    let mut lender = CoreSystem::new(ACCOUNTS, first, last);
    let mut watch = Watch { truth: Truth::before(&lender, first), ..Watch::default() };
    let mut tally = Tally::default();
    for day in first.to(last) {
        let effects = lender.begin(day);
        watch.effects(day, &effects);
        let night = lender.night(job_of(day, first), day);
        watch.truth.learn(&lender, day);
        let decisions = decisions_of(&night);
        watch.decisions(&lender, &night, &decisions);
        if night.is_held {
            println!("{day} held by {:?}", night.failed_gates());
        }
        tally.add(&night, decisions.into_iter().map(|decision| (decision.action, decision.reason)));
        night.forget_tables();
    }
    tally.print_nights();
    tally.print_reasons();
    tally.print_gates();
    let yuan = |minor: i64| minor / 100;
    println!("\nraised by {} yuan, cut by {} yuan", yuan(watch.raised), yuan(watch.cut));
    for (what, where_) in &watch.harm.0 {
        println!("{what}: {} times, e.g. {}", where_.len(), where_[..where_.len().min(3)].join(", "));
    }
    println!("{} nights of {ACCOUNTS} accounts: {:?}", last.since(first) + 1, begun.elapsed());
    assert!(watch.harm.0.is_empty(), "{:?}", watch.harm.0.keys());
    assert!(tally.held() <= 1, "{} nights are held", tally.held());
    assert!(watch.raised > watch.cut, "more is cut than raised");
}

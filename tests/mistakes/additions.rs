//! Mistakes about withdrawals, budgets, statuses and the run before, and what is none.

use arrow_schema::DataType::{Date32, Utf8};

use super::{assert_told, told, told_about};
use crate::support::Cell;
use crate::support::book::{Book, LINES, TODAY, YESTERDAY, table};

#[test]
fn mistakes_in_withdrawals_and_budgets() {
    let hold = "action = \"hold\"\nreason = \"P04\"";
    let keys = ["to = 1000", "percent = 20", "by = 1000", "notice_days = 7", "never_below_balance = true"];
    let withdrawals = keys.map(|key| {
        let book = Book::new();
        book.edit("policy.toml", hold, &format!("action = \"withdraw\"\nreason = \"P04\"\n{key}"));
        told(key, &book, 2)
    });
    let budgets = [
        ("a withdraw with a budget", hold, "action = \"withdraw\"\nreason = \"P04\"\nbudget = 1000"),
        ("a hold with a budget", hold, "action = \"hold\"\nreason = \"P04\"\nbudget = 1000"),
        ("a lower with a budget", hold, "action = \"lower\"\nreason = \"P04\"\nby = 1000\nbudget = 1000"),
        ("a reopen with a share", hold, "action = \"reopen\"\nreason = \"P04\"\nto = 1000\nbudget_bp = 10"),
        ("a rule with two budgets", "percent = 20", "percent = 20\nbudget = 1000\nbudget_bp = 10"),
        ("a product with two budgets", "step = 1000", "step = 1000\nraise_budget = 1\nraise_budget_bp = 1"),
        ("a negative budget", "percent = 20", "percent = 20\nbudget = -1"),
        ("a negative share", "percent = 20", "percent = 20\nbudget_bp = -1"),
        ("a negative share of a product", "step = 1000", "step = 1000\nraise_budget_bp = -1"),
        ("a float", "percent = 20", "percent = 20\nbudget = 1.5"),
        ("a near miss", "percent = 20", "percent = 20\nbudgets = 1"),
    ];
    let budgets = budgets.map(|(name, from, to)| (name, "policy.toml", from, to));
    assert_told!(withdrawals.concat() + &told_about(&budgets));
}

#[test]
fn mistakes_about_the_run_before() {
    let gate = |keys: &str| format!("[[gate]]\nname = \"g\"\n{keys}\n");
    let gates = [
        ("a change below nothing", gate("rows = \"lines\"\nmax_change_bp = -1")),
        ("a change that is a float", gate("rows = \"lines\"\nmax_change_bp = 1.5")),
        ("the least change", gate("rows = \"lines\"\nmin_change_bp = 1")),
        (
            "days in a status are no column of decisions",
            gate("table = \"decisions\"\nshare_of = \"days_in_status > 3\"\nmax_change_bp = 1"),
        ),
        (
            "nor is a reason that no rule reads",
            gate("table = \"decisions\"\nshare_of = \"status_reason = 'P1'\"\nmax_change_bp = 1"),
        ),
        (
            "a score is no text",
            gate("table = \"scores\"\nshare_of = \"previous_score = 'a'\"\nmax_change_bp = 1"),
        ),
    ];
    let changes = gates.map(|(name, gate)| {
        let book = Book::new();
        book.append("job.toml", &gate);
        told(name, &book, 2)
    });
    let mistakes = [
        ("no date", "job.toml", "\n[output]", "previous = \"out/scores.parquet\"\n\n[output]"),
        ("a column to rename", "job.toml", "", "[rename.previous]\nscore = \"points\"\n"),
    ];
    assert_told!(changes.concat() + &told_about(&mistakes));
}

/// Features and dimensions cannot be called like what rules and gates see under these names.
#[test]
fn names_of_statuses_and_of_the_run_before_are_taken() {
    let taken = ["status_since", "status_reason", "days_in_status", "previous_score", "previous_band"];
    let told = taken.map(|name| {
        let book = Book::new();
        let feature = format!("[[feature]]\nname = \"{name}\"\nfrom = \"lines\"\nagg = \"count\"\n");
        let dimension = format!("[[dimension]]\nname = \"{name}\"\ntitle = \"A title\"\n");
        book.append("scorecard.toml", &(feature + &dimension));
        told(name, &book, 2)
    });
    assert_told!(told.concat());
}

/// The history of statuses, as that of limits, is not forgotten from one day to the next.
#[test]
fn snapshots_that_no_longer_have_the_history_of_statuses() {
    let columns = [&LINES[..8], &[("status_since", Date32), ("status_reason", Utf8)]].concat();
    let line = "1 card 1000 0 active 2025-01-01 - - 2026-01-01 P1";
    let with = |names: &[&str]| {
        let columns: Vec<_> = columns.iter().filter(|(name, _)| !names.contains(name)).cloned().collect();
        let cells = line.split_whitespace().take(columns.len()).collect::<Vec<_>>().join(" ");
        table(&columns, &cells)
    };
    let cases = [
        ("both are gone", &["status_since", "status_reason"][..], YESTERDAY),
        ("the reason is gone", &["status_reason"], YESTERDAY),
        ("the reason was there 31 days ago", &["status_reason"], "2026-10-20"),
    ];
    let told = cases.map(|(name, gone, earlier)| {
        let book = Book::new();
        book.edit("policy.toml", "segment = 'private' and ", "");
        book.deliver("lines", earlier, &with(&[]));
        book.deliver("lines", TODAY, &with(gone));
        told(name, &book, 3)
    });
    assert_told!(told.concat());
    // Longer ago, or with the job's word, it is read as null.
    for (earlier, without) in [("2026-10-19", ""), (YESTERDAY, "without = [\"lines.status_reason\"]\n")] {
        let book = Book::new();
        book.edit("policy.toml", "segment = 'private' and score >= 600", "status_reason is null");
        book.edit("job.toml", "\n[input]", &format!("{without}\n[input]"));
        book.deliver("lines", earlier, &with(&[]));
        book.deliver("lines", TODAY, &with(&["status_reason"]));
        book.publish();
        let reasons = book.output("decisions").column("status_reason");
        assert_eq!(reasons, [Cell::Null], "{earlier}");
    }
    // Where it is delivered, the job's word holds as well.
    let book = Book::new();
    book.edit("policy.toml", "segment = 'private' and score >= 600", "status_reason is null");
    book.edit("job.toml", "\n[input]", "without = [\"lines.status_reason\"]\n\n[input]");
    book.deliver("lines", TODAY, &with(&[]));
    book.publish();
    assert_eq!(book.output("decisions").column("status_reason"), [Cell::Null]);
}

/// A status that begins after the delivery that tells of it.
#[test]
fn a_status_of_tomorrow_is_a_rejected_row_unless_the_job_does_without() {
    let columns = [&LINES[..8], &[("status_since", Date32), ("status_reason", Utf8)]].concat();
    let lines = "
        1 card 1000 0 active 2025-01-01 - - 2026-11-20 P1
        2 card 1000 0 active 2025-01-01 - - 2026-11-21 P1";
    for (without, rejected) in [("", 1), ("without = [\"lines.status_since\"]\n", 0)] {
        let book = Book::new();
        book.edit("policy.toml", "segment = 'private' and ", "");
        book.edit("job.toml", "\n[input]", &format!("{without}\n[input]"));
        book.deliver("lines", TODAY, &table(&columns, lines));
        assert_eq!(book.rejects(), rejected, "{without}");
    }
}

//! Rows that nights must get right one after the other: those at the edges of windows, late ones, repeats, bills that change.

use parquet::file::properties::WriterProperties;

use super::desk::{Desk, date, transactions};
use crate::support::Cell;
use crate::support::book::delivered;

const SUM_3D: &str = r#"name = "sum_3d"; from = "transactions"; agg = "sum"; of = "amount"; days = 3"#;
const COUNT_3D: &str = r#"name = "count_3d"; from = "transactions"; agg = "count"; days = 3"#;
const SUM_6D: &str = r#"name = "sum_6d"; from = "transactions"; agg = "sum"; of = "amount"; days = 6"#;
const COUNT_1D: &str = r#"name = "count_1d"; from = "transactions"; agg = "count"; days = 1"#;
const LATE_DAYS: &str = r#"name = "late_days"; from = "bills"; agg = "sum"; of = "days_late""#;
const OPEN: &str = r#"name = "open"; from = "bills"; agg = "count"; where = "is_open""#;
const DUE_1D: &str = r#"name = "due_1d"; from = "bills"; agg = "count"; days = 1"#;

/// The unique column of [`Desk::transactions`], three days long.
const UNIQUE: &str = "[unique.transactions]\ncolumn = \"transaction_id\"\nwithin_days = 3\n";

#[test]
fn a_row_leaves_each_window_on_its_day() {
    let mut desk = Desk::new(&[SUM_3D, COUNT_3D, SUM_6D, COUNT_1D]);
    desk.transactions(1, "1 1 1 100 buy\n2 1 1 7 buy\n3 2 1 5 buy");
    desk.transactions(3, "4 1 3 20 buy");
    desk.go_on(1..10);
    assert_eq!(desk.over(1..10, 1, "sum_3d"), [107, 107, 127, 20, 20, 0, 0, 0, 0]);
    assert_eq!(desk.over(1..10, 1, "sum_6d"), [107, 107, 127, 127, 127, 127, 20, 20, 0]);
    assert_eq!(desk.over(1..10, 1, "count_1d"), [2, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(desk.over(1..10, 2, "sum_3d"), [5, 5, 5, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_late_row_leaves_by_the_day_it_was_posted_on() {
    let mut desk = Desk::new(&[SUM_3D, COUNT_3D, SUM_6D]);
    desk.transactions(3, "1 1 1 100 buy\n2 1 3 7 buy\n3 1 2 30 buy");
    desk.go_on(2..11);
    assert_eq!(desk.over(2..11, 1, "sum_3d"), [0, 137, 37, 7, 0, 0, 0, 0, 0]);
    assert_eq!(desk.over(2..11, 1, "sum_6d"), [0, 137, 137, 137, 137, 37, 7, 0, 0]);
}

#[test]
fn rows_leave_in_a_gap_of_days_as_they_do_night_by_night() {
    let mut desk = Desk::new(&[SUM_3D, COUNT_3D, SUM_6D, COUNT_1D]);
    for day in 0..12 {
        desk.transactions(day, &format!("{day}1 1 {day} 100 buy\n{day}2 1 {} 7 buy", day - 2));
    }
    desk.go_on([4, 6, 9, 10]);
    assert_eq!(desk.over([4, 6, 9, 10], 1, "sum_3d"), [307, 307, 307, 307]);
}

#[test]
fn a_repeat_that_was_left_out_is_left_out_again_when_its_day_leaves_a_window() {
    let mut desk = Desk::new(&[SUM_3D, COUNT_3D, SUM_6D]);
    desk.book().append("job.toml", UNIQUE);
    desk.transactions(0, "9 1 0 1000 buy");
    // Row groups of one row, read by several threads, with repeats in most.
    let rows = "1 1 1 1 buy\n9 1 1 2 buy\n1 1 1 4 buy\n2 1 1 8 buy\n9 1 1 16 buy\n2 1 1 32 buy\n1 1 1 64 buy
        3 1 1 128 buy\n3 1 1 256 buy\n2 1 1 512 buy";
    let by_row = WriterProperties::builder().set_max_row_group_row_count(Some(1)).build();
    transactions(rows).write_with(&desk.path().join(delivered("transactions", &date(1))), by_row);
    desk.transactions(2, "1 1 2 2000 buy\n5 1 2 5000 buy");
    desk.go_on(0..10);
    assert_eq!(desk.over(0..6, 1, "sum_3d"), [1000, 1137, 6137, 5137, 5000, 0]);
    assert_eq!(desk.over(5..9, 1, "sum_6d"), [6137, 5137, 5000, 0]);
}

#[test]
fn a_sum_that_ran_over_64_bits_comes_back() {
    let most = i64::MAX;
    let mut desk = Desk::new(&[SUM_3D, SUM_6D]);
    // The rows of a day may run over on their way, its sum does not.
    let rows =
        format!("1 1 1 {most} buy\n2 1 1 {most} buy\n3 1 1 -{most} buy\n4 2 1 -{most} buy\n5 2 1 -1 buy");
    desk.transactions(1, &rows);
    desk.transactions(2, &format!("6 1 2 -{most} buy\n7 1 2 -{most} buy\n8 1 2 5 buy"));
    desk.transactions(3, &format!("9 1 3 {most} buy"));
    desk.go_on(1..10);
    assert_eq!(desk.over(1..7, 1, "sum_3d"), [most, 5 - most, 5, 5 - most, most, 0]);
    assert_eq!(desk.over(1..4, 2, "sum_3d"), [i64::MIN, i64::MIN, i64::MIN]);
    assert_eq!(desk.over(4..7, 2, "sum_3d"), [0, 0, 0]);
}

#[test]
fn a_sum_that_does_not_fit_is_refused_with_sorted_deliveries_as_without() {
    let most = i64::MAX;
    let mut desk = Desk::new(&[SUM_3D]);
    desk.transactions(1, &format!("1 1 1 {most} buy"));
    desk.transactions(2, "2 1 2 1 buy");
    desk.go_on([0, 1]);
    let refused =
        |more: &[&str]| desk.book().outcome(&[&["run", "job.toml", "--date", &date(2)], more].concat());
    let (with, without) = (refused(&[]), refused(&["--from-scratch"]));
    assert_eq!(with, without);
    assert_eq!(with.0, 3);
    assert!(with.2.contains("sum_3d of account 1: 9223372036854775808 does not fit"), "{}", with.2);
    // The transactions that it had sorted are kept.
    assert_eq!(desk.night(4).to_sort(), 5);
    desk.check();
    assert_eq!(desk.over([4], 1, "sum_3d"), [1]);
}

#[test]
fn a_bill_settled_long_ago_that_bounces_is_open_again() {
    let mut desk = Desk::new(&[LATE_DAYS, OPEN]);
    desk.repayments(0, "1 71 0 500 0 500\n2 72 0 500 0 500");
    desk.repayments(9, "1 71 0 500 9 -500");
    desk.repayments(11, "1 71 0 500 11 500");
    desk.go_on(0..13);
    assert_eq!(desk.over([0, 5, 8, 9, 10, 11, 12], 1, "open"), [0, 0, 0, 1, 1, 0, 0]);
    assert_eq!(desk.over([8, 9, 10, 11, 12], 1, "late_days"), [0, 9, 10, 11, 11]);
    assert_eq!(desk.over([12], 2, "late_days"), [0]);
}

#[test]
fn a_bill_enters_on_the_day_it_is_due_and_grows_late() {
    let mut desk = Desk::new(&[LATE_DAYS, OPEN, DUE_1D]);
    desk.repayments(0, "1 71 3 500 - -\n2 72 3 500 0 500");
    desk.repayments(5, "1 71 9 500 - -");
    desk.go_on(0..12);
    assert_eq!(desk.over(0..12, 1, "due_1d"), [0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(desk.over(0..12, 1, "late_days"), [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(desk.over(0..5, 2, "due_1d"), [0, 0, 0, 1, 0]);
}

#[test]
fn a_payment_that_is_yet_to_come_counts_from_its_day() {
    let mut desk = Desk::new(&[LATE_DAYS, OPEN]);
    desk.book().edit("job.toml", "in/repayments/date={date}/*.parquet", "in/undated/*.parquet");
    let path = desk.path().join("in/undated/all.parquet");
    super::desk::repayments("1 71 1 500 4 500\n1 72 1 300 - -\n2 73 9 100 12 100").write(&path);
    desk.go_on(1..8);
    assert_eq!(desk.over(1..8, 1, "open"), [2, 2, 2, 1, 1, 1, 1]);
    assert_eq!(desk.over(1..8, 1, "late_days"), [0, 2, 4, 6, 7, 8, 9]);
}

#[test]
fn what_is_known_only_later_is_no_part_of_a_night() {
    let mut desk = Desk::new(&[SUM_3D, OPEN]);
    desk.transactions(4, "1 1 4 100 buy");
    desk.transactions(5, "2 1 4 20 buy\n3 1 5 3 buy");
    desk.repayments(5, "1 71 2 500 - -");
    desk.go_on([2, 3, 4]);
    let args = ["run", "job.toml", "--date", &date(4), "--known-on", &date(5)];
    for (more, out) in [(vec!["-v"], "out"), (vec!["--from-scratch", "--out", "scratch"], "scratch")] {
        let (code, _, stderr) = desk.book().outcome(&[&args[..], &more].concat());
        assert_eq!(code, 0, "{stderr}");
        if out == "out" {
            assert!(stderr.contains(" sorted deliveries, 2 to sort: 2 not sorted before"), "{stderr}");
        }
    }
    let run = |out: &str| desk.path().join(format!("{out}/known={}/date={}", date(5), date(4)));
    super::twice::difference(&run("out"), &run("scratch")).unwrap();
    let known = crate::support::Table::read(&run("out").join("features.parquet"));
    assert_eq!(known.column("sum_3d")[0], Cell::Int(120));
    assert_eq!(desk.night(5).to_sort(), 0);
    assert_eq!(desk.over([4, 5], 1, "sum_3d"), [100, 123]);
}

#[test]
fn a_stranger_who_joins_the_book_brings_a_history() {
    let mut desk = Desk::new(&[
        SUM_3D,
        SUM_6D,
        LATE_DAYS,
        OPEN,
        r#"name = "kinds"; from = "transactions"; agg = "distinct"; of = "kind"; days = 6"#,
        r#"name = "most"; from = "transactions"; agg = "max"; of = "amount"; days = 6"#,
        r#"name = "days"; from = "transactions"; agg = "active_days"; days = 6"#,
        r#"name = "latest"; from = "transactions"; agg = "last"; of = "amount"; days = 6"#,
        r#"name = "since"; from = "transactions"; agg = "days_since"; days = 6"#,
    ]);
    desk.transactions(1, "1 9 1 100 buy\n2 9 0 7 sell\n3 8 1 1 buy");
    desk.transactions(3, "4 9 3 20 buy\n5 1 3 20 buy");
    desk.repayments(1, "9 71 2 500 - -\n8 72 2 500 2 500");
    // 9 joins; 1 leaves and comes back; 8 stays a stranger.
    desk.lines(4, &[2, 9]);
    desk.lines(6, &[1, 9]);
    desk.go_on(1..10);
    assert_eq!(desk.over(4..10, 9, "sum_6d"), [127, 127, 120, 20, 20, 0]);
    assert_eq!(desk.over(4..8, 9, "kinds"), [2, 2, 1, 1]);
    assert_eq!(desk.over(4..8, 9, "most"), [100, 100, 100, 20]);
    assert_eq!(desk.over(4..8, 9, "since"), [1, 2, 3, 4]);
    assert_eq!(desk.over(4..8, 9, "late_days"), [2, 3, 4, 5]);
    assert_eq!(desk.over(6..9, 1, "sum_6d"), [20, 20, 20]);
}

//! Bills that nights must look at again: paid back, given other terms, of accounts that were away.

use super::desk::Desk;

const LATE_DAYS: &str = r#"name = "late_days"; from = "bills"; agg = "sum"; of = "days_late""#;
const OPEN: &str = r#"name = "open"; from = "bills"; agg = "count"; where = "is_open""#;
const OWED: &str = r#"name = "owed"; from = "bills"; agg = "sum"; of = "outstanding""#;
const LATE_3D: &str = r#"name = "late_3d"; from = "bills"; agg = "sum"; of = "days_late"; days = 3"#;
const DUE_5D: &str = r#"name = "due_5d"; from = "bills"; agg = "sum"; of = "due_amount"; days = 5"#;

#[test]
fn a_payment_to_come_that_bounces_opens_a_settled_bill_on_its_day() {
    let mut desk = Desk::new(&[LATE_DAYS, OPEN, OWED]);
    desk.book().edit("job.toml", "in/repayments/date={date}/*.parquet", "in/undated/*.parquet");
    let path = desk.path().join("in/undated/all.parquet");
    // Settled on day 1; bounces on day 4; paid again on day 6. The other is paid back but for nothing.
    let rows = "1 71 1 500 1 500\n1 71 1 500 4 -200\n1 71 1 500 6 200\n2 72 1 500 1 900\n2 72 1 500 5 -400";
    super::desk::repayments(rows).write(&path);
    desk.go_on(0..9);
    assert_eq!(desk.over(0..9, 1, "open"), [0, 0, 0, 0, 1, 1, 0, 0, 0]);
    assert_eq!(desk.over(0..9, 1, "owed"), [0, 0, 0, 0, 200, 200, 0, 0, 0]);
    assert_eq!(desk.over(3..9, 1, "late_days"), [0, 3, 4, 5, 5, 5]);
    assert_eq!(desk.over(0..9, 2, "open"), [0; 9]);
}

#[test]
fn a_settled_bill_with_other_terms_is_looked_at_again() {
    let mut desk = Desk::new(&[LATE_DAYS, OPEN, OWED, DUE_5D]);
    desk.repayments(0, "1 71 0 500 0 500\n1 72 0 500 0 500\n2 73 0 500 0 500");
    // More is due; it is due later, after D; it is due earlier. None of these rows is a payment.
    desk.repayments(4, "1 71 0 800 - -");
    desk.repayments(5, "1 72 8 500 - -");
    desk.repayments(6, "2 73 -3 500 - -");
    desk.repayments(7, "1 71 0 500 - -");
    desk.go_on(0..11);
    assert_eq!(desk.over(2..9, 1, "open"), [0, 0, 1, 1, 1, 0, 0]);
    assert_eq!(desk.over(2..9, 1, "owed"), [0, 0, 300, 300, 300, 0, 0]);
    assert_eq!(desk.over(2..9, 1, "late_days"), [0, 0, 4, 5, 6, 0, 0]);
    assert_eq!(desk.over(3..11, 1, "due_5d"), [1000, 1300, 0, 0, 0, 500, 500, 500]);
    assert_eq!(desk.over(4..8, 2, "late_days"), [0, 0, 3, 3]);
}

#[test]
fn an_account_that_leaves_the_book_and_returns_brings_what_happened_meanwhile() {
    let sum = r#"name = "sum_6d"; from = "transactions"; agg = "sum"; of = "amount"; days = 6"#;
    let mut desk = Desk::new(&[LATE_DAYS, OPEN, LATE_3D, DUE_5D, sum]);
    desk.repayments(0, "1 71 0 500 - -\n1 72 1 300 0 300\n1 73 5 200 - -\n2 74 0 100 - -");
    // While it is away a bill is paid, one bounces, one falls due, and a row comes.
    desk.lines(3, &[2]);
    desk.repayments(4, "1 71 0 500 4 500\n1 72 1 300 4 -300");
    desk.transactions(4, "1 1 4 50 buy");
    desk.lines(6, &[1, 2]);
    desk.go_on(0..12);
    assert_eq!(desk.over([0, 1, 2], 1, "open"), [1, 1, 1]);
    assert_eq!(desk.over([6, 7, 8], 1, "open"), [2, 2, 2]);
    assert_eq!(desk.over([6, 7, 8], 1, "late_days"), [4 + 5 + 1, 4 + 6 + 2, 4 + 7 + 3]);
    assert_eq!(desk.over([6, 7, 8, 9], 1, "late_3d"), [1, 2, 0, 0]);
    assert_eq!(desk.over([6, 9, 10], 1, "due_5d"), [200, 200, 0]);
    assert_eq!(desk.over([6, 9, 10], 1, "sum_6d"), [50, 50, 0]);
    assert_eq!(desk.over([2, 3, 4, 7], 2, "late_days"), [2, 3, 4, 7]);
}

#[test]
fn bills_that_nothing_happens_to_are_there_again_when_their_account_returns() {
    let count = r#"name = "bills"; from = "bills"; agg = "count""#;
    let mut desk = Desk::new(&[count, OPEN]);
    desk.repayments(0, "1 71 0 500 0 500\n1 72 0 500 0 500");
    desk.lines(3, &[2]);
    desk.lines(5, &[1, 2]);
    desk.go_on(0..8);
    assert_eq!(desk.over([0, 1, 2, 5, 6, 7], 1, "bills"), [2; 6]);
}

#[test]
fn what_a_bill_s_old_terms_said_is_forgotten() {
    let of = |agg: &str| format!(r#"name = "{agg}"; from = "bills"; agg = "{agg}"; of = "due_amount""#);
    let features: Vec<String> = ["distinct", "min", "max", "last", "sum"].into_iter().map(of).collect();
    let dates = r#"name = "dates"; from = "bills"; agg = "active_days""#;
    let features: Vec<&str> = features.iter().map(String::as_str).chain([dates]).collect();
    let mut desk = Desk::new(&features);
    desk.repayments(0, "1 71 0 500 0 500\n1 72 -1 400 - -");
    desk.repayments(2, "1 71 -1 400 - -");
    desk.repayments(4, "1 71 -2 450 - -\n1 72 -2 450 - -");
    desk.go_on(0..6);
    for (name, expected) in [
        ("distinct", [2, 2, 1, 1, 1, 1]),
        ("min", [400, 400, 400, 400, 450, 450]),
        ("max", [500, 500, 400, 400, 450, 450]),
        ("last", [500, 500, 400, 400, 450, 450]),
        ("sum", [900, 900, 800, 800, 900, 900]),
        ("dates", [2, 2, 1, 1, 1, 1]),
    ] {
        assert_eq!(desk.over(0..6, 1, name), expected, "{name}");
    }
}

#[test]
fn what_a_sum_has_run_over_goes_with_its_account_to_another_place() {
    let most = i64::MAX;
    let sum = r#"name = "sum_6d"; from = "transactions"; agg = "sum"; of = "amount"; days = 6"#;
    let mut desk = Desk::new(&[sum]);
    desk.transactions(1, &format!("1 1 1 {most} buy\n2 1 1 {most} buy\n3 1 1 -{most} buy"));
    desk.lines(2, &[0, 1, 2]);
    desk.go_on(1..5);
    assert_eq!(desk.over(1..5, 1, "sum_6d"), [most; 4]);
}

#[test]
fn bills_move_from_window_to_window_though_nothing_is_heard_of_them() {
    let windows: Vec<String> = [1, 2, 4, 7]
        .iter()
        .map(|days| format!(r#"name = "due_{days}d"; from = "bills"; agg = "count"; days = {days}"#))
        .collect();
    let mut desk = Desk::new(&windows.iter().map(String::as_str).collect::<Vec<_>>());
    desk.repayments(0, "1 71 0 500 0 500\n1 72 2 300 0 300\n2 73 1 300 0 300");
    desk.go_on([0, 1, 2, 3, 5, 6, 8, 9]);
    let over = |desk: &Desk, name: &str| desk.over([0, 1, 2, 3, 5, 6, 8, 9], 1, name);
    assert_eq!(over(&desk, "due_1d"), [1, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(over(&desk, "due_2d"), [1, 1, 1, 1, 0, 0, 0, 0]);
    assert_eq!(over(&desk, "due_4d"), [1, 1, 2, 2, 1, 0, 0, 0]);
    assert_eq!(over(&desk, "due_7d"), [1, 1, 2, 2, 2, 2, 1, 0]);
}

#[test]
fn a_restated_delivery_of_the_night_itself_is_read_again() {
    let mut desk = Desk::new(&[LATE_DAYS, OPEN]);
    desk.repayments(2, "1 71 1 500 2 500");
    desk.go_on([0, 1, 2]);
    assert_eq!(desk.over([2], 1, "open"), [0]);
    desk.repayments(2, "1 71 1 500 2 499");
    assert_eq!(desk.night(2).to_sort(), 1);
    assert_eq!(desk.over([2], 1, "open"), [1]);
    desk.check_last(1);
    // Nor does the night after it see what was there before.
    desk.night(3);
    assert_eq!(desk.over([3], 1, "late_days"), [2]);
    desk.check_last(1);
}

#[test]
fn more_windows_than_a_byte_tells_apart_are_moved_through_one_by_one() {
    const WINDOWS: i32 = 300;
    let feature = |days: i32| {
        format!(r#"name = "sum_{days}d"; from = "transactions"; agg = "sum"; of = "amount"; days = {days}"#)
    };
    let features: Vec<String> = (1..=WINDOWS).map(feature).collect();
    let mut desk = Desk::new(&features.iter().map(String::as_str).collect::<Vec<_>>());
    (1 - WINDOWS..-10).for_each(|day| desk.transactions(day, ""));
    // Rows that reach the ages of 255 to 257 within these nights.
    for age in 253..=257 {
        desk.transactions(1 - age, &format!("{age} 1 {} {age} buy", 1 - age));
    }
    desk.go_on([1, 2, 4, 5]);
    assert_eq!(desk.over([1, 2, 4, 5], 1, "sum_256d"), [253 + 254 + 255, 253 + 254, 0, 0]);
    assert_eq!(desk.over([1, 2, 4, 5], 1, "sum_300d"), [1275; 4]);
}

/// Bills of accounts that are off the book conflict, too, wherever they come among those of the book.
#[test]
fn bills_of_accounts_that_have_left_still_conflict() {
    const ACCOUNTS: i64 = 40_000;
    let mut desk = Desk::new(&[LATE_DAYS]);
    desk.lines(1, &(1..=ACCOUNTS).collect::<Vec<_>>());
    desk.lines(2, &[1, 2]);
    let conflict = |account: i64| format!("{account} 71 1 500 - -\n{account} 71 1 600 - -\n");
    let rows = [2, 30_000, ACCOUNTS - 1, ACCOUNTS, ACCOUNTS + 7].map(conflict).concat();
    // Every account has a bill, so that all of them are met when they have left.
    let bills: String = (1..=ACCOUNTS).map(|account| format!("{account} 72 1 500 - -\n")).collect();
    desk.repayments(1, &(rows + &bills));
    desk.go_on([1, 2]);
    assert_eq!((desk.conflicts(1), desk.conflicts(2)), (5, 5));
}

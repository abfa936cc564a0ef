//! Dates that are asked for by name, deliveries that are missing, nights that are left alone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::two_nights;
use crate::support::book::{TODAY, YESTERDAY, delivered};
use crate::support::succeed_in;

#[test]
fn latest_is_the_last_day_of_which_transactions_are_delivered() {
    let book = two_nights();
    let said = succeed_in(book.path(), &["run", "job.toml", "--date", "latest"]);
    assert!(said.starts_with("plain of 2026-11-20: "), "{said}");
    std::fs::remove_dir_all(book.path().join(delivered("transactions", TODAY)).parent().unwrap()).unwrap();
    let said = succeed_in(book.path(), &["run", "job.toml", "--date", "latest"]);
    assert!(said.starts_with("plain of 2026-11-19: "), "{said}");
    let said = succeed_in(book.path(), &["check", "job.toml", "--date", "latest"]);
    assert!(said.contains("a run of 2026-11-19 can start"), "{said}");
}

#[test]
fn yesterday_is_told_by_the_clock_of_the_job_s_time_zone() {
    let book = two_nights();
    let yesterday = || {
        let zone = TimeZone::get("Pacific/Kiritimati").unwrap();
        Timestamp::now().to_zoned(zone).date().yesterday().unwrap().to_string()
    };
    book.edit("job.toml", "Asia/Shanghai", "Pacific/Kiritimati");
    let before = yesterday();
    let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", "yesterday"]);
    assert_eq!(code, 3);
    let is_named =
        [before, yesterday()].iter().any(|day| stderr.contains(&format!("transactions of {day}:")));
    assert!(is_named, "{stderr}");
    book.edit("job.toml", "timezone = \"Pacific/Kiritimati\"\n", "");
    let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", "yesterday"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("it has no `timezone` in which to tell what day it is: name a date"), "{stderr}");
}

#[test]
fn a_missing_delivery_names_the_latest_that_is_there_once() {
    let book = two_nights();
    let (code, stdout, stderr) = book.outcome(&["run", "job.toml", "--date", "2026-11-25"]);
    assert_eq!((code, stdout.as_str()), (3, ""));
    insta::assert_snapshot!(stderr, @"error: find transactions of 2026-11-25: no file matches in/transactions/date=2026-11-25/*.parquet, the latest delivery is that of 2026-11-20; deliver it (a file without rows will do) and run again");
}

#[test]
fn a_night_that_is_left_alone_shows_what_it_came_to() {
    let book = two_nights();
    let run = ["run", "job.toml", "--date", YESTERDAY];
    succeed_in(book.path(), &run);
    insta::assert_snapshot!(succeed_in(book.path(), &run), @"plain of 2026-11-19: 3 accounts, 1 adjustment, limits change by 0.00; left alone, published already from the same inputs: out/date=2026-11-19");
    let told = succeed_in(book.path(), &[&run[..], &["-v"]].concat());
    assert!(told.contains("  band  accounts    scores\n"), "{told}");
}

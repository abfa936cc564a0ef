//! The shelf of sorted deliveries: what is kept, what is sorted anew and how that is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use arrow_schema::DataType;

use super::desk::{Desk, Ran, date};
use crate::support::as_text;
use crate::support::book::{REPAYMENTS, TRANSACTIONS, table as rows_of};

const SUM_3D: &str = r#"name = "sum_3d"; from = "transactions"; agg = "sum"; of = "amount"; days = 3"#;
const MOST_12D: &str = r#"name = "most_12d"; from = "transactions"; agg = "max"; of = "amount"; days = 12"#;
const KINDS_3D: &str = r#"name = "kinds_3d"; from = "transactions"; agg = "distinct"; of = "kind"; days = 3"#;

/// The days of all deliveries up to that of day 3.
fn up_to(day: i32) -> Vec<Vec<i32>> {
    vec![(-10..=day).collect()]
}

/// A desk on which three nights have run, the last on day 3.
fn ran() -> Desk {
    let mut desk = Desk::new(&[SUM_3D]);
    for day in 0..8 {
        desk.transactions(day, &format!("{day} 1 {day} 100 buy\n1{day} 2 {} 30 buy", day - 1));
    }
    desk.repayments(1, "1 71 2 500 - -");
    desk.go_on([1, 2, 3]);
    desk
}

/// What a night sorted, and why, and what it said of that.
fn expect(ran: &Ran, to_sort: &str, stderr: &str) {
    let (_, found) = ran.basis.split_once(" sorted deliveries, ").expect("a basis names deliveries");
    assert_eq!((found, ran.stderr.as_str()), (to_sort, stderr));
}

fn warning(text: &str) -> String {
    format!("warning: {text}\n")
}

#[test]
fn a_night_keeps_every_delivery_it_has_sorted() {
    let mut desk = ran();
    assert_eq!((desk.kept("transactions"), desk.kept("repayments")), (up_to(3), up_to(3)));
    expect(&desk.night(4), "2 to sort: 2 not sorted before", "");
    assert_eq!((desk.kept("transactions"), desk.kept("repayments")), (up_to(4), up_to(4)));
}

#[test]
fn a_night_of_long_ago_or_the_same_again_sorts_nothing() {
    let mut desk = ran();
    expect(&desk.night(0), "0 to sort", "");
    expect(&desk.night(3), "0 to sort", "");
    desk.check();
}

#[test]
fn neither_another_policy_nor_other_features_of_the_same_columns_sort_anything() {
    let mut desk = ran();
    desk.book().edit("policy.toml", "max_limit = 1000000", "max_limit = 2000000");
    desk.book().edit("scorecard.toml", "base = 400", "base = 500");
    desk.book().edit("scorecard.toml", "days = 3", "days = 5");
    expect(&desk.night(3), "0 to sort", "");
    desk.features(&[SUM_3D, MOST_12D]);
    expect(&desk.night(3), "0 to sort", "");
    desk.check_last(1);
}

#[test]
fn a_restated_delivery_costs_itself() {
    let mut desk = ran();
    desk.transactions(2, "2 1 2 111 buy\n12 2 1 31 buy");
    let told = format!("transactions: 1 delivery is sorted anew, of {}: their files have changed", date(2));
    expect(&desk.night(3), "1 to sort: 1 files changed", &warning(&told));
    expect(&desk.night(3), "0 to sort", "");
    desk.check_last(1);
}

#[test]
fn a_restated_delivery_costs_those_in_which_its_rows_may_be_repeated() {
    let mut desk = ran();
    desk.book().append("job.toml", "[unique.transactions]\ncolumn = \"transaction_id\"\nwithin_days = 2\n");
    // Other rows count: all transactions are sorted anew, in a place of their own.
    expect(&desk.night(7), "22 to sort: 22 not sorted before", "");
    desk.transactions(3, "4 1 3 1 buy\n5 1 3 1 buy\n6 1 3 1 buy");
    let told = format!(
        "transactions: 3 deliveries are sorted anew, from {} to {}: their files have changed",
        date(3),
        date(5)
    );
    expect(&desk.night(7), "3 to sort: 3 files changed", &warning(&told));
    // 4 and 5 repeat what came up to two days before, 6 does not.
    assert_eq!(desk.over([7], 1, "sum_3d"), [200]);
    desk.check_last(1);
}

#[test]
fn a_delivery_restated_with_the_same_size_footer_and_time_is_noticed() {
    let mut desk = ran();
    let path = delivered(&desk, 2);
    let footer = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        let length = u32::from_le_bytes(bytes[bytes.len() - 8..][..4].try_into().unwrap()) as usize;
        bytes[bytes.len() - 8 - length..].to_vec()
    };
    let before = footer(&path);
    let written = path.metadata().unwrap().modified().unwrap();
    desk.transactions(2, "2 1 2 30 buy\n12 2 1 100 buy");
    fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
    assert_eq!(footer(&path), before, "the two amounts have changed places");
    assert_eq!(desk.night(4).to_sort(), 3);
    desk.check_last(1);
}

#[test]
fn files_that_come_and_go_change_their_delivery() {
    let changes: [fn(&Path); 2] =
        [|file| fs::remove_file(file).unwrap(), |file| copy(file, &file.with_file_name("part-1.parquet"))];
    for change in changes {
        let mut desk = ran();
        fs::copy(delivered(&desk, 2), delivered(&desk, 2).with_file_name("part-2.parquet")).unwrap();
        desk.night(3);
        change(&delivered(&desk, 2));
        assert_eq!(desk.night(3).to_sort(), 1);
        desk.check_last(1);
    }
}

#[test]
fn a_column_that_a_feature_is_the_first_to_read_is_added_where_it_reaches() {
    let mut desk = ran();
    desk.features(&[SUM_3D, KINDS_3D]);
    let lacking = "features read columns that were not kept";
    let told =
        format!("transactions: 3 deliveries are sorted anew, from {} to {}: {lacking}", date(1), date(3));
    expect(&desk.night(3), "3 to sort: 3 columns not kept", &warning(&told));
    expect(&desk.night(3), "0 to sort", "");
    desk.check_last(2);
    // The job without it needs nothing new, and takes nothing away.
    desk.features(&[SUM_3D]);
    expect(&desk.night(4), "2 to sort: 2 not sorted before", "");
    desk.features(&[SUM_3D, KINDS_3D]);
    expect(&desk.night(4), "0 to sort", "");
    desk.check_last(1);
}

#[test]
fn ids_of_another_type_are_refused_with_sorted_deliveries_as_without() {
    let desk = ran();
    let repayments = "1 card 71 2026-11-03 500 - -";
    desk.book().deliver("repayments", &date(4), &rows_of(&with_text(&REPAYMENTS, "bill_id"), repayments));
    refused_alike(&desk);
}

#[test]
fn a_unique_column_of_another_type_is_refused_with_sorted_deliveries_as_without() {
    let mut desk = ran();
    desk.book().append("job.toml", "[unique.transactions]\ncolumn = \"transaction_id\"\nwithin_days = 0\n");
    desk.night(3);
    let transactions = format!("41 1 {} 100 buy", date(4));
    let columns = with_text(&TRANSACTIONS[..5], "transaction_id");
    desk.book().deliver("transactions", &date(4), &rows_of(&columns, &transactions));
    refused_alike(&desk);
}

fn with_text<'a>(columns: &[(&'a str, DataType)], text: &str) -> Vec<(&'a str, DataType)> {
    let kind = |name: &str, kind: &DataType| if name == text { DataType::Utf8 } else { kind.clone() };
    columns.iter().map(|(name, found)| (*name, kind(name, found))).collect()
}

/// The night of day 4 fails in the same words with sorted deliveries and without.
fn refused_alike(desk: &Desk) {
    let args = ["run", "job.toml", "--date", &date(4)];
    let (code, _, found) = desk.book().outcome(&args);
    let (scratch_code, _, wanted) = desk.book().outcome(&[&args[..], &["--from-scratch"]].concat());
    let error = |stderr: &str| stderr.lines().last().unwrap_or_default().to_string();
    assert_eq!((code, error(&found)), (scratch_code, error(&wanted)));
    assert_eq!(code, 3, "{found}");
}

/// What is done to a sorted delivery, and how that is told.
type Harm = (&'static str, fn(&Path), &'static str);

#[test]
fn a_sorted_delivery_that_is_torn_or_foreign_is_told_and_made_again() {
    const FOREIGN: &str = "what was kept of them is torn or foreign";
    let harms: [Harm; 7] = [
        ("half of it", |copy| truncate(copy, 2), FOREIGN),
        ("nothing of it", |copy| fs::write(copy, "").unwrap(), FOREIGN),
        ("another file", |copy| fs::write(copy, "no copy").unwrap(), FOREIGN),
        ("a bit of its label", |copy| flip(copy, |length| length - 60), FOREIGN),
        ("a bit of its rows", |copy| flip(copy, |_| 40), "are not as they were written"),
        ("a link to nothing", |copy| link(copy, Path::new("nowhere")), FOREIGN),
        ("that of another day", |it| copy(&other(it), it), "their files have changed"),
    ];
    for (what, harm, told) in harms {
        let mut desk = ran();
        harm(&desk.copy("transactions", 2));
        let ran = desk.night(3);
        let lines = ran.stderr.lines().filter(|line| line.contains(told)).count();
        assert_eq!(lines, 1, "{what}: {}", ran.stderr);
        desk.check_last(1);
        if what.contains("link") || what.contains("another file") || what.contains("nothing") {
            // It is not the program's to replace, and stays.
            assert!(ran.stderr.contains("sorted deliveries are not kept"), "{what}: {}", ran.stderr);
            continue;
        }
        expect(&desk.night(3), "0 to sort", "");
    }
}

fn other(copy: &Path) -> PathBuf {
    copy.with_file_name(format!("date={}.sorted", date(1)))
}

#[test]
fn a_sorted_delivery_that_is_gone_is_made_again() {
    let mut desk = ran();
    fs::remove_file(desk.copy("repayments", 1)).unwrap();
    expect(&desk.night(3), "1 to sort: 1 not sorted before", "");
    assert_eq!(desk.kept("repayments"), up_to(3));
}

#[test]
fn what_no_night_of_the_last_days_reaches_is_cleared_away() {
    let mut desk = ran();
    for day in 20..60 {
        desk.transactions(day, "");
        desk.repayments(day, "");
    }
    desk.book().put("states/notes", "mine");
    let notes = desk.copy("transactions", 1).with_file_name("date=2026-01-01.sorted");
    fs::write(&notes, "mine too").unwrap();
    // Windows of 60 days: a night 30 days later still reaches what these nights have read.
    desk.night(59);
    let (first, last) = (59 - 59, 59);
    assert_eq!(desk.kept("transactions")[0][1..], (first..=last).collect::<Vec<i32>>());
    // Bills have no bound.
    assert_eq!(desk.kept("repayments"), up_to(59));
    assert_eq!(fs::read_to_string(&notes).unwrap(), "mine too", "what is not the program's stays");
    desk.check_last(1);
}

#[test]
fn sorted_deliveries_that_nobody_asks_for_are_given_up() {
    let mut desk = ran();
    for day in 8..45 {
        desk.transactions(day, "");
        desk.repayments(day, "");
    }
    desk.book().append("job.toml", "[unique.transactions]\ncolumn = \"transaction_id\"\nwithin_days = 0\n");
    desk.night(32);
    assert_eq!(desk.kept("transactions").len(), 2);
    assert!(desk.kept("transactions").iter().all(|days| !days.is_empty()));
    desk.night(33);
    assert_eq!(desk.kept("transactions").iter().filter(|days| days.is_empty()).count(), 1);
    desk.check_last(1);
}

#[test]
fn sorted_deliveries_that_cannot_be_kept_are_a_warning() {
    let mut desk = Desk::new(&[SUM_3D]);
    desk.book().put("states", "no directory");
    let ran = desk.night(1);
    let told = "warning: sorted deliveries are not kept: states is there, but is no directory";
    assert!(
        !ran.stderr.is_empty() && ran.stderr.lines().all(|line| line.starts_with(told)),
        "{}",
        ran.stderr
    );
    desk.check_last(1);
}

#[test]
fn a_sorted_delivery_that_cannot_be_written_is_a_warning() {
    let mut desk = Desk::new(&[SUM_3D]);
    let strangers = (0..20_000_i64).map(|row| format!("{row} {} 1 1 buy\n", 1_000_000 + row * row * row));
    desk.transactions(1, &strangers.collect::<String>());
    // No file may grow beyond what a run publishes of two accounts; the strangers take more.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 80; exec {} run job.toml --date {}",
        env!("CARGO_BIN_EXE_rescore"),
        date(1)
    );
    let output = Command::new("sh").args(["-c", &limited]).current_dir(desk.path()).output().unwrap();
    let stderr = as_text(&String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let told = "warning: sorted deliveries are not kept: write states/transactions/";
    assert!(stderr.starts_with(told) && stderr.lines().count() == 1, "{stderr}");
    assert!(!desk.copy("transactions", 1).exists());
    desk.night(1);
    assert!(desk.copy("transactions", 1).exists());
    desk.check();
}

#[test]
fn what_a_dead_run_left_in_the_making_is_cleared() {
    let mut desk = ran();
    let staging = desk.copy("transactions", 3).with_file_name(".staging-0123456789abcdef");
    fs::create_dir_all(staging.join("made")).unwrap();
    fs::write(staging.join(".rescore"), "").unwrap();
    fs::write(staging.join("made/date=2026-11-01.sorted"), "half").unwrap();
    desk.go_on([4]);
    assert!(!staging.exists());
}

#[test]
fn a_dry_run_tells_what_is_sorted_and_what_would_be_read() {
    let desk = ran();
    let plan = |more: &[&str]| {
        let args = ["run", "job.toml", "--date", &date(4), "--plan", "--json"];
        let (code, stdout, stderr) = desk.book().outcome(&[&args[..], more].concat());
        assert_eq!(code, 0, "{stderr}");
        let mut nights: Vec<serde_json::Value> = serde_json::from_str(&stdout).unwrap();
        nights.remove(0)
    };
    let files = |plan: &serde_json::Value| plan["reads"][0]["files"].as_u64().unwrap();
    let (with, without) = (plan(&[]), plan(&["--from-scratch"]));
    assert_eq!((&with["sorted"], files(&with)), (&28.into(), 1));
    assert_eq!((&without["sorted"], files(&without)), (&0.into(), 15));
    let to_sort = |input: &str, day: i32, why: &str| serde_json::json!({ "input": input, "delivery": date(day), "why": why });
    let (new, changed) = ("not sorted before", "files changed");
    assert_eq!(
        with["to_sort"],
        serde_json::json!([to_sort("transactions", 4, new), to_sort("repayments", 4, new)])
    );
    desk.transactions(2, "2 1 2 111 buy");
    assert_eq!(plan(&[])["to_sort"][0], to_sort("transactions", 2, changed));
}

fn delivered(desk: &Desk, day: i32) -> PathBuf {
    desk.path().join("in").join(format!("transactions/date={}/part-0.parquet", date(day)))
}

fn truncate(path: &Path, by: usize) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / by]).unwrap();
}

fn flip(path: &Path, place: fn(usize) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let place = place(bytes.len());
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn link(path: &Path, to: &Path) {
    fs::remove_file(path).unwrap();
    std::os::unix::fs::symlink(to, path).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

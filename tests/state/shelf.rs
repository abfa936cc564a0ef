//! The shelf of states: what is kept, what is passed over and how that is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use arrow_schema::DataType;

use super::desk::{Desk, Ran, date};
use crate::support::book::{REPAYMENTS, TRANSACTIONS, table as rows_of};

const SUM_3D: &str = r#"name = "sum_3d"; from = "transactions"; agg = "sum"; of = "amount"; days = 3"#;
const MOST_3D: &str = r#"name = "most_3d"; from = "transactions"; agg = "max"; of = "amount"; days = 3"#;

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

fn expect(ran: &Ran, basis: &str, stderr: &str) {
    assert_eq!((ran.basis.as_str(), ran.stderr.as_str()), (basis, stderr));
}

#[test]
fn two_states_of_a_feature_set_are_kept() {
    let mut desk = ran();
    assert_eq!(desk.states(), [[format!("date={}", date(2)), format!("date={}", date(3))]]);
    desk.go_on([4]);
    assert_eq!(desk.states(), [[format!("date={}", date(3)), format!("date={}", date(4))]]);
}

#[test]
fn an_older_night_keeps_its_state_for_the_night_after_it() {
    let mut desk = ran();
    desk.night(0);
    expect(&desk.night(1), &format!("from the state of {}", date(0)), "");
    desk.check();
}

#[test]
fn the_same_night_again_goes_on_from_its_own_state() {
    let mut desk = ran();
    expect(&desk.night(3), &format!("from the state of {}", date(3)), "");
    desk.check();
}

#[test]
fn another_policy_or_scorecard_leaves_the_state_as_good_as_it_was() {
    let mut desk = ran();
    desk.book().edit("policy.toml", "max_limit = 1000000", "max_limit = 2000000");
    desk.book().edit("scorecard.toml", "base = 400", "base = 500");
    expect(&desk.night(4), &format!("from the state of {}", date(3)), "");
}

#[test]
fn a_restated_delivery_is_told_and_passed_over() {
    let mut desk = ran();
    desk.transactions(2, "2 1 2 111 buy\n12 2 1 31 buy");
    let ran = desk.night(4);
    let day = date(2);
    let why = |night: i32| {
        format!(
            "the state of {} is passed over: transactions of {day} (date={day}/part-0.parquet) has changed since",
            date(night)
        )
    };
    assert_eq!(ran.basis, format!("from scratch: {}", why(2)));
    assert_eq!(lines(&ran), [format!("[WARN] {}", why(3)), format!("[WARN] {}", why(2))]);
    expect(&desk.night(5), &format!("from the state of {}", date(4)), "");
    desk.check_last(2);
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
    let ran = desk.night(4);
    assert!(ran.basis.ends_with("has changed since"), "{}", ran.basis);
    desk.check_last(1);
}

#[test]
fn a_state_from_before_the_change_is_still_good() {
    let mut desk = ran();
    desk.repayments(3, "1 71 2 500 3 500");
    let ran = desk.night(4);
    assert_eq!(ran.basis, format!("from the state of {}", date(2)));
    let day = date(3);
    let why = format!("repayments of {day} (date={day}/part-0.parquet) has changed since");
    assert_eq!(lines(&ran), [format!("[WARN] the state of {day} is passed over: {why}")]);
    desk.check_last(1);
}

#[test]
fn a_late_file_and_a_missing_one_are_told() {
    let mut desk = ran();
    let of = |day: i32| desk.path().join(format!("in/transactions/date={}", date(day)));
    fs::copy(of(2).join("part-0.parquet"), of(2).join("part-1.parquet")).unwrap();
    let ran = desk.night(4);
    assert!(
        ran.basis.ends_with(&format!("date={}/part-1.parquet) has come since", date(2))),
        "{}",
        ran.basis
    );
    assert_eq!(lines(&ran).len(), 2);
    let of = |day: i32| desk.path().join(format!("in/transactions/date={}", date(day)));
    fs::remove_file(of(2).join("part-1.parquet")).unwrap();
    let ran = desk.night(5);
    assert_eq!(ran.basis, format!("from the state of {}", date(3)));
    assert!(ran.stderr.contains("part-1.parquet) is missing now"), "{}", ran.stderr);
    desk.check_last(1);
}

#[test]
fn what_leaves_the_longest_window_must_still_be_as_it_was() {
    const SUM_12D: &str = r#"name = "sum_12d"; from = "transactions"; agg = "sum"; of = "amount"; days = 12"#;
    type Harm = (&'static str, fn(&Desk));
    let harms: [Harm; 4] = [
        ("has changed since", |desk| desk.transactions(-8, "1 1 -8 111 buy")),
        ("is missing now", |desk| fs::remove_file(delivered(desk, -8)).unwrap()),
        ("is missing now", |desk| fs::write(delivered(desk, -8), "no Parquet").unwrap()),
        ("part-1.parquet) has come since", |desk| {
            fs::copy(delivered(desk, -8), delivered(desk, -8).with_file_name("part-1.parquet")).unwrap();
        }),
    ];
    for (why, harm) in harms {
        let mut desk = Desk::without_padding(&[SUM_12D]);
        desk.transactions(-8, "1 1 -8 100 buy");
        desk.go_on([2, 3]);
        assert_eq!(desk.over([2, 3], 1, "sum_12d"), [100, 100]);
        harm(&desk);
        // The delivery of day -8 is too old for this night and needed by nobody but the state.
        let ran = desk.night(4);
        assert!(ran.basis.starts_with("from scratch: ") && ran.basis.ends_with(why), "{}", ran.basis);
        desk.check_last(1);
        assert_eq!(desk.over([4], 1, "sum_12d"), [0]);
    }
}

#[test]
fn ids_of_another_type_are_refused_with_a_state_as_without() {
    let desk = ran();
    let repayments = "1 card 71 2026-11-03 500 - -";
    desk.book().deliver("repayments", &date(4), &rows_of(&with_text(&REPAYMENTS, "bill_id"), repayments));
    refused_alike(&desk);
}

#[test]
fn a_unique_column_of_another_type_is_refused_with_a_state_as_without() {
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

/// The night of day 4 fails in the same words from a state and from scratch.
fn refused_alike(desk: &Desk) {
    let args = ["run", "job.toml", "--date", &date(4)];
    let (code, _, found) = desk.book().outcome(&args);
    let (scratch_code, _, wanted) = desk.book().outcome(&[&args[..], &["--from-scratch"]].concat());
    let error = |stderr: &str| stderr.lines().last().unwrap_or_default().to_string();
    assert_eq!((code, error(&found)), (scratch_code, error(&wanted)));
    assert_eq!(code, 3, "{found}");
}

#[test]
fn a_night_older_than_every_state_says_so() {
    let mut desk = ran();
    let ran = desk.night(1);
    expect(&ran, "from scratch: there is no state of this day or an earlier one", "");
}

#[test]
fn other_features_take_a_state_of_their_own_and_leave_the_others() {
    let mut desk = ran();
    desk.features(&[SUM_3D, MOST_3D]);
    let only_others = "there is no state of this feature set, only of others";
    expect(&desk.night(4), &format!("from scratch: {only_others}"), &format!("[WARN ] {only_others}\n"));
    expect(&desk.night(5), &format!("from the state of {}", date(4)), "");
    desk.check_last(2);
    assert_eq!(desk.states().len(), 2);
    // Two jobs on one shelf: each goes on from its own.
    desk.features(&[SUM_3D]);
    expect(&desk.night(5), &format!("from the state of {}", date(3)), "");
    desk.features(&[SUM_3D, MOST_3D]);
    expect(&desk.night(6), &format!("from the state of {}", date(5)), "");
    desk.check_last(1);
}

#[test]
fn feature_sets_that_nobody_asks_for_are_given_up() {
    let mut desk = ran();
    for day in 8..45 {
        desk.transactions(day, "");
        desk.repayments(day, "");
    }
    desk.features(&[MOST_3D]);
    desk.night(33);
    assert_eq!(desk.states().iter().map(Vec::len).sum::<usize>(), 2);
    desk.night(34);
    assert_eq!(desk.states(), [[format!("date={}", date(33)), format!("date={}", date(34))]]);
}

/// What is done to a state's file, and how that is told.
type Harm = (&'static str, fn(&Path), &'static str);

#[test]
fn a_state_that_is_torn_or_foreign_is_told_and_passed_over() {
    let harms: [Harm; 6] = [
        ("no label", |state| fs::remove_file(state.join("state.json")).unwrap(), "torn or foreign"),
        ("another label", |state| fs::write(state.join("state.json"), "{}").unwrap(), "torn or foreign"),
        ("half a table", |state| halve(&table(state)), "is not as it was written"),
        ("another table", |state| fs::write(table(state), "no table").unwrap(), "is not as it was written"),
        ("a bit", |state| flip(&table(state)), "is not as it was written"),
        ("no table", |state| fs::remove_file(table(state)).unwrap(), "No such file"),
    ];
    for (what, harm, told) in harms {
        let mut desk = ran();
        harm(&desk.state(3));
        let one = desk.night(4);
        assert_eq!(one.basis, format!("from the state of {}", date(2)), "{what}: {}", one.stderr);
        let told_of = |ran: &Ran, day: i32| {
            let lines = lines(ran);
            let of = format!("the state of {}", date(day));
            let found = lines.iter().filter(|line| line.contains(&of) && line.contains(told)).count();
            assert_eq!(found, 1, "{what}: {lines:?}");
        };
        told_of(&one, 3);
        assert_eq!(lines(&one).len(), 1, "{what}");
        harm(&desk.state(4));
        let none = desk.night(5);
        assert!(none.basis.starts_with("from scratch: the state of "), "{what}: {}", none.basis);
        told_of(&none, 4);
        assert!(lines(&none).len() <= 2, "{what}: {:?}", lines(&none));
        desk.check_last(2);
    }
}

#[test]
fn a_state_under_another_day_is_told_and_passed_over() {
    let mut desk = ran();
    fs::rename(desk.state(3), desk.state(4)).unwrap();
    let ran = desk.night(4);
    assert_eq!(ran.basis, format!("from the state of {}", date(2)));
    assert!(ran.stderr.contains("it is of another day than it says"), "{}", ran.stderr);
    desk.check_last(1);
}

#[test]
fn states_that_cannot_be_written_are_a_warning() {
    let mut desk = Desk::new(&[SUM_3D]);
    desk.book().put("states", "no directory");
    let ran = desk.night(1);
    assert_eq!(lines(&ran).len(), 1);
    assert!(
        ran.stderr.starts_with(&format!(
            "[WARN ] no state of {} is kept: states is there, but is no directory",
            date(1)
        )),
        "{}",
        ran.stderr
    );
    desk.check_last(1);
}

#[test]
fn a_table_of_a_state_that_cannot_be_written_is_a_warning() {
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
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let told = format!("[WARN ] no state of {} is kept: write states/", date(1));
    assert!(stderr.starts_with(&told) && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(desk.states(), [Vec::<String>::new()]);
    desk.night(1);
    desk.check();
}

#[test]
fn what_a_dead_run_left_of_a_state_is_cleared() {
    let mut desk = ran();
    let staging = desk.state(3).with_file_name(".staging-0123456789abcdef");
    fs::create_dir_all(staging.join("made")).unwrap();
    fs::write(staging.join(".rescore"), "").unwrap();
    fs::write(staging.join("made/late.parquet"), "half").unwrap();
    desk.go_on([4]);
    assert!(!staging.exists());
}

#[test]
fn nights_from_scratch_are_told_why_by_a_dry_run() {
    let mut desk = ran();
    let plan = |desk: &Desk, more: &[&str]| {
        let args = ["run", "job.toml", "--date", &date(4), "--plan", "--json"];
        let (code, stdout, stderr) = desk.book().outcome(&[&args[..], more].concat());
        assert_eq!(code, 0, "{stderr}");
        let mut nights: Vec<serde_json::Value> = serde_json::from_str(&stdout).unwrap();
        nights.remove(0)
    };
    let files = |plan: &serde_json::Value| plan["reads"][0]["files"].as_u64().unwrap();
    let (with, without) = (plan(&desk, &[]), plan(&desk, &["--from-scratch"]));
    assert_eq!(
        (&without["from"], &without["why"]),
        (&"scratch".into(), &"--from-scratch".into()),
        "{without}"
    );
    assert_eq!(with["from"], "state");
    assert_eq!(with["why"], date(3).as_str());
    // The day's own delivery, and the one that leaves the window of three days.
    assert_eq!((files(&with), files(&without)), (2, 15));
    desk.transactions(2, "2 1 2 111 buy");
    let plan = plan(&desk, &[]);
    assert!(plan["why"].as_str().unwrap().contains("has changed since"), "{plan}");
    desk.night(4);
}

fn lines(ran: &Ran) -> Vec<String> {
    ran.stderr.lines().map(|line| line.replace("[WARN ] ", "[WARN] ")).collect()
}

fn delivered(desk: &Desk, day: i32) -> PathBuf {
    desk.path().join("in").join(format!("transactions/date={}/part-0.parquet", date(day)))
}

fn table(state: &Path) -> PathBuf {
    state.join("transactions_words_0000.parquet")
}

fn halve(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

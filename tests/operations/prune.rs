//! Runs are removed that nobody needs: never what a night that stays stands on, never half of one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::NEVER;
use crate::support::book::{Book, LINES, REPAYMENTS, TRANSACTIONS, table};
use crate::support::files::{copy, files_in, tree};
use crate::support::store::Server;
use crate::support::{Table, succeed_in};

/// What the job reads of earlier nights.
const LOOKS_BACK: &str = "\nissued = \"out/date={date}/adjustments.parquet\"\nprevious = \"out/date={date}/scores.parquet\"\n\n[output]";

/// Withdraws what is pending on the second of January.
const WITHDRAW: &str = "[[rule]]\nname = \"second thoughts\"\nwhen = \"is_pending and spend_30d = 52000\"\naction = \"withdraw\"\nreason = \"P09\"\n\n[[rule]]\nname = \"long past due\"";

pub(super) fn date(day: u32) -> String {
    format!("2020-01-{day:02}")
}

/// A book of one account whose card is raised, with so many days of notice; the past is old, whenever this is run.
pub(super) fn book(notice: u32) -> Book {
    let book = Book::new();
    fs::remove_dir_all(book.path().join("in")).unwrap();
    book.edit("job.toml", "\n[output]", LOOKS_BACK);
    book.edit("scorecard.toml", "missing = 60", "missing = 200");
    book.edit("policy.toml", "percent = 20", &format!("percent = 20\nnotice_days = {notice}"));
    book
}

pub(super) fn deliver(book: &Book, day: u32) {
    let date = date(day);
    book.deliver("lines", &date, &table(&LINES, "1 card 100000 20000 active 2018-01-01 - - mass"));
    let bought = format!("{day} 1 {date} 26000 purchase grocery true");
    book.deliver("transactions", &date, &table(&TRANSACTIONS, &bought));
    book.deliver("repayments", &date, &Table::new(&REPAYMENTS));
}

pub(super) fn night(book: &Book, day: u32) {
    deliver(book, day);
    let (code, stdout, stderr) = book.outcome(&["run", "job.toml", "--date", &date(day)]);
    assert_eq!(code, 0, "{stdout}{stderr}");
}

pub(super) fn with_nights(book: Book, last: u32) -> Book {
    (1..=last).for_each(|day| night(&book, day));
    book
}

/// The days that go, and why those stay that are old enough and none of the newest two.
fn pruned(book: &Book, more: &[&str]) -> (Vec<u32>, BTreeMap<u32, String>) {
    let args = [&["prune", "out", "--keep", "2", "--older-than", "30", "--json"], more].concat();
    let said: Value = serde_json::from_str(&succeed_in(book.path(), &args)).unwrap();
    let day = |run: &Value| run["as_of"].as_str().unwrap()[8..].parse::<u32>().unwrap();
    let gone = said["removed"].as_array().unwrap().iter().map(day).collect();
    let stay = said["stay"].as_array().unwrap().iter();
    let stay = stay.map(|run| (day(run), run["why"].as_str().unwrap().to_string()));
    (gone, stay.filter(|(_, why)| !why.contains("newest")).collect())
}

#[test]
fn nothing_is_removed_unless_it_is_confirmed() {
    let book = with_nights(book(0), 4);
    let before = tree(book.path());
    let stdout = succeed_in(book.path(), &["prune", "out", "--keep", "2", "--older-than", "30"]);
    assert!(stdout.starts_with("would be removed  out/date=2020-01-01  "), "{stdout}");
    assert!(stdout.ends_with("; 3 stay; run again with --yes to remove it\n"), "{stdout}");
    assert_eq!(tree(book.path()), before);
    succeed_in(book.path(), &["prune", "out", "--keep", "2", "--older-than", "30", "--yes"]);
    assert!(!book.path().join("out/date=2020-01-01").exists());
    succeed_in(book.path(), &["verify", "out"]);
    assert!(tree(book.path()).keys().all(|name| !name.contains(".staging-")));
}

#[test]
fn what_the_nights_that_stay_look_back_on_stays() {
    let (gone, stay) = pruned(&with_nights(book(0), 6), &[]);
    assert_eq!(gone, [1, 2, 3]);
    assert_eq!(stay, [(4, "the night of 2020-01-05 looks back on it".to_string())].into());
}

#[test]
fn what_a_night_issued_stays_until_the_snapshot_shows_it() {
    let (gone, _) = pruned(&with_nights(book(4), 6), &[]);
    assert_eq!(gone, [1, 2, 3], "what takes effect on the fifth is in the snapshot of the fifth");
    let (gone, stay) = pruned(&with_nights(book(5), 6), &[]);
    assert_eq!(gone, [2, 3]);
    let why = "what it issued takes effect up to 2020-01-06, and the night of 2020-01-05 stands on the snapshot of 2020-01-05";
    assert_eq!(stay[&1], why);
}

#[test]
fn what_made_void_what_stays_stays_too() {
    let book = book(20);
    book.edit("policy.toml", "[[rule]]\nname = \"long past due\"", WITHDRAW);
    let (gone, stay) = pruned(&with_nights(book, 6), &[]);
    assert_eq!(gone, Vec::<u32>::new(), "{stay:?}");
    assert!(stay[&1].starts_with("what it issued takes effect up to 2020-01-21"), "{stay:?}");
    assert_eq!(stay[&2], "what it issued may make void what the night of 2020-01-01 did");
}

#[test]
fn the_next_night_is_decided_as_if_nothing_had_been_removed() {
    for notice in [0, 3, 5] {
        let whole = with_nights(book(notice), 8);
        let thinned = Book::empty();
        copy(whole.path(), thinned.path());
        let (gone, _) = pruned(&thinned, &["--yes"]);
        assert!(
            gone.len() > 2
                && gone.iter().all(|day| !thinned.path().join(format!("out/date={}", date(*day))).exists())
        );
        for day in 9..=10 {
            [&whole, &thinned].into_iter().for_each(|book| night(book, day));
            for table in ["scores", "features", "decisions", "adjustments", "rejects"] {
                let read = |book: &Book| {
                    Table::read(&book.path().join(format!("out/date={}/{table}.parquet", date(day))))
                };
                assert_eq!(read(&whole), read(&thinned), "{notice} {day} {table}");
            }
        }
        succeed_in(thinned.path(), &["verify", "out"]);
    }
}

#[test]
fn young_newest_held_and_strange_ones_stay() {
    let book = with_nights(book(0), 5);
    let job = fs::read_to_string(book.path().join("job.toml")).unwrap();
    book.put("gated.toml", &format!("{job}{NEVER}"));
    deliver(&book, 6);
    assert_eq!(book.outcome(&["run", "gated.toml", "--date", &date(6)]).0, 4);
    succeed_in(book.path(), &["run", "job.toml", "--date", &date(1), "--known-on", &date(2)]);
    book.put("out/date=2020-01-02/notes.txt", "mine");
    fs::create_dir_all(book.path().join("out/date=2019-01-01")).unwrap();
    symlink("date=2020-01-05", book.path().join("out/date=2019-01-02")).unwrap();
    let said = succeed_in(book.path(), &["prune", "out", "--keep", "1", "--older-than", "1", "--yes"]);
    for kept in [
        "stays  out/date=2020-01-02  it holds more than a run",
        "stays  out/held/date=2020-01-06  it is held",
        "stays  out/date=2020-01-05  it is of one of the newest 1 nights",
        "stays  out/date=2019-01-01  out/date=2019-01-01 is there, but is no run (it has no manifest.json); move it away",
        "stays  out/date=2019-01-02  out/date=2019-01-02 is there, but is no directory, so no run; move it away",
    ] {
        assert!(said.lines().any(|line| line == kept), "{kept}\n{said}");
    }
    for gone in ["out/date=2020-01-01", "out/known=2020-01-02", "out/date=2020-01-03"] {
        assert!(!book.path().join(gone).exists(), "{gone}\n{said}");
    }
    assert!(book.path().join("out/date=2020-01-02/notes.txt").exists());
    let young = ["prune", "out", "--keep", "1", "--older-than", "36500"];
    let said = succeed_in(with_nights(self::book(0), 3).path(), &young);
    assert!(said.ends_with("\n0 runs would be removed, 0 B; 3 stay\n"), "{said}");
}

#[test]
fn a_prune_that_is_killed_leaves_whole_runs_and_nothing_in_the_way() {
    let whole = with_nights(book(0), 7);
    let mut cut_short = 0;
    for delay in 0..12 {
        let book = Book::empty();
        copy(whole.path(), book.path());
        let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
        command.current_dir(book.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let args = ["prune", "out", "--keep", "1", "--older-than", "30", "--yes"];
        let mut child = command.args(args).spawn().unwrap();
        sleep(Duration::from_millis(3 * delay));
        let _ = child.kill();
        child.wait().unwrap();
        succeed_in(book.path(), &["verify", "out"]);
        let left = fs::read_dir(book.path().join("out")).unwrap().count();
        cut_short += usize::from(left > 4);
        night(&book, 8);
        succeed_in(book.path(), &args);
        assert!(tree(book.path()).keys().all(|name| !name.contains(".staging-")));
    }
    assert!(cut_short > 0, "every one was faster than it was killed");
}

#[test]
fn it_waits_for_nobody_and_minds_what_it_is_asked() {
    let book = with_nights(book(0), 3);
    let lock = fs::File::options().read(true).write(true).open(book.path().join("out/.lock")).unwrap();
    lock.lock().unwrap();
    let args = ["prune", "out", "--keep", "1", "--older-than", "30"];
    assert_eq!(book.outcome(&args).0, 0, "to look needs no lock");
    let (code, _, stderr) = book.outcome(&[&args[..], &["--yes"]].concat());
    assert!(code == 5 && stderr.contains("is in use by process"), "{stderr}");
    let before = files_in(&book.path().join("out"));
    assert_eq!(book.outcome(&["prune", "out", "--keep", "0", "--older-than", "30"]).0, 2);
    assert_eq!(book.outcome(&["prune", "out", "--keep", "1"]).0, 2);
    assert_eq!(book.outcome(&["prune", "nowhere", "--keep", "1", "--older-than", "30"]).0, 3);
    assert_eq!(files_in(&book.path().join("out")), before);
}

#[test]
fn runs_in_an_object_store_go_and_are_audited_likewise() {
    let server = Server::start();
    let book = book(0);
    (1..=4).for_each(|day| deliver(&book, day));
    server.put_all(book.path(), "book");
    for day in 1..=4 {
        let (code, _, stderr) = server.rescore(&["run", "s3://bucket/book/job.toml", "--date", &date(day)]);
        assert_eq!(code, 0, "{stderr}");
    }
    let (code, stdout, stderr) = server.rescore(&["audit", "s3://bucket/book/job.toml", "--date", &date(4)]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let prune = ["prune", "s3://bucket/book/out", "--keep", "1", "--older-than", "30"];
    let before = server.keys("book/out");
    assert_eq!(server.rescore(&prune).0, 0);
    assert_eq!(server.keys("book/out"), before);
    let (code, stdout, stderr) = server.rescore(&[&prune[..], &["--yes"]].concat());
    assert_eq!(code, 0, "{stdout}{stderr}");
    let left = server.keys("book/out");
    assert!(
        left.iter().all(|key| key.starts_with("date=2020-01-03/") || key.starts_with("date=2020-01-04/")),
        "{left:?}"
    );
    assert!(left.len() > 10);
    // What is left of a removal that was cut short is no run, and in nobody's way.
    server.put("book/out/date=2020-01-02/attempt-0123456789abcdef/scores.parquet", b"rest");
    let (code, stdout, stderr) = server.rescore(&["verify", "s3://bucket/book/out"]);
    assert_eq!((code, stdout.lines().count()), (0, 2), "{stdout}{stderr}");
    assert_eq!(server.rescore(&[&prune[..], &["--yes"]].concat()).0, 0);
}

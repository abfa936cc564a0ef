//! Simulations: one snapshot for all days, each day seeing what those before it issued, gates that hold
//! nothing; equal to the same days run one by one over a book arranged by hand.

use std::fs;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;

use super::{FIRST, GATE, RANGE, book_of_days, deliver_other_lines, real_book};
use crate::support::book::{Book, TODAY, YESTERDAY, delivered};
use crate::support::files::{assert_same, copy, runs_in};
use crate::support::{Cell, Table, day, project, succeed_in};

const TABLES: [&str; 5] = ["scores", "features", "decisions", "adjustments", "rejects"];

fn manifest(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap()
}

/// Days as deliveries write them.
fn days(from: &str, to: &str) -> Vec<String> {
    day(from).to(day(to)).map(|day| day.to_string()).collect()
}

/// A job whose days are run one by one by hand: the book has the first day's snapshot only, which may be
/// of any age, what is issued is gathered in `by_hand/issued`, and no gate holds anything.
struct ByHand {
    home: PathBuf,
    job: &'static str,
}

impl ByHand {
    /// Arranges a job at `job` in `home`, whose data lies in `data`, for a simulation from a day on.
    fn arrange(home: &Path, job: &'static str, data: &str, from: &str) -> ByHand {
        let by_hand = home.join("by_hand");
        let snapshots = fs::read_dir(home.join(data).join("lines")).unwrap();
        let snapshots = snapshots.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let first = snapshots.filter(|name| *name <= format!("date={from}")).max().unwrap();
        copy(&home.join(data).join("lines").join(&first), &by_hand.join("lines").join(&first));
        fs::create_dir_all(by_hand.join("issued")).unwrap();
        let own = home.join(data).join("issued");
        for entry in fs::read_dir(&own).into_iter().flatten() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name < format!("date={from}") {
                copy(&own.join(&name), &by_hand.join("issued").join(&name));
            }
        }
        let path = home.join(job);
        let text = fs::read_to_string(&path).unwrap();
        let kept: Vec<String> = text
            .lines()
            .map(|line| match line.split([' ', '=']).next() {
                Some("lines") => "lines = \"../by_hand/lines/date={date}/*.parquet\"".to_string(),
                Some("issued") => {
                    "issued = \"../by_hand/issued/date={date}/adjustments.parquet\"".to_string()
                }
                Some("lines_max_age_days") => "lines_max_age_days = 1000".to_string(),
                _ => line.to_string(),
            })
            .collect();
        let text = kept.join("\n");
        let gates = text.find("[[gate]]").unwrap_or(text.len());
        fs::write(path.with_file_name("by_hand.toml"), &text[..gates]).unwrap();
        ByHand { home: home.to_path_buf(), job }
    }

    /// Runs a day; what it issues is there for the next.
    fn run(&self, day: &str) {
        let job = Path::new(self.job).with_file_name("by_hand.toml");
        succeed_in(&self.home, &["run", job.to_str().unwrap(), "--date", day, "--out", "by_hand/out"]);
        let issued = self.home.join(format!("by_hand/issued/date={day}"));
        fs::create_dir_all(&issued).unwrap();
        let run = self.home.join(format!("by_hand/out/date={day}/adjustments.parquet"));
        fs::copy(run, issued.join("adjustments.parquet")).unwrap();
    }

    /// Runs the days one by one and compares each with the day of the simulation in `sim`.
    fn compare(&self, days: &[String]) {
        for day in days {
            self.run(day);
            for table in TABLES {
                let place = format!("date={day}/{table}.parquet");
                let ours = Table::read(&self.home.join("sim").join(&place));
                let theirs = Table::read(&self.home.join("by_hand/out").join(&place));
                assert!(ours == theirs, "{place}");
            }
        }
    }
}

fn golden_chain(case: &str) {
    let home = tempfile::tempdir().unwrap();
    for part in ["jobs", "data"] {
        copy(&project().join("tests/golden").join(case).join(part), &home.path().join(part));
    }
    let (from, to) = ("2026-11-15", "2026-11-20");
    let chain = ["run", "jobs/nightly.toml", "--from", from, "--to", to, "--chain", "--out", "sim"];
    succeed_in(home.path(), &chain);
    let by_hand = ByHand::arrange(home.path(), "jobs/nightly.toml", "data", from);
    by_hand.compare(&days(from, to));
    let pending = days(from, to).iter().any(|day| {
        let decisions = Table::read(&home.path().join(format!("sim/date={day}/decisions.parquet")));
        decisions.column("pending_on").iter().any(|cell| *cell > Cell::Date(crate::support::day(from)))
    });
    assert!(pending, "no line waits for what the simulation issued");
}

#[test]
fn a_simulation_of_integer_ids_is_its_days_by_hand() {
    golden_chain("ints");
}

#[test]
fn a_simulation_of_text_ids_is_its_days_by_hand() {
    golden_chain("strings");
}

#[test]
fn a_simulation_of_renamed_columns_is_its_days_by_hand() {
    golden_chain("renamed");
}

#[test]
fn a_simulation_of_the_real_job_is_its_days_by_hand() {
    let book = real_book();
    let (from, to) = ("2026-11-19", "2026-11-20");
    let args = ["run", "jobs/nightly.toml", "--from", from, "--to", to, "--chain", "--out", "sim"];
    succeed_in(book.path(), &args);
    ByHand::arrange(book.path(), "jobs/nightly.toml", "sample_data", from).compare(&days(from, to));
}

fn chain(book: &Book) -> (i32, String, String) {
    book.outcome(&[&RANGE[..], &["--chain", "--out", "sim"]].concat())
}

#[test]
fn later_snapshots_are_not_seen_and_the_age_of_the_first_is_judged_once() {
    let (book, without) = (book_of_days(), book_of_days());
    deliver_other_lines(&book, YESTERDAY);
    deliver_other_lines(&book, TODAY);
    for day in [YESTERDAY, TODAY] {
        fs::remove_file(without.path().join(delivered("lines", day))).unwrap();
    }
    for book in [&book, &without] {
        book.edit("job.toml", "lines_max_age_days = 1", "lines_max_age_days = 0");
        let (code, _, stderr) = chain(book);
        assert_eq!(code, 0, "{stderr}");
    }
    let (left, right) = (runs_in(&book.path().join("sim")), runs_in(&without.path().join("sim")));
    assert_same(&left, &right);
    assert_eq!(manifest(&book.path().join(format!("sim/date={TODAY}")))["snapshot"], FIRST);
}

#[test]
fn the_jobs_own_adjustments_count_up_to_the_first_day_only() {
    let book = book_of_days();
    succeed_in(book.path(), &RANGE);
    let args = ["run", "job.toml", "--from", YESTERDAY, "--to", TODAY, "--chain", "--out", "sim"];
    succeed_in(book.path(), &args);
    let inputs = manifest(&book.path().join(format!("sim/date={TODAY}")))["inputs"].clone();
    let inputs = inputs.as_array().unwrap().iter().filter(|entry| entry["input"] == "issued");
    let read: Vec<(&str, u64)> =
        inputs.map(|entry| (entry["delivery"].as_str().unwrap(), entry["size"].as_u64().unwrap())).collect();
    let size = |out: &str, day: &str| {
        fs::metadata(book.path().join(format!("{out}/date={day}/adjustments.parquet"))).unwrap().len()
    };
    assert_eq!(read, [(FIRST, size("out", FIRST)), (YESTERDAY, size("sim", YESTERDAY))]);
    assert_ne!(size("out", YESTERDAY), size("sim", YESTERDAY));
}

#[test]
fn gates_hold_nothing_and_what_is_held_in_earnest_feeds_the_next_day() {
    let book = book_of_days();
    book.append("job.toml", GATE);
    let (code, stdout, stderr) = chain(&book);
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout, @r"
    2026-11-18  simulated               3 accounts          3 adjustments  limits change by           800.00  raise 3
    2026-11-19  simulated               3 accounts          1 adjustment   limits change by             0.00  suspend 1
      gate `nobody is suspended` fails: 25.00 % (at most 0.00 %), 1 of 4
    2026-11-20  simulated               3 accounts          0 adjustments  limits change by             0.00

    plain 2026-11-18 to 2026-11-20: 3 nights: 3 simulated; 4 adjustments, limits change by 800.00
    ");
    for day in [FIRST, YESTERDAY, TODAY] {
        let run = format!("sim/date={day}");
        succeed_in(book.path(), &["verify", &run]);
        let manifest = manifest(&book.path().join(&run));
        assert_eq!((&manifest["chain_from"], &manifest["held"]), (&FIRST.into(), &false.into()));
        assert_eq!(manifest["gates"][0]["holds"], day != YESTERDAY, "{day}");
        let file = fs::File::open(book.path().join(&run).join("adjustments.parquet")).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let entries = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
        let from = entries.iter().find(|entry| entry.key == "rescore.chain_from").unwrap();
        assert_eq!(from.value.as_deref(), Some(FIRST));
    }
    assert!(!book.path().join("out").exists());
    // Suspended yesterday, so there is nothing to suspend today.
    let decisions = Table::read(&book.path().join(format!("sim/date={TODAY}/decisions.parquet")));
    assert!(!decisions.column("action").contains(&Cell::from("suspend")), "{:?}", decisions.rows);
}

#[test]
fn a_job_that_names_no_issued_is_simulated_with_its_own_output_all_the_same() {
    let (book, without) = (book_of_days(), book_of_days());
    without.edit("job.toml", "issued = \"out/date={date}/adjustments.parquet\"\n", "");
    for book in [&book, &without] {
        assert_eq!(chain(book).0, 0);
    }
    for day in [FIRST, YESTERDAY, TODAY] {
        let table = |book: &Book| Table::read(&book.path().join(format!("sim/date={day}/decisions.parquet")));
        assert_eq!(table(&book), table(&without));
    }
}

#[test]
fn a_simulation_of_one_day_decides_as_the_night_does() {
    let book = book_of_days();
    book.publish();
    let (code, stdout, _) = book.outcome(&["run", "job.toml", "--date", TODAY, "--chain", "--out", "sim"]);
    assert_eq!(code, 0);
    assert!(
        stdout.ends_with("a simulation from 2026-11-20, its gates hold nothing: sim/date=2026-11-20\n"),
        "{stdout}"
    );
    for table in TABLES {
        assert_eq!(
            Table::read(&book.path().join(format!("sim/date={TODAY}/{table}.parquet"))),
            book.output(table)
        );
    }
}

#[test]
fn a_simulation_that_was_stopped_goes_on_with_the_same_bytes() {
    let (book, whole) = (book_of_days(), book_of_days());
    assert_eq!(chain(&whole).0, 0);
    let missing = book.path().join(delivered("repayments", TODAY));
    let kept = fs::read(&missing).unwrap();
    fs::remove_file(&missing).unwrap();
    assert_eq!(chain(&book).0, 3);
    fs::write(&missing, kept).unwrap();
    let (code, stdout, _) = chain(&book);
    assert_eq!(code, 0);
    assert!(stdout.contains("3 nights: 1 simulated, 2 left alone"), "{stdout}");
    assert_same(&runs_in(&book.path().join("sim")), &runs_in(&whole.path().join("sim")));
}

#[test]
fn days_that_stand_on_other_days_of_the_simulation_are_refused() {
    let book = book_of_days();
    assert_eq!(chain(&book).0, 0);
    let stolen = fs::read(book.path().join(format!("sim/date={YESTERDAY}/adjustments.parquet"))).unwrap();
    fs::write(book.path().join(format!("sim/date={FIRST}/adjustments.parquet")), stolen).unwrap();
    let (code, stdout, stderr) = chain(&book);
    assert_eq!(code, 6);
    assert!(stdout.contains("2026-11-18  left alone"), "{stdout}");
    insta::assert_snapshot!(stderr, @"error: night of 2026-11-19: sim/date=2026-11-19 is published already, from other inputs or job files (issued date=2026-11-18/adjustments.parquet); --replace replaces it");
    let (code, ..) = book.outcome(&[&RANGE[..], &["--chain", "--out", "sim", "--replace"]].concat());
    assert_eq!(code, 0);
}

#[test]
fn a_night_and_a_day_of_a_simulation_are_not_taken_for_each_other() {
    let book = book_of_days();
    let (night, simulated) = (["--date", FIRST], ["--date", FIRST, "--chain"]);
    let run = |dates: &[&str]| book.outcome(&[&["run", "job.toml", "--out", "sim"], dates].concat());
    assert_eq!(run(&simulated).0, 0);
    let (code, _, stderr) = run(&night);
    assert_eq!(code, 6);
    insta::assert_snapshot!(stderr, @"error: sim/date=2026-11-18 is published already, from other inputs or job files (as a day of a simulation from 2026-11-18); --replace replaces it");
    let (code, _, stderr) = run(&["--from", YESTERDAY, "--to", TODAY, "--chain"]);
    assert_eq!(code, 0, "{stderr}");
    let (code, _, stderr) = run(&["--from", FIRST, "--to", TODAY, "--chain"]);
    assert_eq!(code, 6);
    assert!(stderr.contains("as a day of a simulation from 2026-11-19"), "{stderr}");
    assert_eq!(run(&[&night[..], &["--replace"]].concat()).0, 0);
    let (code, _, stderr) = run(&simulated);
    assert_eq!(code, 6);
    insta::assert_snapshot!(stderr, @"error: sim/date=2026-11-18 is published already, from other inputs or job files (as a night, not as a day of a simulation); --replace replaces it");
}

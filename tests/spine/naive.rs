//! Random spines over random books and job files, against the model that asks for a row at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rescore::console::Progress;
use rescore::failure::exit_code;
use rescore::spine::{SpineRequest, answer_spine};

use super::{added, carried};
use crate::audit::asked::{AskedRow, answered};
use crate::audit::case::{Case, DataFile, Dates, Format, Input, Layout};
use crate::audit::draw_job::{draw, draw_crowd};
use crate::audit::files::{write_file, write_inputs};
use crate::audit::from_environment;
use crate::audit::random::Random;
use crate::audit::value::{Kind, Value, date_or_null, date_text};
use crate::audit::written::write_job_files;
use crate::support::Table;

/// Books of a plain `cargo test`; SPINE_CASES asks for more, SPINE_SEED for one again.
const CASES: u64 = 300;

/// Rows, features of a case grow with its size.
const SIZE: usize = 60;

/// Rows of a spine over a small book.
const ROWS: usize = 60;

#[test]
fn the_naive_model_and_the_program_agree_on_spines() {
    if let Some(seed) = from_environment::<u64>("SPINE_SEED") {
        return assert_eq!(disagreement(&draw(seed, SIZE), seed, ROWS, &mut BTreeMap::new()), None);
    }
    let mut counts = BTreeMap::new();
    for seed in 0..from_environment("SPINE_CASES").unwrap_or(CASES) {
        let what = disagreement(&draw(seed, SIZE), seed, ROWS, &mut counts);
        assert_eq!(what, None, "run it again with SPINE_SEED={seed}");
    }
    println!("{counts:#?}");
    let wanted =
        ["answered", "refused", "missing_account", "missing_date", "not_delivered", "no_snapshot", "no_line"];
    wanted.iter().for_each(|what| assert!(counts.contains_key(*what), "{what} never came about: {counts:?}"));
}

/// Accounts lie in partitions of a few thousand: here are more, and each is asked for several days.
#[test]
fn the_model_agrees_on_spines_over_several_thousand_accounts() {
    for seed in 0..2 {
        let case = draw_crowd(seed, SIZE, 1500);
        assert_eq!(disagreement(&case, seed, 3000, &mut BTreeMap::new()), None, "seed {seed}");
    }
}

/// What differs between the model and the program, if anything does.
fn disagreement(case: &Case, seed: u64, rows: usize, counts: &mut BTreeMap<String, u64>) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    write_inputs(case, directory.path());
    write_job_files(case, directory.path());
    let rows = draw_rows(case, &mut Random::new(seed), rows);
    let [spine, out] = ["spine.parquet", "out.parquet"].map(|name| directory.path().join(name));
    write_spine(case, &rows, &mut Random::new(seed), &spine);
    let request = SpineRequest {
        job: directory.path().join("job.toml"),
        spine: spine.clone(),
        out: out.clone(),
        with_scores: true,
        memory_bytes: None,
        from_scratch: false,
    };
    let found = catch_unwind(AssertUnwindSafe(|| answer_spine(&request, &Progress::hidden())));
    let mut count = |what: &str| *counts.entry(what.to_string()).or_default() += 1;
    match (answered(case, &rows), found) {
        (_, Err(_)) => Some("the program panics".into()),
        (Err(why), Ok(Ok(_))) => Some(format!("the model refuses ({why}), the program does not")),
        (Ok(_), Ok(Err(error))) => Some(format!("the program fails with {}: {error}", exit_code(&error))),
        (Err(why), Ok(Err(error))) => {
            count("refused");
            assert!(!out.exists());
            (exit_code(&error) != 3).then(|| format!("the model refuses ({why}), the program: {error}"))
        }
        (Ok(expected), Ok(Ok(outcome))) => {
            let reasons = expected.column("left_out");
            reasons.iter().for_each(|reason| count(reason.text().unwrap_or("answered")));
            for (reason, rows) in &outcome.left_out {
                let own = reasons.iter().filter(|found| found.text() == Some(reason.name())).count();
                assert_eq!(own as u64, *rows, "{}", reason.name());
            }
            carried::assert_carried(&spine, &out);
            difference(&rows, &expected, &added(&spine, &out))
        }
    }
}

fn difference(rows: &[AskedRow], expected: &Table, found: &Table) -> Option<String> {
    if expected.columns != found.columns {
        return Some(format!("model {:?}, program {:?}", expected.columns, found.columns));
    }
    assert_eq!(expected.rows.len(), found.rows.len());
    for (row, (model, program)) in expected.rows.iter().zip(&found.rows).enumerate() {
        let cells = expected.columns.iter().zip(model.iter().zip(program));
        for ((column, _), (model, program)) in cells {
            if model != program {
                let AskedRow { account, as_of, known_on } = &rows[row];
                let days = [as_of, known_on].map(|day| day.map_or("null".to_string(), date_text));
                return Some(format!(
                    "row {row} {column}: model {model:?}, program {program:?} of {account:?} on {days:?}"
                ));
            }
        }
    }
    None
}

/// Accounts of the book, and some others, on days around the case's own; some rows several times.
fn draw_rows(case: &Case, random: &mut Random, most: usize) -> Vec<AskedRow> {
    let place = case.lines.columns.iter().position(|(name, _)| *name == "account_id").unwrap();
    let rows = case.lines.files.iter().flat_map(|file| &file.rows);
    let accounts: BTreeSet<Value> = rows.map(|row| row[place].clone()).collect();
    let mut accounts: Vec<Value> = accounts.into_iter().filter(|account| !account.is_blank()).collect();
    if case.account_kind == Kind::Text {
        accounts.extend(["nobody", "zzz"].map(Value::from));
    } else {
        accounts.extend([i64::MIN, 424_242].map(Value::from));
    }
    let mut rows: Vec<AskedRow> = Vec::new();
    let days = (0..1 + random.below(6)).map(|_| case.as_of - random.between(-3, 10) as i32);
    let days: Vec<i32> = days.chain([case.as_of; 4]).collect();
    for _ in 0..random.below(most + 1) {
        if random.chance(10) && !rows.is_empty() {
            rows.push(random.pick(&rows));
            continue;
        }
        let account = match random.below(60) {
            0 => Value::Null,
            1 if case.account_kind == Kind::Text => "".into(),
            _ => random.pick(&accounts),
        };
        let as_of = match random.below(60) {
            0 => None,
            1 => Some(case.as_of + random.pick(&[-20_000, -1100, -400, 30, 400])),
            _ => Some(random.pick(&days)),
        };
        let known_on = as_of.filter(|_| random.chance(30)).map(|day| day + random.between(0, 5) as i32);
        rows.push(AskedRow { account, as_of, known_on });
    }
    rows
}

/// Writes a spine, with columns that it does without and others that are carried, in a format of its own.
fn write_spine(case: &Case, rows: &[AskedRow], random: &mut Random, path: &Path) {
    let has_known_on = rows.iter().any(|row| row.known_on.is_some()) || random.chance(50);
    let mut columns = vec![("label", Kind::Bool), ("account_id", case.account_kind), ("as_of", Kind::Date)];
    columns.extend(has_known_on.then_some(("known_on", Kind::Date)));
    columns.push(("note", Kind::Text));
    let rows = rows.iter().map(|row| {
        let mut values = vec![
            random.maybe(90, &[true, false]).into(),
            row.account.clone(),
            date_or_null(row.as_of),
            date_or_null(row.known_on),
            random.maybe(90, &["a", "", "é"]).into(),
        ];
        if !has_known_on {
            values.remove(3);
        }
        values
    });
    let rows: Vec<Vec<Value>> = rows.collect();
    let format = Format {
        money_scale: None,
        dates: random.pick(&[Dates::Date32, Dates::Date32, Dates::Local, Dates::Zoned]),
        narrow_ints: random.chance(30),
        dictionary: random.chance(70),
        row_group_rows: random.pick(&[1, 2, 3, 1000]),
    };
    let input = Input {
        columns,
        money: Vec::new(),
        layout: Layout::Undated,
        files: Vec::new(),
        lacking: BTreeSet::new(),
        rename: BTreeMap::new(),
        unique: None,
    };
    write_file(case, &input, &DataFile { delivery: 0, stem: "spine".into(), rows, format }, path);
}

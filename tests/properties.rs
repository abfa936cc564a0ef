//! Properties of every run: the same bytes again, with any threads, however a delivery is cut into files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;
use serde_json::Value as Json;

use crate::audit::case::{Case, DataFile, Input};
use crate::audit::draw_job::draw;
use crate::audit::files::write_inputs;
use crate::audit::random::Random;
use crate::audit::value::date_text;
use crate::audit::written::write_job_files;
use crate::support::{Cell, Table, outcome_in, project};

const TABLES: [&str; 4] = ["scores", "features", "decisions", "adjustments"];

/// Random books, of which most have a run.
const BOOKS: u64 = 12;

const BOOK_SIZE: usize = 60;

/// Exit codes of a run that has published something: done, or held by a gate.
const PUBLISHED: [i32; 2] = [0, 4];

/// Every file of an output directory; of manifests what is a function of the inputs.
fn published(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut directories = vec![out.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            // It says who holds it, and is no part of what is published.
            if path.ends_with(".lock") {
                continue;
            }
            let mut bytes = fs::read(&path).unwrap();
            if path.ends_with("manifest.json") {
                let mut manifest: Json = serde_json::from_slice(&bytes).unwrap();
                manifest.as_object_mut().unwrap().remove("timing").expect("a manifest has its timing");
                bytes = manifest.to_string().into_bytes();
            }
            files.insert(path.strip_prefix(out).unwrap().to_string_lossy().into_owned(), bytes);
        }
    }
    assert!(files.keys().any(|name| name.ends_with("manifest.json")), "{} holds a run", out.display());
    files
}

fn assert_same(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>, what: &str) {
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>(), "{what}");
    let different = left.iter().filter(|(name, bytes)| right[*name] != **bytes).map(|(name, _)| name);
    assert_eq!(different.collect::<Vec<_>>(), Vec::<&String>::new(), "{what}");
}

/// What a run of a job publishes into a fresh directory.
fn run_of(directory: &Path, job: &str, dates: &[&str], more: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let out = tempfile::tempdir().unwrap();
    let mut args = vec!["run", job, "--out", out.path().to_str().unwrap(), "--date"];
    args.extend(dates);
    args.extend(more);
    let (code, _, stderr) = outcome_in(directory, &args);
    assert!(PUBLISHED.contains(&code), "{args:?}: {code}\n{stderr}");
    published(out.path())
}

/// Golden cases with two of their runs.
fn golden_runs() -> impl Iterator<Item = (PathBuf, &'static [&'static str])> {
    let dates: [&[&str]; 2] = [&["2026-11-20"], &["2026-11-17", "--known-on", "2026-11-20"]];
    let cases = ["ints", "strings", "renamed"].map(|case| project().join("tests/golden").join(case));
    cases.into_iter().flat_map(move |case| dates.map(|dates| (case.clone(), dates)))
}

#[test]
fn a_run_made_twice_publishes_the_same_bytes() {
    for (case, dates) in golden_runs() {
        let [first, second] = [(); 2].map(|()| run_of(&case, "jobs/nightly.toml", dates, &[]));
        assert_same(&first, &second, &format!("{} {dates:?}", case.display()));
    }
}

#[test]
fn a_run_that_replaces_itself_publishes_the_same_bytes() {
    let (case, dates) = golden_runs().next().unwrap();
    let out = tempfile::tempdir().unwrap();
    let mut args = vec!["run", "jobs/nightly.toml", "--out", out.path().to_str().unwrap(), "--date"];
    args.extend(dates);
    let (code, _, stderr) = outcome_in(&case, &args);
    assert_eq!(code, 0, "{stderr}");
    let first = published(out.path());
    args.push("--replace");
    let (code, _, stderr) = outcome_in(&case, &args);
    assert_eq!(code, 0, "{stderr}");
    let is_superseded = |name: &String| name.starts_with("superseded/");
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
        published(out.path()).into_iter().partition(|(name, _)| is_superseded(name));
    assert_eq!(old.len(), first.len(), "the run that was replaced is kept");
    assert_same(&first, &new, "replaced");
}

#[test]
fn one_two_and_eight_threads_publish_the_same_bytes() {
    for (case, dates) in golden_runs() {
        let runs = ["1", "2", "8"].map(|n| run_of(&case, "jobs/nightly.toml", dates, &["--threads", n]));
        assert_same(&runs[0], &runs[1], &format!("{} {dates:?}: 1 and 2 threads", case.display()));
        assert_same(&runs[0], &runs[2], &format!("{} {dates:?}: 1 and 8 threads", case.display()));
    }
}

#[test]
fn random_books_publish_the_same_bytes_with_any_threads() {
    for (seed, case) in books() {
        let directory = tempfile::tempdir().unwrap();
        write_inputs(&case, directory.path());
        write_job_files(&case, directory.path());
        let [as_of, known_on] = [case.as_of, case.known_on].map(date_text);
        let dates = [as_of.as_str(), "--known-on", &known_on];
        let runs = ["1", "2", "8"].map(|n| run_of(directory.path(), "job.toml", &dates, &["--threads", n]));
        assert_same(&runs[0], &runs[1], &format!("seed {seed}: 1 and 2 threads"));
        assert_same(&runs[0], &runs[2], &format!("seed {seed}: 1 and 8 threads"));
    }
}

/// Random books that have a run.
fn books() -> impl Iterator<Item = (u64, Case)> {
    let all = (0..BOOKS).map(|seed| (seed, draw(seed, BOOK_SIZE)));
    all.filter(|(_, case)| crate::audit::night::night(case).is_ok())
}

/// The tables and figures of a run that do not say where in a delivery a row lay.
#[derive(Debug, PartialEq)]
struct Results {
    tables: Vec<Table>,
    rejects: Vec<Vec<Cell>>,
    figures: Vec<Json>,
}

fn results_of(case: &Case) -> Results {
    let directory = tempfile::tempdir().unwrap();
    write_inputs(case, directory.path());
    write_job_files(case, directory.path());
    let [as_of, known_on] = [case.as_of, case.known_on].map(date_text);
    let (code, _, stderr) =
        outcome_in(directory.path(), &["run", "job.toml", "--date", &as_of, "--known-on", &known_on]);
    assert!(PUBLISHED.contains(&code), "{code}: {stderr}");
    let run = run_directory(case, &directory.path().join("out"), code);
    let manifest: Json = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
    assert_conserved(&run, &manifest);
    let figures = ["counts", "bill_conflicts", "issued_unknown", "missing_days", "control_totals", "gates"];
    // Input, delivery, reason, account.
    let places = [0, 1, 4, 5];
    let rejects = Table::read(&run.join("rejects.parquet")).rows;
    let mut rejects: Vec<Vec<Cell>> =
        rejects.iter().map(|row| places.map(|place| row[place].clone()).to_vec()).collect();
    rejects.sort();
    Results {
        tables: TABLES.map(|name| Table::read(&run.join(format!("{name}.parquet")))).to_vec(),
        rejects,
        figures: figures.map(|figure| manifest[figure].clone()).to_vec(),
    }
}

fn run_directory(case: &Case, out: &Path, code: i32) -> PathBuf {
    let [as_of, known_on] = [case.as_of, case.known_on].map(date_text);
    let out = if code == 4 { out.join("held") } else { out.to_path_buf() };
    let out = if case.known_on > case.as_of { out.join(format!("known={known_on}")) } else { out };
    out.join(format!("date={as_of}"))
}

/// Per input: read = accepted + rejected, and rejects.parquet lists as many as are counted.
fn assert_conserved(run: &Path, manifest: &Json) {
    let rejects = Table::read(&run.join("rejects.parquet"));
    for (input, counts) in manifest["counts"].as_object().unwrap() {
        let rejected = counts["rejected"].as_object().unwrap();
        let all: u64 = rejected.values().map(|rows| rows.as_u64().unwrap()).sum();
        assert_eq!(counts["read"].as_u64().unwrap(), counts["accepted"].as_u64().unwrap() + all, "{input}");
        for (reason, rows) in rejected {
            let is_listed = |row: &&Vec<Cell>| {
                row[0] == Cell::from(input.as_str()) && row[4] == Cell::from(reason.as_str())
            };
            let listed = rejects.rows.iter().filter(is_listed).count() as u64;
            assert_eq!(Some(listed), rows.as_u64(), "{input} {reason}");
        }
    }
}

#[test]
fn every_row_of_a_golden_run_is_accepted_or_rejected() {
    for case in ["ints", "strings", "renamed"] {
        let case = project().join("tests/golden").join(case);
        let out = tempfile::tempdir().unwrap();
        let out = out.path().to_str().unwrap();
        let args = ["run", "jobs/nightly.toml", "--date", "2026-11-20", "--out", out];
        let (code, _, stderr) = outcome_in(&case, &args);
        assert_eq!(code, 0, "{stderr}");
        let run = Path::new(out).join("date=2026-11-20");
        let manifest: Json = serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap();
        assert_conserved(&run, &manifest);
    }
}

/// Puts other files in the place of each delivery's, in the order of their names.
fn redeliver(case: &Case, mut cut: impl FnMut(Vec<DataFile>) -> Vec<DataFile>) -> Case {
    let mut case = case.clone();
    for input in case.inputs_mut() {
        let mut by_delivery: BTreeMap<i32, Vec<DataFile>> = BTreeMap::new();
        let mut files = std::mem::take(&mut input.files);
        files.sort_by_key(|file| input.file_name(file));
        for file in files {
            by_delivery.entry(if input.is_dated() { file.delivery } else { 0 }).or_default().push(file);
        }
        input.files = by_delivery.into_values().flat_map(&mut cut).collect();
    }
    case
}

fn merged(files: Vec<DataFile>) -> Vec<DataFile> {
    let rows = files.iter().flat_map(|file| file.rows.clone()).collect();
    let first = files.into_iter().next().expect("a delivery has a file");
    vec![DataFile { stem: "all".into(), rows, ..first }]
}

/// A file every other row, in order.
fn split(files: Vec<DataFile>) -> Vec<DataFile> {
    const ROWS: usize = 2;
    let whole = merged(files).remove(0);
    let pieces = whole.rows.chunks(ROWS).enumerate();
    let pieces: Vec<DataFile> = pieces
        .map(|(number, rows)| DataFile { stem: format!("{number:04}"), rows: rows.to_vec(), ..whole.clone() })
        .collect();
    if pieces.is_empty() { vec![whole] } else { pieces }
}

#[test]
fn a_delivery_split_or_merged_gives_the_same_results() {
    for (seed, case) in books() {
        let expected = results_of(&case);
        assert_eq!(results_of(&redeliver(&case, merged)), expected, "seed {seed}, merged");
        assert_eq!(results_of(&redeliver(&case, split)), expected, "seed {seed}, split");
    }
}

#[test]
fn the_order_of_a_deliverys_rows_and_files_does_not_matter_unless_repeats_are_told() {
    for (seed, mut case) in books() {
        case.inputs_mut().into_iter().for_each(|input: &mut Input| input.unique = None);
        if crate::audit::night::night(&case).is_err() {
            continue;
        }
        let expected = results_of(&case);
        let mut random = Random::new(seed);
        let shuffled = redeliver(&case, |files| {
            let mut whole = merged(files);
            random.shuffle(&mut whole[0].rows);
            split(whole)
        });
        assert_eq!(results_of(&shuffled), expected, "seed {seed}");
    }
}

/// Writes all Parquet files below a directory again, in row groups of so many rows.
fn cut_into_row_groups(directory: &Path, rows: usize) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            cut_into_row_groups(&path, rows);
            continue;
        }
        let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&path).unwrap()).unwrap();
        let schema = reader.schema().clone();
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows)).build();
        let file = fs::File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.close().unwrap();
    }
}

/// A book of several parts, of which some sorted rows lie in memory and some in a file without a name: `--memory`
/// changes where they lie, nothing else.
#[test]
fn rows_that_do_not_fit_in_memory_lie_in_a_file_and_come_to_the_same_bytes() {
    let book = tempfile::tempdir().unwrap();
    let (code, _, stderr) = outcome_in(
        book.path(),
        &["sample", "in", "--accounts", "9000", "--from", "2026-02-20", "--to", "2026-06-24", "--seed", "3"],
    );
    assert_eq!(code, 0, "{stderr}");
    cut_into_row_groups(&book.path().join("in"), 300);
    for file in ["nightly.toml", "scorecard.toml", "policy.toml"] {
        let text = fs::read_to_string(project().join("jobs").join(file)).unwrap();
        let text = text.replace("../sample_data/", "in/").replace("../out", "out");
        // The gates are about a book of a year.
        let text = text.split("\n[[gate]]").next().unwrap();
        fs::write(book.path().join(file), text).unwrap();
    }
    let whole = run_of(book.path(), "nightly.toml", &["2026-06-24"], &["--from-scratch"]);
    let passes = run_of(book.path(), "nightly.toml", &["2026-06-24"], &["--from-scratch", "--memory", "1MB"]);
    assert_same(&whole, &passes, "--memory");
    let shorter = format!(
        "trap '' XFSZ; ulimit -f 3000; exec {} run nightly.toml --date 2026-06-24 --replace --from-scratch --memory 1MB",
        env!("CARGO_BIN_EXE_rescore")
    );
    let output = Command::new("sh").args(["-c", &shorter]).current_dir(book.path()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(7), "{stderr}");
    assert!(stderr.contains("keep sorted rows below out"), "{stderr}");
}

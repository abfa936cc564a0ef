//! Manifests and states with bytes changed, cut, added or put elsewhere: told by name or passed over, never a
//! fault, and the same tables are published.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::audit::from_environment;
use crate::audit::random::Random;
use crate::support::book::{Book, TODAY, YESTERDAY};
use crate::support::files::{copy, files_in, reseal};
use crate::support::outcome_in;

/// How many of each; MUTATIONS asks for another number.
const MUTATIONS: u64 = 300;

/// A mutation that takes longer hangs.
const SECONDS: &str = "20";

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const SPLICES: [&[u8]; 10] = [
        b"-1",
        b"18446744073709551616",
        b"99999999999999999999999999999999999999999999",
        b"null",
        b"{}",
        b"[]",
        b"\"../../../../etc/passwd\"",
        b"\xff\xfe",
        b"1e999",
        b"\"\\u0000\"",
    ];
    if bytes.is_empty() {
        return;
    }
    let place = random.below(bytes.len());
    match random.below(6) {
        0 => bytes[place] ^= 1 << random.below(8),
        1 => bytes.truncate(place),
        2 => drop(bytes.splice(place..place, SPLICES[random.below(SPLICES.len())].iter().copied())),
        3 => {
            let end = (place + 1 + random.below(20)).min(bytes.len());
            bytes.drain(place..end);
        }
        4 => {
            let end = (place + 1 + random.below(200)).min(bytes.len());
            let again: Vec<u8> = bytes[place..end].to_vec();
            bytes.splice(place..place, again);
        }
        // A number becomes another one.
        _ => {
            if let Some(digit) = (place..bytes.len()).find(|at| bytes[*at].is_ascii_digit()) {
                let end = (digit..bytes.len()).find(|at| !bytes[*at].is_ascii_digit()).unwrap_or(bytes.len());
                bytes.splice(digit..end, SPLICES[random.below(3)].iter().copied());
            }
        }
    }
}

/// Exit code and stderr of a command that must end, and not by a fault.
fn told(directory: &Path, args: &[&str], what: &str) -> (i32, String) {
    let mut command = Command::new("timeout");
    command
        .args([SECONDS, env!("CARGO_BIN_EXE_rescore")])
        .args(args)
        .current_dir(directory)
        .env("NO_COLOR", "1");
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code().unwrap_or(-1);
    assert!((0..=7).contains(&code), "{what}: {args:?} ends with {code}\n{stderr}");
    assert!(!stderr.contains("panicked"), "{what}: {args:?}\n{stderr}");
    (code, stderr)
}

fn mutations() -> u64 {
    from_environment("MUTATIONS").unwrap_or(MUTATIONS)
}

#[test]
fn manifests() {
    let book = Book::new();
    book.publish();
    let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--out", "other"]);
    assert_eq!(code, 0, "{stderr}");
    let run = format!("out/date={TODAY}");
    let path = book.path().join(&run).join("manifest.json");
    let manifest = fs::read(&path).unwrap();
    for number in 0..mutations() {
        let mut random = Random::new(number);
        let mut mutated = manifest.clone();
        mutate(&mut mutated, &mut random);
        fs::write(&path, &mutated).unwrap();
        let what = format!("mutation {number}");
        // Every other one has the hash of what it says now, so that more is looked at than that.
        let is_sealed = number % 2 == 1 && is_sealed_again(&book.path().join(&run));
        let (code, stderr) = told(book.path(), &["verify", &run], &what);
        assert!(code == 3 || mutated == manifest || is_sealed, "{what}: {stderr}");
        let other = format!("other/date={TODAY}");
        let verb: &[&str] = match number % 5 {
            0 => &["run", "job.toml", "--date", TODAY],
            1 => &["report", &run, "--out", "page.html"],
            2 => &["diff", &run, &other],
            3 => &["explain", &run, "--account", "1"],
            _ => &["report", "out", "--out", "page.html"],
        };
        told(book.path(), verb, &what);
    }
}

/// Seals a manifest that can be sealed.
fn is_sealed_again(run: &Path) -> bool {
    let text = fs::read_to_string(run.join("manifest.json")).unwrap_or_default();
    let manifest = serde_json::from_str::<serde_json::Value>(&text).ok();
    let has_hash = manifest.is_some_and(|manifest| {
        let hash = manifest["timing"]["manifest_sha256"].as_str();
        hash.is_some_and(|hash| text.contains(&format!("\"manifest_sha256\": \"{hash}\"")))
    });
    if has_hash {
        reseal(run);
    }
    has_hash
}

/// The tables of today's run.
fn tables(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files_in(&directory.join(format!("out/date={TODAY}")));
    files.retain(|name, _| name.ends_with(".parquet"));
    files
}

/// The sorted deliveries of days before today.
fn sorted_deliveries(directory: &Path) -> Vec<PathBuf> {
    let entries = |directory: &Path| -> Vec<PathBuf> {
        fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    };
    let sets = entries(&directory.join("states")).into_iter().flat_map(|input| entries(&input));
    let mut files: Vec<PathBuf> = sets.flat_map(|set| entries(&set)).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "sorted") && !file.ends_with(today()));
    files.sort();
    files
}

fn today() -> String {
    format!("date={TODAY}.sorted")
}

#[test]
fn sorted_deliveries_of_earlier_nights() {
    let book = Book::new();
    book.append("job.toml", "[state]\ndir = \"states\"\n");
    let lines = fs::read(book.path().join(format!("in/lines/date={TODAY}/part-0.parquet"))).unwrap();
    fs::create_dir(book.path().join(format!("in/lines/date={YESTERDAY}"))).unwrap();
    fs::write(book.path().join(format!("in/lines/date={YESTERDAY}/part-0.parquet")), lines).unwrap();
    for day in ["2026-11-16", "2026-11-17", "2026-11-18"] {
        for input in ["transactions", "repayments"] {
            let of = |day: &str| book.path().join(format!("in/{input}/date={day}"));
            copy(&of(YESTERDAY), &of(day));
        }
    }
    let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", YESTERDAY]);
    assert_eq!(code, 0, "{stderr}");
    let night = ["run", "job.toml", "--date", TODAY, "--replace", "--threads", "1"];
    let (code, _, stderr) = outcome_in(book.path(), &[&night[..], &["--from-scratch"]].concat());
    assert_eq!(code, 0, "{stderr}");
    let expected = tables(book.path());
    let forget = || drop(fs::remove_dir_all(book.path().join("out/superseded")));
    forget();
    let (code, _, stderr) = outcome_in(book.path(), &night);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let manifest = fs::read_to_string(book.path().join(format!("out/date={TODAY}/manifest.json"))).unwrap();
    assert!(manifest.contains("from 8 sorted deliveries, 2 to sort"), "{manifest}");
    forget();
    let files = sorted_deliveries(book.path());
    assert_eq!(files.len(), 8, "{files:?}");
    for number in 0..mutations() {
        let mut random = Random::new(number);
        let file = &files[random.below(files.len())];
        let whole = fs::read(file).unwrap();
        let mut mutated = whole.clone();
        mutate(&mut mutated, &mut random);
        fs::write(file, mutated).unwrap();
        let what = format!("mutation {number} of {}", file.display());
        let (code, stderr) = told(book.path(), &night, &what);
        assert_eq!(code, 0, "{what}: {stderr}");
        assert!(tables(book.path()) == expected, "{what}: {stderr}");
        fs::write(file, whole).unwrap();
        forget();
    }
}

//! Job files changed at random: each is taken or refused by name, by `check` as by `run`, and soon.
//!
//! `JOB_MUTATIONS=100000 cargo test --release -- strangers::sweep` goes on for longer, `JOB_SEED` elsewhere.

use std::fs;
use std::process::Command;

use crate::audit::random::Random;
use crate::support::book::{Book, TODAY};

const FILES: [&str; 3] = ["job.toml", "scorecard.toml", "policy.toml"];

/// Pieces of job files, and what somebody may take for one.
const TOKENS: [&str; 40] = [
    "[[gate]]",
    "[[rule]]",
    "[[feature]]",
    "[output]",
    "[state]",
    "[unique.lines]",
    "name = ",
    "expr = ",
    "where = ",
    "days = ",
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "{",
    "}",
    "=",
    "\n",
    "\r",
    "\0",
    "#",
    ",",
    ".",
    "-1",
    "99999999999999999999999999",
    "9223372036854775807",
    "-9223372036854775808",
    "0",
    "1e400",
    "nan",
    "true",
    "2026-02-30",
    "\\u001b",
    "\u{202e}",
    "{date}",
    "${HOME}",
    "${",
    " and not (",
    " between ",
];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Changes a file in one place.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len());
    let end = (at + 1 + random.below(40)).min(bytes.len());
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let piece = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, piece);
        }
        3 => drop(bytes.splice(at..at, random.pick(&TOKENS).bytes())),
        4 => drop(bytes.splice(at..end, random.pick(&TOKENS).bytes())),
        5 => replace_a_number(random, bytes),
        _ => move_a_line(random, bytes),
    }
}

fn replace_a_number(random: &mut Random, bytes: &mut Vec<u8>) {
    const NUMBERS: [&str; 8] =
        ["0", "-1", "1", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "1.5"];
    let digits: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
    if let Some(at) = (!digits.is_empty()).then(|| random.pick(&digits)) {
        let end = (at..bytes.len()).find(|at| !bytes[*at].is_ascii_digit()).unwrap_or(bytes.len());
        bytes.splice(at..end, random.pick(&NUMBERS).bytes());
    }
}

fn move_a_line(random: &mut Random, bytes: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let line = lines.remove(random.below(lines.len()));
    lines.insert(random.below(lines.len() + 1), line);
    *bytes = lines.join(&b'\n');
}

/// The exit code and what is printed; 124 where it takes too long.
fn outcome(book: &Book, args: &[&str]) -> (i32, String) {
    let mut command = Command::new("timeout");
    command.current_dir(book.path()).args(["20", env!("CARGO_BIN_EXE_rescore")]).args(args);
    let output = command.env_remove("RESCORE_LOG").env("NO_COLOR", "1").output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
}

/// Changes one file of a plain book in one place or a few, and looks at what both verbs say.
fn try_one(book: &Book, plain: &[Vec<u8>; 3], seed: u64) {
    let mut random = Random::new(seed);
    let file = random.below(FILES.len());
    let mut bytes = plain[file].clone();
    (0..1 + random.below(3)).for_each(|_| mutate(&mut random, &mut bytes));
    let path = book.path().join(FILES[file]);
    fs::write(&path, &bytes).unwrap();
    let _ = fs::remove_dir_all(book.path().join("out"));
    let (checked, said) = outcome(book, &["check", "job.toml", "--date", TODAY]);
    let (ran, stderr) = outcome(book, &["run", "job.toml", "--date", TODAY, "--out", "out"]);
    let context =
        || format!("JOB_SEED={seed} {}:\n{}\n{said}\n{stderr}", FILES[file], String::from_utf8_lossy(&bytes));
    assert!([0, 2, 3].contains(&checked), "check ends with {checked}: {}", context());
    assert!([0, 2, 3, 4].contains(&ran), "run ends with {ran}: {}", context());
    assert_eq!(checked == 2, ran == 2, "check {checked}, run {ran}: {}", context());
    assert!(!stderr.contains("panicked") && !said.contains("panicked"), "{}", context());
    let moves = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!stderr.contains(moves) && !said.contains(moves), "{}", context());
    fs::write(&path, &plain[file]).unwrap();
}

#[test]
fn job_files_changed_at_random_are_taken_or_refused() {
    const THREADS: u64 = 2;
    let (mutations, first) = (setting("JOB_MUTATIONS", 1_000), setting("JOB_SEED", 0));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let book = Book::new();
                let plain = FILES.map(|file| fs::read(book.path().join(file)).unwrap());
                let seeds = (first..first + mutations).filter(|seed| seed % THREADS == thread);
                seeds.for_each(|seed| try_one(&book, &plain, seed));
            });
        }
    });
}

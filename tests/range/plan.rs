//! Dry runs: date by date, what a run would read and do; nothing is written.

use std::fs;

use serde_json::Value;

use super::{FIRST, GATE, RANGE, book_of_days};
use crate::support::book::{Book, TODAY, YESTERDAY, delivered};
use crate::support::files::files_in;
use crate::support::{as_text, succeed_in};

fn plan(book: &Book, more: &[&str]) -> String {
    let before = files_in(book.path());
    let (code, stdout, stderr) = book.outcome(&[&RANGE[..], &["--plan"], more].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(files_in(book.path()) == before, "a plan writes nothing");
    stdout
}

/// Sizes of files are as good as any; what is told of them is told as well with one digit.
fn without_sizes(text: &str) -> String {
    let cells = text.lines().map(|line| {
        let words = line.split(' ').map(|word| match word.parse::<f64>() {
            Ok(size) if word.contains('.') && size > 0.0 => "N".repeat(word.len()),
            _ => word.to_string(),
        });
        words.collect::<Vec<_>>().join(" ")
    });
    cells.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_range_is_planned_before_within_and_after() {
    let book = book_of_days();
    insta::assert_snapshot!(without_sizes(&plan(&book, &[])), @r"
           night     transactions       repayments            lines                   issued  what is done
      2026-11-18  1 file, NNNN kB    1 file, 837 B  1 file, NNNN kB             0 files, 0 B  from 0 sorted deliveries, 2 to sort: 2 not sorted before
      2026-11-19  1 file, NNNN kB  1 file, NNNN kB  1 file, NNNN kB  0 files, 0 B, 1 to come  from 2 sorted deliveries, 2 to sort: 2 not sorted before
      2026-11-20  1 file, NNNN kB  1 file, NNNN kB  1 file, NNNN kB  0 files, 0 B, 2 to come  from 4 sorted deliveries, 2 to sort: 2 not sorted before

    3 nights, 3 to compute: 9 files to read, NNNNN kB; nothing was written
    ");
    succeed_in(book.path(), &["run", "job.toml", "--date", FIRST]);
    insta::assert_snapshot!(without_sizes(&plan(&book, &[])), @r"
           night      transactions        repayments            lines                      issued  what is done
      2026-11-18                                                                                   left alone
      2026-11-19  2 files, NNNN kB  2 files, NNNN kB  1 file, NNNN kB             1 file, NNNN kB  from 0 sorted deliveries, 4 to sort: 4 not sorted before
      2026-11-20   1 file, NNNN kB   1 file, NNNN kB  1 file, NNNN kB  1 file, NNNN kB, 1 to come  from 4 sorted deliveries, 2 to sort: 2 not sorted before

    3 nights, 2 to compute: 10 files to read, NNNNN kB; nothing was written
    ");
    succeed_in(book.path(), &RANGE);
    insta::assert_snapshot!(plan(&book, &[]), @r"
           night  transactions  repayments  lines  issued  what is done
      2026-11-18                                           left alone
      2026-11-19                                           left alone
      2026-11-20                                           left alone

    3 nights, 0 to compute: 0 files to read, 0 B; nothing was written
    ");
    insta::assert_snapshot!(without_sizes(&plan(&book, &["--replace", "--from-scratch"])), @r"
           night     transactions       repayments            lines                   issued  what is done
      2026-11-18  1 file, NNNN kB    1 file, 837 B  1 file, NNNN kB             0 files, 0 B  from 0 sorted deliveries, 2 to sort: 2 not sorted before
      2026-11-19  1 file, NNNN kB  1 file, NNNN kB  1 file, NNNN kB  0 files, 0 B, 1 to come  from 2 sorted deliveries, 2 to sort: 2 not sorted before
      2026-11-20  1 file, NNNN kB  1 file, NNNN kB  1 file, NNNN kB  0 files, 0 B, 2 to come  from 4 sorted deliveries, 2 to sort: 2 not sorted before

    3 nights, 3 to compute: 9 files to read, NNNNN kB; nothing was written
    ");
}

#[test]
fn what_depends_on_nights_to_come_is_told_so() {
    let book = book_of_days();
    succeed_in(book.path(), &["run", "job.toml", "--date", TODAY]);
    insta::assert_snapshot!(without_sizes(&plan(&book, &[])), @r"
           night     transactions       repayments            lines                   issued  what is done
      2026-11-18  1 file, NNNN kB    1 file, 837 B  1 file, NNNN kB             0 files, 0 B  from 0 sorted deliveries, 2 to sort: 2 not sorted before
      2026-11-19  1 file, NNNN kB  1 file, NNNN kB  1 file, NNNN kB  0 files, 0 B, 1 to come  from 2 sorted deliveries, 2 to sort: 2 not sorted before
      2026-11-20                                                                              published; left alone if the nights before it issue what it read, else refused

    3 nights, 2 to compute: 6 files to read, NNNNN kB; nothing was written
    ");
}

#[test]
fn held_nights_are_left_alone() {
    let book = book_of_days();
    book.append("job.toml", GATE);
    assert_eq!(book.outcome(&RANGE).0, 4);
    insta::assert_snapshot!(plan(&book, &[]), @r"
           night  transactions  repayments  lines  issued  what is done
      2026-11-18                                           left alone
      2026-11-19                                           left alone, held
      2026-11-20                                           left alone, held

    3 nights, 0 to compute: 0 files to read, 0 B; nothing was written
    ");
}

#[test]
fn a_simulation_is_planned() {
    let book = book_of_days();
    let chain = ["--chain", "--out", "sim"];
    insta::assert_snapshot!(without_sizes(&plan(&book, &chain)), @r"
           night     transactions       repayments            lines                   issued  what is done
      2026-11-18  1 file, NNNN kB    1 file, 837 B  1 file, NNNN kB             0 files, 0 B  from 0 sorted deliveries, 2 to sort: 2 not sorted before
      2026-11-19  1 file, NNNN kB  1 file, NNNN kB  1 file, NNNN kB  0 files, 0 B, 1 to come  from 2 sorted deliveries, 2 to sort: 2 not sorted before
      2026-11-20  1 file, NNNN kB  1 file, NNNN kB  1 file, NNNN kB  0 files, 0 B, 2 to come  from 4 sorted deliveries, 2 to sort: 2 not sorted before

    3 nights, 3 to compute: 9 files to read, NNNNN kB; nothing was written
    ");
    succeed_in(book.path(), &[&RANGE[..], &chain].concat());
    insta::assert_snapshot!(plan(&book, &chain), @r"
           night  transactions  repayments  lines  issued  what is done
      2026-11-18                                           left alone
      2026-11-19                                           left alone
      2026-11-20                                           left alone

    3 nights, 0 to compute: 0 files to read, 0 B; nothing was written
    ");
}

#[test]
fn every_night_is_listed_before_the_first_that_cannot_run_ends_the_plan() {
    let book = book_of_days();
    fs::remove_file(book.path().join(delivered("transactions", YESTERDAY))).unwrap();
    let args = [&RANGE[..], &["--plan"]].concat();
    let (code, stdout, stderr) = book.outcome(&args);
    assert_eq!(code, 3);
    insta::assert_snapshot!(without_sizes(&format!("{stdout}\n{}", as_text(&stderr))), @r"
           night     transactions        repayments            lines                   issued  what is done
      2026-11-18  1 file, NNNN kB     1 file, 837 B  1 file, NNNN kB             0 files, 0 B  from 0 sorted deliveries, 2 to sort: 2 not sorted before
      2026-11-19                                                                               cannot run: find transactions of 2026-11-19: no file matches in/transactions/date=2026-11-19/*.parquet, the latest delivery is that of 2026-11-20; deliver it (a file without rows will do) and run again
      2026-11-20  1 file, NNNN kB  2 files, NNNN kB  1 file, NNNN kB  0 files, 0 B, 2 to come  from 2 sorted deliveries, 3 to sort: 3 not sorted before

    3 nights, 2 to compute: 7 files to read, NNNNN kB; nothing was written

    warning: the range will come no further than 2026-11-19, for which not all is delivered
    error: night of 2026-11-19: find transactions of 2026-11-19: no file matches in/transactions/date=2026-11-19/*.parquet, the latest delivery is that of 2026-11-20; deliver it (a file without rows will do) and run again
    ");
    let (code, stdout, _) = book.outcome(&[&args[..], &["--json"]].concat());
    assert_eq!(code, 3);
    let nights: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(nights[1]["error"]["exit"], 3);
    assert_eq!(nights[2]["course"], "compute");
    assert!(!book.path().join("out").exists());
}

#[test]
fn a_night_that_is_refused_is_told_with_its_code() {
    let book = book_of_days();
    succeed_in(book.path(), &RANGE);
    book.append("policy.toml", "# a remark\n");
    let (code, _, stderr) = book.outcome(&["run", "job.toml", "--date", TODAY, "--plan"]);
    assert_eq!(code, 6);
    insta::assert_snapshot!(stderr, @"error: night of 2026-11-20: out/date=2026-11-20 is published already, from other inputs or job files (policy.toml); --replace replaces it");
}

#[test]
fn a_plan_for_machines() {
    let book = book_of_days();
    let stdout = succeed_in(book.path(), &["run", "job.toml", "--date", TODAY, "--plan", "--json"]);
    let mut nights: Value = serde_json::from_str(&stdout).unwrap();
    for reading in nights[0]["reads"].as_array_mut().unwrap() {
        let path = match reading["input"].as_str().unwrap() {
            "issued" => continue,
            name => book.path().join(format!("in/{name}")),
        };
        let newest = files_in(&path).into_iter().rev().take(reading["files"].as_u64().unwrap() as usize);
        assert_eq!(reading["bytes"], newest.map(|(_, bytes)| bytes.len()).sum::<usize>());
        reading["bytes"] = "its files' bytes".into();
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&nights).unwrap(), @r#"
    [
      {
        "as_of": "2026-11-20",
        "awaits": [],
        "course": "compute",
        "known_on": "2026-11-20",
        "reads": [
          {
            "bytes": "its files' bytes",
            "files": 3,
            "input": "transactions",
            "rows": 8
          },
          {
            "bytes": "its files' bytes",
            "files": 3,
            "input": "repayments",
            "rows": 5
          },
          {
            "bytes": "its files' bytes",
            "files": 1,
            "input": "lines",
            "rows": 4
          },
          {
            "bytes": 0,
            "files": 0,
            "input": "issued",
            "rows": 0
          }
        ],
        "sorted": 0,
        "to_sort": [
          {
            "delivery": "2026-11-18",
            "input": "transactions",
            "why": "not sorted before"
          },
          {
            "delivery": "2026-11-19",
            "input": "transactions",
            "why": "not sorted before"
          },
          {
            "delivery": "2026-11-20",
            "input": "transactions",
            "why": "not sorted before"
          },
          {
            "delivery": "2026-11-18",
            "input": "repayments",
            "why": "not sorted before"
          },
          {
            "delivery": "2026-11-19",
            "input": "repayments",
            "why": "not sorted before"
          },
          {
            "delivery": "2026-11-20",
            "input": "repayments",
            "why": "not sorted before"
          }
        ]
      }
    ]
    "#);
}

#[test]
fn a_plan_waits_for_no_lock() {
    let book = book_of_days();
    fs::create_dir(book.path().join("out")).unwrap();
    let lock = fs::File::create(book.path().join("out/.lock")).unwrap();
    lock.lock().unwrap();
    plan(&book, &[]);
}

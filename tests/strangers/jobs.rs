//! Job files and command lines that are odd: read rightly, or refused with what was meant.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Case, check};
use crate::support::book::{Book, LINES, TODAY, YESTERDAY, delivered, table};
use crate::support::{Cell, Table, day, succeed_in};

/// A job file in place of the scorecard.
fn scorecard(book: &Book, path: &str) {
    book.edit("job.toml", "scorecard = \"scorecard.toml\"", &format!("scorecard = \"{path}\""));
}

/// Adds tables that differ in their numbers alone.
fn append_all(book: &Book, file: &str, count: usize, text: impl Fn(usize) -> String) {
    book.append(file, &(0..count).map(text).collect::<Vec<_>>().join("\n"));
}

#[test]
fn job_files_that_are_no_files_are_refused_by_name() {
    check(&[
        Case {
            kind: "a device without end",
            input: |book| scorecard(book, "/dev/zero"),
            exit: 2,
            message: "read job file /dev/zero: it is no regular file",
        },
        Case {
            kind: "a FIFO",
            input: |book| {
                assert!(Command::new("mkfifo").arg(book.path().join("fifo")).status().unwrap().success());
                scorecard(book, "fifo");
            },
            exit: 2,
            message: "read job file fifo: it is no regular file",
        },
        Case {
            kind: "a link to a FIFO",
            input: |book| {
                assert!(Command::new("mkfifo").arg(book.path().join("fifo")).status().unwrap().success());
                std::os::unix::fs::symlink("fifo", book.path().join("link")).unwrap();
                scorecard(book, "link");
            },
            exit: 2,
            message: "read job file link: it is no regular file",
        },
        Case {
            kind: "a directory",
            input: |book| scorecard(book, "in"),
            exit: 2,
            message: "read job file in: it is no regular file",
        },
        Case {
            kind: "a link to a job file",
            input: |book| {
                std::os::unix::fs::symlink("scorecard.toml", book.path().join("link")).unwrap();
                scorecard(book, "link");
            },
            exit: 0,
            message: "",
        },
        Case {
            kind: "nothing",
            input: |book| scorecard(book, "nothing.toml"),
            exit: 2,
            message: "read job file nothing.toml: No such file",
        },
        Case {
            kind: "more than a person writes",
            input: |book| book.append("policy.toml", &"# more\n".repeat(200_000)),
            exit: 2,
            message: "read job file policy.toml: it has more than 1048576 bytes",
        },
        Case {
            kind: "Latin-1",
            input: |book| {
                let mut bytes = b"# caf\n# caf\xe9\n".to_vec();
                bytes.extend(fs::read(book.path().join("policy.toml")).unwrap());
                fs::write(book.path().join("policy.toml"), bytes).unwrap();
            },
            exit: 2,
            message: "read job file policy.toml: line 2, byte 11: 0xE9 is not UTF-8",
        },
    ]);
}

#[test]
fn job_files_of_any_size_are_decided_about_soon() {
    let cases = [
        Case {
            kind: "gates",
            input: |book| append_all(book, "job.toml", 90_000, |_| "[[gate]]".into()),
            exit: 2,
            message: "there are 90000 [[gate]]; at most 1000 are taken",
        },
        Case {
            kind: "gates that could be",
            input: |book| {
                append_all(book, "job.toml", 1_000, |number| {
                    format!("[[gate]]\nname = \"g{number}\"\nrows = \"lines\"\nmin = 1")
                });
            },
            exit: 0,
            message: "",
        },
        Case {
            kind: "features of one name",
            input: |book| append_all(book, "scorecard.toml", 30_000, |_| "[[feature]]\nname = \"x\"".into()),
            exit: 2,
            message: "at most 2000 are taken",
        },
        Case {
            kind: "features that build on one another",
            input: |book| {
                append_all(book, "scorecard.toml", 1_900, |number| {
                    format!("[[feature]]\nname = \"f{}\"\nexpr = \"f{number} + spend_30d\"", number + 1)
                });
                book.edit("scorecard.toml", "f0 + spend_30d", "spend_30d");
            },
            exit: 0,
            message: "",
        },
        Case {
            kind: "characteristics on what is not there",
            input: |book| {
                append_all(book, "scorecard.toml", 2_000, |number| {
                    let names = format!("feature = \"feature_{number}\"\ndimension = \"dimension_{number}\"");
                    format!("[[characteristic]]\n{names}\nreason = \"\"\ntext = \"\"\nmissing = 0\nbins = []")
                });
            },
            exit: 2,
            message: "at most 2000 are taken",
        },
        Case {
            kind: "bins",
            input: |book| {
                let bins: Vec<String> =
                    (0..20_000).map(|number| format!("{{ below = {number}, points = 0 }},")).collect();
                let (from, to) = ("    { below = 20000, points = 0 },\n", bins.join("\n"));
                book.edit("scorecard.toml", from, &to);
            },
            exit: 2,
            message: "there are 20001 bins; at most 1000 are taken",
        },
        Case {
            kind: "rules",
            input: |book| append_all(book, "policy.toml", 60_000, |_| "[[rule]]".into()),
            exit: 2,
            message: "at most 2000 are taken",
        },
        Case {
            kind: "rules that can never be reached",
            input: |book| {
                append_all(book, "policy.toml", 1_900, |number| {
                    let name = format!("name = \"rule {number}\"\nreason = \"P9\"\naction = \"hold\"");
                    format!("[[rule]]\n{name}\nwhen = \"score < 0\"\n# {}", "x".repeat(200))
                });
            },
            exit: 0,
            message: "",
        },
        Case {
            kind: "products",
            input: |book| append_all(book, "policy.toml", 80_000, |_| "[[product]]".into()),
            exit: 2,
            message: "at most 255 are taken",
        },
        Case {
            kind: "unknown keys",
            input: |book| {
                let keys = (0..60_000).map(|number| format!("key{number} = 1\n")).collect::<String>();
                let job = fs::read_to_string(book.path().join("job.toml")).unwrap();
                book.put("job.toml", &format!("{keys}{job}"));
            },
            exit: 2,
            message: "unknown key",
        },
    ];
    for case in cases {
        soon(case.kind, || check(&[case]));
    }
}

#[test]
fn toml_that_is_deep_or_long_is_refused_soon() {
    let texts = [
        ("dotted keys", format!("{}x = 1", "a.".repeat(400_000))),
        ("a dotted table", format!("[{}x]", "a.".repeat(400_000))),
        ("arrays", format!("x = {}", "[".repeat(500_000))),
        ("closed arrays", format!("x = {}{}", "[".repeat(400_000), "]".repeat(400_000))),
        ("tables in a line", format!("x = {}", "{a=".repeat(300_000))),
        ("an integer", format!("x = {}", "9".repeat(1_000_000))),
        ("a float", format!("x = 0.{}", "9".repeat(1_000_000))),
        ("an integer where one is wanted", format!("minor_units = {}", "9".repeat(1_000_000))),
        ("quotes", "\"".repeat(1_000_000)),
        ("brackets", "[[".repeat(500_000)),
        ("carriage returns", "\r".repeat(1_000_000)),
        ("signs", "=".repeat(1_000_000)),
        ("lines that are no keys", "x y\n".repeat(200_000)),
        ("keys without values", "a=\n".repeat(200_000)),
        ("one key again and again", "a=1\n".repeat(200_000)),
        ("one table again and again", "[a]\n".repeat(200_000)),
        ("control characters", "\u{1}".repeat(1_000_000)),
        ("a long string", format!("x = \"{}", "y".repeat(1_000_000))),
        ("escapes", format!("x = \"{}\"", "\\q".repeat(300_000))),
    ];
    for (kind, text) in texts {
        soon(kind, || {
            let book = Book::new();
            let job = fs::read_to_string(book.path().join("job.toml")).unwrap();
            book.put("job.toml", &format!("{text}\n{job}").chars().take(1_040_000).collect::<String>());
            for args in [&["check", "job.toml"][..], &["run", "job.toml", "--date", TODAY]] {
                let (code, _, stderr) = book.outcome(args);
                assert_eq!(code, 2, "{kind} {args:?}: {}", &stderr[..stderr.len().min(500)]);
                assert!(stderr.len() < 200_000, "{kind} says too much: {} bytes", stderr.len());
            }
        });
    }
}

/// Runs a case that must not take long.
fn soon(kind: &str, run: impl FnOnce()) {
    let started = Instant::now();
    run();
    assert!(started.elapsed() < Duration::from_secs(20), "{kind} took {:?}", started.elapsed());
}

#[test]
fn sizes_of_memory_need_their_unit() {
    let book = Book::new();
    for (size, code, message) in [
        ("4", 2, "that is 4 bytes; did you mean 4GB?"),
        ("4000", 2, "that is 4000 bytes; did you mean 4000GB?"),
        ("0", 2, "that is 0 bytes"),
        ("12kB", 2, "that is 12000 bytes; did you mean 12GB?"),
        ("much", 2, "sizes are written as in 4GB"),
        ("4GB", 0, ""),
        ("64MiB", 0, ""),
    ] {
        let args = ["run", "job.toml", "--date", TODAY, "--replace", "--memory", size];
        let (ended, _, stderr) = book.outcome(&args);
        assert_eq!(ended, code, "{size}: {stderr}");
        assert!(stderr.contains(message), "{size}: {stderr}");
    }
}

#[test]
fn an_account_may_be_a_negative_number() {
    let book = Book::new();
    for input in ["transactions", "repayments", "lines"] {
        let path = book.path().join(delivered(input, TODAY));
        let mut rows = Table::read(&path);
        let account = rows.columns.iter().position(|(name, _)| name == "account_id").unwrap();
        rows.rows.iter_mut().for_each(|row| {
            if let Cell::Int(id) = &mut row[account] {
                *id = -*id;
            }
        });
        rows.write(&path);
    }
    book.publish();
    let run = format!("out/date={TODAY}");
    for account in [&["--account", "-2"][..], &["--account=-2"]] {
        let said = succeed_in(book.path(), &[&["explain", &run], account].concat());
        assert!(said.starts_with("account -2 in plain"), "{said}");
    }
    let (code, _, stderr) = book.outcome(&["explain", &run, "--account", "-7"]);
    assert_eq!(code, 3, "{stderr}");
}

#[test]
fn a_spreadsheet_takes_no_cell_for_a_formula() {
    let csv = |value: &str| {
        let book = Book::new();
        book.edit("job.toml", "csv = true", &format!("csv = {value}"));
        for file in ["policy.toml", "scorecard.toml"] {
            let text = fs::read_to_string(book.path().join(file)).unwrap();
            let text = text.replace("\"P01\"", "\"=P01\"").replace("\"poor\"", "\"@poor\"");
            book.put(file, &text.replace("{ poor", "{ \"@poor\""));
        }
        let lines = Table::read(&book.path().join(delivered("lines", TODAY)));
        let balance = lines.columns.iter().position(|(name, _)| name == "balance").unwrap();
        let mut lines = lines;
        lines.rows.iter_mut().for_each(|row| row[balance] = Cell::Int(-5));
        book.deliver("lines", TODAY, &lines);
        book.publish();
        fs::read_to_string(book.path().join(format!("out/date={TODAY}/adjustments.csv"))).unwrap()
    };
    let (plain, defused) = (csv("true"), csv("\"spreadsheet\""));
    assert!(plain.contains(",=P01,") && plain.contains(",@poor,") && plain.contains(",-5,"), "{plain}");
    let expected = plain.replace(",=P01,", ",'=P01,").replace(",@poor,", ",'@poor,");
    assert_eq!(defused, expected);
    let book = Book::new();
    book.edit("job.toml", "csv = true", "csv = \"spreadshet\"");
    let (code, _, stderr) = book.run();
    assert_eq!(code, 2);
    assert!(stderr.contains("there is no csv for `spreadshet`"), "{stderr}");
}

#[test]
fn check_looks_at_the_newest_delivery_of_every_input() {
    for (input, columns) in [
        ("transactions", "account_id posted_on kind category is_online"),
        ("repayments", "account_id product bill_id due_on due_amount paid_on"),
        ("lines", "account_id product credit_limit balance status segment"),
    ] {
        let book = Book::new();
        let today = Table::read(&book.path().join(delivered(input, TODAY)));
        let kept = columns.split(' ').map(|name| {
            let position = today.columns.iter().position(|(known, _)| known == name).unwrap();
            today.columns[position].clone()
        });
        let kept: Vec<_> = kept.collect();
        let kept: Vec<_> = kept.iter().map(|(name, kind)| (name.as_str(), kind.clone())).collect();
        book.deliver(input, "2026-11-21", &table(&kept, ""));
        let (code, _, stderr) = book.outcome(&["check", "job.toml"]);
        assert_eq!(code, 3, "{input}: {stderr}");
        assert!(stderr.contains(&format!("read {input} of 2026-11-21")), "{input}: {stderr}");
        let (code, _, stderr) = book.outcome(&["check", "job.toml", "--date", TODAY]);
        assert_eq!(code, 0, "{input}: {stderr}");
    }
    let said = succeed_in(Book::new().path(), &["check", "job.toml"]);
    let newest = "transactions of 2026-11-20, repayments of 2026-11-20, lines of 2026-11-20";
    assert!(said.contains(newest), "{said}");
}

#[test]
fn the_rules_of_time_zones_are_the_program_s_own() {
    let book = Book::new();
    let night = |zones: &str, out: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rescore"));
        command.current_dir(book.path()).args(["run", "job.toml", "--date", TODAY, "--out", out]);
        let output = command.env("TZDIR", zones).env("TZ", "America/New_York").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let manifest = fs::read_to_string(book.path().join(format!("{out}/date={TODAY}/manifest.json")));
        let manifest: serde_json::Value = serde_json::from_str(&manifest.unwrap()).unwrap();
        (manifest["timezone_data"].as_str().unwrap().to_string(), manifest["outputs"].to_string())
    };
    let plain = night("/usr/share/zoneinfo", "plain");
    fs::create_dir_all(book.path().join("zones/Asia")).unwrap();
    fs::write(book.path().join("zones/Asia/Shanghai"), "no zone").unwrap();
    assert_eq!(night(book.path().join("zones").to_str().unwrap(), "other"), plain);
    assert_eq!(night("/nowhere", "none"), plain);
    let version = succeed_in(book.path(), &["--version"]);
    assert!(version.contains(&plain.0), "{version} does not name {}", plain.0);
    book.edit("job.toml", "Asia/Shanghai", "Asia/Shanghia");
    let (code, _, stderr) = book.run();
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean `Asia/Shanghai`?"), "{stderr}");
}

#[test]
fn a_plan_of_many_nights_takes_little_longer_a_night() {
    let planned = |nights: i32| {
        let book = Book::new();
        let job = "lines = \"in/lines/date={date}/*.parquet\"\n";
        book.edit("job.toml", job, &format!("{job}issued = \"out/date={{date}}/adjustments.parquet\"\n"));
        for input in ["transactions", "repayments", "lines"] {
            let from = book.path().join(delivered(input, TODAY));
            for number in 1..nights {
                let date = day(TODAY).plus(number).to_string();
                let to = book.path().join(delivered(input, &date));
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(&from, to).unwrap();
            }
        }
        let last = day(TODAY).plus(nights - 1).to_string();
        let started = Instant::now();
        let said = succeed_in(book.path(), &["run", "job.toml", "--from", TODAY, "--to", &last, "--plan"]);
        assert!(said.contains(&format!("{nights} nights, {nights} to compute")), "{said}");
        started.elapsed()
    };
    let (few, many) = (planned(60), planned(480));
    assert!(many < few * 40, "480 nights take {many:?}, 60 take {few:?}");
}

#[test]
fn what_is_hardly_meant_is_warned_of_and_noted() {
    let noted = |change: &dyn Fn(&Book), notice: &str| {
        let book = Book::new();
        change(&book);
        let (code, _, stderr) = book.run();
        assert_eq!(code, 0, "{stderr}");
        assert!(stderr.contains(notice), "wanted `{notice}` in\n{stderr}");
        let manifest =
            fs::read_to_string(book.path().join(format!("out/date={TODAY}/manifest.json"))).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let notices = manifest["notices"].as_array().unwrap();
        assert!(notices.iter().any(|known| known.as_str().unwrap().contains(notice)), "{notices:?}");
    };
    noted(
        &|book| book.edit("scorecard.toml", "kind in ('purchase', 'refund')", "kind = 'purchse'"),
        "`kind` = 'purchse', which none of the 4 rows of transactions delivered from 2026-11-20 on has",
    );
    noted(
        &|book| {
            book.edit("scorecard.toml", "kind in ('purchase', 'refund')", "kind = 'purchse'");
            let line = |id| format!("{id} card 100000 0 active 2025-01-01 - - mass\n");
            book.deliver("lines", TODAY, &table(&LINES, &(1..=12).map(line).collect::<String>()));
        },
        "the feature `spend_30d` is 0 for all 12 accounts",
    );
    noted(
        &|book| book.edit("policy.toml", "segment = 'private'", "segment = 'privat'"),
        "`segment` = 'privat', which none of the 4 lines has",
    );
    noted(
        &|book| {
            book.edit("scorecard.toml", "where = \"is_open\"", "where = \"is_open and product = 'lone'\"")
        },
        "`product` = 'lone', which none of the 2 rows of repayments delivered from 2026-11-20 on has",
    );
    noted(
        &|book| {
            let path = book.path().join(delivered("transactions", TODAY));
            let mut rows = Table::read(&path);
            let posted_on = rows.columns.iter().position(|(name, _)| name == "posted_on").unwrap();
            rows.rows.iter_mut().for_each(|row| row[posted_on] = Cell::Date(day("1966-11-20")));
            rows.write(&path);
        },
        "0 of the 4 rows of transactions delivered from 2026-11-20 on have a `posted_on` within reach",
    );
}

#[test]
fn a_plain_book_is_warned_of_nothing() {
    let (code, _, stderr) = Book::new().run();
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn a_trial_of_a_range_is_told_whose_adjustments_it_reads() {
    let book = Book::new();
    book.deliver("lines", YESTERDAY, &Table::read(&book.path().join(delivered("lines", TODAY))));
    let job = "lines = \"in/lines/date={date}/*.parquet\"\n";
    book.edit("job.toml", job, &format!("{job}issued = \"out/date={{date}}/adjustments.parquet\"\n"));
    let range = ["run", "job.toml", "--from", YESTERDAY, "--to", TODAY];
    for (more, is_told) in
        [(&[][..], false), (&["--out", "trial/range"], true), (&["--out", "trial/chain", "--chain"], false)]
    {
        let (code, _, stderr) = book.outcome(&[&range, more].concat());
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(stderr.contains("--chain makes each night go on"), is_told, "{more:?}\n{stderr}");
    }
}

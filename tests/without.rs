//! A job without repayments: everything that needs none works; what needs them is refused by name.

use std::fs;

use serde_json::Value;

use rescore::run::{Nights, RunRequest};

use crate::support::book::{Book, TODAY};
use crate::support::files::runs_in;
use crate::support::steps::{SharedOut, run_in_steps};
use crate::support::{Cell, Table, day, succeed_in};

/// The plain book with a job that says there are no repayments.
fn without() -> Book {
    let book = Book::new();
    let (code, _, stderr) = book.outcome(&[
        "init",
        "mine",
        "--transactions",
        "in/transactions",
        "--repayments",
        "none",
        "--lines",
        "in/lines",
    ]);
    assert_eq!(code, 0, "{stderr}");
    book
}

#[test]
fn nights_and_all_that_looks_at_them_work() {
    let book = without();
    let (home, run) = (book.path(), format!("mine/out/date={TODAY}"));
    succeed_in(home, &["check", "mine/nightly.toml", "--date", TODAY]);
    succeed_in(home, &["run", "mine/nightly.toml", "--date", TODAY]);
    succeed_in(home, &["verify", &run]);
    let manifest = fs::read_to_string(home.join(&run).join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["counts"]["repayments"]["read"], 0);
    assert!(manifest["inputs"].as_array().unwrap().iter().all(|input| input["input"] != "repayments"));
    let account = Table::read(&home.join(&run).join("scores.parquet")).rows[0][0].int().unwrap().to_string();
    succeed_in(home, &["explain", &run, "--account", &account]);
    succeed_in(home, &["report", &run, "--out", "page.html"]);
    succeed_in(home, &["scorecard", "mine/nightly.toml", &run]);
    succeed_in(home, &["run", "mine/nightly.toml", "--date", TODAY, "--out", "again", "--from-scratch"]);
    succeed_in(home, &["diff", &run, &format!("again/date={TODAY}")]);
    // No delivery of repayments is looked for, whatever lies there.
    fs::remove_dir_all(home.join("in/repayments")).unwrap();
    succeed_in(home, &["run", "mine/nightly.toml", "--date", TODAY, "--out", "third", "--from-scratch"]);
    let [again, third] = ["again", "third"].map(|out| runs_in(&home.join(out)));
    assert_eq!(again, third);
}

#[test]
fn what_needs_bills_is_refused_by_name() {
    let book = Book::new();
    book.edit("job.toml", "repayments = \"in/repayments/date={date}/*.parquet\"", "repayments = \"none\"");
    book.append(
        "job.toml",
        "\n[rename.repayments]\nbill_id = \"bill\"\n[[gate]]\nname = \"bills\"\nrows = \"repayments\"\nmin = 1\n",
    );
    let (code, _, stderr) = book.outcome(&["check", "job.toml"]);
    assert_eq!(code, 2, "{stderr}");
    for words in [
        "a feature of bills, and the job says repayments = \"none\": there are no bills",
        "a gate on repayments, and the job says repayments = \"none\"",
        "there is [rename.repayments], and [input] says that there are no repayments",
    ] {
        assert!(stderr.contains(words), "{words}\n{stderr}");
    }
}

#[test]
fn an_input_that_is_left_out_is_asked_for() {
    for (from, to, words) in [
        (
            "repayments = \"in/repayments/date={date}/*.parquet\"\n",
            "",
            "or repayments = \"none\" where there are none",
        ),
        (
            "lines = \"in/lines/date={date}/*.parquet\"",
            "lines = \"none\"",
            "there is no run without lines; only `repayments` may be \"none\"",
        ),
        (
            "repayments = \"in/repayments/date={date}/*.parquet\"",
            "repayments = \"\"",
            "the path of `repayments` is empty",
        ),
    ] {
        let book = Book::new();
        book.edit("job.toml", from, to);
        let (code, _, stderr) = book.outcome(&["check", "job.toml"]);
        assert_eq!(code, 2);
        assert!(stderr.contains(words), "{words}\n{stderr}");
    }
}

#[test]
fn a_rename_the_other_way_round_is_told_with_the_line_as_it_should_be() {
    for (text, words, line) in [
        (
            "[rename.lines]\nCustNo = \"account_id\"\n",
            "[rename.lines] is the other way round",
            "write account_id = \"CustNo\"",
        ),
        (
            "[rename.lines]\n\"Cust No\" = \"account_id\"\n",
            "the other way round",
            "write account_id = \"Cust No\"",
        ),
        // Left out of sight, a column that need not be there would be nulls without a word.
        (
            "[rename.lines]\nlast_raise = \"increased_on\"\n",
            "the other way round",
            "write increased_on = \"last_raise\"",
        ),
        (
            "[rename]\nDueDate = \"due_on\"\n",
            "[rename] does not say of which input the column is",
            "write below [rename.repayments], or the input that it is of: due_on = \"DueDate\"",
        ),
    ] {
        let book = Book::new();
        book.append("job.toml", text);
        let (code, _, stderr) = book.outcome(&["check", "job.toml"]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(words) && stderr.contains(line), "{text}\n{stderr}");
    }
}

#[test]
fn steps_and_features_of_days_need_no_repayments_either() {
    let book = without();
    let home = book.path();
    succeed_in(home, &["run", "mine/nightly.toml", "--date", TODAY]);
    let run = home.join(format!("mine/out/date={TODAY}"));
    let request = RunRequest {
        job: home.join("mine/nightly.toml"),
        nights: Nights::One { as_of: day(TODAY), known_on: day(TODAY) },
        out: Some(home.join("steps")),
        replace: false,
        chain: false,
        from_scratch: true,
        memory_bytes: None,
    };
    let shared = SharedOut { parts: 2, key_shards: 2 };
    let in_steps = run_in_steps(&request, &home.join("work"), shared).unwrap().directory;
    succeed_in(home, &["diff", run.to_str().unwrap(), in_steps.to_str().unwrap()]);
    let features = Table::read(&run.join("features.parquet"));
    let mut spine = Table::new(&[
        ("account_id", arrow_schema::DataType::Int64),
        ("as_of", arrow_schema::DataType::Date32),
    ]);
    for row in &features.rows {
        spine = spine.row([row[0].clone(), Cell::Date(day(TODAY))]);
    }
    spine.write(&home.join("spine.parquet"));
    let args = ["features", "mine/nightly.toml", "--spine", "spine.parquet", "--out", "answered.parquet"];
    succeed_in(home, &args);
    let answered = Table::read(&home.join("answered.parquet"));
    for (name, _) in &features.columns {
        assert_eq!(answered.column(name), features.column(name), "{name}");
    }
}

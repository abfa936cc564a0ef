//! What `diff` refuses, and how it says so.

use std::path::Path;

use arrow_schema::DataType;

use super::{case_home, run};
use crate::support::{Cell, Table, outcome_in};

fn refused(home: &Path, args: &[&str]) -> String {
    let (code, stdout, stderr) = outcome_in(home, &[&["diff"], args].concat());
    assert_eq!(stdout, "", "{args:?}");
    format!("{}\nexit {code}\n{stderr}", args.join(" "))
}

#[test]
fn files_that_are_not_sorted_by_their_key() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let ids = |name: &str, ids: &[Option<i64>]| {
        let mut table = Table::new(&[("id", DataType::Int64), ("amount", DataType::Int64)]);
        table.rows = ids.iter().map(|id| vec![Cell::from(*id), Cell::Int(1)]).collect();
        table.write(&home.join(name));
    };
    ids("good.parquet", &[Some(1), Some(2), Some(3)]);
    ids("unsorted.parquet", &[Some(1), Some(7), Some(3), Some(2), Some(5), Some(4), Some(1)]);
    ids("twice.parquet", &[Some(1), Some(2), Some(2), Some(2)]);
    ids("null.parquet", &[Some(1), None]);
    let mut text = Table::new(&[("id", DataType::Utf8)]);
    text.rows = vec![vec![Cell::from("a")]];
    text.write(&home.join("text.parquet"));
    std::fs::write(home.join("broken.parquet"), "nothing").unwrap();
    let told = [
        "unsorted.parquet",
        "twice.parquet",
        "null.parquet",
        "text.parquet",
        "broken.parquet",
        "none.parquet",
    ]
    .map(|other| refused(home, &["good.parquet", other, "--key", "id"]));
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("files_that_are_not_sorted_by_their_key", told.join("\n"));
    });
    // Where it ends with an error, nothing half is left.
    refused(home, &["good.parquet", "unsorted.parquet", "--key", "id", "--out", "changes.csv"]);
    let left: Vec<_> = std::fs::read_dir(home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("changes")), "{left:?}");
}

#[test]
fn arguments_that_do_not_go_together() {
    let home = case_home("ints");
    let home = home.path();
    run(home, "jobs", "out", &["2026-11-19"]);
    let runs = ["out/date=2026-11-19", "out/date=2026-11-19"];
    let file = "out/date=2026-11-19/scores.parquet";
    let more: [&[&str]; 8] = [
        &["--key", "account_id"],
        &["--tolerance", "scoer=3"],
        &["--tolerance", "score"],
        &["--tolerance", "band=3"],
        &["--where", "scoer > 3"],
        &["--where", "score + 1"],
        &["--out", "changes.txt"],
        &["--only", "features"],
    ];
    let mut told: Vec<String> = more.iter().map(|more| refused(home, &[&runs[..], more].concat())).collect();
    told.push(refused(home, &[file, file]));
    told.push(refused(home, &[file, file, "--key", "acount_id"]));
    told.push(refused(home, &[file, runs[0]]));
    told.push(refused(home, &[runs[0], "out/date=2026-11-20"]));
    told.push(refused(home, &[runs[0], "jobs"]));
    told.push(refused(home, &["out", runs[0]]));
    told.push(refused(home, &["jobs", "out"]));
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("arguments_that_do_not_go_together", told.join("\n"));
    });
}

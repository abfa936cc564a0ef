//! `rescore query`: SQL over a run's tables, its answers counted again from the tables by another way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::explain::nights;
use crate::support::files::copy;
use crate::support::parts::split;
use crate::support::{Cell, Table, outcome_in, succeed_in};

const RUN: &str = "out/date=2026-11-20";

fn table(name: &str) -> Table {
    Table::read(&nights().home().join(format!("{RUN}/{name}.parquet")))
}

fn query(statement: &str, flags: &[&str]) -> (i32, String, String) {
    let mut args = vec!["query", RUN, statement];
    args.extend(flags);
    outcome_in(nights().home(), &args)
}

fn rows(statement: &str) -> Vec<Value> {
    let (code, stdout, stderr) = query(statement, &["--json"]);
    assert_eq!(code, 0, "{statement}\n{stderr}");
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn refused(statement: &str) -> String {
    let (code, stdout, stderr) = query(statement, &[]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{statement}\n{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

fn int(cell: &Cell) -> i64 {
    cell.int().unwrap()
}

#[test]
fn lines_and_money_by_action_are_those_of_the_table() {
    let decisions = table("decisions");
    let places =
        ["product", "action", "old_limit", "new_limit"].map(|name| decisions.position(name).unwrap());
    let mut expected: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
    for row in &decisions.rows {
        let [product, action, old, new] = places.map(|place| &row[place]);
        let key = (product.text().unwrap().to_string(), action.text().unwrap().to_string());
        let (lines, change) = expected.entry(key).or_default();
        *lines += 1;
        *change += int(new) - int(old);
    }
    let statement = "select product, action, count(*) as n, sum(new_limit - old_limit) as change from decisions \
                     group by product, action order by product, action";
    let found: BTreeMap<(String, String), (i64, i64)> = rows(statement)
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_string();
            let int = |name: &str| row[name].as_i64().unwrap();
            ((text("product"), text("action")), (int("n"), int("change")))
        })
        .collect();
    assert_eq!(found, expected);
    assert!(expected.len() > 3);
}

#[test]
fn tables_are_joined_and_filtered_as_row_by_row() {
    let (scores, features) = (table("scores"), table("features"));
    let (bands, days) = (scores.column("band"), features.column("days_past_due"));
    let ids = scores.column("account_id");
    let late: Vec<i64> = (0..ids.len())
        .filter(|row| days[*row].int().is_some_and(|days| days >= 5) && bands[*row].text() != Some("poor"))
        .map(|row| int(&ids[row]))
        .collect();
    assert!(!late.is_empty());
    let statement = "select s.account_id from scores s join features f on s.account_id = f.account_id where \
                     f.days_past_due >= 5 and s.band <> 'poor' order by s.account_id";
    let found: Vec<i64> = rows(statement).iter().map(|row| row["account_id"].as_i64().unwrap()).collect();
    assert_eq!(found, late);
    let within = "select account_id from scores where band <> 'poor' and account_id in (select account_id from \
                  features where days_past_due >= 5) order by account_id";
    assert_eq!(rows(within).len(), late.len());
}

#[test]
fn every_table_has_all_its_columns_in_order_and_every_row() {
    for name in ["scores", "features", "decisions", "adjustments", "rejects"] {
        let (code, stdout, stderr) = query(&format!("select * from {name}"), &["--csv"]);
        assert_eq!(code, 0, "{stderr}");
        let mut reader = csv::Reader::from_reader(stdout.as_bytes());
        let expected = table(name);
        let names: Vec<&str> = expected.columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), names);
        let mut found = 0;
        for (record, row) in reader.records().zip(&expected.rows) {
            for (text, cell) in record.unwrap().iter().zip(row) {
                let shown = match cell {
                    Cell::Null => String::new(),
                    Cell::Int(value) => value.to_string(),
                    Cell::Text(text) => text.clone(),
                    Cell::Date(day) => day.to_string(),
                    Cell::Bool(truth) => truth.to_string(),
                    Cell::Decimal(_) => unreachable!("no table has any"),
                };
                assert_eq!(text, shown, "{name}");
            }
            found += 1;
        }
        assert_eq!(found, expected.rows.len(), "{name}");
    }
}

#[test]
fn dates_compare_and_integers_stay_integers() {
    let decisions = table("decisions");
    let days = decisions.column("effective_on");
    let later =
        days.iter().filter(|cell| cell.date().is_some_and(|day| day.to_string().as_str() > "2026-11-25"));
    let statement = "select count(*) as n from decisions where effective_on > date '2026-11-25'";
    assert_eq!(rows(statement)[0]["n"], later.count());
    // Squares of balances add up beyond 64 bits.
    let squares: i128 = decisions.column("balance").iter().map(|cell| i128::from(int(cell)).pow(4)).sum();
    let (_, stdout, stderr) =
        query("select sum(balance * balance * balance * balance) as squares from decisions", &["--json"]);
    assert!(squares > i128::from(i64::MAX), "{squares}");
    assert_eq!(stdout.trim(), format!("{{\"squares\":{squares}}}"), "{stderr}");
}

#[test]
fn an_answer_goes_to_a_file_by_its_ending() {
    let home = tempfile::tempdir().unwrap();
    let out = |name: &str| home.path().join(name);
    let statement = "select account_id, score, band from scores order by account_id";
    let write = |name: &str| query(statement, &["--out", out(name).to_str().unwrap()]);
    let (code, stdout, stderr) = write("a.parquet");
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("1,476 rows, 3 columns"), "{stdout}");
    let (written, scores) = (Table::read(&out("a.parquet")), table("scores"));
    for name in ["account_id", "score", "band"] {
        assert_eq!(written.column(name), scores.column(name));
    }
    assert_eq!(write("a.csv").0, 0);
    assert_eq!(fs::read_to_string(out("a.csv")).unwrap().lines().count(), scores.rows.len() + 1);
    let (code, _, stderr) = write("a.txt");
    assert_eq!(code, 2);
    assert!(stderr.contains("name a file that ends in .parquet or .csv"), "{stderr}");
    let within = nights().home().join(RUN).join("a.csv");
    let (code, _, _) = query(statement, &["--out", within.to_str().unwrap()]);
    assert_eq!((code, within.exists()), (6, false));
}

#[test]
fn people_see_forty_rows_and_how_many_more_there_are() {
    let (_, stdout, _) = query("select account_id from scores order by account_id", &[]);
    assert_eq!(stdout.lines().count(), 42);
    assert!(stdout.ends_with("… and 1,436 more rows: --csv or --out FILE for all\n"), "{stdout}");
    let (_, shown, _) = query("show tables", &[]);
    assert_eq!(
        shown.split_whitespace().collect::<Vec<_>>()[1..],
        ["adjustments", "decisions", "features", "rejects", "scores"]
    );
}

#[test]
fn mistakes_are_one_sentence_that_names_what_was_meant() {
    for (statement, words) in [
        ("select scroe from scores", "there is no column `scroe` here (of scores): did you mean `score`?"),
        ("select 1 from score", "there is no table `score`: did you mean `scores`?"),
        ("delete from scores", "a run is only read"),
        ("create table a as select 1", "a run is only read"),
        ("select 1; select 2", "2 statements"),
        ("select max(score), min(score) from scores", "two columns of the answer are called `score`"),
        ("select from scores", "the statement selects no column"),
        ("selec score from scores", "Expected"),
        (
            "select account_id from scores s where exists (select 1 from rejects r where r.account_id = s.account_id)",
            "not currently supported",
        ),
    ] {
        let stderr = refused(statement);
        assert!(stderr.contains(words), "{statement}: {stderr}");
    }
}

#[test]
fn what_the_engine_breaks_down_over_is_said() {
    // A key of 128 bits, which polars cannot group by here.
    let stderr =
        refused("select sum(x) as y from (select cast(score as int128) as x from scores) group by x");
    assert!(stderr.contains("the SQL engine broke down") && !stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_damaged_table_is_not_asked() {
    let home = tempfile::tempdir().unwrap();
    let run = home.path().join("run");
    copy(&nights().home().join(RUN), &run);
    fs::write(run.join("scores.parquet"), b"PAR1").unwrap();
    let ask = |statement: &str| outcome_in(home.path(), &["query", "run", statement]);
    let (code, _, stderr) = ask("select count(*) as n from scores");
    assert_eq!(code, 3, "{stderr}");
    // What is not named is not read.
    assert_eq!(ask("select count(*) as n from decisions").0, 0);
    assert_eq!(outcome_in(home.path(), &["query", "nowhere", "select 1"]).0, 3);
    assert!(!Path::new("run/a").exists());
    succeed_in(home.path(), &["query", "run", "select count(*) as n from features", "--json"]);
}

#[test]
fn a_run_in_parts_answers_as_one_in_whole_files() {
    let home = tempfile::tempdir().unwrap();
    let run = home.path().join("run");
    copy(&nights().home().join(RUN), &run);
    split(&run, 3);
    for statement in [
        "select * from decisions order by account_id, product",
        "select band, count(*) as n, sum(score) as s from scores group by band order by band",
        "select reason, count(*) as n from rejects group by reason order by reason",
        "select s.account_id, f.days_past_due from scores s join features f on s.account_id = f.account_id order by s.account_id",
    ] {
        let (code, whole, stderr) = query(statement, &["--csv"]);
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(succeed_in(home.path(), &["query", "run", statement, "--csv"]), whole, "{statement}");
    }
}

#[test]
fn a_directory_of_runs_says_which_it_holds() {
    let (code, _, stderr) = outcome_in(nights().home(), &["query", "out", "select 1"]);
    assert_eq!(code, 3);
    assert!(stderr.contains("name one") && stderr.contains("2026-11-20"), "{stderr}");
}

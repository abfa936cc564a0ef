//! A naive diff, table by table and cell by cell, finds what `diff` finds; and left + changes = right.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value as Json;

use super::{case_home, diff_json, edited_jobs, int, run};
use crate::support::{Cell, Table};

const LEFT: &str = "out/date=2026-11-17";
const RIGHT: &str = "other/out/date=2026-11-20";

/// Two runs of a golden case that differ in dates, data, scorecard and policy.
fn two_runs(case: &str) -> tempfile::TempDir {
    let home = case_home(case);
    edited_jobs(home.path(), "other", |_, text| {
        text.replacen("points = 40", "points = 25", 1).replace("percent = 20", "percent = 35")
    });
    run(home.path(), "jobs", "out", &["2026-11-17"]);
    run(home.path(), "other", "other/out", &["2026-11-20"]);
    home
}

type Row = BTreeMap<String, Cell>;

/// A run's table by key.
fn rows(run: &Path, table: &str) -> BTreeMap<Vec<Cell>, Row> {
    let key = if table == "decisions" { 2 } else { 1 };
    let table = Table::read(&run.join(format!("{table}.parquet")));
    let names: Vec<String> = table.columns.iter().map(|(name, _)| name.clone()).collect();
    let row = |row: Vec<Cell>| (row[..key].to_vec(), names.iter().cloned().zip(row).collect());
    table.rows.into_iter().map(row).collect()
}

/// Both sides of a table.
fn sides(home: &Path, table: &str) -> [BTreeMap<Vec<Cell>, Row>; 2] {
    [LEFT, RIGHT].map(|run| rows(&home.join(run), table))
}

fn number(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Int(value) => Some((*value).into()),
        Cell::Date(day) => Some(day.0.into()),
        _ => None,
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Int(value) => value.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Date(day) => day.to_string(),
        Cell::Bool(truth) => truth.to_string(),
        Cell::Decimal(_) => panic!("a run has no decimals"),
    }
}

fn presence(found: &Json, [left, right]: &[BTreeMap<Vec<Cell>, Row>; 2]) {
    let both = left.keys().filter(|key| right.contains_key(*key)).count();
    let expected = [left.len(), right.len(), both, left.len() - both, right.len() - both];
    let names = ["left", "right", "both", "only_left", "only_right"];
    assert_eq!(names.map(|name| int(&found[name])), expected.map(|count| count as i128));
}

/// By column: cells that differ, the sum of their changes, the largest.
fn columns(found: &Json, table: &str, [left, right]: &[BTreeMap<Vec<Cell>, Row>; 2]) {
    let of_table: Vec<&Json> =
        found["columns"].as_array().unwrap().iter().filter(|column| column["table"] == table).collect();
    let names: BTreeSet<&String> = left.values().flat_map(Row::keys).collect();
    let key = if table == "decisions" { 2 } else { 1 };
    assert_eq!(of_table.len(), names.len() - key);
    let pairs: Vec<(&Row, &Row)> =
        left.iter().filter_map(|(key, row)| Some((row, right.get(key)?))).collect();
    for column in of_table {
        let name = column["column"].as_str().unwrap();
        let (mut changed, mut sum, mut largest) = (0, 0, 0);
        for (before, after) in pairs.iter().map(|(l, r)| (&l[name], &r[name])).filter(|(l, r)| l != r) {
            changed += 1;
            if let (Some(before), Some(after)) = (number(before), number(after)) {
                sum += after - before;
                largest = largest.max((after - before).abs());
            }
        }
        assert_eq!(int(&column["changed"]), changed, "{table} {name}");
        if !column["sum"].is_null() {
            assert_eq!((int(&column["sum"]), int(&column["largest"])), (sum, largest), "{table} {name}");
        }
    }
    let rows = pairs.iter().filter(|(before, after)| before != after).count() as i128;
    let told = found["tables"].as_array().unwrap().iter().find(|told| told["table"] == table).unwrap();
    assert_eq!(int(&told["rows_changed"]), rows, "{table}");
}

fn scores(found: &Json, [left, right]: &[BTreeMap<Vec<Cell>, Row>; 2]) {
    let mut bands: BTreeMap<(String, String), i128> = BTreeMap::new();
    let mut changes = Vec::new();
    for (key, before) in left {
        let Some(after) = right.get(key) else { continue };
        *bands.entry((text(&before["band"]), text(&after["band"]))).or_default() += 1;
        changes.push(number(&after["score"]).unwrap() - number(&before["score"]).unwrap());
    }
    for band in found["bands"].as_array().unwrap() {
        let pair = (band["left"].as_str().unwrap().to_string(), band["right"].as_str().unwrap().to_string());
        assert_eq!(int(&band["accounts"]), bands.remove(&pair).unwrap_or(0), "{pair:?}");
    }
    assert_eq!(bands.len(), 0, "{bands:?}");
    assert_eq!(int(&found["sum"]), changes.iter().sum::<i128>());
    assert_eq!(int(&found["changed"]), changes.iter().filter(|change| **change != 0).count() as i128);
    assert_eq!(int(&found["worst"]), changes.iter().copied().chain([0]).min().unwrap());
    assert_eq!(int(&found["best"]), changes.iter().copied().chain([0]).max().unwrap());
    for range in found["histogram"].as_array().unwrap() {
        let end = |end: &Json, open: i128| if end.is_null() { open } else { int(end) };
        let range_of = end(&range["from"], i128::MIN)..=end(&range["to"], i128::MAX);
        let within = changes.iter().filter(|change| range_of.contains(*change)).count();
        assert_eq!(int(&range["accounts"]), within as i128, "{range}");
    }
}

/// What a line may come to cost after its run, by the contract.
fn exposure(row: &Row, as_of: i128) -> i128 {
    let of = |name: &str| number(&row[name]);
    let cost = |status: &Cell, limit: i128, pending: Option<i128>| match text(status).as_str() {
        "closed" => of("balance").unwrap().max(0),
        _ => limit.max(of("balance").unwrap()).max(pending.unwrap_or(limit)),
    };
    let before = cost(&row["old_status"], of("old_limit").unwrap(), of("pending_limit"));
    let after = || cost(&row["new_status"], of("new_limit").unwrap(), None);
    match of("effective_on") {
        None => before,
        Some(on) if on > as_of => before.max(after()),
        Some(_) => after(),
    }
}

fn decisions(found: &Json, [left, right]: &[BTreeMap<Vec<Cell>, Row>; 2], as_of: [i128; 2]) {
    let mut actions: BTreeMap<(String, String, String), (i128, i128)> = BTreeMap::new();
    let keys: BTreeSet<&Vec<Cell>> = left.keys().chain(right.keys()).collect();
    for key in keys {
        let action = |row: Option<&Row>| row.map_or("null".to_string(), |row| text(&row["action"]));
        let limit = |row: Option<&Row>| row.map_or(0, |row| number(&row["new_limit"]).unwrap());
        let (before, after) = (left.get(key), right.get(key));
        let moved = actions.entry((text(&key[1]), action(before), action(after))).or_default();
        *moved = (moved.0 + 1, moved.1 + limit(after) - limit(before));
    }
    for moved in found["actions"].as_array().unwrap() {
        let name = |name: &str| moved[name].as_str().unwrap_or("null").to_string();
        let place = (name("product"), name("left"), name("right"));
        let expected = actions.remove(&place).unwrap_or_default();
        assert_eq!((int(&moved["lines"]), int(&moved["change"])), expected, "{place:?}");
    }
    assert_eq!(actions.len(), 0, "{actions:?}");
    for money in found["money"].as_array().unwrap() {
        let mut sums = Vec::new();
        for (side, as_of) in [left, right].into_iter().zip(as_of) {
            let own: Vec<&Row> = side
                .iter()
                .filter(|(key, _)| money["product"].is_null() || money["product"] == text(&key[1]).as_str())
                .map(|(_, row)| row)
                .collect();
            let change = |row: &&Row| number(&row["new_limit"]).unwrap() - number(&row["old_limit"]).unwrap();
            sums.push([
                own.iter().map(|row| change(row).max(0)).sum::<i128>(),
                own.iter().map(|row| (-change(row)).max(0)).sum(),
                own.iter().map(|row| number(&row["new_limit"]).unwrap()).sum(),
                own.iter().map(|row| exposure(row, as_of)).sum(),
            ]);
        }
        for (place, name) in ["raises", "lowers", "limits", "exposure"].into_iter().enumerate() {
            let of = |side: &str| int(&money[side][name]);
            let expected = (sums[0][place], sums[1][place], sums[1][place] - sums[0][place]);
            assert_eq!((of("left"), of("right"), of("delta")), expected, "{name}: {money}");
        }
    }
}

/// The stability of every feature that has points, over the bins of the left scorecard.
fn stability(found: &Json, home: &Path, [left, right]: &[BTreeMap<Vec<Cell>, Row>; 2]) {
    let scorecard = std::fs::read_to_string(home.join(LEFT).join("scorecard.toml")).unwrap();
    let scorecard: toml::Table = scorecard.parse().unwrap();
    let mut moved = 0;
    for characteristic in scorecard["characteristic"].as_array().unwrap() {
        let feature = characteristic["feature"].as_str().unwrap();
        let below: Vec<i128> = characteristic["bins"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|bin| Some(bin.get("below")?.as_integer().unwrap().into()))
            .collect();
        let bin = |row: &Row| match number(&row[feature]) {
            None => below.len() + 1,
            Some(value) => below.iter().position(|below| value < *below).unwrap_or(below.len()),
        };
        let counts = [left, right].map(|side| {
            let mut counts = vec![0.0; below.len() + 2];
            side.values().for_each(|row| counts[bin(row)] += 1.0);
            counts
        });
        let index: f64 = (0..below.len() + 2)
            .filter(|bin| counts[0][*bin] + counts[1][*bin] > 0.0)
            .map(|bin| {
                let share =
                    |side: usize| f64::max(counts[side][bin], 0.5) / [left.len(), right.len()][side] as f64;
                (share(1) - share(0)) * f64::ln(share(1) / share(0))
            })
            .sum();
        let told = found["features"].as_array().unwrap().iter().find(|told| told["feature"] == feature);
        let told = int(&told.unwrap()["psi_thousandths"]);
        assert_eq!(told, (index * 1000.0).round() as i128, "{feature}");
        moved += told;
    }
    assert!(moved > 0);
}

/// The left table with every change made to it, as text.
fn changed(left: &BTreeMap<Vec<Cell>, Row>, table: &str, changes: &Table) -> BTreeMap<Vec<String>, Row> {
    let texts = |row: &Row| row.iter().map(|(name, cell)| (name.clone(), Cell::from(&*text(cell)))).collect();
    let mut made: BTreeMap<Vec<String>, Row> =
        left.iter().map(|(key, row)| (key.iter().map(text).collect(), texts(row))).collect();
    for change in changes.rows.iter().filter(|change| text(&change[0]) == table) {
        let key: Vec<String> = change[1..if table == "decisions" { 3 } else { 2 }].iter().map(text).collect();
        let column = text(&change[4]);
        match text(&change[3]).as_str() {
            "left_only" => drop(made.remove(&key)),
            "right_only" if column.is_empty() => drop(made.insert(key, Row::new())),
            "right_only" | "changed" => {
                made.get_mut(&key).unwrap().insert(column, Cell::from(&*text(&change[6])));
            }
            _ => {}
        }
    }
    made
}

#[test]
fn a_naive_diff_agrees_and_left_with_the_changes_is_right() {
    for case in ["ints", "strings"] {
        let home = two_runs(case);
        let home = home.path();
        let found = diff_json(home, &[LEFT, RIGHT, "--out", "changes.parquet"]);
        let changes = Table::read(&home.join("changes.parquet"));
        let [of_scores, of_features, of_decisions] =
            ["scores", "features", "decisions"].map(|table| sides(home, table));
        presence(&found["rows"], &of_scores);
        presence(&found["lines"], &of_decisions);
        for (table, sides) in
            [("scores", &of_scores), ("features", &of_features), ("decisions", &of_decisions)]
        {
            columns(&found, table, sides);
            let made = changed(&sides[0], table, &changes);
            assert_eq!(made.len(), sides[1].len());
            for (key, row) in &sides[1] {
                let key: Vec<String> = key.iter().map(text).collect();
                for (column, cell) in row {
                    let found = made[&key].get(column).cloned().unwrap_or(Cell::from(""));
                    let key_column = ["account_id", "product"].contains(&column.as_str());
                    assert!(key_column || found == Cell::from(&*text(cell)), "{table} {key:?} {column}");
                }
            }
        }
        scores(&found["scores"], &of_scores);
        let day = |text: &str| i128::from(crate::support::day(text).0);
        decisions(&found["decisions"], &of_decisions, [day("2026-11-17"), day("2026-11-20")]);
        stability(&found, home, &of_features);
    }
}

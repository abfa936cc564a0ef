//! Two Parquet files: a naive diff over random tables agrees, and left + changes = right.

use std::collections::BTreeMap;
use std::path::Path;

use arrow_schema::DataType;
use parquet::file::properties::WriterProperties;

use super::{diff_json, int};
use crate::audit::random::Random;
use crate::support::{Cell, Table, day};

/// Enough rows for several blocks on each side.
const MOST_ROWS: i64 = 12_000;

fn table(random: &mut Random, rows: i64) -> Table {
    let mut table = Table::new(&[
        ("name", DataType::Utf8),
        ("place", DataType::Int64),
        ("amount", DataType::Int64),
        ("small", DataType::Int32),
        ("label", DataType::Utf8),
        ("on", DataType::Date32),
        ("flag", DataType::Boolean),
        ("price", DataType::Decimal128(12, 2)),
    ]);
    let mut key = 0;
    for _ in 0..rows {
        key += random.between(1, 3);
        let drawn = [
            Cell::Int(random.between(-3, 3)),
            Cell::Int(random.between(0, 2)),
            Cell::from(["a", "b", "ü"][random.below(3)]),
            Cell::Date(day(["2026-01-01", "2026-01-02"][random.below(2)])),
            Cell::Bool(random.chance(50)),
            Cell::Decimal(i128::from(random.between(0, 3))),
        ];
        let mut row = vec![Cell::from(format!("k{:06}", key / 4).as_str()), Cell::Int(key % 4)];
        row.extend(drawn.map(|cell| if random.chance(10) { Cell::Null } else { cell }));
        table.rows.push(row);
    }
    table
}

/// The right table: some rows gone, some new, some cells changed.
fn changed(random: &mut Random, left: &Table) -> Table {
    let other = table(random, left.rows.len() as i64);
    let mut right = Table { columns: left.columns.clone(), rows: Vec::new() };
    let key = |row: &Vec<Cell>| row[..2].to_vec();
    let mut rows: BTreeMap<Vec<Cell>, Vec<Cell>> = BTreeMap::new();
    for (row, other) in left.rows.iter().zip(&other.rows) {
        if !random.chance(5) {
            let mut row = row.clone();
            for place in 2..row.len() {
                if random.chance(10) {
                    row[place] = other[place].clone();
                }
            }
            rows.insert(key(&row), row);
        }
        if random.chance(5) {
            rows.entry(key(other)).or_insert_with(|| other.clone());
        }
    }
    right.rows = rows.into_values().collect();
    right
}

fn by_key(table: &Table) -> BTreeMap<Vec<Cell>, Vec<Cell>> {
    table.rows.iter().map(|row| (row[..2].to_vec(), row[2..].to_vec())).collect()
}

/// As the changes are written.
fn shown(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Null => None,
        Cell::Int(value) => Some(value.to_string()),
        Cell::Text(text) => Some(text.clone()),
        Cell::Date(day) => Some(day.to_string()),
        Cell::Bool(truth) => Some(truth.to_string()),
        Cell::Decimal(value) => Some(format!("{}.{:02}", value / 100, value % 100)),
    }
}

#[test]
fn a_naive_diff_of_random_tables_agrees_and_the_changes_make_the_right_out_of_the_left() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for seed in 0..8 {
        let mut random = Random::new(seed);
        let rows = if seed < 5 { random.between(0, 60) } else { random.between(5_000, MOST_ROWS) };
        let left = table(&mut random, rows);
        let right = changed(&mut random, &left);
        let groups = WriterProperties::builder().set_max_row_group_row_count(Some(700)).build();
        left.write(&home.join("left.parquet"));
        right.write_with(&home.join("right.parquet"), groups);
        let args = ["left.parquet", "right.parquet", "--key", "name,place", "--out", "changes.parquet"];
        let json = diff_json(home, &args);
        agrees(&json, &left, &right);
        let changes = Table::read(&home.join("changes.parquet"));
        assert_eq!(applied(&left, &changes), texts(&right), "seed {seed}");
        csv_says_the_same(home, &changes);
    }
}

fn agrees(json: &serde_json::Value, left: &Table, right: &Table) {
    let (a, b) = (by_key(left), by_key(right));
    let both: Vec<_> = a.keys().filter(|key| b.contains_key(*key)).collect();
    let rows = &json["rows"];
    assert_eq!(int(&rows["left"]), a.len() as i128);
    assert_eq!(int(&rows["right"]), b.len() as i128);
    assert_eq!(int(&rows["both"]), both.len() as i128);
    assert_eq!(int(&rows["only_left"]), (a.len() - both.len()) as i128);
    assert_eq!(int(&rows["only_right"]), (b.len() - both.len()) as i128);
    let differing = both.iter().filter(|key| a[**key] != b[**key]).count();
    assert_eq!(int(&json["tables"][0]["rows_changed"]), differing as i128);
    for (place, (name, _)) in left.columns[2..].iter().enumerate() {
        let columns = json["columns"].as_array().unwrap();
        let column = columns.iter().find(|column| column["column"] == name.as_str()).unwrap();
        let cells = || both.iter().map(|key| (&a[*key][place], &b[*key][place])).filter(|(a, b)| a != b);
        assert_eq!(int(&column["changed"]), cells().count() as i128, "{name}");
        let number = |cell: &Cell| match cell {
            Cell::Int(value) => Some(i128::from(*value)),
            Cell::Decimal(value) => Some(*value),
            Cell::Date(day) => Some(i128::from(day.0)),
            _ => None,
        };
        let moves = || cells().filter_map(|(a, b)| Some(number(b)? - number(a)?));
        if column["sum"].is_null() {
            assert!(["label", "flag"].contains(&name.as_str()));
        } else {
            assert_eq!(int(&column["sum"]), moves().sum::<i128>(), "{name}");
            assert_eq!(int(&column["largest"]), moves().map(i128::abs).max().unwrap_or(0), "{name}");
        }
    }
}

type Texts = BTreeMap<(String, i64), BTreeMap<String, String>>;

fn texts(table: &Table) -> Texts {
    let names = || table.columns[2..].iter().map(|(name, _)| name.clone());
    let cells = |row: &Vec<Cell>| {
        names().zip(&row[2..]).filter_map(|(name, cell)| Some((name, shown(cell)?))).collect()
    };
    table.rows.iter().map(|row| (key_of(&row[0], &row[1]), cells(row))).collect()
}

fn key_of(name: &Cell, place: &Cell) -> (String, i64) {
    match (name, place) {
        (Cell::Text(name), Cell::Int(place)) => (name.clone(), *place),
        other => panic!("{other:?}"),
    }
}

/// The left table with the changes applied; what a change says of the left must be so.
fn applied(left: &Table, changes: &Table) -> Texts {
    let mut rows = texts(left);
    let text = |cell: &Cell| if let Cell::Text(text) = cell { Some(text.clone()) } else { None };
    for change in &changes.rows {
        let [_, name, place, kind, column, before, after, ..] = &change[..] else { panic!("{change:?}") };
        let key = key_of(name, place);
        match (text(kind).unwrap().as_str(), text(column)) {
            ("right_only", None) => assert!(rows.insert(key, BTreeMap::new()).is_none()),
            ("left_only", None) => assert!(rows.contains_key(&key)),
            (kind, Some(column)) => {
                let row = rows.get_mut(&key).unwrap();
                assert_eq!(row.remove(&column), text(before), "{kind} {column}");
                row.extend(text(after).map(|after| (column, after)));
            }
            other => panic!("{other:?}"),
        }
        if kind == &Cell::from("left_only") && rows[&key_of(name, place)].is_empty() {
            rows.remove(&key_of(name, place));
        }
    }
    rows
}

fn csv_says_the_same(home: &Path, changes: &Table) {
    let args = ["left.parquet", "right.parquet", "--key", "name,place", "--out", "changes.csv"];
    diff_json(home, &args);
    let mut reader = csv::Reader::from_path(home.join("changes.csv")).unwrap();
    let names: Vec<String> = changes.columns.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), names);
    let rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(str::to_string).collect()).collect();
    let told = |row: &Vec<Cell>| row.iter().map(|cell| shown(cell).unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(rows, changes.rows.iter().map(told).collect::<Vec<_>>());
}

#[test]
fn schemas_that_differ_are_part_of_the_answer() {
    let home = tempfile::tempdir().unwrap();
    let left = Table::new(&[("id", DataType::Int64), ("gone", DataType::Int64), ("kind", DataType::Int32)]);
    let right = Table::new(&[("id", DataType::Int64), ("kind", DataType::Utf8), ("new", DataType::Utf8)]);
    left.row([1.into(), 2.into(), 3.into()])
        .row([2.into(), 2.into(), 3.into()])
        .write(&home.path().join("a.parquet"));
    right
        .row([1.into(), "3".into(), "x".into()])
        .row([2.into(), "4".into(), "x".into()])
        .write(&home.path().join("b.parquet"));
    let json = diff_json(home.path(), &["a.parquet", "b.parquet", "--key", "id"]);
    let schema: Vec<String> = json["schema"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            format!("{} {} {} {}", change["column"], change["left"], change["right"], change["is_compared"])
        })
        .collect();
    assert_eq!(
        schema,
        [r#""gone" "Int64" null false"#, r#""kind" "Int32" "text" true"#, r#""new" null "text" false"#,]
    );
    // What is of two types is compared by its text.
    assert_eq!(int(&json["columns"][0]["changed"]), 1);
}

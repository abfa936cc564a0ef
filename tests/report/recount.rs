//! What a report says, counted again from the tables of its runs.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::page::report;
use crate::explain::nights;
use crate::support::{Cell, Table};

const DATES: [&str; 2] = ["2026-11-19", "2026-11-20"];

fn table(date: &str, name: &str) -> Table {
    Table::read(&nights().run(date).join(format!("{name}.parquet")))
}

fn int(cell: &Cell) -> i128 {
    match cell {
        Cell::Int(value) => (*value).into(),
        other => panic!("{other:?} is no integer"),
    }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    }
}

fn rows(table: &Table, columns: &[&str]) -> Vec<Vec<Cell>> {
    let columns: Vec<Vec<Cell>> = columns.iter().map(|name| table.column(name)).collect();
    (0..table.rows.len()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect()
}

/// A table of a page by its caption: its header, then its rows, as they are read.
pub fn shown(html: &str, caption: &str) -> Vec<Vec<String>> {
    let (_, rest) =
        html.split_once(&format!("<caption>{caption}</caption>")).unwrap_or_else(|| panic!("{caption}"));
    let (table, _) = rest.split_once("</table>").unwrap();
    let cells = |row: &str| -> Vec<String> {
        let parts = row.split("<t").filter(|part| part.starts_with("h ") || part.starts_with("d "));
        parts.map(without_tags).collect()
    };
    table.split("<tr").skip(1).map(cells).collect()
}

fn without_tags(part: &str) -> String {
    let (_, part) = part.split_once('>').unwrap();
    part.split('<')
        .map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text))
        .collect::<String>()
        .trim()
        .to_string()
}

/// The rows of a table by their first cells, the header's names with them.
fn by_name(html: &str, caption: &str, names: usize) -> BTreeMap<Vec<String>, BTreeMap<String, String>> {
    let all = shown(html, caption);
    let (header, rows) = all.split_first().unwrap();
    let row = |row: &Vec<String>| {
        assert_eq!(row.len(), header.len(), "{caption}: {row:?}");
        let cells = header.iter().cloned().zip(row.iter().cloned()).skip(names);
        (row[..names].to_vec(), cells.collect())
    };
    rows.iter().map(row).collect()
}

fn thousands(number: i128) -> String {
    rescore::console::thousands(number)
}

fn money(minor: i128) -> String {
    rescore::console::money(minor, 2)
}

fn page(args: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let file = report(home.path(), args);
    fs::read_to_string(home.path().join(file)).unwrap().replace("&#x27;", "'").replace("&amp;", "&")
}

/// The mean score, with one decimal place, half up.
fn mean(date: &str) -> String {
    let scores: Vec<i128> = table(date, "scores").column("score").iter().map(int).collect();
    let sum: i128 = scores.iter().sum();
    let tenths = (sum * 100 / scores.len() as i128 + 5) / 10;
    format!("{}.{}", thousands(tenths / 10), tenths % 10)
}

#[test]
fn the_mean_score_is_that_of_the_table() {
    let html = page(&["out/date=2026-11-20"]);
    let (_, tile) = html.split_once("<dt>Mean score</dt>").unwrap();
    assert_eq!(without_tags(tile.split("</dd>").next().unwrap()), mean(DATES[1]));
    assert_ne!(mean(DATES[0]), mean(DATES[1]));
}

/// By pair of names before and now, how many.
type Moves = BTreeMap<(String, String), i128>;

fn moves(name: &str, key: usize, column: &str) -> Moves {
    let keys = &["account_id", "product"][..key];
    let of = |date: &str| -> BTreeMap<Vec<Cell>, String> {
        let columns = [keys, &[column]].concat();
        rows(&table(date, name), &columns)
            .into_iter()
            .map(|row| (row[..key].to_vec(), text(&row[key])))
            .collect()
    };
    let (before, now) = (of(DATES[0]), of(DATES[1]));
    let mut moves = Moves::new();
    for (key, old) in &before {
        if let Some(new) = now.get(key) {
            *moves.entry((old.clone(), new.clone())).or_default() += 1;
        }
    }
    moves
}

fn is_the_matrix(html: &str, caption: &str, moves: &Moves) {
    let shown = by_name(html, caption, 1);
    let mut found = Moves::new();
    for (row, cells) in &shown {
        let mut all = 0;
        for (column, cell) in cells.iter().filter(|(column, cell)| *column != "all" && *cell != "·") {
            let count: i128 = cell.replace(',', "").parse().unwrap();
            found.insert((row[0].clone(), column.clone()), count);
            all += count;
        }
        assert_eq!(cells["all"], thousands(all), "{caption}: {row:?}");
    }
    assert_eq!(found, *moves, "{caption}");
}

#[test]
fn the_migration_is_that_of_the_tables() {
    let html = page(&["out/date=2026-11-20", "--against", "out/date=2026-11-19"]);
    let bands = moves("scores", 1, "band");
    // The test says something only where somebody moved up, somebody down, and not as many.
    assert!(bands.iter().filter(|((old, new), _)| old != new).count() > 2, "{bands:?}");
    is_the_matrix(&html, "Accounts by band: before in rows, now in columns", &bands);
    is_the_matrix(&html, "Lines by action: before in rows, now in columns", &moves("decisions", 2, "action"));
    let all: i128 = bands.values().sum();
    let stay: i128 = bands.iter().filter(|((old, new), _)| old == new).map(|(_, count)| count).sum();
    let tenths = (stay * 1000 + all / 2) / all;
    let note =
        format!("{}.{} % of {} accounts stay in their band.", tenths / 10, tenths % 10, thousands(all));
    assert!(html.contains(&note), "{note}");
}

#[test]
fn the_caps_are_those_of_the_decisions() {
    for date in DATES {
        let html = page(&[&format!("out/date={date}")]);
        let mut expected: BTreeMap<Vec<String>, [i128; 3]> = BTreeMap::new();
        for row in rows(&table(date, "decisions"), &["product", "bound_by", "action"]) {
            if row[1] != Cell::Null {
                let counts =
                    expected.entry(vec![text(&row[0]), text(&row[1]).replace('_', " ")]).or_default();
                let is_held = text(&row[2]) == "hold";
                counts[0] += 1;
                counts[if is_held { 2 } else { 1 }] += 1;
            }
        }
        // Some are granted with less and some refused.
        assert!((1..3).all(|place| expected.values().any(|counts| counts[place] > 0)), "{expected:?}");
        let shown = by_name(&html, "Raises and reopens by the cap that cut them last", 2);
        let found: BTreeMap<Vec<String>, [String; 3]> = shown
            .into_iter()
            .map(|(key, cells)| {
                (key, ["lines", "granted with less", "refused"].map(|name| cells[name].clone()))
            })
            .collect();
        let expected = expected.into_iter().map(|(key, counts)| (key, counts.map(thousands))).collect();
        assert_eq!(found, expected, "{date}");
    }
}

#[test]
fn rules_and_reasons_are_those_of_the_decisions() {
    let html = page(&["out/date=2026-11-20"]);
    let decisions = table("2026-11-20", "decisions");
    let mut rules: BTreeMap<String, [i128; 2]> = BTreeMap::new();
    let mut reasons: BTreeMap<String, [i128; 2]> = BTreeMap::new();
    for row in rows(&decisions, &["rule", "reason", "action"]) {
        let place = usize::from(text(&row[2]) == "hold");
        if row[0] != Cell::Null {
            rules.entry(text(&row[0])).or_default()[place] += 1;
        }
        reasons.entry(text(&row[1])).or_default()[place] += 1;
    }
    let shown = by_name(&html, "Reasons of the decisions", 1);
    let found: BTreeMap<String, [String; 2]> = shown
        .into_iter()
        .map(|(key, cells)| (key[0].clone(), ["lines", "of them held"].map(|name| cells[name].clone())))
        .collect();
    let expected: BTreeMap<String, [String; 2]> = reasons
        .into_iter()
        .map(|(reason, [done, held])| (reason, [done + held, held].map(thousands)))
        .collect();
    assert_eq!(found, expected);
    let shown = by_name(&html, "Lines by the rule that decided, in the policy's order", 3);
    let never = shown.keys().filter(|key| !rules.contains_key(&key[1])).count();
    assert!(never > 0 && html.contains(&format!("{never} of {} rules decided about no line: ", shown.len())));
    for (key, cells) in shown {
        let [done, held] = rules.remove(&key[1]).unwrap_or_default();
        let is_hold = key[2] == "hold";
        let lines = if done + held == 0 { "never".to_string() } else { thousands(done + held) };
        assert_eq!(cells["lines"], lines, "{key:?}");
        assert_eq!(cells["carried out"], thousands(if is_hold { done + held } else { done }), "{key:?}");
        assert_eq!(cells["refused"], thousands(if is_hold { 0 } else { held }), "{key:?}");
    }
    assert!(rules.is_empty(), "{rules:?}");
}

#[test]
fn the_reasons_and_bands_of_the_scores_are_those_of_the_table() {
    let html = page(&["out/date=2026-11-20"]);
    let scores = table("2026-11-20", "scores");
    let mut reasons: BTreeMap<String, i128> = BTreeMap::new();
    for place in 1..=4 {
        for cell in scores.column(&format!("reason_{place}")).iter().filter(|cell| **cell != Cell::Null) {
            *reasons.entry(text(cell)).or_default() += 1;
        }
    }
    let shown = by_name(&html, "Reasons of the scores", 1);
    let found: BTreeMap<String, String> =
        shown.into_iter().map(|(key, cells)| (key[0].clone(), cells["accounts"].clone())).collect();
    assert_eq!(found, reasons.into_iter().map(|(code, count)| (code, thousands(count))).collect());
    let mut bands: BTreeMap<String, Vec<i128>> = BTreeMap::new();
    for row in rows(&scores, &["band", "score"]) {
        bands.entry(text(&row[0])).or_default().push(int(&row[1]));
    }
    for (key, cells) in by_name(&html, "Accounts by band", 1) {
        let own = bands.remove(&key[0]).unwrap_or_default();
        assert_eq!(cells["accounts"], thousands(own.len() as i128), "{key:?}");
        let end = |end: Option<&i128>| end.map_or(cells["lowest"].clone(), |end| thousands(*end));
        assert_eq!(
            (&cells["lowest"], &cells["highest"]),
            (&end(own.iter().min()), &end(own.iter().max())),
            "{key:?}"
        );
    }
    assert!(bands.is_empty(), "{bands:?}");
}

/// The tables of a range's figures as one: by date, by name of the figure.
pub fn series(html: &str) -> BTreeMap<Vec<String>, BTreeMap<String, String>> {
    let mut all: BTreeMap<Vec<String>, BTreeMap<String, String>> = BTreeMap::new();
    for caption in ["the book", "actions", "money"] {
        for (date, figures) in by_name(html, &format!("Figures: {caption}, night by night"), 1) {
            all.entry(date).or_default().extend(figures);
        }
    }
    all
}

/// Every series of a range, night by night.
#[test]
fn every_series_is_counted_from_the_nights() {
    let html = page(&["out"]);
    let shown = series(&html);
    assert_eq!(shown.len(), 2);
    for date in DATES {
        let found = &shown[&vec![date.to_string()]];
        let decisions = rows(&table(date, "decisions"), &["action", "old_limit", "new_limit"]);
        let of = |action: &str| decisions.iter().filter(|row| text(&row[0]) == action).collect::<Vec<_>>();
        let moved =
            |action: &str| money(of(action).iter().map(|row| (int(&row[2]) - int(&row[1])).abs()).sum());
        let counted = |action: &str| thousands(of(action).len() as i128);
        let manifest: Value =
            serde_json::from_slice(&fs::read(nights().run(date).join("manifest.json")).unwrap()).unwrap();
        let counts = manifest["counts"].as_object().unwrap().values();
        let read: i128 = counts.map(|counts| i128::from(counts["read"].as_u64().unwrap())).sum();
        let rejected = table(date, "rejects").rows.len() as i128;
        let share = rejected * 10_000 / read;
        let missing = manifest["missing_days"].as_object().unwrap().values();
        let missing: usize = missing.map(|days| days.as_array().unwrap().len()).sum();
        let expected = [
            ("accounts", thousands(table(date, "scores").rows.len() as i128)),
            ("lines", thousands(decisions.len() as i128)),
            ("adjustments", thousands(table(date, "adjustments").rows.len() as i128)),
            ("mean score", mean(date)),
            ("change of limits", money(decisions.iter().map(|row| int(&row[2]) - int(&row[1])).sum())),
            ("limits after", money(decisions.iter().map(|row| int(&row[2])).sum())),
            ("limits raised by", moved("raise")),
            ("limits lowered by", moved("lower")),
            ("limits closed", moved("close")),
            ("raised", counted("raise")),
            ("lowered", counted("lower")),
            ("suspended", counted("suspend")),
            ("closed", counted("close")),
            ("reopened", counted("reopen")),
            ("withdrawn", counted("withdraw")),
            ("rejected rows", format!("{}.{:02} %", share / 100, share % 100)),
            ("days without a delivery", thousands(missing as i128)),
        ];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (name, value) in expected {
            assert_eq!(found[name], value, "{name} of {date}");
        }
    }
    // Raised and lowered, closed and suspended are not the same numbers, so that none stands for another.
    let actions = ["raised", "lowered", "suspended", "limits raised by", "limits lowered by"];
    let night = &shown[&vec![DATES[1].to_string()]];
    assert!(
        actions.iter().all(|one| actions.iter().all(|other| one == other || night[*one] != night[*other])),
        "{night:?}"
    );
}

//! The page of a diff: causes first, as a waterfall that adds up, inputs last, titles in words.

use serde_json::Value;

use crate::explain::nights;
use crate::report::recount::shown;
use crate::support::outcome_in;

const LEFT: &str = "out/date=2026-11-19";
const RIGHT: &str = "out/date=2026-11-20";

/// The page and the findings of a comparison.
fn compared(left: &str, right: &str) -> (String, Value) {
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("diff.html");
    let args = ["diff", left, right, "--json", "--html", page.to_str().unwrap()];
    let (code, json, stderr) = outcome_in(nights().home(), &args);
    assert!(code < 2, "{stderr}");
    (std::fs::read_to_string(page).unwrap(), serde_json::from_str(&json).unwrap())
}

fn headings(page: &str) -> Vec<&str> {
    page.split("<h2>").skip(1).map(|part| part.split_once("</h2>").unwrap().0).collect()
}

fn heading(page: &str) -> &str {
    page.split_once("<h1>").unwrap().1.split_once("</h1>").unwrap().0
}

#[test]
fn it_begins_with_causes_and_ends_with_inputs() {
    let (page, _) = compared(LEFT, RIGHT);
    assert_eq!(heading(&page), "nightly of 2026-11-20 against first-night of 2026-11-19");
    let headings = headings(&page);
    assert_eq!(headings[..3], ["Causes", "Money", "Migration"], "{headings:?}");
    assert_eq!(headings.last(), Some(&"Inputs that differ"), "{headings:?}");
    let place = |title: &str| headings.iter().position(|heading| *heading == title).unwrap();
    assert!(place("Limits that moved most") < place("Stability"), "{headings:?}");
}

/// Each step begins where the one before it ended, and the last reaches from nothing to the sum.
#[test]
fn the_waterfall_adds_up() {
    let (page, json) = compared(LEFT, RIGHT);
    let parts = json["decision_causes"]["parts"].as_array().unwrap();
    let rows = shown(&page, "Why decisions changed");
    assert_eq!(rows.len(), 1 + parts.len() + 1);
    let signed = |change: &Value| {
        let change = i128::from(change.as_i64().unwrap());
        let text = rescore::console::money(change, 2);
        if change > 0 { format!("+{text}") } else { text }
    };
    for (row, part) in rows[1..].iter().zip(parts) {
        assert_eq!((row[0].as_str(), &row[1]), (part["cause"].as_str().unwrap(), &signed(&part["change"])));
        assert_eq!(row[3], rescore::console::thousands(part["decisions"].as_i64().unwrap().into()));
    }
    assert_eq!(rows.last().unwrap()[1], signed(&json["decision_causes"]["change"]));
    let (_, table) = page.split_once("<caption>Why decisions changed</caption>").unwrap();
    let bars = table.split_once("</table>").unwrap().0.split("<rect class=\"").skip(1);
    let bars: Vec<(&str, i64, i64)> = bars
        .map(|bar| {
            let number = |name: &str| -> i64 {
                bar.split_once(&format!(" {name}=\"")).unwrap().1.split_once('"').unwrap().0.parse().unwrap()
            };
            let (start, length) = (number("x"), number("width"));
            match bar.split_once('"').unwrap().0 {
                "down" => ("down", start + length, start),
                kind => (kind, start, start + length),
            }
        })
        .collect();
    assert_eq!(bars.len(), parts.len() + 1);
    for (part, pair) in parts.iter().skip(1).zip(bars.windows(2)) {
        // What is hardly anything is drawn a little longer, so that it is seen.
        let is_tiny = part["change"].as_i64().unwrap().abs() < 100;
        assert!((pair[0].2 - pair[1].1).abs() <= 3 || is_tiny, "{bars:?}");
    }
    assert_eq!(bars.last().unwrap().0, "total");
}

/// Two ranges are named by their dates, and every day and the sums stand there.
#[test]
fn a_page_of_ranges_has_every_day() {
    let (page, json) = compared("out", "out");
    assert_eq!(heading(&page), "Two ranges: 2026-11-19 to 2026-11-20");
    let rows = shown(&page, "Money, day by day");
    let dates: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(dates, ["2026-11-19", "2026-11-20", "total"]);
    assert_eq!(json["days"].as_array().unwrap().len(), 2);
    assert!(page.contains("<div class=\"banner good\">"), "nothing differs from itself");
}

/// Files are named by their last parts.
#[test]
fn a_page_of_files_is_named_by_them() {
    let files = [LEFT, RIGHT].map(|run| format!("{run}/scores.parquet"));
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("diff.html");
    let args = ["diff", &files[0], &files[1], "--key", "account_id", "--html", page.to_str().unwrap()];
    assert_eq!(outcome_in(nights().home(), &args).0, 1);
    let page = std::fs::read_to_string(page).unwrap();
    assert_eq!(heading(&page), "scores.parquet: two files");
    assert!(
        page.contains("<div class=\"banner warn\">") && headings(&page).contains(&"Changed cells"),
        "{page}"
    );
}

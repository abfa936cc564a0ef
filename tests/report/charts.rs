//! Charts and feature tables, recounted: axes begin at zero, points lie where their figures are, held nights are marked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::page::{banner, report};
use super::recount::{series, shown};
use crate::explain::nights;
use crate::support::book::{Book, TODAY, YESTERDAY, delivered};
use crate::support::succeed_in;

const DATES: [&str; 2] = ["2026-11-19", "2026-11-20"];

fn manifest(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("manifest.json")).unwrap()).unwrap()
}

fn page(args: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let file = report(home.path(), args);
    fs::read_to_string(home.path().join(file)).unwrap()
}

/// A chart as it is drawn.
struct Drawn {
    /// The labels of its axis of values, from the bottom.
    axis: Vec<String>,
    /// Each line's class and points.
    lines: Vec<(String, Vec<(i64, i64)>)>,
    /// The texts at the ends of lines, and along the bottom.
    ends: Vec<String>,
    ticks: Vec<String>,
}

/// What stands between two texts, in order.
fn between<'a>(html: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    html.split(from).skip(1).map(|part| part.split_once(to).unwrap().0).collect()
}

/// Texts of elements.
fn texts(html: &str) -> Vec<String> {
    between(html, "<span", "</span>").iter().map(|span| span.split_once('>').unwrap().1.to_string()).collect()
}

/// The charts of a page by their titles.
fn charts(html: &str) -> BTreeMap<String, Drawn> {
    let read = |figure: &str| {
        let title = between(figure, "<figcaption>", "<")[0].to_string();
        let axis = texts(between(figure, "<div class=\"values\" aria-hidden=\"true\">", "</div>")[0]);
        let lines = between(figure, "<polyline class=\"", "\"/>").into_iter().map(|line| {
            let (class, points) = line.split_once("\" points=\"").unwrap();
            let points = points.split(' ').map(|point| {
                let (x, y) = point.split_once(',').unwrap();
                (x.parse().unwrap(), y.parse().unwrap())
            });
            (class.to_string(), points.collect())
        });
        let (plot, below) = figure.split_once("<div class=\"ticks\" aria-hidden=\"true\">").unwrap();
        let (_, ends) = plot.split_once("</svg>").unwrap();
        let ticks = texts(below.split_once("</div>").unwrap().0);
        (title, Drawn { axis, lines: lines.collect(), ends: texts(ends), ticks })
    };
    between(html, "<figure>", "</figure>").into_iter().map(read).collect()
}

const HEIGHT: i64 = 240;

fn number(text: &str) -> i64 {
    text.replace(',', "").parse().unwrap()
}

#[test]
fn lines_of_a_range_begin_at_zero_and_lie_where_their_figures_are() {
    let html = page(&["out"]);
    let (charts, figures) = (charts(&html), series(&html));
    let mut moved = 0;
    for name in ["Accounts", "Lines", "Adjustments", "Raised", "Lowered", "Suspended", "Closed", "Reopened"] {
        let drawn = &charts[name];
        assert_eq!(drawn.axis[0], "0", "{name}");
        let most = number(drawn.axis.last().unwrap());
        let values = DATES.map(|date| figures[&vec![date.to_string()]][&name.to_lowercase()].clone());
        assert_eq!(drawn.ends, values, "{name}");
        assert_eq!(drawn.ticks, DATES, "{name}");
        let [(_, points)] = &drawn.lines[..] else { panic!("{name} has a line over both nights") };
        let heights: Vec<i64> = points.iter().map(|(_, y)| HEIGHT - y).collect();
        let expected = values.map(|value| number(&value) * HEIGHT / most);
        assert_eq!(heights, expected, "{name}");
        moved += i64::from(heights[0] != heights[1]);
    }
    assert!(moved > 2, "that heights differ is seen only where figures do");
}

/// The figures of features, and where they were others the night before those too.
#[test]
fn features_are_those_of_the_manifests() {
    let html = page(&["out/date=2026-11-20"]);
    let [before, now] = DATES.map(|date| manifest(&nights().run(date)));
    let mut rows = shown(&html, "Shares of null and zero, and quantiles");
    let folded = between(&html, "<caption>Shares and quantiles of ", "</caption>");
    rows.extend(shown(&html, &format!("Shares and quantiles of {}", folded[0])));
    rows.retain(|row| row[0] != "feature");
    let features = now["features"].as_array().unwrap();
    assert_eq!(rows.len(), features.len());
    let mut otherwise = 0;
    for feature in features {
        let name = feature["feature"].as_str().unwrap();
        let row = rows.iter().find(|row| row[0] == name).unwrap();
        let earlier =
            before["features"].as_array().unwrap().iter().find(|one| one["feature"] == name).unwrap();
        let own = figures(feature, now["control_totals"]["accounts"].as_u64().unwrap());
        let then = figures(earlier, before["control_totals"]["accounts"].as_u64().unwrap());
        for ((cell, own), then) in row[1..].iter().zip(own).zip(then) {
            let expected = if own == then { own } else { format!("{own}\nwas {then}") };
            otherwise += i32::from(expected.contains("was"));
            assert_eq!(*cell, expected, "{name}");
        }
    }
    assert!(otherwise > 10, "{otherwise}");
}

/// A feature's figures as the page has them.
fn figures(feature: &Value, accounts: u64) -> Vec<String> {
    let shares = ["nulls", "zeros"].map(|name| {
        let share = feature[name].as_u64().unwrap() * 10_000 / accounts;
        format!("{}.{:02} %", share / 100, share % 100)
    });
    let values = ["min", "p05", "p50", "p95", "max"].map(|name| match feature[name].as_i64() {
        Some(value) => rescore::console::thousands(value.into()),
        None => "–".to_string(),
    });
    shares.into_iter().chain(values).collect()
}

/// Of values below 16 each has a column of its own.
#[test]
fn distributions_are_drawn_with_the_night_before_behind_them() {
    let html = page(&["out/date=2026-11-20"]);
    let charts = charts(&html);
    let [before, now] = DATES.map(|date| manifest(&nights().run(date)));
    let mut checked = 0;
    for (own, then) in now["features"].as_array().unwrap().iter().zip(before["features"].as_array().unwrap())
    {
        assert_eq!(own["feature"], then["feature"]);
        let counts = [own, then].map(|feature| -> BTreeMap<i64, i64> {
            let steps = feature["histogram"].as_array().unwrap().iter();
            steps.map(|step| (step[0].as_i64().unwrap(), step[1].as_i64().unwrap())).collect()
        });
        let values: Vec<i64> = counts.iter().flat_map(|counts| counts.keys().copied()).collect();
        let (Some(first), Some(last)) = (values.iter().min(), values.iter().max()) else { continue };
        if *first < 0 || *last >= 16 {
            continue;
        }
        let drawn = &charts[own["feature"].as_str().unwrap()];
        let most = number(drawn.axis.last().unwrap());
        assert_eq!(drawn.axis[0], "0");
        assert_eq!(drawn.lines.len(), 2);
        for ((_, points), counts) in drawn.lines.iter().zip(&counts) {
            let columns: Vec<i64> =
                points[1..points.len() - 1].chunks(2).map(|edge| HEIGHT - edge[0].1).collect();
            let expected: Vec<i64> = (*first..=*last)
                .map(|value| counts.get(&value).copied().unwrap_or(0) * HEIGHT / most)
                .collect();
            assert_eq!(columns, expected, "{}", own["feature"]);
        }
        assert_eq!((drawn.lines[0].0.as_str(), drawn.lines[1].0.as_str()), ("area s2", "outline"));
        checked += 1;
    }
    assert!(checked > 10, "{checked}");
}

/// Money stands beside its currency; a held night is marked on every line, and held against the one before it.
#[test]
fn held_nights_and_currencies_are_seen() {
    let book = Book::new();
    let [older, newer] = [YESTERDAY, TODAY].map(|date| book.path().join(delivered("lines", date)));
    fs::create_dir_all(older.parent().unwrap()).unwrap();
    fs::copy(newer, older).unwrap();
    book.edit("job.toml", "csv = true", "csv = true\ncurrency = \"CNY\"");
    let said = succeed_in(book.path(), &["run", "job.toml", "--date", YESTERDAY]);
    assert!(said.contains("limits change by ") && said.contains(".00 CNY"), "{said}");
    book.append("job.toml", "\n[[gate]]\nname = \"more lines\"\nrows = \"lines\"\nmin = 5\n");
    assert_eq!(book.run().0, 4);
    let written = |args: &[&str]| {
        succeed_in(book.path(), &[&["report"], args].concat());
        fs::read_to_string(book.path().join("report.html")).unwrap()
    };
    let range = written(&["out"]);
    assert_eq!(
        banner(&range)[..3],
        [
            "bad",
            "2 nights, the latest held",
            "1 published, 0 released in spite of a gate, 1 held, 0 missing."
        ]
    );
    let figures = between(&range, "<figure>", "</figure>");
    assert!(figures.len() > 10);
    for figure in figures {
        assert!(figure.contains("<rect class=\"stripe held\""), "{figure}");
        assert!(figure.contains(&format!("{TODAY} was held.")), "{figure}");
        assert!(figure.contains("<line class=\"dot s"), "{figure}");
    }
    assert!(range.contains("<span class=\"key held\">held by a gate</span>"));
    assert!(range.contains(">limits after, CNY</th>"));
    let night = written(&[&format!("out/held/date={TODAY}")]);
    assert!(night.contains(&format!("Changes are since plain of {YESTERDAY}.")), "{night}");
    assert!(night.contains("<small>CNY</small>") && night.contains(">limits before, CNY</th>"));
    let (_, tile) = night.split_once("<dt>Lines</dt>").unwrap();
    assert!(tile.starts_with("<dd class=\"\"><data value=\"4\""), "{tile}");
    assert!(tile.split("</div>").next().unwrap().contains("<dd class=\"note\">as before</dd>"), "{tile}");
    let (code, _, stderr) = {
        book.edit("job.toml", "currency = \"CNY\"", "currency = \"yuan\"");
        book.outcome(&["check", "job.toml"])
    };
    assert_eq!(code, 2);
    assert!(stderr.contains("`yuan` is no currency") && stderr.contains("three capital letters"), "{stderr}");
}

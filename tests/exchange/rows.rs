//! Rows to try documents on: every combination of what a document compares its fields with, of what lies around that, and
//! of nothing.

use std::collections::BTreeMap;

use roxmltree::Document;
use serde_json::Value;

use super::card::{Imported, Scored};
use super::naive_pmml::{NaivePmml, TextRow};

/// More rows than these are not tried of one document.
const MOST_ROWS: usize = 4_000;

/// The values to try of each field that a model reads.
fn values(document: &Document) -> BTreeMap<String, Vec<Option<String>>> {
    let mut values = BTreeMap::new();
    for field in document.descendants().filter(|node| node.tag_name().name() == "DataField") {
        let name = field.attribute("name").unwrap().to_string();
        let is_read = document.descendants().any(|node| node.attribute("field") == Some(&name));
        if !is_read {
            continue;
        }
        let data_type = field.attribute("dataType").unwrap();
        let attributes = document
            .descendants()
            .flat_map(|node| node.attributes().map(|own| own.value()).collect::<Vec<_>>());
        let texts = document.descendants().filter_map(|node| node.text());
        let words =
            attributes.chain(texts.flat_map(str::split_whitespace)).map(|word| word.trim_matches('"'));
        let mut own: Vec<Option<String>> = vec![None];
        match data_type {
            "string" => {
                let plain = words.filter(|word| word.len() <= 12 && word.starts_with(char::is_alphabetic));
                own.extend(plain.map(|word| Some(word.to_string())));
                own.push(Some("zzz".to_string()));
            }
            "boolean" => own.extend(["true", "false"].map(|truth| Some(truth.to_string()))),
            _ => {
                let steps: &[f64] =
                    if data_type == "integer" { &[-1.0, 0.0, 1.0] } else { &[-1.0, -0.5, 0.0, 0.25, 1.0] };
                for number in words.filter_map(|word| word.parse::<f64>().ok()) {
                    let around = steps.iter().map(|step| number + step);
                    let fits = around.filter(|value| data_type != "integer" || value.fract() == 0.0);
                    own.extend(fits.map(|value| Some(value.to_string())));
                    if data_type == "integer" && number.fract() != 0.0 {
                        own.extend([number.floor(), number.ceil()].map(|value| Some(value.to_string())));
                    }
                }
            }
        }
        own.sort();
        own.dedup();
        values.insert(name, own);
    }
    values
}

/// Every combination, as far as there are not too many; then each so many apart.
fn rows(values: &BTreeMap<String, Vec<Option<String>>>) -> Vec<TextRow> {
    let all: usize = values.values().map(Vec::len).product();
    // A step that shares no factor with the counts walks through all combinations.
    let step = if all <= MOST_ROWS { 1 } else { all / MOST_ROWS * 2 + 1 };
    let row = |number: usize| {
        let mut rest = number % all;
        let mut row = TextRow::new();
        for (name, own) in values {
            if let Some(value) = &own[rest % own.len()] {
                row.insert(name.clone(), value.clone());
            }
            rest /= own.len();
        }
        row
    };
    (0..all.min(MOST_ROWS)).map(|number| row(number * step)).collect()
}

/// The features of a row, as the import says that they be filled; `None` where it says that there is no such value.
fn features(imported: &Imported, row: &TextRow) -> Option<BTreeMap<String, Option<i64>>> {
    let mut features = BTreeMap::new();
    for feature in imported.outcome["features"].as_array().unwrap() {
        if feature["status"] == "made" {
            continue;
        }
        let text = row.get(feature["field"].as_str().unwrap());
        let value = match text {
            None => None,
            Some(text) if feature["codes"].is_object() => {
                Some(feature["codes"][text].as_i64().or(feature["other"].as_i64()).unwrap())
            }
            Some(text) => Some(whole(text.parse().unwrap(), feature)?),
        };
        features.insert(feature["feature"].as_str().unwrap().to_string(), value);
    }
    Some(features)
}

fn whole(value: f64, feature: &Value) -> Option<i64> {
    let scaled = value * feature["scale"].as_f64().unwrap();
    match feature["fractions"].as_str().unwrap() {
        "down" => Some(scaled.floor() as i64),
        "up" => Some(scaled.ceil() as i64),
        _ => (scaled.fract() == 0.0).then_some(scaled as i64),
    }
}

/// Fails where an imported document scores a row otherwise than PMML's rules; how many rows had a score, and how many had
/// none.
pub fn assert_same(name: &str, text: &str, imported: &Imported) -> [usize; 2] {
    let document = Document::parse(text).unwrap();
    let scale = imported.outcome["scale"].as_f64().unwrap();
    let most = imported.outcome["reasons"].as_u64().unwrap() as usize;
    let mut counts = [0, 0];
    for row in rows(&values(&document)) {
        let Some(features) = features(imported, &row) else { continue };
        let expected = NaivePmml::new(&document, &row).score().map(|(score, mut reasons)| {
            reasons.truncate(most);
            Scored { score: (score * scale).round() as i64, reasons }
        });
        let found = imported.score(&features);
        assert_eq!(found, expected, "{name}: {row:?} as {features:?}\n{}", imported.text);
        counts[usize::from(expected.is_none())] += 1;
    }
    assert!(counts[0] > 0, "{name}: no row has a score");
    counts
}

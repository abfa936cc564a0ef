//! A scorecard that was imported, with its stubs filled, to score rows with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rescore::expr::{Column, Frame, Ints};
use rescore::features::FeatureTable;
use rescore::job::{FeatureKind, LoneScorecard};
use rescore::score::score;
use serde_json::Value;

use crate::support::outcome_in;

/// An imported scorecard.
#[derive(Debug)]
pub struct Imported {
    pub card: LoneScorecard,
    /// What the import said of it.
    pub outcome: Value,
    /// As it was written.
    pub text: String,
}

/// The score and the reasons of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    pub score: i64,
    pub reasons: Vec<String>,
}

/// Imports a file; what stderr says where it is refused.
pub fn import(file: &Path, from: &str, args: &[&str]) -> Result<Imported, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("card.toml");
    let mut all =
        vec!["import", file.to_str().unwrap(), "--from", from, "--out", path.to_str().unwrap(), "--json"];
    all.extend(args);
    let (code, stdout, stderr) = outcome_in(directory.path(), &all);
    if code != 0 {
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        let error: Value = serde_json::from_str(&stderr).unwrap();
        return Err(error["error"]["message"].as_str().unwrap_or(&stderr).to_string());
    }
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, filled(&text)).unwrap();
    let card = LoneScorecard::read(&path).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
    Ok(Imported { card, outcome: serde_json::from_str(&stdout).unwrap(), text })
}

/// Imports a text.
pub fn import_text(text: &str, args: &[&str]) -> Result<Imported, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("card.pmml");
    fs::write(&path, text).unwrap();
    import(&path, "pmml", args)
}

/// With a source for every stub; it is never read.
pub fn filled(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix("# ") {
        Some("from = \"lines\"" | "agg = \"max\"") => format!("{}\n", &line[2..]),
        Some(of) if of.starts_with("of = ") => "of = \"balance\"\n".to_string(),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

impl Imported {
    /// What the import says of the feature of a field.
    pub fn feature_of(&self, field: &str) -> &Value {
        let features = self.outcome["features"].as_array().unwrap();
        features.iter().find(|feature| feature["field"] == field && feature["status"] != "made").unwrap()
    }

    /// Scores a row of features; `None` where a run would stop.
    pub fn score(&self, raw: &BTreeMap<String, Option<i64>>) -> Option<Scored> {
        let mut columns: Vec<Column> = Vec::new();
        for feature in &self.card.features {
            let column = match &feature.kind {
                FeatureKind::Expression(expression) => {
                    let frame = Frame { rows: 1, columns: columns.iter().map(Some).collect() };
                    Column::Int(expression.ints(&frame).ok()?)
                }
                _ => Column::Int([raw[&feature.name]].into_iter().collect::<Ints>()),
            };
            columns.push(column);
        }
        let card = &self.card.scorecard;
        let scores = score(card, &FeatureTable::of(&columns), 1);
        let reasons = scores.reasons.iter().filter_map(|place| place[0]);
        Some(Scored {
            score: scores.score[0].into(),
            reasons: reasons.map(|reason| reason.code(card).to_string()).collect(),
        })
    }
}

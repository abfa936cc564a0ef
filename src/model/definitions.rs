//! What features mean, as hashes: whether a sample's columns are what a scorecard reads.

use anyhow::Result;
use serde_json::{Map, Value};

use crate::failure::{Kind, failure};
use crate::hash::bytes_hash;
use crate::job::{CardTerms, Feature, FeatureKind, From, Job, Source};

/// What some features mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureDefinitions {
    /// In file order.
    pub features: Vec<FeatureDefinition>,
}

/// What a feature means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureDefinition {
    /// Its name.
    pub name: String,
    /// SHA-256, in hex, of its table in the scorecard file as JSON with keys in order, without its name, and of
    /// whatever else gives it its value: the features that it is computed from, the tolerance of bills, the decimal
    /// places of money. Comments, blanks and the order of keys don't matter.
    pub hash: String,
}

impl FeatureDefinitions {
    /// Those of a job.
    pub fn of(job: &Job) -> Result<FeatureDefinitions> {
        let sources: Vec<&Source> = job.sources.named().map(|(_, source)| source).collect();
        FeatureDefinitions::declared(&sources, &job.features, job.minor_units, job.bill_tolerance)
    }

    /// Those of a scorecard by itself, in a job whose money has so many decimal places.
    pub fn of_card(card: &CardTerms, minor_units: u32) -> Result<FeatureDefinitions> {
        FeatureDefinitions::declared(&[&card.source], &card.features, minor_units, card.bill_tolerance)
    }

    fn declared(
        sources: &[&Source],
        declared: &[Feature],
        minor_units: u32,
        tolerance: i64,
    ) -> Result<FeatureDefinitions> {
        let mut tables: Vec<Value> = Vec::new();
        // Among the files of a job, only scorecards declare features; those of one name are declared alike.
        for source in sources {
            let file: Value = toml::from_str(&source.text)
                .map_err(|error| failure(Kind::Usage, format!("{}: {error}", source.path.display())))?;
            tables.extend(file["feature"].as_array().into_iter().flatten().cloned());
        }
        let mut features: Vec<FeatureDefinition> = Vec::new();
        for feature in declared {
            let table = tables.iter().find(|table| table["name"] == feature.name);
            let table = table.expect("it was read from there").clone();
            let read = match &feature.kind {
                FeatureKind::Ratio { a, b, .. } => vec![*a, *b],
                FeatureKind::Expression(expr) => expr.columns.clone(),
                FeatureKind::Aggregate(_) => Vec::new(),
            };
            let mut meaning = Map::new();
            meaning.insert("table".into(), without_name(table));
            meaning.insert("minor_units".into(), minor_units.into());
            if matches!(&feature.kind, FeatureKind::Aggregate(aggregate) if aggregate.from == From::Bills) {
                meaning.insert("tolerance".into(), tolerance.into());
            }
            let above = read.iter().map(|above| Value::from(features[*above].hash.clone()));
            meaning.insert("of".into(), above.collect());
            let hash = bytes_hash(canonical(&Value::Object(meaning)).as_bytes());
            features.push(FeatureDefinition { name: feature.name.clone(), hash });
        }
        Ok(FeatureDefinitions { features })
    }

    /// SHA-256, in hex, over a line a feature: its name, a blank, its hash.
    pub fn hash(&self) -> String {
        let lines = self.features.iter().map(|feature| format!("{} {}\n", feature.name, feature.hash));
        bytes_hash(lines.collect::<String>().as_bytes())
    }

    /// The hash of a feature.
    pub fn of_feature(&self, name: &str) -> Option<&str> {
        let found = self.features.iter().find(|feature| feature.name == name);
        found.map(|feature| feature.hash.as_str())
    }

    /// As a sample's file keeps them: a JSON array of pairs, each a name and its hash.
    pub fn to_json(&self) -> String {
        let pairs =
            self.features.iter().map(|feature| Value::from(vec![feature.name.clone(), feature.hash.clone()]));
        Value::Array(pairs.collect()).to_string()
    }

    /// Likewise, read; `None` where it is something else.
    pub fn from_json(text: &str) -> Option<FeatureDefinitions> {
        let pairs: Vec<(String, String)> = serde_json::from_str(text).ok()?;
        let features = pairs.into_iter().map(|(name, hash)| FeatureDefinition { name, hash });
        Some(FeatureDefinitions { features: features.collect() })
    }
}

/// A feature's table without what it is called.
fn without_name(mut table: Value) -> Value {
    if let Some(table) = table.as_object_mut() {
        table.remove("name");
    }
    table
}

/// JSON with the keys of every object in order, and without blanks.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort();
            let pairs = keys
                .into_iter()
                .map(|key| format!("{}:{}", Value::from(key.as_str()), canonical(&object[key])));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        plain => plain.to_string(),
    }
}

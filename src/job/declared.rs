//! How features are declared in scorecard files, table by table.

use super::feature_file::Feature;
use super::source::Source;

/// The tables that declare features.
pub(super) fn tables(scorecard: &Source) -> Vec<toml::Value> {
    let file: toml::Table = toml::from_str(&scorecard.text).unwrap_or_default();
    file.get("feature").and_then(toml::Value::as_array).cloned().unwrap_or_default()
}

/// How each feature is declared in the files, in the first that has it.
pub(super) fn declarations(files: &[&Source], features: &[Feature]) -> Vec<toml::Value> {
    let tables: Vec<toml::Value> = files.iter().flat_map(|file| tables(file)).collect();
    let declared = features.iter().map(|feature| {
        let table = tables.iter().find(|table| text_of(table, "name") == Some(&feature.name));
        table.cloned().expect("it was read from there")
    });
    declared.collect()
}

/// The text of a key of a table.
pub(super) fn text_of<'t>(table: &'t toml::Value, key: &str) -> Option<&'t str> {
    table.get(key).and_then(toml::Value::as_str)
}

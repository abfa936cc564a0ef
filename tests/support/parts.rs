//! A run as several machines publish it: every table in parts, cut between accounts.

use std::fs::{self, File};
use std::path::Path;

use arrow_array::{Array, ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::files::reseal;

/// The tables that have parts.
pub const IN_PARTS: [&str; 4] = ["adjustments", "decisions", "features", "scores"];

/// Cuts the tables of a published run into so many parts, at the same accounts in all of them; where there are
/// fewer accounts than parts, some parts are empty. The manifest is sealed again.
pub fn split(run: &Path, parts: usize) {
    let ids = text_ids(&FileTable::read(&run.join("scores.parquet")).batch);
    // By part the first account that is no longer in it; the last takes all the rest.
    let ends: Vec<Option<String>> =
        (1..parts).map(|part| ids.get(part * ids.len() / parts).cloned()).chain([None]).collect();
    let mut listed: Vec<Value> = Vec::new();
    for table in IN_PARTS {
        listed.extend(split_table(run, table, &ends));
    }
    edit_outputs(run, |outputs| {
        outputs.retain(|output| !IN_PARTS.iter().any(|table| output["file"] == format!("{table}.parquet")));
        outputs.extend(listed);
    });
}

/// Cuts a table before each account of `ends`; the entries of its parts in the manifest.
fn split_table(run: &Path, table: &str, ends: &[Option<String>]) -> Vec<Value> {
    let path = run.join(format!("{table}.parquet"));
    let whole = FileTable::read(&path);
    fs::remove_file(path).unwrap();
    fs::create_dir(run.join(table)).unwrap();
    let ids = text_ids(&whole.batch);
    let mut start = 0;
    let mut entries = Vec::new();
    for (part, end) in ends.iter().enumerate() {
        // Ids are in order, so those of a part are the next ones, up to the first of the next part.
        let is_in_part = |id: &String| end.as_ref().is_none_or(|end| order(id, end).is_lt());
        let rows = ids[start..].iter().take_while(|id| is_in_part(id)).count();
        let name = format!("{table}/part-{part:05}.parquet");
        FileTable { batch: whole.batch.slice(start, rows), ..whole.clone() }.write(&run.join(&name));
        entries.push(output_entry(run, &name, Some(rows)));
        start += rows;
    }
    assert_eq!(start, ids.len(), "{table}");
    entries
}

/// Ids as tables sort them: integers by value, text by bytes.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    match (a.parse::<i64>(), b.parse::<i64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

fn text_ids(batch: &RecordBatch) -> Vec<String> {
    let ids: ArrayRef = batch.column_by_name("account_id").unwrap().clone();
    (0..ids.len()).map(|row| rescore::publish::encode::cell(&ids, row)).collect()
}

/// Edits the list of a run's files and seals the manifest again.
pub fn edit_outputs(run: &Path, edit: impl FnOnce(&mut Vec<Value>)) {
    let path = run.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let mut outputs: Vec<Value> =
        serde_json::from_str::<Value>(&text).unwrap()["outputs"].as_array().unwrap().clone();
    edit(&mut outputs);
    outputs.sort_by_key(|output| output["file"].as_str().unwrap().to_string());
    // Only the list is written anew: the rest has sums that a JSON value cannot hold.
    let (head, rest) = text.split_once("  \"outputs\": [").unwrap();
    let (_, tail) = rest.split_once("\n  ],\n").unwrap();
    let list = serde_json::to_string_pretty(&outputs).unwrap().replace('\n', "\n  ");
    fs::write(&path, format!("{head}  \"outputs\": {list},\n{tail}")).unwrap();
    reseal(run);
}

/// What a manifest says of a file.
pub fn output_entry(run: &Path, name: &str, rows: Option<usize>) -> Value {
    let bytes = fs::read(run.join(name)).unwrap();
    let sha256: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    match rows {
        Some(rows) => json!({"file": name, "rows": rows, "bytes": bytes.len(), "sha256": sha256}),
        None => json!({"file": name, "bytes": bytes.len(), "sha256": sha256}),
    }
}

/// A Parquet file of the program's, whole, with what it says of the run.
#[derive(Clone)]
struct FileTable {
    batch: RecordBatch,
    metadata: Vec<KeyValue>,
}

impl FileTable {
    fn read(path: &Path) -> FileTable {
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        let metadata = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap();
        let schema = builder.schema().clone();
        let rows = builder.metadata().file_metadata().num_rows() as usize;
        // One batch holds all rows, or none.
        let mut batches = builder.with_batch_size(rows.max(1)).build().unwrap();
        let batch = batches.next().map_or_else(|| RecordBatch::new_empty(schema), Result::unwrap);
        assert!(batches.next().is_none());
        FileTable {
            batch,
            metadata: metadata.into_iter().filter(|entry| entry.key != "ARROW:schema").collect(),
        }
    }

    fn write(&self, path: &Path) {
        let properties = WriterProperties::builder()
            .set_created_by("rescore".to_string())
            .set_key_value_metadata(Some(self.metadata.clone()))
            .build();
        let file = File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, self.batch.schema(), Some(properties)).unwrap();
        writer.write(&self.batch).unwrap();
        writer.close().unwrap();
    }
}

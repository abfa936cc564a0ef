//! What OpenLineage is told of a run's inputs and outputs: names that stay the same from night to night, rows, columns.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::{Value, json};

use super::facet::facet;
use crate::console::plain_path;
use crate::job::{InputSpec, Inputs};
use crate::run_dir::manifest::{InputEntry, Manifest};
use crate::run_dir::table_files::{OutputName, TABLES, table_files};
use crate::store::is_url;

/// Rows, bytes and files of a dataset, as far as a run has read or written it.
#[derive(Default)]
struct Extent {
    rows: u64,
    bytes: u64,
    files: u64,
}

impl Extent {
    fn facet(&self, kind: &str) -> Value {
        let Extent { rows, bytes, files } = self;
        let schema = format!("1-0-0/{kind}.json#/$defs/{kind}");
        facet(&schema, json!({ "rowCount": rows, "size": bytes, "fileCount": files }))
    }
}

/// The inputs of a run, a dataset each: its name is the path in the job file, `{date}` in it.
pub(super) fn inputs(manifest: &Manifest, inputs: &Inputs) -> Vec<Value> {
    let Inputs { transactions, repayments, lines, issued, previous } = inputs;
    let specs = [Some(transactions), Some(repayments), Some(lines), issued.as_ref(), previous.as_ref()];
    let mut by_input: BTreeMap<&str, Vec<&InputEntry>> = BTreeMap::new();
    for entry in &manifest.inputs {
        by_input.entry(entry.input.as_str()).or_default().push(entry);
    }
    let read = specs.into_iter().flatten().filter_map(|spec| Some((spec, by_input.get(spec.name)?)));
    read.map(|(spec, entries)| input(spec, entries)).collect()
}

fn input(spec: &InputSpec, entries: &[&InputEntry]) -> Value {
    let mut extent = Extent::default();
    for entry in entries {
        extent.rows += entry.rows;
        extent.bytes += entry.size;
        extent.files += 1;
    }
    // The newest says which columns there are.
    let newest = entries.last().map(|entry| spec.root.join(&entry.file));
    let mut dataset = named(Path::new(&spec.pattern));
    dataset["facets"] =
        newest.and_then(|file| columns(&file)).map_or(json!({}), |schema| json!({ "schema": schema }));
    dataset["inputFacets"] = json!({ "inputStatistics": extent.facet("InputStatisticsInputDatasetFacet") });
    dataset
}

/// The tables that a run has published, a dataset each.
pub(super) fn outputs(manifest: &Manifest, run: &Path) -> Vec<Value> {
    let of_night = run.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // The directory of every night is called alike.
    let nights = run.with_file_name(of_night.replace(&manifest.as_of.to_string(), "{date}"));
    let tables = TABLES.iter().map(|table| {
        let files = table_files(&manifest.outputs, table);
        let mut extent = Extent::default();
        for file in &files {
            extent.rows += file.rows.unwrap_or(0);
            extent.bytes += file.bytes;
            extent.files += 1;
        }
        let first = files.first().filter(|file| OutputName::parse(&file.file).is_some());
        let schema = first.and_then(|file| columns(&run.join(&file.file)));
        let mut dataset = named(&nights.join(format!("{table}.parquet")));
        dataset["facets"] = schema.map_or(json!({}), |schema| json!({ "schema": schema }));
        dataset["outputFacets"] =
            json!({ "outputStatistics": extent.facet("OutputStatisticsOutputDatasetFacet") });
        dataset
    });
    tables.collect()
}

/// A dataset by the conventions for its kind of place: files of a machine, or objects of a bucket.
fn named(path: &Path) -> Value {
    if is_url(path) {
        let url = path.to_string_lossy();
        let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        return json!({ "namespace": format!("{scheme}://{bucket}"), "name": key });
    }
    let absolute = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    json!({ "namespace": "file", "name": plain_path(&absolute) })
}

/// The columns of a Parquet file, by its footer; of an object they are not fetched.
fn columns(path: &Path) -> Option<Value> {
    if is_url(path) {
        return None;
    }
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    let schema = parquet_to_arrow_schema(reader.metadata().file_metadata().schema_descr(), None).ok()?;
    let fields = schema
        .fields()
        .iter()
        .map(|field| json!({ "name": field.name(), "type": field.data_type().to_string() }));
    Some(facet(
        "1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
        json!({ "fields": fields.collect::<Vec<_>>() }),
    ))
}

//! Checks that a run's files are whole and what its manifest says.

use std::path::Path;

use anyhow::Result;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::manifest::{Manifest, OutputEntry, fingerprint};
use super::recount::recount;
use crate::failure::input;
use crate::input::file::file_hash;

/// Checks every file of a run; returns its manifest. Fails with everything that is wrong.
pub fn verify(run: &Path) -> Result<Manifest> {
    let Some(manifest) = Manifest::read(run)? else {
        return Err(input(format!(
            "verify {}: it has no manifest.json, so it is no whole run",
            run.display()
        )));
    };
    let mut wrong: Vec<String> =
        manifest.outputs.iter().filter_map(|output| check(run, output).err()).collect();
    for job_file in &manifest.job_files {
        let copied = manifest.outputs.iter().find(|output| output.file == job_file.file);
        if copied.is_none_or(|output| output.sha256 != job_file.sha256) {
            wrong.push(format!("{} is not the file the run used", job_file.file));
        }
    }
    wrong.extend(inconsistencies(&manifest));
    if wrong.is_empty() {
        match recount(run) {
            Ok(totals) if totals == manifest.control_totals => {}
            Ok(_) => wrong.push("the control totals are not those of the run's tables".to_string()),
            Err(error) => wrong.push(format!("{error:#}")),
        }
    }
    match wrong.is_empty() {
        true => Ok(manifest),
        false => Err(input(format!("verify {}: {}", run.display(), wrong.join("; ")))),
    }
}

fn check(run: &Path, output: &OutputEntry) -> Result<(), String> {
    let path = run.join(&output.file);
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", output.file);
    let bytes = std::fs::metadata(&path).map_err(|error| failed(&error))?.len();
    if bytes != output.bytes {
        return Err(failed(&format!("it has {bytes} bytes, the manifest says {}", output.bytes)));
    }
    if file_hash(&path).map_err(|error| failed(&error))? != output.sha256 {
        return Err(failed(&"its bytes are not those the manifest names"));
    }
    if output.file.ends_with(".parquet") {
        let file = std::fs::File::open(&path).map_err(|error| failed(&error))?;
        let reader = SerializedFileReader::new(file).map_err(|error| failed(&error))?;
        let rows = reader.metadata().file_metadata().num_rows();
        if output.rows != u64::try_from(rows).ok() {
            return Err(failed(&format!("it has {rows} rows, the manifest says {:?}", output.rows)));
        }
    }
    Ok(())
}

/// Figures of the manifest that contradict each other.
fn inconsistencies(manifest: &Manifest) -> Vec<String> {
    let mut wrong = Vec::new();
    let totals = &manifest.control_totals;
    let rows = |file: &str| manifest.outputs.iter().find(|output| output.file == file).and_then(|o| o.rows);
    let expected = [
        ("scores.parquet", totals.accounts),
        ("features.parquet", totals.accounts),
        ("decisions.parquet", totals.lines),
        ("adjustments.parquet", totals.adjustments),
        ("rejects.parquet", manifest.counts.values().flat_map(|counts| counts.rejected.values()).sum()),
    ];
    for (file, expected) in expected {
        if rows(file) != Some(expected) {
            wrong.push(format!("{file}: control totals say {expected} rows, the file list {:?}", rows(file)));
        }
    }
    for (name, counts) in &manifest.counts {
        if counts.read != counts.accepted + counts.rejected.values().sum::<u64>() {
            wrong.push(format!("{name}: read is not accepted + rejected"));
        }
    }
    let fingerprint =
        fingerprint(manifest.schema_version, manifest.dates(), &manifest.job_files, &manifest.inputs);
    if fingerprint.ok().as_ref() != Some(&manifest.fingerprint) {
        wrong.push("the fingerprint is not that of the inputs and job files named".to_string());
    }
    wrong
}

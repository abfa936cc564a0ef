//! What a manifest claims: whether it agrees with itself, and with the markers beside it.

use std::path::Path;

use crate::run_dir::gates::failed;
use crate::run_dir::layout::{RELEASED, SUCCESS};
use crate::run_dir::manifest::{Manifest, fingerprint, read_regular};
use crate::run_dir::release_note::ReleaseNote;
use crate::run_dir::table_files::{OutputName, TABLES, table_files};

/// What of a manifest contradicts itself.
pub fn contradictions(manifest: &Manifest) -> Vec<String> {
    let mut wrong = wrong_job_files(manifest);
    wrong.extend(wrong_parts(manifest));
    let totals = &manifest.control_totals;
    let rejected = sum(manifest.counts.values().flat_map(|counts| counts.rejected.values()));
    let expected = [
        ("scores", totals.accounts.into()),
        ("features", totals.accounts.into()),
        ("decisions", totals.lines.into()),
        ("adjustments", totals.adjustments.into()),
        ("rejects", rejected),
    ];
    for (table, expected) in expected {
        let files = table_files(&manifest.outputs, table);
        let listed: Option<u128> = files.iter().map(|output| output.rows.map(u128::from)).sum();
        let listed = listed.filter(|_| !files.is_empty());
        if listed != Some(expected) {
            wrong.push(format!(
                "{table}.parquet: control totals say {expected} rows, the file list {listed:?}"
            ));
        }
    }
    for (name, counts) in &manifest.counts {
        let accounted = u128::from(counts.accepted) + sum(counts.rejected.values());
        if u128::from(counts.read) != accounted {
            wrong.push(format!("{name}: read is not accepted + rejected"));
        }
    }
    let is_held = manifest.chain_from.is_none() && !failed(&manifest.gates).is_empty();
    if manifest.held != is_held {
        wrong.push(format!("it says held: {}, its gates say otherwise", manifest.held));
    }
    let fingerprint = fingerprint(
        manifest.schema_version,
        manifest.dates(),
        &manifest.job_files,
        &manifest.inputs,
        manifest.previous.as_ref(),
    );
    if fingerprint.ok().as_ref() != Some(&manifest.fingerprint) {
        wrong.push("the fingerprint is not that of the inputs and job files named".to_string());
    }
    wrong
}

/// Wide enough for counts of any size: they may have been edited.
fn sum<'a>(counts: impl Iterator<Item = &'a u64>) -> u128 {
    counts.map(|count| u128::from(*count)).sum()
}

/// Copies of job files that are not those that the run used.
fn wrong_job_files(manifest: &Manifest) -> Vec<String> {
    let mut wrong = Vec::new();
    for job_file in &manifest.job_files {
        let is_copy = |name: OutputName| name.rest == job_file.file;
        let copied =
            manifest.outputs.iter().find(|output| OutputName::parse(&output.file).is_some_and(is_copy));
        if copied.is_none_or(|output| output.sha256 != job_file.sha256) {
            wrong.push(format!("{} is not the file the run used", job_file.file));
        }
    }
    wrong
}

/// What is wrong with how the manifest lists tables: each is one file, or parts that are numbered from 0.
fn wrong_parts(manifest: &Manifest) -> Vec<String> {
    let mut wrong = Vec::new();
    for table in TABLES {
        let names = table_files(&manifest.outputs, table);
        let names: Vec<OutputName> =
            names.iter().filter_map(|output| OutputName::parse(&output.file)).collect();
        let is_one_file = names.len() == 1 && names[0].part.is_none();
        let is_in_parts =
            names.iter().zip(0..).all(|(name, number)| name.part.is_some_and(|part| part.number == number));
        if !is_one_file && !is_in_parts {
            wrong.push(format!("{table} is listed neither as one file nor as parts numbered from 0"));
        }
    }
    let mut attempts =
        manifest.outputs.iter().filter_map(|output| Some(OutputName::parse(&output.file)?.attempt));
    if let Some(first) = attempts.next()
        && attempts.any(|attempt| attempt != first)
    {
        wrong.push("its files are of more than one attempt".to_string());
    }
    wrong
}

/// What is wrong with the files beside those that the manifest lists: the marker of a published run, and
/// the note that a held one was released.
pub(super) fn wrong_markers(run: &Path, manifest: &Manifest) -> Vec<String> {
    let mut wrong = Vec::new();
    let success = read_regular(&run.join(SUCCESS));
    if !matches!(&success, Ok(None)) && !matches!(&success, Ok(Some(text)) if text.is_empty()) {
        wrong.push(format!("{SUCCESS} is not the empty file that it should be"));
    }
    let note = match read_regular(&run.join(RELEASED)) {
        Ok(note) => note,
        Err(error) => {
            wrong.push(format!("{RELEASED}: {error}"));
            return wrong;
        }
    };
    match note.map(|text| serde_json::from_str::<ReleaseNote>(&text)) {
        None if !manifest.held && matches!(success, Ok(None)) => wrong.push(format!("{SUCCESS} is missing")),
        None => {}
        Some(Err(error)) => wrong.push(format!("{RELEASED}: {error}")),
        Some(Ok(note)) => {
            let is_of_run = manifest.held
                && note.manifest_sha256 == manifest.sha256()
                && (note.as_of, note.known_on) == (manifest.as_of, manifest.known_on)
                && note.overruled.iter().eq(failed(&manifest.gates));
            if !is_of_run {
                wrong.push(format!("{RELEASED} tells of another run than this one"));
            }
        }
    }
    wrong
}

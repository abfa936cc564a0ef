//! Checks that a run's files are whole and what its manifest says, and that nothing else is there.

mod recount;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use anyhow::Result;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::failure::input;
use crate::hash::file_hash;
use crate::run_dir::layout::{RELEASED, SUCCESS};
use crate::run_dir::manifest::{MANIFEST, Manifest, OutputEntry, fingerprint, read_regular};
use crate::run_dir::release_note::ReleaseNote;
use crate::run_dir::table_files::{OutputName, TABLES, table_files};
use recount::recount;

/// Checks every file of a run; returns its manifest. Fails with everything that is wrong.
pub fn verify(run: &Path) -> Result<Manifest> {
    let Some(manifest) = Manifest::read(run)? else {
        return Err(input(format!(
            "verify {}: it has no manifest.json, so it is no whole run",
            run.display()
        )));
    };
    let mut wrong: Vec<String> =
        manifest.outputs.iter().filter_map(|output| check_output(run, output).err()).collect();
    for job_file in &manifest.job_files {
        let is_copy = |name: OutputName| name.rest == job_file.file;
        let copied =
            manifest.outputs.iter().find(|output| OutputName::parse(&output.file).is_some_and(is_copy));
        if copied.is_none_or(|output| output.sha256 != job_file.sha256) {
            wrong.push(format!("{} is not the file the run used", job_file.file));
        }
    }
    wrong.extend(others(run, &manifest));
    wrong.extend(wrong_markers(run, &manifest));
    wrong.extend(contradictions(&manifest));
    if wrong.is_empty() {
        match recount(run, &manifest) {
            Ok(totals) if totals == manifest.control_totals => {}
            Ok(_) => wrong.push("the control totals are not those of the run's tables".to_string()),
            Err(error) => wrong.push(format!("{error:#}")),
        }
    }
    if wrong.is_empty() {
        Ok(manifest)
    } else {
        Err(input(format!("verify {}: {}", run.display(), wrong.join("; "))))
    }
}

/// Checks one file of a run, byte by byte: a regular file in its directory, no link, of which size, hash and
/// rows are what the manifest says.
fn check_output(run: &Path, output: &OutputEntry) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", output.file);
    if OutputName::parse(&output.file).is_none() {
        return Err(failed(&"this names no file of the run"));
    }
    for (end, _) in output.file.match_indices('/') {
        let directory = &output.file[..end];
        let found = fs::symlink_metadata(run.join(directory)).map_err(|error| failed(&error))?;
        if !found.is_dir() {
            return Err(failed(&format!("{directory} is no directory")));
        }
    }
    let path = run.join(&output.file);
    let found = fs::symlink_metadata(&path).map_err(|error| failed(&error))?;
    if !found.is_file() {
        return Err(failed(&"it is no regular file"));
    }
    if found.len() != output.bytes {
        return Err(failed(&format!("it has {} bytes, the manifest says {}", found.len(), output.bytes)));
    }
    if file_hash(&path).map_err(|error| failed(&error))? != output.sha256 {
        return Err(failed(&"its bytes are not those the manifest names"));
    }
    if output.file.ends_with(".parquet") {
        let file = File::open(&path).map_err(|error| failed(&error))?;
        let reader = SerializedFileReader::new(file).map_err(|error| failed(&error))?;
        let rows = reader.metadata().file_metadata().num_rows();
        if output.rows != u64::try_from(rows).ok() {
            return Err(failed(&format!("it has {rows} rows, the manifest says {:?}", output.rows)));
        }
    }
    Ok(())
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

/// What lies in the run and should not be there.
fn others(run: &Path, manifest: &Manifest) -> Vec<String> {
    let known =
        manifest.outputs.iter().map(|output| output.file.as_str()).chain([MANIFEST, SUCCESS, RELEASED]);
    let known: BTreeSet<&str> = known.collect();
    let mut found = Vec::new();
    if let Err(error) = add_others(run, "", &known, &mut found) {
        return vec![format!("it cannot be listed: {error}")];
    }
    found.sort();
    found.into_iter().map(|name| format!("{name} should not be there")).collect()
}

/// Adds the names of what lies below a directory of the run, `above` with a slash at its end or the run itself,
/// and is not known.
fn add_others(
    run: &Path,
    above: &str,
    known: &BTreeSet<&str>,
    found: &mut Vec<String>,
) -> std::io::Result<()> {
    for entry in fs::read_dir(run.join(above))? {
        let entry = entry?;
        let name = format!("{above}{}", entry.file_name().to_string_lossy());
        let below = format!("{name}/");
        if known.contains(name.as_str()) {
            continue;
        }
        let has_known = known.range(below.as_str()..).next().is_some_and(|file| file.starts_with(&below));
        if has_known && entry.file_type()?.is_dir() {
            add_others(run, &below, known, found)?;
        } else {
            found.push(name);
        }
    }
    Ok(())
}

/// What is wrong with the files beside those that the manifest lists: the marker of a published run, and
/// the note that a held one was released.
fn wrong_markers(run: &Path, manifest: &Manifest) -> Vec<String> {
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
                && note.overruled.iter().eq(crate::run_dir::gates::failed(&manifest.gates));
            if !is_of_run {
                wrong.push(format!("{RELEASED} tells of another run than this one"));
            }
        }
    }
    wrong
}

/// What of a manifest contradicts itself.
pub fn contradictions(manifest: &Manifest) -> Vec<String> {
    let mut wrong = wrong_parts(manifest);
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
    let is_held = manifest.chain_from.is_none() && manifest.gates.iter().any(|gate| !gate.holds);
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

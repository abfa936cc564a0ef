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
        let copied = manifest.outputs.iter().find(|output| output.file == job_file.file);
        if copied.is_none_or(|output| output.sha256 != job_file.sha256) {
            wrong.push(format!("{} is not the file the run used", job_file.file));
        }
    }
    wrong.extend(others(run, &manifest));
    wrong.extend(wrong_markers(run, &manifest));
    wrong.extend(inconsistencies(&manifest));
    if wrong.is_empty() {
        match recount(run) {
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
pub fn check_output(run: &Path, output: &OutputEntry) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", output.file);
    if !is_plain_name(&output.file) {
        return Err(failed(&"this names no file of the run"));
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

/// Whether a name is one of a file within its directory, and leads nowhere else.
fn is_plain_name(name: &str) -> bool {
    !name.contains(['/', '\0']) && !["", ".", ".."].contains(&name)
}

/// What lies in the run and should not be there.
fn others(run: &Path, manifest: &Manifest) -> Vec<String> {
    let known =
        manifest.outputs.iter().map(|output| output.file.as_str()).chain([MANIFEST, SUCCESS, RELEASED]);
    let known: BTreeSet<&str> = known.collect();
    let mut names: Vec<String> = match fs::read_dir(run) {
        Ok(entries) => {
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        }
        Err(error) => return vec![format!("it cannot be listed: {error}")],
    };
    names.retain(|name| !known.contains(name.as_str()));
    names.sort();
    names.into_iter().map(|name| format!("{name} should not be there")).collect()
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

/// Figures of the manifest that contradict each other.
fn inconsistencies(manifest: &Manifest) -> Vec<String> {
    let mut wrong = Vec::new();
    let totals = &manifest.control_totals;
    let rejected = sum(manifest.counts.values().flat_map(|counts| counts.rejected.values()));
    let expected = [
        ("scores.parquet", totals.accounts.into()),
        ("features.parquet", totals.accounts.into()),
        ("decisions.parquet", totals.lines.into()),
        ("adjustments.parquet", totals.adjustments.into()),
        ("rejects.parquet", rejected),
    ];
    for (file, expected) in expected {
        let listed =
            manifest.outputs.iter().find(|output| output.file == file).and_then(|output| output.rows);
        if listed.map(u128::from) != Some(expected) {
            wrong.push(format!("{file}: control totals say {expected} rows, the file list {listed:?}"));
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

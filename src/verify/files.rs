//! The files of a run on disk: each what the manifest says, and no others.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::hash::file_hash;
use crate::run_dir::layout::{RELEASED, SUCCESS};
use crate::run_dir::manifest::{MANIFEST, Manifest, OutputEntry};
use crate::run_dir::table_files::OutputName;

/// What is wrong with the files of a run in a directory.
pub(super) fn wrong_files(run: &Path, manifest: &Manifest) -> Vec<String> {
    let wrong = manifest.outputs.iter().filter_map(|output| check_output(run, output).err());
    wrong.chain(others(run, manifest)).collect()
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

//! The files of a run in an object store: each what the manifest says, and no others but those of other attempts.

use anyhow::{Result, ensure};
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::failure::{Failure, input};
use crate::run_dir::RunDirectory;
use crate::run_dir::layout::{RELEASED, SUCCESS};
use crate::run_dir::manifest::{MANIFEST, Manifest, OutputEntry};
use crate::run_dir::table_files::{OutputName, attempt_of};
use crate::store;

/// What is wrong with the files of a run in an object store.
pub(super) fn wrong_files(run: &RunDirectory, manifest: &Manifest) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for output in &manifest.outputs {
        match check_output(run, output) {
            Err(error) if error.is::<Failure>() => return Err(error),
            Err(error) => wrong.push(format!("{}: {error:#}", output.file)),
            Ok(()) => {}
        }
    }
    wrong.extend(others(run, manifest)?);
    Ok(wrong)
}

fn check_output(run: &RunDirectory, output: &OutputEntry) -> Result<()> {
    ensure!(OutputName::parse(&output.file).is_some(), "this names no file of the run");
    let file = run.checked_file(output)?;
    if output.file.ends_with(".parquet") {
        let rows = SerializedFileReader::new(file)?.metadata().file_metadata().num_rows();
        let is_said = output.rows == u64::try_from(rows).ok();
        ensure!(is_said, "it has {rows} rows, the manifest says {:?}", output.rows);
    }
    Ok(())
}

/// What lies in the run and should not be there. What other attempts have left is no part of the run.
fn others(run: &RunDirectory, manifest: &Manifest) -> Result<Vec<String>> {
    let path = run.path();
    let found = store::objects_below(path);
    let found =
        found.map_err(|error| input(format!("verify {}: it cannot be listed: {error}", path.display())))?;
    let own = manifest.outputs.iter().find_map(|output| attempt_of(&output.file));
    let is_known = |name: &str| {
        [MANIFEST, SUCCESS, RELEASED].contains(&name)
            || manifest.outputs.iter().any(|output| output.file == name)
            || attempt_of(name).is_some_and(|attempt| Some(attempt) != own)
    };
    let others = found.into_keys().filter(|name| !is_known(name));
    Ok(others.map(|name| format!("{name} should not be there")).collect())
}
